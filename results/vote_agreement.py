"""Whether votes prefer what the scorer calls right: the same answers, judged by a person and by the test set's scorer.

Where they part, one of two things is so: the scorer measures something else than what people want, or the votes follow
something else than what is right. Which of them, no figure here says. Nothing here scores or counts votes anew.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from scipy import stats

from results import numbers
from results.agreement import agreement
from results.head_to_head_records import Ballot
from results.records import Estimate
from results.standing_records import PairAgreement, VoteAgreement
from results.statistics import wilson

FEWEST_FOR_RANKS = 4
"""Candidates from which a rank correlation is given: of three, one of six orders agrees by chance."""


class ScoredVote(NamedTuple):
    """A vote and what the scorer gave the two answers."""

    ballot: Ballot
    left: float
    """Score of the left answer; 0 where it could not be understood."""
    right: float
    """Score of the right answer."""


def vote_agreement(
    votes: Sequence[ScoredVote], shares: Mapping[str, float], quality: Mapping[str, float]
) -> VoteAgreement:
    """Votes against scores, by pair and together.

    shares and quality are, by name, the expected share of points and the measured quality, more being better.
    """
    between = [each for each in votes if each.ballot.left != each.ballot.right]
    by_pair: dict[frozenset[str], list[ScoredVote]] = {}
    for each in between:
        by_pair.setdefault(frozenset((each.ballot.left_name, each.ballot.right_name)), []).append(each)
    pairs = tuple(
        _pair(sorted(names), part) for names, part in sorted(by_pair.items(), key=lambda item: sorted(item[0]))
    )
    together = _pair(["", ""], between) if between else None
    correlation = _correlation(shares, quality)
    return VoteAgreement(
        cases=len(between),
        pairs=pairs,
        together=together,
        rank_correlation=correlation,
        conclusions=tuple(_conclusions(together, correlation, shares, quality)),
    )


def _pair(names: Sequence[str], votes: Sequence[ScoredVote]) -> PairAgreement:
    decided = [each for each in votes if _by_vote(each) != "neither" != _by_score(each)]
    right = sum(_by_vote(each) == _by_score(each) for each in decided)
    return PairAgreement(
        first=names[0],
        second=names[-1],
        decided=len(decided),
        prefers_right=wilson(right, len(decided)) if decided else None,
        agreement=agreement([_by_vote(each) for each in votes], [_by_score(each) for each in votes]),
    )


def _by_vote(vote: ScoredVote) -> str:
    return vote.ballot.outcome if vote.ballot.outcome in {"left", "right"} else "neither"


def _by_score(vote: ScoredVote) -> str:
    if vote.left == vote.right:
        return "neither"
    return "left" if vote.left > vote.right else "right"


def _correlation(shares: Mapping[str, float], quality: Mapping[str, float]) -> Estimate | None:
    names = [name for name in shares if name in quality]
    values = [[shares[name] for name in names], [quality[name] for name in names]]
    if len(names) < FEWEST_FOR_RANKS or any(len(set(part)) < 2 for part in values):
        return None
    method = f"Spearman's rank correlation over {len(names)} candidates; no interval: so few orders are possible"
    return Estimate(value=float(stats.spearmanr(values[0], values[1]).statistic), n=len(names), method=method)


def _conclusions(
    together: PairAgreement | None,
    correlation: Estimate | None,
    shares: Mapping[str, float],
    quality: Mapping[str, float],
) -> list[str]:
    if together is None:
        return ["No vote was cast on an example of this test set with answers that the scorer could judge."]
    found = [_preference(together)]
    if together.agreement is not None and (kappa := together.agreement.kappa) is not None:
        found.append(
            f"Winner by vote and winner by score are the same in "
            f"{numbers.estimate(together.agreement.share, 'percent')} of "
            f"{numbers.things(together.agreement.share.n, 'vote')}, draws counted; Cohen's kappa "
            f"{numbers.estimate(kappa, 'score')}, where 0 is what chance gives."
        )
    if correlation is not None:
        found.append(
            f"The order by votes and the order by measured quality have a rank correlation of "
            f"{numbers.score(correlation.value)} over {numbers.things(correlation.n, 'candidate')}."
        )
    return [*found, *_turned(shares, quality)]


def _preference(together: PairAgreement) -> str:
    share = together.prefers_right
    if share is None or share.low is None or share.high is None:
        return "No vote had a winner where one answer is right and the other wrong."
    shown = (
        f"Where one answer scores higher, votes with a winner prefer it in {numbers.estimate(share, 'percent')} of "
        f"{numbers.things(share.n, 'case')}"
    )
    if share.low > 0.5:
        return f"{shown}: the votes follow what the scorer measures."
    if share.high < 0.5:
        return f"{shown}: the votes go against what the scorer measures. Look at these answers before you trust either."
    return f"{shown}: too few, or too mixed, to say that the votes follow what the scorer measures."


def _turned(shares: Mapping[str, float], quality: Mapping[str, float]) -> list[str]:
    names = [name for name in shares if name in quality]
    turned = [
        f"{a} and {b}" for a, b in combinations(names, 2) if (shares[a] - shares[b]) * (quality[a] - quality[b]) < 0
    ]
    if not turned:
        return []
    return [f"Votes and measured quality order these the other way round, by their values alone: {', '.join(turned)}."]
