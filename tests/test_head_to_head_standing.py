"""The standing in the step Head-to-head: of all votes, of a batch, of a slice; and never of names that are hidden."""

from pathlib import Path

import pytest
from gradio.exceptions import Error

from results.head_to_head_records import RoundSource
from results.standing import standing
from results.store import Store
from tests.results_samples import answers, benchmark, spec
from tests.test_head_to_head_store import answered, asked, judged, vote
from tests.test_standing import ballot
from tests.test_votes_book import DEFINITION
from tests.test_votes_book import judged as judged_on_examples
from workbench.service import Workbench
from workbench.settings import Settings
from workbench.steps.head_to_head import standing_handlers, standing_view


@pytest.fixture
def app(tmp_path: Path) -> Workbench:
    """A blind list with three rounds, one of them judged."""
    app = Workbench(Settings(home=tmp_path))
    judged(app._store, "r1", "r2", "r3")
    app._store.head_to_head.save_rounds([asked("r4", 3)])
    app._store.head_to_head.add_vote(vote("v1", "r1", "left", reasons=("correct",)))
    return app


def test_votes_are_said_when_their_names_are_shown(app: Workbench) -> None:
    *_, before, _ = standing_handlers.look(app, None, None)
    assert "No votes yet" in before
    assert "1 vote on lists whose names are hidden" in before
    assert "model" not in before
    with pytest.raises(Error, match="still hidden"):
        standing_handlers.export(app, "b")
    assert standing_handlers.export(app, "all").count("\n") == 1
    app._store.head_to_head.close_round("r1", "2026-03-01T12:02:00Z")
    batches, _, after, _ = standing_handlers.look(app, "b", "language=de")
    assert (batches.value, batches.choices[1]) == ("b", ("first", "b"))
    assert "1 vote, 1 of them blind, on 1 prompt" in after
    assert standing_handlers.export(app, "b").count("\n") == 2


def test_a_slice_whose_name_holds_an_equals_sign_has_its_votes(app: Workbench) -> None:
    shelf = app._store.head_to_head
    source = RoundSource(test_set_name="t", test_set_hash="h", example_id="e", slices={"a=b": "c"})
    shelf.save_rounds([asked("r5", 4, source=source)])
    for slot in (0, 1):
        shelf.save_answer(answered("r5", slot))
    shelf.add_vote(vote("v5", "r5", "left"))
    for each in ("r1", "r5"):
        shelf.close_round(each, "2026-03-01T12:02:00Z")
    *_, both, _ = standing_handlers.look(app, None, None)
    _, parts, one, _ = standing_handlers.look(app, None, "a=b=c")
    assert parts.value == "a=b=c"
    assert "2 votes, " in both
    assert "1 vote, " in one


def test_names_are_text_and_every_share_has_words_for_its_picture() -> None:
    hostile = [
        ballot("a", "b", "left" if n % 5 else "right", number=n, left_name="<b>A</b>", slices={"x": f"<i>{n % 2}"})
        for n in range(40)
    ]
    shown = standing_view.standing(standing(hostile, resamples=500), 0)
    assert "<b>A" not in shown.replace("<b>&lt;", "")
    assert "<i>" not in shown
    assert 'role="img" aria-label="&lt;b&gt;A&lt;/b&gt;: 80.0 % (' in shown
    assert "is preferred to model b:" in shown
    assert "Standing by slice" in shown


def shown_standing(app: Workbench, part: str | None = None) -> str:
    return str(standing_handlers.look(app, None, part)[2])


def test_votes_on_examples_are_held_against_the_scorer_of_the_benchmark_that_knows_them(tmp_path: Path) -> None:
    app = Workbench(Settings(home=tmp_path))
    store = judged_on_examples(app)
    assert "Votes and the scorer" not in shown_standing(app), "names are still hidden"
    for each in store.head_to_head.rounds("b1"):
        store.head_to_head.close_round(each.id, "2026-03-01T12:02:00Z")
    needed = shown_standing(app)
    assert "no benchmark measured =second and first on the examples of the test set toy" in needed
    measured = spec(examples=12)
    store.save_benchmark(benchmark("A", "B", run_spec=measured).model_copy(update={"definition": DEFINITION}))
    assert "Nothing to compare yet: no benchmark" in shown_standing(app), "a benchmark without a run measured nothing"
    store.save_run("demo", answers("A", *["right"] * 12))
    store.save_run("demo", answers("B", *["right", "wrong"] * 6))
    found = shown_standing(app)
    assert "benchmark demo, 12 votes on its examples" in found
    assert "prefer it in 100.0 % (75.8–100.0) of 12 cases: the votes follow what the scorer measures." in found
    report = app.votes_book.beside(app.compare("demo")).agreement.conclusions
    assert all(sentence.split("'")[0] in found for sentence in report), "the same words as the report"
    assert "benchmark demo, 2 votes on its examples" in shown_standing(app, "channel=mail")


def test_votes_on_free_prompts_say_that_they_need_examples(tmp_path: Path) -> None:
    store = Store(Settings(home=tmp_path).results_path)
    judged(store, "r1", blind=False)
    store.head_to_head.add_vote(vote("v1", "r1", "left"))
    assert "none of these votes is between two candidates on an example" in shown_standing(
        Workbench(Settings(home=tmp_path))
    )
