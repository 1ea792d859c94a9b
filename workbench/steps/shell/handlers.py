"""What happens in the frame: jobs, engines, workspaces, welcome, tour, stop. Reads memory where it is asked often."""

import json
from typing import Any, NamedTuple

import gradio as gr

from catalog.errors import WorkbenchError
from workbench import sentences
from workbench.app_ending import Ending
from workbench.service import Workbench
from workbench.start_words import start_command
from workbench.steps import render
from workbench.steps.shell import dialogs, view
from workbench.steps.wiring import asked_step, clicked
from workbench.workspaces import Workspaces


class Frame(NamedTuple):
    """What the frame works with."""

    workbench: Workbench
    """The service."""
    workspaces: Workspaces
    """This data directory and the others."""
    ending: Ending | None = None
    """How the app is stopped; None where somebody else decides."""


def watch(frame: Frame) -> tuple[str, str]:
    """Jobs as they stand, and the mark that moves when stored results have changed."""
    jobs = frame.workbench.jobs.all()
    return view.jobs_panel(jobs), view.results_mark(jobs)


def press_in_jobs(frame: Frame, event: gr.EventData) -> str:
    """Cancel the job whose button was pressed."""
    action, job_id = clicked(event)
    if action == "cancel":
        frame.workbench.jobs.cancel(job_id)
    return view.jobs_panel(frame.workbench.jobs.all())


def look_at_machine(frame: Frame) -> tuple[str, str]:
    """The machine and its engines as they are now."""
    return view.machine_panel(frame.workbench.machine()), engines(frame)


def engines(frame: Frame) -> str:
    """Engines, with those that are being installed."""
    titles = {job.title for job in frame.workbench.jobs.all() if not job.is_over}
    statuses = frame.workbench.engines()
    return view.engines_panel(statuses, [item.name for item in statuses if f"Install {item.name}" in titles])


def press_in_engines(frame: Frame, event: gr.EventData) -> tuple[str, str]:
    """Install an engine: engines, jobs."""
    action, engine = clicked(event)
    if action == "install":
        frame.workbench.install_engine(engine)
    return engines(frame), view.jobs_panel(frame.workbench.jobs.all())


def welcome(frame: Frame) -> tuple[Any, Any, Any]:
    """The welcome with the offer of the demo and the tour, where nothing was measured yet and nothing runs."""
    if frame.workbench.benchmarks(archived=True) or frame.workbench.jobs.all():
        return gr.Row(visible=False), gr.skip(), gr.skip()
    offer = gr.Button(f"{sentences.DEMO_BUTTON}: {demo_offer(frame.workbench)}")
    return gr.Row(visible=True), offer, gr.skip() if frame.workspaces.note.tour_done else view.tour_bar(0)


def open_demo(frame: Frame) -> tuple[str, Any, Any]:
    """Start the demo; the page goes to the step Run."""
    workbench = frame.workbench
    definition, folder = workbench.demo_definition()
    workbench.start_benchmark(workbench.prepare(definition, folder))
    return view.jobs_panel(workbench.jobs.all()), gr.Tabs(selected="run"), gr.Row(visible=False)


def demo_offer(workbench: Workbench) -> str:
    """What the demo is, with its real size."""
    definition, folder = workbench.demo_definition()
    examples = len(workbench.check_test_set(definition.test_set, definition.labels, folder=folder).file.examples)
    return f"{len(definition.candidates)} candidates, {examples} labelled messages, about 2 minutes"


def open_step(request: gr.Request) -> Any:
    """Select the step that the address names."""
    asked = asked_step(request)
    others = {name for name, _ in sentences.STEPS[1:]}  # the first is open already
    return gr.Tabs(selected=asked) if asked in others else gr.skip()


def press_in_tour(frame: Frame, event: gr.EventData) -> tuple[Any, Any]:
    """Another station of the tour, or its end, which is remembered: tour, tabs."""
    action, value = clicked(event)
    station = int(value) if value.isdecimal() else 0
    if action != "tour":
        return gr.skip(), gr.skip()
    if station >= len(dialogs.TOUR):
        frame.workspaces.change(tour_done=True)
        return render.NOTHING, gr.skip()
    return view.tour_bar(station), gr.Tabs(selected=dialogs.TOUR[station][0])


def ask_to_stop(frame: Frame, event: gr.EventData) -> str:
    """The question before the app stops."""
    clicked(event)
    jobs = [job for job in frame.workbench.jobs.all() if not job.is_over]
    return dialogs.stop_dialog(jobs, start_command(frame.workbench.settings))


def press_in_stop(frame: Frame, event: gr.EventData) -> None:
    """Stop the app; the process cancels what runs and ends."""
    if clicked(event)[0] == "stop" and frame.ending is not None:
        frame.ending.wish()


def ask_for_workspace(frame: Frame, trouble: str | None = None) -> str:
    """The workspaces."""
    spaces = frame.workspaces
    return dialogs.workspaces_dialog(spaces.known(), spaces.folder, spaces.name, trouble)


def press_in_workspaces(frame: Frame, event: gr.EventData) -> tuple[str, str, str]:
    """Rename this workspace, make one, or open another: dialog, panel, and the address that the page goes to."""
    action, value = clicked(event)
    spaces, address, trouble = frame.workspaces, "", None
    try:
        if action == "rename":
            spaces.rename(_typed(value, "name"))
        elif action == "make":
            address = spaces.open(spaces.make(_typed(value, "name"), _typed(value, "folder")))
        elif action == "open":
            address = spaces.open(spaces.known_folder(value))
    except WorkbenchError as error:
        # In the dialog itself, which lies over everything else.
        trouble = str(error)
    return ask_for_workspace(frame, trouble), view.workspace_panel(spaces.name, spaces.folder), address


def _typed(value: str, field: str) -> str:
    """One field of a form that was sent."""
    fields = json.loads(value)
    return str(fields.get(field, "")) if isinstance(fields, dict) else ""
