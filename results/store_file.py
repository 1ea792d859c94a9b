"""Opens the results file: brings it up to date, runs one transaction, and says in sentences what is wrong with it.

DuckDB lets one process hold a file, so nobody holds it for long: that way the app and the command line live side by
side. Opening takes tens of milliseconds, though, and one move of a person may read several times; who says so keeps
the file open for a moment after reading. Whatever was written is in the file, and the file closed, when a call ends.
"""

import contextlib
import datetime
import json
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

import duckdb
from pydantic import ValidationError

from results import trouble
from results.errors import StoreBusy, StoreDamaged, StoreNotWritable

Stamp = tuple[int, ...]
"""Times and sizes of the file; empty where there is none."""

T = TypeVar("T")
Connection = duckdb.DuckDBPyConnection

_ONE_THREAD = threading.Lock()
"""Held while this process uses a file: threads that write at once would meet in conflicts instead of queueing."""
_FIRST_WAIT_SECONDS = 0.02
_LONGEST_WAIT_SECONDS = 0.25
_CONFIGURATION: dict[str, str | bool | int | float | list[str]] = {
    # Stored text is data: nothing may be fetched, loaded or looked up in Python because of it.
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "python_enable_replacements": False,
}
_MIGRATIONS_TABLE = """
    CREATE TABLE IF NOT EXISTS migrations (
        number INTEGER PRIMARY KEY, name VARCHAR NOT NULL, applied_at VARCHAR NOT NULL
    )
"""
_FILE_ERRORS = (
    duckdb.IOException,
    duckdb.SerializationException,
    duckdb.InternalException,
    duckdb.FatalException,
    duckdb.PermissionException,
)


class _Opened(NamedTuple):
    """A file that is kept open for a moment."""

    db: Connection
    stamp: Stamp
    """The file's, when it was opened: whoever moves or replaces it meanwhile is not to be overlooked."""
    end: threading.Timer | None = None
    """Closes it."""


