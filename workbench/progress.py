"""Turns a run's events into what people watch: counts, running quality, speed, memory and the time left.

Nothing of it is stored: figures of finished runs are derived from what the store holds.
"""

import time
from collections.abc import Sequence
from statistics import fmean, median

from results.records import Estimate
from results.statistics import wilson
from runners.levels import planned_requests
from runners.records import (
    Completion,
    CompletionDone,
    FailureHappened,
    LoadProgress,
    MemorySample,
    ModelLoaded,
    RunEvent,
    RunSpec,
    RunStarted,
    WorkloadStarted,
)
from workbench.jobs import Job

TYPICAL_LOAD_SECONDS = 1.0
"""Start and load of a worker, until the first one was seen."""


_MOST_POINTS = 120
"""Points of a line of memory; once there are more, every other one goes."""


def requests_of(spec: RunSpec) -> dict[str, int]:
    """Requests of each workload of a run."""
    examples = len(spec.test_set.examples)
    return {workload.kind: planned_requests(workload, examples) for workload in spec.workloads}


def decode_rate(completion: Completion) -> float | None:
    """Output tokens per second after the first, for people who watch; stored figures are derived by the store."""
    offsets, tokens = completion.chunk_offsets_seconds, completion.chunk_tokens
    if len(offsets) < 2 or offsets[-1] <= offsets[0]:
        return None
    return sum(tokens[1:]) / (offsets[-1] - offsets[0])


def running_quality(values: Sequence[float]) -> Estimate | None:
    """Mean of what the first scorer gave so far; with Wilson's interval where that is right or wrong only."""
    if not values:
        return None
    if all(value in {0.0, 1.0} for value in values):
        return wilson(sum(value == 1 for value in values), len(values))
    return Estimate(value=fmean(values), n=len(values), method="mean so far, no interval")


class TimeLeft:
    """Predicts the time left from the speed seen so far, counted in computed tokens.

    A token costs the same whether it is scored or generated into; prompt tokens that were shared cost nothing. Before
    a workload was seen, its requests are taken to compute the whole prompt of those that were.
    """

    def __init__(self, specs: Sequence[RunSpec]) -> None:
        self._left = {spec.candidate.name: dict(requests_of(spec)) for spec in specs}
        self._tokens_per_request: dict[str, list[int]] = {}
        self._prompt_tokens: list[int] = []
        self._computed_tokens = 0
        self._busy_seconds = 0.0
        self._since = time.perf_counter()

    def start(self) -> None:
        """A worker begins its requests."""
        self._since = time.perf_counter()

    def note(self, candidate: str, event: CompletionDone) -> None:
        """One request is done."""
        completion = event.completion
        now = time.perf_counter()
        self._busy_seconds += now - self._since
        self._since = now
        computed = completion.prompt_tokens - completion.cached_tokens + completion.output_tokens
        self._computed_tokens += computed
        self._prompt_tokens.append(completion.prompt_tokens)
        self._tokens_per_request.setdefault(completion.workload, []).append(computed)
        left = self._left.get(candidate, {})
        left[completion.workload] = max(0, left.get(completion.workload, 0) - 1)

    def skip(self, candidate: str, workload: str, requests: int) -> None:
        """Requests that an earlier run has done, or that will never be done."""
        left = self._left.get(candidate, {})
        left[workload] = max(0, left.get(workload, 0) - requests)

    def give_up(self, candidate: str) -> None:
        """A candidate is over, whatever was left."""
        self._left.pop(candidate, None)

    def seconds(self) -> float | None:
        """Predicted seconds left for all; None until something was measured."""
        each = [self.seconds_of(name) for name in self._left]
        known = [seconds for seconds in each if seconds is not None]
        return sum(known) + TYPICAL_LOAD_SECONDS * max(0, len(each) - 1) if len(known) == len(each) else None

    def seconds_of(self, candidate: str) -> float | None:
        """Predicted seconds left for one candidate, its load left out; None until something was measured."""
        if not self._computed_tokens or not self._busy_seconds:
            return None
        tokens = sum(count * self._expected(workload) for workload, count in self._left.get(candidate, {}).items())
        return tokens * self._busy_seconds / self._computed_tokens

    def _expected(self, workload: str) -> float:
        seen = self._tokens_per_request.get(workload)
        return median(seen) if seen else median(self._prompt_tokens)


