"""Workspaces: a data directory each, with a name; the ones known on this machine, and the way from one to another.

All that belongs to one lies in its own directory. Another workspace is opened by starting its app, so that two never
share a process. The list of those known is the person's, in the configuration folder, and only a list: what is not
there any more is left out.
"""

import re
import sys
import time
from pathlib import Path

from filelock import FileLock
from pydantic import Field

from catalog.errors import WorkbenchError
from catalog.records import Record
from runners.desktop import start_program
from workbench.app_lock import running_app
from workbench.clock import now
from workbench.kept_file import read_kept, write_kept
from workbench.settings import Settings

MOST_LETTERS = 60
"""Of a name."""
_MOST_KNOWN = 50
_START_SECONDS = 60.0
_LOOK_SECONDS = 0.3


class BadWorkspace(WorkbenchError):
    """A workspace cannot be made, named or opened."""


class WorkspaceNote(Record):
    """What a workspace keeps about itself."""

    name: str | None = None
    """For people; else the directory's."""
    port: int | None = Field(default=None, ge=1, le=65535)
    """Port of its last start."""
    tour_done: bool = False
    """The tour was gone through or skipped for good."""


class KnownWorkspace(Record):
    """A workspace of this machine."""

    folder: Path
    """Its data directory."""
    name: str
    """For people."""
    opened_at: str
    """When it was last opened, ISO 8601."""


class KnownWorkspaces(Record):
    """The list."""

    workspaces: tuple[KnownWorkspace, ...] = ()
    """Last opened first."""


class Workspaces:
    """One workspace, and its view of the others."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.note = read_kept(settings.workspace_path, WorkspaceNote).record
        """What this workspace keeps about itself."""

    @property
    def folder(self) -> Path:
        """The data directory."""
        return self._settings.home

    @property
    def name(self) -> str:
        """For people."""
        return self.note.name or self.folder.name

    def change(self, **changes: object) -> None:
        """Keep something about this workspace. Raises NotKept."""
        self.note = self.note.model_copy(update=changes)
        write_kept(self._settings.workspace_path, self.note)

    def rename(self, name: str) -> None:
        """Give this workspace another name; its directory stays. Raises BadWorkspace."""
        self.change(name=_sound_name(name))
        self.opened()

    def opened(self, *, port: int | None = None) -> None:
        """Put this workspace at the head of those known. Raises NotKept."""
        if port is not None:
            self.change(port=port)
        mine = KnownWorkspace(folder=self.folder, name=self.name, opened_at=now())
        path = self._settings.known_workspaces_path
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):
            others = [item for item in self._read_known() if item.folder != self.folder]
            write_kept(path, KnownWorkspaces(workspaces=(mine, *others)[:_MOST_KNOWN]))

    def known_folder(self, folder: str) -> Path:
        """The directory of one of those known. Raises BadWorkspace."""
        found = next((item.folder for item in self.known() if str(item.folder) == folder), None)
        if found is None:
            raise BadWorkspace(f"{folder} is no workspace that is known here, or its folder is gone.")
        return found

    def known(self) -> tuple[KnownWorkspace, ...]:
        """Workspaces whose directory is there, last opened first."""
        return tuple(item for item in self._read_known() if item.folder.is_dir())

    def make(self, name: str, folder: str = "") -> Path:
        """The directory of a new workspace, made here or at the place named. Raises BadWorkspace."""
        name = _sound_name(name)
        place = Path(folder.strip()).expanduser() if folder.strip() else self._free_folder(name)
        if not place.is_absolute():
            raise BadWorkspace(
                f"{folder.strip()} is no whole path. Begin it at the root, or with ~, or leave it empty."
            )
        if place.is_dir() and any(place.iterdir()) and not (place / "workspace.json").exists():
            raise BadWorkspace(f"{place} holds other files. Name a new or an empty folder, or leave it empty.")
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadWorkspace(f"{place} cannot be made: {error.strerror}. Name another folder.") from error
        new = Workspaces(self._settings.model_copy(update={"home": place}))
        if new.note.name is None:
            new.rename(name)
        return place

    def open(self, folder: Path) -> str:
        """The address of the app of a workspace, started where it does not run. Raises BadWorkspace."""
        if not folder.is_dir():
            raise BadWorkspace(f"{folder} is not there any more. Make a new workspace, or name its folder.")
        settings = self._settings.model_copy(update={"home": folder})
        running = running_app(settings)
        if running is not None:
            return running.address
        command = [sys.executable, "-P", "-m", "workbench.cli", "--home", str(folder), "ui", "--no-browser"]
        log = settings.app_log_path
        deadline = time.perf_counter() + _START_SECONDS
        if start_program(command, log):
            while time.perf_counter() < deadline:
                running = running_app(settings)
                if running is not None:
                    return running.address
                time.sleep(_LOOK_SECONDS)
        raise BadWorkspace(f"The app of {folder} did not start. What it said is in {log}.")

    def _read_known(self) -> tuple[KnownWorkspace, ...]:
        return read_kept(self._settings.known_workspaces_path, KnownWorkspaces).record.workspaces

    def _free_folder(self, name: str) -> Path:
        short = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "workspace"
        names = (short, *(f"{short}-{number}" for number in range(2, 1000)))
        return next(place for each in names if not (place := self._settings.workspaces_folder / each).exists())


def _sound_name(name: str) -> str:
    name = " ".join(name.split())
    if not 0 < len(name) <= MOST_LETTERS:
        raise BadWorkspace(f"A workspace's name has 1 to {MOST_LETTERS} letters; this one has {len(name)}.")
    if not name.isprintable():
        raise BadWorkspace(f"{name!r} holds a sign that cannot be seen. Type the workspace's name anew.")
    return name
