"""Lays out the step Head-to-head: free prompts, lists of prompts, the standing; and binds them together."""

import gradio as gr

from workbench.steps.head_to_head import handlers, list_handlers, standing_handlers
from workbench.steps.head_to_head.ask_page import SHOWN, build_asking
from workbench.steps.head_to_head.leaving import leaving as say_what_leaves
from workbench.steps.head_to_head.list_page import build_lists
from workbench.steps.head_to_head.standing_page import build_standing
from workbench.steps.wiring import Page, Refresh, Step, bind, cheap, in_page, read

_REMEMBER = "(part) => window.workbench.address('votes', part === 'Standing' ? 'all' : '')"


def build_head_to_head(page: Page) -> Step:
    """The step with everything bound."""
    workbench, desk = page.workbench, page.desk
    part = gr.Radio(
        choices=list(handlers.PARTS), value=handlers.PARTS[0], label="Part", show_label=False, elem_id="h2h-part"
    )
    with gr.Column() as first:
        asking = build_asking(page)
    with gr.Column(visible=False) as second:
        lists = build_lists(page, asking)
    with gr.Column(visible=False) as third:
        votes = build_standing(page)
    parts = [part, first, second, third]
    chosen, leaving = asking.form[0], [asking.leaving, lists.leaving]
    read(chosen.change, bind(say_what_leaves, workbench, desk), [chosen], leaving)  # type: ignore[attr-defined]
    cheap(part.input, handlers.show_part, [part], parts)
    in_page(part.input, _REMEMBER, [part])
    read(part.input, bind(standing_handlers.look, workbench), [votes.batch, votes.part], votes.outputs)
    opened = bind(handlers.open_round, workbench, desk)
    done = read(votes.history.click, opened, None, [*asking.shown, *parts])
    in_page(done.success, SHOWN)

    def restore(request: gr.Request) -> tuple[object, ...]:
        return (
            *handlers.restore(workbench, desk, request),
            *list_handlers.restore(workbench, desk, request),
            *standing_handlers.restore(workbench, request),
            *handlers.part_of(request),
        )

    outputs = [*asking.outputs, *leaving, *lists.outputs, *votes.outputs, *parts]
    return Step(opened=Refresh(bind(restore), [], outputs))
