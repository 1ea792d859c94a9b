"""What the commands share: options, the service, consoles, JSON, following a job, exit codes."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import BaseModel
from rich.console import Console

from catalog.errors import WorkbenchError
from workbench.records import SCHEMA_VERSION, JobStatus
from workbench.settings import read_settings

if TYPE_CHECKING:
    from workbench.jobs import Job
    from workbench.service import Workbench

NEEDS_A_LOOK = 3
"""Exit code: done, but something needs a look."""
WORSE = 4
"""Exit code of `compare A B --fail-if-worse`: the second is shown worse, or not shown to stay within the margin."""
INTERRUPTED = 130
"""Exit code after Ctrl-C."""
PIPE_COLUMNS = 200
"""Width of tables where the output is no terminal."""

Home = Annotated[Path | None, typer.Option("--home", help="Data directory; else WORKBENCH_HOME or the system's place.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

named_home: list[Path] = []
"""Data directory named before the command, where it was."""


def open_workbench(home: Path | None) -> "Workbench":
    """The service over the data directory that was named."""
    # Statistics and the database take a second to import, which `--help` and wrong usage need not wait for.
    from workbench.service import Workbench

    return Workbench(read_settings(home_of(home)))


def home_of(home: Path | None) -> Path | None:
    """The data directory that was named, with the command or before it."""
    return home or (named_home[0] if named_home else None)


def follow_job(workbench: "Workbench", job_id: str, *, quiet: bool, resume: str) -> JobStatus:
    """Follow a job to its end. Raises what made it fail; `resume` says how to go on after Ctrl-C."""
    from workbench.cli_progress import follow

    job: Job = workbench.jobs.job(job_id)
    status = follow(job, Console(stderr=True, quiet=quiet, highlight=False))
    if job.error is not None:
        raise job.error
    if status.state == "cancelled":
        console().print(f"Cancelled. Go on with: {resume}", markup=False)
        raise typer.Exit(INTERRUPTED)
    if status.state == "failed":
        raise WorkbenchError(status.message)
    return status


def leave(good: bool) -> None:
    """End with the exit code for something that needs a look, unless all is good."""
    if not good:
        raise typer.Exit(NEEDS_A_LOOK)


def console() -> Console:
    """Where results are printed."""
    terminal = Console(highlight=False)
    # A file or a pipe has no width: leave tables as wide as they need, instead of folding them at 80 columns.
    return terminal if terminal.is_terminal else Console(highlight=False, width=PIPE_COLUMNS, soft_wrap=True)


def print_json(kind: str, data: BaseModel | Sequence[BaseModel] | dict[str, Any]) -> None:
    """One document: schema version, kind, data (docs/json.md)."""
    document = {"schema_version": SCHEMA_VERSION, "kind": kind, "data": plain(data)}
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n")


def plain(data: BaseModel | Sequence[BaseModel] | dict[str, Any]) -> Any:
    """Records as JSON knows them."""
    if isinstance(data, BaseModel):
        return data.model_dump(mode="json")
    if isinstance(data, dict):
        return data
    return [item.model_dump(mode="json") for item in data]
