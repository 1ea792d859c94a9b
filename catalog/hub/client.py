"""Asks the Hub: one configuration, bounded retries, one way to read JSON.

Goes through huggingface_hub's own session, headers and error classes, so HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE, proxies
and certificates work as in every other tool; the token is never read here. Does not use HfApi's methods, because
they hide the cursor of a list, do not retry the info of a model, and fail on a summary that lacks one key.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import httpx2
from huggingface_hub import constants, get_session
from huggingface_hub.utils import (
    build_hf_headers,
    hf_raise_for_status,
    parse_ratelimit_headers,
    validate_repo_id,
)

from catalog.errors import Cancelled
from catalog.hub.errors import EXPECTED, explained, not_json
from catalog.waits import asked_seconds, doubled_seconds

RETRIED_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
RETRIED_ERRORS = (httpx2.TimeoutException, httpx2.NetworkError, httpx2.RemoteProtocolError)
_SLICE_SECONDS = 0.5
"""Longest sleep without looking whether the user has cancelled."""


class Retries(NamedTuple):
    """How often and how long to try again."""

    attempts: int = 4
    """Tries in a row that bring nothing, the first included."""
    connect_attempts: int = 2
    """The same where not even a connection comes about: mostly a wrong address, so the wait would be for nothing."""
    first_wait_seconds: float = 1.0
    """Wait before the second try; doubled each time, cut by up to a half at random lest clients march in step."""
    longest_wait_seconds: float = 30.0
    """Bound of the doubling."""
    longest_asked_seconds: float = 330.0
    """Longest wait that a server may ask for; the Hub counts in windows of 300 seconds
    (huggingface.co/docs/hub/rate-limits)."""


def _never() -> bool:
    return False


class Hub(NamedTuple):
    """Where the Hub is and how it is asked. `Hub()` is what the environment says."""

    endpoint: str = constants.ENDPOINT
    """Address without a trailing slash; HF_ENDPOINT by default."""
    cache_folder: Path = Path(constants.HF_HUB_CACHE)
    """The Hugging Face cache; HF_HUB_CACHE or HF_HOME by default."""
    retries: Retries = Retries()
    """Patience."""
    timeout_seconds: float = max(30.0, constants.HF_HUB_DOWNLOAD_TIMEOUT)
    """Longest silence of the server."""
    largest_http_bytes: int = constants.MAX_HTTP_DOWNLOAD_SIZE
    """Above this the Hub serves a file through its Xet storage only."""
    sleep: Callable[[float], None] = time.sleep
    """Passes the time, in seconds."""
    chance: Callable[[], float] = random.random
    """Number in [0, 1) that spreads the waits."""
    is_cancelled: Callable[[], bool] = _never
    """Asked between requests and while waiting."""


DEFAULT_HUB = Hub()
"""The Hub as the environment names it when the program starts, for someone who waits at the screen."""
PATIENT_HUB = DEFAULT_HUB._replace(
    retries=Retries(attempts=10, connect_attempts=10, longest_wait_seconds=60.0),
)
"""The same for pulling the whole list: outlives some minutes without a network."""


class Answer(NamedTuple):
    """One JSON answer."""

    document: Any
    """What the body says."""
    next_query: str | None
    """Query string of the next page, from the Link header; None on the last page."""


def check_model_id(model_id: str) -> None:
    """Raises ModelNotFound for what cannot be an id, before anything is sent."""
    try:
        validate_repo_id(model_id)
    except EXPECTED as error:
        raise explained(error, model_id) from error


def info_path(model_id: str, revision: str | None) -> str:
    """Path of the info of one model."""
    return f"/api/models/{model_id}" + ("" if revision is None else f"/revision/{quote(revision, safe='')}")


def file_url(hub: Hub, model_id: str, revision: str, path: str) -> str:
    """Address of one file at one revision."""
    return f"{hub.endpoint}/{model_id}/resolve/{quote(revision, safe='')}/{quote(path)}"


def ask_json(
    hub: Hub,
    path: str,
    query: Sequence[tuple[str, str]] | str,
    *,
    model_id: str | None = None,
    revision: str | None = None,
) -> Answer:
    """GET `path` with retries. Raises ModelNotFound, HubUnavailable or Cancelled."""
    text = query if isinstance(query, str) else str(httpx2.QueryParams(list(query)))
    url = f"{hub.endpoint}{path}" + (f"?{text}" if text else "")
    response = with_retries(hub, lambda: _get(hub, url), model_id=model_id, revision=revision)
    try:
        document = response.json()
    except ValueError as error:
        raise not_json(model_id or "the list of models", response.headers.get("Content-Type", "")) from error
    return Answer(document, _next_query(response))


def with_retries(
    hub: Hub,
    request: Callable[[], httpx2.Response],
    *,
    model_id: str | None,
    revision: str | None = None,
) -> httpx2.Response:
    """Send until it succeeds, fails for good, or patience ends; errors become ours."""
    attempt = 0
    while True:
        attempt += 1
        stop_if_cancelled(hub)
        try:
            return request()
        except EXPECTED as error:
            seconds = wait_after(hub, attempt, error)
            if seconds is None:
                raise explained(error, model_id, revision) from error
        wait(hub, seconds)


def wait_after(hub: Hub, attempt: int, error: Exception) -> float | None:
    """Seconds to wait after the `attempt`-th failure in a row; None when another try makes no sense."""
    response = getattr(error, "response", None)
    retries = hub.retries
    if isinstance(response, httpx2.Response):
        if response.status_code not in RETRIED_STATUSES or attempt >= retries.attempts:
            return None
        asked = asked_wait_seconds(response.headers, response.status_code)
        if asked is not None:
            # A second more, because servers round down.
            return None if asked > retries.longest_asked_seconds else asked + 1.0
    elif isinstance(error, httpx2.ConnectError):
        if attempt >= retries.connect_attempts:
            return None
    elif not isinstance(error, RETRIED_ERRORS) or attempt >= retries.attempts:
        return None
    return doubled_seconds(attempt, retries.first_wait_seconds, retries.longest_wait_seconds, hub.chance())


def asked_wait_seconds(headers: Mapping[str, str], status: int) -> float | None:
    """Wait that the server asks for: its rate-limit window where that is used up, else Retry-After (either form)."""
    limit = parse_ratelimit_headers(headers)
    if status == 429 and limit is not None and limit.remaining == 0:
        return float(limit.reset_in_seconds)
    return asked_seconds(headers.get("retry-after"), datetime.now(UTC))


def wait(hub: Hub, seconds: float) -> None:
    """Sleep in slices, so that a cancel is noticed. Raises Cancelled."""
    left = seconds
    while left > 0:
        stop_if_cancelled(hub)
        hub.sleep(min(left, _SLICE_SECONDS))
        left -= _SLICE_SECONDS


def stop_if_cancelled(hub: Hub) -> None:
    """Raises Cancelled when the user asked for it."""
    if hub.is_cancelled():
        raise Cancelled("Stopped as asked. What has arrived is kept; start again to go on from there.")


def is_hub_address(hub: Hub, url: str) -> bool:
    """Whether the token may be sent there: the endpoint itself, or a host of the Hub over TLS."""
    there, here = urlsplit(url), urlsplit(hub.endpoint)
    same = (there.scheme, there.netloc) == (here.scheme, here.netloc)
    return same or (there.scheme == "https" and (there.hostname or "") in constants.HF_URL_HOSTS)


def _get(hub: Hub, url: str) -> httpx2.Response:
    response = get_session().get(url, headers=build_hf_headers(), timeout=hub.timeout_seconds)
    hf_raise_for_status(response)
    return response


def _next_query(response: httpx2.Response) -> str | None:
    """Only the query of the next address is kept.

    A mirror passes on links to the Hub itself, and following a foreign address would send the token there.
    """
    url = response.links.get("next", {}).get("url")
    return urlsplit(url).query or None if url else None
