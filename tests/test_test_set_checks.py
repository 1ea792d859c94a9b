"""What is wrong with labelled examples: each rule, with what it must leave alone; and how far two labellers agree."""

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa

from results.agreement import agreement, cohen_kappa
from runners.test_set_records import Example, Task
from runners.test_sets.alike import nearly_same
from runners.test_sets.checks import check_examples
from tests.making import SMOLLM2
from tests.test_cli import printed
from tests.test_cli import workbench as run_workbench
from workbench.records import TestSetDefinition
from workbench.test_sets import check_test_set

LONG = "My parcel with the order number from last week has still not arrived at my house in the country"


def make(number: int, text: str = "", target: str = "a", **more: Any) -> Example:
    return Example(id=f"e{number}", inputs={"text": text or f"text {number}"}, target=target, row=number + 2, **more)


def rules(examples: list[Example], task: Task = "classification", **more: Any) -> set[tuple[str, str, int | None]]:
    labels = () if task != "classification" else more.pop("labels", ("a", "b"))
    found = check_examples(examples, labels, task=task, **more)
    return {(problem.rule, problem.severity, problem.row) for problem in found if problem.rule != "rare_label"}


@pytest.mark.parametrize(
    ("task", "example", "rule"),
    [
        ("extraction", make(0, target="{broken"), "bad_json"),
        ("extraction", make(0, target="[1]"), "bad_json"),
        ("extraction", make(0, target='{"a": 1}'), None),
        ("multiple_choice", make(0, target="x", choices=("x",)), "few_choices"),
        ("multiple_choice", make(0, target="x", choices=("x", "y", "y")), "choice_twice"),
        ("multiple_choice", make(0, target="z", choices=("x", "y")), "target_not_in_choices"),
        ("multiple_choice", make(0, target="x", choices=("x", "y")), None),
        ("context_question", make(0, target="x"), "no_passages"),
        ("context_question", make(0, target="x", passages=("p",), relevant=(2,)), "relevant_out_of_range"),
        ("context_question", make(0, target="", passages=("p",)), None),
        ("short_answer", make(0, target=""), "empty_label"),
        ("free_text", make(0, text=" ", target="x"), "empty_text"),
        ("classification", make(0, target="a", accepted=("c",)), "unknown_label"),
    ],
)
def test_each_task_has_its_own_wrong_targets(task: Task, example: Example, rule: str | None) -> None:
    assert rules([example], task) == ({(rule, "error", 2)} if rule else set())


def test_texts_that_are_nearly_the_same_are_warned_of_with_what_they_resemble() -> None:
    examples = [
        make(0, LONG),
        make(1, LONG.replace("week", "weeks"), "b"),
        make(2, "Something else entirely, in its place"),
    ]
    (problem,) = [p for p in check_examples(examples, ("a", "b")) if p.rule == "near_duplicate"]
    assert (problem.row, problem.severity) == (3, "warning")
    assert "that of row 2 (99 % the same), labelled 'a' there" in problem.message


def test_few_shot_examples_near_a_test_example_are_warned_of() -> None:
    shot = Example(id="s", inputs={"text": LONG.upper()}, target="a")
    assert rules([make(0, LONG)], few_shot=[shot]) == {("few_shot_in_test_set", "error", 2)}
    shot = Example(id="s", inputs={"text": f"{LONG}!"}, target="a")
    assert rules([make(0, LONG)], few_shot=[shot]) == {("few_shot_near_test_set", "warning", 2)}


def test_questions_on_the_same_passage_are_not_doubles_but_the_same_question_on_it_is() -> None:
    first = make(0, "Who wrote the letter to the king?", "Ann", passages=(LONG,))
    other = make(1, "When did the king answer that letter?", "1701", passages=(LONG,))
    again = make(2, "Who wrote the letter to the king?", "Bea", passages=(LONG,))
    elsewhere = make(3, "Who wrote the letter to the king?", "Cid", passages=("Another text.",))
    found = rules([first, other, again, elsewhere], "context_question")
    assert found == {("contradictory_labels", "error", 4)}


def test_one_accepted_answer_in_common_is_no_contradiction() -> None:
    examples = [make(0, "q", "a", accepted=("b",)), make(1, "q", "b")]
    assert rules(examples, "short_answer") == {("duplicate_text", "warning", 3)}


@settings(max_examples=40, deadline=None)
@given(st.text("abcdefghij ", min_size=30, max_size=120), st.integers(0, 10**6))
def test_one_changed_letter_in_a_long_text_is_always_found(text: str, seed: int) -> None:
    place = seed % len(text)
    changed = text[:place] + "z" + text[place + 1 :]
    assert [(pair.first, pair.second) for pair in nearly_same([text, "unrelated words entirely", changed])] == [(0, 2)]


def test_labels_pasted_into_texts_are_a_leak_and_words_that_happen_to_occur_are_not() -> None:
    words = ["delivery", "returns", "billing"]
    leaked = [make(n, f"ticket {n * 7919} [{words[n % 3]}] asked", words[n % 3]) for n in range(30)]
    harmless = [make(n, f"ticket {n * 7919} about {words[(n // 2) % 3]}", words[n % 3]) for n in range(30)]
    seldom = [make(n, f"ticket {n * 7919} {words[n % 3] if n % 4 == 0 else 'asked'}", words[n % 3]) for n in range(40)]
    found = [any(p.rule == "label_in_text" for p in check_examples(each, words)) for each in (leaked, harmless, seldom)]
    assert found == [True, False, False]


