"""What an OpenAI-compatible server says when it refuses, as sentences for the person; the key never stands in one.

Pure text. Which refusals are tried again is retry_policy.py's business.
"""

import json
import re
from dataclasses import dataclass

from runners.engine_options import EndpointOptions

MOST_WORDS = 200
"""Characters of a server's own words that a sentence quotes."""

_OVERFLOW = re.compile(
    r"context[ _-]*(?:length|window|size)|maximum context|max_new_tokens`? must be|prompt is too long|"
    r"exceeds? the (?:available|maximum|model).{0,20}(?:context|length)|too many (?:input )?tokens",
    re.IGNORECASE,
)
_OVERFLOW_STATUSES = frozenset({400, 413, 422, 500})
_NO_SCHEMA = re.compile(r"response_format|json_?schema|guided|grammar", re.IGNORECASE)
_NO_SCHEMA_STATUSES = frozenset({400, 404, 415, 422, 501})


@dataclass
class Refusal(Exception):
    """A request that a server did not answer: its status (None without a connection) and its words."""

    status: int | None
    words: str
    retry_after: str | None = None

    @property
    def is_overflow(self) -> bool:
        """Whether the prompt was too long."""
        return self.status in _OVERFLOW_STATUSES and _OVERFLOW.search(self.words) is not None

    @property
    def may_be_about_schema(self) -> bool:
        """Whether it may be the `response_format` that was not taken; some servers call that an error of their own."""
        return self.status in _NO_SCHEMA_STATUSES or (self.status == 500 and _NO_SCHEMA.search(self.words) is not None)

    @property
    def is_about_ignore_eos(self) -> bool:
        """Whether the server does not know `ignore_eos`, which is no part of the API."""
        return self.status in {400, 422} and "ignore_eos" in self.words


class Words:
    """Makes the sentences of one endpoint."""

    def __init__(self, options: EndpointOptions, model: str, key: str | None) -> None:
        self._options = options
        self._model = model
        self._key = key
        self.server = f"The server at {options.base_url}"

    def quote(self, text: str) -> str:
        """The beginning of what a server said, on one line; of an OpenAI error, its message."""
        # The key goes first: cut in two by the limit, the rest of it would not be found any more.
        return _shorten(self.hide_key(_message_in(text)))

    def hide_key(self, text: str) -> str:
        """The text with stars for the key."""
        return text.replace(self._key, "***") if self._key else text

    def explain(self, refusal: Refusal) -> str:
        """A refusal as a sentence, with what to do."""
        said = self.quote(refusal.words) or "nothing more"
        match refusal.status:
            case None:
                return (
                    f"{self.server} cannot be reached: {said}. "
                    "Start it, or correct base_url in the options of the candidate."
                )
            case 401 | 403:
                return f"{self.server} refuses access (status {refusal.status}: {said}). {self._about_the_key()}"
            case 404:
                return (
                    f"{self.server} does not know the model {self._model!r} or the path (status 404: {said}). "
                    "Correct model or base_url; the address usually ends in /v1."
                )
            case 429:
                return (
                    f"{self.server} limits how much it is asked (status 429: {said}). Set requests_per_minute or a "
                    "smaller concurrency, or raise max_retries; then bench --resume."
                )
            case status if 300 <= status < 400:
                return f"{self.server} sends elsewhere (status {status}), which is not followed. Correct base_url."
            case _:
                return f"{self.server} answered with status {refusal.status}: {said}."

    def _about_the_key(self) -> str:
        name = self._options.api_key_variable
        if name is None:
            return "Name the environment variable that holds your key in api_key_variable."
        return f"Check the key in the environment variable {name}."


def _message_in(text: str) -> str:
    try:
        document = json.loads(text)
    except ValueError:
        return text
    error = document.get("error", document) if isinstance(document, dict) else None
    message = error.get("message", error.get("detail")) if isinstance(error, dict) else error
    return message if isinstance(message, str) else text


def _shorten(text: str) -> str:
    line = " ".join(text.split()).rstrip(".")
    return line if len(line) <= MOST_WORDS else f"{line[:MOST_WORDS]}…"
