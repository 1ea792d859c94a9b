"""Heads of a network from its config.json: how many, how many for keys and values, and how wide.

A head's width is derived from hidden_size / heads only where transformers itself does that for the architecture, and
the result says so; elsewhere a missing width stays unknown, because in many networks it is another number.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from catalog.config.families import FALCON, HEAD_DIM_BY_DIVISION, HEADS_WITHOUT_GROUPS
from catalog.config.values import entries, number, part, text, whole


class Heads(NamedTuple):
    """None = not known; a per-layer list is given where the layers differ."""

    heads: int | None
    kv_heads: int | None
    key_dim: int | None
    value_dim: int | None
    kv_heads_per_layer: tuple[int, ...]
    derived: tuple[str, ...]
    """Which of `kv_heads` and `head_dim` the config does not state."""


def read_heads(config: Mapping[str, Any]) -> Heads:
    """Heads of a text config."""
    model_type = str(config.get("model_type"))
    heads = number(config, "num_attention_heads", "n_head", "n_heads", "num_heads", "attention_heads")
    per_layer = _kv_heads_per_layer(config, heads)
    kv_heads, kv_stated = _kv_heads(config, model_type, heads)
    if per_layer:
        same = {count for count in per_layer if count}
        kv_heads, kv_stated = (same.pop() if len(same) == 1 else None), True
    key_dim, dim_stated = _key_dim(config, model_type, heads)
    value_dim = number(config, "v_head_dim")
    derived = []
    if kv_heads is not None and not kv_stated:
        derived.append("kv_heads")
    if key_dim is not None and not dim_stated:
        derived.append("head_dim")
    return Heads(heads, kv_heads, key_dim, value_dim or key_dim, per_layer, tuple(derived))


def _kv_heads(config: Mapping[str, Any], model_type: str, heads: int | None) -> tuple[int | None, bool]:
    """(key and value heads, whether the config states them)."""
    if model_type in FALCON:
        grouped = config.get("new_decoder_architecture") is True or "n_head_kv" in config
        if grouped:
            return number(config, "num_kv_heads", "n_head_kv") or heads, True
        return (1 if config.get("multi_query") is True else heads), "multi_query" in config
    if model_type == "gpt_bigcode":
        return (1 if config.get("multi_query") is not False else heads), "multi_query" in config
    if config.get("multi_query_attention") is True:
        return number(config, "multi_query_group_num"), True
    stated = number(config, "num_key_value_heads", "num_kv_heads", "n_head_kv", "attention_num_kv_heads")
    stated = stated or number(part(config, "attn_config"), "kv_n_heads")
    if stated is not None:
        return stated, True
    silent = "num_key_value_heads" in config or model_type in HEADS_WITHOUT_GROUPS or model_type == "chatglm"
    return (heads if silent else None), False


def _kv_heads_per_layer(config: Mapping[str, Any], heads: int | None) -> tuple[int, ...]:
    """Key and value heads of each layer where the config lists them, 0 where a layer has none; empty elsewhere."""
    blocks = entries(config, "block_configs")
    if blocks and heads:
        return tuple(_heads_in_block(block, heads) for block in blocks)
    listed = entries(config, "num_key_value_heads_per_layer", "num_key_value_heads", "num_kv_heads")
    counts = [count for count in map(whole, listed) if count is not None]
    return tuple(counts) if len(counts) == len(listed) else ()


def _heads_in_block(block: Any, heads: int) -> int:
    """Nemotron-NAS: query heads per group, or no attention at all in this block."""
    attention = part(block, "attention") if isinstance(block, Mapping) else {}
    group = number(attention, "n_heads_in_group")
    if attention.get("no_op") is True or attention.get("replace_with_linear") is True or group is None:
        return 0
    return heads // group


def _key_dim(config: Mapping[str, Any], model_type: str, heads: int | None) -> tuple[int | None, bool]:
    """(size of a key head, whether the config states it)."""
    stated = number(config, "head_dim", "attention_head_dim", "kv_channels", "d_kv", "dim_head", "v_channels")
    if stated is not None:
        return stated, True
    content, rotary = number(config, "qk_nope_head_dim"), number(config, "qk_rope_head_dim")
    if content and rotary:
        return content + rotary, False
    hidden = number(config, "hidden_size", "n_embd", "d_model", "n_embed", "model_dim")
    silent = ("head_dim" in config and text(config, "head_dim") is None) or model_type in HEAD_DIM_BY_DIVISION
    if silent and hidden and heads and hidden % heads == 0:
        return hidden // heads, False
    return None, False
