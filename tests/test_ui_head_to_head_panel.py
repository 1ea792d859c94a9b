"""The panel of a round in a real browser without the app: what is unfolded stays so when the panel is drawn anew."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import workbench
from results.head_to_head_records import RoundAnswer, RoundSource
from runners.records import Message
from tests.test_head_to_head_store import asked, batch
from workbench.head_to_head.records import LiveAnswer, RoundView
from workbench.steps.head_to_head.view import round_panel

pytest_plugins = ("tests.browser_fixtures",)
pytestmark = pytest.mark.browser

_SCRIPT = Path(workbench.__file__).parent / "assets" / "head_to_head.js"


def panel(round_id: str, words: int) -> str:
    """A round while it is answered, so many words on."""
    before = (Message(role="user", content="One?"), Message(role="assistant", content="Yes."))
    source = RoundSource(test_set_name="t", test_set_hash="h", example_id="e1", target="Right")
    live = tuple(
        LiveAnswer(
            answer=RoundAnswer(
                round_id=round_id,
                slot=slot,
                attempt=1,
                state="writing",
                text="word " * words,
                messages=(*before, Message(role="user", content="Two?")),
            ),
            thinking=f"thought of {slot} " * words,
        )
        for slot in (0, 1)
    )
    earlier = (RoundAnswer(round_id=round_id, slot=0, text="First try.", state="finished"),)
    shown = asked(round_id, source=source)
    view = RoundView(batch=batch(blind=False), round=shown, answers=live, earlier=earlier, is_answering=True)
    return str(round_panel(view, None))


def draw(page: Page, html: str) -> None:
    page.evaluate("(html) => { document.getElementById('h2h-answers').innerHTML = html; }", html)


def draw_in_place(page: Page) -> None:
    """As gradio does where the elements stay: attributes that the new HTML does not have are taken away."""
    page.evaluate("document.querySelectorAll('details').forEach((each) => each.removeAttribute('open'))")


def test_what_is_unfolded_stays_so_while_answers_are_written(page: Page) -> None:
    page.set_content('<div id="h2h-answers"></div>')
    page.evaluate("window.workbench = {}")
    page.add_script_tag(content=_SCRIPT.read_text(encoding="utf-8"))
    draw(page, panel("r1", 1))
    # Of the card that stands right: slot 0, because the order is turned.
    card = page.get_by_role("article").nth(1)
    card.get_by_text("Thinking").click()
    card.get_by_text("1 earlier one").click()
    page.get_by_text("Right answer").click()
    expect(page.locator("details[open]")).to_have_count(3)
    draw_in_place(page)
    expect(page.locator("details[open]")).to_have_count(3)
    draw(page, panel("r1", 5))
    expect(card.get_by_text("thought of 0 thought of 0")).to_be_visible()
    expect(card.get_by_text("First try.")).to_be_visible()
    expect(page.get_by_text("Right", exact=True)).to_be_visible()
    expect(page.locator("details[open]")).to_have_count(3)
    card.get_by_text("Thinking").click()
    expect(page.locator("details[open]")).to_have_count(2)
    draw_in_place(page)
    draw(page, panel("r1", 9))
    expect(page.locator("details[open]")).to_have_count(2)
    draw(page, panel("r2", 1))
    expect(page.locator("details")).to_have_count(6)
    expect(page.locator("details[open]")).to_have_count(0)
