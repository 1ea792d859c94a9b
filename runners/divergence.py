"""Perplexity of GGUF files over a text, and how far each lies from a reference file (KL divergence).

The text is cut into chunks of `context_tokens`; each starts afresh, with the start-of-text token in place of its first
token where the model uses one, and only its second half is scored, so that every prediction has context. This is
llama.cpp's `llama-perplexity`, to which benchmarks/divergence.py holds it.

Every model runs in a process of its own (`python -m runners.divergence SPEC.json`), because the C library ends the
process on some errors. The reference goes first and leaves its log-probabilities on disk, so two models are never in
memory together and memory does not grow with the text (child_pass.py).
"""

import contextlib
import ctypes
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import psutil

from runners.child_pass import Progress, answer_parent, run_in_child, tell_progress
from runners.divergence_records import DivergencePass, PassResult
from runners.errors import EngineFailed
from runners.token_loss import (
    Compared,
    Packed,
    compare_tokens,
    divergence,
    log_probabilities,
    pack,
    text_loss,
    token_nats,
)

_PIECE_TOKENS = 512
"""Most tokens decoded in one call; their logits are held at once."""
_ROWS_AT_ONCE = 32
"""Rows of logits worked on together: 33 MB at a vocabulary of 262,144."""
_LOG_LEVEL_WARN = 3
_MIN_CHUNKS = 2


def measure_pass(wanted: DivergencePass, on_chunk: Progress = lambda _done, _total: None) -> PassResult:
    """Run one pass in a process of its own. Raises EngineFailed: what the model or the text lacks, or a crash."""
    wanted.base_folder.mkdir(parents=True, exist_ok=True)
    spec = wanted.base_folder / "spec.json"
    spec.write_text(wanted.model_dump_json(), encoding="utf-8")
    found = run_in_child("runners.divergence", spec, f"Measuring {wanted.model_path.name}", on_chunk)
    return PassResult.model_validate_json(found)


def usable_threads() -> int:
    """Physical cores that this process may use."""
    physical = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else physical
    return max(1, min(physical, allowed))


class _Model:
    """A model with a context for one chunk."""

    def __init__(self, wanted: DivergencePass) -> None:
        # Only this process may load the C library: it can end the process.
        import llama_cpp

        self._api: Any = llama_cpp
        self._wanted = wanted
        self._log = llama_cpp.llama_log_callback(_log)
        llama_cpp.llama_log_set(self._log, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
        path = wanted.model_path
        self._model: Any = llama_cpp.llama_model_load_from_file(
            str(path).encode(), llama_cpp.llama_model_default_params()
        )
        if not self._model:
            raise EngineFailed(
                f"llama.cpp could not load {path}. It may be damaged, need more memory than is free, or be of an "
                "architecture this version does not know."
            )
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)
        self.vocabulary = int(llama_cpp.llama_vocab_n_tokens(self._vocab))
        if llama_cpp.llama_model_has_encoder(self._model) or llama_cpp.llama_vocab_get_add_eos(self._vocab):
            raise EngineFailed(f"{path.name} does not predict the next token of a text: it has no perplexity.")
        self._piece = min(wanted.context_tokens, _PIECE_TOKENS)
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = wanted.context_tokens
        params.n_batch = params.n_ubatch = self._piece
        params.n_seq_max = 1
        params.n_threads = params.n_threads_batch = wanted.threads
        self._context: Any = llama_cpp.llama_init_from_model(self._model, params)
        if not self._context:
            raise EngineFailed(
                f"llama.cpp could not reserve a context of {wanted.context_tokens:,} tokens for {path.name}. "
                "Ask for a smaller --context."
            )
        self._batch = llama_cpp.llama_batch_init(self._piece, 0, 1)

    def tokenize(self, text: str) -> npt.NDArray[np.int32]:
        """Tokens of a text that is taken as text throughout: `<s>` in it is three characters."""
        data = text.encode()
        room = len(data) + 2
        tokens = (self._api.llama_token * room)()
        count = self._api.llama_tokenize(self._vocab, data, len(data), tokens, room, True, False)
        return np.array(tokens[:count], dtype=np.int32)

    def chunk_logits(self, chunk: npt.NDArray[np.int32]) -> Iterator[npt.NDArray[np.float32]]:
        """Logits after each token of the chunk's second half but the last, in blocks of shape (rows, vocabulary).

        A block is valid until the next one is asked for.
        """
        api = self._api
        tokens = chunk.tolist()
        if api.llama_vocab_get_add_bos(self._vocab):
            tokens[0] = api.llama_vocab_bos(self._vocab)
        api.llama_memory_clear(api.llama_get_memory(self._context), True)
        first, last = len(tokens) // 2, len(tokens) - 1
        for start in range(0, len(tokens), self._piece):
            piece = tokens[start : start + self._piece]
            wanted = [first <= start + index < last for index in range(len(piece))]
            self._decode(piece, start, wanted)
            rows = sum(wanted)
            if rows:
                pointer = api.llama_get_logits(self._context)
                logits = np.ctypeslib.as_array(pointer, shape=(rows, self.vocabulary))
                for row in range(0, rows, _ROWS_AT_ONCE):
                    yield logits[row : row + _ROWS_AT_ONCE]

    def _decode(self, piece: list[int], start: int, wanted: list[bool]) -> None:
        batch = self._batch
        batch.n_tokens = len(piece)
        for index, token in enumerate(piece):
            batch.token[index] = token
            batch.pos[index] = start + index
            batch.n_seq_id[index] = 1
            batch.seq_id[index][0] = 0
            batch.logits[index] = ctypes.c_int8(wanted[index])
        status = self._api.llama_decode(self._context, batch)
        if status != 0:
            raise EngineFailed(
                f"llama.cpp could not decode {len(piece)} tokens of {self._wanted.model_path}: {status}."
            )


