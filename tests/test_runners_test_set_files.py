"""Labelled files: what is read, what is refused, what is warned of; nothing is dropped silently."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.errors import BadTestSet
from runners.test_set_records import Example
from runners.test_sets.checks import check_examples
from runners.test_sets.files import read_test_set_file
from runners.test_sets.records import AskedColumns


def write(tmp_path: Path, text: str | bytes, name: str = "set.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_and_usual_column_names_are_found(tmp_path: Path, delimiter: str) -> None:
    text = f"ID{delimiter}Message{delimiter}Intent{delimiter}channel\n7{delimiter}Hello{delimiter}a{delimiter}mail\n"
    file = read_test_set_file(write(tmp_path, text))
    assert (file.columns.id, file.columns.text, file.columns.target, file.columns.slices) == (
        "ID", "Message", "Intent", ("channel",),
    )  # fmt: skip
    assert file.examples[0] == Example(
        id="7", inputs={"Message": "Hello", "channel": "mail"}, target="a", slices={"channel": "mail"}, row=2
    )


def test_quoted_line_breaks_keep_the_row_numbers_of_a_spreadsheet_editor(tmp_path: Path) -> None:
    file = read_test_set_file(write(tmp_path, 'text,label\n"two\nlines",a\nthird,b\n'))
    assert [example.row for example in file.examples] == [2, 4]
    assert file.examples[0].inputs["text"] == "two\nlines"


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path: Path) -> None:
    assert read_test_set_file(write(tmp_path, b"\xef\xbb\xbftext,label\nx,a\n")).columns.text == "text"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"text,label\nx\0,a\n", "NUL"),
        (b'text,label\n"never closed,a\n', "line 2"),
        (b"foo,bar\n1,2\n", "no column looks like the text"),
        (b"text,text,label\n1,2,3\n", "twice"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_place(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(BadTestSet, match=words):
        read_test_set_file(write(tmp_path, content))


def test_a_missing_file_and_a_folder_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(BadTestSet, match="There is no file"):
        read_test_set_file(tmp_path / "none.csv")
    with pytest.raises(BadTestSet, match="folder without data files"):
        read_test_set_file(tmp_path)


def test_a_misspelt_column_gets_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(BadTestSet, match="Did you mean 'label'"):
        read_test_set_file(write(tmp_path, "text,label\nx,a\n"), columns=AskedColumns(label="lable"))


def test_rows_with_too_few_cells_are_named_and_not_dropped_silently(tmp_path: Path) -> None:
    file = read_test_set_file(write(tmp_path, "text,label\nonly text\nx,a\n"))
    assert [(problem.rule, problem.row) for problem in file.problems] == [("wrong_number_of_cells", 2)]
    assert len(file.examples) == 1


def make(identity: str, text: str, target: str, row: int) -> Example:
    return Example(id=identity, inputs={"text": text}, target=target, row=row)


def test_every_problem_is_found_with_its_row() -> None:
    examples = (
        make("a", "Hello", "x", 2),
        make("a", "Other", "x", 3),
        make("c", " hello ", "y", 4),
        make("d", "Hello", "x", 5),
        make("e", "  ", "x", 6),
        make("f", "Bye", "", 7),
        make("g", "Byebye", "xx", 8),
        make("h", "Shown", "y", 9),
    )
    shots = (make("s", "shown", "y", 2),)
    found = {(problem.rule, problem.row) for problem in check_examples(examples, ("x", "y"), shots)}
    assert {
        ("duplicate_id", 3),
        ("contradictory_labels", 4),
        ("duplicate_text", 5),
        ("empty_text", 6),
        ("empty_label", 7),
        ("unknown_label", 8),
        ("few_shot_in_test_set", 9),
    } <= found


def test_an_unknown_label_is_answered_with_the_nearest_one() -> None:
    (problem, *_) = check_examples((make("a", "t", "delivry", 2),), ("delivery", "returns"))
    assert problem.severity == "error"
    assert problem.fix == "Did you mean 'delivery'?"


@given(st.lists(st.tuples(st.text(max_size=20), st.sampled_from("ab")), min_size=1, max_size=8))
def test_what_is_written_as_csv_is_read_back_whole(rows: list[tuple[str, str]]) -> None:
    import csv
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "set.csv"
        clean = [(text.replace("\0", "").encode("utf-8", "ignore").decode(), label) for text, label in rows]
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["text", "label"])
            writer.writerows(clean)
        read = read_test_set_file(path)
        assert [(e.inputs["text"], e.target) for e in read.examples] == clean
        assert not read.problems
