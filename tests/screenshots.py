"""Pictures of every step and state: `python -m tests.screenshots FOLDER [--home DIR] [--docs]`.

Without --home a small scripted benchmark is measured first; with it, a copy of that data directory is shown, such as
the one that the demo has filled. With --docs the pictures of README and docs/tour.md are written too, light, 1280 wide.
The environment variable SCREENSHOTS names the folder where none is given.
"""

import argparse
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser import RunningApp, go_to, launch_chromium, measure, open_step, start_app, write_benchmark
from workbench.service import Workbench
from workbench.settings import read_settings

_SIZES = ((1280, 800), (1024, 768))
_SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
_PATIENCE = 60_000
_DOCS = Path(__file__).parents[1] / "docs" / "images"


class Shot(NamedTuple):
    """One picture."""

    name: str
    step: str
    reach: Callable[[Page], None] | None = None
    """What is done on the step before."""
    docs: str = ""
    """Name of the picture in docs/images; empty where it is in no document."""
    part: str = ""
    """Selector of the part that the document shows; empty: the window."""


def _model(page: Page) -> None:
    page.get_by_label("Name contains").fill("qwen3-8b")
    page.get_by_role("button", name="Qwen/Qwen3-8B", exact=True).click()
    expect(page.get_by_role("heading", name="Memory under llama-cpp")).to_be_visible()


def _excluded(page: Page) -> None:
    page.get_by_label("Name contains").fill("")
    page.get_by_label("to, B").fill("9")
    page.get_by_label("Fits", exact=True).check()
    page.get_by_role("button", name="too many parameters").click()
    expect(page.get_by_role("table", name="Excluded models with reasons")).to_be_visible()


def _demo_test_set(page: Page) -> None:
    page.get_by_role("button", name="Use the demo's test set").click()
    expect(page.get_by_role("table", name="Examples per label")).to_be_visible()


def _part_of_test_set(name: str) -> Callable[[Page], None]:
    def reach(page: Page) -> None:
        page.get_by_role("navigation", name="Parts of the test set").get_by_role("button", name=name).click()

    return reach


def _charts(page: Page) -> None:
    expect(page.get_by_role("figure").first).to_be_visible()


def _chart_part(page: Page) -> None:
    _charts(page)
    page.locator("#compare-charts").scroll_into_view_if_needed()


def _examples(page: Page) -> None:
    _charts(page)
    page.locator("#examples").scroll_into_view_if_needed()


def _example(page: Page) -> None:
    _charts(page)
    page.locator('#examples [data-action="open"]').first.click()
    expect(page.locator("#example-opened .opened")).to_be_visible()
    page.locator("#example-opened").scroll_into_view_if_needed()


def _standing(page: Page) -> None:
    page.get_by_role("radio", name="Standing").check()


def _answers(page: Page) -> None:
    page.get_by_role("radio", name="Ask").check()
    prompt = "A customer writes: My parcel was due on Monday. Answer in two sentences."
    page.get_by_role("textbox", name="Prompt", exact=True).fill(prompt)
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_role("button", name="A is better")).to_be_visible(timeout=_PATIENCE)


def _lists(page: Page) -> None:
    page.get_by_role("radio", name="Lists").check()


def _report(page: Page) -> None:
    page.get_by_role("tab", name="Report", exact=True).click()
    expect(page.locator("#first-page iframe")).to_be_visible()
    expect(page.frame_locator("#first-page iframe").get_by_role("heading", level=1)).to_be_visible()


def _keys(page: Page) -> None:
    page.get_by_role("button", name="Keys ?").click()
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()


