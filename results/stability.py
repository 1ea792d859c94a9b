"""How often each candidate would win if the test set had been drawn anew, under the same limits, weights and rules.

Uses what results/redrawing.py drew. Quality, the test behind its ties, and latency vary; memory, load time, cost and
throughput are single figures and stay as they were measured.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from results import numbers
from results.limits import broken_limits
from results.metric_words import worse_end
from results.ranking import DIMENSIONS, Field, Floats, Resampled, Shares, Standing, ahead_of, directions, normalised
from results.recommendation_records import Stability, WinShare
from results.records import CandidateSummary, MetricEstimate
from results.redrawing import Booleans, Redrawn
from results.requirement_records import CandidateCost, Limits

_VARYING = ("min_quality", "max_ttft_p95_seconds", "max_e2e_p95_seconds")
"""Limits on what varies with the examples and requests that were drawn."""


class Chosen(NamedTuple):
    """All candidates of the benchmark with what is known of them, in the order of the redrawn columns."""

    summaries: tuple[CandidateSummary, ...]
    standings: tuple[Standing, ...]
    """On the full data, among themselves; only values that stay are taken from them."""
    costs: tuple[CandidateCost, ...]


def resampled_scores(redrawn: Redrawn, ranked: Sequence[Standing]) -> Resampled:
    """Normalised values of the ranked candidates in every resample, quality without ties."""
    columns = redrawn.only([standing.name for standing in ranked])
    values = _values(redrawn, columns, ranked)
    scores = normalised(values * directions([standing.metric for standing in ranked]))
    return Resampled(np.ascontiguousarray(scores.transpose(2, 1, 0)))


def stability(redrawn: Redrawn, chosen: Chosen, limits: Limits, weights: Shares, field: Field) -> Stability:
    """Win shares of all candidates; field is everybody who is ranked on the full data."""
    signs = directions([standing.metric for standing in chosen.standings])
    columns = redrawn.only([standing.name for standing in chosen.standings])
    eligible = _eligible(redrawn, columns, chosen, limits)
    values = _values(redrawn, columns, chosen.standings)
    alike = redrawn.alike[:, columns][:, :, columns]
    values[:, :, 0] = _counting(values[:, :, 0] * signs[0], eligible, alike) * signs[0]
    scores = normalised(np.where(eligible[:, :, None], values, np.nan) * signs)
    utilities = np.where(eligible, np.round(scores @ np.asarray(weights), 9), -1.0)
    level = ~_surely_ahead(field, weights, chosen.standings)[None, :, :] & eligible[:, None, :]
    if weights[0] > 0:
        level &= alike
    winners = _winners(utilities, level, chosen.standings)
    somebody = eligible.any(axis=1)
    wins = np.bincount(winners[somebody], minlength=len(chosen.standings))
    found = [
        WinShare(name=standing.name, share=count / len(winners))
        for standing, count in zip(chosen.standings, wins.tolist(), strict=True)
        if count
    ]
    return Stability(
        resamples=len(winners),
        seed=redrawn.seed,
        shares=tuple(sorted(found, key=lambda win: -win.share)),
        nobody=float(np.mean(~somebody)),
        method=_method(redrawn, len(winners)),
    )


def _method(redrawn: Redrawn, resamples: int) -> str:
    n = numbers.things(redrawn.examples, "example")
    units = n if redrawn.clusters == redrawn.examples else f"{n} in {numbers.things(redrawn.clusters, 'group')}"
    return (
        f"{numbers.count(resamples)} bootstrap resamples (seed {redrawn.seed}): {units} drawn once for all candidates, "
        "groups together; requests of the latency workload drawn per candidate; limits, ties and weights applied anew "
        "in each. Kept as on all examples: memory, load time, cost, throughput, metrics other than quality, and whose "
        "weighted sum is surely higher."
    )


def _values(redrawn: Redrawn, columns: Sequence[int], standings: Sequence[Standing]) -> Floats:
    """Values per resample, candidate and dimension; NaN where one is not known."""
    fixed = np.array([standing.values for standing in standings], dtype=np.float64)
    values = np.repeat(fixed[None, :, :], len(redrawn.quality), axis=0)
    values[:, :, DIMENSIONS.index("quality")] = redrawn.quality[:, columns]
    drawn = redrawn.latency_p50[:, columns]
    latency = DIMENSIONS.index("latency")
    # A summary may have a latency that no request vouches for any more; it then stays as it is.
    values[:, :, latency] = np.where(np.isnan(drawn), values[:, :, latency], drawn)
    return values


def _counting(oriented: Floats, eligible: Booleans, alike: Booleans) -> Floats:
    """Quality as it counts in every resample: that of the best eligible one where the test cannot tell them apart."""
    shown = np.where(eligible & ~np.isnan(oriented), oriented, -np.inf)
    best = np.argmax(shown, axis=1)
    rows = np.arange(len(oriented))
    tied = alike[rows, best] & ~np.isnan(oriented)
    return np.where(tied, oriented[rows, best][:, None], oriented)


def _eligible(redrawn: Redrawn, columns: Sequence[int], chosen: Chosen, limits: Limits) -> Booleans:
    """Whether each candidate meets every limit in each resample."""
    fixed_limits = limits.model_copy(update=dict.fromkeys(_VARYING))
    by_name = {cost.name: cost for cost in chosen.costs}
    fixed = [
        s.stopped is None and not broken_limits(s, fixed_limits, by_name.get(s.candidate.name))
        for s in chosen.summaries
    ]
    met = np.repeat(np.array(fixed)[None, :], len(redrawn.quality), axis=0)
    met &= np.array([s.quality is not None for s in chosen.summaries])
    for place, (column, summary) in enumerate(zip(columns, chosen.summaries, strict=True)):
        if limits.min_quality is not None and summary.quality is not None:
            met[:, place] &= _meets_quality(redrawn.quality[:, column], summary.quality, limits.min_quality)
        for limit, estimate, drawn in (
            (limits.max_ttft_p95_seconds, summary.ttft_p95_seconds, redrawn.ttft_p95[:, column]),
            (limits.max_e2e_p95_seconds, summary.e2e_p95_seconds, redrawn.e2e_p95[:, column]),
        ):
            if limit is not None:
                met[:, place] &= (np.nan_to_num(drawn, nan=np.inf) <= limit) & (estimate is not None)
    return met


def _meets_quality(drawn: Floats, metric: MetricEstimate, limit: float) -> Booleans:
    """Whether the worse end of the interval reaches the limit, the interval moved along with the redrawn value."""
    end = worse_end(metric)
    if end is None:
        return np.zeros(len(drawn), dtype=np.bool_)
    moved = drawn + (end - metric.estimate.value)
    return moved >= limit if metric.higher_is_better else moved <= limit


def _surely_ahead(field: Field, weights: Shares, standings: Sequence[Standing]) -> Booleans:
    """Whether the first's utility is surely higher than the second's, on all examples; who is not ranked is apart."""
    apart = np.ones((len(standings), len(standings)), dtype=np.bool_)
    names = [standing.name for standing in standings]
    places = [names.index(standing.name) for standing in field.standings]
    for i, mine in enumerate(places):
        apart[mine, places] = ahead_of(field, i, weights)
    return apart


def _winners(utilities: Floats, levels: Booleans, standings: Sequence[Standing]) -> np.typing.NDArray[np.int64]:
    """Place of the winner in every resample, by the order of results/ranking.py.

    levels has shape (resamples, candidates, candidates): who shares a rank with whom, were the first to lead it.
    """
    burden = [
        tuple(float("inf") if v is None else v for v in (s.values[3], s.values[1], s.values[2])) for s in standings
    ]
    order = np.argsort(sorted(range(len(standings)), key=lambda place: burden[place]))
    top = utilities == utilities.max(axis=1, keepdims=True)
    leaders = np.argmin(np.where(top, order, len(standings)), axis=1)
    costs = np.array([np.nan if s.values[3] is None else s.values[3] for s in standings], dtype=np.float64)
    rows = np.arange(len(leaders))
    level = levels[rows, leaders]
    level[rows, leaders] = True
    priced = ~(level & np.isnan(costs)).any(axis=1)
    cheapest = np.argmin(np.where(level, np.nan_to_num(costs, nan=np.inf), np.inf), axis=1)
    return np.asarray(np.where(priced, cheapest, leaders), dtype=np.int64)
