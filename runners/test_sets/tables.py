"""What every kind of file becomes: a header and a stream of rows that can be read more than once."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from runners.errors import BadTestSet
from runners.test_set_records import Problem
from runners.test_sets.cells import Cell
from runners.test_sets.records import FileForm

PEEKED_ROWS = 1_000
"""Rows looked at for the columns of a file that has no header."""


class TableRow(NamedTuple):
    """One row: its number for people, its values by column, and why it cannot be read where it cannot."""

    number: int
    values: dict[str, Cell]
    problems: tuple[Problem, ...] = ()
    readable: bool = True


class Table(NamedTuple):
    """A file that was opened: how, its columns, and its rows, anew with every call."""

    form: FileForm
    header: tuple[str, ...]
    rows: Callable[[], Iterator[TableRow]]
    problems: tuple[Problem, ...] = ()
    """What is wrong with the file as a whole."""


def row_problem(rule: str, number: int, message: str, fix: str) -> Problem:
    """An error in one row."""
    return Problem(severity="error", rule=rule, row=number, message=message, fix=fix)


def checked_header(path: Path, cells: list[str]) -> tuple[tuple[str, ...], list[str]]:
    """Names of columns, and notes on those that had none. Raises BadTestSet where a name stands twice."""
    names, notes = [], []
    for place, cell in enumerate(cells, start=1):
        name = cell.strip()
        if not name:
            name = f"column_{place}"
            notes.append(f"Column {place} has no name in the header and is called {name}.")
        names.append(name)
    doubled = next((name for name in names if names.count(name) > 1), None)
    if doubled is not None:
        raise BadTestSet(f"{path}: the column {doubled!r} appears twice in the header. Rename one of them.")
    return tuple(names), notes


def columns_of(rows: Iterator[TableRow]) -> tuple[str, ...]:
    """Columns of the first rows of a file without a header, in the order they appear."""
    names: dict[str, None] = {}
    for place, row in enumerate(rows):
        names |= dict.fromkeys(row.values)
        if place + 1 >= PEEKED_ROWS:
            break
    return tuple(names)


def with_header(rows: Iterator[TableRow], header: tuple[str, ...]) -> Iterator[TableRow]:
    """Rows with every column of the header, None where one has no value; a column that comes later is a problem."""
    known = set(header)
    for row in rows:
        unknown = [name for name in row.values if name not in known]
        problems = row.problems
        if unknown:
            problems += (
                row_problem(
                    "unknown_column",
                    row.number,
                    f"the column {unknown[0]!r} is in none of the first {PEEKED_ROWS:,} rows, so it is not read",
                    "Name the column in an earlier row too, with an empty value, or remove it.",
                ),
            )
        values = {name: row.values.get(name) for name in header}
        yield TableRow(row.number, values, problems, row.readable)
