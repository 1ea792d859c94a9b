"""Edits of kept test sets: written down one by one, made a version when wanted, and lost by nothing."""

from pathlib import Path

import pytest

from results.store import Store
from runners.errors import BadTestSet
from runners.test_set_records import Example
from runners.test_sets.edits import ExampleEdit
from workbench.records import TestSetDefinition
from workbench.test_set_book import TestSetBook
from workbench.test_set_records import NewExample

CSV = "id,text,label,channel\na,Where is my parcel?,delivery,mail\nb,I want my money back,returns,chat\n"


def open_book(folder: Path) -> TestSetBook:
    """The book as a fresh process opens it."""
    return TestSetBook(Store(folder / "data" / "results.duckdb"))


@pytest.fixture
def book(tmp_path: Path) -> TestSetBook:
    return open_book(tmp_path)


@pytest.fixture
def support(book: TestSetBook, tmp_path: Path) -> TestSetDefinition:
    """A kept test set of two examples."""
    path = tmp_path / "support.csv"
    path.write_text(CSV, encoding="utf-8")
    book.import_file(TestSetDefinition(file=str(path)), Path(), name="support")
    return TestSetDefinition(name="support")


def set_target(identity: str, value: str) -> ExampleEdit:
    return ExampleEdit(change="set", id=identity, field="target", value=value)


@pytest.mark.usefixtures("support")
def test_an_edit_outlives_the_process_and_becomes_a_version_with_what_was_done(
    book: TestSetBook, tmp_path: Path
) -> None:
    book.edit("support", [set_target("a", "returns")])
    added = Example(id="c", inputs={"text": "Hello <b>", "channel": ""}, target="")
    book.edit("support", [ExampleEdit(change="add", id="c", example=added)])
    book.edit("support", [ExampleEdit(change="remove", id="b", why="empty_text")])
    again = open_book(tmp_path)
    working = again.working("support")
    assert [(e.id, e.target, e.row) for e in working.file.examples] == [("a", "returns", 2), ("c", "", 4)]
    assert working.kept.version == 1
    assert working.message == "1 answer set, 1 example added, 1 row left out (empty_text)."
    kept = again.keep_edits("support")
    assert (kept.kept.version, kept.kept.message, kept.is_new) == (2, working.message, True)
    assert kept.changes is not None
    assert (kept.changes.added, kept.changes.removed, kept.changes.changed) == (1, 1, 1)
    assert again.working("support").edits == ()
    assert not again.keep_edits("support").is_new
    assert [e.target for e in again.read("support", 1, "classification").examples] == ["delivery", "returns"]


@pytest.mark.usefixtures("support")
def test_what_was_edited_at_once_is_undone_at_once(book: TestSetBook, tmp_path: Path) -> None:
    book.edit("support", [set_target("a", "x")])
    book.edit("support", [set_target("a", "y"), ExampleEdit(change="remove", id="b")])
    assert book.undo("support") == 2
    assert [e.target for e in open_book(tmp_path).working("support").file.examples] == ["x", "returns"]
    assert (book.undo("support"), book.undo("support")) == (1, 0)
    assert not book.keep_edits("support").is_new


@pytest.mark.usefixtures("support")
def test_edits_that_cannot_be_made_change_nothing_and_say_why(book: TestSetBook) -> None:
    for edit, reason in (
        (set_target("z", "x"), "no example 'z'"),
        (ExampleEdit(change="set", id="a", field="id", value="b"), "taken by another"),
        (ExampleEdit(change="set", id="a", field="weight", value="-1"), "no number above 0"),
        (ExampleEdit(change="set", id="a", field="input:nowhere", value="-1"), "no column 'nowhere'"),
        (set_target("a", "x" * 200_001), "200,001 characters"),
        (set_target("a", "\ud800"), "half a character"),
    ):
        with pytest.raises(BadTestSet, match=reason):
            book.edit("support", [set_target("b", "changed"), edit])
    assert book.working("support").edits == ()


@pytest.mark.usefixtures("support")
def test_the_newest_version_holds_the_edits_when_it_is_measured(book: TestSetBook) -> None:
    book.edit("support", [set_target("a", "returns")])
    assert [e.target for e in book.read("support", None, "classification").examples] == ["returns", "returns"]
    assert book.all()[0].version == 2


