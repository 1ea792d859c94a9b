"""The example browser's queries on a real results file: every filter and order, pages, places, one example whole."""

import random
from pathlib import Path

import pytest

from results.errors import UnknownExample
from results.example_records import ExampleFilter, ExampleOrder, ExampleQuery
from results.records import ExampleResult
from results.store import Store
from runners.records import CompletionDone, RunResult, Validity
from tests.results_samples import answers, benchmark, failure, judged, run_result, spec

GIVEN = {
    "A": ("right", "right", "wrong", "unparseable", "wrong", "right"),
    "B": ("right", "wrong", "wrong", "right", "empty", "right"),
    "C": ("wrong", "wrong", "wrong", "right", "wrong", "right"),
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Three candidates on six examples; C was not asked two of them: one failed, one was skipped."""
    store = Store(tmp_path / "results.duckdb")
    asked = spec(examples=6)
    store.save_benchmark(benchmark(*GIVEN, run_spec=asked))
    for name in ("A", "B"):
        store.save_run("demo", answers(name, *GIVEN[name]))
    whole = answers("C", *GIVEN["C"])
    store.save_run(
        "demo",
        run_result("C", whole.completions[2:], run_spec=whole.spec, failures=[failure("e1")], status="cancelled"),
    )
    return store


def ids(store: Store, query: ExampleQuery) -> list[str]:
    page = store.examples.page("demo", query)
    assert page.total == len(page.examples) or query.limit < page.total
    return [example.example_id for example in page.examples]


@pytest.mark.parametrize(
    ("only", "found"),
    [
        ("all", ["e1", "e2", "e3", "e4", "e5", "e6"]),
        ("disagreement", ["e2", "e4"]),
        ("first_right", ["e2"]),
        ("second_right", ["e4"]),
        ("first_higher", ["e2"]),
        ("any_wrong", ["e2", "e3", "e4", "e5"]),
        ("all_wrong", ["e3", "e5"]),
        ("unparseable", ["e4"]),
        ("failed", ["e1", "e2"]),
    ],
)
def test_every_filter_finds_its_examples(store: Store, only: ExampleFilter, found: list[str]) -> None:
    assert ids(store, ExampleQuery(only=only, first="A", second="B")) == found


def test_filters_look_at_the_chosen_candidates_only(store: Store) -> None:
    assert ids(store, ExampleQuery(only="disagreement", candidates=("A", "B"))) == ["e2", "e4"]
    assert ids(store, ExampleQuery(only="disagreement", candidates=("B", "C"))) == []
    assert ids(store, ExampleQuery(only="failed", candidates=("A", "B"))) == []
    page = store.examples.page("demo", ExampleQuery(candidates=("C", "A")))
    assert list(page.examples[0].answers) == ["A", "C"]


def test_examples_are_found_by_slice_label_and_text(store: Store) -> None:
    assert ids(store, ExampleQuery(slice_column="channel", slice_value="mail")) == ["e1", "e2"]
    assert ids(store, ExampleQuery(target="no", slice_column="channel", slice_value="chat")) == ["e4", "e6"]
    assert ids(store, ExampleQuery(text="MESSAGE 3")) == ["e3"]
    assert ids(store, ExampleQuery(text="mumble")) == ["e4", "e5"]
    assert ids(store, ExampleQuery(text="mumble", candidates=("A",), only="any_wrong")) == ["e4"]
    assert ids(store, ExampleQuery(text="%")) == []


def test_pages_follow_each_other_and_one_beyond_the_end_is_the_last(store: Store) -> None:
    pages = [store.examples.page("demo", ExampleQuery(offset=offset, limit=4)) for offset in (0, 4, 400)]
    assert [[each.example_id for each in page.examples] for page in pages] == [
        ["e1", "e2", "e3", "e4"],
        ["e5", "e6"],
        ["e5", "e6"],
    ]
    assert [(page.offset, page.total) for page in pages] == [(0, 6), (4, 6), (4, 6)]
    assert store.examples.page("demo", ExampleQuery(text="nowhere", offset=40)).total == 0


def test_what_was_not_answered_says_why(store: Store) -> None:
    found = store.examples.page("demo", ExampleQuery(limit=2)).examples
    assert [example.answers["C"].validity for example in found] == [Validity.FAILED, Validity.SKIPPED]
    assert [example.answers["C"].right for example in found] == [None, None]


def with_sizes(result: RunResult, tokens: list[int]) -> RunResult:
    done = [
        event.model_copy(
            update={
                "completion": event.completion.model_copy(
                    update={"output_tokens": count, "started_at_seconds": 1.0, "finished_at_seconds": 1.0 + 1 / count}
                )
            }
        )
        for event, count in zip(result.completions, tokens, strict=True)
    ]
    return result.model_copy(update={"completions": tuple(done)})


@pytest.mark.parametrize(("order", "found"), [("longest", ["e2", "e3", "e1"]), ("slowest", ["e1", "e3", "e2"])])
def test_examples_are_ordered_by_time_and_length(store: Store, order: ExampleOrder, found: list[str]) -> None:
    asked = spec(examples=3)
    store.save_benchmark(benchmark("A", name="sizes", run_spec=asked))
    store.save_run("sizes", with_sizes(answers("A", "right", "right", "wrong", run_spec=asked), [1, 9, 5]))
    query = ExampleQuery(order=order)
    assert [each.example_id for each in store.examples.page("sizes", query).examples] == found
    place = store.examples.place("sizes", query, "e3")
    assert place is not None
    assert (place.number, place.total, place.previous, place.following) == (2, 3, found[0], found[2])


def test_an_example_outside_the_filter_has_no_place_in_it(store: Store) -> None:
    assert store.examples.place("demo", ExampleQuery(only="all_wrong"), "e1") is None


def test_a_page_cuts_long_texts_and_an_opened_example_does_not(store: Store) -> None:
    text = "a\x00<b>" * 3_000
    asked = spec(examples=1)
    store.save_benchmark(benchmark("A", name="long", run_spec=asked))
    store.save_run("long", run_result("A", [judged("e1", text, target="yes")], run_spec=asked))
    shown = store.examples.page("long", ExampleQuery(most_characters=50)).examples[0].answers["A"]
    assert (shown.text, shown.characters) == (text[:50], len(text))
    assert store.examples.detail("long", "e1").answers["A"].answer.text == text


def test_one_example_has_everything_that_is_stored_of_it(store: Store) -> None:
    asked = spec(examples=2)
    done = judged("e2", "no", target="no", logprobs=(-2.0, -0.5))
    store.save_benchmark(benchmark("A", "B", name="whole", run_spec=asked))
    store.save_run("whole", run_result("A", [done], run_spec=asked, failures=[failure("e1")]))
    found = store.examples.detail("whole", "e2")
    assert (found.example.id, found.example.inputs) == ("e2", {"text": "message 2"})
    answer = found.answers["A"]
    assert [(each.scorer, each.value) for each in answer.scores] == [("label_match", 1.0)]
    assert [each.label for each in answer.probabilities] == ["no", "yes"]
    assert sum(each.probability or 0 for each in answer.probabilities) == pytest.approx(1)
    assert answer.probabilities[0].probability == answer.answer.probability
    assert [each.id for each in found.specs["A"].test_set.examples] == ["e2"]
    assert store.examples.detail("whole", "e1").failures == {"A": "It broke."}


def test_an_unknown_example_is_answered_with_near_ids(store: Store) -> None:
    with pytest.raises(UnknownExample, match="e6"):
        store.examples.detail("demo", "e66")


def test_pages_say_the_same_as_the_view_that_metrics_are_made_of(tmp_path: Path) -> None:
    """Random runs with every validity, examples asked twice, failed and skipped."""
    store, chance = Store(tmp_path / "results.duckdb"), random.Random(7)
    asked = spec(examples=40)
    store.save_benchmark(benchmark("A", "B", run_spec=asked))
    kinds = ["right", "wrong", *(value for value in Validity if value not in {Validity.SCORED, Validity.SKIPPED})]
    for name in ("A", "B"):
        given = answers(name, *chance.choices(kinds, k=40), run_spec=asked).completions
        again = answers(name, *chance.choices(kinds, k=40), run_spec=asked).completions
        events: list[CompletionDone] = [*chance.sample(given, 30), *chance.sample(again, 10)]
        store.save_run("demo", run_result(name, events, run_spec=spec(name, examples=40), failures=[failure("e7")]))
    for only in ("all", "disagreement", "any_wrong", "all_wrong", "unparseable"):
        query = ExampleQuery(only=only, limit=100)
        page, results = store.examples.page("demo", query), store.example_results("demo", query)
        assert [_facts(example) for example in results] == [
            [
                example.example_id,
                *((name, a.validity, a.right, a.predicted, a.text) for name, a in example.answers.items()),
            ]
            for example in page.examples
        ]
        assert {example.example_id for example in results} == _by_hand(store.example_results("demo", ALL), only)


ALL = ExampleQuery(limit=100)


def _facts(example: ExampleResult) -> list[object]:
    judged_ = ((name, a.validity, a.right, a.predicted, a.text) for name, a in example.answers.items())
    return [example.example_id, *judged_]


def _by_hand(examples: tuple[ExampleResult, ...], only: str) -> set[str]:
    found = set()
    for example in examples:
        rights = [answer.right for answer in example.answers.values() if answer.right is not None]
        fits = {
            "all": True,
            "disagreement": len(set(rights)) > 1,
            "any_wrong": False in rights,
            "all_wrong": bool(rights) and True not in rights,
            "unparseable": any(a.validity is Validity.UNPARSEABLE for a in example.answers.values()),
        }
        if fits[only]:
            found.add(example.example_id)
    return found
