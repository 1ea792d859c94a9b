"""What a network keeps of the tokens it has seen: KV cache and recurrent state, from its layers to bytes.

A layer that attends to everything keeps, for every token, kv_heads × (key + value) numbers; one with a window keeps
them for the window; latent attention (MLA) keeps one compressed vector; recurrent layers keep a state of fixed size.
How many tokens (cells) an engine really allocates for that is the engine's way:

- llama.cpp, as the workbench runs it: one pool of cells for all sequences, rounded up to 256. Layers with a window get
  pad256(min(pool, window × sequences + micro-batch)) (src/llama-kv-cache-iswa.cpp), where sequences are the 64 that the
  engine may hold, not those it happens to hold. The state of recurrent layers is allocated in f32 for every sequence
  that it may hold, and for that reason it holds 8 with such networks.
- vLLM: blocks of 16 tokens. Layers with a window hold at least the window, and at most the whole context where the
  hybrid cache manager is off or page sizes must be made equal, so the cache is a range.

The functions from CacheFigures to bytes use only + - * / and the given `least`, so that they work on numbers and,
element by element, on arrays alike.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from catalog.records import Architecture, CacheType, FitSettings, LayerGroup

BYTES_PER_NUMBER: dict[CacheType, float] = {
    "f32": 4.0,
    "f16": 2.0,
    "bf16": 2.0,
    "fp8": 1.0,
    "q8_0": 34 / 32,
    "q4_0": 18 / 32,
}
"""KV cache formats; those of llama.cpp from its block sizes (34 and 18 bytes for 32 numbers)."""

LLAMA_CPP_SEQUENCES = 64
"""Sequences that the workbench's engine keeps room for (runners/llama_cpp_engine.py, MAX_SEQUENCES)."""
LLAMA_CPP_RECURRENT_SEQUENCES = 8
"""The same for networks with recurrent layers (RECURRENT_SEQUENCES)."""
LLAMA_CPP_MICRO_BATCH = 512
LLAMA_CPP_PADDING = 256
LLAMA_CPP_STATE_BYTES = 4.0
VLLM_BLOCK_TOKENS = 16
VLLM_STATE_BYTES = 2.0

Least = Callable[[Any, Any], Any]
"""min of two numbers, or of two arrays element by element."""


class CacheFigures(NamedTuple):
    """How much a network keeps, as counts of numbers; over all of its layers."""

    per_token: float
    """Numbers for each token in layers that attend to everything."""
    per_window_token: float
    """Numbers for each token in layers with a window."""
    window_tokens: float
    """The window; the widest where layers have several, which only over-estimates. 0 without windows."""
    state: float
    """Numbers of fixed state for each sequence."""


def layer_groups(architecture: Architecture) -> tuple[LayerGroup, ...] | None:
    """The layers by what they cache; None where a fact is missing.

    Nothing is derived from hidden_size / heads, because in many networks that is not the head size.
    """
    if architecture.layer_groups:
        return architecture.layer_groups
    layers = architecture.layers
    if layers is None:
        return None
    latent, rotary = architecture.kv_lora_rank, architecture.qk_rope_head_dim
    if latent is not None and rotary is not None:
        return (LayerGroup(kind="latent", layers=layers, kv_heads=1, key_dim=latent + rotary, value_dim=0),)
    heads, key = architecture.kv_heads, architecture.head_dim
    if latent is not None or rotary is not None or heads is None or key is None:
        return None
    value = architecture.value_head_dim or key
    return (LayerGroup(kind="full", layers=layers, kv_heads=heads, key_dim=key, value_dim=value),)


def cache_figures(architecture: Architecture) -> CacheFigures | None:
    """Sum the layers up; None where a fact of a layer that keeps a cache is missing.

    A recurrent layer whose state is not known counts nothing: `has_unknown_state` tells.
    """
    groups = layer_groups(architecture)
    if groups is None:
        return None
    per_token = per_window_token = state = 0
    window = 0
    for group in groups:
        if group.kind == "none":
            continue
        state += (group.state_elements or 0) * group.layers
        if group.kind == "recurrent":
            continue
        numbers = _numbers_per_token(group)
        if numbers is None:
            return None
        if group.kind in {"sliding", "chunked"}:
            if group.window_tokens is None:
                return None
            per_window_token += numbers
            window = max(window, group.window_tokens)
        else:
            per_token += numbers
    return CacheFigures(per_token, per_window_token, window, state)


def has_unknown_state(architecture: Architecture) -> bool:
    """Whether a recurrent layer keeps a state of unknown size."""
    return any(group.kind == "recurrent" and group.state_elements is None for group in architecture.layer_groups)


def kv_cache_bytes(
    architecture: Architecture, context_tokens: int, concurrency: int = 1, cache_type: CacheType = "f16"
) -> int | None:
    """Bytes of the cache for `concurrency` sequences of `context_tokens`, whatever the engine; None where unknown.

    Windows hold the window, nothing is rounded up: the figure that is published for a network.
    """
    figures = cache_figures(architecture)
    if figures is None:
        return None
    windowed = figures.per_window_token * min(context_tokens, figures.window_tokens)
    numbers = (figures.per_token * context_tokens + windowed) * concurrency
    return math.ceil(numbers * BYTES_PER_NUMBER[cache_type])


def llama_cpp_cells(context_tokens: int, concurrency: int) -> int:
    """Cells of the pool that all sequences share."""
    return -(-context_tokens * concurrency // LLAMA_CPP_PADDING) * LLAMA_CPP_PADDING


def llama_cpp_window_cells(cells: int, window_tokens: Any, least: Least) -> Any:
    """Cells of layers with a window. Rounding a window up costs less than a part in a thousand and is left out."""
    return least(cells, window_tokens * LLAMA_CPP_SEQUENCES + LLAMA_CPP_MICRO_BATCH)


def llama_cpp_cache_bytes(figures: CacheFigures, cells: int, cache_type: CacheType, least: Least = min) -> Any:
    """KV cache as the workbench's llama.cpp engine allocates it."""
    windowed = figures.per_window_token * llama_cpp_window_cells(cells, figures.window_tokens, least)
    return (figures.per_token * cells + windowed) * BYTES_PER_NUMBER[cache_type]


def llama_cpp_state_bytes(figures: CacheFigures) -> Any:
    """State of recurrent layers, for every sequence that the engine may hold."""
    return figures.state * (LLAMA_CPP_STATE_BYTES * LLAMA_CPP_RECURRENT_SEQUENCES)


def vllm_cache_bytes(figures: CacheFigures, settings: FitSettings, least: Least = min) -> tuple[Any, Any]:
    """KV cache under vLLM as (at least, at most)."""
    tokens = -(-settings.context_tokens // VLLM_BLOCK_TOKENS) * VLLM_BLOCK_TOKENS
    factor = BYTES_PER_NUMBER[settings.cache_type] * settings.concurrency
    window = least(tokens, figures.window_tokens + VLLM_BLOCK_TOKENS)
    low = (figures.per_token * tokens + figures.per_window_token * window) * factor
    high = (figures.per_token + figures.per_window_token) * (tokens * factor)
    return low, high


def vllm_state_bytes(figures: CacheFigures, concurrency: int) -> Any:
    """State of recurrent layers under vLLM, in the model's own 16 bits."""
    return figures.state * (VLLM_STATE_BYTES * concurrency)


def _numbers_per_token(group: LayerGroup) -> int | None:
    if group.kv_heads is None or group.key_dim is None or group.value_dim is None:
        return None
    return group.layers * (group.kv_heads * (group.key_dim + group.value_dim) + (group.indexer_dim or 0))
