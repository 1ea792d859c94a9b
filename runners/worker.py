"""One run in one process: `python -m runners.worker SPEC.json EVENTS.jsonl [--live]`.

Reads the spec, loads the engine, works through what the event file does not yet hold, scores, appends events.
Never opens the results file, never samples memory (its parent does). Standard input is a pipe from the parent: its
first line is a JSON object of secrets by name, which stand in no file; its end of file means that nobody is left to
work for, and the worker ends. With --live it stays when the model is loaded, and answers the orders that follow there
(runners/live_orders.py).
"""

import datetime
import importlib.metadata
import json
import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from runners.engine import Engine, open_engine
from runners.errors import EngineFailed, LimitReached, RunnerError
from runners.event_log import EventWriter, read_events
from runners.exit_codes import DISK_FULL, DISK_FULL_ERRORS, EXPECTED_FAILURE
from runners.live_answers import answer_orders
from runners.live_orders import LIVE, Inbox
from runners.records import (
    Failure,
    FailureHappened,
    LoadProgress,
    RunEvent,
    RunFinished,
    RunSpec,
    RunStarted,
)
from runners.session import Session
from runners.stopwatch import Stopwatch
from runners.workloads import WorkloadRunner

_RECORDED_PACKAGES = ("llama-cpp-python", "httpx", "numpy", "jinja2", "pydantic")


def main(arguments: list[str]) -> int:
    """Run the spec; the exit code says how it ended (runners/exit_codes.py)."""
    stopwatch = Stopwatch()
    # Where a debugger is installed, llama.cpp would attach it to a process that it ends itself, and hundreds of lines
    # of frames would hide the one that says why.
    os.putenv("GGML_NO_BACKTRACE", "1")
    spec_path, events_path = (Path(argument) for argument in arguments[:2])
    secrets = _read_secrets()
    inbox = Inbox(_end) if arguments[2:] == [LIVE] else None
    if inbox is not None:
        inbox.open()
    else:
        threading.Thread(target=_end_with_parent, name="parent watch", daemon=True).start()
    try:
        spec = RunSpec.model_validate_json(spec_path.read_bytes())
        events = EventWriter(events_path)
        try:
            return _run(spec, secrets, _Log(read_events(events_path), events), stopwatch, inbox)
        finally:
            events.close()
    except OSError as error:
        if error.errno not in DISK_FULL_ERRORS:
            raise
        sys.stderr.write(f"The event file {events_path} cannot grow: {error.strerror}.\n")
        return DISK_FULL


class _Log(NamedTuple):
    """The event file: what it held before, and what is added."""

    past: tuple[RunEvent, ...]
    events: EventWriter


def _run(spec: RunSpec, secrets: Mapping[str, str], log: _Log, stopwatch: Stopwatch, inbox: Inbox | None) -> int:
    past, events = log
    segment = sum(isinstance(event, RunStarted) for event in past)
    events.write(
        RunStarted(
            key=spec.key,
            segment=segment,
            pid=os.getpid(),
            started_at=datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
            load_average=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
            packages=_package_versions(),
        )
    )
    engine: Engine | None = None
    loading = True
    try:
        engine = open_engine(
            spec.candidate,
            spec.options,
            secrets,
            lambda text: events.write(LoadProgress(segment=segment, text=text)),
        )
        session = Session(spec, engine, events, stopwatch, segment)
        session.load(cold=any(workload.kind == "load" for workload in spec.workloads))
        loading = False
        if inbox is not None:
            answer_orders(session, inbox)
        runner = WorkloadRunner(session, past)
        if runner.has_timed_work:
            runner.time_first_request()
        for workload in spec.workloads:
            runner.run(workload)
    except RunnerError as error:
        events.write(FailureHappened(failure=_failure(error, loading=loading)))
        return EXPECTED_FAILURE
    except MemoryError:
        events.write(FailureHappened(failure=_out_of_memory()))
        return EXPECTED_FAILURE
    finally:
        if engine is not None:
            engine.close()
    events.write(RunFinished(segment=segment, at_seconds=stopwatch.now()))
    return 0


def _failure(error: RunnerError, *, loading: bool) -> Failure:
    if isinstance(error, LimitReached):
        return Failure(
            stage="request",
            kind="limit",
            message=str(error),
            hint="bench --resume goes on where it stopped.",
        )
    return Failure(
        stage="load" if loading else "request",
        kind="engine" if isinstance(error, EngineFailed) else "unavailable",
        message=str(error),
        hint="The worker's log has the engine's own words.",
    )


def _out_of_memory() -> Failure:
    return Failure(
        stage="load",
        kind="out_of_memory",
        message="The worker asked for more memory than there is.",
        hint="Choose a smaller quantization or a smaller context_tokens, or close other programs.",
    )


def _package_versions() -> dict[str, str]:
    versions = {"python": sys.version.split()[0]}
    for name in _RECORDED_PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def _read_secrets() -> dict[str, str]:
    """The first line of standard input; byte by byte, because what follows is not ours to wait for."""
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(0, 1)
        if not piece:
            os._exit(EXPECTED_FAILURE)
        line += piece
    secrets: dict[str, str] = json.loads(line)
    return secrets


def _end_with_parent() -> None:
    while os.read(0, 1024):
        pass
    _end()


def _end() -> None:
    """At once: a model that is loading or answering asks nobody."""
    os._exit(EXPECTED_FAILURE)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
