"""llama.cpp through llama-cpp-python's low-level API: one context, many sequences, shared prompt prefix.

Uses the C functions directly because the high-level class holds one sequence and recomputes shared prompts.
All sequences share one pool of KV cache cells (`context_tokens`); a request is admitted only when its prompt and its
longest answer fit into what is free, so nothing is ever truncated silently.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import llama_cpp

from catalog.records import Candidate
from runners.engine_options import EngineOptions, LlamaCppOptions
from runners.errors import EngineFailed
from runners.llama_cells import OWN_SEQUENCES, CellLayout
from runners.llama_generation import Bounds, Generation
from runners.llama_model import LlamaModel
from runners.llama_scoring import Item, Room, Scoring, common_prefix
from runners.llama_threads import Threads
from runners.records import ChoiceScore, ChoiceScores, Chunk, Loaded, NotYet, Request, Tuned

_CPU_GROUP_TOKENS = 160
"""Tokens scored in one call without a GPU: each row attends to the cells of all prompts in the call, also to those it
does not see, so that larger calls are slower (12.4 against 14.9 s for 100 examples, benchmarks/scoring.py)."""


class LlamaCppEngine:
    """Runs a GGUF file."""

    can_score_choices = True

    def __init__(self, candidate: Candidate, options: EngineOptions) -> None:
        if not isinstance(options, LlamaCppOptions):
            raise EngineFailed(f"The llama.cpp engine got options for {options.engine!r}.")
        self._path = Path(candidate.weights_path)
        self._options = options
        self._model: LlamaModel | None = None
        self._layout: CellLayout | None = None
        self._threads: Threads | None = None
        self._beginning: tuple[Sequence[Request], list[int]] | None = None

    @property
    def concurrency(self) -> int:
        """Answers generated at once where nobody measures latency; fewer where the cells do not suffice."""
        return self._options.concurrency

    def load(self) -> Loaded:
        """Map the weights and reserve the KV cache. Raises EngineFailed with what to do."""
        model = LlamaModel(self._path, self._options)
        self._model = model
        # Recurrent layers have no cells to place.
        own = model.sequences - OWN_SEQUENCES
        self._layout = None if model.recurrent else CellLayout(model.context, model.decoder, own)
        return model.describe()

    def tune(self) -> Tuned:
        """Measure how many threads are fastest, unless the options say how many."""
        # A model that is loaded again is the same model.
        self._threads = self._ready().tune(self._threads)
        return Tuned(threads=self._threads.decode, batch_threads=self._threads.batch)

    def prompt_text(self, request: Request) -> str:
        """The prompt exactly as the model receives it."""
        return self._ready().text.render(request).text

    def count_tokens(self, request: Request) -> int:
        """Tokens of that prompt."""
        return len(self._ready().text.encode(self.prompt_text(request)))

    def stream(
        self, requests: Iterable[Request | NotYet], *, max_concurrency: int = 1, sharing: Sequence[Request] = ()
    ) -> Iterator[Chunk]:
        """Generate answers with continuous batching."""
        model = self._ready()
        bounds = Bounds(self._own_sequences(model), self._options.batch_tokens, self._options.context_tokens)
        generation = Generation(model, bounds, self._layout)
        yield from generation.run(requests, max_concurrency, sharing)

    def score_choices(self, requests: Sequence[Request], *, sharing: Sequence[Request] = ()) -> Iterator[ChoiceScores]:
        """Score the choices of each request; the tokens that all prompts begin with are decoded once."""
        model = self._ready()
        if not requests:
            return
        rendered = [model.text.render_answered(request) for request in requests]
        items = [
            Item(model.text.encode(text.text), model.text.encode_choices(text.separator, request.choices))
            for request, text in zip(requests, rendered, strict=True)
        ]
        known = {request.id: item.prompt for request, item in zip(requests, items, strict=True)}
        beginning = self._beginning_of(sharing, known) if sharing else None
        scored = Scoring(model.decoder, self._room(model), self._layout).score(items, beginning)
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
        if self._model is not None:
            self._model.close()
            self._model = None
            self._layout = None

    def _beginning_of(self, sharing: Sequence[Request], known: dict[str, list[int]]) -> list[int]:
        """What all these begin with; found once, because a work may come in many parts."""
        if self._beginning is None or self._beginning[0] is not sharing:
            text = self._ready().text
            prompts = [known.get(request.id) or text.encode(text.render_answered(request).text) for request in sharing]
            self._beginning = (sharing, common_prefix(prompts))
        return self._beginning[1]

    def _room(self, model: LlamaModel) -> Room:
        most = self._options.batch_tokens if llama_cpp.llama_supports_gpu_offload() else _CPU_GROUP_TOKENS
        return Room(
            sequences=self._own_sequences(model) - 1,
            batch_tokens=min(self._options.batch_tokens, most),
            cells=self._options.context_tokens,
        )

    def _own_sequences(self, model: LlamaModel) -> int:
        """Sequences beside those of the layout."""
        return model.sequences - (0 if self._layout is None else OWN_SEQUENCES)

    def _ready(self) -> LlamaModel:
        if self._model is None:
            raise EngineFailed("The llama.cpp engine was used before load() or after close().")
        return self._model
