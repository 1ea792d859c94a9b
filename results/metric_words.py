"""Metrics in sentences: their titles and values as people read them, whatever the metric. Computes nothing."""

from typing import Literal

from results import numbers
from results.records import BenchmarkComparison, CandidateSummary, Estimate, MetricEstimate, SliceQuality


def in_prose(title: str) -> str:
    """A title inside a sentence: `Accuracy` → `accuracy`, `Macro F1` → `macro F1`, `BLEU` stays."""
    first, *_ = title.split(" ", 1)
    return title if first[1:] != first[1:].lower() or len(first) == 1 else title[:1].lower() + title[1:]


def quality_of(summary: CandidateSummary | SliceQuality) -> Estimate | None:
    """Estimate of the metric that stands for quality."""
    return summary.quality.estimate if summary.quality is not None else None


def quality_metric(comparison: BenchmarkComparison) -> MetricEstimate | None:
    """The metric that stands for quality, as any candidate has it; None where nothing was judged."""
    return next((summary.quality for summary in comparison.candidates if summary.quality is not None), None)


def quality_title(comparison: BenchmarkComparison) -> str:
    """Its title; plain words where nothing was judged."""
    metric = quality_metric(comparison)
    return "Quality" if metric is None else metric.title


def metric_titles(comparison: BenchmarkComparison) -> dict[str, str]:
    """Every metric that some candidate has, by name, quality first; titles that would be the same have their scorer."""
    metrics = {metric.name: metric for summary in comparison.candidates for metric in summary.metrics}
    titles = [metric.title for metric in metrics.values()]
    return {
        name: metric.title if titles.count(metric.title) == 1 else f"{metric.title} ({metric.scorer})"
        for name, metric in metrics.items()
    }


def metric_named(summary: CandidateSummary, name: str) -> MetricEstimate | None:
    """A candidate's metric of that name; None where it has none."""
    return next((metric for metric in summary.metrics if metric.name == name), None)


def unit_of(metric: MetricEstimate | None) -> numbers.Unit:
    """The formatter's unit of a metric; shares where nothing is known."""
    return "score" if metric is not None and metric.unit == "score" else "percent"


def shown(value: float | None, metric: MetricEstimate | None) -> str:
    """One value of the metric: `73.4 %`, `0.734`."""
    return numbers.score(value) if unit_of(metric) == "score" else numbers.percent(value)


def shown_estimate(metric: MetricEstimate | None) -> str:
    """The metric's value with its interval."""
    return numbers.UNKNOWN if metric is None else numbers.estimate(metric.estimate, unit_of(metric))


def difference(value: float, metric: MetricEstimate | None) -> str:
    """A difference of two values: `4.0 points`, `0.040`."""
    return numbers.score(value) if unit_of(metric) == "score" else numbers.points(value)


def worse_end(metric: MetricEstimate) -> float | None:
    """The end of the interval that a promise can rest on: the lower one where more is better."""
    return metric.estimate.low if metric.higher_is_better else metric.estimate.high


def signed(metric: MetricEstimate | None) -> float:
    """The value so that more is better, for finding the best; unmeasured is the worst."""
    if metric is None:
        return float("-inf")
    return metric.estimate.value if metric.higher_is_better else -metric.estimate.value


def value_text(value: float, unit: Literal["share", "score"]) -> str:
    """A value by its unit alone."""
    return numbers.score(value) if unit == "score" else numbers.percent(value)


def signed_difference(difference: Estimate, unit: Literal["share", "score"]) -> str:
    """A difference of two values with its interval: `−4.0 points (−8.1 to +0.2)`."""
    return numbers.estimate(difference, "score" if unit == "score" else "points")
