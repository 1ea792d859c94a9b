"""The rule itself: limits first, then the ranking of who is left. One call for the decision and for every "what if".

Makes no sentence and no record for people; results/recommendation.py does.
"""

from typing import NamedTuple

from results.comparison import shows_difference
from results.conclusions import stopped_early
from results.limits import broken_limits, memory_bytes
from results.ranking import Field, Shares, Standing, first, standings
from results.recommendation_records import BrokenLimit, ExcludedCandidate
from results.records import CandidateSummary, Comparison
from results.redrawing import Redrawn
from results.requirement_records import CandidateCost, Limits
from results.stability import resampled_scores


class Evidence(NamedTuple):
    """What a decision rests on, whatever the requirements."""

    candidates: tuple[CandidateSummary, ...]
    pairs: tuple[Comparison, ...]
    costs: tuple[CandidateCost, ...] = ()
    redrawn: Redrawn | None = None
    """None: nothing to resample, and only equal utilities share a rank."""


class Choice(NamedTuple):
    """Who is out, and everybody who is ranked."""

    excluded: tuple[ExcludedCandidate, ...]
    qualified: tuple[CandidateSummary, ...]
    field: Field


def choose(evidence: Evidence, limits: Limits, weights: Shares) -> Choice:
    """Who breaks a hard limit is out; the others are normalised among each other.

    Without measured quality a candidate is out too while quality has weight, and without any measured value always.
    """
    costs = {cost.name: cost for cost in evidence.costs}
    excluded: list[ExcludedCandidate] = []
    qualified: list[CandidateSummary] = []
    for summary in evidence.candidates:
        broken = broken_limits(summary, limits, costs.get(summary.candidate.name))
        broken += _unmeasured(summary, weights) + _stopped(summary)
        if broken:
            excluded.append(ExcludedCandidate(name=summary.candidate.name, broken=broken))
        else:
            qualified.append(summary)
    return Choice(tuple(excluded), tuple(qualified), _field(evidence, tuple(qualified)))


def winner_under(evidence: Evidence, limits: Limits, weights: Shares) -> str | None:
    """Who would win; None where nobody qualifies."""
    choice = choose(evidence, limits, weights)
    return first(choice.field, weights).name if choice.qualified else None


def _field(evidence: Evidence, qualified: tuple[CandidateSummary, ...]) -> Field:
    found = standings(qualified, evidence.pairs, evidence.costs)
    told = frozenset(frozenset({pair.first, pair.second}) for pair in evidence.pairs if shows_difference(pair))
    if evidence.redrawn is None or len(found) < 2 or not _all_redrawn(evidence.redrawn, found):
        return Field(found, told_apart=told)
    return Field(found, resampled_scores(evidence.redrawn, found), told)


def _all_redrawn(redrawn: Redrawn, found: tuple[Standing, ...]) -> bool:
    return all(standing.name in redrawn.names for standing in found)


def _unmeasured(summary: CandidateSummary, weights: Shares) -> tuple[BrokenLimit, ...]:
    """The implied limit: something must have been measured to rank by."""
    if summary.quality is not None:
        return ()
    if weights[0] == 0 and (summary.e2e_p50_seconds is not None or memory_bytes(summary) is not None):
        return ()
    message = f"Its quality was not measured; its run is {summary.status}."
    if summary.failures:
        message += f" {summary.failures[-1].message}"
    return (BrokenLimit(limit="measured", message=message),)


def _stopped(summary: CandidateSummary) -> tuple[BrokenLimit, ...]:
    """A candidate that was stopped early cannot win, whatever its figures: that is why it was stopped."""
    if summary.stopped is None:
        return ()
    message = stopped_early(summary.candidate.name, summary.stopped)
    return (BrokenLimit(limit="early_stopping", message=message),)
