"""How fast is the app? Every move a person makes, in Chromium, over a data directory of the size it is made for.

    python -m benchmarks.ui [--folder FOLDER] [--source hub_models.parquet] [--repeats 15] [--quick] [--only choose]

Makes 100,000 indexed models, 50 runs and 200,000 answers (benchmarks/ui_data.py), unless the folder holds some already;
starts the app on it as a person does, and times in the page: from the click or key press to the first frame drawn with
what it asked for. The first page is timed from the start of the navigation until the table of Choose stands, each time
in a fresh browser profile. Not in the figures: what follows later by itself, such as the charts of Compare, which are
timed apart. The table says p50 and p95 beside the target; the last line is JSON; nothing is asserted. Run it on a
machine that does nothing else: the load average before and after is printed, because it explains most surprises.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, Page, expect, sync_playwright

from benchmarks.index import share
from benchmarks.ui_data import Size, build
from tests.browser import STEPS, launch_chromium, start_app, wait_for_step
from workbench.settings import Settings

FIRST_PAGE_MS = 1_500
MOVE_MS = 200
QUICK = Size(models=2_000, benchmarks=2, candidates=3, answers=1_200)
PATIENCE_MS = 30_000
TABLE = "#models table"

WATCH = """
(() => {
  let started = null, done = null;
  const begin = () => { started ??= performance.now(); };
  for (const kind of ['pointerdown', 'keydown', 'input']) {
    document.addEventListener(kind, begin, {capture: true});
  }
  const drawn = (then) => requestAnimationFrame(() => setTimeout(then));
  const until = (holds) => new Promise((resolve) => {
    const look = () => {
      if (!holds()) return;
      watcher.disconnect();
      drawn(() => resolve(performance.now()));
    };
    const watcher = new MutationObserver(look);
    watcher.observe(document, {subtree: true, childList: true, characterData: true, attributes: true});
    look();
  });
  window.timing = {
    changed: (selector) => {
      const before = document.querySelector(selector)?.innerHTML;
      started = null;
      done = until(() => started !== null && document.querySelector(selector)?.innerHTML !== before);
    },
    settled: (step) => {
      const state = () => document.getElementById(`step-${step}`)?.getAttribute('aria-busy');
      let busy = false;
      started = null;
      done = until(() => {
        busy ||= started !== null && state() === 'true';
        return busy && state() === 'false';
      });
    },
    wait: async (patience) => {
      const late = new Promise((_, reject) => setTimeout(() => reject(new Error('nothing changed')), patience));
      return (await Promise.race([done, late])) - started;
    },
  };
  if (window.location.protocol.startsWith('http')) {
    window.firstPage = until(() => document.querySelector('TABLE')?.checkVisibility());
  }
})()
""".replace("TABLE", TABLE)
"""Watches the page for what a move brings about."""


class Move(NamedTuple):
    """One thing that a person does, again and again."""

    name: str
    """What it is."""
    times: list[float]
    """Milliseconds, each once."""
    target: float = MOVE_MS
    """What it may take at most, p95."""


class Timer:
    """Does moves on one page and times them."""

    def __init__(self, page: Page, repeats: int) -> None:
        self.page = page
        self.moves: list[Move] = []
        self._repeats = repeats

    def changes(
        self,
        name: str,
        selector: str,
        actions: Iterator[Callable[[], None]],
        before: Callable[[], None] = lambda: None,
    ) -> None:
        """Time actions, each from its first key or click until the element is another; `before` each is not timed."""
        times = []
        for _ in range(self._repeats):
            before()
            self.page.evaluate("(selector) => window.timing.changed(selector)", selector)
            next(actions)()
            times.append(float(self.page.evaluate("(patience) => window.timing.wait(patience)", PATIENCE_MS)))
            self._rest()
        self.moves.append(Move(name, times))

    def switches(self, step: str) -> None:
        """Time going to a step from another one until its controls show what was kept."""
        times = []
        other = next(each for each in STEPS if each not in {step, "Head-to-head"})
        for _ in range(self._repeats):
            self.go_to(other)
            self.page.evaluate("(step) => window.timing.settled(step)", _id(step))
            self.page.get_by_role("tab", name=step, exact=True).click()
            times.append(float(self.page.evaluate("(patience) => window.timing.wait(patience)", PATIENCE_MS)))
            self._rest()
        self.moves.append(Move(f"switch to {step}", times))

    def go_to(self, step: str) -> None:
        """Open a step and wait until nothing of it is on its way."""
        self.page.get_by_role("tab", name=step, exact=True).click()
        wait_for_step(self.page, step)
        self._rest()

    def _rest(self) -> None:
        """Let what follows by itself come to an end, so that it is not counted as part of the next move."""
        self.page.wait_for_timeout(150)


def _id(step: str) -> str:
    return step.lower().replace(" ", "-")


def first_pages(browser: Browser, address: str, repeats: int) -> list[float]:
    """Milliseconds from the start of the navigation until the table of Choose stands, in fresh profiles."""
    times = []
    for _ in range(repeats):
        page = new_page(browser)
        page.goto(address)
        times.append(float(page.evaluate("() => window.firstPage")))
        page.context.close()
    return times


def new_page(browser: Browser) -> Page:
    """A page of a fresh profile."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(WATCH)
    return context.new_page()


def time_switches(timer: Timer) -> None:
    """Going to every step."""
    for step in STEPS:
        timer.switches(step)


