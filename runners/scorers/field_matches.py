"""Compares two JSON records field by field, each field as its right value looks.

A field is a value that is neither object nor list, named by its path. null, an empty text, an empty list and an empty
object are no field: a record that leaves them out says the same. Items of a list are matched in any order, each once;
objects in a list are paired by how many of their fields agree, the best pair first.
"""

import datetime
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from runners.scorers.dates import read_date
from runners.scorers.json_answer import Json
from runners.scorers.normalisation import fold
from runners.scorers.numbers import agree, number_of

FieldType = Literal["text", "exact", "number", "date"]


class Matches(NamedTuple):
    """Fields counted."""

    true: int = 0
    """In both records with the same value."""
    predicted: int = 0
    """In the answer."""
    expected: int = 0
    """In the right record."""

    @property
    def f1(self) -> float:
        """F1 = 2·true ÷ (predicted + expected); 1 where neither record has a field."""
        both = self.predicted + self.expected
        return 2 * self.true / both if both else 1.0


class Rules(NamedTuple):
    """How values are compared."""

    types: Mapping[str, FieldType]
    """By path; list items have the path of their list."""
    day_first: bool
    absolute: float
    relative: float


def compare(said: Json, right: Json, rules: Rules, path: str = "") -> Matches:
    """Count the fields of two values and those that agree."""
    if isinstance(said, dict) and isinstance(right, dict):
        parts = [
            compare(said.get(name), right.get(name), rules, f"{path}.{name}" if path else name)
            for name in {**right, **said}
        ]
        return _total(parts)
    if isinstance(said, list) and isinstance(right, list):
        return _compare_lists(said, right, rules, path)
    true = _is_field(said) and _is_field(right) and _same(said, right, rules, path)
    return Matches(int(true), fields(said), fields(right))


def fields(value: Json) -> int:
    """How many fields a value has."""
    if isinstance(value, dict):
        return sum(map(fields, value.values()))
    if isinstance(value, list):
        return sum(map(fields, value))
    return int(_is_field(value))


def _is_field(value: Json) -> bool:
    if isinstance(value, dict | list) or value is None:
        return False
    return not isinstance(value, str) or bool(value.strip())


def _compare_lists(said: Sequence[Json], right: Sequence[Json], rules: Rules, path: str) -> Matches:
    found = {(i, j): compare(one, other, rules, path) for i, one in enumerate(said) for j, other in enumerate(right)}
    # Stable order: among equally good pairs the earliest, so that the same records always give the same counts.
    best_first = sorted(found, key=lambda pair: (-found[pair].f1, -found[pair].true, pair))
    free_said, free_right = set(range(len(said))), set(range(len(right)))
    parts = []
    for i, j in best_first:
        if found[i, j].true and i in free_said and j in free_right:
            free_said.remove(i)
            free_right.remove(j)
            parts.append(found[i, j])
    parts += [Matches(predicted=fields(said[i])) for i in free_said]
    parts += [Matches(expected=fields(right[j])) for j in free_right]
    return _total(parts)


def _total(parts: Sequence[Matches]) -> Matches:
    return Matches(*(sum(column) for column in zip(*parts, strict=True))) if parts else Matches()


def _same(said: Json, right: Json, rules: Rules, path: str) -> bool:
    kind = rules.types.get(path) or _kind(right, rules)
    if kind == "exact":
        return _plain(said) == _plain(right)
    if kind == "number":
        one, other = number_of(_plain(said)), number_of(_plain(right))
        if one is not None and other is not None:
            return agree(one, other, rules.absolute, rules.relative)
    if kind == "date":
        day = _date(said, rules)
        if day is not None:
            return day == _date(right, rules)
    return fold(_plain(said)) == fold(_plain(right))


def _kind(right: Json, rules: Rules) -> FieldType:
    if isinstance(right, bool):
        return "text"
    if isinstance(right, int | float):
        return "number"
    return "date" if _date(right, rules) is not None else "text"


def _date(value: Json, rules: Rules) -> datetime.date | None:
    return read_date(value.strip(), day_first=rules.day_first) if isinstance(value, str) else None


def _plain(value: Json) -> str:
    """A value as text: true is `true` whether or not the model put it in quotes."""
    return str(value).lower() if isinstance(value, bool) else str(value)
