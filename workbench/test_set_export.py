"""Writes the examples of a kept test set as CSV, TSV, JSON lines or Parquet, under the names of their columns.

Imported again under its name, such a file makes no new version.
"""

import csv
import json
from collections.abc import Callable, Iterable, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any

from results.test_set_records import KeptTestSet
from results.test_set_staging import Labelled
from runners.test_sets.records import Columns

_ROWS_AT_ONCE = 8_192
_Rows = Iterable[dict[str, Any]]


def export_examples(kept: KeptTestSet, examples: Iterable[Labelled], path: Path, ending: str) -> None:
    """Write them in the format that the ending names, one of ENDINGS. Raises OSError."""
    rows = (_flat(kept.columns, labelled) for labelled in examples)
    first = next(rows, {})
    _WRITERS[ending](path, tuple(first), chain([first] if first else [], rows))


def _flat(columns: Columns, labelled: Labelled) -> dict[str, Any]:
    """One example as a row of the file it came from."""
    example = labelled.example
    row: dict[str, Any] = {columns.id: example.id} if columns.id else {}
    row |= example.inputs
    row[columns.target] = example.target
    if columns.accepted:
        row[columns.accepted] = list(example.accepted)
    elif example.accepted or _holds_lists(columns):
        row[columns.target] = list(example.targets) if example.target else []
    if len(columns.choices) == 1:
        row[columns.choices[0]] = list(example.choices)
    if len(columns.passages) == 1 and columns.passages[0] not in example.inputs:
        row[columns.passages[0]] = list(example.passages)
    if columns.relevant:
        row[columns.relevant] = list(example.relevant)
    if columns.weight:
        row[columns.weight] = example.weight
    if columns.second_label:
        row[columns.second_label] = labelled.second_label or ""
    return row


def _holds_lists(columns: Columns) -> bool:
    """Whether the target's column may hold several right answers by its name, as `answers` does."""
    return columns.target.casefold().endswith("s")


def _write_csv(path: Path, names: tuple[str, ...], rows: _Rows, delimiter: str = ",") -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(names)
        for row in rows:
            writer.writerow([_cell(row.get(name)) for name in names])


def _write_tsv(path: Path, names: tuple[str, ...], rows: _Rows) -> None:
    _write_csv(path, names, rows, "\t")


def _write_jsonl(path: Path, names: tuple[str, ...], rows: _Rows) -> None:  # noqa: ARG001  one of a family
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _write_parquet(path: Path, names: tuple[str, ...], rows: _Rows) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    iterator = iter(rows)
    batch = list(islice(iterator, _ROWS_AT_ONCE))
    schema = pa.schema([(name, _arrow_type(pa, batch, name)) for name in names])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        while batch:
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))
            batch = list(islice(iterator, _ROWS_AT_ONCE))


def _arrow_type(pa: Any, batch: list[dict[str, Any]], name: str) -> Any:
    value: Any = batch[0].get(name)
    if isinstance(value, float):
        return pa.float64()
    if isinstance(value, list):
        numbers = any(isinstance(item, int) for row in batch for item in row.get(name) or ())
        return pa.list_(pa.int64() if numbers else pa.string())
    return pa.string()


def _cell(value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | Mapping) else value


_WRITERS: dict[str, Callable[[Path, tuple[str, ...], _Rows], None]] = {
    ".csv": _write_csv,
    ".tsv": _write_tsv,
    ".jsonl": _write_jsonl,
    ".parquet": _write_parquet,
}
ENDINGS = tuple(_WRITERS)
"""Endings of files that can be written."""
