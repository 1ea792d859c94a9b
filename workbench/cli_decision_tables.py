"""Draws recommendations, costs and regressions for the terminal. Sentences come made; holds no logic."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from results import numbers
from results.metric_words import signed_difference, value_text
from results.recommendation_records import Recommendation
from results.regression_records import Regression
from results.requirement_records import CandidateCost
from workbench.cli_marks import new_table
from workbench.report.text import one_line, shorten

_MOST_EXAMPLES = 20


def print_recommendation(console: Console, recommendation: Recommendation) -> None:
    """Three lines, the ranking and who is out, then how sure it is and who is good at what."""
    for line in recommendation.headline:
        console.print(escape(line), style="bold" if line == recommendation.headline[0] else None)
    console.print()
    shares = {win.name: win.share for win in recommendation.stability.shares} if recommendation.stability else None
    for ranked in recommendation.ranked:
        pareto = " ◆" if ranked.pareto else ""
        wins = "" if shares is None else f" Wins in {numbers.percent(shares.get(ranked.name, 0.0))} of the resamples."
        console.print(f"{ranked.rank}. {escape(ranked.name)}{pareto}  {' '.join(map(escape, ranked.reasons))}{wins}")
    for excluded in recommendation.excluded:
        console.print(f"✕ {escape(excluded.name)}  {' '.join(escape(broken.message) for broken in excluded.broken)}")
    if recommendation.nearest_miss:
        console.print(escape(recommendation.nearest_miss))
    _print_changes(console, recommendation)
    _print_sentences(console, "Best at each part of the test set", [part.sentence for part in recommendation.slices])
    _print_sentences(console, "Two models", [policy.sentence for policy in recommendation.policies])
    print_costs(console, recommendation.costs)


def print_regression(console: Console, regression: Regression) -> None:
    """What changed, the conclusion, every metric, and the examples that were fixed or broken."""
    console.print(f"[bold]{escape(regression.conclusion)}[/]")
    if regression.left_out:
        console.print(escape(regression.left_out))
    changes = [f"{c.what}: {shorten(c.before, 100)} → {shorten(c.after, 100)}" for c in regression.changes]
    _print_sentences(console, "What is not the same", changes or ["nothing that is recorded"])
    table = new_table("Metric", ">Before", ">After", ">Difference", ">p", "Shown")
    for metric in regression.metrics:
        table.add_row(
            escape(metric.title),
            value_text(metric.before, metric.unit),
            value_text(metric.after, metric.unit),
            signed_difference(metric.difference, metric.unit),
            f"{metric.p_value:.3f}",
            metric.shown,
        )
    console.print(table)
    for state, mark in (("broken", "[red]✕[/]"), ("fixed", "[green]✓[/]")):
        found = [example for example in regression.examples if example.state == state]
        for example in found[:_MOST_EXAMPLES]:
            answers = f"{one_line(example.before or '–')} → {one_line(example.after or '–')}"
            console.print(
                f"{mark} {state} {escape(one_line(example.example_id))}: {escape(answers)} "
                f"(right: {escape(one_line(example.target))})"
            )
        if len(found) > _MOST_EXAMPLES:
            console.print(f"… and {len(found) - _MOST_EXAMPLES} more {state} (all of them with --json)")
    unchanged = f"{regression.unchanged_right} right, {regression.unchanged_wrong} not"
    console.print(f"Unchanged: {unchanged}.")


def print_costs(console: Console, costs: Sequence[CandidateCost]) -> None:
    """What each candidate costs, where there are prices."""
    if not costs:
        return
    table = new_table("Cost", ">1,000 examples", ">1,000,000 tokens in", ">1,000,000 tokens out", "Made from")
    for cost in costs:
        figures = (cost.per_1000_examples, cost.per_million_input_tokens, cost.per_million_output_tokens)
        amounts = (escape(numbers.money(value, cost.currency)) for value in figures)
        table.add_row(escape(cost.name), *amounts, escape(cost.basis))
    console.print(table)


def _print_changes(console: Console, recommendation: Recommendation) -> None:
    """What would change the winner."""
    weights = [
        f"{change.new_winner} wins where {change.weight} weighs {numbers.percent(change.needed)} "
        f"(now {numbers.percent(change.current)})."
        for change in recommendation.sensitivity
    ]
    limits = [change.sentence for change in recommendation.limit_sensitivity]
    _print_sentences(console, "What would change the winner", [*weights, *limits])


def _print_sentences(console: Console, title: str, sentences: Sequence[str]) -> None:
    if sentences:
        console.print(f"\n[bold]{title}[/]")
    for sentence in sentences:
        console.print(f"• {escape(sentence)}")
