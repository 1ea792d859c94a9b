"""Who comes first among the candidates that meet every limit: normalised values, weighted utility, Pareto, sensitivity.

Three dimensions: quality (accuracy, more is better), latency (end to end p50) and memory (peak), where less is better.
Each is normalised among the candidates ranked: 1 for the best, 0 for the worst, linear in between (Keeney & Raiffa
1976, §3.7 with linear value functions); all 1 where they do not differ, and 0 for a value that was not measured.
Utility is their sum weighted by shares that add up to 1.

Quality counts only as far as the data shows it: candidates that the corrected test cannot tell from the one with the
highest accuracy count as equal to it. All others count with the accuracy they have. Equal utilities are ordered by
lower latency, then lower memory, then higher quality as it counts; who is equal there too shares a rank.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from results.comparison import pair_of, shows_difference
from results.limits import memory_bytes
from results.records import CandidateSummary, Comparison, WeightChange, Weights

Shares = tuple[float, float, float]
"""Shares of quality, latency and memory; they add up to 1."""

DIMENSIONS: tuple[Literal["quality", "latency", "memory"], ...] = ("quality", "latency", "memory")
"""Names of the dimensions in the order of Shares."""

_DECIMALS = 9
"""Utilities that agree to this many decimals are equal."""


class Standing(NamedTuple):
    """One candidate on the three dimensions."""

    name: str
    accuracy: float | None
    """As measured."""
    quality: float | None
    """Accuracy as it counts: that of the best where the test cannot tell the two apart."""
    latency_seconds: float | None
    memory_bytes: int | None
    scores: Shares
    """Normalised, 0 to 1."""

    @property
    def tied_with_best(self) -> bool:
        """Whether its quality counts as more than its own accuracy."""
        return self.quality != self.accuracy


def shares(weights: Weights) -> Shares:
    """Weights as shares of their sum; three equal ones where all are 0."""
    total = weights.quality + weights.latency + weights.memory
    if total == 0:
        return (1 / 3, 1 / 3, 1 / 3)
    return (weights.quality / total, weights.latency / total, weights.memory / total)


def standings(summaries: Sequence[CandidateSummary], pairs: Sequence[Comparison]) -> tuple[Standing, ...]:
    """The candidates on the three dimensions, in the order given."""
    accuracy = [None if s.accuracy is None else s.accuracy.value for s in summaries]
    quality = _counting_quality([s.candidate.name for s in summaries], accuracy, pairs)
    latency = [None if s.e2e_p50_seconds is None else s.e2e_p50_seconds.value for s in summaries]
    memory = [memory_bytes(s) for s in summaries]
    scores = zip(
        _normalised(quality, more_is_better=True),
        _normalised(latency, more_is_better=False),
        _normalised(memory, more_is_better=False),
        strict=True,
    )
    return tuple(
        Standing(summary.candidate.name, accuracy[i], quality[i], latency[i], memory[i], score)
        for i, (summary, score) in enumerate(zip(summaries, scores, strict=True))
    )


def utility(standing: Standing, weights: Shares) -> float:
    """Weighted sum of the normalised values, 0 to 1."""
    return sum(share * score for share, score in zip(weights, standing.scores, strict=True))


def ranked(candidates: Sequence[Standing], weights: Shares) -> tuple[tuple[int, Standing], ...]:
    """Rank and candidate, best first; see the module's first lines for the order and for shared ranks."""
    ordered = sorted(candidates, key=lambda standing: _order(standing, weights))
    places: list[tuple[int, Standing]] = []
    for place, standing in enumerate(ordered, start=1):
        shared = places and _order(places[-1][1], weights) == _order(standing, weights)
        places.append((places[-1][0] if shared else place, standing))
    return tuple(places)


def is_pareto(standing: Standing, candidates: Sequence[Standing]) -> bool:
    """Whether no other candidate is at least as good in all three and better in one; unmeasured counts as worst."""
    mine = _costs(standing)
    others = (_costs(other) for other in candidates if other.name != standing.name)
    return not any(other != mine and all(a <= b for a, b in zip(other, mine, strict=True)) for other in others)


