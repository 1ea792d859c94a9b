"""Edits of single examples: what a person changed by hand or a fix changed, one record for each. Pure.

Values arrive as text, because that is what a grid gives: lists are one item per line, passages are parted by an empty
line. A value that a field cannot hold is refused with a sentence, and nothing is changed.
"""

import math
import re
from collections.abc import Callable
from typing import Literal

from catalog.records import Record
from runners.errors import BadTestSet
from runners.test_set_records import Example

GROUP = "group"
"""Name of the slice that says which examples belong together."""
INPUT = "input:"
"""What a field is called that stands for a column of the prompt: `input:text`."""
LONGEST_VALUE = 200_000
"""Characters that a cell may have; more is a file, not an example."""


class ExampleEdit(Record):
    """One change of one example."""

    change: Literal["set", "add", "remove"]
    """What is done."""
    id: str
    """The example, by the id that it has before."""
    field: str = ""
    """set: what is changed: `target`, `id`, `accepted`, `choices`, `passages`, `relevant`, `weight`, `group`,
    `second_label`, or `input:` and the name of a column."""
    value: str = ""
    """set: what it is from now on."""
    example: Example | None = None
    """add: the example."""
    why: str = ""
    """What the change is about, for the message of the version that will hold it; empty for an edit by hand."""
    batch: int = 0
    """Changes that were made at once have the same number, and are undone at once."""


def with_field(example: Example, field: str, value: str) -> Example:
    """The example with one field changed. Raises BadTestSet for a value that the field cannot hold."""
    value = readable(value)
    if field.startswith(INPUT):
        name = field.removeprefix(INPUT)
        if name not in example.inputs:
            raise BadTestSet(f"{example.id} has no column {name!r}. Columns: {', '.join(example.inputs)}.")
        slices = example.slices | {name: value.strip()} if name in example.slices else example.slices
        return example.model_copy(update={"inputs": example.inputs | {name: value}, "slices": slices})
    write = _WRITERS.get(field)
    if write is None:
        raise BadTestSet(f"{field!r} is nothing of an example that can be changed. There is: {', '.join(_WRITERS)}.")
    return example.model_copy(update=write(example, value))


def readable(value: str) -> str:
    """A value as it can be kept. Raises BadTestSet where it is too long or holds half a character."""
    if len(value) > LONGEST_VALUE:
        raise BadTestSet(
            f"The text has {len(value):,} characters; an example may have {LONGEST_VALUE:,}. Put longer texts into a "
            "file and upload that."
        )
    try:
        value.encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(value[error.start]):04x}"
        raise BadTestSet(f"The text holds half a character ({half}). Write it anew.") from error
    return value


def passages_of(value: str) -> tuple[str, ...]:
    """Passages parted by empty lines."""
    return tuple(part.strip() for part in re.split(r"\n[ \t]*\n", value.replace("\r\n", "\n")) if part.strip())


def lines_of(value: str) -> tuple[str, ...]:
    """One item per line, empty lines left out."""
    return tuple(line.strip() for line in value.splitlines() if line.strip())


def field_text(example: Example, field: str) -> str:
    """A field as `with_field` takes it."""
    if field.startswith(INPUT):
        return example.inputs.get(field.removeprefix(INPUT), "")
    if field == GROUP:
        return example.slices.get(GROUP, "")
    value = getattr(example, field)
    if field == "passages":
        return "\n\n".join(value)
    if field == "relevant":
        return ", ".join(map(str, value))
    if field == "weight":
        return f"{value:g}"
    return "\n".join(value) if isinstance(value, tuple) else str(value)


def _weight(example: Example, value: str) -> dict[str, object]:  # noqa: ARG001  one of a family
    try:
        weight = float(value.strip() or "1")
    except ValueError:
        weight = math.nan
    if not (math.isfinite(weight) and weight > 0):
        raise BadTestSet(f"The weight {value!r} is no number above 0. Leave it empty for 1.")
    return {"weight": weight}


def _relevant(example: Example, value: str) -> dict[str, object]:  # noqa: ARG001
    parts = [part for part in re.split(r"[\s,;|]+", value.strip()) if part]
    if not all(re.fullmatch(r"\d{1,6}", part, re.ASCII) and int(part) > 0 for part in parts):
        raise BadTestSet(f"{value!r} is no list of passage numbers. Write numbers counted from 1, such as 1, 3.")
    return {"relevant": tuple(int(part) for part in parts)}


def _identity(example: Example, value: str) -> dict[str, object]:  # noqa: ARG001
    if not value.strip():
        raise BadTestSet("An id cannot be empty. Write one that no other example has.")
    return {"id": value.strip()}


_WRITERS: dict[str, Callable[[Example, str], dict[str, object]]] = {
    "target": lambda _, value: {"target": value.strip()},
    "id": _identity,
    "accepted": lambda example, value: {
        "accepted": tuple(dict.fromkeys(each for each in lines_of(value) if each != example.target))
    },
    "choices": lambda _, value: {"choices": lines_of(value)},
    "passages": lambda _, value: {"passages": passages_of(value)},
    "relevant": _relevant,
    "weight": _weight,
    GROUP: lambda example, value: {"slices": example.slices | {GROUP: value.strip()}},
}