def time_choose(timer: Timer) -> None:
    """Filters, rows and exclusions of Choose."""
    page = timer.page
    timer.go_to("Choose")
    words = iter(f"{word}" for word in ("qwen", "llama", "gemma", "phi", "instruct", "7b", "coder", "mistral") * 20)
    name = page.get_by_label("Name contains")
    timer.changes("Choose: text", "#models", (lambda: name.fill(next(words)) for _ in forever()))
    name.fill("")
    timer.page.wait_for_timeout(1_000)
    verdict = page.get_by_role("checkbox", name="conditional")
    timer.changes("Choose: verdict", "#models", (verdict.click for _ in forever()))
    # Neither two after each other finds the same models, which would draw the same table.
    most, sizes = page.get_by_label("to, B"), iter(("1", "3", "8", "14", "33", "70") * 100)
    timer.changes("Choose: parameters", "#models", (lambda: most.fill(next(sizes)) for _ in forever()))
    fits = page.get_by_label("Fits", exact=True)
    timer.changes("Choose: fits", "#models", (fits.click for _ in forever()))
    at_least, contexts = page.get_by_label("with context"), (str(2_048 + 512 * n) for n in range(1, 1_000))
    if not fits.is_checked():
        fits.check()
    timer.changes("Choose: fit at a context", "#models", (lambda: at_least.fill(next(contexts)) for _ in forever()))
    rows = page.locator("#models tbody tr")
    numbers = forever()
    timer.changes(
        "Choose: open a model",
        "#model",
        (rows.nth(next(numbers) % 10).get_by_role("button").first.click for _ in forever()),
    )


def time_compare(timer: Timer) -> None:
    """The example browser and the details of Compare."""
    page = timer.page
    timer.go_to("Compare")
    page.locator("#examples table").wait_for()
    page.locator("#compare-charts svg").first.wait_for()
    next_page = page.locator("#examples").get_by_role("button", name="Next").first
    timer.changes("Compare: next page of examples", "#examples", (next_page.click for _ in forever()))
    shown = page.locator("#examples-filter input")
    names = iter(("candidates disagree", "A right, B wrong", "all wrong", "all") * 100)
    timer.changes(
        "Compare: filter of examples",
        "#examples",
        (page.get_by_role("option", name=next(names), exact=True).click for _ in forever()),
        before=shown.click,
    )
    rows, numbers = page.locator("#examples tbody tr"), forever()
    timer.changes(
        "Compare: open an example",
        "#example-opened",
        (rows.nth(next(numbers) % 10).get_by_role("button").first.click for _ in forever()),
    )


def time_recommend(timer: Timer) -> None:
    """Moving a weight."""
    timer.go_to("Recommend")
    timer.page.locator("#ranking table").first.wait_for()
    slider = timer.page.locator("#weight-memory input[type=range]")
    keys = iter(("ArrowRight", "ArrowRight", "ArrowLeft", "ArrowLeft") * 100)
    timer.changes("Recommend: weight", "#ranking", (lambda: slider.press(next(keys)) for _ in forever()))


def forever() -> Iterator[int]:
    """Count from 0, without end."""
    number = 0
    while True:
        yield number
        number += 1


_PARTS: dict[str, Callable[[Timer], None]] = {
    "switch": time_switches,
    "choose": time_choose,
    "compare": time_compare,
    "recommend": time_recommend,
}


def measure(home: Path, repeats: int, only: str | None) -> list[Move]:
    """Start the app and do everything."""
    moves: list[Move] = []
    Settings(home=home).desk_path.unlink(missing_ok=True)  # what was chosen last time
    with start_app(home, HF_HUB_OFFLINE="1") as app, sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        expect.set_options(timeout=PATIENCE_MS)
        if only in {None, "first"}:
            moves.append(Move("first page, just started", first_pages(browser, app.address, 1), FIRST_PAGE_MS))
            moves.append(Move("first page", first_pages(browser, app.address, repeats), FIRST_PAGE_MS))
        page = new_page(browser)
        page.goto(app.address)
        page.evaluate("() => window.firstPage")
        for name, part in _PARTS.items():
            if only in {None, name}:
                print(f"measuring: {name}", file=sys.stderr, flush=True)
                timer = Timer(page, repeats)
                part(timer)
                moves += timer.moves
        browser.close()
    return moves


def main() -> None:
    """Build where there is nothing yet, measure, print."""
    parser = argparse.ArgumentParser(description="The speed of the app.")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--source", type=Path)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--quick", action="store_true", help="few models, answers and repeats: does it run at all?")
    parser.add_argument("--only", choices=["first", *_PARTS])
    arguments = parser.parse_args()
    size, repeats = (QUICK, 4) if arguments.quick else (Size(), arguments.repeats)
    with tempfile.TemporaryDirectory() as scratch:
        home: Path = (arguments.folder or Path(scratch) / "home").absolute()
        if not home.exists():
            home.mkdir(parents=True)
            build(Settings(home=home), size, arguments.source)
        load = os.getloadavg()[0]
        moves = measure(home, repeats, arguments.only)
    print(f"{'move':34} {'n':>3} {'p50 ms':>8} {'p95 ms':>8} {'target':>8}")
    for move in moves:
        over = "  over" if share(move.times, 0.95) > move.target else ""
        p50, p95 = share(move.times, 0.5), share(move.times, 0.95)
        print(f"{move.name:34} {len(move.times):3} {p50:8.0f} {p95:8.0f} {move.target:8.0f}{over}")
    figures = {move.name: {"p50_ms": share(move.times, 0.5), "p95_ms": share(move.times, 0.95)} for move in moves}
    loads = {"load_before": round(load, 1), "load_after": round(os.getloadavg()[0], 1)}
    sys.stdout.write(json.dumps({"benchmark": "ui", **size._asdict(), **loads, "figures": figures}) + "\n")


if __name__ == "__main__":
    main()
