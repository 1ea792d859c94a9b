"""Between records and rows: what the store writes into its tables and how it reads them back. Knows no database.

Text comes from models and files, so it may
hold anything: NUL and markup are kept as they are (whoever renders it escapes it), and lone surrogates, which no
UTF-8 file can hold, become U+FFFD.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter

from catalog.records import Record
from results.records import (
    Answer,
    ExampleOutcome,
    ExampleResult,
    LevelMeasurements,
    RequestTiming,
    ScorerOutcomes,
    ScoreSummary,
    VariationOutcomes,
    Vote,
)
from results.tables import COMPLETIONS, FAILURES, LOADS, MEMORY_SAMPLES, SCORES, SEGMENTS, STOPS, WINDOWS, Table
from runners.records import (
    ChoiceScore,
    Completion,
    CompletionDone,
    EarlyStop,
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
    WorkloadFinished,
)
from runners.scorer_options import PassOptions
from runners.test_set_records import Example

VOTE_COLUMNS = tuple(Vote.model_fields)
TIMING_COLUMNS = tuple(RequestTiming.model_fields)
LEVEL_COLUMNS = tuple(LevelMeasurements.model_fields)
LOAD_COLUMNS = ("load_seconds", "load_cached_share", "cold_load_seconds", "warm_load_seconds", "warm_loads", "loaded")
FIRST_REQUEST_COLUMNS = ("first_request_ttft_seconds", "first_request_e2e_seconds")
MEMORY_COLUMNS = (
    "peak_memory_bytes",
    "peak_memory_method",
    "peak_mapped_file_bytes",
    "high_water_bytes",
    "peak_gpu_bytes",
)
STOP_COLUMNS = tuple(EarlyStop.model_fields)
SCORE_COLUMNS = ("scorer", "example_id", "validity", "value", "counts")
OUTCOME_COLUMNS = tuple(ExampleOutcome.model_fields)

_PASS_OPTIONS: TypeAdapter[PassOptions] = TypeAdapter(PassOptions)

Row = dict[str, object]
"""Values by column, inside this package only."""


def clean(value: object) -> object:
    """The value as the database can hold it: lone surrogates in text become U+FFFD, at any depth of lists."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return str(value)
    if isinstance(value, list | tuple):
        return [clean(item) for item in value]
    return value


def to_json(value: object) -> str:
    """A record, or plain values, as JSON text that the database can hold."""
    plain = value.model_dump(mode="json") if isinstance(value, Record) else value
    return str(clean(json.dumps(plain, ensure_ascii=False, allow_nan=False)))


def example_rows(spec: RunSpec) -> list[Row]:
    """The examples of a run's test set."""
    content_hash = spec.test_set.content_hash
    return [
        {
            "test_set_hash": content_hash,
            "position": position,
            "id": example.id,
            "inputs": to_json(example.inputs),
            "target": example.target,
            "slices": to_json(example.slices),
            "row": example.row,
            "accepted": list(example.accepted) or None,
            "choices": list(example.choices) or None,
            "passages": list(example.passages) or None,
            "relevant": list(example.relevant) or None,
            "weight": example.weight,
        }
        for position, example in enumerate(spec.test_set.examples)
    ]


def spec_from(text: str, examples: Sequence[Row]) -> RunSpec:
    """The spec, put together again."""
    spec = json.loads(text)
    spec["test_set"]["examples"] = [example_from(row) for row in examples]
    return RunSpec.model_validate(spec)


def run_rows(result: RunResult) -> tuple[tuple[Table, list[Row]], ...]:
    """Rows of every part of a run, without the columns that say which run it is."""
    done = result.completions
    return (
        (SEGMENTS, [_fields(started, SEGMENTS) for started in result.started]),
        (LOADS, [_fields(load, LOADS) for load in result.loads]),
        (WINDOWS, [_fields(window, WINDOWS) for window in result.windows]),
        (COMPLETIONS, [_completion_row(place, event.completion) for place, event in enumerate(done)]),
        (SCORES, [row for place, event in enumerate(done) for row in _score_rows(place, event)]),
        (MEMORY_SAMPLES, [_placed(sample, place, MEMORY_SAMPLES) for place, sample in enumerate(result.memory)]),
        (
            FAILURES,
            [
                _placed(event.failure, place, FAILURES) | {"workload": event.workload, "level": event.level}
                for place, event in enumerate(result.failures)
            ],
        ),
        (STOPS, [_placed(result.stopped, 0, STOPS)] if result.stopped is not None else []),
    )


