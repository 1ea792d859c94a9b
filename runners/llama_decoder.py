"""Hands tokens to llama_decode in pieces of bounded size, and the logits of the wanted ones back.

Knows nothing of prompts, choices or sampling.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import llama_cpp
import numpy as np
import numpy.typing as npt

from runners.errors import EngineFailed


def log_total(logits: npt.NDArray[np.float32]) -> float:
    """Logarithm of the summed exponentials: what a logit is held against to be a natural-log probability."""
    highest = logits.max()
    return float(highest) + float(np.log(np.exp(logits - highest).sum(dtype=np.float64)))


class Entry(NamedTuple):
    """One token to decode."""

    token: int
    position: int
    sequences: tuple[int, ...]
    """All sequences that it belongs to."""
    wants_logits: bool = False


class Decoder:
    """Owns one llama_batch. Not thread-safe, like the context below it."""

    def __init__(self, context: Any, batch_tokens: int, max_sequences: int, vocabulary_size: int) -> None:
        self._context = context
        self._memory = llama_cpp.llama_get_memory(context)
        self._batch_tokens = batch_tokens
        self._max_outputs = max_sequences
        self._vocabulary_size = vocabulary_size
        self._batch = llama_cpp.llama_batch_init(batch_tokens, 0, max_sequences)

    def decode_rows(self, entries: Sequence[Entry]) -> Iterator[tuple[int, int]]:
        """Decode in order; yields (index in entries, row of the logits in the context) for the wanted ones.

        A row is valid until the generator is advanced past its piece. Raises EngineFailed.
        """
        start = 0
        while start < len(entries):
            piece = self._next_piece(entries, start)
            self._fill(piece)
            status = llama_cpp.llama_decode(self._context, self._batch)
            if status != 0:
                reason = "no free KV cache cells" if status == 1 else f"status {status}"
                message = (
                    f"llama.cpp could not decode {len(piece)} tokens: {reason}. "
                    "Set a larger context_tokens or a smaller batch_tokens."
                )
                raise EngineFailed(message)
            for row, entry in enumerate(piece):
                if entry.wants_logits:
                    yield start + row, row
            start += len(piece)

    def logits(self, row: int) -> npt.NDArray[np.float32]:
        """Logits of a row that decode_rows named, shape (vocabulary_size,); a view that the next call overwrites."""
        pointer = llama_cpp.llama_get_logits_ith(self._context, row)
        return np.ctypeslib.as_array(pointer, shape=(self._vocabulary_size,))

    def share(self, source: int, target: int, first: int = -1, end: int = -1) -> None:
        """Let a sequence hold what another holds at positions first to end - 1, without copying; -1 is no bound."""
        llama_cpp.llama_memory_seq_cp(self._memory, source, target, first, end)

    def forget(self, sequence: int, first: int = -1, end: int = -1) -> None:
        """Free a sequence's cells at positions first to end - 1; -1 is no bound."""
        llama_cpp.llama_memory_seq_rm(self._memory, sequence, first, end)

    def clear(self) -> None:
        """Free all cells."""
        llama_cpp.llama_memory_clear(self._memory, True)

    def close(self) -> None:
        """Free the batch."""
        llama_cpp.llama_batch_free(self._batch)

    def _next_piece(self, entries: Sequence[Entry], start: int) -> Sequence[Entry]:
        outputs = 0
        end = start
        while end < len(entries) and end - start < self._batch_tokens:
            outputs += entries[end].wants_logits
            if outputs > self._max_outputs:
                break
            end += 1
        return entries[start:end]

    def _fill(self, piece: Sequence[Entry]) -> None:
        batch = self._batch
        batch.n_tokens = len(piece)
        for index, (token, position, sequences, wants_logits) in enumerate(piece):
            batch.token[index] = token
            batch.pos[index] = position
            batch.n_seq_id[index] = len(sequences)
            place = batch.seq_id[index]
            for number, sequence in enumerate(sequences):
                place[number] = sequence
            batch.logits[index] = wants_logits
