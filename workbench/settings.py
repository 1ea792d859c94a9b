"""Settings: read once at the start, passed down. Nothing else in the project reads the environment."""

import getpass
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

import platformdirs

from catalog.records import Record
from runners.process import RunFolder
from workbench.errors import BadSettings

HOME_VARIABLE = "WORKBENCH_HOME"
"""Environment variable that moves the data directory; `--home` goes before it."""


class Settings(Record):
    """Where everything is kept, and where other programs keep their models."""

    home: Path
    """The data directory."""
    hub_cache: Path | None = None
    """The Hugging Face cache, where HF_HUB_CACHE or HF_HOME moved it."""
    ollama_models: Path | None = None
    """Ollama's models, where OLLAMA_MODELS moved them."""

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
    def device_lock_path(self) -> Path:
        """Held while something is measured: two runs at once would measure each other."""
        return Path(tempfile.gettempdir()) / f"open-model-workbench-{getpass.getuser()}.device.lock"

    @property
    def app_lock_path(self) -> Path:
        """Held by the app of this data directory."""
        return self.home / "app.lock"

    def engine_folder(self, engine: str) -> Path:
        """The environment of an engine that has one of its own."""
        return self.home / "engines" / engine

    def run_folder(self, key: str) -> RunFolder:
        """Files of one run."""
        return RunFolder(self.home / "runs" / key)


def read_settings(home: Path | None = None) -> Settings:
    """Settings with a data directory that exists and can be written. Raises BadSettings."""
    named = home or (Path(os.environ[HOME_VARIABLE]) if os.environ.get(HOME_VARIABLE) else None)
    folder = (
        (named or Path(platformdirs.user_data_dir("open-model-workbench", appauthor=False))).expanduser().absolute()
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".write-{os.getpid()}"
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        message = f"The data directory {folder} cannot be used: {error.strerror}. Name another one with --home DIR."
        raise BadSettings(message) from error
    return Settings(home=folder, hub_cache=_hub_cache(), ollama_models=_path_in("OLLAMA_MODELS"))


def read_secrets(names: Iterable[str | None]) -> dict[str, str]:
    """Values of the environment variables that options name, where they are set. Read when a run starts, never kept."""
    return {name: os.environ[name] for name in names if name is not None and name in os.environ}


def _hub_cache() -> Path | None:
    home = _path_in("HF_HOME")
    return _path_in("HF_HUB_CACHE") or (home / "hub" if home is not None else None)


def _path_in(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value).expanduser().absolute() if value else None
