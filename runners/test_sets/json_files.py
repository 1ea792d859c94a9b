"""Reads JSON lines as a stream, and JSON files, which are read whole: a list of objects, or an object with one list."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from runners.errors import BadTestSet
from runners.test_sets.cells import Cell
from runners.test_sets.encodings import find_encoding, guess_problems
from runners.test_sets.records import FileForm
from runners.test_sets.tables import Table, TableRow, columns_of, row_problem, with_header

_SPLITS = ("test", "validation", "valid", "dev", "train")
_HEAD_CHARACTERS = 1 << 16


class _DoubledKey(ValueError):
    """An object says the same thing twice."""


def open_json(path: Path, encoding: str | None = None, split: str | None = None) -> Table:
    """The table in a JSON or JSON lines file, told apart by what stands in it. Raises BadTestSet."""
    found = find_encoding(path, encoding)
    with path.open(encoding=found.name) as file:
        head = file.read(_HEAD_CHARACTERS)
    if not head.strip():
        raise BadTestSet(f"{path} is empty. Write one JSON object per line, or a list of objects.")
    form = FileForm(format="jsonl", encoding=found.name.removesuffix("-sig"))
    guesses = guess_problems(path, found)
    if _is_lines(head, path):
        return _table(path, form, lambda: _lines(path, found.name))._replace(problems=guesses)
    objects, part, notes = _whole(path, found.name, split)
    form = form.model_copy(update={"format": "json", "split": part, "notes": notes})
    return _table(path, form, lambda: _elements(objects))._replace(problems=guesses)


def _table(path: Path, form: FileForm, rows: Callable[[], Iterator[TableRow]]) -> Table:
    header = columns_of(rows())
    if not header:
        first = next(rows(), None)
        reason = f" Row {first.number}: {first.problems[0].message}." if first is not None and first.problems else ""
        raise BadTestSet(f"{path} has no row with columns.{reason} Write objects such as {_EXAMPLE}.")
    return Table(form, header, lambda: with_header(rows(), header))


def _is_lines(head: str, path: Path) -> bool:
    """Whether each line is a value of its own."""
    if path.suffix.casefold() in {".jsonl", ".ndjson"}:
        return not head.lstrip().startswith("[\n") and head.strip() != "["
    first, _, rest = head.lstrip().partition("\n")
    if not first.startswith("{") or not rest.strip():
        return False
    try:
        json.loads(first)
    except ValueError:
        return False
    return True


def _lines(path: Path, encoding: str) -> Iterator[TableRow]:
    with path.open(encoding=encoding, newline="\n") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                value = json.loads(line, object_pairs_hook=_object)
            except _DoubledKey as error:
                yield _unreadable(number, str(error), "Keep one of the two.")
            except (ValueError, RecursionError) as error:
                yield _unreadable(number, f"this is not JSON: {error}", "Write one object per line.")
            else:
                yield _element(number, value)


def _elements(objects: list[object]) -> Iterator[TableRow]:
    for number, value in enumerate(objects, start=1):
        yield _element(number, value)


def _element(number: int, value: object) -> TableRow:
    if isinstance(value, dict):
        return TableRow(number, value)
    kind = {list: "a list", str: "a text", type(None): "null", bool: "a truth value"}.get(type(value), "a number")
    return _unreadable(number, f"this is {kind}, not an object", f"Write objects such as {_EXAMPLE}.")


def _unreadable(number: int, message: str, fix: str) -> TableRow:
    return TableRow(number, {}, (row_problem("not_an_object", number, message, fix),), readable=False)


def _object(pairs: list[tuple[str, Cell]]) -> dict[str, Cell]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _DoubledKey(f"the key {next(name for name in names if names.count(name) > 1)!r} appears twice")
    return found


def _whole(path: Path, encoding: str, split: str | None) -> tuple[list[object], str | None, tuple[str, ...]]:
    """The list in a JSON file, which part of an object it was, and notes."""
    try:
        with path.open(encoding=encoding) as file:
            value = json.load(file, object_pairs_hook=_object)
    except _DoubledKey as error:
        raise BadTestSet(f"{path}: {error} in one object. Keep one of the two.") from error
    except json.JSONDecodeError as error:
        raise BadTestSet(f"{path}, line {error.lineno}: this is not JSON: {error.msg}. {_SHAPES}") from error
    except RecursionError as error:
        raise BadTestSet(f"{path} is nested too deeply to be read. {_SHAPES}") from error
    if isinstance(value, list):
        return value, None, ()
    if not isinstance(value, dict):
        raise BadTestSet(f"{path} holds one plain value. {_SHAPES}")
    lists = {name: item for name, item in value.items() if isinstance(item, list)}
    if split is not None and split not in lists:
        raise BadTestSet(f"{path} has no list {split!r}. Lists: {', '.join(lists) or 'none'}.")
    if not lists:
        columns = value and all(isinstance(item, dict) for item in value.values())
        hint = " It looks like one entry per column: save it by rows (in pandas: orient='records')." if columns else ""
        raise BadTestSet(f"{path} is an object without a list of examples.{hint} {_SHAPES}")
    name = split or next((name for name in _SPLITS if name in lists), next(iter(lists)))
    if split is None and len(lists) > 1 and name not in _SPLITS:
        raise BadTestSet(f"{path} has several lists: {', '.join(lists)}. Say which one with `split:`.")
    others = [other for other in value if other != name]
    note = (f"The examples are the list {name!r}; not read: {', '.join(others)}.",) if others else ()
    return lists[name], name, note


_EXAMPLE = '{"text": "Where is my parcel?", "label": "delivery"}'
_SHAPES = "A test set in JSON is a list of objects, or an object with one such list."