def _log(level: int, text: bytes, _: object) -> None:
    if level >= _LOG_LEVEL_WARN:
        sys.stderr.write(text.decode("utf-8", "replace"))


def _run_pass(wanted: DivergencePass) -> PassResult:
    model = _Model(wanted)
    # llama-perplexity takes one line break off the end of a file, too.
    tokens = model.tokenize(wanted.text_path.read_text(encoding="utf-8").removesuffix("\n"))
    size = wanted.context_tokens
    chunks = len(tokens) // size
    if chunks < _MIN_CHUNKS:
        raise EngineFailed(
            f"{wanted.text_path.name} has {len(tokens):,} tokens for {wanted.model_path.name}; at least "
            f"{_MIN_CHUNKS * size:,} are needed at a context of {size:,}. Give a longer text or a smaller --context."
        )
    scored = size - 1 - size // 2
    numbers = wanted.base_folder / "tokens.npy"
    if wanted.is_reference:
        _check_disk(wanted, chunks * scored * (model.vocabulary * 2 + 8))
        np.save(numbers, tokens)
    elif not np.array_equal(np.load(numbers), tokens):
        raise EngineFailed(
            f"{wanted.model_path.name} cuts the text into other tokens than the reference: the two are not the same "
            "model. Compare quantizations of one model."
        )
    if wanted.is_reference:
        nats = np.concatenate(list(_write_base(wanted, model, tokens, chunks)))
        return PassResult(loss=text_loss(nats, len(tokens), chunks))
    parts = list(_read_base(wanted, model, tokens, chunks))
    compared = Compared(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    return PassResult(loss=text_loss(compared.nats, len(tokens), chunks), divergence=divergence(compared))


def _blocks(
    wanted: DivergencePass, model: _Model, tokens: npt.NDArray[np.int32], chunks: int
) -> Iterator[tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]]:
    """Log-probabilities in blocks, each with the tokens that follow; reports every chunk that is done."""
    size = wanted.context_tokens
    for number in range(chunks):
        chunk = tokens[number * size : (number + 1) * size]
        position = size // 2 + 1
        for logits in model.chunk_logits(chunk):
            yield log_probabilities(logits), chunk[position : position + len(logits)]
            position += len(logits)
        tell_progress(number + 1, chunks)


def _write_base(
    wanted: DivergencePass, model: _Model, tokens: npt.NDArray[np.int32], chunks: int
) -> Iterator[npt.NDArray[np.float64]]:
    with (wanted.base_folder / "logprobs.bin").open("wb") as file:
        for logprobs, following in _blocks(wanted, model, tokens, chunks):
            for part in pack(logprobs):
                part.tofile(file)
            yield token_nats(logprobs, following)


def _read_base(wanted: DivergencePass, model: _Model, tokens: npt.NDArray[np.int32], chunks: int) -> Iterator[Compared]:
    with (wanted.base_folder / "logprobs.bin").open("rb") as file:
        for logprobs, following in _blocks(wanted, model, tokens, chunks):
            yield compare_tokens(logprobs, _read_packed(file, *logprobs.shape), following)


def _read_packed(file: IO[bytes], rows: int, vocabulary: int) -> Packed:
    scale, floor = (np.fromfile(file, np.float32, rows) for _ in range(2))
    return Packed(scale, floor, np.fromfile(file, np.uint16, rows * vocabulary).reshape(rows, vocabulary))


def _check_disk(wanted: DivergencePass, needed: int) -> None:
    free = shutil.disk_usage(wanted.base_folder).free
    if free < needed:
        raise EngineFailed(
            f"The reference's probabilities need {needed:,} bytes in {wanted.base_folder}, where {free:,} are free. "
            "Free some space or give a shorter text."
        )


def _main(spec: str) -> int:
    wanted = DivergencePass.model_validate_json(Path(spec).read_text(encoding="utf-8"))
    return answer_parent(lambda: _run_pass(wanted))


if __name__ == "__main__":
    # Ctrl-C reaches the parent as well, which says so; here it only ends the work.
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(_main(sys.argv[1]))
