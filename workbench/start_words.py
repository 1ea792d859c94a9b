"""The sentences of starting and stopping the app; light, because a second start says them at once."""

import shlex
from pathlib import Path

from workbench.app_window import Showing
from workbench.settings import Settings

APP_NAME = "Open Model Workbench"

WINDOW_CAN_BE_CLOSED = (
    "The window can be closed; the app and its jobs go on. Stop it with the button Stop in its sidebar, or with Ctrl-C "
    "here."
)


def start_command(settings: Settings) -> str:
    """What to type to start the app of this data directory."""
    return (
        "python3 launch.py"
        if settings.is_usual_home
        else f"python3 launch.py ui --home {shlex.quote(str(settings.home))}"
    )


def stopped(settings: Settings) -> str:
    """The app has ended."""
    return f"Stopped. Start again with: {start_command(settings)}"


def already_runs(home: Path, address: str, shown: Showing) -> str:
    """A second start found the first."""
    done = {"window": "Its window was opened", "tab": "Its page was opened", "nothing": "Open that address"}[shown]
    return f"The app already runs on {home}, at {address}. {done}."


def port_in_use(port: int) -> str:
    """The port is taken."""
    return (
        f"Port {port} of this machine is in use, perhaps by another {APP_NAME}. Choose another one with --port, or "
        "leave --port out and a free one is taken."
    )
