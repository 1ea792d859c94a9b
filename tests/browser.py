"""A real app process and a real Chromium for the tests of the app; also what the screenshots are made with.

The fixtures are in tests/browser_fixtures.py. Everything is found by role and label.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, Playwright, expect

from workbench.service import Workbench
from workbench.settings import read_settings

CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
STEPS = ("Choose", "Test set", "Run", "Compare", "Head-to-head", "Recommend")
SCRIPT_TEXT = "<script>window.hacked=1</script> & <img src=x onerror=window.hacked=1>"
"""What a hostile model writes."""
_START_SECONDS = 200
_MEASURE_SECONDS = 240
"""Long, because a benchmark waits for any other workbench that measures on this machine."""
BENCHMARK = """\
name: {name}
task: classification
test_set:
  file: {file}
  columns: {{id: id, text: text, label: label, slices: [channel]}}
labels: [delivery, returns, billing]
candidates:
  - name: fast
    model: test/fast
    engine: scripted
    options:
      first_token_seconds: 0.004
      token_seconds: 0.002
      score_seconds: {pause}
      answers: {fast}
      text: {text}
  - name: careful
    model: test/careful
    engine: scripted
    options:
      first_token_seconds: 0.012
      token_seconds: 0.004
      score_seconds: {pause}
      answers: {careful}
      text: {text}
workloads:
  - kind: accuracy
  - kind: latency
    prompts: 8
    max_output_tokens: 8
requirements:
  limits: {{verdicts: [allowed, conditional, unknown]}}
"""
_LABELS = ("delivery", "returns", "billing")


class RunningApp:
    """An app process over its own data directory."""

    def __init__(self, home: Path, port: int, process: "subprocess.Popen[bytes]") -> None:
        self.home = home
        self.port = port
        self._process = process
        self.address = f"http://127.0.0.1:{port}/"

    def ended(self) -> int:
        """Exit code, once the process has ended by itself."""
        return self._process.wait(_START_SECONDS)

    def workbench(self) -> Workbench:
        """The service over the same data directory, in the test's own process."""
        return Workbench(read_settings(self.home))


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def start_app(home: Path, *, port: int | None = None, **variables: str) -> Iterator[RunningApp]:
    """`workbench ui` in a process of its own, with these environment variables, until the block ends."""
    port = port or free_port()
    command = [sys.executable, "-m", "workbench.cli", "--home", str(home), "ui", "--no-browser", "--port", str(port)]
    with tempfile.TemporaryDirectory() as scratch:
        log = Path(scratch) / "app.log"
        environment = {
            **os.environ,
            "GRADIO_TEMP_DIR": str(Path(scratch) / "uploads"),
            "PYTHONUNBUFFERED": "1",
            "WORKBENCH_CONFIG": str(Path(scratch) / "config"),
        } | variables
        with log.open("w") as output:
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)
        try:
            _wait_for_address(process, port, log)
            yield RunningApp(home, port, process)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def write_benchmark(folder: Path, name: str = "scripted", *, examples: int = 45, pause: float = 0.0) -> Path:
    """A benchmark file with two scripted candidates: `fast` is right on two of three examples, `careful` on most."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        (f"e{number}", f"message {number} =cmd() <b>bold</b>", _LABELS[number % 3], "mail" if number % 2 else "chat")
        for number in range(examples)
    ]
    lines = ["id,text,label,channel", *(",".join(row) for row in rows)]
    (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    fast = {row[0]: row[2] if number % 3 else _LABELS[(number + 1) % 3] for number, row in enumerate(rows)}
    careful = {row[0]: row[2] if number % 9 else _LABELS[(number + 1) % 3] for number, row in enumerate(rows)}
    path = folder / f"{name}.yaml"
    path.write_text(
        BENCHMARK.format(
            name=name,
            file=f"{name}.csv",
            pause=pause,
            fast=_flow(fast),
            careful=_flow(careful),
            text=json.dumps(SCRIPT_TEXT),
        ),
        encoding="utf-8",
    )
    return path


def measure(workbench: Workbench, benchmark_file: Path, *, cancel_early: bool = False) -> None:
    """Run a benchmark to its end, or cancel it after its first completions."""
    job = workbench.jobs.job(workbench.start_benchmark(workbench.prepare_file(benchmark_file)))
    while cancel_early and job.status().done < 2 and not job.status().is_over:
        job.wait(0.05)
    if cancel_early:
        job.cancel()
    assert job.wait(_MEASURE_SECONDS), f"the scripted benchmark did not end: {job.status().message}"


def open_step(page: Page, address: str, step: str) -> None:
    """Open the app at one step, through the address."""
    page.goto(f"{address}?step={step.lower().replace(' ', '-')}")
    wait_for_step(page, step)


def go_to(page: Page, step: str) -> None:
    """Go to a step by its tab."""
    page.get_by_role("tab", name=step, exact=True).click()
    wait_for_step(page, step)


def wait_for_step(page: Page, step: str) -> None:
    """Wait until a step is open and its controls show what was kept, so that nothing typed is overwritten."""
    expect(page.get_by_role("tab", name=step, exact=True)).to_have_attribute("aria-selected", "true")
    expect(page.locator("#steps > [role=tabpanel]").filter(visible=True)).to_have_attribute("aria-busy", "false")


def scrolls_sideways(page: Page) -> bool:
    """Whether the page is wider than its window."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def launch_chromium(playwright: Playwright) -> Browser:
    """Debian's Chromium, else the one that Playwright fetched."""
    return playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(CHROMIUM_ARGUMENTS))


def _wait_for_address(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    for _ in range(_START_SECONDS * 10):
        if f"127.0.0.1:{port}" in log.read_text():
            return
        try:
            process.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
        break
    raise AssertionError(f"the app did not start:\n{log.read_text()}")


def _flow(answers: dict[str, str]) -> str:
    return "{" + ", ".join(f"{key}: {value}" for key, value in answers.items()) + "}"
