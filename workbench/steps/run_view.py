"""What the step Run shows: the running benchmark candidate by candidate, and what earlier runs left."""

from collections.abc import Sequence

from results import numbers
from results.records import Benchmark, RunInfo
from runners.records import Failure
from workbench import sentences
from workbench.records import CandidateProgress, JobStatus
from workbench.steps import render
from workbench.steps.render import Cell, Column, Content, Html, Row, tag

_STATES = {
    "waiting": ("unknown", "…"),
    "preparing": ("running", "▸"),
    "loading": ("running", "▸"),
    "running": ("running", "▸"),
    "finished": ("allowed", "✓"),
    "failed": ("forbidden", "✕"),
    "cancelled": ("conditional", "■"),
    "stopped": ("conditional", "■"),
    "incomplete": ("conditional", "■"),
    "queued": ("unknown", "…"),
}
_COLUMNS = (
    Column("Candidate"),
    Column("State"),
    Column("Progress"),
    Column("Requests", numeric=True),
    Column("Accuracy so far", numeric=True, hint="Share right of the examples judged so far, Wilson 95 % interval"),
    Column("Decoding", numeric=True, hint="Median over the latency requests so far"),
    Column("Memory now", numeric=True, hint="Of the whole process tree"),
    Column("Peak", numeric=True),
)


def test_set_line(words: tuple[str, str]) -> Html:
    """Which test set is measured."""
    name, why = words
    return tag("p", tag("span", "Test set: ", class_="quiet"), tag("b", name), tag("span", f" {why}", class_="quiet"))


def leaving(notes: Sequence[str], addresses: Sequence[str]) -> Html:
    """What leaves this machine, before it does; empty where no candidate is a server."""
    if not addresses:
        return render.NOTHING
    if not notes:
        servers = ", ".join(dict.fromkeys(addresses))
        return render.notice("info", f"No example leaves this machine: {servers} is on it.")
    allowed = "Allowed in the options of these candidates (allow_remote)."
    return render.notice("warning", *(tag("p", note) for note in notes), tag("p", allowed, class_="quiet"))


def live_panel(jobs: Sequence[JobStatus]) -> Html:
    """The newest benchmark job."""
    if not jobs:
        return tag("div", render.empty(sentences.NOTHING_RUNS_TITLE, sentences.NOTHING_RUNS_TEXT), class_="card")
    job = next((job for job in reversed(jobs) if job.state == "running"), jobs[0])
    waiting = [other for other in jobs if other.state == "queued" and other.id != job.id]
    queue = tag("p", f"Waiting: {', '.join(other.title for other in waiting)}.", class_="quiet") if waiting else None
    table = render.table("Progress by candidate", _COLUMNS, [_row(item) for item in job.candidates], sortable=False)
    return tag(
        "div",
        _head(job),
        tag("p", job.message, class_="quiet", role="status") if job.message and not job.is_over else None,
        table if job.candidates else None,
        [_failure(item.name, failure) for item in job.candidates for failure in item.failures[-2:]],
        render.notice("failure", tag("pre", job.message)) if job.state == "failed" else None,
        queue,
        class_="card",
    )


def stored_panel(benchmarks: Sequence[Benchmark], runs: Sequence[RunInfo], running: frozenset[str]) -> Html:
    """Every stored benchmark; those with unfinished runs can be resumed."""
    if not benchmarks:
        return render.NOTHING
    by_benchmark: dict[str, list[RunInfo]] = {}
    for run in runs:
        by_benchmark.setdefault(run.benchmark, []).append(run)
    rows = [_stored(item, by_benchmark.get(item.name, []), item.name in running) for item in benchmarks]
    columns = (
        Column("Benchmark"),
        Column("Test set"),
        Column("Examples", numeric=True),
        Column("Candidates"),
        Column("Begun"),
        Column(""),
    )
    return tag(
        "div", render.heading("Stored benchmarks"), render.table("Stored benchmarks", columns, rows), class_="card"
    )


