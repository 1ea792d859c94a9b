"""Shows a job in the terminal until it is over: a live bar, or plain lines where the output is no terminal."""

import time

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from results import numbers
from results.records import Estimate
from workbench.job_words import job_amount
from workbench.jobs import Job
from workbench.records import CandidateProgress, JobStatus

_LOOK_SECONDS = 0.25
_LINE_SECONDS = 10.0


def follow(job: Job, console: Console) -> JobStatus:
    """Wait for the job; Ctrl-C cancels it, keeping what is finished. Returns its last status."""
    try:
        if console.is_terminal:
            _live(job, console)
        else:
            _lines(job, console)
    except KeyboardInterrupt:
        console.print("Stopping; what is finished is kept …")
        job.cancel()
        job.wait()
    return job.status()


def _live(job: Job, console: Console) -> None:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[amount]}"),
        TextColumn("{task.fields[detail]}"),
    )
    with Progress(*columns, console=console) as progress:
        tasks: dict[str, TaskID] = {}
        total = progress.add_task("[bold]All[/]", total=0, amount="", detail="")
        while True:
            over = job.wait(_LOOK_SECONDS)
            status = job.status()
            for candidate in status.candidates:
                if candidate.name not in tasks:
                    tasks[candidate.name] = progress.add_task(escape(candidate.name), total=0, amount="", detail="")
                progress.update(
                    tasks[candidate.name],
                    completed=candidate.done,
                    total=candidate.total,
                    amount=f"{candidate.done}/{candidate.total}",
                    detail=f"{escape(candidate.stage[:60])}  {_quality(candidate.accuracy)}",
                )
            progress.update(
                total,
                completed=status.done,
                total=status.total or None,
                amount=job_amount(status),
                detail=_left(status),
            )
            if over:
                return


def _lines(job: Job, console: Console) -> None:
    shown: dict[str, str] = {}
    last = time.perf_counter()
    while True:
        over = job.wait(_LOOK_SECONDS)
        status = job.status()
        for candidate in status.candidates:
            if shown.get(candidate.name) != candidate.state:
                shown[candidate.name] = candidate.state
                if candidate.state != "waiting":
                    quality = f" {_quality(candidate.accuracy)}" if candidate.state in {"finished", "stopped"} else ""
                    text = f"{candidate.name}: {candidate.state}{quality}"
                    reason = f" ({_reason(candidate)})" if candidate.state in {"failed", "stopped"} else ""
                    console.print(escape(text + reason), highlight=False, soft_wrap=True)
        if over:
            return
        if time.perf_counter() - last >= _LINE_SECONDS:
            last = time.perf_counter()
            what = " requests of the candidates" if status.unit == "requests" else ""
            text = f"  {job_amount(status)}{what} so far; {_left(status)}"
            console.print(escape(text), highlight=False, soft_wrap=True)


def _reason(candidate: CandidateProgress) -> str:
    return candidate.failures[-1].message if candidate.failures else candidate.stage


def _left(status: JobStatus) -> str:
    if status.remaining_seconds is None:
        return status.message or "starting"
    return f"{numbers.seconds(max(1.0, status.remaining_seconds))} left"


def _quality(accuracy: Estimate | None) -> str:
    return numbers.estimate(accuracy, "percent") if accuracy is not None else ""
