"""The parent's side of a run: start a worker in its own process group, watch it, sample its memory, end it.

Sleeps between looks, never spins. Whatever happens to the worker, the parent goes on and says what happened.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from runners.event_log import EventReader
from runners.exit_codes import DISK_FULL, EXPECTED_FAILURE
from runners.memory_sampler import sample_memory
from runners.records import (
    CompletionDone,
    Failure,
    FailureHappened,
    MemorySample,
    ModelLoaded,
    RunEvent,
    RunFinished,
    RunResult,
    RunSpec,
    RunStarted,
    WorkloadFinished,
)

POLL_SECONDS = 0.1
"""Between two looks at the event file."""
SAMPLE_SECONDS = 0.25
"""Between two memory samples."""
LOG_TAIL_LINES = 15
"""Lines of the worker's log that a Failure quotes."""

Listener = Callable[[RunEvent | MemorySample], None]
"""Called in the parent for each event and each memory sample."""


@dataclass
class RunFolder:
    """Files of one run: the spec, the event file, memory samples and the worker's output."""

    path: Path
    spec: Path = field(init=False)
    events: Path = field(init=False)
    memory: Path = field(init=False)
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.spec = self.path / "spec.json"
        self.events = self.path / "events.jsonl"
        self.memory = self.path / "memory.jsonl"
        self.log = self.path / "worker.log"


