"""What a judge's grades come to, and how far they can be believed. Definitions with worked examples: docs/judging.md.

Agreement with somebody who knows comes first: with the test set's first scorer, where that says right or wrong, and
with a person's grades. A judge that prefers what stands first, or what is longer, is shown to (Zheng et al. 2023,
arXiv:2306.05685; Wang et al. 2023, arXiv:2305.17926).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import numpy as np
from scipy.stats import rankdata

from results import numbers
from results.agreement import cohen_kappa
from results.judge_records import JudgeAgreement, JudgedCandidate, JudgedPair
from results.records import Estimate
from results.resampling import Floats
from results.statistics import MINIMUM_FOR_BOOTSTRAP, Sums, bootstrap_mean, bootstrap_sums, wilson

Preference = Literal["first", "second", "tie"]


class Graded(NamedTuple):
    """One answer and its grade."""

    candidate: str
    example_id: str
    value: float | None
    """0 for the lowest grade to 1 for the highest; None where no grade could be read."""
    grade: str | None
    """The grade as the scale has it; None also where there was no answer to grade."""
    is_right: bool | None
    """Whether the grade counts as right; None like the grade."""
    characters: int
    """Length of the answer."""
    known_right: bool | None
    """What the first scorer says, where it says right or wrong."""
    human_grade: str | None
    """What a person gave."""


class Compared(NamedTuple):
    """Two candidates' answers to one example, with the judge's verdict on both orders."""

    first: str
    second: str
    example_id: str
    verdicts: tuple[Preference | None, Preference | None] | None
    """With the first candidate's answer shown first, then second; None where the two are the same text."""
    characters: tuple[int, int]
    known_right: tuple[bool | None, bool | None]
    """What the first scorer says of each."""


def graded_candidates(graded: Sequence[Graded]) -> tuple[JudgedCandidate, ...]:
    """Every candidate's grades, in the order in which they come."""
    by_name: dict[str, list[Graded]] = {}
    for each in graded:
        by_name.setdefault(each.candidate, []).append(each)
    return tuple(_graded_candidate(name, part) for name, part in by_name.items())


def grade_agreements(graded: Sequence[Graded], scorer: str) -> tuple[JudgeAgreement, ...]:
    """The judge held against the first scorer's right and wrong, and against a person's grades."""
    known = [(_word(g.is_right), _word(g.known_right)) for g in graded if None not in {g.is_right, g.known_right}]
    human = [(g.grade, g.human_grade) for g in graded if g.grade is not None and g.human_grade is not None]
    found = []
    if known:
        found.append(_agreement(f"right and wrong by {scorer}", known))
    if human:
        found.append(_agreement("a person's grades", human))
    return tuple(found)


def pair_agreements(compared: Sequence[Compared], scorer: str) -> tuple[JudgeAgreement, ...]:
    """The judge's verdicts held against those that follow from the first scorer's right and wrong."""
    known = []
    for each in compared:
        decided = verdict(each)
        ours, theirs = each.known_right
        if decided is not None and each.verdicts is not None and ours is not None and theirs is not None:
            better = "tie" if ours == theirs else "first" if ours else "second"
            known.append((decided, better))
    return (_agreement(f"right and wrong by {scorer}", known),) if known else ()


def verdict(compared: Compared) -> Preference | None:
    """The verdict of both orders together: a tie where they disagree; None where one of them could not be read."""
    if compared.verdicts is None:
        return "tie"
    straight, turned = compared.verdicts
    if straight is None or turned is None:
        return None
    return straight if straight == _turned(turned) else "tie"


def judged_pairs(compared: Sequence[Compared]) -> tuple[JudgedPair, ...]:
    """Every pair that has a verdict on at least one example."""
    by_pair: dict[tuple[str, str], list[Compared]] = {}
    for each in compared:
        by_pair.setdefault((each.first, each.second), []).append(each)
    return tuple(pair for names, part in by_pair.items() if (pair := _judged_pair(names, part)) is not None)


def position_bias(compared: Sequence[Compared]) -> Estimate | None:
    """Share of comparisons in which the two orders gave different verdicts."""
    read = [c for c in compared if c.verdicts is not None and None not in c.verdicts]
    return wilson(sum(map(_disagrees, read)), len(read)) if read else None


def first_shown(compared: Sequence[Compared]) -> Estimate | None:
    """Share of replies with a winner that preferred what was shown first; examples are resampled with both orders."""
    replies = [(v == "first", c.example_id) for c in compared for v in c.verdicts or () if v in {"first", "second"}]
    if not replies:
        return None
    values, examples = zip(*replies, strict=True)
    return bootstrap_mean([float(value) for value in values], groups=examples, bounds=(0.0, 1.0))


def longer_wins(compared: Sequence[Compared]) -> Estimate | None:
    """Share of the comparisons with a winner, of answers of unequal length, that the longer answer won."""
    found = []
    for each in compared:
        decided = verdict(each)
        ours, theirs = each.characters
        if decided in {"first", "second"} and ours != theirs:
            found.append((decided == "first") == (ours > theirs))
    return wilson(sum(found), len(found)) if found else None


