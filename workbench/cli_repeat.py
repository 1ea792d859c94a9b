"""The command that runs a benchmark again from its report and shows what came out differently."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from workbench.cli_parts import Home, Json, console, follow_job, leave, open_workbench, print_json

if TYPE_CHECKING:
    from results.repetition_records import Repetition


def repeat(
    report: Annotated[Path, typer.Argument(help="JSON report, as `workbench report --output report.json` writes it.")],
    files: Annotated[
        list[Path] | None,
        typer.Option("--files", help="Folder with the test set and local models; may be given often."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the new benchmark.")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Run the benchmark of a JSON report again, and show every figure beside the report's."""
    workbench = open_workbench(home)
    prepared = workbench.prepare_repetition(report, tuple(files or ()), name)
    benchmark = prepared.definition.name
    for note in prepared.notes:
        Console(stderr=True, soft_wrap=True, highlight=False).print(note, markup=False)
    job = workbench.start_benchmark(prepared)
    follow_job(workbench, job, quiet=as_json, resume=f"workbench bench {prepared.source} --resume")
    repetition = workbench.repetition(report, benchmark)
    print_json("repeat", repetition) if as_json else print_repetition(console(), repetition)
    leave(repetition.agrees)


def print_repetition(terminal: Console, repetition: "Repetition") -> None:
    """The conclusion, what is not the same, and every figure of both."""
    from results import numbers
    from workbench.cli_marks import new_table
    from workbench.report.text import shorten

    terminal.print(f"[bold]{escape(repetition.conclusion)}[/]")
    terminal.print("\n[bold]What is not the same[/]")
    changes = [f"{c.what}: {shorten(c.before, 100)} → {shorten(c.after, 100)}" for c in repetition.changes]
    for line in changes or ["nothing that is recorded"]:
        terminal.print(f"• {escape(line)}")
    table = new_table("Candidate", "Figure", ">Report", ">Again", "Stands")
    for figure in repetition.figures:
        table.add_row(
            escape(figure.candidate),
            escape(figure.what),
            numbers.estimate(figure.before, figure.unit),
            numbers.estimate(figure.after, figure.unit),
            figure.agreement,
        )
    terminal.print(table)
    terminal.print(
        f"Stored as {repetition.benchmark}. overlap: the 95 % intervals have values in common, which shows no "
        "difference; apart: they have none.",
        markup=False,
    )


def repeat_commands(app: typer.Typer) -> None:
    """Add the command at the top level."""
    app.command()(repeat)
