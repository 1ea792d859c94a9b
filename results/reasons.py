"""Why each ranked candidate is where it is, and how values were made comparable, in sentences made from the numbers."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from results import numbers
from results.metric_words import in_prose, shown, shown_estimate
from results.ranking import DIMENSIONS, Shares, Standing, cheaper_by_money, utility
from results.records import CandidateSummary
from results.requirement_records import CandidateCost

_Row = tuple[str, Callable[[float | None], str]]
"""Title of a dimension and the formatter of its values."""


def reasons(
    index: int,
    order: Sequence[tuple[int, Standing]],
    summary: CandidateSummary,
    weights: Shares,
    costs: Sequence[CandidateCost] = (),
) -> tuple[str, ...]:
    """Why a candidate is where it is: one sentence per dimension, the sum, and how a shared rank was ordered."""
    rank, place = order[index]
    found = [_quality_reason(place, summary)]
    for dimension, (what, show) in enumerate(_burdens(costs), start=1):
        others = [other.values[dimension] for _, other in order if other.name != place.name]
        is_said = dimension < 3 or weights[dimension] > 0 or (dimension == 3 and costs)
        if is_said:
            found.append(_burden_reason(_Burden(what, show, dimension == 4), place.values[dimension], others))
    parts = " + ".join(
        f"{share:.2f} × {score:.2f} {name}"
        for share, score, name in zip(weights, place.scores, DIMENSIONS, strict=True)
        if share > 0
    )
    found.append(f"Utility {utility(place, weights):.2f} = {parts}.")
    level = [standing for other, standing in order if other == rank]
    if len(level) > 1:
        found.append(_shared(level, place, rank, weights, costs))
    return tuple(found)


def normalisation(standings: Sequence[Standing], weights: Shares, costs: Sequence[CandidateCost] = ()) -> str:
    """How the ranked candidates' values were made comparable, with both ends of each scale that has weight."""
    if not standings:
        return ""
    metric = next((standing.metric for standing in standings if standing.metric is not None), None)

    def show_quality(value: float | None) -> str:
        return shown(value, metric)

    rows: tuple[_Row, ...] = ((metric.title if metric else "Quality", show_quality), *_burdens(costs))
    ends = []
    for dimension, ((what, show), weight) in enumerate(zip(rows, weights, strict=True)):
        known = [value for s in standings if (value := s.values[dimension]) is not None]
        if weight > 0 and known:
            is_best_high = dimension == 4 or (dimension == 0 and (metric is None or metric.higher_is_better))
            best, worst = (max(known), min(known)) if is_best_high else (min(known), max(known))
            spread = f"{show(best)} is 1, {show(worst)} is 0" if best != worst else f"all {show(best)}, which is 1"
            ends.append(f"{in_prose(what)}: {spread}")
    among = numbers.things(len(standings), "ranked candidate")
    return (
        f"Each value is scaled linearly among the {among}, 1 for the best and 0 for the worst or for none; quality "
        f"that is not shown to differ from the best counts as equal to it. Of {'; of '.join(ends)}."
        if ends
        else ""
    )


def money_shower(costs: Sequence[CandidateCost]) -> Callable[[float | None], str]:
    """Formatter of amounts in the currency of the costs."""
    currency = costs[0].currency if costs else ""
    return lambda value: numbers.money(value, currency)


class _Burden(NamedTuple):
    """A dimension beside quality, in words."""

    what: str
    show: Callable[[float | None], str]
    more_is_better: bool


def _burdens(costs: Sequence[CandidateCost]) -> tuple[_Row, ...]:
    """Title and formatter of every dimension beside quality, in their order."""
    return (
        ("End to end (p50)", numbers.seconds),
        ("Peak memory", numbers.bytes_),
        ("Cost of 1,000 examples", money_shower(costs)),
        ("Throughput", _examples_per_second),
    )


def _shared(
    level: Sequence[Standing], place: Standing, rank: int, weights: Shares, costs: Sequence[CandidateCost]
) -> str:
    """Who shares the rank, and what put one before the other."""
    others = " and ".join(other.name for other in level if other.name != place.name)
    start = f"It shares rank {rank} with {others}: the data cannot separate them"
    at = level.index(place)
    before, after = (place, level[1]) if at == 0 else (level[at - 1], place)
    why = _cheaper_by(before, after, cheaper_by_money(level), weights, costs)
    if not why:
        return f"{start}, and nothing measured puts one before the other."
    return f"{start}. {f'It comes before {after.name}' if at == 0 else f'{before.name} comes first'} as the {why}."


def _cheaper_by(
    before: Standing, after: Standing, by_money: bool, weights: Shares, costs: Sequence[CandidateCost]
) -> str:
    """What put one before the other, in the order of results/ranking.py; empty where nothing did."""
    rows = _burdens(costs)
    sums = utility(before, weights), utility(after, weights)
    if by_money and before.values[3] != after.values[3]:
        show = rows[2][1]
        return f"cheaper one: {show(before.values[3])} against {show(after.values[3])} for 1,000 examples"
    if round(sums[0] - sums[1], 9) != 0:
        equal = before.values[0] == after.values[0]
        kind = "cheaper one in time and memory as weighted" if equal else "one with the higher weighted sum"
        return f"{kind}: utility {sums[0]:.2f} against {sums[1]:.2f}"
    for dimension in (3, 1, 2):
        if before.values[dimension] != after.values[dimension]:
            what, show = rows[dimension - 1]
            values = f"{show(before.values[dimension])} against {show(after.values[dimension])}"
            return f"cheaper one: {in_prose(what)} {values}"
    return "one of better quality" if before.values[0] != after.values[0] else ""


def _quality_reason(place: Standing, summary: CandidateSummary) -> str:
    metric = summary.quality
    if metric is None:
        return "Quality was not measured and counts as worst."
    said = f"{metric.title} {shown_estimate(metric)}"
    if place.tied_with_best:
        best = shown(place.values[0], metric)
        return f"{said}: not shown to differ from the best ({best}), so it counts as equal to it."
    return f"{said}."


def _burden_reason(burden: _Burden, value: float | None, others: Sequence[float | None]) -> str:
    """One sentence for a value beside quality."""
    show = burden.show
    if value is None:
        return f"{burden.what} was not measured and counts as worst."
    known = [other for other in others if other is not None]
    if not known:
        return f"{burden.what} {show(value)}."
    best, word = (max(known), "highest") if burden.more_is_better else (min(known), "lowest")
    if value >= best if burden.more_is_better else value <= best:
        return f"{burden.what} {show(value)}, the {word} of {len(known) + 1}."
    times = f"{numbers.ratio(value / best)} the {word}" if best > 0 else f"the {word} is"
    return f"{burden.what} {show(value)}, {times} ({show(best)})."


def _examples_per_second(value: float | None) -> str:
    return numbers.rate(value, "examples/s")
