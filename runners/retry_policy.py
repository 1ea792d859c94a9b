"""When a request is worth another try, and how long to wait before it. Sends nothing and sleeps nowhere."""

from datetime import datetime

from catalog.waits import asked_seconds, doubled_seconds

RETRIED_STATUSES = frozenset({429, 502, 503, 504})
"""Answers that say: not now."""
FIRST_WAIT_SECONDS = 0.5
"""Before the second try; doubled for each further one."""
LONGEST_WAIT_SECONDS = 60.0
"""No wait of our own is longer."""
LONGEST_ASKED_SECONDS = 300.0
"""A server that asks for more is not waited for: the run would look as if it hung."""


def wait_before(attempt: int, retry_after: str | None, chance: float, now: datetime) -> float | None:
    """Seconds to wait after the `attempt`-th try (from 1 on) failed; None when the server asks for too long a wait.

    `retry_after` is the header of that name, in seconds or as a date; without one the wait doubles with each try, and
    `chance` (0 to 1) spreads it over its upper half, so that many clients do not come back at once.
    """
    asked = asked_seconds(retry_after, now)
    if asked is not None:
        return asked if asked <= LONGEST_ASKED_SECONDS else None
    return doubled_seconds(attempt, FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS, chance)
