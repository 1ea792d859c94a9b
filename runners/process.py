"""The parent's side of a run: start a worker in its own process group, watch it, sample its memory, end it.

Sleeps between looks, never spins. Whatever happens to the worker, the parent goes on and says what happened.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from runners.engine_options import EndpointOptions
from runners.event_log import EventReader
from runners.exit_codes import DISK_FULL, DISK_FULL_ERRORS, EXPECTED_FAILURE
from runners.memory_sampler import MemoryWatch
from runners.records import (
    CompletionDone,
    Failure,
    FailureHappened,
    MemorySample,
    ModelLoaded,
    PromptRendered,
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
OWN_GROUP_SECONDS = 15
"""Longest wait for what a worker started in groups of their own, before it is killed."""
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
    secrets: Mapping[str, str] | None = None,
) -> RunResult:
    """Do what is missing of a run in a fresh process, and return everything the run left behind.

    Never raises for what the worker does: a crash, a hang or a full disk becomes a Failure. `hang_seconds` is the
    longest time without any sign of life. `secrets` (environment variables that the options name) go through a pipe
    and into no file.
    """
    watch = _Watch(folder, on_event)
    ending = "exited"
    try:
        watch.start(spec, secrets or {})
        ending = watch.until_end(is_cancelled, hang_seconds)
        failure = failure_of(ending, watch.exit_code, folder, loaded=watch.has_loaded)
    except OSError as error:
        failure = _storage_failure(error, folder)
    if failure is not None:
        watch.keep(FailureHappened(failure=failure))
    return collect_result(spec, folder, tuple(watch.events), cancelled=ending == "cancelled")


def read_result(spec: RunSpec, folder: RunFolder) -> RunResult:
    """What an earlier run of this spec left behind; no process is started."""
    return collect_result(spec, folder, tuple(EventReader(folder.events).new_events()), cancelled=False)


def collect_result(spec: RunSpec, folder: RunFolder, events: tuple[RunEvent, ...], *, cancelled: bool) -> RunResult:
    """Put the events of all segments together. A request that was completed twice counts once, the first time."""
    completions: dict[tuple[str, str], CompletionDone] = {}
    for event in events:
        if isinstance(event, CompletionDone):
            completions.setdefault((event.completion.workload, event.completion.request_id), event)
    prompts: dict[str, PromptRendered] = {}
    for event in events:
        if isinstance(event, PromptRendered):
            prompts.setdefault(event.request_id, event)
    last_start = max((index for index, event in enumerate(events) if isinstance(event, RunStarted)), default=0)
    recent = events[last_start:]
    failures = tuple(event for event in recent if isinstance(event, FailureHappened))
    kept = [*_failures_of_finished_levels(events[:last_start]), *_failures_of_scorers(events[:last_start])]
    finished = any(isinstance(event, RunFinished) for event in recent)
    stopped = any(event.failure.example_id is event.failure.request_id is None for event in failures)
    status = "cancelled" if cancelled else "finished" if finished else "failed" if stopped else "incomplete"
    return RunResult(
        spec=spec,
        status=status,
        started=tuple(event for event in events if isinstance(event, RunStarted)),
        loads=tuple(event for event in events if isinstance(event, ModelLoaded)),
        windows=tuple(event for event in events if isinstance(event, WorkloadFinished)),
        prompts=tuple(prompts.values()),
        completions=tuple(completions.values()),
        memory=_read_memory(folder),
        failures=(*kept, *failures),
    )


def _failures_of_finished_levels(events: tuple[RunEvent, ...]) -> tuple[FailureHappened, ...]:
    """Of earlier starts: a level that was finished is not measured again, so that its failures stay."""
    kept: list[FailureHappened] = []
    open_failures: list[FailureHappened] = []
    for event in events:
        if isinstance(event, RunStarted):
            open_failures = []
        elif isinstance(event, FailureHappened) and event.level is not None:
            open_failures.append(event)
        elif isinstance(event, WorkloadFinished) and event.level is not None:
            kept += [f for f in open_failures if (f.workload, f.level) == (event.workload, event.level)]
    return tuple(kept)


def _failures_of_scorers(events: tuple[RunEvent, ...]) -> list[FailureHappened]:
    """Of earlier starts: an answer that is there is not asked for again, so that what a scorer failed on stays."""
    return [event for event in events if isinstance(event, FailureHappened) and event.failure.stage == "score"]


class _Watch:
    """Follows one worker until it ends."""

    def __init__(self, folder: RunFolder, on_event: Listener) -> None:
        self._folder = folder
        self._on_event = on_event
        self._reader = EventReader(folder.events)
        self.events: list[RunEvent] = list(self._reader.new_events())
        self._segment = sum(isinstance(event, RunStarted) for event in self.events)
        self._worker: subprocess.Popen[bytes] | None = None
        self._started = time.perf_counter()
        self._samples_memory = True
        self._memory: MemoryWatch | None = None

    @property
    def has_loaded(self) -> bool:
        """Whether the worker that was watched got its model loaded."""
        return any(isinstance(event, ModelLoaded) and event.segment == self._segment for event in self.events)

    @property
    def exit_code(self) -> int | None:
        """The worker's, once it has ended."""
        return self._worker.returncode if self._worker is not None else None

    def start(self, spec: RunSpec, secrets: Mapping[str, str]) -> None:
        """Write the spec, start the worker and hand it the secrets. Raises OSError."""
        # What a client holds is not what the model needs: of a server's memory nothing is known.
        self._samples_memory = not isinstance(spec.options, EndpointOptions)
        self._worker = start_worker(spec, self._folder, secrets)
        self._started = time.perf_counter()

    def until_end(self, is_cancelled: Callable[[], bool], hang_seconds: float) -> str:
        """`exited`, `cancelled` or `hang`; afterwards no process of the worker's group is left. Raises OSError."""
        worker = self._worker
        if worker is None:
            raise AssertionError("start() comes first")
        try:
            with self._folder.memory.open("a", buffering=1) as memory:
                ending = self._look(worker, memory.write, is_cancelled, hang_seconds)
        finally:
            end_process_group(worker, self._memory.tree if self._memory is not None else ())
        self._read()
        return ending

    def _look(
        self,
        worker: subprocess.Popen[bytes],
        write_sample: Callable[[str], int],
        is_cancelled: Callable[[], bool],
        hang_seconds: float,
    ) -> str:
        last_life, last_sample = self._started, float("-inf")
        memory = self._memory = MemoryWatch(worker.pid, self._segment)
        while worker.poll() is None:
            now = time.perf_counter()
            if self._samples_memory and now - last_sample >= SAMPLE_SECONDS:
                last_sample = now
                self._sample(memory, write_sample, now)
            if self._read():
                last_life = now
            if is_cancelled():
                return "cancelled"
            if now - last_life > hang_seconds:
                return "hang"
            time.sleep(POLL_SECONDS)
        return "exited"

    def keep(self, event: RunEvent) -> None:
        """Add an event that the worker could not write, and pass it on."""
        self.events.append(event)
        self._on_event(event)

    def _read(self) -> bool:
        events = tuple(self._reader.new_events())
        for event in events:
            self.keep(event)
        return bool(events)

    def _sample(self, memory: MemoryWatch, write: Callable[[str], int], now: float) -> None:
        sample = memory.sample(now - self._started)
        if sample is not None:
            write(sample.model_dump_json() + "\n")
            self._on_event(sample)