@pytest.mark.usefixtures("support")
def test_edits_go_on_top_of_a_version_that_was_imported_meanwhile(book: TestSetBook, tmp_path: Path) -> None:
    book.edit("support", [set_target("a", "returns"), set_target("b", "delivery")])
    path = tmp_path / "support.csv"
    path.write_text(CSV.replace("\nb,I", "\nc,I"), encoding="utf-8")
    open_book(tmp_path).import_file(TestSetDefinition(file=str(path)), Path(), name="support")
    assert [(e.id, e.target) for e in book.working("support").file.examples] == [("a", "returns"), ("c", "returns")]


def test_an_example_is_added_to_a_kept_test_set_as_a_new_version(book: TestSetBook, support: TestSetDefinition) -> None:
    new = NewExample(text="My bill is wrong", target="returns", slices={"channel": "chat"})
    added = book.add_example(support, new)
    assert (added.kept.version, added.kept.message) == (2, "1 example added (head-to-head).")
    assert added.test_set == support
    assert added.example.id == "head-to-head-1"
    assert added.example.inputs == {"text": "My bill is wrong", "channel": "chat"}
    assert added.example.slices == {"channel": "chat"}
    second = book.add_example(support, NewExample(text="<script>alert(1)</script>", target="delivery"))
    assert (second.example.id, second.kept.version, second.kept.examples) == ("head-to-head-2", 3, 4)
    named = book.add_example(support, NewExample(text="Other", target="delivery", id="a"))
    assert named.example.id == "a-2"


def test_an_example_is_refused_with_the_reason(book: TestSetBook, support: TestSetDefinition) -> None:
    for new, reason in (
        (NewExample(text="where is  MY parcel?", target="returns"), r"has this text already, as 'a' \(delivery\)"),
        (NewExample(text="New", target="delivry"), "'delivry' is not in the set. Did you mean 'delivery'"),
        (NewExample(text="New", target=" "), "the label is empty"),
        (NewExample(text=" ", target="returns"), "the text is empty"),
        (NewExample(text="New", target="returns", slices={"colour": "x"}), "has no column 'colour'"),
    ):
        with pytest.raises(BadTestSet, match=reason):
            book.add_example(support, new)
    with pytest.raises(BadTestSet, match="No test set is chosen"):
        book.add_example(None, NewExample(text="New", target="returns"))
    assert book.all()[0].version == 1
    book.add_example(support, NewExample(text="New", target="returns"))
    with pytest.raises(BadTestSet, match="Version 1 of 'support' is open, and the newest is 2"):
        book.add_example(support.model_copy(update={"version": 1}), NewExample(text="Newer", target="returns"))


def test_a_plain_file_is_kept_before_an_example_is_added_to_it(book: TestSetBook, tmp_path: Path) -> None:
    path = tmp_path / "my set (1).csv"
    path.write_text("text,label\nOne,x\nTwo,y\n", encoding="utf-8")
    added = book.add_example(TestSetDefinition(file=str(path)), NewExample(text="Three", target="y"))
    assert (added.test_set.file, added.test_set.name) == (None, "my-set-1")
    assert added.notes == ("The file my set (1).csv was kept as test set 'my-set-1', version 1.",)
    assert [kept.version for kept in book.all()] == [2, 1]
    again = book.add_example(TestSetDefinition(file=str(path)), NewExample(text="Four", target="y"))
    assert (again.test_set.name, again.kept.examples) == ("my-set-1", 4), "the same file is the same test set"
    path.write_text("text,label\nOne,x\nTwo\n", encoding="utf-8")
    with pytest.raises(BadTestSet, match="1 rows that cannot be read"):
        book.add_example(TestSetDefinition(file=str(path)), NewExample(text="Three", target="y"))


def test_a_test_set_starts_empty(book: TestSetBook) -> None:
    kept = book.start("fresh", "classification", ("x", "y"))
    assert (kept.version, kept.examples, kept.labels) == (1, 0, ("x", "y"))
    added = book.add_example(TestSetDefinition(name="fresh"), NewExample(text="One", target="y"))
    assert added.example.inputs == {"text": "One"}
    with pytest.raises(BadTestSet, match="not in the set"):
        book.add_example(TestSetDefinition(name="fresh"), NewExample(text="Two", target="z"))
    with pytest.raises(BadTestSet, match="already"):
        book.start("fresh", "classification")
    with pytest.raises(BadTestSet, match="no name"):
        book.start("../x", "classification")
