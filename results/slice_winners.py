"""Good at what: who is best at each part of the test set, as far as the data of that part shows it.

Says in one sentence a slice what the comparison tested there (`BenchmarkComparison.slice_pairs`); tests nothing itself.
"""

from collections.abc import Sequence

from results import numbers
from results.comparison import pair_of, shows_difference
from results.metric_words import in_prose, shown, signed
from results.recommendation_records import SliceWinner
from results.records import BenchmarkComparison, Comparison, MetricEstimate

_Slice = tuple[str, str]
"""Column and value."""


def slice_winners(comparison: BenchmarkComparison, ranked: Sequence[str]) -> tuple[SliceWinner, ...]:
    """The best of the ranked candidates on every slice whose pairs were tested; candidates come best first.

    Nothing for fewer than two candidates, nor for a slice that is all of the test set.
    """
    by_slice: dict[_Slice, list[Comparison]] = {}
    for each in comparison.slice_pairs:
        if {each.pair.first, each.pair.second} <= set(ranked):
            by_slice.setdefault((each.column, each.value), []).append(each.pair)
    whole = {s.candidate.name: s.quality.estimate.n for s in comparison.candidates if s.quality is not None}
    winners = []
    for place, pairs in by_slice.items():
        found = _qualities(comparison, place, ranked)
        if len(found) > 1 and any(quality.estimate.n < whole[name] for name, quality in found.items()):
            winners.append(_winner(place, pairs, found))
    return tuple(winners)


def _qualities(comparison: BenchmarkComparison, place: _Slice, ranked: Sequence[str]) -> dict[str, MetricEstimate]:
    """Quality of every ranked candidate on the slice, in their order."""
    found = {
        summary.candidate.name: part.quality
        for summary in comparison.candidates
        for part in summary.slices
        if (part.column, part.value) == place and part.quality is not None
    }
    return {name: found[name] for name in ranked if name in found}


def _winner(place: _Slice, pairs: Sequence[Comparison], found: dict[str, MetricEstimate]) -> SliceWinner:
    # Of equals the first, which is the one ranked higher.
    best = max(found, key=lambda name: signed(found[name]))
    told = [name for name in found if name != best and _is_told(pairs, best, name)]
    close = tuple(name for name in found if name != best and name not in told)
    n = min(pair.n for pair in pairs)
    return SliceWinner(
        column=place[0],
        value=place[1],
        n=n,
        best=best,
        quality=found[best].estimate.value,
        not_separated=close,
        sentence=_sentence(f"{place[0]} = {place[1]}", n, (best, found[best]), (told, close)),
    )


def _is_told(pairs: Sequence[Comparison], best: str, other: str) -> bool:
    pair = pair_of(pairs, best, other)
    return pair is not None and shows_difference(pair)


def _sentence(
    where: str, n: int, winner: tuple[str, MetricEstimate], others: tuple[Sequence[str], Sequence[str]]
) -> str:
    (best, metric), (told, close) = winner, others
    name, size = in_prose(metric.title), f"n = {numbers.count(n)}"
    value = shown(metric.estimate.value, metric)
    if not close:
        return f"{where}: {best} is best, {name} {value} at {size}, shown against {', '.join(told)}."
    better = f"; it is shown better than {', '.join(told)}" if told else ""
    return f"{where}: no difference shown at {size} between {best} ({name} {value}) and {', '.join(close)}{better}."
