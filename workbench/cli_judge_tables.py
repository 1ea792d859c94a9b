"""Draws what judges and other later scorers found for the terminal: how far a judge can be believed first."""

from rich.console import Console
from rich.markup import escape

from results import numbers
from results.judge_records import JudgeReport
from results.records import Estimate
from workbench.cli_marks import new_table
from workbench.pass_records import PassReport


def print_judging(console: Console, report: JudgeReport) -> None:
    """Agreement, warning, grades or pairs, biases."""
    asked = numbers.things(report.questions, "question")
    console.print(f"{escape(report.judge)} was asked {asked}, {numbers.count(report.unread)} without a usable reply.")
    for each in report.agreements:
        console.print(
            f"Agreement with {each.held_against}: kappa {_number(each.kappa)}, the same on "
            f"{numbers.estimate(each.same, 'percent')} of {numbers.count(each.n)}."
        )
    if report.warning is not None:
        console.print(f"[yellow]![/] {escape(report.warning)}")
    if report.mode == "rubric":
        _print_grades(console, report)
    else:
        _print_pairs(console, report)
    for note in report.notes:
        console.print(escape(note))


def print_pass(console: Console, report: PassReport) -> None:
    """What another model says of the stored answers."""
    for candidate in report.candidates:
        for metric in candidate.metrics:
            console.print(
                f"{escape(candidate.name)}: {metric.title} {_number(metric.estimate)} over "
                f"{numbers.things(candidate.answers, 'answer')}."
            )
    if report.without_target:
        console.print(f"{numbers.things(report.without_target, 'example')} without a right answer were left out.")
    for note in report.notes:
        console.print(escape(note))


def _print_grades(console: Console, report: JudgeReport) -> None:
    table = new_table("Candidate", f">Grade (0 = {report.lowest}, 1 = {report.highest})", ">Graded", ">Unread",
                      ">Length and grade")  # fmt: skip
    for each in report.candidates:
        table.add_row(
            escape(each.name),
            _number(each.grade),
            numbers.count(each.graded),
            numbers.count(each.ungraded),
            _number(each.length_correlation),
        )
    console.print(table)


def _print_pairs(console: Console, report: JudgeReport) -> None:
    table = new_table("First", "Second", ">Examples", ">Wins", ">Ties", ">Losses", ">Win rate", ">Orders disagree")
    for pair in report.pairs:
        table.add_row(
            escape(pair.first),
            escape(pair.second),
            numbers.count(pair.n),
            numbers.count(pair.wins),
            numbers.count(pair.ties),
            numbers.count(pair.losses),
            numbers.estimate(pair.win_rate, "percent"),
            numbers.count(pair.disagreements),
        )
    console.print(table)
    for what, found in (
        ("The other order gave another verdict on", report.position_bias),
        ("Of replies with a winner, the answer shown first won", report.first_shown),
        ("Of decided comparisons, the longer answer won", report.longer_wins),
    ):
        if found is not None:
            console.print(f"{what} {numbers.estimate(found, 'percent')} of {numbers.count(found.n)}.")


def _number(found: Estimate | None) -> str:
    if found is None:
        return numbers.UNKNOWN
    interval = "" if found.low is None or found.high is None else f" ({found.low:.2f} to {found.high:.2f})"
    return f"{found.value:.2f}{interval}"
