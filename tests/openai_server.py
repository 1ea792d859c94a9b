"""A real HTTP server that speaks the OpenAI API as Ollama, vLLM and others do, well or badly, as a test asks.

Answers come from a function over the request's body, streamed word by word. Each request is kept with its headers.
Behaviours are used up one per request, or stand for every request whose text holds some words.
"""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

Answer = Callable[[dict[str, Any]], str]
"""What the model says to a request's body."""


@dataclass
class Behaviour:
    """How one request is treated; the default is well."""

    status: int = 200
    body: str = '{"error": {"message": "as the test asks"}}'
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "text/event-stream; charset=utf-8"
    first_byte_seconds: float = 0.0
    word_seconds: float = 0.0
    break_after: int | None = None
    """Words after which the connection is cut."""
    raw: str | None = None
    """Sent instead of the answer's events."""
    usage: bool = True
    thinking: str = ""
    thinking_field: str = "reasoning_content"
    finish_reason: str | None = None
    byte_by_byte: bool = False


@dataclass
class Seen:
    """One request."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    at: float


def words(text: str = "one two three four") -> Answer:
    """Always the same answer."""
    return lambda _: text


def prompt_of(body: dict[str, Any]) -> str:
    """Everything that was said to the model."""
    return str(body.get("prompt") or "\n".join(message["content"] for message in body.get("messages", ())))


def labels_of(body: dict[str, Any]) -> list[str]:
    """The labels that the answer is held to; empty where it is free."""
    schema = body.get("response_format", {}).get("json_schema", {}).get("schema", {})
    return list(schema.get("properties", {}).get("label", {}).get("enum", ()))


@dataclass
class OpenAiServer:
    """The state that tests set and read."""

    answer: Answer = field(default_factory=words)
    models: tuple[str, ...] | None = ("test/model",)
    """None: there is no list of models."""
    key: str | None = None
    """Wanted from every request."""
    takes_schema: bool = True
    schema_status: int = 400
    """What a schema is refused with."""
    address: str = ""
    seen: list[Seen] = field(default_factory=list)
    most_at_once: int = 0
    connections: set[socket.socket] = field(default_factory=set)
    _at_once: int = 0
    _next: list[Behaviour] = field(default_factory=list)
    _always: dict[str, Behaviour] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self, *behaviours: Behaviour) -> None:
        """Treat the next requests like this, one after the other."""
        self._next.extend(behaviours)

    def when(self, text: str, behaviour: Behaviour) -> None:
        """Treat every request like this whose prompt holds the text."""
        self._always[text] = behaviour

    def enter(self, seen: Seen) -> Behaviour:
        """A request begins; how to treat it."""
        with self._lock:
            self.seen.append(seen)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            prompt = prompt_of(seen.body)
            standing = next((it for text, it in self._always.items() if text in prompt), None)
            return standing or (self._next.pop(0) if self._next else Behaviour())

    def leave(self) -> None:
        """A request is over."""
        with self._lock:
            self._at_once -= 1


class _Handler(BaseHTTPRequestHandler):
    state: ClassVar[OpenAiServer]
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        """Remember the connection, so that the end of the server is the end of it."""
        super().setup()
        self.state.connections.add(self.connection)

    def do_GET(self) -> None:
        if self._is_refused():
            return
        if self.path != "/v1/models" or self.state.models is None:
            self._send(404, '{"detail": "Not Found"}')
        else:
            models = [{"id": name, "object": "model", "max_model_len": 4096} for name in self.state.models]
            self._send(200, json.dumps({"object": "list", "data": models}))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        behaviour = self.state.enter(Seen(self.path, dict(self.headers), body, time.perf_counter()))
        try:
            if not self._is_refused():
                self._complete(body, behaviour)
        except (BrokenPipeError, ConnectionResetError):
            # The client went away, as an abandoned stream does.
            self.close_connection = True
        finally:
            self.state.leave()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def _is_refused(self) -> bool:
        wanted = None if self.state.key is None else f"Bearer {self.state.key}"
        if wanted is None or self.headers.get("authorization") == wanted:
            return False
        given = self.headers.get("authorization", "none")
        self._send(401, json.dumps({"error": {"message": f"Incorrect API key provided: {given}"}}))
        return True

    def _complete(self, body: dict[str, Any], behaviour: Behaviour) -> None:
        time.sleep(behaviour.first_byte_seconds)
        if "response_format" in body and not self.state.takes_schema:
            self._send(
                self.state.schema_status, '{"error": {"message": "response_format json_schema is not supported"}}'
            )
        elif behaviour.status != 200 or behaviour.content_type.startswith("text/html"):
            self._send(behaviour.status, behaviour.body, behaviour.headers, behaviour.content_type)
        else:
            self.send_response(200)
            self.send_header("content-type", behaviour.content_type)
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            self._stream(body, behaviour)

    def _stream(self, body: dict[str, Any], behaviour: Behaviour) -> None:
        events = [behaviour.raw] if behaviour.raw is not None else _events(body, behaviour, self.state.answer(body))
        for number, event in enumerate(events):
            if behaviour.break_after is not None and number > behaviour.break_after:
                self.wfile.flush()
                self.connection.close()
                self.close_connection = True
                return
            time.sleep(behaviour.word_seconds if number else 0)
            data = event.encode()
            for piece in [data[i : i + 1] for i in range(len(data))] if behaviour.byte_by_byte else [data]:
                self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
                self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def _send(
        self, status: int, text: str, headers: dict[str, str] | None = None, kind: str = "application/json"
    ) -> None:
        data = text.encode()
        self.send_response(status)
        for name, value in {"content-type": kind, "content-length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


def _events(body: dict[str, Any], behaviour: Behaviour, answer: str) -> Iterable[str]:
    """The events of one answer: a role, a word each, the end, the figures."""
    pieces = [piece if number == 0 else f" {piece}" for number, piece in enumerate(answer.split(" "))]
    if body.get("ignore_eos"):
        pieces = (pieces * body["max_tokens"])[: body["max_tokens"] + 1]
    allowed = pieces[: body["max_tokens"]]
    chat = "messages" in body
    if chat:
        yield _event({"role": "assistant", "content": ""}, chat=chat)
    for word in behaviour.thinking.split():
        yield _event({behaviour.thinking_field: f"{word} "}, chat=chat)
    for piece in allowed:
        yield _event({"content": piece}, chat=chat)
    reason = behaviour.finish_reason or ("stop" if len(allowed) == len(pieces) else "length")
    yield _event({}, chat=chat, finish_reason=reason)
    if behaviour.usage:
        usage = {
            "prompt_tokens": len(prompt_of(body).split()),
            "completion_tokens": len(allowed) + len(behaviour.thinking.split()),
            "prompt_tokens_details": {"cached_tokens": 0},
        }
        yield f"data: {json.dumps({'choices': [], 'usage': usage})}\n\n"
    yield "data: [DONE]\n\n"


def _event(delta: dict[str, str], *, chat: bool, finish_reason: str | None = None) -> str:
    said: dict[str, Any] = {"delta": delta} if chat else {"text": delta.get("content", "")}
    document = {"choices": [{"index": 0, **said, "finish_reason": finish_reason}]}
    return f": keep-alive\n\ndata: {json.dumps(document, ensure_ascii=False)}\n\n"


@contextmanager
def openai_server(answer: Answer | None = None, **state: Any) -> Iterator[OpenAiServer]:
    """A running server, ended afterwards."""
    served = OpenAiServer(answer=answer or words(), **state)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"state": served}))
    server.daemon_threads = True
    served.address = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        for connection in served.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        thread.join()
