"""What each layer of a GGUF model caches, as llama.cpp allocates it (0.3.36 of llama-cpp-python: src/models/*.cpp).

A header names windows, heads per layer and states; which layers slide is written there or fixed in llama.cpp per
architecture (WINDOWS). Architectures that llama.cpp runs without a window count in full, whatever window is written.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from catalog.config.values import number, whole
from catalog.layer_shapes import NOTHING, Layer, compressed_layers, conv_state, total


class _Windows(NamedTuple):
    """load_swa_pattern(period, dense_first) and the window where the header has none."""

    period: int | None
    """Every how many-th layer attends to everything; None: only the header's own pattern counts; 0: all slide."""
    dense_first: bool = False
    default_window: int | None = None
    only_with_layers: int | None = None
    """EXAONE 4 slides only in its model of 64 layers."""


WINDOWS = {
    "afmoe": _Windows(4),
    "cohere2": _Windows(4),
    "cohere2moe": _Windows(4),
    "dots3note": _Windows(None),
    "exaone-moe": _Windows(4, default_window=128),
    "exaone4": _Windows(4, default_window=4096, only_with_layers=64),
    "gemma2": _Windows(2, default_window=4096),
    "gemma3": _Windows(6),
    "gemma3n": _Windows(5),
    "gemma4": _Windows(None),
    "gpt-oss": _Windows(2),
    "granite_swa": _Windows(None),
    "laguna": _Windows(4, dense_first=True),
    "lfm2": _Windows(0),
    "llama4": _Windows(4, default_window=8192),
    "maple": _Windows(None),
    "mellum": _Windows(4),
    "mimo2": _Windows(None),
    "olmo2": _Windows(4),
    "plamo3": _Windows(8),
    "smallthinker": _Windows(4, dense_first=True),
    "spark2_5": _Windows(None),
    "step35": _Windows(None),
}
CHUNKED = frozenset({"llama4"})
SMALLTHINKER_WINDOW = 4096
"""llama.cpp sets it whatever the header says."""

RECURRENT = frozenset({"mamba", "mamba2", "rwkv6", "rwkv6qwen2", "rwkv7", "arwkv7"})
"""No attention at all."""
RECURRENT_WITHOUT_HEADS = frozenset(
    {"jamba", "granitehybrid", "lfm2", "lfm2moe", "plamo2", "kimi-linear", "kimi-k3", "bailingmoe3", "glm5-next"}
)
"""A layer without key heads keeps a state; in others (Nemotron-NAS: `deci`) it keeps nothing."""
FEED_FORWARD_BETWEEN = frozenset({"nemotron_h", "nemotron_h_moe"})
"""A layer without key heads keeps a state only where it has no feed-forward width either."""
INTERVALS = {"qwen3next": 4, "qwen35": 4, "qwen35moe": 4, "qwen4exp": 4, "minimax-01": 8}
"""Every how many-th layer attends, where the header has no full_attention_interval."""
ENCODERS = frozenset(
    {"bert", "modern-bert", "nomic-bert", "nomic-bert-moe", "neo-bert", "jina-bert-v2", "jina-bert-v3", "eurobert"}
    | {"gemma-embedding", "t5encoder"}
)
"""Read the whole text at once and keep no cache."""
KEPT_FROM_START = {"gemma3n": 20}
"""Layers with a cache of their own; the rest read those."""


class GgufKeys(NamedTuple):
    """The metadata of one architecture, by the part of the key behind `<architecture>.`."""

    name: str
    values: Mapping[str, Any]

    def number(self, *keys: str) -> int | None:
        """First positive number; the largest of an array, which bounds what a layer needs."""
        for key in keys:
            value = self.values.get(key)
            if isinstance(value, list):
                value = max((item for item in value if isinstance(item, int)), default=None)
            found = number({"": value}, "")
            if found:
                return found
        return None

    def at(self, key: str, index: int) -> int | None:
        """Value for one layer: of the array, or the one number that holds for all."""
        value = self.values.get(key)
        if isinstance(value, list):
            return whole(value[index]) if index < len(value) else None
        return whole(value)


def main_layers(keys: GgufKeys) -> int | None:
    """Transformer blocks without those that only predict further tokens (nextn), which keep no cache by default."""
    blocks = keys.number("block_count")
    extra = keys.number("nextn_predict_layers") or 0
    return blocks - extra if blocks and blocks > extra else blocks


