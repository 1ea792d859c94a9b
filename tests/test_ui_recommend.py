"""The step Recommend in a browser: a link reopens the ranking, rows of limits, the first page as it is typed."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import RunningApp, open_step, scrolls_sideways

pytest_plugins = ("tests.browser_fixtures",)
pytestmark = pytest.mark.browser


def test_a_link_reopens_the_same_ranking_and_a_row_takes_a_limit_away(measured_app: RunningApp, page: Page) -> None:
    open_step(page, measured_app.address, "Recommend")
    expect(page.get_by_role("heading", name="Ranking")).to_be_visible()
    page.get_by_label("Limit on a metric").click()
    page.get_by_role("option", name="Macro F1").click()
    page.get_by_label("Worse end of interval").fill("0.99")
    page.get_by_role("button", name="Add", exact=True).click()
    nobody = page.get_by_role("heading", name="No candidate meets every limit.")
    expect(nobody).to_be_visible()
    expect(page).to_have_url(re.compile("requirements=.*macro_f1"))
    page.reload()
    expect(nobody).to_be_visible()
    page.get_by_role("button", name="Remove the limit on Macro F1").click()
    expect(nobody).to_be_hidden()
    expect(page).not_to_have_url(re.compile("requirements="))


@pytest.mark.parametrize("width", [1280, 1024])
def test_the_first_page_follows_what_is_typed(measured_app: RunningApp, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    open_step(page, measured_app.address, "Recommend")
    expect(page.get_by_role("heading", name="Ranking")).to_be_visible()
    page.get_by_role("tab", name="Report", exact=True).click()
    first_page = page.frame_locator('iframe[title="First page of the report"]')
    expect(first_page.get_by_role("heading", name="The decision")).to_be_visible()
    page.get_by_label("Title", exact=True).fill(f"Which one at {width}?")
    expect(first_page.get_by_role("heading", level=1)).to_have_text(f"Which one at {width}?")
    assert not scrolls_sideways(page)
    page.get_by_label("Title", exact=True).fill("")
    expect(first_page.get_by_role("heading", level=1)).to_have_text("Recommendation: scripted")


def test_the_first_page_in_sight_follows_the_requirements(measured_app: RunningApp, page: Page) -> None:
    open_step(page, measured_app.address, "Recommend")
    page.get_by_role("tab", name="Report", exact=True).click()
    first_page = page.frame_locator('iframe[title="First page of the report"]')
    nobody = first_page.get_by_text("No candidate meets every limit.").first
    expect(first_page.get_by_role("heading", name="The decision")).to_be_visible()
    expect(nobody).to_be_hidden()
    page.get_by_label("Limit on a metric").click()
    page.get_by_role("option", name="Macro F1").click()
    page.get_by_label("Worse end of interval").fill("0.99")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(nobody).to_be_visible()


def test_a_benchmark_is_opened_anew_by_its_choice_and_not_by_leaving_the_list(
    measured_app: RunningApp, page: Page
) -> None:
    open_step(page, measured_app.address, "Recommend")
    weight = page.locator("#weight-memory input[type=range]")
    kept = weight.input_value()
    weight.press("ArrowRight")
    expect(page).to_have_url(re.compile("requirements="))
    moved = weight.input_value()
    assert moved != kept
    benchmarks = page.get_by_label("Benchmark", exact=True)
    benchmarks.click()
    expect(page.get_by_role("option", name="scripted")).to_be_visible()
    page.keyboard.press("Tab")
    page.wait_for_timeout(1_000)
    assert weight.input_value() == moved
    benchmarks.click()
    page.get_by_role("option", name="scripted").click()
    expect(weight).to_have_value(kept)
    expect(page).not_to_have_url(re.compile("requirements="))
