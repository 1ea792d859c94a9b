"""Who comes first among the candidates that meet every limit: normalised values, weighted utility, ranks, Pareto front.

Five dimensions: quality (the test set's metric), latency (end to end p50), memory (peak), cost (of 1,000 examples) and
throughput (examples per second). Each is normalised among the candidates ranked: 1 for the best, 0 for the worst,
linear in between (Keeney & Raiffa 1976, §3.7 with linear value functions); all 1 where they do not differ, and 0 for a
value that was not measured. Utility is their sum weighted by shares that add up to 1.

Quality counts only as far as the data shows it: candidates that the corrected test cannot tell from the best count as
equal to it. Candidates that the data cannot separate share a rank, the cheaper one first (docs/recommending.md).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from results.comparison import pair_of, shows_difference
from results.cost import cost_of
from results.limits import memory_bytes
from results.records import CandidateSummary, Comparison, MetricEstimate
from results.requirement_records import CandidateCost, Dimension, Weights

Floats = NDArray[np.float64]

Shares = tuple[float, ...]
"""One number per dimension; shares of weight add up to 1."""

DIMENSIONS: tuple[Dimension, ...] = ("quality", "latency", "memory", "cost", "throughput")
"""Names of the dimensions in the order of Shares."""

SEPARATED = 0.95
"""Two candidates are separated where one has the higher utility in at least this share of the resamples."""

_ALWAYS = (0, 1, 2)
"""Dimensions that the Pareto front is always about; the others where they were measured and have weight or a price."""
_DECIMALS = 9
"""Utilities that agree to this many decimals are equal."""
_EQUAL = 10**-_DECIMALS


class Standing(NamedTuple):
    """One candidate on the dimensions."""

    name: str
    metric: MetricEstimate | None
    """Quality as measured."""
    values: tuple[float | None, ...]
    """Per dimension; quality as it counts: that of the best where the test cannot tell the two apart."""
    scores: Shares
    """The same, normalised to 0 to 1."""

    @property
    def tied_with_best(self) -> bool:
        """Whether its quality counts as other than its own."""
        return self.metric is not None and self.values[0] != self.metric.estimate.value


class Resampled(NamedTuple):
    """Normalised values of the same candidates, in the same order, on resampled examples and requests."""

    scores: Floats
    """Shape (dimensions, candidates, resamples), so that what is counted lies side by side; quality as measured there,
    without any tie."""

    def chances(self, first: int, weights: Shares) -> Floats:
        """Share of the resamples in which the first has the higher utility than each candidate; equal ones half."""
        dimensions, candidates, resamples = self.scores.shape
        utilities = (np.asarray(weights) @ self.scores.reshape(dimensions, -1)).reshape(candidates, resamples)
        ahead = utilities[first] - utilities
        # Those above count in both, the equal ones in one.
        counted = [np.count_nonzero(above) for above in ahead > _EQUAL]
        counted_with_equal = [np.count_nonzero(above) for above in ahead >= -_EQUAL]
        return np.asarray((np.array(counted) + np.array(counted_with_equal)) / 2 / resamples, dtype=np.float64)


class Field(NamedTuple):
    """Everybody who is ranked, and what the data says of how sure their order is."""

    standings: tuple[Standing, ...]
    resampled: Resampled | None = None
    """None: nothing was resampled, and only equal utilities are not separated."""
    told_apart: frozenset[frozenset[str]] = frozenset()
    """Pairs whose quality the corrected test shows to differ."""


def shares(weights: Weights) -> Shares:
    """Weights as shares of their sum; where all are 0, quality, latency and memory count equally."""
    values = [float(getattr(weights, name)) for name in DIMENSIONS]
    total = sum(values)
    if total == 0:
        return tuple(1 / 3 if place in _ALWAYS else 0.0 for place in range(len(values)))
    return tuple(value / total for value in values)


def standings(
    summaries: Sequence[CandidateSummary], pairs: Sequence[Comparison], costs: Sequence[CandidateCost] = ()
) -> tuple[Standing, ...]:
    """The candidates on the dimensions, in the order given."""
    if not summaries:
        return ()
    metrics = [summary.quality for summary in summaries]
    signs = directions(metrics)
    found = (cost_of(costs, summary.candidate.name) for summary in summaries)
    columns: list[list[float | None]] = [
        _counting_quality([s.candidate.name for s in summaries], metrics, pairs),
        [None if s.e2e_p50_seconds is None else s.e2e_p50_seconds.value for s in summaries],
        [memory_bytes(s) for s in summaries],
        [None if cost is None else cost.per_1000_examples for cost in found],
        [s.accuracy_examples_per_second for s in summaries],
    ]
    known = np.array(columns, dtype=np.float64).T.reshape(1, len(summaries), len(columns))
    scores = normalised(known * signs)[0]
    return tuple(
        Standing(
            summary.candidate.name,
            metrics[place],
            tuple(column[place] for column in columns),
            tuple(float(score) for score in scores[place]),
        )
        for place, summary in enumerate(summaries)
    )


def directions(metrics: Sequence[MetricEstimate | None]) -> Floats:
    """Per dimension 1 where more is better, -1 where less is."""
    known = next((metric for metric in metrics if metric is not None), None)
    quality = -1.0 if known is not None and not known.higher_is_better else 1.0
    return np.array([quality, -1.0, -1.0, -1.0, 1.0])


def normalised(values: Floats) -> Floats:
    """Values of which more is better, shape (…, candidates, dimensions), from 0 to 1; NaN is not measured, 0."""
    known = ~np.isnan(values)
    low = np.min(np.where(known, values, np.inf), axis=-2, keepdims=True)
    high = np.max(np.where(known, values, -np.inf), axis=-2, keepdims=True)
    some = np.isfinite(low) & np.isfinite(high)
    width = np.where(some, np.where(some, high, 0.0) - np.where(some, low, 0.0), 0.0)
    scaled = np.divide(
        np.where(known, values, 0.0) - np.where(some, low, 0.0),
        width,
        out=np.ones_like(values),
        where=np.broadcast_to(width > 0, values.shape),
    )
    return np.where(known, scaled, 0.0)


def utility(standing: Standing, weights: Shares) -> float:
    """Weighted sum of the normalised values, 0 to 1."""
    return sum(share * score for share, score in zip(weights, standing.scores, strict=True))


def ranked(field: Field, weights: Shares) -> tuple[tuple[int, Standing], ...]:
    """Rank and candidate, best first.

    The highest utility leads a rank, and all that the data cannot separate from it share the rank: neither does the
    corrected test show a difference in quality, nor is the utility higher in 95 % of the resamples. Then the highest
    of the rest leads the next rank. Within a rank the cheaper one comes first: lower cost where all of the rank have
    one, else higher utility; equal ones by lower latency, then lower memory, then higher quality.
    """
    remaining = sorted(range(len(field.standings)), key=lambda place: _order(field.standings[place], weights))
    places: list[tuple[int, Standing]] = []
    while remaining:
        level = _level(field, remaining, weights)
        rank = len(places) + 1
        places += [(rank, field.standings[place]) for place in level]
        remaining = [place for place in remaining if place not in level]
    return tuple(places)


def first(field: Field, weights: Shares) -> Standing:
    """Who comes first; at least one candidate."""
    ordered = sorted(range(len(field.standings)), key=lambda place: _order(field.standings[place], weights))
    return field.standings[_level(field, ordered, weights)[0]]


def dominators(standing: Standing, candidates: Sequence[Standing], weights: Shares) -> tuple[str, ...]:
    """Who is at least as good in everything and better in one; unmeasured counts as worst.

    Everything is quality as it counts, latency and memory; cost where there are prices; throughput where it has weight.
    """
    priced = any(each.values[3] is not None for each in candidates)
    about = (*_ALWAYS, *((3,) if priced else ()), *((4,) if weights[4] > 0 else ()))
    mine = _burdens(standing, about)
    others = ((other.name, _burdens(other, about)) for other in candidates if other.name != standing.name)
    return tuple(
        name for name, theirs in others if theirs != mine and all(a <= b for a, b in zip(theirs, mine, strict=True))
    )


def cheaper_by_money(level: Sequence[Standing]) -> bool:
    """Whether a shared rank is ordered by cost: all of it have one."""
    return all(standing.values[3] is not None for standing in level)


def ahead_of(field: Field, leader: int, weights: Shares) -> tuple[bool, ...]:
    """Of whom the leader's utility is surely higher: in 95 % of the resamples; without any, where it is not equal."""
    if field.resampled is not None:
        return tuple(bool(chance >= SEPARATED) for chance in field.resampled.chances(leader, weights))
    sums = [utility(standing, weights) for standing in field.standings]
    return tuple(round(sums[leader] - each, _DECIMALS) != 0 for each in sums)


