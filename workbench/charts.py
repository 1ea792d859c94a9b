"""The charts of a comparison: built once here, shown in the app by Altair, drawn into the report as SVG.

A `Chart` is a title that states its finding, a text alternative that lists the numbers, and a Vega-Lite
specification without any colour: colours come from the theme when it is drawn (report/drawing.py). Numbers come from
the records as they are, only scaled to the unit of an axis. A candidate without the value a chart shows is left out
of it, and the text alternative says so; a chart without any data is None, never an empty frame.
"""

import html
import json
import re
from collections.abc import Callable, Sequence

import altair as alt
import vl_convert

from results import numbers
from results.limits import memory_bytes
from results.metric_words import quality_metric, quality_of, quality_title, shown_estimate, unit_of
from results.recommendation_records import Recommendation
from results.records import BenchmarkComparison, CandidateSummary, Estimate, SliceQuality
from workbench.chart_parts import (
    Chart,
    DataTable,
    drawn,
    ends,
    in_words,
    labels_of,
    made,
    memory_unit,
    quality_axis,
    time_unit,
)
from workbench.report import drawing, findings
from workbench.report.drawing import Row, Theme
from workbench.report.text import distinct_labels, shorten


def to_svg(chart: Chart, theme: Theme = "light", *, titled: bool = True) -> str:
    """The chart as one SVG element with its text alternative; drawn offline, without a browser.

    titled=False leaves the title out, for a document that sets it as a caption.
    """
    specification = json.loads(chart.specification)
    if not titled:
        del specification["title"]
    svg = vl_convert.vegalite_to_svg(specification, config=drawing.theme_config(theme), allowed_base_urls=[])
    # The parts of a chart would be images without names to a screen reader; the whole has one.
    svg = re.sub(r' role="graphics-(?:object|symbol|document)"| aria-roledescription="[^"]*"', "", str(svg))
    label = html.escape(chart.alt, quote=True)
    return re.sub(r"^<svg ", lambda _: f'<svg role="img" aria-label="{label}" ', svg, count=1)


def quality_chart(comparison: BenchmarkComparison) -> Chart | None:
    """Quality of every candidate with its interval; None where nothing was scored."""
    rows = findings.known(comparison, quality_of)
    if not rows:
        return None
    rows.sort(key=lambda row: -row[1].value)
    labels, unit = labels_of(comparison), unit_of(quality_metric(comparison))
    data: list[Row] = []
    for name, estimate in rows:
        row: Row = {"candidate": labels[name], "label": numbers.estimate(estimate, unit)}
        data.append(row | ends(estimate))
    words = [f"{shorten(name)} {numbers.estimate(e, unit)}, n = {e.n:,}" for name, e in rows]
    return made(
        drawing.dots(data, drawn(data), list(labels.values()), quality_axis(comparison)),
        findings.quality_finding(comparison),
        in_words(f"{quality_title(comparison)} with 95 % interval", words, comparison, [name for name, _ in rows]),
        DataTable(
            columns=("Candidate", quality_title(comparison), "Examples"),
            rows=tuple((shorten(name), numbers.estimate(e, unit), numbers.count(e.n)) for name, e in rows),
        ),
    )


def quality_latency_chart(
    comparison: BenchmarkComparison, recommendation: Recommendation | None = None
) -> Chart | None:
    """Quality against end-to-end p50, memory (GPUs included) as size, Pareto candidates ringed.

    None where no candidate has both values.
    """
    shown = [s for s in comparison.candidates if s.quality and s.e2e_p50_seconds]
    if not shown:
        return None
    pareto, front = findings.pareto_names(recommendation), findings.front_names(comparison)
    seconds, unit = time_unit([s.e2e_p50_seconds for s in shown])
    bytes_, size_unit = memory_unit([memory_bytes(s) for s in shown])
    labels = labels_of(comparison)
    data = [_trade_off_row(s, seconds, bytes_) for s in shown]
    for row, s in zip(data, shown, strict=True):
        name = s.candidate.name
        row |= {"candidate": labels[name], "pareto": name in pareto, "front": name in front}
    words = [
        f"{shorten(s.candidate.name)} {shown_estimate(s.quality)}"
        f" at {numbers.estimate(s.e2e_p50_seconds, 'seconds')},"
        f" peak memory {_memory(s)}"
        f"{', Pareto' if s.candidate.name in pareto else ''}"
        f"{', on the front' if s.candidate.name in front else ''}"
        for s in shown
    ]
    quality = quality_title(comparison)
    body = drawing.scatter(
        data,
        list(labels.values()),
        f"End to end, p50 ({unit}), 95 % interval",
        f"Peak memory ({size_unit})",
        quality_axis(comparison),
    )
    return made(
        body,
        findings.trade_off_finding(comparison, recommendation),
        in_words(f"{quality} against end-to-end p50", words, comparison, [s.candidate.name for s in shown]),
        DataTable(
            columns=("Candidate", quality, "End to end p50", "Peak memory", "Nobody is both better and faster"),
            rows=tuple(
                (
                    shorten(s.candidate.name),
                    shown_estimate(s.quality),
                    numbers.estimate(s.e2e_p50_seconds, "seconds"),
                    _memory(s),
                    "yes" if s.candidate.name in front else "no",
                )
                for s in shown
            ),
        ),
    )