def run_in_worker(
    spec: RunSpec,
    folder: RunFolder,
    *,
    on_event: Listener,
    is_cancelled: Callable[[], bool],
    hang_seconds: float = 600,
) -> RunResult:
    """Do what is missing of a run in a fresh process, and return everything the run left behind.

    Never raises for what the worker does: a crash, a hang or a full disk becomes a Failure. `hang_seconds` is the
    longest time without any sign of life.
    """
    folder.path.mkdir(parents=True, exist_ok=True)
    folder.spec.write_text(spec.model_dump_json())
    reader = EventReader(folder.events)
    past = tuple(reader.new_events())
    segment = sum(isinstance(event, RunStarted) for event in past)
    with folder.log.open("ab") as log:
        worker = subprocess.Popen(
            [sys.executable, "-P", "-m", "runners.worker", str(folder.spec), str(folder.events)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    watch = _Watch(worker, folder, segment, on_event)
    ending = watch.until_end(reader, is_cancelled, hang_seconds)
    failure = _failure(ending, worker.returncode, folder)
    if failure is not None:
        watch.keep(FailureHappened(failure=failure))
    return collect_result(spec, folder, (*past, *watch.events), cancelled=ending == "cancelled")


def read_result(spec: RunSpec, folder: RunFolder) -> RunResult:
    """What an earlier run of this spec left behind; no process is started."""
    return collect_result(spec, folder, tuple(EventReader(folder.events).new_events()), cancelled=False)


def collect_result(spec: RunSpec, folder: RunFolder, events: tuple[RunEvent, ...], *, cancelled: bool) -> RunResult:
    """Put the events of all segments together. A request that was completed twice counts once, the first time."""
    completions: dict[tuple[str, str], CompletionDone] = {}
    for event in events:
        if isinstance(event, CompletionDone):
            completions.setdefault((event.completion.workload, event.completion.request_id), event)
    last_start = max((index for index, event in enumerate(events) if isinstance(event, RunStarted)), default=0)
    recent = events[last_start:]
    failures = tuple(event for event in recent if isinstance(event, FailureHappened))
    finished = any(isinstance(event, RunFinished) for event in recent)
    stopped = any(event.failure.example_id is None for event in failures)
    status = "cancelled" if cancelled else "finished" if finished else "failed" if stopped else "incomplete"
    return RunResult(
        spec=spec,
        status=status,
        started=tuple(event for event in events if isinstance(event, RunStarted)),
        loads=tuple(event for event in events if isinstance(event, ModelLoaded)),
        windows=tuple(event for event in events if isinstance(event, WorkloadFinished)),
        completions=tuple(completions.values()),
        memory=_read_memory(folder),
        failures=failures,
    )


class _Watch:
    """Follows one worker until it ends."""

    def __init__(self, worker: subprocess.Popen[bytes], folder: RunFolder, segment: int, on_event: Listener) -> None:
        self._worker = worker
        self._folder = folder
        self._segment = segment
        self._on_event = on_event
        self._started = time.perf_counter()
        self.events: list[RunEvent] = []

    def until_end(self, reader: EventReader, is_cancelled: Callable[[], bool], hang_seconds: float) -> str:
        """`exited`, `cancelled` or `hang`; afterwards no process of the worker's group is left."""
        last_life = self._started
        last_sample = float("-inf")
        ending = "exited"
        try:
            with self._folder.memory.open("a") as memory:
                while self._worker.poll() is None:
                    now = time.perf_counter()
                    if now - last_sample >= SAMPLE_SECONDS:
                        last_sample = now
                        self._sample(memory.write, now)
                    if self._read(reader):
                        last_life = now
                    if is_cancelled():
                        ending = "cancelled"
                        break
                    if now - last_life > hang_seconds:
                        ending = "hang"
                        break
                    time.sleep(POLL_SECONDS)
        finally:
            end_process_group(self._worker)
        self._read(reader)
        return ending

    def keep(self, event: RunEvent) -> None:
        """Add an event that the worker could not write, and pass it on."""
        self.events.append(event)
        self._on_event(event)

    def _read(self, reader: EventReader) -> bool:
        events = tuple(reader.new_events())
        for event in events:
            self.keep(event)
        return bool(events)

    def _sample(self, write: Callable[[str], int], now: float) -> None:
        sample = sample_memory(self._worker.pid, segment=self._segment, at_seconds=now - self._started)
        if sample is not None:
            write(sample.model_dump_json() + "\n")
            self._on_event(sample)


def end_process_group(worker: subprocess.Popen[bytes], *, grace_seconds: float = 3) -> None:
    """End a worker and everything it started: ask, then kill. Safe to call when it has ended already."""
    if worker.stdin is not None:
        worker.stdin.close()
    if worker.poll() is None:
        _signal_group(worker.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            worker.wait(timeout=grace_seconds)
    _signal_group(worker.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    worker.wait()


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        if hasattr(os, "killpg"):
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _failure(ending: str, code: int | None, folder: RunFolder) -> Failure | None:
    tail = log_tail(folder.log)
    if ending == "cancelled" or (ending == "exited" and code in {0, EXPECTED_FAILURE}):
        return None
    if ending == "hang":
        kind, message = "hang", "The worker gave no sign of life any more and was ended."
        hint = "Try again with bench --resume; if it hangs at the same place, choose another engine or quantization."
    elif code == DISK_FULL:
        kind, message = "disk_full", f"The disk is full: the event file in {folder.path} could not grow."
        hint = "Free some space and run again with bench --resume: what was finished is kept."
    elif code == -signal.SIGKILL:
        kind, message = "out_of_memory", "The worker was killed from outside, as the system does when memory runs out."
        hint = "Choose a smaller quantization or context_tokens, or close other programs; then bench --resume."
    else:
        kind = "crash"
        how = f"signal {signal.Signals(-code).name}" if code is not None and code < 0 else f"exit code {code}"
        message = f"The worker ended unexpectedly ({how})."
        hint = "Its log says more; bench --resume continues after the last finished example."
    return Failure(stage="request", kind=kind, message=message, hint=hint, log_path=str(folder.log), log_tail=tail)


def log_tail(path: Path, lines: int = LOG_TAIL_LINES) -> str:
    """Last lines of a log; empty where there is none."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 16_384))
        text = file.read().decode("utf-8", "replace")
    return "\n".join(text.splitlines()[-lines:])


def _read_memory(folder: RunFolder) -> tuple[MemorySample, ...]:
    if not folder.memory.exists():
        return ()
    text = folder.memory.read_text()
    complete = text[: text.rfind("\n") + 1]
    return tuple(MemorySample.model_validate_json(line) for line in complete.splitlines())
