"""Starts programs that outlive the call: a browser's window, the app of another workspace. Waits for neither.

What is started gets a session of its own, so that Ctrl-C in the terminal reaches only who it was meant for.
"""

import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

GIVES_UP_WITHIN_SECONDS = 1.5
"""A browser that cannot open a window ends with an error by then."""


def start_program(command: Sequence[str], log: Path | None = None) -> bool:
    """Start a program; False where there is none, or where it fails at once. Its words go to the log, or nowhere."""
    try:
        if log is None:
            child = _start(command, subprocess.DEVNULL)
        else:
            with log.open("ab") as output:
                child = _start(command, output.fileno())
    except OSError:
        return False
    try:
        return child.wait(GIVES_UP_WITHIN_SECONDS) == 0
    except subprocess.TimeoutExpired:
        # Waited for in the background, so that nothing of it is left in the table of processes when it ends.
        threading.Thread(target=child.wait, name="started program", daemon=True).start()
        return True


def _start(command: Sequence[str], output: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
    )
