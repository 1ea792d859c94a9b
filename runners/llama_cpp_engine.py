"""llama.cpp through llama-cpp-python's low-level API: one context, many sequences, shared prompt prefix.

Uses the C functions directly because the high-level class holds one sequence and recomputes shared prompts.
All sequences share one pool of KV cache cells (`context_tokens`); a request is admitted only when its prompt and its
longest answer fit into what is free, so nothing is ever truncated silently.
"""

import ctypes
import hashlib
import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import llama_cpp
import psutil

from catalog.records import Candidate
from runners.chat_template import Rendered, render_conversation
from runners.engine_options import EngineOptions, LlamaCppOptions
from runners.errors import EngineFailed
from runners.llama_cells import OWN_SEQUENCES, CellLayout
from runners.llama_decoder import Decoder, Entry
from runners.llama_scoring import Item, Room, Scoring
from runners.records import ChoiceScore, ChoiceScores, Chunk, Loaded, Request
from runners.stop_strings import StopStrings
from runners.utf8_pieces import Utf8Pieces

MAX_SEQUENCES = 64
"""Sequences held at once: one for the shared prefix, the others for requests and their choices."""
RECURRENT_SEQUENCES = 8
"""The same for networks with recurrent layers, whose state is reserved for each: 150 MiB in Qwen3.6 27B."""

_CPU_GROUP_TOKENS = 160
"""Tokens scored in one call without a GPU: each row attends to the cells of all prompts in the call, also to those it
does not see, so that larger calls are slower (12.4 against 14.9 s for 100 examples, benchmarks/scoring.py)."""
_LOG_LEVEL_WARN = 3
_FLASH_ATTENTION_AUTO, _FLASH_ATTENTION_OFF = -1, 0
"""`enum llama_flash_attn_type` of llama.h."""


def _log(level: int, text: bytes, _: object) -> None:
    # Warnings and errors of the C library go to the worker's log, whose tail a Failure quotes.
    if level >= _LOG_LEVEL_WARN:
        sys.stderr.write(text.decode("utf-8", "replace"))


_LOG_CALLBACK = llama_cpp.llama_log_callback(_log)
"""Kept for as long as the C library may call it."""


class _Slot:
    """One request while it is decoded."""

    def __init__(self, request: Request, tokens: list[int], sequence: int, sampler: Any) -> None:
        self.request = request
        self.prompt = tokens
        self.sequence = sequence
        self.sampler = sampler
        self.decoded = 0
        self.next_token: int | None = None
        self.output_tokens = 0
        self.pieces = Utf8Pieces()
        self.stops = StopStrings(request.stop)

    @property
    def reserved_cells(self) -> int:
        return len(self.prompt) + self.request.max_output_tokens


