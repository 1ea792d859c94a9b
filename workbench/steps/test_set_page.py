"""Lays out the step Test set and binds its handlers."""

from typing import NamedTuple

import gradio as gr
from gradio.blocks import Block

from runners.test_sets.sources import ENDINGS
from workbench.steps import render, test_set
from workbench.steps.wiring import Page, Refresh, Step, bind, edited, panel, read, slow


class _Prompt(NamedTuple):
    system: gr.Textbox
    user: gr.Textbox
    prefix: gr.Textbox
    candidate: gr.Dropdown
    example: gr.Dropdown
    button: gr.Button
    shown: gr.HTML


def build_test_set(page: Page) -> Step:
    """The step with everything bound."""
    workbench, desk = page.workbench, page.desk
    with gr.Row(elem_classes="toolbar"):
        upload = gr.UploadButton(
            "Upload a file",
            file_types=list(ENDINGS),
            type="filepath",
            variant="primary",
            elem_id="upload",
            scale=0,
            min_width=200,
        )
        take_demo = gr.Button("Use the demo's test set", elem_id="take-demo", scale=0, min_width=200)
        task = gr.Dropdown(
            list(test_set.TASKS), value="classification", label="Task", elem_id="task", scale=0, min_width=320
        )
    with gr.Row(visible=False, elem_classes="card tight") as mapping:
        columns: list[Block] = [
            gr.Dropdown(label="Text column", elem_id="column-text", min_width=110),
            gr.Dropdown(label="Right answer column", elem_id="column-label", min_width=110),
            gr.Dropdown(label="Id column", elem_id="column-id", min_width=100),
            gr.Dropdown(label="Slice columns", multiselect=True, elem_id="column-slices", min_width=180, scale=2),
            gr.Textbox(label="Labels, in the order shown to the model", elem_id="labels", min_width=240, scale=3),
        ]
    overview = panel("test-set-overview", render.loading("Reading the test set …"))
    prompt = _prompt()
    outputs: list[Block] = [task, mapping, *columns, overview, *prompt[:5]]
    restore = bind(test_set.restore, workbench, desk)
    read(take_demo.click, bind(test_set.take_demo, workbench, desk), None, outputs)
    read(upload.upload, bind(test_set.take_upload, workbench, desk), [upload], outputs)
    read(task.input, bind(test_set.choose_task, workbench, desk), [task], outputs)
    remap = bind(test_set.map_columns, workbench, desk)
    read(edited(columns[:4]), remap, columns, [overview, prompt.candidate, prompt.example])
    labels = columns[4]
    read(labels.blur, remap, columns, [overview, prompt.candidate, prompt.example])  # type: ignore[attr-defined]
    texts = [prompt.system, prompt.user, prompt.prefix]
    read(edited(texts), bind(test_set.keep_prompt, desk), texts)
    show = bind(test_set.preview, workbench, desk)
    asked = [*texts, prompt.candidate, prompt.example]
    slow(prompt.button, show, asked, [prompt.shown])
    for picker in (prompt.candidate, prompt.example):
        read(picker.input, show, asked, [prompt.shown])
    return Step(opened=Refresh(restore, [], outputs))


def _prompt() -> _Prompt:
    """The template on the left, what a model receives of it on the right."""
    with gr.Row(elem_classes="split"):
        with gr.Column(elem_classes="card tight", min_width=320):
            panel("prompt-head", render.heading("Prompt template", "Jinja over the columns and labels"))
            system = gr.Textbox(label="System message", lines=3, max_lines=8, elem_id="prompt-system")
            user = gr.Textbox(label="User message", lines=3, max_lines=12, elem_id="prompt-user")
            prefix = gr.Textbox(label="The answer begins with", lines=1, elem_id="prompt-prefix")
        with gr.Column(elem_classes="card tight", min_width=320):
            with gr.Row(elem_classes="inline"):
                candidate = gr.Dropdown(label="Candidate", elem_id="preview-candidate", min_width=150, scale=3)
                example = gr.Dropdown(label="Example", elem_id="preview-example", min_width=90, scale=1)
                button = gr.Button("Preview", elem_id="preview", min_width=80, scale=1)
            shown = panel("prompt-preview", test_set.EMPTY_PREVIEW)
    return _Prompt(system, user, prefix, candidate, example, button, shown)
