"""The command line: every command reads its arguments, asks the service, prints. Stable from 0.1 on (docs/cli.md).

Exit codes: 0 done · 1 it failed, with the reason on standard error · 2 wrong usage · 3 done, but something needs a look
(a candidate failed, a test set has errors, something is missing, nobody meets the requirements) · 130 interrupted.
"""

import json
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import BaseModel
from rich.console import Console

from catalog.errors import WorkbenchError
from catalog.records import FitSettings, ModelQuery, SortKey
from workbench import __version__, cli_values
from workbench.records import SCHEMA_VERSION, TestSetDefinition
from workbench.settings import read_settings

if TYPE_CHECKING:
    from workbench.jobs import Job
    from workbench.service import Workbench

NEEDS_A_LOOK = 3
"""Exit code: done, but something needs a look."""
PIPE_COLUMNS = 200
"""Width of tables where the output is no terminal."""
INTERRUPTED = 130
"""Exit code after Ctrl-C."""

app = typer.Typer(
    name="workbench",
    help="Shortlist open models by license and fit, measure them on your own examples, export a recommendation report.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
catalog_app = typer.Typer(help="Search the models that exist.", no_args_is_help=True)
testset_app = typer.Typer(help="Look after labelled examples.", no_args_is_help=True)
app.add_typer(catalog_app, name="catalog")
app.add_typer(testset_app, name="testset")

Home = Annotated[Path | None, typer.Option("--home", help="Data directory; else WORKBENCH_HOME or the system's place.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
_home: list[Path] = []
"""Data directory named before the command, where it was."""


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
    _home[:] = [home] if home is not None else []
    if version:
        _console().print(f"Open Model Workbench {__version__}")
        raise typer.Exit


@app.command()
def ui(
    home: Home = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the address.")] = False,
    port: Annotated[int | None, typer.Option(help="Port on 127.0.0.1; a free one is taken when left out.")] = None,
) -> None:
    """Open the app in the browser."""
    from workbench.ui import launch_app

    launch_app(_workbench(home), port=port, open_browser=not no_browser)


@app.command()
def demo(
    home: Home = None,
    output: Annotated[Path | None, typer.Option(help="Report file; default: in the data directory.")] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open the report.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Compute only what is missing.")] = False,
    as_json: Json = False,
) -> None:
    """Run the main job on two small real models and open the report."""
    workbench = _workbench(home)
    console = _console()
    definition, folder = workbench.demo_definition()
    prepared = workbench.prepare(definition, folder)
    if not as_json:
        console.print(
            f"Demo: {len(definition.candidates)} candidates, {len(prepared.test_set.examples)} labelled messages, "
            "about 2 minutes on 2 cores."
        )
    complete = _run(workbench, workbench.start_benchmark(prepared, resume=resume), quiet=as_json)
    path = workbench.write_report(definition.name, output or workbench.report_path(definition.name))
    recommendation = workbench.recommend(definition.name)
    if as_json:
        _print_json("demo", {"recommendation": recommendation.model_dump(mode="json"), "report": str(path)})
    else:
        console.print()
        for line in recommendation.headline:
            console.print(line, markup=False, highlight=False, soft_wrap=True)
        console.print(f"Report: {path}", markup=False, highlight=False, soft_wrap=True)
    if not no_browser:
        webbrowser.open(path.as_uri())
    _exit(complete)


@app.command()
def doctor(home: Home = None, as_json: Json = False) -> None:
    """Say what this machine has and what is missing, with the fix."""
    from workbench.cli_tables import print_checks

    checks = _workbench(home).doctor()
    if as_json:
        _print_json("doctor", checks)
    else:
        print_checks(_console(), checks)
    _exit(all(check.state != "missing" for check in checks))


@app.command()
def engines(home: Home = None, as_json: Json = False) -> None:
    """List the engines, installed or not."""
    from workbench.cli_tables import print_engines

    statuses = _workbench(home).engines()
    if as_json:
        _print_json("engines", statuses)
    else:
        print_engines(_console(), statuses)


@catalog_app.command("search")
def catalog_search(  # noqa: PLR0913, PLR0917  one option per filter
    home: Home = None,
    text: Annotated[str | None, typer.Option(help="Words that the id must contain.")] = None,
    verdict: Annotated[
        str | None, typer.Option(help="allowed, conditional, unknown, forbidden; several with commas.")
    ] = None,
    max_params: Annotated[int | None, typer.Option(parser=cli_values.parameters, help="Largest, such as 8B.")] = None,
    min_params: Annotated[int | None, typer.Option(parser=cli_values.parameters, help="Smallest.")] = None,
    min_context: Annotated[int | None, typer.Option(parser=cli_values.tokens, help="Smallest native context.")] = None,
    fits: Annotated[bool, typer.Option("--fits", help="Only models that fit this machine.")] = False,
    quantization: Annotated[str, typer.Option(help="Quantization assumed for the fit.")] = "Q4_K_M",
    context: Annotated[int, typer.Option(parser=cli_values.tokens, help="Context assumed for the fit.")] = 4096,
    concurrency: Annotated[int, typer.Option(min=1, help="Sequences assumed for the fit.")] = 1,
    format: Annotated[str | None, typer.Option(help="Weights format: gguf, safetensors.")] = None,  # noqa: A002
    task: Annotated[str | None, typer.Option(help="Task as the Hub spells it, such as text-generation.")] = None,
    language: Annotated[str | None, typer.Option(help="Language code.")] = None,
    sort: Annotated[SortKey, typer.Option(help="Order.")] = "downloads",
    limit: Annotated[int, typer.Option(min=1, help="Most rows shown.")] = 20,
    as_json: Json = False,
) -> None:
    """Search the catalog; what is left out is counted by rule."""
    from workbench.cli_tables import print_search

    query = ModelQuery(
        text=text,
        verdicts=cli_values.verdicts(verdict) if verdict is not None else None,
        max_parameters=max_params,
        min_parameters=min_params,
        min_context_tokens=min_context,
        fits=fits,
        quantization=quantization,
        context_tokens=context,
        concurrency=concurrency,
        format=format,
        task=task,
        language=language,
        sort=sort,
        limit=limit,
    )
    result = _workbench(home).models.search(query)
    if as_json:
        _print_json("catalog search", result)
    else:
        print_search(_console(), result)


@catalog_app.command("show")
def catalog_show(model: str, home: Home = None, as_json: Json = False) -> None:
    """Show one model with sources, verdict and memory; MODEL is a Hub id or a GGUF path."""
    from workbench.cli_tables import print_model

    hit = _workbench(home).models.show(model)
    if as_json:
        _print_json("catalog show", hit)
    else:
        print_model(_console(), hit)


@app.command()
def fit(
    model: str,
    home: Home = None,
    quantization: Annotated[str | None, typer.Option(help="Default: Q4_K_M, or the file's own.")] = None,
    context: Annotated[int, typer.Option(parser=cli_values.tokens, help="Tokens per sequence.")] = 4096,
    concurrency: Annotated[int, typer.Option(min=1, help="Sequences held at once.")] = 1,
    as_json: Json = False,
) -> None:
    """Predict a model's memory on this machine; MODEL is a Hub id or a GGUF path."""
    from workbench.cli_tables import print_fit

    models = _workbench(home).models
    settings = FitSettings(context_tokens=context, concurrency=concurrency)
    if quantization is None:
        settings = models.own_settings(model, settings)
    else:
        settings = settings.model_copy(update={"quantization": quantization})
    found = models.fit(model, settings)
    if as_json:
        _print_json("fit", found)
    else:
        print_fit(_console(), found)


@testset_app.command("check")
def check_testset(
    file: Path,
    home: Home = None,
    label: Annotated[list[str] | None, typer.Option(help="An allowed label; repeat for each.")] = None,
    few_shot: Annotated[Path | None, typer.Option(help="Examples that are shown in the prompt.")] = None,
    as_json: Json = False,
) -> None:
    """List every problem of a labelled CSV or TSV file."""
    from workbench.cli_tables import print_test_set

    definition = TestSetDefinition(file=str(file.absolute()), few_shot=str(few_shot.absolute()) if few_shot else None)
    checked = _workbench(home).check_test_set(definition, tuple(label) if label else None)
    if as_json:
        _print_json("testset check", checked)
    else:
        print_test_set(_console(), checked)
    _exit(checked.errors == 0)


@app.command()
def bench(
    file: Path,
    home: Home = None,
    resume: Annotated[bool, typer.Option("--resume", help="Compute only what is missing.")] = False,
    as_json: Json = False,
) -> None:
    """Run a benchmark file (docs/benchmark-file.md)."""
    workbench = _workbench(home)
    prepared = workbench.prepare_file(file)
    name = prepared.definition.name
    complete = _run(workbench, workbench.start_benchmark(prepared, resume=resume), quiet=as_json)
    if as_json:
        _print_json("bench", {"benchmark": name, "runs": _dump(workbench.runs(name))})
    else:
        _console().print(f"Next: workbench compare {name} · workbench recommend {name} · workbench report {name}")
    _exit(complete)


@app.command()
def runs(benchmark: Annotated[str | None, typer.Argument()] = None, home: Home = None, as_json: Json = False) -> None:
    """List the stored runs."""
    from workbench.cli_tables import print_runs

    found = _workbench(home).runs(benchmark)
    if as_json:
        _print_json("runs", found)
    else:
        print_runs(_console(), found)


@app.command()
def compare(benchmark: str, home: Home = None, as_json: Json = False) -> None:
    """Compare a benchmark's candidates, paired and with intervals."""
    from workbench.cli_tables import print_comparison

    comparison = _workbench(home).compare(benchmark)
    if as_json:
        _print_json("compare", comparison)
    else:
        print_comparison(_console(), comparison)


Requirements = Annotated[Path | None, typer.Option(help="YAML file with `limits` and `weights`.")]


@app.command()
def recommend(benchmark: str, home: Home = None, requirements: Requirements = None, as_json: Json = False) -> None:
    """Recommend one candidate under hard limits and weights."""
    from workbench.cli_tables import print_recommendation

    workbench = _workbench(home)
    asked = workbench.read_requirements(requirements) if requirements is not None else None
    recommendation = workbench.recommend(benchmark, asked)
    if as_json:
        _print_json("recommend", recommendation)
    else:
        print_recommendation(_console(), recommendation)
    _exit(recommendation.winner is not None)


@app.command()
def report(
    benchmark: str,
    output: Annotated[Path, typer.Option(help="File to write; .html, .md or .json.")],
    home: Home = None,
    requirements: Requirements = None,
    as_json: Json = False,
) -> None:
    """Write the recommendation report; the format follows the file's ending."""
    workbench = _workbench(home)
    asked = workbench.read_requirements(requirements) if requirements is not None else None
    path = workbench.write_report(benchmark, output, asked)
    if as_json:
        _print_json("report", {"report": str(path)})
    else:
        _console().print(f"Report: {path}", markup=False, soft_wrap=True)


def _workbench(home: Path | None) -> "Workbench":
    # Statistics and the database take a second to import, which `--help` and wrong usage need not wait for.
    from workbench.service import Workbench

    return Workbench(read_settings(home or (_home[0] if _home else None)))


def _run(workbench: "Workbench", job_id: str, *, quiet: bool) -> bool:
    """Follow a job to its end; False where a candidate failed. Raises what made the job fail."""
    from workbench.cli_progress import follow

    job: Job = workbench.jobs.job(job_id)
    status = follow(job, Console(stderr=True, quiet=quiet, highlight=False))
    if job.error is not None:
        raise job.error
    if status.state == "cancelled":
        _console().print("Cancelled. Go on with: workbench bench FILE --resume")
        raise typer.Exit(INTERRUPTED)
    if status.state == "failed":
        raise WorkbenchError(status.message)
    return all(candidate.state == "finished" for candidate in status.candidates)


def _exit(good: bool) -> None:
    if not good:
        raise typer.Exit(NEEDS_A_LOOK)


def _console() -> Console:
    console = Console(highlight=False)
    # A file or a pipe has no width: leave tables as wide as they need, instead of folding them at 80 columns.
    return console if console.is_terminal else Console(highlight=False, width=PIPE_COLUMNS, soft_wrap=True)


def _print_json(kind: str, data: BaseModel | Sequence[BaseModel] | dict[str, Any]) -> None:
    document = {"schema_version": SCHEMA_VERSION, "kind": kind, "data": _dump(data)}
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n")


def _dump(data: BaseModel | Sequence[BaseModel] | dict[str, Any]) -> Any:
    if isinstance(data, BaseModel):
        return data.model_dump(mode="json")
    if isinstance(data, dict):
        return data
    return [item.model_dump(mode="json") for item in data]


if __name__ == "__main__":
    main()
