"""Versions of test sets: kept by content, told apart, exported and read back, used by benchmarks."""

import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from results.errors import DoubledExamples, NothingToCompare, UnknownTestSet
from results.store import Store
from results.versions import other_version_notes
from runners.errors import BadTestSet
from runners.test_set_records import Task
from tests.results_samples import answers, benchmark
from tests.test_cli import printed
from tests.test_cli import workbench as run_workbench
from workbench.benchmark_file import parse_benchmark
from workbench.errors import BadBenchmarkFile
from workbench.records import ColumnsDefinition, TestSetDefinition
from workbench.test_set_book import TestSetBook
from workbench.test_set_records import ImportedTestSet
from workbench.test_sets import prepare_benchmark

CSV = "id,text,label,channel\na,Where is my parcel?,delivery,mail\nb,I want my money back,returns,chat\n"


@pytest.fixture
def book(tmp_path: Path) -> TestSetBook:
    return TestSetBook(Store(tmp_path / "data" / "results.duckdb"))


def keep(book: TestSetBook, path: Path, text: str | None = None, task: Task | None = None) -> ImportedTestSet:
    if text is not None:
        path.write_text(text, encoding="utf-8")
    return book.import_file(TestSetDefinition(file=str(path)), Path(), name="support", task=task)


def test_an_edit_makes_a_version_and_says_what_changed_and_the_same_content_makes_none(
    book: TestSetBook, tmp_path: Path
) -> None:
    path = tmp_path / "set.csv"
    first = keep(book, path, CSV)
    assert (first.kept.version, first.is_new, first.changes) == (1, True, None)
    assert not keep(book, path).is_new
    assert not keep(book, path, CSV.replace("\nb,", "\n\nb,")).is_new, "an empty line changes no example"
    second = keep(book, path, CSV.replace("returns", "refunds").replace("a,Where", "c,Where"))
    assert second.kept.version == 2
    assert second.changes is not None
    changes = second.changes
    assert (changes.added, changes.removed, changes.changed, changes.unchanged) == (1, 1, 1, 0)
    assert {(each.id, each.change, each.fields) for each in changes.changes} == {
        ("c", "added", ()),
        ("a", "removed", ()),
        ("b", "changed", ("target",)),
    }
    assert [kept.version for kept in book.all()] == [2, 1]
    back = keep(book, path, CSV)
    assert (back.kept.version, back.kept.content_hash) == (3, first.kept.content_hash)


def test_a_version_is_read_as_it_was_imported(book: TestSetBook, tmp_path: Path) -> None:
    from runners.test_sets.files import read_test_set_file

    kept = keep(book, tmp_path / "set.csv", CSV)
    read = book.read("support", None, "classification")
    assert read.examples == read_test_set_file(tmp_path / "set.csv").examples
    assert read.columns == kept.kept.columns
    assert book.show("support").label_counts == (("delivery", 1), ("returns", 1))


def test_the_columns_of_the_version_before_are_taken_again(book: TestSetBook, tmp_path: Path) -> None:
    path = tmp_path / "set.csv"
    path.write_text("a,b,c\nx,y,z\nu,v,w\n", encoding="utf-8")
    columns = ColumnsDefinition(text="c", label="a")
    book.import_file(TestSetDefinition(file=str(path), columns=columns), Path(), name="odd")
    path.write_text("a,b,c\nx,y,changed\nu,v,w\n", encoding="utf-8")
    again = book.import_file(TestSetDefinition(file=str(path)), Path(), name="odd")
    assert again.changes is not None
    assert (again.changes.changed, again.changes.unchanged) == (1, 1)


def test_nothing_is_kept_where_a_row_cannot_be_read_or_ids_stand_twice(book: TestSetBook, tmp_path: Path) -> None:
    path = tmp_path / "set.csv"
    with pytest.raises(BadTestSet, match=r"1 rows that cannot be read, and nothing was imported:\n  row 3: 1 cells"):
        keep(book, path, "text,label\nx,a\nshort\n")
    with pytest.raises(DoubledExamples, match="'a' in rows 2, 3"):
        keep(book, path, "id,text,label\na,x,y\na,z,y\n")
    with pytest.raises(BadTestSet, match="has no examples"):
        keep(book, path, "text,label\n")
    with pytest.raises(BadTestSet, match="is no name"):
        book.import_file(TestSetDefinition(file=str(path)), Path(), name="../etc")
    assert book.all() == ()
    assert [entry.name for entry in (tmp_path / "data").iterdir()] == ["results.duckdb"], "nothing is left lying"


