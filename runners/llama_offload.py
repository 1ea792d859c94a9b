"""How many layers of a model go to the GPU where the user leaves it open: as many as its free memory holds.

An estimate on the careful side: weights and KV cache are spread evenly over the layers, and the compute buffers get a
fixed share. What llama.cpp then really takes is seen by the memory sampler. Asks no driver itself.
"""

from typing import NamedTuple

ALL_LAYERS = 9999
"""More than any model has."""

_RESERVED_BYTES = 768 * 2**20
"""For compute buffers and the driver's own context, per device."""
_USABLE_SHARE = 0.95
"""Of what is free: others draw on the same memory, the screen for one."""


class ModelShape(NamedTuple):
    """What the estimate needs of a model."""

    layers: int
    weights_bytes: int
    cache_bytes: int
    """KV cache at the context asked for."""


def layers_that_fit(shape: ModelShape, free_bytes: tuple[int, ...]) -> int:
    """Layers for devices with so much free memory each; ALL_LAYERS where all fit or no device tells its memory."""
    if not free_bytes:
        return ALL_LAYERS
    # The output layer counts as one more.
    parts = shape.layers + 1
    part_bytes = (shape.weights_bytes + shape.cache_bytes) / parts
    usable = (free * _USABLE_SHARE - _RESERVED_BYTES for free in free_bytes)
    fitting = sum(int(max(0.0, room) // part_bytes) for room in usable)
    return ALL_LAYERS if fitting >= parts else fitting
