"""Writes what a benchmark holds as CSV, JSONL or Parquet, by the file's ending; whole or not at all.

CSV cells are made harmless for spreadsheets, because completions and examples are written by strangers.
"""

import csv
import difflib
import json
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from results.errors import ExportFailed
from results.exports import Rows, Stored, stream, write_parquet, write_table_parquet
from results.records import BenchmarkComparison
from results.store import Store
from results.store_head_to_head import HeadToHeadShelf
from workbench.csv_export import neutralise_cell, summary_table

Exported = Literal["completions", "scores", "summary"]
"""What can be exported: one row per completion, per example and scorer, or per candidate."""

_ENDINGS = (".csv", ".jsonl", ".parquet")
_JSON_COLUMNS = {"inputs", "slices", "counts", "messages"}
"""Columns that hold JSON as text, which JSONL shows as the objects they are."""


class Written(NamedTuple):
    """A file that was written."""

    path: Path
    rows: int


class Exports:
    """Exports of one results file."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def write(
        self, compare: Callable[[str], BenchmarkComparison], benchmark: str, what: Exported, path: Path
    ) -> Written:
        """Write one table; the number of rows beside the path. Raises ExportFailed, UnknownBenchmark."""

        def write(part: Path, ending: str) -> int:
            if what == "summary":
                return self._write_table(benchmark, summary_table(compare(benchmark)), part, ending)
            return self._write(benchmark, what, part, ending)

        return _whole(path, write)

    def write_votes(
        self, shelf: HeadToHeadShelf, path: Path, batch_id: str | None = None, without: Collection[str] = ()
    ) -> Written:
        """Write votes with prompt and answers, of one batch or of all but some. Raises ExportFailed."""

        def write(part: Path, ending: str) -> int:
            if ending == ".parquet":
                return shelf.write_votes_parquet(batch_id, part, without)
            return shelf.write_votes(batch_id, lambda names, rows: _WRITERS[ending](part, names, rows), without)

        return _whole(path, write)

    def _write(self, benchmark: str, what: Stored, path: Path, ending: str) -> int:
        if ending == ".parquet":
            return write_parquet(self._store, benchmark, what, path)
        return stream(self._store, benchmark, what, lambda names, rows: _WRITERS[ending](path, names, rows))

    def _write_table(
        self, benchmark: str, table: tuple[Sequence[str], Sequence[Sequence[object]]], path: Path, ending: str
    ) -> int:
        header, rows = table
        if ending == ".parquet":
            return write_table_parquet(self._store, benchmark, header, rows, path)
        return _WRITERS[ending](path, header, iter(rows))


def _whole(path: Path, write: Callable[[Path, str], int]) -> Written:
    """Write to a file beside it that takes its place when all is well; `write` is given that file and the ending."""
    ending = path.suffix.lower()
    if ending not in _ENDINGS:
        raise ExportFailed(_unknown_ending(path))
    part = path.with_name(f".{path.name}.part")
    try:
        part.touch()
        rows = write(part, ending)
        part.replace(path)
    except OSError as error:
        raise ExportFailed(f"{path} cannot be written: {error.strerror or error}. Name another file.") from error
    finally:
        part.unlink(missing_ok=True)
    return Written(path, rows)


def _write_csv(path: Path, names: Sequence[str], rows: Rows) -> int:
    """RFC 4180 with a header; texts are neutralised, numbers stay numbers, None is empty."""
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([neutralise_cell(name) for name in names])
        for row in rows:
            writer.writerow([neutralise_cell(value) if isinstance(value, str) else value for value in row])
            count += 1
    return count


def _write_jsonl(path: Path, names: Sequence[str], rows: Rows) -> int:
    """One JSON object a line; unknown is null."""
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            line = {name: _plain(name, value) for name, value in zip(names, row, strict=True)}
            file.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")
            count += 1
    return count


_WRITERS: dict[str, Callable[[Path, Sequence[str], Rows], int]] = {".csv": _write_csv, ".jsonl": _write_jsonl}


def _plain(name: str, value: object) -> object:
    return json.loads(value) if name in _JSON_COLUMNS and isinstance(value, str) else value


def _unknown_ending(path: Path) -> str:
    seen = f"ends in {path.suffix!r}" if path.suffix else "has no ending"
    close = difflib.get_close_matches(path.suffix.lower(), _ENDINGS, n=1, cutoff=0.5)
    advice = f"Did you mean {close[0]!r}?" if close else f"Name a file that ends in one of {', '.join(_ENDINGS)}."
    return f"The export cannot be written to {path.name!r}, which {seen}. {advice}"
