"""What the decision rests on: charts, pairs, labels, slices and the validity ledger."""

from collections.abc import Iterable, Sequence

from results import numbers
from results.conclusions import stopped_early
from results.metric_words import metric_named, metric_titles, quality_of, quality_title, unit_of
from results.records import CandidateSummary, Comparison, Estimate
from runners.records import Validity
from workbench import charts
from workbench.report.document import (
    NOT_MEASURED,
    Block,
    Cell,
    Column,
    Figure,
    Paragraph,
    Section,
    Table,
    estimate_cell,
)
from workbench.report.records import ReportContent


def charts_section(content: ReportContent) -> Section:
    """Every chart that has data."""
    comparison = content.comparison
    drawn = [
        charts.quality_chart(comparison),
        charts.quality_latency_chart(comparison, content.recommendation),
        charts.latency_chart(comparison),
        charts.memory_chart(comparison),
        charts.slices_chart(comparison),
        *(charts.confusion_chart(summary, comparison.benchmark.labels) for summary in comparison.candidates),
    ]
    blocks: list[Block] = [Figure(chart=chart) for chart in drawn if chart]
    return Section(
        anchor="charts",
        title="Charts",
        blocks=tuple(blocks) or (Paragraph(text="Nothing was measured that could be drawn."),),
    )


def pairs_section(content: ReportContent) -> Section:
    """Every pair of candidates on the examples that both were asked."""
    pairs = content.comparison.pairs
    stopped = tuple(
        Paragraph(text=stopped_early(summary.candidate.name, summary.stopped))
        for summary in content.comparison.candidates
        if summary.stopped is not None
    )
    if not pairs:
        blocks: tuple[Block, ...] = (Paragraph(text="No two candidates answered the same examples."), *stopped)
        return Section(anchor="pairs", title="Pair by pair", blocks=blocks)
    columns = (
        Column(heading="First against second"),
        Column(heading="n", numeric=True),
        Column(heading="Both right", numeric=True),
        Column(heading="Only first right", numeric=True, term="discordant"),
        Column(heading="Only second right", numeric=True, term="discordant"),
        Column(heading="Both wrong", numeric=True),
        Column(heading="Difference in accuracy", numeric=True, term="difference"),
        Column(heading="McNemar", numeric=True, term="mcnemar"),
        Column(heading="Holm-adjusted", numeric=True, term="holm"),
        Column(heading="Smallest detectable difference", numeric=True, term="detectable"),
        Column(heading="Conclusion"),
    )
    note = (
        "Each pair on the examples that both were asked. The difference is first minus second, with its 95 % interval."
    )
    table = Table(
        caption="Pairs of candidates", note=note, columns=columns, rows=tuple(_pair_row(pair) for pair in pairs)
    )
    return Section(anchor="pairs", title="Pair by pair", blocks=(table, *stopped))


def labels_section(content: ReportContent) -> Section:
    """Precision, recall and F1 of every label, candidates below each other."""
    summaries = [summary for summary in content.comparison.candidates if summary.labels]
    if not summaries:
        return Section(anchor="labels", title="Per label", blocks=(Paragraph(text="No label was scored."),))
    labels = dict.fromkeys(quality.label for summary in summaries for quality in summary.labels)
    rows = [
        (
            Cell(text=label),
            Cell(text=summary.candidate.name),
            Cell(text=_or_undefined(quality.precision)),
            Cell(text=_or_undefined(quality.recall)),
            Cell(text=_or_undefined(quality.f1)),
            Cell(text=numbers.count(quality.support)),
        )
        for label in labels
        for summary in summaries
        for quality in summary.labels
        if quality.label == label
    ]
    columns = (
        Column(heading="Label"),
        Column(heading="Candidate"),
        Column(heading="Precision", numeric=True, term="precision"),
        Column(heading="Recall", numeric=True, term="recall"),
        Column(heading="F1", numeric=True, term="f1"),
        Column(heading="Examples", numeric=True),
    )
    overall = Table(
        caption="Over all labels, with 95 % intervals",
        columns=(
            Column(heading="Candidate"),
            Column(heading="Accuracy", numeric=True, term="accuracy"),
            Column(heading="Balanced accuracy", numeric=True, term="balanced"),
            Column(heading="Macro F1", numeric=True, term="f1"),
        ),
        rows=tuple(_overall_row(summary) for summary in summaries),
    )
    table = Table(caption="Quality of every label", columns=columns, rows=tuple(rows))
    return Section(anchor="labels", title="Per label", blocks=(overall, table))


