"""The wish that the app ends: from the page, from Ctrl-C, from a signal."""

import signal
import threading
from contextlib import suppress

_ANSWER_SECONDS = 0.5
_LOOK_SECONDS = 0.2


class Ending:
    """What the process waits for while it serves the page."""

    def __init__(self) -> None:
        self._wished = threading.Event()

    def wish(self) -> None:
        """Ask for the end; the page still gets its answer."""
        threading.Timer(_ANSWER_SECONDS, self._wished.set).start()

    def wait(self) -> None:
        """Until it is asked for. Only in the main thread, where signals arrive."""
        signal.signal(signal.SIGTERM, lambda *_: self._wished.set())
        with suppress(KeyboardInterrupt):
            # Windows does not interrupt a wait without an end.
            while not self._wished.wait(_LOOK_SECONDS):
                pass
        self._wished.set()

    def is_wished(self) -> bool:
        """Whether it was asked for."""
        return self._wished.is_set()
