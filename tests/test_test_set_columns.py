"""Which column is what, task by task: guessed by usual names, several right answers, choices, passages, weights."""

import json
from pathlib import Path
from typing import Any

import pytest

from runners.errors import BadTestSet
from runners.test_set_records import Example, Task
from runners.test_sets.files import read_test_set_file
from runners.test_sets.records import AskedColumns, TestSetFile


def read(tmp_path: Path, task: Task, *rows: dict[str, Any], **columns: Any) -> TestSetFile:
    path = tmp_path / "set.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return read_test_set_file(path, task, AskedColumns(**columns))


def only(file: TestSetFile) -> Example:
    assert not file.problems
    return file.examples[0]


@pytest.mark.parametrize(
    ("row", "targets"),
    [
        ({"question": "q", "answer": "a"}, ("a",)),
        ({"question": "q", "answer": ["a", "b", "a"]}, ("a", "b")),
        ({"question": "q", "answers": '["a", "b"]'}, ("a", "b")),
        ({"question": "q", "answers": "['a', 'b']"}, ("a", "b")),
        ({"question": "q", "answer": "[1, 2]"}, ("[1, 2]",)),
        ({"question": "q", "answer": "a", "accepted": "b|c"}, ("a", "b", "c")),
        ({"question": "q", "answer": "a", "accepted": ["b", "a"]}, ("a", "b")),
        ({"question": "q", "answer": "a", "accepted": ""}, ("a",)),
        ({"question": "q", "answer": 4.0}, ("4",)),
    ],
)
def test_several_right_answers(tmp_path: Path, row: dict[str, Any], targets: tuple[str, ...]) -> None:
    assert only(read(tmp_path, "short_answer", row)).targets == targets


@pytest.mark.parametrize(
    ("row", "choices", "target", "style"),
    [
        ({"question": "q", "choices": ["x", "y"], "answer": 1}, ("x", "y"), "y", "index"),
        ({"question": "q", "choices": ["x", "y"], "answer": "B"}, ("x", "y"), "y", "letter"),
        ({"question": "q", "choices": ["x", "y"], "answer": "y"}, ("x", "y"), "y", "text"),
        ({"question": "q", "choices": '["x", "y"]', "answer": "(b)"}, ("x", "y"), "y", "letter"),
        ({"question": "q", "options": "x|y", "answer": "y"}, ("x", "y"), "y", "text"),
        ({"question": "q", "A": "x", "B": "y", "C": "", "answer": "b"}, ("x", "y"), "y", "name"),
        ({"question": "q", "choice_1": "x", "choice_2": "y", "answer": "2"}, ("x", "y"), "y", "name"),
        ({"question": "q", "option_a": "x", "option_b": "y", "answer": "b"}, ("x", "y"), "y", "name"),
        ({"question": "q", "opa": "x", "opb": "y", "cop": 1}, ("x", "y"), "y", "index"),
        (
            {"question": "q", "choices": {"text": ["x", "y"], "label": ["1", "2"]}, "answerKey": "2"},
            ("x", "y"), "y", "name",
        ),
        ({"ctx": "q", "endings": ["x", "y"], "label": "1"}, ("x", "y"), "y", "index"),
    ],
)  # fmt: skip
def test_choices_and_how_targets_name_them(
    tmp_path: Path, row: dict[str, Any], choices: tuple[str, ...], target: str, style: str
) -> None:
    file = read(tmp_path, "multiple_choice", row)
    example = only(file)
    assert (example.choices, example.target, file.columns.target_style) == (choices, target, style)


def test_positions_are_counted_from_1_where_that_fits_every_row_and_from_0_does_not(tmp_path: Path) -> None:
    rows = [{"question": "q", "choices": ["x", "y", "z"], "answer": number} for number in (1, 3, 2)]
    file = read(tmp_path, "multiple_choice", *rows)
    assert [example.target for example in file.examples] == ["x", "z", "y"]
    assert any("counted from 1" in note for note in file.form.notes)


def test_numbers_that_are_choices_themselves_are_texts_and_the_doubt_is_said(tmp_path: Path) -> None:
    file = read(tmp_path, "multiple_choice", {"question": "1 + 1?", "choices": ["0", "1", "2"], "answer": "2"})
    assert only(file).target == "2"
    assert any("could also be read" in note for note in file.form.notes)


def test_a_target_that_means_no_choice_is_kept_for_the_check(tmp_path: Path) -> None:
    rows = [{"question": "q", "choices": ["x", "y"], "answer": letter} for letter in "AABZ"]
    assert [e.target for e in read(tmp_path, "multiple_choice", *rows).examples] == ["x", "x", "y", "Z"]


