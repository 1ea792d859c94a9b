"""The commands on kept shortlists: list, show, rename, copy, put away and take back."""

from typing import Annotated

import typer

from workbench.cli_parts import Home, Json, console, open_workbench, print_json

shortlist_app = typer.Typer(help="Look after kept shortlists.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of a kept shortlist.")]
AnyVersion = Annotated[str, typer.Argument(help="Name of a kept shortlist, or NAME@VERSION; default: the newest.")]


@shortlist_app.command("list")
def list_shortlists(
    home: Home = None,
    archived: Annotated[bool, typer.Option("--archived", help="Those that were put away, instead.")] = False,
    as_json: Json = False,
) -> None:
    """List kept shortlists, every version."""
    from workbench.cli_shortlist_tables import print_shortlists

    found = open_workbench(home).shortlists.all(archived=archived)
    if as_json:
        print_json("shortlist list", found)
    else:
        print_shortlists(console(), found)


@shortlist_app.command("show")
def show_shortlist(name: AnyVersion, home: Home = None, as_json: Json = False) -> None:
    """Show the candidates of a shortlist and how they were chosen: what was considered and which rule left out what."""
    from workbench.cli_shortlist_tables import print_shortlist

    found = open_workbench(home).shortlists.find(name)
    if as_json:
        print_json("shortlist show", found)
    else:
        print_shortlist(console(), found)


@shortlist_app.command("rename")
def rename_shortlist(
    name: Name, new_name: Annotated[str, typer.Argument(help="Its new name.")], home: Home = None, as_json: Json = False
) -> None:
    """Give all versions of a shortlist another name."""
    renamed = open_workbench(home).shortlists.rename(name, new_name)
    if as_json:
        print_json("shortlist rename", renamed)
    else:
        console().print(f"{name} is called {renamed.name} now.", markup=False)


@shortlist_app.command("copy")
def copy_shortlist(
    name: AnyVersion,
    new_name: Annotated[str, typer.Argument(help="Name of the copy.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Copy a version of a shortlist as the first one of another name."""
    copy = open_workbench(home).shortlists.duplicate(name, new_name)
    if as_json:
        print_json("shortlist copy", copy)
    else:
        console().print(f"Kept as {copy.name} v{copy.version}.", markup=False)


@shortlist_app.command("archive")
def archive_shortlist(
    name: Name,
    home: Home = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take it back.")] = False,
    as_json: Json = False,
) -> None:
    """Put a shortlist away, all versions of it; nothing is lost."""
    changed = open_workbench(home).shortlists.archive(name, archived=not undo)
    if as_json:
        print_json("shortlist archive", changed)
    else:
        console().print(f"{changed.name} is {'in use again' if undo else 'archived'}.", markup=False)
