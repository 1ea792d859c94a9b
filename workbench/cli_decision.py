"""The commands that decide: compare candidates or two runs, recommend one, export what a benchmark holds."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli_parts import WORSE, Home, Json, console, leave, open_workbench, print_json

if TYPE_CHECKING:
    from workbench.service import Workbench


class Kind(StrEnum):
    """What can be exported."""

    COMPLETIONS = "completions"
    SCORES = "scores"
    SUMMARY = "summary"


RequirementsFile = Annotated[Path | None, typer.Option(help="YAML file with `limits`, `weights` and `prices`.")]


def compare(
    benchmark: Annotated[str, typer.Argument(help="Benchmark, or the first of two runs: benchmark/candidate.")],
    other: Annotated[str | None, typer.Argument(help="The second run, held against the first.")] = None,
    fail_if_worse: Annotated[
        bool, typer.Option("--fail-if-worse", help="Two runs: exit with 4 where the second is worse; for CI.")
    ] = False,
    margin: Annotated[
        float | None, typer.Option(min=0, help="Two runs: how much worse is acceptable, such as 0.02 for two points.")
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Compare a benchmark's candidates, paired and with intervals; or two runs of one model, example by example."""
    workbench = open_workbench(home)
    if other is None:
        if fail_if_worse or margin is not None:
            raise typer.BadParameter("--fail-if-worse and --margin need two runs: compare A B.")
        _compare_all(workbench, benchmark, as_json)
        return
    from workbench.cli_decision_tables import print_regression

    regression = workbench.regressions.compare(benchmark, other, margin)
    print_json("regression", regression) if as_json else print_regression(console(), regression)
    if fail_if_worse and regression.fails:
        raise typer.Exit(WORSE)


def _compare_all(workbench: "Workbench", benchmark: str, as_json: bool) -> None:
    from workbench.cli_judge_tables import print_judging
    from workbench.cli_tables import print_comparison

    comparison = workbench.compare(benchmark)
    if as_json:
        print_json("compare", comparison)
        return
    print_comparison(console(), comparison)
    for judging in workbench.judges.reports(benchmark):
        print_judging(console(), judging)


def recommend(benchmark: str, home: Home = None, requirements: RequirementsFile = None, as_json: Json = False) -> None:
    """Recommend one candidate under hard limits and weights."""
    from workbench.cli_decision_tables import print_recommendation

    workbench = open_workbench(home)
    asked = workbench.read_requirements(requirements) if requirements is not None else None
    recommendation = workbench.recommend(benchmark, asked)
    if as_json:
        print_json("recommend", recommendation)
    else:
        print_recommendation(console(), recommendation)
    leave(recommendation.winner is not None)


def export(
    benchmark: str,
    output: Annotated[Path, typer.Option(help="File to write; .csv, .jsonl or .parquet.")],
    what: Annotated[Kind, typer.Option(help="What goes into it.")] = Kind.SUMMARY,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Write a benchmark's completions, scores or summary as a table; the format follows the file's ending."""
    workbench = open_workbench(home)
    written = workbench.export(benchmark, what.value, output)
    if as_json:
        print_json("export", {"file": str(written.path), "rows": written.rows})
    else:
        console().print(f"{written.rows:,} rows: {written.path}", markup=False, soft_wrap=True)


def decision_commands(app: typer.Typer) -> None:
    """Add the commands at the top level."""
    app.command()(compare)
    app.command()(recommend)
    app.command()(export)
