"""Says how far a job is, for the terminal and the app alike."""

from results import numbers
from workbench.records import JobStatus


def job_amount(job: JobStatus) -> str:
    """How much is done, of how much where that is known; empty before anything is."""
    show = numbers.bytes_ if job.unit == "bytes" else numbers.count
    unit = f" {job.unit}" if job.unit == "models" else ""
    if job.total:
        return f"{show(job.done)} of {show(job.total)}{unit}"
    return f"{show(job.done)}{unit}" if job.done else ""
