"""The recommendation in three lines: which one, why, what to mind. Reasons of each place stand in results/reasons.py.

Every sentence is made from numbers that stand beside it. Quality is called higher or lower only where the corrected
test shows it; latency, memory and cost are given as measured, without a claim.
"""

from collections.abc import Callable, Sequence

from catalog.records import Verdict, VerdictValue
from results import numbers
from results.comparison import pair_of, shows_difference
from results.cost import cost_of
from results.limits import memory_bytes
from results.metric_words import difference, in_prose, shown, shown_estimate
from results.reasons import money_shower
from results.recommendation_records import ExcludedCandidate, Recommendation, Stability, WeightChange
from results.records import BenchmarkComparison, CandidateSummary, Estimate, MetricEstimate

WIDE_INTERVAL = 0.15
"""An interval of quality wider than this part of its scale is pointed out: the test set is small for a decision."""

UNSTABLE = 0.8
"""A winner that wins in fewer resamples than this is pointed out."""

NEAR_WEIGHT = 0.15
"""A share of weight that is this close to changing the winner is pointed out."""

Headline = tuple[str, str, str]
"""Which one; why; what to mind."""


def headline(
    best: Sequence[CandidateSummary], comparison: BenchmarkComparison, recommendation: Recommendation
) -> Headline:
    """The three lines, from the qualified candidates in their order (at least one)."""
    return (
        _which(best[0]),
        _why(best, comparison, recommendation),
        _mind(best, comparison, recommendation),
    )


def headline_of_nobody(excluded: Sequence[ExcludedCandidate], miss: str | None) -> Headline:
    """The three lines where no candidate meets every limit."""
    if not excluded or miss is None:
        return ("There is nothing to recommend.", "The benchmark has no candidate.", "Run the benchmark first.")
    return ("No candidate meets every limit.", miss, f"Out: {_out(excluded)}.")


def _which(winner: CandidateSummary) -> str:
    name, metric = winner.candidate.name, winner.quality
    if metric is None:
        return f"Use {name}; its quality was not measured and has no weight here."
    n = numbers.things(metric.estimate.n, "example")
    if metric.title == "Accuracy":
        return f"Use {name}: {shown_estimate(metric)} right on {n}."
    return f"Use {name}: {in_prose(metric.title)} {shown_estimate(metric)} on {n}."


def _why(best: Sequence[CandidateSummary], comparison: BenchmarkComparison, recommendation: Recommendation) -> str:
    """The winner against the runner-up."""
    if len(best) == 1:
        if len(comparison.candidates) == 1:
            return "It is the only candidate, so nothing was compared."
        return f"It is the only one of {len(comparison.candidates)} candidates that meets every limit."
    winner, runner_up = best[0], best[1]
    costs = [cost_of(recommendation.costs, each.candidate.name) for each in (winner, runner_up)]
    money = [cost.per_1000_examples if cost else None for cost in costs]
    parts = [
        _quality_against(winner, runner_up, comparison),
        _against(
            "end to end (p50)", _value(winner.e2e_p50_seconds), _value(runner_up.e2e_p50_seconds), numbers.seconds
        ),
        _against("peak memory", memory_bytes(winner), memory_bytes(runner_up), numbers.bytes_),
        _against("1,000 examples", money[0], money[1], money_shower(recommendation.costs)),
    ]
    return f"Against {runner_up.candidate.name}: {'; '.join(part for part in parts if part)}."


def _quality_against(winner: CandidateSummary, runner_up: CandidateSummary, comparison: BenchmarkComparison) -> str:
    metric = winner.quality or runner_up.quality
    name = in_prose(metric.title) if metric else "quality"
    ours, theirs = _quality(winner), _quality(runner_up)
    values = f"{shown(ours, metric)} against {shown(theirs, metric)}"
    pair = pair_of(comparison.pairs, winner.candidate.name, runner_up.candidate.name)
    if ours is None or theirs is None or pair is None:
        return f"{name} {values}, not on the same examples"
    if not shows_difference(pair):
        return f"no difference in {name} shown ({values} at n = {numbers.count(pair.n)})"
    return f"{'higher' if ours > theirs else 'lower'} {name} ({values}, adjusted {numbers.p_value(pair.p_adjusted)})"


def _against(what: str, ours: float | None, theirs: float | None, show: Callable[[float | None], str]) -> str:
    return "" if ours is None and theirs is None else f"{what} {show(ours)} against {show(theirs)}"


