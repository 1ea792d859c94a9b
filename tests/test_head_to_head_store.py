"""What head-to-heads leave in the results file: nothing is lost, nothing is written over, pages read through SQL."""

from pathlib import Path

import pytest

from results.errors import UnknownHeadToHead, VoteRefused
from results.head_to_head_records import Batch, BatchCandidate, Round, RoundAnswer, RoundSource, RoundVote
from results.store import Store
from runners.records import Message
from tests.results_samples import old_vote

HOSTILE = "<b>\x00\ud800 \u202eabc"
STORED = "<b>\x00\ufffd \u202eabc"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "results.duckdb")


def candidate(key: str) -> BatchCandidate:
    return BatchCandidate(key=key, candidate_key=key, name=f"model {key}", definition="{}")


def batch(identity: str = "b", *, blind: bool = True, name: str = "first", at: str = "2026-03-01T12:00:00Z") -> Batch:
    candidates = tuple(map(candidate, "xyz"))
    return Batch(id=identity, name=name, created_at=at, kind="batch", candidates=candidates, blind=blind)


def asked(identity: str, position: int = 0, **more: object) -> Round:
    facts: dict[str, object] = {
        "id": identity,
        "batch_id": "b",
        "position": position,
        "created_at": "2026-03-01T12:00:00Z",
        "messages": (Message(role="user", content=f"Prompt {identity}"),),
        "slots": ("x", "y"),
        "order": (1, 0),
    }
    return Round.model_validate(facts | more)


def answered(identity: str, slot: int, text: str = "Yes.", **more: object) -> RoundAnswer:
    return RoundAnswer.model_validate({"round_id": identity, "slot": slot, "text": text, "state": "finished"} | more)


def vote(identity: str, round_id: str, outcome: str | None, **more: object) -> RoundVote:
    facts: dict[str, object] = {
        "id": identity,
        "round_id": round_id,
        "created_at": "2026-03-01T12:01:00Z",
        "left": 1,
        "right": 0,
        "outcome": outcome,
        "blind": False,
    }
    return RoundVote.model_validate(facts | more)


def judged(store: Store, *identities: str, blind: bool = True) -> None:
    """A batch whose rounds wait for a vote."""
    store.head_to_head.save_batch(batch(blind=blind))
    store.head_to_head.save_rounds([asked(each, place) for place, each in enumerate(identities)])
    for each in identities:
        for slot in (0, 1):
            store.head_to_head.save_answer(answered(each, slot))


def test_a_round_comes_back_as_it_was_kept(store: Store) -> None:
    shelf = store.head_to_head
    shelf.save_batch(batch())
    source = RoundSource(test_set_name="t", test_set_hash="h", example_id="e1", target="A", slices={"length": "short"})
    first = asked("r1", source=source, messages=(Message(role="user", content=HOSTILE),), seed=7)
    second = asked("r2", 1, follows="r1", slots=("x", "x", "y"), order=(2, 0, 1))
    shelf.save_rounds([first, second])
    clean = first.model_copy(update={"messages": (Message(role="user", content=STORED),)})
    assert (shelf.round("r1"), shelf.round("r2")) == (clean, second)
    assert [each.prompt for each in shelf.rounds("b")] == [STORED, "Prompt r2"]
    assert shelf.batch("first") == shelf.batch("b") == batch()


def test_an_answer_grows_in_place_and_a_retry_keeps_the_first(store: Store) -> None:
    shelf = store.head_to_head
    shelf.save_batch(batch())
    shelf.save_rounds([asked("r")])
    for text in ("", "Ye", HOSTILE):
        shelf.save_answer(answered("r", 0, text, state="writing"))
    sent = (Message(role="system", content="Be short."), Message(role="user", content="Prompt r"))
    done = answered("r", 0, "Yes.", messages=sent, ttft_seconds=0.1, output_tokens=2, tokens_per_second=9.5, seed=1)
    shelf.save_answer(done)
    again = answered("r", 0, "No.", attempt=1, seed=2)
    shelf.save_answer(again)
    assert shelf.answers("r") == (again,)
    assert shelf.answers("r", attempts=True) == (done, again)


def test_rounds_wait_in_a_queue_until_every_pair_is_judged_or_they_are_closed(store: Store) -> None:
    judged(store, "r1", "r2", "r3")
    shelf = store.head_to_head
    shelf.save_rounds([asked("r4", 3, slots=("x", "y", "z"), order=(0, 1, 2))])
    assert [each.id for each in shelf.rounds("b", only="answering")] == ["r4"]
    for slot in range(3):
        shelf.save_answer(answered("r4", slot))
    assert shelf.count_rounds("b", only="unjudged") == 4
    shelf.add_vote(vote("v1", "r1", "left"))
    shelf.close_round("r2", "2026-03-01T12:02:00Z")
    shelf.add_vote(vote("v2", "r4", "tie"))
    following = shelf.next_unjudged("b")
    assert following is not None
    assert following.id == "r3"
    # Two pairs of the fourth are left; behind it the queue starts again.
    assert [each.id for each in shelf.rounds("b", only="unjudged")] == ["r3", "r4"]
    assert [shelf.next_unjudged("b", after=place) for place in (2, 3)] == [shelf.round("r4"), shelf.round("r3")]
    assert [each.id for each in shelf.rounds("b", only="done", offset=1, limit=5)] == ["r2"]
    (summary,) = shelf.batches()
    assert (summary.rounds, summary.answering, summary.unjudged, summary.votes) == (4, 0, 2, 2)


