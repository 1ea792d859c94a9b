"""Every format that holds labelled examples, well-formed and broken: what is read, converted, refused, and said."""

import contextlib
import datetime
import json
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runners.errors import BadTestSet
from runners.test_set_records import Task
from runners.test_sets.checks import check_examples
from runners.test_sets.files import read_test_set_file
from runners.test_sets.records import AskedColumns, FileOptions, TestSetFile

ROWS = [
    {"id": "a", "text": "Where is my parcel?", "label": "delivery"},
    {"id": "b", "text": 'It says "sold out", twice;\nwhy?', "label": "product"},
    {"id": "c", "text": "Grüße 你好", "label": "delivery"},
]
AS_READ = [(row["id"], row["text"], row["label"]) for row in ROWS]


def write_csv(path: Path, delimiter: str = ",", encoding: str = "utf-8") -> Path:
    import csv
    import io

    text = io.StringIO()
    writer = csv.DictWriter(text, ["id", "text", "label"], delimiter=delimiter)
    writer.writeheader()
    writer.writerows(ROWS)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def write_jsonl(path: Path, rows: list[dict[str, Any]] = ROWS) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def write_json(path: Path, value: object) -> Path:
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def write_parquet(path: Path, rows: list[dict[str, Any]] = ROWS) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def write_excel(path: Path, rows: list[list[Any]] | None = None) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows or [["id", "text", "label"], *[list(row.values()) for row in ROWS]]:
        sheet.append(row)
    book.save(path)
    return path


def read_back(file: TestSetFile) -> list[tuple[str, str, str]]:
    return [(example.id, example.inputs["text"], example.target) for example in file.examples]


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("set.csv", write_csv),
        ("set.tsv", lambda path: write_csv(path, "\t")),
        ("semicolons.csv", lambda path: write_csv(path, ";")),
        ("wide.csv", lambda path: write_csv(path, encoding="utf-16")),
        ("marked.csv", lambda path: write_csv(path, encoding="utf-8-sig")),
        ("set.jsonl", write_jsonl),
        ("lines.json", write_jsonl),
        ("set.json", lambda path: write_json(path, ROWS)),
        ("wrapped.json", lambda path: write_json(path, {"version": 1, "data": ROWS})),
        ("set.parquet", write_parquet),
        ("set.xlsx", write_excel),
        ("renamed.txt", write_excel),
    ],
)
def test_the_same_examples_come_out_of_every_format(tmp_path: Path, name: str, write: Callable[[Path], Path]) -> None:
    file = read_test_set_file(write(tmp_path / name))
    assert read_back(file) == AS_READ
    assert not file.problems


