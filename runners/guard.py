"""Holds a program for a process that may die at any moment: `python -P -m runners.guard`, started by start_guarded.

Its standard input is a pipe from that process. The first line says what to start; end of file means that nobody is
left who wants it, however that came about, and the guard ends the program with everything it started. It sits in a
session of its own, so that nothing that ends its parent ends it first, and adopts what its children leave behind.
Linux only. Restarts nothing.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import IO

import psutil

LOOK_SECONDS = 0.2
"""Between two looks at the program; an end of the parent is noticed at once."""
GRACE_SECONDS = 5
"""What a program gets to end by itself."""
SIGNALLED = 128
"""Exit code of the guard: the program's own, or this and the number of the signal that ended it."""

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
"""linux/prctl.h"""


def start_guarded(
    command: Sequence[str], variables: Mapping[str, str], output: int | IO[bytes]
) -> "subprocess.Popen[bytes]":
    """Start a program under a guard; its output and that of the guard go to `output`. Raises OSError.

    `variables` are set in the program's environment and stand in no command line. Close the returned process's
    standard input to end the program, then wait for it; afterwards nothing of it is left.
    """
    guard = subprocess.Popen(
        [sys.executable, "-P", "-m", "runners.guard"],
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    order = json.dumps({"command": list(command), "variables": dict(variables)})
    if guard.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            guard.stdin.write(order.encode() + b"\n")
            guard.stdin.flush()
    return guard


def end_guarded(guard: "subprocess.Popen[bytes]") -> int:
    """End the program and wait until nothing of it is left; its exit code. May be called twice."""
    if guard.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            guard.stdin.close()
    return guard.wait()


def main() -> int:
    """Start what the first line of standard input says and stay until it or the parent ends."""
    order = json.loads(sys.stdin.buffer.readline() or b"{}")
    if not order:
        return 0
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    for name, value in order["variables"].items():
        os.putenv(name, value)
    try:
        program = subprocess.Popen(
            order["command"],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_end_with_guard,  # noqa: PLW1509  safe here: the guard has one thread
        )
    except OSError as error:
        sys.stderr.write(f"{order['command'][0]} cannot be started: {error.strerror}.\n")
        return 127
    try:
        _until_either_ends(program)
    finally:
        _end(program)
    code = program.returncode
    return SIGNALLED - code if code < 0 else code


def _until_either_ends(program: "subprocess.Popen[bytes]") -> None:
    """Whatever the parent writes after its first line means nothing; only the end of the pipe does."""
    pipe = sys.stdin.fileno()
    while program.poll() is None:
        readable, _, _ = select.select([pipe], [], [], LOOK_SECONDS)
        if readable and not os.read(pipe, 1024):
            return


def _end(program: "subprocess.Popen[bytes]") -> None:
    """Ask, wait, kill; orphans of the program are children of the guard by then, in whatever group they are."""
    if program.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            program.wait(timeout=GRACE_SECONDS)
    while left := psutil.Process().children(recursive=True):
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        program.wait()
        # The others: who waits for a process takes its exit code, and the program's is told below.
        psutil.wait_procs([process for process in left if process.pid != program.pid], timeout=GRACE_SECONDS)


def _end_with_guard() -> None:
    """A guard that is killed itself can end nothing any more: the system then asks the program to end."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main())
