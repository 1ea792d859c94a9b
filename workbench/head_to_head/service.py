"""The service's part on head-to-heads that run: prompts are asked live, stopped, asked again and gone on with.

Lists of prompts are batches.py's, votes and standings are not here.
"""

import threading
import uuid
from collections.abc import Sequence

from catalog.errors import WorkbenchError
from results.head_to_head_records import Batch, BatchKind, Round, RoundAnswer, RoundSource
from results.store import Store
from runners.records import Message
from workbench.candidates import candidate_name
from workbench.clock import now
from workbench.errors import CannotAsk
from workbench.head_to_head.asking import (
    batch_candidates,
    contender_of,
    definition_of,
    make_spec,
    request_of,
    sent_messages,
)
from workbench.head_to_head.live_round import Asked, LiveRound
from workbench.head_to_head.loaded import LoadedCandidates
from workbench.head_to_head.pairs import order_of
from workbench.head_to_head.records import FEWEST, MOST, LiveAnswer, RoomPlan, RoundView, Setting
from workbench.head_to_head.room import Room
from workbench.jobs import Job, JobQueue
from workbench.model_catalog import ModelCatalog
from workbench.records import CandidateDefinition
from workbench.settings import Settings

LEFT_BEHIND = "The app ended while this was written. Ask again."
_MOST_CHARACTERS = 1_000_000
_NAME_CHARACTERS = 60


