"""Lays out the step Test set and binds its handlers."""

from typing import NamedTuple

import gradio as gr
from gradio.blocks import Block

from runners.test_sets.sources import ENDINGS
from workbench.steps import render
from workbench.steps.test_set import handlers, presses, prompts
from workbench.steps.wiring import Page, Refresh, Step, bind, edited, in_order, in_page, panel, read, slow

_LISTEN = "window.workbench.testSet(element, trigger);"
"""Script of a panel whose buttons and fields are heard (assets/test_set.js)."""


class _Top(NamedTuple):
    upload: gr.UploadButton
    demo: gr.Button
    task: gr.Dropdown
    opener: gr.Dropdown
    name: gr.Textbox
    labels: gr.Textbox
    start: gr.Button


class _Prompt(NamedTuple):
    """Controls of the prompt, those that the handlers fill first, in their order."""

    which: gr.Radio
    name: gr.Textbox
    system: gr.Textbox
    user: gr.Textbox
    prefix: gr.Textbox
    candidate: gr.Dropdown
    example: gr.Dropdown
    how_many: gr.Number
    choice: gr.Dropdown
    shown_examples: gr.HTML
    made: gr.HTML
    add: gr.Button
    remove: gr.Button
    upload: gr.UploadButton
    without: gr.Button
    button: gr.Button
    shown: gr.HTML

    @property
    def filled(self) -> list[Block]:
        """What the handlers fill."""
        return list(self[: prompts.OUTPUTS])


def build_test_set(page: Page) -> Step:
    """The step with everything bound."""
    workbench, desk = page.workbench, page.desk
    top = _top()
    head = _listening("ts-head")
    with gr.Column(elem_classes="ts-part ts-overview"):
        with gr.Row(visible=False, elem_classes="card tight") as mapping:
            columns = [
                gr.Dropdown(label=words, multiselect=key in handlers.LISTS, elem_id=f"column-{key}", min_width=150)
                for key, words, _ in handlers.COLUMNS
            ]
        labels = gr.Textbox(label="Labels, in the order shown to the model", elem_id="labels", visible=False)
        overview = _listening("ts-overview", render.loading("Reading the test set …"))
    with gr.Column(elem_classes="ts-part ts-examples"):
        examples = _listening("ts-examples")
    with gr.Column(elem_classes="ts-part ts-prompt"):
        prompt = _prompt()
    with gr.Column(elem_classes="ts-part ts-scoring"):
        scorers = _listening("ts-scorers")
    with gr.Column(elem_classes="ts-part ts-versions"):
        versions = _listening("ts-versions")
    outputs: list[Block] = [
        top.task,
        top.opener,
        mapping,
        *columns,
        labels,
        head,
        overview,
        examples,
        versions,
        scorers,
    ]
    outputs += prompt.filled
    _bind_top(page, top, outputs)
    read(edited(*columns), bind(handlers.map_columns, workbench, desk), columns, outputs)
    read(labels.blur, bind(handlers.say_labels, workbench, desk), [labels], [head, overview, examples])
    press = bind(presses.press, workbench, desk)
    for place in (head, overview, examples, versions, scorers):
        in_order(place.click, press, "test-set", None, outputs)
    _bind_export(page, versions)
    _bind_prompt(page, prompt)
    return Step(opened=Refresh(bind(handlers.restore, workbench, desk), [], outputs))


def _listening(elem_id: str, value: str = "") -> gr.HTML:
    return gr.HTML(value, elem_id=elem_id, elem_classes=["panel"], apply_default_css=False, js_on_load=_LISTEN)


def _top() -> _Top:
    with gr.Row(elem_classes="toolbar"):
        opener = gr.Dropdown(label="Open a kept test set", elem_id="open-kept", scale=0, min_width=200, visible=False)
        upload = gr.UploadButton(
            "Upload a file",
            file_types=list(ENDINGS),
            type="filepath",
            variant="primary",
            elem_id="upload",
            scale=0,
            min_width=150,
        )
        demo = gr.Button("Use the demo's test set", elem_id="take-demo", scale=0, min_width=190)
        task = gr.Dropdown(
            list(handlers.TASKS), value="classification", label="Task", elem_id="task", scale=0, min_width=300
        )
    with (
        gr.Accordion("Start empty and label by hand", open=False, elem_id="start-empty"),
        gr.Row(elem_classes="inline"),
    ):
        name = gr.Textbox(label="Name of the new test set", elem_id="new-name", placeholder="support-2026", scale=1)
        labels = gr.Textbox(
            label="Its labels (classification), parted by commas", elem_id="new-labels", placeholder="a, b, c", scale=2
        )
        start = gr.Button("Start", elem_id="start-set", scale=0, min_width=100)
    return _Top(upload, demo, task, opener, name, labels, start)


