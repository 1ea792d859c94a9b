"""Where votes lean whoever wrote the answer: to the left, to the longer one; and votes on one candidate twice (A/A).

All shares are of votes with a winner, with Wilson's interval, which takes votes to be independent. Nothing here
corrects a standing: shuffled places and A/A rounds are what guards it, and a lean is said beside it.
"""

from collections.abc import Sequence

from results import numbers
from results.head_to_head_records import Ballot
from results.records import Estimate
from results.standing_records import Leaning, SelfTest
from results.statistics import wilson

_FEW = 20


def left_leaning(ballots: Sequence[Ballot]) -> Leaning | None:
    """How often the left answer won; None without a winner anywhere."""
    decided = _decided(ballots)
    if not decided:
        return None
    share = wilson(sum(each.outcome == "left" for each in decided), len(decided))
    return _leaning(share, "left answer", "its place on the page")


def longer_leaning(ballots: Sequence[Ballot]) -> Leaning | None:
    """How often the longer answer won; None where no vote has a winner among answers of different length."""
    decided = [each for each in _decided(ballots) if each.left_characters != each.right_characters]
    if not decided:
        return None
    longer = sum((each.outcome == "left") == (each.left_characters > each.right_characters) for each in decided)
    return _leaning(wilson(longer, len(decided)), "longer answer", "its length")


def self_test(ballots: Sequence[Ballot]) -> SelfTest | None:
    """What votes on two answers of one candidate say of one's own judgement; None without any."""
    same = [each for each in ballots if each.left == each.right]
    if not same:
        return None
    preferring = _decided(same)
    others = [each for each in ballots if each.left != each.right]
    equal = [each for each in same if each.same_text]
    preferred = wilson(len(preferring), len(same))
    left = wilson(sum(each.outcome == "left" for each in preferring), len(preferring)) if preferring else None
    other = wilson(len(_decided(others)), len(others)) if others else None
    slips = len(_decided(equal))
    return SelfTest(
        votes=len(same),
        preferred=preferred,
        same_text=len(equal),
        same_text_preferred=slips,
        left=left,
        other_preferred=other,
        conclusions=tuple(_conclusions(preferred, left, other, (len(equal), slips))),
    )


def _conclusions(
    preferred: Estimate, left: Estimate | None, other: Estimate | None, equal: tuple[int, int]
) -> list[str]:
    texts, slips = equal
    found = [
        f"Of {numbers.things(preferred.n, 'vote')} on two answers of the same candidate, "
        f"{numbers.estimate(preferred, 'percent')} preferred one of them; the rest preferred neither."
    ]
    if left is not None and left.low is not None and left.high is not None:
        side = "left" if left.value > 0.5 else "right"
        if not left.low <= 0.5 <= left.high:
            share = max(left.value, 1 - left.value)
            found.append(f"These went to the {side} answer in {numbers.percent(share)}: place counts, not content.")
        else:
            found.append(
                f"They went left in {numbers.estimate(left, 'percent')}: no lean to one side shown; an even judge "
                "gives 50 %."
            )
    if texts:
        found.append(
            f"{numbers.things(texts, 'vote')} were on letter for letter the same text, and {numbers.count(slips)} of "
            "them preferred one."
        )
    if other is not None and other.low is not None and preferred.high is not None:
        if preferred.high < other.low:
            found.append(
                f"Between different candidates {numbers.estimate(other, 'percent')} had a winner, more than that: the "
                "votes see differences between candidates that are more than those within one."
            )
        else:
            found.append(
                f"Between different candidates {numbers.estimate(other, 'percent')} had a winner, which is not shown "
                "to be more: part of those preferences may be of the same kind."
            )
    if preferred.n < _FEW:
        found.append(f"{numbers.things(preferred.n, 'vote')} are few for this; {_FEW} say more.")
    return found


def _leaning(share: Estimate, kind: str, what: str) -> Leaning:
    leans = share.low is not None and share.high is not None and not share.low <= 0.5 <= share.high
    shown = f"The {kind} won {numbers.estimate(share, 'percent')} of {numbers.things(share.n, 'vote')} with a winner"
    if not leans:
        return Leaning(share=share, leans=False, conclusion=f"{shown}: no lean shown.")
    towards = "for" if share.value > 0.5 else "against"
    return Leaning(share=share, leans=True, conclusion=f"{shown}: {what} speaks {towards} an answer.")


def _decided(ballots: Sequence[Ballot]) -> list[Ballot]:
    return [each for each in ballots if each.outcome in {"left", "right"}]
