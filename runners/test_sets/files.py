"""Reads labelled examples from a file or dataset folder: opens it, finds the columns out, gives examples as a stream.

A file is read twice: once to look at all of it (which columns have few values, how targets name choices), once for the
examples. Nothing is dropped silently: what cannot be read is a problem with its row. What is wrong with examples that
can be read is the business of checks.py.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from runners.test_set_records import Problem, Task
from runners.test_sets.cells import CONVERSIONS, Cell, conversion_of, is_empty, text_of
from runners.test_sets.columns import map_columns
from runners.test_sets.examples import STYLES, Reading, choices_of, read_row, resolve
from runners.test_sets.records import (
    AskedColumns,
    Columns,
    FileForm,
    FileOptions,
    ReadRow,
    TargetStyle,
    TestSetFile,
)
from runners.test_sets.sources import open_table
from runners.test_sets.tables import Table

MOST_SLICE_VALUES = 20
"""A column with more values than this is no slice unless it is named as one."""


class OpenTestSet(NamedTuple):
    """A file whose columns are known; its rows can be read as often as needed."""

    path: Path
    form: FileForm
    all_columns: tuple[str, ...]
    reading: Reading
    problems: tuple[Problem, ...]
    """What is wrong with the file as a whole."""
    table: Table

    @property
    def columns(self) -> Columns:
        """Which column is what."""
        return self.reading.columns

    def rows(self) -> Iterator[ReadRow]:
        """Every row as it was read, in order."""
        for position, row in enumerate(self.table.rows(), start=1):
            yield read_row(row, self.reading, position)


def open_test_set(
    path: Path,
    task: Task = "classification",
    columns: AskedColumns | None = None,
    options: FileOptions | None = None,
) -> OpenTestSet:
    """Open a file and find its columns out; reads it once, and keeps nothing of it. Raises BadTestSet."""
    asked = columns or AskedColumns()
    table = open_table(path, options or FileOptions())
    found = map_columns(path, table.header, asked, task)
    seen = _look(table, found)
    used = _used(found)
    slices = found.slices
    if asked.slices is None:
        slices = tuple(name for name in table.header if name not in used and name in seen.few)
    style = seen.style()
    found = found.model_copy(update={"slices": slices, "target_style": style})
    hidden = {found.id, found.target, found.accepted, found.relevant, found.weight, found.second_label}
    lists = (*found.choices, *found.passages)
    # Templates see lists as `choices` and `passages`; a column of that name would hide them.
    hidden |= {name for name in lists if name in seen.nested or name in {"choices", "passages"}}
    hidden |= (unread := seen.binary - used)
    others = (name for name in table.header if name not in hidden and name != found.text)
    notes = (*table.form.notes, *seen.notes(found, style))
    notes += tuple(f"{name} holds bytes that are no text, and is not read." for name in sorted(unread))
    return OpenTestSet(
        path=path,
        form=table.form.model_copy(update={"notes": notes}),
        all_columns=table.header,
        reading=Reading(found, task, (found.text, *others)),
        problems=table.problems,
        table=table,
    )


def read_test_set_file(
    path: Path,
    task: Task = "classification",
    columns: AskedColumns | None = None,
    options: FileOptions | None = None,
) -> TestSetFile:
    """Read all examples of a file; columns that are not named are guessed by their usual names.

    Slices default to every column that is not used otherwise and has at most 20 values. Raises BadTestSet.
    """
    opened = open_test_set(path, task, columns, options)
    examples, seconds, problems = [], [], list(opened.problems)
    for row in opened.rows():
        problems += row.problems
        if row.example is not None:
            examples.append(row.example)
            seconds.append(row.second_label)
    return TestSetFile(
        path=str(path),
        form=opened.form,
        columns=opened.columns,
        all_columns=opened.all_columns,
        examples=tuple(examples),
        second_labels=tuple(seconds) if opened.columns.second_label else (),
        problems=tuple(problems),
    )


class _Seen:
    """What one look at all rows gave."""

    def __init__(self, header: tuple[str, ...], columns: Columns) -> None:
        self.nested: set[str] = set()
        self.binary: set[str] = set()
        self._values: dict[str, set[str]] = {name: set() for name in header}
        self._conversions: dict[str, set[str]] = {}
        self._columns = columns
        self._targets = 0
        self._matches: dict[TargetStyle, int] = dict.fromkeys(STYLES, 0)

    @property
    def few(self) -> frozenset[str]:
        """Columns with few values, none of them nested."""
        return frozenset(self._values.keys() - self.nested - self.binary)

    def add(self, values: Mapping[str, Cell]) -> None:
        """Look at one row."""
        for name, value in values.items():
            if not isinstance(value, str):
                self._convert(name, value)
            known = self._values.get(name)
            if known is not None and name not in self.nested and name not in self.binary:
                known.add(text_of(value))
                if len(known) > MOST_SLICE_VALUES:
                    del self._values[name]
        if self._columns.choices:
            self._match(dict(values))

    def style(self) -> TargetStyle:
        """The way of naming choices that fits most targets; of equals the first."""
        return max(STYLES, key=lambda style: self._matches[style]) if self._targets else "text"

    def notes(self, columns: Columns, style: TargetStyle) -> list[str]:
        """What a person should know of how values were read."""
        notes = [
            f"{', '.join(names)}: {CONVERSIONS[kind]}."
            for kind in CONVERSIONS
            if (names := [name for name, kinds in self._conversions.items() if kind in kinds])
        ]
        if columns.choices:
            notes.append(f"{columns.target} names the right choice {STYLES[style]}.")
            also = [s for s in STYLES if s != style and self._targets and self._matches[s] == self._targets]
            if also and self._matches[style] == self._targets:
                notes.append(f"It could also be read {' or '.join(STYLES[s] for s in also)}; look at a few examples.")
        return notes

    def _convert(self, name: str, value: Cell) -> None:
        kind = conversion_of(value)
        if kind is not None:
            self._conversions.setdefault(name, set()).add(kind)
        if kind == "nested":
            self.nested.add(name)
        if kind in {"nested", "bytes"}:
            try:
                text_of(value)
            except UnicodeDecodeError:
                self.binary.add(name)

    def _match(self, values: dict[str, Cell]) -> None:
        target = values.get(self._columns.target)
        try:
            choices, names = choices_of(values, self._columns)
            text = text_of(target)
        except ValueError:
            return
        if is_empty(target) or not choices:
            return
        self._targets += 1
        for style in STYLES:
            self._matches[style] += resolve(style, text, choices, names) is not None


def _look(table: Table, columns: Columns) -> _Seen:
    seen = _Seen(table.header, columns)
    for row in table.rows():
        if row.readable:
            seen.add(row.values)
    return seen


def _used(columns: Columns) -> set[str]:
    names = {columns.id, columns.text, columns.target, columns.accepted, columns.relevant, columns.weight}
    names |= {columns.second_label, columns.group, *columns.choices, *columns.passages}
    return {name for name in names if name is not None}
