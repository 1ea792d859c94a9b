"""Holds a benchmark that was run again against the figures of its report.

A report carries estimates, not the answers behind them, so that nothing can be paired: figures are compared by their
intervals alone. Two 95 % intervals that do not overlap are a difference that chance hardly makes; two that do overlap
show no agreement beyond that. Where the runs of the report are stored here, results/regression.py can tell more.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from catalog.records import Machine
from results import numbers
from results.metric_words import unit_of
from results.records import BenchmarkComparison, CandidateSummary, Estimate
from results.regression_records import SpecChange
from results.repetition_records import Agreement, RepeatedFigure, Repetition

_TOLERANCE = 1e-12
"""Below this, two figures are the same number."""
_POINT = "single value"


class Reported(NamedTuple):
    """One side: what was measured, and what was recommended of it."""

    comparison: BenchmarkComparison
    winner: str | None
    workbench_version: str


class _Figure(NamedTuple):
    what: str
    unit: numbers.Unit
    of: Callable[[CandidateSummary], Estimate | None]


def _point(value: float | None) -> Estimate | None:
    return None if value is None else Estimate(value=float(value), n=1, method=_POINT)


_FIGURES = (
    _Figure("Time to first token, p50", "seconds", lambda summary: summary.ttft_p50_seconds),
    _Figure("End to end, p50", "seconds", lambda summary: summary.e2e_p50_seconds),
    _Figure("End to end, p95", "seconds", lambda summary: summary.e2e_p95_seconds),
    _Figure("Decode", "rate", lambda summary: summary.decode_tokens_per_second),
    _Figure("Load", "seconds", lambda summary: _point(summary.load_seconds)),
    _Figure("Peak memory", "bytes", lambda summary: _point(summary.peak_memory_bytes)),
)


def repetition(before: Reported, after: Reported) -> Repetition:
    """Every figure of both sides, what changed between them, and what follows."""
    old = {summary.candidate.name: summary for summary in before.comparison.candidates}
    new = {summary.candidate.name: summary for summary in after.comparison.candidates}
    names = [*old, *(name for name in new if name not in old)]
    figures = tuple(figure for name in names for figure in _figures(name, old.get(name), new.get(name)))
    qualities = {
        summary.quality.title for summary in (*old.values(), *new.values()) if summary.quality is not None
    }  # the first metric of the first scorer; one title unless the scorers changed
    judged = [figure for figure in figures if figure.what in qualities]
    good = all(figure.agreement in {"equal", "overlap", "no interval"} for figure in judged)
    agrees = before.winner == after.winner and good
    return Repetition(
        report=before.comparison.benchmark.name,
        benchmark=after.comparison.benchmark.name,
        changes=tuple(_changes(before, after)),
        figures=figures,
        winner_before=before.winner,
        winner_after=after.winner,
        agrees=agrees,
        conclusion=_conclusion((before.winner, after.winner), judged, figures),
    )


def _figures(name: str, old: CandidateSummary | None, new: CandidateSummary | None) -> Iterator[RepeatedFigure]:
    metrics = {metric.name: metric for side in (old, new) if side is not None for metric in side.metrics}
    for metric in metrics.values():
        ends = [
            next((found.estimate for found in side.metrics if found.name == metric.name), None) if side else None
            for side in (old, new)
        ]
        yield from _figure(name, metric.title, unit_of(metric), (ends[0], ends[1]))
    for figure in _FIGURES:
        yield from _figure(
            name, figure.what, figure.unit, (figure.of(old) if old else None, figure.of(new) if new else None)
        )


def _figure(
    name: str, what: str, unit: numbers.Unit, ends: tuple[Estimate | None, Estimate | None]
) -> Iterator[RepeatedFigure]:
    before, after = ends
    if before is None and after is None:
        return
    agreement = _agreement(before, after)
    yield RepeatedFigure(candidate=name, what=what, unit=unit, before=before, after=after, agreement=agreement)


def _agreement(before: Estimate | None, after: Estimate | None) -> Agreement:
    if before is None or after is None:
        return "only after" if before is None else "only before"
    if abs(before.value - after.value) <= _TOLERANCE:
        return "equal"
    if before.low is None or before.high is None or after.low is None or after.high is None:
        return "no interval"
    return "overlap" if before.low <= after.high and after.low <= before.high else "apart"


def _changes(before: Reported, after: Reported) -> Iterator[SpecChange]:
    """What is recorded of both and differs."""
    for what, old, new in (*_shared(before, after), *_of_candidates(before, after)):
        if old != new:
            yield SpecChange(what=what, before=old, after=new)


def _shared(before: Reported, after: Reported) -> Iterator[tuple[str, str, str]]:
    old, new = before.comparison.benchmark, after.comparison.benchmark
    yield "test set", _test_set(before), _test_set(after)
    yield "seed", str(old.seed), str(new.seed)
    yield "machine", _machine(old.machine), _machine(new.machine)
    yield "workbench", before.workbench_version, after.workbench_version


def _of_candidates(before: Reported, after: Reported) -> Iterator[tuple[str, str, str]]:
    new = {summary.candidate.name: summary for summary in after.comparison.candidates}
    for old in before.comparison.candidates:
        name = old.candidate.name
        if (other := new.get(name)) is None:
            continue
        yield f"{name}: revision", _known(old.candidate.revision), _known(other.candidate.revision)
        yield f"{name}: weights", _known(old.candidate.weights_sha256), _known(other.candidate.weights_sha256)
        yield f"{name}: engine", _engine(old), _engine(other)


def _conclusion(
    winners: tuple[str | None, str | None], judged: list[RepeatedFigure], figures: tuple[RepeatedFigure, ...]
) -> str:
    return " ".join((_winners(*winners), *_quality(judged), *_others(judged, figures)))


def _winners(before: str | None, after: str | None) -> str:
    if before == after:
        return "Both recommend nothing." if before is None else f"Both recommend {before}."
    return f"The report recommends {before or 'nothing'}, the repetition {after or 'nothing'}."


def _quality(judged: list[RepeatedFigure]) -> Iterator[str]:
    words = {
        "equal": "is exactly the same for",
        "overlap": "differs within the intervals for",
        "no interval": "differs, without an interval to judge it by, for",
        "apart": "lies apart, with intervals that do not overlap, for",
        "only before": "was not measured again for",
        "only after": "is not in the report for",
    }
    for what in dict.fromkeys(figure.what for figure in judged):
        for agreement, verb in words.items():
            names = [f.candidate for f in judged if f.what == what and f.agreement == agreement]
            if names:
                yield f"{what} {verb} {', '.join(names)}."


def _others(judged: list[RepeatedFigure], figures: tuple[RepeatedFigure, ...]) -> Iterator[str]:
    others = [figure for figure in figures if figure not in judged and figure.agreement != "no interval"]
    apart = sum(figure.agreement == "apart" for figure in others)
    if others:
        yield f"Of {numbers.things(len(others), 'other figure')} with intervals, {apart} lie apart."


def _test_set(side: Reported) -> str:
    benchmark = side.comparison.benchmark
    return f"{numbers.things(benchmark.examples, 'example')}, hash {benchmark.test_set_hash[:12]}"


def _machine(machine: Machine | None) -> str:
    if machine is None:
        return "not recorded"
    gpus = "".join(f", {gpu.name}" for gpu in machine.gpus)
    return f"{machine.cpu}, {machine.logical_cores} logical cores{gpus}"


def _engine(summary: CandidateSummary) -> str:
    loaded = summary.loaded
    return "not recorded" if loaded is None else f"{loaded.engine} {loaded.engine_version}"


def _known(value: str | None) -> str:
    return value or "not recorded"
