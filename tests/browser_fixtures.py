"""Fixtures of the tests that drive a browser. A test module that wants them names this one in `pytest_plugins`."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect, sync_playwright

from tests.browser import RunningApp, launch_chromium, measure, start_app, write_benchmark
from workbench.service import Workbench
from workbench.settings import read_settings

_PATIENCE_MILLISECONDS = 20_000
_PLAIN_BROWSER_NOISE = re.compile(
    r"AbortError|Connection errored out|Failed to fetch|network error|Server stopped unexpectedly"
    r"|net::ERR_(ABORTED|CONNECTION_REFUSED|INCOMPLETE_CHUNKED_ENCODING)|favicon"
)
"""Gradio's own words when a page is left while it listens, or its app ends."""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests; they are skipped where there is none."""
    with sync_playwright() as playwright:
        try:
            browser = launch_chromium(playwright)
        except Error as error:
            pytest.skip(f"no Chromium on this machine: {error.message.splitlines()[0]}")
        expect.set_options(timeout=_PATIENCE_MILLISECONDS)
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A fresh profile of the browser, 1280×800; fails the test when the page complains or asks anyone outside."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    context.set_default_timeout(_PATIENCE_MILLISECONDS)
    troubles: list[str] = []
    context.on(
        "console", lambda message: troubles.append(f"console: {message.text}") if message.type == "error" else None
    )
    context.on("weberror", lambda error: troubles.append(f"page: {error.error}"))
    context.on("request", lambda request: None if _is_ours(request.url) else troubles.append(f"asked {request.url}"))
    yield context
    context.close()
    assert not [trouble for trouble in troubles if not _PLAIN_BROWSER_NOISE.search(trouble)]


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A page of it."""
    return context.new_page()


@pytest.fixture(scope="session")
def empty_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """An app that was never used; tests must leave it so."""
    with start_app(tmp_path_factory.mktemp("empty") / "home") as app:
        yield app


@pytest.fixture(scope="session")
def measured_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """An app with one finished scripted benchmark."""
    folder = tmp_path_factory.mktemp("measured")
    measure(Workbench(read_settings(folder / "home")), write_benchmark(folder))
    with start_app(folder / "home") as app:
        yield app


def _is_ours(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "data:", "blob:"))
