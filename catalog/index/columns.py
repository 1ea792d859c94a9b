"""Columns of the catalog in memory, each read when it is first asked for, and none before.

Rows are those of `models.parquet` (in the order of their lower-case ids) followed by models that came later. Numbers
are arrays with UNKNOWN where nothing is known; texts with few distinct values are codes into a list of words, so that
a filter looks at each word once. Ids are searched in DuckDB; everything else is arithmetic over arrays, one byte to
eight per model, which is why two million models take little memory and no start-up time.
"""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from catalog.database import connect, in_words, quoted
from catalog.index.rows import HotRow

MOST_RECORDS_KEPT = 5_000
"""Opened records kept: the next filter as a rule leaves many of the same models at the top."""
UNKNOWN = -1
"""In number columns: not known. Counts and dates are never negative."""

Mask = NDArray[np.bool_]
Numbers = NDArray[Any]
T = TypeVar("T")


class Coded(NamedTuple):
    """A text column: for each row the number of its word, or UNKNOWN."""

    codes: Numbers
    words: tuple[str, ...]


class StoredRecord(NamedTuple):
    """The record of a row as JSON, and what a snapshot adds to it."""

    record: str
    license_case: str
    rank: int | None = None
    rank_before: int | None = None
    downloads_before: int | None = None


