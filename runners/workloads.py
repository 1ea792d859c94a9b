"""What a loaded candidate is asked, workload by workload (definitions: Workload in runners/records.py).

A request that fails becomes a Failure with its example; the others go on. After several failures in a row the engine
counts as broken and the run stops. Times nothing itself (stopwatch.py), judges nothing itself (scorers.py).
"""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from statistics import fmean

from runners.energy import EnergyMeter
from runners.engine_options import EndpointOptions, renders_prompts
from runners.errors import EngineFailed, LimitReached
from runners.label_answers import label_in
from runners.levels import (
    LevelOutcome,
    arrival_times,
    goes_on,
    levels_of,
    outcome_of,
    planned_requests,
    requests_at,
)
from runners.prompts import conversation_requests, example_request, neutral_requests
from runners.records import (
    TIMED_KINDS,
    ChoiceScores,
    Chunk,
    ChunkArrived,
    Completion,
    CompletionDone,
    Example,
    Failure,
    FailureHappened,
    PromptRendered,
    Request,
    RequestRetried,
    RunEvent,
    Score,
    Workload,
    WorkloadFinished,
    WorkloadStarted,
)
from runners.scorers import scorer
from runners.session import Session
from runners.stopwatch import Pace, RequestFailed, time_stream
from runners.synthetic_prompts import SyntheticPrompts

CALIBRATION_PROMPTS = 3
"""Texts that say nothing, over which the baseline of calibration is averaged."""
MOST_FAILURES_IN_A_ROW = 5
"""After this many the engine counts as broken."""
_METER_SECONDS = 60.0
"""Energy counters start again after some minutes under load and are looked at more often than that."""


@dataclass(frozen=True)
class _Part:
    """Requests of a workload that are sent in one window."""

    workload: Workload
    requests: tuple[Request, ...]
    pace: Pace
    level: float | None = None


