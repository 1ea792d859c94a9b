"""Choose: search, what was excluded and why, one model with its sources, the shortlist."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import RunningApp, open_step, start_app

pytest_plugins = ("tests.browser_fixtures",)
pytestmark = pytest.mark.browser

DEMO_MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """An app of its own, because what is chosen lies on one desk for all pages."""
    with start_app(tmp_path_factory.mktemp("choose") / "home") as app:
        yield app


def open_choose(page: Page, app: RunningApp, **filters: str) -> Locator:
    """The step with exactly these filters, by label; what an earlier test left on the desk is cleared."""
    open_step(page, app.address, "Choose")
    results = page.get_by_role("table", name="Models that pass the filters")
    expect(results).to_be_visible()
    for label in ("Name contains", "to, B"):
        page.get_by_label(label).fill(filters.get(label, ""))
    return results


def test_a_model_goes_from_the_search_to_a_kept_shortlist(app: RunningApp, page: Page) -> None:
    results = open_choose(page, app, **{"Name contains": "smollm2-135m-instruct"})
    expect(results.get_by_role("row")).to_have_count(2)
    page.get_by_role("button", name=DEMO_MODEL, exact=True).click()
    expect(page.get_by_text("Not legal advice")).to_be_visible()
    expect(page.get_by_role("table", name="Facts")).to_contain_text("Native context")
    expect(page.get_by_role("heading", name="Memory on this machine")).to_be_visible()
    page.get_by_role("button", name="Add to shortlist").click()
    page.get_by_label("Name of the shortlist").fill("small ones")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.get_by_role("button", name="small ones v1")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Name contains")).to_have_value("smollm2-135m-instruct")
    page.get_by_role("button", name="Remove SmolLM2-135M-Instruct").click()
    expect(page.get_by_text("Empty. Select a model and add it.")).to_be_visible()
    page.get_by_role("button", name="small ones v1").click()
    expect(page.get_by_role("button", name="Remove SmolLM2-135M-Instruct")).to_be_visible()


def test_what_was_excluded_is_counted_and_opens_with_reasons(app: RunningApp, page: Page) -> None:
    open_choose(page, app)
    expect(page.get_by_text("Nothing was excluded: no filter is set.")).to_be_visible()
    page.get_by_label("to, B").fill("1")
    rule = page.get_by_role("button", name="too many parameters")
    expect(rule).to_be_visible()
    rule.click()
    reasons = page.get_by_role("table", name="Excluded models with reasons")
    expect(reasons).to_contain_text("parameters are more than 1,000,000,000")
    page.get_by_role("button", name="Close").click()
    expect(reasons).not_to_be_attached()


def test_the_profile_changes_verdicts_and_survives_a_refresh(app: RunningApp, page: Page) -> None:
    open_step(page, app.address, "Choose")
    page.get_by_role("button", name="Profile: commercial").click()
    page.get_by_label("Commercial use").uncheck()
    expect(page.get_by_role("button", name="Profile: not commercial")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Profile: not commercial")).to_be_visible()


def test_a_model_without_weights_says_what_is_missing(app: RunningApp, page: Page) -> None:
    open_choose(page, app, **{"Name contains": "qwen3-8b"})
    page.get_by_role("button", name="Qwen/Qwen3-8B", exact=True).click()
    expect(page.get_by_text("No weights of this model on this machine")).to_be_visible()
    expect(page.get_by_role("button", name="Add to shortlist")).not_to_be_visible()


def test_a_wrong_path_is_a_sentence_that_escapes_what_was_typed(app: RunningApp, page: Page) -> None:
    open_step(page, app.address, "Choose")
    page.get_by_label("Local GGUF file").fill("/nowhere/<b>bold</b>.gguf")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("/nowhere/<b>bold</b>.gguf", exact=False)).to_be_visible()
