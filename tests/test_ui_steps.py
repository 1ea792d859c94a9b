"""Every step opens, shows what it is for before anything was measured, and fits the window."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import STEPS, RunningApp, go_to, open_step, scrolls_sideways

pytest_plugins = ("tests.browser_fixtures",)
pytestmark = pytest.mark.browser

EMPTY = {
    "Choose": "No model selected",
    "Test set": "No test set yet",
    "Run": "Nothing runs",
    "Compare": "Nothing measured yet",
    "Head-to-head": "No answers yet",
    "Recommend": "Nothing measured yet",
}
"""Heading of every step's empty state."""


@pytest.mark.parametrize("step", STEPS)
def test_every_step_opens_from_its_address_with_its_empty_state(step: str, empty_app: RunningApp, page: Page) -> None:
    open_step(page, empty_app.address, step)
    panel = page.get_by_role("tabpanel").filter(visible=True)
    expect(panel.get_by_role("heading", name=EMPTY[step])).to_be_visible()


@pytest.mark.parametrize("width", [1280, 1024])
def test_no_step_scrolls_sideways(width: int, empty_app: RunningApp, page: Page) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    for step in STEPS:
        open_step(page, empty_app.address, step)
        expect(
            page.get_by_role("tabpanel").filter(visible=True).get_by_role("heading", name=EMPTY[step])
        ).to_be_visible()
        assert not scrolls_sideways(page), f"{step} at {width}"


def test_the_step_is_kept_in_the_address_and_survives_a_refresh(empty_app: RunningApp, page: Page) -> None:
    page.goto(empty_app.address)
    go_to(page, "Head-to-head")
    for _ in range(2):
        expect(page.get_by_role("tab", name="Head-to-head")).to_have_attribute("aria-selected", "true")
        expect(page).to_have_url(re.compile(r"step=head-to-head"))
        page.reload()


def test_the_first_start_offers_the_demo_with_its_size(empty_app: RunningApp, page: Page) -> None:
    page.goto(empty_app.address)
    definition, folder = empty_app.workbench().demo_definition()
    rows = (folder / (definition.test_set.file or "")).read_text(encoding="utf-8").count("\nm")
    size = f"{len(definition.candidates)} candidates, {rows} labelled messages, about 2 minutes"
    expect(page.get_by_role("button", name="Run the demo")).to_contain_text(size)


def test_the_sidebar_names_machine_engines_and_jobs_on_every_step(empty_app: RunningApp, page: Page) -> None:
    page.goto(empty_app.address)
    for step in STEPS:
        go_to(page, step)
        for title in ("This machine", "Engines", "Jobs"):
            expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    expect(page.get_by_text(re.compile(r"free of .* [GM]iB"))).to_be_visible()


def test_the_steps_can_be_reached_with_the_keyboard(empty_app: RunningApp, page: Page) -> None:
    open_step(page, empty_app.address, "Choose")
    tab = page.get_by_role("tab", name="Compare", exact=True)
    tab.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=EMPTY["Compare"])).to_be_visible()


def test_the_page_is_spared_what_gradio_would_look_up_for_nothing(empty_app: RunningApp, page: Page) -> None:
    """assets/gradio_page.js still finds the events of the page as it expects them."""
    open_step(page, empty_app.address, "Choose")
    spared = page.evaluate("""() => {
        const events = window.gradio_config.dependencies;
        const prototype = (list) => Object.getPrototypeOf(list);
        return events.length > 100 && prototype(events) !== Array.prototype
            && events.every((event) => event.targets.every(([id]) => id !== null))
            && events.every((event) => !event.inputs.includes(event.inputs[0]))
            && events.every((event) => event.inputs.forEach(() => { throw new Error('told'); }) === undefined)
            && events.every((event) => event.event_specific_args?.length || event.targets.map(String).length === 0);
    }""")
    assert spared


def test_gradio_looks_up_in_its_tree_what_it_would_find_by_searching(empty_app: RunningApp, page: Page) -> None:
    """assets/gradio_tree.mjs is in force, and finds which events a component has as gradio does."""
    open_step(page, empty_app.address, "Choose")
    different = page.evaluate("""async () => {
        const core = performance.getEntriesByType('resource').map((entry) => entry.name)
            .find((name) => /\\/assets\\/core-.*\\.js$/.test(name));
        const { AppTree } = await import(core);
        const { components, dependencies } = window.gradio_config;
        const searched = (id) => dependencies
            .map((event) => event.targets.find(([of]) => of === id)?.[1]).filter(Boolean);
        const found = (id) => AppTree.prototype.find_attached_events(
            {id, props: {shared_props: {}}}, dependencies).props.shared_props.attached_events;
        if (!AppTree.prototype.get_state.toString().includes('readers')) return 'not in force';
        if (components.every(({id}) => searched(id).length < 2)) return 'nothing to compare';
        return components.filter(({id}) => `${searched(id)}` !== `${found(id)}`).map(({id}) => id);
    }""")
    assert different == []


def test_colours_follow_the_system(empty_app: RunningApp, page: Page) -> None:
    grounds = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.goto(empty_app.address)
        expect(page.get_by_role("heading", name="Jobs", exact=True)).to_be_visible()
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    light, dark = (sum(int(part) for part in re.findall(r"\d+", ground)[:3]) for ground in grounds)
    assert dark < 150
    assert light > 600


def test_every_control_has_a_name(empty_app: RunningApp, page: Page) -> None:
    page.goto(empty_app.address)
    for step in STEPS:
        go_to(page, step)
        expect(
            page.get_by_role("tabpanel").filter(visible=True).get_by_role("heading", name=EMPTY[step])
        ).to_be_visible()
        unnamed = page.evaluate(
            """() => [...document.querySelectorAll('input, textarea, button, select')]
                .filter((e) => e.checkVisibility() && e.getAttribute('aria-hidden') !== 'true')
                .filter((e) => !(e.ariaLabel || e.title || e.textContent.trim() || (e.labels && e.labels.length)))
                .map((e) => e.outerHTML.slice(0, 200))"""
        )
        assert unnamed == [], step
