"""Latency and throughput at every level of load, with percentiles and intervals; and the knee of a load sweep.

Takes what the store's views derived. A failed request is counted and is in no percentile and no throughput.
"""

from collections.abc import Callable, Iterable, Sequence
from statistics import median

from results import numbers
from results.records import (
    Estimate,
    LevelMeasurements,
    LevelSummary,
    LoadSweep,
    Percentiles,
    RequestTiming,
    RunMeasurements,
)
from results.statistics import bootstrap_quantile, pooled_quantiles
from runners.records import Workload, WorkloadKind

_QUANTILES = (0.5, 0.9, 0.95, 0.99)


def level_summaries(measurements: RunMeasurements, workload: WorkloadKind) -> tuple[LevelSummary, ...]:
    """Every level of one timed workload, lowest first; a level whose window was not finished is left out."""
    found = sorted((m for m in measurements.levels if m.workload == workload), key=lambda m: m.level or 0.0)
    return tuple(
        _summary(measured, [t for t in measurements.timings if t.workload == workload and t.level == measured.level])
        for measured in found
    )


def load_sweep(measurements: RunMeasurements) -> LoadSweep | None:
    """The levels of the load sweep with its knee; None where there was none."""
    asked = next((workload for workload in measurements.workloads if workload.kind == "load_sweep"), None)
    levels = level_summaries(measurements, "load_sweep")
    if asked is None or not levels:
        return None
    knee, reason = find_knee(asked, levels)
    return LoadSweep(levels=levels, knee=knee, ended_because=reason)


def find_knee(asked: Workload, levels: Sequence[LevelSummary]) -> tuple[float | None, str]:
    """The last level before the first that gains too little or breaks a limit, and a sentence that says so.

    That is Jain's knee capacity (The Art of Computer Systems Performance Analysis, 1991, §3.3): beyond it requests
    wait longer while throughput hardly gains. None where no level gained too little or broke a limit.
    """
    before: LevelSummary | None = None
    for level in levels:
        broken = _broken_limit(asked, level)
        gain = _gain(before, level)
        if broken is not None:
            return (before.measured.level if before else None), f"At {_at_once(level)} {broken}."
        if before is not None and gain is not None and gain < asked.min_gain:
            return before.measured.level, (
                f"From {_at_once(before)} to {_at_once(level)} throughput gained {numbers.percent(gain)}, "
                f"less than the {numbers.percent(asked.min_gain)} asked for."
            )
        before = level
    last = _at_once(levels[-1])
    if not levels[-1].measured.output_tokens_per_second:
        return None, f"No request was answered at {last}."
    if len(levels) == 1:
        return None, f"Only {last} was measured: a knee needs more levels."
    return None, f"Throughput still gained at {last}, the last level measured."


def _gain(before: LevelSummary | None, level: LevelSummary) -> float | None:
    earlier = before.measured.output_tokens_per_second if before else None
    rate = level.measured.output_tokens_per_second
    return rate / earlier - 1 if earlier and rate is not None else None


def _broken_limit(asked: Workload, level: LevelSummary) -> str | None:
    limits: tuple[tuple[str, float | None, Estimate | None], ...] = (
        ("TTFT p95", asked.max_ttft_p95_seconds, level.ttft.p95),
        ("E2E p95", asked.max_e2e_p95_seconds, level.e2e.p95),
    )
    for name, limit, seen in limits:
        if limit is not None and seen is not None and seen.value > limit:
            return f"{name} was {numbers.seconds(seen.value)}, above the limit of {numbers.seconds(limit)}"
    return None


def _at_once(level: LevelSummary) -> str:
    return f"{numbers.count(level.measured.level)} at once"


def _summary(measured: LevelMeasurements, timings: Sequence[RequestTiming]) -> LevelSummary:
    is_open_loop = measured.workload == "arrivals"
    prompt_tokens = sum(timing.prompt_tokens for timing in timings)
    joules, tokens = measured.energy_joules, measured.output_tokens
    return LevelSummary(
        measured=measured,
        ttft=percentiles(timing.ttft_seconds for timing in timings),
        ttfa=percentiles(timing.ttfa_seconds for timing in timings),
        tpot=percentiles(timing.tpot_seconds for timing in timings),
        itl=_pooled([timing.gaps_seconds for timing in timings]),
        e2e=percentiles(timing.e2e_seconds for timing in timings),
        queue=percentiles(timing.queue_seconds for timing in timings),
        arrival_ttft=_since_arrival(timings, lambda timing: timing.ttft_seconds) if is_open_loop else Percentiles(),
        arrival_e2e=_since_arrival(timings, lambda timing: timing.e2e_seconds) if is_open_loop else Percentiles(),
        prompt_tokens_median=_middle([timing.prompt_tokens for timing in timings]),
        output_tokens_median=_middle([timing.output_tokens for timing in timings]),
        cached_share=sum(timing.cached_tokens for timing in timings) / prompt_tokens if prompt_tokens else None,
        joules_per_output_token=joules / tokens if joules is not None and tokens else None,
    )


def percentiles(values: Iterable[float | None]) -> Percentiles:
    """p50, p90, p95 and p99 of independent values, each where there are enough."""
    known = [value for value in values if value is not None]
    return _named([bootstrap_quantile(known, q) for q in _QUANTILES])


def _pooled(gaps: Sequence[Sequence[float]]) -> Percentiles:
    return _named(pooled_quantiles(gaps, _QUANTILES))


def _named(found: Sequence[Estimate | None]) -> Percentiles:
    p50, p90, p95, p99 = found
    return Percentiles(p50=p50, p90=p90, p95=p95, p99=p99)


def _since_arrival(timings: Sequence[RequestTiming], pick: Callable[[RequestTiming], float | None]) -> Percentiles:
    """A duration counted from arrival: queue time and what came after handing over."""
    pairs = [(timing.queue_seconds, pick(timing)) for timing in timings]
    return percentiles(queue + after for queue, after in pairs if queue is not None and after is not None)


def _middle(values: Sequence[int]) -> float | None:
    return float(median(values)) if values else None
