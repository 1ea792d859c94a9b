"""How many threads are fastest here, found by trying: hyper-threads and slow cores help some machines and hurt others.

Generating is bound by memory and computing a prompt by arithmetic, so each gets its own number. Takes a second or two,
also with large models, of which fewer numbers are tried; runs before anything is timed.
"""

import os
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import psutil

_MOST_SECONDS = 1.5
"""For each of the two: a large model is not kept waiting, and runs on what was tried by then."""
_DECODE_STEPS = 8
_PROMPT_TOKENS = 64
_GAIN = 1.03
"""More threads have to be this much faster: they cost power, and others need cores too."""


class Threads(NamedTuple):
    """Threads for one token at a time, and for many."""

    decode: int
    batch: int


def usable_cores() -> int:
    """Physical cores that this process may use."""
    physical = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    return max(1, min(physical, _allowed_cores()))


def thread_counts() -> tuple[int, ...]:
    """Numbers worth trying, the likeliest first: all physical cores, three quarters, half, and all logical ones."""
    physical = usable_cores()
    return tuple(dict.fromkeys((physical, max(1, physical * 3 // 4), max(1, physical // 2), _allowed_cores())))


def fastest(seconds_of: Mapping[int, float]) -> int:
    """The smallest count that no larger one beats by more than a hair."""
    counts = sorted(seconds_of)
    best = counts[0]
    for count in counts[1:]:
        if seconds_of[count] * _GAIN < seconds_of[best]:
            best = count
    return best


def choose_threads(set_threads: Callable[[int], None], decode: Callable[[int], None]) -> Threads:
    """Try the counts while there is time. `decode(n)` computes n tokens from an empty cache, with n = 1 as one step."""

    def try_out(tokens: int, times: int) -> int:
        began_at = time.perf_counter()
        seconds: dict[int, float] = {}
        for count in thread_counts():
            set_threads(count)
            decode(tokens)
            started = time.perf_counter()
            for _ in range(times):
                decode(tokens)
            seconds[count] = time.perf_counter() - started
            if time.perf_counter() - began_at > _MOST_SECONDS:
                break
        return fastest(seconds)

    return Threads(decode=try_out(1, _DECODE_STEPS), batch=try_out(_PROMPT_TOKENS, 2))


def _allowed_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
