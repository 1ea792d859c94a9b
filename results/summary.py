"""Everything measured about one candidate, summed up: quality, validity ledger, latency, speed, memory.

Takes what the store's views derived and adds estimates with intervals. Judges no license and predicts no memory:
the caller brings both.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from statistics import median

from catalog.records import Verdict
from results import numbers, quality
from results.calibration import calibration
from results.levels import level_summaries, load_sweep
from results.metrics import measured, metric_estimates
from results.records import (
    CandidateSummary,
    Estimate,
    ExampleOutcome,
    LevelMeasurements,
    MetricEstimate,
    RequestTiming,
    RunMeasurements,
    ValidityCount,
)
from results.robustness import robustness
from results.slices import slice_qualities
from results.statistics import bootstrap_quantile
from runners.records import Validity

VALIDITY_WARNING_SHARE = 0.02
"""Above this share of examples outside `scored` a quality figure carries a warning."""


def summarise(
    measurements: RunMeasurements, verdict: Verdict, predicted_memory_bytes: int | None = None
) -> CandidateSummary:
    """Sum up one run.

    verdict is the license verdict under the profile that asks; predicted_memory_bytes what the catalog predicted for
    the same context, None where it could not.
    """
    outcomes, labels = measurements.outcomes, measurements.labels
    metrics = measured(measurements)
    estimates = metric_estimates(metrics)
    timings = tuple(timing for timing in measurements.timings if timing.workload == "latency")
    ledger = validity_ledger(outcomes)
    accuracy_levels = [level for level in measurements.levels if level.workload == "accuracy"]
    ttft = _known(timing.ttft_seconds for timing in timings)
    e2e = _known(timing.e2e_seconds for timing in timings)
    return CandidateSummary(
        candidate=measurements.candidate,
        options=measurements.options,
        run_key=measurements.run_key,
        status=measurements.status,
        stopped=measurements.stopped,
        verdict=verdict,
        loaded=measurements.loaded,
        metrics=estimates,
        accuracy=_named(estimates, "accuracy"),
        balanced_accuracy=_named(estimates, "balanced_accuracy"),
        macro_f1=_named(estimates, "macro_f1"),
        labels=quality.label_qualities(outcomes, labels),
        slices=slice_qualities(outcomes, metrics),
        confusion=quality.confusions(outcomes, labels) if labels else (),
        calibration=calibration(outcomes),
        validity=ledger,
        validity_warning=validity_warning(ledger),
        robustness=robustness(measurements),
        load_seconds=measurements.load_seconds,
        ttft_p50_seconds=bootstrap_quantile(ttft, 0.5),
        ttft_p95_seconds=bootstrap_quantile(ttft, 0.95),
        e2e_p50_seconds=bootstrap_quantile(e2e, 0.5),
        e2e_p95_seconds=bootstrap_quantile(e2e, 0.95),
        tpot_p50_seconds=_median(timing.tpot_seconds for timing in timings),
        prefill_tokens_per_second=_median(timing.prefill_tokens_per_second for timing in timings),
        decode_tokens_per_second=_median(timing.decode_tokens_per_second for timing in timings),
        prompt_tokens_median=_middle(timings, "prompt_tokens"),
        output_tokens_median=_middle(timings, "output_tokens"),
        latency=next(iter(level_summaries(measurements, "latency")), None),
        sweep=load_sweep(measurements),
        arrivals=level_summaries(measurements, "arrivals"),
        load_cached_share=measurements.load_cached_share,
        cold_load_seconds=measurements.cold_load_seconds,
        warm_load_seconds=measurements.warm_load_seconds,
        warm_loads=measurements.warm_loads,
        first_request_ttft_seconds=measurements.first_request_ttft_seconds,
        accuracy_joules_per_1000_examples=_joules_per_1000(accuracy_levels),
        energy_source=next((level.energy_source for level in measurements.levels if level.energy_source), None),
        accuracy_examples_per_second=measurements.accuracy_examples_per_second,
        accuracy_prompt_tokens=_tokens_each(
            accuracy_levels, lambda level: (level.prompt_tokens_per_second or 0.0) * level.window_seconds
        ),
        accuracy_output_tokens=_tokens_each(accuracy_levels, lambda level: level.output_tokens),
        peak_memory_bytes=measurements.peak_memory_bytes,
        peak_memory_method=measurements.peak_memory_method,
        peak_mapped_file_bytes=measurements.peak_mapped_file_bytes,
        high_water_bytes=measurements.high_water_bytes,
        peak_gpu_bytes=measurements.peak_gpu_bytes,
        predicted_memory_bytes=predicted_memory_bytes,
        failures=measurements.failures,
    )


def validity_ledger(outcomes: Sequence[ExampleOutcome]) -> tuple[ValidityCount, ...]:
    """What happened to every example, one line per value that occurs, in the order of Validity."""
    counts = Counter(outcome.validity for outcome in outcomes)
    return tuple(ValidityCount(validity=value, count=counts[value]) for value in Validity if counts[value])


def validity_warning(ledger: Sequence[ValidityCount]) -> str | None:
    """One sentence where more than 2 % of the examples were not scored, else None."""
    total = sum(line.count for line in ledger)
    others = [line for line in ledger if line.validity is not Validity.SCORED]
    outside = sum(line.count for line in others)
    if outside <= VALIDITY_WARNING_SHARE * total:
        return None
    parts = ", ".join(f"{numbers.count(line.count)} {line.validity.value}" for line in others)
    share = numbers.percent(outside / total)
    return f"{numbers.count(outside)} of {numbers.count(total)} examples ({share}) were not scored: {parts}."


def _joules_per_1000(levels: Sequence[LevelMeasurements]) -> float | None:
    """Energy for 1,000 examples, from all windows; None where any of them could not be read."""
    requests = sum(level.requests for level in levels)
    joules = [level.energy_joules for level in levels if level.energy_joules is not None]
    return sum(joules) / requests * 1000 if requests and len(joules) == len(levels) else None


def _named(metrics: Sequence[MetricEstimate], name: str) -> Estimate | None:
    """Estimate of one metric by its name; None where it is not among them."""
    return next((metric.estimate for metric in metrics if metric.name == name), None)


def _tokens_each(levels: Sequence[LevelMeasurements], tokens: Callable[[LevelMeasurements], float]) -> float | None:
    """Mean tokens of a request over all windows."""
    requests = sum(level.requests for level in levels)
    return sum(tokens(level) for level in levels) / requests if requests else None


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _median(values: Iterable[float | None]) -> Estimate | None:
    return bootstrap_quantile(_known(values), 0.5)


def _middle(timings: Sequence[RequestTiming], field: str) -> float | None:
    """Median of a token count over the requests that were timed; no interval, since it describes the input."""
    values = [getattr(timing, field) for timing in timings if timing.e2e_seconds is not None]
    return float(median(values)) if values else None
