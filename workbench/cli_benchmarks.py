"""`workbench benchmarks`: list what was measured under which name, rename, put away, copy, delete."""

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli_parts import Home, Json, console, open_workbench, print_json

benchmarks_app = typer.Typer(
    help="Stored benchmarks: list, rename, archive, restore, duplicate, delete.", no_args_is_help=True
)


@benchmarks_app.command("list")
def list_benchmarks(
    everything: Annotated[bool, typer.Option("--all", help="Those that are archived too.")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """List the stored benchmarks, newest first."""
    from workbench.cli_benchmark_tables import print_benchmarks

    found = open_workbench(home).book.all(archived=everything)
    if as_json:
        print_json("benchmarks list", found)
    else:
        print_benchmarks(console(), found)


@benchmarks_app.command()
def rename(name: str, to: str, home: Home = None) -> None:
    """Call a benchmark otherwise; its runs, judgings, reports and links follow."""
    open_workbench(home).book.rename(name, to)
    _say(f"{name} is called {to} now.")


@benchmarks_app.command()
def archive(name: str, home: Home = None) -> None:
    """Put a benchmark away: it is kept whole and is in no list until it is restored."""
    open_workbench(home).book.archive(name)
    _say(f"{name} is archived. Bring it back with: workbench benchmarks restore {name}")


@benchmarks_app.command()
def restore(name: str, home: Home = None) -> None:
    """Bring an archived benchmark back into the lists."""
    open_workbench(home).book.restore(name)
    _say(f"{name} is in the lists again.")


@benchmarks_app.command()
def duplicate(
    name: str,
    to: str,
    output: Annotated[Path | None, typer.Option(help="File to write; default: in the data directory.")] = None,
    home: Home = None,
) -> None:
    """Write a benchmark's definition under another name as a file, to be edited and run."""
    path = open_workbench(home).book.duplicate(name, to, output)
    _say(f"{path}\nEdit it, then: workbench bench {path}")


@benchmarks_app.command()
def delete(
    name: str,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for the name once more.")] = False,
    home: Home = None,
) -> None:
    """Delete a benchmark with its runs; what another benchmark uses stays, and so do its reports."""
    book = open_workbench(home).book
    plan = book.plan_deletion(name)
    if not yes:
        _say("\n".join(plan.sentences))
    typed = name if yes else typer.prompt("Type the name of the benchmark to delete it", default="", show_default=False)
    book.delete(name, confirmed=typed)
    _say(f"{name} is deleted.")


def _say(text: str) -> None:
    console().print(text, markup=False, highlight=False, soft_wrap=True)
