"""Test set: upload, problems by row, columns, and the prompt exactly as a model receives it."""

import re
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Page, expect

from tests.browser import SCRIPT_TEXT, RunningApp, open_step, start_app

pytest_plugins = ("tests.browser_fixtures",)
pytestmark = pytest.mark.browser

BROKEN = """\
id,text,label,kind
a1,Where is my parcel?,delivery,x
a2,,returns,x
a3,<script>window.hacked=1</script>,returns,y
a4,Where is my  PARCEL?,returns,y
"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """An app of its own, because the test set lies on one desk for all pages."""
    with start_app(tmp_path_factory.mktemp("testset") / "home") as app:
        yield app


def upload(page: Page, path: Path) -> None:
    """Give a file to the upload button."""
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Upload a file").click()
    chooser.value.set_files(path)


def show_part(page: Page, part: str) -> None:
    """Go to a part of the step."""
    page.get_by_role("navigation", name="Parts of the test set").get_by_role("button", name=part).click()


def test_problems_are_listed_by_row_and_texts_are_shown_as_text(app: RunningApp, page: Page, tmp_path: Path) -> None:
    path = tmp_path / "broken.csv"
    path.write_text(BROKEN, encoding="utf-8")
    open_step(page, app.address, "Test set")
    upload(page, path)
    problems = page.get_by_role("table", name="Problems by row")
    expect(problems).to_contain_text("a2: the text is empty")
    expect(problems).to_contain_text("also in row 2, labelled 'delivery' there and 'returns' here")
    expect(page.get_by_text("Nothing is measured on this file until its errors are mended.")).to_be_visible()
    examples = page.get_by_role("table", name="First examples")
    expect(examples).to_contain_text("<script>window.hacked=1</script>")
    show_part(page, "Prompt")
    preview = page.get_by_role("button", name="Preview")
    preview.click()
    expect(page.get_by_text("is not measured until they are mended")).to_be_visible()
    expect(preview).to_be_enabled()
    show_part(page, "Overview")
    assert page.evaluate("window.hacked") is None
    page.reload()
    expect(problems).to_be_visible()


def test_a_workbook_with_two_label_columns_is_read_and_said(app: RunningApp, page: Page, tmp_path: Path) -> None:
    path = tmp_path / "labelled.xlsx"
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["text", "label", "second_label"], ["Where is it?", "a", "a"], ["Broken.", "b", "a"]):
        sheet.append(row)
    book.save(path)
    open_step(page, app.address, "Test set")
    upload(page, path)
    expect(page.get_by_text("Read as excel, sheet Sheet.")).to_be_visible()
    expect(page.get_by_text("Two labellers agree on")).to_be_visible()
    expect(page.get_by_role("table", name="First examples")).to_contain_text("Where is it?")


def test_columns_can_be_mapped_where_they_cannot_be_guessed(app: RunningApp, page: Page, tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text("frage,antwort,text\nWo?,hier,x\nWann?,jetzt,y\n", encoding="utf-8")
    open_step(page, app.address, "Test set")
    upload(page, path)
    expect(page.get_by_text("no column looks like the label")).to_be_visible()
    page.get_by_role("combobox", name="Right answer column").click()
    page.get_by_role("option", name="antwort").click()
    expect(page.get_by_role("table", name="First examples")).to_contain_text("hier")


def test_texts_are_labelled_by_keys_from_an_empty_test_set_and_nothing_is_lost(app: RunningApp, page: Page) -> None:
    open_step(page, app.address, "Test set")
    page.get_by_role("button", name="Start empty and label by hand").click()
    page.get_by_label("Name of the new test set").fill("by-hand")
    page.get_by_label("Its labels").fill("delivery, returns")
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_label("Texts to add, one per line").fill(f"Where is it?\n{SCRIPT_TEXT}\tdelivery\nI send it back")
    page.get_by_role("button", name="Add these").click()
    expect(page.get_by_role("heading", name="Example 1 of 3")).to_be_visible()
    page.evaluate("localStorage.setItem('shortcuts', 'off')")
    page.keyboard.press("2")
    page.evaluate("localStorage.setItem('shortcuts', 'on')")
    # Two labels: a number beyond them is no wish for another step.
    page.keyboard.press("4")
    page.keyboard.press("1")
    expect(page.get_by_role("heading", name="Example 3 of 3")).to_be_visible()
    page.keyboard.press("2")
    expect(page.get_by_text("3 of 3 labelled").first).to_be_visible()
    page.reload()
    grid = page.get_by_role("table", name="Examples in the grid")
    expect(grid).to_contain_text(SCRIPT_TEXT)
    expect(page.get_by_text("3 of 3 labelled").first).to_be_visible()
    assert page.evaluate("window.hacked") is None
    assert "set=by-hand" in page.url
    assert "part=examples" in page.url
    grid.get_by_role("combobox").last.select_option("delivery")
    expect(page.get_by_text("6 edits since").first).to_be_visible()
    page.get_by_role("button", name="Keep as version 2").click()
    expect(page.get_by_text("Everything is kept.").first).to_be_visible()
    kept = app.workbench().test_sets.read("by-hand", 2, "classification")
    assert [example.target for example in kept.examples] == ["delivery", "delivery", "delivery"]


def test_the_demo_set_shows_labels_and_how_many_examples_are_needed(app: RunningApp, page: Page) -> None:
    open_step(page, app.address, "Test set")
    page.get_by_role("button", name="Use the demo's test set").click()
    labels = page.get_by_role("table", name="Examples per label")
    expect(labels.get_by_role("row")).to_have_count(7)
    expect(page.get_by_role("table", name="Examples needed")).to_contain_text("more")
    expect(page.get_by_label("Labels, in the order shown to the model")).to_have_value(
        "delivery, returns, billing, account, product, cancellation"
    )


@pytest.mark.engine
def test_the_preview_is_the_prompt_with_its_tokens_counted(app: RunningApp, page: Page) -> None:
    open_step(page, app.address, "Test set")
    show_part(page, "Prompt")
    # Another text first: that the demo's stands there again shows that its answer came and overwrites nothing later.
    page.get_by_label("User message").fill("something else")
    page.get_by_role("button", name="Use the demo's test set").click()
    expect(page.get_by_role("table", name="Examples per label")).to_be_visible()
    show_part(page, "Prompt")
    expect(page.get_by_label("User message")).to_have_value(re.compile("Message: "))
    page.get_by_label("User message").fill("Sort this: {{ text }}")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", name="What the model receives")).to_be_visible()
    expect(page.get_by_text("<|im_start|>user")).to_contain_text("Sort this: So the refund's, no, hang on")
    expect(page.get_by_text("tokens", exact=False).filter(has_text="example m001")).to_be_visible()


def test_another_task_reads_the_file_for_what_it_needs(app: RunningApp, page: Page, tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text(
        '{"id": "q1", "question": "Largest planet?", "choices": ["Mars", "Jupiter"], "answer": "B"}\n'
        '{"id": "q2", "question": "Smallest?", "choices": ["Mercury", "Venus", "Earth"], "answer": "A"}\n',
        encoding="utf-8",
    )
    open_step(page, app.address, "Test set")
    page.get_by_role("combobox", name="Task").click()
    page.get_by_role("option", name="Multiple choice: one of the example's choices").click()
    upload(page, path)
    expect(page.get_by_role("table", name="First examples")).to_contain_text("Largest planet?")
    show_part(page, "Prompt")
    expect(page.get_by_label("User message")).to_have_value(re.compile(r"letters\[loop.index0\]"))
    show_part(page, "Overview")
    expect(page.get_by_label("Labels, in the order shown to the model")).to_be_hidden()
    expect(page.get_by_role("combobox", name="Choices")).to_be_visible()
    page.get_by_role("combobox", name="Task").click()
    page.get_by_role("option", name="Classification: one of a few labels").click()
    expect(page.get_by_label("Labels, in the order shown to the model")).to_be_visible()


def test_a_task_that_is_left_or_chosen_again_keeps_what_was_set_up(app: RunningApp, page: Page) -> None:
    open_step(page, app.address, "Test set")
    page.get_by_role("button", name="Use the demo's test set").click()
    show_part(page, "Prompt")
    prompts = page.locator("#prompt-which").get_by_role("radio")
    expect(prompts).to_have_count(1)
    page.get_by_role("button", name="Compare with another prompt").click()
    expect(prompts).to_have_count(2)
    task = page.get_by_role("combobox", name="Task", exact=True)
    shown = task.input_value()
    task.focus()
    page.keyboard.press("Tab")
    page.wait_for_timeout(1_000)
    expect(prompts).to_have_count(2)
    task.click()
    page.get_by_role("option", name=shown, exact=True).click()
    page.wait_for_timeout(1_000)
    expect(task).to_have_value(shown)
    expect(prompts).to_have_count(2)
    page.get_by_role("button", name="Remove this prompt").click()
    expect(prompts).to_have_count(1)
