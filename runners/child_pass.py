"""A library that loads a model gets a process of its own: `python -m MODULE SPEC.json`, told and heard in lines.

Lines on the child's standard output: `done DONE TOTAL` as it goes on, then `result JSON`, or `refused JSON` with a
sentence. Anything else is the library's talk. Knows no model; what is asked and answered is the caller's.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel

from runners.errors import EngineFailed, RunnerError
from runners.exit_codes import EXPECTED_FAILURE

Progress = Callable[[int, int], None]
"""Called with what is done and what there is."""

_LINES_QUOTED = 3
"""Lines of a child's last words that an error quotes."""


def run_in_child(module: str, spec: Path, what: str, on_progress: Progress) -> str:
    """Run a module on a spec file; what it found, as JSON.

    Raises EngineFailed: what the child refuses, in its words, or that it ended, with its last ones. `what` begins that
    sentence, such as `Measuring model.gguf`.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace", dir=spec.parent) as errors:
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", module, str(spec)],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            errors="replace",
        )
        try:
            for line in child.stdout or ():
                word, _, rest = line.strip().partition(" ")
                if word == "done":
                    done, total = rest.split()
                    on_progress(int(done), int(total))
                elif word == "result":
                    return rest
                elif word == "refused":
                    raise EngineFailed(json.loads(rest))
            code = child.wait()
        finally:
            child.kill()
            child.wait()
            if child.stdout is not None:
                child.stdout.close()
        errors.seek(0)
        words = "; ".join(errors.read().strip().splitlines()[-_LINES_QUOTED:])
    raise EngineFailed(f"{what} ended with code {code} and no result: {words or 'it said nothing'}.")


def answer_parent(work: Callable[[], BaseModel]) -> int:
    """What such a module does: work, print what was found or why it was refused; returns the exit code."""
    try:
        result = work()
    except RunnerError as error:
        sys.stdout.write(f"refused {json.dumps(str(error))}\n")
        return EXPECTED_FAILURE
    sys.stdout.write(f"result {result.model_dump_json()}\n")
    return 0


def tell_progress(done: int, total: int) -> None:
    """Called in the child as it goes on."""
    sys.stdout.write(f"done {done} {total}\n")
    sys.stdout.flush()
