"""The recommendation: hard limits first, then a ranking of those who meet them, with reasons.

Limits are in results/limits.py, the ranking and its rules in results/ranking.py, the sentences in
results/explanation.py. Nothing here reads the store or knows a page.
"""

from results.conclusions import stopped_early
from results.explanation import headline, headline_of_nobody, reasons
from results.limits import broken_limits, memory_bytes, nearest_miss
from results.ranking import Shares, is_pareto, ranked, sensitivity, shares, standings, utility
from results.records import (
    BenchmarkComparison,
    BrokenLimit,
    CandidateSummary,
    ExcludedCandidate,
    RankedCandidate,
    Recommendation,
    Requirements,
)


def recommend(comparison: BenchmarkComparison, requirements: Requirements) -> Recommendation:
    """Rank a benchmark's candidates under limits and weights.

    1. Who breaks a hard limit is out, with every limit broken; a value that was not measured breaks a limit on it.
       Without measured accuracy a candidate is out too while quality has weight, and without any measured value always.
    2. The others are ranked by the weighted sum of normalised quality, latency and memory. Quality counts as equal for
       all that the corrected test cannot tell from the most accurate. Equal sums: lower latency, then lower memory.
    3. Where nobody is left there is no winner, and the nearest miss says which limit to relax.
    """
    weights = shares(requirements.weights)
    excluded: list[ExcludedCandidate] = []
    qualified: list[CandidateSummary] = []
    for summary in comparison.candidates:
        broken = broken_limits(summary, requirements.limits) + _unmeasured(summary, weights) + _stopped(summary)
        if broken:
            excluded.append(ExcludedCandidate(name=summary.candidate.name, broken=broken))
        else:
            qualified.append(summary)
    places = standings(qualified, comparison.pairs)
    order = ranked(places, weights)
    summaries = {summary.candidate.name: summary for summary in qualified}
    miss = None if order else nearest_miss(tuple(excluded))
    recommendation = Recommendation(
        benchmark=comparison.benchmark.name,
        requirements=requirements,
        winner=order[0][1].name if order else None,
        ranked=tuple(
            RankedCandidate(
                name=place.name,
                rank=rank,
                utility=utility(place, weights),
                pareto=is_pareto(place, places),
                reasons=reasons(index, order, summaries[place.name], weights),
            )
            for index, (rank, place) in enumerate(order)
        ),
        excluded=tuple(excluded),
        sensitivity=sensitivity(places, weights),
        headline=headline_of_nobody(tuple(excluded), miss),
        nearest_miss=miss,
    )
    if not order:
        return recommendation
    lines = headline([summaries[place.name] for _, place in order], comparison, recommendation)
    return recommendation.model_copy(update={"headline": lines})


def _unmeasured(summary: CandidateSummary, weights: Shares) -> tuple[BrokenLimit, ...]:
    """The implied limit: something must have been measured to rank by."""
    if summary.accuracy is not None:
        return ()
    if weights[0] == 0 and (summary.e2e_p50_seconds is not None or memory_bytes(summary) is not None):
        return ()
    message = f"Its accuracy was not measured; its run is {summary.status}."
    if summary.failures:
        message += f" {summary.failures[-1].message}"
    return (BrokenLimit(limit="measured", message=message),)


def _stopped(summary: CandidateSummary) -> tuple[BrokenLimit, ...]:
    """A candidate that was stopped early cannot win, whatever its figures: that is why it was stopped."""
    if summary.stopped is None:
        return ()
    message = stopped_early(summary.candidate.name, summary.stopped)
    return (BrokenLimit(limit="early_stopping", message=message),)
