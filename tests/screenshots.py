"""Pictures of every step, light and dark, at three sizes: `python -m tests.screenshots FOLDER [--home DIR]`.

Without --home a small scripted benchmark is measured first; with it, the app of that data directory is shown as it is.
The environment variable SCREENSHOTS names the folder where none is given.
"""

import argparse
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser import STEPS, RunningApp, launch_chromium, measure, open_step, start_app, write_benchmark
from workbench.service import Workbench
from workbench.settings import read_settings

_SIZES = ((1280, 800), (1024, 768))
_SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
_SETTLED = {
    "Choose": "Models that pass the filters",
    "Run": "Stored benchmarks",
    "Compare": "Examples",
}
"""Table that is there when a step has been read."""


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=os.environ.get("SCREENSHOTS"))
    parser.add_argument("--home", type=Path)
    arguments = parser.parse_args()
    if arguments.folder is None:
        parser.error("name a folder, or set SCREENSHOTS")
    folder = Path(arguments.folder)
    folder.mkdir(parents=True, exist_ok=True)
    with _app(arguments.home) as app, sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        for width, height in _SIZES:
            for scheme in _SCHEMES:
                _take(browser, app, folder, (width, height), scheme)
        browser.close()


def _take(
    browser: Browser, app: RunningApp, folder: Path, size: tuple[int, int], scheme: Literal["light", "dark"]
) -> None:
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    for step in STEPS:
        open_step(page, app.address, step)
        _wait(page, step)
        name = step.lower().replace(" ", "-")
        page.screenshot(path=folder / f"{name}-{scheme}-{width}.png")
        page.screenshot(path=folder / f"{name}-{scheme}-{width}-whole.png", full_page=True)
    context.close()


def _wait(page: Page, step: str) -> None:
    """Until the step has been read and drawn."""
    if step in _SETTLED:
        expect(page.get_by_role("table", name=_SETTLED[step], exact=True)).to_be_visible(timeout=20_000)
    if step in {"Compare", "Recommend"}:
        expect(page.get_by_role("figure").first).to_be_visible(timeout=20_000)
    expect(page.get_by_role("status").filter(visible=True).filter(has_text="…")).to_have_count(0, timeout=20_000)
    page.evaluate("document.fonts.ready")


@contextmanager
def _app(home: Path | None) -> Iterator[RunningApp]:
    if home is not None:
        with start_app(home.absolute()) as app:
            yield app
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "home"
        measure(Workbench(read_settings(path)), write_benchmark(Path(folder)))
        with start_app(path) as app:
            yield app


if __name__ == "__main__":
    main()
