"""One layer's cache, and how the layers of a network are summed up as LayerGroups. Used by config and GGUF readers.

Counts and dimensions only: bytes are the business of the memory prediction.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from catalog.records import LayerGroup, LayerKind


class Layer(NamedTuple):
    """What one layer keeps; the fields are LayerGroup's."""

    kind: LayerKind
    kv_heads: int | None = None
    key_dim: int | None = None
    value_dim: int | None = None
    indexer_dim: int | None = None
    window_tokens: int | None = None
    state_elements: int | None = None


NOTHING = Layer("none")


def group_layers(layers: Sequence[Layer]) -> tuple[LayerGroup, ...]:
    """Equal layers counted, in the order in which each kind first comes.

    Empty where all layers are equal and attend to everything without an index: then the figures of the architecture
    itself (kv_heads, head_dim, or kv_lora_rank) say it all, as Architecture.layer_groups documents.
    """
    counts = Counter(layers)
    if len(counts) == 1:
        only = layers[0]
        plain = only.kind in {"full", "latent"} and only.indexer_dim is None and only.state_elements is None
        if plain and only.kv_heads is not None and only.key_dim is not None:
            return ()
    return tuple(LayerGroup(**layer._asdict(), layers=count) for layer, count in counts.items())


def effective_window(layers: Sequence[Layer]) -> int | None:
    """The widest window where every layer that attends has one; None where any attends to everything."""
    attending = [layer for layer in layers if layer.kind not in {"recurrent", "none"}]
    windows = [layer.window_tokens for layer in attending]
    if not windows or any(window is None for window in windows):
        return None
    return max(window for window in windows if window is not None)


def compressed_layers(
    ratios: Sequence[int], kv_heads: int | None, key_dim: int | None, index_dim: int | None, window: int | None
) -> tuple[Layer, ...]:
    """DeepSeek V4: a short window in every layer, and beside it one entry for every 4 or 128 tokens (0: none).

    Keys are the values, so nothing more is kept. Compressed entries are spread over the tokens they stand for: 512
    numbers for 4 tokens are 128 per token, which keeps the arithmetic exact. So a layer counts in two groups.
    """
    layers: list[Layer] = []
    for ratio in ratios:
        layers.append(Layer("sliding", kv_heads, key_dim, 0, window_tokens=window))
        if ratio and key_dim:
            # Only the finer compression chooses entries by an index of its own.
            index = index_dim // ratio if index_dim and ratio <= 4 else None
            layers.append(Layer("latent", 1, max(1, key_dim // ratio), 0, index))
    return tuple(layers)


def conv_state(channels: int | None, kernel: int | None) -> int | None:
    """Inputs that a causal convolution remembers: its kernel less one (llama-hparams.cpp, n_embd_r)."""
    return channels * (kernel - 1) if channels and kernel else None


def total(*parts: int | None) -> int | None:
    """Sum that is unknown where any part is."""
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None
