"""Choose: search, what was excluded and why, one model with its sources, the shortlist."""

import csv
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from catalog.packaged import find_packaged
from tests.browser import RunningApp, open_step, start_app, wait_for_step
from tests.hub_process import ServedHub, served_hub

pytest_plugins = ("tests.browser_fixtures",)
pytestmark = pytest.mark.browser

DEMO_MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """An app of its own, because what is chosen lies on one desk for all pages."""
    with start_app(tmp_path_factory.mktemp("choose") / "home", HF_HUB_OFFLINE="1") as app:
        yield app


def open_choose(page: Page, app: RunningApp, **filters: str) -> Locator:
    """The step with exactly these filters, by label; what an earlier test left on the desk is cleared."""
    open_step(page, app.address, "Choose")
    results = page.get_by_role("table", name="Models that pass the filters")
    expect(results).to_be_visible()
    for label in ("Name contains", "to, B"):
        page.get_by_label(label).fill(filters.get(label, ""))
    # The address is written with the results: nothing is clicked that is about to move.
    text = filters.get("Name contains")
    expect(page).to_have_url(re.compile(f"[?&]text={re.escape(text)}" if text else "^(?!.*[?&]text=)"))
    return results


def test_a_model_goes_from_the_search_to_a_kept_shortlist(app: RunningApp, page: Page) -> None:
    results = open_choose(page, app, **{"Name contains": "smollm2-135m-instruct"})
    expect(results.get_by_role("row")).to_have_count(2)
    page.get_by_role("button", name=DEMO_MODEL, exact=True).click()
    expect(page.get_by_text("Not legal advice")).to_be_visible()
    expect(page.get_by_role("table", name="Facts")).to_contain_text("Native context")
    expect(page.get_by_role("heading", name="Memory under llama-cpp")).to_be_visible()
    expect(page.get_by_text("The model's own limit: 8,192 tokens")).to_be_visible()
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
    page.get_by_label("Why is a model not on it?").fill("Qwen/Qwen3-8B")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_text("does not contain 'smollm2-135m-instruct'")).to_be_visible()


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
    page.get_by_role("button", name="Ask the Hub for this model").click()
    expect(page.get_by_text("offline", exact=False).first).to_be_visible()


def test_a_wrong_path_is_a_sentence_that_escapes_what_was_typed(app: RunningApp, page: Page) -> None:
    open_step(page, app.address, "Choose")
    page.get_by_label("Add a path, Hub id or address").fill("/nowhere/<b>bold</b>.gguf")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("/nowhere/<b>bold</b>.gguf", exact=False)).to_be_visible()


def test_another_machine_changes_what_fits(app: RunningApp, page: Page) -> None:
    results = open_choose(page, app, **{"Name contains": "llama-3.3-70b"})
    expect(results.get_by_role("row")).to_have_count(2)
    page.get_by_label("on machine").click()
    page.get_by_role("option", name="NVIDIA H100 SXM 80 GB", exact=True).click()
    expect(results).to_contain_text("Q8_0")
    page.get_by_label("on machine").click()
    page.get_by_role("option", name="this machine", exact=True).click()
    expect(results).not_to_contain_text("Q8_0")


def test_the_lineage_and_what_is_stricter_about_it_are_told(app: RunningApp, page: Page) -> None:
    results = open_choose(page, app, **{"Name contains": "nemotron-super-49b"})
    expect(results.get_by_role("row")).to_have_count(2)
    page.get_by_role("button", name="nvidia/Llama-3_3-Nemotron-Super-49B-v1", exact=True).click()
    expect(page.get_by_text("llama3.3, conditional")).to_be_visible()


def test_folded_filters_are_counted_and_kept(app: RunningApp, page: Page) -> None:
    results = open_choose(page, app)
    page.get_by_role("button", name="More filters").click()
    page.get_by_label("Owner").fill("qwen")
    expect(page.get_by_role("button", name="More filters (1 set)")).to_be_visible()
    expect(results).to_contain_text("Qwen/")
    expect(results).not_to_contain_text("meta-llama/")
    page.reload()
    wait_for_step(page, "Choose")
    page.get_by_role("button", name="More filters (1 set)").click()
    page.get_by_label("Owner").fill("")
    expect(page.get_by_role("button", name="More filters (1 set)")).to_have_count(0)


def test_the_table_is_exported(app: RunningApp, page: Page, tmp_path: Path) -> None:
    open_choose(page, app, **{"Name contains": "gemma-3"})
    expect(page.get_by_text("that pass, of 142 in the catalog")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Table as CSV").click()
    download.value.save_as(tmp_path / "models.csv")
    rows = list(csv.DictReader((tmp_path / "models.csv").read_text(encoding="utf-8").splitlines()))
    assert all("gemma-3" in row["model"] for row in rows)
    assert {row["verdict"] for row in rows} == {"conditional"}


def test_trends_need_two_updates_and_local_models_need_a_folder(app: RunningApp, page: Page) -> None:
    open_choose(page, app)
    page.get_by_role("button", name="Catalog: 142 models").click()
    page.get_by_role("button", name="What is rising").click()
    expect(page.get_by_text("catalog update", exact=False).first).to_be_visible()


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[ServedHub]:
    """A Hub with one real model."""
    (tmp_path / "hub").mkdir()
    with served_hub(tmp_path / "hub") as served:
        weights = find_packaged(DEMO_MODEL, "Q4_1", tmp_path)
        assert weights is not None
        folder = served.add("someone/tuned-GGUF", {"README.md": b"#"}, {"cardData": {"license": "mit"}})
        shutil.copy(weights.path, folder / "tuned-Q4_1.gguf")
        yield served


def test_a_model_of_the_live_hub_is_found_fetched_and_shortlisted(hub: ServedHub, page: Page, tmp_path: Path) -> None:
    with start_app(tmp_path / "home", HF_ENDPOINT=hub.address, HF_HOME=str(tmp_path / "hf")) as app:
        open_choose(page, app, **{"Name contains": "tuned"})
        page.get_by_role("button", name="Catalog: 142 models").click()
        page.get_by_role("button", name="Ask the Hub with these filters").click()
        page.get_by_role("button", name="someone/tuned-GGUF", exact=True).click()
        page.get_by_role("button", name="Ask the Hub for this model").click()
        expect(page.get_by_text("Hub API, model info").first).to_be_visible()
        page.get_by_role("button", name="Download", exact=True).click()
        page.get_by_role("button", name="Fetch 93.8 MiB now").click()
        weights = page.get_by_label("Quantization, run by llama-cpp")
        expect(weights).to_have_value(re.compile("on this machine"), timeout=60_000)
        page.get_by_role("button", name="Add to shortlist").click()
        expect(page.get_by_role("button", name="Remove tuned-GGUF Q4_1")).to_be_visible()
        page.goto("about:blank")
