"""Starts the app of a data directory, or shows the page of the one that already runs, and ends it in good order.

What the page shows is workbench/ui.py's; here is the process around it: the lock, the port, the window, the stop.
"""

import os
import socket
import threading

from workbench import start_words
from workbench.app_ending import Ending
from workbench.app_lock import AlreadyRuns, AppLock
from workbench.app_window import Showing, show_app
from workbench.errors import Busy
from workbench.settings import Settings
from workbench.workspaces import Workspaces

HOST = "127.0.0.1"
"""Nobody else can reach the app."""
_END_SECONDS = 20.0
_KEEP_OPEN_SECONDS = 1.5
"""Who pages through examples finds them read already; a command line that wants the file gets its turn after it."""


def open_app(settings: Settings, *, port: int | None, wanted: Showing) -> None:
    """Serve the app until it is stopped, or show the one that runs. Raises Busy where a port asked for is taken."""
    try:
        with AppLock(settings) as lock:
            _run_app(settings, lock, port=port, wanted=wanted)
    except AlreadyRuns as other:
        shown = show_app(other.app.address, settings, wanted)
        _say(start_words.already_runs(settings.home, other.app.address, shown))


def _run_app(settings: Settings, lock: AppLock, *, port: int | None, wanted: Showing) -> None:
    # Only now: the page's library takes seconds to load, which a second start need not wait for.
    from workbench.service import Workbench
    from workbench.ui import build_app, serve

    workspaces = Workspaces(settings)
    chosen = usual_port(workspaces) if port is None else free_port(port)
    workbench, ending = Workbench(settings, keep_open_seconds=_KEEP_OPEN_SECONDS), Ending()
    app = build_app(workbench, workspaces, ending)
    serve(app, workbench, chosen)
    address = f"http://{HOST}:{chosen}"
    lock.announce(address)
    workspaces.opened(port=chosen)
    # Once the page is served: it takes a second of all cores.
    warming = threading.Thread(target=workbench.warm_up, args=[ending.is_wished], daemon=True)
    warming.start()
    _say(f"{start_words.APP_NAME} is at {address}")
    if show_app(address, settings, wanted) == "window":
        _say(start_words.WINDOW_CAN_BE_CLOSED)
    ending.wait()
    _say("Stopping ...")
    try:
        for job in workbench.jobs.stop(_END_SECONDS):
            _say(f"Not waited for any longer: {job.title}")
        # A thread that still reads when Python ends complains at length.
        warming.join(_END_SECONDS)
    except KeyboardInterrupt:
        _say("Not waiting for jobs any longer.")
    app.close(verbose=False)
    workbench.close()
    _say(start_words.stopped(settings))


def usual_port(workspaces: Workspaces) -> int:
    """The port of the last start where it is free, so that links and what a browser keeps stay good; else any."""
    try:
        return free_port(workspaces.note.port)
    except Busy:
        return free_port(None)


def free_port(port: int | None) -> int:
    """The port asked for, or a free one. Raises Busy."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port or 0))
        except OSError as error:
            raise Busy(start_words.port_in_use(port or 0)) from error
        chosen: int = probe.getsockname()[1]
        return chosen


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201
