"""The one stopwatch: stands outside the engine and notes when requests are handed over and chunks arrive.

One monotonic clock (time.perf_counter); offsets only, no durations, no statistics.
"""

import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass

from catalog.records import Record
from runners.engine import Engine
from runners.records import Chunk, Completion, NotYet, Request


class Stopwatch:
    """Counts seconds from its creation."""

    def __init__(self) -> None:
        self._origin = time.perf_counter()

    def now(self) -> float:
        """Seconds since the origin."""
        return time.perf_counter() - self._origin


class RequestFailed(Record):
    """A request that ended without an answer, while others go on."""

    message: str
    """What happened."""


class _Timing:
    """What is noted of one request on its way."""

    def __init__(self, request: Request, ready_at: float, started_at: float) -> None:
        self.request = request
        self.ready_at = ready_at
        self.started_at = started_at
        self.text: list[str] = []
        self.offsets: list[float] = []
        self.tokens: list[int] = []
        self.tokens_without_text = 0
        self.output_tokens = 0
        self.thinking_chunks = 0
        self.logprobs: list[float] = []

    def note(self, chunk: Chunk, at: float) -> None:
        if chunk.retried is not None:
            # What counts is the try that succeeds: waiting for a server's leave is not the model's latency.
            self.started_at = at
        self.output_tokens += chunk.tokens
        self.logprobs += chunk.logprobs
        if not chunk.text:
            # A chunk without text is no arrival: its tokens count with the next text that a person could read.
            self.tokens_without_text += chunk.tokens
            return
        if chunk.thinking:
            self.thinking_chunks += 1
        else:
            self.text.append(chunk.text)
        self.offsets.append(at - self.started_at)
        self.tokens.append(chunk.tokens + self.tokens_without_text)
        self.tokens_without_text = 0


@dataclass(frozen=True)
class Pace:
    """When requests are handed over: how many at once, and in an open loop when each arrives."""

    max_concurrency: int = 1
    """Most requests under way."""
    arrivals_seconds: Sequence[float] | None = None
    """When each request arrives, counted from the start of the stream and rising; None: as soon as a place is free."""
    sharing: Sequence[Request] = ()
    """Requests whose common beginning may be computed once, before the first: for accuracy, never for latency."""


def time_stream(
    engine: Engine,
    requests: Sequence[Request],
    stopwatch: Stopwatch,
    pace: Pace = Pace(),
    *,
    on_chunk: Callable[[Chunk], None] | None = None,
) -> Iterator[tuple[Request, Completion | RequestFailed]]:
    """Run requests through an engine and yield what became of each when it is done.

    The completion's workload, example and segment are for the caller to fill in. A request is ready when the one
    before it in its place was finished, in an open loop when it arrives; it is handed over when the engine takes it.
    """
    running: dict[str, _Timing] = {}
    began_at = stopwatch.now()
    places = deque([began_at] * pace.max_concurrency)
    """Since when each place is free that nobody has taken."""

    def hand_over() -> Iterator[Request | NotYet]:
        for place, request in enumerate(requests):
            arrives_at = None if pace.arrivals_seconds is None else began_at + pace.arrivals_seconds[place]
            while arrives_at is not None and (early := arrives_at - stopwatch.now()) > 0:
                yield NotYet(seconds=early)
            ready_at = arrives_at if arrives_at is not None else places.popleft() if places else stopwatch.now()
            running[request.id] = _Timing(request, ready_at, stopwatch.now())
            yield request

    chunks = engine.stream(hand_over(), max_concurrency=pace.max_concurrency, sharing=pace.sharing)
    try:
        for chunk in chunks:
            at = stopwatch.now()
            timing = running[chunk.request_id]
            timing.note(chunk, at)
            if on_chunk is not None:
                on_chunk(chunk)
            if chunk.finish_reason is not None:
                del running[chunk.request_id]
                places.append(stopwatch.now())
                yield timing.request, _outcome(timing, chunk, at)
    finally:
        # Whoever stops in between gives the engine its places back at once.
        if isinstance(chunks, Generator):
            chunks.close()


def _outcome(timing: _Timing, last: Chunk, at: float) -> Completion | RequestFailed:
    if last.finish_reason is None:
        raise AssertionError("an outcome is made from the last chunk of a request")
    if last.finish_reason == "failed":
        return RequestFailed(message=last.failure or "The engine gave no reason.")
    return Completion(
        request_id=timing.request.id,
        workload="latency",
        text="".join(timing.text),
        finish_reason=last.finish_reason,
        method="generated",
        prompt_tokens=last.prompt_tokens or 0,
        cached_tokens=last.cached_tokens or 0,
        output_tokens=timing.output_tokens if last.output_tokens is None else last.output_tokens,
        tokens_from=last.tokens_from,
        ready_at_seconds=timing.ready_at,
        started_at_seconds=timing.started_at,
        chunk_offsets_seconds=tuple(timing.offsets),
        chunk_tokens=tuple(timing.tokens),
        thinking_chunks=timing.thinking_chunks,
        finished_at_seconds=at,
        token_logprobs=tuple(timing.logprobs),
    )
