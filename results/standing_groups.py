"""The figures of a standing: one set of candidates that votes connect, resampled, tested and put into words."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from results import numbers
from results.bradley_terry import Booleans, Floats, against_average, components, fit, points, reachable
from results.head_to_head_records import Ballot
from results.quality import GROUP
from results.records import Estimate
from results.resampling import Bca, Resampled, resample_jointly, sum_by_group
from results.standing_records import CandidateStanding, PairStanding, StandingGroup
from results.statistics import MINIMUM_FOR_BOOTSTRAP, holm

SIGNIFICANCE = 0.05
"""An adjusted p below this shows a difference."""
ELO = 400 / np.log(10)
"""Points of chess in one unit of natural log-odds."""

_NAME = "BCa bootstrap 95 % over {units} prompts, {resamples} resamples"


class Group(NamedTuple):
    """Candidates with a common scale, their votes and their resamples."""

    keys: tuple[str, ...]
    names: tuple[str, ...]
    ballots: tuple[Ballot, ...]
    resampled: Resampled
    """Rows: strengths of all, shares against the average of all, differences of strengths of all pairs."""
    separated: bool
    ends: tuple[Floats, Floats]
    """Lowest and highest share of points of each against each that wins without a loss leave possible, (k, k)."""
    prompts: tuple[int, ...]
    """Prompts that each was judged on."""

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Places of every two."""
        return list(combinations(range(len(self.keys)), 2))


def cluster(ballot: Ballot) -> str:
    """What a vote hangs together with: its prompt or conversation, or the group of the example it was made from."""
    group = ballot.slices.get(GROUP)
    return ballot.prompt if group is None else f"{ballot.test_set_hash} {group}"


def drawn_groups(ballots: Sequence[Ballot], resamples: int) -> list[Group]:
    """Every set of candidates that votes connect, resampled; those with most votes first. No ballot is an A/A one."""
    keys = sorted({key for each in ballots for key in (each.left, each.right)})
    places = {key: place for place, key in enumerate(keys)}
    met = np.zeros((len(keys), len(keys)), dtype=np.bool_)
    for each in ballots:
        met[places[each.left], places[each.right]] = met[places[each.right], places[each.left]] = True
    found = []
    for members in components(met) if keys else []:
        inside = {keys[place] for place in members}
        found.append(_drawn(tuple(each for each in ballots if each.left in inside), resamples))
    return sorted(found, key=lambda group: -len(group.ballots))


def judged_groups(parts: Sequence[Sequence[Group]]) -> list[tuple[StandingGroup, ...]]:
    """Whole standings; pairs are corrected over all parts together."""
    tested = [(group, Bca(group.resampled)) for part in parts for group in part]
    p_values = [_p_values(group, bca) for group, bca in tested]
    adjusted = iter(holm([p for values in p_values for p in values if p is not None]))
    done = []
    for (group, bca), values in zip(tested, p_values, strict=True):
        corrected = [None if p is None else next(adjusted) for p in values]
        done.append(_judged(group, bca, list(zip(values, corrected, strict=True))))
    whole = iter(done)
    return [tuple(next(whole) for _ in part) for part in parts]


def _drawn(ballots: tuple[Ballot, ...], resamples: int) -> Group:
    names = _names(ballots)
    keys = tuple(names)
    k = len(keys)
    units = np.zeros((len(ballots), k, k))
    for row, each in enumerate(ballots):
        left, right = keys.index(each.left), keys.index(each.right)
        share = {"left": 1.0, "right": 0.0}.get(each.outcome, 0.5)
        units[row, left, right], units[row, right, left] = share, 1 - share
    clusters = sum_by_group(units.reshape(len(ballots), -1), [cluster(each) for each in ballots])
    wins = clusters.sum(axis=0).reshape(k, k)
    met = (wins + wins.T) > 0
    pairs = list(combinations(range(k), 2))
    first, second = ([pair[side] for pair in pairs] for side in (0, 1))

    def statistics(sums: Floats) -> Floats:
        strengths = fit(sums.reshape(-1, k, k), met).strengths
        return np.hstack([strengths, against_average(strengths), strengths[:, first] - strengths[:, second]])

    played = clusters.reshape(-1, k, k)
    prompts = ((played + played.transpose(0, 2, 1)).sum(axis=2) > 0).sum(axis=0)
    of_pairs = [min(prompts[a], prompts[b]) for a, b in pairs]
    resampled = resample_jointly(clusters, statistics, resamples=resamples)
    resampled = resampled._replace(units=np.array([*prompts, *prompts, *of_pairs]))
    separated = bool(fit(wins[None], met).separated[0])
    strengths = resampled.values[None, :k]
    ends = _ends(points(strengths)[0], reachable(wins[None] > 0)[0], prompts.tolist())
    counts = tuple(int(count) for count in prompts)
    return Group(keys, tuple(names.values()), ballots, resampled, separated, ends, counts)


