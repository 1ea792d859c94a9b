"""Draws what was measured under load for the terminal: percentiles, levels of a sweep, arrivals, loads, energy."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markup import escape

from results import numbers
from results.records import CandidateSummary, LevelSummary, Percentiles
from workbench.cli_marks import new_table


def print_load(console: Console, candidates: Sequence[CandidateSummary]) -> None:
    """Everything of a comparison beyond its first table; nothing where nothing of it was measured."""
    _print_latency(console, candidates)
    for summary in candidates:
        if summary.sweep is not None:
            _print_levels(console, f"{summary.candidate.name}: requests at once", summary.sweep.levels)
            knee = summary.sweep.knee
            found = "No knee was found" if knee is None else f"Knee at {numbers.count(knee)} at once"
            console.print(f"{escape(summary.candidate.name)}: {found}. {escape(summary.sweep.ended_because)}")
        if summary.arrivals:
            _print_levels(console, f"{summary.candidate.name}: arrivals per second", summary.arrivals)
    for summary in candidates:
        for line in _lines(summary):
            console.print(f"{escape(summary.candidate.name)}: {escape(line)}")


def _print_latency(console: Console, candidates: Sequence[CandidateSummary]) -> None:
    measured = [(s.candidate.name, s.latency) for s in candidates if s.latency is not None]
    if not measured:
        return
    table = new_table("One at a time", ">TTFA p50", ">TPOT p50", ">ITL p50 / p95", ">Wait p50", ">Output", ">Failed")
    for name, level in measured:
        table.add_row(
            escape(name),
            _middle(level.ttfa),
            _middle(level.tpot),
            _both(level.itl),
            _middle(level.queue),
            numbers.rate(level.measured.output_tokens_per_second),
            numbers.count(level.measured.failed),
        )
    console.print(table)


def _print_levels(console: Console, title: str, levels: Sequence[LevelSummary]) -> None:
    is_open_loop = any(level.measured.workload == "arrivals" for level in levels)
    table = new_table(
        *(escape(title), ">Requests", ">Failed", ">Output", ">TTFT p50 / p95", ">TPOT p50 / p95", ">Wait p95"),
        *((">Arrival to end p50 / p95",) if is_open_loop else ()),
    )
    for level in levels:
        measured = level.measured
        table.add_row(
            f"{measured.level:g}",
            numbers.count(measured.requests),
            numbers.count(measured.failed),
            numbers.rate(measured.output_tokens_per_second),
            _both(level.ttft),
            _both(level.tpot),
            numbers.seconds(level.queue.p95.value if level.queue.p95 else None),
            *((_both(level.arrival_e2e),) if is_open_loop else ()),
        )
    console.print(table)


def _lines(summary: CandidateSummary) -> Iterable[str]:
    if summary.warm_load_seconds is not None:
        cold = numbers.seconds(summary.cold_load_seconds)
        times = numbers.things(summary.warm_loads, "time")
        yield f"load cold {cold}, warm {numbers.seconds(summary.warm_load_seconds)} (median of {times})."
    if summary.first_request_ttft_seconds is not None:
        yield f"first request after the load: TTFT {numbers.seconds(summary.first_request_ttft_seconds)}, timed apart."
    if summary.energy_source is not None:
        used = summary.accuracy_joules_per_1000_examples
        of_accuracy = "" if used is None else f", {numbers.joules(used)} for 1,000 examples of the accuracy workload"
        each = summary.latency.joules_per_output_token if summary.latency is not None else None
        of_latency = "" if each is None else f", {numbers.joules(each)} per output token one at a time"
        yield f"energy of the whole machine ({summary.energy_source}){of_latency}{of_accuracy}."


def _middle(percentiles: Percentiles) -> str:
    return numbers.seconds(percentiles.p50.value if percentiles.p50 else None)


def _both(percentiles: Percentiles) -> str:
    return f"{_middle(percentiles)} / {numbers.seconds(percentiles.p95.value if percentiles.p95 else None)}"
