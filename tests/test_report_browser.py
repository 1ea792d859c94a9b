"""The report in a real browser: it asks for nothing beyond its own file, fits the window and prints."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from results.recommendation import recommend
from tests.report_samples import REQUIREMENTS, broken, comparison, content, example, gemma, pair, smol
from workbench.report.records import Edits
from workbench.report.report import write_report

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HOSTILE = '"><img src=https://example.org/x onerror=alert(1)><script>alert(1)</script>'

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    path = next((path for path in found if path), None)
    if path is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_hostile_report_runs_nothing_and_asks_for_nothing(browser: Browser, tmp_path: Path, scheme: str) -> None:
    found = comparison([smol(HOSTILE), gemma(f"{HOSTILE} 2")], [pair(0.2, HOSTILE, f"{HOSTILE} 2")])
    made = content(
        comparison=found,
        recommendation=recommend(found, REQUIREMENTS),
        wrong_examples=(example(HOSTILE, "y" * 10_000),),
    )
    path = write_report(made, tmp_path / "report.html")
    page = browser.new_page(
        color_scheme="dark" if scheme == "dark" else "light", viewport={"width": 1280, "height": 800}
    )
    requests: list[str] = []
    trouble: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("dialog", lambda dialog: trouble.append(dialog.message))
    page.on("console", lambda message: trouble.append(message.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.goto(path.as_uri())
    page.wait_for_load_state("networkidle")
    assert requests == [path.as_uri()]
    assert trouble == []
    assert page.evaluate("document.scripts.length") == 0
    background = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert background == ("rgb(21, 25, 30)" if scheme == "dark" else "rgb(255, 255, 255)")
    page.close()


@pytest.mark.parametrize("width", [1280, 1024, 480])
def test_the_page_does_not_scroll_sideways(browser: Browser, tmp_path: Path, width: int) -> None:
    path = write_report(content(wrong_examples=(example("y" * 10_000, "z" * 10_000),)), tmp_path / "report.html")
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(path.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.close()


def test_charts_take_the_colours_of_the_page(browser: Browser, tmp_path: Path) -> None:
    path = write_report(content(), tmp_path / "report.html")
    inks = []
    for scheme in ("light", "dark"):
        page = browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
        page.goto(path.as_uri())
        inks.append(page.evaluate("getComputedStyle(document.querySelector('figure svg text')).fill"))
        page.close()
    assert inks == ["rgb(27, 31, 36)", "rgb(230, 237, 243)"]


def test_it_prints_on_a4_without_losing_a_column(browser: Browser, tmp_path: Path) -> None:
    path = write_report(content(), tmp_path / "report.html")
    page = browser.new_page(viewport={"width": 688, "height": 1000})
    page.goto(path.as_uri())
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") == 688
    assert page.get_by_role("navigation", name="Contents").is_visible()
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
    page.close()


def test_the_decision_fits_one_printed_page_whatever_the_names(browser: Browser, tmp_path: Path) -> None:
    long = "Some-Organisation/A-Very-Long-Model-Name-Instruct-2507-GGUF UD-Q4_K_XL"
    found = comparison(
        [smol(f"{long} 1"), gemma(f"{long} 2"), broken(f"{long} 3")], [pair(0.2, f"{long} 1", f"{long} 2")]
    )
    edits = Edits(title="A title that takes more than a line " * 3, author="Team", notes="Mind this. " * 27)
    made = content(comparison=found, recommendation=recommend(found, REQUIREMENTS), edits=edits)
    path = write_report(made, tmp_path / "report.html")
    page = browser.new_page(color_scheme="dark", viewport={"width": 688, "height": 1000})
    page.goto(path.as_uri())
    page.emulate_media(media="print")
    # A4 less its margins, at 96 dots an inch.
    assert (
        page.evaluate("document.querySelector('#decision').getBoundingClientRect().bottom + scrollY") <= 267 / 25.4 * 96
    )
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('#decision')).breakAfter") == "page"
    page.close()
