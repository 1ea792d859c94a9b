"""Charts that only some benchmarks have: quantizations of one model by size, and reliability of label probabilities."""

from collections.abc import Callable

import altair as alt

from results import numbers
from results.metric_words import quality_of, quality_title, shown_estimate
from results.records import BenchmarkComparison, CandidateSummary, Estimate
from runners.divergence_records import Divergence, Mean
from workbench.chart_parts import Chart, DataTable, ends, in_words, labels_of, made, memory_unit, quality_axis
from workbench.report import drawing, findings
from workbench.report.drawing import Panel, Row
from workbench.report.text import shorten

_NORMAL = 1.96
"""Standard errors on either side of a 95 % interval."""


def ladder_charts(comparison: BenchmarkComparison) -> tuple[Chart, ...]:
    """Quality, speed and distance by size, for every model that was measured in several sizes."""
    by_model: dict[str, list[CandidateSummary]] = {}
    for summary in comparison.candidates:
        if summary.candidate.weights_bytes > 0 and summary.candidate.model_id:
            by_model.setdefault(summary.candidate.model_id, []).append(summary)
    families = [rungs for rungs in by_model.values() if len({each.candidate.weights_bytes for each in rungs}) > 1]
    charts = [_ladder_chart(comparison, sorted(rungs, key=lambda s: s.candidate.weights_bytes)) for rungs in families]
    return tuple(chart for chart in charts if chart is not None)


def reliability_chart(summary: CandidateSummary) -> Chart | None:
    """How often answers were right by the probability that they were given with; None where none had one."""
    found = summary.calibration
    if found is None:
        return None
    data: list[Row] = [{**ends(part.accuracy), "probability": part.probability, "n": part.n} for part in found.bins]
    cells = tuple(
        (
            f"{part.low:.1f} to {part.high:.1f}",
            numbers.count(part.n),
            numbers.percent(part.probability),
            numbers.estimate(part.accuracy, "percent"),
        )
        for part in found.bins
    )
    words = "; ".join(f"probability {mean}: {right} right of {n}" for _, n, mean, right in cells)
    return made(
        drawing.reliability(data),
        findings.reliability_finding(summary.candidate.name, found),
        f"Reliability of {shorten(summary.candidate.name)}. Expected calibration error over ten bins"
        f" {numbers.estimate(found.ece_10, 'percent')}; chance alone exceeds {numbers.percent(found.ece_by_chance)} in"
        f" one of twenty test sets. {words}.",
        DataTable(columns=("Probability", "Answers", "Mean probability", "Right"), rows=cells),
    )


def _ladder_chart(comparison: BenchmarkComparison, rungs: list[CandidateSummary]) -> Chart | None:
    quality = quality_axis(comparison)
    scale, unit = memory_unit([rung.candidate.weights_bytes for rung in rungs])
    distances = {rung.candidate: rung.loss.divergence for rung in comparison.ladder}
    measures: list[tuple[Panel, dict[str, Estimate]]] = [
        (Panel("quality", drawing.quality_axis(quality), quality), _picked(rungs, quality_of)),
        (
            Panel("speed", alt.Axis(title="Decoding (tokens/s), 95 % interval")),
            _picked(rungs, lambda summary: summary.decode_tokens_per_second),
        ),
        (
            Panel("distance", alt.Axis(title="Mean KL divergence (nats), 95 % interval")),
            {name: _estimate(found.mean_nats) for name, found in distances.items() if found is not None},
        ),
    ]
    names = {summary.candidate.name: summary for summary in rungs}
    known = [(panel, {n: e for n, e in found.items() if n in names}) for panel, found in measures]
    panels = [panel for panel, found in known if found]
    if len([name for name in names if any(name in found for _, found in known)]) < 2:
        return None
    labels = labels_of(comparison)
    data: list[Row] = [
        {
            **ends(estimate),
            "candidate": labels[name],
            "label": names[name].candidate.quantization or labels[name],
            "model": names[name].candidate.model_id,
            "measure": panel.measure,
            "size": names[name].candidate.weights_bytes / scale,
        }
        for panel, found in known
        for name, estimate in found.items()
    ]
    cells = tuple(_cells(summary, dict(distances).get(summary.candidate.name)) for summary in rungs)
    columns = ("Candidate", "Weights", quality_title(comparison), "Decoding", "Mean KL divergence")
    words = [
        f"{cell[0]}: " + ", ".join(f"{c.lower()} {v}" for c, v in zip(columns[1:], cell[1:], strict=True))
        for cell in cells
    ]
    return made(
        drawing.ladder(data, list(labels.values()), f"Size of the weights ({unit})", panels),
        findings.ladder_finding(comparison, rungs),
        in_words("Quantizations by size", words, comparison, [s.candidate.name for s in comparison.candidates]),
        DataTable(columns=columns, rows=cells),
    )


def _picked(rungs: list[CandidateSummary], pick: Callable[[CandidateSummary], Estimate | None]) -> dict[str, Estimate]:
    picked = ((summary.candidate.name, pick(summary)) for summary in rungs)
    return {name: value for name, value in picked if value is not None}


def _estimate(mean: Mean) -> Estimate:
    width = _NORMAL * mean.standard_error
    return Estimate(
        value=mean.value, low=mean.value - width, high=mean.value + width, n=0, method="mean ± 1.96 standard errors"
    )


def _cells(summary: CandidateSummary, distance: Divergence | None) -> tuple[str, ...]:
    return (
        shorten(summary.candidate.name),
        numbers.bytes_(summary.candidate.weights_bytes),
        shown_estimate(summary.quality),
        numbers.estimate(summary.decode_tokens_per_second, "rate"),
        numbers.UNKNOWN if distance is None else f"{distance.mean_nats.value:.5f} nats",
    )