def _ends(expected: Floats, above: Booleans, prompts: Sequence[int]) -> tuple[Floats, Floats]:
    """Shares that so many wins without a loss leave possible; where there is no separation, those expected.

    Resampling never shows a loss that was not seen. With 95 % confidence at most 1 - 0.05^(1/n) of all prompts would
    bring one (Clopper & Pearson 1934, as for means that are constant: results/statistics.py).
    """
    low, high = expected.copy(), expected.copy()
    for i, j in combinations(range(len(expected)), 2):
        others = 1 - 0.05 ** (1 / min(prompts[i], prompts[j]))
        if not above[j, i]:
            high[i, j] = 1.0
            low[i, j] = min(low[i, j], 1 - others) if above[i, j] else 0.0
        elif not above[i, j]:
            low[i, j] = 0.0
            high[i, j] = max(high[i, j], others)
        low[j, i], high[j, i] = 1 - high[i, j], 1 - low[i, j]
    return low, high


def _p_values(group: Group, bca: Bca) -> list[float | None]:
    found = bca.p_two_sided()[2 * len(group.keys) :].tolist()
    enough = [min(group.prompts[a], group.prompts[b]) >= MINIMUM_FOR_BOOTSTRAP for a, b in group.pairs]
    return [p if is_enough else None for p, is_enough in zip(found, enough, strict=True)]


def _judged(group: Group, bca: Bca, tests: Sequence[tuple[float | None, float | None]]) -> StandingGroup:
    k = len(group.keys)
    ends = np.column_stack(bca.interval())
    pairs = tuple(
        _pair(group, pair, ends[2 * k + row], test)
        for row, (pair, test) in enumerate(zip(group.pairs, tests, strict=True))
    )
    strengths = group.resampled.replicates[:k]
    best = strengths >= strengths.max(axis=0) - 1e-9
    best_probability = (best / best.sum(axis=0)).mean(axis=1)
    candidates = [_candidate(group, place, ends, pairs, float(best_probability[place])) for place in range(k)]
    return StandingGroup(
        candidates=tuple(sorted(candidates, key=lambda each: (-each.share.value, each.name))),
        pairs=pairs,
        separated=group.separated,
    )


def _candidate(
    group: Group, place: int, ends: Floats, pairs: Iterable[PairStanding], best_probability: float
) -> CandidateStanding:
    k, key, name = len(group.keys), group.keys[place], group.names[place]
    own = [each for each in group.ballots if key in {each.left, each.right}]
    outcomes = Counter(_outcome_for(key, each) for each in own)
    mine = [pair for pair in pairs if name in {pair.first, pair.second}]
    others = np.arange(k) != place
    span = tuple(float(end[place, others].mean()) for end in group.ends)
    low, high = min(ends[k + place, 0], span[0]), max(ends[k + place, 1], span[1])
    share = _estimate(group, place, float(group.resampled.values[k + place]), (low, high), len(own))
    log_odds = _estimate(group, place, float(group.resampled.values[place]), tuple(ends[place]), len(own))
    if group.separated and log_odds.low is not None:
        reason = "no interval: won or lost everything against some; see the share of points"
        log_odds = log_odds.model_copy(update={"low": None, "high": None, "method": reason})
    return CandidateStanding(
        key=key,
        name=name,
        rank=1 + sum(pair.better not in {None, name} for pair in mine),
        share=share,
        log_odds=log_odds,
        elo=_scaled(log_odds),
        best_probability=min(1.0, best_probability),
        votes=len(own),
        prompts=group.prompts[place],
        wins=outcomes["win"],
        losses=outcomes["loss"],
        ties=outcomes["tie"],
        both_bad=outcomes["both_bad"],
        not_separated=tuple(pair.second if pair.first == name else pair.first for pair in mine if pair.better is None),
    )