def test_unknown_names_and_versions_are_answered(book: TestSetBook, tmp_path: Path) -> None:
    with pytest.raises(UnknownTestSet, match="None was imported yet"):
        book.show("support")
    keep(book, tmp_path / "set.csv", CSV)
    with pytest.raises(UnknownTestSet, match=r"Did you mean 'support'\?"):
        book.show("suport")
    with pytest.raises(UnknownTestSet, match=r"no version 4\. Versions: 1\."):
        book.diff("support", 1, 4)
    with pytest.raises(BadTestSet, match="imported for the task classification, and extraction is"):
        book.read("support", 1, "extraction")
    with pytest.raises(BadTestSet, match=r"does not end in \.csv"):
        book.export("support", None, tmp_path / "set.ods")


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)
ROWS: dict[Task, st.SearchStrategy[dict[str, object]]] = {
    "classification": st.fixed_dictionaries(
        {"text": TEXTS, "label": TEXTS, "kind": st.sampled_from("xy"), "weight": st.floats(0.5, 9)}
    ),
    "short_answer": st.fixed_dictionaries({"question": TEXTS, "answers": st.lists(TEXTS, min_size=1, max_size=3)}),
    "multiple_choice": st.fixed_dictionaries(
        {
            "question": TEXTS,
            "choices": st.lists(TEXTS, min_size=2, max_size=4, unique_by=str.strip),
            "answer": st.just(0),
        }
    ),
    "context_question": st.fixed_dictionaries(
        {
            "question": TEXTS,
            "passages": st.lists(TEXTS, min_size=1, max_size=3),
            "answer": TEXTS,
            "relevant": st.just([1]),
        }
    ),
}


@pytest.mark.parametrize("task", list(ROWS))
@pytest.mark.parametrize("ending", [".jsonl", ".csv", ".tsv", ".parquet"])
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_is_exported_and_imported_again_makes_no_new_version(task: Task, ending: str, data: st.DataObject) -> None:
    rows = data.draw(st.lists(ROWS[task], min_size=1, max_size=4))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        book = TestSetBook(Store(folder / "results.duckdb"))
        source = folder / "set.jsonl"
        source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        first = keep(book, source, task=task)
        exported = book.export("support", None, folder / f"out{ending}")
        again = keep(book, exported)
        assert again.kept == first.kept, again.changes


def test_blanks_are_no_right_answer(book: TestSetBook, tmp_path: Path) -> None:
    rows = [{"question": "0", "answers": [" ", "0", "\r", "\u2003"]}, {"question": "1", "answers": [" "]}]
    source = tmp_path / "set.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    keep(book, source, task="short_answer")
    first, second = book.read("support", None, "short_answer").examples
    assert (first.target, first.accepted) == ("0", ())
    assert (second.target, second.accepted) == ("", ())


def test_a_benchmark_may_name_a_version(book: TestSetBook, tmp_path: Path) -> None:
    keep(book, tmp_path / "set.csv", CSV)
    keep(book, tmp_path / "set.csv", CSV.replace("my money", "all my money"))
    text = "name: b\ntest_set: {name: support, version: 1}\ncandidates: [{model: x/y}]\n"
    test_set = prepare_benchmark(parse_benchmark(text, "b.yaml"), tmp_path, kept=book).test_set
    assert (test_set.name, test_set.source) == ("support", "support, version 1")
    assert test_set.examples[1].inputs["text"] == "I want my money back"
    newest = parse_benchmark(text.replace(", version: 1", ""), "b.yaml")
    assert prepare_benchmark(newest, tmp_path, kept=book).test_set.content_hash != test_set.content_hash
    from_file = parse_benchmark("name: b\ntest_set: {file: set.csv}\ncandidates: [{model: x/y}]\n", "b.yaml")
    assert (
        prepare_benchmark(from_file, tmp_path).test_set.content_hash
        == prepare_benchmark(newest, tmp_path, kept=book).test_set.content_hash
    ), "a file and the version that was made of it are the same test set"


