"""Reads Excel workbooks as a stream: values, and of formulas what Excel last computed."""

import re
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runners.errors import BadTestSet
from runners.test_set_records import Problem
from runners.test_sets.cells import Cell, text_of
from runners.test_sets.records import FileForm
from runners.test_sets.tables import Table, TableRow, checked_header, row_problem

_OLD_FORMAT = b"\xd0\xcf\x11\xe0"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_ERRORS = frozenset({"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#GETTING_DATA", "#SPILL!"})


def open_excel(path: Path, sheet: str | None = None) -> Table:
    """The table in one sheet of an Excel workbook, its first filled row the header. Raises BadTestSet."""
    _refuse_other_formats(path)
    book = _open(path, formulas=False)
    try:
        name, notes = _sheet(path, book, sheet)
        first = next(((number, cells) for number, cells in _cells(book[name]) if any(_filled(cells))), None)
    finally:
        book.close()
    if first is None:
        raise BadTestSet(f"{path}: the sheet {name!r} is empty. A test set needs a header and one row per example.")
    number, cells = first
    header, unnamed = checked_header(path, [text_of(cell) for cell in _trimmed(cells)])
    notes += [f"The header is row {number}."] if number > 1 else []
    form = FileForm(format="excel", sheet=name, notes=(*notes, *unnamed))
    formulas = _has_formulas(path)
    return Table(form, header, lambda: _rows(path, name, number, header, formulas=formulas))


def _refuse_other_formats(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(1 << 16)
        if head.startswith(_OLD_FORMAT):
            whole = head + file.read()
            if _ENCRYPTED in whole:
                raise BadTestSet(f"{path} is protected by a password. Save it without one, or as CSV.")
            raise BadTestSet(f"{path} is in Excel's format of before 2007. Save it as .xlsx, or as CSV.")
    if not head:
        raise BadTestSet(f"{path} is empty (0 bytes). Save it again.")


def _open(path: Path, *, formulas: bool) -> Any:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with warnings.catch_warnings():
            # Drop-down lists and colours are none of our business, and openpyxl warns that it does not keep them.
            warnings.simplefilter("ignore")
            return load_workbook(path, read_only=True, data_only=not formulas)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, TypeError, OSError, SyntaxError) as error:
        raise BadTestSet(f"{path} cannot be read as an Excel workbook: {error}. Save it again, or as CSV.") from error


def _sheet(path: Path, book: Any, asked: str | None) -> tuple[str, list[str]]:
    visible = [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible"]
    names = [sheet.title for sheet in book.worksheets]
    if asked is not None and asked not in names:
        raise BadTestSet(f"{path} has no sheet {asked!r}. Sheets: {', '.join(names)}.")
    if not names:
        raise BadTestSet(f"{path} has no sheet with cells.")
    name = asked or (visible or names)[0]
    others = [other for other in names if other != name]
    return name, [f"The examples are in the sheet {name!r}; not read: {', '.join(others)}."] if others else []


def _has_formulas(path: Path) -> bool:
    """Whether any sheet has a formula; looked up in the file itself, because reading it twice takes twice as long."""
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if re.match(r"xl/worksheets/[^/]+\.xml$", name):
                    with archive.open(name) as part:
                        before = b""
                        while chunk := part.read(1 << 20):
                            if re.search(rb"<(\w+:)?f[ >/]", before + chunk):
                                return True
                            before = chunk[-16:]
    except (zipfile.BadZipFile, OSError, EOFError):
        return False
    return False


def _rows(path: Path, sheet: str, first: int, header: tuple[str, ...], *, formulas: bool) -> Iterator[TableRow]:
    book = _open(path, formulas=False)
    written = _open(path, formulas=True) if formulas else None
    try:
        sources = _cells(written[sheet]) if written is not None else None
        for number, cells in _cells(book[sheet]):
            source = next(sources)[1] if sources is not None else ()
            if number > first and any(_filled(cells)) | any(_filled(source)):
                yield _row(number, cells, source, header)
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, EOFError, SyntaxError) as error:
        raise BadTestSet(f"{path}: the sheet {sheet!r} is damaged: {error}. Save the workbook again.") from error
    finally:
        book.close()
        if written is not None:
            written.close()


def _row(number: int, cells: tuple[Cell, ...], source: tuple[Cell, ...], header: tuple[str, ...]) -> TableRow:
    problems: list[Problem] = []
    width = len(header)
    if any(_filled(cells[width:])):
        problems.append(
            row_problem(
                "cells_beyond_header",
                number,
                f"a cell to the right of the last column {header[-1]!r} is filled and is not read",
                "Give the column a name in the header, or empty the cell.",
            )
        )
    values = dict(zip(header, (*cells[:width], *[None] * (width - len(cells))), strict=True))
    for name, value, formula in zip(header, cells, source, strict=False):
        if isinstance(formula, str) and formula.startswith("=") and value is None:
            fix = "Open the file in Excel and save it, so that values are stored beside formulas."
            problems.append(row_problem("formula_without_value", number, f"{name}: {formula} has no value", fix))
    for name, value in values.items():
        if isinstance(value, str) and value in _ERRORS:
            message = f"{name}: the cell holds the error {value}"
            problems.append(row_problem("excel_error", number, message, "Mend the formula."))
    return TableRow(number, values, tuple(problems))


def _cells(sheet: Any) -> Iterator[tuple[int, tuple[Cell, ...]]]:
    # Files of other programs may state a wrong size, which would cut rows off.
    sheet.reset_dimensions()
    yield from enumerate(sheet.iter_rows(values_only=True), start=1)


def _filled(cells: tuple[Cell, ...]) -> Iterator[bool]:
    return (cell is not None and cell != "" for cell in cells)


def _trimmed(cells: tuple[Cell, ...]) -> list[Cell]:
    kept = list(cells)
    while kept and (kept[-1] is None or kept[-1] == ""):
        kept.pop()
    return kept