def pass_rows(scores: Sequence[Score], positions: Mapping[str, int]) -> list[Row]:
    """Rows of scores that came after a run; positions of its completions by request."""
    return [
        _placed(score, positions[score.request_id], SCORES) | {"workload": "accuracy", "validity": score.validity.value}
        for score in scores
        if score.request_id in positions
    ]


def passes_from(found: Sequence[Row]) -> tuple[PassOptions, ...]:
    """Options of the scorers that judged a run later."""
    return tuple(_PASS_OPTIONS.validate_json(str(row["definition"])) for row in found)


def run_values(result: RunResult) -> list[object]:
    """The columns of table `runs` after benchmark and candidate."""
    spec = result.spec
    return [
        spec.key,
        result.status,
        spec.test_set.content_hash,
        spec.test_set.scorers[0].name if spec.test_set.scorers else None,
        [workload.kind for workload in spec.workloads],
        to_json(spec.model_dump(mode="json", exclude={"test_set": {"examples"}})),
    ]


def run_from(spec: RunSpec, status: str, parts: dict[str, list[Row]]) -> RunResult:
    """A run put together from the rows of its tables, each in its order."""
    scores: dict[object, list[Score]] = {}
    for row in parts[SCORES.name]:
        counts = {} if row["counts"] is None else _json(row["counts"])
        scores.setdefault(row["position"], []).append(Score.model_validate(_only(row, Score) | {"counts": counts}))
    return RunResult.model_validate(
        {
            "spec": spec,
            "status": status,
            "started": [
                RunStarted.model_validate(_only(row, RunStarted) | {"packages": _json(row["packages"])})
                for row in parts[SEGMENTS.name]
            ],
            "loads": [
                ModelLoaded.model_validate(
                    _only(row, ModelLoaded) | {"loaded": _json(row["loaded"]), "repeat": row["repeat"] or 0}
                )
                for row in parts[LOADS.name]
            ],
            "windows": [WorkloadFinished.model_validate(_only(row, WorkloadFinished)) for row in parts[WINDOWS.name]],
            "completions": [
                CompletionDone(completion=_completion(row), scores=tuple(scores.get(row["position"], ())))
                for row in parts[COMPLETIONS.name]
            ],
            "memory": [MemorySample.model_validate(_only(row, MemorySample)) for row in parts[MEMORY_SAMPLES.name]],
            "failures": [
                FailureHappened.model_validate(
                    {"workload": row["workload"], "level": row["level"], "failure": failure_from(row)}
                )
                for row in parts[FAILURES.name]
            ],
            "stopped": stop_from(parts[STOPS.name]),
        }
    )


def stop_from(found: Sequence[Row]) -> EarlyStop | None:
    """Why a run was stopped early; None where it was not."""
    return EarlyStop.model_validate(_only(found[0], EarlyStop)) if found else None


def failure_from(row: Row) -> Failure:
    """One failure."""
    return Failure.model_validate(_only(row, Failure))


def outcome_from(row: Row) -> ExampleOutcome:
    """One example's outcome."""
    return ExampleOutcome.model_validate(row | {"slices": _json(row["slices"])})


def scored_from(found: Sequence[Row], scorers: Sequence[str], examples: Sequence[str]) -> tuple[ScorerOutcomes, ...]:
    """Rows of `score_outcomes` of one run as columns: one record per scorer, each in the order of the examples."""
    by_scorer: dict[object, dict[object, Row]] = {}
    for row in found:
        by_scorer.setdefault(row["scorer"], {})[row["example_id"]] = row
    return tuple(_scored_column(name, by_scorer.get(name, {}), examples) for name in scorers)


def _scored_column(name: str, rows: dict[object, Row], examples: Sequence[str]) -> ScorerOutcomes:
    counts = [_json(rows[e]["counts"]) if e in rows and rows[e]["counts"] is not None else {} for e in examples]
    names = sorted({key for each in counts for key in each})
    return ScorerOutcomes.model_validate(
        {
            "scorer": name,
            "values": [rows[example]["value"] if example in rows else None for example in examples],
            "counts": {key: [each.get(key) for each in counts] for key in names},
        }
    )


def variations_from(found: Sequence[Row]) -> tuple[VariationOutcomes, ...]:
    """Rows of `variation_outcomes` of one run, each variation's in the order of the examples."""
    by_variation: dict[str, list[Row]] = {}
    for row in found:
        by_variation.setdefault(str(row["variation"]), []).append(row)
    return tuple(
        VariationOutcomes(
            variation=variation,
            outcomes=tuple(outcome_from(_only(row, ExampleOutcome)) for row in part),
            answers=tuple(str(row["text"]) for row in part),
            counts=_counts_of(part),
        )
        for variation, part in by_variation.items()
    )


