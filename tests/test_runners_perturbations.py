"""Perturbations: what each changes, what it leaves alone, and that the same chance gives the same text."""

import random

import pytest

from runners.perturbations import other_case, reordered, reword, typos, white_space
from runners.records import Workload
from runners.test_set_records import Example, PromptTemplate, TestSet
from runners.variations import variations
from tests.making import LABELS, make_examples, make_test_set

SEEDS = range(200)


def edit_distance(first: str, second: str) -> int:
    """Levenshtein's."""
    row = list(range(len(second) + 1))
    for place, letter in enumerate(first, 1):
        before, row[0] = row[0], place
        for other, against in enumerate(second, 1):
            before, row[other] = row[other], min(row[other] + 1, row[other - 1] + 1, before + (letter != against))
    return row[-1]


@pytest.mark.parametrize(
    ("seed", "text", "expected"),
    [
        (0, "I want to return my damaged headphones.", "I want to return my damaged headphonrs."),
        (1, "Where is my parcel?", "Wheer is my parcel?"),
        (2, "Wo bleibt meine Lieferung", "Wo belibt meine Lieferung"),
    ],
)
def test_typos_are_these(seed: int, text: str, expected: str) -> None:
    assert typos(text, random.Random(seed)) == expected


def test_every_typo_is_a_small_edit_of_one_word_behind_its_first_letter() -> None:
    for seed in SEEDS:
        changed = typos("complaint", random.Random(seed))
        assert changed != "complaint"
        assert changed[0] == "c"
        assert edit_distance("complaint", changed) <= 2, changed


def test_typos_come_at_the_stated_rate_and_at_least_once() -> None:
    text = " ".join(["parcel"] * 1000)
    changed = [a != b for a, b in zip(text.split(), typos(text, random.Random(1), rate=0.1).split(), strict=True)]
    assert 70 <= sum(changed) <= 130
    for seed in SEEDS:
        assert typos("one parcel came", random.Random(seed), rate=0.001) != "one parcel came"


@pytest.mark.parametrize(
    "text",
    [
        "我的包裹在哪里？",
        "Где моя посылка",
        "أين طردي",
        "12345 a1b2c3d4",
        "to be or not",
        "me@example.org",
        "",
        "  ",
        "👍👍👍👍",
    ],
)
def test_typos_leave_other_scripts_numbers_and_short_words_as_they_are(text: str) -> None:
    for seed in SEEDS:
        assert typos(text, random.Random(seed)) == text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("please cancel my Order now, cancel", ("cancel", "order")),
        ("changes to address change ok", ("address change",)),
    ],
)
def test_what_the_answer_hangs_on_stays_letter_by_letter(text: str, kept: tuple[str, ...]) -> None:
    def held(shown: str) -> list[int]:
        return [shown.lower().count(phrase) for phrase in kept]

    for seed in SEEDS:
        for change in (typos, other_case, white_space):
            changed = change(text, random.Random(seed), kept)
            assert held(changed) == held(text), changed
    assert "Order" in other_case(text, random.Random(0), kept) or "order" not in kept


def test_a_label_inside_another_word_is_no_label() -> None:
    assert typos("unreturnable", random.Random(0), ("return",)) != "unreturnable"


@pytest.mark.parametrize(
    ("text", "either"),
    [
        ("Where is it?", {"WHERE IS IT?", "where is it?"}),
        ("where", {"WHERE"}),
        ("WHERE", {"where"}),
        ("Straße", {"STRASSE", "straße"}),
        ("Где", {"ГДЕ", "где"}),
        ("包裹 12", {"包裹 12"}),
        ("", {""}),
    ],
)
def test_case_is_all_or_nothing(text: str, either: set[str]) -> None:
    assert {other_case(text, random.Random(seed)) for seed in SEEDS} == either


@pytest.mark.parametrize("text", ["a b c", "word", "", "我的包裹", "two  spaces\nand a line"])
def test_white_space_changes_nothing_but_white_space(text: str) -> None:
    for seed in SEEDS:
        changed = white_space(text, random.Random(seed))
        assert changed != text
        assert changed.split() == text.split()


@pytest.mark.parametrize(
    ("template", "unchanged"),
    [
        (
            "Sort the text into one category. Answer with one of: {{ labels | join(', ') }}.",
            "{{ labels | join(', ') }}",
        ),
        ("{% if give %}Give{% endif %} {# answer with #}", "{# answer with #}"),
        ("Classify. Answer with one of sort, give.", "sort, give."),
    ],
)
def test_rewording_leaves_jinja_and_labels_alone(template: str, unchanged: str) -> None:
    for seed in SEEDS:
        changed = reword(template, random.Random(seed), ("sort", "give") if unchanged.startswith("sort") else ())
        assert changed != template
        assert unchanged in changed
        assert changed.count("{{") == template.count("{{")


