"""Keeps a record in a JSON file, so that a restart loses nothing: the desk, a workspace's note, the known workspaces.

Every field is read on its own: what another version wrote and this one cannot read does not take the rest with it. A
file with such a part is copied beside itself before it is written over, and a sentence says so.
"""

import contextlib
import datetime
import json
import os
import shutil
import threading
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from catalog.errors import WorkbenchError

Kept = TypeVar("Kept", bound=BaseModel)


class NotKept(WorkbenchError):
    """What was chosen cannot be kept."""


class Found(NamedTuple, Generic[Kept]):
    """What was brought back."""

    record: Kept
    """As far as it can be read; else as it is at first."""
    trouble: str | None = None
    """A sentence where a part could not be read."""
    may_write: bool = True
    """False where the file as it was could not be copied aside and would be lost."""


def read_kept(path: Path, record: type[Kept]) -> Found[Kept]:
    """What was kept."""
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Found(record())
    except OSError as error:
        return Found(record(), *_set_aside(path, f"it cannot be read ({error.strerror})"))
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        return Found(record(), *_set_aside(path, "it is damaged"))
    known, lost = _readable(record, fields)
    try:
        kept = record.model_validate(known)
    except ValidationError as error:
        return Found(record(), *_set_aside(path, f"its parts do not fit together ({error.errors()[0]['msg']})"))
    return Found(kept, *_set_aside(path, f"this version cannot read its {', '.join(lost)}")) if lost else Found(kept)


def write_kept(path: Path, record: BaseModel) -> None:
    """Keep it, whole or not at all. Raises NotKept."""
    # Threads of one process may write at once, each its own draft of the file.
    partial = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.partial")
    try:
        partial.write_text(record.model_dump_json(indent=1), encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise NotKept(
            f"What you chose cannot be kept: {path} cannot be written ({error.strerror}). It stays on the page until "
            "the app stops; free some space or make the folder writable."
        ) from error


def _readable(record: type[BaseModel], fields: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The fields that this version can read, and the names of those it cannot."""
    known: dict[str, Any] = {}
    for name, value in fields.items():
        field = record.model_fields.get(name)
        if field is None:
            continue
        with contextlib.suppress(ValidationError):
            known[name] = TypeAdapter(field.rebuild_annotation()).validate_json(json.dumps(value))
    return known, sorted(set(fields) - set(known))


def _set_aside(path: Path, reason: str) -> tuple[str, bool]:
    """Copy the file as it was beside itself: the sentence about it, and whether the copy stands."""
    stamp = datetime.datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    copy = path.with_name(f"{path.stem}-{stamp}{path.suffix}")
    said = f"Not all that was kept in {path} could be brought back: {reason}."
    try:
        shutil.copy2(path, copy)
    except OSError as error:
        return (
            f"{said} It cannot be copied aside either ({error.strerror}), so nothing is written over it: what you "
            "choose now is gone when the app stops. Move the file away and start again.",
            False,
        )
    return f"{said} The file as it was is {copy.name}, beside it.", True
