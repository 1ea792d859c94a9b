"""Lists that a person makes row by row in the step Recommend: limits on metrics, prices of endpoints."""

from collections.abc import Mapping

from results import numbers
from results.metric_words import metric_titles, shown
from results.records import BenchmarkComparison, MetricEstimate
from workbench.steps import render
from workbench.steps.recommend.requirements import EndpointPrices
from workbench.steps.render import Html, tag


def metric_limits(limits: Mapping[str, float], comparison: BenchmarkComparison | None) -> Html:
    """Every limit on a metric with a button that takes it away."""
    titles = metric_titles(comparison) if comparison is not None else {}
    rows = [
        _row(
            f"{titles.get(name, name)} {_bound(_metric(comparison, name), value)}",
            name,
            f"the limit on {titles.get(name, name)}",
        )
        for name, value in limits.items()
    ]
    return tag("ul", rows, class_="chosen") if rows else render.NOTHING


def endpoint_prices(prices: EndpointPrices, currency: str) -> Html:
    """Every endpoint that has a price, with a button that takes it away."""
    rows = [
        _row(
            f"{name}: {numbers.money(into, currency)} in, {numbers.money(out, currency)} out for 1,000,000 tokens",
            name,
            f"the price of {name}",
        )
        for name, (into, out) in prices.items()
    ]
    return tag("ul", rows, class_="chosen") if rows else render.NOTHING


def _row(text: str, value: str, what: str) -> Html:
    remove = render.action("✕", "remove", value, class_="chip", title=f"Remove {what}")
    return tag("li", tag("span", text), remove)


def _bound(metric: MetricEstimate | None, value: float) -> str:
    sense = "at least" if metric is None or metric.higher_is_better else "at most"
    return f"{sense} {shown(value, metric) if metric is not None else f'{value:g}'}"


def _metric(comparison: BenchmarkComparison | None, name: str) -> MetricEstimate | None:
    candidates = comparison.candidates if comparison is not None else ()
    return next((metric for summary in candidates for metric in summary.metrics if metric.name == name), None)
