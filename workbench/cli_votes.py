"""The commands on head-to-head votes: list them, their batches and what they say, and export them."""

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli_parts import Home, Json, console, open_workbench, print_json

votes_app = typer.Typer(no_args_is_help=True, help="Head-to-head votes: list, standing, export.")

Batch = Annotated[str | None, typer.Option(help="Only votes of this batch: its name or id.")]
Slice = Annotated[str | None, typer.Option("--slice", help="Only votes on prompts of this slice, such as language=de.")]


@votes_app.command("list")
def list_votes(
    batch: Batch = None,
    part: Slice = None,
    limit: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 50,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """List the votes that stand, oldest first."""
    from workbench.cli_vote_tables import print_ballots

    found = open_workbench(home).votes_book.ballots(batch=batch, part=part)
    if as_json:
        print_json("votes list", found[-limit:])
    else:
        print_ballots(console(), found[-limit:], len(found))


@votes_app.command()
def batches(home: Home = None, as_json: Json = False) -> None:
    """List the batches of prompts, and how many of their answers wait for a vote."""
    from workbench.cli_vote_tables import print_batches

    found = open_workbench(home).votes_book.batches()
    print_json("votes batches", found) if as_json else print_batches(console(), found)


@votes_app.command()
def standing(
    batch: Batch = None,
    part: Slice = None,
    benchmark: Annotated[
        str | None, typer.Option(help="Votes on this benchmark's candidates, held against its scorer too.")
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Say what the votes say: Bradley-Terry standing with intervals, leanings, A/A (docs/head-to-head.md)."""
    from workbench.cli_vote_tables import print_agreement, print_standing

    workbench = open_workbench(home)
    if benchmark is None:
        found = workbench.votes_book.standing(batch=batch, part=part)
        print_json("votes standing", found) if as_json else print_standing(console(), found)
        return
    if batch is not None or part is not None:
        raise typer.BadParameter("--benchmark takes all votes on its candidates: leave --batch and --slice out.")
    beside = workbench.votes_book.beside(workbench.compare(benchmark))
    if as_json:
        print_json("votes benchmark", beside)
        return
    print_standing(console(), beside.standing)
    print_agreement(console(), beside)


@votes_app.command()
def export(
    output: Annotated[Path, typer.Option(help="File to write; .csv, .jsonl or .parquet.")],
    batch: Batch = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Write every vote ever cast, with prompt, names and answers, also those replaced or taken back."""
    written = open_workbench(home).votes_book.export(output, batch=batch)
    if as_json:
        print_json("votes export", {"file": str(written.path), "rows": written.rows})
    else:
        console().print(f"{written.rows:,} rows: {written.path}", markup=False, soft_wrap=True)
