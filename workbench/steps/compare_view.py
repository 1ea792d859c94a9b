"""What the step Compare shows of a benchmark: summary, charts, conclusions by pair, one candidate in detail."""

from collections.abc import Sequence
from functools import lru_cache

from results import numbers
from results.metric_words import (
    metric_named,
    metric_titles,
    quality_of,
    quality_title,
    shown_estimate,
    signed_difference,
    unit_of,
)
from results.records import BenchmarkComparison, CandidateSummary, Comparison, Estimate
from workbench import charts, sentences
from workbench.report.text import one_line
from workbench.steps import render
from workbench.steps.render import Cell, Column, Content, Html, Row, tag
from workbench.steps.run_view import state_badge

_FIRST_COLUMNS = (
    Column("Candidate"),
    Column("License", hint="May it be used commercially under your profile?"),
)
_COLUMNS = (
    Column("TTFT p50", numeric=True, hint="Request handed over to first text, median of the latency requests"),
    Column("TTFT p95", numeric=True, hint="The same, 95th percentile"),
    Column("End to end p50", numeric=True, hint="Request handed over to last token, median"),
    Column("End to end p95", numeric=True, hint="The same, 95th percentile"),
    Column("Decoding", numeric=True, hint="1 ÷ time per output token, median over requests, at concurrency 1"),
    Column(
        "Peak memory", numeric=True, hint="Of the process tree over load and generation; below it what was predicted"
    ),
    Column("Load", numeric=True, hint="Engine start to ready for the first token"),
)


def nothing_measured() -> Html:
    """No benchmark at all."""
    return tag("div", render.empty(sentences.NO_BENCHMARK_TITLE, sentences.NO_BENCHMARK_TEXT), class_="card")


def nothing_finished(name: str) -> Html:
    """A benchmark without a stored run."""
    text = f"The benchmark {name} has no stored run yet. Each candidate appears here as soon as its run is over."
    return tag("div", render.empty(sentences.NO_COMPARISON_TITLE, text), class_="card")


def summary(comparison: BenchmarkComparison) -> Html:
    """Every candidate's numbers and what they say pair by pair."""
    benchmark = comparison.benchmark
    labels = (numbers.things(len(benchmark.labels), "label"),) if benchmark.labels else ()
    note = ", ".join((benchmark.test_set_name, numbers.things(benchmark.examples, "example"), *labels))
    rows = [_row(item) for item in comparison.candidates]
    return render.join(
        tag(
            "div",
            render.heading("Summary", note),
            render.table("Summary by candidate", (*_FIRST_COLUMNS, _quality_column(comparison), *_COLUMNS), rows),
            _warnings(comparison.candidates),
            [tag("p", note, class_="quiet") for note in comparison.notes],
            class_="card",
        ),
        _metrics(comparison),
        _under_load(comparison.candidates),
        tag("div", render.heading("What the data can tell apart"), _pairs(comparison.pairs), class_="card"),
    )


def _quality_column(comparison: BenchmarkComparison) -> Column:
    hint = "The first metric of the test set's first scorer, over all examples, with its 95 % interval"
    return Column(quality_title(comparison), numeric=True, hint=hint)


def _metrics(comparison: BenchmarkComparison) -> Html | None:
    """Every metric of every candidate, where there is more than the one that stands for quality."""
    titles = metric_titles(comparison)
    if len(titles) < 2:
        return None
    columns = (Column("Candidate"), *(Column(title, numeric=True) for title in titles.values()))
    rows = []
    for item in comparison.candidates:
        found = [metric_named(item, name) for name in titles]
        cells = [_estimate(metric.estimate if metric else None, unit_of(metric)) for metric in found]
        rows.append(Row([Cell(tag("b", one_line(item.candidate.name)), item.candidate.name), *cells]))
    return tag("div", render.heading("Every metric"), render.table("Every metric", columns, rows), class_="card")


def charts_of(comparison: BenchmarkComparison) -> tuple[charts.Chart, ...]:
    """Charts that have data."""
    made = (
        charts.quality_latency_chart(comparison),
        charts.quality_chart(comparison),
        charts.latency_chart(comparison),
        charts.memory_chart(comparison),
        charts.sweep_chart(comparison),
    )
    return tuple(chart for chart in made if chart is not None)


def charts_panel(comparison: BenchmarkComparison) -> Html:
    """The charts, each with its finding as a title."""
    return tag("div", [chart_card(chart) for chart in charts_of(comparison)], class_="columns")


