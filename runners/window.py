"""One window of requests: sends them, judges answers, writes what came back, and when the window began and ended.

A request that fails becomes a Failure with its example; the others go on. After several failures in a row the engine
counts as broken and the run stops. Times nothing itself (stopwatch.py), judges nothing itself (scorers/).
"""

import math
import sys
from dataclasses import dataclass, replace
from statistics import fmean
from typing import NamedTuple

from runners.energy import EnergyMeter
from runners.engine_options import EndpointOptions
from runners.errors import EngineFailed, LimitReached
from runners.label_answers import label_in
from runners.prompts import chooses, neutral_request, neutral_requests
from runners.records import (
    JUDGED_KINDS,
    ChoiceScores,
    Chunk,
    ChunkArrived,
    Completion,
    CompletionDone,
    Failure,
    FailureHappened,
    Request,
    RequestRetried,
    RunEvent,
    Score,
    Workload,
    WorkloadFinished,
)
from runners.scorers.judging import judge
from runners.scorers.registry import open_scorer
from runners.session import Session
from runners.stopwatch import Pace, RequestFailed, time_stream
from runners.test_set_records import Example

CALIBRATION_PROMPTS = 3
"""Texts that say nothing, over which the baseline of calibration is averaged."""
MOST_FAILURES_IN_A_ROW = 5
"""After this many the engine counts as broken."""
_METER_SECONDS = 60.0
"""Energy counters start again after some minutes under load and are looked at more often than that."""


@dataclass(frozen=True)
class Part:
    """Requests of a workload that are sent in one window."""

    workload: Workload
    requests: tuple[Request, ...]
    pace: Pace
    level: float | None = None


class Shown(NamedTuple):
    """A request of a robustness workload."""

    variation: str
    example: Example
    """As it is shown, which is not as the test set has it."""