def belief(agreements: Sequence[JudgeAgreement], min_kappa: float) -> str | None:
    """Why the grades are not to be relied on; None where every agreement is good enough."""
    if not agreements:
        return (
            "Nobody knows whether this judge is right: the test set has no scorer that says right or wrong, and no "
            "column with a person's grades. Grade some answers yourself before you decide by its grades."
        )
    low = [(each.kappa, each) for each in agreements if each.kappa is not None and each.kappa.value < min_kappa]
    if not low:
        return _not_defined(agreements)
    kappa, worst = min(low, key=lambda found: found[0].value)
    interval = "" if kappa.low is None or kappa.high is None else f" ({kappa.low:.2f} to {kappa.high:.2f})"
    return (
        f"Do not decide by these grades: against {worst.held_against} the judge agrees on "
        f"{numbers.percent(worst.same.value)} of {numbers.count(worst.n)}, which is kappa {kappa.value:.2f}{interval}, "
        f"below {min_kappa:g}. Try a stronger judge or a clearer rubric."
    )


def _not_defined(agreements: Sequence[JudgeAgreement]) -> str | None:
    """Where both put everything into one kind, agreeing is no merit: kappa has no value, and nothing is known."""
    alike = next((each for each in agreements if each.kappa is None), None)
    if alike is None:
        return None
    return (
        f"Nobody knows whether this judge is right: it and {alike.held_against} put all of "
        f"{numbers.things(alike.n, 'answer')} into one kind, which says nothing. Have it grade right and wrong answers."
    )


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> Estimate | None:
    """Spearman's correlation (ties share a rank) with a bootstrap interval over the ranks.

    None for fewer than 10 values, and where one side is all the same. A resample with such a side counts as 0.
    """
    if len(first) < MINIMUM_FOR_BOOTSTRAP or len(set(first)) == 1 or len(set(second)) == 1:
        return None
    x, y = (rankdata(values) for values in (first, second))
    x, y = x - x.mean(), y - y.mean()
    units = np.column_stack([x, y, x * y, x * x, y * y, np.ones_like(x)])
    (found,) = bootstrap_sums([Sums(units, _correlation)])
    return found.model_copy(update={"method": f"Spearman's correlation, {found.method}"})


def _correlation(sums: Floats) -> Floats:
    sx, sy, sxy, sxx, syy, n = sums.T
    spread = np.sqrt(np.maximum(sxx - sx * sx / n, 0) * np.maximum(syy - sy * sy / n, 0))
    together = sxy - sx * sy / n
    found = np.divide(together, spread, out=np.zeros_like(together), where=spread > 1e-9)
    return np.asarray(np.clip(found, -1, 1), dtype=np.float64)


def _graded_candidate(name: str, part: Sequence[Graded]) -> JudgedCandidate:
    values = [each.value for each in part if each.value is not None]
    graded = [each for each in part if each.grade is not None and each.value is not None]
    return JudgedCandidate(
        name=name,
        graded=len(values),
        ungraded=len(part) - len(values),
        grade=bootstrap_mean(values, bounds=(0.0, 1.0)) if values else None,
        length_correlation=rank_correlation([e.characters for e in graded], [e.value or 0.0 for e in graded]),
    )


def _judged_pair(names: tuple[str, str], part: Sequence[Compared]) -> JudgedPair | None:
    decided = [(each, found) for each in part if (found := verdict(each)) is not None]
    if not decided:
        return None
    counts = Counter(found for _, found in decided)
    worth = {"first": 1.0, "tie": 0.5, "second": 0.0}
    return JudgedPair(
        first=names[0],
        second=names[1],
        n=len(decided),
        wins=counts["first"],
        losses=counts["second"],
        ties=counts["tie"],
        disagreements=sum(_disagrees(each) for each, _ in decided),
        identical=sum(each.verdicts is None for each, _ in decided),
        unread=len(part) - len(decided),
        win_rate=bootstrap_mean([worth[found] for _, found in decided], bounds=(0.0, 1.0)),
    )


def _agreement(held_against: str, pairs: Iterable[tuple[str, str]]) -> JudgeAgreement:
    ours, theirs = (list(side) for side in zip(*pairs, strict=True))
    return JudgeAgreement(
        held_against=held_against,
        n=len(ours),
        same=wilson(sum(one == other for one, other in zip(ours, theirs, strict=True)), len(ours)),
        kappa=cohen_kappa(ours, theirs),
    )


def _disagrees(compared: Compared) -> bool:
    if compared.verdicts is None:
        return False
    straight, turned = compared.verdicts
    return straight is not None and turned is not None and straight != _turned(turned)


def _turned(preference: Preference) -> Preference:
    """The same verdict named from the other side."""
    return "second" if preference == "first" else "first" if preference == "second" else "tie"


def _word(right: bool | None) -> str:
    return "right" if right else "wrong"