@pytest.mark.parametrize(
    ("test_set", "words"),
    [
        ("{}", "either a `file` or the `name`"),
        ("{file: a.csv, name: b}", "either a `file` or the `name`"),
        ("{file: a.csv, version: 2}", "only a test set that was imported has a `version`"),
    ],
)
def test_a_test_set_is_a_file_or_a_version(test_set: str, words: str) -> None:
    with pytest.raises(BadBenchmarkFile, match=words):
        parse_benchmark(f"name: b\ntest_set: {test_set}\ncandidates: [{{model: x/y}}]\n", "b.yaml")


def test_runs_on_another_version_are_named_and_where_none_is_left_nothing_is_compared() -> None:
    assert other_version_notes("b", (), 2) == ()
    (note,) = other_version_notes("b", ("small",), 1)
    assert note.startswith("Left out: small was measured on another version")
    with pytest.raises(NothingToCompare, match="no run on its test set as it is now"):
        other_version_notes("b", ("small", "large"), 0)


def test_a_run_on_another_version_is_left_out_of_the_comparison_and_named(tmp_path: Path) -> None:
    store = Store(tmp_path / "results.duckdb")
    store.save_benchmark(benchmark("A", "B"))
    store.save_run("demo", answers("A", "right", "right", "wrong", "wrong"))
    store.save_run("demo", answers("B", "right", "right", "wrong", "wrong"))
    assert store.measured_otherwise("demo") == ()
    edited = benchmark("A", "B").model_copy(update={"test_set_hash": "of another version"})
    store.save_benchmark(edited)
    assert store.measured_otherwise("demo") == ("A", "B")
    store.save_benchmark(edited.model_copy(update={"candidates": ("B", "C")}))
    assert store.measured_otherwise("demo") == ("B",), "a candidate that was taken out is not missed"
    assert store.measurements("demo") == ()


def test_the_commands_on_versions(tmp_path: Path) -> None:
    home, path = tmp_path / "home", tmp_path / "support.csv"
    path.write_text(CSV, encoding="utf-8")
    assert "version 1: 2 examples" in run_workbench(home, "testset", "import", str(path)).stdout
    path.write_text(CSV + "c,Thanks!,other,chat\n", encoding="utf-8")
    imported = printed(run_workbench(home, "testset", "import", str(path), "--json"))["imported"]
    assert (imported["kept"]["version"], imported["changes"]["added"]) == (2, 1)
    assert len(printed(run_workbench(home, "testset", "list", "--json"))) == 2
    assert "1 added, 0 removed" in run_workbench(home, "testset", "diff", "support", "1", "2").stdout
    assert "from" in run_workbench(home, "testset", "show", "support", "--version", "1").stdout.lower()
    out = tmp_path / "out.csv"
    run_workbench(home, "testset", "export", "support", "--output", str(out))
    assert [row["id"] for row in csv.DictReader(out.read_text(encoding="utf-8").splitlines())] == ["a", "b", "c"]
    assert "not among" in run_workbench(home, "testset", "import", str(path), "--task", "poetry", code=2).stderr
    assert "KEY=NAME" in run_workbench(home, "testset", "check", str(path), "--column", "txt=a", code=2).stderr


def test_a_hundred_thousand_rows_pass_without_being_held(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write("id,text,label\n")
        file.writelines(f"e{n},{f'message {n} ' * 20},{'ab'[n % 2]}\n" for n in range(100_000))
    code = """
import resource, sys
from pathlib import Path
from results.store import Store
from workbench.records import TestSetDefinition
from workbench.test_set_book import TestSetBook
path = Path(sys.argv[1])
book = TestSetBook(Store(path.parent / "data" / "results.duckdb"))
small = path.with_name("small.csv")
small.write_text("id,text,label\\na,b,c\\n")
book.import_file(TestSetDefinition(file=str(small)), Path())
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
kept = book.import_file(TestSetDefinition(file=str(path)), Path()).kept
print(kept.examples, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    examples, kibibytes = map(int, done.stdout.split())
    assert examples == 100_000
    # The file has 30 MB; as examples in memory it would take more than 200 MB.
    assert kibibytes < 150_000
