"""Lays out the step Recommend and binds its handlers."""

import gradio as gr
from gradio.blocks import Block

from workbench.steps import choose_view, recommend, render
from workbench.steps.wiring import Page, Refresh, Step, bind, edited, in_page, panel, read, slow

_FORMATS = (
    ("html", "Save HTML", "text/html"),
    ("md", "Markdown", "text/markdown"),
    ("json", "JSON", "application/json"),
)
_WEIGHTS = (
    ("quality", "Quality"),
    ("latency", "Latency"),
    ("memory", "Memory"),
    ("cost", "Cost (needs a price)"),
    ("throughput", "Throughput"),
)


def build_recommend(page: Page) -> Step:
    """The step with everything bound."""
    workbench = page.workbench
    with gr.Row(elem_classes="split"):
        with gr.Column(scale=2, min_width=270, elem_classes="requirements"):
            picker = gr.Dropdown(label="Benchmark", choices=[], elem_id="recommend-benchmark", visible=False)
            with gr.Column(visible=False) as controls:
                values = _requirements()
                reports = _report_buttons()
        with gr.Column(scale=5, min_width=460):
            ranking = panel("ranking", render.loading("Ranking the candidates …"))
    text, file_name = gr.Textbox(visible=False), gr.Textbox(visible=False)
    shown = [page.benchmark, controls, *values, ranking]
    opened = Refresh(bind(recommend.restore, workbench), [page.benchmark], [picker, *shown])
    read(picker.input, bind(recommend.pick, workbench), [picker], shown)
    in_page(picker.change, "(name) => { window.workbench.address('benchmark', name); return name; }", [picker], None)
    asked = [picker, *values]
    read(edited(values), bind(recommend.rank, workbench), asked, [ranking])
    for button, ending, mime, verb in reports:
        written = slow(button, bind(recommend.write_report, workbench, ending), asked, [text, file_name])
        script = (
            f"(text, name) => window.workbench.show('{mime}', text)"
            if verb == "open"
            else f"(text, name) => window.workbench.download(name, '{mime}', text)"
        )
        in_page(written.success, script, [text, file_name])
    return Step(opened=opened, results=Refresh(bind(recommend.rank, workbench), asked, [ranking]))


def _requirements() -> list[Block]:
    """Limits and weights, in the order of RequirementValues."""
    with gr.Column(elem_classes="card tight"):
        panel("limits-head", render.heading("Hard limits", "empty means none"))
        verdicts = gr.CheckboxGroup(list(choose_view.ALL_VERDICTS), label="License verdict", elem_id="limit-verdicts")
        with gr.Row(elem_classes="inline"):
            quality = gr.Number(label="Quality from", minimum=0, elem_id="limit-quality", min_width=100)
            decode = gr.Number(label="Tokens/s from", minimum=0, elem_id="limit-decode", min_width=100)
        with gr.Row(elem_classes="inline"):
            ttft = gr.Number(label="TTFT p95 up to, s", minimum=0, elem_id="limit-ttft", min_width=100)
            e2e = gr.Number(label="E2E p95 up to, s", minimum=0, elem_id="limit-e2e", min_width=100)
        with gr.Row(elem_classes="inline"):
            memory = gr.Number(label="Memory up to, GiB", minimum=0, elem_id="limit-memory", min_width=100)
            load = gr.Number(label="Load up to, s", minimum=0, elem_id="limit-load", min_width=100)
        with gr.Row(elem_classes="inline"):
            context = gr.Number(label="Context from, tokens", minimum=0, elem_id="limit-context", min_width=100)
            most = gr.Number(label="Cost of 1,000 up to", minimum=0, elem_id="limit-cost", min_width=100)
        price = gr.Number(label="Price of this machine, an hour", minimum=0, elem_id="price-machine", min_width=100)
    with gr.Column(elem_classes="card tight"):
        panel("weights-head", render.heading("Weights", "only proportions count"))
        weights = [gr.Slider(0, 1, step=0.05, label=label, elem_id=f"weight-{name}") for name, label in _WEIGHTS]
    return [verdicts, quality, ttft, e2e, decode, memory, load, context, price, most, *weights]


def _report_buttons() -> list[tuple[gr.Button, str, str, str]]:
    """A button for every format, and one that opens the HTML report."""
    with gr.Column(elem_classes="card tight"):
        panel("report-head", render.heading("Report", "under these requirements"))
        opener = gr.Button("Open the report", variant="primary", elem_id="report-open", size="md")
        with gr.Row(elem_classes="inline"):
            buttons = [
                (gr.Button(label, elem_id=f"report-{ending}", min_width=60, size="sm"), ending, mime, "save")
                for ending, label, mime in _FORMATS
            ]
    return [(opener, "html", "text/html", "open"), *buttons]