def test_how_a_file_was_read_is_said(tmp_path: Path) -> None:
    form = read_test_set_file(write_csv(tmp_path / "a.csv", ";", "utf-16")).form
    assert (form.format, form.encoding, form.delimiter) == ("csv", "utf-16", ";")
    book = write_excel(tmp_path / "b.xlsx")
    assert (read_test_set_file(book).form.format, read_test_set_file(book).form.sheet) == ("excel", "Sheet")


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "Grüße aus Köln, wo bleibt mein Päckchen?"),
        ("cp1252", "naïve café"),
        ("cp1252", "“quoted” text – don’t"),
        ("cp1250", "Zażółć gęślą jaźń, gdzie jest moja paczka? Chciałbym zwrócić towar."),
        ("cp1251", "Где моя посылка? Я хочу вернуть товар и получить деньги обратно."),
        ("cp932", "荷物はどこですか。返品したいのですが。"),
        ("gb18030", "我的包裹在哪里？我想退货。"),
    ],
)
def test_other_encodings_are_guessed_and_the_guess_is_a_warning(tmp_path: Path, encoding: str, text: str) -> None:
    path = tmp_path / "set.csv"
    path.write_bytes(f'text,label\nplain,a\n"{text}",b\n'.encode(encoding))
    file = read_test_set_file(path)
    assert file.examples[1].inputs["text"] == text
    (problem,) = file.problems
    assert (problem.rule, problem.severity, problem.row) == ("guessed_encoding", "warning", 3)
    assert not read_test_set_file(path, options=FileOptions(encoding=encoding)).problems


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("text;label\nHello, you, there;a\nBye, now;b\n", ";"),
        ('text,label\n"one; two; three; four",a\n"five; six; seven",b\n', ","),
        ("text\tlabel\nA, b; c\ta\n", "\t"),
        ("sep=;\ntext;label\nx;a\n", ";"),
        ("\n\ntext,label\nx,a\n", ","),
        ('text,label\n"a\nb;c;d",x\n', ","),
    ],
)
def test_the_delimiter_is_the_one_that_gives_even_rows(tmp_path: Path, text: str, delimiter: str) -> None:
    path = tmp_path / "set.csv"
    path.write_text(text, encoding="utf-8", newline="")
    file = read_test_set_file(path)
    assert file.form.delimiter == delimiter
    assert not file.problems


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"\n\n", "empty"),
        ("a.csv", b"text,label\n\"open,a\nx,b\n", "line 2 is never closed"),
        ("a.csv", b"\x1f\x8b\x08\x00rest", "compressed"),
        ("a.csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "NUL"),
        ("a.jsonl", b"", "empty"),
        ("a.jsonl", b"[1, 2]\n[3]\n", "row with columns"),
        ("a.json", b"{", "this is not JSON"),
        ("a.json", b"3", "one plain value"),
        ("a.json", b'{"text": {"0": "x"}, "label": {"0": "a"}}', "one entry per column"),
        ("a.json", b'{"a": [{"text": "x"}], "b": [{"text": "y"}]}', "several lists: a, b"),
        ("a.json", b'[{"text": "x", "text": "y"}]', "'text' appears twice"),
        ("a.parquet", b"", "0 bytes"),
        ("a.parquet", b"PAR1 and nothing else", "cannot be read as Parquet"),
        ("a.xlsx", b"", "0 bytes"),
        ("a.xlsx", b"PK\x03\x04 no archive", "cannot be read as an Excel workbook"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "format of before 2007"),
        (
            "a.xlsx",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"),
            "protected by a password",
        ),
    ],
)  # fmt: skip
def test_broken_files_are_refused_with_a_sentence(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(BadTestSet, match=words):
        read_test_set_file(path)


def test_a_workbook_whose_sheet_is_damaged_is_refused(tmp_path: Path) -> None:
    whole = write_excel(tmp_path / "whole.xlsx")
    broken = tmp_path / "broken.xlsx"
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(broken, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, content[: len(content) // 2] if name.endswith("sheet1.xml") else content)
    with pytest.raises(BadTestSet, match=r"damaged|cannot be read"):
        read_test_set_file(broken)


def test_broken_lines_of_json_are_named_and_the_others_are_read(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    lines = ['{"text": "x", "label": "a"}', "", "{broken", '"a text"', '{"text": "y", "text": "z", "label": "b"}']
    path.write_text("\n".join(lines), encoding="utf-8")
    file = read_test_set_file(path)
    assert [example.row for example in file.examples] == [1]
    assert [(p.row, p.rule, p.severity) for p in file.problems] == [
        (row, "not_an_object", "error") for row in (3, 4, 5)
    ]


def test_a_column_that_appears_late_is_not_dropped_silently(tmp_path: Path) -> None:
    rows = [{"text": f"t{number}", "label": "a"} for number in range(1001)] + [{"text": "x", "label": "b", "late": "1"}]
    file = read_test_set_file(write_jsonl(tmp_path / "set.jsonl", rows))
    assert [(p.rule, p.row) for p in file.problems] == [("unknown_column", 1002)]
    assert "'late'" in file.problems[0].message


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (3, "3"),
        (3.0, "3"),
        (0.1, "0.1"),
        ([1, 2], "[1, 2]"),
        ({"k": None}, '{"k": null}'),
        (datetime.datetime(2026, 1, 31), "2026-01-31"),  # noqa: DTZ001  a spreadsheet's dates have no zone
        (datetime.datetime(2026, 1, 31, 9, 30), "2026-01-31T09:30:00"),  # noqa: DTZ001
        (datetime.date(2026, 1, 31), "2026-01-31"),
        (b"bytes", "bytes"),
        (float("nan"), ""),
    ],
)
def test_values_become_text_by_stated_rules(tmp_path: Path, value: object, text: str) -> None:
    path = write_parquet(tmp_path / "set.parquet", [{"text": "x", "label": "a", "extra": value}])
    file = read_test_set_file(path, columns=AskedColumns(slices=()))
    assert file.examples[0].inputs["extra"] == text
    is_said = any(note.startswith("extra") for note in file.form.notes)
    assert is_said == (repr(value) not in {"3", "0.1"})


def test_bytes_that_are_no_text_are_a_problem_of_their_row(tmp_path: Path) -> None:
    rows = [{"text": b"\xff\xfe\x00", "label": "a"}, {"text": b"ok", "label": "b"}]
    file = read_test_set_file(write_parquet(tmp_path / "set.parquet", rows))
    assert [(p.rule, p.row) for p in file.problems] == [("not_text", 1)]
    assert len(file.examples) == 1


def test_a_column_of_images_is_left_out_and_said(tmp_path: Path) -> None:
    image = {"bytes": b"\x89PNG\xff", "path": "a.png"}
    path = write_parquet(tmp_path / "set.parquet", [{"text": "x", "label": "a", "image": image}])
    file = read_test_set_file(path)
    assert not file.problems
    assert file.examples[0].inputs == {"text": "x"}
    assert "image holds bytes that are no text, and is not read." in file.form.notes


def test_half_characters_are_a_problem_of_their_row(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text('{"text": "\\ud83d", "label": "a"}\n{"text": "\\ud83d\\ude00", "label": "a"}\n', encoding="utf-8")
    file = read_test_set_file(path)
    assert [(p.rule, p.row) for p in file.problems] == [("half_character", 1)]
    assert [example.inputs["text"] for example in file.examples] == ["😀"]


# Excel


def test_formulas_give_the_value_that_excel_stored_and_say_where_there_is_none(tmp_path: Path) -> None:
    path = write_excel(tmp_path / "set.xlsx", [["text", "label"], ["x", "a"], ['="y"&"z"', "b"]])
    file = read_test_set_file(path)
    (problem,) = file.problems
    assert (problem.rule, problem.row) == ("formula_without_value", 3)
    assert '="y"&"z"' in problem.message


def test_cells_beyond_the_header_errors_and_other_sheets_are_said(tmp_path: Path) -> None:
    path = write_excel(tmp_path / "set.xlsx", [["text", "label"], ["x", "a", "lost"], ["#REF!", "b"], [None, None]])
    book = openpyxl.load_workbook(path)
    book.create_sheet("Notes").append(["text", "label"])
    book["Notes"].append(["from notes", "n"])
    book.save(path)
    file = read_test_set_file(path)
    assert {(p.rule, p.row) for p in file.problems} == {("cells_beyond_header", 2), ("excel_error", 3)}
    assert any("not read: Notes" in note for note in file.form.notes)
    other = read_test_set_file(path, options=FileOptions(sheet="Notes"))
    assert other.examples[0].target == "n"
    with pytest.raises(BadTestSet, match="no sheet 'Nots'"):
        read_test_set_file(path, options=FileOptions(sheet="Nots"))


# Dataset folders


def test_a_dataset_folder_gives_its_test_split_else_validation_else_train(tmp_path: Path) -> None:
    train, data = [{**row, "label": "train"} for row in ROWS], tmp_path / "data"
    write_parquet(data / "train-00000-of-00001.parquet", train)
    (tmp_path / "README.md").write_text("A data set.")
    assert read_test_set_file(tmp_path).form.split == "train"
    write_parquet(data / "validation-00000-of-00001.parquet")
    assert read_test_set_file(tmp_path).form.split == "validation"
    write_parquet(data / "test-00000-of-00002.parquet", ROWS[:2])
    write_parquet(data / "test-00001-of-00002.parquet", ROWS[2:])
    file = read_test_set_file(tmp_path)
    assert (file.form.split, len(file.form.files)) == ("test", 2)
    assert read_back(file) == AS_READ
    assert [example.row for example in file.examples] == [1, 2, 3]
    assert {e.target for e in read_test_set_file(tmp_path, options=FileOptions(split="train")).examples} == {"train"}
    with pytest.raises(BadTestSet, match="no files of the split 'dev'"):
        read_test_set_file(tmp_path, options=FileOptions(split="dev"))


def test_a_folder_in_which_several_files_could_be_meant_is_refused(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "one.jsonl")
    assert read_back(read_test_set_file(tmp_path)) == AS_READ
    write_jsonl(tmp_path / "two.jsonl")
    with pytest.raises(BadTestSet, match=r"several files .* one.jsonl, two.jsonl"):
        read_test_set_file(tmp_path)
    for name in ("first", "second"):
        write_parquet(tmp_path / name / "test.parquet")
    with pytest.raises(BadTestSet, match="several folders: first, second"):
        read_test_set_file(tmp_path)


def test_names_of_classes_stand_in_for_their_numbers(tmp_path: Path) -> None:
    features = {"label": {"names": ["billing", "delivery"], "_type": "ClassLabel"}, "text": {"_type": "Value"}}
    table = pa.table({"text": ["x", "y", "z"], "label": [1, 0, -1]})
    table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pq.write_table(table, tmp_path / "set.parquet")
    file = read_test_set_file(tmp_path / "set.parquet")
    assert [example.target for example in file.examples] == ["delivery", "billing", ""]
    assert any("billing, delivery" in note for note in file.form.notes)


# Round trips

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(TEXTS, st.sampled_from("abc")), min_size=1, max_size=6))
def test_what_is_written_in_any_format_is_read_back_whole(rows: list[tuple[str, str]]) -> None:
    records = [{"text": text, "label": label} for text, label in rows]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path in (write_jsonl(folder / "a.jsonl", records), write_parquet(folder / "a.parquet", records)):
            file = read_test_set_file(path)
            assert [(e.inputs["text"], e.target) for e in file.examples] == rows
            assert not file.problems


MAGIC = st.sampled_from(
    [b"", b"PAR1", b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"[", b"{", b"\xff\xfe", b"sep=", b"text,label\n"]
)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["text", "label", "x"]), inner),
    max_leaves=8,
)
KEYS = st.sampled_from(
    [
        "text",
        "question",
        "label",
        "answer",
        "answers",
        "choices",
        "context",
        "relevant",
        "weight",
        "group",
        "id",
        "A",
        "B",
    ]
)


@settings(max_examples=100, deadline=None)
@given(MAGIC, st.binary(max_size=200), st.sampled_from([".csv", ".json", ".jsonl", ".parquet", ".xlsx", ".txt", ""]))
def test_any_bytes_are_read_or_refused_with_a_sentence(magic: bytes, content: bytes, ending: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / f"set{ending}"
        path.write_bytes(magic + content)
        with contextlib.suppress(BadTestSet):
            read_test_set_file(path)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.dictionaries(KEYS, JSON_VALUES, max_size=6), max_size=4), st.sampled_from(get_args(Task)))
def test_any_objects_are_examples_or_problems_or_refused(rows: list[dict[str, Any]], task: Task) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "set.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        with contextlib.suppress(BadTestSet):
            file = read_test_set_file(path, task)
            assert len(file.examples) + len({p.row for p in file.problems if p.severity == "error"}) >= len(rows)
            check_examples(file.examples, (), task=task)
