"""The parent's side of a worker that stays: one loaded candidate that is asked again and again.

Sends orders, reads what came back, ends the process. Decides nothing: who is loaded and for how long is the caller's.
"""

import contextlib
import subprocess
from collections.abc import Mapping

from runners.event_log import EventReader
from runners.live_orders import LIVE, AnswerOrder, Order, StopOrder, order_line
from runners.process import RunFolder, end_process_group, failure_of, start_worker
from runners.records import FailureHappened, ModelLoaded, Request, RunEvent, RunSpec


class LiveWorker:
    """A worker process with a loaded model, or on the way there. One thread at a time may use it."""

    def __init__(self, spec: RunSpec, folder: RunFolder, secrets: Mapping[str, str]) -> None:
        """Start it. Raises OSError. The folder must not hold the events of another."""
        self._folder = folder
        self._reader = EventReader(folder.events)
        self._loaded = False
        self._said_why = False
        self._worker: subprocess.Popen[bytes] = start_worker(spec, folder, secrets, LIVE)

    @property
    def process_id(self) -> int:
        """Of the worker."""
        return self._worker.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._worker.poll() is None

    def ask(self, request: Request) -> None:
        """Have a request answered, as soon as the model is loaded and earlier ones are done."""
        self._send(AnswerOrder(request=request))

    def stop(self, request_id: str) -> None:
        """Stop an answer at its next piece; the model stays loaded."""
        self._send(StopOrder(request_id=request_id))

    def new_events(self) -> tuple[RunEvent, ...]:
        """What happened since the last call; after the end of a process that did not say why, the failure too."""
        alive = self.is_alive
        events = tuple(self._reader.new_events())
        self._loaded |= any(isinstance(event, ModelLoaded) for event in events)
        self._said_why |= any(_ends_all(event) for event in events)
        if alive or self._said_why:
            return events
        self._said_why = True
        failure = failure_of("exited", self._worker.returncode, self._folder, loaded=self._loaded)
        return events if failure is None else (*events, FailureHappened(failure=failure))

    def close(self) -> None:
        """End the process and everything that it started; may be called twice."""
        end_process_group(self._worker)

    def _send(self, order: Order) -> None:
        # A worker that is gone is found by the next look at its events.
        if self._worker.stdin is not None and not self._worker.stdin.closed:
            with contextlib.suppress(BrokenPipeError):
                self._worker.stdin.write(order_line(order))
                self._worker.stdin.flush()


def _ends_all(event: RunEvent) -> bool:
    return isinstance(event, FailureHappened) and event.failure.request_id is None
