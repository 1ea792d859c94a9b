"""Questions on a context, and rules: groundedness, citations, abstention, length, forbidden words."""

import random

import pytest
from pydantic import ValidationError
from sklearn.metrics import accuracy_score, precision_score, recall_score

from runners.records import Validity
from runners.scorers.grounding import cited_in
from runners.scorers.sentences import sentences_of
from tests.scoring import answered, example, judge_one, metrics_of, options_of

PASSAGES = (
    "The Eiffel Tower was built in Paris from 1887 to 1889 by the company of Gustave Eiffel.",
    "The tower is 330 metres tall and was the tallest structure in the world until 1930.",
)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three?", ("One.", "Two!", "Three?")),
        ("Dr. Smith lives here. He is 3.5 years old.", ("Dr. Smith lives here.", "He is 3.5 years old.")),
        ("See e.g. Paris. It is big", ("See e.g. Paris.", "It is big")),
        ("- one item\n- another item", ("one item", "another item")),
        ("1. First\n2. Second", ("First", "Second")),
        ("他住在北京。他是老师。", ("他住在北京。", "他是老师。")),
        ("...", ()),
        ("", ()),
    ],
)
def test_sentences(text: str, sentences: tuple[str, ...]) -> None:
    assert sentences_of(text) == sentences


@pytest.mark.parametrize(
    ("answer", "sentences", "supported"),
    [
        ("The Eiffel Tower was built in Paris.", 1, 1),
        ("The tower is 330 metres tall. It was painted green by elephants.", 2, 1),
        ("Napoleon liked cheese.", 1, 0),
        ("The tower was built in Paris [1]. It is 330 metres tall [2].", 2, 2),
        ("I don't know.", 0, 0),
        ("Gustave Eiffel's tower, 330 metres, tallest until 1930, was in Paris from 1887", 1, 0),
    ],
)
def test_a_sentence_is_supported_where_one_passage_holds_its_words(answer: str, sentences: int, supported: int) -> None:
    score = judge_one(options_of("groundedness"), answer, example("x", passages=PASSAGES), task="context_question")
    assert (score.counts["sentences"], score.counts["supported"]) == (sentences, supported)
    assert score.value == (supported / sentences if sentences else 1)


def test_the_threshold_is_reached_exactly_at_its_share() -> None:
    row = example("x", passages=("alpha beta gamma delta epsilon zeta eta",))
    answer = "alpha beta gamma delta epsilon zeta eta theta iota kappa"
    assert judge_one(options_of("groundedness", threshold=0.7), answer, row).value == 1
    assert judge_one(options_of("groundedness", threshold=0.71), answer, row).value == 0
    assert judge_one(options_of("groundedness"), answer, row).counts["k_precision"] == pytest.approx(0.7)


def test_groundedness_sums_sentences_and_silence_does_not_pay() -> None:
    options = options_of("groundedness")
    row = example("x", passages=PASSAGES)
    two = judge_one(options, "The tower is 330 metres tall. It was painted green by elephants.", row)
    abstains = judge_one(options, "I don't know.", row)
    empty = judge_one(options, "", row)
    cut = judge_one(options, answered("The Eiffel Tower was built in", finish="length"), row)
    assert metrics_of(options, [two, abstains])["groundedness"] == 0.5
    assert metrics_of(options, [two, empty])["groundedness"] == pytest.approx(1 / 3)
    assert cut.validity is Validity.TRUNCATED
    assert judge_one(options, "Paris", example("x")).validity is Validity.SKIPPED


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        ("As [1] says", {1}),
        ("[1][3]", {1, 3}),
        ("[1, 3; 4]", {1, 3, 4}),
        ("[2-4]", {2, 3, 4}),
        ("【2】", {2}),
        ("[a] (1) [2024]", set()),
        ("none", set()),
    ],
)
def test_citations_are_read(text: str, cited: set[int]) -> None:
    assert cited_in(text) == cited


