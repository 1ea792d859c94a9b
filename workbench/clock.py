"""The wall clock, for people; durations are taken elsewhere, from a monotonic clock."""

import datetime


def now() -> str:
    """Now, ISO 8601 with offset."""
    return datetime.datetime.now().astimezone().isoformat(timespec="seconds")
