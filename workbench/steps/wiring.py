"""Binds handlers to gradio's events: in one place, how errors are shown and which events are cheap.

A handler is a plain function of the service (or what else it is given first) and the values of components. gradio
looks at annotations to find `gr.EventData` and `gr.Request`, which functools.partial hides; `bind` keeps them visible.
"""

import functools
import inspect
import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import gradio as gr
from gradio.blocks import Block
from gradio.events import Dependency

from catalog.errors import WorkbenchError
from workbench import sentences
from workbench.sentences import shown_error
from workbench.service import Workbench
from workbench.steps.desk import Desk

Handler = Callable[..., Any]
Event = Callable[..., Dependency]
Blocks = Sequence[Block] | Block | None

_QUIET: dict[str, Any] = {"show_progress": "hidden", "show_progress_on": [], "api_visibility": "private"}
"""No sign of progress, on nothing: else the page of gradio looks through every output, and all that lies in it, to tell
it about an event's progress, each time; that alone is 0.1 to 0.3 s for an event that fills a step.
"""

FORWARD_CLICKS = """
element.addEventListener('click', (event) => {
  const source = event.target.closest('[data-action]');
  if (source && source.tagName !== 'FORM') {
    const of = source.closest('[data-of]')?.dataset.of;
    trigger('click', {action: source.dataset.action, value: source.dataset.value, of});
  }
});
element.addEventListener('submit', (event) => {
  event.preventDefault();
  const fields = JSON.stringify(Object.fromEntries(new FormData(event.target)));
  trigger('click', {action: event.target.dataset.action, value: fields});
});
"""
"""Script of an HTML component whose buttons (render.action) are to be heard; a form's value is its fields as JSON.

What the buttons belong to, where that changes below them, is said by `data-of` around them.
"""


def bind(handler: Handler, *first: Any) -> Handler:
    """The handler with its first arguments given; expected errors become sentences in the page."""
    partial = functools.partial(handler, *first)
    signature = inspect.signature(handler)
    left = list(signature.parameters.values())[len(first) :]

    @functools.wraps(handler)
    def call(*values: Any) -> Any:
        try:
            return partial(*values)
        except WorkbenchError as error:
            raise shown_error(error) from error

    call.__signature__ = signature.replace(parameters=left)  # type: ignore[attr-defined]
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in left}
    return call


def asked_step(request: gr.Request) -> str:
    """The step that the address names."""
    return str(request.query_params.get("step") or sentences.STEPS[0][0])


def where_open(step: str, handler: Handler) -> Handler:
    """The bound handler, only on pages whose address names this step; others read it when they open it."""
    wants_request = gr.Request in inspect.get_annotations(handler).values()

    def call(request: gr.Request, *values: Any) -> Any:
        if asked_step(request) != step:
            return gr.skip()
        return handler(*values, request) if wants_request else handler(*values)

    return call


def cheap(event: Event, handler: Handler, inputs: Blocks = None, outputs: Blocks = None, **more: Any) -> Dependency:
    """A look into memory that cannot fail, often: no queue. gradio shows no error of such an event."""
    return event(handler, inputs, outputs, queue=False, **_QUIET, **more)


def read(event: Event, handler: Handler, inputs: Blocks = None, outputs: Blocks = None, **more: Any) -> Dependency:
    """A quick read or note that may fail: queued, so that its error is shown."""
    return event(handler, inputs, outputs, **_QUIET, concurrency_limit=None, **more)


def in_order(event: Event, handler: Handler, queue: str, inputs: Blocks = None, outputs: Blocks = None) -> Dependency:
    """Presses of a person in a hurry: none is left out while another is handled, and none overtakes another.

    `queue` names what is handled one after the other. gradio's own way drops a press until the one before is drawn.
    """
    return event(
        handler,
        inputs,
        outputs,
        trigger_mode="multiple",
        concurrency_limit=1,
        concurrency_id=queue,
        **_QUIET,
    )


def slow(button: gr.Button, handler: Handler, inputs: Blocks = None, outputs: Blocks = None) -> Dependency:
    """What takes seconds: the button says that it is at work, and cannot be pressed again until it is done.

    gradio's own sign of progress stays on the outputs as the word "Error" when a handler refuses, so it is not used.
    """
    busy = cheap(button.click, functools.partial(gr.Button, "Working …", interactive=False), None, [button])
    done = read(busy.then, handler, inputs, outputs)
    for over in (done.success, done.failure):  # gradio runs `then` only after a success here
        cheap(over, functools.partial(gr.Button, button.value, interactive=True), None, [button])
    return done


def edited(*controls: Block) -> Event:
    """The event of a person's edit of any of the controls; of edits in quick succession the last one counts.

    What gradio reports besides is no edit, and the handler is not called: text boxes report pasted text only as a
    change, which also comes while the page is drawn and the step filled; drop-down lists report a choice twice, and
    that they were left.
    """
    triggers = [
        control.change if isinstance(control, gr.Textbox) else control.input  # type: ignore[attr-defined]
        for control in controls
    ]

    def event(handler: Handler, inputs: Blocks = None, outputs: Blocks = None, **more: Any) -> Dependency:
        script = f"(...values) => window.workbench.edit({next(_EDITS)}, values)"
        bound: Dependency = gr.on(triggers, handler, inputs, outputs, js=script, trigger_mode="always_last", **more)
        return bound

    return event


_EDITS = itertools.count()
"""Numbers of what is bound to edits."""


def in_page(event: Event, script: str, inputs: Blocks = None, outputs: Blocks = None) -> Dependency:
    """Runs in the page alone."""
    return event(None, inputs, outputs, js=script, queue=False, **_QUIET)


def clicked(event: gr.EventData) -> tuple[str, str]:
    """Action and value of a click that FORWARD_CLICKS forwarded."""
    return str(getattr(event, "action", "")), str(getattr(event, "value", "") or "")


def clicked_of(event: gr.EventData) -> str:
    """What the clicked button belonged to when it was pressed; empty where its panel does not say."""
    return str(getattr(event, "of", "") or "")


class Page(NamedTuple):
    """What every step is built with."""

    workbench: Workbench
    """The service."""
    desk: Desk
    """Choices that are not stored yet."""
    tabs: gr.Tabs
    """The steps; an output for going to another one."""
    benchmark: gr.State
    """Name of the benchmark that this page compares and recommends from; None takes the newest that has answers."""


class Refresh(NamedTuple):
    """How a step is brought up to date."""

    handler: Handler
    """Bound handler; may take the values of inputs and a gr.Request."""
    inputs: Sequence[Block]
    """What it is given."""
    outputs: Sequence[Block]
    """What it fills."""


class Step(NamedTuple):
    """What the shell needs to know of a step."""

    opened: Refresh
    """When it is opened."""
    results: Refresh | None = None
    """When stored results have changed."""


def panel(elem_id: str, value: str = "", *, clicks: bool = False) -> gr.HTML:
    """A place for our own HTML; with clicks, its buttons trigger the component's click event."""
    return gr.HTML(
        value,
        elem_id=elem_id,
        elem_classes=["panel"],
        apply_default_css=False,
        js_on_load=FORWARD_CLICKS if clicks else None,
    )
