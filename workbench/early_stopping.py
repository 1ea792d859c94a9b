"""Stops candidates that can no longer win: holds each one, while it runs, against the best that is finished.

The bet itself is results/sequential.py's. What is decided here: against whom, how much evidence is needed, and when
an example counts. Quality must be a mean of the examples' scores, because a bet is settled example by example.
"""

from collections.abc import Sequence

from results.metrics import METRICS
from results.sequential import LosingBet
from runners.asking_order import shuffled
from runners.records import (
    CompletionDone,
    EarlyStop,
    FailureHappened,
    MemorySample,
    RunEvent,
    RunResult,
    RunSpec,
    Score,
    Validity,
    Workload,
    WorkloadStarted,
)
from runners.test_set_records import Example, TestSet
from workbench.errors import BadBenchmarkFile
from workbench.records import EarlyStopping

Values = dict[str, float | None]
"""Score by example; None where it was not judged."""


def workloads_in_random_order(workloads: Sequence[Workload], stopping: EarlyStopping | None) -> tuple[Workload, ...]:
    """The workloads as they are run: with early stopping, examples come in random order."""
    if stopping is None:
        return tuple(workloads)
    return tuple(
        workload.model_copy(update={"shuffle": True}) if workload.kind == "accuracy" else workload
        for workload in workloads
    )


