"""What the step Run shows while something is measured: the job, the queue, each candidate, its memory, its failures.

Drawn every second from memory alone. What has buttons or can be unfolded stands apart from what ticks, because what is
drawn anew loses the keyboard's place.
"""

from collections.abc import Sequence

from results import numbers
from workbench import sentences
from workbench.records import CandidateProgress, JobStatus
from workbench.steps import render
from workbench.steps.render import Cell, Column, Content, Html, Row, tag
from workbench.steps.run.failure_view import failure_group
from workbench.steps.run.view import state_badge

_COLUMNS = (
    Column("Candidate"),
    Column("State"),
    Column("Progress"),
    Column("Requests", numeric=True),
    Column(
        "Quality so far",
        numeric=True,
        hint="What the first scorer gave on average; where it says right or wrong with the Wilson 95 % interval",
    ),
    Column("Speed", numeric=True, hint="Median decode rate so far; where nothing is written, requests per second"),
    Column("Memory", numeric=True, hint="Of the whole process tree: now, and highest against what was predicted"),
)
_WIDTH, _HEIGHT = 110, 26


def head(job: JobStatus | None, waiting: Sequence[JobStatus]) -> Html:
    """Title, state and buttons of the job that is watched, and the queue behind it; changes when a state does."""
    if job is None:
        return tag("div", render.empty(sentences.NOTHING_RUNS_TITLE, sentences.NOTHING_RUNS_TEXT), class_="card")
    queue = [other for other in waiting if other.id != job.id]
    return tag(
        "div",
        tag(
            "div",
            tag("h2", job.title),
            state_badge(job.state),
            tag("span", class_="spacer"),
            _buttons(job),
            class_="panel-head",
        ),
        render.notice("failure", tag("pre", job.message)) if job.state == "failed" else None,
        _queue(queue) if queue else None,
        class_="card",
    )


def ticking(job: JobStatus | None) -> Html:
    """Progress in figures: what changes every second."""
    if job is None:
        return render.NOTHING
    table = render.table("Progress by candidate", _COLUMNS, [_row(item) for item in job.candidates], sortable=False)
    doing = job.message if job.message and not job.is_over else None
    return tag(
        "div",
        tag(
            "div",
            render.progress(job.done, job.total, f"Progress of {job.title}"),
            tag("span", _amount(job)),
            class_="overall",
        ),
        tag("p", doing, class_="quiet", role="status") if doing else None,
        table if job.candidates else None,
        class_="card",
    )


def failures(job: JobStatus | None) -> Html:
    """What went wrong, candidate by candidate; changes when something does."""
    if job is None:
        return render.NOTHING
    found = [failure_group(item.name, item.failures) for item in job.candidates if item.failures]
    return tag("div", found, class_="card") if found else render.NOTHING


def memory_line(item: CandidateProgress) -> Html:
    """Memory over time with the prediction as a dashed line; its figures stand beside it."""
    line, predicted = item.memory_line, item.predicted_memory_bytes
    if len(line) < 2:
        return render.NOTHING
    most = max(*(amount for _, amount in line), predicted or 0) or 1
    begin, end = line[0][0], max(line[-1][0], line[0][0] + 1e-9)
    points = " ".join(
        f"{(at - begin) / (end - begin) * _WIDTH:.1f},{_HEIGHT - amount / most * (_HEIGHT - 2) - 1:.1f}"
        for at, amount in line
    )
    level = None
    if predicted:
        height = f"{_HEIGHT - predicted / most * (_HEIGHT - 2) - 1:.1f}"
        level = tag("line", x1=0, x2=_WIDTH, y1=height, y2=height, class_="level")
    words = f"Memory of {item.name} over {numbers.seconds(end - begin)}: {_memory_words(item)}"
    attributes = {"viewBox": f"0 0 {_WIDTH} {_HEIGHT}", "preserveAspectRatio": "none"}
    return tag(
        "svg",
        level,
        tag("polyline", points=points),
        role="img",
        aria_label=words,
        class_="memory-line",
        **attributes,
    )


def _buttons(job: JobStatus) -> Content:
    if not job.is_over:
        return render.action("Cancel run", "cancel", job.id, class_="button is-danger")
    name = job.benchmark or ""
    resume = render.action("Resume", "resume", name, class_="button") if job.state != "finished" else None
    return render.join(resume, render.view_link("Compare", "compare", class_="button is-primary", benchmark=name))


def _queue(waiting: Sequence[JobStatus]) -> Html:
    """What comes next, in its order."""
    rows = [
        tag(
            "li",
            tag("span", f"{place}. {job.title}"),
            tag(
                "span",
                render.action("Sooner", "sooner", job.id, class_="chip", title=f"Run {job.title} sooner")
                if place > 1
                else None,
                render.action("Cancel", "cancel", job.id, class_="chip", title=f"Cancel {job.title}"),
            ),
        )
        for place, job in enumerate(waiting, 1)
    ]
    return render.join(tag("h3", "Waiting"), tag("ol", rows, class_="chosen", aria_label="Waiting benchmarks"))


def _amount(job: JobStatus) -> str:
    if job.is_over:
        return f"{job.done:,} of {job.total:,} requests, took {numbers.seconds(job.elapsed_seconds)}"
    if not job.total:
        return "preparing"
    left = f", {numbers.seconds(job.remaining_seconds)} left" if job.remaining_seconds is not None else ""
    return f"{job.done:,} of {job.total:,} requests, {numbers.seconds(job.elapsed_seconds)} so far{left}"


def _row(item: CandidateProgress) -> Row:
    return Row(
        [
            Cell(tag("b", item.name)),
            Cell(state_badge(item.state)),
            Cell(
                tag(
                    "span",
                    render.progress(item.done, item.total, f"Progress of {item.name}"),
                    tag("span", _stage(item), class_="quiet clipped", title=item.stage),
                    class_="with-bar",
                )
            ),
            Cell(f"{item.done:,} / {item.total:,}" if item.total else numbers.UNKNOWN),
            Cell(numbers.estimate(item.accuracy, "percent")),
            Cell(_speed(item)),
            Cell(tag("span", memory_line(item), tag("span", _memory_words(item)), class_="memory")),
        ]
    )


def _stage(item: CandidateProgress) -> str:
    if item.state == "running" and item.remaining_seconds is not None:
        return f"{item.stage}, {numbers.seconds(item.remaining_seconds)} left"
    return item.stage


def _speed(item: CandidateProgress) -> str:
    if item.tokens_per_second is not None:
        return numbers.rate(item.tokens_per_second)
    return numbers.rate(item.requests_per_second, "requests/s")


def _memory_words(item: CandidateProgress) -> str:
    now = f"{numbers.bytes_(item.memory_bytes)} now, " if item.state == "running" and item.memory_bytes else ""
    if not item.peak_memory_bytes:
        known = item.predicted_memory_bytes
        return f"{numbers.bytes_(known)} predicted" if known else numbers.UNKNOWN
    against = f" of {numbers.bytes_(item.predicted_memory_bytes)} predicted" if item.predicted_memory_bytes else ""
    return f"{now}peak {numbers.bytes_(item.peak_memory_bytes)}{against}"