def test_rewording_keeps_the_case_of_a_first_letter_and_knows_the_longer_phrase() -> None:
    found = {reword("Answer with exactly one of these.", random.Random(seed)) for seed in SEEDS}
    assert found == {"Reply with one of these.", "Respond with one of these."}


def test_an_instruction_without_a_known_phrase_stays() -> None:
    assert reword("Ordne den Text ein: {{ text }}", random.Random(0)) == "Ordne den Text ein: {{ text }}"


def test_another_order_is_another_one_wherever_there_is_one() -> None:
    for seed in SEEDS:
        assert reordered("ab", random.Random(seed)) == ("b", "a")
        assert sorted(reordered("abc", random.Random(seed))) == ["a", "b", "c"]
        assert reordered("abc", random.Random(seed)) != ("a", "b", "c")
    assert reordered("aa", random.Random(0)) == ("a", "a")
    assert reordered((), random.Random(0)) == ()


ALL = Workload(
    kind="robustness",
    perturbations=("typos", "case", "whitespace", "paraphrase", "label_order", "shot_order"),
    temperature=0.7,
    repeats=2,
)


def test_the_same_seed_asks_the_same_and_another_seed_something_else() -> None:
    test_set = make_test_set(6, few_shot=make_examples(3))
    assert variations(test_set, ALL, 3) == variations(test_set, ALL, 3)
    assert variations(test_set, ALL, 3) != variations(test_set, ALL, 4)


def test_every_example_is_asked_in_every_way_with_ids_that_are_unique() -> None:
    test_set = make_test_set(6, few_shot=make_examples(3))
    asked = variations(test_set, ALL, 0)
    assert [each.name for each in asked] == ["original", *ALL.perturbations, "repeat-1", "repeat-2"]
    ids = [each.request.id for variation in asked for each in variation.asked]
    assert len(ids) == len(set(ids)) == 6 * 9
    greedy = [each.request.temperature for variation in asked[:7] for each in variation.asked]
    assert set(greedy) == {0.0}
    assert {each.request.seed for each in asked[-1].asked} == {2}
    assert {each.request.temperature for each in asked[-1].asked} == {0.7}


def test_labels_stay_in_the_prompt_whatever_is_changed() -> None:
    test_set = make_test_set(6, few_shot=make_examples(3))
    for variation in variations(test_set, ALL, 0):
        for each in variation.asked:
            system, last = each.request.messages[0].content, each.request.messages[-1].content
            assert all(label in system for label in LABELS)
            assert each.example.target in last
            assert set(each.request.choices) == set(LABELS)


def test_what_a_perturbation_leaves_as_it_is_is_not_asked_again() -> None:
    bare = TestSet(
        name="bare",
        task="free_text",
        labels=(),
        examples=(
            Example(id="a", inputs={"text": "包裹"}, target=""),
            Example(id="b", inputs={"text": "Hi"}, target=""),
        ),
        prompt=PromptTemplate(user="{{ text }}"),
    )
    asked = {each.name: [one.example.id for one in each.asked] for each in variations(bare, ALL, 0)}
    assert asked["typos"] == asked["label_order"] == asked["shot_order"] == asked["paraphrase"] == []
    assert asked["case"] == ["b"]
    assert asked["original"] == asked["whitespace"] == asked["repeat-1"] == ["a", "b"]


def test_own_paraphrases_are_used_and_so_many_examples_are_drawn() -> None:
    own = (PromptTemplate(user="Now then: {{ text }}"), PromptTemplate(user="{{ text }}, which is what?"))
    workload = Workload(kind="robustness", perturbations=("paraphrase",), paraphrases=own, examples=10)
    original, reworded = variations(make_test_set(30), workload, 1)
    drawn = [each.example.id for each in original.asked]
    assert len(drawn) == 10
    assert drawn == sorted(drawn, key=lambda name: int(name[1:]))
    assert drawn != [f"e{number}" for number in range(10)]
    last = [each.request.messages[-1].content for each in reworded.asked]
    assert {text.startswith("Now then: ") for text in last} == {True, False}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "robustness"}, "needs perturbations"),
        ({"kind": "accuracy", "perturbations": ["typos"]}, "only a robustness workload has perturbations"),
        ({"kind": "accuracy", "examples": 5}, "only a robustness workload has examples"),
        ({"kind": "robustness", "perturbations": ["case"], "paraphrases": [{"user": "x"}]}, "add it to perturbations"),
        ({"kind": "robustness", "perturbations": ["typo"]}, "typos"),
    ],
)
def test_wrong_workloads_are_refused_with_a_sentence(fields: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Workload.model_validate(fields)