class Columns:
    """The columns of one Parquet file (or none) and of the rows that came later. Safe to use from several threads."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._database = connect()
        self._lock = threading.RLock()
        self._kept: dict[str, Any] = {}
        self._records: dict[int, StoredRecord] = {}
        self.later: tuple[HotRow, ...] = ()
        self.stored = 0 if path is None else int(self._read("SELECT count(*)")[0][0])
        self.rows = self.stored

    def put_later(self, rows: Sequence[HotRow]) -> None:
        """Put rows behind those of the file; only before any column was read."""
        self.later = tuple(rows)
        self.rows = self.stored + len(self.later)

    def numbers(self, name: str, kind: str = "BIGINT") -> Numbers:
        """A number column; UNKNOWN where nothing is known."""
        return self._keep(name, lambda: self._numbers(name, kind))

    def coded(self, name: str) -> Coded:
        """A text column with few distinct values."""
        return self._keep(name, lambda: self._coded(name))

    def sizes(self, quantization: str) -> tuple[Numbers, Numbers]:
        """Rows with a file in that quantization, and its exact bytes."""
        return self._keep(f"sizes {quantization}", lambda: self._sizes(quantization.upper()))

    def ids_with(self, condition: str, values: Sequence[str]) -> Mask:
        """Rows of the file whose lower-case id meets an SQL condition, followed by False for the later ones."""
        found = np.zeros(self.rows, np.bool_)
        if self.stored:
            self._keep("ids", self._load_ids)
            query = f"SELECT {condition} AS found FROM ids"
            found[: self.stored] = self._database.cursor().execute(query, list(values)).fetchnumpy()["found"]
        return found

    def rows_of(self, ids: Sequence[str]) -> dict[str, int]:
        """Lower-case id → its row in the file, for those that are there."""
        if not self.stored or not ids:
            return {}
        if "ids" in self._kept:
            query = f"SELECT id, row FROM ids WHERE id IN ({_texts(ids)})"
            return dict(self._database.cursor().execute(query).fetchall())
        # One id is in one or two row groups of the sorted file, which costs less than loading two million of them.
        found = self._read("SELECT id_lower, file_row_number", f"WHERE id_lower IN ({_texts(ids)})")
        return {text: int(row) for text, row in found}

    def records(self, rows: Sequence[int]) -> dict[int, StoredRecord]:
        """Row → its record and how it moved since the snapshot before, for any rows."""
        stored = [int(row) for row in rows if row < self.stored]
        found: dict[int, StoredRecord] = {}
        for row in rows:
            if row >= self.stored:
                later = self.later[row - self.stored]
                found[int(row)] = StoredRecord(later.record, later.license_case)
        known = self._records
        missing = [row for row in stored if row not in known]
        if missing:
            select = f"SELECT file_row_number, {', '.join(StoredRecord._fields)}"
            read = self._read(select, f"WHERE file_row_number IN ({','.join(map(str, missing))})")
            # A new dictionary, so that a thread that looks things up in the old one finds them.
            known = known | {row: StoredRecord(*values) for row, *values in read}
            self._records = known if len(known) <= MOST_RECORDS_KEPT else {}
        found |= {row: known[row] for row in stored}
        return found

    def children(self, parent: str) -> list[int]:
        """Rows whose declared parents contain a lower-case id."""
        bars = f"|{parent}|"
        stored = self._read("SELECT file_row_number", f"WHERE contains(parents, {quoted(bars)})") if self.stored else []
        later = [self.stored + number for number, row in enumerate(self.later) if bars in (row.parents or "")]
        return [int(row) for (row,) in stored] + later

    def close_ids(self, wanted: str) -> list[str]:
        """A few ids of the file that look like one, by whole id or by the part after the owner."""
        if not self.stored:
            return []
        self._keep("ids", self._load_ids)
        name = wanted.rsplit("/", 1)[-1]
        parts = sorted(name.replace("_", "-").split("-"), key=len, reverse=True)[:2]
        likely = " OR ".join(f"contains(id, {quoted(part)})" for part in parts if len(part) > 2) or "false"
        query = f"""
            SELECT row FROM ids WHERE {likely}
            ORDER BY greatest(jaro_winkler_similarity(id, {quoted(wanted)}),
                              jaro_winkler_similarity(split_part(id, '/', 2), {quoted(name)})) DESC, row LIMIT 5
        """
        rows = [int(row) for (row,) in self._database.cursor().execute(query).fetchall()]
        wanted_rows = ",".join(map(str, rows)) or "-1"
        ids = dict(self._read("SELECT file_row_number, id", f"WHERE file_row_number IN ({wanted_rows})"))
        return [ids[row] for row in rows]

    def source(self) -> str:
        """The Parquet file as SQL that can be selected from, with `file_row_number`."""
        return f"read_parquet({quoted(self._path or '')}, file_row_number=true)"

    def notes(self) -> dict[str, str]:
        """What the update that wrote the file noted in it: layout, dates of its snapshots."""
        if self._path is None:
            return {}
        with in_words(self._path, "read"):
            query = f"SELECT decode(key), decode(value) FROM parquet_kv_metadata({quoted(self._path)})"
            return dict(self._database.cursor().execute(query).fetchall())

    def write(self, query: str, target: Path, arrays: dict[str, Numbers], texts: dict[str, list[str]]) -> None:
        """Write a query to a Parquet file; it may name the tables `arrays` and `texts` made of the columns given."""
        cursor = self._database.cursor()
        cursor.register("arrays", arrays)
        columns = ", ".join(f"unnest(?::VARCHAR[]) AS {name}" for name in texts)
        with in_words(target, "written"):
            cursor.execute(f"CREATE OR REPLACE TEMP TABLE texts AS SELECT {columns}", list(texts.values()))
            cursor.execute(f"COPY ({query}) TO {quoted(target)} (FORMAT parquet, COMPRESSION zstd)")

    def _keep(self, name: str, load: Callable[[], T]) -> T:
        with self._lock:
            if name not in self._kept:
                self._kept[name] = load()
            kept: T = self._kept[name]
            return kept

    def _read(self, select: str, where: str = "") -> list[Any]:
        with in_words(self._path or Path(), "read"):
            return self._database.cursor().execute(f"{select} FROM {self.source()} {where}").fetchall()

    def _array(self, expression: str) -> Numbers:
        with in_words(self._path or Path(), "read"):
            # An alias that is also a column would be that column again.
            query = f"SELECT {expression} AS outcome FROM {self.source()}"
            return np.asarray(self._database.cursor().execute(query).fetchnumpy()["outcome"])

    def _numbers(self, name: str, kind: str) -> Numbers:
        unknown = np.nan if kind == "DOUBLE" else UNKNOWN
        values = [getattr(row, name, None) for row in self.later]  # ranks and growth only come with a snapshot
        later = np.array([unknown if value is None else value for value in values], np.float64)
        if not self.stored:
            return later if kind == "DOUBLE" else later.astype(np.int64)
        stored = self._array(f"coalesce({name}::{kind}, '{unknown}'::{kind})")
        return np.concatenate([stored, later.astype(stored.dtype)])

    def _coded(self, name: str) -> Coded:
        words: list[str] = []
        stored = np.zeros(0, np.int32)
        if self.stored:
            query = f"SELECT DISTINCT {name} FROM {self.source()} WHERE {name} IS NOT NULL ORDER BY 1"
            with in_words(self._path or Path(), "read"):
                words = [word for (word,) in self._database.cursor().execute(query).fetchall()]
                kind = f"words_{name}"
                # DuckDB reads a type's words from a query only without bound values.
                listed = f"(SELECT DISTINCT {name} FROM {self.source()} WHERE {name} IS NOT NULL ORDER BY 1)"
                self._database.cursor().execute(f"CREATE TYPE {kind} AS ENUM {listed}")
            width = "SMALLINT" if len(words) < 2**15 else "INTEGER"
            stored = self._array(f"coalesce(enum_code({name}::{kind})::{width}, {UNKNOWN}::{width})")
        code = {word: number for number, word in enumerate(words)}
        later = []
        for row in self.later:
            word = getattr(row, name)
            later.append(UNKNOWN if word is None else code.setdefault(word, len(code)))
        codes = np.concatenate([stored, np.array(later, np.int32)])
        return Coded(codes if len(code) >= 2**15 else codes.astype(np.int16), tuple(code))

    def _sizes(self, quantization: str) -> tuple[Numbers, Numbers]:
        rows: list[int] = []
        sizes: list[int] = []
        if self.stored:
            marker = f"|{quantization}:"
            part = f"split_part(split_part(sizes, {quoted(marker)}, 2), '|', 1)::BIGINT"
            query = f"SELECT file_row_number AS row, {part} AS size FROM {self.source()} WHERE contains(sizes, "
            with in_words(self._path or Path(), "read"):
                found = self._database.cursor().execute(f"{query}{quoted(marker)})").fetchnumpy()
        for number, row in enumerate(self.later):
            for entry in (row.sizes or "").strip("|").split("|"):
                name, _, size = entry.partition(":")
                if name == quantization:
                    rows.append(self.stored + number)
                    sizes.append(int(size))
        if not self.stored:
            return np.array(rows, np.int64), np.array(sizes, np.int64)
        stored_rows, stored_sizes = np.asarray(found["row"]), np.asarray(found["size"])
        return np.concatenate([stored_rows, rows]).astype(np.int64), np.concatenate([stored_sizes, sizes]).astype(
            np.int64
        )

    def _load_ids(self) -> bool:
        cursor = self._database.cursor()
        with in_words(self._path or Path(), "read"):
            query = f"SELECT id_lower AS id, file_row_number::INTEGER AS row FROM {self.source()}"
            cursor.execute(f"CREATE OR REPLACE TABLE ids AS {query}")
        return True


def _texts(texts: Sequence[str]) -> str:
    return ",".join(quoted(text) for text in texts)
