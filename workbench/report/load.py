"""Latency and load in detail, where measured: percentiles, throughput at every level, arrivals, loads, energy."""

from collections.abc import Iterable

from results import numbers
from results.records import CandidateSummary, Estimate, LevelSummary, Percentiles
from workbench import charts
from workbench.report.document import (
    Block,
    Cell,
    Column,
    Figure,
    Item,
    Items,
    Paragraph,
    Section,
    Table,
    estimate_cell,
    number_cell,
)
from workbench.report.records import ReportContent

_LEVEL_NAMES = {"load_sweep": "at once", "arrivals": "per second"}


def load_section(content: ReportContent) -> Section:
    """What the side-by-side table has no room for."""
    comparison = content.comparison
    tables = (
        _percentile_table(comparison.candidates),
        _throughput_table(comparison.candidates),
        _level_table(comparison.candidates),
        _loads_table(comparison.candidates),
    )
    chart = charts.sweep_chart(comparison)
    blocks: list[Block] = [Figure(chart=chart)] if chart is not None else []
    knees = [
        Item(text=f"{summary.candidate.name}: {_knee(summary.sweep.knee)}. {summary.sweep.ended_because}")
        for summary in comparison.candidates
        if summary.sweep is not None
    ]
    blocks += [Items(items=tuple(knees))] if knees else []
    blocks += [table for table in tables if table.rows]
    if not blocks:
        blocks = [Paragraph(text="No request was timed.")]
    return Section(anchor="load", title="Latency and load in detail", blocks=tuple(blocks))


def _knee(knee: float | None) -> str:
    return "no knee was found" if knee is None else f"the knee is at {numbers.things(round(knee), 'request')} at once"


def _levels(summary: CandidateSummary) -> Iterable[tuple[str, LevelSummary]]:
    """Every level with a name for people."""
    if summary.latency is not None:
        yield "one at a time", summary.latency
    for level in (*(summary.sweep.levels if summary.sweep else ()), *summary.arrivals):
        yield f"{level.measured.level:g} {_LEVEL_NAMES[level.measured.workload]}", level


def _percentile_table(candidates: Iterable[CandidateSummary]) -> Table:
    rows = [
        (Cell(text=summary.candidate.name), Cell(text=name), *_percentile_cells(percentiles))
        for summary in candidates
        if summary.latency is not None
        for name, percentiles in _measures(summary.latency)
    ]
    headings = (Column(heading="Candidate"), Column(heading="Measure", term="itl"))
    named = tuple(Column(heading=name, numeric=True, term="percentile") for name in ("p50", "p90", "p95", "p99"))
    return Table(
        caption="Percentiles, one request at a time",
        note="TTFA stands here only where it differs from TTFT. ITL pools the gaps of all requests.",
        columns=(*headings, *named),
        rows=tuple(rows),
    )


def _measures(level: LevelSummary) -> Iterable[tuple[str, Percentiles]]:
    yield "TTFT", level.ttft
    if level.ttfa != level.ttft:
        yield "TTFA", level.ttfa
    yield "TPOT", level.tpot
    yield "ITL", level.itl
    yield "E2E", level.e2e
    yield "Queue time", level.queue


def _percentile_cells(percentiles: Percentiles) -> tuple[Cell, ...]:
    known = (percentiles.p50, percentiles.p90, percentiles.p95, percentiles.p99)
    return tuple(
        estimate_cell(value, "seconds") if value else number_cell(numbers.UNKNOWN, unknown="too few") for value in known
    )


