"""Who comes second, and when to take that one instead. Every reason is a number of the records, none is an opinion."""

from collections.abc import Callable
from typing import NamedTuple

from results import numbers
from results.cost import cost_of
from results.limits import memory_bytes
from results.metric_words import shown_estimate
from results.records import CandidateSummary, Estimate
from workbench.report.certainty import weight_sentence
from workbench.report.document import Card, Item, verdict_badge
from workbench.report.records import ReportContent
from workbench.report.text import listing


def runner_up_card(content: ReportContent, winner: CandidateSummary, most: int) -> Card:
    """The second of the ranking with at most so many reasons to prefer it."""
    second = [place.name for place in content.recommendation.ranked[1:2]]
    other = next((summary for summary in content.comparison.candidates if summary.candidate.name in second), None)
    if other is None:
        return Card(title="Runner-up: none", text=f"{winner.candidate.name} alone meets every limit.")
    name = other.candidate.name
    reasons = prefer_when(content, winner, other)
    text = f"{_figures(other)}."
    if reasons:
        text += " Prefer it"
    else:
        text += f" Nothing that was measured speaks for it over {winner.candidate.name}."
    return Card(
        title=f"Runner-up: {name}",
        badge=verdict_badge(other.verdict.value),
        text=text,
        items=tuple(Item(text=reason) for reason in reasons[:most]),
        link="certainty",
    )


def prefer_when(content: ReportContent, winner: CandidateSummary, other: CandidateSummary) -> list[str]:
    """Reasons to take the other one, the most binding first; each continues “Prefer it …”."""
    made, name = content.recommendation, other.candidate.name
    reasons = []
    shared = [place.rank for place in made.ranked if place.name in {name, winner.candidate.name}]
    if len(set(shared)) == 1 and len(shared) == 2:
        reasons.append("freely: the data cannot separate the two.")
    if winner.verdict.conditions and not other.verdict.conditions and other.verdict.value.value == "allowed":
        reasons.append("if the conditions of the license cannot be met: it has none.")
    better = [
        f"{advantage.what} ({advantage.show(advantage.ours)} against {advantage.show(advantage.theirs)})"
        for advantage in _advantages(content, winner, other)
        if advantage.ours is not None and advantage.theirs is not None and advantage.ours < advantage.theirs
    ]
    if better:
        reasons.append(f"where {listing(better, 'or')} counts for more than here.")
    parts = [part for part in made.slices if part.best == name and winner.candidate.name not in part.not_separated]
    reasons += [f"for {part.column} = {part.value}, where it is shown better." for part in parts]
    reasons += [
        f"if weights change: {weight_sentence(change)}" for change in made.sensitivity if change.new_winner == name
    ]
    told = [change.sentence for change in made.limit_sensitivity if change.new_winner == name]
    reasons += [f"{sentence[0].lower()}{sentence[1:]}" for sentence in told]
    return reasons


class _Advantage(NamedTuple):
    """A figure of which less is better."""

    what: str
    ours: float | None
    theirs: float | None
    show: Callable[[float | None], str]


def _advantages(content: ReportContent, winner: CandidateSummary, other: CandidateSummary) -> tuple[_Advantage, ...]:
    costs = content.recommendation.costs
    ours, theirs = cost_of(costs, other.candidate.name), cost_of(costs, winner.candidate.name)
    currency = content.recommendation.requirements.prices.currency
    return (
        _Advantage("time", _value(other.e2e_p50_seconds), _value(winner.e2e_p50_seconds), numbers.seconds),
        _Advantage("memory", memory_bytes(other), memory_bytes(winner), numbers.bytes_),
        _Advantage(
            "cost of 1,000 examples",
            ours.per_1000_examples if ours else None,
            theirs.per_1000_examples if theirs else None,
            lambda value: numbers.money(value, currency),
        ),
    )


def _figures(other: CandidateSummary) -> str:
    """Its figures in one line."""
    metric, middle, peak = other.quality, other.e2e_p50_seconds, memory_bytes(other)
    parts = [f"{metric.title if metric else 'Quality'} {shown_estimate(metric) if metric else 'not measured'}"]
    parts.append(f"end to end (p50) {numbers.seconds(middle.value) if middle else 'not measured'}")
    parts.append(f"peak memory {numbers.bytes_(peak) if peak is not None else 'not measured'}")
    return ", ".join(parts)


def _value(estimate: Estimate | None) -> float | None:
    return None if estimate is None else estimate.value
