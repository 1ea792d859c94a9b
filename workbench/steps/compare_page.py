"""Lays out the step Compare and binds its handlers."""

import gradio as gr

from workbench.steps import compare, render
from workbench.steps.wiring import Page, Refresh, Step, bind, in_page, panel, read, slow

_REMEMBER = "(name) => { window.workbench.address('benchmark', name); return name; }"
_SAVE_SUMMARY = "(text) => window.workbench.download('summary.csv', 'text/csv', text)"
_SAVE_EXAMPLES = "(text) => window.workbench.download('examples.csv', 'text/csv', text)"


def build_compare(page: Page) -> Step:
    """The step with everything bound."""
    workbench = page.workbench
    with gr.Row(elem_classes="toolbar"):
        picker = gr.Dropdown(
            label="Benchmark", choices=[], elem_id="compare-benchmark", visible=False, scale=0, min_width=260
        )
        save = gr.Button(
            "Summary as CSV",
            elem_id="export-summary",
            elem_classes="far",
            visible=False,
            scale=0,
            min_width=150,
            size="sm",
        )
    summary = panel("compare-summary", render.loading("Reading the results …"))
    with gr.Column(visible=False) as views:
        charts = panel("compare-charts", render.loading("Drawing the charts …"))
        with gr.Row(elem_classes="toolbar"):
            candidate = gr.Dropdown(label="In detail", choices=[], elem_id="compare-candidate", scale=0, min_width=260)
        details = panel("compare-details")
        with gr.Row(elem_classes="toolbar"):
            only = gr.Radio(compare.FILTERS, value="all", label="Examples", elem_id="examples-filter", scale=3)
            save_examples = gr.Button("Examples as CSV", elem_id="export-examples", scale=0, min_width=150, size="sm")
        examples = panel("examples", clicks=True)
        offset = gr.State(0)
        text = gr.Textbox(visible=False)
    shown = [views, save, summary, candidate, offset, examples]
    restore = bind(compare.restore, workbench)
    opened = Refresh(restore, [page.benchmark, candidate], [page.benchmark, picker, *shown])
    read(picker.input, bind(compare.pick, workbench), [picker], [page.benchmark, *shown])
    draw = bind(compare.draw, workbench)
    read(summary.change, draw, [page.benchmark, candidate], [charts, details])
    in_page(picker.change, _REMEMBER, [picker], None)
    read(candidate.input, bind(compare.show_candidate, workbench), [picker, candidate], [details])
    read(only.input, bind(compare.filter_examples, workbench), [picker, only], [offset, examples])
    read(examples.click, bind(compare.turn_page, workbench), [picker, only, offset], [offset, examples])
    exported = slow(save, bind(compare.export_summary, workbench), [picker], [text])
    in_page(exported.success, _SAVE_SUMMARY, [text])
    exported = slow(save_examples, bind(compare.export_examples, workbench), [picker, only], [text])
    in_page(exported.success, _SAVE_EXAMPLES, [text])
    return Step(opened=opened, results=opened)
