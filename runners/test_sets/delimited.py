"""Reads CSV and TSV: finds the delimiter, keeps row numbers as an editor shows them, streams."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from runners.errors import BadTestSet
from runners.test_sets.encodings import find_encoding, guess_problems, refuse_nul
from runners.test_sets.records import FileForm
from runners.test_sets.tables import Table, TableRow, checked_header, row_problem

_DELIMITERS = (",", ";", "\t", "|")
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_SAMPLE_CHARACTERS = 1 << 16
_SAMPLE_ROWS = 50
_LONGEST_CELL = 1 << 27
"""Characters; the csv module refuses cells above 131,072, which a long document exceeds."""


def open_delimited(path: Path, encoding: str | None = None) -> Table:
    """The table in a CSV or TSV file with a header. Raises BadTestSet."""
    found = find_encoding(path, encoding)
    with path.open(encoding=found.name, newline="") as file:
        sample = file.read(_SAMPLE_CHARACTERS)
    refuse_nul(path, sample)
    if not sample.strip():
        raise BadTestSet(f"{path} is empty. A test set needs a header line and one line per example.")
    skipped, delimiter = _told_delimiter(sample)
    delimiter = delimiter or _likeliest(sample, path.suffix.casefold() == ".tsv")
    first = next((cells for _, cells in _records(path, found.name, delimiter, skipped) if _filled(cells)), None)
    if first is None:
        raise BadTestSet(f"{path} is empty. A test set needs a header line and one line per example.")
    header, notes = checked_header(path, first)
    form = FileForm(
        format="csv",
        encoding=found.name.removesuffix("-sig"),
        delimiter=delimiter,
        notes=(f"Cells are separated by {_NAMES.get(delimiter, repr(delimiter))}.", *notes),
    )

    def rows() -> Iterator[TableRow]:
        filled = ((n, cells) for n, cells in _records(path, found.name, delimiter, skipped) if _filled(cells))
        next(filled)
        for number, cells in filled:
            yield _row(number, cells, header)

    return Table(form, header, rows, guess_problems(path, found))


def _filled(cells: list[str]) -> bool:
    return any(cell.strip() for cell in cells)


def _row(number: int, cells: list[str], header: tuple[str, ...]) -> TableRow:
    if len(cells) == len(header):
        return TableRow(number, dict(zip(header, cells, strict=True)))
    problem = row_problem(
        "wrong_number_of_cells",
        number,
        f"{len(cells)} cells where the header has {len(header)}",
        "Quote texts that contain the delimiter.",
    )
    return TableRow(number, {}, (problem,), readable=False)


def _told_delimiter(sample: str) -> tuple[int, str | None]:
    """Excel's own first line `sep=;`: how many lines it takes, and what it says."""
    line = sample.splitlines()[0].strip()
    if line.casefold().startswith("sep=") and line[4:] in _DELIMITERS:
        return 1, line[4]
    return 0, "\t" if line.casefold() == "sep=" else None


def _likeliest(sample: str, tabs: bool) -> str:
    """The delimiter under which most rows have as many cells as the header, and the header has most."""
    scores = {delimiter: _fit(sample, delimiter) for delimiter in _DELIMITERS}
    if tabs and scores["\t"][1] > 1:
        return "\t"
    head = sample.splitlines()[0]
    return max(_DELIMITERS, key=lambda delimiter: (*scores[delimiter], head.count(delimiter)))


def _fit(sample: str, delimiter: str) -> tuple[float, int]:
    """Share of rows with as many cells as the header (0 where it has one), and how many the header has."""
    counts = []
    try:
        reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
        counts = [len(cells) for cells in islice(reader, _SAMPLE_ROWS + 1) if cells]
    except csv.Error:
        pass
    if len(counts) > _SAMPLE_ROWS or len(sample) >= _SAMPLE_CHARACTERS:
        counts = counts[:-1]
    if not counts or counts[0] < 2:
        return 0.0, counts[0] if counts else 0
    return Counter(counts)[counts[0]] / len(counts), counts[0]


def _records(path: Path, encoding: str, delimiter: str, skipped: int) -> Iterator[tuple[int, list[str]]]:
    """Records with the line each begins in."""
    csv.field_size_limit(_LONGEST_CELL)
    with path.open(encoding=encoding, newline="") as file:
        for _ in range(skipped):
            file.readline()
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        start = 1 + skipped
        while True:
            try:
                cells = next(reader, None)
            except csv.Error as error:
                raise _broken(path, start, reader.line_num + skipped, str(error)) from error
            if cells is None:
                return
            if any("\0" in cell for cell in cells):
                raise BadTestSet(
                    f"{path}, line {start:,} contains NUL bytes, so it is no text file. Save it as 'CSV UTF-8'."
                )
            yield start, cells
            start = reader.line_num + skipped + 1


def _broken(path: Path, start: int, line: int, reason: str) -> BadTestSet:
    if reason == "unexpected end of data":
        return BadTestSet(
            f"{path}: a quote opened in line {start:,} is never closed. A text that contains quotes or line breaks "
            "must be quoted, with quotes inside doubled."
        )
    return BadTestSet(
        f"{path}, line {line:,}: {reason}. A text that contains quotes or line breaks must be quoted, "
        "with quotes inside doubled."
    )