def metrics_section(content: ReportContent) -> Section | None:
    """Every metric of every candidate; None where there is none but the one that stands for quality."""
    comparison = content.comparison
    titles = metric_titles(comparison)
    if len(titles) < 2:
        return None
    rows = []
    for summary in comparison.candidates:
        found = [metric_named(summary, name) for name in titles]
        cells = (estimate_cell(metric.estimate if metric else None, unit_of(metric)) for metric in found)
        rows.append((Cell(text=summary.candidate.name), *cells))
    columns = (Column(heading="Candidate"), *(Column(heading=title, numeric=True) for title in titles.values()))
    note = "Of all scorers of the test set, with 95 % intervals; the first stands for quality."
    table = Table(caption="Every metric", note=note, columns=columns, rows=tuple(rows))
    return Section(anchor="metrics", title="Every metric", blocks=(table,))


def slices_section(content: ReportContent) -> Section:
    """Quality on every slice, candidates below each other."""
    summaries = [summary for summary in content.comparison.candidates if summary.slices]
    places = dict.fromkeys((q.column, q.value) for summary in summaries for q in summary.slices)
    rows = tuple(
        (
            Cell(text=f"{column} = {value}"),
            Cell(text=summary.candidate.name),
            estimate_cell(quality_of(quality), unit_of(quality.quality)),
            Cell(text=numbers.count(quality.quality.estimate.n if quality.quality is not None else None)),
        )
        for column, value in places
        for summary in summaries
        for quality in summary.slices
        if (quality.column, quality.value) == (column, value)
    )
    if not rows:
        text = "Nothing by slice: the test set has no slice columns, or nothing was scored."
        return Section(anchor="slices", title="Per slice", blocks=(Paragraph(text=text),))
    title = quality_title(content.comparison)
    columns = (
        Column(heading="Slice"),
        Column(heading="Candidate"),
        Column(heading=title, numeric=True, term="accuracy" if title == "Accuracy" else "quality"),
        Column(heading="Examples", numeric=True),
    )
    note = "With 95 % intervals: the fewer examples a slice has, the wider."
    return Section(
        anchor="slices",
        title="Per slice",
        blocks=(Table(caption=f"{title} by slice", note=note, columns=columns, rows=rows),),
    )


def ledger_section(content: ReportContent) -> Section:
    """What happened to every example, and what failed."""
    blocks: list[Block] = []
    columns = (Column(heading="Candidate"), *(Column(heading=v.value, numeric=True, term=v.value) for v in Validity))
    rows = tuple(_ledger_row(summary) for summary in content.comparison.candidates)
    note = "Only scored answers can be right. Above 2 % outside scored, the accuracy carries a warning."
    blocks.append(Table(caption="How many examples ended how", note=note, columns=columns, rows=rows))
    failures = tuple(
        (
            Cell(text=summary.candidate.name),
            Cell(text=f"{failure.stage}: {failure.kind.replace('_', ' ')}", detail=failure.example_id or ""),
            Cell(text=failure.message, detail=failure.hint),
        )
        for summary in content.comparison.candidates
        for failure in summary.failures
    )
    if failures:
        headings = ("Candidate", "Stage and kind", "What happened, and what to do")
        named = tuple(Column(heading=heading) for heading in headings)
        blocks.append(Table(caption="Failures", columns=named, rows=failures))
    return Section(anchor="ledger", title="What happened to every example", blocks=tuple(blocks))


def _pair_row(pair: Comparison) -> tuple[Cell, ...]:
    detectable = pair.smallest_detectable_difference
    counts = (pair.n, pair.both_right, pair.only_first_right, pair.only_second_right, pair.both_wrong)
    return (
        Cell(text=f"{pair.first} against {pair.second}"),
        *(Cell(text=numbers.count(value)) for value in counts),
        estimate_cell(pair.difference, "points"),
        Cell(text=numbers.p_value(pair.p_value)),
        Cell(text=numbers.p_value(pair.p_adjusted)),
        Cell(text="none" if detectable is None else numbers.points(detectable)),
        Cell(text=pair.conclusion),
    )


def _overall_row(summary: CandidateSummary) -> tuple[Cell, ...]:
    estimates: Sequence[Estimate | None] = (summary.accuracy, summary.balanced_accuracy, summary.macro_f1)
    return (Cell(text=summary.candidate.name), *(estimate_cell(estimate, "percent") for estimate in estimates))


def _ledger_row(summary: CandidateSummary) -> tuple[Cell, ...]:
    counts = {line.validity: line.count for line in summary.validity}
    cells: Iterable[Cell] = (Cell(text=numbers.count(counts.get(value, 0) if counts else None)) for value in Validity)
    detail = "" if summary.status == "finished" else f"run {summary.status}"
    if not counts:
        detail = f"{detail or 'run finished'}, {NOT_MEASURED}"
    return (Cell(text=summary.candidate.name, detail=detail), *cells)


def _or_undefined(value: float | None) -> str:
    return "undefined" if value is None else numbers.percent(value)
