"""Head-to-head: hostile answers are text, names are hidden until the vote, lists are judged by key."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import SCRIPT_TEXT, RunningApp, open_step, wait_for_step

pytest_plugins = ("tests.browser_fixtures",)
pytestmark = pytest.mark.browser

_LONG = 60_000


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
        expect(answers.nth(place)).to_contain_text(SCRIPT_TEXT, timeout=_LONG)
    assert page.evaluate("window.hacked") is None
    shown = page.locator("#h2h-answers").inner_html()
    assert not re.search(r"fast|careful|tokens/s|first token", shown), "a page that hides names must not hold them"
    page.get_by_role("button", name="A is better").click()
    expect(answers.first.get_by_role("heading", name=re.compile("^A: (fast|careful)$"))).to_be_visible()
    expect(answers.first).to_contain_text("first token after")
    expect(page.get_by_role("button", name="A is better")).not_to_be_visible()
    page.get_by_role("radio", name="Standing").check()
    standing = page.get_by_role("table", name="Standing by votes")
    expect(standing.get_by_role("row")).to_have_count(3)
    expect(page.get_by_text("1 vote, 1 of them blind, on 1 prompt")).to_be_visible()
    # The round's address opens it again, in a page that knows nothing.
    page.get_by_role("radio", name="Ask").check()
    expect(page).to_have_url(re.compile("round="))
    expect(page).not_to_have_url(re.compile("votes="))
    page.reload()
    wait_for_step(page, "Head-to-head")
    expect(answers.first.get_by_role("heading", name=re.compile("^A: (fast|careful)$"))).to_be_visible()
    page.get_by_role("textbox", name="Prompt", exact=True).fill("Go on")
    page.get_by_role("button", name="Follow up").click()
    expect(answers.first).to_contain_text("2 earlier messages", timeout=_LONG)


def test_a_list_is_answered_and_judged_by_key(measured_app: RunningApp, page: Page) -> None:
    open_step(page, measured_app.address, "Head-to-head")
    choose(page, "fast", "careful")
    page.get_by_role("radio", name="Lists").check()
    page.get_by_role("textbox", name="Prompts, one a line").fill("One?\nTwo?")
    page.get_by_role("textbox", name="Name of the list").fill("Two prompts")
    page.get_by_role("button", name="Answer the list").click()
    expect(page.get_by_text("2 candidates, 2 of 2 prompts answered, 0 of 2 pairs judged")).to_be_visible(timeout=_LONG)
    page.get_by_role("button", name="Judge", exact=True).click()
    expect(page.get_by_text("0 of 2 pairs judged")).to_be_visible()
    judged = page.locator("#h2h-list")
    assert not re.search("fast|careful", judged.inner_html())
    page.locator("#h2h-list h2").first.click()
    # A press for a pair that is no longer shown is no vote, however it comes between.
    page.locator("#h2h-list [data-of]").evaluate(
        "(shown) => { const of = shown.dataset.of; shown.dataset.of = 'gone';"
        " shown.querySelector('#vote-tie').click(); shown.dataset.of = of; }"
    )
    page.keyboard.press("ArrowLeft")
    expect(judged.get_by_text("1 of 2 pairs judged")).to_be_visible()
    page.keyboard.press("B")
    expect(page.get_by_role("button", name="A is better")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("S")
    expect(judged.get_by_role("heading", name="Prompt 2")).to_be_visible()
    page.reload()
    wait_for_step(page, "Head-to-head")
    expect(judged.get_by_role("heading", name="Prompt 2")).to_be_visible()
    page.get_by_role("button", name="Tie").click()
    expect(page.get_by_text("Every pair of this list is judged")).to_be_visible()


def test_a_prompt_needs_candidates(measured_app: RunningApp, page: Page) -> None:
    open_step(page, measured_app.address, "Head-to-head")
    choose(page)
    ask(page)
    expect(page.get_by_text("Choose two to four candidates, or one that answers twice, not 0.")).to_be_visible()


def test_a_typed_prompt_stays_until_an_example_is_chosen(measured_app: RunningApp, page: Page) -> None:
    open_step(page, measured_app.address, "Head-to-head")
    page.get_by_role("radio", name="Ask").check()
    prompt = page.get_by_role("textbox", name="Prompt", exact=True)
    prompt.fill("My own question")
    examples = page.locator("#h2h-example").get_by_role("combobox")  # its label will name the test set
    for keys in (["Tab"], ["#", "#", "Enter", "Tab"]):
        examples.focus()
        expect(page.get_by_role("option").first).to_be_visible()
        for key in keys:
            page.keyboard.press(key)
        page.wait_for_timeout(1_000)
        expect(prompt).to_have_value("My own question")
    examples.click()
    page.get_by_role("option").first.click()
    expect(prompt).not_to_have_value("My own question")
    prompt.fill("My own question")
    page.get_by_role("button", name="Random example").click()
    expect(prompt).not_to_have_value("My own question")
