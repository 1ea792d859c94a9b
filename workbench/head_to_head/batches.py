"""The service's part on lists of prompts: answered by all in one job, then judged pair by pair."""

import uuid
from collections.abc import Sequence

from results.errors import UnknownHeadToHead
from results.head_to_head_records import (
    Ballot,
    Batch,
    BatchSummary,
    Outcome,
    Round,
    RoundAnswer,
    RoundSummary,
    RoundVote,
)
from results.store import Store
from runners.records import Message, RunSpec
from workbench.clock import now
from workbench.errors import CannotAsk
from workbench.head_to_head.asking import contender_of, definition_of, make_spec, sent_messages, workload_of
from workbench.head_to_head.batch_work import BatchWork, Part
from workbench.head_to_head.pairs import order_of, shown_pairs, slots_of, with_hidden_checks
from workbench.head_to_head.records import Duel, ListedPrompt, Pairing, RoundView, Setting
from workbench.head_to_head.service import HeadToHeads
from workbench.jobs import JobQueue
from workbench.model_catalog import ModelCatalog
from workbench.records import JobStatus
from workbench.settings import Settings

MOST_PROMPTS = 2_000
"""Prompts of one list."""
MOST_CHECKS = 0.5
"""Largest hidden share of A/A checks."""


class Batches:
    """Lists of prompts over one data directory."""

    def __init__(
        self, settings: Settings, models: ModelCatalog, jobs: JobQueue, store: Store, live: HeadToHeads
    ) -> None:
        self._settings = settings
        self._models = models
        self._jobs = jobs
        self._shelf = store.head_to_head
        self._live = live
        self._job_of: dict[str, str] = {}

    def start(
        self,
        setting: Setting,
        prompts: Sequence[ListedPrompt],
        *,
        name: str = "",
        pairing: Pairing = "one",
        check_share: float = 0.0,
        seed: int = 0,
    ) -> Batch:
        """Keep the list and have it answered; returns at once. Raises CannotAsk.

        check_share: part of the prompts that one candidate answers twice, as a hidden check of the judging.
        """
        if not 1 <= len(prompts) <= MOST_PROMPTS:
            raise CannotAsk(f"A list holds 1 to {MOST_PROMPTS:,} prompts, not {len(prompts):,}.")
        if not 0 <= check_share <= MOST_CHECKS:
            raise CannotAsk(f"Hidden checks must be between 0 % and {MOST_CHECKS:.0%}, not {check_share:.0%}.")
        if check_share and any(each.temperature == 0 for each in setting.contenders):
            raise CannotAsk("Hidden checks ask a candidate twice, which needs a temperature above 0 for all of them.")
        fallback = prompts[0].messages[-1].content
        batch = self._live.begin(setting, name=name or fallback, kind="batch", seed=seed)
        keys = [each.key for each in batch.candidates]
        slots = slots_of(keys, len(prompts), pairing, seed)
        if check_share and len(keys) > 1:
            slots = with_hidden_checks(slots, check_share, seed)
        self._shelf.save_rounds(
            [_round(batch, position, *pair) for position, pair in enumerate(zip(prompts, slots, strict=True))]
        )
        self.resume(batch.id)
        return batch

    def resume(self, batch_id: str, *, failed_too: bool = False) -> str:
        """Have answered what is missing; returns the job's id at once. Raises CannotAsk and UnknownHeadToHead."""
        job = self.job(batch_id)
        if job is not None and not job.is_over:
            return job.id
        batch = self._shelf.batch(batch_id)
        parts = self._parts(batch, failed_too=failed_too)
        if not parts:
            raise CannotAsk("Every prompt of this list is answered; judge them.")

        def spec(part: Part) -> RunSpec:
            answers = tuple(part.answers.values())
            return make_spec(
                definition_of(part.candidate),
                self._settings,
                self._models.index(),
                workloads=(workload_of(part.candidate, answers),),
                seed=answers[0].seed,
            )

        work = BatchWork(
            parts,
            self._settings,
            spec,
            self._shelf.save_answer,
            when_done=lambda: self._close_equal_checks(batch.id),
        )
        identity = self._jobs.submit(f"Answers: {batch.name}", work, step="head-to-head").status().id
        self._job_of[batch_id] = identity
        return identity

    def job(self, batch_id: str) -> JobStatus | None:
        """The job that answers a list, where this start of the app has one."""
        identity = self._job_of.get(batch_id)
        return None if identity is None else self._jobs.status(identity)

    def cancel(self, batch_id: str) -> None:
        """Stop answering a list; what is answered stays."""
        if batch_id in self._job_of:
            self._jobs.cancel(self._job_of[batch_id])

    def find_duel(self, batch_id: str, pair: str) -> Duel | None:
        """The pair of a list by what `Duel.address` says; None where the list has no such pair."""
        round_id, _, place = pair.partition(".")
        try:
            duel = self.duel(round_id, int(place or 0))
        except (UnknownHeadToHead, ValueError):
            return None
        return duel if duel.view.batch.id == batch_id else None

    def all(self) -> tuple[BatchSummary, ...]:
        """All batches, newest first, free ones too."""
        return self._shelf.batches()

    def summary(self, batch_id: str) -> BatchSummary:
        """One batch and how far it is. Raises UnknownHeadToHead."""
        batch = self._shelf.batch(batch_id)
        return next(each for each in self.all() if each.batch.id == batch.id)

    def recent_rounds(self, limit: int) -> list[tuple[BatchSummary, RoundSummary]]:
        """Prompts that were asked one by one, the newest first, each with its batch."""
        found: list[tuple[BatchSummary, RoundSummary]] = []
        for summary in self.all():
            if summary.batch.kind != "batch" and len(found) < limit:
                found += [(summary, each) for each in reversed(self._shelf.rounds(summary.batch.id, limit=limit))]
        return found[:limit]

    def hidden(self) -> frozenset[str]:
        """Lists with votes on pairs whose names are still hidden: what is said of them could tell who answered."""
        return frozenset(each.batch.id for each in self.all() if self._hides_names(each))

    def open_ballots(self) -> tuple[list[Ballot], int]:
        """Votes that may be shown, and how many may not yet: those of lists whose names are hidden."""
        hidden = self.hidden()
        ballots = self._shelf.ballots()
        shown = [each for each in ballots if each.batch_id not in hidden]
        return shown, len(ballots) - len(shown)

    # Judging

    def duel(self, round_id: str, place: int = 0) -> Duel:
        """One pair of a round by its place among all its pairs. Raises UnknownHeadToHead."""
        view = self._live.view(round_id)
        pairs = shown_pairs(view.round.order)
        place = min(max(0, place), len(pairs) - 1)
        left, right = pairs[place]
        vote = next((each for each in view.votes if {each.left, each.right} == {left, right}), None)
        return Duel(view=view, place=place, left=left, right=right, vote=vote)

    def open_duel(self, view: RoundView) -> Duel | None:
        """The first pair of a round that waits for a vote; None where none can be judged any more."""
        places = self._open_pairs(view.round.id)
        return self.duel(view.round.id, places[0]) if places else None

    def next_duel(self, batch_id: str, after: Duel | None = None) -> Duel | None:
        """The next pair that waits for a vote, behind one that was shown; None where none waits."""
        if after is not None:
            here = self._open_pairs(after.view.round.id)
            behind = [place for place in here if place > after.place]
            if behind:
                return self.duel(after.view.round.id, behind[0])
        position = -1 if after is None else after.view.round.position
        found = self._shelf.next_unjudged(batch_id, after=position)
        if found is None:
            return None
        places = self._open_pairs(found.id)
        return self.duel(found.id, places[0]) if places else None

    def duel_before(self, duel: Duel) -> Duel | None:
        """The pair that stands before another in the list, judged or not; None at the beginning."""
        if duel.place > 0:
            return self.duel(duel.view.round.id, duel.place - 1)
        asked = duel.view.round
        if asked.position == 0:
            return None
        (before,) = self._shelf.rounds(asked.batch_id, offset=asked.position - 1, limit=1)
        return self.duel(before.id, MOST_PROMPTS)

    def vote(self, duel: Duel, outcome: Outcome | None, *, reasons: Sequence[str] = (), note: str = "") -> RoundVote:
        """Keep a judgement of a pair; None takes it back. Raises VoteRefused and CannotAsk."""
        asked = duel.view.round
        if duel.same_text and asked.slots[duel.left] == asked.slots[duel.right]:
            raise CannotAsk("Both answers are the same, letter for letter: there is nothing to judge.")
        return self._shelf.add_vote(
            RoundVote(
                id=uuid.uuid4().hex,
                round_id=asked.id,
                created_at=now(),
                left=duel.left,
                right=duel.right,
                outcome=outcome,
                reasons=tuple(reasons),
                note=note.strip(),
                blind=duel.view.hidden,
            )
        )

    def judged(self, batch_id: str) -> tuple[int, int]:
        """Pairs that are judged, and all pairs that can be."""
        rounds = self._shelf.rounds(batch_id, limit=MOST_PROMPTS)
        total = sum(
            each.votes if each.closed_at else each.answers * (each.answers - 1) // 2
            for each in rounds
            if not each.unfinished
        )
        return sum(each.votes for each in rounds), total

    def reveal(self, batch_id: str) -> None:
        """Show the names of a whole list; its votes stand from now on."""
        at = now()
        for each in self._shelf.rounds(batch_id, limit=MOST_PROMPTS):
            if each.closed_at is None:
                self._shelf.close_round(each.id, at)

    # Inside

    def _hides_names(self, summary: BatchSummary) -> bool:
        """Whether a list has votes and names that are still hidden."""
        if summary.batch.kind != "batch" or not summary.batch.blind or not summary.votes:
            return False
        rounds = self._shelf.rounds(summary.batch.id, limit=MOST_PROMPTS)
        return any(each.votes and each.closed_at is None for each in rounds)

    def _open_pairs(self, round_id: str) -> list[int]:
        """Places of the pairs of a round that can be judged and are not."""
        view = self._live.view(round_id)
        voted = {frozenset((each.left, each.right)) for each in view.votes}
        ready = {each.answer.slot for each in view.answers if _can_be_judged(each.answer)}
        return [
            place
            for place, pair in enumerate(shown_pairs(view.round.order))
            if set(pair) <= ready and frozenset(pair) not in voted
        ]

    def _parts(self, batch: Batch, *, failed_too: bool) -> list[Part]:
        """What is missing, by candidate and seed; attempts that failed are asked again where that is wanted."""
        groups: dict[tuple[str, int], list[RoundAnswer]] = {}
        for summary in self._shelf.rounds(batch.id, limit=MOST_PROMPTS):
            if not summary.unfinished and not (failed_too and summary.failed):
                continue
            asked = self._shelf.round(summary.id)
            known = {each.slot: each for each in self._shelf.answers(asked.id)}
            for slot, key in enumerate(asked.slots):
                answer = _missing(batch, asked, slot, known.get(slot), failed_too=failed_too)
                if answer is not None:
                    groups.setdefault((key, answer.seed), []).append(answer)
        by_key = {each.key: each for each in batch.candidates}
        return [Part(by_key[key], answers) for (key, _), answers in groups.items()]

    def _close_equal_checks(self, batch_id: str) -> None:
        """Put aside A/A rounds whose answers are letter for letter the same: nobody can judge them."""
        for summary in self._shelf.rounds(batch_id, only="unjudged", limit=MOST_PROMPTS):
            asked = self._shelf.round(summary.id)
            texts = {each.text for each in self._shelf.answers(asked.id)}
            if len(set(asked.slots)) == 1 and len(texts) == 1:
                self._shelf.close_round(asked.id, now())