def test_an_answer_that_stands_in_the_text_is_warned_of_unless_it_is_asked_of_a_context() -> None:
    example = make(0, "The capital of France is Paris. What is the capital?", "Paris", passages=("p",))
    assert rules([example], "short_answer") == {("answer_in_text", "warning", 2)}
    assert rules([example], "context_question") == set()
    assert rules([make(0, "Is 12 more than 7?", "12")], "short_answer") == set()
    assert rules([make(0, "Parisian life", "Paris")], "short_answer") == set()


@pytest.mark.parametrize(
    ("counts", "unbalanced"),
    [({"a": 90, "b": 10}, True), ({"a": 70, "b": 30}, False), ({"a": 55, "b": 15, "c": 15, "d": 15}, True)],
)
def test_a_label_that_most_examples_have_is_warned_of(counts: dict[str, int], unbalanced: bool) -> None:
    targets = [label for label, count in counts.items() for _ in range(count)]
    examples = [make(n, f"{n * 7919} is a number", target) for n, target in enumerate(targets)]
    found = {problem.rule for problem in check_examples(examples, tuple(counts))}
    assert ("unbalanced_labels" in found) == unbalanced


def test_misspelt_labels_are_found_where_nobody_said_which_there_are() -> None:
    targets = [*["delivery"] * 10, *["returns"] * 10, "delivry", "Returns ", "refund"]
    examples = [make(n, f"{n * 7919} is a number", target) for n, target in enumerate(targets)]
    labels = tuple(sorted(set(targets)))
    found = rules(examples, labels=labels, labels_found=True)
    assert {each for each in found if each[0] == "misspelt_label"} == {
        ("misspelt_label", "warning", 22),
        ("misspelt_label", "error", 23),
    }
    assert not rules(examples, labels=labels)


def test_every_rule_is_in_the_documents() -> None:
    root = Path(__file__).parents[1]
    modules = [*(root / "runners" / "test_sets").glob("*.py"), root / "workbench" / "prompt_lengths.py"]
    plain = r'(?:row_problem|_BadCell|_of_all)\(\s*"(\w+)"|rule="(\w+)"'
    pattern = plain + r'|_problem\(\s*"\w+"(?: if same else "\w+")?,\s*"(\w+)"'
    found = {name for path in modules for match in re.findall(pattern, path.read_text()) for name in match if name}
    documented = set(re.findall(r"`([a-z_]+)`", (root / "docs" / "test-sets.md").read_text()))
    assert len(found) > 30
    assert found <= documented


# Two labellers


@pytest.mark.parametrize("seed", range(20))
def test_kappa_and_its_interval_are_those_of_scikit_learn_and_statsmodels(seed: int) -> None:
    generator = np.random.default_rng(seed)
    n, k = int(generator.integers(20, 300)), int(generator.integers(2, 6))
    first = generator.integers(0, k, n)
    second = np.where(generator.random(n) < 0.7, first, generator.integers(0, k, n))
    table = np.zeros((k, k))
    np.add.at(table, (first, second), 1)
    found = cohen_kappa([str(x) for x in first], [str(x) for x in second])
    reference = cohens_kappa(table)
    assert found is not None
    assert found.value == pytest.approx(cohen_kappa_score(first, second), abs=1e-9)
    assert found.low == pytest.approx(max(-1, reference.kappa_low), abs=1e-9)
    assert found.high == pytest.approx(min(1, reference.kappa_upp), abs=1e-9)


def test_kappa_of_the_example_in_the_documents() -> None:
    # 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no: agreement 0.7, by chance 0.5.
    first = ["y"] * 25 + ["n"] * 25
    second = ["y"] * 20 + ["n"] * 5 + ["y"] * 10 + ["n"] * 15
    found = agreement(first, second)
    assert found is not None
    assert found.kappa is not None
    assert (found.share.value, found.different) == (0.7, 15)
    assert found.kappa.value == pytest.approx(0.4)


def test_agreement_where_there_is_nothing_to_tell_apart() -> None:
    same = agreement(["a"] * 5, ["a"] * 5)
    assert same is not None
    assert same.kappa is None
    assert same.share.value == 1
    assert agreement([], []) is None
    complete = cohen_kappa(["a", "b"], ["a", "b"])
    assert complete is not None
    assert math.isclose(complete.value, 1)
    with pytest.raises(ValueError, match="2 and 1 labels"):
        agreement(["a", "b"], ["a"])


def test_the_check_names_the_rows_that_two_people_label_differently(tmp_path: Path) -> None:
    rows = [("a", "a"), ("b", "b"), ("a", "b"), ("b", ""), ("a", "a"), ("b", "b")]
    path = tmp_path / "set.csv"
    lines = [f"m{n},text number {n * 7919},{first},{second}" for n, (first, second) in enumerate(rows)]
    path.write_text("\n".join(["id,text,label,second_label", *lines]), encoding="utf-8")
    checked = check_test_set(TestSetDefinition(file=str(path)), tmp_path)
    assert checked.agreement is not None
    assert (checked.agreement.share.n, checked.agreement.different) == (5, 1)
    assert [(each.row, each.id, each.first, each.second) for each in checked.disagreements] == [(4, "m2", "a", "b")]


# Too long for a candidate


@pytest.mark.engine
def test_prompts_that_are_too_long_for_a_model_are_named_by_its_own_tokenizer(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    texts = ["short", "word " * 3000]
    lines = [json.dumps({"text": text, "label": label}) for text, label in zip(texts, "ab", strict=True)]
    path.write_text("\n".join(lines), encoding="utf-8")
    data = printed(
        run_workbench(tmp_path / "home", "testset", "check", str(path), "--model", SMOLLM2, "--json", code=None)
    )
    long = [problem for problem in data["problems"] if problem["rule"] == "too_long_for_context"]
    assert [problem["row"] for problem in long] == [2]
    assert "room for 2,048" in long[0]["message"]
