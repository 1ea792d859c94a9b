"""The frame around the steps: the address, and what a restart keeps."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import RunningApp, go_to, open_step, start_app, wait_for_step

pytest_plugins = ("tests.browser_fixtures",)
pytestmark = pytest.mark.browser


def test_back_and_forward_lead_through_the_steps(measured_app: RunningApp, page: Page) -> None:
    page.goto(measured_app.address)
    wait_for_step(page, "Choose")
    go_to(page, "Run")
    go_to(page, "Compare")
    expect(page).to_have_url(re.compile(r"step=compare.*benchmark=scripted"))
    page.go_back()
    wait_for_step(page, "Run")
    page.go_back()
    wait_for_step(page, "Choose")
    page.go_forward()
    page.go_forward()
    wait_for_step(page, "Compare")
    expect(page).to_have_url(re.compile(r"step=compare.*benchmark=scripted"))


def test_back_within_a_step_reads_it_again(empty_app: RunningApp, page: Page) -> None:
    open_step(page, empty_app.address, "Choose")
    page.evaluate("window.workbench.visit('place', 'a')")
    page.evaluate("window.workbench.visit('place', 'b')")
    with page.expect_request(re.compile("queue/join.*place=a")):
        page.go_back()
    wait_for_step(page, "Choose")


def test_a_link_opens_only_the_step_that_it_names(empty_app: RunningApp, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "queue/join" in request.url else None)
    open_step(page, empty_app.address, "Recommend")
    assert asked
    assert all("step=recommend" in url for url in asked)


def test_keys_lead_through_the_steps_and_never_fire_while_something_is_typed(empty_app: RunningApp, page: Page) -> None:
    open_step(page, empty_app.address, "Choose")
    page.keyboard.press("/")
    field = page.get_by_label("Name contains")
    expect(field).to_be_focused()
    page.keyboard.type("3?")
    expect(field).to_have_value("3?")
    expect(page.get_by_role("dialog")).to_have_count(0)
    field.fill("")
    field.blur()
    page.keyboard.press("3")
    wait_for_step(page, "Run")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    expect(page.get_by_role("dialog").get_by_text("Vote: left is better")).to_be_visible()
    page.keyboard.press("4")
    expect(page.get_by_role("tab", name="Run", exact=True)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("?")
    page.get_by_label("Keys of one letter").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    expect(page.get_by_role("tab", name="Run", exact=True)).to_have_attribute("aria-selected", "true")


def test_the_first_thing_that_tab_reaches_skips_to_the_step(empty_app: RunningApp, page: Page) -> None:
    open_step(page, empty_app.address, "Run")
    page.keyboard.press("Tab")
    link = page.get_by_role("link", name="Skip to the step")
    expect(link).to_be_focused()
    expect(link).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Steps")).to_be_focused()


def test_the_chosen_theme_stays_and_never_flashes(empty_app: RunningApp, page: Page) -> None:
    page.emulate_media(color_scheme="light")
    open_step(page, empty_app.address, "Run")
    page.get_by_role("button", name="Dark", exact=True).click()
    expect(page.get_by_role("button", name="Dark", exact=True)).to_have_attribute("aria-pressed", "true")
    grounds = """() => {
        const seen = []; window.seenGrounds = seen;
        const look = () => {
            if (document.body) seen.push(getComputedStyle(document.body).backgroundColor);
            if (!window.stopLooking) requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
    }"""
    page.add_init_script(f"({grounds})()")
    page.reload()
    wait_for_step(page, "Run")
    seen = set(page.evaluate("() => { window.stopLooking = true; return window.seenGrounds; }"))
    assert seen
    assert all(sum(int(part) for part in re.findall(r"\d+", ground)[:3]) < 150 for ground in seen), seen
    page.get_by_role("button", name="System", exact=True).click()
    expect(page.locator("body")).not_to_have_class(re.compile("dark"))


def test_the_app_is_stopped_from_the_page_and_the_page_says_what_is_next(tmp_path: Path, page: Page) -> None:
    home = tmp_path / "home"
    with start_app(home) as app:
        open_step(page, app.address, "Choose")
        second = page.context.new_page()
        open_step(second, app.address, "Run")
        page.get_by_role("region", name="Tour").get_by_role("button", name="Next").click()
        wait_for_step(page, "Test set")
        page.get_by_role("button", name="Skip for good").click()
        expect(page.get_by_role("region", name="Tour")).to_have_count(0)
        page.get_by_role("button", name="Rename, switch or make a workspace").click()
        dialog = page.get_by_role("dialog", name="Workspaces")
        dialog.get_by_label("Name of this workspace").fill("Support replies")
        dialog.get_by_role("button", name="Rename").click()
        expect(
            page.get_by_role("region", name="Workspace, jobs and machine").get_by_text("Support replies")
        ).to_be_visible()
        dialog.get_by_label("Name", exact=True).fill("Other")
        dialog.get_by_label("Folder, if it shall lie elsewhere").fill("not whole")
        dialog.get_by_role("button", name="Make and open").click()
        expect(dialog.get_by_text("no whole path")).to_be_visible()
        dialog.get_by_role("button", name="Close").click()
        page.get_by_role("button", name="Stop the app").click()
        page.get_by_role("dialog", name="Stop the app?").get_by_role("button", name="Stop the app").click()
        expect(page.get_by_role("heading", name="Open Model Workbench has stopped")).to_be_visible()
        expect(page.get_by_text(f"python3 launch.py ui --home {home}")).to_be_visible()
        expect(second.get_by_role("alert")).to_contain_text("stopped or cannot be reached")
        assert app.ended() == 0
    note = json.loads((home / "workspace.json").read_text())
    assert (note["name"], note["tour_done"]) == ("Support replies", True)
    with start_app(home, port=app.port) as app:
        wait_for_step(second, "Run")
        expect(second.get_by_role("alert")).to_have_count(0)
        wait_for_step(page, "Test set")
        expect(page.get_by_role("button", name=re.compile("Run the demo"))).to_be_visible()
        expect(page.get_by_role("region", name="Tour")).to_have_count(0)
