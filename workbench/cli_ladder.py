"""The commands on quantization ladders: make the rungs, measure how far each lies from a reference."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from workbench import cli_values
from workbench.cli_parts import Home, Json, console, leave, open_workbench, print_json

PROGRESS_EVERY = 10
"""Chunks between two lines of progress."""

LADDER = "Q8_0,Q6_K,Q5_K_M,Q4_K_M,Q3_K_M,Q2_K,IQ4_XS"
WAITING = "Waiting for a benchmark that is running on this machine: this would spoil its times …"
SOURCE_HELP = "Path of a GGUF file or a folder with one, or a Hub id."


def quantize(  # noqa: PLR0913, PLR0917  one option per choice
    model: Annotated[str, typer.Argument(help=SOURCE_HELP)],
    to: Annotated[str, typer.Option(help="Quantizations, with commas.")] = LADDER,
    source: Annotated[
        str | None, typer.Option("--from", help="Quantization to start from; default: the least quantized file here.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Folder; default: the models of the data directory.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only predict the sizes.")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Make smaller files of one model, sizes predicted first, ready as candidates of a benchmark."""
    from workbench.cli_ladder_tables import print_ladder, rung_line

    workbench = open_workbench(home)
    ladder = workbench.ladders.plan(model, to.split(","), quantize_from=source, output=output)
    if not dry_run:
        progress = Console(stderr=True, quiet=as_json, highlight=False)
        ladder = workbench.ladders.make(
            ladder,
            lambda rung: progress.print(rung_line(rung), markup=False, soft_wrap=True),
            lambda: progress.print(WAITING),
        )
    if as_json:
        print_json("quantize", ladder)
    else:
        print_ladder(console(), ladder)
    leave(all(rung.state != "skipped" for rung in ladder.rungs))


def divergence(  # noqa: PLR0913, PLR0917  one option per choice
    reference: Annotated[Path, typer.Argument(help="The least quantized GGUF file.")],
    others: Annotated[list[Path], typer.Argument(help="Other quantizations of the same model.")],
    text: Annotated[Path | None, typer.Option(help="UTF-8 text to measure over.")] = None,
    benchmark: Annotated[
        Path | None, typer.Option(help="Benchmark file whose prompts and answers are the text.")
    ] = None,
    context: Annotated[int, typer.Option(parser=cli_values.tokens, help="Tokens of a chunk.")] = 512,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Measure what quantizing lost: perplexity and KL divergence to a reference file, over your text."""
    from workbench.cli_ladder_tables import print_divergence

    if (text is None) == (benchmark is None):
        raise typer.BadParameter("Give --text FILE or --benchmark FILE.yaml, one of the two.")
    workbench = open_workbench(home)
    measured = workbench.prepare_file(benchmark).test_set if benchmark is not None else text
    assert measured is not None
    progress = Console(stderr=True, quiet=as_json, highlight=False)

    def on_chunk(name: str, done: int, total: int) -> None:
        if done % PROGRESS_EVERY == 0 or done in {1, total}:
            progress.print(f"{name}: {done} of {total} chunks", markup=False, soft_wrap=True)

    report = workbench.ladders.measure(
        [reference, *others],
        measured,
        context_tokens=context,
        on_chunk=on_chunk,
        on_wait=lambda: progress.print(WAITING),
    )
    if as_json:
        print_json("divergence", report)
    else:
        print_divergence(console(), report)


def ladder_commands(app: typer.Typer) -> None:
    """Add the commands at the top level."""
    app.command()(quantize)
    app.command()(divergence)
