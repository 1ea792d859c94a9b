"""The step Choose and the address: filters that differ from the usual ones, the order, and the model that is open.

A link holds no profile: who asks is nobody's business but theirs, and their own holds.
"""

import json
from typing import Any

import gradio as gr
from pydantic import ValidationError

from catalog.records import ModelQuery
from workbench.steps.choose.filters import SHOWN, FilterValues
from workbench.steps.desk import Draft

MODEL = "model"
"""Parameter of the open model."""
_USUAL = FilterValues.of(ModelQuery(limit=SHOWN))
_PARAMETERS = {
    "min_billions": "from",
    "max_billions": "to",
    "min_context": "context-from",
    "extended_context": "extended",
    "context": "with-context",
    "concurrency": "at-once",
    "cache_type": "cache",
}
"""Where a filter's name in the address is not its own."""


def parameter(field: str) -> str:
    """Name of a filter in the address."""
    return _PARAMETERS.get(field, field)


def written(draft: Draft) -> str:
    """What the address is to hold, as JSON: an empty value takes a parameter out of it."""
    values = FilterValues.of(draft.query)._asdict()
    usual = _USUAL._asdict()
    told = {parameter(name): "" if value == usual[name] else _text(value) for name, value in values.items()}
    return json.dumps({**told, MODEL: draft.model_id or ""})


def asked_query(request: gr.Request) -> ModelQuery | None:
    """The filters that an address holds; None where it holds none, or none that can be meant."""
    values, usual = _USUAL._asdict(), _USUAL._asdict()
    for name, before in usual.items():
        text = request.query_params.get(parameter(name))
        if text:
            values[name] = _value(name, str(text), before)
    if values == usual:
        return None
    try:
        return FilterValues(**values).query()
    except ValidationError:
        return None


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(value)
    if isinstance(value, bool):
        return "1" if value else "0"
    return f"{value:g}" if isinstance(value, float) else str(value or "")


def _value(name: str, text: str, usual: Any) -> Any:
    """What a control would hold; the usual where the text cannot be meant."""
    if name == "verdicts":
        return [part for part in text.split(",") if part in usual] or usual
    if isinstance(usual, bool):
        return text == "1"
    if name in {"min_billions", "max_billions", "min_context", "context", "concurrency"}:
        try:
            return float(text)
        except ValueError:
            return usual
    return text
