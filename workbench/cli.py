"""The command line: every command reads its arguments, asks the service, prints. Stable from 0.1 on (docs/cli.md).

Exit codes: 0 done · 1 it failed, with the reason on standard error · 2 wrong usage · 3 done, but something needs a look
(a candidate failed, a test set has errors, something is missing, two runs part, nobody meets the requirements) ·
4 the second run is worse (compare --fail-if-worse) · 130 interrupted.
"""

import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from catalog.errors import WorkbenchError
from workbench import __version__
from workbench.cli_benchmarks import benchmarks_app
from workbench.cli_catalog import catalog_app, model_commands
from workbench.cli_completions import completions_commands
from workbench.cli_decision import decision_commands
from workbench.cli_engines import engines_app
from workbench.cli_ladder import ladder_commands
from workbench.cli_parity import parity_commands
from workbench.cli_parts import (
    INTERRUPTED,
    Home,
    Json,
    console,
    follow_job,
    home_of,
    leave,
    named_home,
    open_workbench,
    plain,
    print_json,
)
from workbench.cli_passes import pass_commands
from workbench.cli_prompt import prompt_commands
from workbench.cli_repeat import repeat_commands
from workbench.cli_report import report_commands
from workbench.cli_shortlist import shortlist_app
from workbench.cli_testset import testset_commands
from workbench.cli_votes import votes_app
from workbench.settings import read_settings

if TYPE_CHECKING:
    from workbench.service import Workbench

app = typer.Typer(
    name="workbench",
    help="Shortlist open models by license and fit, measure them on your own examples, export a recommendation report.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(catalog_app, name="catalog")
testset_commands(app)
app.add_typer(engines_app, name="engines")
app.add_typer(benchmarks_app, name="benchmarks")
app.add_typer(votes_app, name="votes")
app.add_typer(shortlist_app, name="shortlist")
model_commands(app)
ladder_commands(app)
parity_commands(app)
completions_commands(app)
prompt_commands(app)
pass_commands(app)
decision_commands(app)
repeat_commands(app)
report_commands(app)


def main() -> None:
    """Entry point: expected errors become one sentence on standard error."""
    # Leaving happens outside the handlers: an exception that is still held while the program ends keeps the database's
    # library alive, which then complains on standard error.
    sys.exit(_run_app())


def _run_app() -> int:
    try:
        app()
    except WorkbenchError as error:
        Console(stderr=True, soft_wrap=True, highlight=False).print(f"Error: {error}", markup=False)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except SystemExit as ending:
        return ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    return 0


@app.callback(invoke_without_command=True)
def _options(
    home: Home = None, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False
) -> None:
    named_home[:] = [home] if home is not None else []
    if version:
        console().print(f"Open Model Workbench {__version__}")
        raise typer.Exit


@app.command()
def ui(
    home: Home = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the address.")] = False,
    tab: Annotated[bool, typer.Option("--tab", help="A tab of the usual browser instead of a window.")] = False,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Port on 127.0.0.1; else the last one, or a free one."),
    ] = None,
) -> None:
    """Open the app in a window of its own, or show the one that already runs on the data directory."""
    from workbench.app_start import open_app

    open_app(read_settings(home_of(home)), port=port, wanted="nothing" if no_browser else "tab" if tab else "window")


@app.command()
def demo(
    home: Home = None,
    output: Annotated[Path | None, typer.Option(help="Report file; default: in the data directory.")] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open the report.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Compute only what is missing.")] = False,
    as_json: Json = False,
) -> None:
    """Run the main job on two small real models and open the report."""
    workbench = open_workbench(home)
    screen = console()
    definition, folder = workbench.demo_definition()
    prepared = workbench.prepare(definition, folder)
    if not as_json:
        screen.print(
            f"Demo: {len(definition.candidates)} candidates, {len(prepared.test_set.examples)} labelled messages, "
            "about 2 minutes on 2 cores."
        )
    complete = _run(workbench, workbench.start_benchmark(prepared, resume=resume), quiet=as_json)
    path = workbench.write_report(definition.name, output or workbench.report_path(definition.name))
    recommendation = workbench.recommend(definition.name)
    if as_json:
        print_json("demo", {"recommendation": recommendation.model_dump(mode="json"), "report": str(path)})
    else:
        screen.print()
        for line in recommendation.headline:
            screen.print(line, markup=False, highlight=False, soft_wrap=True)
        screen.print(f"Report: {path}", markup=False, highlight=False, soft_wrap=True)
    if not no_browser:
        webbrowser.open(path.as_uri())
    leave(complete)


@app.command()
def doctor(home: Home = None, as_json: Json = False) -> None:
    """Say what this machine has and what is missing, with the fix."""
    from workbench.cli_tables import print_checks

    checks = open_workbench(home).doctor()
    if as_json:
        print_json("doctor", checks)
    else:
        print_checks(console(), checks)
    leave(all(check.state != "missing" for check in checks))


@app.command()
def bench(
    file: Path,
    home: Home = None,
    resume: Annotated[bool, typer.Option("--resume", help="Compute only what is missing.")] = False,
    as_json: Json = False,
) -> None:
    """Run a benchmark file (docs/benchmark-file.md)."""
    workbench = open_workbench(home)
    prepared = workbench.prepare_file(file)
    name = prepared.definition.name
    for note in prepared.notes:
        Console(stderr=True, soft_wrap=True, highlight=False).print(note, markup=False)
    complete = _run(workbench, workbench.start_benchmark(prepared, resume=resume), quiet=as_json)
    if as_json:
        print_json("bench", {"benchmark": name, "runs": plain(workbench.runs(name))})
    else:
        console().print(f"Next: workbench compare {name} · workbench recommend {name} · workbench report {name}")
    leave(complete)


@app.command()
def runs(benchmark: Annotated[str | None, typer.Argument()] = None, home: Home = None, as_json: Json = False) -> None:
    """List the stored runs."""
    from workbench.cli_tables import print_runs

    found = open_workbench(home).runs(benchmark)
    if as_json:
        print_json("runs", found)
    else:
        print_runs(console(), found)


def _run(workbench: "Workbench", job_id: str, *, quiet: bool) -> bool:
    """Follow a benchmark to its end; False where a candidate failed."""
    status = follow_job(workbench, job_id, quiet=quiet, resume="workbench bench FILE --resume")
    return all(candidate.state in {"finished", "stopped"} for candidate in status.candidates)


if __name__ == "__main__":
    main()
