"""Puts our styles and scripts into the page's head before a browser sees it.

gradio adds what it is given as `head` only when its own scripts run; a chosen theme would begin with a flash of the
other one, and a key pressed early would be lost.
"""

from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workbench import theme
from workbench.kept_page import GRADIO_SCRIPTS, PAGE
from workbench.steps.shell import shortcuts

_MARK = b"<head>"


def page_head() -> str:
    """The ground of the chosen theme, the keys, and our scripts."""
    scripts = (shortcuts.script(), *(path.read_text(encoding="utf-8") for path in theme.SCRIPTS))
    ours = "".join(f"<script>{script}</script>" for script in scripts)
    return f"<style>{theme.FIRST_GROUND}</style>{ours}{_lighter_tree()}"


def _lighter_tree() -> str:
    """The script that spares gradio's tree of components work; nothing where gradio keeps that under another name."""
    names = [path.name for path in GRADIO_SCRIPTS.glob("core-*.js")]
    if len(names) != 1:
        return ""
    script = theme.TREE_SCRIPT.read_text(encoding="utf-8").replace("GRADIO_CORE", f"./assets/{names[0]}")
    # Scripts of this type wait for the page and run in their order: this one before gradio's own.
    return f'<script type="module">{script}</script>'


class EarlyHead:
    """ASGI middleware of the page alone; everything else passes as it is."""

    def __init__(self, app: ASGIApp, head: str) -> None:
        self._app = app
        self._head = head.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"] != PAGE:
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, _Inserting(self._head, send))


class _Inserting:
    """Sends what it is given, with the head in the first piece of the body."""

    def __init__(self, head: bytes, send: Send) -> None:
        self._head = head
        self._send = send
        self._start: Message | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message  # its length is known with the body
            return
        if self._start is not None:
            message = self._with_head(message, MutableHeaders(scope=self._start))
            await self._send(self._start)
            self._start = None
        await self._send(message)

    def _with_head(self, message: Message, headers: MutableHeaders) -> Message:
        body: Any = message.get("body", b"")
        if _MARK not in body:
            return message
        longer = body.replace(_MARK, _MARK + self._head, 1)
        if "content-length" in headers:
            headers["content-length"] = str(int(headers["content-length"]) + len(longer) - len(body))
        return {**message, "body": longer}