class EarlyStops:
    """The candidates of one benchmark, as far as stopping them goes."""

    def __init__(
        self, stopping: EarlyStopping, test_set: TestSet, candidates: int, margin: float | None = None
    ) -> None:
        """Raises BadBenchmarkFile where quality is not a mean of the examples' scores."""
        metric = next(iter(METRICS.get(test_set.scorers[0].scorer, ())), None) if test_set.scorers else None
        if metric is None or not metric.is_mean:
            title = metric.title if metric is not None else "Quality"
            raise BadBenchmarkFile(
                f"early_stopping needs a quality that is a mean of the examples' scores, and {title} is not one. "
                "Leave early_stopping out, or put another scorer first."
            )
        self.stopping = stopping
        self.margin = margin or 0.0
        # Which candidate is the best so far is read from the same examples, so that every pair could be the one.
        self.threshold = max(1, candidates * (candidates - 1) // 2) / stopping.alpha
        self._finished: dict[str, Values] = {}

    def race(self, spec: RunSpec, earlier: RunResult | None = None) -> "Race | None":
        """The race of a candidate against the best that is finished; None where none is.

        earlier holds what a start before this one has answered.
        """
        means = {name: mean for name, values in self._finished.items() if (mean := _mean(values, spec)) is not None}
        if not means:
            return None
        best = max(means, key=lambda name: means[name])
        race = Race(self, spec, best, self._finished[best])
        for event in earlier.completions if earlier is not None else ():
            race(event)
        return race

    def finish(self, result: RunResult, race: "Race | None") -> RunResult:
        """The result as it is stored: `stopped`, with the reason, where the race ended it."""
        if race is not None and race.stop is not None and result.status == "cancelled":
            return result.model_copy(update={"status": "stopped", "stopped": race.saved(result)})
        if result.status == "finished":
            self._finished[result.spec.candidate.name] = _values(result)
        return result


class Race:
    """One candidate against another, example by example in the order in which they are asked."""

    def __init__(self, stops: EarlyStops, spec: RunSpec, against: str, theirs: Values) -> None:
        self._stops = stops
        self._against = against
        self._theirs = theirs
        self._ours: Values = {}
        self._units = list(shuffled(spec.test_set.examples, spec.seed))
        self._heaviest = max(sum(example.weight for example in unit) for unit in self._units)
        self._bet = LosingBet(stops.margin)
        self._common: list[Example] = []
        self._scorer = spec.test_set.scorers[0].name
        self._began_at: float | None = None
        self._last_at = 0.0
        self._timed = 0
        self.stop: EarlyStop | None = None
        """Set once the candidate can no longer win."""

    def __call__(self, event: RunEvent | MemorySample) -> None:
        """Take one event of the run."""
        match event:
            case WorkloadStarted() if event.workload == "accuracy":
                self._began_at, self._timed = event.at_seconds, 0
            case CompletionDone() if event.completion.workload == "accuracy" and event.completion.example_id:
                self._ours[event.completion.example_id] = _value(event.scores, self._scorer)
                self._timed += 1
                self._last_at = event.completion.finished_at_seconds or self._last_at
                self._settle()
            case FailureHappened() if event.failure.example_id and event.workload in {None, "accuracy"}:
                self._ours.setdefault(event.failure.example_id, None)
                self._settle()
            case _:
                return

    def saved(self, result: RunResult) -> EarlyStop:
        """The stop with what it saved: what was asked until the worker had ended is known only then."""
        if self.stop is None:
            raise AssertionError("only a race that was lost gets here")
        asked = {event.completion.example_id for event in result.completions if event.completion.workload == "accuracy"}
        left = len(result.spec.test_set.examples) - len(asked)
        each = (self._last_at - self._began_at) / self._timed if self._began_at is not None and self._timed else 0.0
        return self.stop.model_copy(
            update={
                "not_asked": left,
                "seconds_per_example": max(0.0, each),
                "seconds_saved": max(0.0, each) * left,
            }
        )

    def _settle(self) -> None:
        """Bet on every unit whose examples are all done, in order: a later one waits for those before it."""
        while self.stop is None and self._units and all(example.id in self._ours for example in self._units[0]):
            unit = self._units.pop(0)
            judged = [
                (example, ours, theirs)
                for example in unit
                if (ours := self._ours[example.id]) is not None and (theirs := self._theirs.get(example.id)) is not None
            ]
            if judged:
                weight = sum(example.weight for example, _, _ in judged)
                difference = sum(example.weight * (theirs - ours) for example, ours, theirs in judged) / weight
                # Sums of floating point numbers can leave the range by a hair.
                self._bet.add(max(-1.0, min(1.0, difference)), min(1.0, weight / self._heaviest))
                self._common += [example for example, _, _ in judged]
            enough = len(self._common) >= self._stops.stopping.min_examples
            if enough and self._units and self._bet.e_value >= self._stops.threshold:
                self.stop = self._lost()

    def _lost(self) -> EarlyStop:
        total = sum(example.weight for example in self._common)
        ours, theirs = (
            sum(example.weight * (values[example.id] or 0.0) for example in self._common) / total
            for values in (self._ours, self._theirs)
        )
        return EarlyStop(
            against=self._against,
            examples=len(self._common),
            value=ours,
            against_value=theirs,
            margin=self._stops.margin,
            e_value=self._bet.e_value,
            threshold=self._stops.threshold,
            alpha=self._stops.stopping.alpha,
        )


def _values(result: RunResult) -> Values:
    """Score of every example of a run, as its first scorer gave it; the last answer of an example counts."""
    scorer = result.spec.test_set.scorers[0].name
    return {
        event.completion.example_id: _value(event.scores, scorer)
        for event in result.completions
        if event.completion.workload == "accuracy" and event.completion.example_id is not None
    }


def _value(scores: Sequence[Score], scorer: str) -> float | None:
    """As it counts in quality: 0 for an answer that could not be judged, None where there was nothing to judge."""
    found = next((score for score in scores if score.scorer == scorer), None)
    if found is None or found.validity in {Validity.FAILED, Validity.SKIPPED}:
        return None
    return (found.value or 0.0) if found.validity is Validity.SCORED else 0.0


def _mean(values: Values, spec: RunSpec) -> float | None:
    judged = [
        (example.weight, value) for example in spec.test_set.examples if (value := values.get(example.id)) is not None
    ]
    total = sum(weight for weight, _ in judged)
    return sum(weight * value for weight, value in judged) / total if total else None