def _bind_top(page: Page, top: _Top, outputs: list[Block]) -> None:
    workbench, desk = page.workbench, page.desk
    read(top.demo.click, bind(handlers.take_demo, workbench, desk), None, outputs)
    read(top.upload.upload, bind(handlers.take_upload, workbench, desk), [top.upload], outputs)
    read(edited(top.task), bind(handlers.choose_task, workbench, desk), [top.task], outputs)
    read(edited(top.opener), bind(handlers.open_kept, workbench, desk), [top.opener], outputs)
    read(top.start.click, bind(handlers.start_empty, workbench, desk), [top.name, top.labels], outputs)


def _bind_export(page: Page, versions: gr.HTML) -> None:
    name, mime, text = (gr.Textbox(visible=False) for _ in range(3))
    written = read(versions.click, bind(presses.export, page.workbench), None, [name, mime, text])
    script = "(name, mime, text) => window.workbench.download(name, mime, text)"
    in_page(written.success, script, [name, mime, text])


def _bind_prompt(page: Page, prompt: _Prompt) -> None:
    workbench, desk = page.workbench, page.desk
    texts = [prompt.system, prompt.user, prompt.prefix]
    typed = [prompt.which, *texts, prompt.example]
    read(edited(*texts), bind(prompts.keep_prompt, workbench, desk), typed, [prompt.made])
    read(edited(prompt.example), bind(prompts.keep_prompt, workbench, desk), typed, [prompt.made])
    read(prompt.which.input, bind(prompts.choose, workbench, desk), [prompt.which], prompt.filled)
    read(prompt.add.click, bind(prompts.add, workbench, desk), [prompt.which], prompt.filled)
    read(prompt.remove.click, bind(prompts.remove, workbench, desk), [prompt.which], prompt.filled)
    read(prompt.name.submit, bind(prompts.rename, workbench, desk), [prompt.which, prompt.name], prompt.filled)
    uploads = workbench.settings.home / "test_sets"
    show = bind(prompts.show_examples, workbench, desk, uploads)
    read(prompt.upload.upload, show, [prompt.upload], prompt.filled)
    read(prompt.without.click, bind(prompts.show_examples, workbench, desk, uploads, None), None, prompt.filled)
    chosen = [prompt.how_many, prompt.choice]
    read(edited(*chosen), bind(prompts.choose_examples, desk), chosen)
    slow(prompt.button, bind(prompts.preview, workbench, desk), [*typed, prompt.candidate], [prompt.shown])


def _prompt() -> _Prompt:
    """The template on the left, what becomes of it on the right."""
    with gr.Row(elem_classes="split"):
        with gr.Column(elem_classes="card tight", min_width=320):
            panel("prompt-head", render.heading("Prompt template", "Jinja over the columns and labels"))
            with gr.Row(elem_classes="inline"):
                which = gr.Radio(label="Prompt", choices=[prompts.ONLY], value=prompts.ONLY, elem_id="prompt-which")
                name = gr.Textbox(label="Its name (Enter)", elem_id="prompt-name", min_width=110, visible=False)
            with gr.Row(elem_classes="inline"):
                add = gr.Button("Compare with another prompt", elem_id="prompt-add", size="sm", min_width=190)
                remove = gr.Button("Remove this prompt", elem_id="prompt-remove", size="sm", min_width=130)
            system = gr.Textbox(label="System message", lines=3, max_lines=8, elem_id="prompt-system")
            user = gr.Textbox(label="User message", lines=3, max_lines=12, elem_id="prompt-user")
            prefix = gr.Textbox(label="The answer begins with", lines=1, elem_id="prompt-prefix")
            made = panel("prompt-made")
        with gr.Column(elem_classes="card tight", min_width=320):
            with gr.Row(elem_classes="inline"):
                candidate = gr.Dropdown(label="Candidate", elem_id="preview-candidate", min_width=150, scale=3)
                example = gr.Dropdown(label="Example", elem_id="preview-example", min_width=90, scale=1)
                button = gr.Button("Preview", elem_id="preview", min_width=80, scale=1)
            shown = panel("prompt-preview", prompts.EMPTY_PREVIEW)
            panel("few-shot-head", render.heading("Examples shown in the prompt", "few-shot"))
            note = panel("few-shot-note")
            with gr.Row(elem_classes="inline"):
                upload = gr.UploadButton(
                    "Upload examples to show", file_types=list(ENDINGS), type="filepath", size="sm", elem_id="few-shot"
                )
                without = gr.Button("Show none", size="sm", elem_id="few-shot-none")
            with gr.Row(elem_classes="inline"):
                count = gr.Number(
                    label="How many (empty: all)",
                    minimum=0,
                    precision=0,
                    value=None,
                    elem_id="few-shot-count",
                    visible=False,
                )
                choice = gr.Dropdown(
                    list(prompts.CHOICES), value="first", label="Which", elem_id="few-shot-choice", visible=False
                )
    filled = (which, name, system, user, prefix, candidate, example, count, choice, note, made)
    return _Prompt(*filled, add, remove, upload, without, button, shown)
