"""Run: jobs outlive pages; the real demo starts with one click."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser import RunningApp, go_to, measure, open_step, start_app, write_benchmark
from workbench.service import Workbench
from workbench.settings import read_settings

pytest_plugins = ("tests.browser_fixtures",)
pytestmark = pytest.mark.browser


@pytest.fixture
def interrupted_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """An app with a benchmark that was cancelled early and takes a while to the end."""
    folder = tmp_path_factory.mktemp("interrupted")
    path = write_benchmark(folder, examples=60, pause=0.25)
    measure(Workbench(read_settings(folder / "home")), path, cancel_early=True)
    with start_app(folder / "home") as app:
        yield app


@pytest.fixture
def new_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """An app that was never used, and may be."""
    with start_app(tmp_path_factory.mktemp("new") / "home") as app:
        yield app


def test_a_run_goes_on_through_refresh_and_in_a_second_page_until_it_is_cancelled(
    interrupted_app: RunningApp, page: Page, context: BrowserContext
) -> None:
    open_step(page, interrupted_app.address, "Run")
    page.get_by_role("button", name="Resume").click()
    progress = page.get_by_role("table", name="Progress by candidate")
    expect(progress).to_contain_text("running")
    expect(progress).to_contain_text(re.compile(r"accuracy \d+ of 60"))
    page.reload()
    expect(progress).to_contain_text(re.compile(r"accuracy \d+ of 60|finished"))
    second = context.new_page()
    open_step(second, interrupted_app.address, "Choose")
    bar = second.get_by_role("progressbar", name="Progress of Benchmark scripted")
    expect(bar).to_be_visible()
    second.get_by_role("button", name="Cancel Benchmark scripted").click()
    expect(page.get_by_role("button", name="Resume").first).to_be_visible()
    expect(progress).to_contain_text("cancelled")
    go_to(page, "Compare")
    expect(page.get_by_role("table", name="Summary by candidate")).to_contain_text("fast")


def test_an_open_comparison_follows_the_runs_that_end(interrupted_app: RunningApp, context: BrowserContext) -> None:
    watching, starting = context.new_page(), context.new_page()
    open_step(watching, interrupted_app.address, "Compare")
    summary = watching.get_by_role("table", name="Summary by candidate")
    expect(summary).to_contain_text("cancelled")
    open_step(starting, interrupted_app.address, "Run")
    starting.get_by_role("button", name="Resume").click()
    expect(summary).not_to_contain_text("cancelled", timeout=60_000)


def test_a_bad_name_and_an_empty_choice_are_refused_with_a_sentence(empty_app: RunningApp, page: Page) -> None:
    open_step(page, empty_app.address, "Run")
    name = page.get_by_label("Name of the benchmark")
    expect(name).to_have_value("benchmark-1")
    name.fill("../escape")
    page.get_by_role("button", name="Start", exact=True).click()
    refusal = page.get_by_role("status").filter(has_text="begins with a letter or a digit")
    expect(refusal).to_be_visible()
    # Gradio adds a second message to one that is about to go, and takes both away: wait until the first is gone.
    expect(refusal).to_have_count(0)
    for box in page.get_by_role("group", name="Candidates").get_by_role("checkbox").all():
        box.uncheck()
    expect(page.get_by_role("note").filter(has_text="Choose at least one candidate.")).to_be_visible()
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="Choose at least one candidate.")).to_be_visible()


@pytest.mark.engine
@pytest.mark.timeout(240)
def test_the_demo_starts_with_one_click_and_measures_real_models(new_app: RunningApp, page: Page) -> None:
    page.goto(new_app.address)
    page.get_by_role("button", name="Run the demo").click()
    expect(page.get_by_role("tab", name="Run", exact=True)).to_have_attribute("aria-selected", "true")
    progress = page.get_by_role("table", name="Progress by candidate")
    expect(progress.get_by_role("row")).to_have_count(4)
    expect(progress).to_contain_text(re.compile(r"\d+\.\d % \(\d+\.\d–\d+\.\d\)"), timeout=120_000)
    expect(page.get_by_role("button", name="Run the demo")).not_to_be_visible()
    page.get_by_role("button", name="Cancel run").click()
    expect(page.get_by_role("button", name="Resume").first).to_be_visible(timeout=60_000)
    go_to(page, "Compare")
    expect(page.get_by_role("table", name="Summary by candidate")).to_contain_text("SmolLM2")
