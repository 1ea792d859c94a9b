"""What lists of prompts look like: all of them in a table, and one with how far it is."""

from collections.abc import Mapping, Sequence

from results import numbers
from results.head_to_head_records import BatchSummary
from workbench import sentences
from workbench.records import JobStatus
from workbench.steps import render
from workbench.steps.render import Cell, Column, Html, Row, tag


def batches_table(summaries: Sequence[BatchSummary], jobs: Mapping[str, JobStatus | None]) -> Html:
    """Every list, newest first."""
    if not summaries:
        return tag("div", render.empty(sentences.NO_LISTS_TITLE, sentences.NO_LISTS_TEXT), class_="card")
    columns = (
        Column("List"),
        Column("Prompts", numeric=True),
        Column("Answered", numeric=True),
        Column("To judge", numeric=True, hint="Prompts with a pair that waits for a vote"),
        Column("Votes", numeric=True),
        Column("Begun"),
        Column(""),
    )
    rows = [_row(each, jobs.get(each.batch.id)) for each in summaries]
    return tag("div", render.heading("Lists"), render.table("Lists of prompts", columns, rows), class_="card")


def batch_panel(summary: BatchSummary, job: JobStatus | None, judged: tuple[int, int]) -> Html:
    """One list: answering, to be judged, or done."""
    batch, (done, total) = summary.batch, judged
    answered = summary.rounds - summary.answering
    busy = job is not None and not job.is_over
    words = f"{answered:,} of {numbers.things(summary.rounds, 'prompt')} answered"
    parts: list[Html] = [
        render.heading(batch.name, f"{len(batch.candidates)} candidates, {words}, {done:,} of {total:,} pairs judged")
    ]
    if busy and job is not None:
        count = f"{job.done:,} of {numbers.things(job.total, 'answer')} written"
        line = job.message if job.state == "queued" and job.message else count
        parts += [tag("p", line, class_="quiet", role="status"), render.progress(job.done, job.total, count)]
    elif job is not None and job.state == "failed":
        parts.append(render.notice("failure", job.message))
    if not busy and summary.answering == 0 and summary.unjudged == 0 and done:
        parts.append(render.notice("info", sentences.ALL_JUDGED))
    parts.append(tag("div", _actions(summary, busy=busy, done=done), class_="after"))
    return tag("div", parts, class_="card", data_batch=batch.id)


def _row(summary: BatchSummary, job: JobStatus | None) -> Row:
    batch = summary.batch
    answered = summary.rounds - summary.answering
    busy = job is not None and not job.is_over
    name = tag(
        "button",
        batch.name,
        type="button",
        class_="link",
        data_action="open",
        data_address="batch",
        data_value=batch.id,
    )
    return Row(
        [
            Cell(name, batch.name),
            Cell(numbers.count(summary.rounds), summary.rounds),
            Cell(numbers.count(answered), answered),
            Cell(numbers.count(summary.unjudged), summary.unjudged),
            Cell(numbers.count(summary.votes), summary.votes),
            Cell(batch.created_at[:16].replace("T", " "), batch.created_at),
            Cell(render.badge("running", "▸", "answers") if busy else tag("span", "")),
        ]
    )


def _actions(summary: BatchSummary, *, busy: bool, done: int) -> list[Html]:
    identity = summary.batch.id
    if busy:
        chips = [_button("Stop answering", "cancel", identity)]
    else:
        chips = [_button("Answer what is missing", "resume", identity)] if summary.answering else []
        chips.append(_button("Ask again what failed", "again", identity))
    if summary.unjudged:
        chips.insert(0, _button("Judge", "judge", identity, primary=True))
    if done:
        chips.append(_button("Show names", "reveal", identity))
    return chips


def _button(label: str, name: str, value: str, *, primary: bool = False) -> Html:
    return render.action(label, name, value, class_="button is-primary" if primary else "button")
