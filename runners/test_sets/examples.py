"""Makes an example of a row: several right answers, choices, passages and weights are read out of their columns."""

import math
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from runners.test_set_records import Example, Problem, Task
from runners.test_sets.cells import Cell, is_empty, list_of, text_of
from runners.test_sets.columns import choice_names
from runners.test_sets.records import Columns, ReadRow, TargetStyle
from runners.test_sets.tables import TableRow, row_problem

GROUP = "group"
"""Name of the slice that says which examples belong together."""


class Reading(NamedTuple):
    """How rows are read: columns, task, and which columns a prompt template may use."""

    columns: Columns
    task: Task
    inputs: tuple[str, ...]


def read_row(row: TableRow, reading: Reading, position: int) -> ReadRow:
    """One row as an example, with what is wrong with it."""
    if not row.readable:
        return ReadRow(example=None, problems=row.problems)
    columns, values = reading.columns, row.values
    problems = list(row.problems)
    try:
        right = _targets(values, reading)
        choices, names = choices_of(values, columns)
        weight, relevant = _weight(values, columns), _relevant(values, columns)
        inputs = {name: text_of(values[name]) for name in reading.inputs}
        identity = text_of(values[columns.id]).strip() if columns.id else ""
        slices = {name: text_of(values[name]).strip() for name in columns.slices}
        if columns.group:
            slices[GROUP] = text_of(values[columns.group]).strip()
        if columns.choices and right:
            place = resolve(columns.target_style, right[0], choices, names)
            right = [right[0] if place is None else choices[place], *right[1:]]
        second = text_of(values[columns.second_label]).strip() if columns.second_label else ""
        passages = _passages(values, columns)
        _refuse_half_characters([identity, *right, *choices, *inputs.values(), *passages, *slices.values()])
    except _BadCell as error:
        return ReadRow(example=None, problems=(*problems, error.in_row(row.number)))
    except UnicodeDecodeError:
        bad = row_problem("not_text", row.number, "a cell holds bytes that are no text", "Name columns that hold text.")
        return ReadRow(example=None, problems=(*problems, bad))
    example = Example(
        id=identity or f"row-{position}",
        inputs=inputs,
        target=right[0] if right else "",
        accepted=tuple(dict.fromkeys(each for each in right[1:] if each != right[0])),
        choices=tuple(choices),
        passages=tuple(passages),
        relevant=tuple(relevant),
        slices=slices,
        weight=weight,
        row=row.number,
    )
    return ReadRow(example=example, second_label=second, problems=tuple(problems))


def choices_of(values: dict[str, Cell], columns: Columns) -> tuple[list[str], list[str]]:
    """The choices of a row, and what targets may call them beside their letters."""
    if not columns.choices:
        return [], []
    if len(columns.choices) > 1:
        kept = [
            (text_of(values[name]).strip(), short)
            for name, short in zip(columns.choices, choice_names(columns.choices), strict=True)
            if not is_empty(values[name])
        ]
        return [text for text, _ in kept], [short for _, short in kept]
    value = values[columns.choices[0]]
    beside = value.get("label") if isinstance(value, dict) else None
    names = beside if isinstance(beside, list) else []
    found = list_of(value, "|")
    if found is None and not is_empty(value):
        raise _BadCell("bad_choices", f"{columns.choices[0]} holds no list: {_shown(value)}", _LIST_FIX)
    return [text_of(item).strip() for item in found or []], [text_of(name).strip() for name in names]


def resolve(style: TargetStyle, target: str, choices: Sequence[str], names: Sequence[str]) -> int | None:
    """Which choice a target means under one way of naming choices; None where it means none."""
    return _RESOLVERS[style](target.strip(), choices, names)


def _by_text(target: str, choices: Sequence[str], names: Sequence[str]) -> int | None:  # noqa: ARG001  one of a family
    return choices.index(target) if target in choices else None


def _by_name(target: str, choices: Sequence[str], names: Sequence[str]) -> int | None:
    folded = [name.casefold() for name in names]
    place = folded.index(target.casefold()) if target.casefold() in folded else None
    return place if place is not None and place < len(choices) else None


def _by_letter(target: str, choices: Sequence[str], names: Sequence[str]) -> int | None:  # noqa: ARG001
    bare = target.strip("().: ").upper()
    place = ord(bare) - ord("A") if len(bare) == 1 else -1
    return place if 0 <= place < len(choices) else None


def _by_index(target: str, choices: Sequence[str], names: Sequence[str]) -> int | None:  # noqa: ARG001
    place = int(target) if re.fullmatch(r"\d{1,3}", target, re.ASCII) else -1
    return place if 0 <= place < len(choices) else None


def _by_number(target: str, choices: Sequence[str], names: Sequence[str]) -> int | None:
    place = _by_index(target, ("", *choices), names)
    return place - 1 if place else None


