"""Lays out the step Choose and binds its handlers."""

from typing import Any, NamedTuple

import gradio as gr
from gradio.blocks import Block

from catalog.weights import known_quantizations
from workbench.service import Workbench
from workbench.steps import render
from workbench.steps.choose import catalog, filters, handlers, kept, view
from workbench.steps.choose.endpoint_page import build_endpoint_form
from workbench.steps.desk import Desk
from workbench.steps.wiring import Page, Refresh, Step, bind, edited, in_page, panel, read, slow

_SORTS = [
    ("downloads", "downloads"),
    ("trending", "trending"),
    ("rising", "rising"),
    ("likes", "likes"),
    ("updated", "updated"),
    ("newest", "released"),
    ("parameters", "parameters"),
    ("context", "context"),
    ("name", "name"),
]
_TASKS = [
    *("text-generation", "image-text-to-text", "any-to-any", "text-classification", "sentence-similarity"),
    *("feature-extraction", "automatic-speech-recognition", "text-to-speech", "text-to-image", "text-to-video"),
]
_FORMATS = [filters.ANY, "gguf", "safetensors"]
_WRITE_ADDRESS = """(text) => {
  for (const [name, value] of Object.entries(JSON.parse(text || '{}'))) window.workbench.address(name, value);
}"""
_SAVE_TABLE = "(text) => window.workbench.download('models.csv', 'text/csv', text)"


class _ModelPart(NamedTuple):
    card: gr.HTML
    can_run: gr.Column
    weights: gr.Dropdown
    note: gr.HTML


class _Naming(NamedTuple):
    """Asks for the name of a kept list."""

    row: gr.Column
    field: gr.Textbox
    done: gr.Button
    cancel: gr.Button
    asked: gr.State


class _Side(NamedTuple):
    """The column beside the results."""

    part: _ModelPart
    add: gr.Button
    fetch: gr.Button
    shortlist: gr.HTML
    naming: _Naming
    name: gr.Textbox
    keep: gr.Button
    why: gr.Textbox
    ask_why: gr.Button
    answer: gr.HTML
    named: gr.Textbox
    add_named: gr.Button


def build_choose(page: Page) -> Step:
    """The step with everything bound."""
    workbench, desk = page.workbench, page.desk
    profile, accordion = _profile()
    filters, more, quantization = _filters(workbench)
    state = _catalog(page)
    with gr.Row(elem_classes="split"):
        with gr.Column(scale=2, min_width=520):
            results = panel("models", render.loading("Searching the catalog …"), clicks=True)
            save = gr.Button("Table as CSV", elem_id="export-models", size="sm", scale=0, min_width=120)
            excluded = panel("excluded-models", clicks=True)
        side = _side(page)
    text = gr.Textbox(visible=False)
    controls = [*profile, *filters]
    search = bind(handlers.search, workbench, desk)
    where = gr.Textbox(visible=False)
    in_page(where.change, _WRITE_ADDRESS, [where])
    read(edited(*controls), search, controls, [accordion, more, quantization, results, where])
    press = bind(handlers.press_in_results, workbench, desk)
    for source in (results, excluded):
        read(source.click, press, None, [excluded, *side.part, where])
    in_page(slow(save, bind(handlers.export_results, workbench, desk), None, [text]).success, _SAVE_TABLE, [text])
    _bind_side(page, side, results, where)
    outputs: list[Block] = [*controls, accordion, more, results, *side.part, side.name, side.shortlist, where, state]
    opened = Refresh(bind(_opened, workbench, desk), [], outputs)
    changed = Refresh(bind(_changed, workbench, desk), [], [results, *side.part, state])
    return Step(opened=opened, results=changed)


def _opened(workbench: Workbench, desk: Desk, request: gr.Request) -> tuple[Any, ...]:
    return *handlers.restore(workbench, desk, request), catalog.state(workbench)


def _changed(workbench: Workbench, desk: Desk) -> tuple[Any, ...]:
    return *handlers.found_again(workbench, desk), catalog.state(workbench)


def _bind_side(page: Page, side: _Side, results: gr.HTML, where: gr.Textbox) -> None:
    workbench, desk, part = page.workbench, page.desk, side.part
    read(side.add.click, bind(handlers.add_to_shortlist, workbench, desk), [part.weights], [side.shortlist])
    slow(side.fetch, bind(handlers.show_download, workbench, desk), [part.weights], [part.note])
    read(part.note.click, bind(handlers.press_in_note, workbench, desk), None, [*part])
    for event in (side.add_named.click, side.named.submit):
        outputs: list[Block] = [side.named, results, *part, side.shortlist, where]
        read(event, bind(handlers.add_named, workbench, desk), [side.named], outputs)
    naming = side.naming
    changed = [side.shortlist, side.name, naming.row, naming.field, naming.asked]
    read(side.shortlist.click, bind(kept.press, workbench, desk), None, changed)
    for event in (naming.done.click, naming.field.submit):
        read(event, bind(kept.give_name, workbench, desk), [naming.asked, naming.field], changed)
    read(naming.cancel.click, kept.cancel, None, changed[2:])
    read(side.keep.click, bind(kept.keep, workbench, desk), [side.name], [side.shortlist])
    for event in (side.ask_why.click, side.why.submit):
        read(event, bind(handlers.why, workbench, desk), [side.why], [side.answer])


