"""Weights of a network counted from its config.json, for families whose tensors are known one by one.

Exact, or None: vision towers, unusual biases and families that are not listed are not counted. The counts were held
against the safetensors totals of published models (tests).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from catalog.config.heads import Heads
from catalog.config.values import number


class _Family(NamedTuple):
    """What differs between decoders of the Llama kind (modeling_<type>.py in transformers)."""

    norms: int = 2
    """Norms of hidden_size per layer."""
    head_norms: bool = False
    """Whether queries and keys are normalised per head."""
    qkv_bias: bool = False
    """Whether query, key and value projections always have a bias."""
    experts: bool = False
    """Whether every layer routes to experts."""


_FAMILIES = {
    "llama": _Family(),
    "mistral": _Family(),
    "smollm3": _Family(),
    "granite": _Family(),
    "gemma": _Family(),
    "gemma2": _Family(norms=4),
    "gemma3_text": _Family(norms=4, head_norms=True),
    "mixtral": _Family(experts=True),
    "phi3": _Family(),
    "qwen2": _Family(qkv_bias=True),
    "qwen3": _Family(head_norms=True),
    "qwen3_moe": _Family(head_norms=True, experts=True),
}


class ParameterCount(NamedTuple):
    """All weights, and those that one token uses (None where they are the same)."""

    total: int
    active: int | None


def count_parameters(config: Mapping[str, Any], heads: Heads, tied: bool | None) -> ParameterCount | None:
    """Weights of a text config of a listed family; None where the family or a figure is not known."""
    family = _FAMILIES.get(str(config.get("model_type")))
    hidden, vocabulary = number(config, "hidden_size"), number(config, "vocab_size")
    layers, inner = number(config, "num_hidden_layers"), number(config, "intermediate_size")
    if family is None or not hidden or not vocabulary or not layers or not inner or tied is None:
        return None
    attention = _attention(config, family, heads, hidden)
    if attention is None or config.get("mlp_bias") is True or config.get("mlp_only_layers"):
        return None
    outside = vocabulary * hidden * (1 if tied else 2) + hidden
    if not family.experts:
        return ParameterCount(outside + layers * (attention + 3 * hidden * inner), None)
    experts, chosen = number(config, "num_local_experts", "num_experts"), number(config, "num_experts_per_tok")
    inner = number(config, "moe_intermediate_size") or inner
    if not experts or not chosen or config.get("decoder_sparse_step", 1) != 1:
        return None
    router, expert = experts * hidden, 3 * hidden * inner
    each = attention + router
    return ParameterCount(outside + layers * (each + experts * expert), outside + layers * (each + chosen * expert))


def _attention(config: Mapping[str, Any], family: _Family, heads: Heads, hidden: int) -> int | None:
    """Projections, their biases and the norms of one layer."""
    if heads.heads is None or heads.kv_heads is None or heads.key_dim is None or heads.kv_heads_per_layer:
        return None
    queries, keys = heads.heads * heads.key_dim, heads.kv_heads * heads.key_dim
    bias = queries + 2 * keys if family.qkv_bias else 0
    if config.get("attention_bias") is True:
        bias = queries + 2 * keys + hidden
    norms = family.norms * hidden + (2 * heads.key_dim if family.head_norms else 0)
    return hidden * (2 * queries + 2 * keys) + bias + norms
