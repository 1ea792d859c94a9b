"""Settings: read once at the start, passed down. Nothing else in the project reads the environment."""

import getpass
import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import platformdirs
from pydantic import Field

from catalog.records import Record
from runners.process import RunFolder
from workbench.errors import BadSettings

HOME_VARIABLE = "WORKBENCH_HOME"
"""Environment variable that moves the data directory; `--home` goes before it."""
LIVE_MEMORY_VARIABLE = "WORKBENCH_LIVE_GIB"
"""Environment variable: most GiB of memory for candidates that are loaded side by side in a head-to-head."""
CONFIG_VARIABLE = "WORKBENCH_CONFIG"
"""Environment variable that moves the folder of what belongs to the person."""
DEMO_FOLDER = Path(__file__).parent / "demo"
"""Test set and benchmark file of the demo, which come with the package."""


def _config_folder() -> Path:
    return _path_in(CONFIG_VARIABLE) or Path(platformdirs.user_config_dir("open-model-workbench", appauthor=False))


def _workspaces_folder() -> Path:
    return Path(platformdirs.user_data_dir("open-model-workbench-workspaces", appauthor=False))


class Settings(Record):
    """Where everything is kept, and where other programs keep their models."""

    home: Path
    """The data directory."""
    config_folder: Path = Field(default_factory=_config_folder)
    """What belongs to the person and not to one data directory."""
    workspaces_folder: Path = Field(default_factory=_workspaces_folder)
    """Where new workspaces are made."""
    hub_cache: Path | None = None
    """The Hugging Face cache, where HF_HUB_CACHE or HF_HOME moved it."""
    ollama_models: Path | None = None
    """Ollama's models, where OLLAMA_MODELS moved them."""
    live_memory_bytes: int | None = None
    """Most memory for candidates of a head-to-head side by side, where WORKBENCH_LIVE_GIB says so; None takes what is
    free."""

    @property
    def is_usual_home(self) -> bool:
        """Whether the data directory is the one that a start without any option takes."""
        return self.home == _usual_home()

    @property
    def results_path(self) -> Path:
        """The results file."""
        return self.home / "results.duckdb"

    @property
    def models_folder(self) -> Path:
        """Weights that were put together or quantized here."""
        return self.home / "models"

    @property
    def catalog_folder(self) -> Path:
        """What updates fetched from the Hub."""
        return self.home / "catalog"

    @property
    def bandwidth_path(self) -> Path:
        """Memory bandwidth of this machine, measured once."""
        return self.home / "bandwidth.json"

    @property
    def exclusions_folder(self) -> Path:
        """What each kept shortlist left out, and why."""
        return self.home / "shortlists"

    @property
    def reports_folder(self) -> Path:
        """Reports, where no other place is named."""
        return self.home / "reports"

    @property
    def benchmarks_folder(self) -> Path:
        """Benchmark files made in the app."""
        return self.home / "benchmarks"

    @property
    def profile_path(self) -> Path:
        """The user's profile."""
        return self.home / "profile.json"

    @property
    def desk_path(self) -> Path:
        """What was chosen in the app and is not a benchmark yet."""
        return self.home / "desk.json"

    @property
    def device_lock_path(self) -> Path:
        """Held while something is measured: two runs at once would measure each other."""
        return Path(tempfile.gettempdir()) / f"open-model-workbench-{getpass.getuser()}.device.lock"

    @property
    def app_lock_path(self) -> Path:
        """Held by the app of this data directory."""
        return self.home / "app.lock"

    @property
    def window_profile_folder(self) -> Path:
        """The browser's profile of the app's own window."""
        return self.home / "window"

    @property
    def workspace_path(self) -> Path:
        """The workspace's name, its port, and what was shown once."""
        return self.home / "workspace.json"

    @property
    def app_log_path(self) -> Path:
        """Words of an app that was started from another workspace's."""
        return self.home / "app.log"

    @property
    def known_workspaces_path(self) -> Path:
        """Data directories that were opened on this machine, in the person's own configuration."""
        return self.config_folder / "workspaces.json"

    def engine_folder(self, engine: str) -> Path:
        """The environment of an engine that has one of its own."""
        return self.home / "engines" / engine

    def live_folder(self, key: str) -> RunFolder:
        """Files of a candidate that is loaded for a head-to-head; two workbenches may load the same one."""
        return RunFolder(self.home / "live" / f"{key[:16]}-{os.getpid()}")

    def run_folder(self, key: str) -> RunFolder:
        """Files of one run."""
        return RunFolder(self.home / "runs" / key)


def read_settings(home: Path | None = None) -> Settings:
    """Settings with a data directory that exists and can be written. Raises BadSettings."""
    folder = (home or _usual_home()).expanduser().absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".write-{os.getpid()}"
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        message = f"The data directory {folder} cannot be used: {error.strerror}. Name another one with --home DIR."
        raise BadSettings(message) from error
    return Settings(
        home=folder,
        hub_cache=_hub_cache(),
        ollama_models=_path_in("OLLAMA_MODELS"),
        live_memory_bytes=_live_memory_bytes(),
    )


def read_secrets(names: Iterable[str | None]) -> dict[str, str]:
    """Values of the environment variables that options name, where they are set. Read when a run starts, never kept."""
    return {name: os.environ[name] for name in names if name is not None and name in os.environ}


def _usual_home() -> Path:
    return _path_in(HOME_VARIABLE) or Path(platformdirs.user_data_dir("open-model-workbench", appauthor=False))


def has_desktop() -> bool:
    """Whether a window can be opened from here; a terminal on a server has none."""
    if sys.platform in {"win32", "darwin"}:
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))


def _live_memory_bytes() -> int | None:
    value = os.environ.get(LIVE_MEMORY_VARIABLE)
    if not value:
        return None
    try:
        return int(float(value) * 2**30)
    except (ValueError, OverflowError) as error:
        message = (
            f"{LIVE_MEMORY_VARIABLE} is {value!r}, which is no number of GiB. Set it to one such as 8, or unset it."
        )
        raise BadSettings(message) from error


def _hub_cache() -> Path | None:
    home = _path_in("HF_HOME")
    return _path_in("HF_HUB_CACHE") or (home / "hub" if home is not None else None)


def _path_in(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value).expanduser().absolute() if value else None
