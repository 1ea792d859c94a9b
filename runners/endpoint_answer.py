"""What an OpenAI-compatible server streams back: the data of its events as Chunks. Opens no connection, times nothing.

A delta without text (the role, usage alone) is no token. Nobody says how many tokens a delta holds: each is counted as
one, and the last chunk carries the server's own figures where it gives them.
"""

import json
from collections.abc import Iterator
from typing import Any

from runners.endpoint_words import Refusal
from runners.engine_options import EndpointOptions
from runners.errors import EngineFailed
from runners.records import Chunk, FinishReason, Request
from runners.thinking import ThinkingSplitter

END = "[DONE]"
"""Data of the event after the last."""
_REASONS: dict[str, FinishReason] = {"length": "length", "max_tokens": "length", "content_filter": "refused"}
"""What servers call the ends of answers, where it is not a stop."""


class AnswerReader:
    """Reads one answer."""

    def __init__(self, request: Request, options: EndpointOptions, splitter: ThinkingSplitter) -> None:
        self._request = request
        self._options = options
        self._reason: FinishReason | None = None
        self._usage: dict[str, Any] = {}
        self._deltas = 0
        self._splitter = splitter
        self._ended = False

    def read(self, data: str) -> tuple[Chunk, ...]:
        """The text in the data of one event. Raises EngineFailed for garbage, Refusal for an error in the stream."""
        if data.strip() == END:
            self._ended = True
            return ()
        event = _parse(data)
        if "error" in event:
            raise _refusal(event)
        self._usage = _object(event.get("usage")) or self._usage
        choices = event.get("choices")
        if not isinstance(choices, list) or not choices:
            return ()
        choice = _object(choices[0])
        delta = _object(choice.get("delta")) if self._options.api == "chat" else choice
        self._note_end(choice, delta)
        thought = delta.get("reasoning_content") or delta.get("reasoning")
        pieces = [(thought, True)] if isinstance(thought, str) and thought else []
        for text in (delta.get("content", delta.get("text")), delta.get("refusal")):
            if isinstance(text, str) and text:
                # Servers without a parser for it send thinking as part of the answer.
                pieces += list(self._splitter.add(text)) or [("", False)]
        return tuple(self._chunks_of(pieces, _logprobs(choice.get("logprobs"))))

    def last(self) -> Chunk:
        """The chunk that ends the answer, once the stream is over. Raises EngineFailed where it was cut off."""
        if self._reason is None and not self._ended:
            raise EngineFailed(f"the answer broke off after {self._deltas} pieces, before the server had ended it")
        prompt = _count(self._usage.get("prompt_tokens"))
        output = _count(self._usage.get("completion_tokens"))
        cached = _count(_object(self._usage.get("prompt_tokens_details")).get("cached_tokens"))
        rest, thinking = next(self._splitter.flush(), ("", False))
        return Chunk(
            request_id=self._request.id,
            text=rest,
            tokens=0,
            thinking=thinking,
            finish_reason="overflow" if self._overflows(prompt) else self._reason or "stop",
            prompt_tokens=prompt,
            cached_tokens=cached,
            output_tokens=output,
            tokens_from="chunks" if output is None else "usage",
        )

    def _note_end(self, choice: dict[str, Any], delta: dict[str, Any]) -> None:
        reason = choice.get("finish_reason")
        if isinstance(reason, str) and self._reason is None:
            self._reason = _REASONS.get(reason, "stop")
        if delta.get("refusal"):
            self._reason = "refused"

    def _chunks_of(self, pieces: list[tuple[str, bool]], logprobs: tuple[float, ...]) -> Iterator[Chunk]:
        """One delta is one token, whatever it is split into."""
        self._deltas += bool(pieces)
        for number, (text, thinking) in enumerate(pieces):
            last = number == len(pieces) - 1
            yield Chunk(
                request_id=self._request.id,
                text=text,
                tokens=int(last),
                thinking=thinking,
                logprobs=logprobs if last else (),
            )

    def _overflows(self, prompt_tokens: int | None) -> bool:
        """Some servers cut a prompt that is too long and answer anyway; their figures give it away."""
        context = self._options.context_tokens
        if context is None or prompt_tokens is None:
            return False
        return prompt_tokens + self._request.max_output_tokens > context


def _parse(data: str) -> dict[str, Any]:
    try:
        event = json.loads(data)
    except ValueError as error:
        raise EngineFailed(f"the stream holds what is not JSON: {data}") from error
    if not isinstance(event, dict):
        raise EngineFailed(f"the stream holds what is no answer: {data}")
    return event


def _refusal(event: dict[str, Any]) -> Refusal:
    code = _object(event["error"]).get("code")
    status = code if isinstance(code, int) and 400 <= code < 600 else 500
    return Refusal(status, json.dumps(event, ensure_ascii=False))


def _logprobs(found: object) -> tuple[float, ...]:
    """Of a chat answer a list of objects, of a plain completion a list of numbers."""
    own = _object(found)
    content, plain = own.get("content"), own.get("token_logprobs")
    if isinstance(content, list):
        plain = [_object(token).get("logprob") for token in content]
    return tuple(float(value) for value in plain if isinstance(value, int | float)) if isinstance(plain, list) else ()


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None