def _side(page: Page) -> _Side:
    """The model that was opened, right after the results where it was; then the shortlist, and adding to it."""
    with gr.Column(scale=1, min_width=330):
        with gr.Column(elem_classes="card tight", visible=False) as can_run:
            weights = gr.Dropdown(label="Quantization, run by llama-cpp", choices=[], elem_id="weights")
            with gr.Row(elem_classes="inline"):
                fetch = gr.Button("Download", elem_id="fetch", min_width=90)
                add = gr.Button("Add to shortlist", variant="primary", elem_id="add", min_width=120)
        note = panel("weights-note", clicks=True)
        part = _ModelPart(card=panel("model"), can_run=can_run, weights=weights, note=note)
        with gr.Column(elem_classes="card tight"):
            shortlist = panel("shortlist", clicks=True)
            naming = _naming()
            with gr.Row(elem_classes="inline"):
                name = gr.Textbox(label="Name of the shortlist", elem_id="shortlist-name", scale=3, min_width=120)
                keep = gr.Button("Keep", elem_id="keep-shortlist", scale=1, min_width=70)
            with gr.Row(elem_classes="inline"):
                why = gr.Textbox(
                    label="Why is a model not on it?", placeholder="owner/name", elem_id="why", scale=3, min_width=120
                )
                ask_why = gr.Button("Ask", elem_id="ask-why", scale=1, min_width=70)
            answer = panel("why-answer")
            with gr.Row(elem_classes="inline"):
                named = gr.Textbox(
                    label="Add a path, Hub id or address",
                    placeholder="model.gguf or owner/name",
                    elem_id="add-named",
                    scale=3,
                    min_width=120,
                )
                add_named = gr.Button("Add", elem_id="add-named-button", scale=1, min_width=70)
            build_endpoint_form(page, shortlist)
    return _Side(part, add, fetch, shortlist, naming, name, keep, why, ask_why, answer, named, add_named)


def _naming() -> _Naming:
    with gr.Column(visible=False, elem_id="naming") as row:
        field = gr.Textbox(label="New name", elem_id="new-shortlist-name")
        with gr.Row(elem_classes="inline"):
            done = gr.Button("Save the name", elem_id="save-shortlist-name", size="sm", min_width=110)
            cancel = gr.Button("Cancel", elem_id="cancel-shortlist-name", size="sm", min_width=70)
    return _Naming(row, field, done, cancel, gr.State(""))


def _catalog(page: Page) -> gr.Accordion:
    """The catalog as a whole, folded to the line that says how old it is."""
    workbench, desk = page.workbench, page.desk
    state = gr.Accordion("Catalog", open=False, elem_id="catalog", elem_classes="card")
    with state:
        # A column each: gradio stacks neighbouring fields of one row.
        with gr.Row(elem_classes="inline"):
            ask = gr.Button("Ask the Hub with these filters", elem_id="ask-hub", min_width=190)
            local = gr.Button("Models on this machine", elem_id="local-models", min_width=170)
        with gr.Row(elem_classes="inline"):
            with gr.Column(scale=2, min_width=130):
                task = gr.Dropdown(_TASKS, value=_TASKS[0], label="Task", elem_id="update-task")
            with gr.Column(scale=1, min_width=110):
                trending = gr.Number(
                    value=500, label="Most trending (0: all)", minimum=0, precision=0, elem_id="update-trending"
                )
            update = gr.Button("Update", elem_id="update-catalog", scale=1, min_width=130)
            with gr.Column(scale=1, min_width=90):
                by = gr.Dropdown(["model", "task", "family"], value="model", label="Rising by", elem_id="rising-by")
            rising = gr.Button("What is rising", elem_id="rising", scale=1, min_width=110)
        shown = panel("catalog-answer", clicks=True)
    slow(ask, bind(catalog.ask_hub, workbench, desk), None, [shown])
    slow(update, bind(catalog.update, workbench), [task, trending], [shown])
    slow(rising, bind(catalog.rising, workbench), [by], [shown])
    slow(local, bind(catalog.local_models, workbench), None, [shown])
    read(shown.click, bind(catalog.press, workbench), None, [shown])
    return state