def _mind(best: Sequence[CandidateSummary], comparison: BenchmarkComparison, recommendation: Recommendation) -> str:
    """What stands against the recommendation, most binding first."""
    winner = best[0]
    points = [_license(winner.verdict), *_doubts(winner), _shared_first(recommendation), _ties(best, comparison)]
    points.append(_unstable(recommendation.stability, winner.candidate.name))
    if recommendation.excluded:
        out = numbers.things(len(recommendation.excluded), "candidate is", "candidates are")
        points.append(f"{out} out: {_out(recommendation.excluded)}")
    points.append(_near_change(recommendation.sensitivity))
    said = [point for point in points if point]
    if not said:
        return "Nothing stands against it: its license allows the use and every limit is met."
    return f"Mind: {'; '.join(said)}."


def _license(verdict: Verdict) -> str:
    name = verdict.license or "not declared"
    match verdict.value:
        case VerdictValue.ALLOWED:
            return ""
        case VerdictValue.CONDITIONAL:
            return f"its license ({name}) allows the use under {numbers.things(len(verdict.conditions), 'condition')}"
        case VerdictValue.UNKNOWN:
            return f"whether its license ({name}) allows the use is unknown"
        case VerdictValue.FORBIDDEN:
            return f"its license ({name}) forbids the use"


def _doubts(winner: CandidateSummary) -> list[str]:
    """What is doubtful in the winner's own numbers."""
    found = []
    if winner.status != "finished":
        found.append(f"its run is {winner.status}")
    if winner.validity_warning:
        found.append(winner.validity_warning.rstrip("."))
    metric = winner.quality
    if metric is not None:
        found += _small(metric)
    missing = [
        what
        for what, value in (("end-to-end time", winner.e2e_p50_seconds), ("peak memory", memory_bytes(winner)))
        if value is None
    ]
    if missing:
        found.append(f"its {' and '.join(missing)} {'was' if len(missing) == 1 else 'were'} not measured")
    return found


def _small(metric: MetricEstimate) -> list[str]:
    """Whether the test set is small for what it says of quality."""
    estimate, name = metric.estimate, in_prose(metric.title)
    if estimate.low is None or estimate.high is None:
        return [f"its {name} has no interval ({estimate.method})"]
    width, scale = estimate.high - estimate.low, 1 if metric.unit == "share" or estimate.high <= 1 else 100
    if width <= WIDE_INTERVAL * scale:
        return []
    return [f"n = {numbers.count(estimate.n)} is small, its {name} is known to {difference(width, metric)} only"]


def _shared_first(recommendation: Recommendation) -> str:
    """Who shares the first rank with the winner."""
    others = [place.name for place in recommendation.ranked[1:] if place.rank == 1]
    return (
        f"the data cannot separate it from {', '.join(others)}, and it comes first as the cheaper one" if others else ""
    )


def _unstable(stability: Stability | None, name: str) -> str:
    """How seldom it wins when the test set is drawn anew, where that is seldom."""
    if stability is None:
        return ""
    share = next((win.share for win in stability.shares if win.name == name), 0.0)
    if share >= UNSTABLE:
        return ""
    return f"it wins in only {numbers.percent(share)} of {numbers.count(stability.resamples)} resamples of the test set"


def _ties(best: Sequence[CandidateSummary], comparison: BenchmarkComparison) -> str:
    """Who the winner cannot be told from in quality, among those who qualify."""
    name = best[0].candidate.name
    pairs = [(other.candidate.name, pair_of(comparison.pairs, name, other.candidate.name)) for other in best[1:]]
    tied = [(other, pair) for other, pair in pairs if pair is not None and not shows_difference(pair)]
    if not tied:
        return ""
    named = ", ".join(f"{other} (n = {numbers.count(pair.n)})" for other, pair in tied)
    metric = best[0].quality
    return f"no difference in {in_prose(metric.title) if metric else 'quality'} shown to {named}"


def _near_change(changes: Sequence[WeightChange]) -> str:
    """The change of weight that is closest to giving another winner, where it is close."""
    near = [change for change in changes if abs(change.needed - change.current) <= NEAR_WEIGHT]
    if not near:
        return ""
    change = min(near, key=lambda c: abs(c.needed - c.current))
    if abs(change.needed - change.current) < 1e-9:
        return f"{change.new_winner} has the same utility and wins once {change.weight} weighs otherwise"
    direction = "above" if change.needed >= change.current else "below"
    return (
        f"{change.new_winner} wins once {change.weight} weighs {direction} {numbers.percent(change.needed)} "
        f"(now {numbers.percent(change.current)})"
    )


def _out(excluded: Sequence[ExcludedCandidate]) -> str:
    return ", ".join(f"{out.name} ({', '.join(limit.limit for limit in out.broken)})" for out in excluded)


def _quality(summary: CandidateSummary) -> float | None:
    return None if summary.quality is None else summary.quality.estimate.value


def _value(estimate: Estimate | None) -> float | None:
    return None if estimate is None else estimate.value
