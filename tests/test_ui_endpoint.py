"""An endpoint from the form to a run: what is refused, what leaves the machine, and that the key is never asked for."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser import RunningApp, go_to, open_step, start_app
from tests.openai_server import openai_server, words

pytest_plugins = ("tests.browser_fixtures",)
pytestmark = pytest.mark.browser

ADDRESS = "Address of an OpenAI-compatible server"
MODEL = "Model, as the server calls it"
KEY = "Environment variable with the key"
LEAVE = "Examples may leave this machine"


@pytest.fixture
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with start_app(tmp_path_factory.mktemp("endpoint") / "home", HF_HUB_OFFLINE="1") as app:
        yield app


def add(page: Page) -> None:
    page.get_by_role("button", name="Add endpoint", exact=True).click()


def test_an_endpoint_is_refused_with_sentences_until_it_can_be_asked_and_then_runs(app: RunningApp, page: Page) -> None:
    open_step(page, app.address, "Choose")
    page.get_by_role("button", name="Add an endpoint").click()
    add(page)
    expect(page.get_by_text("Give the address of the server")).to_be_visible()
    page.get_by_label(ADDRESS).fill("localhost:11434")
    page.get_by_label(MODEL).fill("test/model")
    add(page)
    expect(page.get_by_text("an address begins with http:// or https://")).to_be_visible()
    page.get_by_label(ADDRESS).fill("https://api.example.com/v1")
    page.get_by_label(KEY).fill("sk-secret 123")
    add(page)
    expect(page.get_by_text("Never the key itself.")).to_be_visible()
    expect(page.get_by_role("alert").filter(has_text="sk-secret")).to_have_count(0)
    page.get_by_label(KEY).fill("")
    add(page)
    expect(page.get_by_text("api.example.com is another machine")).to_be_visible()
    page.get_by_label(LEAVE).check()
    add(page)
    expect(page.get_by_role("button", name="Remove test/model at api.example.com")).to_be_visible()
    expect(page.get_by_label(ADDRESS)).to_have_value("")
    go_to(page, "Run")
    note = page.get_by_role("note").filter(has_text="will leave this machine for api.example.com")
    expect(note).to_contain_text("150 examples")
    expect(note).to_contain_text("allow_remote")
    page.get_by_role("checkbox", name="Accuracy").uncheck()
    expect(note).to_contain_text("30 examples")
    page.get_by_role("checkbox", name="test/model at api.example.com").uncheck()
    expect(note).to_have_count(0)
    go_to(page, "Head-to-head")
    note = page.get_by_role("note").filter(has_text="Every prompt will leave this machine for api.example.com")
    expect(note).to_have_count(1)
    page.get_by_role("checkbox", name="test/model at api.example.com").uncheck()
    expect(note).to_have_count(0)


def test_a_server_on_this_machine_is_measured_and_nothing_leaves_it(app: RunningApp, page: Page) -> None:
    with openai_server(words("delivery")) as server:
        open_step(page, app.address, "Choose")
        page.get_by_role("button", name="Add an endpoint").click()
        page.get_by_label(ADDRESS).fill(server.address)
        page.get_by_label(MODEL).fill("test/model")
        page.get_by_label(KEY).fill("NOT_SET_ANYWHERE")
        add(page)
        expect(page.get_by_text("NOT_SET_ANYWHERE is not set where the workbench was started")).to_be_visible()
        page.get_by_label(KEY).fill("")
        add(page)
        expect(page.get_by_role("button", name=re.compile("Remove test.model at 127"))).to_be_visible()
        go_to(page, "Run")
        expect(page.get_by_text("No example leaves this machine")).to_be_visible()
        page.get_by_role("checkbox", name="Latency").uncheck()
        page.get_by_role("button", name="Start", exact=True).click()
        progress = page.get_by_role("table", name="Progress by candidate")
        expect(progress).to_contain_text("finished", timeout=90_000)
        assert len(server.seen) == 150
