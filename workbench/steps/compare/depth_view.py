"""Charts, and one candidate in depth: confusion, labels, slices, calibration, robustness, early stopping, grades."""

from collections.abc import Sequence
from functools import lru_cache

from results import numbers
from results.conclusions import stopped_early
from results.judge_records import JudgeReport
from results.metric_words import shown_estimate
from results.records import BenchmarkComparison, Calibration, CandidateSummary, Robustness
from results.robustness import change_text
from workbench import charts, charts_in_depth
from workbench.chart_parts import Chart, DataTable
from workbench.report.text import one_line
from workbench.steps import render
from workbench.steps.render import Cell, Column, Html, Row, tag


def charts_of(comparison: BenchmarkComparison) -> tuple[Chart, ...]:
    """Charts that have data."""
    made = (
        charts.quality_latency_chart(comparison),
        charts.quality_chart(comparison),
        charts.latency_chart(comparison),
        charts.memory_chart(comparison),
        charts.sweep_chart(comparison),
        *charts_in_depth.ladder_charts(comparison),
        charts.slices_chart(comparison),
    )
    return tuple(chart for chart in made if chart is not None)


def charts_panel(comparison: BenchmarkComparison) -> Html:
    """The charts, each with its finding as a title."""
    return tag("div", [chart_card(chart) for chart in charts_of(comparison)], class_="columns", id="compare-charts-all")


def chart_card(chart: Chart) -> Html:
    """One chart; its colours follow the page, and its numbers stand under it as a table."""
    return tag(
        "figure",
        tag("figcaption", chart.title),
        Html(_svg(chart.model_dump_json())),
        tag("details", tag("summary", "The numbers as a table"), _data(chart.title, chart.table)),
        class_="card chart",
    )


def _data(title: str, table: DataTable) -> Html:
    columns = [Column(heading) for heading in table.columns]
    return render.table(
        f"Numbers of: {title}", columns, [Row([Cell(cell, cell) for cell in row]) for row in table.rows]
    )


@lru_cache(maxsize=64)
def _svg(chart_json: str) -> str:
    """Drawing takes a tenth of a second and depends on nothing but the chart."""
    return charts.to_svg(Chart.model_validate_json(chart_json), "page", titled=False)


def details(comparison: BenchmarkComparison, candidate: str | None, judgings: Sequence[JudgeReport] = ()) -> Html:
    """Everything of one candidate; of the first where none of that name is there."""
    candidates = comparison.candidates
    chosen = next((item for item in candidates if item.candidate.name == candidate), candidates[0])
    stopped = None
    if chosen.stopped is not None:
        stopped = render.notice("info", stopped_early(one_line(chosen.candidate.name), chosen.stopped))
    if chosen.quality is None:
        return tag(
            "div",
            stopped,
            render.empty("Not scored", f"{one_line(chosen.candidate.name)} has no scored example."),
            class_="card",
        )
    confusion = charts.confusion_chart(chosen, comparison.benchmark.labels)
    reliability = charts_in_depth.reliability_chart(chosen)
    graded = _grades(chosen.candidate.name, judgings)
    return tag(
        "div",
        tag("div", stopped, class_="card") if stopped is not None else None,
        chart_card(confusion) if confusion is not None else None,
        tag(
            "div",
            render.heading("By label" if chosen.labels else "What happened"),
            _labels(chosen) if chosen.labels else None,
            _validity(chosen),
            class_="card",
        ),
        _card("By slice", _slices(chosen) if chosen.slices else None),
        chart_card(reliability) if reliability is not None else None,
        _card("Calibration", _calibration(chosen.calibration) if chosen.calibration is not None else None),
        _card("Robustness", _robustness(chosen.robustness) if chosen.robustness is not None else None),
        _card("Judged by a model", render.join(graded) if graded else None),
        class_="columns",
    )


def _card(title: str, content: Html | None) -> Html | None:
    return None if content is None else tag("div", render.heading(title), content, class_="card")


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


def _calibration(found: Calibration) -> Html:
    over = found.ece_10.value > found.ece_by_chance
    says = "More than chance makes of it: do not take the probabilities at their word."
    return render.join(
        render.facts(
            [
                ("Calibration error", f"{numbers.estimate(found.ece_10, 'percent')} over 10 bins"),
                ("By chance", f"up to {numbers.percent(found.ece_by_chance)} in 19 of 20 test sets like this"),
                ("Mean probability", f"{numbers.percent(found.confidence)} over {numbers.things(found.n, 'answer')}"),
                ("Brier score", f"{numbers.estimate(found.brier, 'score')}; 0 is best"),
            ]
        ),
        tag("p", says if over else "No more than chance makes of it: no miscalibration is shown.", class_="quiet"),
    )


def _robustness(found: Robustness) -> Html:
    columns = (
        Column("Asked otherwise"),
        Column("Examples", numeric=True),
        Column(
            found.metric, numeric=True, hint="With the change; below it the difference to the same examples as they are"
        ),
        Column("Same answer", numeric=True),
        Column("Broken", numeric=True, hint="Right as they are, wrong with the change"),
        Column("Mended", numeric=True),
    )
    unit: numbers.Unit = "percent" if found.unit == "share" else "score"
    rows = [
        Row(
            [
                Cell(tag("span", each.perturbation, title=each.conclusion), each.perturbation),
                Cell(numbers.count(each.n), each.n),
                Cell(
                    tag(
                        "div",
                        numbers.estimate(each.perturbed, unit),
                        tag("div", change_text(each.difference, found.unit), class_="interval"),
                    ),
                    each.perturbed.value,
                ),
                Cell(numbers.estimate(each.same_answer, "percent"), each.same_answer.value),
                Cell(numbers.count(each.broken), each.broken),
                Cell(numbers.count(each.mended), each.mended),
            ]
        )
        for each in found.results
    ]
    again = None
    if found.repeats is not None:
        repeats = found.repeats
        again = tag(
            "p",
            f"Asked {repeats.repeats} times at temperature {repeats.temperature:g}: "
            f"{numbers.estimate(repeats.identical, 'percent')} of {numbers.things(repeats.n, 'example')} were always "
            "answered the same.",
            class_="quiet",
        )
    told = render.bullets([each.conclusion for each in found.results if (each.p_adjusted or 1) < 0.05])
    return render.join(render.table("Robustness", columns, rows) if rows else None, told if rows else None, again)


def _grades(name: str, judgings: Sequence[JudgeReport]) -> list[Html]:
    found = []
    for report in judgings:
        facts = [
            (
                "Agreement with " + each.held_against,
                f"{numbers.estimate(each.same, 'percent')} the same, kappa {numbers.estimate(each.kappa, 'score')}",
            )
            for each in report.agreements
        ]
        facts += [
            (
                "Mean grade",
                f"{numbers.estimate(each.grade, 'score')} of 1, "
                f"{numbers.things(each.graded, 'answer')} graded, {numbers.count(each.ungraded)} not",
            )
            for each in report.candidates
            if each.name == name
        ]
        facts += [
            (
                f"Against {pair.second if pair.first == name else pair.first}",
                f"{pair.wins if pair.first == name else pair.losses} won, {pair.ties} tied, "
                f"{pair.losses if pair.first == name else pair.wins} lost",
            )
            for pair in report.pairs
            if name in {pair.first, pair.second}
        ]
        warning = render.notice("warning", report.warning) if report.warning else None
        found.append(tag("div", tag("h3", f"{one_line(report.judge)} ({report.mode})"), warning, render.facts(facts)))
    return found
