"""The recommendation in sentences: why each candidate is where it is, and the three lines above them all.

Every sentence is made from numbers that stand beside it. Accuracy is called higher or lower only where the corrected
test shows it; latency and memory are given as measured, without a claim.
"""

from collections.abc import Callable, Sequence

from catalog.records import Verdict, VerdictValue
from results import numbers
from results.comparison import pair_of, shows_difference
from results.limits import memory_bytes
from results.ranking import DIMENSIONS, Shares, Standing, utility
from results.records import (
    BenchmarkComparison,
    CandidateSummary,
    Estimate,
    ExcludedCandidate,
    Recommendation,
    WeightChange,
)

WIDE_INTERVAL = 0.15
"""An accuracy interval wider than this share is pointed out: the test set is small for a decision."""

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
        _why(best, comparison),
        _mind(best, comparison, recommendation),
    )


def headline_of_nobody(excluded: Sequence[ExcludedCandidate], miss: str | None) -> Headline:
    """The three lines where no candidate meets every limit."""
    if not excluded or miss is None:
        return ("There is nothing to recommend.", "The benchmark has no candidate.", "Run the benchmark first.")
    return ("No candidate meets every limit.", miss, f"Out: {_out(excluded)}.")


def reasons(
    index: int, order: Sequence[tuple[int, Standing]], summary: CandidateSummary, weights: Shares
) -> tuple[str, ...]:
    """Why a candidate is where it is: one sentence per dimension, the sum, and how an equal sum was ordered."""
    rank, place = order[index]
    others = [standing for _, standing in order if standing.name != place.name]
    found = [
        _quality_reason(place, summary),
        _cost_reason("End to end (p50)", place.latency_seconds, [o.latency_seconds for o in others], numbers.seconds),
        _cost_reason("Peak memory", place.memory_bytes, [o.memory_bytes for o in others], numbers.bytes_),
    ]
    parts = " + ".join(
        f"{share:.2f} × {score:.2f} {name}"
        for share, score, name in zip(weights, place.scores, DIMENSIONS, strict=True)
    )
    found.append(f"Utility {utility(place, weights):.2f} = {parts}.")
    if index > 0:
        before_rank, before = order[index - 1]
        if before_rank == rank:
            found.append(f"Nothing measured separates it from {before.name}; they share rank {rank}.")
        elif round(utility(before, weights) - utility(place, weights), 9) == 0:
            found.append(
                f"Its utility equals that of {before.name}, which comes first by {_tie_broken_by(before, place)}."
            )
    return tuple(found)


def _tie_broken_by(before: Standing, after: Standing) -> str:
    """What put one before the other at equal utility, in the order of results/ranking.py."""
    if before.latency_seconds != after.latency_seconds:
        return "lower end-to-end time"
    return "lower peak memory" if before.memory_bytes != after.memory_bytes else "higher accuracy"


def _quality_reason(place: Standing, summary: CandidateSummary) -> str:
    accuracy = numbers.estimate(summary.accuracy, "percent")
    if place.accuracy is None:
        return "Accuracy was not measured and counts as worst."
    if place.tied_with_best:
        best = numbers.percent(place.quality)
        return f"Accuracy {accuracy}: not shown to differ from the highest ({best}), so it counts as equal to it."
    return f"Accuracy {accuracy}."


def _cost_reason(
    what: str, value: float | None, others: Sequence[float | None], show: Callable[[float | None], str]
) -> str:
    """One sentence for a value of which less is better."""
    if value is None:
        return f"{what} was not measured and counts as worst."
    known = [other for other in others if other is not None]
    if not known:
        return f"{what} {show(value)}."
    lowest = min(known)
    if value <= lowest:
        return f"{what} {show(value)}, the lowest of {len(known) + 1}."
    times = f"{numbers.ratio(value / lowest)} the lowest" if lowest > 0 else "the lowest is"
    return f"{what} {show(value)}, {times} ({show(lowest)})."


