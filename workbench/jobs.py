"""Jobs: long work on threads of their own, watched through snapshots that cost nothing to read.

There are two lanes: what measures waits for what measures, and what downloads for what downloads, but neither for the
other. A job outlives every page that watches it. Knows nothing of benchmarks or models.
"""

import itertools
import threading
import time
import traceback
import uuid
from collections import deque
from collections.abc import Callable
from difflib import get_close_matches
from typing import Literal

from catalog.errors import WorkbenchError
from workbench.records import CandidateProgress, JobStatus

Lane = Literal["device", "network"]
"""What a job keeps busy; jobs of one lane run one after the other."""


class UnknownJob(WorkbenchError):
    """No job of that id."""


class Job:
    """One piece of work; safe to read and to change from several threads."""

    def __init__(
        self, identity: str, title: str, benchmark: str | None, step: str | None, work: Callable[["Job"], None]
    ) -> None:
        self._lock = threading.Lock()
        self._status = JobStatus(id=identity, title=title, benchmark=benchmark, step=step)
        self._cancelled = threading.Event()
        self._over = threading.Event()
        self._began: float | None = None
        self.work = work
        self.error: WorkbenchError | None = None

    def status(self) -> JobStatus:
        """A snapshot, with the time it has taken so far."""
        with self._lock:
            if self._began is None or self._status.is_over:
                return self._status
            return self._status.model_copy(update={"elapsed_seconds": time.perf_counter() - self._began})

    def update(self, **changes: object) -> None:
        """Change fields of the status."""
        with self._lock:
            self._status = self._status.model_copy(update=changes)

    def update_candidate(self, name: str, **changes: object) -> None:
        """Change fields of one candidate's progress, and the totals with them."""
        with self._lock:
            candidates = tuple(
                candidate.model_copy(update=changes) if candidate.name == name else candidate
                for candidate in self._status.candidates
            )
            self._status = self._status.model_copy(
                update={"candidates": candidates, "done": _sum_done(candidates), "total": _sum_total(candidates)}
            )

    def candidate(self, name: str) -> CandidateProgress:
        """One candidate's progress. Raises KeyError."""
        for candidate in self.status().candidates:
            if candidate.name == name:
                return candidate
        raise KeyError(name)

    def cancel(self) -> None:
        """Ask the work to stop; it does so at its next look."""
        self._cancelled.set()

    def is_cancelled(self) -> bool:
        """Whether it was asked to stop."""
        return self._cancelled.is_set()

    def wait(self, timeout_seconds: float | None = None) -> bool:
        """Wait until the job is over; False when the time ran out first."""
        return self._over.wait(timeout_seconds)

    def run(self) -> None:
        """Do the work on the calling thread; every outcome becomes a state."""
        self._began = time.perf_counter()
        if self.is_cancelled():
            self._end("cancelled", "Cancelled before it began.")
            return
        self.update(state="running")
        try:
            self.work(self)
        except WorkbenchError as error:
            # Without its trace, whose frames would keep everything that this work held alive.
            self.error = error.with_traceback(None)
            self.error.__cause__ = self.error.__context__ = None
            self._end("failed", str(error))
        except BaseException as error:
            # A mistake of ours: the job ends, the queue goes on, and the trace goes where a developer looks.
            self._end("failed", f"Internal error: {type(error).__name__}: {error}. Please report it.")
            traceback.print_exc()
            if not isinstance(error, Exception):
                raise
        else:
            if self.is_cancelled():
                self._end("cancelled", "Cancelled; what was finished is kept.")
            else:
                self._end("finished", "")

    def _end(self, state: str, message: str) -> None:
        elapsed = time.perf_counter() - self._began if self._began is not None else 0.0
        self.update(state=state, message=message, elapsed_seconds=elapsed, remaining_seconds=None)
        self._over.set()