_Resolver = Callable[[str, Sequence[str], Sequence[str]], int | None]
_RESOLVERS: dict[TargetStyle, _Resolver] = {
    "text": _by_text,
    "name": _by_name,
    "letter": _by_letter,
    "index": _by_index,
    "number": _by_number,
}
STYLES: dict[TargetStyle, str] = {
    "text": "by its text",
    "name": "by the name that stands beside it",
    "letter": "by its letter, A being the first",
    "index": "by its position, counted from 0",
    "number": "by its position, counted from 1",
}
"""Ways in which a target may name a choice, in the order they are tried, in words."""

_LIST_FIX = 'Write a JSON list such as ["one", "two"], or texts between `|`.'


class _BadCell(ValueError):
    """A cell that cannot be read as what its column is."""

    def __init__(self, rule: str, message: str, fix: str) -> None:
        super().__init__(message)
        self._rule, self._fix = rule, fix

    def in_row(self, number: int) -> Problem:
        return row_problem(self._rule, number, str(self), self._fix)


def _targets(values: dict[str, Cell], reading: Reading) -> list[str]:
    """Every right answer of a row, the target first; empty where the cell is."""
    columns, value = reading.columns, values.get(reading.columns.target)
    right: list[str] = []
    many = list_of(value) if _may_be_list(value, reading) else None
    if many is not None:
        right = [text_of(item).strip() for item in many if not is_empty(item)]
    elif not is_empty(value):
        right = [text_of(value).strip()]
    if columns.accepted:
        more = values[columns.accepted]
        listed = list_of(more, "|")
        found = [text_of(item).strip() for item in (listed if listed is not None else [more]) if not is_empty(item)]
        if right or not found:
            return right + found
        # An example that is right to leave unanswered has no further right answers, either.
        message = f"{columns.target} is empty, but {columns.accepted} holds {_shown(more)}"
        raise _BadCell("answers_without_target", message, "Write the first right answer as the label.")
    return right


def _may_be_list(value: Cell, reading: Reading) -> bool:
    if reading.task in {"extraction", "classification", "multiple_choice"}:
        return False
    # A text in brackets is a list only where the column's name says that it holds several.
    return not isinstance(value, str) or reading.columns.target.casefold().endswith("s")


def _passages(values: dict[str, Cell], columns: Columns) -> list[str]:
    passages: list[str] = []
    for name in columns.passages:
        value = values[name]
        if isinstance(value, dict) and isinstance(value.get("sentences"), list):
            titles = value.get("title", [""] * len(value["sentences"]))
            passages += [
                _titled(title, " ".join(text_of(part).strip() for part in sentences))
                for title, sentences in zip(titles, value["sentences"], strict=False)
            ]
            continue
        listed = list_of(value)
        for item in listed if listed is not None else [value]:
            text = _titled(item.get("title"), _body(item)) if isinstance(item, dict) else text_of(item)
            passages += [text] if text.strip() else []
    return passages


def _body(passage: dict[str, Cell]) -> str:
    found = next((passage[name] for name in ("text", "content", "passage", "context") if name in passage), None)
    return text_of(passage if found is None else found)


def _titled(title: Cell, text: str) -> str:
    heading = text_of(title).strip()
    return f"{heading}\n{text}" if heading else text


def _weight(values: dict[str, Cell], columns: Columns) -> float:
    if columns.weight is None or is_empty(values[columns.weight]):
        return 1.0
    text = text_of(values[columns.weight]).strip()
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not (math.isfinite(weight) and weight > 0):
        raise _BadCell("bad_weight", f"the weight is {text!r}", "Write a number above 0, or leave it empty for 1.")
    return weight


def _relevant(values: dict[str, Cell], columns: Columns) -> list[int]:
    if columns.relevant is None or is_empty(values[columns.relevant]):
        return []
    value = values[columns.relevant]
    listed = list_of(value)
    parts = [text_of(item) for item in listed] if listed is not None else re.split(r"[\s,;|]+", text_of(value).strip())
    if not all(re.fullmatch(r"\s*\d{1,6}\s*", part, re.ASCII) and int(part) > 0 for part in parts):
        message = f"{columns.relevant} holds {_shown(value)}, which is no list of passage numbers"
        raise _BadCell("bad_relevant", message, "Write numbers counted from 1, such as 1, 3.")
    return [int(part) for part in parts]


def _refuse_half_characters(texts: Sequence[str]) -> None:
    joined = "".join(texts)
    if joined.isascii():
        return
    try:
        joined.encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(joined[error.start]):04x}"
        raise _BadCell("half_character", f"a text holds half a character ({half})", "Write the text anew.") from error


def _shown(value: Cell) -> str:
    text = text_of(value)
    return repr(text if len(text) <= 60 else f"{text[:60]}…")