class WorkloadRunner:
    """Sends the requests of each workload and writes what came back."""

    def __init__(self, session: Session, past: Sequence[RunEvent] = ()) -> None:
        self._session = session
        self._spec = session.spec
        self._engine = session.engine
        self._stopwatch = session.stopwatch
        self._past = tuple(past)
        """Events of earlier starts: what they finished is not done again."""
        self._examples = {example.id: example for example in session.spec.test_set.examples}
        self._example_of: dict[str, str] = {}
        """Example of each request of a level, where it came from one."""
        self._meter = None if isinstance(session.spec.options, EndpointOptions) else EnergyMeter()
        self._meter_read_at = session.stopwatch.now()
        self._last_finished_at = 0.0
        self._failures_in_a_row = 0
        self._baseline: dict[str, float] = {}
        self._seen: list[RunEvent] = []
        """What was written of the window that is measured."""

    def run(self, workload: Workload) -> None:
        """Do what is missing. Raises EngineFailed when the engine is broken."""
        if workload.kind == "load":
            self._load_again(workload)
            return
        if workload.kind in {"load_sweep", "arrivals"}:
            self._run_levels(workload)
            return
        requests = self._requests(workload)
        done = self._done(workload)
        missing = tuple(request for request in requests if request.id not in done)
        self._begin(workload, len(requests), len(missing))
        if not missing:
            return
        if workload.kind == "accuracy" and self._spec.keeps_prompts:
            self._keep_prompts(missing)
        concurrency = self._engine.concurrency if workload.kind == "accuracy" else 1
        part = _Part(workload, missing, Pace(concurrency, shares_prefix=workload.kind == "accuracy"))
        if workload.kind == "latency":
            self._warm_up(part)
        self._measure(part)

    def time_first_request(self, repeat: int = 0) -> None:
        """Time one neutral request apart: the first after a load pays for what the load left for later."""
        workload = Workload(kind="load", max_output_tokens=8)
        (request,) = neutral_requests(self._spec.test_set, workload, 1)
        request = request.model_copy(update={"id": f"first-{self._session.segment}-{repeat}"})
        try:
            for _, outcome in time_stream(self._engine, (request,), self._stopwatch, on_chunk=self._note_retry):
                if isinstance(outcome, Completion):
                    self._write(_Part(workload, (request,), Pace()), outcome)
        except EngineFailed as error:
            # The measured requests will say the same, and count it.
            sys.stderr.write(f"The first request after the load failed: {error}\n")

    @property
    def has_timed_work(self) -> bool:
        """Whether a workload that is timed request by request has anything left to do."""
        examples = len(self._examples)
        return any(
            workload.kind == "load"
            or (workload.kind in TIMED_KINDS and len(self._done(workload)) < planned_requests(workload, examples))
            for workload in self._spec.workloads
        )

    def _done(self, workload: Workload) -> set[str]:
        """Requests of a workload that an earlier start has finished."""
        done = (event.completion for event in self._past if isinstance(event, CompletionDone))
        return {completion.request_id for completion in done if completion.workload == workload.kind}

    def _load_again(self, workload: Workload) -> None:
        for repeat in range(1, workload.repeats + 1):
            self._engine.close()
            self._session.load(repeat)
            self.time_first_request(repeat)

    def _run_levels(self, workload: Workload) -> None:
        """One level after the other; a level that an earlier start did not finish is done anew as a whole."""
        self._begin(workload, planned_requests(workload, 0), planned_requests(workload, 0))
        prompts = self._synthetic(workload) if workload.synthetic is not None else None
        before: LevelOutcome | None = None
        for level in levels_of(workload):
            outcome = outcome_of(self._past, workload.kind, level)
            if outcome is None:
                outcome = self._run_level(workload, level, prompts)
            if workload.kind == "load_sweep" and not goes_on(workload, before, outcome):
                return
            before = outcome

    def _run_level(self, workload: Workload, level: float, prompts: SyntheticPrompts | None) -> LevelOutcome:
        is_sweep = workload.kind == "load_sweep"
        count = requests_at(workload, level)
        ids = [f"{'c' if is_sweep else 'r'}{level:g}-s{self._session.segment}-n{number}" for number in range(count)]
        requests = prompts.requests(ids) if prompts is not None else self._examples_as(workload, ids)
        if is_sweep:
            pace = Pace(int(level))
        else:
            pace = Pace(workload.max_concurrency, arrival_times(level, count, self._spec.seed))
        part = _Part(workload, requests, pace, level)
        self._warm_up(part, prompts)
        seen = self._measure(part)
        outcome = outcome_of(seen, workload.kind, level)
        if outcome is None:
            raise AssertionError("a level that was measured has a window")
        return outcome

    def _warm_up(self, part: _Part, prompts: SyntheticPrompts | None = None) -> None:
        """Send prompts that are left out, as many at once as will be measured."""
        count = part.workload.warmup_prompts
        if prompts is None:
            requests = neutral_requests(self._spec.test_set, part.workload, count)
        else:
            requests = prompts.requests([f"warm-up-{number}" for number in range(count)])
        pace = Pace(part.pace.max_concurrency)
        for _ in time_stream(self._engine, requests, self._stopwatch, pace, on_chunk=self._note_retry):
            pass

    def _begin(self, workload: Workload, total: int, remaining: int) -> None:
        self._session.events.write(
            WorkloadStarted(
                segment=self._session.segment,
                workload=workload.kind,
                total=total,
                remaining=remaining,
                at_seconds=self._stopwatch.now(),
            )
        )

    def _measure(self, part: _Part) -> list[RunEvent]:
        """Send the requests of one window; what was written of it."""
        self._seen = []
        joules = self._meter.joules() if self._meter is not None else None
        started = self._last_finished_at = self._stopwatch.now()
        if _is_scored(part.workload) and self._engine.can_score_choices:
            self._score(part)
        else:
            self._generate(part)
        finished = self._last_finished_at
        used = self._meter.joules() if self._meter is not None else None
        self._emit(
            WorkloadFinished(
                segment=self._session.segment,
                workload=part.workload.kind,
                level=part.level,
                started_at_seconds=started,
                finished_at_seconds=finished,
                energy_joules=used - joules if used is not None and joules is not None else None,
                energy_source=self._meter.source if self._meter is not None else None,
            )
        )
        return self._seen

    def _emit(self, event: RunEvent) -> None:
        self._session.events.write(event)
        self._seen.append(event)

    def _requests(self, workload: Workload) -> tuple[Request, ...]:
        if workload.kind == "prompts":
            return tuple(conversation_requests(workload, self._spec.seed))
        examples = self._spec.test_set.examples
        count = planned_requests(workload, len(examples))
        if workload.kind == "latency" and workload.synthetic is not None:
            return self._synthetic(workload).requests([f"synthetic-{number}" for number in range(count)])
        return tuple(
            example_request(self._spec.test_set, example, workload, self._spec.seed) for example in examples[:count]
        )

    def _examples_as(self, workload: Workload, ids: Sequence[str]) -> tuple[Request, ...]:
        """One request for each id, over the test set's examples again and again."""
        examples = self._spec.test_set.examples
        requests = []
        for identity, example in zip(ids, cycle(examples), strict=False):
            self._example_of[identity] = example.id
            request = example_request(self._spec.test_set, example, workload, self._spec.seed)
            requests.append(request.model_copy(update={"id": identity}))
        return tuple(requests)

    def _synthetic(self, workload: Workload) -> SyntheticPrompts:
        if workload.synthetic is None:
            raise AssertionError("only workloads with synthetic prompts get here")
        prompts = SyntheticPrompts(
            self._engine, workload.synthetic, temperature=workload.temperature, seed=self._spec.seed
        )
        prompts.calibrate()
        return prompts

    def _keep_prompts(self, requests: Sequence[Request]) -> None:
        if renders_prompts(self._spec.options):
            for request in requests:
                self._emit(PromptRendered(request_id=request.id, text=self._engine.prompt_text(request)))

    def _score(self, part: _Part) -> None:
        remaining = {request.id: request for request in part.requests}
        workload = part.workload
        self._baseline = self._measure_baseline(workload) if workload.calibration == "contextual" else {}
        try:
            for scores in self._engine.score_choices(part.requests):
                self._write_choice(part, scores)
                del remaining[scores.request_id]
        except EngineFailed:
            # The engine works in batches and cannot say whose fault it was: ask again one by one, so that each
            # failure falls on its own example. What was answered before stays.
            for request in remaining.values():
                try:
                    for scores in self._engine.score_choices((request,)):
                        self._write_choice(part, scores)
                except EngineFailed as error:
                    self._fail(part, request, str(error))

    def _measure_baseline(self, workload: Workload) -> dict[str, float]:
        """Log of each answer's mean probability after texts that say nothing."""
        probabilities: dict[str, list[float]] = {}
        for scores in self._engine.score_choices(neutral_requests(self._spec.test_set, workload, CALIBRATION_PROMPTS)):
            for score in scores.scores:
                probabilities.setdefault(score.choice, []).append(math.exp(score.logprob))
        return {choice: math.log(max(fmean(values), sys.float_info.min)) for choice, values in probabilities.items()}

    def _generate(self, part: _Part) -> None:
        workload, pace = part.workload, part.pace
        remaining = {request.id: request for request in part.requests}
        on_chunk = self._show if workload.kind == "prompts" else self._note_retry
        while remaining:
            try:
                for request, outcome in time_stream(
                    self._engine, list(remaining.values()), self._stopwatch, pace, on_chunk=on_chunk
                ):
                    del remaining[request.id]
                    if isinstance(outcome, RequestFailed):
                        self._fail(part, request, outcome.message)
                    else:
                        self._write(part, _with_label(outcome) if request.choices else outcome)
            except EngineFailed as error:
                if workload.kind not in {"accuracy", "latency", "prompts"} or not remaining or self._is_broken:
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
        self._note_retry(chunk)
        if chunk.text and not chunk.thinking:
            self._session.events.write(ChunkArrived(request_id=chunk.request_id, text=chunk.text))

    def _note_retry(self, chunk: Chunk) -> None:
        if chunk.retried is not None:
            retried = RequestRetried(segment=self._session.segment, request_id=chunk.request_id, retry=chunk.retried)
            self._session.events.write(retried)

    def _write_choice(self, part: _Part, scores: ChoiceScores) -> None:
        judged = tuple(
            score.model_copy(update={"baseline_logprob": self._baseline.get(score.choice)}) for score in scores.scores
        )
        best = max(judged, key=lambda score: score.evidence, default=None)
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
        self._write(part, completion)

    def _write(self, part: _Part, completion: Completion) -> None:
        self._failures_in_a_row = 0
        self._last_finished_at = completion.finished_at_seconds or self._stopwatch.now()
        example = self._example(completion.request_id)
        kind = part.workload.kind
        completion = completion.model_copy(
            update={
                "workload": kind,
                "level": part.level,
                "example_id": example.id if example is not None else None,
                "segment": self._session.segment,
            }
        )
        scores = self._judge(completion, example) if example is not None and kind == "accuracy" else ()
        self._emit(CompletionDone(completion=completion, scores=scores))
        if self._meter is not None and self._last_finished_at - self._meter_read_at > _METER_SECONDS:
            self._meter.joules()
            self._meter_read_at = self._last_finished_at

    def _example(self, request_id: str) -> Example | None:
        return self._examples.get(self._example_of.get(request_id, request_id))

    def _judge(self, completion: Completion, example: Example) -> tuple[Score, ...]:
        return tuple(scorer(name)(completion, example, self._spec.test_set) for name in self._spec.test_set.scorers)

    @property
    def _is_broken(self) -> bool:
        return self._failures_in_a_row >= MOST_FAILURES_IN_A_ROW

    def _fail(self, part: _Part, request: Request, reason: str) -> None:
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


def _is_scored(workload: Workload) -> bool:
    return workload.kind == "accuracy" and workload.answers == "scored"


def _with_label(completion: Completion) -> Completion:
    """An answer that came as a JSON object, as the label in it."""
    return completion.model_copy(update={"text": label_in(completion.text)})
