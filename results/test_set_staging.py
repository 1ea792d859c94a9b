"""Examples on their way into and out of the results file: as Parquet, so that millions pass without being held.

Reading a large file takes minutes, and the results file lets nobody else in while it is written: so examples are first
written beside it, then taken in with one statement. The way out is the same.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from runners.test_set_records import Example

_ROWS_AT_ONCE = 8_192
_SCHEMA = pa.schema(
    [
        ("position", pa.int32()),
        ("id", pa.string()),
        ("digest", pa.int64()),
        ("inputs", pa.string()),
        ("target", pa.string()),
        ("accepted", pa.list_(pa.string())),
        ("choices", pa.list_(pa.string())),
        ("passages", pa.list_(pa.string())),
        ("relevant", pa.list_(pa.int32())),
        ("slices", pa.string()),
        ("weight", pa.float64()),
        ("row", pa.int32()),
        ("second_label", pa.string()),
    ]
)
COLUMNS = tuple(_SCHEMA.names)
"""Columns of the table that are written and read, in order."""
_LISTS = ("accepted", "choices", "passages", "relevant")


class Labelled:
    """An example with what a second person said of it."""

    __slots__ = ("example", "second_label")

    def __init__(self, example: Example, second_label: str | None = None) -> None:
        self.example = example
        self.second_label = second_label


class StagedExamples:
    """A Parquet file with examples: how many, and the hash of their content."""

    def __init__(self, path: Path, count: int, content_hash: str) -> None:
        self.path = path
        self.count = count
        self.content_hash = content_hash


def stage_examples(examples: Iterable[Labelled], path: Path, task: str) -> StagedExamples:
    """Write examples as they come."""
    whole = hashlib.sha256(task.encode())
    count = 0
    batch: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    with pq.ParquetWriter(path, _SCHEMA, compression="zstd") as writer:
        for labelled in examples:
            _add(batch, labelled, count, whole)
            count += 1
            if count % _ROWS_AT_ONCE == 0:
                writer.write_table(pa.table(batch, schema=_SCHEMA))
                batch = {name: [] for name in COLUMNS}
        writer.write_table(pa.table(batch, schema=_SCHEMA))
    return StagedExamples(path, count, whole.hexdigest()[:32])


def staged_examples(path: Path) -> Iterator[Labelled]:
    """The examples in such a file, a few at a time."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE):
            yield from map(_labelled, batch.to_pylist())


def _add(batch: dict[str, list[Any]], labelled: Labelled, position: int, whole: "hashlib._Hash") -> None:
    example = labelled.example
    inputs, slices = _json(example.inputs), _json(example.slices)
    lists = [getattr(example, name) for name in _LISTS]
    content = [example.id, inputs, example.target, *lists, slices, example.weight, labelled.second_label]
    digest = hashlib.sha256(_json(content).encode()).digest()
    whole.update(digest)
    values = {
        "position": position,
        "digest": int.from_bytes(digest[:8], "big", signed=True),
        "inputs": inputs,
        "slices": slices,
        "second_label": labelled.second_label,
    }
    for name, column in batch.items():
        column.append(values[name] if name in values else getattr(example, name))


def _labelled(row: Mapping[str, Any]) -> Labelled:
    example = Example(
        id=row["id"],
        inputs=json.loads(row["inputs"]),
        target=row["target"],
        slices=json.loads(row["slices"]),
        weight=row["weight"],
        row=row["row"],
        **{name: tuple(row[name] or ()) for name in _LISTS},
    )
    return Labelled(example, row["second_label"])


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
