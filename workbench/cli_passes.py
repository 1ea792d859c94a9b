"""The commands that score stored answers with another model: a judge, embeddings."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from workbench.cli_parts import Home, Json, console, follow_job, leave, open_workbench, print_json


def judge(
    benchmark: Annotated[str, typer.Argument(help="Benchmark whose stored answers are judged.")],
    judge_file: Annotated[Path, typer.Option("--with", help="Judge file: who judges, by which rubric.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Have a model grade or compare the stored answers of a benchmark; code 3 where its grades cannot be relied on."""
    from workbench.cli_judge_tables import print_judging

    workbench = open_workbench(home)
    plan = workbench.judges.plan(benchmark, judge_file)
    for note in plan.notes:
        Console(stderr=True, soft_wrap=True, highlight=False).print(note, markup=False)
    job_id = workbench.judges.start(plan)
    follow_job(workbench, job_id, quiet=as_json, resume="the same command: what is finished is kept")
    report = workbench.judges.report(job_id)
    if as_json:
        print_json("judge", report)
    else:
        print_judging(console(), report)
    leave(report.warning is None)


def pass_commands(app: typer.Typer) -> None:
    """Add the commands at the top level."""
    app.command()(judge)
