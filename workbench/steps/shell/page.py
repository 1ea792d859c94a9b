"""Lays out the frame around the steps and binds its handlers."""

from typing import NamedTuple

import gradio as gr

from workbench.steps.shell import dialogs, view
from workbench.steps.shell import handlers as do
from workbench.steps.shell.handlers import Frame
from workbench.steps.wiring import bind, cheap, in_page, panel, read

_TICK_SECONDS = 1.0
_MACHINE_TICK_SECONDS = 5.0


class Sidebar(NamedTuple):
    """Places of the sidebar."""

    workspace: gr.HTML
    """Its name."""
    jobs: gr.HTML
    """What runs and what is done."""
    machine: gr.HTML
    """Processor, memory, GPUs."""
    engines: gr.HTML
    """Installed or not."""
    foot: gr.HTML
    """Theme, help, stop."""
    results: gr.HTML
    """Changes when stored results have."""


class Head(NamedTuple):
    """What may stand above the steps."""

    welcome: gr.Row
    """At the first start."""
    start_demo: gr.Button
    """In it."""
    tour: gr.HTML
    """Until it was gone through or skipped."""


def build_sidebar(frame: Frame) -> Sidebar:
    """The sidebar, not bound yet."""
    panel("brand", view.brand())
    workspace = panel("workspace", view.workspace_panel(frame.workspaces.name, frame.workspaces.folder), clicks=True)
    jobs = panel("jobs", view.jobs_panel(frame.workbench.jobs.all()), clicks=True)
    machine = panel("machine")
    engines = panel("engines", do.engines(frame), clicks=True)
    foot = panel("foot", view.foot(can_stop=frame.ending is not None), clicks=True)
    results = panel("results", view.results_mark(frame.workbench.jobs.all()))
    return Sidebar(workspace, jobs, machine, engines, foot, results)


def build_head() -> Head:
    """Welcome and tour, not bound yet."""
    with gr.Row(elem_id="welcome", visible=False) as welcome:
        panel("welcome-text", view.welcome_panel())
        start_demo = gr.Button("Run the demo", variant="primary", elem_id="start-demo", scale=0, min_width=420)
    return Head(welcome, start_demo, panel("tour", clicks=True))


def bind_frame(frame: Frame, app: gr.Blocks, sidebar: Sidebar, head: Head, tabs: gr.Tabs) -> None:
    """Bind everything of the frame, and add its dialogs."""
    tick, slow_tick = gr.Timer(_TICK_SECONDS), gr.Timer(_MACHINE_TICK_SECONDS)
    for event in (app.load, tick.tick):
        cheap(event, bind(do.watch, frame), None, [sidebar.jobs, sidebar.results])
    for event in (app.load, slow_tick.tick):
        cheap(event, bind(do.look_at_machine, frame), None, [sidebar.machine, sidebar.engines])
    read(sidebar.jobs.click, bind(do.press_in_jobs, frame), None, [sidebar.jobs])
    read(sidebar.engines.click, bind(do.press_in_engines, frame), None, [sidebar.engines, sidebar.jobs])
    read(head.start_demo.click, bind(do.open_demo, frame), None, [sidebar.jobs, tabs, head.welcome])
    read(app.load, bind(do.welcome, frame), None, [head.welcome, head.start_demo, head.tour])
    cheap(app.load, do.open_step, None, [tabs])
    keys = panel("help", dialogs.help_dialog(), clicks=True)
    for source in (head.tour, keys):
        read(source.click, bind(do.press_in_tour, frame), None, [head.tour, tabs])
    _bind_dialogs(frame, sidebar)


def _bind_dialogs(frame: Frame, sidebar: Sidebar) -> None:
    """Those whose words are made when they are asked for."""
    workspaces, stop = panel("workspaces", clicks=True), panel("stop", clicks=True)
    address = gr.Textbox(visible=False)
    asked = read(sidebar.workspace.click, bind(do.ask_for_workspace, frame), None, [workspaces])
    in_page(asked.success, "() => window.workbench.dialog('workspaces')")
    outputs = [workspaces, sidebar.workspace, address]
    pressed = read(workspaces.click, bind(do.press_in_workspaces, frame), None, outputs)
    in_page(pressed.success, "(address) => window.workbench.leave(address, 'workspaces')", [address])
    asked = read(sidebar.foot.click, bind(do.ask_to_stop, frame), None, [stop])
    in_page(asked.success, "() => window.workbench.dialog('stop')")
    read(stop.click, bind(do.press_in_stop, frame), None, None)
