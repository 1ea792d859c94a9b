"""What would change the winner: the smallest change of each weight, and of each limit either way.

Limits are exact: between two values of candidates nothing changes, so that only these values are tried. Weights are
searched: every share where two utilities cross, and 200 steps between 0 and 1, then halved down to a millionth.
"""

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from catalog.records import VerdictValue
from results.choice import Evidence, winner_under
from results.limits import Bound, bounds, with_limit
from results.ranking import DIMENSIONS, Field, Shares, Standing, first, utility
from results.recommendation_records import LimitChange, WeightChange
from results.requirement_records import Limits

_STEPS = 200
_HALVINGS = 14
_BESIDE = 1e-6
"""How far beside a crossing is looked."""


def weight_changes(field: Field, weights: Shares) -> tuple[WeightChange, ...]:
    """Smallest change of each share that gives another winner, the others keeping their proportion.

    A weight that changes nothing strictly between 0 and 1 is left out, and so is one of a dimension that nobody has.
    """
    if len(field.standings) < 2:
        return ()
    winner = first(field, weights).name
    changes = []
    for place, name in enumerate(DIMENSIONS):
        if all(standing.values[place] is None for standing in field.standings):
            continue
        found = _nearest_change(field, place, weights, winner)
        if found is not None:
            needed, newcomer = found
            changes.append(WeightChange(weight=name, current=weights[place], needed=needed, new_winner=newcomer))
    return tuple(changes)


def limit_changes(evidence: Evidence, limits: Limits, weights: Shares) -> tuple[LimitChange, ...]:
    """Smallest change of each limit that is set, tighter and looser, that gives another winner or none."""
    winner = winner_under(evidence, limits, weights)
    found = [*_verdict_changes(evidence, limits, weights, winner)]
    costs = {cost.name: cost for cost in evidence.costs}
    by_limit: dict[str, list[Bound]] = {}
    for summary in evidence.candidates:
        for bound in bounds(summary, limits, costs.get(summary.candidate.name)):
            if bound.value is not None:
                by_limit.setdefault(bound.limit, []).append(bound)
    for name, known in by_limit.items():

        def winner_at(threshold: float, name: str = name) -> str | None:
            return winner_under(evidence, with_limit(limits, name, threshold), weights)

        found += [*_tighter(known, winner, winner_at), *_looser(known, winner, winner_at)]
    return tuple(found)


def with_share(weights: Shares, place: int, share: float) -> Shares:
    """The weights with one share set and the others in their proportion; where they are all 0, the first three."""
    others = [0.0 if i == place else each for i, each in enumerate(weights)]
    total = sum(others)
    if total == 0:
        others = [1.0 if i < 3 and i != place else 0.0 for i in range(len(weights))]
        total = sum(others)
    return tuple(share if i == place else (1 - share) * each / total for i, each in enumerate(others))


def _nearest_change(field: Field, place: int, weights: Shares, winner: str) -> tuple[float, str] | None:
    """Share nearest to the current one at which another wins, and who; None where nobody does."""
    current = weights[place]
    points = _points(field, place, weights)

    def winner_at(share: float) -> str:
        return first(field, with_share(weights, place, share)).name

    found = []
    for side in (sorted(p for p in points if p > current), sorted((p for p in points if p < current), reverse=True)):
        before = current
        for point in side:
            if winner_at(point) != winner:
                needed = _halved(before, point, lambda share: winner_at(share) != winner)
                found.append((abs(needed - current), round(needed, 6), winner_at(point)))
                break
            before = point
    return min(found)[1:] if found else None


def _points(field: Field, place: int, weights: Shares) -> set[float]:
    """Shares to look at: equal steps, and both sides of every crossing of two utilities."""
    steps = {float(step) for step in np.linspace(_BESIDE, 1 - _BESIDE, _STEPS + 1)}
    rest = with_share(weights, place, 0.0)
    for i, mine in enumerate(field.standings):
        for other in field.standings[i + 1 :]:
            crossing = _crossing(mine, other, place, rest)
            if crossing is not None:
                steps |= {crossing - _BESIDE, crossing + _BESIDE}
    return {step for step in steps if 0 < step < 1}