def sensitivity(candidates: Sequence[Standing], weights: Shares) -> tuple[WeightChange, ...]:
    """Smallest change of each share that gives another winner, the other two keeping their proportion.

    Exact: with share s of one dimension every utility is a straight line in s, so the winner changes where the line of
    the winner crosses another's. A weight that changes nothing strictly between 0 and 1 is left out.
    """
    if len(candidates) < 2:
        return ()
    winner = ranked(candidates, weights)[0][1]
    changes = []
    for dimension, name in enumerate(DIMENSIONS):
        current = weights[dimension]
        crossings = []
        for other in candidates:
            crossing = _crossing(winner, other, dimension, weights)
            if crossing is not None:
                share, steepness = crossing
                crossings.append((round(abs(share - current), _DECIMALS), -steepness, share, other.name))
        if crossings:
            # Of several that cross at the same share, the steepest line is ahead just beyond it.
            _, _, needed, new_winner = min(crossings)
            changes.append(WeightChange(weight=name, current=current, needed=needed, new_winner=new_winner))
    return tuple(changes)


def _crossing(winner: Standing, other: Standing, dimension: int, weights: Shares) -> tuple[float, float] | None:
    """Share of one dimension beyond which the other beats the winner, and how fast; None where there is none."""
    rest = _rest(dimension, weights)
    ahead_at_0 = utility(winner, rest) - utility(other, rest)
    ahead_at_1 = winner.scores[dimension] - other.scores[dimension]
    if min(ahead_at_0, ahead_at_1) >= -(10**-_DECIMALS):
        return None
    share = ahead_at_0 / (ahead_at_0 - ahead_at_1)
    return min(1.0, max(0.0, share)), abs(ahead_at_0 - ahead_at_1)


def _rest(dimension: int, weights: Shares) -> Shares:
    """The other two shares alone, in their proportion; half and half where both are 0."""
    others = [0.0 if i == dimension else share for i, share in enumerate(weights)]
    total = sum(others)
    if total == 0:
        others = [0.0 if i == dimension else 0.5 for i in range(len(weights))]
        total = 1.0
    return (others[0] / total, others[1] / total, others[2] / total)


def _counting_quality(
    names: Sequence[str], accuracy: Sequence[float | None], pairs: Sequence[Comparison]
) -> list[float | None]:
    """Accuracy as it counts, in the order given."""
    known = [(value, -i) for i, value in enumerate(accuracy) if value is not None]
    if not known:
        return list(accuracy)
    best_value, best_place = max(known)
    best = names[-best_place]
    counting: list[float | None] = []
    for name, value in zip(names, accuracy, strict=True):
        pair = pair_of(pairs, name, best)
        tied = value is not None and pair is not None and not shows_difference(pair)
        counting.append(best_value if tied else value)
    return counting


def _normalised(values: Sequence[float | None], *, more_is_better: bool) -> list[float]:
    known = [value for value in values if value is not None]
    if not known:
        return [0.0 for _ in values]
    best, worst = (max(known), min(known)) if more_is_better else (min(known), max(known))
    if best == worst:
        return [0.0 if value is None else 1.0 for value in values]
    return [0.0 if value is None else abs(value - worst) / abs(best - worst) for value in values]


def _costs(standing: Standing) -> Shares:
    """The three values with less as better and infinity where one was not measured."""
    infinity = float("inf")
    return (
        infinity if standing.quality is None else -standing.quality,
        infinity if standing.latency_seconds is None else standing.latency_seconds,
        infinity if standing.memory_bytes is None else standing.memory_bytes,
    )


def _order(standing: Standing, weights: Shares) -> tuple[float, float, float, float]:
    """Sort key: higher utility, then lower latency, then lower memory, then higher quality."""
    quality, latency, memory = _costs(standing)
    return (-round(utility(standing, weights), _DECIMALS), latency, memory, quality)
