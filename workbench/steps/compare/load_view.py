"""Every level of load sweeps and arrivals, and how the tables of this step show an estimate."""

from collections.abc import Sequence

from results import numbers
from results.records import CandidateSummary, Estimate
from workbench.report.text import one_line
from workbench.steps import render
from workbench.steps.render import Cell, Column, Content, Row, tag


def estimate_cell(value: Estimate | None, unit: numbers.Unit) -> Cell:
    """The value above its interval, so that ten columns fit."""
    text = numbers.estimate(value, unit)
    head, bracket, interval = text.partition(" (")
    lower = tag("div", interval.rstrip(")"), class_="interval", title="95 % interval") if bracket else None
    title = f"n = {value.n:,}, {value.method}" if value is not None else "not measured"
    return Cell(tag("div", head, lower, title=title), None if value is None else value.value)


def under_load(candidates: Sequence[CandidateSummary]) -> Content:
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
                estimate_cell(level.ttft.p50, "seconds"),
                estimate_cell(level.ttft.p95, "seconds"),
                estimate_cell(level.tpot.p50, "seconds"),
                estimate_cell(level.queue.p95, "seconds"),
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
