"""Draws a parity report for the terminal. Numbers through results/numbers.py; holds no logic."""

from rich.console import Console
from rich.markup import escape

from results import numbers
from results.parity_records import Flip, ParityAnswer, ParityReport, PromptCheck
from workbench.cli_marks import new_table
from workbench.report.text import one_line, shorten, visible

_MOST_FLIPS = 40
_MOST_DIFF_LINES = 24
_AROUND = 40
_TEXT = 56
_MARKS = {
    "same": "[green]✓[/]",
    "same_length": "[yellow]![/]",
    "different": "[red]✕[/]",
    "not_known": "[dim]?[/]",
}


def print_parity(console: Console, report: ParityReport) -> None:
    """Prompts first, then the flips, then what it comes to."""
    _print_prompts(console, report)
    _print_flips(console, report)
    _print_figures(console, report)
    for note in report.notes:
        console.print(f"! {note}", markup=False, soft_wrap=True)
    console.print()
    for sentence in report.conclusion:
        console.print(visible(sentence), markup=False, soft_wrap=True)


def _print_prompts(console: Console, report: ParityReport) -> None:
    check = report.prompts
    console.print(f"{_MARKS[check.state]} {escape(visible(check.sentence))}", soft_wrap=True)
    if check.differs_at is not None:
        sides = ((report.first, check.first_text), (report.second, check.second_text))
        console.print(f"{check.example_id}, from character {numbers.count(check.differs_at)} on:", markup=False)
        for name, text in sides:
            console.print(f"  {name}: {_excerpt(text or '', check.differs_at)}", markup=False, soft_wrap=True)
    for line in check.diff[:_MOST_DIFF_LINES]:
        console.print(f"    {shorten(line, 160)}" if line.strip() else f"    {line}", markup=False, soft_wrap=True)
    if len(check.diff) > _MOST_DIFF_LINES:
        more = numbers.things(len(check.diff) - _MOST_DIFF_LINES, "more line")
        console.print(f"    … and {more} (all of them with --json)", markup=False)
    _print_known_side(console, report, check)


def _print_known_side(console: Console, report: ParityReport, check: PromptCheck) -> None:
    """Where lengths differ and only one side's prompt is known: that one, to be held against the server's log."""
    known = [
        (name, text)
        for name, text in ((report.first, check.first_text), (report.second, check.second_text))
        if text is not None
    ]
    if check.state == "different" and check.differs_at is None and len(known) == 1:
        ((name, text),) = known
        console.print(f"The prompt of {name} for {check.example_id}:", markup=False, soft_wrap=True)
        for line in text.split("\n")[:_MOST_DIFF_LINES]:
            console.print(f"    {visible(line)}", markup=False, soft_wrap=True)


def _print_flips(console: Console, report: ParityReport) -> None:
    if not report.flips:
        return
    console.print()
    table = new_table(
        *("Example", "Text", "Target", escape(report.first), ">Margin"),
        *(escape(report.second), ">Margin", "Right"),
    )
    for flip in report.flips[:_MOST_FLIPS]:
        table.add_row(
            escape(one_line(flip.example_id)),
            escape(shorten(flip.text, _TEXT)),
            escape(one_line(flip.target)),
            *_answer(flip.first),
            *_answer(flip.second),
            _right(report, flip),
        )
    console.print(table)
    if len(report.flips) > _MOST_FLIPS:
        console.print(f"… and {len(report.flips) - _MOST_FLIPS} more (all of them with --json)")


def _print_figures(console: Console, report: ParityReport) -> None:
    if report.compared:
        console.print(
            f"Right: {report.first} {report.both_right + report.only_first_right}, {report.second} "
            f"{report.both_right + report.only_second_right} of {report.compared}; only {report.first} "
            f"{report.only_first_right}, only {report.second} {report.only_second_right} "
            f"(McNemar {numbers.p_value(report.p_value)}).",
            markup=False,
            soft_wrap=True,
        )
    gap = report.logprobs
    if gap is not None:
        console.print(
            f"Log-probabilities of the labels differ by {gap.median_nats:.4f} nats in the median of "
            f"{numbers.things(gap.labels, 'label')}, at most by {gap.largest_nats:.4f} ({gap.label!r} on "
            f"{gap.example_id}: {gap.first_logprob:.4f} and {gap.second_logprob:.4f}).",
            markup=False,
            soft_wrap=True,
        )


def _answer(answer: ParityAnswer) -> tuple[str, str]:
    label = one_line(answer.label) or f"({answer.validity.value}) {shorten(answer.text, 24)}"
    return escape(label), numbers.UNKNOWN if answer.margin_nats is None else f"{answer.margin_nats:.2f}"


def _right(report: ParityReport, flip: Flip) -> str:
    return escape({"first": report.first, "second": report.second, "neither": "neither"}[flip.who_is_right])


def _excerpt(text: str, at: int) -> str:
    start, end = max(0, at - _AROUND), at + _AROUND
    inside = repr(visible(text[start:end]))
    return f"{'…' if start else ''}{inside}{'…' if end < len(text) else ''}"
