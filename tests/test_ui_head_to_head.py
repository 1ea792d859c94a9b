"""Head-to-head: hostile answers are text, names are hidden until the vote, wins are counted."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import SCRIPT_TEXT, RunningApp, open_step

pytest_plugins = ("tests.browser_fixtures",)
pytestmark = pytest.mark.browser


def choose(page: Page, *names: str) -> None:
    """Check exactly these candidates, once the step has listed them."""
    group = page.get_by_role("group", name="Candidates, two to four")
    expect(group.get_by_role("checkbox", name="careful")).to_be_visible()
    for box in group.get_by_role("checkbox").all():
        box.uncheck()
    for name in names:
        group.get_by_role("checkbox", name=name).check()


def ask(page: Page) -> None:
    """Put a prompt to the chosen candidates."""
    page.get_by_role("textbox", name="Prompt", exact=True).fill("Say something")
    page.get_by_role("button", name="Ask", exact=True).click()


def test_a_hostile_answer_is_shown_as_text_and_a_blind_vote_counts(measured_app: RunningApp, page: Page) -> None:
    open_step(page, measured_app.address, "Head-to-head")
    choose(page, "fast", "careful")
    expect(page.get_by_label("Hide names")).to_be_checked()
    ask(page)
    answers = page.get_by_role("article")
    expect(answers).to_have_count(2)
    for place, letter in enumerate("AB"):
        expect(answers.nth(place)).to_contain_text(f"Candidate {letter}")
        expect(answers.nth(place)).to_contain_text(SCRIPT_TEXT, timeout=60_000)
    assert page.evaluate("window.hacked") is None
    expect(answers.filter(has_text="fast")).to_have_count(0)
    page.get_by_role("button", name="Left is better").click()
    standing = page.get_by_role("table", name="Standing by wins")
    expect(standing.get_by_role("row")).to_have_count(3)
    expect(page.get_by_text("1 vote, 1 of them blind")).to_be_visible()
    expect(answers.first.get_by_role("heading", name=re.compile("^A: (fast|careful)$"))).to_be_visible()
    expect(page.get_by_role("button", name="Left is better")).not_to_be_visible()


def test_a_prompt_needs_two_candidates(measured_app: RunningApp, page: Page) -> None:
    open_step(page, measured_app.address, "Head-to-head")
    choose(page)
    ask(page)
    expect(page.get_by_text("Choose two to four candidates, not 0.")).to_be_visible()
