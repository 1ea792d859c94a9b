"""Step Compare: what was measured, how sure it is, and the examples behind it.

Examples are read page by page from the store; only an export reads them all, and forgets them.
"""

from collections.abc import Iterator
from typing import Any

import gradio as gr

from results.errors import NothingToCompare
from results.records import BenchmarkComparison, ExampleResult
from results.store import ExampleFilter
from workbench.csv_export import examples_csv, summary_csv
from workbench.sentences import refusal
from workbench.service import Workbench
from workbench.steps import compare_view, examples_view
from workbench.steps.wiring import clicked

PAGE_LENGTH = 20
"""Examples on one page of the browser."""
_EXPORT_LENGTH = 500
"""Examples read at once for the export."""

FILTERS: list[tuple[str, ExampleFilter]] = [
    ("all", "all"),
    ("candidates disagree", "disagreement"),
    ("all wrong", "all_wrong"),
    ("not understood", "unparseable"),
]
"""Filters of the example browser: what is shown, and what the store calls it."""


def choose_benchmark(workbench: Workbench, asked: str | None, request: gr.Request) -> tuple[str | None, list[str]]:
    """The benchmark asked for, else the one in the address, else the newest; and all names."""
    names = [benchmark.name for benchmark in workbench.benchmarks()]
    wanted = (asked, request.query_params.get("benchmark"), *names[:1])
    return next((name for name in wanted if name in names), None), names


def restore(workbench: Workbench, asked: str | None, candidate: str | None, request: gr.Request) -> tuple[Any, ...]:
    """The page for the benchmark that is looked at: state, picker, then everything of `show`."""
    name, names = choose_benchmark(workbench, asked, request)
    return name, gr.Dropdown(choices=names, value=name, visible=bool(names)), *show(workbench, name, candidate)


def show(workbench: Workbench, name: str | None, candidate: str | None = None) -> tuple[Any, ...]:
    """One benchmark: whether views and export are visible, summary, candidate picker, page of the examples, examples.

    Charts and details take longer and follow when the summary has changed (`draw`).
    """
    if name is None:
        return _nothing(compare_view.nothing_measured())
    try:
        comparison = workbench.compare(name)
    except NothingToCompare:
        return _nothing(compare_view.nothing_finished(name))
    names = [summary.candidate.name for summary in comparison.candidates]
    chosen = candidate if candidate in names else names[0]
    return (
        gr.Column(visible=True),
        gr.Button(visible=True),
        compare_view.summary(comparison),
        gr.Dropdown(choices=names, value=chosen),
        0,
        _examples(workbench, comparison, "all", 0),
    )


def pick(workbench: Workbench, name: str | None) -> tuple[Any, ...]:
    """Another benchmark was picked: state, then everything of `show`."""
    return name, *show(workbench, name)


def draw(workbench: Workbench, name: str | None, candidate: str | None) -> tuple[str, str]:
    """The charts, and one candidate in detail."""
    if name is None:
        return "", ""
    try:
        comparison = workbench.compare(name)
    except NothingToCompare:
        return "", ""
    return compare_view.charts_panel(comparison), compare_view.details(comparison, candidate)


def show_candidate(workbench: Workbench, name: str | None, candidate: str | None) -> str:
    """Confusion, labels and slices of one candidate."""
    return draw(workbench, name, candidate)[1]


def turn_page(
    workbench: Workbench, name: str | None, only: ExampleFilter, offset: int, event: gr.EventData
) -> tuple[int, str]:
    """The next or the previous examples."""
    action, _ = clicked(event)
    if name is None or action not in {"next", "previous"}:
        return gr.skip(), gr.skip()
    total = workbench.count_examples(name, only=only)
    moved = offset + PAGE_LENGTH if action == "next" else offset - PAGE_LENGTH
    moved = max(0, min(moved, (max(0, total - 1) // PAGE_LENGTH) * PAGE_LENGTH))
    return moved, filter_examples(workbench, name, only, moved)[1]


def filter_examples(workbench: Workbench, name: str | None, only: ExampleFilter, offset: int = 0) -> tuple[int, str]:
    """A page of the examples that a filter leaves."""
    if name is None:
        return 0, ""
    candidates = next((item.candidates for item in workbench.benchmarks() if item.name == name), ())
    examples = workbench.examples(name, only=only, offset=offset, limit=PAGE_LENGTH)
    total = workbench.count_examples(name, only=only)
    return offset, examples_view.page(examples, candidates, offset, total)


def export_summary(workbench: Workbench, name: str | None) -> str:
    """The summary as CSV."""
    if name is None:
        raise refusal("There is no benchmark to export.")
    return summary_csv(workbench.compare(name))


def export_examples(workbench: Workbench, name: str | None, only: ExampleFilter) -> str:
    """The examples that the filter leaves as CSV."""
    benchmark = next((item for item in workbench.benchmarks() if item.name == name), None)
    if benchmark is None:
        raise refusal("There is no benchmark to export.")
    return examples_csv(benchmark.candidates, _all_examples(workbench, benchmark.name, only))


def _nothing(words: str) -> tuple[Any, ...]:
    """What `show` gives where there is nothing to compare."""
    return gr.Column(visible=False), gr.Button(visible=False), words, gr.skip(), gr.skip(), ""


def _examples(workbench: Workbench, comparison: BenchmarkComparison, only: ExampleFilter, offset: int) -> str:
    return filter_examples(workbench, comparison.benchmark.name, only, offset)[1]


def _all_examples(workbench: Workbench, name: str, only: ExampleFilter) -> Iterator[ExampleResult]:
    offset = 0
    while found := workbench.examples(name, only=only, offset=offset, limit=_EXPORT_LENGTH):
        yield from found
        offset += len(found)
