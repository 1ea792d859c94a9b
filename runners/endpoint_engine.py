"""The engine for OpenAI-compatible servers: Ollama, LM Studio, TGI, llama-server, vLLM, or a hosted model as baseline.

Answers are generated; log-probabilities of given choices cannot be asked for. Sends nothing to another machine unless
the options allow it, keeps pace and spending limit, and hands on what the client (endpoint_client.py) receives.
"""

import importlib.metadata
import queue
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from catalog.records import Candidate
from runners.endpoint_client import COMMON, Dialect, EndpointClient
from runners.endpoint_request import prompt_text
from runners.engine_options import EndpointOptions, EngineOptions, is_remote
from runners.errors import EngineFailed, LimitReached
from runners.event_loop import EventLoop
from runners.records import ChoiceScores, Chunk, Loaded, NotYet, Request
from runners.spending import Spending, estimated_tokens

_NO_LIST_STATUSES = frozenset({404, 405, 501})
"""Answers of servers that do not list their models."""

_Arrival = Chunk | Future[None]
"""A chunk, or the end of the work on a request."""


class EndpointEngine:
    """Asks a server."""

    can_score_choices = False

    def __init__(
        self,
        candidate: Candidate,
        options: EngineOptions,
        secrets: Mapping[str, str],
        dialect: Dialect = COMMON,
    ) -> None:
        if not isinstance(options, EndpointOptions):
            raise EngineFailed(f"The endpoint engine got options for {options.engine!r}.")
        self._options = options
        self._model = options.model or candidate.model_id
        self._secrets = secrets
        self._dialect = dialect
        self._spending = Spending(options)
        self._loop: EventLoop | None = None
        self._client: EndpointClient | None = None

    @property
    def concurrency(self) -> int:
        """Requests at once, as the options say."""
        return self._options.concurrency

    def load(self) -> Loaded:
        """See that the server may be asked, answers, and knows the model. Raises EngineFailed."""
        check_host(self._options)
        client = EndpointClient(self._options, self._model, self._key(), self._dialect)
        self._loop, self._client = EventLoop(), client
        response = self._loop.run(client.get("/models"))
        server = response.headers.get("server", "a server that gives no name")
        listed: dict[str, dict[str, Any]] | None = None
        if response.status_code == 200:
            try:
                listed = _listed(response.json())
            except ValueError as error:
                kind = response.headers.get("content-type", "no content type")
                message = (
                    f"{self._options.base_url}/models answered with {kind}, which is no list of models. "
                    "Correct base_url; the address usually ends in /v1."
                )
                raise EngineFailed(message) from error
        elif response.status_code not in _NO_LIST_STATUSES:
            raise EngineFailed(client.explain(response))
        entry = self._entry(listed) if listed is not None else {}
        context = entry.get("max_model_len")
        return Loaded(
            engine="endpoint",
            engine_version=importlib.metadata.version("httpx"),
            build=f"{self._options.api} at {self._options.base_url} ({server})"
            + ("" if listed is not None else "; it lists no models, so the name was not checked"),
            model_description=f"{self._model}, as the server calls it",
            context_tokens=self._options.context_tokens or (context if isinstance(context, int) else None),
        )

    def tune(self) -> None:
        """Nothing is left open."""

    def prompt_text(self, request: Request) -> str:
        """The conversation as plain text; a chat server puts it into its model's own template."""
        return prompt_text(request)

    def count_tokens(self, request: Request) -> int:
        """Estimated from the length: the model's tokenizer is the server's."""
        return estimated_tokens(prompt_text(request))

    def stream(
        self, requests: Iterable[Request | NotYet], *, max_concurrency: int = 1, sharing: Sequence[Request] = ()
    ) -> Iterator[Chunk]:
        """Answers as they arrive. Raises LimitReached, when what was sent has been answered."""
        del sharing  # What a server computes again is its own affair.
        client, loop = self._ready()
        pending = iter(requests)
        running: dict[str, Future[None]] = {}
        arrivals: queue.SimpleQueue[_Arrival] = queue.SimpleQueue()
        refusal: str | None = None
        more = True
        not_before = 0.0
        try:
            while running or more:
                now = time.perf_counter()
                wait = max(self._spending.seconds_until_next(now), not_before - now)
                if more and wait <= 0 and len(running) < max_concurrency:
                    request = next(pending, None)
                    if isinstance(request, NotYet):
                        not_before = time.perf_counter() + request.seconds
                        continue
                    refusal = self._refusal(request) if request is not None else None
                    more = request is not None and refusal is None
                    if request is not None and more:
                        running[request.id] = loop.start(client.answer(request, arrivals.put))
                        running[request.id].add_done_callback(arrivals.put)
                    continue
                if not running:
                    time.sleep(wait)
                    continue
                may_start = more and len(running) < max_concurrency
                chunk = _next(arrivals, wait if may_start else None)
                if chunk is None:
                    continue
                if chunk.finish_reason is not None:
                    del running[chunk.request_id]
                self._count(chunk)
                yield chunk
        finally:
            for work in running.values():
                work.cancel()
        if refusal is not None:
            raise LimitReached(refusal)

    def score_choices(self, requests: Sequence[Request], *, sharing: Sequence[Request] = ()) -> Iterator[ChoiceScores]:
        """Always raises EngineFailed: the API does not give the log-probability of a text that it did not choose."""
        del requests, sharing
        self._ready()
        raise EngineFailed("An endpoint cannot score given answers; labels are generated instead.")

    def close(self) -> None:
        """Close the connections; may be called twice."""
        if self._loop is not None and self._client is not None:
            self._loop.close(self._client.close())
        self._loop = self._client = None

    def _ready(self) -> tuple[EndpointClient, EventLoop]:
        if self._client is None or self._loop is None:
            raise EngineFailed("The endpoint engine was used before load() or after close().")
        return self._client, self._loop

    def _refusal(self, request: Request) -> str | None:
        """Why the spending limit forbids a request; where it does not, the request is counted as sent."""
        tokens = self.count_tokens(request) + request.max_output_tokens
        refusal = self._spending.refusal(tokens)
        if refusal is None:
            self._spending.reserve(request.id, tokens)
            self._spending.take_turn(time.perf_counter())
        return refusal

    def _count(self, chunk: Chunk) -> None:
        if chunk.retried is not None:
            self._spending.take_turn(time.perf_counter())
        if chunk.finish_reason == "overflow" and chunk.prompt_tokens is None:
            self._spending.settle(chunk.request_id, 0)
        elif chunk.finish_reason is not None:
            known = chunk.prompt_tokens is not None and chunk.output_tokens is not None
            used = (chunk.prompt_tokens or 0) + (chunk.output_tokens or 0)
            self._spending.settle(chunk.request_id, used if known else None)

    def _key(self) -> str | None:
        name = self._options.api_key_variable
        if name is None:
            return None
        key = self._secrets.get(name, "").strip()
        if not key:
            raise EngineFailed(
                f"The key of the endpoint is wanted in the environment variable {name}, which is not set. "
                f"Set it where the workbench is started (export {name}=…) and run again."
            )
        if not key.isascii() or not key.isprintable() or " " in key:
            raise EngineFailed(
                f"The environment variable {name} holds what cannot be a key: it has spaces, line ends or letters "
                "outside ASCII. Copy the key again."
            )
        return key

    def _entry(self, listed: dict[str, dict[str, Any]]) -> dict[str, Any]:
        for name in (self._model, f"{self._model}:latest"):
            if name in listed:
                return listed[name]
        close = get_close_matches(self._model, listed, n=3, cutoff=0.4) or list(listed)[:5]
        names = ", ".join(repr(name) for name in close) or "none"
        raise EngineFailed(
            f"The server at {self._options.base_url} has no model {self._model!r}. It has {len(listed)}: {names}"
            f"{' …' if len(listed) > len(close) else ''}. Name one of them in the option model, or make it load yours."
        )


def check_host(options: EndpointOptions) -> None:
    """Raises EngineFailed where examples would leave this machine without leave."""
    if is_remote(options) and not options.allow_remote:
        host = urlsplit(options.base_url).hostname
        raise EngineFailed(
            f"{host} is another machine, and your examples would be sent there. "
            "If they may leave this machine, set allow_remote: true in the options of the candidate."
        )


def _listed(document: object) -> dict[str, dict[str, Any]] | None:
    """Models of a list by id; None where the document is none."""
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, list):
        return None
    entries = [entry for entry in data if isinstance(entry, dict)]
    return {str(entry["id"]): entry for entry in entries if "id" in entry}


def _next(arrivals: "queue.SimpleQueue[_Arrival]", timeout_seconds: float | None) -> Chunk | None:
    """The next chunk; None when the time is up or a piece of work has ended. A mistake of ours is raised here."""
    try:
        arrival = arrivals.get(timeout=timeout_seconds)
    except queue.Empty:
        return None
    if isinstance(arrival, Chunk):
        return arrival
    if not arrival.cancelled():
        arrival.result()
    return None
