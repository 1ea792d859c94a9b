"""The commands on engines: list them, and install, check and remove those with an environment of their own."""

from typing import Annotated

import typer
from rich.console import Console

from workbench.cli_parts import Home, Json, console, named_home, open_workbench, print_json

engines_app = typer.Typer(invoke_without_command=True)

EngineName = Annotated[str, typer.Argument(help="Name of the engine: vllm.")]


@engines_app.callback()
def engines(context: typer.Context, home: Home = None, as_json: Json = False) -> None:
    """List the engines, installed or not; or install, check or remove one that has an environment of its own."""
    if home is not None:
        named_home[:] = [home]
    if context.invoked_subcommand is not None:
        return
    from workbench.cli_tables import print_engines

    statuses = open_workbench(home).engines()
    if as_json:
        print_json("engines", statuses)
    else:
        print_engines(console(), statuses)


@engines_app.command()
def install(engine: EngineName, home: Home = None, as_json: Json = False) -> None:
    """Install an engine into an environment of its own in the data directory; what was cut off is done again."""
    from workbench.cli_tables import print_engines

    progress = Console(stderr=True, quiet=as_json, highlight=False)
    status = open_workbench(home).environments.install(
        engine, lambda line: progress.print(line, markup=False, soft_wrap=True)
    )
    if as_json:
        print_json("engines install", status)
    else:
        print_engines(console(), (status,))


@engines_app.command()
def check(engine: EngineName, home: Home = None, as_json: Json = False) -> None:
    """Import an installed engine in its environment and say what was found."""
    from workbench.cli_tables import print_engines

    status = open_workbench(home).environments.check(engine)
    if as_json:
        print_json("engines check", status)
    else:
        print_engines(console(), (status,))


@engines_app.command()
def uninstall(engine: EngineName, home: Home = None, as_json: Json = False) -> None:
    """Remove an engine's environment; results measured with it are kept."""
    from results import numbers

    freed = open_workbench(home).environments.uninstall(engine)
    if as_json:
        print_json("engines uninstall", {"engine": engine, "freed_bytes": freed})
    else:
        text = f"{engine} removed, {numbers.bytes_(freed)} freed." if freed else f"{engine} was not installed."
        console().print(text, markup=False, soft_wrap=True)
