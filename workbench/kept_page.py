"""Serves the page and gradio's scripts from memory: a browser asks for about ninety files for its first page.

gradio reads and compresses each script anew every time, and sets up the whole page anew, which is the same for as long
as the app runs; on two cores that was a good part of the time until the first page stood (benchmarks/ui.py).
"""

import mimetypes
import re
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
_THIS_MACHINE = re.compile(r"(127\.0\.0\.1|localhost)(:\d+)?")
_KINDS = {".js": "text/javascript", ".css": "text/css"}
"""What a machine's own table of types must not get wrong: a browser would keep it for good."""
_OF_ONE_ANSWER = {"content-encoding", "set-cookie"}
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
        elif scope["path"] == PAGE and _asks_for_the_usual(scope):
            await self._send_page(scope, receive, send)
        elif (name := scope["path"].removeprefix(_SCRIPTS)) in self._names and scope["path"] == _SCRIPTS + name:
            await self._script(name)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _script(self, name: str) -> Response:
        if name not in self._scripts:
            kind = _KINDS.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
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
            if sent[0]["status"] != 200 or _OF_ONE_ANSWER.intersection(Headers(raw=sent[0]["headers"])):
                await _send_all(sent, send)
                return
            self._page = host, sent
        await _send_all(self._page[1], send)


def _asks_for_the_usual(scope: Scope) -> bool:
    """Whether the page is the one that everybody on this machine gets.

    gradio makes another one for a link of its own, and takes the address it writes into it from proxies' headers.
    """
    headers = Headers(scope=scope)
    if not _THIS_MACHINE.fullmatch(headers.get("host", "")):
        return False
    told = any(name.startswith("x-") or name in {"forwarded", "origin"} for name in headers)
    return not told and "deep_link" not in parse_qs(scope["query_string"].decode("latin-1"))


async def _send_all(messages: list[Message], send: Send) -> None:
    for message in messages:
        await send(message)
