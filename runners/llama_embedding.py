"""Cosine of texts by an embedding GGUF, as a process of its own (text_pass.py has the other side).

One text at a time, so that a vector does not depend on what stands beside it. Tokens become one vector as the file's
metadata says (mean, cls or last); a file that says nothing, as chat models do, gets the mean. Vectors have length 1, so
that their product is the cosine, which is SemScore's definition (Aynetdinov & Akbik 2024, arXiv:2401.17072).
"""

import contextlib
import ctypes
import sys
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
import numpy.typing as npt

from runners.child_pass import tell_progress
from runners.errors import EngineFailed
from runners.text_pass import TextPass, TextPassResult, run_child

Vectors = npt.NDArray[np.float64]

_POOLINGS = {
    llama_cpp.LLAMA_POOLING_TYPE_MEAN: "mean",
    llama_cpp.LLAMA_POOLING_TYPE_CLS: "cls",
    llama_cpp.LLAMA_POOLING_TYPE_LAST: "last",
}
_FLASH_ATTENTION_OFF = 0
"""`enum llama_flash_attn_type` of llama.h."""
_LOG_LEVEL_WARN = 3
_PROGRESS_EVERY = 10


def _log(level: int, text: bytes, _: object) -> None:
    if level >= _LOG_LEVEL_WARN:
        sys.stderr.write(text.decode("utf-8", "replace"))


_LOG_CALLBACK = llama_cpp.llama_log_callback(_log)
"""Kept for as long as the C library may call it."""


def embed(wanted: TextPass) -> tuple[Vectors, str, tuple[str, ...]]:
    """Vectors of all texts, shape (texts, dimensions), each of length 1; the pooling; notes. Raises EngineFailed."""
    model = _EmbeddingModel(wanted)
    try:
        vectors = []
        for number, text in enumerate(wanted.texts, 1):
            vectors.append(model.vector(wanted.prefix + text))
            if number % _PROGRESS_EVERY == 0 or number == len(wanted.texts):
                tell_progress(number, len(wanted.texts))
        return np.array(vectors), model.pooling, model.notes()
    finally:
        model.close()


def compare(wanted: TextPass) -> TextPassResult:
    """Cosines of the pairs. Raises EngineFailed."""
    vectors, pooling, notes = embed(wanted)
    cosines = [float(np.clip(vectors[one] @ vectors[other], -1, 1)) for one, other in wanted.pairs]
    return TextPassResult(
        columns={"cosine": tuple(cosines)}, model=Path(wanted.model).name, pooling=pooling, notes=notes
    )