def test_a_round_with_one_answer_left_needs_no_vote(store: Store) -> None:
    shelf = store.head_to_head
    shelf.save_batch(batch())
    shelf.save_rounds([asked("r")])
    shelf.save_answer(answered("r", 0, "", state="stopped"))
    shelf.save_answer(answered("r", 1))
    assert shelf.count_rounds("b", only="done") == 1
    with pytest.raises(VoteRefused, match="must be there"):
        shelf.add_vote(vote("v", "r", "left"))


def test_a_blind_vote_can_be_changed_until_the_names_are_shown_and_the_change_is_kept(store: Store) -> None:
    judged(store, "r")
    shelf = store.head_to_head
    first = shelf.add_vote(vote("v1", "r", "left", reasons=("correct",), note=HOSTILE))
    second = shelf.add_vote(vote("v2", "r", "tie", left=0, right=1))
    assert (first.blind, second.blind, second.replaces) == (True, True, "v1")
    assert shelf.votes("r") == (second,)
    back = shelf.add_vote(vote("v3", "r", None))
    assert shelf.votes("r") == ()
    assert [each.id for each in shelf.votes("r", history=True)] == ["v1", "v2", "v3"]
    assert shelf.votes("r", history=True)[0].note == STORED
    assert (back.replaces, shelf.count_rounds("b", only="unjudged")) == ("v2", 1)
    with pytest.raises(VoteRefused, match="no vote to take back"):
        shelf.add_vote(vote("v4", "r", None))
    shelf.add_vote(vote("v5", "r", "right"))
    shelf.close_round("r", "2026-03-01T12:02:00Z")
    with pytest.raises(VoteRefused, match="names were hidden"):
        shelf.add_vote(vote("v6", "r", "left"))
    assert [each.id for each in shelf.votes("r")] == ["v5"]
    (ballot,) = shelf.ballots()
    assert (ballot.outcome, ballot.blind, ballot.corrected) == ("right", True, False)


def test_a_vote_with_names_in_sight_is_not_blind(store: Store) -> None:
    judged(store, "r1", "r2")
    shelf = store.head_to_head
    shelf.close_round("r1", "2026-03-01T12:02:00Z")
    seen = shelf.add_vote(vote("v1", "r1", "left", blind=True))
    assert not seen.blind
    shelf.add_vote(vote("v2", "r1", "right"))
    shelf.add_vote(vote("v3", "r1", "tie", voter="Ada"))
    assert [each.id for each in shelf.votes("r1")] == ["v2", "v3"]


def test_ballots_know_who_met_on_what(store: Store) -> None:
    shelf = store.head_to_head
    shelf.save_batch(batch())
    source = RoundSource(test_set_name="t", test_set_hash="h", example_id="e1", slices={"length": "short"})
    shelf.save_rounds([asked("r1", source=source), asked("r2", 1, follows="r1"), asked("r3", 2, slots=("x", "x"))])
    for each in ("r1", "r2", "r3"):
        shelf.save_answer(answered(each, 0, "Yes."))
        shelf.save_answer(answered(each, 1, "Yes." if each == "r3" else "No, never."))
        shelf.add_vote(vote(f"v-{each}", each, "left"))
    first, second, third = shelf.ballots("b")
    assert (first.left, first.right, first.left_name) == ("y", "x", "model y")
    assert (first.left_characters, first.right_characters, first.same_text) == (10, 4, False)
    assert (first.example_id, first.slices) == ("e1", {"length": "short"})
    assert first.prompt == second.prompt != third.prompt
    assert (third.left, third.right, third.same_text) == ("x", "x", True)
    assert shelf.ballots("other") == ()


def test_votes_of_earlier_versions_are_read_by_name(store: Store) -> None:
    store.add_vote(old_vote())
    judged(store, "r")
    store.head_to_head.add_vote(vote("v", "r", "left"))
    first, second = store.head_to_head.ballots()
    assert (first.left, first.right, first.round_id, first.left_characters) == ("A", "B", None, 3)
    assert second.round_id == "r"
    assert len(store.head_to_head.ballots("b")) == 1


def test_answers_that_nobody_writes_any_more_are_failed_with_the_reason(store: Store) -> None:
    shelf = store.head_to_head
    shelf.save_batch(batch())
    shelf.save_rounds([asked("r1"), asked("r2", 1)])
    shelf.save_answer(answered("r1", 0, "Ye", state="writing"))
    shelf.save_answer(answered("r1", 1))
    shelf.save_answer(answered("r2", 0, "", state="loading"))
    assert shelf.stop_unfinished(["r2"], "The app was stopped.") == 1
    assert [(each.state, each.failure) for each in shelf.answers("r1")] == [
        ("failed", "The app was stopped."),
        ("finished", None),
    ]
    assert shelf.answers("r2")[0].state == "loading"


def test_names_that_are_not_known_or_not_unique_are_said(store: Store) -> None:
    shelf = store.head_to_head
    shelf.save_batch(batch("b1", name="mine"))
    shelf.save_batch(batch("b2", name="mine"))
    shelf.save_batch(batch("b3", name="other", at="2026-04-01T12:00:00Z"))
    assert [each.batch.id for each in shelf.batches()] == ["b3", "b1", "b2"]
    with pytest.raises(UnknownHeadToHead, match="2 batches are called 'mine'"):
        shelf.batch("mine")
    with pytest.raises(UnknownHeadToHead, match=r"othre.*other"):
        shelf.batch("othre")
    with pytest.raises(UnknownHeadToHead, match="no round 'r9'"):
        shelf.round("r9")
    with pytest.raises(UnknownHeadToHead):
        shelf.save_rounds([asked("r", batch_id="b9")])