def _pair(group: Group, pair: tuple[int, int], ends: Floats, test: tuple[float | None, float | None]) -> PairStanding:
    a, b = pair
    key, names = group.keys[a], (group.names[a], group.names[b])
    met = [each for each in group.ballots if {each.left, each.right} == {key, group.keys[b]}]
    outcomes = Counter(_outcome_for(key, each) for each in met)
    strengths = group.resampled.values[None, : len(group.keys)]
    value = float(points(strengths)[0, a, b])
    low, high = (float(1 / (1 + np.exp(-end))) for end in ends)
    span = (min(low, group.ends[0][a, b]), max(high, group.ends[1][a, b]))
    place = a if group.prompts[a] <= group.prompts[b] else b
    better = None
    if test[1] is not None and test[1] < SIGNIFICANCE:
        better = names[0] if value > 0.5 else names[1]
    expected = _estimate(group, place, value, span, len(met))
    return PairStanding(
        first=names[0],
        second=names[1],
        wins=outcomes["win"],
        losses=outcomes["loss"],
        ties=outcomes["tie"],
        both_bad=outcomes["both_bad"],
        expected=expected,
        p_value=test[0],
        p_adjusted=test[1],
        better=better,
        conclusion=_sentence(names, expected, better, test[1], len(met)),
    )


def _sentence(names: tuple[str, str], expected: Estimate, better: str | None, p: float | None, met: int) -> str:
    directly = f"{numbers.things(met, 'vote')} between them" if met else "no vote between them, by common opponents"
    if p is None:
        return f"{names[0]} and {names[1]}: too few prompts to tell them apart ({directly})."
    if better is None:
        return (
            f"{names[0]} and {names[1]}: no difference shown ({numbers.estimate(expected, 'percent')} of the points "
            f"for {names[0]}, corrected {numbers.p_value(p)}, {directly})."
        )
    other = names[1] if better == names[0] else names[0]
    turned = expected if better == names[0] else _turned(expected)
    return (
        f"{better} is preferred to {other}: {numbers.estimate(turned, 'percent')} of the points, corrected "
        f"{numbers.p_value(p)}, {directly}."
    )


def _turned(share: Estimate) -> Estimate:
    ends = (None, None) if share.low is None or share.high is None else (1 - share.high, 1 - share.low)
    return share.model_copy(update={"value": 1 - share.value, "low": ends[0], "high": ends[1]})


def _estimate(group: Group, place: int, value: float, ends: Sequence[float], votes: int) -> Estimate:
    units = group.prompts[place]
    if units < MINIMUM_FOR_BOOTSTRAP:
        reason = f"no interval: {units} of the {MINIMUM_FOR_BOOTSTRAP} prompts it needs"
        return Estimate(value=value, n=votes, method=reason)
    low, high = min(value, float(ends[0])), max(value, float(ends[1]))
    method = _NAME.format(units=units, resamples=numbers.count(group.resampled.replicates.shape[1]))
    return Estimate(value=value, low=low, high=high, n=votes, method=method)


def _scaled(log_odds: Estimate) -> Estimate:
    scaled = {
        end: None if value is None else float(value * ELO)
        for end, value in (("value", log_odds.value), ("low", log_odds.low), ("high", log_odds.high))
    }
    return log_odds.model_copy(update=scaled)


def _outcome_for(key: str, ballot: Ballot) -> str:
    if ballot.outcome in {"tie", "both_bad"}:
        return ballot.outcome
    return "win" if (ballot.outcome == "left") == (ballot.left == key) else "loss"


def _names(ballots: Sequence[Ballot]) -> dict[str, str]:
    """Newest name by key, in order of the keys; names that two carry are told apart by a number."""
    newest: dict[str, str] = {}
    for each in ballots:
        newest |= {each.left: each.left_name, each.right: each.right_name}
    found: dict[str, str] = {}
    for key in sorted(newest):
        name, number = newest[key], 2
        while name in found.values():
            name, number = f"{newest[key]} ({number})", number + 1
        found[key] = name
    return found
