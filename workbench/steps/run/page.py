"""Lays out the step Run and binds its handlers."""

from typing import NamedTuple

import gradio as gr
from gradio.components import Component

from workbench.steps import render
from workbench.steps.run import handlers, stored
from workbench.steps.run.choices import CONTROLS
from workbench.steps.run.form import build_settings, build_workloads
from workbench.steps.wiring import Page, Refresh, Step, bind, cheap, edited, in_page, panel, read, slow

_TICK_SECONDS = 1.0
_REMEMBER = "(name) => window.workbench.address('runs', name)"
_SAVE = "(name, text) => window.workbench.download(name, 'application/yaml', text)"


class _Form(NamedTuple):
    """What is chosen before a run."""

    name: gr.Textbox
    start: gr.Button
    export: gr.Button
    upload: gr.UploadButton
    candidates: gr.CheckboxGroup
    test_set: gr.HTML
    controls: list[Component]
    prompt_name: gr.Textbox
    add_prompt: gr.Button
    prompts: gr.HTML
    forecast: gr.HTML

    @property
    def asked(self) -> list[Component]:
        """What handlers are given."""
        return [self.name, self.candidates, *self.controls]

    @property
    def filled(self) -> list[Component]:
        """What `handlers.form` fills."""
        return [self.name, self.candidates, self.test_set, *self.controls, self.prompts, self.forecast]


class _Opened(NamedTuple):
    """One stored benchmark, opened."""

    name: gr.Textbox
    place: gr.Column
    runs: gr.HTML
    to: gr.Textbox
    typed: gr.Textbox
    rename: gr.Button
    delete: gr.Button


def build_run(page: Page) -> Step:
    """The step with everything bound."""
    form = _build_form()
    live = [panel("run-live", render.loading("Reading the runs …"), clicks=True), panel("run-ticking")]
    live.append(panel("run-failures"))
    opened = _build_opened()
    listed = panel("run-stored", clicks=True)
    archived = gr.Checkbox(value=False, label="Show archived benchmarks", elem_id="run-archived")
    _bind_form(page, form, live)
    workbench, desk = page.workbench, page.desk
    for source in (live[0], listed, opened.runs):
        read(source.click, bind(handlers.press_in_runs, workbench), None, live)
    cheap(gr.Timer(_TICK_SECONDS).tick, bind(handlers.live, workbench), None, live)
    shown = [listed, *opened[:5]]
    changed = [
        read(listed.click, bind(stored.press_in_list, workbench), None, shown[1:]),
        read(opened.runs.click, bind(stored.press_in_opened, workbench, desk), [archived], [*shown, *form.filled]),
        read(opened.rename.click, bind(stored.rename, workbench), [opened.name, opened.to, archived], shown),
        read(opened.delete.click, bind(stored.delete, workbench), [opened.name, opened.typed, archived], shown),
    ]
    for each in changed:
        in_page(each.success, _REMEMBER, [opened.name])
    read(archived.input, bind(stored.listed, workbench), [archived], [listed])
    of_page = [archived, opened.name]
    return Step(
        opened=Refresh(bind(stored.open_step, workbench, desk), of_page, [*form.filled, *live, *shown]),
        results=Refresh(bind(stored.restore, workbench), of_page, shown),
    )


def _build_form() -> _Form:
    with gr.Column(elem_classes="card tight", elem_id="run-form"):
        with gr.Row(elem_classes="toolbar"):
            name = gr.Textbox(label="Name of the benchmark", elem_id="run-name", max_lines=1, scale=2)
            start = gr.Button("Start", variant="primary", elem_id="run-start", scale=0, min_width=120)
            export = gr.Button("Save as a file", elem_id="run-export", size="sm", scale=0, min_width=120)
            upload = gr.UploadButton(
                "Open a file …",
                file_types=[".yaml", ".yml"],
                elem_id="run-upload",
                size="sm",
                scale=0,
                min_width=120,
            )
        with gr.Row():
            with gr.Column(scale=3, min_width=280):
                candidates = gr.CheckboxGroup(choices=[], label="Candidates", elem_id="run-candidates")
                test_set = panel("run-test-set")
            with gr.Column(scale=5, min_width=420, elem_id="run-workloads"):
                controls = build_workloads()
        with gr.Accordion("More settings", open=False, elem_id="run-more"):
            controls |= build_settings()
            with gr.Row(elem_classes="settings"):
                prompt_name = gr.Textbox(
                    label="Compare prompts",
                    info="Keeps the prompt of the step Test set under a name; every candidate is measured with each.",
                    placeholder="short",
                    elem_id="run-prompt-name",
                    max_lines=1,
                    min_width=260,
                )
                add_prompt = gr.Button("Add this prompt", elem_id="run-add-prompt", size="sm", scale=0, min_width=140)
                prompts = panel("run-prompts", clicks=True)
    forecast = panel("run-forecast", render.loading("Predicting time and memory …"))
    chosen = [controls[each] for each in CONTROLS]
    return _Form(name, start, export, upload, candidates, test_set, chosen, prompt_name, add_prompt, prompts, forecast)


def _build_opened() -> _Opened:
    name = gr.Textbox(visible=False)
    with gr.Column(visible=False, elem_id="run-opened", elem_classes="card tight") as place:
        runs = panel("run-opened-runs", clicks=True)
        with gr.Row(elem_classes="toolbar"):
            to = gr.Textbox(label="New name", elem_id="run-rename-to", max_lines=1, min_width=200)
            rename = gr.Button("Rename", elem_id="run-rename", size="sm", scale=0, min_width=100)
            typed = gr.Textbox(
                label="To delete it, type its name", elem_id="run-delete-name", max_lines=1, min_width=200
            )
            delete = gr.Button("Delete", variant="stop", elem_id="run-delete", size="sm", scale=0, min_width=100)
    return _Opened(name, place, runs, to, typed, rename, delete)


def _bind_form(page: Page, form: _Form, live: list[gr.HTML]) -> None:
    workbench, desk = page.workbench, page.desk
    asked = form.asked
    file_name, text = gr.Textbox(visible=False), gr.Textbox(visible=False)
    read(edited(*asked), bind(handlers.edit, workbench, desk), asked, [form.forecast])
    read(form.start.click, bind(handlers.start, workbench, desk), asked, [*live, form.name])
    saved = slow(form.export, bind(handlers.export, workbench, desk), asked, [file_name, text])
    in_page(saved.success, _SAVE, [file_name, text])
    read(form.upload.upload, bind(handlers.take_upload, workbench, desk), [form.upload], form.filled)
    prompts = [form.prompts, form.forecast]
    add = bind(handlers.add_prompt, workbench, desk)
    read(form.add_prompt.click, add, [form.prompt_name], [form.prompt_name, *prompts])
    read(form.prompts.click, bind(handlers.remove_prompt, workbench, desk), None, prompts)
