"""The command that writes the report, and what a person adds to it."""

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli_decision import RequirementsFile
from workbench.cli_parts import Home, Json, console, open_workbench, print_json


def report(  # noqa: PLR0913, PLR0917  one option per choice
    benchmark: str,
    output: Annotated[Path, typer.Option(help="File to write; .html, .pdf, .md or .json.")],
    home: Home = None,
    requirements: RequirementsFile = None,
    title: Annotated[
        str | None, typer.Option(help="Title in place of ours; kept with the benchmark, '' takes ours.")
    ] = None,
    author: Annotated[
        str | None, typer.Option(help="Person or team who answers for it; kept, '' takes it away.")
    ] = None,
    notes: Annotated[
        Path | None, typer.Option(help="Markdown or text file with your notes; kept, an empty file takes them away.")
    ] = None,
    logo: Annotated[Path | None, typer.Option(help="PNG, JPEG or SVG for the first page; kept.")] = None,
    no_logo: Annotated[bool, typer.Option("--no-logo", help="Take the logo away.")] = False,
    as_json: Json = False,
) -> None:
    """Write the recommendation report; the format follows the file's ending."""
    if logo is not None and no_logo:
        raise typer.BadParameter("--logo sets a logo and --no-logo takes it away: name one of them.")
    workbench = open_workbench(home)
    asked = workbench.read_requirements(requirements) if requirements is not None else None
    if (title, author, notes) != (None, None, None):
        text = workbench.report_edits.read_notes(notes.expanduser()) if notes is not None else None
        workbench.edit_report(benchmark, title, author, text)
    if logo is not None or no_logo:
        workbench.set_report_logo(benchmark, logo)
    path = workbench.write_report(benchmark, output, asked)
    if as_json:
        print_json("report", {"report": str(path)})
    else:
        console().print(f"Report: {path}", markup=False, soft_wrap=True)


def report_commands(app: typer.Typer) -> None:
    """Add the command at the top level."""
    app.command()(report)
