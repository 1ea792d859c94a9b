"""The plan of a load sweep and of open-loop arrivals: levels, how many requests each, when they arrive, when to stop.

Sends nothing and times nothing (workloads.py). What the levels mean, with intervals and the knee, is derived later from
what was stored (results/levels.py).
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from runners.records import CompletionDone, RunEvent, Workload, WorkloadFinished, WorkloadKind

REQUESTS_PER_LEVEL = 20
"""Fewest requests at each level unless the workload says otherwise: from 20 on there is a 95th percentile."""
SYNTHETIC_REQUESTS = 30
"""Requests of a latency workload with synthetic prompts unless it says otherwise."""
_FEWEST_FOR_P95 = 20


def levels_of(workload: Workload) -> tuple[float, ...]:
    """Load sweep: 1, 2, 4 … up to max_concurrency; arrivals: the rates as given, each once."""
    if workload.kind == "arrivals":
        return tuple(dict.fromkeys(workload.rates_per_second))
    steps = range(workload.max_concurrency.bit_length())
    return tuple(float(2**step) for step in steps)


def requests_at(workload: Workload, level: float) -> int:
    """How many requests one level sends."""
    fewest = workload.prompts or REQUESTS_PER_LEVEL
    return max(fewest, round(workload.rounds * level)) if workload.kind == "load_sweep" else fewest


def planned_requests(workload: Workload, examples: int) -> int:
    """Most requests that a workload sends, warm-up left out.

    A load sweep may stop earlier, and an example that a perturbation leaves as it is is not asked again.
    """
    match workload.kind:
        case "accuracy" | "robustness":
            return min(workload.examples or examples, examples) * _times_asked(workload)
        case "latency" if workload.synthetic is not None:
            return workload.prompts or SYNTHETIC_REQUESTS
        case "latency":
            return min(workload.prompts or examples, examples)
        case "prompts":
            return len(workload.conversations)
        case "load":
            return 0
        case "load_sweep" | "arrivals":
            return sum(requests_at(workload, level) for level in levels_of(workload))


def _times_asked(workload: Workload) -> int:
    repeats = workload.repeats if workload.kind == "robustness" and workload.temperature else 0
    return 1 + len(workload.perturbations) + repeats


def arrival_times(rate_per_second: float, count: int, seed: int) -> tuple[float, ...]:
    """When each of `count` requests arrives, in seconds: a Poisson process, the same for the same seed and rate."""
    chance = random.Random(f"{seed} {rate_per_second!r}")
    return tuple(accumulate(chance.expovariate(rate_per_second) for _ in range(count)))


@dataclass(frozen=True)
class LevelOutcome:
    """What decides whether a sweep goes on; None where too few requests were answered for a percentile."""

    tokens_per_second: float
    ttft_p95_seconds: float | None
    e2e_p95_seconds: float | None


def outcome_of(events: Iterable[RunEvent], kind: WorkloadKind, level: float) -> LevelOutcome | None:
    """A level as the events tell it; None where its window was never finished."""
    seen = list(events)
    windows = [e for e in seen if isinstance(e, WorkloadFinished) and (e.workload, e.level) == (kind, level)]
    if not windows:
        return None
    window = windows[-1]
    place = (kind, level, window.segment)
    done = [e.completion for e in seen if isinstance(e, CompletionDone)]
    done = [c for c in done if (c.workload, c.level, c.segment) == place]
    seconds = window.finished_at_seconds - window.started_at_seconds
    offsets = [c.chunk_offsets_seconds for c in done if c.chunk_offsets_seconds]
    return LevelOutcome(
        tokens_per_second=sum(c.output_tokens for c in done) / seconds if seconds > 0 else 0.0,
        ttft_p95_seconds=_p95([each[0] for each in offsets]),
        e2e_p95_seconds=_p95([each[-1] for each in offsets]),
    )


def goes_on(workload: Workload, before: LevelOutcome | None, now: LevelOutcome) -> bool:
    """Whether a sweep tries the next level: throughput gained enough, and no limit is broken."""
    if now.tokens_per_second == 0:
        return False
    limits = (
        (workload.max_ttft_p95_seconds, now.ttft_p95_seconds),
        (workload.max_e2e_p95_seconds, now.e2e_p95_seconds),
    )
    if any(limit is not None and seen is not None and seen > limit for limit, seen in limits):
        return False
    return before is None or now.tokens_per_second / before.tokens_per_second - 1 >= workload.min_gain


def _p95(values: Sequence[float]) -> float | None:
    return float(np.quantile(values, 0.95)) if len(values) >= _FEWEST_FOR_P95 else None
