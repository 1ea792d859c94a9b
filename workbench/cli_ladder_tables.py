"""Draws quantization ladders for the terminal. Numbers through results/numbers.py; holds no logic."""

from pathlib import Path

from rich.console import Console
from rich.markup import escape

from results import numbers
from runners.divergence_records import Mean
from workbench.cli_marks import new_table
from workbench.ladder_records import DivergenceReport, Ladder, Rung

_STATES = {
    "planned": "not made yet",
    "written": "[green]✓ written[/]",
    "kept": "[green]✓ kept[/]",
    "skipped": "[yellow]! skipped[/]",
}


def rung_line(rung: Rung) -> str:
    """What is begun."""
    return f"{rung.quantization}: writing about {numbers.bytes_(rung.predicted_bytes)} to {rung.path} …"


def print_ladder(console: Console, ladder: Ladder) -> None:
    """Source, a line per rung, notes, the fragment of a benchmark file."""
    source = f"{ladder.source_quantization or 'unknown quantization'}, {numbers.bytes_(ladder.source_bytes)}"
    console.print(f"Source: {ladder.source_path} ({source})", markup=False, soft_wrap=True)
    table = new_table("Rung", "State", ">Predicted", ">Actual", ">Bits per weight", ">Larger types", "File or reason")
    for rung in ladder.rungs:
        table.add_row(
            rung.quantization,
            _STATES[rung.state],
            numbers.bytes_(rung.predicted_bytes),
            numbers.bytes_(rung.size_bytes),
            _fixed(rung.bits_per_weight, 2),
            f"{rung.fallback_tensors} of {rung.tensors} tensors" if rung.fallback_tensors else "none",
            escape(rung.note if rung.state == "skipped" else rung.path),
        )
    console.print(table)
    for note in ladder.notes:
        console.print(f"! {note}", markup=False, soft_wrap=True)
    if ladder.candidates:
        console.print("\nFor a benchmark file:", markup=False)
        console.print(ladder.candidates, markup=False, soft_wrap=True, end="")


def print_divergence(console: Console, report: DivergenceReport) -> None:
    """A line per file, the reference first."""
    reference = report.rungs[0].loss
    console.print(
        f"{report.text}: {numbers.things(reference.tokens, 'token')}, {numbers.things(reference.chunks, 'chunk')} of "
        f"{report.context_tokens}, {numbers.things(reference.scored_tokens, 'token')} scored. ± is one standard error.",
        markup=False,
        soft_wrap=True,
    )
    table = new_table(
        *("File", "Rung", ">Bits per weight", ">Size", ">Perplexity", ">÷ reference"),
        *(">Mean KLD, nats", ">99 % KLD", ">Same top token"),
    )
    for rung in report.rungs:
        found = rung.divergence
        table.add_row(
            escape(Path(rung.path).name),
            rung.quantization or numbers.UNKNOWN,
            _fixed(rung.bits_per_weight, 2),
            numbers.bytes_(rung.size_bytes),
            _mean(rung.loss.perplexity, 3),
            _mean(found.perplexity_ratio, 4) if found else "reference",
            _mean(found.mean_nats, 5) if found else numbers.UNKNOWN,
            _fixed(found.p99_nats, 4) if found else numbers.UNKNOWN,
            f"{_mean(found.same_top_share, 2, scale=100)} %" if found else numbers.UNKNOWN,
        )
    console.print(table)
    for note in report.notes:
        console.print(f"! {note}", markup=False, soft_wrap=True)


def _mean(mean: Mean, digits: int, *, scale: int = 1) -> str:
    return f"{_fixed(mean.value * scale, digits)} ± {_fixed(mean.standard_error * scale, digits)}"


def _fixed(value: float | None, digits: int) -> str:
    # A divergence of -0.0000001 is rounding, not a sign.
    return numbers.UNKNOWN if value is None else f"{round(value, digits) + 0.0:.{digits}f}"
