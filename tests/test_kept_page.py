"""The page and gradio's scripts from memory: the same as gradio sends, asked for once."""

import asyncio

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from workbench.kept_page import GRADIO_SCRIPTS, KeptPage


class Counting:
    """An app that says how often it was asked, for which host and path."""

    def __init__(self, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.asked = 0
        self._status, self._headers = status, headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        self.asked += 1
        host = dict(scope["headers"])[b"host"].decode()
        await PlainTextResponse(f"{self.asked}: {host}{scope['path']}", self._status, self._headers)(
            scope, receive, send
        )


def ask(app: KeptPage, *paths: str, host: str = "127.0.0.1:7860", headers: dict[str, str] | None = None) -> list[str]:
    async def all_of_them() -> list[str]:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}", headers=headers) as client:
            return [(await client.get(path)).text for path in paths]

    return asyncio.run(all_of_them())


def test_the_page_is_made_once() -> None:
    app = KeptPage(inner := Counting())
    assert ask(app, "/", "/?step=run") == ["1: 127.0.0.1:7860/"] * 2
    assert inner.asked == 1


def test_another_host_gets_a_page_with_its_own_addresses() -> None:
    app = KeptPage(Counting())
    assert ask(app, "/") != ask(app, "/", host="localhost:7860")
    assert ask(app, "/", host="localhost:7860") == ["2: localhost:7860/"]


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/?deep_link=x", {}),
        ("/", {"x-forwarded-host": "elsewhere.example"}),
        ("/", {"x-gradio-server": "http://elsewhere.example"}),
        ("/", {"origin": "http://elsewhere.example"}),
    ],
)
def test_a_page_that_may_be_another_one_is_not_kept(path: str, headers: dict[str, str]) -> None:
    app = KeptPage(Counting())
    assert ask(app, path, path, headers=headers) == ["1: 127.0.0.1:7860/", "2: 127.0.0.1:7860/"]
    assert ask(app, "/") == ["3: 127.0.0.1:7860/"]


def test_a_page_for_another_name_of_this_machine_is_not_kept() -> None:
    app = KeptPage(Counting())
    assert ask(app, "/", "/", host="127.0.0.1.elsewhere.example") == [
        "1: 127.0.0.1.elsewhere.example/",
        "2: 127.0.0.1.elsewhere.example/",
    ]


def test_an_answer_meant_for_one_browser_is_not_kept() -> None:
    app = KeptPage(Counting(headers={"set-cookie": "a=b"}))
    assert ask(app, "/", "/") == ["1: 127.0.0.1:7860/", "2: 127.0.0.1:7860/"]


def test_a_page_that_failed_is_made_again() -> None:
    app = KeptPage(Counting(status=500))
    assert ask(app, "/", "/") == ["1: 127.0.0.1:7860/", "2: 127.0.0.1:7860/"]


def test_scripts_are_what_lies_in_their_files() -> None:
    names = sorted(path.name for path in GRADIO_SCRIPTS.glob("core-*.*"))
    app = KeptPage(inner := Counting())

    async def both() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1") as client:
            return [await client.get(f"/assets/{name}") for name in names * 2]

    answers = asyncio.run(both())
    assert len(answers) >= 2
    for name, answer in zip(names * 2, answers, strict=True):
        assert answer.content == (GRADIO_SCRIPTS / name).read_bytes()
        assert answer.headers["cache-control"].endswith("immutable")
        assert answer.headers["content-type"].split(";")[0] in {"text/javascript", "text/css"}
    assert inner.asked == 0


@pytest.mark.parametrize("path", ["/assets/none.js", "/assets/../index.html", "/assets/", "/theme.css", "/core.js"])
def test_everything_else_is_left_to_gradio(path: str) -> None:
    app = KeptPage(inner := Counting())
    ask(app, path)
    assert inner.asked == 1


def test_nothing_but_a_read_is_answered_from_memory() -> None:
    app = KeptPage(inner := Counting())

    async def head() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1") as client:
            await client.head("/")
            await client.post("/")

    ask(app, "/")
    asyncio.run(head())
    assert inner.asked == 3
