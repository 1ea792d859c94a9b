"""The work of one round: the candidates of its slots write, all at once or one after the other, and can be stopped.

A slot is asked when its candidate is loaded and free. What is written is read by pages from memory, and kept when an
answer is over. Quick looks, not measurements: those who write at the same time share the machine.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from catalog.errors import WorkbenchError
from results.head_to_head_records import RoundAnswer
from runners.records import (
    AnswerStopped,
    ChunkArrived,
    CompletionDone,
    FailureHappened,
    LoadProgress,
    ModelLoaded,
    Request,
    RunEvent,
    RunSpec,
)
from workbench.benchmark_runs import hold_device
from workbench.head_to_head.asking import outcome_of
from workbench.head_to_head.loaded import LoadedCandidate, LoadedCandidates
from workbench.head_to_head.records import LiveAnswer, RoomPlan
from workbench.jobs import Job
from workbench.records import CandidateProgress
from workbench.settings import Settings

_LOOK_SECONDS = 0.05
STOP_SECONDS = 5.0
"""Longest wait for a candidate to stop by itself; then its process is ended, and it has to be loaded again."""
HANG_SECONDS = 600.0
"""Longest time without any sign of life."""
STOPPED, FAILED, FINISHED = "stopped", "failed", "finished"
_OVER = frozenset({STOPPED, FAILED, FINISHED})


class Asked:
    """One slot that is to be answered."""

    def __init__(self, answer: RoundAnswer, make_spec: Callable[[int | None], RunSpec], request: Request) -> None:
        """make_spec resolves the candidate, with compute threads where it shares the machine."""
        self.live = LiveAnswer(answer=answer)
        self.make_spec = make_spec
        self.request = request
        self.spec: RunSpec | None = None
        self.asked_at: float | None = None
        self.stop_at: float | None = None
        self.first_offset: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self.live.answer.state in _OVER


class LiveRound:
    """Asks the slots of a round. Called as the work of a job; pages read `answers` meanwhile."""

    def __init__(
        self,
        asked: Sequence[Asked],
        loaded: LoadedCandidates,
        settings: Settings,
        keep: Callable[[RoundAnswer], None],
        plan: Callable[[], RoomPlan],
        *,
        at_once: bool,
    ) -> None:
        """plan: whether all are loaded side by side; asked when the work begins. at_once: whether they write so too."""
        self._asked = {each.live.answer.slot: each for each in asked}
        self._loaded = loaded
        self._settings = settings
        self._keep = keep
        self._plan = plan
        self._at_once = at_once
        self._stops: set[int] = set()
        self._lock = threading.Lock()
        self.message = "Waiting for what runs on this machine"
        self.note = ""

    def answers(self) -> dict[int, LiveAnswer]:
        """What each asked slot has by now."""
        with self._lock:
            now = time.perf_counter()
            return {
                slot: each.live
                if each.asked_at is None or each.first_offset is not None or each.is_over
                else each.live.model_copy(update={"waited_seconds": now - each.asked_at})
                for slot, each in self._asked.items()
            }

    def stop(self, slot: int) -> None:
        """Stop one answer; the others go on."""
        self._stops.add(slot)

    def __call__(self, job: Job) -> None:
        """Ask all slots; what cannot be asked says why."""
        # Nobody is named: while names are hidden, the sidebar must not tell either.
        job.update(candidates=tuple(CandidateProgress(name=f"Answer {slot + 1}", total=1) for slot in self._asked))
        try:
            # In this order: who looks after the loaded ones takes a held device for somebody else's measurement.
            with self._loaded.in_use:
                self._loaded.give_way()
                with hold_device(job, self._settings):
                    if not job.is_cancelled():
                        self._ask_all(job)
        finally:
            self.end_rest()
            self._loaded.touch()

    def _ask_all(self, job: Job) -> None:
        self.message = "Looking at memory"
        plan = self._plan()
        self.note = plan.sentence
        groups: dict[str, list[Asked]] = {}
        for each in self._asked.values():
            spec = self._spec(each, plan.threads)
            if spec is not None:
                groups.setdefault(spec.key, []).append(each)
        if plan.together:
            self._loaded.keep_only(groups)
        turns = [list(groups.values())] if plan.together and self._at_once else [[group] for group in groups.values()]
        for number, turn in enumerate(turns, start=1):
            if job.is_cancelled():
                return
            if not plan.together:
                self._loaded.keep_only([each.spec.key for group in turn for each in group if each.spec is not None])
            self.message = "Writing" if len(turns) == 1 else f"Writing one after the other: {number} of {len(turns)}"
            self._write(job, turn)

    def _spec(self, each: Asked, threads: int | None) -> RunSpec | None:
        try:
            each.spec = each.make_spec(threads)
        except WorkbenchError as error:
            self._change(each, state=FAILED, failure=str(error))
        return each.spec

    def _write(self, job: Job, groups: list[list[Asked]]) -> None:
        """Until all slots of these groups are over; the slots of one group share a candidate and take turns."""
        seats = [seat for group in groups if (seat := self._seat(group)) is not None]
        while seats:
            for seat in list(seats):
                self._look(job, seat)
                if not seat.waiting and seat.current is None:
                    seats.remove(seat)
            time.sleep(_LOOK_SECONDS)

    def _seat(self, group: list[Asked]) -> "_Seat | None":
        spec = group[0].spec
        try:
            if spec is not None:
                return _Seat(self._loaded.get(spec), group)
        except OSError as error:
            for each in group:
                self._change(each, state=FAILED, failure=f"Its process could not be started: {error.strerror}.")
        return None

    def _look(self, job: Job, seat: "_Seat") -> None:
        """One look at one candidate: what it wrote, whether it is to stop, what it does next."""
        events = seat.candidate.new_events()
        if events:
            seat.seen_at = time.monotonic()
        for event in events:
            self._listen(seat, event)
        self._stop_waiting(job, seat)
        if seat.current is None and seat.waiting:
            self._next(seat)
        current = seat.current
        if current is not None and self._is_to_stop(job, current):
            self._stop(seat, current)
        elif current is not None and time.monotonic() - seat.seen_at > HANG_SECONDS:
            self._end(seat, FAILED, "It gave no sign of life for 10 minutes and was ended. Ask again.")
        if seat.current is not None and seat.current.is_over:
            job.update_candidate(f"Answer {seat.current.live.answer.slot + 1}", done=1, state=FINISHED)
            seat.current = None

    def _next(self, seat: "_Seat") -> None:
        each = seat.current = seat.waiting.popleft()
        self._change(each, state="writing" if seat.candidate.is_ready else "loading")
        seat.candidate.worker.ask(each.request)
        each.asked_at = time.perf_counter() if seat.candidate.is_ready else None
        seat.seen_at = time.monotonic()

    def _is_to_stop(self, job: Job, each: Asked) -> bool:
        return not each.is_over and (job.is_cancelled() or each.live.answer.slot in self._stops)

    def _stop_waiting(self, job: Job, seat: "_Seat") -> None:
        for each in [each for each in seat.waiting if self._is_to_stop(job, each)]:
            seat.waiting.remove(each)
            self._change(each, state=STOPPED)

    def _stop(self, seat: "_Seat", each: Asked) -> None:
        now = time.monotonic()
        if each.stop_at is None:
            each.stop_at = now
            seat.candidate.worker.stop(each.request.id)
            if not seat.candidate.is_ready:
                # The model goes on loading, for the next prompt.
                self._change(each, state=STOPPED)
        elif now - each.stop_at > STOP_SECONDS:
            self._end(seat, STOPPED, None)

    def _end(self, seat: "_Seat", state: str, failure: str | None) -> None:
        """End a candidate's process, with everything that it was to answer."""
        for each in (*([seat.current] if seat.current is not None else []), *seat.waiting):
            if not each.is_over:
                self._change(each, state=state, failure=failure)
        seat.waiting.clear()
        if seat.key is not None:
            self._loaded.drop([seat.key])

    def _listen(self, seat: "_Seat", event: RunEvent) -> None:
        each = seat.current
        match event:
            case LoadProgress():
                self.note = event.text
            case ModelLoaded() if each is not None and not each.is_over:
                each.asked_at = time.perf_counter()
                self._change(each, state="writing")
            case FailureHappened() if event.failure.request_id is None:
                self._end(seat, FAILED, f"{event.failure.message} {event.failure.hint}")
            case _ if each is not None:
                self._note(each, event)

    def _note(self, each: Asked, event: RunEvent) -> None:
        """What concerns one request."""
        match event:
            case ChunkArrived() if event.request_id == each.request.id:
                self._add(each, event)
            case CompletionDone() if event.completion.request_id == each.request.id:
                self._change(each, **outcome_of(event.completion))
            case AnswerStopped() if event.request_id == each.request.id:
                self._change(each, state=STOPPED)
            case FailureHappened() if event.failure.request_id == each.request.id:
                self._change(each, state=FAILED, failure=f"{event.failure.message} {event.failure.hint}")
            case _:
                return

    def _add(self, each: Asked, event: ChunkArrived) -> None:
        at, answer = event.offset_seconds or 0.0, each.live.answer
        if each.first_offset is None:
            each.first_offset = at
        tokens, passed = (answer.output_tokens or 0) + event.tokens, at - each.first_offset
        if event.thinking:
            each.live = each.live.model_copy(update={"thinking": each.live.thinking + event.text})
        self._change(
            each,
            text=answer.text if event.thinking else answer.text + event.text,
            ttft_seconds=each.first_offset,
            output_tokens=tokens,
            tokens_per_second=(tokens - 1) / passed if passed > 0 and tokens > 1 else None,
        )

    def end_rest(self) -> None:
        """Whatever ended the work, also before it began: no slot stays open."""
        for each in self._asked.values():
            if not each.is_over:
                self._change(each, state=STOPPED)
        self.message = ""

    def _change(self, each: Asked, **changes: object) -> None:
        with self._lock:
            each.live = each.live.model_copy(update={"answer": each.live.answer.model_copy(update=changes)})
        if changes.get("state") in _OVER:
            self._keep(each.live.answer)


class _Seat:
    """A loaded candidate and what it has to answer in this round."""

    def __init__(self, candidate: LoadedCandidate, group: Sequence[Asked]) -> None:
        self.candidate = candidate
        self.key = group[0].spec.key if group[0].spec is not None else None
        self.waiting = deque(group)
        self.current: Asked | None = None
        self.seen_at = time.monotonic()
