"""The command on parity: hold one model on two engines or quantizations against each other."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from workbench.cli_parts import Home, Json, console, follow_job, leave, open_workbench, print_json


def parity(  # noqa: PLR0913, PLR0917  one option per choice
    file: Annotated[Path, typer.Argument(help="Benchmark file with both candidates.")],
    first: Annotated[str, typer.Argument(help="Name of a candidate.")],
    second: Annotated[str, typer.Argument(help="Name of the other candidate: the same model, run otherwise.")],
    examples: Annotated[
        int | None, typer.Option(min=1, help="Ask only so many, taken at even distances; default: all.")
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option(min=1, max=256, help="Requests at once, for engines that have that option.")
    ] = None,
    at_least: Annotated[float, typer.Option(min=0, max=1, help="Share of equal answers that is enough.")] = 0.97,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Run one model on two engines or quantizations and list what it answers differently; code 3 where they part."""
    from workbench.cli_parity_tables import print_parity

    workbench = open_workbench(home)
    plan = workbench.parity.plan(
        workbench.prepare_file(file), (first, second), examples=examples, concurrency=concurrency
    )
    for note in plan.notes:
        Console(stderr=True, soft_wrap=True, highlight=False).print(note, markup=False)
    job_id = workbench.parity.start(plan)
    follow_job(workbench, job_id, quiet=as_json, resume="the same command: what is finished is kept")
    report = workbench.parity.report(job_id, at_least=at_least)
    if as_json:
        print_json("parity", report)
    else:
        print_parity(console(), report)
    leave(report.passes)


def parity_commands(app: typer.Typer) -> None:
    """Add the command at the top level."""
    app.command()(parity)
