"""Reads labelled examples from CSV or TSV files and finds what is wrong with them. Nothing is dropped silently."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from catalog.records import Record
from runners.errors import BadTestSet
from runners.test_set_records import Example, Problem

_DELIMITERS = (",", ";", "\t", "|")
_ID_NAMES = ("id", "example_id", "key", "nr", "no")
_TEXT_NAMES = ("text", "message", "input", "question", "prompt", "sentence", "content")
_TARGET_NAMES = ("label", "target", "intent", "category", "class", "answer", "expected")
MOST_PROBLEMS_SHOWN = 200
"""More problems than this are summed up in one line."""


class Columns(Record):
    """Which column is what."""

    id: str | None = None
    """Unique ids; None numbers the rows."""
    text: str
    """The text shown to the model."""
    target: str
    """The right answer."""
    slices: tuple[str, ...] = ()
    """Columns by which results are broken down."""


class TestSetFile(Record):
    """What a file holds."""

    __test__ = False

    path: str
    """Where it is."""
    columns: Columns
    """How its columns were read."""
    all_columns: tuple[str, ...]
    """Every column of the header."""
    examples: tuple[Example, ...]
    """One per row, in order."""
    problems: tuple[Problem, ...]
    """Rows that could not be read as they stand."""


def read_test_set_file(
    path: Path,
    *,
    id_column: str | None = None,
    text_column: str | None = None,
    target_column: str | None = None,
    slice_columns: Sequence[str] | None = None,
) -> TestSetFile:
    """Read a CSV or TSV file with a header; columns that are not named are guessed by their usual names.

    Slices default to every column that is not used otherwise and has at most 20 values. Raises BadTestSet.
    """
    rows = list(_rows(path))
    if not rows:
        raise BadTestSet(f"{path} is empty. A test set needs a header line and one line per example.")
    header = tuple(cell.strip() for cell in rows[0][1])
    doubled = [name for name, count in Counter(header).items() if count > 1]
    if doubled:
        raise BadTestSet(f"{path}: the column {doubled[0]!r} appears twice in the header. Rename one of them.")
    text = _column(path, header, text_column, _TEXT_NAMES, "text")
    target = _column(path, header, target_column, _TARGET_NAMES, "label")
    identity = id_column or next((name for name in header if name.casefold() in _ID_NAMES), None)
    if identity is not None:
        identity = _column(path, header, identity, (), "id")
    used = {text, target, identity}
    body = [(number, cells) for number, cells in rows[1:] if any(cell.strip() for cell in cells)]
    if slice_columns is None:
        index = {name: place for place, name in enumerate(header)}
        slices = tuple(
            name
            for name in header
            if name not in used and len({cells[index[name]] for _, cells in body if len(cells) > index[name]}) <= 20
        )
    else:
        slices = tuple(_column(path, header, name, (), "slice") for name in slice_columns)
    columns = Columns(id=identity, text=text, target=target, slices=slices)
    examples, problems = _examples(header, body, columns)
    return TestSetFile(path=str(path), columns=columns, all_columns=header, examples=examples, problems=problems)


def check_examples(
    examples: Sequence[Example], labels: Sequence[str], few_shot: Sequence[Example] = ()
) -> tuple[Problem, ...]:
    """Everything that makes examples untrustworthy: errors first, then warnings, each by row."""
    problems = [*_label_problems(examples, labels), *_label_problems(few_shot, labels)]
    problems += _doubles(examples)
    shown = {_normalised(shot): shot for shot in few_shot}
    for example in examples:
        if not next(iter(example.inputs.values()), "").strip():
            problems.append(
                _problem("error", "empty_text", example, "the text is empty", "Write the text or remove the row.")
            )
        shot = shown.get(_normalised(example))
        if shot is not None and _normalised(example):
            problems.append(
                _problem(
                    "error",
                    "few_shot_in_test_set",
                    example,
                    f"the text is also the few-shot example {shot.id!r}, whose answer the model is shown",
                    "Remove it from one of the two.",
                )
            )
    counts = Counter(example.target for example in examples)
    for label in labels:
        if counts[label] < 5:
            problems.append(
                Problem(
                    severity="warning",
                    rule="rare_label",
                    message=f"the label {label!r} has {counts[label]} examples",
                    fix="Add examples: below 5 nothing can be said about a label.",
                )
            )
    order = {"error": 0, "warning": 1}
    return tuple(sorted(problems, key=lambda problem: (order[problem.severity], problem.row or 0)))


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise BadTestSet(
            f"There is no file {path}. Check the path; relative paths start at the benchmark file."
        ) from error
    except OSError as error:
        raise BadTestSet(f"{path} cannot be read: {error.strerror}.") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise BadTestSet(
            f"{path} is not UTF-8: byte 0x{data[error.start]:02x} in line {line}. Save it as 'CSV UTF-8' and try again."
        ) from error
    if "\0" in text:
        raise BadTestSet(f"{path} contains NUL bytes, so it is no text file. Save it as 'CSV UTF-8' and try again.")
    head = text.splitlines()[0] if text.strip() else ""
    delimiter = max(_DELIMITERS, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[tuple[int, list[str]]] = []
    try:
        start = 1
        for cells in reader:
            rows.append((start, cells))
            start = reader.line_num + 1
    except csv.Error as error:
        raise BadTestSet(
            f"{path}, line {reader.line_num}: {error}. A text that contains quotes or line breaks must be quoted, "
            "with quotes inside doubled."
        ) from error
    return rows


def _column(path: Path, header: tuple[str, ...], asked: str | None, usual: tuple[str, ...], what: str) -> str:
    if asked is not None:
        if asked in header:
            return asked
        close = get_close_matches(asked, header, n=1)
        suggestion = f"Did you mean {close[0]!r}?" if close else f"Columns: {', '.join(header)}."
        raise BadTestSet(f"{path} has no column {asked!r}. {suggestion}")
    found = next((name for wanted in usual for name in header if name.casefold() == wanted), None)
    if found is None:
        raise BadTestSet(
            f"{path}: no column looks like the {what} (looked for {', '.join(usual)}). Columns: {', '.join(header)}. "
            f"Name it in the benchmark file."
        )
    return found


def _examples(
    header: tuple[str, ...], body: Sequence[tuple[int, list[str]]], columns: Columns
) -> tuple[tuple[Example, ...], tuple[Problem, ...]]:
    examples: list[Example] = []
    problems: list[Problem] = []
    for position, (number, cells) in enumerate(body, start=1):
        if len(cells) != len(header):
            problems.append(
                Problem(
                    severity="error",
                    rule="wrong_number_of_cells",
                    row=number,
                    message=f"{len(cells)} cells where the header has {len(header)}",
                    fix="Quote texts that contain the delimiter.",
                )
            )
            continue
        row = dict(zip(header, cells, strict=True))
        identity = row[columns.id].strip() if columns.id else ""
        used_otherwise = {columns.id, columns.target}
        examples.append(
            Example(
                id=identity or f"row-{position}",
                inputs={columns.text: row[columns.text]}
                | {name: row[name] for name in header if name not in used_otherwise and name != columns.text},
                target=row[columns.target].strip(),
                slices={name: row[name].strip() for name in columns.slices},
                row=number,
            )
        )
    return tuple(examples), tuple(problems)


def _label_problems(examples: Sequence[Example], labels: Sequence[str]) -> list[Problem]:
    problems = []
    for example in examples:
        if not example.target:
            problems.append(
                _problem("error", "empty_label", example, "the label is empty", "Label the row or remove it.")
            )
        elif example.target not in labels:
            close = get_close_matches(example.target, labels, n=1)
            fix = f"Did you mean {close[0]!r}?" if close else f"Labels: {', '.join(labels)}."
            problems.append(
                _problem("error", "unknown_label", example, f"the label {example.target!r} is not in the set", fix)
            )
    return problems


def _doubles(examples: Sequence[Example]) -> list[Problem]:
    problems = []
    ids: dict[str, Example] = {}
    texts: dict[str, Example] = {}
    for example in examples:
        first = ids.setdefault(example.id, example)
        if first is not example:
            problems.append(
                _problem(
                    "error",
                    "duplicate_id",
                    example,
                    f"the id {example.id!r} is also in row {first.row}",
                    "Make ids unique.",
                )
            )
        text = _normalised(example)
        same = texts.setdefault(text, example)
        if same is not example and text:
            contradiction = same.target != example.target
            problems.append(
                _problem(
                    "error" if contradiction else "warning",
                    "contradictory_labels" if contradiction else "duplicate_text",
                    example,
                    f"the text is also in row {same.row}"
                    + (f", labelled {same.target!r} there and {example.target!r} here" if contradiction else ""),
                    "Keep one of the two.",
                )
            )
    return problems


def _normalised(example: Example) -> str:
    return " ".join(next(iter(example.inputs.values()), "").casefold().split())


def _problem(severity: str, rule: str, example: Example, what: str, fix: str) -> Problem:
    return Problem.model_validate(
        {"severity": severity, "rule": rule, "row": example.row, "message": f"{example.id}: {what}", "fix": fix}
    )
