"""Builds the app's page and serves it, on this machine only.

The page owns nothing: handlers start, watch and cancel jobs of the service, and timers read what it holds in memory.
Steps are laid out in steps/; here is the frame around them.
"""

import os
from typing import Any

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when gradio is imported

import gradio as gr
from starlette.middleware import Middleware

from workbench import sentences, theme
from workbench.app_ending import Ending
from workbench.kept_page import KeptPage
from workbench.page_head import EarlyHead, page_head
from workbench.service import Workbench
from workbench.start_words import APP_NAME
from workbench.steps import render
from workbench.steps.choose.page import build_choose
from workbench.steps.compare.page import build_compare
from workbench.steps.desk import Desk
from workbench.steps.head_to_head.page import build_head_to_head
from workbench.steps.recommend.page import build_recommend
from workbench.steps.render import tag
from workbench.steps.run.page import build_run
from workbench.steps.shell.handlers import Frame
from workbench.steps.shell.page import bind_frame, build_head, build_sidebar
from workbench.steps.shell.view import skip_link
from workbench.steps.test_set.page import build_test_set
from workbench.steps.wiring import Page, Step, in_page, panel, read, where_open
from workbench.workspaces import Workspaces

LOOPBACK = "127.0.0.1"
"""Nobody else can reach the app."""
MAX_FILE_SIZE = "200mb"
"""Largest upload."""

_BUILDERS = {
    "choose": build_choose,
    "test-set": build_test_set,
    "run": build_run,
    "compare": build_compare,
    "head-to-head": build_head_to_head,
    "recommend": build_recommend,
}


def build_app(workbench: Workbench, workspaces: Workspaces | None = None, ending: Ending | None = None) -> gr.Blocks:
    """The whole page, bound to the service; without an ending it cannot be stopped from the page."""
    desk = Desk(workbench.settings.desk_path)
    frame = Frame(workbench, workspaces or Workspaces(workbench.settings), ending)
    app = gr.Blocks(title=APP_NAME, analytics_enabled=False, fill_width=True)
    with app:
        panel("skip", skip_link())
        with gr.Row(elem_id="frame"):
            with gr.Column(elem_id="sidebar", scale=0, min_width=190), gr.Column(elem_id="sidebar-inner"):
                sidebar = build_sidebar(frame)
            with gr.Column(elem_id="main", min_width=400):
                if desk.trouble:
                    panel("desk-trouble", render.notice("warning", tag("p", desk.trouble)))
                head = build_head()
                benchmark = gr.State(None)
                with gr.Tabs(elem_id="steps", selected="choose") as tabs:
                    page = Page(workbench, desk, tabs, benchmark)
                    steps = {name: _build_step(name, title, page) for name, title in sentences.STEPS}
        bind_frame(frame, app, sidebar, head, tabs)
        for name, step in steps.items():
            if step.results is not None:
                refresh = where_open(name, step.results.handler)
                read(sidebar.results.change, refresh, step.results.inputs, step.results.outputs)
    return app


def serve(app: gr.Blocks, workbench: Workbench, port: int) -> None:
    """Serve the page from a thread of its own; returns once it answers."""
    served, _, _ = app.launch(
        server_name=LOOPBACK,
        server_port=port,
        inbrowser=False,
        prevent_thread_lock=True,
        quiet=True,
        theme=theme.build_theme(),
        css_paths=list(theme.STYLE_SHEETS),
        app_kwargs={"middleware": [Middleware(EarlyHead, head=page_head())]},
        **_CLOSED,
        blocked_paths=[str(workbench.settings.home)],
    )
    # Outside gradio's own middleware, which would compress every script anew for a browser on the same machine.
    served.middleware_stack = KeptPage(served.build_middleware_stack())


_CLOSED: dict[str, Any] = {
    "share": False,
    "show_error": False,
    "max_file_size": MAX_FILE_SIZE,
    "footer_links": [],
    "run_history": False,
    "enable_monitoring": False,
    "ssr_mode": False,
    "mcp_server": False,
    "pwa": False,
}
"""What gradio could do and shall not."""


def _build_step(name: str, title: str, page: Page) -> Step:
    with gr.Tab(title, id=name, elem_id=f"step-{name}") as tab:
        step = _BUILDERS[name](page)
        again = gr.Button("Read again", elem_id=f"reopen-{name}", visible="hidden")
    # The address first, which the step is read by.
    noted = in_page(tab.select, f"() => window.workbench.step('{name}')")
    fill = where_open(name, step.opened.handler)
    for event in (noted.then, again.click):
        # Opened again while it is being read: read again, or it would never be called settled.
        filled = read(event, fill, step.opened.inputs, step.opened.outputs, trigger_mode="multiple")
        for over in (filled.success, filled.failure):
            in_page(over, f"() => window.workbench.settled('{name}')")
    return step
