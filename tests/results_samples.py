"""Small runs, measurements and summaries made by hand, for the tests of the results package. Holds no test itself."""

from collections.abc import Sequence
from typing import Literal

from catalog.records import Candidate, Reason, Verdict, VerdictValue
from results.records import (
    Benchmark,
    CandidateSummary,
    Estimate,
    ExampleOutcome,
    MetricEstimate,
    RunMeasurements,
    RunStatus,
    ScorerOutcomes,
    Vote,
)
from results.requirement_records import Requirements
from runners.engine_options import ScriptedOptions
from runners.records import (
    ChoiceScore,
    Completion,
    CompletionDone,
    Failure,
    FailureHappened,
    Loaded,
    MemorySample,
    ModelLoaded,
    RunResult,
    RunSpec,
    RunStarted,
    Score,
    Validity,
    Workload,
    WorkloadFinished,
)
from runners.scorer_options import LabelMatchOptions
from runners.test_set_records import Example, TestSet

LABELS = ("yes", "no")
CREATED = "2026-03-01T12:00:00+01:00"
WORKLOADS = (Workload(kind="accuracy"), Workload(kind="latency"))
ALLOWED = Verdict(value=VerdictValue.ALLOWED, license="mit", reasons=(Reason(text="Permissive.", source="license"),))
LOADED = Loaded(engine="scripted", engine_version="1", build="none", model_description="toy", context_tokens=64)


def candidate(name: str) -> Candidate:
    return Candidate(name=name, model_id=f"owner/{name}", weights_path="/weights", weights_bytes=10, engine="scripted")


def example(number: int, **slices: str) -> Example:
    """Example `e1`, `e2` …; odd ones have the target `yes`."""
    return Example(
        id=f"e{number}",
        inputs={"text": f"message {number}"},
        target=LABELS[(number + 1) % 2],
        slices={"channel": "mail" if number <= 2 else "chat"} | slices,
        row=number + 1,
    )


def spec(name: str = "A", *, examples: int = 4, workloads: Sequence[Workload] = WORKLOADS) -> RunSpec:
    return RunSpec(
        candidate=candidate(name),
        options=ScriptedOptions(),
        test_set=TestSet(name="toy", labels=LABELS, examples=tuple(example(i + 1) for i in range(examples))),
        workloads=tuple(workloads),
        engine_version="1",
        scorer_versions={"label_match": "1"},
    )


def judged(
    example_id: str,
    text: str,
    *,
    target: str,
    validity: Validity = Validity.SCORED,
    segment: int = 0,
    logprobs: tuple[float, ...] = (),
) -> CompletionDone:
    """An answer of the accuracy workload with its score."""
    scored = validity is Validity.SCORED
    return CompletionDone(
        completion=Completion(
            request_id=example_id,
            workload="accuracy",
            example_id=example_id,
            segment=segment,
            text=text,
            finish_reason="stop",
            method="scored_choices",
            prompt_tokens=20,
            choice_scores=tuple(
                ChoiceScore(choice=choice, logprob=logprob, tokens=1)
                for choice, logprob in zip(LABELS, logprobs, strict=False)
            ),
        ),
        scores=(
            Score(
                request_id=example_id,
                example_id=example_id,
                scorer="label_match",
                version="1",
                validity=validity,
                value=float(scored and text == target),
                predicted=text if scored else None,
            ),
        ),
    )


def timed(
    request_id: str,
    offsets: tuple[float, ...],
    *,
    output_tokens: int | None = None,
    prompt_tokens: int = 20,
    cached_tokens: int = 0,
    segment: int = 0,
) -> CompletionDone:
    """An answer of the latency workload, one token per chunk unless said otherwise."""
    return CompletionDone(
        completion=Completion(
            request_id=request_id,
            workload="latency",
            example_id=request_id,
            segment=segment,
            text="word " * len(offsets),
            finish_reason="stop",
            method="generated",
            prompt_tokens=prompt_tokens,
            cached_tokens=cached_tokens,
            output_tokens=len(offsets) if output_tokens is None else output_tokens,
            ready_at_seconds=1.0,
            started_at_seconds=1.25,
            chunk_offsets_seconds=offsets,
            chunk_tokens=(1,) * len(offsets),
            finished_at_seconds=9.0,
        )
    )


def run_result(
    name: str = "A",
    completions: Sequence[CompletionDone] = (),
    *,
    run_spec: RunSpec | None = None,
    status: RunStatus = "finished",
    failures: Sequence[FailureHappened] = (),
    memory: Sequence[MemorySample] = (),
) -> RunResult:
    asked = run_spec or spec(name)
    return RunResult(
        spec=asked,
        status=status,
        started=(RunStarted(key=asked.key, segment=0, pid=7, started_at=CREATED, packages={"numpy": "2"}),),
        loads=(ModelLoaded(segment=0, load_seconds=1.5, loaded=LOADED),),
        windows=(
            WorkloadFinished(segment=0, workload="accuracy", started_at_seconds=2.0, finished_at_seconds=4.0),
            WorkloadFinished(segment=0, workload="latency", started_at_seconds=4.0, finished_at_seconds=9.0),
        ),
        completions=tuple(completions),
        memory=tuple(memory),
        failures=tuple(failures),
    )


