"""Finds the JSON in an answer: models put it into prose and code fences. Judges nothing."""

import json
import re
from typing import NoReturn

_FENCE = re.compile(r"```[\w+-]*\s*\n?(.*?)```", re.DOTALL)
_STARTS = re.compile(r"[{\[]")

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None
"""A JSON value."""


def json_in(text: str, kinds: tuple[type, ...] = (dict, list)) -> Json:
    """The JSON object or list of an answer; None where there is no complete one.

    The whole answer, else what a code fence holds, else the longest piece of the text that is JSON: in front of it
    models repeat examples, behind it they explain.
    """
    for candidate in (text, *(match.group(1) for match in _FENCE.finditer(text))):
        value = parse_json(candidate)
        if isinstance(value, kinds):
            return value
    longest, found = 0, None
    for value, length in _pieces(text):
        if isinstance(value, kinds) and length > longest:
            longest, found = length, value
    return found


def parse_json(text: str) -> Json:
    """A text that is JSON as a whole; None where it is not."""
    try:
        value: Json = json.loads(text.strip(), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return value


def _pieces(text: str) -> list[tuple[Json, int]]:
    decoder = json.JSONDecoder(parse_constant=_refuse)
    pieces: list[tuple[Json, int]] = []
    place = 0
    while (start := _STARTS.search(text, place)) is not None:
        try:
            value, place = decoder.raw_decode(text, start.start())
        except RecursionError:
            # Nested deeper than Python can follow, and at every further bracket again.
            break
        except ValueError:
            place = start.end()
            continue
        pieces.append((value, place - start.start()))
    return pieces


def _refuse(name: str) -> NoReturn:
    """Python reads NaN and Infinity, which are no JSON."""
    raise ValueError(f"{name} is no JSON")
