"""Draws stored benchmarks for the terminal. Holds no logic."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from results import numbers
from workbench.benchmark_book import ListedBenchmark
from workbench.cli_marks import new_table


def print_benchmarks(console: Console, listed: Sequence[ListedBenchmark]) -> None:
    """Benchmarks in a table."""
    if not listed:
        console.print("No benchmarks. Start with: workbench demo")
        return
    table = new_table("Benchmark", "Test set", ">Examples", ">Candidates", "Begun", "")
    for item in listed:
        benchmark = item.benchmark
        table.add_row(
            escape(benchmark.name),
            escape(benchmark.test_set_name),
            numbers.count(benchmark.examples),
            numbers.count(len(benchmark.candidates)),
            benchmark.created_at.replace("T", " ")[:16] if benchmark.machine is not None else numbers.UNKNOWN,
            "archived" if item.archived else "",
        )
    console.print(table)
