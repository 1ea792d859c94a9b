"""Step Recommend, the report: what a person adds to it, its first page as it will be, and the files."""

import base64
import tempfile
from pathlib import Path
from typing import Any

import gradio as gr

from results.errors import BadRequirements, NothingToCompare
from workbench.sentences import refusal
from workbench.service import Workbench
from workbench.steps.compare.view import nothing_measured
from workbench.steps.recommend import handlers, view
from workbench.steps.render import Html, tag


def open_report(workbench: Workbench, name: str | None) -> tuple[Any, ...]:
    """The report comes in sight: that it does, then what was added to it."""
    return True, *_added(workbench, name)


def draw(workbench: Workbench, in_sight: bool, of: str, name: str | None, *values: Any) -> tuple[Any, ...]:
    """What follows the ranking: its chart; while the report is in sight, its first page and what was added to it.

    of is the benchmark whose texts stand in the fields: those of the same one may be being typed, and are left alone.
    """
    chart = handlers.draw(workbench, name, *values)
    if not in_sight:
        return chart, *[gr.skip()] * 6
    added = _added(workbench, name) if of != (name or "") else (gr.skip(),) * 5
    return chart, preview(workbench, name, *values), *added


def edit(workbench: Workbench, name: str, title: str, author: str, notes: str) -> None:
    """Keep title, author and notes of the report on a benchmark; an empty name is none."""
    if name:
        workbench.edit_report(name, title, author, notes)


def set_logo(workbench: Workbench, name: str | None, file: str | None) -> tuple[Any, Any]:
    """Keep the logo that was given: the upload button again, and the button that takes it away."""
    if name is None or file is None:
        return gr.skip(), gr.skip()
    workbench.set_report_logo(name, Path(file))
    return gr.UploadButton(), gr.Button(visible=True)


def drop_logo(workbench: Workbench, name: str | None) -> Any:
    """No logo any more."""
    if name is not None:
        workbench.set_report_logo(name, None)
    return gr.Button(visible=False)


def preview(workbench: Workbench, name: str | None, *values: Any) -> str:
    """The first page as the report will show it, in a frame where nothing runs."""
    stored = next((item for item in workbench.benchmarks(archived=True) if item.name == name), None)
    if stored is None:
        return nothing_measured()
    try:
        page = workbench.first_page(stored.name, handlers.requirements_of(stored, values))
    except NothingToCompare:
        return view.nothing_finished(stored.name)
    except BadRequirements as error:
        return view.refused(str(error))
    return framed(page)


def _added(workbench: Workbench, name: str | None) -> tuple[Any, ...]:
    """Whose report it is, its title, author and notes, and whether it has a logo."""
    if name is None:
        return "", "", "", "", gr.Button(visible=False)
    edits = workbench.report_edits.read(name)
    return name, edits.title, edits.author, edits.notes, gr.Button(visible=edits.logo is not None)


def framed(page: str) -> Html:
    """A whole document inside the app's page: sandboxed, so that it runs nothing and reaches nothing."""
    return tag("iframe", sandbox="", srcdoc=page, title="First page of the report", class_="first-page")


def write_report(workbench: Workbench, ending: str, name: str | None, *values: Any) -> tuple[str, str]:
    """The report under the requirements on screen, for the page to save or open, and its file name; PDF in Base64."""
    stored = next((item for item in workbench.benchmarks(archived=True) if item.name == name), None)
    if stored is None:
        raise refusal(
            "Nothing is measured yet, so there is nothing to report on. Start a benchmark in the step Run first."
        )
    requirements = handlers.requirements_of(stored, values)
    with tempfile.TemporaryDirectory() as folder:
        written = workbench.write_report(stored.name, Path(folder) / f"{stored.name}.{ending}", requirements)
        if ending == "pdf":
            return base64.b64encode(written.read_bytes()).decode("ascii"), written.name
        return written.read_text(encoding="utf-8"), written.name
