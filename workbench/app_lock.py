"""One app per data directory: whoever comes second learns where the first one is.

The lock is the system's, which lets go of it however the app ends; the note beside it is only an address, and an old
note means nothing without the lock.
"""

import os
import socket
import time
from types import TracebackType
from urllib.parse import urlsplit

from filelock import FileLock, Timeout
from pydantic import ValidationError

from catalog.errors import WorkbenchError
from catalog.records import Record
from workbench.errors import Busy
from workbench.settings import Settings

START_SECONDS = 60.0
"""An app that holds the lock has said where it is by then."""
_LOOK_SECONDS = 0.2
_GLANCE_SECONDS = 0.5
"""Whoever only looks whether an app runs holds the lock for less; a start that meets such a look goes on after it."""


class RunningApp(Record):
    """An app that answers."""

    address: str
    """Of its page."""
    pid: int
    """Its process."""


class AlreadyRuns(WorkbenchError):
    """An app has this data directory; no mistake, its page can be shown."""

    def __init__(self, app: RunningApp) -> None:
        super().__init__(f"The app already runs at {app.address} (process {app.pid}).")
        self.app = app


class AppLock:
    """Held while the app runs."""

    def __init__(self, settings: Settings, *, patience_seconds: float = START_SECONDS) -> None:
        self._home = settings.home
        self._lock = FileLock(settings.app_lock_path)
        self._note = settings.app_lock_path.with_suffix(".json")
        self._patience_seconds = patience_seconds

    def __enter__(self) -> "AppLock":
        """Take the lock. Raises AlreadyRuns with the app that holds it, or Busy where that one does not answer."""
        try:
            self._lock.acquire(timeout=min(_GLANCE_SECONDS, self._patience_seconds), poll_interval=0.02)
        except Timeout as error:
            raise AlreadyRuns(self._wait_for_holder()) from error
        self._note.unlink(missing_ok=True)
        return self

    def announce(self, address: str) -> None:
        """Write down where the app can be reached, for whoever comes second."""
        partial = self._note.with_suffix(".partial")
        partial.write_text(RunningApp(address=address, pid=os.getpid()).model_dump_json(), encoding="utf-8")
        partial.replace(self._note)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go."""
        self._note.unlink(missing_ok=True)
        self._lock.release()

    def _wait_for_holder(self) -> RunningApp:
        """The app that holds the lock, once it answers: it may only just have been started. Raises Busy."""
        deadline = time.perf_counter() + self._patience_seconds
        while True:
            found = self._read_note()
            if found is not None and _answers(found.address):
                return found
            if time.perf_counter() >= deadline:
                break
            time.sleep(_LOOK_SECONDS)
        known = f" (process {found.pid}, at {found.address})" if found is not None else ""
        raise Busy(
            f"Another process{known} holds the data directory {self._home} and does not answer. Wait until it is "
            "ready, or end it and start again; another directory can be named with --home DIR."
        )

    def _read_note(self) -> RunningApp | None:
        try:
            return RunningApp.model_validate_json(self._note.read_text(encoding="utf-8"))
        except (OSError, ValidationError, UnicodeDecodeError):
            return None


def running_app(settings: Settings) -> RunningApp | None:
    """The app of a data directory, where one runs and answers; waits for none."""
    lock = AppLock(settings, patience_seconds=0)
    if not settings.app_lock_path.exists():
        return None
    try:
        with lock:
            return None
    except AlreadyRuns as found:
        return found.app
    except Busy:
        return None


def _answers(address: str) -> bool:
    """Whether somebody listens there."""
    place = urlsplit(address)
    try:
        with socket.create_connection((place.hostname or "", place.port or 80), timeout=1):
            return True
    except OSError:
        return False