def _throughput_table(candidates: Iterable[CandidateSummary]) -> Table:
    rows = tuple(
        (Cell(text=summary.candidate.name), Cell(text=name), *_throughput_cells(level))
        for summary in candidates
        for name, level in _levels(summary)
    )
    columns = (
        Column(heading="Candidate"),
        Column(heading="Load", term="knee"),
        Column(heading="Answered", numeric=True),
        Column(heading="Failed", numeric=True, term="failed"),
        Column(heading="Output, tokens/s", numeric=True, term="output"),
        Column(heading="Prompt, tokens/s", numeric=True, term="output"),
        Column(heading="Characters/s", numeric=True, term="output"),
        Column(heading="Tokens in → out", numeric=True, term="tokens"),
        Column(heading="Prompt cached", numeric=True, term="cache"),
        Column(heading="Energy per output token", numeric=True, term="energy"),
    )
    return Table(caption="Throughput over the measured window", columns=columns, rows=rows)


def _throughput_cells(level: LevelSummary) -> tuple[Cell, ...]:
    measured = level.measured
    tokens = f"{numbers.count(level.prompt_tokens_median)} → {numbers.count(level.output_tokens_median)}"
    return (
        Cell(text=numbers.count(measured.requests)),
        Cell(text=numbers.count(measured.failed)),
        *(
            number_cell(numbers.rate(value, "").strip())
            for value in (
                measured.output_tokens_per_second,
                measured.prompt_tokens_per_second,
                measured.characters_per_second,
            )
        ),
        Cell(text=tokens),
        number_cell(numbers.percent(level.cached_share)),
        number_cell(numbers.joules(level.joules_per_output_token)),
    )


def _level_table(candidates: Iterable[CandidateSummary]) -> Table:
    rows = tuple(
        (
            Cell(text=summary.candidate.name),
            Cell(text=name),
            *(
                estimate_cell(value, "seconds") if value else number_cell(numbers.UNKNOWN, unknown=unknown)
                for value, unknown in _level_values(level)
            ),
        )
        for summary in candidates
        for name, level in _levels(summary)
        if level.measured.level is not None
    )
    columns = (
        Column(heading="Candidate"),
        Column(heading="Load", term="knee"),
        Column(heading="TTFT p50", numeric=True, term="ttft"),
        Column(heading="TTFT p95", numeric=True, term="ttft"),
        Column(heading="TPOT p50", numeric=True, term="tpot"),
        Column(heading="TPOT p95", numeric=True, term="tpot"),
        Column(heading="Queue p95", numeric=True, term="queue"),
        Column(heading="Arrival to first text p95", numeric=True, term="arrivals"),
        Column(heading="Arrival to end p95", numeric=True, term="arrivals"),
    )
    note = "TTFT counts from handing over. In an open loop the wait before it counts too: that is from arrival."
    return Table(caption="Latency under load", note=note, columns=columns, rows=rows)


def _level_values(level: LevelSummary) -> Iterable[tuple[Estimate | None, str]]:
    yield level.ttft.p50, "too few"
    yield level.ttft.p95, "too few"
    yield level.tpot.p50, "too few"
    yield level.tpot.p95, "too few"
    yield level.queue.p95, "too few"
    closed = "closed loop" if level.measured.workload == "load_sweep" else "too few"
    yield level.arrival_ttft.p95, closed
    yield level.arrival_e2e.p95, closed


def _loads_table(candidates: Iterable[CandidateSummary]) -> Table:
    rows = tuple(
        (
            Cell(text=summary.candidate.name),
            number_cell(numbers.seconds(summary.load_seconds)),
            number_cell(numbers.percent(summary.load_cached_share), unknown="not known"),
            number_cell(numbers.seconds(summary.cold_load_seconds)),
            number_cell(numbers.seconds(summary.warm_load_seconds)),
            number_cell(numbers.seconds(summary.first_request_ttft_seconds)),
        )
        for summary in candidates
        if summary.load_seconds is not None
    )
    columns = (
        Column(heading="Candidate"),
        Column(heading="First load", numeric=True, term="load"),
        Column(heading="Weights in memory before", numeric=True, term="cold"),
        Column(heading="Cold", numeric=True, term="cold"),
        Column(heading="Warm", numeric=True, term="cold"),
        Column(heading="First request, TTFT", numeric=True, term="cold"),
    )
    return Table(caption="Loading", columns=columns, rows=rows)
