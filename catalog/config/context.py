"""How long a context a config.json really gives: native, extended, and by what.

The traps, each with a test: which of nine keys holds the length; scaling factors that are already inside it; YaRN that
is built in, or only offered by the model card; LongRoPE, whose engines serve the original length unless asked; the
tokenizer's own limit, which is often no limit at all (1e30) and sometimes too small.

Sources: vLLM 0.32, transformers_utils/model_arch_config_convertor.py and config/model.py; the rope_utils page of the
transformers documentation; the model cards named in OPT_IN.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from catalog.config.families import FACTOR_INSIDE
from catalog.config.values import number, part, real, text
from catalog.records import ContextExtension

# vLLM takes the least of those that are present. `max_length` is not among them: in a config it is the length of
# generated text, 20 by default.
LENGTH_KEYS = (
    "max_position_embeddings",
    "n_positions",
    "max_seq_len",
    "seq_length",
    "model_max_length",
    "max_target_positions",
    "max_sequence_length",
    "max_seq_length",
    "seq_len",
)
LATER_LENGTH_KEYS = ("n_ctx", "max_context_length")
"""Asked where none of LENGTH_KEYS is there: llama.cpp's converter (n_ctx), OpenELM."""

MULTIPLIED = frozenset({"linear", "dynamic"})
"""Scaling whose factor is not yet inside the stated length."""
BUILT_IN_YARN = frozenset({"yarn", "deepseek_yarn"})
LONGROPE = frozenset({"longrope", "su"})
UNSET_LENGTH = 1_000_000_000
"""A tokenizer's model_max_length above this means that nobody set it (transformers writes 1e30)."""


class OptIn(NamedTuple):
    """A family whose card offers a longer context through YaRN that its config leaves off."""

    model_type: str
    native_tokens: int
    least_hidden_size: int
    marker: tuple[str, int] | None
    """Key and value that tell the family from others of the same type and length."""
    extended_tokens: int
    source: str


OPT_IN = (
    OptIn("qwen3", 40_960, 2560, None, 131_072, "model cards of Qwen/Qwen3-4B to 32B: 131,072 with YaRN"),
    OptIn(
        "qwen3_moe", 40_960, 2048, None, 131_072, "model cards of Qwen/Qwen3-30B-A3B and 235B-A22B: 131,072 with YaRN"
    ),
    OptIn(
        "qwen2",
        32_768,
        3584,
        ("sliding_window", 131_072),
        131_072,
        "model cards of Qwen/Qwen2.5-7B-Instruct to 72B-Instruct: 131,072 with YaRN",
    ),
    OptIn("qwen2", 40_960, 5120, None, 131_072, "model card of Qwen/QwQ-32B: 131,072 with YaRN"),
    OptIn("smollm3", 65_536, 2048, None, 131_072, "model card of HuggingFaceTB/SmolLM3-3B: 128k with YaRN"),
)


class ContextFacts(NamedTuple):
    """Context as the config gives it; None = not stated."""

    native_tokens: int | None
    extended_tokens: int | None
    extension: ContextExtension | None
    source_key: str | None
    source: str | None
    """Where the extension was read, if not in the config."""
    notes: tuple[str, ...]
    doubtful: bool


def read_context(config: Mapping[str, Any], tokenizer: Mapping[str, Any] | None) -> ContextFacts:
    """Context of a text config. Never a default: without a length it is None."""
    length, key = _stated_length(config)
    notes: list[str] = []
    doubtful = False
    limit = tokenizer_limit(tokenizer)
    if limit is not None and length is None:
        length, key, doubtful = limit, "tokenizer model_max_length", True
        notes.append(f"Only the tokenizer states a context ({limit:,} tokens), and that is often wrong.")
    elif limit is not None and length is not None and limit < length:
        doubtful = True
        notes.append(f"The tokenizer states {limit:,} tokens and the config {length:,}; the config's is taken.")
    if _uses_alibi(config):
        notes.append("ALiBi positions: no hard limit; the context is the length it was trained with.")
    if length is None:
        return ContextFacts(None, None, None, key, None, tuple(notes), doubtful)
    scaled = _scaled(config, length, notes)
    return ContextFacts(
        scaled.native_tokens,
        scaled.extended_tokens,
        scaled.extension,
        key,
        scaled.source,
        tuple(notes),
        doubtful or scaled.doubtful,
    )


