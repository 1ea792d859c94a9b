"""Gives each answer that is being generated its own cells, so that its text does not depend on its neighbours.

Why places matter is told in llama_cells.py. While answers grow side by side, llama.cpp hands out free cells from the
first on, whoever asks; so all cells of a region are held, and before each call exactly those are given free that its
rows are to take, in the order of the rows.
"""

import ctypes
from typing import Any

import llama_cpp

from runners.errors import EngineFailed
from runners.llama_cells import CellLayout, aligned
from runners.llama_decoder import Decoder, Entry


class Regions:
    """Regions of equal size behind a shared beginning. Region n belongs to sequence first_sequence + n."""

    def __init__(self, context: Any, decoder: Decoder, layout: CellLayout, first_sequence: int) -> None:
        self._context = context
        self._decoder = decoder
        self._layout = layout
        self._first = first_sequence
        self._count = 0
        self._shared = 0

    def lay_out(self, shared: int, size: int, count: int) -> None:
        """Take the cells of `count` regions of `size` cells, behind `shared` cells that are in use.

        The sequences from first_sequence + count on, as many again, hold what is not in use. One region is computed
        from tokens without meaning and copied for the others: positions tell its cells apart.
        """
        self._shared, self._count = shared, count
        self._layout.align(shared)
        size = aligned(size)
        first = self._held(0)
        self._decoder.share(0, first)
        tokens = [Entry(0, shared + number, (first,)) for number in range(size)]
        list(self._decoder.decode_rows(tokens))
        self._decoder.forget(first, 0, shared)
        if count == 1:
            return
        bytes_held = llama_cpp.llama_state_seq_get_size(self._context, first)
        state = (ctypes.c_uint8 * bytes_held)()
        llama_cpp.llama_state_seq_get_data(self._context, state, bytes_held, first)
        for region in range(1, count):
            if not llama_cpp.llama_state_seq_set_data(self._context, state, bytes_held, self._held(region)):
                raise EngineFailed(
                    f"llama.cpp has no free KV cache cells for {count} answers at once. Set a larger context_tokens."
                )

    def open(self, region: int, first: int, end: int) -> None:
        """Give the cells of positions first to end - 1 free, for the next call."""
        self._decoder.forget(self._held(region), first, end)

    def close(self, region: int) -> None:
        """Hold the cells of an answer that is finished."""
        sequence = self._first + region
        self._decoder.share(sequence, self._held(region), self._shared)
        self._decoder.forget(sequence)

    def _held(self, region: int) -> int:
        return self._first + self._count + region
