"""Builds the app's page and serves it, on this machine only.

The page owns nothing: handlers start, watch and cancel jobs of the service, and timers read what it holds in memory.
Steps are laid out in steps/; here is the frame around them.
"""

import os
import socket
import threading
from typing import Any

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when gradio is imported

import gradio as gr

from workbench import sentences, theme
from workbench.app_lock import AppLock
from workbench.errors import Busy
from workbench.service import Workbench
from workbench.steps import shell
from workbench.steps.choose_page import build_choose
from workbench.steps.compare_page import build_compare
from workbench.steps.desk import Desk
from workbench.steps.head_to_head_page import build_head_to_head
from workbench.steps.recommend_page import build_recommend
from workbench.steps.run_page import build_run
from workbench.steps.test_set_page import build_test_set
from workbench.steps.wiring import Page, Step, bind, cheap, in_page, panel, read, where_open

HOST = "127.0.0.1"
"""Nobody else can reach the app."""
MAX_FILE_SIZE = "200mb"
"""Largest upload."""
_TICK_SECONDS = 1.0
_MACHINE_TICK_SECONDS = 5.0

_BUILDERS = {
    "choose": build_choose,
    "test-set": build_test_set,
    "run": build_run,
    "compare": build_compare,
    "head-to-head": build_head_to_head,
    "recommend": build_recommend,
}


def build_app(workbench: Workbench) -> gr.Blocks:
    """The whole page, bound to the service."""
    app = gr.Blocks(title=sentences.APP_NAME, analytics_enabled=False, fill_width=True)
    with app:
        with gr.Row(elem_id="frame"):
            with gr.Column(elem_id="sidebar", scale=0, min_width=190), gr.Column(elem_id="sidebar-inner"):
                panel("brand", shell.brand())
                jobs = panel("jobs", clicks=True)
                machine = panel("machine")
                results = panel("results", shell.results_mark(workbench.jobs.all()))
            with gr.Column(elem_id="main", min_width=400):
                with gr.Row(elem_id="welcome", visible=False) as welcome:
                    panel("welcome-text", shell.welcome_panel())
                    start_demo = gr.Button(
                        "Run the demo", variant="primary", elem_id="start-demo", scale=0, min_width=420
                    )
                benchmark = gr.State(None)
                with gr.Tabs(elem_id="steps", selected="choose") as tabs:
                    page = Page(workbench, Desk(), tabs, benchmark)
                    steps = {name: _build_step(name, title, page) for name, title in sentences.STEPS}
        _bind_sidebar(workbench, app, (jobs, machine, results))
        for name, step in steps.items():
            if step.results is not None:
                refresh = where_open(name, step.results.handler)
                read(results.change, refresh, step.results.inputs, step.results.outputs)
        read(start_demo.click, bind(shell.open_demo, workbench), None, [jobs, tabs, welcome])
        read(app.load, bind(shell.welcome, workbench), None, [welcome, start_demo])
        cheap(app.load, shell.open_step, None, [tabs])
    return app


def launch_app(workbench: Workbench, *, port: int | None, open_browser: bool) -> None:
    """Serve the app until it is interrupted. Raises Busy where the port or the data directory is taken."""
    with AppLock(workbench.settings) as lock:
        chosen = free_port(port)
        lock.announce(f"http://{HOST}:{chosen}")
        _serve(workbench, chosen, open_browser=open_browser)


def _serve(workbench: Workbench, chosen: int, *, open_browser: bool) -> None:
    app = build_app(workbench)
    app.launch(
        server_name=HOST,
        server_port=chosen,
        inbrowser=open_browser,
        prevent_thread_lock=True,
        quiet=True,
        theme=theme.build_theme(),
        css_paths=[theme.STYLE_SHEET],
        head=f"<script>{theme.SCRIPT.read_text(encoding='utf-8')}</script>",
        **_CLOSED,
        blocked_paths=[str(workbench.settings.home)],
    )
    # Once the page is served: it takes a second of all cores.
    threading.Thread(target=workbench.models.warm_up, daemon=True).start()
    print(f"{sentences.APP_NAME} is at http://{HOST}:{chosen}", flush=True)  # noqa: T201
    app.block_thread()


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
    in_page(tab.select, f"() => window.workbench.step('{name}')")
    filled = read(tab.select, step.opened.handler, step.opened.inputs, step.opened.outputs)
    for over in (filled.success, filled.failure):
        in_page(over, f"() => window.workbench.settled('{name}')")
    return step


def _bind_sidebar(workbench: Workbench, app: gr.Blocks, places: tuple[gr.HTML, gr.HTML, gr.HTML]) -> None:
    jobs, machine, results = places
    tick, slow_tick = gr.Timer(_TICK_SECONDS), gr.Timer(_MACHINE_TICK_SECONDS)
    watch, look = bind(shell.watch, workbench), bind(shell.look_at_machine, workbench)
    for event in (app.load, tick.tick):
        cheap(event, watch, None, [jobs, results])
    for event in (app.load, slow_tick.tick):
        cheap(event, look, None, [machine])
    read(jobs.click, bind(shell.press_in_jobs, workbench), None, [jobs])


def free_port(port: int | None) -> int:
    """The port asked for, or a free one. Raises Busy."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port or 0))
        except OSError as error:
            raise Busy(sentences.port_in_use(port or 0)) from error
        chosen: int = probe.getsockname()[1]
        return chosen
