"""The commands on answers that exist already: score them again, import those that others made."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from workbench.cli_parts import Home, Json, console, open_workbench, print_json

completions_app = typer.Typer(help="Answers that were made elsewhere.", no_args_is_help=True)


def rescore(
    benchmark: Annotated[str, typer.Argument(help="Benchmark file, or the name of a stored benchmark.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Score stored answers again, after scorers or right answers were changed; no model runs."""
    workbench = open_workbench(home)
    path = Path(benchmark).expanduser()
    prepared = workbench.prepare_file(path) if path.is_file() else workbench.prepare_again(benchmark, reread=True)
    done = workbench.answers.rescore(prepared)
    if as_json:
        print_json("rescore", done)
        return
    _print_notes(done.notes)
    console().print(
        f"{done.answers} answers of {len(done.candidates)} runs scored again: {', '.join(done.candidates)}."
    )
    console().print(f"Next: workbench compare {done.benchmark}")


@completions_app.command("import")
def import_completions(  # noqa: PLR0913, PLR0917  one option per choice
    file: Annotated[Path, typer.Argument(help="JSON lines with id, model and text.")],
    testset: Annotated[Path, typer.Option(help="Benchmark file, or file with the labelled examples.")],
    name: Annotated[str | None, typer.Option(help="Benchmark that takes them; default: made from the file's.")] = None,
    task: Annotated[str, typer.Option(help="Task, where --testset is no benchmark file.")] = "classification",
    scorer: Annotated[list[str] | None, typer.Option(help="A scorer; repeat for each. Default: by task.")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Score answers that were made elsewhere, as runs that can be compared with any other."""
    workbench = open_workbench(home)
    if testset.suffix in {".yaml", ".yml"}:
        prepared = workbench.prepare_file(testset, name=name)
    else:
        options: dict[str, object] = {"task": task, **({"name": name} if name else {})}
        options |= {"scorers": scorer} if scorer else {}
        prepared = workbench.prepare_unsaved(workbench.answers.plan_import(file, testset, options))
    done = workbench.answers.import_completions(file, prepared)
    if as_json:
        print_json("completions import", done)
        return
    _print_notes(done.notes)
    listed = ", ".join(f"{model} ({count})" for model, count in done.models.items())
    console().print(f"Imported answers of {listed}.", markup=False)
    console().print(f"Next: workbench compare {done.benchmark}")


def _print_notes(notes: tuple[str, ...]) -> None:
    for note in notes:
        Console(stderr=True, soft_wrap=True, highlight=False).print(note, markup=False)


def completions_commands(app: typer.Typer) -> None:
    """Add the commands at the top level."""
    app.command()(rescore)
    app.add_typer(completions_app, name="completions")