class _EmbeddingModel:
    """A model with a context for one text."""

    def __init__(self, wanted: TextPass) -> None:
        self._name = Path(wanted.model).name
        self._cut = 0
        self._texts = 0
        llama_cpp.llama_log_set(_LOG_CALLBACK, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
        self._model: Any = llama_cpp.llama_model_load_from_file(
            wanted.model.encode(), llama_cpp.llama_model_default_params()
        )
        if not self._model:
            raise EngineFailed(
                f"llama.cpp could not load {wanted.model}. It may be damaged, need more memory than is free, or be of "
                "an architecture this version does not know."
            )
        if llama_cpp.llama_model_has_encoder(self._model) and llama_cpp.llama_model_has_decoder(self._model):
            raise EngineFailed(f"{self._name} translates text into text; it is no embedding model. Name another one.")
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)
        self._most = min(wanted.context_tokens, llama_cpp.llama_model_n_ctx_train(self._model))
        self._context = self._make_context(wanted.threads, llama_cpp.LLAMA_POOLING_TYPE_UNSPECIFIED)
        pooling = llama_cpp.llama_pooling_type(self._context)
        self._says_nothing = pooling == llama_cpp.LLAMA_POOLING_TYPE_NONE
        if self._says_nothing:
            llama_cpp.llama_free(self._context)
            pooling = llama_cpp.LLAMA_POOLING_TYPE_MEAN
            self._context = self._make_context(wanted.threads, pooling)
        if pooling not in _POOLINGS:
            raise EngineFailed(f"{self._name} ranks pairs of texts; it is no embedding model. Name another one.")
        self.pooling = _POOLINGS[pooling]
        self._dimensions = int(llama_cpp.llama_model_n_embd_out(self._model))
        self._batch = llama_cpp.llama_batch_init(self._most, 0, 1)

    def vector(self, text: str) -> Vectors:
        """The vector of one text, shape (dimensions,), of length 1; zeros for a text without tokens."""
        tokens = self._tokenize(text)
        self._texts += 1
        if not tokens:
            return np.zeros(self._dimensions)
        batch = self._batch
        batch.n_tokens = len(tokens)
        for place, token in enumerate(tokens):
            batch.token[place] = token
            batch.pos[place] = place
            batch.n_seq_id[place] = 1
            batch.seq_id[place][0] = 0
            batch.logits[place] = ctypes.c_int8(1)
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self._context), True)
        status = llama_cpp.llama_decode(self._context, batch)
        if status != 0:
            raise EngineFailed(f"llama.cpp could not embed {len(tokens)} tokens with {self._name}: status {status}.")
        pointer = llama_cpp.llama_get_embeddings_seq(self._context, 0)
        found = np.ctypeslib.as_array(pointer, shape=(self._dimensions,)).astype(np.float64)
        length = float(np.linalg.norm(found))
        if not np.isfinite(length) or length == 0:
            raise EngineFailed(f"{self._name} gives no vector for a text of {len(tokens)} tokens. Name another model.")
        return np.asarray(found / length, dtype=np.float64)

    def notes(self) -> tuple[str, ...]:
        """What a person should know of the texts embedded so far."""
        found = []
        if self._says_nothing:
            found.append(
                f"{self._name} does not say how its tokens become one vector, as embedding models do; the mean was "
                "taken. It was not trained for this: cosines of a chat model lie close together and say little."
            )
        if self._cut:
            found.append(f"{self._cut} of {self._texts} texts were cut at {self._most} tokens.")
        return tuple(found)

    def close(self) -> None:
        """Free everything."""
        llama_cpp.llama_batch_free(self._batch)
        llama_cpp.llama_free(self._context)
        llama_cpp.llama_model_free(self._model)

    def _make_context(self, threads: int | None, pooling: int) -> Any:
        params = llama_cpp.llama_context_default_params()
        params.embeddings = True
        params.pooling_type = pooling
        # Models that look both ways need a whole text in one piece.
        params.n_ctx = params.n_batch = params.n_ubatch = self._most
        params.n_seq_max = 1
        # Flash attention rounds otherwise: vectors differ in the fourth digit.
        params.flash_attn_type = _FLASH_ATTENTION_OFF
        if threads is not None:
            params.n_threads = params.n_threads_batch = threads
        context = llama_cpp.llama_init_from_model(self._model, params)
        if not context:
            raise EngineFailed(f"llama.cpp could not reserve a context of {self._most:,} tokens for {self._name}.")
        return context

    def _tokenize(self, text: str) -> list[int]:
        """Tokens of a text that is taken as text throughout, with what the model puts at both ends."""
        data = text.encode("utf-8", "replace")
        room = len(data) + 8
        tokens = (llama_cpp.llama_token * room)()
        count = llama_cpp.llama_tokenize(self._vocab, data, len(data), tokens, room, True, False)
        if count < 0:
            raise EngineFailed(f"The tokenizer of {self._name} does not accept a text of {len(data):,} bytes.")
        found = list(tokens[:count])
        if len(found) > self._most:
            self._cut += 1
            ends = llama_cpp.llama_vocab_is_control(self._vocab, found[-1])
            found = [*found[: self._most - 1], found[-1]] if ends else found[: self._most]
        return found


if __name__ == "__main__":
    # Ctrl-C reaches the parent as well, which says so; here it only ends the work.
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(run_child(compare, sys.argv[1]))