def start_worker(spec: RunSpec, folder: RunFolder, secrets: Mapping[str, str], *more: str) -> "subprocess.Popen[bytes]":
    """Write the spec, start a worker in its own process group and hand it the secrets. Raises OSError."""
    folder.path.mkdir(parents=True, exist_ok=True)
    folder.spec.write_text(spec.model_dump_json(), encoding="utf-8")
    with folder.log.open("ab") as log:
        worker = subprocess.Popen(
            [sys.executable, "-P", "-m", "runners.worker", str(folder.spec), str(folder.events), *more],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    if worker.stdin is not None:
        # A worker that is gone already is found by the next look at it.
        with contextlib.suppress(BrokenPipeError):
            worker.stdin.write(json.dumps(dict(secrets)).encode() + b"\n")
            worker.stdin.flush()
    return worker


def end_process_group(
    worker: subprocess.Popen[bytes], seen: Sequence[psutil.Process] = (), *, grace_seconds: float = 3
) -> None:
    """End a worker and everything it started: ask, then kill. Safe to call when it has ended already.

    `seen` are processes that it had while it lived: of one that is gone nobody knows what it started.

    What sits in a group of its own, such as a server under its guard, ends with the worker and is waited for: the next
    candidate must not be measured beside it.
    """
    started = [*_started_by(worker.pid), *(process for process in seen if process.pid != worker.pid)]
    if worker.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            worker.stdin.close()
    if worker.poll() is None:
        _signal_group(worker.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            worker.wait(timeout=grace_seconds)
    _signal_group(worker.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    worker.wait()
    _, left = psutil.wait_procs(started, timeout=OWN_GROUP_SECONDS)
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def _started_by(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        if hasattr(os, "killpg"):
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def failure_of(ending: str, code: int | None, folder: RunFolder, *, loaded: bool) -> Failure | None:
    """Why a worker ended, `exited`, `cancelled` or by `hang`; None where it said so itself or did as it was told."""
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
        if not loaded:
            message = f"The worker ended unexpectedly while it loaded the model ({how})."
            hint = "Its log says more. The weights may be damaged or of a kind that the engine does not know: download "
            hint += "them again, or choose another file."
    return Failure(
        stage="request" if loaded else "load",
        kind=kind,
        message=message,
        hint=hint,
        log_path=str(folder.log),
        log_tail=tail,
    )


def _storage_failure(error: OSError, folder: RunFolder) -> Failure:
    full = error.errno in DISK_FULL_ERRORS
    return Failure(
        stage="start",
        kind="disk_full" if full else "unavailable",
        message=f"The files of the run in {folder.path} could not be written: {error.strerror}.",
        hint="Free some space and run again with bench --resume: what was finished is kept."
        if full
        else "Check the permissions of the data directory, or name another one with --home DIR.",
    )


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