def _counts_of(found: Sequence[Row]) -> dict[str, tuple[float | None, ...]]:
    counts = [{} if row["counts"] is None else _json(row["counts"]) for row in found]
    return {name: tuple(each.get(name) for each in counts) for name in sorted({key for c in counts for key in c})}


def score_summary_from(row: Row) -> ScoreSummary:
    """One line of the view `score_summary`; values that do not occur are left out."""
    counts = [{"validity": value, "count": row[value.value]} for value in Validity if row[value.value]]
    return ScoreSummary.model_validate(_only(row, ScoreSummary) | {"validity": counts})


def loaded_from(value: object) -> Loaded | None:
    """What the engine said, where it loaded."""
    return None if value is None else Loaded.model_validate(_json(value))


def answer_from(row: Row) -> Answer:
    """One candidate's answer to one example."""
    return Answer.model_validate(_only(row, Answer))


def example_results(found: Sequence[Row], candidates: Sequence[str]) -> tuple[ExampleResult, ...]:
    """One record per example; found is ordered by example, the answers come in the benchmark's order."""
    by_example: dict[object, dict[object, Row]] = {}
    for row in found:
        by_example.setdefault(row["example_id"], {})[row["candidate"]] = row
    results = []
    for answers in by_example.values():
        first = next(iter(answers.values()))
        results.append(
            ExampleResult(
                example_id=str(first["example_id"]),
                inputs=texts_from(first["inputs"]),
                target=str(first["target"]),
                slices=texts_from(first["slices"]),
                answers={name: answer_from(answers[name]) for name in candidates if name in answers},
            )
        )
    return tuple(results)


def texts_from(value: object) -> dict[str, str]:
    """Columns of an example by name."""
    return {str(name): str(text) for name, text in _json(value).items()}


def _fields(record: Record, table: Table) -> Row:
    """A record's fields that are columns; nested records and dicts as JSON."""
    row: Row = {}
    for name in type(record).model_fields:
        if name in table.columns:
            value = getattr(record, name)
            row[name] = to_json(value) if table.columns[name] == "JSON" else value
    return row


def _placed(record: Record, place: int, table: Table) -> Row:
    return {"position": place} | _fields(record, table)


def _completion_row(place: int, completion: Completion) -> Row:
    return _placed(completion, place, COMPLETIONS) | {
        "choices": [score.choice for score in completion.choice_scores],
        "choice_logprobs": [score.logprob for score in completion.choice_scores],
        "choice_tokens": [score.tokens for score in completion.choice_scores],
        "choice_baselines": [score.baseline_logprob for score in completion.choice_scores],
    }


def _score_rows(place: int, event: CompletionDone) -> Iterable[Row]:
    for score in event.scores:
        yield _placed(score, place, SCORES) | {
            "workload": event.completion.workload,
            "validity": score.validity.value,
        }


def _completion(row: Row) -> Completion:
    columns = [row[name] for name in ("choices", "choice_logprobs", "choice_tokens", "choice_baselines")]
    lists = [column for column in columns if isinstance(column, list)]
    if len(lists) != len(columns):
        raise TypeError("the four columns of scored choices are lists")
    scores = [
        ChoiceScore(choice=choice, logprob=logprob, tokens=count, baseline_logprob=baseline)
        for choice, logprob, count, baseline in zip(*lists, strict=True)
    ]
    # Runs stored before schema 2 did not keep which chunks were thinking.
    thinking = row["thinking_chunks"] or 0
    return Completion.model_validate(_only(row, Completion) | {"choice_scores": scores, "thinking_chunks": thinking})


def example_from(row: Row) -> Example:
    """One example of a test set."""
    return Example.model_validate(
        {name: value for name, value in _only(row, Example).items() if value is not None}
        | {"inputs": _json(row["inputs"]), "slices": _json(row["slices"])}
    )


def _only(row: Row, record: type[Record]) -> Row:
    """The columns that are fields of a record."""
    return {name: value for name, value in row.items() if name in record.model_fields}


def _json(value: object) -> dict[str, Any]:
    parsed = json.loads(str(value))
    if not isinstance(parsed, dict):
        raise TypeError(f"a JSON object was stored, not {type(parsed).__name__}")
    return parsed
