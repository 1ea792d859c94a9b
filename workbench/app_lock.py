"""One app per data directory: the second start says where the first one is."""

import json
import os
from types import TracebackType

from filelock import FileLock, Timeout

from workbench.errors import Busy
from workbench.settings import Settings


class AppLock:
    """Held while the app runs; the system lets go of it however the app ends."""

    def __init__(self, settings: Settings) -> None:
        self._home = settings.home
        self._lock = FileLock(settings.app_lock_path)
        self._note = settings.app_lock_path.with_suffix(".json")

    def __enter__(self) -> "AppLock":
        """Take the lock. Raises Busy with the address of the app that holds it."""
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            known = json.loads(self._note.read_text()) if self._note.exists() else {}
            where = f" at {known['address']} (process {known['pid']})" if known else ""
            message = (
                f"The app already runs on the data directory {self._home}{where}. "
                "Open that address, or start a second app with another directory: --home DIR."
            )
            raise Busy(message) from error
        self._note.unlink(missing_ok=True)
        return self

    def announce(self, address: str) -> None:
        """Write down where the app can be reached, for whoever comes second."""
        self._note.write_text(json.dumps({"address": address, "pid": os.getpid()}))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go."""
        self._note.unlink(missing_ok=True)
        self._lock.release()
