"""Lays out the step Compare and binds its handlers."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import gradio as gr

from workbench.service import Workbench
from workbench.steps import render
from workbench.steps.compare import browse, choices, handlers, judge
from workbench.steps.desk import Desk
from workbench.steps.wiring import Page, Refresh, Step, bind, edited, in_page, panel, read, slow

_REMEMBER_NAME = "(name) => { window.workbench.address('benchmark', name); return name; }"
_REMEMBER = "(place) => window.workbench.compare.remember(place)"
_TO_OPENED = "() => window.workbench.compare.toOpened()"
_SAVE_SUMMARY = "(text) => window.workbench.download('summary.csv', 'text/csv', text)"
_SAVE_EXAMPLES = "(text) => window.workbench.download('examples.csv', 'text/csv', text)"


class _Looks(NamedTuple):
    """Controls of the view."""

    metric: gr.Dropdown
    shown: gr.CheckboxGroup
    columns: gr.CheckboxGroup
    candidate: gr.Dropdown


class _Finds(NamedTuple):
    """Controls of the examples, in the order of choices.Browsing."""

    first: gr.Dropdown
    second: gr.Dropdown
    only: gr.Dropdown
    place: gr.Dropdown
    target: gr.Dropdown
    text: gr.Textbox
    order: gr.Dropdown
    per_page: gr.Dropdown
    marks: gr.Dropdown


class _Places(NamedTuple):
    """Where the step shows what it has."""

    summary: gr.HTML
    pairs: gr.HTML
    charts: gr.HTML
    details: gr.HTML
    opened: gr.HTML
    examples: gr.HTML


def build_compare(page: Page) -> Step:
    """The step with everything bound."""
    workbench, desk = page.workbench, page.desk
    with gr.Row(elem_classes="toolbar"):
        picker = _dropdown("Benchmark", "compare-benchmark", visible=False, width=220)
        with gr.Row(elem_classes="toolbar", visible=False) as tools:
            metric = _dropdown("Metric", "compare-metric", width=200)
            panel("compare-parts", _parts())
            save = _button("Summary as CSV", "export-summary")
    with gr.Accordion("Candidates and columns", open=False, elem_id="compare-choices"):
        shown = gr.CheckboxGroup(label="Candidates", choices=[], elem_id="compare-shown")
        columns = gr.CheckboxGroup(label="Columns of the summary", choices=[], elem_id="compare-columns")
    summary = panel("compare-summary", render.loading("Reading the results …"))
    with gr.Column(visible=False) as views:
        pairs = panel("compare-pairs")
        charts = panel("compare-charts", render.loading("Drawing the charts …"))
        with gr.Row(elem_classes="toolbar"):
            candidate = _dropdown("In depth", "compare-candidate", width=260)
        details = panel("compare-details")
        judge_form, judged = panel("compare-judge", clicks=True), panel("compare-judged")
        finds, goto, save_examples = _build_finds()
        opened = panel("example-opened", clicks=True)
        examples = panel("examples", clicks=True)
    seen, looked = gr.State(None), gr.State(None)
    place, text = gr.Textbox(visible=False), gr.Textbox(visible=False)
    looks, places = (
        _Looks(metric, shown, columns, candidate),
        _Places(summary, pairs, charts, details, opened, examples),
    )
    outputs = [views, tools, summary, pairs, seen, place, *looks, *finds, goto, looked, opened, examples]
    everything = [page.benchmark, picker, *outputs, judge_form, judged]
    opened_step = Refresh(bind(_opened, workbench, desk), [page.benchmark], everything)
    picked = read(
        edited(picker), bind(_picked, workbench, desk), [picker], [page.benchmark, *outputs, judge_form, judged]
    )
    in_page(picked.success, _REMEMBER, [place])
    in_page(picker.change, _REMEMBER_NAME, [picker], None)
    read(judge_form.click, bind(judge.start, workbench, desk), [page.benchmark], [judged])
    _bind_views(page, looks, places, (seen, place))
    _bind_examples(page, (finds, goto, looked), (shown, place), places)
    exported = slow(save, bind(handlers.export_summary, workbench), [picker], [text])
    in_page(exported.success, _SAVE_SUMMARY, [text])
    exported = slow(save_examples, bind(browse.export_examples, workbench), [picker, looked], [text])
    in_page(exported.success, _SAVE_EXAMPLES, [text])
    return Step(opened=opened_step, results=opened_step)


def _opened(workbench: Workbench, desk: Desk, asked: str | None, request: gr.Request) -> tuple[Any, ...]:
    name, *shown = handlers.restore(workbench, asked, request)
    return name, *shown, *judge.panels(workbench, desk, name)


def _picked(workbench: Workbench, desk: Desk, name: str | None) -> tuple[Any, ...]:
    return *handlers.pick(workbench, name), *judge.panels(workbench, desk, name)


def _build_finds() -> tuple[_Finds, gr.Textbox, gr.Button]:
    """Heading and controls of the examples."""
    panel("compare-examples-head", render.tag("h2", "Examples", id="compare-examples"))
    with gr.Row(elem_classes="toolbar wraps"):
        only = _dropdown("Show", "examples-filter", choices.FILTERS, "all", width=170)
        first = _dropdown("A", "examples-first", width=160)
        second = _dropdown("B", "examples-second", width=160)
        marks = _dropdown("Mark differences", "examples-marks", choices.MARKS, "other", width=165)
        order = _dropdown("Order", "examples-order", choices.ORDERS, "test_set", width=140)
        per_page = _dropdown("Per page", "examples-per", [(str(n), n) for n in choices.PAGE_LENGTHS], 20, width=70)
    with gr.Row(elem_classes="toolbar wraps"):
        place = _dropdown("Slice", "examples-slice", width=165)
        target = _dropdown("Right answer", "examples-label", width=150)
        text = gr.Textbox(
            label="Search inputs and answers", elem_id="examples-find", max_lines=1, scale=0, min_width=200
        )
        goto = gr.Textbox(label="Open example (id)", elem_id="examples-goto", max_lines=1, scale=0, min_width=130)
        save = _button("Examples as CSV", "export-examples")
    return _Finds(first, second, only, place, target, text, order, per_page, marks), goto, save


def _bind_views(page: Page, looks: _Looks, places: _Places, kept: tuple[gr.State, gr.Textbox]) -> None:
    workbench, (seen, place) = page.workbench, kept
    given = [page.benchmark, *looks]
    changed = edited(looks.metric, looks.shown, looks.columns)
    done = read(changed, bind(handlers.look, workbench), given, [places.summary, places.pairs, seen, place])
    in_page(done.success, _REMEMBER, [place])
    draw = bind(handlers.draw, workbench)
    read(places.summary.change, draw, [page.benchmark, seen], [places.charts, places.details])
    picked, outputs = [page.benchmark, seen, looks.candidate], [places.details, seen, place]
    done = read(edited(looks.candidate), bind(handlers.show_candidate, workbench), picked, outputs)
    in_page(done.success, _REMEMBER, [place])


def _bind_examples(
    page: Page,
    controls: tuple[_Finds, gr.Textbox, gr.State],
    around: tuple[gr.CheckboxGroup, gr.Textbox],
    places: _Places,
) -> None:
    workbench = page.workbench
    (finds, goto, looked), (shown, place) = controls, around
    outputs = [looked, places.opened, places.examples, place]
    chosen = [each for each in finds if each is not finds.text]
    done = read(edited(*chosen, shown), bind(browse.find, workbench), [page.benchmark, shown, *finds], outputs)
    in_page(done.success, _REMEMBER, [place])
    done = read(edited(finds.text), bind(browse.search, workbench), [page.benchmark, looked, finds.text], outputs)
    in_page(done.success, _REMEMBER, [place])
    turn = bind(browse.turn, workbench)
    for event in (places.examples.click, places.opened.click):
        done = read(event, turn, [page.benchmark, looked], outputs)
        in_page(done.success, _REMEMBER, [place])
        in_page(done.success, _TO_OPENED)
    done = read(goto.submit, bind(browse.go_to, workbench), [page.benchmark, looked, goto], outputs)
    in_page(done.success, _REMEMBER, [place])
    in_page(done.success, _TO_OPENED)


def _dropdown(
    label: str,
    elem_id: str,
    options: Sequence[tuple[str, str | int]] = (),
    value: str | int | None = None,
    *,
    width: int,
    visible: bool = True,
) -> gr.Dropdown:
    return gr.Dropdown(
        label=label, choices=list(options), value=value, elem_id=elem_id, scale=0, min_width=width, visible=visible
    )


def _button(words: str, elem_id: str) -> gr.Button:
    return gr.Button(words, elem_id=elem_id, elem_classes="far", scale=0, min_width=150, size="sm")


def _parts() -> str:
    """Links to the parts of the step."""
    links = (
        ("Summary", "compare-summary"),
        ("Pairs", "compare-pairs"),
        ("Charts", "compare-charts"),
        ("In depth", "compare-candidate"),
        ("Examples", "compare-examples"),
    )
    return render.tag(
        "nav",
        [render.tag("button", words, type="button", class_="link", data_scroll=to) for words, to in links],
        class_="parts-nav",
        aria_label="Parts of this comparison",
    )
