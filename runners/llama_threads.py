"""How many threads are fastest here, found by trying: hyper-threads and slow cores help some machines and hurt others.

Generating is bound by memory and computing a prompt by arithmetic, so each gets its own number. Takes about a second
with small models; runs before anything is timed.
"""

import os
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import psutil

_DECODE_STEPS = 6
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
    """Numbers worth trying, ascending: half, three quarters and all physical cores, and all logical ones."""
    physical = usable_cores()
    return tuple(sorted({max(1, physical // 2), max(1, physical * 3 // 4), physical, _allowed_cores()}))


def fastest(counts: Sequence[int], seconds_of: Callable[[int], float]) -> int:
    """The smallest count that no larger one beats by more than a hair."""
    best, best_seconds = counts[0], seconds_of(counts[0])
    for count in counts[1:]:
        seconds = seconds_of(count)
        if seconds * _GAIN < best_seconds:
            best, best_seconds = count, seconds
    return best


def choose_threads(set_threads: Callable[[int], None], decode: Callable[[int], None]) -> Threads:
    """Try the counts. `decode(n)` computes n tokens of a prompt from an empty cache, with n = 1 as one step."""
    counts = thread_counts()

    def seconds_of(count: int, tokens: int, times: int) -> float:
        set_threads(count)
        decode(tokens)
        rounds = []
        for _ in range(2):
            started = time.perf_counter()
            for _ in range(times):
                decode(tokens)
            rounds.append(time.perf_counter() - started)
        return min(rounds)

    return Threads(
        decode=fastest(counts, lambda count: seconds_of(count, 1, _DECODE_STEPS)),
        batch=fastest(counts, lambda count: seconds_of(count, _PROMPT_TOKENS, 1)),
    )


def _allowed_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
