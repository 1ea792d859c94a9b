"""Draws what perturbations, judges and later scorers found for the terminal. Holds no logic."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from results import numbers
from results.records import CandidateSummary, Estimate, SelfAgreement
from results.robustness import change_text
from workbench.cli_marks import new_table


def print_robustness(console: Console, candidates: Sequence[CandidateSummary]) -> None:
    """What every perturbation did to every candidate; nothing where nobody asked."""
    measured = [(summary.candidate.name, summary.robustness) for summary in candidates if summary.robustness]
    if not measured:
        return
    table = new_table(
        "Robustness", "Perturbation", ">Examples", ">As they are", ">Perturbed", ">Change", ">Same answer"
    )
    for name, found in measured:
        for result in found.results:
            table.add_row(
                escape(name),
                result.perturbation,
                numbers.count(result.n),
                _quality(result.unperturbed, found.unit),
                _quality(result.perturbed, found.unit),
                change_text(result.difference, found.unit),
                numbers.percent(result.same_answer.value),
            )
    console.print(table)
    for name, found in measured:
        for result in found.results:
            console.print(f"• {escape(name)}: {escape(result.conclusion)}")
        if found.without_effect:
            console.print(f"• {escape(name)}: {', '.join(found.without_effect)} changed no prompt.")
        if found.repeats is not None:
            console.print(f"• {escape(name)}: {_again(found.repeats)}")


def _again(found: SelfAgreement) -> str:
    same = f"{numbers.estimate(found.identical, 'percent')} of {numbers.things(found.n, 'example')}"
    kappa = "" if found.kappa is None else f", Fleiss' kappa {found.kappa.value:.2f}"
    asked = f"asked {numbers.things(found.repeats, 'time')} at temperature {found.temperature:g}"
    return f"{asked}, {same} got the same answer every time{kappa}."


def _quality(found: Estimate, unit: str) -> str:
    return numbers.percent(found.value) if unit == "share" else f"{found.value:.3f}"