@pytest.mark.parametrize(
    ("row", "passages", "targets"),
    [
        ({"context": "One.", "question": "q", "answers": {"text": ["a", "b"], "answer_start": [0, 1]}},
         ("One.",), ("a", "b")),
        ({"context": "One.", "question": "q", "answers": {"text": [], "answer_start": []}}, ("One.",), ("",)),
        ({"passages": ["One.", "Two."], "question": "q", "answer": "a"}, ("One.", "Two."), ("a",)),
        ({"contexts": '["One.", "Two."]', "question": "q", "answer": "a"}, ("One.", "Two."), ("a",)),
        ({"documents": [{"title": "T", "text": "One."}], "question": "q", "answer": "a"}, ("T\nOne.",), ("a",)),
        (
            {"context": {"title": ["T"], "sentences": [["One. ", "Two."]]}, "question": "q", "answer": "a"},
            ("T\nOne. Two.",), ("a",),
        ),
    ],
)  # fmt: skip
def test_passages_of_questions_on_a_context(
    tmp_path: Path, row: dict[str, Any], passages: tuple[str, ...], targets: tuple[str, ...]
) -> None:
    example = only(read(tmp_path, "context_question", row))
    assert (example.passages, example.targets) == (passages, targets)


@pytest.mark.parametrize("value", [[1, 3], "1, 3", "[1, 3]", "1|3", "1 3"])
def test_relevant_passages_are_numbers(tmp_path: Path, value: object) -> None:
    row = {"passages": ["a", "b", "c"], "question": "q", "answer": "a", "relevant": value}
    assert only(read(tmp_path, "context_question", row)).relevant == (1, 3)


@pytest.mark.parametrize(
    ("task", "row", "rule"),
    [
        ("classification", {"text": "x", "label": "a", "weight": "much"}, "bad_weight"),
        ("classification", {"text": "x", "label": "a", "weight": 0}, "bad_weight"),
        ("classification", {"text": "x", "label": "a", "weight": "inf"}, "bad_weight"),
        ("context_question", {"context": "c", "question": "q", "answer": "a", "relevant": "first"}, "bad_relevant"),
        ("context_question", {"context": "c", "question": "q", "answer": "a", "relevant": "0"}, "bad_relevant"),
        ("multiple_choice", {"question": "q", "choices": "just one", "answer": "A"}, "bad_choices"),
        ("short_answer", {"question": "q", "answer": "", "accepted": "b"}, "answers_without_target"),
    ],
)
def test_cells_that_cannot_be_what_their_column_is(tmp_path: Path, task: Task, row: dict[str, Any], rule: str) -> None:
    file = read(tmp_path, task, row)
    assert [problem.rule for problem in file.problems] == [rule]
    assert file.problems[0].row == 1
    assert not file.examples


def test_group_weight_and_second_label_are_found_and_kept_from_the_prompt(tmp_path: Path) -> None:
    rows = [
        {"text": f"t{n}", "label": "a", "second_label": "b", "weight": 2, "group": f"g{n}", "channel": "mail"}
        for n in range(30)
    ]
    file = read(tmp_path, "classification", *rows)
    assert file.examples[3].slices == {"channel": "mail", "group": "g3"}
    assert file.examples[3].weight == 2
    assert file.second_labels == ("b",) * 30
    assert set(file.examples[3].inputs) == {"text", "group", "channel"}


@pytest.mark.parametrize(
    ("task", "row", "words"),
    [
        ("multiple_choice", {"question": "q", "answer": "a"}, "looks like the choices"),
        ("context_question", {"question": "q", "answer": "a"}, "looks like the passages"),
        ("free_text", {"text": "q"}, "looks like the label"),
    ],
)
def test_a_task_without_its_columns_is_refused(tmp_path: Path, task: Task, row: dict[str, Any], words: str) -> None:
    with pytest.raises(BadTestSet, match=words):
        read(tmp_path, task, row)


def test_lists_do_not_hide_the_names_that_templates_use(tmp_path: Path) -> None:
    row = {"question": "q", "choices": '["x", "y"]', "answer": "A"}
    assert set(only(read(tmp_path, "multiple_choice", row)).inputs) == {"question"}


def test_columns_may_be_named(tmp_path: Path) -> None:
    row = {"a": "q", "b": "right", "w1": "wrong", "w2": "false"}
    file = read(tmp_path, "multiple_choice", row, text="a", label="b", choices=["w1", "w2", "b"])
    assert (only(file).choices, only(file).target) == (("wrong", "false", "right"), "right")
