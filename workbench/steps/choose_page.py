"""Lays out the step Choose and binds its handlers."""

from typing import NamedTuple

import gradio as gr
from gradio.blocks import Block

from workbench.steps import choose, choose_view, render
from workbench.steps.wiring import Page, Refresh, Step, bind, edited, panel, read

_SORTS = [
    ("downloads", "downloads"),
    ("likes", "likes"),
    ("trending", "trending"),
    ("newest", "released"),
    ("parameters", "parameters"),
    ("context", "context"),
    ("name", "name"),
]
_TASKS = [choose.ANY, "text-generation", "image-text-to-text", "any-to-any", "text-classification"]
_FORMATS = [choose.ANY, "gguf", "safetensors"]


class _ModelPart(NamedTuple):
    card: gr.HTML
    can_run: gr.Row
    weights: gr.Dropdown
    note: gr.HTML


def build_choose(page: Page) -> Step:
    """The step with everything bound."""
    workbench, desk = page.workbench, page.desk
    profile, accordion = _profile()
    filters = _filters()
    with gr.Row(elem_classes="split"):
        with gr.Column(scale=5, min_width=520):
            results = panel("models", render.loading("Searching the catalog …"), clicks=True)
            excluded = panel("excluded-models", clicks=True)
        with gr.Column(scale=3, min_width=330):
            with gr.Column(elem_classes="card tight"):
                shortlist = panel("shortlist", clicks=True)
                with gr.Row(elem_classes="inline"):
                    name = gr.Textbox(label="Name of the shortlist", elem_id="shortlist-name", scale=3, min_width=120)
                    keep = gr.Button("Keep", elem_id="keep-shortlist", scale=1, min_width=70)
                with gr.Row(elem_classes="inline"):
                    path = gr.Textbox(
                        label="Local GGUF file",
                        placeholder="/path/to/model.gguf",
                        elem_id="local-path",
                        scale=3,
                        min_width=120,
                    )
                    add_path = gr.Button("Add", elem_id="add-local", scale=1, min_width=70)
            with gr.Row(elem_classes="inline", visible=False) as can_run:
                weights = gr.Dropdown(label="Weights on this machine", elem_id="weights", scale=3, min_width=150)
                add = gr.Button("Add to shortlist", variant="primary", elem_id="add", scale=2, min_width=120)
            note = panel("weights-note")
            part = _ModelPart(card=panel("model"), can_run=can_run, weights=weights, note=note)
    controls = [*profile, *filters]
    search = bind(choose.search, workbench, desk)
    read(edited(controls), search, controls, [accordion, results])
    press = bind(choose.press_in_results, workbench, desk)
    for source in (results, excluded):
        read(source.click, press, None, [excluded, *part])
    read(add.click, bind(choose.add_to_shortlist, workbench, desk), [weights], [shortlist])
    for event in (add_path.click, path.submit):
        read(event, bind(choose.add_path, workbench, desk), [path], [path, *part, shortlist])
    read(shortlist.click, bind(choose.press_in_shortlist, workbench, desk), None, [shortlist])
    read(keep.click, bind(choose.save_shortlist, workbench, desk), [name], [shortlist])
    outputs: list[Block] = [*controls, accordion, results, *part, name, shortlist]
    return Step(opened=Refresh(bind(choose.restore, workbench, desk), [], outputs))


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


def _filters() -> list[Block]:
    """Filters in two rows, in the order of FilterValues."""
    with gr.Column(elem_classes="card tight filters"):
        with gr.Row():
            text = gr.Textbox(label="Name contains", placeholder="words", elem_id="filter-text", min_width=110, scale=2)
            verdicts = gr.CheckboxGroup(
                choices=list(choose_view.ALL_VERDICTS),
                label="License verdict",
                elem_id="filter-verdicts",
                min_width=330,
                scale=4,
            )
            task = gr.Dropdown(_TASKS, label="Task", elem_id="filter-task", min_width=110)
            formats = gr.Dropdown(_FORMATS, label="Format", elem_id="filter-format", min_width=80)
            sort = gr.Dropdown(_SORTS, label="Sort by", elem_id="filter-sort", min_width=105)
        with gr.Row():
            low = gr.Number(label="Parameters from, B", minimum=0, elem_id="filter-min-parameters", min_width=110)
            high = gr.Number(label="to, B", minimum=0, elem_id="filter-max-parameters", min_width=70)
            context = gr.Number(
                label="Context from, tokens", minimum=0, precision=0, elem_id="filter-context", min_width=120
            )
            fits = gr.Checkbox(
                label="Fits this machine", elem_id="filter-fits", elem_classes="align-end", min_width=130
            )
            quantization = gr.Dropdown(
                list(choose.QUANTIZATIONS), label="at quantization", elem_id="fit-quantization", min_width=110
            )
            tokens = gr.Number(label="with context", minimum=1, precision=0, elem_id="fit-context", min_width=90)
            at_once = gr.Number(label="at once", minimum=1, precision=0, elem_id="fit-concurrency", min_width=70)
    return [text, verdicts, task, formats, sort, low, high, context, fits, quantization, tokens, at_once]