class MemoryLine:
    """Memory over time in few points: as it grows longer, it keeps every second of them."""

    def __init__(self) -> None:
        self._since = time.perf_counter()
        self._points: list[tuple[float, int]] = []
        self._every = 1
        self._seen = 0

    def add(self, bytes_: int) -> tuple[tuple[float, int], ...]:
        """Take a sample of this moment; returns the line so far."""
        if self._seen % self._every == 0:
            self._points.append((round(time.perf_counter() - self._since, 1), bytes_))
            if len(self._points) > _MOST_POINTS:
                self._points = self._points[::2]
                self._every *= 2
        self._seen += 1
        return tuple(self._points)


class CandidateWatch:
    """Listens to one run and keeps the job's status true."""

    def __init__(self, job: Job, spec: RunSpec, time_left: TimeLeft) -> None:
        self._job = job
        self._name = spec.candidate.name
        self._time_left = time_left
        self._totals = requests_of(spec)
        self._done = dict.fromkeys(self._totals, 0)
        self._values: list[float] = []
        self._peak = 0
        self._has_pss = False
        self._rates: list[float] = []
        self._line = MemoryLine()
        self._window: tuple[float, int] = (time.perf_counter(), 0)

    def __call__(self, event: RunEvent | MemorySample) -> None:
        """Take one event."""
        match event:
            case MemorySample() if event.pss_bytes is None and self._has_pss:
                # PSS is read again as soon as memory grows: what is shown still holds.
                return
            case MemorySample():
                self._has_pss = event.pss_bytes is not None
                memory = (event.pss_bytes or event.rss_bytes) + (event.gpu_bytes or 0)
                self._peak = max(self._peak, memory)
                self._job.update_candidate(
                    self._name,
                    memory_bytes=memory,
                    peak_memory_bytes=self._peak,
                    memory_line=self._line.add(memory),
                )
            case RunStarted():
                self._job.update_candidate(self._name, state="loading", stage="loading the model")
            case LoadProgress():
                self._job.update_candidate(self._name, stage=event.text)
            case ModelLoaded():
                self._job.update_candidate(self._name, state="running", stage="ready")
            case WorkloadStarted():
                # A workload may have less to ask than was planned at most.
                self._time_left.skip(self._name, event.workload, self._totals[event.workload] - event.total)
                self._totals[event.workload] = event.total
                self._done[event.workload] = event.total - event.remaining
                self._time_left.skip(self._name, event.workload, event.total - event.remaining)
                self._time_left.start()
                self._window = (time.perf_counter(), self._done[event.workload])
                self._show(event.workload)
            case CompletionDone() if event.completion.workload != "load":
                self._completed(event)
            case FailureHappened():
                failures = (*self._job.candidate(self._name).failures, event.failure)
                self._job.update_candidate(self._name, failures=failures)
            case _:
                return

    def _completed(self, event: CompletionDone) -> None:
        completion = event.completion
        self._done[completion.workload] += 1
        self._time_left.note(self._name, event)
        values = [score.value for score in event.scores if score.value is not None]
        if completion.workload == "accuracy":
            self._values += values[:1]
        rate = decode_rate(completion)
        if rate is not None:
            self._rates.append(rate)
        self._show(completion.workload)

    def _show(self, workload: str) -> None:
        self._job.update_candidate(
            self._name,
            stage=f"{workload} {self._done[workload]} of {self._totals[workload]}",
            done=sum(self._done.values()),
            total=sum(self._totals.values()),
            accuracy=running_quality(self._values),
            tokens_per_second=median(self._rates) if self._rates else None,
            requests_per_second=self._requests_per_second(workload),
            remaining_seconds=self._time_left.seconds_of(self._name),
        )
        self._job.update(remaining_seconds=self._time_left.seconds())

    def _requests_per_second(self, workload: str) -> float | None:
        since, before = self._window
        done, seconds = self._done[workload] - before, time.perf_counter() - since
        return done / seconds if done and seconds > 0 else None