def _round(batch: Batch, position: int, prompt: ListedPrompt, slots: tuple[str, ...]) -> Round:
    system = () if prompt.system is None else (Message(role="system", content=prompt.system),)
    return Round(
        id=uuid.uuid4().hex[:12],
        batch_id=batch.id,
        position=position,
        created_at=now(),
        messages=(*system, *prompt.messages),
        slots=slots,
        order=order_of(len(slots), blind=batch.blind, seed=batch.seed, position=position),
        seed=batch.seed,
        source=prompt.source,
    )


def _missing(
    batch: Batch, asked: Round, slot: int, known: RoundAnswer | None, *, failed_too: bool
) -> RoundAnswer | None:
    """The attempt that a slot still needs; None where it has its answer."""
    again = known is not None and failed_too and known.state == "failed"
    if known is not None and known.state in {"finished", "stopped", "failed"} and not again:
        return None
    # The second time that a candidate stands in a round it has another seed.
    twice = asked.slots[:slot].count(asked.slots[slot])
    return RoundAnswer(
        round_id=asked.id,
        slot=slot,
        attempt=known.attempt + 1 if known is not None and again else 0,
        seed=asked.seed + twice,
        messages=sent_messages(contender_of(batch, asked, slot), asked, None),
    )


def _can_be_judged(answer: RoundAnswer) -> bool:
    return answer.state == "finished" or (answer.state == "stopped" and bool(answer.text))