def _profile() -> tuple[list[Block], gr.Accordion]:
    """What the user intends, asked once; folded to one line."""
    with gr.Accordion("Profile", open=False, elem_id="profile", elem_classes="card") as accordion, gr.Row():
        controls: list[Block] = [
            gr.Checkbox(label="Commercial use", elem_id="profile-commercial", elem_classes="align-end", min_width=130),
            gr.Checkbox(label="Based in the EU", elem_id="profile-eu", elem_classes="align-end", min_width=130),
            gr.Checkbox(label="Trains on outputs", elem_id="profile-trains", elem_classes="align-end", min_width=130),
            gr.Checkbox(
                label="Hosts or redistributes", elem_id="profile-hosts", elem_classes="align-end", min_width=150
            ),
            gr.Number(label="Users a month", precision=0, minimum=0, elem_id="profile-users", min_width=110),
            gr.Number(label="Revenue a year, US $", precision=0, minimum=0, elem_id="profile-revenue", min_width=130),
        ]
    return controls, accordion


def _filters(workbench: Workbench) -> tuple[list[Block], gr.Accordion, gr.Dropdown]:
    """Filters in the order of FilterValues, the folded ones, and the choice of quantization."""
    machines = [(entry.title, entry.name) for entry in workbench.models.machines()]
    with gr.Column(elem_classes="card tight filters"):
        with gr.Row():
            text = gr.Textbox(label="Name contains", placeholder="words", elem_id="filter-text", min_width=110, scale=2)
            verdicts = gr.CheckboxGroup(
                choices=list(view.ALL_VERDICTS),
                label="License verdict",
                elem_id="filter-verdicts",
                value=list(view.ALL_VERDICTS),
                min_width=330,
                scale=4,
            )
            task = gr.Dropdown(
                [filters.ANY, *_TASKS], value=filters.ANY, label="Task", elem_id="filter-task", min_width=110
            )
            formats = gr.Dropdown(_FORMATS, value=filters.ANY, label="Format", elem_id="filter-format", min_width=80)
            sort = gr.Dropdown(_SORTS, value="downloads", label="Sort by", elem_id="filter-sort", min_width=105)
        with gr.Row():
            low = gr.Number(label="Parameters from, B", minimum=0, elem_id="filter-min-parameters", min_width=110)
            high = gr.Number(label="to, B", minimum=0, elem_id="filter-max-parameters", min_width=70)
            context = gr.Number(label="Context from", minimum=0, precision=0, elem_id="filter-context", min_width=85)
            fits = gr.Checkbox(label="Fits", elem_id="filter-fits", elem_classes="align-end", min_width=75)
            machine = gr.Dropdown(
                [filters.THIS_MACHINE, *machines],
                value=filters.THIS_MACHINE,
                label="on machine",
                elem_id="fit-machine",
                allow_custom_value=True,
                elem_classes="own-words",
                min_width=110,
                scale=2,
            )
            quantization = gr.Dropdown(
                list(reversed(known_quantizations())),
                value=filters.USUAL["llama-cpp"],
                label="at quantization",
                elem_id="fit-quantization",
                min_width=110,
            )
            tokens = gr.Number(
                value=4096, label="with context", minimum=1, precision=0, elem_id="fit-context", min_width=90
            )
            at_once = gr.Number(
                value=1, label="at once", minimum=1, precision=0, elem_id="fit-concurrency", min_width=70
            )
        with gr.Accordion("More filters", open=False, elem_id="more-filters") as more, gr.Row():
            author = gr.Textbox(label="Owner", elem_id="filter-author", min_width=100)
            language = gr.Textbox(label="Language code", placeholder="de", elem_id="filter-language", min_width=90)
            gated = gr.Dropdown(
                [filters.ANY, "open", "gated"], value=filters.ANY, label="Access", elem_id="filter-gated", min_width=90
            )
            where = gr.Dropdown(
                [filters.ANY, "Hub", "this machine"],
                value=filters.ANY,
                label="Where",
                elem_id="filter-where",
                min_width=100,
            )
            extended = gr.Checkbox(
                label="Extended context counts", elem_id="filter-extended", elem_classes="align-end", min_width=170
            )
            engine = gr.Dropdown(
                ["llama-cpp", "vllm"], value="llama-cpp", label="Engine assumed", elem_id="fit-engine", min_width=110
            )
            cache = gr.Dropdown(
                ["f16", "q8_0", "q4_0", "fp8", "bf16", "f32"],
                value="f16",
                label="KV cache",
                elem_id="fit-cache",
                min_width=90,
            )
    controls: list[Block] = [
        *(text, verdicts, task, formats, sort, low, high, context, fits, machine, quantization, tokens, at_once),
        *(author, language, gated, where, extended, engine, cache),
    ]
    return controls, more, quantization
