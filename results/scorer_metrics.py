"""Metrics of the scorers beside classification."""

from results.metric_records import Metric

SCORER_METRICS: dict[str, tuple[Metric, ...]] = {}
