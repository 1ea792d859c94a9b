"""Every step, light and dark, and the report, held against axe-core's rules: nothing serious may be found."""

from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser import STEPS, RunningApp, open_step
from tests.report_samples import content
from workbench.report.report import write_report

pytest_plugins = ("tests.browser_fixtures",)
pytestmark = pytest.mark.browser


def serious(page: Page) -> list[str]:
    """What axe-core calls serious or critical: rule, what it asks, and the first elements that break it."""
    found = Axe().run(page).response["violations"]
    return [
        f"{violation['id']} ({violation['impact']}): {violation['help']}: {node['html'][:200]} {node['failureSummary']}"
        for violation in found
        if violation["impact"] in {"serious", "critical"}
        for node in violation["nodes"][:3]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("step", STEPS)
def test_a_step_has_no_serious_accessibility_problem(
    step: str, scheme: Literal["light", "dark"], chromium: Browser, measured_app: RunningApp
) -> None:
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    open_step(page, measured_app.address, step)
    assert serious(page) == []
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_has_no_serious_accessibility_problem(
    scheme: Literal["light", "dark"], chromium: Browser, tmp_path: Path
) -> None:
    path = write_report(content(), tmp_path / "report.html")
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    page.goto(path.as_uri())
    # The report forbids scripts, also those of a test: axe is run on a copy without that rule.
    markup = path.read_text(encoding="utf-8").replace("Content-Security-Policy", "Content-Note")
    page.set_content(markup)
    assert serious(page) == []
    context.close()