def _crossing(mine: Standing, other: Standing, place: int, rest: Shares) -> float | None:
    """Share of one dimension at which two utilities, straight lines in it, are equal; None where they never are."""
    ahead_at_0 = utility(mine, rest) - utility(other, rest)
    ahead_at_1 = mine.scores[place] - other.scores[place]
    return None if math.isclose(ahead_at_0, ahead_at_1) else ahead_at_0 / (ahead_at_0 - ahead_at_1)


def _halved(same: float, changed: float, is_changed: Callable[[float], bool]) -> float:
    """Where between two shares the change happens."""
    for _ in range(_HALVINGS):
        middle = (same + changed) / 2
        if is_changed(middle):
            changed = middle
        else:
            same = middle
    return changed


def _tighter(
    known: Sequence[Bound], winner: str | None, winner_at: Callable[[float], str | None]
) -> Iterable[LimitChange]:
    """The first value, going inwards from the limit, whose loss changes the winner."""
    sample = known[0]
    met = {bound.value for bound in known if bound.value is not None and bound.missed is None}
    for value in sorted(met, reverse=sample.is_maximum):
        beyond = math.nextafter(value, -math.inf if sample.is_maximum else math.inf)
        newcomer = winner_at(beyond)
        if newcomer != winner:
            sense = "below" if sample.is_maximum else "above"
            sentence = (
                f"If the {sample.what} had to be {sense} {sample.show(value)} "
                f"(now {sample.sense} {sample.show(sample.threshold)}), {_would_win(newcomer)}."
            )
            yield _limit_change(sample, "tighter", value, newcomer, sentence)
            return


def _looser(
    known: Sequence[Bound], winner: str | None, winner_at: Callable[[float], str | None]
) -> Iterable[LimitChange]:
    """The first value, going outwards from the limit, that lets somebody in who changes the winner."""
    sample = known[0]
    missed = {bound.value for bound in known if bound.value is not None and bound.missed is not None}
    for value in sorted(missed, reverse=not sample.is_maximum):
        newcomer = winner_at(value)
        if newcomer != winner:
            sentence = (
                f"If the {sample.what} could be {sample.show(value)} "
                f"(now {sample.sense} {sample.show(sample.threshold)}), {_would_win(newcomer)}."
            )
            yield _limit_change(sample, "looser", value, newcomer, sentence)
            return


def _limit_change(sample: Bound, direction: str, needed: float, newcomer: str | None, sentence: str) -> LimitChange:
    return LimitChange.model_validate(
        {
            "limit": sample.limit,
            "direction": direction,
            "current": sample.threshold,
            "needed": needed,
            "new_winner": newcomer,
            "sentence": sentence,
        }
    )


def _verdict_changes(evidence: Evidence, limits: Limits, weights: Shares, winner: str | None) -> Iterable[LimitChange]:
    """Each license verdict that changes the winner when it is accepted, or no longer accepted."""
    occurring = {summary.verdict.value for summary in evidence.candidates}
    for value in (value for value in VerdictValue if value in occurring):
        accepted = value in limits.verdicts
        verdicts = tuple(v for v in limits.verdicts if v != value) if accepted else (*limits.verdicts, value)
        newcomer = winner_under(evidence, limits.model_copy(update={"verdicts": verdicts}), weights)
        if newcomer != winner:
            change = "were not acceptable" if accepted else "were acceptable"
            yield LimitChange(
                limit="verdicts",
                direction="tighter" if accepted else "looser",
                new_winner=newcomer,
                sentence=f"If the license verdict {value.value} {change}, {_would_win(newcomer)}.",
            )


def _would_win(name: str | None) -> str:
    return "nobody would qualify" if name is None else f"{name} would win"
