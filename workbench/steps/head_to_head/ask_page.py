"""Lays out free prompts: what is asked of whom, the answers, the vote."""

from typing import NamedTuple

import gradio as gr
from gradio.blocks import Block

from results.head_to_head_records import REASONS
from workbench.head_to_head.records import MOST
from workbench.steps.head_to_head import handlers, view
from workbench.steps.head_to_head.form import AT_ONCE, IN_TURN
from workbench.steps.wiring import Page, bind, cheap, edited, in_page, panel, read, where_open

_TICK_SECONDS = 0.5
_LOOK_SECONDS = 5.0
SHOWN = "() => window.workbench.headToHead.shown()"
"""Writes what is shown into the address."""


class Asking(NamedTuple):
    """What the other parts need of this one."""

    form: list[Block]
    """Controls that say who answers and how, in the order of form.Form."""
    outputs: list[Block]
    """What handlers.restore fills."""
    shown: list[Block]
    """What handlers.shown fills."""
    leaving: Block
    """Says what leaves this machine."""
    lacking: Block
    """Says what examples are asked without."""


class _Places(NamedTuple):
    """Where a round is shown."""

    outputs: list[Block]
    """What handlers.shown fills."""
    panel: gr.HTML
    remarks: list[Block]
    tick: gr.Timer


def build_asking(page: Page) -> Asking:
    """The part with everything bound."""
    workbench, desk = page.workbench, page.desk
    shown_round = gr.State(None)
    with gr.Row(elem_classes="card tight split", elem_id="h2h-form"):
        with gr.Column(scale=3, min_width=320):
            prompt = gr.Textbox(label="Prompt", lines=4, max_lines=12, elem_id="h2h-prompt")
            with gr.Row(elem_classes="inline"):
                example = gr.Dropdown(choices=[], value=None, label="Example of the test set", elem_id="h2h-example")
                draw = gr.Button("Random example", elem_id="h2h-random", scale=0, min_width=150)
            lacking = panel("h2h-lacking")
            with gr.Row(elem_classes="inline"):
                ask = gr.Button("Ask", variant="primary", elem_id="h2h-ask", min_width=90, scale=0)
                follow = gr.Button("Follow up", elem_id="h2h-follow", min_width=90, scale=0, interactive=False)
                again = gr.Button("Ask again", elem_id="h2h-again", min_width=90, scale=0, interactive=False)
                stop = gr.Button("Stop", variant="stop", elem_id="h2h-stop", min_width=90, scale=0, visible=False)
        with gr.Column(scale=2, min_width=300):
            form = _build_form()
            leaving = panel("h2h-leaving")
            room = panel("h2h-room", clicks=True)
    places = _build_places(shown_round, (stop, follow, again))
    save_form = _build_saving(page)
    asked = [shown_round, prompt, *form]
    for button, handler in ((ask, handlers.ask), (follow, handlers.follow_up)):
        done = read(button.click, bind(handler, workbench, desk), asked, places.outputs)
        in_page(done.success, SHOWN)
    read(again.click, bind(handlers.retry, workbench), [shown_round, *form], places.outputs)
    read(stop.click, bind(handlers.stop, workbench), [shown_round], places.outputs)
    watched = cheap(places.tick.tick, bind(handlers.shown, workbench), [shown_round], places.outputs)
    looking = [shown_round, form[0]]
    look = bind(handlers.room, workbench, desk)
    cheap(watched.then, look, looking, [room])
    pressed = bind(handlers.press, workbench)
    read(places.panel.click, pressed, [shown_round, *places.remarks], [*places.outputs, *places.remarks, *save_form])
    read(room.click, bind(handlers.unload, workbench, desk), looking, [room])
    read(form[0].change, look, looking, [room])  # type: ignore[attr-defined]
    cheap(gr.Timer(_LOOK_SECONDS).tick, where_open("head-to-head", look), looking, [room])
    read(edited(*form), bind(handlers.remember, desk), form, None)
    read(example.focus, bind(handlers.examples, workbench, desk), None, [example])
    filled = [prompt, form[1]]
    read(edited(example), bind(handlers.pick, workbench, desk), [example], filled)
    read(draw.click, bind(handlers.draw, workbench, desk), None, filled)
    return Asking(form, [*form, prompt, room, *places.outputs], places.outputs, leaving, lacking)


