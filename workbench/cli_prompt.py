"""The command that shows a prompt exactly as a model receives it."""

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from workbench.cli_parts import Home, Json, console, open_workbench, print_json
from workbench.errors import BadBenchmarkFile

_Named = TypeVar("_Named")


def prompt(
    file: Annotated[Path, typer.Argument(help="Benchmark file.")],
    candidate: Annotated[str | None, typer.Option(help="Name of a candidate; default: the first.")] = None,
    example: Annotated[str | None, typer.Option(help="Id of an example; default: the first.")] = None,
    name: Annotated[
        str | None, typer.Option("--prompt", help="Name of one of the prompts; default: the first.")
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Show exactly what a candidate receives for an example, chat template included, with its tokens counted."""
    from workbench.candidates import candidate_name

    workbench = open_workbench(home)
    prepared = workbench.prepare_file(file)
    definition = prepared.definition
    chosen = _named("candidate", candidate, definition.candidates, candidate_name)
    variant = _named("prompt", name, definition.prompts, lambda each: each.name) if definition.prompts else None
    shown = _named("example", example, prepared.test_set.examples, lambda each: each.id)
    preview = workbench.preview_prompt(prepared, chosen, shown.id, variant)
    if as_json:
        print_json("prompt", preview)
        return
    console().print(preview.text, markup=False, soft_wrap=True)
    console().print(f"({preview.tokens} tokens of {preview.candidate}, example {preview.example_id})", markup=False)


def _named(what: str, asked: str | None, known: Sequence[_Named], name: Callable[[_Named], str]) -> _Named:
    """The one of that name, or the first. Raises BadBenchmarkFile with the nearest name."""
    if asked is None:
        return known[0]
    found = next((each for each in known if name(each) == asked), None)
    if found is None:
        names = [name(each) for each in known]
        close = get_close_matches(asked, names, n=1)
        hint = f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(names[:10])}."
        raise BadBenchmarkFile(f"The benchmark file has no {what} {asked!r}. {hint}")
    return found


def prompt_commands(app: typer.Typer) -> None:
    """Add the command at the top level."""
    app.command()(prompt)