def state_badge(state: str) -> Html:
    """State of a run or a job."""
    kind, sign = _STATES[state]
    return render.badge(kind, sign, state)


def _head(job: JobStatus) -> Html:
    left = f", {numbers.seconds(job.remaining_seconds)} left" if job.remaining_seconds is not None else ""
    time = f"{numbers.seconds(job.elapsed_seconds)} so far{left}" if job.elapsed_seconds else ""
    if job.is_over:
        time = f"took {numbers.seconds(job.elapsed_seconds)}"
    return render.join(
        tag(
            "div",
            tag("h2", job.title),
            state_badge(job.state),
            tag("span", time, class_="note"),
            tag("span", class_="spacer"),
            _buttons(job),
            class_="panel-head",
        ),
        tag(
            "div",
            render.progress(job.done, job.total, f"Progress of {job.title}"),
            tag("span", f"{job.done:,} of {job.total:,} requests" if job.total else "preparing"),
            class_="overall",
        ),
    )


def _buttons(job: JobStatus) -> Content:
    if not job.is_over:
        return render.action("Cancel run", "cancel", job.id, class_="button is-danger")
    name = job.benchmark or ""
    resume = render.action("Resume", "resume", name, class_="button") if job.state != "finished" else None
    return render.join(resume, render.action("Compare", "compare", name, class_="button is-primary"))


def _row(item: CandidateProgress) -> Row:
    return Row(
        [
            Cell(tag("b", item.name)),
            Cell(state_badge(item.state)),
            Cell(
                tag(
                    "span",
                    render.progress(item.done, item.total, f"Progress of {item.name}"),
                    tag("span", item.stage, class_="quiet clipped", title=item.stage),
                    class_="with-bar",
                )
            ),
            Cell(f"{item.done:,} / {item.total:,}" if item.total else numbers.UNKNOWN),
            Cell(numbers.estimate(item.accuracy, "percent")),
            Cell(numbers.rate(item.tokens_per_second)),
            Cell(numbers.bytes_(item.memory_bytes) if item.state == "running" else numbers.UNKNOWN),
            Cell(numbers.bytes_(item.peak_memory_bytes)),
        ]
    )


def _failure(name: str, failure: Failure) -> Html:
    log = (
        tag("pre", failure.log_tail, class_="log", tabindex=0, aria_label=f"Log of {name}")
        if failure.log_tail
        else None
    )
    where = tag("p", f"Log: {failure.log_path}", class_="quiet") if failure.log_path else None
    return render.notice(
        "failure",
        tag("p", tag("b", name), f", while {_STAGES[failure.stage]}: {failure.message}"),
        tag("p", failure.hint),
        log,
        where,
    )


_STAGES = {
    "prepare": "preparing",
    "start": "starting",
    "load": "loading",
    "request": "answering",
    "score": "scoring",
    "store": "storing",
}


def _stored(benchmark: Benchmark, runs: Sequence[RunInfo], is_running: bool) -> Row:
    states = [
        tag(
            "span",
            state_badge(run.status),
            f" {run.candidate}",
            class_="run-state",
            title=numbers.things(run.failures, "failure"),
        )
        for run in runs
    ]
    unfinished = len(runs) < len(benchmark.candidates) or any(run.status != "finished" for run in runs)
    resume = render.action("Resume", "resume", benchmark.name, class_="chip") if unfinished and not is_running else None
    return Row(
        [
            Cell(tag("b", benchmark.name), benchmark.name),
            Cell(benchmark.test_set_name, benchmark.test_set_name),
            Cell(numbers.count(benchmark.examples), benchmark.examples),
            Cell(tag("div", states, class_="run-states") if states else "no run stored yet"),
            Cell(benchmark.created_at.replace("T", " ")[:16], benchmark.created_at),
            Cell(
                tag(
                    "div",
                    resume,
                    render.action("Compare", "compare", benchmark.name, class_="chip"),
                    class_="row-actions",
                )
            ),
        ]
    )
