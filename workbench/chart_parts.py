"""What every chart is made of: the record, its data as a table, units and labels. Which charts there are: charts.py."""

import json
import textwrap
from collections.abc import Sequence
from typing import Any

import altair as alt

from catalog.records import Record
from results.metric_words import quality_metric, quality_title
from results.records import BenchmarkComparison, Estimate
from workbench.report import drawing, findings
from workbench.report.drawing import Row
from workbench.report.text import distinct_labels, listing, shorten


class DataTable(Record):
    """The numbers of a chart as text, for those who would rather read a table."""

    columns: tuple[str, ...]
    """Headings; the first names what a row is about."""
    rows: tuple[tuple[str, ...], ...]
    """One cell per heading, numbers with their units."""


class Chart(Record):
    """One chart, independent of theme."""

    title: str
    """One sentence that states what the chart shows."""
    alt: str
    """The same in words, with every number, for those who do not see the chart."""
    table: DataTable
    """The same as a table."""
    specification: str
    """Vega-Lite JSON without config."""


def made(body: drawing.Drawing | alt.VConcatChart, title: str, text: str, table: DataTable) -> Chart:
    """The chart from its drawing and its words."""
    specification: dict[str, Any] = body.to_dict()
    specification.pop("config", None)
    specification["title"] = {
        "text": textwrap.wrap(title, 92, break_on_hyphens=False),
        "anchor": "start",
        "frame": "bounds",
    }
    return Chart(title=title, alt=text, table=table, specification=json.dumps(specification, allow_nan=False))


def in_words(what: str, words: Sequence[str], comparison: BenchmarkComparison, shown: Sequence[str]) -> str:
    """What is shown, every number, and who is left out."""
    missing = findings.unknown(comparison, shown)
    left_out = f" Not measured and left out: {listing([shorten(name) for name in missing])}." if missing else ""
    return f"{what}. {'; '.join(words)}.{left_out}"


def ends(estimate: Estimate, scale: float = 1.0) -> Row:
    """Value and interval in the unit of an axis."""
    low, high = estimate.low, estimate.high
    return {
        "value": estimate.value / scale,
        "low": None if low is None else low / scale,
        "high": None if high is None else high / scale,
    }


def quality_axis(comparison: BenchmarkComparison) -> drawing.Quality:
    """The metric that stands for quality, for an axis."""
    metric = quality_metric(comparison)
    return drawing.Quality(quality_title(comparison), "share" if metric is None else metric.unit)


def time_unit(estimates: Sequence[Estimate | None]) -> tuple[float, str]:
    """Scale and name of the unit that suits some durations."""
    largest = max(estimate.value for estimate in estimates if estimate)
    return (1.0, "seconds") if largest >= 1 else (1e-3, "milliseconds")


def memory_unit(values: Sequence[int | None]) -> tuple[float, str]:
    """Scale and name of the unit that suits some sizes."""
    largest = max((value for value in values if value is not None), default=0)
    return (2.0**30, "GiB") if largest >= 2**30 else (2.0**20, "MiB")


def drawn(rows: Sequence[Row]) -> list[str]:
    """Candidates that some rows are about, in their order."""
    return list(dict.fromkeys(str(row["candidate"]) for row in rows))


def labels_of(comparison: BenchmarkComparison) -> dict[str, str]:
    """Name of every candidate of the benchmark as it stands in the charts, by its full name.

    Of all of them, also those that are not shown, so that each keeps its colour and its shape.
    """
    names = [summary.candidate.name for summary in comparison.candidates]
    return distinct_labels([*comparison.benchmark.candidates, *names])
