"""All candidates of a benchmark side by side, and every pair of them on the examples that both were asked.

The word "better" is used only where McNemar's exact test, corrected over all pairs, says so. Everything else is "no
difference shown", with the smallest difference that this many examples could have shown.
"""

from collections.abc import Sequence
from itertools import combinations

from results import numbers
from results.errors import NothingToCompare
from results.quality import groups, judged
from results.records import (
    Benchmark,
    BenchmarkComparison,
    CandidateSummary,
    Comparison,
    ExampleOutcome,
    RunMeasurements,
)
from results.statistics import (
    holm,
    mcnemar_exact,
    paired_difference,
    smallest_detectable_difference,
)

SIGNIFICANCE = 0.05
"""An adjusted p below this shows a difference."""


def compare(
    benchmark: Benchmark, summaries: Sequence[CandidateSummary], measurements: Sequence[RunMeasurements]
) -> BenchmarkComparison:
    """Compare every pair of candidates, paired by example.

    summaries come in the order of the benchmark file; measurements are those they were made from, matched by
    candidate name. Pairs without common judged examples are left out. NothingToCompare without any summary.
    """
    if not summaries:
        raise NothingToCompare(f"Benchmark {benchmark.name!r} has no run yet. Run it first.")
    outcomes = {run.candidate.name: run.outcomes for run in measurements}
    names = [summary.candidate.name for summary in summaries]
    pairs = [_compare_pair((a, b), outcomes.get(a, ()), outcomes.get(b, ())) for a, b in combinations(names, 2)]
    found = [pair for pair in pairs if pair is not None]
    adjusted = holm([pair.p_value for pair in found])
    concluded = (_concluded(pair.model_copy(update={"p_adjusted": p})) for pair, p in zip(found, adjusted, strict=True))
    return BenchmarkComparison(benchmark=benchmark, candidates=tuple(summaries), pairs=tuple(concluded))


def shows_difference(pair: Comparison) -> bool:
    """Whether the corrected test tells the two apart.

    Grouped examples are not independent, which McNemar's test assumes; there the interval of the difference, which
    is resampled by group, must exclude zero as well.
    """
    if pair.p_adjusted >= SIGNIFICANCE:
        return False
    if not pair.grouped:
        return True
    low, high = pair.difference.low, pair.difference.high
    return low is not None and high is not None and (low > 0 or high < 0)


def pair_of(pairs: Sequence[Comparison], first: str, second: str) -> Comparison | None:
    """The comparison of two candidates in either order; None where they have no common examples."""
    return next((pair for pair in pairs if {pair.first, pair.second} == {first, second}), None)


def _compare_pair(
    names: tuple[str, str], first: Sequence[ExampleOutcome], second: Sequence[ExampleOutcome]
) -> Comparison | None:
    """One pair, before the correction over all pairs."""
    other = {outcome.example_id: outcome for outcome in judged(second)}
    common = [outcome for outcome in judged(first) if outcome.example_id in other]
    if not common:
        return None
    ours = [bool(outcome.right) for outcome in common]
    theirs = [bool(other[outcome.example_id].right) for outcome in common]
    n = len(common)
    both = sum(a and b for a, b in zip(ours, theirs, strict=True))
    only_first, only_second = sum(ours) - both, sum(theirs) - both
    p_value = mcnemar_exact(only_first, only_second)
    by_group = groups(common)
    return Comparison(
        first=names[0],
        second=names[1],
        n=n,
        both_right=both,
        only_first_right=only_first,
        only_second_right=only_second,
        both_wrong=n - both - only_first - only_second,
        difference=paired_difference(
            [float(right) for right in ours], [float(right) for right in theirs], groups=by_group
        ),
        grouped=by_group is not None,
        p_value=p_value,
        p_adjusted=p_value,
        smallest_detectable_difference=smallest_detectable_difference(n, (only_first + only_second) / n),
        conclusion="",
    )


def _concluded(pair: Comparison) -> Comparison:
    """The pair with its sentence."""
    return pair.model_copy(update={"conclusion": _conclusion(pair)})


def _conclusion(pair: Comparison) -> str:
    """One sentence from the pair's numbers."""
    first = numbers.percent((pair.both_right + pair.only_first_right) / pair.n)
    second = numbers.percent((pair.both_right + pair.only_second_right) / pair.n)
    n, p = numbers.count(pair.n), f"adjusted {numbers.p_value(pair.p_adjusted)}"
    if shows_difference(pair):
        names, shares = (pair.first, pair.second), (first, second)
        if pair.difference.value < 0:
            names, shares = names[::-1], shares[::-1]
        return f"{names[0]} is better than {names[1]}: {shares[0]} against {shares[1]} right at n = {n} ({p})."
    start = (
        f"No difference shown between {pair.first} and {pair.second} at n = {n} ({first} against {second} right, {p})"
    )
    if pair.smallest_detectable_difference is None:
        apart = numbers.things(pair.only_first_right + pair.only_second_right, "example")
        return f"{start}; only {apart} set them apart, too few to show any."
    if pair.p_adjusted < SIGNIFICANCE:
        return f"{start}; examples come in groups, and resampled by group the difference may be nothing."
    return f"{start}; this n could have shown about {numbers.points(pair.smallest_detectable_difference)}."