class StoreFile:
    """One results file. Safe to use from several threads and several processes."""

    def __init__(self, path: Path, migrations: Path, *, wait_seconds: float, keep_open_seconds: float = 0) -> None:
        """Name the file; it is opened, and made where there is none, by the first call.

        wait_seconds bounds how long a call waits for another process that holds the file; keep_open_seconds how long
        the file stays open from its opening on, as long as it is only read.
        """
        self.path = path
        self._migrations = migrations
        self._wait_seconds = wait_seconds
        self._keep_open_seconds = keep_open_seconds
        self._kept: _Opened | None = None

    def stamp(self) -> Stamp:
        """Changes whenever anybody writes to the file; reading leaves it. Empty where there is no file yet."""
        found: list[int] = []
        # What was committed and not yet moved into the file stands beside it.
        for path in (self.path, self.path.with_name(f"{self.path.name}.wal")):
            with contextlib.suppress(FileNotFoundError):
                stat = path.stat()
                found += [stat.st_mtime_ns, stat.st_size, stat.st_ino]
        return tuple(found)

    def do(self, action: Callable[[Connection], T]) -> T:
        """Run an action in one transaction, waiting in turn for other threads and for whoever else holds the file.

        StoreBusy, StoreDamaged, StoreNotWritable; whatever the action raises undoes what it did.
        """
        deadline = time.perf_counter() + self._wait_seconds
        wait = _FIRST_WAIT_SECONDS
        while True:
            if not _ONE_THREAD.acquire(timeout=max(0.0, deadline - time.perf_counter())):
                raise StoreBusy(trouble.busy(self.path, "", self._wait_seconds))
            try:
                return self._attempt(action)
            except duckdb.IOException as error:
                # Only a lock gets here; every other trouble with the file has become an error of ours.
                if time.perf_counter() + wait > deadline:
                    raise StoreBusy(trouble.busy(self.path, str(error), self._wait_seconds)) from error
            finally:
                _ONE_THREAD.release()
            time.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT_SECONDS)

    def close(self) -> None:
        """Close the file and keep it open no more; it can still be read and written."""
        with _ONE_THREAD:
            self._keep_open_seconds = 0
            if self._kept is not None:
                self._close(self._kept)

    def _attempt(self, action: Callable[[Connection], T]) -> T:
        try:
            opened = self._open()
            try:
                opened.db.begin()
                outcome = action(opened.db)
                opened.db.commit()
            except BaseException:
                self._close(opened)
                raise
            if self._kept is not opened or self.stamp() != opened.stamp:
                self._close(opened)
            return outcome
        except OSError as error:
            raise StoreNotWritable(trouble.not_writable(self.path, str(error))) from error
        except (ValidationError, json.JSONDecodeError) as error:
            raise StoreDamaged(trouble.does_not_parse(self.path, str(error))) from error
        except duckdb.Error as error:
            # A corrupt block is reported by the bare base class; other kinds are mistakes of ours and pass through.
            of_the_file = isinstance(error, _FILE_ERRORS) or type(error) is duckdb.Error
            if not of_the_file or trouble.is_locked(str(error)):
                raise
            if trouble.is_not_writable(str(error)):
                raise StoreNotWritable(trouble.not_writable(self.path, str(error))) from error
            raise StoreDamaged(trouble.damaged(self.path, str(error))) from error

    def _open(self) -> _Opened:
        """The file, open and up to date: the one that was kept, if it still is that file."""
        kept = self._kept
        if kept is not None and kept.stamp == self.stamp():
            return kept
        if kept is not None:
            self._close(kept)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        db = duckdb.connect(self.path, config=_CONFIGURATION)
        try:
            self._migrate(db)
        except BaseException:
            db.close()
            raise
        if self._keep_open_seconds <= 0:
            return _Opened(db, self.stamp())
        end = threading.Timer(self._keep_open_seconds, self._let_go)
        end.daemon = True
        self._kept = _Opened(db, self.stamp(), end)
        end.start()
        return self._kept

    def _let_go(self) -> None:
        """Close a file whose moment is over; one that was opened since has a timer of its own."""
        with _ONE_THREAD:
            if self._kept is not None and self._kept.end is threading.current_thread():
                self._close(self._kept)

    def _close(self, opened: _Opened) -> None:
        if self._kept is opened:
            self._kept = None
        if opened.end is not None:
            opened.end.cancel()
        opened.db.close()

    def _migrate(self, db: Connection) -> None:
        """Apply the migrations that the file does not have yet, each in one transaction with its record."""
        available = {int(file.stem.partition("_")[0]): file for file in self._migrations.glob("[0-9]*.sql")}
        applied = self._applied(db)
        if newer := applied - available.keys():
            raise StoreDamaged(trouble.newer(self.path, max(newer), max(available)))
        for number in sorted(available.keys() - applied):
            db.begin()
            try:
                db.execute(_MIGRATIONS_TABLE)
                db.execute(available[number].read_text(encoding="utf-8"))
                db.execute("INSERT INTO migrations VALUES (?, ?, ?)", [number, available[number].stem, now()])
                db.commit()
            except (duckdb.ProgrammingError, duckdb.DataError, duckdb.IntegrityError) as error:
                db.rollback()
                raise StoreDamaged(trouble.migration_failed(self.path, available[number].name, str(error))) from error

    def _applied(self, db: Connection) -> set[int]:
        """Numbers of the migrations that the file has; StoreDamaged where it is somebody else's database."""
        names = {name for (name,) in db.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
        if "migrations" in names:
            return {number for (number,) in db.execute("SELECT number FROM migrations").fetchall()}
        if names:
            raise StoreDamaged(trouble.foreign(self.path, sorted(names)))
        return set()


class Do(Protocol):
    """Runs an action in one transaction over the results file."""

    def __call__(self, action: Callable[[Connection], T]) -> T:
        """What the action gives."""
        ...


def read_rows(db: Connection, query: str, parameters: Sequence[object] | dict[str, Any] = ()) -> list[dict[str, Any]]:
    """What a query finds, each row by the names of its columns."""
    found = db.execute(query, parameters)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, values, strict=True)) for values in found.fetchall()]


def quoted(columns: Iterable[str]) -> str:
    """Names of columns as SQL takes them, those that are words of SQL too."""
    return ", ".join(f'"{name}"' for name in columns)


def now() -> str:
    """The present moment, as records keep it."""
    return datetime.datetime.now().astimezone().isoformat(timespec="seconds")