def test_context_precision_and_recall_by_hand() -> None:
    options = options_of("citations")
    scores = [
        judge_one(options, "Built in 1887 [1]. Tall [2].", example("x", passages=PASSAGES, relevant=(1,))),
        judge_one(options, "Tall [2].", example("x", passages=PASSAGES, relevant=(1, 2))),
        judge_one(options, "It is so [9].", example("x", passages=PASSAGES, relevant=(1,))),
        judge_one(options, "I don't know.", example("", passages=PASSAGES)),
    ]
    assert [score.value for score in scores] == [pytest.approx(2 / 3), pytest.approx(2 / 3), 0, 1]
    # 2 hits, 4 cited, 4 marked
    assert metrics_of(options, scores) == {"citation_f1": 0.5, "context_precision": 0.5, "context_recall": 0.5}
    assert judge_one(options, "[1]", example("x", passages=PASSAGES)).validity is Validity.SKIPPED


def test_abstention_equals_scikit_learn() -> None:
    rng = random.Random(5)
    options = options_of("abstention")
    does, should, scores = [], [], []
    for _ in range(100):
        does.append(rng.random() < 0.4)
        should.append(rng.random() < 0.5)
        scores.append(judge_one(options, "I don't know." if does[-1] else "Paris", example("" if should[-1] else "x")))
    found = metrics_of(options, scores)
    assert found["abstention_accuracy"] == pytest.approx(accuracy_score(should, does), abs=1e-9)
    assert found["abstention_precision"] == pytest.approx(precision_score(should, does), abs=1e-9)
    assert found["abstention_recall"] == pytest.approx(recall_score(should, does), abs=1e-9)


@pytest.mark.parametrize(
    ("text", "finish", "target", "validity", "value"),
    [
        ("", "stop", "", "scored", 1),
        ("", "stop", "Paris", "scored", 0),
        ("The passages do not say where", "length", "", "scored", 1),
        ("It is in the", "length", "", "truncated", 0),
        ("I'm sorry, but I can't help with that.", "stop", "", "refused", 0),
    ],
)
def test_silence_abstains_and_a_cut_or_refused_answer_is_what_it_is(
    text: str, finish: str, target: str, validity: str, value: float
) -> None:
    score = judge_one(options_of("abstention"), answered(text, finish=finish), example(target))
    assert (score.validity.value, score.value) == (validity, value)


@pytest.mark.parametrize(
    ("bounds", "text", "value"),
    [
        ({"max_words": 3}, "one two three", 1),
        ({"max_words": 3}, "one two three four", 0),
        ({"min_words": 2}, "one", 0),
        ({"max_characters": 5}, " Größe ", 1),
        ({"min_sentences": 2, "max_sentences": 2}, "One. Two.", 1),
        ({"max_sentences": 1}, "One. Two.", 0),
        ({"min_characters": 2, "max_words": 2}, "a", 0),
    ],
)
def test_length(bounds: dict[str, int], text: str, value: float) -> None:
    assert judge_one(options_of("length", **bounds), text, example()).value == value


def test_a_cut_answer_is_too_long_only_where_it_already_is() -> None:
    long = judge_one(options_of("length", max_words=2), answered("one two three", finish="length"), example())
    open_end = judge_one(options_of("length", max_words=5), answered("one two three", finish="length"), example())
    assert (long.validity, long.value) == (Validity.SCORED, 0)
    assert open_end.validity is Validity.TRUNCATED


@pytest.mark.parametrize("bounds", [{}, {"min_words": 5, "max_words": 2}])
def test_bounds_that_say_nothing_or_contradict_are_refused(bounds: dict[str, int]) -> None:
    with pytest.raises(ValidationError, match=r"needs a bound|no answer can keep to both"):
        options_of("length", **bounds)


@pytest.mark.parametrize(
    ("changes", "text", "value"),
    [
        ({}, "We guarantee it", 0),
        ({}, "WE GUARANTEE it", 0),
        ({"ignore_case": False}, "GUARANTEE", 1),
        ({}, "We guaranteed it", 1),
        ({"whole_words": False}, "We guaranteed it", 0),
        ({}, "at no   cost", 0),
        ({}, "fine", 1),
    ],
)
def test_forbidden_words(changes: dict[str, object], text: str, value: float) -> None:
    options = options_of("forbidden_words", words=["guarantee", "no cost"], **changes)
    assert judge_one(options, text, example()).value == value
