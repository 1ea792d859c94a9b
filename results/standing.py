"""The standing of candidates by votes: Bradley-Terry strengths with bootstrap intervals, per slice too.

Resampled are prompts, not votes: votes on one prompt (or in one conversation, or on examples of one group) hang
together. Candidates that no chain of votes connects have no common scale and stand apart. "Better" is said only where
the test, corrected over all pairs (Holm 1979), says so. The model is in results/bradley_terry.py, the figures of each
set of candidates in results/standing_groups.py, and where votes lean in results/leanings.py.
"""

from collections import Counter
from collections.abc import Sequence

from results import numbers
from results.errors import NothingToCompare
from results.head_to_head_records import Ballot
from results.leanings import left_leaning, longer_leaning, self_test
from results.quality import GROUP
from results.resampling import RESAMPLES
from results.standing_groups import Group, cluster, drawn_groups, judged_groups
from results.standing_records import HeadToHeadStanding, SliceStanding, StandingGroup
from results.statistics import MINIMUM_FOR_BOOTSTRAP

MOST_SLICES = 100
"""Slices that a standing is made of, those with most prompts first."""

SLICE_RESAMPLES = 2_000
"""Resamples of each slice, of which there may be a hundred."""

_METHOD = (
    "Bradley-Terry strengths by maximum likelihood, ties and both-bad votes as half a win each (Bradley & Terry 1952; "
    "Hunter 2004); BCa bootstrap 95 % over prompts, {resamples} resamples (2,000 at most for slices); pairs tested by "
    "the same resamples, corrected after Holm."
)
_SEPARATED = (
    "Some candidates won every vote against the rest, for which maximum likelihood has no finite answer: {ties} "
    "on top, spread over the pairs that met, holds the strengths finite (Firth 1993), and the intervals reach to "
    "what so many wins without a loss leave possible."
)


def standing(ballots: Sequence[Ballot], *, resamples: int = RESAMPLES) -> HeadToHeadStanding:
    """What these votes say. NothingToCompare without any vote."""
    if not ballots:
        raise NothingToCompare("There are no votes yet. Put a prompt to two candidates in step Head-to-head and judge.")
    known = identified(ballots)
    between = [each for each in known if each.left != each.right]
    groups = judged_groups([drawn_groups(between, resamples)])[0] if between else ()
    outcomes = Counter(each.outcome for each in between)
    slices = _slices(between, min(resamples, SLICE_RESAMPLES))
    return HeadToHeadStanding(
        votes=len(between),
        prompts=len({cluster(each) for each in between}),
        blind=sum(each.blind for each in between),
        corrected=sum(each.corrected for each in between),
        old=sum(each.round_id is None for each in between),
        voters=tuple(sorted({each.voter for each in between if each.voter})),
        ties=outcomes["tie"],
        both_bad=outcomes["both_bad"],
        groups=groups,
        slices=slices,
        left=left_leaning(between),
        longer=longer_leaning(between),
        self_test=self_test(known),
        reasons=tuple(Counter(tag for each in between for tag in each.reasons).most_common()),
        notes=tuple(_notes(between, groups, slices)),
        method=_METHOD.format(resamples=numbers.count(resamples)),
    )


def identified(ballots: Sequence[Ballot]) -> list[Ballot]:
    """The votes with keys for the candidates of old ones: a name is taken for the one candidate that carries it."""
    keys: dict[str, set[str]] = {}
    for each in ballots:
        if each.round_id is not None:
            keys.setdefault(each.left_name, set()).add(each.left)
            keys.setdefault(each.right_name, set()).add(each.right)

    def key(name: str) -> str:
        found = keys.get(name, set())
        return next(iter(found)) if len(found) == 1 else name

    return [
        each
        if each.round_id is not None
        else each.model_copy(update={"left": key(each.left), "right": key(each.right)})
        for each in ballots
    ]


def in_slice(ballots: Sequence[Ballot], column: str, value: str) -> list[Ballot]:
    """Votes on prompts that have this value."""
    return [each for each in ballots if each.slices.get(column) == value]


def _slices(ballots: Sequence[Ballot], resamples: int) -> tuple[SliceStanding, ...]:
    """The standing on every slice with enough prompts that is not all of them; tests corrected over all together."""
    prompts: dict[tuple[str, str], set[str]] = {}
    for each in ballots:
        for column, value in each.slices.items():
            if column != GROUP:
                prompts.setdefault((column, value), set()).add(cluster(each))
    everything = len({cluster(each) for each in ballots})
    wanted = [place for place, found in prompts.items() if MINIMUM_FOR_BOOTSTRAP <= len(found) < everything]
    wanted = sorted(sorted(wanted, key=lambda place: -len(prompts[place]))[:MOST_SLICES])
    parts = [in_slice(ballots, *place) for place in wanted]
    drawn: list[list[Group]] = [drawn_groups(part, resamples) for part in parts]
    return tuple(
        SliceStanding(column=column, value=value, prompts=len(prompts[column, value]), votes=len(part), groups=groups)
        for (column, value), part, groups in zip(wanted, parts, judged_groups(drawn), strict=True)
    )


def _notes(ballots: Sequence[Ballot], groups: Sequence[StandingGroup], slices: Sequence[SliceStanding]) -> list[str]:
    notes = []
    if len(groups) > 1:
        named = "; ".join(", ".join(each.name for each in group.candidates) for group in groups)
        notes.append(
            f"No chain of votes connects all candidates, so that they have no common scale; {len(groups)} standings "
            f"are given apart: {named}."
        )
    for group in groups:
        if group.separated:
            notes.append(_SEPARATED.format(ties=numbers.things(len(group.candidates) - 1, "tie")))
            break
    few = sorted({e.name for group in groups for e in group.candidates if e.prompts < MINIMUM_FOR_BOOTSTRAP})
    if few:
        notes.append(
            f"Judged on fewer than {MINIMUM_FOR_BOOTSTRAP} prompts, and so without interval: {', '.join(few)}."
        )
    if bad := sum(each.outcome == "both_bad" for each in ballots):
        notes.append(
            f"{numbers.things(bad, 'vote')} of {numbers.count(len(ballots))} said that both answers are bad; they "
            "count as ties for the order, which says who is better, not who is good."
        )
    if seen := sum(not each.blind for each in ballots):
        notes.append(
            f"{numbers.things(seen, 'vote')} of {numbers.count(len(ballots))} were cast with the names in sight."
        )
    if old := sum(each.round_id is None for each in ballots):
        notes.append(
            f"{numbers.things(old, 'vote')} were kept before version 0.5 and know their candidates by name alone."
        )
    if slices:
        notes.append(
            f"{numbers.things(len(slices), 'slice')} were looked at; their tests are corrected over all pairs on all "
            "of them, their intervals are not: of twenty, one misses the truth by chance."
        )
    return notes
