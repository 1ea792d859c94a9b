"""Head-to-heads without a page: what is loaded, what is sent, what is kept, and what is put before a judge."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from results.head_to_head_records import RoundAnswer
from runners.engine_options import EngineOptions, LlamaCppOptions, ScriptedOptions
from runners.records import Message
from tests.making import GEMMA3, SMOLLM2
from workbench.errors import CannotAsk
from workbench.head_to_head.pairs import order_of, slots_of, with_hidden_checks
from workbench.head_to_head.records import Contender, ListedPrompt, RoundView, Setting
from workbench.records import CandidateDefinition
from workbench.service import Workbench
from workbench.settings import Settings
from workbench.steps.head_to_head import handlers
from workbench.steps.head_to_head.view import round_panel

PATIENCE_SECONDS = 60


@contextmanager
def open_workbench(home: Path, *, live_memory_bytes: int | None = None) -> Iterator[Workbench]:
    workbench = Workbench(Settings(home=home, live_memory_bytes=live_memory_bytes))
    home.mkdir(exist_ok=True)
    try:
        yield workbench
    finally:
        for job in workbench.jobs.all():
            workbench.jobs.cancel(job.id)
            workbench.jobs.job(job.id).wait(PATIENCE_SECONDS)
        workbench.head_to_head.loaded.unload()


@pytest.fixture
def workbench(tmp_path: Path) -> Iterator[Workbench]:
    with open_workbench(tmp_path / "home") as opened:
        yield opened


def scripted(name: str, *, temperature: float = 0.0, system: str = "", **options: object) -> Contender:
    """A contender that says its own name, unless told otherwise."""
    chosen: EngineOptions = ScriptedOptions.model_validate({"text": f"I am {name}", "token_seconds": 0.001} | options)
    definition = CandidateDefinition(name=name, model=f"test/{name}", engine="scripted", options=chosen)
    return Contender(definition=definition, temperature=temperature, system=system)


def setting(*contenders: Contender, **changes: object) -> Setting:
    return Setting.model_validate({"contenders": contenders} | changes)


def said(text: str) -> tuple[Message, ...]:
    return (Message(role="user", content=text),)


def listed(*texts: str) -> list[ListedPrompt]:
    return [ListedPrompt(messages=said(text)) for text in texts]


def until(look: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not look():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def finished(workbench: Workbench, view: RoundView) -> RoundView:
    """The round when nothing more comes."""
    until(lambda: not workbench.head_to_head.view(view.round.id).is_answering, "the round did not end")
    return workbench.head_to_head.view(view.round.id)


def answers(view: RoundView) -> list[RoundAnswer]:
    return [each.answer for each in view.answers]


def test_a_second_prompt_finds_its_candidates_loaded_and_goes_on_in_the_same_batch(workbench: Workbench) -> None:
    both = setting(scripted("a"), scripted("b"))
    first = finished(workbench, workbench.head_to_head.ask(both, said("One?")))
    pids = {each.process_id for each in workbench.head_to_head.loaded.shown()}
    second = finished(workbench, workbench.head_to_head.ask(both, said("Two?"), batch_id=first.batch.id))
    assert {each.process_id for each in workbench.head_to_head.loaded.shown()} == pids
    assert [each.text for each in answers(second)] == ["I am a", "I am b"]
    assert second.batch == first.batch
    assert [first.round.position, second.round.position] == [0, 1]
    other = workbench.head_to_head.ask(setting(scripted("a"), scripted("c")), said("Three?"), batch_id=first.batch.id)
    assert other.batch.id != first.batch.id
    finished(workbench, other)
    assert {each.name for each in workbench.head_to_head.loaded.shown()} == {"a", "c"}


def test_every_candidate_goes_on_from_its_own_answers(workbench: Workbench) -> None:
    both = setting(scripted("a", system="Be a."), scripted("b"))
    first = finished(workbench, workbench.head_to_head.ask(both, said("One?")))
    second = finished(workbench, workbench.head_to_head.follow_up(first.round.id, "And two?"))
    assert second.round.follows == first.round.id
    assert second.round.order == first.round.order
    sent = [[(each.role, each.content) for each in answer.messages] for answer in answers(second)]
    assert sent[0] == [
        ("system", "Be a."),
        ("user", "One?"),
        ("assistant", "I am a"),
        ("user", "And two?"),
    ]
    assert sent[1] == [("user", "One?"), ("assistant", "I am b"), ("user", "And two?")]


def test_one_answer_is_stopped_and_the_other_goes_on(workbench: Workbench) -> None:
    slow = scripted("slow", text=" ".join(["word"] * 200), token_seconds=0.1)
    view = workbench.head_to_head.ask(setting(slow, scripted("fast")), said("Write."))
    until(lambda: bool(workbench.head_to_head.view(view.round.id).answers[0].answer.text), "nothing was written")
    workbench.head_to_head.stop(view.round.id, 0)
    stopped, other = answers(finished(workbench, view))
    assert (stopped.state, other.state) == ("stopped", "finished")
    assert stopped.text.startswith("word")
    assert len(stopped.text.split()) < 100
    assert workbench.head_to_head.loaded.shown()[0].state == "ready"


def test_stop_ends_all_answers_and_what_was_written_is_kept(workbench: Workbench, tmp_path: Path) -> None:
    slow = [scripted(name, text=" ".join(["word"] * 200), token_seconds=0.1) for name in "ab"]
    view = workbench.head_to_head.ask(setting(*slow), said("Write."))
    until(lambda: all(each.answer.text for each in workbench.head_to_head.view(view.round.id).answers), "not written")
    workbench.head_to_head.stop(view.round.id)
    finished(workbench, view)
    with open_workbench(tmp_path / "home") as again:
        kept = answers(again.head_to_head.view(view.round.id))
    assert [each.state for each in kept] == ["stopped", "stopped"]
    assert all(each.text.startswith("word") for each in kept)


def test_a_prompt_that_waits_for_the_device_is_stopped_at_once(workbench: Workbench) -> None:
    gate = threading.Event()

    def measure(_: object) -> None:
        gate.wait(PATIENCE_SECONDS)

    workbench.jobs.submit("Benchmark x", measure)
    try:
        view = workbench.head_to_head.ask(setting(scripted("a"), scripted("b")), said("One?"))
        assert view.is_answering
        workbench.head_to_head.stop(view.round.id)
        assert [each.state for each in answers(finished(workbench, view))] == ["stopped", "stopped"]
    finally:
        gate.set()


def test_asking_again_takes_another_seed_and_keeps_both(workbench: Workbench) -> None:
    warm = setting(scripted("a", temperature=0.8), scripted("b", temperature=0.8))
    first = finished(workbench, workbench.head_to_head.ask(warm, said("One?")))
    view = finished(workbench, workbench.head_to_head.retry(first.round.id, 1))
    assert [each.attempt for each in answers(view)] == [0, 1]
    (earlier,) = view.earlier
    assert earlier.slot == 1
    assert earlier.seed != view.answers[1].answer.seed
    cold = finished(workbench, workbench.head_to_head.ask(setting(scripted("a"), scripted("b")), said("One?")))
    with pytest.raises(CannotAsk, match="At temperature 0 another seed gives the same answer"):
        workbench.head_to_head.retry(cold.round.id)


def test_candidates_that_do_not_fit_side_by_side_are_loaded_one_after_the_other(tmp_path: Path) -> None:
    big = [scripted(name, memory_bytes=6 * 2**20) for name in "ab"]
    with open_workbench(tmp_path / "home", live_memory_bytes=10 * 2**20) as workbench:
        plan = workbench.head_to_head.room([each.definition for each in big])
        assert not plan.together
        assert plan.sentence.startswith("They do not fit side by side (12.0 MiB for all, 10.0 MiB free)")
        view = finished(workbench, workbench.head_to_head.ask(setting(*big), said("Write.")))
        assert [each.text for each in answers(view)] == ["I am a", "I am b"]
        assert [each.name for each in workbench.head_to_head.loaded.shown()] == ["b"]
    with open_workbench(tmp_path / "home", live_memory_bytes=13 * 2**20) as workbench:
        assert workbench.head_to_head.room([each.definition for each in big]).together


def test_a_measurement_finds_the_memory_free_and_the_reason_is_said(workbench: Workbench) -> None:
    finished(workbench, workbench.head_to_head.ask(setting(scripted("a"), scripted("b")), said("One?")))
    assert len(workbench.head_to_head.loaded.shown()) == 2
    seen: list[int] = []
    job = workbench.jobs.submit("Benchmark x", lambda _: seen.append(len(workbench.head_to_head.loaded.shown())))
    assert job.wait(PATIENCE_SECONDS)
    assert seen == [0]
    assert workbench.head_to_head.loaded.why_unloaded == "Unloaded to make room for: Benchmark x."


def test_a_candidate_that_cannot_be_prepared_says_why_and_the_other_answers(workbench: Workbench) -> None:
    gone = CandidateDefinition(name="gone", model="/nowhere/model.gguf", options=LlamaCppOptions())
    view = workbench.head_to_head.ask(setting(Contender(definition=gone), scripted("b")), said("One?"))
    failed, other = answers(finished(workbench, view))
    assert failed.state == "failed"
    assert "/nowhere/model.gguf" in (failed.failure or "")
    assert other.text == "I am b"


def test_an_answer_that_an_earlier_start_left_unfinished_says_so(workbench: Workbench, tmp_path: Path) -> None:
    slow = scripted("slow", text="one two", first_token_seconds=30)
    view = workbench.head_to_head.ask(setting(slow, scripted("b")), said("One?"))
    until(lambda: workbench.head_to_head.view(view.round.id).answers[1].answer.state == "finished", "not written")
    with open_workbench(tmp_path / "home") as again:
        again.head_to_head.recover()
        left, kept = answers(again.head_to_head.view(view.round.id))
        assert (left.state, left.failure) == ("failed", "The app ended while this was written. Ask again.")
        assert kept.text == "I am b"
    workbench.head_to_head.stop(view.round.id)
    finished(workbench, view)


def test_one_candidate_meets_itself_only_where_its_answers_can_differ(workbench: Workbench) -> None:
    with pytest.raises(CannotAsk, match="One candidate against itself needs a temperature above 0"):
        workbench.head_to_head.ask(setting(scripted("a")), said("One?"))
    view = finished(workbench, workbench.head_to_head.ask(setting(scripted("a", temperature=1)), said("One?")))
    assert view.batch.kind == "a_a"
    assert view.round.slots == (view.batch.candidates[0].key,) * 2
    assert len({each.seed for each in answers(view)}) == 2
    with pytest.raises(CannotAsk, match="Both answers are the same, letter for letter"):
        workbench.batches.vote(workbench.batches.duel(view.round.id), "left")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"contenders": ()}, "Choose two to four candidates, or one that answers twice, not 0."),
        (
            {"contenders": [scripted(name) for name in "abcde"]},
            "Choose two to four candidates, or one that answers twice, not 5.",
        ),
        ({"contenders": [scripted("a"), scripted("a")]}, "Two candidates are called 'a'."),
    ],
)
def test_what_cannot_be_asked_is_a_sentence(workbench: Workbench, changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(CannotAsk, match=sentence):
        workbench.head_to_head.ask(Setting.model_validate(changes), said("One?"))
    with pytest.raises(CannotAsk, match="Write a prompt first"):
        workbench.head_to_head.ask(setting(scripted("a"), scripted("b")), said("  \n"))


# Lists of prompts


class Pressed:
    """What gradio hands over when a button of a pair was pressed."""

    def __init__(self, of: str) -> None:
        self.action, self.value, self.of = "vote", "left", of


def test_a_vote_is_for_the_pair_that_was_seen(workbench: Workbench) -> None:
    heads = workbench.head_to_head
    view = finished(workbench, heads.ask(setting(*map(scripted, "abc"), blind=True), said("Who are you?")))
    seen = workbench.batches.open_duel(view)
    assert seen is not None
    for _ in range(2):
        # The second press comes from another page, which shows the first pair still.
        handlers.press(workbench, view.round.id, [], "", Pressed(seen.address))  # type: ignore[arg-type]
    following = workbench.batches.open_duel(heads.view(view.round.id))
    assert following is not None
    assert following.place == seen.place + 1
    assert f'data-of="{following.address}"' in round_panel(following.view, following)


def answered(workbench: Workbench, batch_id: str) -> None:
    job = workbench.batches.job(batch_id)
    assert job is not None
    assert workbench.jobs.job(job.id).wait(PATIENCE_SECONDS)


def test_a_list_is_answered_by_all_and_judged_pair_by_pair_back_and_forth(workbench: Workbench) -> None:
    batches = workbench.batches
    batch = batches.start(setting(scripted("a"), scripted("b")), listed("One?", "Two?", "Three?"), name="Three")
    answered(workbench, batch.id)
    first = batches.next_duel(batch.id)
    assert first is not None
    assert (first.view.round.position, batches.judged(batch.id)) == (0, (0, 3))
    batches.vote(first, "left", reasons=("clear",), note="shorter")
    second = batches.next_duel(batch.id, first)
    assert second is not None
    third = batches.next_duel(batch.id, second)
    assert third is not None, "a pair that is skipped comes again"
    batches.vote(third, "tie")
    again = batches.next_duel(batch.id, third)
    assert again is not None
    assert again.view.round.position == 1
    back = batches.duel_before(again)
    assert back is not None
    assert back.vote is not None
    assert (back.vote.outcome, back.vote.reasons, back.vote.note, back.vote.blind) == (
        *("left", ("clear",), "shorter"),
        True,
    )
    batches.vote(back, "right")
    assert batches.judged(batch.id) == (2, 3)
    batches.vote(again, "both_bad")
    assert batches.next_duel(batch.id) is None
    batches.reveal(batch.id)
    assert batches.duel(first.view.round.id).view.hidden is False


def test_a_list_that_was_cancelled_goes_on_with_what_is_missing(tmp_path: Path) -> None:
    slow = setting(scripted("a", token_seconds=0.05), scripted("b", token_seconds=0.05))
    prompts = listed(*(f"Prompt {number}?" for number in range(8)))
    with open_workbench(tmp_path / "home") as workbench:
        batch = workbench.batches.start(slow, prompts)

        def done() -> int:
            job = workbench.batches.job(batch.id)
            return 0 if job is None else job.done

        until(lambda: done() >= 2, "nothing was answered")
        workbench.batches.cancel(batch.id)
        answered(workbench, batch.id)
        kept = _texts(workbench, batch.id)
        assert 2 <= len(kept) < 16
    with open_workbench(tmp_path / "home") as again:
        again.batches.resume(batch.id)
        answered(again, batch.id)
        job = again.batches.job(batch.id)
        assert job is not None
        assert job.total == 16 - len(kept)
        assert len(_texts(again, batch.id)) == 16
        with pytest.raises(CannotAsk, match="Every prompt of this list is answered"):
            again.batches.resume(batch.id)


def _texts(workbench: Workbench, batch_id: str) -> list[str]:
    shelf = workbench._store.head_to_head
    return [each.text for item in shelf.rounds(batch_id) for each in shelf.answers(item.id) if each.text]


def test_the_order_on_the_page_is_shuffled_by_the_seed_and_kept(workbench: Workbench) -> None:
    batch = workbench.batches.start(setting(scripted("a"), scripted("b")), listed(*"abcdefgh"), seed=7)
    answered(workbench, batch.id)
    shelf = workbench._store.head_to_head
    orders = [shelf.round(each.id).order for each in shelf.rounds(batch.id)]
    assert orders == [order_of(2, blind=True, seed=7, position=place) for place in range(8)]
    assert len(set(orders)) == 2
    assert order_of(3, blind=False, seed=7, position=0) == (0, 1, 2)


def test_all_pairs_of_four_are_covered_evenly_and_hidden_checks_look_like_any_pair() -> None:
    slots = slots_of("abcd", 60, "one", seed=3)
    counts = {pair: slots.count(pair) for pair in slots}
    assert len(counts) == 6
    assert set(counts.values()) == {10}
    assert slots_of("abcd", 2, "all", seed=3) == [tuple("abcd")] * 2
    checked = with_hidden_checks(slots, 0.1, seed=3)
    assert sum(left == right for left, right in checked) == 6
    assert all(len(each) == 2 for each in checked)


def test_hidden_checks_need_answers_that_can_differ(workbench: Workbench) -> None:
    with pytest.raises(CannotAsk, match="needs a temperature above 0"):
        workbench.batches.start(setting(scripted("a"), scripted("b")), listed("One?"), check_share=0.2)


def test_checks_with_the_same_answer_twice_are_put_aside(workbench: Workbench) -> None:
    warm = setting(scripted("a", temperature=1), scripted("b", temperature=1))
    batch = workbench.batches.start(warm, listed(*"abcd"), check_share=0.5, seed=1)
    answered(workbench, batch.id)
    until(lambda: workbench.batches.judged(batch.id) == (0, 2), "the checks wait to be judged")


# A real model


def test_two_real_models_answer_two_prompts_and_load_once(workbench: Workbench) -> None:
    small = [
        Contender(definition=CandidateDefinition(model=model, options=LlamaCppOptions(context_tokens=256)))
        for model in (SMOLLM2, GEMMA3)
    ]
    both = setting(*small, max_output_tokens=6)
    first = finished(workbench, workbench.head_to_head.ask(both, said("Name a colour.")))
    assert [each.state for each in answers(first)] == ["finished", "finished"], first.answers
    assert all(each.ttft_seconds and each.output_tokens for each in answers(first))
    pids = [each.process_id for each in workbench.head_to_head.loaded.shown()]
    second = finished(workbench, workbench.head_to_head.follow_up(first.round.id, "Another one."))
    assert [each.state for each in answers(second)] == ["finished", "finished"]
    assert [each.process_id for each in workbench.head_to_head.loaded.shown()] == pids
