"""The way of somebody who has never seen the app: from an empty workspace to the report as PDF, on real models."""

import re
from collections.abc import Iterator
from pathlib import Path

import pypdf
import pytest
from playwright.sync_api import Page, expect

from tests.browser import RunningApp, go_to, start_app

pytest_plugins = ("tests.browser_fixtures",)
pytestmark = [pytest.mark.browser, pytest.mark.engine]

_LONG = 240_000
_TEXTS = {
    "delivery": ("Where is my parcel?", "The driver never came", "It should have been here on Monday"),
    "returns": ("I want to send it back", "How do I return these shoes?", "It does not fit, take it back"),
}


@pytest.fixture
def new_app(tmp_path: Path) -> Iterator[RunningApp]:
    """An app that was never used."""
    with start_app(tmp_path / "home") as app:
        yield app


def shortlist(page: Page, part: str, model: str) -> None:
    """Find a model by a part of its name and add it as it is proposed."""
    page.get_by_label("Name contains").fill(part)
    # Until the model's card is drawn, the button adds the one that was open before.
    expect(page).to_have_url(re.compile(f"[?&]text={part}"))
    page.get_by_role("button", name=model, exact=True).click()
    expect(page.get_by_role("heading", name=model)).to_be_visible()
    page.get_by_role("button", name="Add to shortlist").click()
    expect(page.get_by_role("button", name=f"Remove {model.rpartition('/')[2]}")).to_be_visible()


def upload(page: Page, folder: Path) -> None:
    """Labelled messages of one's own."""
    rows = [f'{text}",{label}' for label, texts in _TEXTS.items() for text in texts]
    path = folder / "messages.csv"
    path.write_text("text,label\n" + "".join(f'"{row}\n' for row in rows), encoding="utf-8")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Upload a file").click()
    chooser.value.set_files(path)
    expect(page.get_by_role("table", name="First examples")).to_contain_text("Where is my parcel?")


def run(page: Page) -> None:
    """Measure what is chosen, with few latency prompts."""
    expect(page.get_by_role("group", name="Candidates").get_by_role("checkbox")).to_have_count(2)
    page.get_by_label("Name of the benchmark").fill("messages")
    page.get_by_label("Prompts", exact=True).fill("2")
    page.get_by_role("button", name="Start", exact=True).click()
    stored = page.get_by_role("table", name="Stored benchmarks")
    expect(stored.get_by_text("finished")).to_have_count(2, timeout=_LONG)


def grade(page: Page) -> None:
    """Let a model grade two answers of each candidate."""
    page.get_by_text("Have a model grade these answers").click()
    page.get_by_role("combobox", name="Judge").select_option(label="SmolLM2-135M-Instruct Q4_1")
    page.get_by_role("spinbutton", name="Examples").fill("2")
    page.get_by_role("button", name="Grade the answers").click()
    expect(page.get_by_text("SmolLM2-135M-Instruct Q4_1 reads the answers of 2 candidates")).to_be_visible()
    expect(page.get_by_text(re.compile(r"Q4_1 was asked \d questions?, \d without a usable reply"))).to_be_visible(
        timeout=_LONG
    )


def ask_both(page: Page) -> None:
    """One prompt to both, and a vote."""
    page.get_by_role("textbox", name="Prompt", exact=True).fill("Name one colour.")
    page.get_by_label("Most tokens").fill("8")
    page.get_by_role("button", name="Ask", exact=True).click()
    page.get_by_role("button", name="A is better").click(timeout=_LONG)
    page.get_by_role("radio", name="Standing").check()
    expect(page.get_by_text("1 vote, 1 of them blind")).to_be_visible()


@pytest.mark.timeout(900)
def test_from_an_empty_workspace_to_a_pdf_on_real_models(new_app: RunningApp, page: Page, tmp_path: Path) -> None:
    page.goto(new_app.address)
    expect(page.get_by_role("button", name="Run the demo")).to_be_visible()
    shortlist(page, "smollm2-135m-instruct", "HuggingFaceTB/SmolLM2-135M-Instruct")
    shortlist(page, "gemma-3-270m", "google/gemma-3-270m")
    go_to(page, "Test set")
    upload(page, tmp_path)
    go_to(page, "Run")
    run(page)
    go_to(page, "Compare")
    summary = page.get_by_role("table", name="Summary by candidate")
    expect(summary).to_contain_text("SmolLM2-135M-Instruct")
    expect(summary).to_contain_text("gemma-3-270m")
    grade(page)
    go_to(page, "Head-to-head")
    ask_both(page)
    go_to(page, "Recommend")
    page.get_by_role("checkbox", name="conditional").check()
    with page.expect_download(timeout=_LONG) as download:
        page.get_by_role("button", name="PDF", exact=True).click()
    path = tmp_path / "report.pdf"
    download.value.save_as(path)
    words = " ".join(" ".join(sheet.extract_text() for sheet in pypdf.PdfReader(path).pages).split())
    assert "messages" in words
    assert "SmolLM2-135M-Instruct" in words
    assert "n = 6" in words
    assert "What people preferred" in words
