"""All candidates of a benchmark side by side, and every pair of them on the examples that both were asked.

The word "better" is used only where the test, corrected over all pairs, says so. Everything else is "no difference
shown", with the smallest difference that this many examples could have shown. The numbers of a pair are made in
results/pairs.py, its sentence in results/conclusions.py.
"""

from collections.abc import Sequence
from itertools import combinations

from results.conclusions import concluded
from results.errors import NothingToCompare
from results.pairs import Examples, MetricTable, Pair, compare_pairs, examples_of, metric_tables
from results.records import (
    Benchmark,
    BenchmarkComparison,
    CandidateSummary,
    Comparison,
    NotWorse,
    RunMeasurements,
    SliceComparison,
)
from results.slices import members
from results.statistics import MINIMUM_FOR_BOOTSTRAP, holm

SIGNIFICANCE = 0.05
"""An adjusted p below this shows a difference; half of it, one-sided, that one is not worse by a margin."""


def compare(
    benchmark: Benchmark, summaries: Sequence[CandidateSummary], measurements: Sequence[RunMeasurements]
) -> BenchmarkComparison:
    """Compare every pair of candidates in every metric, paired by example.

    summaries come in the order of the benchmark file; measurements are those they were made from, matched by
    candidate name. Pairs without common judged examples are left out, and so are candidates that were stopped early:
    when to stop was decided by their answers, which no test of a fixed number of examples allows for (Armitage et al.
    1969); the bet that stopped them has the word. NothingToCompare without any summary.
    """
    if not summaries:
        raise NothingToCompare(f"Benchmark {benchmark.name!r} has no run yet. Run it first.")
    runs = {run.candidate.name: run for run in measurements}
    names = [summary.candidate.name for summary in summaries]
    compared = [runs[name] for name in names if name in runs and runs[name].status != "stopped"]
    examples = examples_of(compared)
    tables = metric_tables(compared, examples)
    margin = benchmark.requirements.margin
    by_metric = [
        _corrected(list(compare_pairs(table, _pairs(table), examples, None if place else margin)))
        for place, table in enumerate(tables)
    ]
    return BenchmarkComparison(
        benchmark=benchmark,
        candidates=tuple(summaries),
        pairs=by_metric[0] if by_metric else (),
        metric_pairs=tuple(pair for pairs in by_metric[1:] for pair in pairs),
        slice_pairs=_slice_pairs(tables[0], compared, examples) if tables else (),
    )


def shows_difference(pair: Comparison) -> bool:
    """Whether the corrected test tells the two apart."""
    return pair.p_adjusted < SIGNIFICANCE


def pair_of(pairs: Sequence[Comparison], first: str, second: str) -> Comparison | None:
    """The comparison of two candidates in either order; None where they have no common examples."""
    return next((pair for pair in pairs if {pair.first, pair.second} == {first, second}), None)


def _pairs(table: MetricTable) -> list[Pair]:
    """Every two candidates that have common examples in a metric."""
    found = []
    for first, second in combinations(table.units, 2):
        common = table.judged[first] & table.judged[second]
        if common.any():
            found.append(Pair(first, second, common))
    return found


def _slice_pairs(
    table: MetricTable, runs: Sequence[RunMeasurements], examples: Examples
) -> tuple[SliceComparison, ...]:
    """Every pair on every slice with enough independent examples, corrected over all of them together."""
    outcomes = [outcome for run in runs for outcome in run.outcomes]
    places, pairs = [], []
    for place, ids in members(outcomes).items():
        inside = examples.mask(ids)
        for pair in _pairs(table):
            common = pair.common & inside
            if examples.clusters(common) >= MINIMUM_FOR_BOOTSTRAP:
                places.append(place)
                pairs.append(pair._replace(common=common))
    found = _corrected(list(compare_pairs(table, pairs, examples)))
    return tuple(
        SliceComparison(column=column, value=value, pair=pair)
        for (column, value), pair in zip(places, found, strict=True)
    )


def _corrected(pairs: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """The pairs after Holm's correction over all of them, with their sentences."""
    adjusted = holm([pair.p_value for pair in pairs])
    margins = [pair.not_worse for pair in pairs if pair.not_worse is not None]
    judged = iter(_margins_corrected(margins))
    done = []
    for pair, p in zip(pairs, adjusted, strict=True):
        not_worse = next(judged) if pair.not_worse is not None else None
        done.append(concluded(pair.model_copy(update={"p_adjusted": p, "not_worse": not_worse}), p < SIGNIFICANCE))
    return tuple(done)


def _margins_corrected(found: Sequence[NotWorse]) -> list[NotWorse]:
    adjusted = holm([each.p_value for each in found])
    return [
        each.model_copy(update={"p_adjusted": p, "shown": p < SIGNIFICANCE / 2})
        for each, p in zip(found, adjusted, strict=True)
    ]
