"""The service's part on engines that live in an environment of their own: install, check, remove, and point runs to it.

The work is done by runners/vllm_install.py; here stands where it is kept. Only vLLM needs one so far.
"""

import contextlib
from collections.abc import Callable
from pathlib import Path

from catalog.errors import Cancelled
from runners.engine_options import EngineOptions, VllmOptions
from runners.errors import EngineUnavailable
from runners.vllm_environment import INSTALL_COMMAND, find_environment
from runners.vllm_install import check_vllm, install_vllm, uninstall_vllm
from workbench.jobs import Job
from workbench.records import EngineStatus
from workbench.settings import Settings

OWN_ENVIRONMENT = "vllm"
"""The engine that has one."""
_CAN = "safetensors of transformers models on NVIDIA GPUs, or slowly on the CPU"


def with_environment(options: EngineOptions, settings: Settings) -> EngineOptions:
    """The options with the place of the engine's environment, where they name none."""
    if isinstance(options, VllmOptions) and options.environment is None:
        return options.model_copy(update={"environment": str(settings.engine_folder(options.engine))})
    return options


def vllm_status(settings: Settings) -> EngineStatus:
    """How vLLM stands."""
    folder = settings.engine_folder(OWN_ENVIRONMENT)
    found = find_environment(folder)
    if found is None:
        state = "unfinished" if folder.exists() else "missing"
        return EngineStatus(name=OWN_ENVIRONMENT, version=None, can=_CAN, install=INSTALL_COMMAND, state=state)
    return EngineStatus(
        name=OWN_ENVIRONMENT,
        version=found.version,
        can=_CAN,
        install=INSTALL_COMMAND,
        build=f"{found.build}, torch {found.torch_version}",
        folder=str(folder),
        size_bytes=found.size_bytes,
    )


class EngineInstall:
    """Installs an engine; the work of one job. Its log is beside the environment."""

    def __init__(self, engine: str, environments: "EngineEnvironments") -> None:
        self._engine = engine
        self._environments = environments

    def __call__(self, job: Job) -> None:
        """Do the work. Raises EngineUnavailable; what was cut off is removed by the next try."""
        with contextlib.suppress(Cancelled):
            self._environments.install(self._engine, lambda line: job.update(message=line), job.is_cancelled)


class EngineEnvironments:
    """Environments of one data directory."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def install(
        self, engine: str, on_progress: Callable[[str], None], is_cancelled: Callable[[], bool] = lambda: False
    ) -> EngineStatus:
        """Install an engine, or find it whole. Raises EngineUnavailable with what to do, or Cancelled."""
        install_vllm(self._folder(engine), on_progress, is_cancelled)
        return vllm_status(self._settings)

    def check(self, engine: str) -> EngineStatus:
        """Start the engine's own check in its environment. Raises EngineUnavailable where it fails."""
        check_vllm(self._folder(engine))
        return vllm_status(self._settings)

    def uninstall(self, engine: str) -> int:
        """Remove an engine's environment; returns the bytes that were freed, 0 where there was none."""
        return uninstall_vllm(self._folder(engine))

    def _folder(self, engine: str) -> Path:
        if engine != OWN_ENVIRONMENT:
            raise EngineUnavailable(
                f"The engine {engine!r} has no environment of its own; only {OWN_ENVIRONMENT} has. "
                "What comes with the workbench is mended by: python3 launch.py repair."
            )
        return self._settings.engine_folder(engine)