def latency_chart(comparison: BenchmarkComparison) -> Chart | None:
    """Time to first token and end to end, p50 and p95 of every candidate; None where no latency was measured."""
    measures: tuple[tuple[str, Pick, Pick], ...] = (
        ("Time to first token", lambda s: s.ttft_p50_seconds, lambda s: s.ttft_p95_seconds),
        ("End to end", lambda s: s.e2e_p50_seconds, lambda s: s.e2e_p95_seconds),
    )
    panels: list[drawing.Drawing] = []
    words: list[str] = []
    cells: list[tuple[str, ...]] = []
    shown: list[str] = []
    for measure, p50, p95 in measures:
        rows = [(s.candidate.name, p50(s), p95(s)) for s in comparison.candidates if p50(s) or p95(s)]
        if not rows:
            continue
        rows.sort(key=lambda row: min(e.value for e in row[1:] if e))
        shown += [name for name, _, _ in rows]
        panels.append(_percentile_panel(comparison, measure, rows))
        listed = (
            f"{shorten(name)} p50 {numbers.estimate(low, 'seconds')}, p95 {numbers.estimate(high, 'seconds')}"
            for name, low, high in rows
        )
        words.append(f"{measure}: {', '.join(listed)}")
        cells += [
            (shorten(name), measure, numbers.estimate(low, "seconds"), numbers.estimate(high, "seconds"))
            for name, low, high in rows
        ]
    if not panels:
        return None
    text = in_words("Latency at concurrency 1, with 95 % intervals", words, comparison, shown)
    table = DataTable(columns=("Candidate", "Measure", "p50", "p95"), rows=tuple(cells))
    return made(alt.vconcat(*panels, spacing=24), findings.latency_finding(comparison), text, table)


def sweep_chart(comparison: BenchmarkComparison) -> Chart | None:
    """Output throughput by requests at once, the knee ringed; None where no load was swept."""
    shown = [s for s in comparison.candidates if s.sweep is not None]
    labels = labels_of(comparison)
    data: list[Row] = []
    words: list[str] = []
    cells: list[tuple[str, ...]] = []
    for summary in shown:
        if summary.sweep is None:
            continue
        levels = [each.measured for each in summary.sweep.levels]
        data += [
            {
                "candidate": labels[summary.candidate.name],
                "at_once": level.level,
                "value": level.output_tokens_per_second,
                "knee": level.level == summary.sweep.knee,
                "last": level is levels[-1],
            }
            for level in levels
        ]
        cells += [
            (
                shorten(summary.candidate.name),
                numbers.count(level.level),
                numbers.rate(level.output_tokens_per_second),
                "knee" if level.level == summary.sweep.knee else "",
            )
            for level in levels
        ]
        rates = (f"{numbers.rate(m.output_tokens_per_second)} at {numbers.count(m.level)}" for m in levels)
        words.append(f"{shorten(summary.candidate.name)} {', '.join(rates)}")
    if not data:
        return None
    return made(
        drawing.sweep_lines(data, list(labels.values())),
        findings.sweep_finding(comparison),
        in_words("Output throughput by requests at once", words, comparison, [s.candidate.name for s in shown]),
        DataTable(columns=("Candidate", "Requests at once", "Output", "Knee"), rows=tuple(cells)),
    )


def memory_chart(comparison: BenchmarkComparison) -> Chart | None:
    """Measured peak memory beside what was predicted; None where neither is known."""
    kinds: tuple[tuple[str, Callable[[CandidateSummary], int | None]], ...] = (
        ("measured", lambda s: s.peak_memory_bytes),
        ("measured on the GPU", lambda s: s.peak_gpu_bytes),
        ("predicted", lambda s: s.predicted_memory_bytes),
    )
    values = [(s.candidate.name, kind, pick(s)) for s in comparison.candidates for kind, pick in kinds]
    rows = [(name, kind, value) for name, kind, value in values if value is not None]
    if not rows:
        return None
    scale, unit = memory_unit([value for _, _, value in rows])
    labels = labels_of(comparison)
    data: list[Row] = [
        {"candidate": labels[n], "kind": k, "value": v / scale, "label": f"{numbers.bytes_(v)} {k}"} for n, k, v in rows
    ]
    present = [kind for kind, _ in kinds if any(row[1] == kind for row in rows)]
    words = [f"{shorten(n)} {numbers.bytes_(v)} {k}" for n, k, v in rows]
    return made(
        drawing.bars(data, list(labels.values()), present, f"Peak memory ({unit})"),
        findings.memory_finding(comparison),
        in_words("Peak memory", words, comparison, [n for n, _, _ in rows]),
        DataTable(
            columns=("Candidate", "Kind", "Peak memory"),
            rows=tuple((shorten(n), k, numbers.bytes_(v)) for n, k, v in rows),
        ),
    )


