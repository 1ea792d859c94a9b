"""Lays out the step Head-to-head and binds its handlers."""

import gradio as gr

from workbench.steps import head_to_head, head_to_head_view
from workbench.steps.wiring import Page, Refresh, Step, bind, cheap, panel, read

_TICK_SECONDS = 0.5


def build_head_to_head(page: Page) -> Step:
    """The step with everything bound."""
    workbench, desk = page.workbench, page.desk
    with gr.Row(elem_classes="card tight"):
        with gr.Column(scale=3, min_width=320):
            prompt = gr.Textbox(label="Prompt", lines=3, max_lines=10, elem_id="h2h-prompt")
            system = gr.Textbox(label="System prompt", lines=1, max_lines=5, elem_id="h2h-system")
        with gr.Column(scale=2, min_width=280):
            chosen = gr.CheckboxGroup(choices=[], label="Candidates, two to four", elem_id="h2h-candidates")
            with gr.Row(elem_classes="inline"):
                temperature = gr.Number(
                    value=0,
                    minimum=0,
                    maximum=5,
                    step=0.1,
                    label="Temperature",
                    elem_id="h2h-temperature",
                    min_width=70,
                )
                tokens = gr.Number(
                    value=128, minimum=1, precision=0, label="Most tokens", elem_id="h2h-tokens", min_width=70
                )
                blind = gr.Checkbox(
                    value=True, label="Hide names", elem_id="h2h-blind", elem_classes="align-end", min_width=110
                )
            send = gr.Button("Ask", variant="primary", elem_id="h2h-ask", min_width=80)
    answers = panel("h2h-answers", head_to_head_view.no_answers())
    with gr.Column(visible=False, elem_classes="card tight") as voting:
        pair = gr.Radio(choices=[], label="Judge the pair", elem_id="h2h-pair", visible=False)
        with gr.Row(elem_classes="inline"):
            buttons = [
                (outcome, gr.Button(label, elem_id=f"vote-{outcome}", min_width=90))
                for outcome, label in (
                    ("left", "Left is better"),
                    ("tie", "Tie"),
                    ("both_bad", "Both are bad"),
                    ("right", "Right is better"),
                )
            ]
    with gr.Column(elem_classes="card tight"):
        standing = panel("h2h-standing")
    tick = gr.Timer(_TICK_SECONDS, active=False)
    watched = [answers, voting, pair, tick]
    asked = [chosen, prompt, system, temperature, tokens, blind]
    read(send.click, bind(head_to_head.ask, workbench, desk), asked, watched)
    cheap(tick.tick, bind(head_to_head.watch, workbench, desk), None, watched)
    for outcome, button in buttons:
        cast = bind(head_to_head.vote, workbench, desk, outcome)
        read(button.click, cast, [pair], [answers, voting, standing])
    restore = bind(head_to_head.restore, workbench, desk)
    return Step(opened=Refresh(restore, [chosen], [chosen, *watched, standing]))
