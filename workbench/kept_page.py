"""Serves the page and gradio's scripts from memory: a browser asks for about ninety files for its first page.

gradio reads, looks up and compresses each of them anew every time, and sets up the whole page anew, which is the same
for as long as the app runs; on two cores that was a third of the time until the first page stood (benchmarks/ui.py).
"""

import mimetypes
from pathlib import Path
from urllib.parse import parse_qs

import gradio as gr
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

GRADIO_SCRIPTS = Path(gr.__file__).parent / "templates/frontend/assets"
"""What gradio serves under /assets/; each name holds a hash of what is in the file."""
PAGE = "/"
"""Path of the page."""
_SCRIPTS = "/assets/"
_FOR_GOOD = {"cache-control": "public, max-age=31536000, immutable"}


class KeptPage:
    """ASGI app around gradio's: answers what it knows, passes on everything else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._names = {path.name for path in GRADIO_SCRIPTS.iterdir() if path.is_file()}
        self._scripts: dict[str, Response] = {}
        self._page: tuple[str, list[Message]] | None = None
        """The host it was asked for, which stands in its addresses, and the page."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
        elif scope["path"] == PAGE and not _asks_for_more(scope):
            await self._send_page(scope, receive, send)
        elif (name := scope["path"].removeprefix(_SCRIPTS)) in self._names and scope["path"] == _SCRIPTS + name:
            await self._script(name)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _script(self, name: str) -> Response:
        if name not in self._scripts:
            kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
            content = (GRADIO_SCRIPTS / name).read_bytes()
            self._scripts[name] = Response(content, headers=_FOR_GOOD, media_type=kind)
        return self._scripts[name]

    async def _send_page(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = Headers(scope=scope).get("host", "")
        if self._page is None or self._page[0] != host:
            sent: list[Message] = []

            async def keep(message: Message) -> None:
                sent.append(message)

            await self._app(scope, receive, keep)
            if sent[0]["status"] != 200:
                await _send_all(sent, send)
                return
            self._page = host, sent
        await _send_all(self._page[1], send)


def _asks_for_more(scope: Scope) -> bool:
    """Whether the page may be another one: for a link that gradio made, or behind a proxy."""
    headers = Headers(scope=scope)
    proxied = any(name.startswith("x-forwarded") for name in headers)
    return proxied or "deep_link" in parse_qs(scope["query_string"].decode("latin-1"))


async def _send_all(messages: list[Message], send: Send) -> None:
    for message in messages:
        await send(message)