SHOTS = (
    Shot("choose", "Choose", docs="choose"),
    Shot("choose-model", "Choose", _model, docs="model"),
    Shot("choose-excluded", "Choose", _excluded),
    Shot("test-set-empty", "Test set"),
    Shot("test-set", "Test set", _demo_test_set, docs="test-set"),
    Shot("test-set-examples", "Test set", _part_of_test_set("Examples"), docs="examples"),
    Shot("test-set-prompt", "Test set", _part_of_test_set("Prompt")),
    Shot("test-set-scoring", "Test set", _part_of_test_set("Scoring")),
    Shot("test-set-kept", "Test set", _part_of_test_set("Kept test sets")),
    Shot("run", "Run", docs="run"),
    Shot("compare", "Compare", _charts, docs="compare"),
    Shot("compare-charts", "Compare", _chart_part, docs="charts", part="#compare-charts"),
    Shot("compare-examples", "Compare", _examples),
    Shot("compare-example", "Compare", _example, docs="example"),
    Shot("head-to-head", "Head-to-head"),
    Shot("head-to-head-answers", "Head-to-head", _answers, docs="head-to-head"),
    Shot("head-to-head-lists", "Head-to-head", _lists),
    Shot("head-to-head-standing", "Head-to-head", _standing),
    Shot("recommend", "Recommend", docs="recommend"),
    Shot("recommend-report", "Recommend", _report, docs="report"),
    Shot("keys", "Choose", _keys),
)
"""Every state, in the order in which a person meets them; each picture goes on from the one before."""


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=os.environ.get("SCREENSHOTS"))
    parser.add_argument("--home", type=Path)
    parser.add_argument("--docs", action="store_true", help="write the pictures of the documents too")
    arguments = parser.parse_args()
    if arguments.folder is None:
        parser.error("name a folder, or set SCREENSHOTS")
    folder = Path(arguments.folder)
    folder.mkdir(parents=True, exist_ok=True)
    for width, height in _SIZES:
        for scheme in _SCHEMES:
            with _app(arguments.home) as app, sync_playwright() as playwright:
                browser = launch_chromium(playwright)
                expect.set_options(timeout=_PATIENCE)
                _take(browser, app, folder, (width, height), scheme)
                browser.close()
    if arguments.docs:
        for shot in SHOTS:
            if shot.docs:
                _into_docs(folder / f"{shot.name}-light-1280.png", _DOCS / f"{shot.docs}.png")


def _take(
    browser: Browser, app: RunningApp, folder: Path, size: tuple[int, int], scheme: Literal["light", "dark"]
) -> None:
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    context.set_default_timeout(_PATIENCE)
    page = context.new_page()
    page.goto(app.address)
    at = ""
    for shot in SHOTS:
        if not at:
            open_step(page, app.address, shot.step)
        elif at != shot.step:
            go_to(page, shot.step)
        at = shot.step
        _wait(page)
        if shot.reach is not None:
            shot.reach(page)
            _wait(page)
        name = f"{shot.name}-{scheme}-{width}"
        if shot.part:
            page.locator(shot.part).screenshot(path=folder / f"{name}.png")
        else:
            page.screenshot(path=folder / f"{name}.png")
        page.screenshot(path=folder / f"{name}-whole.png", full_page=True)
        page.keyboard.press("Escape")
    context.close()


def _wait(page: Page) -> None:
    """Until what is open has been read and drawn."""
    expect(page.get_by_role("status").filter(visible=True).filter(has_text="…")).to_have_count(0, timeout=_PATIENCE)
    page.evaluate("document.fonts.ready")


def _into_docs(picture: Path, target: Path) -> None:
    """With 128 colours: a third of the size, and nobody sees it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(picture) as image:
        image.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(target, optimize=True)


@contextmanager
def _app(home: Path | None) -> Iterator[RunningApp]:
    """An app over a data directory of its own, so that nothing that is pressed here stays."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "workbench"
        if home is not None:
            shutil.copytree(home, path, ignore=shutil.ignore_patterns("*.lock", "app.json"))
        else:
            measure(Workbench(read_settings(path)), write_benchmark(Path(folder)))
        with start_app(path) as app:
            yield app


if __name__ == "__main__":
    main()