class LlamaCppEngine:
    """Runs a GGUF file."""

    can_score_choices = True
    concurrency = 1

    def __init__(self, candidate: Candidate, options: EngineOptions) -> None:
        if not isinstance(options, LlamaCppOptions):
            raise EngineFailed(f"The llama.cpp engine got options for {options.engine!r}.")
        self._path = Path(candidate.weights_path)
        self._options = options
        self._model: Any = None
        self._context: Any = None
        self._vocab: Any = None
        self._template: str | None = None
        self._decoder: Decoder | None = None
        self._scoring: Scoring | None = None
        self._recurrent = False
        self._sequences = MAX_SEQUENCES
        self._choices: dict[tuple[str, tuple[str, ...]], list[list[int]]] = {}
        """Tokens of the answers that were encoded last: all examples of a test set have the same."""

    def load(self) -> Loaded:
        """Map the weights and reserve the KV cache. Raises EngineFailed with what to do."""
        llama_cpp.llama_log_set(_LOG_CALLBACK, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
        self._model = llama_cpp.llama_model_load_from_file(str(self._path).encode(), self._model_params())
        if not self._model:
            message = (
                f"llama.cpp could not load {self._path}. "
                "It may be damaged, need more memory than is free, or be of an architecture this version does not know."
            )
            raise EngineFailed(message)
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)
        if llama_cpp.llama_model_is_recurrent(self._model) or llama_cpp.llama_model_is_hybrid(self._model):
            self._recurrent = True
            self._sequences = RECURRENT_SEQUENCES
        params = self._context_params()
        self._context = llama_cpp.llama_init_from_model(self._model, params)
        if not self._context:
            message = (
                f"llama.cpp loaded {self._path.name} but could not reserve a context of "
                f"{self._options.context_tokens:,} tokens. Set a smaller context_tokens."
            )
            raise EngineFailed(message)
        self._decoder = Decoder(
            self._context,
            self._options.batch_tokens,
            self._sequences,
            llama_cpp.llama_vocab_n_tokens(self._vocab),
        )
        self._scoring = self._make_scoring(self._decoder)
        self._template = self._metadata("tokenizer.chat_template")
        return self._describe(params.n_threads)

    def prompt_text(self, request: Request) -> str:
        """The prompt exactly as the model receives it."""
        return self._render(request).text

    def count_tokens(self, request: Request) -> int:
        """Tokens of that prompt."""
        return len(self._encode(request))

    def stream(self, requests: Iterable[Request], *, max_concurrency: int = 1) -> Iterator[Chunk]:
        """Generate answers with continuous batching; every prompt is computed in full."""
        decoder = self._ready()
        decoder.clear()
        pending = iter(requests)
        free = deque(range(min(max_concurrency, self._sequences)))
        slots: list[_Slot] = []
        waiting: tuple[Request, list[int]] | None = None
        try:
            while True:
                while free:
                    if waiting is None:
                        request = next(pending, None)
                        if request is None:
                            break
                        waiting = (request, self._encode(request))
                    request, tokens = waiting
                    needed = len(tokens) + request.max_output_tokens
                    if needed > self._options.context_tokens:
                        waiting = None
                        yield Chunk(
                            request_id=request.id,
                            text="",
                            tokens=0,
                            finish_reason="overflow",
                            prompt_tokens=len(tokens),
                            cached_tokens=0,
                        )
                        continue
                    if sum(slot.reserved_cells for slot in slots) + needed > self._options.context_tokens:
                        break
                    slots.append(_Slot(request, tokens, free.popleft(), self._sampler(request)))
                    waiting = None
                if not slots:
                    return
                for slot, chunk in self._step(decoder, slots):
                    if chunk.finish_reason is not None:
                        slots.remove(slot)
                        decoder.forget(slot.sequence)
                        llama_cpp.llama_sampler_free(slot.sampler)
                        free.append(slot.sequence)
                    yield chunk
        finally:
            for slot in slots:
                llama_cpp.llama_sampler_free(slot.sampler)
            decoder.clear()

    def score_choices(self, requests: Sequence[Request]) -> Iterator[ChoiceScores]:
        """Score the choices of each request; the tokens that all prompts begin with are decoded once."""
        self._ready()
        if not requests or self._scoring is None:
            return
        rendered = [self._render(request) for request in requests]
        items = [
            Item(self._encode_text(text.text), self._encode_choices(text.separator, request.choices))
            for request, text in zip(requests, rendered, strict=True)
        ]
        scored = self._scoring.score(items)
        for request, (item, shared) in zip(requests, scored, strict=True):
            if shared is None:
                yield ChoiceScores(request_id=request.id, scores=(), prompt_tokens=len(item.prompt), cached_tokens=0)
                continue
            found = zip(request.choices, item.logprobs, item.choices, strict=True)
            yield ChoiceScores(
                request_id=request.id,
                scores=tuple(
                    ChoiceScore(choice=choice, logprob=logprob, tokens=len(tokens)) for choice, logprob, tokens in found
                ),
                prompt_tokens=len(item.prompt),
                cached_tokens=shared,
            )

    def close(self) -> None:
        """Free the context and the model; may be called twice."""
        if self._decoder is not None:
            self._decoder.close()
            self._decoder = None
        if self._context:
            llama_cpp.llama_free(self._context)
            self._context = None
        if self._model:
            llama_cpp.llama_model_free(self._model)
            self._model = None

    def _step(self, decoder: Decoder, slots: list[_Slot]) -> Iterator[tuple[_Slot, Chunk]]:
        """One call of the C library: next token of every answer, then as much of new prompts as fits."""
        entries: list[Entry] = []
        owners: dict[int, _Slot] = {}
        for slot in slots:
            if slot.next_token is not None:
                position = len(slot.prompt) + slot.output_tokens - 1
                owners[len(entries)] = slot
                entries.append(Entry(slot.next_token, position, (slot.sequence,), wants_logits=True))
        for slot in slots:
            room = self._options.batch_tokens - len(entries)
            if slot.next_token is not None or room <= 0:
                continue
            end = min(len(slot.prompt), slot.decoded + room)
            for position in range(slot.decoded, end):
                last = position == len(slot.prompt) - 1
                if last:
                    owners[len(entries)] = slot
                entries.append(Entry(slot.prompt[position], position, (slot.sequence,), wants_logits=last))
            slot.decoded = end
        for index, row in decoder.decode_rows(entries):
            slot = owners[index]
            yield slot, self._advance(slot, row)

    def _advance(self, slot: _Slot, row: int) -> Chunk:
        token = llama_cpp.llama_sampler_sample(slot.sampler, self._context, row)
        ended = llama_cpp.llama_vocab_is_eog(self._vocab, token)
        text = "" if ended else slot.stops.add(slot.pieces.add(self._piece(token)))
        if not ended:
            slot.output_tokens += 1
            slot.next_token = token
        stopped = ended or slot.stops.reached
        finished = stopped or slot.output_tokens >= slot.request.max_output_tokens
        if finished and not slot.stops.reached:
            text += slot.stops.add(slot.pieces.flush()) + slot.stops.flush()
        return Chunk(
            request_id=slot.request.id,
            text=text,
            tokens=0 if ended else 1,
            finish_reason=("stop" if stopped else "length") if finished else None,
            prompt_tokens=len(slot.prompt) if finished else None,
            cached_tokens=0 if finished else None,
        )

    def _make_scoring(self, decoder: Decoder) -> Scoring:
        """Recurrent layers cannot share a token between sequences, and have no cells to place."""
        own = 0 if self._recurrent else OWN_SEQUENCES
        most = self._options.batch_tokens if llama_cpp.llama_supports_gpu_offload() else _CPU_GROUP_TOKENS
        room = Room(
            sequences=self._sequences - 1 - own,
            batch_tokens=min(self._options.batch_tokens, most),
            cells=self._options.context_tokens,
        )
        layout = None if self._recurrent else CellLayout(self._context, decoder, self._sequences - own)
        return Scoring(decoder, room, layout)

    def _ready(self) -> Decoder:
        if self._decoder is None:
            raise EngineFailed("The llama.cpp engine was used before load() or after close().")
        return self._decoder

    def _model_params(self) -> Any:
        params = llama_cpp.llama_model_default_params()
        params.use_mmap = self._options.memory_map
        layers = self._options.gpu_layers
        params.n_gpu_layers = layers if isinstance(layers, int) else 9999
        return params

    def _context_params(self) -> Any:
        threads = self._options.threads or _usable_cores()
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = self._options.context_tokens
        params.n_batch = self._options.batch_tokens
        params.n_ubatch = min(512, self._options.batch_tokens)
        params.n_seq_max = self._sequences
        # Without this bound the output buffer is sized for logits of every token: 512 MiB at a vocabulary of 262,144.
        params.n_outputs_max = self._sequences
        params.kv_unified = True
        # Layers with a sliding window keep the window and not the whole context.
        params.swa_full = False
        # On CPUs flash attention halves the decode rate (measured with benchmarks/overhead.py); on GPUs it is left to
        # llama.cpp, which knows where its kernels help.
        params.flash_attn_type = (
            _FLASH_ATTENTION_AUTO if llama_cpp.llama_supports_gpu_offload() else _FLASH_ATTENTION_OFF
        )
        params.n_threads = threads
        params.n_threads_batch = threads
        return params

    def _describe(self, threads: int) -> Loaded:
        text = ctypes.create_string_buffer(256)
        llama_cpp.llama_model_desc(self._model, text, 256)
        return Loaded(
            engine="llama-cpp",
            engine_version=version("llama-cpp-python"),
            build=llama_cpp.llama_print_system_info().decode("utf-8", "replace").strip(),
            model_description=text.value.decode("utf-8", "replace"),
            parameters=llama_cpp.llama_model_n_params(self._model),
            context_tokens=llama_cpp.llama_n_ctx(self._context),
            trained_context_tokens=llama_cpp.llama_model_n_ctx_train(self._model),
            threads=threads,
            chat_template_sha256=(
                hashlib.sha256(self._template.encode()).hexdigest() if self._template is not None else None
            ),
            weights_bytes=llama_cpp.llama_model_size(self._model),
        )

    def _metadata(self, key: str) -> str | None:
        size = llama_cpp.llama_model_meta_val_str(self._model, key.encode(), None, 0)
        if size < 0:
            return None
        buffer = ctypes.create_string_buffer(size + 1)
        llama_cpp.llama_model_meta_val_str(self._model, key.encode(), buffer, size + 1)
        return buffer.value.decode("utf-8", "replace")

    def _render(self, request: Request) -> Rendered:
        rendered = render_conversation(
            request.messages,
            self._template,
            bos_token=self._token_text("bos"),
            eos_token=self._token_text("eos"),
        )
        if not request.answer_prefix:
            return rendered
        text = rendered.text + rendered.separator + request.answer_prefix
        return rendered.model_copy(update={"text": text, "separator": ""})

    def _encode(self, request: Request) -> list[int]:
        return self._encode_text(self._render(request).text)

    def _encode_choices(self, separator: str, choices: tuple[str, ...]) -> list[list[int]]:
        if (separator, choices) not in self._choices:
            self._choices = {
                (separator, choices): [self._tokenize(separator + choice, special=False) for choice in choices]
            }
        return self._choices[separator, choices]

    def _encode_text(self, text: str) -> list[int]:
        tokens = self._tokenize(text, special=True)
        bos = llama_cpp.llama_vocab_bos(self._vocab)
        # Many chat templates write the beginning-of-sequence token that the tokenizer adds as well.
        return tokens[1:] if tokens[:2] == [bos, bos] else tokens

    def _tokenize(self, text: str, *, special: bool) -> list[int]:
        data = text.encode("utf-8", "replace")
        size = len(data) + 8
        buffer = (llama_cpp.llama_token * size)()
        count = llama_cpp.llama_tokenize(self._vocab, data, len(data), buffer, size, special, special)
        if count < 0:
            raise EngineFailed(f"The model's tokenizer does not accept a text of {len(data):,} bytes.")
        return list(buffer[:count])

    def _token_text(self, name: str) -> str:
        token = getattr(llama_cpp, f"llama_vocab_{name}")(self._vocab)
        if token < 0:
            return ""
        text: bytes = llama_cpp.llama_vocab_get_text(self._vocab, token)
        return text.decode("utf-8", "replace")

    def _piece(self, token: int) -> bytes:
        buffer = ctypes.create_string_buffer(64)
        size = llama_cpp.llama_token_to_piece(self._vocab, token, buffer, 64, 0, False)
        if size < 0:
            buffer = ctypes.create_string_buffer(-size)
            size = llama_cpp.llama_token_to_piece(self._vocab, token, buffer, -size, 0, False)
        return buffer.raw[:size]

    def _sampler(self, request: Request) -> Any:
        chain = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
        if request.temperature == 0:
            llama_cpp.llama_sampler_chain_add(chain, llama_cpp.llama_sampler_init_greedy())
        else:
            llama_cpp.llama_sampler_chain_add(chain, llama_cpp.llama_sampler_init_temp(request.temperature))
            llama_cpp.llama_sampler_chain_add(chain, llama_cpp.llama_sampler_init_dist(request.seed & 0xFFFFFFFF))
        return chain


def _usable_cores() -> int:
    physical = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else physical
    return max(1, min(physical, allowed))
