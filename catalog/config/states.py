"""Numbers that one layer without attention keeps for one sequence: its convolution's inputs and its state.

As llama.cpp keeps them (llama-hparams.cpp: n_embd_r, n_embd_s); in which type is the engine's choice. None where the
config lacks a figure.
"""

from collections.abc import Mapping
from typing import Any

from catalog.config.values import number, part
from catalog.layer_shapes import conv_state, total


def state_elements(config: Mapping[str, Any]) -> int | None:
    """State of one recurrent layer of a text config."""
    for reader in (_short_convolution, _gated_delta_net, _kimi_delta, _gated_recurrence, _rwkv, _lightning, _mamba):
        state = reader(config)
        if state is not None:
            return state
    return None


def _short_convolution(config: Mapping[str, Any]) -> int | None:
    """LFM2."""
    return conv_state(number(config, "hidden_size"), number(config, "conv_L_cache"))


def _gated_recurrence(config: Mapping[str, Any]) -> int | None:
    """RecurrentGemma: one number per channel, and a convolution."""
    width = number(config, "lru_width")
    return total(width, conv_state(width, number(config, "conv1d_width")))


def _rwkv(config: Mapping[str, Any]) -> int | None:
    if not str(config.get("model_type")).startswith("rwkv"):
        return None
    hidden, head = number(config, "hidden_size"), number(config, "head_size", "head_dim", "attention_head_size")
    return hidden * (2 + head) if hidden and head else None


def _lightning(config: Mapping[str, Any]) -> int | None:
    """MiniMax-Text-01: a square state per head."""
    if not str(config.get("model_type")).startswith("minimax"):
        return None
    heads, width = number(config, "num_attention_heads"), number(config, "head_dim")
    return heads * width * width if heads and width else None


def _gated_delta_net(config: Mapping[str, Any]) -> int | None:
    """Qwen3-Next, Qwen3.5: heads × key width × value width, and a convolution over queries, keys and values."""
    key_heads, key_dim = number(config, "linear_num_key_heads"), number(config, "linear_key_head_dim")
    value_heads, value_dim = number(config, "linear_num_value_heads"), number(config, "linear_value_head_dim")
    if key_heads is None or key_dim is None or value_heads is None or value_dim is None:
        return None
    channels = 2 * key_heads * key_dim + value_heads * value_dim
    return total(conv_state(channels, number(config, "linear_conv_kernel_dim")), value_heads * key_dim * value_dim)


def _kimi_delta(config: Mapping[str, Any]) -> int | None:
    """Kimi delta attention: a square state per head, and three convolutions."""
    linear = part(config, "linear_attn_config")
    heads, width = number(linear, "num_heads"), number(linear, "head_dim")
    if heads is None or width is None:
        return None
    return total(conv_state(3 * heads * width, number(linear, "short_conv_kernel_size")), heads * width * width)


def _mamba(config: Mapping[str, Any]) -> int | None:
    """Mamba 1 (no heads) and Mamba 2."""
    state = number(config, "ssm_state_size", "mamba_d_state", "mamba_state_dim", "state_size")
    kernel = number(config, "conv_kernel", "mamba_d_conv")
    own = ("num_heads",) if config.get("model_type") == "mamba2" else ()
    heads = number(config, "mamba_num_heads", "mamba_n_heads", "n_mamba_heads", *own)
    if state is None or kernel is None:
        return None
    if heads is None:
        inner = number(config, "intermediate_size") if "mamba_expand" not in config else None
        inner = inner or (number(config, "mamba_expand") or 0) * (number(config, "hidden_size") or 0)
        return total(conv_state(inner, kernel), inner * state) if inner else None
    width = number(config, "mamba_head_dim", "mamba_d_head", "mamba_headdim", *(("head_dim",) if own else ()))
    inner = heads * width if width else number(config, "mamba_d_ssm")
    groups = number(config, "n_groups", "mamba_n_groups", "mamba_ngroups", "mamba_num_groups")
    if inner is None or groups is None:
        return None
    return total(conv_state(inner + 2 * groups * state, kernel), inner * state)
