"""The event file: append-only JSON lines, written by the worker, read by its parent, and after a crash by both.

It is the write-ahead log of a run: a line is complete when it ends in a newline; half a line at the end is what a
killed process leaves and is ignored. Does not know what events mean.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from runners.records import RunEvent, run_event_adapter


class EventWriter:
    """Appends events, each one on disk before the call returns to the caller."""

    def __init__(self, path: Path) -> None:
        _end_last_line(path)
        self._file = path.open("ab", buffering=0)

    def write(self, event: RunEvent) -> None:
        """Append one event. Raises OSError, for instance when the disk is full."""
        self._file.write(event.model_dump_json().encode() + b"\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class EventReader:
    """Reads events as they are appended."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def new_events(self) -> Iterator[RunEvent]:
        """Complete lines since the last call; a line that is no event is passed over."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._offset)
            data = file.read()
        end = data.rfind(b"\n") + 1
        self._offset += end
        for line in data[:end].splitlines():
            try:
                yield run_event_adapter.validate_json(line)
            except ValidationError:
                # A line that two processes garbled when one was killed; its example counts as missing and is run again.
                continue


def read_events(path: Path) -> tuple[RunEvent, ...]:
    """All complete events of a file; empty where there is none."""
    return tuple(EventReader(path).new_events())


def _end_last_line(path: Path) -> None:
    if not path.exists() or not path.is_file() or path.stat().st_size == 0:
        return
    with path.open("rb+") as file:
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b"\n":
            file.write(b"\n")
