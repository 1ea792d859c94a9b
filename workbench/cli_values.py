"""Reads values as people type them on the command line: 8B parameters, 32k tokens, a list of verdicts, a date."""

import datetime
import re

import typer

from catalog.records import VerdictValue

_NUMBER = re.compile(r"^\s*(\d+(?:[.,]\d+)?)\s*([kKmMbBgGtT]?)\s*$")
_SCALES = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9, "g": 10**9, "t": 10**12}


def parameters(text: str) -> int:
    """`8B`, `135M`, `1.5b` or a plain number."""
    return _number(text, thousand=1000, what="a number of parameters such as 8B or 135M")


def tokens(text: str | int) -> int:
    """`32k` (1,024 each, as context lengths are counted), or a plain number."""
    return _number(str(text), thousand=1024, what="a number of tokens such as 4096 or 32k")


def verdicts(text: str) -> tuple[VerdictValue, ...]:
    """One or several verdicts, separated by commas."""
    known = [value.value for value in VerdictValue]
    chosen = [part.strip().lower() for part in text.split(",") if part.strip()]
    unknown = [part for part in chosen if part not in known]
    if unknown or not chosen:
        raise typer.BadParameter(f"{text!r} is not among: {', '.join(known)} (several with commas).")
    return tuple(VerdictValue(part) for part in chosen)


def date(text: str) -> str:
    """`2026-01-31`."""
    try:
        return datetime.date.fromisoformat(text.strip()).isoformat()
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a date such as 2026-01-31.") from error


def _number(text: str, *, thousand: int, what: str) -> int:
    match = _NUMBER.match(text)
    if match is None:
        raise typer.BadParameter(f"{text!r} is not {what}.")
    scale = thousand if match[2].lower() == "k" else _SCALES[match[2].lower()]
    return round(float(match[1].replace(",", ".")) * scale)
