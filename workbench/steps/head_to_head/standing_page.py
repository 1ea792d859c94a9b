"""Lays out the standing of votes and the rounds that were asked before."""

from typing import NamedTuple

import gradio as gr

from workbench.steps.head_to_head import standing_handlers
from workbench.steps.wiring import Page, bind, edited, in_page, panel, read, slow

_REMEMBER = """(batch, part) => {
  window.workbench.address('votes', batch);
  window.workbench.address('votes-slice', part === 'all' ? '' : part);
}"""
_SAVE = "(text) => window.workbench.download('votes.csv', 'text/csv', text)"


class StandingPart(NamedTuple):
    """What the step needs to know of it."""

    batch: gr.Dropdown
    part: gr.Dropdown
    standing: gr.HTML
    history: gr.HTML

    @property
    def outputs(self) -> tuple[gr.Dropdown, gr.Dropdown, gr.HTML, gr.HTML]:
        """What standing_handlers.look fills."""
        return self.batch, self.part, self.standing, self.history


def build_standing(page: Page) -> StandingPart:
    """Controls, the standing and the history, bound."""
    with gr.Column(elem_classes="card tight"):
        with gr.Row(elem_classes="inline"):
            batch = gr.Dropdown(choices=[], label="Votes of", elem_id="votes-batch", min_width=220, scale=2)
            part = gr.Dropdown(choices=[], label="On prompts of", elem_id="votes-slice", min_width=160, scale=1)
            save = gr.Button("Votes as CSV", elem_id="export-votes", size="sm", scale=0, min_width=130)
        standing = panel("h2h-standing")
        text = gr.Textbox(visible=False)
    with gr.Column(elem_classes="card tight"):
        history = panel("h2h-history", clicks=True)
    found = StandingPart(batch, part, standing, history)
    for control in (batch, part):
        look = bind(standing_handlers.look, page.workbench)
        done = read(edited(control), look, [batch, part], found.outputs)
        in_page(done.success, _REMEMBER, [batch, part])
    exported = slow(save, bind(standing_handlers.export, page.workbench), [batch], [text])
    in_page(exported.success, _SAVE, [text])
    return found