def gguf_layers(keys: GgufKeys) -> tuple[Layer, ...]:
    """One Layer per block; empty where their number is not known."""
    count = main_layers(keys)
    if count is None or count > 10_000:
        return ()
    if keys.name in ENCODERS:
        return (NOTHING,) * count
    ratios = keys.values.get("attention.compress_ratios")
    if isinstance(ratios, list) and ratios:
        return compressed_layers(
            [whole(ratio) or 0 for ratio in ratios[:count]],
            keys.number("attention.head_count_kv"),
            keys.number("attention.key_length"),
            keys.number("attention.indexer.key_length"),
            keys.number("attention.sliding_window"),
        )
    kept = KEPT_FROM_START.get(keys.name) or count - (keys.number("attention.shared_kv_layers") or 0)
    return tuple(_layer(keys, index, count) if index < kept else NOTHING for index in range(count))


def _layer(keys: GgufKeys, index: int, count: int) -> Layer:
    if _is_recurrent(keys, index):
        return Layer("recurrent", state_elements=_state(keys))
    heads = keys.at("attention.head_count_kv", index)
    if heads is None:
        heads = keys.at("attention.head_count", index)
    if heads == 0:
        return NOTHING
    state = _state(keys) if keys.name == "falcon-h1" else None
    key_dim, value_dim = head_dims(keys)
    indexer = keys.number("attention.indexer.key_length")
    if keys.number("attention.key_length_mla") and keys.number("attention.kv_lora_rank"):
        return Layer("latent", 1, keys.number("attention.key_length"), 0, indexer, None, state)
    window = _window(keys, index, count)
    if window is None:
        return Layer("full", heads, key_dim, value_dim, indexer, None, state)
    return Layer(
        "chunked" if keys.name in CHUNKED else "sliding",
        heads,
        keys.number("attention.key_length_swa") or key_dim,
        keys.number("attention.value_length_swa") or value_dim,
        window_tokens=window,
        state_elements=state,
    )


def head_dims(keys: GgufKeys) -> tuple[int | None, int | None]:
    """(key, value) size of a head: as written, else llama.cpp's own default, embedding_length / head_count."""
    hidden, heads = keys.number("embedding_length"), keys.number("attention.head_count")
    default = hidden // heads or None if hidden and heads else None
    return keys.number("attention.key_length") or default, keys.number("attention.value_length") or default


def _is_recurrent(keys: GgufKeys, index: int) -> bool:
    if keys.name in RECURRENT:
        return True
    if keys.name in INTERVALS:
        listed = keys.values.get("attention.recurrent_layers")
        if isinstance(listed, list) and index < len(listed):
            return bool(listed[index])
        return (index + 1) % (keys.number("full_attention_interval") or INTERVALS[keys.name]) != 0
    if keys.at("attention.head_count_kv", index) != 0:
        return False
    if keys.name in FEED_FORWARD_BETWEEN:
        return keys.at("feed_forward_length", index) == 0
    return keys.name in RECURRENT_WITHOUT_HEADS


def _window(keys: GgufKeys, index: int, count: int) -> int | None:
    """Window of one layer; None where it attends to everything."""
    rule = WINDOWS.get(keys.name)
    if rule is None or (rule.only_with_layers is not None and rule.only_with_layers != count):
        return None
    written = keys.values.get("attention.sliding_window")
    window = SMALLTHINKER_WINDOW if keys.name == "smallthinker" and written else whole(written)
    if written is None:
        window = rule.default_window
    if not window:
        return None
    pattern = keys.values.get("attention.sliding_window_pattern")
    if isinstance(pattern, list) and pattern:
        return window if index < len(pattern) and pattern[index] else None
    period = whole(pattern) if pattern is not None else rule.period
    if period is None:
        return None
    slides = period == 0 or (index % period != 0 if rule.dense_first else index % period < period - 1)
    return window if slides else None


def _state(keys: GgufKeys) -> int | None:
    """Numbers of a recurrent layer: n_embd_r + n_embd_s in llama-hparams.cpp."""
    hidden, heads = keys.number("embedding_length"), keys.number("attention.head_count")
    wkv = keys.number("wkv.head_size")
    if wkv is not None:
        return hidden * ((keys.number("token_shift_count") or 2) + wkv) if hidden else None
    if keys.number("shortconv.l_cache") is not None:
        return conv_state(hidden, keys.number("shortconv.l_cache"))
    kernel, delta = keys.number("ssm.conv_kernel"), keys.number("kda.head_dim")
    if delta is not None:
        return total(conv_state(3 * heads * delta, kernel), heads * delta * delta) if heads else None
    if keys.name == "minimax-01":
        width = head_dims(keys)[0]
        return heads * width * width if heads and width else None
    inner, state = keys.number("ssm.inner_size"), keys.number("ssm.state_size")
    if inner is None or state is None:
        return None
    groups = keys.number("ssm.group_count") or 0
    return total(conv_state(inner + 2 * groups * state, kernel), inner * state)