def _build_form() -> list[Block]:
    """Who answers and how, in the order of form.Form."""
    chosen = gr.CheckboxGroup(choices=[], label="Candidates, two to four, or one twice", elem_id="h2h-candidates")
    with gr.Row(elem_classes="inline"):
        temperature = _temperature("Temperature", "h2h-temperature")
        tokens = gr.Number(value=256, minimum=1, precision=0, label="Most tokens", elem_id="h2h-tokens", min_width=80)
        writes = gr.Dropdown(
            choices=[AT_ONCE, IN_TURN], value=AT_ONCE, label="They write", elem_id="h2h-writes", min_width=140
        )
    blind = gr.Checkbox(value=True, label="Hide names and speed until the vote", elem_id="h2h-blind")
    with gr.Accordion("System prompt and settings apart", open=False, elem_id="h2h-more"):
        system = gr.Textbox(label="System prompt", lines=2, max_lines=6, elem_id="h2h-system")
        apart = gr.Checkbox(value=False, label="Each candidate its own", elem_id="h2h-apart")
        own: list[Block] = []
        with gr.Column(visible=False, elem_id="h2h-own") as places:
            for number in range(1, MOST + 1):
                with gr.Row(elem_classes="inline"):
                    own.append(
                        gr.Textbox(label=f"System prompt of candidate {number}", lines=1, max_lines=4, min_width=180)
                    )
                    own.append(_temperature(f"Temperature of {number}", None))
    cheap(apart.change, _show, [apart], [places])
    return [chosen, system, temperature, tokens, blind, writes, apart, *own]


def _show(apart: bool) -> gr.Column:
    return gr.Column(visible=bool(apart))


def _temperature(label: str, elem_id: str | None) -> gr.Number:
    return gr.Number(value=0, minimum=0, maximum=5, step=0.1, label=label, elem_id=elem_id, min_width=80, scale=0)


def _build_places(shown_round: gr.State, buttons: tuple[gr.Button, ...]) -> _Places:
    answers = panel("h2h-answers", view.no_answers(), clicks=True)
    with gr.Row(visible=False, elem_classes="card tight inline", elem_id="h2h-remarks") as remarks:
        reasons, note = build_remarks("h2h")
    tick = gr.Timer(_TICK_SECONDS, active=False)
    outputs: list[Block] = [shown_round, answers, remarks, *buttons, tick]
    return _Places(outputs, answers, [reasons, note], tick)


def build_remarks(prefix: str) -> tuple[Block, Block]:
    """What a vote can carry beside its outcome."""
    reasons = gr.CheckboxGroup(choices=list(REASONS), label="Reasons, if any", elem_id=f"{prefix}-reasons", scale=3)
    note = gr.Textbox(label="Note", lines=1, max_lines=3, elem_id=f"{prefix}-note", scale=2, min_width=160)
    return reasons, note


def _build_saving(page: Page) -> list[Block]:
    """The form of an example that is to be kept; hidden until an answer is chosen."""
    said = panel("h2h-saved")
    with gr.Column(visible=False, elem_classes="card tight", elem_id="h2h-saving") as saving:
        text = gr.Textbox(label="Prompt of the example", lines=2, max_lines=8, elem_id="h2h-save-prompt")
        target = gr.Textbox(label="Right answer", lines=2, max_lines=8, elem_id="h2h-save-target")
        save = gr.Button("Add to the test set", variant="primary", elem_id="h2h-save", min_width=140)
    read(save.click, bind(handlers.save_example, page.workbench, page.desk), [text, target], [said, saving])
    return [saving, text, target]