def chart_card(chart: charts.Chart) -> Html:
    """One chart; its colours follow the page."""
    return tag("figure", tag("figcaption", chart.title), Html(_svg(chart.model_dump_json())), class_="card chart")


@lru_cache(maxsize=64)
def _svg(chart_json: str) -> str:
    """Drawing takes a tenth of a second and depends on nothing but the chart."""
    return charts.to_svg(charts.Chart.model_validate_json(chart_json), "page", titled=False)


def details(comparison: BenchmarkComparison, candidate: str | None) -> Html:
    """Confusion, labels and slices of one candidate; of the first where none of that name is there."""
    candidates = comparison.candidates
    chosen = next((item for item in candidates if item.candidate.name == candidate), candidates[0])
    confusion = charts.confusion_chart(chosen, comparison.benchmark.labels)
    if chosen.quality is None:
        return tag("div", render.empty("Not scored", f"{chosen.candidate.name} has no scored example."), class_="card")
    slices = charts.slices_chart(comparison)
    by_label = tag("div", render.heading("By label"), _labels(chosen), _validity(chosen), class_="card")
    return tag(
        "div",
        chart_card(confusion) if confusion is not None else None,
        by_label if chosen.labels else tag("div", render.heading("What happened"), _validity(chosen), class_="card"),
        tag("div", render.heading("By slice"), _slices(chosen), class_="card") if chosen.slices else None,
        chart_card(slices) if slices is not None else None,
        class_="columns",
    )


def _row(item: CandidateSummary) -> Row:
    memory = item.peak_memory_bytes
    name = tag("b", one_line(item.candidate.name))
    state = None if item.status == "finished" else tag("div", state_badge(item.status))
    return Row(
        [
            Cell(render.join(name, state), item.candidate.name),
            Cell(render.verdict_badge(item.verdict.value), item.verdict.value.strictness),
            _estimate(quality_of(item), unit_of(item.quality)),
            _first_text(item),
            _estimate(item.ttft_p95_seconds, "seconds"),
            _estimate(item.e2e_p50_seconds, "seconds"),
            _estimate(item.e2e_p95_seconds, "seconds"),
            _estimate(item.decode_tokens_per_second, "rate"),
            Cell(_memory(item), memory),
            Cell(numbers.seconds(item.load_seconds), item.load_seconds),
        ]
    )


def _estimate(value: Estimate | None, unit: numbers.Unit) -> Cell:
    """The value above its interval, so that ten columns fit."""
    text = numbers.estimate(value, unit)
    head, bracket, interval = text.partition(" (")
    lower = tag("div", interval.rstrip(")"), class_="interval", title="95 % interval") if bracket else None
    title = f"n = {value.n:,}, {value.method}" if value is not None else "not measured"
    return Cell(tag("div", head, lower, title=title), None if value is None else value.value)


def _first_text(item: CandidateSummary) -> Cell:
    """TTFT, and below it TTFA where thinking comes before the answer."""
    cell = _estimate(item.ttft_p50_seconds, "seconds")
    answer = item.latency.ttfa.p50 if item.latency is not None else None
    if answer is None or answer == item.ttft_p50_seconds:
        return cell
    below = tag("div", f"answer {numbers.seconds(answer.value)}", class_="interval", title="TTFA: after the thinking")
    return Cell(tag("div", cell.content, below), cell.order)


def _memory(item: CandidateSummary) -> Html:
    measured = numbers.bytes_(item.peak_memory_bytes)
    predicted = f"predicted {numbers.bytes_(item.predicted_memory_bytes)}"
    return tag(
        "div",
        measured,
        tag("div", predicted, class_="interval") if item.predicted_memory_bytes else None,
        title=f"Measured as {item.peak_memory_method}" if item.peak_memory_method else None,
    )


def _warnings(candidates: Sequence[CandidateSummary]) -> Content:
    remarks: list[Html] = []
    for item in candidates:
        if item.validity_warning:
            remarks.append(
                render.notice("warning", tag("b", one_line(item.candidate.name)), f": {item.validity_warning}")
            )
        remarks += [
            render.notice("failure", tag("b", one_line(item.candidate.name)), f": {failure.message} {failure.hint}")
            for failure in item.failures[-1:]
        ]
    return remarks


