"""Values out of a config.json as people really write them: the text part of wrappers, missing keys, wrong types.

A config is a file from a stranger: numbers come as floats, lists and null, and wrappers leave out what equals the
default of the class inside. This module reads values; what they mean for context and cache is said elsewhere.
"""

from collections.abc import Mapping
from typing import Any

TEXT_PARTS = ("text_config", "llm_config", "language_config", "thinker_config", "decoder")
"""Keys under which wrappers of several modalities keep their language model (vLLM, transformers_utils/config.py)."""

# What transformers' classes assume where a *nested* text_config is silent: saving a wrapper leaves out values that
# equal the default of the inner class, so the config of gemma-3-4b-it names no heads at all. A top level is always
# written in full. From configuration_gemma3.py, configuration_llama.py, configuration_mistral.py and
# configuration_qwen2.py.
CLASS_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "gemma3_text": {
        "vocab_size": 262_208,
        "hidden_size": 2304,
        "intermediate_size": 9216,
        "num_hidden_layers": 26,
        "num_attention_heads": 8,
        "num_key_value_heads": 4,
        "head_dim": 256,
        "max_position_embeddings": 131_072,
        "sliding_window": 4096,
    },
    "llama": {
        "vocab_size": 32_000,
        "hidden_size": 4096,
        "intermediate_size": 11_008,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "max_position_embeddings": 2048,
        "tie_word_embeddings": False,
    },
    "mistral": {
        "vocab_size": 32_000,
        "hidden_size": 4096,
        "intermediate_size": 14_336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "max_position_embeddings": 131_072,
        "sliding_window": 4096,
        "tie_word_embeddings": False,
    },
    "qwen2": {
        "vocab_size": 151_936,
        "hidden_size": 4096,
        "intermediate_size": 22_016,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 32,
        "max_position_embeddings": 32_768,
        "use_sliding_window": False,
        "tie_word_embeddings": False,
    },
}


def text_part(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The language model's part of a config: the innermost of TEXT_PARTS, or the config itself."""
    for key in TEXT_PARTS:
        part = config.get(key)
        if isinstance(part, Mapping) and part:
            return text_part(part)
    return config


def assumed_defaults(text: Mapping[str, Any]) -> Mapping[str, Any]:
    """What transformers assumes for a nested text part beyond what it states; empty where that is not known."""
    defaults = CLASS_DEFAULTS.get(str(text.get("model_type")), {})
    return {key: value for key, value in defaults.items() if key not in text}


def number(values: Mapping[str, Any], *keys: str) -> int | None:
    """The first positive whole number under the keys; None where there is none."""
    for key in keys:
        value = whole(values.get(key))
        if value:
            return value
    return None


def whole(value: Any) -> int | None:
    """A value as a whole number of 0 or more; None for anything else (a truth value is no number)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not 0 <= value < 2**63 or value != int(value):
        return None
    return int(value)


def real(values: Mapping[str, Any], *keys: str) -> float | None:
    """The first positive finite number under the keys."""
    for key in keys:
        value = values.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 2**63:
            return float(value)
    return None


def text(values: Mapping[str, Any], *keys: str) -> str | None:
    """The first text that is not empty under the keys."""
    for key in keys:
        value = values.get(key)
        if isinstance(value, str) and value:
            return value
    return None


def part(values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """A nested object; empty where there is none."""
    value = values.get(key)
    return value if isinstance(value, Mapping) else {}


def entries(values: Mapping[str, Any], *keys: str) -> list[Any]:
    """The first list that is not empty under the keys; empty where there is none."""
    for key in keys:
        value = values.get(key)
        if isinstance(value, list | tuple) and value:
            return list(value)
    return []
