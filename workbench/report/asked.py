"""What was asked of the candidates, in words: hard limits, and the names of limits in tables."""

from collections.abc import Callable

from results import numbers
from results.limits import METRIC_PREFIX
from results.metric_words import in_prose, quality_metric, shown
from results.records import MetricEstimate
from workbench.report.records import ReportContent
from workbench.report.text import listing

_LIMITS: dict[str, tuple[str, Callable[[float | None], str]]] = {
    "max_ttft_p95_seconds": ("time to first token, p95", numbers.seconds),
    "max_e2e_p95_seconds": ("end to end, p95", numbers.seconds),
    "min_decode_tokens_per_second": ("decode speed", numbers.rate),
    "min_output_tokens_per_second": ("throughput at the load sweep's knee", numbers.rate),
    "min_examples_per_second": ("throughput", lambda value: numbers.rate(value, "examples/s")),
    "min_context_tokens": ("context in tokens", numbers.count),
    "max_peak_memory_bytes": ("peak memory", numbers.bytes_),
    "max_load_seconds": ("load time", numbers.seconds),
}
"""Plain words and formatter of limits that need nothing else to be shown."""

_LIMIT_NAMES = {
    "verdicts": "license verdict",
    "min_quality": "quality",
    "measured": "a measured quality",
    "early_stopping": "early stopping",
    "max_cost_per_1000_examples": "cost of 1,000 examples",
} | {name: words for name, (words, _) in _LIMITS.items()}
"""Plain words for the names of limits; others, on single metrics, are shown as they are."""


def limit_name(limit: str) -> str:
    """A limit's name in plain words."""
    return _LIMIT_NAMES.get(limit, limit.removeprefix(METRIC_PREFIX))


def limits_sentence(content: ReportContent) -> str:
    """Every limit that is set, in one sentence."""
    requirements = content.recommendation.requirements
    limits = requirements.limits
    metrics = {metric.name: metric for s in content.comparison.candidates for metric in s.metrics}
    quality = quality_metric(content.comparison)
    verdicts = listing([value.value for value in limits.verdicts], "or")
    asked = [f"license verdict {verdicts}" if verdicts else "no license verdict is acceptable"]
    if limits.min_quality is not None:
        asked.append(_metric_limit(quality, quality.title if quality else "Quality", limits.min_quality))
    for name, threshold in limits.metrics.items():
        found = metrics.get(name)
        asked.append(_metric_limit(found, found.title if found else name, threshold))
    for name, (words, show) in _LIMITS.items():
        value = getattr(limits, name)
        if value is not None:
            asked.append(f"{words} at {'least' if name.startswith('min') else 'most'} {show(value)}")
    if limits.max_cost_per_1000_examples is not None:
        amount = numbers.money(limits.max_cost_per_1000_examples, requirements.prices.currency)
        asked.append(f"cost of 1,000 examples at most {amount}")
    return f"Limits that a candidate must meet: {'; '.join(asked)}."


def _metric_limit(metric: MetricEstimate | None, title: str, threshold: float) -> str:
    more = metric is None or metric.higher_is_better
    end, most = ("lower", "least") if more else ("upper", "most")
    return f"{in_prose(title)}, {end} end of its interval, at {most} {shown(threshold, metric)}"
