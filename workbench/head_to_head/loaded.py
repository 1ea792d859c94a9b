"""Candidates that stay in memory between prompts, and when they leave it again.

They are unloaded when nobody asked them for a while, when a person says so, when something is to be measured (by this
workbench or another one on this machine), and when the app ends. Asks them nothing itself.
"""

import shutil
import threading
import time
from collections.abc import Iterable

from filelock import FileLock, Timeout

from runners.live_worker import LiveWorker
from runners.records import ModelLoaded, RunEvent, RunSpec
from workbench.errors import Busy
from workbench.head_to_head.records import LoadedModel
from workbench.remote import secrets_of
from workbench.settings import Settings

IDLE_SECONDS = 300.0
"""Nobody asked for so long: the memory is given back."""
_LOOK_SECONDS = 1.0


class LoadedCandidate:
    """One candidate in a worker of its own."""

    def __init__(self, spec: RunSpec, settings: Settings) -> None:
        """Start to load it. Raises OSError."""
        self.name = spec.candidate.name
        self.is_ready = False
        self._folder = settings.live_folder(spec.key)
        shutil.rmtree(self._folder.path, ignore_errors=True)
        self.worker = LiveWorker(spec, self._folder, secrets_of(spec.options))

    def new_events(self) -> tuple[RunEvent, ...]:
        """What happened since the last look."""
        events = self.worker.new_events()
        self.is_ready |= any(isinstance(event, ModelLoaded) for event in events)
        return events

    def close(self) -> None:
        """End its process; its log stays until the same candidate is loaded again."""
        self.worker.close()


class LoadedCandidates:
    """All of them, by key of their spec. Used by one job at a time (`in_use`); pages look and unload."""

    def __init__(self, settings: Settings, *, idle_seconds: float = IDLE_SECONDS) -> None:
        self._settings = settings
        self._idle_seconds = idle_seconds
        self.in_use = threading.Lock()
        """Held while candidates are asked."""
        self._loaded: dict[str, LoadedCandidate] = {}
        self._used_at = time.monotonic()
        self._watcher: threading.Thread | None = None
        self._why = ""

    @property
    def why_unloaded(self) -> str:
        """Why the last ones left, as a sentence; empty where a person said so or none was loaded."""
        return self._why

    def get(self, spec: RunSpec) -> LoadedCandidate:
        """The candidate, loaded or about to be. Raises OSError. Only while `in_use` is held."""
        found = self._loaded.get(spec.key)
        if found is not None and found.worker.is_alive:
            return found
        self.drop([spec.key])
        self._why = ""
        found = LoadedCandidate(spec, self._settings)
        self._loaded = {**self._loaded, spec.key: found}
        self._watch()
        return found

    def keep_only(self, keys: Iterable[str]) -> None:
        """Unload all others. Only while `in_use` is held."""
        wanted = set(keys)
        self.drop([key for key in self._loaded if key not in wanted])

    def drop(self, keys: Iterable[str]) -> None:
        """Unload these. Only while `in_use` is held."""
        gone = {key: self._loaded[key] for key in keys if key in self._loaded}
        self._loaded = {key: each for key, each in self._loaded.items() if key not in gone}
        for each in gone.values():
            each.close()

    def touch(self) -> None:
        """Somebody asked just now."""
        self._used_at = time.monotonic()

    def unload(self) -> None:
        """Free the memory, because a person says so. Raises Busy while candidates are asked."""
        if not self.in_use.acquire(blocking=False):
            raise Busy("The candidates are being asked. Stop them first, then unload.")
        try:
            self._unload("")
        finally:
            self.in_use.release()

    def make_room(self, reason: str) -> None:
        """Free the memory for what comes next, waiting until nobody asks."""
        with self.in_use:
            self._unload(reason)

    def give_way(self) -> None:
        """Free the memory where another workbench measures. Only while `in_use` is held and no job holds the device."""
        if self._is_measured_elsewhere():
            self._unload("Unloaded, because another workbench measures on this machine.")

    def shown(self) -> tuple[LoadedModel, ...]:
        """What is in memory now."""
        asked = self.in_use.locked()
        left = max(0.0, self._idle_seconds - (time.monotonic() - self._used_at))
        return tuple(
            LoadedModel(
                name=each.name,
                process_id=each.worker.process_id,
                state="ready" if each.is_ready else "loading",
                unloads_in_seconds=None if asked else left,
            )
            for each in self._loaded.values()
        )

    def _unload(self, reason: str) -> None:
        if self._loaded:
            self._why = reason
            self.drop(list(self._loaded))

    def _watch(self) -> None:
        if self._watcher is None or not self._watcher.is_alive():
            self._watcher = threading.Thread(target=self._look_after, name="loaded candidates", daemon=True)
            self._watcher.start()

    def _look_after(self) -> None:
        """Until nothing is loaded any more."""
        while self._loaded:
            time.sleep(_LOOK_SECONDS)
            if not self.in_use.acquire(blocking=False):
                continue
            try:
                if time.monotonic() - self._used_at > self._idle_seconds:
                    self._unload(f"Unloaded after {self._idle_seconds / 60:.0f} minutes in which nobody asked.")
                else:
                    self.give_way()
            finally:
                self.in_use.release()

    def _is_measured_elsewhere(self) -> bool:
        try:
            with FileLock(self._settings.device_lock_path).acquire(timeout=0):
                return False
        except Timeout:
            return True
