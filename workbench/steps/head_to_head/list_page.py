"""Lays out lists of prompts: a new one, all of them, and the pair that is judged."""

from typing import NamedTuple

import gradio as gr
from gradio.blocks import Block

from workbench.steps.head_to_head import list_handlers
from workbench.steps.head_to_head.ask_page import SHOWN, Asking, build_remarks
from workbench.steps.head_to_head.examples import EVERY
from workbench.steps.head_to_head.list_handlers import ALL_PAIRS, EXAMPLES, FILE, LINES, ONE_PAIR
from workbench.steps.wiring import Page, bind, cheap, in_order, in_page, panel, read, slow

_TICK_SECONDS = 1.0


class Lists(NamedTuple):
    """What the other parts need of this one."""

    outputs: list[Block]
    """What list_handlers.restore fills."""
    leaving: Block
    """Says what leaves this machine."""


def build_lists(page: Page, asking: Asking) -> Lists:
    """The part with everything bound. The form of `asking` says who answers and how."""
    workbench, desk = page.workbench, page.desk
    batch, pair = gr.State(None), gr.State(None)
    judged = panel("h2h-list", clicks=True)
    with gr.Row(visible=False, elem_classes="card tight inline", elem_id="list-remarks") as remarks:
        reasons, note = build_remarks("list")
    table = panel("h2h-lists", clicks=True)
    with gr.Accordion("New list", open=True, elem_id="h2h-new-list"):
        leaving = panel("list-leaving")
        lacking = panel("list-lacking")
        source, which, start = _build_source()
    tick = gr.Timer(_TICK_SECONDS, active=False)
    shown = [batch, pair, table, judged, remarks, tick]
    slow(start, bind(list_handlers.start, workbench, desk), [*source, *asking.form], shown)
    cheap(tick.tick, bind(list_handlers.watch, workbench), [batch, pair], shown)
    press = bind(list_handlers.press, workbench)
    done = in_order(judged.click, press, "judge", [batch, pair, reasons, note], [*shown, reasons, note])
    in_page(done.success, SHOWN)
    opened = read(table.click, bind(list_handlers.press_in_table, workbench), None, shown)
    in_page(opened.success, SHOWN)
    return Lists([which, asking.lacking, lacking, *shown], leaving)


def _build_source() -> tuple[list[Block], Block, gr.Button]:
    """Where the prompts come from, in the order of list_handlers.Source."""
    gr.HTML(
        "<p class='quiet'>Candidates, temperature, most tokens and system prompt are those of the part Ask.</p>",
        apply_default_css=False,
    )
    with gr.Row(elem_classes="inline"):
        name = gr.Textbox(label="Name of the list", lines=1, elem_id="list-name", min_width=160)
        kind = gr.Radio(choices=[LINES, FILE, EXAMPLES], value=LINES, label="Prompts from", elem_id="list-kind")
        pairing = gr.Dropdown(
            choices=[ONE_PAIR, ALL_PAIRS],
            value=ONE_PAIR,
            label="Of three or four, judge",
            elem_id="list-pairing",
            min_width=150,
        )
        checks = gr.Number(
            value=0,
            minimum=0,
            maximum=50,
            precision=0,
            label="Hidden checks, %",
            info="Prompts that one candidate answers twice",
            elem_id="list-checks",
            min_width=110,
        )
    lines = gr.Textbox(label="Prompts, one a line", lines=5, max_lines=14, elem_id="list-lines")
    file = gr.File(
        label="Text with one prompt a line, or CSV with a column prompt",
        file_types=[".txt", ".csv", ".md"],
        type="filepath",
        visible=False,
        elem_id="list-file",
    )
    with gr.Row(elem_classes="inline", visible=False) as drawing:
        count = gr.Number(value=20, minimum=1, precision=0, label="Examples", elem_id="list-count", min_width=90)
        which = gr.Dropdown(choices=[EVERY], value=EVERY, label="Drawn from", elem_id="list-slice", min_width=160)
        seed = gr.Number(value=0, precision=0, label="Seed", elem_id="list-seed", min_width=90)
    start = gr.Button("Answer the list", variant="primary", elem_id="list-start", min_width=140)
    cheap(kind.change, _show_source, [kind], [lines, file, drawing])
    return [name, kind, lines, file, count, which, seed, pairing, checks], which, start


def _show_source(kind: str) -> tuple[gr.Textbox, gr.File, gr.Row]:
    return gr.Textbox(visible=kind == LINES), gr.File(visible=kind == FILE), gr.Row(visible=kind == EXAMPLES)
