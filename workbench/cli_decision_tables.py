"""Draws recommendations, costs and regressions for the terminal. Sentences come made; holds no logic."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from results import numbers
from results.recommendation_records import Recommendation
from results.requirement_records import CandidateCost
from workbench.cli_marks import new_table


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
