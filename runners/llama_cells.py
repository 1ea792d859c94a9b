"""Places prompts in the KV cache so that what a prompt gives does not depend on its neighbours in a batch.

llama.cpp adds attention up in vectors of cells. Where a prompt's cells begin decides which cells share a vector, so the
same prompt behind another neighbour is rounded differently; quantized activations turn the last bit of that into
tenths in a log-probability (measured: up to 0.4 with SmolLM2 135M Q4_1, which changed 9 of 60 answers). Every prompt
therefore begins at a multiple of ALIGNMENT cells. llama.cpp fills free cells from the first on, so the cells between
two prompts are taken beforehand: by copies of a state, which cost a copy and no computation. The number of rows of a
call matters as well, because some kernels treat the last ones, or a single one, apart: it is made a multiple of ROWS.
"""

import ctypes
from collections.abc import Sequence
from typing import Any

import llama_cpp

from runners.errors import EngineFailed
from runners.llama_decoder import Decoder, Entry

ALIGNMENT = 32
"""Cells: two of the widest vectors (16 values); scores were equal to the last bit with it on a CPU with AVX-512."""
ROWS = 8
"""Kernels take rows in groups: with 4, answers of Gemma 3 270M Q4_K_M differed between calls of 4 rows and of 8; with
8, log-probabilities were equal to the last bit from 1 to 16 answers at once for Q4_1, Q4_K_M, Q8_0 and F16."""
OWN_SEQUENCES = 3
"""Sequences that a layout needs for itself."""


def aligned(cells: int) -> int:
    """The next multiple of ALIGNMENT."""
    return -(-cells // ALIGNMENT) * ALIGNMENT


class CellLayout:
    """Takes the cells that must stay empty, in a context whose sequences share one pool of cells."""

    def __init__(self, context: Any, decoder: Decoder, first_own_sequence: int) -> None:
        """OWN_SEQUENCES sequences from `first_own_sequence` on belong to the layout."""
        self._context = context
        self._decoder = decoder
        self._scratch = first_own_sequence
        self._held = first_own_sequence + 1
        self._taken = first_own_sequence + 2
        self._state: Any = None

    def prepare(self) -> None:
        """Keep the state of ALIGNMENT tokens, whatever they are, for filling cells. Empties the cache."""
        if self._state is not None:
            return
        self._decoder.clear()
        list(self._decoder.decode_rows([Entry(0, position, (0,)) for position in range(ALIGNMENT)]))
        size = llama_cpp.llama_state_seq_get_size(self._context, 0)
        self._state = (ctypes.c_uint8 * size)()
        llama_cpp.llama_state_seq_get_data(self._context, self._state, size, 0)
        self._decoder.clear()

    def place(self, shared: int, lengths: Sequence[int]) -> None:
        """Leave exactly the cells of prompts of these lengths free, each from a multiple of ALIGNMENT on.

        `shared` cells at the beginning are in use. Raises EngineFailed where the cells do not suffice.
        """
        decoder = self._decoder
        if shared % ALIGNMENT:
            self._fill()
            decoder.share(self._scratch, self._taken, 0, aligned(shared) - shared)
        for length in lengths[:-1]:
            for _ in range(length // ALIGNMENT):
                self._fill()
                decoder.share(self._scratch, self._held)
            if length % ALIGNMENT:
                self._fill()
                decoder.share(self._scratch, self._held, 0, length % ALIGNMENT)
                decoder.share(self._scratch, self._taken, length % ALIGNMENT, ALIGNMENT)
        decoder.forget(self._scratch)
        decoder.forget(self._held)

    def align(self, shared: int) -> None:
        """Take the cells between a shared beginning and the next multiple of ALIGNMENT."""
        self.place(shared, (0,))

    def fill_rows(self, entries: list[Entry]) -> None:
        """Make the rows of a call, and those with logits, multiples of ROWS; the added ones end in no prompt.

        The last layer is computed for rows with logits only, so that their number matters like that of all rows.
        """
        entries += [Entry(0, position, (self._scratch,)) for position in range(-len(entries) % ROWS)]
        missing = -sum(entry.wants_logits for entry in entries) % ROWS
        silent = [number for number, entry in enumerate(entries) if not entry.wants_logits]
        for number in silent[len(silent) - missing :]:
            entries[number] = entries[number]._replace(wants_logits=True)

    def forget_rows(self) -> None:
        """Give the cells of those rows back."""
        self._decoder.forget(self._scratch)

    def release(self) -> None:
        """Give back everything that is taken."""
        for sequence in (self._scratch, self._held, self._taken):
            self._decoder.forget(sequence)

    def _fill(self) -> None:
        # The sequence is emptied first; what was shared with another stays where it is.
        if not llama_cpp.llama_state_seq_set_data(self._context, self._state, len(self._state), self._scratch):
            raise EngineFailed("llama.cpp has no free KV cache cells to place prompts in. Set a larger context_tokens.")
