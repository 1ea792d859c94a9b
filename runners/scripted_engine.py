"""An engine whose delays and answers are written down beforehand.

For tests of the stopwatch, the worker and the statistics, where every figure can be calculated by hand. It shows that
measuring works; it never stands in for a real model.
"""

import os
import time
from collections.abc import Iterable, Iterator, Sequence

from catalog.records import Candidate
from runners.chat_template import render_conversation
from runners.engine_options import EngineOptions, ScriptedOptions
from runners.errors import EngineFailed
from runners.records import ChoiceScore, ChoiceScores, Chunk, FinishReason, Loaded, Request

CRASH_EXIT_CODE = 139
"""Exit code of a scripted crash, as a shell reports a segmentation fault."""


class ScriptedEngine:
    """Answers as its options say. A request's id is the id of its example."""

    can_score_choices = True
    concurrency = 1

    def __init__(self, candidate: Candidate, options: EngineOptions) -> None:
        if not isinstance(options, ScriptedOptions):
            raise EngineFailed(f"The scripted engine got options for {options.engine!r}.")
        self._name = candidate.name
        self._options = options
        self._loaded = False
        self._held = bytearray()

    def load(self) -> Loaded:
        """Wait for load_seconds and take memory_bytes."""
        time.sleep(self._options.load_seconds)
        self._held = bytearray(os.urandom(1)) * self._options.memory_bytes
        self._loaded = True
        return Loaded(
            engine="scripted",
            engine_version="1",
            build="none",
            model_description=f"scripted {self._name}",
            context_tokens=1_000_000,
        )

    def tune(self) -> None:
        """Nothing is left open."""

    def prompt_text(self, request: Request) -> str:
        """The conversation as plain text."""
        return render_conversation(request.messages, None).text

    def count_tokens(self, request: Request) -> int:
        """Words of the prompt."""
        return len(self.prompt_text(request).split())

    def stream(
        self, requests: Iterable[Request], *, max_concurrency: int = 1, sharing: Sequence[Request] = ()
    ) -> Iterator[Chunk]:
        """One chunk per word of the answer, at exact times; one request after the other whatever max_concurrency."""
        del max_concurrency, sharing
        self._ready()
        for request in requests:
            self._misbehave(request.id)
            words = self._options.text.split()
            finish: FinishReason = "stop" if len(words) <= request.max_output_tokens else "length"
            words = words[: request.max_output_tokens]
            if self._options.empty_first_chunk:
                yield Chunk(request_id=request.id, text="", tokens=0)
            time.sleep(self._options.first_token_seconds)
            for number, word in enumerate(words):
                if number:
                    time.sleep(self._options.token_seconds)
                last = number == len(words) - 1
                yield Chunk(
                    request_id=request.id,
                    text=word if number == 0 else f" {word}",
                    tokens=1,
                    finish_reason=finish if last else None,
                    prompt_tokens=self.count_tokens(request) if last else None,
                    cached_tokens=0 if last else None,
                )

    def score_choices(self, requests: Sequence[Request]) -> Iterator[ChoiceScores]:
        """The scripted answer gets most of the probability."""
        self._ready()
        for request in requests:
            self._misbehave(request.id)
            time.sleep(self._options.score_seconds)
            preferred = self._options.answers.get(request.id, request.choices[0])
            yield ChoiceScores(
                request_id=request.id,
                scores=tuple(
                    ChoiceScore(choice=choice, logprob=-0.1 if choice == preferred else -3.0, tokens=1)
                    for choice in request.choices
                ),
                prompt_tokens=self.count_tokens(request),
                cached_tokens=0,
            )

    def close(self) -> None:
        """Give the memory back; may be called twice."""
        self._held = bytearray()
        self._loaded = False

    def _ready(self) -> None:
        if not self._loaded:
            raise EngineFailed("The scripted engine was used before load() or after close().")

    def _misbehave(self, example_id: str) -> None:
        if example_id in self._options.fail_on:
            raise EngineFailed(f"The scripted engine fails on example {example_id!r}, as its options say.")
        if example_id in self._options.crash_on:
            os._exit(CRASH_EXIT_CODE)
        while example_id in self._options.hang_on:
            time.sleep(1)
