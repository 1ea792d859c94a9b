"""One HTTP client of an OpenAI-compatible server: sends a request, tries again where that makes sense, hands on chunks.

Every further try is told as a chunk before it is made. Whatever the server does ends in a last chunk: an answer, an
overflow, or a failure with the server's words. Counts no money and keeps no pace (spending.py, endpoint_engine.py).
"""

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from runners.endpoint_answer import AnswerReader
from runners.endpoint_request import request_body, request_path, wants_schema
from runners.endpoint_words import Refusal, Words
from runners.engine_options import EndpointOptions
from runners.errors import EngineFailed
from runners.event_stream import event_data
from runners.records import Chunk, Request, Retry
from runners.retry_policy import RETRIED_STATUSES, wait_before
from runners.thinking import PLAIN_MARKS, ThinkingSplitter

_MOST_ERROR_BYTES = 16_384
"""Read of what a server says with an error."""

Emit = Callable[[Chunk], None]
"""Takes each chunk as it arrives."""


@dataclass(frozen=True)
class Dialect:
    """What a server of a known kind takes and sends beyond the API."""

    extra_body: Callable[[Request], Mapping[str, object]] = lambda _: {}
    """Further fields of a request's body."""
    splitter: Callable[[Request], ThinkingSplitter] = lambda _: ThinkingSplitter(PLAIN_MARKS, "")
    """Tells thinking from answer in the content."""


COMMON = Dialect()
"""What all servers understand."""


class EndpointClient:
    """Talks to one server about one model."""

    def __init__(self, options: EndpointOptions, model: str, key: str | None, dialect: Dialect = COMMON) -> None:
        self._options = options
        self._model = model
        self._dialect = dialect
        self._words = Words(options, model, key)
        self._takes_schema = True
        self._http = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(options.timeout_seconds, connect=options.connect_timeout_seconds, pool=None),
            # Connections are kept, however many: opening one would count as latency.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=None),
            # Proxies and certificates from the environment would be settings that nobody recorded; a redirect could
            # carry examples and the key to another machine.
            trust_env=False,
            follow_redirects=False,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def get(self, path: str) -> httpx.Response:
        """A small document. Raises EngineFailed where the server cannot be reached; any status is an answer."""
        try:
            return await self._http.get(f"{self._options.base_url}{path}")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise EngineFailed(self._words.explain(Refusal(None, _name(error)))) from error

    def explain(self, response: httpx.Response) -> str:
        """A response that is a refusal, as a sentence."""
        return self._words.explain(Refusal(response.status_code, response.text[:_MOST_ERROR_BYTES]))

    async def answer(self, request: Request, emit: Emit) -> None:
        """Send one request and emit its chunks; the last one, and only it, has a finish_reason."""
        schema = self._takes_schema and wants_schema(request, self._options)
        gave_up_schema = False
        tries = 0
        while True:
            tries += 1
            try:
                await self._try(request, schema, emit)
            except Refusal as refusal:
                if refusal.is_overflow:
                    emit(_last(request, "overflow"))
                    return
                if request.ignore_eos and refusal.is_about_ignore_eos:
                    request, tries = request.model_copy(update={"ignore_eos": False}), tries - 1
                    emit(_again(request, self._without_ignore_eos(refusal)))
                    continue
                if schema and self._options.label_answers == "auto" and refusal.may_be_about_schema:
                    schema, gave_up_schema, tries = False, True, tries - 1
                    emit(_again(request, self._without_schema(refusal)))
                    continue
                retry = self._next_try(refusal, tries)
                if retry is None:
                    emit(_last(request, "failed", self._words.explain(refusal)))
                    return
                await asyncio.sleep(retry.waited_seconds)
                emit(_again(request, retry))
            except EngineFailed as error:
                emit(_last(request, "failed", str(error)))
                return
            else:
                # Only an answer without the schema shows that the schema was what the server did not take.
                self._takes_schema = self._takes_schema and not gave_up_schema
                return

    async def _try(self, request: Request, schema: bool, emit: Emit) -> None:
        """One try. Raises Refusal before the first chunk, EngineFailed for an answer that is none."""
        body = request_body(request, self._model, self._options, schema=schema)
        body |= self._dialect.extra_body(request)
        reader = AnswerReader(request, self._options, self._dialect.splitter(request))
        url = f"{self._options.base_url}{request_path(self._options)}"
        is_answered = False
        try:
            async with self._http.stream("POST", url, json=body, headers={"Accept": "text/event-stream"}) as response:
                is_answered = True
                await self._check(response)
                async for data in event_data(response.aiter_bytes()):
                    for chunk in reader.read(data):
                        emit(chunk)
            emit(reader.last())
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise Refusal(None, _name(error)) from error
        except httpx.HTTPError as error:
            if not is_answered and isinstance(error, httpx.RemoteProtocolError | httpx.ReadError):
                # A server that closes an idle connection in the moment we use it has not seen the request.
                raise Refusal(None, f"it closed the connection before it answered ({_name(error)})") from error
            raise EngineFailed(self._broken(_name(error))) from error
        except EngineFailed as error:
            raise EngineFailed(self._broken(str(error))) from error

    async def _check(self, response: httpx.Response) -> None:
        kind = response.headers.get("content-type", "no content type")
        if response.status_code == 200 and kind.startswith("text/event-stream"):
            return
        words = b""
        async for piece in response.aiter_bytes():
            words += piece
            if len(words) >= _MOST_ERROR_BYTES:
                break
        text = words.decode("utf-8", "replace")
        if response.status_code != 200:
            raise Refusal(response.status_code, text, response.headers.get("retry-after"))
        raise EngineFailed(f"it sent {kind} instead of a stream of events: {text}")

    def _broken(self, reason: str) -> str:
        return f"{self._words.server} gave no usable answer: {self._words.quote(reason)}."

    def _next_try(self, refusal: Refusal, tries: int) -> Retry | None:
        if tries > self._options.max_retries or refusal.status not in {None, *RETRIED_STATUSES}:
            return None
        seconds = wait_before(tries, refusal.retry_after, random.random(), datetime.now(UTC))
        if seconds is None:
            return None
        return Retry(status=refusal.status, waited_seconds=seconds, reason=self._words.explain(refusal))

    def _without_ignore_eos(self, refusal: Refusal) -> Retry:
        said = self._words.quote(refusal.words)
        reason = f"{self._words.server} does not take ignore_eos ({said}); answers may be shorter than asked for."
        return Retry(status=refusal.status, waited_seconds=0, reason=reason)

    def _without_schema(self, refusal: Refusal) -> Retry:
        said = self._words.quote(refusal.words)
        reason = f"{self._words.server} does not take response_format json_schema ({said}); asked for free text."
        return Retry(status=refusal.status, waited_seconds=0, reason=reason)


def _again(request: Request, retry: Retry) -> Chunk:
    return Chunk(request_id=request.id, text="", tokens=0, retried=retry)


def _last(request: Request, reason: str, failure: str | None = None) -> Chunk:
    return Chunk.model_validate(
        {"request_id": request.id, "text": "", "tokens": 0, "finish_reason": reason, "failure": failure}
    )


def _name(error: Exception) -> str:
    """The client's words, which are empty for a timeout."""
    return str(error) or type(error).__name__
