"""Lays out the step Run and binds its handlers."""

import gradio as gr

from workbench.steps import render, run
from workbench.steps.wiring import Page, Refresh, Step, bind, cheap, edited, panel, read

_TICK_SECONDS = 1.0


def build_run(page: Page) -> Step:
    """The step with everything bound."""
    workbench, desk = page.workbench, page.desk
    with gr.Column(elem_classes="card tight"), gr.Row():
        with gr.Column(scale=3, min_width=300):
            candidates = gr.CheckboxGroup(choices=[], label="Candidates", elem_id="run-candidates")
            test_set = panel("run-test-set")
            notes = panel("run-notes")
        with gr.Column(scale=2, min_width=230):
            accuracy = gr.Checkbox(
                value=True, label="Accuracy", info="Every example, batched; gives no latency.", elem_id="run-accuracy"
            )
            with gr.Row(elem_classes="inline"):
                latency = gr.Checkbox(
                    value=True, label="Latency", info="One at a time, nothing cached.", elem_id="run-latency", scale=2
                )
                prompts = gr.Number(
                    value=30, minimum=1, precision=0, label="Prompts", elem_id="run-prompts", min_width=70, scale=1
                )
        with gr.Column(scale=2, min_width=180):
            name = gr.Textbox(label="Name of the benchmark", elem_id="run-name")
            start = gr.Button("Start", variant="primary", elem_id="run-start")
    live = panel("run-live", render.loading("Reading the runs …"), clicks=True)
    stored = panel("run-stored", clicks=True)
    asked = [name, candidates, accuracy, latency, prompts]
    read(start.click, bind(run.start, workbench, desk), asked, [live, name])
    shown = [candidates, accuracy, latency, prompts]
    read(edited(shown), bind(run.notes, workbench, desk), shown, [notes])
    for source in (live, stored):
        read(source.click, bind(run.press_in_runs, workbench), None, [live, page.benchmark, page.tabs])
    cheap(gr.Timer(_TICK_SECONDS).tick, bind(run.live, workbench), None, [live])
    return Step(
        opened=Refresh(bind(run.restore, workbench, desk), [], [candidates, test_set, notes, name, live, stored]),
        results=Refresh(bind(run.stored, workbench), [], [stored]),
    )
