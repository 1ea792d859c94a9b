"""The catalog's door to DuckDB: connections in memory over Parquet files, and what DuckDB says put into sentences.

DuckDB is used as a reader and writer of Parquet that streams and sorts on disk; no database file is ever opened here
(the results file belongs to `results.store`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection as Connection

from catalog.errors import BadCatalogData, CatalogError

__all__ = ["Connection", "connect", "in_words", "quoted"]


def connect(*, threads: int | None = None, memory_bytes: int | None = None, spill: Path | None = None) -> Connection:
    """A database in memory; `spill` is a folder for sorting what does not go into `memory_bytes`."""
    settings: dict[str, str | bool | int | float | list[str]] = {}
    if threads is not None:
        settings["threads"] = threads
    if memory_bytes is not None:
        settings["memory_limit"] = f"{memory_bytes // 1024**2}MiB"
    if spill is not None:
        settings["temp_directory"] = str(spill)
    database = duckdb.connect(":memory:", config=settings)
    database.execute("SET GLOBAL parquet_metadata_cache = true")
    return database


def quoted(text: str | Path) -> str:
    """A text as an SQL literal."""
    return "'" + str(text).replace("'", "''") + "'"


@contextmanager
def in_words(path: Path, doing: str) -> Iterator[None]:
    """Turn DuckDB's errors about a file into ours; `doing` completes 'The catalog file X cannot be …'."""
    try:
        yield
    except (duckdb.IOException, duckdb.InvalidInputException, duckdb.BinderException) as error:
        if "No space left" in str(error):
            raise CatalogError(f"The disk of {path.parent} is full. Free some space, then try again.") from error
        raise BadCatalogData(
            f"The catalog file {path} cannot be {doing}: {_first_line(error)} "
            "Remove the file and run `workbench catalog update`, or restore it from a backup."
        ) from error
    except duckdb.OutOfMemoryException as error:
        raise CatalogError(
            f"The memory allowed does not suffice for {path}: {_first_line(error)} Close other programs and try again."
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".") + "."
