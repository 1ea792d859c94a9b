"""Binds handlers to gradio's events: in one place, how errors are shown and which events are cheap.

A handler is a plain function of the service (or what else it is given first) and the values of components. gradio
looks at annotations to find `gr.EventData` and `gr.Request`, which functools.partial hides; `bind` keeps them visible.
"""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import gradio as gr
from gradio.blocks import Block
from gradio.events import Dependency

from catalog.errors import WorkbenchError
from workbench.sentences import shown_error
from workbench.service import Workbench
from workbench.steps.desk import Desk

Handler = Callable[..., Any]
Event = Callable[..., Dependency]
Blocks = Sequence[Block] | Block | None

FORWARD_CLICKS = """
element.addEventListener('click', (event) => {
  const source = event.target.closest('[data-action]');
  if (source) trigger('click', {action: source.dataset.action, value: source.dataset.value});
});
"""
"""Script of an HTML component whose buttons (render.action) are to be heard."""


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


def where_open(step: str, handler: Handler) -> Handler:
    """The bound handler, only on pages whose address names this step; others read it when they open it."""
    wants_request = gr.Request in inspect.get_annotations(handler).values()

    def call(request: gr.Request, *values: Any) -> Any:
        if request.query_params.get("step") != step:
            return gr.skip()
        return handler(*values, request) if wants_request else handler(*values)

    return call


def cheap(event: Event, handler: Handler, inputs: Blocks = None, outputs: Blocks = None, **more: Any) -> Dependency:
    """A look into memory that cannot fail, often: no queue. gradio shows no error of such an event."""
    return event(handler, inputs, outputs, queue=False, show_progress="hidden", api_visibility="private", **more)


def read(event: Event, handler: Handler, inputs: Blocks = None, outputs: Blocks = None, **more: Any) -> Dependency:
    """A quick read or note that may fail: queued, so that its error is shown."""
    return event(
        handler, inputs, outputs, show_progress="hidden", api_visibility="private", concurrency_limit=None, **more
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


def edited(controls: Sequence[Block]) -> Event:
    """The event of a person's edit of any of the controls; of edits in quick succession the last one counts.

    Text boxes report pasted text only as a change, which also comes from a handler.
    """
    triggers = [
        control.change if isinstance(control, gr.Textbox) else control.input  # type: ignore[attr-defined]
        for control in controls
    ]
    return functools.partial(gr.on, triggers, trigger_mode="always_last")


def in_page(event: Event, script: str, inputs: Blocks = None, outputs: Blocks = None) -> Dependency:
    """Runs in the page alone."""
    return event(None, inputs, outputs, js=script, queue=False, show_progress="hidden", api_visibility="private")


def clicked(event: gr.EventData) -> tuple[str, str]:
    """Action and value of a click that FORWARD_CLICKS forwarded."""
    return str(getattr(event, "action", "")), str(getattr(event, "value", "") or "")


class Page(NamedTuple):
    """What every step is built with."""

    workbench: Workbench
    """The service."""
    desk: Desk
    """Choices that are not stored yet."""
    tabs: gr.Tabs
    """The steps; an output for going to another one."""
    benchmark: gr.State
    """Name of the benchmark that this page compares and recommends from; None takes the newest."""


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


def panel(elem_id: str, value: str = "", *, clicks: bool = False, classes: str = "", visible: bool = True) -> gr.HTML:
    """A place for our own HTML; with clicks, its buttons trigger the component's click event."""
    return gr.HTML(
        value,
        elem_id=elem_id,
        elem_classes=["panel", *classes.split()],
        apply_default_css=False,
        js_on_load=FORWARD_CLICKS if clicks else None,
        visible=visible,
    )
