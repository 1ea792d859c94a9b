"""The address carries what is selected: a reload, the back button and a link in another browser show the same view.

How a step uses it:

- Each step has parameter names of its own (`model`, `benchmark`, `example` …); `step` is the frame's.
- What is chosen by a button in our HTML gets `data_address="example"` beside its `data_value`: its click is written
  into the address, as a place that the back button returns to.
- The step's opened handler takes `request: gr.Request` and reads with `asked` or `asked_several`, which give only what
  exists. It runs when the step is opened, on a reload, and when back or forward leads to another view of it.
- Scripts: `workbench.address(name, value)` writes in place, `workbench.visit(name, value)` makes a place to go back to.

Nothing secret and nothing long goes there. What is asked for and does not exist is left out, never an error.
"""

from collections.abc import Iterable

import gradio as gr

_SEPARATOR = ","


def asked(request: gr.Request, name: str, existing: Iterable[str] | None = None) -> str | None:
    """The value of one parameter; None where there is none, or none of those that exist."""
    value = request.query_params.get(name) or None
    return value if value is None or existing is None or value in set(existing) else None


def asked_several(request: gr.Request, name: str, existing: Iterable[str] | None = None) -> list[str]:
    """The values of a parameter that holds several; those that exist, in the order of the address."""
    allowed = None if existing is None else set(existing)
    parts = str(request.query_params.get(name) or "").split(_SEPARATOR)
    return [part for part in parts if part and (allowed is None or part in allowed)]
