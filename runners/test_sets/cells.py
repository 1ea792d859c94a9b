"""Turns the values that files hold into texts and lists, by rules that docs/test-sets.md states."""

import ast
import datetime
import json
import math
from collections.abc import Callable
from typing import Any

Cell = object
"""A value as a file gives it: text, number, truth value, date, list, mapping, or None."""

CONVERSIONS = {
    "null": "missing values are read as empty",
    "truth": "truth values are written `true` and `false`",
    "whole": "whole numbers with a decimal point are written without it",
    "date": "dates are written as 2026-01-31, times as 2026-01-31T09:30:00",
    "nested": "nested values are written as JSON",
    "bytes": "bytes are read as UTF-8",
}
"""What may happen to a value that is no text → the sentence that says so."""


def text_of(value: Cell) -> str:
    """A value as text. Raises ValueError for bytes that are no text."""
    if isinstance(value, str):
        return value
    write = next((write for kind, write in _WRITERS if isinstance(value, kind)), str)
    return write(value)


def conversion_of(value: Cell) -> str | None:
    """Which of CONVERSIONS a value meets; None for texts and plain numbers."""
    if isinstance(value, str):
        return None
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "null"
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "truth"),
        ((datetime.date, datetime.time), "date"),
        (bytes, "bytes"),
        ((list, tuple, dict), "nested"),
    )
    found = next((name for kind, name in kinds if isinstance(value, kind)), None)
    if found is None and isinstance(value, float) and value.is_integer():
        return "whole"
    return found


def list_of(value: Cell, separator: str | None = None) -> list[Cell] | None:
    """A list out of a value: a list, a JSON list in text, a Python list in text, or texts between separators.

    None where it is one plain value. A mapping counts through its list of texts, as Hugging Face writes answers and
    choices: `{"text": ["a", "b"], …}`.
    """
    if isinstance(value, dict):
        texts = value.get("text", value.get("texts"))
        return list(texts) if isinstance(texts, list | tuple) else None
    if isinstance(value, list | tuple):
        return list(value)
    if not isinstance(value, str):
        return None
    stripped = value.strip()
    if stripped.startswith(("[", "{")):
        for parse in _PARSERS:
            try:
                found = parse(stripped)
            except (ValueError, SyntaxError, MemoryError, RecursionError):
                continue
            if isinstance(found, list | dict):
                return list_of(found)
    if separator is not None and separator in stripped:
        return [part.strip() for part in stripped.split(separator)]
    return None


def is_empty(value: Cell) -> bool:
    """Whether nothing stands there, or blanks alone."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or (isinstance(value, float) and math.isnan(value))


_PARSERS: tuple[Callable[[str], object], ...] = (json.loads, ast.literal_eval)


def _number(value: float) -> str:
    if math.isnan(value):
        return ""
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)


def _time(value: datetime.datetime) -> str:
    midnight = value.time() == datetime.time() and value.tzinfo is None
    return value.date().isoformat() if midnight else value.isoformat()


_WRITERS: tuple[tuple[type | tuple[type, ...], Callable[[Any], str]], ...] = (
    (type(None), lambda _: ""),
    (bool, lambda value: "true" if value else "false"),
    (float, _number),
    (datetime.datetime, _time),
    ((datetime.date, datetime.time), lambda value: value.isoformat()),
    (bytes, lambda value: value.decode("utf-8")),
    ((list, tuple, dict), lambda value: json.dumps(_plain(value), ensure_ascii=False)),
)
"""Kind of value → how it is written; the first that fits."""


def _plain(value: Cell) -> object:
    """Lists and mappings with texts where JSON has no value of that kind."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    if isinstance(value, str | int | float) or value is None:
        return value
    return text_of(value)
