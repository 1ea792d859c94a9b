"""The recommendation: hard limits first, then a ranking of those who meet them, with reasons and with what shakes it.

Limits are in results/limits.py, the ranking and its rules in results/ranking.py, the sentences in
results/explanation.py. Nothing here reads the store or knows a page.
"""

from collections.abc import Sequence
from functools import cached_property

from results.choice import Choice, Evidence, choose
from results.cost import candidate_costs
from results.explanation import headline, headline_of_nobody
from results.limits import check_requirements, nearest_miss
from results.policy import policies
from results.ranking import Shares, Standing, dominators, ranked, shares, standings, utility
from results.reasons import normalisation, reasons
from results.recommendation_records import Policy, RankedCandidate, Recommendation, Stability
from results.records import BenchmarkComparison, CandidateSummary, RunMeasurements
from results.redrawing import Redrawn, redraw
from results.requirement_records import CandidateCost, Limits, Requirements
from results.sensitivity import limit_changes, weight_changes
from results.slice_winners import slice_winners
from results.stability import Chosen, stability

_PolicyKey = tuple[tuple[str, ...], tuple[CandidateCost, ...]]
"""What policies depend on besides the answers: who meets the limits, and what each costs."""


def recommend(
    comparison: BenchmarkComparison, requirements: Requirements, measurements: Sequence[RunMeasurements] = ()
) -> Recommendation:
    """Rank a benchmark's candidates under limits and weights. Raises BadRequirements.

    1. Who breaks a hard limit is out, with every limit broken; a value that was not measured breaks a limit on it.
       Without measured quality a candidate is out too while quality has weight, and without any measured value always.
    2. The others are ranked by the weighted sum of normalised values. Quality counts as equal for all that the
       corrected test cannot tell from the best. Who the data cannot separate shares a rank, the cheaper one first.
    3. Where nobody is left there is no winner, and the nearest miss says which limit to relax to what.

    measurements are those that the comparison was made from; without them nothing is resampled, and there are no
    policies.
    """
    return Recommender(comparison, measurements).under(requirements)


class Recommender:
    """Recommends from one comparison under one set of requirements after the other, as controls are moved.

    What rests on the answers alone is computed once. Safe to use from several threads: what two compute at once is
    the same.
    """

    def __init__(self, comparison: BenchmarkComparison, measurements: Sequence[RunMeasurements] = ()) -> None:
        self.comparison = comparison
        self._runs = _in_order(comparison, measurements)
        self._policies: tuple[_PolicyKey, tuple[Policy, ...]] | None = None

    def under(self, requirements: Requirements) -> Recommendation:
        """As `recommend`. Raises BadRequirements."""
        comparison = self.comparison
        check_requirements(requirements, comparison.candidates, comparison.benchmark.candidates)
        weights = shares(requirements.weights)
        costs = candidate_costs(comparison.candidates, requirements.prices)
        evidence = Evidence(comparison.candidates, comparison.pairs, costs, self._redrawn)
        choice = choose(evidence, requirements.limits, weights)
        order = ranked(choice.field, weights)
        miss, relaxations = (None, ()) if order else nearest_miss(choice.excluded)
        recommendation = Recommendation(
            benchmark=comparison.benchmark.name,
            requirements=requirements,
            winner=order[0][1].name if order else None,
            ranked=_ranked(choice, order, weights, evidence),
            excluded=choice.excluded,
            sensitivity=weight_changes(choice.field, weights) if order else (),
            headline=headline_of_nobody(choice.excluded, miss),
            nearest_miss=miss,
            relaxations=relaxations,
            limit_sensitivity=limit_changes(evidence, requirements.limits, weights),
            normalisation=normalisation(choice.field.standings, weights, evidence.costs),
            costs=evidence.costs,
            stability=_stability(evidence, requirements.limits, weights, choice),
            slices=slice_winners(comparison, [place.name for _, place in order]),
            policies=self._policies_of(choice.qualified, costs),
        )
        if not order:
            return recommendation
        summaries = {summary.candidate.name: summary for summary in choice.qualified}
        lines = headline([summaries[place.name] for _, place in order], comparison, recommendation)
        return recommendation.model_copy(update={"headline": lines})

    @cached_property
    def _redrawn(self) -> Redrawn | None:
        return redraw(self._runs) if self._runs else None

    def _policies_of(
        self, qualified: Sequence[CandidateSummary], costs: tuple[CandidateCost, ...]
    ) -> tuple[Policy, ...]:
        key = (tuple(summary.candidate.name for summary in qualified), costs)
        kept = self._policies
        if kept is None or kept[0] != key:
            kept = self._policies = (key, policies(qualified, self._runs, costs))
        return kept[1]


def _ranked(
    choice: Choice, order: Sequence[tuple[int, Standing]], weights: Shares, evidence: Evidence
) -> tuple[RankedCandidate, ...]:
    summaries = {summary.candidate.name: summary for summary in choice.qualified}
    found = []
    for index, (rank, place) in enumerate(order):
        above = dominators(place, choice.field.standings, weights)
        found.append(
            RankedCandidate(
                name=place.name,
                rank=rank,
                utility=utility(place, weights),
                pareto=not above,
                dominated_by=above,
                reasons=reasons(index, order, summaries[place.name], weights, evidence.costs),
            )
        )
    return tuple(found)


def _stability(evidence: Evidence, limits: Limits, weights: Shares, choice: Choice) -> Stability | None:
    """Win shares over the candidates that were redrawn; None where nothing was."""
    redrawn = evidence.redrawn
    if redrawn is None:
        return None
    summaries = tuple(s for s in evidence.candidates if s.candidate.name in redrawn.names)
    among = standings(summaries, evidence.pairs, evidence.costs)
    return stability(redrawn, Chosen(summaries, among, evidence.costs), limits, weights, choice.field)


def _in_order(comparison: BenchmarkComparison, measurements: Sequence[RunMeasurements]) -> tuple[RunMeasurements, ...]:
    """The runs of the compared candidates, in the comparison's order."""
    runs = {run.candidate.name: run for run in measurements}
    names = (summary.candidate.name for summary in comparison.candidates)
    return tuple(runs[name] for name in names if name in runs)