class JobQueue:
    """Runs the jobs of each lane in the order they came, one at a time: two on the device would measure each other."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._waiting: dict[Lane, deque[Job]] = {"device": deque(), "network": deque()}
        # What is kept over a restart must not take a new job for the one that it names.
        self._start = uuid.uuid4().hex[:6]
        self._numbers = itertools.count(1)
        self._threads: dict[Lane, threading.Thread] = {}
        self._lock = threading.Lock()
        self.before_device: Callable[[Job], None] | None = None
        """Called before each job of the device's lane."""

    def submit(
        self,
        title: str,
        work: Callable[[Job], None],
        *,
        benchmark: str | None = None,
        step: str | None = None,
        lane: Lane = "device",
    ) -> Job:
        """Queue a piece of work; returns at once."""
        with self._lock:
            job = Job(f"job-{self._start}-{next(self._numbers)}", title, benchmark, step, work)
            self._jobs[job.status().id] = job
            self._waiting[lane].append(job)
            if lane not in self._threads:
                thread = threading.Thread(target=self._run_all, args=(lane,), name=f"{lane} jobs", daemon=True)
                self._threads[lane] = thread
                thread.start()
        return job

    def job(self, identity: str) -> Job:
        """The job of that id. Raises UnknownJob."""
        if identity not in self._jobs:
            close = get_close_matches(identity, self._jobs, n=1)
            hint = f"Did you mean {close[0]}?" if close else "It may belong to an earlier start of the app."
            raise UnknownJob(f"There is no job {identity!r}. {hint}")
        return self._jobs[identity]

    def status(self, identity: str) -> JobStatus:
        """Snapshot of one job. Raises UnknownJob."""
        return self.job(identity).status()

    def all(self) -> tuple[JobStatus, ...]:
        """Snapshots of all jobs since the start, newest first."""
        with self._lock:
            jobs = tuple(self._jobs.values())
        return tuple(job.status() for job in reversed(jobs))

    def waiting(self, lane: Lane = "device") -> tuple[JobStatus, ...]:
        """Jobs that have not begun, in the order in which they will."""
        with self._lock:
            jobs = tuple(self._waiting[lane])
        return tuple(job.status() for job in jobs)

    def advance(self, identity: str) -> None:
        """Let a waiting job begin before the one that is ahead of it; nothing where it is next. Raises UnknownJob."""
        job = self.job(identity)
        with self._lock:
            for waiting in self._waiting.values():
                place = waiting.index(job) if job in waiting else 0
                if place:
                    waiting.remove(job)
                    waiting.insert(place - 1, job)

    def cancel(self, identity: str) -> None:
        """Ask a job to stop; one that waits is over at once. Raises UnknownJob."""
        job = self.job(identity)
        job.cancel()
        with self._lock:
            waiting = next((line for line in self._waiting.values() if job in line), None)
            if waiting is not None:
                waiting.remove(job)
        if waiting is not None:
            job.run()

    def stop(self, timeout_seconds: float) -> tuple[JobStatus, ...]:
        """Cancel every job and wait for their ends, together no longer than this; those that still go on."""
        deadline = time.perf_counter() + timeout_seconds
        with self._lock:
            open_jobs = [job for job in self._jobs.values() if not job.status().is_over]
        for job in open_jobs:
            self.cancel(job.status().id)
        for job in open_jobs:
            job.wait(max(0.0, deadline - time.perf_counter()))
        return tuple(job.status() for job in open_jobs if not job.status().is_over)

    def _run_all(self, lane: Lane) -> None:
        """Work until nothing waits; an idle thread would keep libraries alive when the program ends."""
        while True:
            with self._lock:
                if not self._waiting[lane]:
                    del self._threads[lane]
                    return
                job = self._waiting[lane].popleft()
            if lane == "device" and self.before_device is not None:
                self.before_device(job)
            job.run()


def _sum_done(candidates: tuple[CandidateProgress, ...]) -> int:
    return sum(candidate.done for candidate in candidates)


def _sum_total(candidates: tuple[CandidateProgress, ...]) -> int:
    return sum(candidate.total for candidate in candidates)
