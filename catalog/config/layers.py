"""What each layer of a network caches, from its config.json: attention kinds, windows, shared caches, fixed states.

A config names the kinds in about a dozen ways; each reader below knows one of them and gives one word per layer
(FULL, SLIDING …). `read_layers` asks them in order and turns words into Layers. Patterns that only transformers' source
knows are in config_families. A word that nobody knows gives a layer of unknown size, never a guess.

State sizes follow what llama.cpp keeps (llama-hparams.cpp, n_embd_r and n_embd_s), which is what Qwen3.6-27B was
measured with: 149.6 MiB per sequence.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from catalog.config.families import ENCODERS, IMPLIED_PATTERNS, PURELY_RECURRENT, WINDOW_IN_EVERY_LAYER
from catalog.config.heads import Heads
from catalog.config.states import state_elements
from catalog.config.values import entries, number, part, text, whole
from catalog.layer_shapes import NOTHING, Layer, compressed_layers

FULL, SLIDING, CHUNKED, RECURRENT, HYBRID, NONE = "full", "sliding", "chunked", "recurrent", "hybrid", "none"

WORDS = {
    "full_attention": FULL,
    "attention": FULL,
    "global": FULL,
    "global_attention": FULL,
    "deepseek_sparse_attention": FULL,
    "*": FULL,
    "G": FULL,
    "sliding_attention": SLIDING,
    "sliding_window": SLIDING,
    "local": SLIDING,
    "local_attention": SLIDING,
    "L": SLIDING,
    "chunked_attention": CHUNKED,
    "linear_attention": RECURRENT,
    "conv": RECURRENT,
    "mamba": RECURRENT,
    "mamba2": RECURRENT,
    "recurrent": RECURRENT,
    "M": RECURRENT,
    "hybrid": HYBRID,
    "moe": NONE,
    "mlp": NONE,
    "E": NONE,
    "-": NONE,
}
"""Kinds as configs write them → ours. A hybrid layer attends and keeps a state as well."""


UNKNOWN = Layer("full")
"""A layer whose cache cannot be told: no figures, so the memory prediction says that it does not know."""


class LayerFacts(NamedTuple):
    """Layers in order; empty where their number is not known."""

    layers: tuple[Layer, ...]
    notes: tuple[str, ...]


def count_layers(config: Mapping[str, Any]) -> int | None:
    """Transformer blocks; where only a list of kinds is given, its length."""
    stated = number(config, "num_hidden_layers", "n_layer", "n_layers", "num_layers", "num_transformer_layers")
    listed = entries(config, "layers_block_type", "layer_types") or list(text(config, "hybrid_override_pattern") or "")
    return stated or len(listed) or None


def read_layers(config: Mapping[str, Any], heads: Heads) -> LayerFacts:
    """One Layer per block of a text config."""
    count = count_layers(config)
    if count is None or count > 10_000:
        return LayerFacts((), ())
    if config.get("is_encoder_decoder") is True:
        note = "Encoder and decoder: its caches are not predicted."
        return LayerFacts((UNKNOWN,) * count, (note,))
    if entries(config, "compress_ratios"):
        ratios = [whole(ratio) or 0 for ratio in entries(config, "compress_ratios")[:count]]
        index_dim = number(config, "index_head_dim")
        note = "Compressed attention: each layer counts once for its window and once for its compressed entries."
        layers = compressed_layers(ratios, heads.kv_heads, heads.key_dim, index_dim, _window(config, 0))
        return LayerFacts(layers, (note,))
    words, notes = _words(config, count)
    kept = [_layer(config, heads, word, index) for index, word in enumerate(words)]
    return LayerFacts(tuple(_without_shared(config, kept)), notes)


def _layer(config: Mapping[str, Any], heads: Heads, word: str, index: int) -> Layer:
    if word == NONE:
        return NOTHING
    if word == RECURRENT:
        return Layer("recurrent", state_elements=state_elements(config))
    if word in {SLIDING, CHUNKED}:
        return _windowed(config, heads, word, index)
    if word not in {FULL, HYBRID}:
        return UNKNOWN
    return _attending(config, heads, index, state_elements(config) if word == HYBRID else None)


def _attending(config: Mapping[str, Any], heads: Heads, index: int, state: int | None) -> Layer:
    """A layer that attends to everything: through a latent, with its own number of heads, or like the others."""
    rank, rotary = number(config, "kv_lora_rank"), number(config, "qk_rope_head_dim")
    if rank is not None:
        return Layer("latent", 1, rank + rotary if rotary else None, 0, _indexer(config, index), None, state)
    if heads.kv_heads_per_layer:
        kv_heads = heads.kv_heads_per_layer[index] if index < len(heads.kv_heads_per_layer) else None
        if kv_heads == 0:
            return NOTHING
        return Layer("full", kv_heads, heads.key_dim, heads.value_dim, state_elements=state)
    key_dim = number(config, "global_head_dim") or heads.key_dim
    value_dim = number(config, "global_head_dim") or heads.value_dim
    kv_heads = heads.kv_heads
    if config.get("attention_k_eq_v") is True:
        # Gemma 4: values are made from the keys' projection but normalised and rotated differently: both are cached.
        kv_heads = number(config, "num_global_key_value_heads") or kv_heads
    return Layer("full", kv_heads, key_dim, value_dim, _indexer(config, index), None, state)


def _windowed(config: Mapping[str, Any], heads: Heads, word: str, index: int) -> Layer:
    window = number(config, "attention_chunk_size") if word == CHUNKED else _window(config, index)
    return Layer(
        "chunked" if word == CHUNKED else "sliding",
        number(config, "swa_num_key_value_heads") or heads.kv_heads,
        number(config, "swa_head_dim") or heads.key_dim,
        number(config, "swa_v_head_dim") or heads.value_dim,
        window_tokens=window,
    )


def _window(config: Mapping[str, Any], index: int) -> int | None:
    listed = entries(config, "sliding_window")
    if listed:
        return whole(listed[index]) or None if index < len(listed) else None
    return number(
        config, "sliding_window", "sliding_window_size", "attention_window_size", "window_size", "local_attention"
    )


def _indexer(config: Mapping[str, Any], index: int) -> int | None:
    """Width of the keys by which sparse attention chooses; one head per token, kept beside the cache."""
    kinds = entries(config, "indexer_types")
    if kinds and index < len(kinds) and kinds[index] == "shared":
        return None
    sparse = part(config, "sparse_attention_config")
    if sparse.get("use_sparse_attention") is True:
        applied = entries(sparse, "sparse_attention_freq")
        if applied and index < len(applied) and not applied[index]:
            return None
        return number(sparse, "sparse_index_dim")
    return number(config, "index_head_dim")


def _without_shared(config: Mapping[str, Any], layers: list[Layer]) -> list[Layer]:
    """Layers that read the cache of another one keep nothing themselves."""
    shared = number(config, "num_kv_shared_layers")
    if shared:
        kept = max(0, len(layers) - shared)
        return layers[:kept] + [NOTHING] * (len(layers) - kept)
    factor = number(config, "cla_share_factor")
    if config.get("use_cla") is True and factor:
        return [layer if index % factor == 0 else NOTHING for index, layer in enumerate(layers)]
    return layers


def _words(config: Mapping[str, Any], count: int) -> tuple[list[str], tuple[str, ...]]:
    """One word per layer, and what is doubtful about them."""
    for reader in _READERS:
        found = reader(config, count)
        if found is None:
            continue
        words = [WORDS.get(word, word) for word in found[:count]]
        if len(words) < count:
            return [*words, *["missing"] * (count - len(words))], (
                f"Only {len(words)} of {count} layers are described.",
            )
        unknown = sorted(set(words) - set(WORDS.values()))
        if unknown:
            return words, (f"Layers of the kind {unknown[0]!r} are not known here; their cache is not predicted.",)
        return words, ()
    if _named_window(config) is not None:
        note = f"The config names a window of {_named_window(config):,} tokens, but not its layers; all count in full."
        return [FULL] * count, (note,)
    return [FULL] * count, ()


def _named_window(config: Mapping[str, Any]) -> int | None:
    return None if config.get("use_sliding_window") is False else number(config, "sliding_window")


def _from_blocks(config: Mapping[str, Any], _: int) -> list[str] | None:
    """Nemotron-NAS: each block says whether it attends."""
    blocks = entries(config, "block_configs")
    return [FULL] * len(blocks) if blocks else None


def _from_linear_config(config: Mapping[str, Any], count: int) -> list[str] | None:
    """Kimi: numbers of the layers with linear attention, from 1."""
    linear = entries(part(config, "linear_attn_config"), "kda_layers")
    return [RECURRENT if index + 1 in linear else FULL for index in range(count)] if linear else None


def _from_lists(config: Mapping[str, Any], count: int) -> list[str] | None:
    """A kind per layer, in words or, in Nemotron-H, letters; RecurrentGemma repeats a short list."""
    letters = text(config, "hybrid_override_pattern")
    if letters:
        return list(letters)
    repeated = entries(config, "block_types")
    if repeated:
        window = SLIDING if number(config, "attention_window_size") else FULL
        return [window if repeated[i % len(repeated)] == "attention" else RECURRENT for i in range(count)]
    listed = entries(config, "layers_block_type", "layer_types", "attention_layers")
    return [str(word) for word in listed] or None


def _from_numbers(config: Mapping[str, Any], count: int) -> list[str] | None:
    """Lists of numbers: which layers slide (MiMo), attend (MiniMax, Bamba, LFM2), or look at pictures (Llama 3.2)."""
    sliding = entries(config, "hybrid_layer_pattern")
    if sliding:
        return [SLIDING if flag else FULL for flag in sliding]
    attends = entries(config, "attn_type_list")
    if attends:
        return [FULL if flag else RECURRENT for flag in attends]
    full = entries(config, "attn_layer_indices", "full_attn_idxs")
    if full:
        return [FULL if index in full else RECURRENT for index in range(count)]
    pictures = entries(config, "cross_attention_layers")
    return [NONE if index in pictures else FULL for index in range(count)] if pictures else None


def _from_intervals(config: Mapping[str, Any], count: int) -> list[str] | None:
    """Every how many-th layer attends: Qwen3-Next, Jamba; or attends to everything: Llama 4."""
    every = number(config, "full_attention_interval")
    if every:
        return [FULL if (index + 1) % every == 0 else RECURRENT for index in range(count)]
    period = number(config, "attn_layer_period")
    if period:
        offset = whole(config.get("attn_layer_offset")) or 0
        return [FULL if index % period == offset else RECURRENT for index in range(count)]
    if config.get("model_type") == "llama4_text" and number(config, "attention_chunk_size"):
        rotary = entries(config, "no_rope_layers")
        step = number(config, "no_rope_layer_interval") or 4
        # Layers without rotary positions attend to everything, by default every fourth (configuration_llama4.py).
        rotary = rotary or [(index + 1) % step for index in range(count)]
        return [CHUNKED if flag else FULL for flag in rotary]
    return None


def _from_window(config: Mapping[str, Any], count: int) -> list[str] | None:
    """A window, with a pattern of its own, of its type, or from one layer on."""
    model_type = str(config.get("model_type"))
    if entries(config, "sliding_window"):
        return [SLIDING if _window(config, index) else FULL for index in range(count)]
    if _named_window(config) is None:
        return None
    letters = text(config, "sliding_window_pattern")
    if letters:
        return [letters[index % len(letters)] for index in range(count)]
    every = number(config, "sliding_window_pattern", "_sliding_window_pattern") or IMPLIED_PATTERNS.get(model_type)
    if every:
        return [FULL if (index + 1) % every == 0 else SLIDING for index in range(count)]
    if config.get("use_sliding_window") is True:
        first = whole(config.get("max_window_layers")) or 0
        return [SLIDING if index >= first else FULL for index in range(count)]
    return [SLIDING] * count if model_type in WINDOW_IN_EVERY_LAYER else None


def _from_type(config: Mapping[str, Any], count: int) -> list[str] | None:
    """Types that need no list: state-space models, encoders, Falcon-H1 (which attends and keeps a state everywhere)."""
    model_type = str(config.get("model_type"))
    if model_type in PURELY_RECURRENT:
        return [RECURRENT] * count
    if model_type in ENCODERS:
        return [NONE] * count
    return [HYBRID] * count if model_type == "falcon_h1" else None


_READERS: tuple[Callable[[Mapping[str, Any], int], list[str] | None], ...] = (
    _from_blocks,
    _from_linear_config,
    _from_lists,
    _from_numbers,
    _from_intervals,
    _from_window,
    _from_type,
)