def _under_load(candidates: Sequence[CandidateSummary]) -> Content:
    """Every level of load sweeps and arrivals; nothing where there were none."""
    levels = [
        (item.candidate.name, f"{level.measured.level:g} {unit}", level)
        for item in candidates
        for unit, found in (("at once", item.sweep.levels if item.sweep else ()), ("per second", item.arrivals))
        for level in found
    ]
    if not levels:
        return None
    columns = (
        Column("Candidate"),
        Column("Load", hint="Requests kept under way at once, or arriving per second on average"),
        Column("Output", numeric=True, hint="Output tokens ÷ wall time of the measured window"),
        Column("TTFT p50", numeric=True, hint="Request handed over to first text"),
        Column("TTFT p95", numeric=True),
        Column("TPOT p50", numeric=True, hint="Time per output token after the first"),
        Column("Waited p95", numeric=True, hint="Ready, or arrived, to handed over"),
        Column("Failed", numeric=True, hint="Requests without an answer; in no other figure"),
    )
    rows = [
        Row(
            [
                Cell(one_line(name), name),
                Cell(load, level.measured.level),
                Cell(numbers.rate(level.measured.output_tokens_per_second), level.measured.output_tokens_per_second),
                _estimate(level.ttft.p50, "seconds"),
                _estimate(level.ttft.p95, "seconds"),
                _estimate(level.tpot.p50, "seconds"),
                _estimate(level.queue.p95, "seconds"),
                Cell(numbers.count(level.measured.failed), level.measured.failed),
            ]
        )
        for name, load, level in levels
    ]
    knees = [
        tag("p", f"{one_line(item.candidate.name)}: {item.sweep.ended_because}", class_="quiet")
        for item in candidates
        if item.sweep is not None
    ]
    return tag("div", render.heading("Under load"), render.table("Under load", columns, rows), knees, class_="card")


def _pairs(pairs: Sequence[Comparison]) -> Html:
    if not pairs:
        return tag("p", "Two candidates with common examples are needed.", class_="quiet")
    columns = (
        Column("Conclusion"),
        Column("Difference", numeric=True, hint="Quality of the first minus the second, paired, 95 %"),
        Column("Only first right", numeric=True),
        Column("Only second right", numeric=True),
        Column("Adjusted p", numeric=True, hint="Of the paired test, Holm's correction over all pairs"),
        Column("Could show", numeric=True, hint="Smallest difference that this many examples show with 80 % power"),
    )
    rows = [
        Row(
            [
                Cell(pair.conclusion, pair.p_adjusted),
                Cell(signed_difference(pair.difference, pair.unit), pair.difference.value),
                Cell(numbers.count(pair.only_first_right), pair.only_first_right),
                Cell(numbers.count(pair.only_second_right), pair.only_second_right),
                Cell(numbers.p_value(pair.p_adjusted), pair.p_adjusted),
                Cell(_could_show(pair), pair.smallest_detectable_difference),
            ]
        )
        for pair in pairs
    ]
    return render.table("Conclusions by pair", columns, rows)


def _could_show(pair: Comparison) -> str:
    show = numbers.points if pair.unit == "share" else numbers.score
    return show(pair.smallest_detectable_difference)


def _labels(item: CandidateSummary) -> Html:
    columns = (
        Column("Label"),
        Column("Examples", numeric=True),
        Column("Precision", numeric=True, hint="Right among those answered with this label"),
        Column("Recall", numeric=True, hint="Found among those with this label"),
        Column("F1", numeric=True),
    )
    rows = [
        Row(
            [
                Cell(label.label, label.label),
                Cell(numbers.count(label.support), label.support),
                Cell(numbers.percent(label.precision), label.precision),
                Cell(numbers.percent(label.recall), label.recall),
                Cell(numbers.percent(label.f1), label.f1),
            ]
        )
        for label in item.labels
    ]
    return render.table("Quality by label", columns, rows)


def _validity(item: CandidateSummary) -> Html:
    counts = ", ".join(f"{count.count:,} {count.validity}" for count in item.validity if count.count)
    return tag("p", f"What happened to the examples: {counts}.", class_="quiet")


def _slices(item: CandidateSummary) -> Html:
    title = item.quality.title if item.quality is not None else "Quality"
    columns = (Column("Slice"), Column("Value"), Column("Examples", numeric=True), Column(title, numeric=True))
    rows = [
        Row(
            [
                Cell(found.column, found.column),
                Cell(found.value, found.value),
                Cell(numbers.count(found.quality.estimate.n), found.quality.estimate.n),
                Cell(shown_estimate(found.quality), found.quality.estimate.value),
            ]
        )
        for found in item.slices
        if found.quality is not None
    ]
    return render.table("Quality by slice", columns, rows)