def _which(winner: CandidateSummary) -> str:
    name = winner.candidate.name
    if winner.accuracy is None:
        return f"Use {name}; its accuracy was not measured and has no weight here."
    n = numbers.things(winner.accuracy.n, "example")
    return f"Use {name}: {numbers.estimate(winner.accuracy, 'percent')} right on {n}."


def _why(best: Sequence[CandidateSummary], comparison: BenchmarkComparison) -> str:
    """The winner against the runner-up."""
    if len(best) == 1:
        if len(comparison.candidates) == 1:
            return "It is the only candidate, so nothing was compared."
        return f"It is the only one of {len(comparison.candidates)} candidates that meets every limit."
    winner, runner_up = best[0], best[1]
    parts = [
        _accuracy_against(winner, runner_up, comparison),
        _against(
            "end to end (p50)", _value(winner.e2e_p50_seconds), _value(runner_up.e2e_p50_seconds), numbers.seconds
        ),
        _against("peak memory", memory_bytes(winner), memory_bytes(runner_up), numbers.bytes_),
    ]
    return f"Against {runner_up.candidate.name}: {'; '.join(part for part in parts if part)}."


def _accuracy_against(winner: CandidateSummary, runner_up: CandidateSummary, comparison: BenchmarkComparison) -> str:
    ours, theirs = _value(winner.accuracy), _value(runner_up.accuracy)
    values = f"{numbers.percent(ours)} against {numbers.percent(theirs)}"
    pair = pair_of(comparison.pairs, winner.candidate.name, runner_up.candidate.name)
    if ours is None or theirs is None or pair is None:
        return f"accuracy {values}, not on the same examples"
    if not shows_difference(pair):
        return f"no difference in accuracy shown ({values} at n = {numbers.count(pair.n)})"
    wins = (pair.difference.value > 0) == (pair.first == winner.candidate.name)
    return f"{'higher' if wins else 'lower'} accuracy ({values}, adjusted {numbers.p_value(pair.p_adjusted)})"


def _against(what: str, ours: float | None, theirs: float | None, show: Callable[[float | None], str]) -> str:
    return "" if ours is None and theirs is None else f"{what} {show(ours)} against {show(theirs)}"


def _mind(best: Sequence[CandidateSummary], comparison: BenchmarkComparison, recommendation: Recommendation) -> str:
    """What stands against the recommendation, most binding first."""
    winner = best[0]
    points = [_license(winner.verdict), *_doubts(winner), _ties(best, comparison)]
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
    accuracy = winner.accuracy
    if accuracy is not None and (accuracy.low is None or accuracy.high is None):
        found.append(f"its accuracy has no interval ({accuracy.method})")
    elif accuracy is not None and accuracy.low is not None and accuracy.high is not None:
        width = accuracy.high - accuracy.low
        if width > WIDE_INTERVAL:
            found.append(
                f"n = {numbers.count(accuracy.n)} is small, its accuracy is known to {numbers.points(width)} only"
            )
    missing = [
        what
        for what, value in (("end-to-end time", winner.e2e_p50_seconds), ("peak memory", memory_bytes(winner)))
        if value is None
    ]
    if missing:
        found.append(f"its {' and '.join(missing)} {'was' if len(missing) == 1 else 'were'} not measured")
    return found


def _ties(best: Sequence[CandidateSummary], comparison: BenchmarkComparison) -> str:
    """Who the winner cannot be told from in accuracy, among those who qualify."""
    name = best[0].candidate.name
    pairs = [(other.candidate.name, pair_of(comparison.pairs, name, other.candidate.name)) for other in best[1:]]
    tied = [(other, pair) for other, pair in pairs if pair is not None and not shows_difference(pair)]
    if not tied:
        return ""
    named = ", ".join(f"{other} (n = {numbers.count(pair.n)})" for other, pair in tied)
    return f"no difference in accuracy shown to {named}"


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


def _value(estimate: Estimate | None) -> float | None:
    return None if estimate is None else estimate.value
