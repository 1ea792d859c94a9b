"""A scorer of the user's own: calls a Python function in a child process that can be ended at any moment."""

import contextlib
import hashlib
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from runners.errors import ScoringFailed
from runners.records import Completion, Validity
from runners.scorers.judgement import Judgement, trouble, unread
from runners.test_set_records import Example, TestSet
from runners.text_scorer_options import PythonOptions

_LOAD_SECONDS = 120.0
"""Longest time for importing the function's module: it may need large libraries."""

_END_SECONDS = 2.0
"""What a process that closed its output gets to end."""


class PythonFunction:
    """What a function says: `function(answer, example)` with the answer as text and the example as a dict.

    It returns True or False, a number from 0 to 1, None where no answer can be read, or a dict with `value`, and if it
    likes `predicted` (the answer as understood) and `counts` (numbers by name). It is not asked where there is no
    answer at all; an answer that was cut off it gets like any other. An exception, an end of the process or more time
    than allowed makes the example a failure of scoring, never a zero, and the next call has a fresh process.
    """

    version = "1"

    def __init__(self, options: PythonOptions) -> None:
        self._options = options
        self._child: subprocess.Popen[bytes] | None = None
        self._cannot_load: str | None = None

    def __call__(self, completion: Completion, example: Example, _test_set: TestSet) -> Judgement:
        """Judge one completion."""
        found = trouble(completion)
        if found is not None:
            return Judgement(found)
        if self._child is None:
            self._start()
        call = {"answer": completion.text, "example": example.model_dump(mode="json")}
        reply = self._ask(call, self._options.seconds, f"on the answer to {example.id!r}")
        if reply.get("value") is None:
            return Judgement(unread(completion))
        return Judgement(Validity.SCORED, reply["value"], reply.get("predicted"), reply.get("counts") or {})

    def _start(self) -> None:
        if self._cannot_load is not None:
            raise ScoringFailed(self._cannot_load)
        options = self._options
        try:
            path = self._checked_source()
            self._child = subprocess.Popen(
                [sys.executable, "-P", "-m", "runners.scorers.python_child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
            )
            module, _, function = options.function.rpartition(":")
            is_file = module.endswith(".py")
            what = {"path": str(path), "module": "" if is_file else module, "function": function}
            self._ask(what, _LOAD_SECONDS, "while its module was imported")
        except ScoringFailed as error:
            # Every further answer would wait for the same.
            self._cannot_load = str(error)
            self.close()
            raise

    def _checked_source(self) -> Path:
        options = self._options
        if options.path is None:
            raise ScoringFailed(f"The scorer {options.function!r} was not prepared: nobody has looked for its source.")
        try:
            digest = hashlib.sha256(Path(options.path).read_bytes()).hexdigest()
        except OSError as error:
            raise ScoringFailed(f"The scorer's file {options.path} cannot be read: {error.strerror}.") from error
        if digest != options.sha256:
            raise ScoringFailed(
                f"{options.path} has changed since the benchmark was prepared. Start the benchmark anew: its results "
                "belong to another version of the function."
            )
        return Path(options.path)

    def _ask(self, order: Mapping[str, object], seconds: float, when: str) -> dict[str, Any]:
        """Send one line and wait for one. Raises ScoringFailed."""
        line = json.dumps({**order, "seconds": seconds}).encode() + b"\n"
        answer = self._exchange(line, time.monotonic() + seconds)
        name = self._options.function
        if answer is None:
            self.close()
            raise ScoringFailed(f"The function {name} took longer than {seconds:g} s {when} and was ended.")
        if not answer.endswith(b"\n"):
            code = self._ended()
            raise ScoringFailed(f"The process of the function {name} ended {when} ({code}).")
        reply: dict[str, Any] = json.loads(answer)
        if "error" in reply:
            raise ScoringFailed(f"The function {name} failed {when}: {reply['error']}")
        return reply

    def _exchange(self, line: bytes, until: float) -> bytes | None:
        """The line that comes back; unfinished where the process ended, None where the time is over."""
        child = self._child
        if child is None or child.stdin is None or child.stdout is None:
            raise AssertionError("a child is started before it is asked")
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(line)
        answer = b""
        while not answer.endswith(b"\n"):
            ready, _, _ = select.select([child.stdout], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                return None
            piece = os.read(child.stdout.fileno(), 65_536)
            if not piece:
                return answer
            answer += piece
        return answer

    def _ended(self) -> str:
        """How the process ended, in words."""
        child = self._child
        if child is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(timeout=_END_SECONDS)
        self.close()
        code = child.returncode if child is not None else None
        return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"

    def close(self) -> None:
        """End the process and whatever it started."""
        child, self._child = self._child, None
        if child is None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in psutil.Process(child.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        if child.poll() is None:
            child.kill()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()
        child.wait()
