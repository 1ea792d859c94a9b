"""An engine whose delays and answers are written down beforehand.

For tests of the stopwatch, the worker and the statistics, where every figure can be calculated by hand. It shows that
measuring works; it never stands in for a real model.
"""

import heapq
import math
import os
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle

from catalog.records import Candidate
from runners.chat_template import render_conversation
from runners.engine_options import EngineOptions, ScriptedOptions
from runners.errors import EngineFailed
from runners.records import ChoiceScore, ChoiceScores, Chunk, FinishReason, Loaded, NotYet, Request

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
        self, requests: Iterable[Request | NotYet], *, max_concurrency: int = 1, sharing: Sequence[Request] = ()
    ) -> Iterator[Chunk]:
        """One chunk per word, each at its own time.

        Delays count from when a request was taken; where it follows another at once, from when that one was due to
        end. So what a late wake-up or the caller costs never adds up over a stream.
        """
        del sharing
        self._ready()
        pending = iter(requests)
        places = min(max_concurrency, self._options.slots)
        running: list[_Answer] = []
        freed_at: deque[float] = deque()
        more = True
        while more or running:
            next_request_at = math.inf
            while more and len(running) < places and next_request_at == math.inf:
                asked = next(pending, None)
                if isinstance(asked, NotYet):
                    next_request_at = time.perf_counter() + asked.seconds
                    freed_at.clear()
                elif asked is None:
                    more = False
                elif (failure := self._misbehave(asked.id)) is None:
                    taken_at = freed_at.popleft() if freed_at else time.perf_counter()
                    heapq.heappush(running, _Answer(asked, self._options, taken_at, self.count_tokens(asked)))
                elif max_concurrency == 1:
                    raise EngineFailed(failure)
                else:
                    yield Chunk(request_id=asked.id, text="", tokens=0, finish_reason="failed", failure=failure)
            due = running[0].due if running else math.inf
            if min(due, next_request_at) == math.inf:
                continue
            time.sleep(max(0.0, min(due, next_request_at) - time.perf_counter()))
            if due <= next_request_at:
                answer = heapq.heappop(running)
                chunk = answer.advance()
                if chunk.finish_reason is None:
                    heapq.heappush(running, answer)
                else:
                    freed_at.append(due)
                yield chunk

    def score_choices(self, requests: Sequence[Request], *, sharing: Sequence[Request] = ()) -> Iterator[ChoiceScores]:
        """The scripted answer gets most of the probability."""
        del sharing
        self._ready()
        for request in requests:
            if (failure := self._misbehave(request.id)) is not None:
                raise EngineFailed(failure)
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

    def _misbehave(self, request_id: str) -> str | None:
        """Crash or hang, where the options say so; or why the request fails."""
        if request_id in self._options.fail_on:
            return f"The scripted engine fails on example {request_id!r}, as its options say."
        if request_id in self._options.crash_on:
            os._exit(CRASH_EXIT_CODE)
        while request_id in self._options.hang_on:
            time.sleep(1)
        return None


class _Answer:
    """One request on its way: what is left to say, and when the next word is due."""

    def __init__(self, request: Request, options: ScriptedOptions, taken_at: float, prompt_tokens: int) -> None:
        self.request = request
        self._prompt_tokens = prompt_tokens
        self.due = taken_at + options.first_token_seconds_of.get(request.id, options.first_token_seconds)
        self._step = options.token_seconds_of.get(request.id, options.token_seconds)
        thoughts, words = options.thinking.split(), options.text.split()
        said = [(word, True) for word in thoughts] + [(word, False) for word in words]
        if request.ignore_eos:
            said += [(word, False) for word, _ in zip(cycle(words), range(request.max_output_tokens), strict=False)]
        self._finish: FinishReason = (
            "stop" if len(said) <= request.max_output_tokens and not request.ignore_eos else "length"
        )
        self._left = deque(said[: request.max_output_tokens])
        self._is_empty_first = options.empty_first_chunk
        if self._is_empty_first:
            self._first_word_at, self.due = self.due, taken_at
        self._said_before: bool | None = None

    def __lt__(self, other: "_Answer") -> bool:
        return self.due < other.due

    def advance(self) -> Chunk:
        """The next chunk; the time of the one after it counts from when this one was due."""
        if self._is_empty_first:
            self._is_empty_first = False
            self.due = self._first_word_at
            return Chunk(request_id=self.request.id, text="", tokens=0)
        word, thinking = self._left.popleft()
        text = f" {word}" if self._said_before is thinking else word
        self._said_before = thinking
        self.due += self._step
        last = not self._left
        return Chunk(
            request_id=self.request.id,
            text=text,
            tokens=1,
            thinking=thinking,
            finish_reason=self._finish if last else None,
            prompt_tokens=self._prompt_tokens if last else None,
            cached_tokens=0 if last else None,
        )