def _level(field: Field, remaining: Sequence[int], weights: Shares) -> list[int]:
    """The candidates that share the next rank, in their order; remaining is sorted by utility."""
    leader, *others = remaining
    ahead = ahead_of(field, leader, weights) if others else ()
    name = field.standings[leader].name
    level = [leader]
    for other in others:
        shown = weights[0] > 0 and frozenset({name, field.standings[other].name}) in field.told_apart
        if not shown and not ahead[other]:
            level.append(other)
    if len(level) > 1 and cheaper_by_money([field.standings[place] for place in level]):
        level.sort(key=lambda place: (field.standings[place].values[3], remaining.index(place)))
    return level


def _counting_quality(
    names: Sequence[str], metrics: Sequence[MetricEstimate | None], pairs: Sequence[Comparison]
) -> list[float | None]:
    """Quality as it counts, in the order given."""
    sign = directions(metrics)[0]
    known = [(sign * metric.estimate.value, -place) for place, metric in enumerate(metrics) if metric is not None]
    if not known:
        return [None for _ in metrics]
    best_place = -max(known)[1]
    counting: list[float | None] = []
    for name, metric in zip(names, metrics, strict=True):
        pair = pair_of(pairs, name, names[best_place])
        tied = metric is not None and pair is not None and not shows_difference(pair)
        best = metrics[best_place] if tied else metric
        counting.append(None if best is None else best.estimate.value)
    return counting


def _burdens(standing: Standing, about: Sequence[int]) -> tuple[float, ...]:
    """Values with less as better and infinity where one was not measured."""
    signs = -directions([standing.metric])
    values = [standing.values[place] for place in about]
    return tuple(
        float("inf") if value is None else float(signs[place]) * value
        for place, value in zip(about, values, strict=True)
    )


def _order(standing: Standing, weights: Shares) -> tuple[float, ...]:
    """Sort key: higher utility, then lower cost, latency and memory, then better quality."""
    quality, latency, memory, cost = _burdens(standing, (0, 1, 2, 3))
    return (-round(utility(standing, weights), _DECIMALS), cost, latency, memory, quality)
