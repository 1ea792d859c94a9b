"""Reads Parquet as a stream; names of classes that Hugging Face keeps beside the numbers are put in their place."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runners.errors import BadTestSet
from runners.test_sets.cells import Cell
from runners.test_sets.records import FileForm
from runners.test_sets.tables import Table, TableRow

_ROWS_AT_ONCE = 4_096


def open_parquet(path: Path) -> Table:
    """The table in a Parquet file. Raises BadTestSet."""
    if path.stat().st_size == 0:
        raise BadTestSet(f"{path} is empty (0 bytes). Write or download it again.")
    schema = _open(path).schema_arrow
    header = tuple(str(name) for name in schema.names)
    doubled = next((name for name in header if header.count(name) > 1), None)
    if doubled is not None:
        raise BadTestSet(f"{path}: the column {doubled!r} appears twice. Rename one of them.")
    classes = _class_names(schema.metadata or {})
    notes = tuple(
        f"The numbers in {name!r} stand for names that the file gives: {', '.join(names[:6])}"
        + (" …." if len(names) > 6 else ".")
        for name, names in classes.items()
    )
    return Table(FileForm(format="parquet", notes=notes), header, lambda: _rows(path, classes))


def _open(path: Path) -> Any:
    import pyarrow
    import pyarrow.parquet

    try:
        return pyarrow.parquet.ParquetFile(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise BadTestSet(f"{path} cannot be read as Parquet: {_sentence(error)} Write or download it again.") from error


def _rows(path: Path, classes: dict[str, list[str]]) -> Iterator[TableRow]:
    import pyarrow

    number = 0
    file = _open(path)
    try:
        for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE):
            for values in batch.to_pylist():
                number += 1
                yield TableRow(number, values if not classes else _named(values, classes))
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        raise BadTestSet(
            f"{path} cannot be read after row {number:,}: {_sentence(error)} Write or download it again."
        ) from error
    finally:
        file.close()


def _class_names(metadata: dict[bytes, bytes]) -> dict[str, list[str]]:
    """Names of classes by column, as Hugging Face keeps them in a file's metadata."""
    try:
        features = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"]
        return {
            str(name): [str(each) for each in feature["names"]]
            for name, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" and feature.get("names")
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _named(values: dict[str, Cell], classes: dict[str, list[str]]) -> dict[str, Cell]:
    named = dict(values)
    for name, names in classes.items():
        value = values.get(name)
        # -1 is what unlabelled splits hold.
        if isinstance(value, int) and value < len(names):
            named[name] = names[value] if value >= 0 else None
    return named


def _sentence(error: Exception) -> str:
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return text if text.endswith(".") else f"{text}."