def failure(example_id: str | None, workload: Literal["accuracy", "latency"] | None = "accuracy") -> FailureHappened:
    return FailureHappened(
        workload=workload,
        failure=Failure(
            stage="request", kind="engine", message="It broke.", hint="Read the log.", example_id=example_id
        ),
    )


def answers(name: str, *given: str, run_spec: RunSpec | None = None) -> RunResult:
    """A run whose examples were answered in order: `right`, `wrong`, or the name of a validity."""
    asked = run_spec or spec(name, examples=len(given))
    done = []
    for each, said in zip(asked.test_set.examples, given, strict=True):
        other = LABELS[1 - LABELS.index(each.target)]
        if said in {"right", "wrong"}:
            done.append(judged(each.id, each.target if said == "right" else other, target=each.target))
        else:
            done.append(judged(each.id, "mumble", target=each.target, validity=Validity(said)))
    return run_result(name, done, run_spec=asked)


def benchmark(*candidates: str, name: str = "demo", run_spec: RunSpec | None = None) -> Benchmark:
    asked = run_spec or spec()
    return Benchmark(
        name=name,
        created_at=CREATED,
        test_set_name=asked.test_set.name,
        test_set_hash=asked.test_set.content_hash,
        task=asked.test_set.task,
        labels=LABELS,
        examples=len(asked.test_set.examples),
        candidates=candidates,
        workloads=asked.workloads,
        seed=0,
        requirements=Requirements(),
    )


def old_vote(**changes: object) -> Vote:
    """A vote as versions before 0.5 kept them, without a round."""
    facts: dict[str, object] = {
        "id": "1",
        "created_at": "2026-03-01T12:00:00+01:00",
        "prompt": "Hi",
        "left": "A",
        "right": "B",
        "outcome": "tie",
        "blind": True,
        "left_text": "<b>",
        "right_text": "",
    }
    return Vote.model_validate(facts | changes)


def outcome(
    number: int,
    right: bool | None,
    *,
    validity: Validity | None = None,
    group: str | None = None,
    weight: float = 1.0,
    probability: float | None = None,
) -> ExampleOutcome:
    """Outcome of `example(number)`."""
    asked = example(number)
    other = LABELS[1 - LABELS.index(asked.target)]
    happened = validity or (Validity.FAILED if right is None else Validity.SCORED)
    said = asked.target if right else other
    return ExampleOutcome(
        example_id=asked.id,
        target=asked.target,
        slices=asked.slices | ({} if group is None else {"group": group}),
        validity=happened,
        predicted=said if happened is Validity.SCORED else None,
        right=right,
        weight=weight,
        probability=probability,
    )


def measurements(name: str, outcomes: Sequence[ExampleOutcome]) -> RunMeasurements:
    return RunMeasurements(
        candidate=candidate(name),
        options=ScriptedOptions(),
        run_key="key",
        status="finished",
        labels=LABELS,
        scorers=(LabelMatchOptions(),),
        scored=(ScorerOutcomes(scorer="label_match", values=tuple(_value(outcome) for outcome in outcomes)),),
        outcomes=tuple(outcomes),
    )


def _value(outcome: ExampleOutcome) -> float | None:
    return None if outcome.right is None else float(outcome.right)


def estimate(value: float | None, n: int = 100) -> Estimate | None:
    return None if value is None else Estimate(value=value, low=value * 0.9, high=value * 1.1, n=n, method="made")


def metric(value: Estimate, **changes: object) -> MetricEstimate:
    """Accuracy, unless said otherwise."""
    facts: dict[str, object] = {"name": "accuracy", "title": "Accuracy", "scorer": "label_match", "unit": "share"}
    return MetricEstimate.model_validate(facts | {"estimate": value} | changes)


def summary(
    name: str,
    *,
    accuracy: float | None = 0.8,
    latency: float | None = 1.0,
    memory: int | None = 2**30,
    verdict: Verdict = ALLOWED,
) -> CandidateSummary:
    """A summary with the three values that are ranked."""
    quality = (
        None
        if accuracy is None
        else Estimate(value=accuracy, low=accuracy - 0.05, high=min(1, accuracy + 0.05), n=200, method="made")
    )
    return CandidateSummary(
        candidate=candidate(name),
        options=ScriptedOptions(),
        run_key="key",
        status="finished",
        verdict=verdict,
        metrics=() if quality is None else (metric(quality),),
        accuracy=quality,
        e2e_p50_seconds=estimate(latency),
        e2e_p95_seconds=None if latency is None else estimate(latency * 2),
        peak_memory_bytes=memory,
        peak_memory_method=None if memory is None else "PSS",
    )
