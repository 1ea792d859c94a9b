"""The examples behind the numbers: found by filters, turned page by page, opened one by one.

Every page is read from the store with what it shows and nothing more; only an export reads them all, and forgets them.
What is looked at is kept in the page as a small dictionary: the controls' values, the offset, the opened example.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from results.errors import UnknownExample
from results.example_records import ExampleQuery
from results.records import BenchmarkComparison, ExampleResult
from workbench.csv_export import examples_csv
from workbench.sentences import refusal
from workbench.service import Workbench
from workbench.steps import render
from workbench.steps.compare import choices, example_view, examples_view
from workbench.steps.compare.choices import Browsing
from workbench.steps.compare.examples_view import Shown
from workbench.steps.wiring import clicked

RESTORED = 13
"""How many outputs `restored` gives: ten controls, what is looked at, the opened example, the page."""
_EXPORT_LENGTH = 500
"""Examples read at once for the export."""

Looked = dict[str, Any]
"""`controls`: values of the controls; `shown`: candidates; `offset`; `example`: id of the opened one."""


def restored(
    workbench: Workbench, comparison: BenchmarkComparison, shown: Sequence[str], asked: dict[str, str]
) -> tuple[tuple[Any, ...], dict[str, str]]:
    """Controls, what is looked at, opened example and page as the address asks for them; and the address."""
    browsing = choices.asked_browsing(comparison, shown, asked)
    looked: Looked = {
        "controls": list(browsing),
        "shown": list(shown),
        "offset": choices.asked_offset(asked),
        "example": asked.get("c-example") or None,
    }
    labels = comparison.benchmark.labels
    slices = choices.slice_choices(comparison)
    try:
        opened = _opened(workbench, comparison, looked)
    except UnknownExample:
        looked["example"], opened = None, ""
    page = _page(workbench, comparison, looked)
    controls = (
        gr.Dropdown(choices=list(shown), value=browsing.first, visible=len(shown) > 1),
        gr.Dropdown(choices=list(shown), value=browsing.second, visible=len(shown) > 1),
        browsing.only,
        gr.Dropdown(choices=slices, value=browsing.place, visible=len(slices) > 1),
        gr.Dropdown(
            choices=[("any", ""), *((label, label) for label in labels)], value=browsing.target, visible=bool(labels)
        ),
        browsing.text,
        browsing.order,
        browsing.per_page,
        gr.Dropdown(value=browsing.marks, visible=len(shown) > 1 or not labels),
        "",
    )
    address = choices.browsing_address(comparison, browsing, looked["offset"], looked["example"])
    return (*controls, looked, opened, page), address


def find(workbench: Workbench, name: str | None, shown: list[str], *values: Any) -> tuple[Any, ...]:
    """Other filters: what is looked at, no opened example, the first page, the address."""
    if name is None:
        return gr.skip(), "", "", "{}"
    comparison = workbench.compare(name)
    kept = [each for each in choices.names_of(comparison) if each in (shown or ())] or choices.names_of(comparison)
    looked: Looked = {"controls": list(values), "shown": kept, "offset": 0, "example": None}
    page = _page(workbench, comparison, looked)
    return looked, "", page, _address(comparison, looked)


def search(workbench: Workbench, name: str | None, looked: Looked | None, text: str) -> tuple[Any, ...]:
    """Another text to search for; what a handler wrote into the box is no other text."""
    browsing = Browsing(*looked["controls"]) if looked is not None else None
    if name is None or looked is None or browsing is None or text.strip() == browsing.text.strip():
        return gr.skip(), gr.skip(), gr.skip(), gr.skip()
    return find(workbench, name, looked["shown"], *browsing._replace(text=text))


def turn(workbench: Workbench, name: str | None, looked: Looked | None, event: gr.EventData) -> tuple[Any, ...]:
    """Another page, or an example is opened or closed: what is looked at, opened example, page, address."""
    action, value = clicked(event)
    if name is None or looked is None:
        return gr.skip(), gr.skip(), gr.skip(), gr.skip()
    comparison = workbench.compare(name)
    if action in {"open", "close"}:
        return _open(workbench, comparison, looked, value if action == "open" else None)
    step = Browsing(*looked["controls"]).per_page
    moved = {"next": looked["offset"] + step, "previous": looked["offset"] - step, "first": 0, "last": 10**9}
    if action not in moved:
        return gr.skip(), gr.skip(), gr.skip(), gr.skip()
    looked = {**looked, "offset": max(0, moved[action]), "example": None}
    return looked, "", _page(workbench, comparison, looked), _address(comparison, looked)


def go_to(workbench: Workbench, name: str | None, looked: Looked | None, example_id: str) -> tuple[Any, ...]:
    """Opens the example of an id. Raises UnknownExample with near ones."""
    if name is None or looked is None or not example_id.strip():
        return gr.skip(), gr.skip(), gr.skip(), gr.skip()
    return _open(workbench, workbench.compare(name), looked, example_id.strip())


def export_examples(workbench: Workbench, name: str | None, looked: Looked | None) -> str:
    """The examples that the filters leave as CSV, with every answer whole."""
    benchmark = next((item for item in workbench.benchmarks(archived=True) if item.name == name), None)
    if benchmark is None or looked is None:
        raise refusal(
            "Nothing is measured yet, so there is nothing to export. Start a benchmark in the step Run first."
        )
    query = Browsing(*looked["controls"]).query(looked["shown"])
    names = [each for each in benchmark.candidates if each in looked["shown"]]
    return examples_csv(names, _all_examples(workbench, benchmark.name, query))


def _open(
    workbench: Workbench, comparison: BenchmarkComparison, looked: Looked, example_id: str | None
) -> tuple[Any, ...]:
    looked = {**looked, "example": example_id}
    return looked, _opened(workbench, comparison, looked), gr.skip(), _address(comparison, looked)


def _opened(workbench: Workbench, comparison: BenchmarkComparison, looked: Looked) -> str:
    if looked["example"] is None:
        return ""
    browsing = Browsing(*looked["controls"])
    found = workbench.browser.open(comparison.benchmark.name, looked["example"], browsing.query(looked["shown"]))
    return example_view.opened(found, _how(comparison, looked))


def _page(workbench: Workbench, comparison: BenchmarkComparison, looked: Looked) -> str:
    """The page at the offset; the offset is corrected where there are fewer examples."""
    if not any(summary.validity for summary in comparison.candidates):
        text = "No candidate was asked the examples: the benchmark has no accuracy workload, or nothing is stored yet."
        return render.tag("div", render.empty("No answers to show", text), class_="card")
    query = Browsing(*looked["controls"]).query(looked["shown"], looked["offset"])
    found = workbench.browser.page(comparison.benchmark.name, query)
    looked["offset"] = found.offset
    return examples_view.page(found, _how(comparison, looked))


def _how(comparison: BenchmarkComparison, looked: Looked) -> Shown:
    browsing = Browsing(*looked["controls"])
    quality = next((item.quality for item in comparison.candidates if item.quality is not None), None)
    return Shown(
        candidates=looked["shown"],
        first=browsing.first,
        second=browsing.second,
        marks=browsing.marks,
        per_page=browsing.per_page,
        is_graded=quality is not None and comparison.benchmark.task != "classification",
    )


def _address(comparison: BenchmarkComparison, looked: Looked) -> str:
    browsing = Browsing(*looked["controls"])
    return json.dumps(choices.browsing_address(comparison, browsing, looked["offset"], looked["example"]))


def _all_examples(workbench: Workbench, name: str, query: ExampleQuery) -> Iterator[ExampleResult]:
    offset = 0
    while found := workbench.examples(name, query.model_copy(update={"offset": offset, "limit": _EXPORT_LENGTH})):
        yield from found
        if len(found) < _EXPORT_LENGTH:
            return
        offset += len(found)
