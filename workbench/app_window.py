"""Shows the app: in a window of its own where a browser can give it one, else in a tab, else as an address alone.

A window of its own (`--app=`) is what Chromium and the browsers made from it have; a profile in the data directory
keeps it apart from the person's own browsing. Which browser there is, is looked up at each start.
"""

import shutil
import sys
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from runners.desktop import start_program
from workbench.settings import Settings, has_desktop

Showing = Literal["window", "tab", "nothing"]
"""How the app is shown, or was shown in the end."""

_ON_PATH = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
    *("microsoft-edge", "microsoft-edge-stable", "msedge", "brave-browser", "brave"),
)
_MAC = tuple(
    f"Applications/{name}.app/Contents/MacOS/{name}"
    for name in ("Google Chrome", "Chromium", "Microsoft Edge", "Brave Browser")
)
_WINDOWS = (
    "Google/Chrome/Application/chrome.exe",
    "Microsoft/Edge/Application/msedge.exe",
    "BraveSoftware/Brave-Browser/Application/brave.exe",
    "Chromium/Application/chrome.exe",
)
_WINDOW_SIZE = "1360,900"


def show_app(address: str, settings: Settings, wanted: Showing) -> Showing:
    """Show the app's page as wanted, or in the next best way; says how it is shown."""
    if wanted == "nothing" or not has_desktop():
        return "nothing"
    if wanted == "window":
        for program in find_browsers():
            if start_program(window_command(program, address, settings.window_profile_folder)):
                return "window"
    return "tab" if webbrowser.open(address) else "nothing"


def find_browsers() -> Iterator[Path]:
    """Browsers of this machine that can open a window for one page, each once."""
    seen = set()
    for found in (*_installed_on_path(), *filter(Path.exists, usual_places(sys.platform, Path.home()))):
        if found not in seen:
            seen.add(found)
            yield found


def window_command(program: Path, address: str, profile: Path) -> list[str]:
    """The command that opens the window."""
    command = [str(program), f"--app={address}", f"--window-size={_WINDOW_SIZE}"]
    if _is_confined(program):
        return command
    return [*command, f"--user-data-dir={profile}", "--no-first-run", "--no-default-browser-check"]


def _installed_on_path() -> Iterator[Path]:
    for name in _ON_PATH:
        found = shutil.which(name)
        if found is not None:
            yield Path(found)


def usual_places(platform: str, home: Path) -> tuple[Path, ...]:
    """Where browsers lie that are on no search path."""
    if platform == "darwin":
        folders: tuple[Path, ...] = (Path("/"), home)
        programs = _MAC
    elif platform == "win32":
        folders = (Path("C:/Program Files"), Path("C:/Program Files (x86)"), home / "AppData" / "Local")
        programs = _WINDOWS
    else:
        return ()
    return tuple(folder / program for program in programs for folder in folders)


def _is_confined(program: Path) -> bool:
    """Whether it is a snap, which may not write into the data directory: it opens the window from its own profile."""
    if program.is_relative_to("/snap"):
        return True
    return program.name == "chromium-browser" and Path("/snap/bin/chromium").exists()