def confusion_chart(summary: CandidateSummary, labels: Sequence[str] = ()) -> Chart | None:
    """How often each label was answered with each label; None where nothing was scored.

    labels gives the order; labels that occur without being listed come after them.
    """
    if not summary.confusion:
        return None
    named = distinct_labels([*labels, *(text for cell in summary.confusion for text in (cell.target, cell.predicted))])
    named[""] = findings.NOT_UNDERSTOOD
    cells = [(named[cell.target], named[cell.predicted], cell.count) for cell in summary.confusion]
    order = [named[label] for label in labels]
    targets = list(dict.fromkeys([*order, *(target for target, _, _ in cells)]))
    answers = list(dict.fromkeys([*order, *(answer for _, answer, _ in cells)]))
    counts = {(target, answer): count for target, answer, count in cells}
    data: list[Row] = [
        {"target": t, "answer": a, "count": counts.get((t, a), 0), "right": t == a} for t in targets for a in answers
    ]
    words = "; ".join(f"{t} answered {a}: {count:,}" for t, a, count in cells)
    return made(
        drawing.heat_map(data, targets, answers),
        findings.confusion_finding(summary),
        f"Confusion matrix of {shorten(summary.candidate.name)}; right label, then answer. {words}.",
        DataTable(
            columns=("Right label", "Answered", "Examples"), rows=tuple((t, a, numbers.count(n)) for t, a, n in cells)
        ),
    )


def slices_chart(comparison: BenchmarkComparison) -> Chart | None:
    """Quality of every candidate on every slice; None where the test set has no slices."""
    labels = labels_of(comparison)
    places = distinct_labels([_place(quality) for s in comparison.candidates for quality in s.slices], 40)
    data: list[Row] = []
    words: list[str] = []
    cells: list[tuple[str, ...]] = []
    for summary in comparison.candidates:
        for quality in summary.slices:
            estimate = quality_of(quality)
            if estimate is None:
                continue
            place = places[_place(quality)]
            size = f"n = {estimate.n:,}"
            row: Row = {"candidate": labels[summary.candidate.name], "slice": f"{place}, {size}"}
            data.append(row | ends(estimate))
            words.append(f"{shorten(summary.candidate.name)} on {place} {shown_estimate(quality.quality)}, {size}")
            cells.append(
                (shorten(summary.candidate.name), place, shown_estimate(quality.quality), numbers.count(estimate.n))
            )
    if not data:
        return None
    shown = [s.candidate.name for s in comparison.candidates if s.slices]
    return made(
        drawing.slice_dots(data, drawn(data), list(labels.values()), quality_axis(comparison)),
        findings.slices_finding(comparison),
        in_words(f"{quality_title(comparison)} by slice", words, comparison, shown),
        DataTable(columns=("Candidate", "Slice", quality_title(comparison), "Examples"), rows=tuple(cells)),
    )


Pick = Callable[[CandidateSummary], Estimate | None]


def _percentile_panel(
    comparison: BenchmarkComparison,
    measure: str,
    rows: Sequence[tuple[str, Estimate | None, Estimate | None]],
) -> drawing.Drawing:
    labels = labels_of(comparison)
    scale, unit = time_unit([estimate for _, *both in rows for estimate in both])
    data: list[Row] = []
    for name, p50, p95 in rows:
        label = f"{_middle(p50)} · {_middle(p95)}"
        for percentile, estimate in (("p50", p50), ("p95", p95)):
            if estimate:
                row: Row = {"candidate": labels[name], "percentile": percentile, "label": label}
                data.append(row | ends(estimate, scale))
                label = ""
    title = f"{measure} ({unit}): p50 solid, p95 pale, 95 % intervals"
    return drawing.percentiles(data, drawn(data), list(labels.values()), title)


def _memory(summary: CandidateSummary) -> str:
    value = memory_bytes(summary)
    return "not measured" if value is None else numbers.bytes_(value)


def _place(quality: SliceQuality) -> str:
    return f"{quality.column} = {quality.value}"


def _middle(estimate: Estimate | None) -> str:
    return numbers.seconds(estimate.value if estimate else None)


def _trade_off_row(summary: CandidateSummary, seconds: float, bytes_: float) -> Row:
    memory = memory_bytes(summary)
    row: Row = {
        "memory": None if memory is None else memory / bytes_,
    }
    quality = quality_of(summary)
    if quality:
        row |= {f"y_{end}": value for end, value in ends(quality).items()}
    if summary.e2e_p50_seconds:
        row |= {f"x_{end}": value for end, value in ends(summary.e2e_p50_seconds, seconds).items()}
    return row
