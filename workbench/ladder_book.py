"""Remembers what files quantized here were made from, in ladder.json beside them, so that it moves with the folder."""

import json
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from catalog.records import Record
from runners.errors import EngineFailed

BOOK = "ladder.json"
"""Name of the book; a file's name → its Origin."""


class Origin(Record):
    """What one file was made from."""

    source: str
    """Name of the source's file."""
    source_sha256: str
    """Digest of the source."""
    quantization: str
    """What was made of it."""
    sha256: str | None = None
    """Digest of the file; None until it is finished."""


_ORIGINS = TypeAdapter(dict[str, Origin])


def read_origin(path: Path) -> Origin | None:
    """What a file was made from; None where nothing says so. Raises EngineFailed for a book that cannot be read."""
    return _read(path.with_name(BOOK)).get(path.name)


def write_origin(path: Path, origin: Origin) -> None:
    """Remember what a file is made from."""
    path.parent.mkdir(parents=True, exist_ok=True)
    book = path.with_name(BOOK)
    entries = {**_read(book), path.name: origin}
    partial = book.with_suffix(".partial")
    partial.write_text(json.dumps({name: entry.model_dump() for name, entry in entries.items()}, indent=1))
    partial.replace(book)


def _read(book: Path) -> dict[str, Origin]:
    if not book.exists():
        return {}
    try:
        return _ORIGINS.validate_json(book.read_bytes())
    except ValidationError as error:
        raise EngineFailed(
            f"{book} does not say what the files beside it were made from: {error.error_count()} entries cannot be "
            "read. Remove it and those files, or name another folder."
        ) from error