def tokenizer_limit(tokenizer: Mapping[str, Any] | None) -> int | None:
    """The tokenizer's model_max_length; None where it is missing or stands for 'unset'."""
    limit = real(tokenizer or {}, "model_max_length")
    return int(limit) if limit is not None and limit <= UNSET_LENGTH else None


def rope_scaling(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The scaling of positions, rope_parameters (new) or rope_scaling; full attention's where there is one per type."""
    rope = part(config, "rope_parameters") or part(config, "rope_scaling")
    if rope and all(isinstance(value, Mapping) for value in rope.values()):
        return part(rope, "full_attention") or next(iter(rope.values()))
    return rope


def rope_type(config: Mapping[str, Any]) -> str:
    """Its type in lower case; `default` where there is no scaling."""
    return (text(rope_scaling(config), "rope_type", "type") or "default").lower()


def _stated_length(config: Mapping[str, Any]) -> tuple[int | None, str | None]:
    if "cohere" in str(config.get("model_type")):
        # Command R states 8,192 positions and really has the longer model_max_length (vLLM's override).
        stated = number(config, "model_max_length")
        if stated is not None:
            return stated, "model_max_length"
    found = [(value, key) for key in LENGTH_KEYS if (value := number(config, key)) is not None]
    if found:
        return min(found, key=lambda pair: pair[0])
    later = [(value, key) for key in LATER_LENGTH_KEYS if (value := number(config, key)) is not None]
    return later[0] if later else (None, None)


class _Scaled(NamedTuple):
    native_tokens: int
    extended_tokens: int | None
    extension: ContextExtension
    source: str | None = None
    doubtful: bool = False


def _scaled(config: Mapping[str, Any], length: int, notes: list[str]) -> _Scaled:
    rope, kind = rope_scaling(config), rope_type(config)
    factor = real(rope, "factor") or 1.0
    original = number(rope, "original_max_position_embeddings") or number(config, "original_max_position_embeddings")
    if kind in LONGROPE:
        return _longrope(length, original, notes)
    if kind in BUILT_IN_YARN:
        return _yarn(length, round(original * factor) if original else length, notes)
    if kind in MULTIPLIED and factor > 1:
        reach = length if str(config.get("model_type")) in FACTOR_INSIDE else round(length * factor)
        return _Scaled(reach, reach, "linear" if kind == "linear" else "dynamic")
    offered = _opt_in(config, length)
    if offered is not None:
        return _Scaled(length, offered.extended_tokens, "yarn_opt_in", offered.source)
    return _Scaled(length, None, "none")


def _longrope(length: int, original: int | None, notes: list[str]) -> _Scaled:
    """Engines serve the original length unless asked for more (vLLM: max_model_len)."""
    if original is None:
        notes.append("LongRoPE without its original length: which part of the context needs it is not known.")
        return _Scaled(length, None, "longrope", doubtful=True)
    return _Scaled(original, max(length, original), "longrope")


def _yarn(length: int, reach: int, notes: list[str]) -> _Scaled:
    """YaRN in the config is on; its factor is inside the stated length, unless somebody edited only half of it."""
    if reach <= length:
        return _Scaled(length, length, "yarn_builtin")
    notes.append(
        f"YaRN reaches {reach:,} tokens, but the config states {length:,}: engines differ in which they serve."
    )
    return _Scaled(length, reach, "yarn_builtin", doubtful=True)


def _opt_in(config: Mapping[str, Any], length: int) -> OptIn | None:
    for family in OPT_IN:
        if (
            config.get("model_type") == family.model_type
            and length == family.native_tokens
            and (number(config, "hidden_size") or 0) >= family.least_hidden_size
            and (family.marker is None or config.get(family.marker[0]) == family.marker[1])
        ):
            return family
    return None


def _uses_alibi(config: Mapping[str, Any]) -> bool:
    return (
        config.get("alibi") is True
        or part(config, "attn_config").get("alibi") is True
        or config.get("model_type") == "bloom"
        or config.get("position_embedding_type") == "alibi"
    )
