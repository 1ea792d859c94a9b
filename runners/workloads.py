"""What a loaded candidate is asked, workload by workload (definitions: Workload in runners/records.py).

A request that fails becomes a Failure with its example; the others go on. After several failures in a row the engine
counts as broken and the run stops. Times nothing itself (stopwatch.py), judges nothing itself (scorers.py).
"""

import math
import sys
from collections.abc import Sequence
from statistics import fmean

from runners.engine import Engine
from runners.engine_options import renders_prompts
from runners.errors import EngineFailed, LimitReached
from runners.event_log import EventWriter
from runners.label_answers import label_in
from runners.prompts import conversation_requests, example_request, neutral_requests
from runners.records import (
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
    RunSpec,
    Score,
    Workload,
    WorkloadFinished,
    WorkloadStarted,
)
from runners.scorers import scorer
from runners.stopwatch import RequestFailed, Stopwatch, time_stream

CALIBRATION_PROMPTS = 3
"""Texts that say nothing, over which the baseline of calibration is averaged."""
MOST_FAILURES_IN_A_ROW = 5
"""After this many the engine counts as broken."""


class WorkloadRunner:
    """Sends the requests of each workload and writes what came back."""

    def __init__(self, spec: RunSpec, engine: Engine, events: EventWriter, stopwatch: Stopwatch, segment: int) -> None:
        self._spec = spec
        self._engine = engine
        self._events = events
        self._stopwatch = stopwatch
        self._segment = segment
        self._examples = {example.id: example for example in spec.test_set.examples}
        self._failures_in_a_row = 0
        self._baseline: dict[str, float] = {}

    def run(self, workload: Workload, done: set[str]) -> None:
        """Do what is missing. Raises EngineFailed when the engine is broken."""
        requests = self._requests(workload)
        missing = [request for request in requests if request.id not in done]
        self._events.write(
            WorkloadStarted(
                segment=self._segment,
                workload=workload.kind,
                total=len(requests),
                remaining=len(missing),
                at_seconds=self._stopwatch.now(),
            )
        )
        if not missing:
            return
        if workload.kind == "accuracy" and self._spec.keeps_prompts:
            self._keep_prompts(missing)
        if workload.kind == "latency":
            warm_up = neutral_requests(self._spec.test_set, workload, workload.warmup_prompts)
            for _ in time_stream(self._engine, warm_up, self._stopwatch, on_chunk=self._note_retry):
                pass
        started = self._stopwatch.now()
        if workload.kind == "accuracy" and self._engine.can_score_choices:
            self._score(workload, missing)
        else:
            self._generate(workload, missing)
        self._events.write(
            WorkloadFinished(
                segment=self._segment,
                workload=workload.kind,
                started_at_seconds=started,
                finished_at_seconds=self._stopwatch.now(),
            )
        )

    def _requests(self, workload: Workload) -> list[Request]:
        if workload.kind == "prompts":
            return list(conversation_requests(workload, self._spec.seed))
        examples = self._spec.test_set.examples
        if workload.kind == "latency" and workload.prompts is not None:
            examples = examples[: workload.prompts]
        return [example_request(self._spec.test_set, example, workload, self._spec.seed) for example in examples]

    def _keep_prompts(self, requests: Sequence[Request]) -> None:
        if renders_prompts(self._spec.options):
            for request in requests:
                self._events.write(PromptRendered(request_id=request.id, text=self._engine.prompt_text(request)))

    def _score(self, workload: Workload, requests: Sequence[Request]) -> None:
        remaining = {request.id: request for request in requests}
        self._baseline = self._measure_baseline(workload) if workload.calibration == "contextual" else {}
        try:
            for scores in self._engine.score_choices(requests):
                self._write_choice(workload, scores)
                del remaining[scores.request_id]
        except EngineFailed:
            # The engine works in batches and cannot say whose fault it was: ask again one by one, so that each
            # failure falls on its own example. What was answered before stays.
            for request in remaining.values():
                try:
                    for scores in self._engine.score_choices((request,)):
                        self._write_choice(workload, scores)
                except EngineFailed as error:
                    self._fail(workload, request, str(error))

    def _measure_baseline(self, workload: Workload) -> dict[str, float]:
        """Log of each answer's mean probability after texts that say nothing."""
        probabilities: dict[str, list[float]] = {}
        for scores in self._engine.score_choices(neutral_requests(self._spec.test_set, workload, CALIBRATION_PROMPTS)):
            for score in scores.scores:
                probabilities.setdefault(score.choice, []).append(math.exp(score.logprob))
        return {choice: math.log(max(fmean(values), sys.float_info.min)) for choice, values in probabilities.items()}

    def _generate(self, workload: Workload, requests: Sequence[Request]) -> None:
        remaining = {request.id: request for request in requests}
        concurrency = self._engine.concurrency if workload.kind == "accuracy" else 1
        while remaining:
            try:
                for request, outcome in time_stream(
                    self._engine,
                    list(remaining.values()),
                    self._stopwatch,
                    max_concurrency=concurrency,
                    on_chunk=self._show if workload.kind == "prompts" else self._note_retry,
                ):
                    del remaining[request.id]
                    if isinstance(outcome, RequestFailed):
                        self._fail(workload, request, outcome.message)
                    else:
                        self._write(workload, _with_label(outcome) if workload.kind == "accuracy" else outcome)
            except EngineFailed as error:
                # Only at concurrency 1, and then the request at the head is the one that failed.
                if concurrency > 1 or not remaining or self._is_broken:
                    raise
                self._fail(workload, remaining.pop(next(iter(remaining))), str(error))
            except LimitReached as error:
                skipped = f"{len(remaining)} of {len(requests)} requests of this {workload.kind} workload were skipped."
                raise LimitReached(f"{error} {skipped}") from error

    def _show(self, chunk: Chunk) -> None:
        self._note_retry(chunk)
        if chunk.text and not chunk.thinking:
            self._events.write(ChunkArrived(request_id=chunk.request_id, text=chunk.text))

    def _note_retry(self, chunk: Chunk) -> None:
        if chunk.retried is not None:
            retried = RequestRetried(segment=self._segment, request_id=chunk.request_id, retry=chunk.retried)
            self._events.write(retried)

    def _write_choice(self, workload: Workload, scores: ChoiceScores) -> None:
        judged = tuple(
            score.model_copy(update={"baseline_logprob": self._baseline.get(score.choice)}) for score in scores.scores
        )
        best = max(judged, key=lambda score: score.evidence, default=None)
        completion = Completion(
            request_id=scores.request_id,
            workload=workload.kind,
            text=best.choice if best is not None else "",
            finish_reason="stop" if best is not None else "overflow",
            method="scored_choices",
            prompt_tokens=scores.prompt_tokens,
            cached_tokens=scores.cached_tokens,
            finished_at_seconds=self._stopwatch.now(),
            choice_scores=judged,
        )
        self._write(workload, completion)

    def _write(self, workload: Workload, completion: Completion) -> None:
        self._failures_in_a_row = 0
        example = self._examples.get(completion.request_id)
        completion = completion.model_copy(
            update={
                "workload": workload.kind,
                "example_id": example.id if example is not None else None,
                "segment": self._segment,
            }
        )
        scores = self._judge(completion, example) if example is not None and workload.kind == "accuracy" else ()
        self._events.write(CompletionDone(completion=completion, scores=scores))

    def _judge(self, completion: Completion, example: Example) -> tuple[Score, ...]:
        return tuple(scorer(name)(completion, example, self._spec.test_set) for name in self._spec.test_set.scorers)

    @property
    def _is_broken(self) -> bool:
        return self._failures_in_a_row >= MOST_FAILURES_IN_A_ROW

    def _fail(self, workload: Workload, request: Request, reason: str) -> None:
        self._events.write(
            FailureHappened(
                workload=workload.kind,
                failure=Failure(
                    stage="request",
                    kind="engine",
                    message=reason,
                    hint="The example is counted as failed; the others went on.",
                    example_id=request.id if request.id in self._examples else None,
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
