"""How long to wait before a server is asked once more: what it says, else a wait that doubles. Sleeps nowhere."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def asked_seconds(retry_after: str | None, now: datetime) -> float | None:
    """The wait that a Retry-After header asks for, in seconds or as a date; None where it says nothing to be read."""
    text = (retry_after or "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    until = until if until.tzinfo is not None else until.replace(tzinfo=UTC)
    return max(0.0, (until - now).total_seconds())


def doubled_seconds(attempt: int, first: float, longest: float, chance: float) -> float:
    """The wait after the `attempt`-th try (from 1 on): `first` doubled each time, up to `longest`.

    `chance` (0 to 1) spreads it over its upper half, so that many clients do not come back at once.
    """
    return min(longest, first * 2.0 ** (attempt - 1)) * (0.5 + 0.5 * chance)