class Window:
    """Runs parts of workloads, each as one measured window."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._spec = session.spec
        self._test_set = session.spec.asked
        self._engine = session.engine
        self._stopwatch = session.stopwatch
        self._scorers = tuple(open_scorer(options) for options in self._test_set.scorers)
        self._examples = {example.id: example for example in self._test_set.examples}
        self.example_of: dict[str, str] = {}
        """Example of each request that has an id of its own."""
        self.shown: dict[str, Shown] = {}
        """What each request of a robustness workload shows."""
        self._meter = None if isinstance(session.spec.options, EndpointOptions) else EnergyMeter()
        self._meter_read_at = session.stopwatch.now()
        self._last_finished_at = 0.0
        self._failures_in_a_row = 0
        self._baseline: dict[tuple[str, str], float] = {}
        """Log-probability of an answer after texts that say nothing, by request and answer."""
        self._seen: list[RunEvent] = []
        """What was written of the window that is measured."""

    def measure(self, part: Part, *more: Part) -> list[RunEvent]:
        """Send the requests of one window, part after part of one workload; what was written of it."""
        self._seen = []
        joules = self._meter.joules() if self._meter is not None else None
        started = self._last_finished_at = self._stopwatch.now()
        for each in (part, *more):
            is_scored = each.workload.answers == "scored" and chooses(self._test_set, each.workload)
            if is_scored and self._engine.can_score_choices:
                self._score(each)
            else:
                self._generate(each)
        finished = self._last_finished_at
        used = self._meter.joules() if self._meter is not None else None
        self._emit(
            WorkloadFinished(
                segment=self._session.segment,
                workload=part.workload.kind,
                level=part.level,
                started_at_seconds=started + (part.pace.arrivals_seconds or (0.0,))[0],
                finished_at_seconds=finished,
                energy_joules=used - joules if used is not None and joules is not None else None,
                energy_source=self._meter.source if self._meter is not None else None,
            )
        )
        return self._seen

    def _emit(self, event: RunEvent) -> None:
        self._session.events.write(event)
        self._seen.append(event)

    def _score(self, part: Part) -> None:
        remaining = {request.id: request for request in part.requests}
        workload = part.workload
        self._baseline = self._measure_baseline(part) if workload.calibration == "contextual" else {}
        try:
            for scores in self._engine.score_choices(part.requests, sharing=part.pace.sharing):
                self._write_choice(part, scores)
                del remaining[scores.request_id]
        except EngineFailed:
            # The engine works in batches and cannot say whose fault it was: ask again one by one, so that each
            # failure falls on its own example. What was answered before stays.
            for request in remaining.values():
                try:
                    for scores in self._engine.score_choices((request,), sharing=part.pace.sharing):
                        self._write_choice(part, scores)
                except EngineFailed as error:
                    self._fail(part, request, str(error))

    def _measure_baseline(self, part: Part) -> dict[tuple[str, str], float]:
        """Log of each answer's mean probability after texts that say nothing; of choices of an example, after one."""
        test_set, workload = self._test_set, part.workload
        if test_set.task == "multiple_choice":
            own, sharing = (
                [
                    neutral_request(test_set, example, workload).model_copy(update={"id": request.id})
                    for request in requests
                    if (example := self._example(request.id)) is not None
                ]
                for requests in (part.requests, part.pace.sharing)
            )
            found = self._engine.score_choices(own, sharing=sharing)
            return {(scores.request_id, score.choice): score.logprob for scores in found for score in scores.scores}
        probabilities: dict[str, list[float]] = {}
        for scores in self._engine.score_choices(neutral_requests(test_set, workload, CALIBRATION_PROMPTS)):
            for score in scores.scores:
                probabilities.setdefault(score.choice, []).append(math.exp(score.logprob))
        baseline = {label: math.log(max(fmean(values), sys.float_info.min)) for label, values in probabilities.items()}
        return {(request.id, label): value for request in part.requests for label, value in baseline.items()}

    def _generate(self, part: Part) -> None:
        workload, pace = part.workload, part.pace
        remaining = {request.id: request for request in part.requests}
        on_chunk = self._show if workload.kind == "prompts" else self.note_retry
        while remaining:
            try:
                for request, outcome in time_stream(
                    self._engine, list(remaining.values()), self._stopwatch, pace, on_chunk=on_chunk
                ):
                    del remaining[request.id]
                    if isinstance(outcome, RequestFailed):
                        self._fail(part, request, outcome.message)
                    else:
                        self.write(part, _with_label(outcome) if request.choices else outcome)
            except EngineFailed as error:
                is_load = part.level is not None and pace != Pace()
                if is_load or not remaining or self._is_broken:
                    raise
                if pace.max_concurrency == 1:
                    # The request at the head is the one that failed.
                    self._fail(part, remaining.pop(next(iter(remaining))), str(error))
                # Among several nobody knows whose fault it was: ask one by one.
                pace = replace(pace, max_concurrency=1)
            except LimitReached as error:
                skipped = f"{len(remaining)} of {len(part.requests)} requests of this {workload.kind} workload"
                raise LimitReached(f"{error} {skipped} were skipped.") from error

    def _show(self, chunk: Chunk) -> None:
        self.note_retry(chunk)
        if chunk.text and not chunk.thinking:
            self._session.events.write(ChunkArrived(request_id=chunk.request_id, text=chunk.text))

    def note_retry(self, chunk: Chunk) -> None:
        """Write that a request is handed over once more."""
        if chunk.retried is not None:
            retried = RequestRetried(segment=self._session.segment, request_id=chunk.request_id, retry=chunk.retried)
            self._session.events.write(retried)

    def _write_choice(self, part: Part, scores: ChoiceScores) -> None:
        judged = tuple(
            score.model_copy(update={"baseline_logprob": self._baseline.get((scores.request_id, score.choice))})
            for score in scores.scores
        )
        unit = part.workload.length_normalisation
        best = max(judged, key=lambda score: score.evidence_per(unit), default=None)
        completion = Completion(
            request_id=scores.request_id,
            workload=part.workload.kind,
            text=best.choice if best is not None else "",
            finish_reason="stop" if best is not None else "overflow",
            method="scored_choices",
            prompt_tokens=scores.prompt_tokens,
            cached_tokens=scores.cached_tokens,
            finished_at_seconds=self._stopwatch.now(),
            choice_scores=judged,
        )
        self.write(part, completion)

    def write(self, part: Part, completion: Completion) -> None:
        """Write what came back, with its scores where the workload has them."""
        self._failures_in_a_row = 0
        self._last_finished_at = completion.finished_at_seconds or self._stopwatch.now()
        example = self._example(completion.request_id)
        kind, shown = part.workload.kind, self.shown.get(completion.request_id)
        completion = completion.model_copy(
            update={
                "workload": kind,
                "variation": shown.variation if shown is not None else None,
                "level": part.level,
                "example_id": example.id if example is not None else None,
                "segment": self._session.segment,
            }
        )
        scores, failures = self._judge(completion, example) if kind in JUDGED_KINDS else ((), ())
        self._emit(CompletionDone(completion=completion, scores=scores))
        for failure in failures:
            self._emit(FailureHappened(workload=kind, level=part.level, failure=failure))
        if self._meter is not None and self._last_finished_at - self._meter_read_at > _METER_SECONDS:
            self._meter.joules()
            self._meter_read_at = self._last_finished_at

    def _example(self, request_id: str) -> Example | None:
        if request_id in self.shown:
            return self.shown[request_id].example
        return self._examples.get(self.example_of.get(request_id, request_id))

    def _judge(self, completion: Completion, example: Example | None) -> tuple[tuple[Score, ...], tuple[Failure, ...]]:
        return judge(self._scorers, completion, example, self._test_set) if example is not None else ((), ())

    @property
    def _is_broken(self) -> bool:
        return self._failures_in_a_row >= MOST_FAILURES_IN_A_ROW

    def _fail(self, part: Part, request: Request, reason: str) -> None:
        example = self._example(request.id)
        self._last_finished_at = self._stopwatch.now()
        self._emit(
            FailureHappened(
                workload=part.workload.kind,
                level=part.level,
                failure=Failure(
                    stage="request",
                    kind="engine",
                    message=reason,
                    hint="The example is counted as failed; the others went on.",
                    example_id=example.id if example is not None else None,
                    request_id=request.id,
                ),
            )
        )
        self._failures_in_a_row += 1
        if self._is_broken:
            message = f"{MOST_FAILURES_IN_A_ROW} requests failed in a row, the last with: {reason} The run was stopped."
            raise EngineFailed(message)


def _with_label(completion: Completion) -> Completion:
    """An answer that came as a JSON object, as the label in it."""
    return completion.model_copy(update={"text": label_in(completion.text)})