class HeadToHeads:
    """Live head-to-heads over one data directory."""

    def __init__(self, settings: Settings, models: ModelCatalog, jobs: JobQueue, store: Store) -> None:
        self._settings = settings
        self._models = models
        self._jobs = jobs
        self._shelf = store.head_to_head
        self._room = Room(settings, models)
        self._loaded = LoadedCandidates(settings)
        self._live: dict[str, tuple[Job, LiveRound]] = {}
        self._lock = threading.Lock()
        self._is_recovered = False

    # Who is in memory

    def room(self, definitions: Sequence[CandidateDefinition], *, at_once: bool = True) -> RoomPlan:
        """Whether these would be loaded side by side, said in a sentence."""
        held = self._loaded.shown()
        names = {each.name for each in held}
        sizes = [self._room.needed_bytes(each) or 0 for each in definitions if candidate_name(each) in names]
        return self._room.plan(definitions, at_once=at_once, held_bytes=sum(sizes))

    @property
    def loaded(self) -> LoadedCandidates:
        """The candidates in memory; pages look and unload."""
        return self._loaded

    def make_room(self, job: Job) -> None:
        """Called before anything runs on the device: what measures shall find the memory free."""
        if not isinstance(job.work, LiveRound):
            self._loaded.make_room(f"Unloaded to make room for: {job.status().title}.")

    # Asking

    def begin(self, setting: Setting, *, name: str = "", kind: BatchKind = "free", seed: int | None = None) -> Batch:
        """Keep who answers and how; what is asked follows. Raises CannotAsk."""
        _check(setting)
        candidates = batch_candidates(setting)
        batch = Batch(
            id=uuid.uuid4().hex[:12],
            name=name.strip()[:_NAME_CHARACTERS] or "Head-to-head",
            created_at=now(),
            kind="a_a" if len(candidates) == 1 else kind,
            candidates=candidates,
            blind=setting.blind,
            seed=uuid.uuid4().int % 2**31 if seed is None else seed,
        )
        self._shelf.save_batch(batch)
        return batch

    def ask(
        self,
        setting: Setting,
        messages: Sequence[Message],
        *,
        batch_id: str | None = None,
        source: RoundSource | None = None,
    ) -> RoundView:
        """Put a prompt to the candidates; returns at once. The same setting again goes on in the batch that is named.

        Raises CannotAsk.
        """
        _check(setting)
        text = _checked_text(messages[-1].content)
        batch = self._same_batch(batch_id, setting) or self.begin(setting, name=text)
        keys = tuple(each.key for each in batch.candidates)
        slots = keys * 2 if len(keys) == 1 else keys
        position = self._shelf.count_rounds(batch.id)
        asked = Round(
            id=uuid.uuid4().hex[:12],
            batch_id=batch.id,
            position=position,
            created_at=now(),
            messages=tuple(messages),
            slots=slots,
            order=order_of(len(slots), blind=batch.blind, seed=batch.seed, position=position),
            seed=batch.seed + position,
            source=source,
        )
        self._shelf.save_rounds((asked,))
        return self._start(batch, asked, range(len(slots)), at_once=setting.at_once)

    def follow_up(self, round_id: str, text: str, *, at_once: bool = True) -> RoundView:
        """Go on in the same conversation: every candidate sees its own earlier answers. Raises CannotAsk."""
        before = self.view(round_id)
        if before.is_answering:
            raise CannotAsk("The answers are still being written. Wait, or stop them first.")
        if not any(each.answer.text for each in before.answers):
            raise CannotAsk("No candidate has answered yet, so there is nothing to follow up on.")
        asked = before.round.model_copy(
            update={
                "id": uuid.uuid4().hex[:12],
                "position": self._shelf.count_rounds(before.batch.id),
                "created_at": now(),
                "messages": (*before.round.messages, Message(role="user", content=_checked_text(text))),
                "follows": before.round.id,
                "closed_at": None,
            }
        )
        self._shelf.save_rounds((asked,))
        if before.round.closed_at is not None:
            # Whoever knows who said what before, knows it here too.
            asked = self._shelf.close_round(asked.id, now())
        return self._start(before.batch, asked, range(len(asked.slots)), at_once=at_once)

    def retry(self, round_id: str, slot: int | None = None, *, at_once: bool = True) -> RoundView:
        """Ask again with another seed, all slots or one; what was answered stays. Raises CannotAsk."""
        view = self.view(round_id)
        if view.is_answering:
            raise CannotAsk("The answers are still being written. Wait, or stop them first.")
        slots = range(len(view.round.slots)) if slot is None else [slot]
        fixed = [
            each
            for each in slots
            if contender_of(view.batch, view.round, each).temperature == 0
            and view.answers[each].answer.state == "finished"
        ]
        if fixed:
            raise CannotAsk("At temperature 0 another seed gives the same answer. Set a temperature above 0 first.")
        return self._start(view.batch, view.round, slots, at_once=at_once)

    def stop(self, round_id: str, slot: int | None = None) -> None:
        """Stop all answers of a round, or one; what is written stays, and the models stay loaded."""
        found = self._live.get(round_id)
        if found is None:
            return
        job, work = found
        if slot is None:
            self._jobs.cancel(job.status().id)
        else:
            work.stop(slot)

    # Looking

    def view(self, round_id: str) -> RoundView:
        """A round as it stands. Raises UnknownHeadToHead."""
        asked = self._shelf.round(round_id)
        kept = self._shelf.answers(round_id, attempts=True)
        batch = self._shelf.batch(asked.batch_id)
        last = {each.slot: LiveAnswer(answer=each) for each in kept}
        found = self._live.get(round_id)
        status = found[0].status() if found is not None else None
        is_answering = status is not None and not status.is_over
        if found is not None:
            if not is_answering:
                found[1].end_rest()
            last |= found[1].answers()
        answers = tuple(
            last.get(slot, LiveAnswer(answer=RoundAnswer(round_id=round_id, slot=slot)))
            for slot in range(len(asked.slots))
        )
        words = ""
        if status is not None and found is not None and is_answering:
            waits = status.message if status.state == "queued" else ""
            words = " ".join(part for part in (waits or f"{found[1].message}.", found[1].note) if part)
        return RoundView(
            batch=batch,
            round=asked,
            answers=answers,
            earlier=tuple(each for each in kept if each.attempt < last[each.slot].answer.attempt),
            votes=self._shelf.votes(round_id),
            is_answering=is_answering,
            message=words,
        )

    def reveal(self, round_id: str) -> None:
        """Show names and speed of a round; its blind votes stand from now on."""
        self._shelf.close_round(round_id, now())

    def recover(self) -> None:
        """Say of answers that an earlier start left unfinished that nobody writes them any more."""
        with self._lock:
            if not self._is_recovered:
                self._shelf.stop_unfinished(tuple(self._live), LEFT_BEHIND)
                self._is_recovered = True

    # Inside

    def _same_batch(self, batch_id: str | None, setting: Setting) -> Batch | None:
        """The batch that is named, where nothing of its setting was changed."""
        if batch_id is None:
            return None
        try:
            batch = self._shelf.batch(batch_id)
        except WorkbenchError:
            return None
        same = batch.candidates == batch_candidates(setting) and batch.blind == setting.blind
        return batch if same and batch.kind != "batch" else None

    def _start(self, batch: Batch, asked: Round, slots: Sequence[int], *, at_once: bool) -> RoundView:
        self.recover()
        earlier = {each.slot: each for each in self._shelf.answers(asked.id)}
        before = {each.slot: each for each in self._shelf.answers(asked.follows)} if asked.follows else {}
        work = [self._asked(batch, asked, slot, earlier.get(slot), before.get(slot)) for slot in slots]
        for each in work:
            self._shelf.save_answer(each.live.answer)
        definitions = [definition_of(contender_of(batch, asked, slot)) for slot in slots]
        live = LiveRound(
            [each for each in work if not each.is_over],
            self._loaded,
            self._settings,
            self._shelf.save_answer,
            lambda: self.room(definitions, at_once=at_once),
            at_once=at_once,
        )
        job = self._jobs.submit("Head-to-head", live, step="head-to-head")
        self._live[asked.id] = (job, live)
        return self.view(asked.id)

    def _asked(
        self, batch: Batch, asked: Round, slot: int, earlier: RoundAnswer | None, before: RoundAnswer | None
    ) -> Asked:
        candidate = contender_of(batch, asked, slot)
        attempt = 0 if earlier is None else earlier.attempt + 1
        answer = RoundAnswer(
            round_id=asked.id,
            slot=slot,
            attempt=attempt,
            # Slots differ too, so that a candidate that meets itself does not say the same twice.
            seed=(asked.seed + 1_009 * slot + 9_176 * attempt) % 2**31,
            messages=sent_messages(candidate, asked, before),
        )
        if asked.follows is not None and (before is None or not before.text):
            lost = "It has no answer in the turn before, so it cannot go on. Ask again there first."
            answer = answer.model_copy(update={"state": "failed", "failure": lost})
        definition = definition_of(candidate)
        return Asked(
            answer,
            lambda threads: make_spec(definition, self._settings, self._models.index(), threads=threads),
            request_of(candidate, answer),
        )


def _check(setting: Setting) -> None:
    """Whether a head-to-head can be so. Raises CannotAsk."""
    contenders = setting.contenders
    if len(contenders) == 1:
        if contenders[0].temperature == 0:
            raise CannotAsk(
                "One candidate against itself needs a temperature above 0: at 0 both answers are the same, and there "
                "is nothing to judge."
            )
        return
    if not FEWEST <= len(contenders) <= MOST:
        raise CannotAsk(f"Choose two to four candidates, or one that answers twice, not {len(contenders)}.")
    names = [candidate_name(each.definition) for each in contenders]
    doubled = next((name for name in names if names.count(name) > 1), None)
    if doubled is not None:
        raise CannotAsk(f"Two candidates are called {doubled!r}. Give each a name of its own.")


def _checked_text(text: str) -> str:
    if not text.strip():
        raise CannotAsk("Write a prompt first.")
    if len(text) > _MOST_CHARACTERS:
        raise CannotAsk(f"The prompt has {len(text):,} characters, and {_MOST_CHARACTERS:,} are the most. Shorten it.")
    return text
