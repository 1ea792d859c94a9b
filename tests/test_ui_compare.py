"""Compare and Recommend over a finished benchmark: numbers, charts, examples, exports; nothing of it is markup."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import RunningApp, go_to, open_step, scrolls_sideways

pytest_plugins = ("tests.browser_fixtures",)
pytestmark = pytest.mark.browser


def test_compare_shows_summary_pairs_and_charts(measured_app: RunningApp, page: Page) -> None:
    open_step(page, measured_app.address, "Compare")
    summary = page.get_by_role("table", name="Summary by candidate")
    expect(summary.get_by_role("row")).to_have_count(3)
    expect(summary).to_contain_text("66.7 %")
    expect(summary).to_contain_text("▲ best")
    expect(page.get_by_role("table", name="Conclusions by pair")).to_contain_text("careful is better than fast by")
    expect(page.get_by_role("img", name=re.compile("Accuracy with 95 % interval"))).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("Confusion matrix of fast"))).to_be_visible()
    page.get_by_role("figure").first.get_by_text("The numbers as a table").click()
    expect(page.get_by_role("table", name=re.compile("^Numbers of: "))).to_contain_text("careful")
    expect(page).to_have_url(re.compile("benchmark=scripted"))
    assert not scrolls_sideways(page)


def test_a_link_reopens_the_same_view(measured_app: RunningApp, page: Page) -> None:
    open_step(page, measured_app.address, "Compare")
    page.get_by_label("Metric", exact=True).click()
    page.get_by_role("option", name="Macro F1").click()
    expect(page.get_by_role("table", name="Conclusions by pair")).to_be_visible()
    expect(page).to_have_url(re.compile("c-metric=macro_f1"))
    page.get_by_label("In depth").click()
    page.get_by_role("option", name="careful").click()
    expect(page.get_by_role("img", name=re.compile("Confusion matrix of careful"))).to_be_visible()
    page.get_by_label("Show", exact=True).click()
    page.get_by_role("option", name="B right, A wrong").click()
    expect(page.get_by_text("1 to 10 of 10").first).to_be_visible()
    expect(page).to_have_url(re.compile("c-in=2.*c-show=second_right"))
    page.goto(page.url)
    expect(page.get_by_text("1 to 10 of 10").first).to_be_visible()
    expect(page.get_by_label("Metric", exact=True)).to_have_value("Macro F1")
    expect(page.get_by_role("img", name=re.compile("Confusion matrix of careful"))).to_be_visible()


def test_a_hidden_candidate_is_gone_from_tables_and_examples(measured_app: RunningApp, page: Page) -> None:
    page.goto(f"{measured_app.address}?step=compare&benchmark=scripted&c-hide=2&c-columns=load")
    summary = page.get_by_role("table", name="Summary by candidate")
    expect(summary.get_by_role("row")).to_have_count(2)
    expect(summary.get_by_role("columnheader", name="Load")).to_have_count(0)
    expect(page.get_by_role("columnheader", name="careful")).to_have_count(0)


def test_examples_are_found_turned_and_opened(measured_app: RunningApp, page: Page) -> None:
    open_step(page, measured_app.address, "Compare")
    expect(page.get_by_text("1 to 20 of 45").first).to_be_visible()
    page.get_by_role("button", name="Next", exact=True).first.click()
    expect(page.get_by_text("21 to 40 of 45").first).to_be_visible()
    page.get_by_role("button", name="Previous", exact=True).first.click()
    page.get_by_label("Show", exact=True).click()
    page.get_by_role("option", name="all wrong").click()
    expect(page.get_by_text("1 to 5 of 5").first).to_be_visible()
    examples = page.get_by_role("table", name="Examples", exact=True)
    expect(examples).to_contain_text("message 0 =cmd() <b>bold</b>")
    page.get_by_role("button", name="e0", exact=True).click()
    opened = page.get_by_role("region", name="Example e0")
    expect(opened).to_contain_text("1 of 5")
    expect(opened).to_contain_text("Prompt as sent to all candidates")
    page.keyboard.press("j")
    expect(page.get_by_role("region", name="Example e9")).to_contain_text("2 of 5")
    expect(page).to_have_url(re.compile("c-example=e9"))
    page.keyboard.press("x")
    expect(page.get_by_role("region", name=re.compile("^Example "))).to_have_count(0)
    page.get_by_label("Search inputs and answers").fill("MESSAGE 27")
    expect(page.get_by_text("1 to 1 of 1").first).to_be_visible()
    page.get_by_label("Open example (id)").fill("e44")
    page.get_by_label("Open example (id)").press("Enter")
    expect(page.get_by_role("region", name="Example e44")).to_contain_text("not among the examples of this filter")


def test_a_list_left_as_it_was_closes_no_example(measured_app: RunningApp, page: Page) -> None:
    open_step(page, measured_app.address, "Compare")
    page.get_by_role("button", name="e0", exact=True).click()
    opened = page.get_by_role("region", name="Example e0")
    expect(opened).to_be_visible()
    page.get_by_label("Order", exact=True).focus()
    for _ in range(3):
        page.keyboard.press("Tab")
    page.wait_for_timeout(1_000)
    expect(opened).to_be_visible()
    expect(page.get_by_label("Order", exact=True)).to_have_attribute("aria-expanded", "false")
    expect(page.get_by_label("Per page", exact=True)).to_have_attribute("aria-expanded", "false")
    page.get_by_label("Show", exact=True).focus()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("all wr")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 to 5 of 5").first).to_be_visible()
    expect(opened).to_be_hidden()


def test_a_table_sorts_by_its_headers(measured_app: RunningApp, page: Page) -> None:
    open_step(page, measured_app.address, "Compare")
    summary = page.get_by_role("table", name="Summary by candidate")
    first = summary.get_by_role("row").nth(1)
    expect(first).to_contain_text("fast")
    summary.get_by_role("button", name="Candidate").click()
    expect(first).to_contain_text("careful")


def test_exported_cells_are_no_formulas(measured_app: RunningApp, page: Page, tmp_path: Path) -> None:
    open_step(page, measured_app.address, "Compare")
    with page.expect_download() as download:
        page.get_by_role("button", name="Examples as CSV").click()
    download.value.save_as(tmp_path / "examples.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "examples.csv").read_text(encoding="utf-8"))))
    assert len(rows) == 45
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
    with page.expect_download() as download:
        page.get_by_role("button", name="Summary as CSV").click()
    download.value.save_as(tmp_path / "summary.csv")
    summary = list(csv.DictReader(io.StringIO((tmp_path / "summary.csv").read_text(encoding="utf-8"))))
    assert [row["candidate"] for row in summary] == ["fast", "careful"]
    assert float(summary[0]["accuracy"]) == pytest.approx(30 / 45)


def test_the_ranking_follows_limits_and_weights_at_once(measured_app: RunningApp, page: Page) -> None:
    open_step(page, measured_app.address, "Recommend")
    expect(page.get_by_role("heading", name="Ranking")).to_be_visible()
    page.get_by_label("Quality from").fill("0.99")
    expect(page.get_by_role("heading", name="No candidate meets every limit.")).to_be_visible()
    expect(page.get_by_role("heading", name="Out", exact=True)).to_be_visible()
    page.get_by_label("Quality from").fill("")
    expect(page.get_by_role("heading", name="Ranking")).to_be_visible()


def test_the_report_is_saved_in_three_formats(measured_app: RunningApp, page: Page, tmp_path: Path) -> None:
    open_step(page, measured_app.address, "Recommend")
    for button, ending in (("Save HTML", "html"), ("Markdown", "md"), ("JSON", "json")):
        with page.expect_download() as download:
            page.get_by_role("button", name=button, exact=True).click()
        assert download.value.suggested_filename == f"scripted.{ending}"
        download.value.save_as(tmp_path / f"report.{ending}")
    assert "careful" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "careful" in (tmp_path / "report.md").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))


def test_the_report_opens_beside_the_app(measured_app: RunningApp, page: Page) -> None:
    open_step(page, measured_app.address, "Recommend")
    expect(page.get_by_role("heading", name="Ranking")).to_be_visible()
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="Open the report").click()
    expect(opened.value.get_by_role("heading", level=1)).to_contain_text("scripted")


def test_the_chosen_benchmark_is_the_same_in_compare_and_recommend(measured_app: RunningApp, page: Page) -> None:
    page.goto(f"{measured_app.address}?step=compare&benchmark=scripted")
    expect(page.get_by_role("table", name="Summary by candidate")).to_be_visible()
    go_to(page, "Recommend")
    expect(page.get_by_label("Benchmark").filter(visible=True)).to_have_value("scripted")
