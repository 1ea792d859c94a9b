"""What this machine has for the workbench and what is missing, each with the fix. Changes nothing."""

import importlib.util
import shutil
import sys
from pathlib import Path

from catalog.errors import WorkbenchError
from catalog.packaged import packaged_weights
from catalog.records import Machine
from results import numbers
from results.store import Store
from runners.engine import ENGINE_NAMES, engine_version
from runners.errors import EngineUnavailable
from workbench.engine_environments import OWN_ENVIRONMENT, vllm_status
from workbench.records import Check, EngineStatus
from workbench.settings import Settings

_DEMO_MODELS = ("HuggingFaceTB/SmolLM2-135M-Instruct", "google/gemma-3-270m")
_ENGINE_FACTS = {
    "llama-cpp": ("GGUF files on CPU and GPU", "python3 launch.py repair"),
    "endpoint": ("OpenAI-compatible servers, here or elsewhere", "comes with the workbench"),
    "scripted": ("nothing real: exact delays for tests", "comes with the workbench"),
}
_LITTLE_DISK_BYTES = 5 * 1024**3
_LITTLE_MEMORY_BYTES = 2 * 1024**3


def engine_statuses(settings: Settings) -> tuple[EngineStatus, ...]:
    """Every engine, installed or not."""
    statuses = []
    for name in ENGINE_NAMES:
        if name == OWN_ENVIRONMENT:
            statuses.append(vllm_status(settings))
            continue
        can, install = _ENGINE_FACTS[name]
        version = _version(name)
        state = "installed" if version is not None else "missing"
        statuses.append(EngineStatus(name=name, version=version, can=can, install=install, state=state))
    return tuple(statuses)


def examine(machine: Machine, settings: Settings, store: Store) -> tuple[Check, ...]:
    """All checks, in the order a person would go through them."""
    return (
        Check(name="Python", state="ok", found=f"{machine.python} at {sys.executable}"),
        Check(
            name="CPU",
            state="ok",
            found=f"{machine.cpu}, {machine.logical_cores} cores, {', '.join(machine.instruction_sets)}",
        ),
        _memory(machine),
        Check(
            name="GPU",
            state="ok",
            found="; ".join(f"{gpu.name}, {numbers.bytes_(gpu.total_bytes)}" for gpu in machine.gpus)
            or "no NVIDIA GPU found; models run on the CPU",
        ),
        _disk(settings),
        _results(settings, store),
        _llama_cpp(machine),
        _vllm(settings),
        _demo_models(),
    )


def _memory(machine: Machine) -> Check:
    available = machine.memory_available_bytes
    return Check(
        name="Memory",
        state="ok" if available >= _LITTLE_MEMORY_BYTES else "warning",
        found=f"{numbers.bytes_(available)} available of {numbers.bytes_(machine.memory_total_bytes)}",
        fix="" if available >= _LITTLE_MEMORY_BYTES else "Close other programs before measuring.",
    )


def _disk(settings: Settings) -> Check:
    free = shutil.disk_usage(settings.home).free
    return Check(
        name="Data directory",
        state="ok" if free >= _LITTLE_DISK_BYTES else "warning",
        found=f"{settings.home}, {numbers.bytes_(free)} free",
        fix="" if free >= _LITTLE_DISK_BYTES else "Free some space, or move the data directory with --home DIR.",
    )


def _results(settings: Settings, store: Store) -> Check:
    if not settings.results_path.exists():
        return Check(name="Results", state="ok", found="no results yet")
    try:
        count = len(store.benchmarks())
    except WorkbenchError as error:
        return Check(name="Results", state="missing", found=str(error), fix="See the message.")
    return Check(name="Results", state="ok", found=f"{count} benchmark{'s' if count != 1 else ''}")


def _llama_cpp(machine: Machine) -> Check:
    version = _version("llama-cpp")
    if version is None:
        return Check(
            name="llama.cpp engine", state="missing", found="not installed", fix=f"Run {_ENGINE_FACTS['llama-cpp'][1]}."
        )
    if machine.gpus and not _offloads():
        return Check(
            name="llama.cpp engine",
            state="warning",
            found=f"{version}, built without GPU support",
            fix='Rebuild it: CMAKE_ARGS="-DGGML_CUDA=on" python3 launch.py repair.',
        )
    return Check(name="llama.cpp engine", state="ok", found=version)


def _vllm(settings: Settings) -> Check:
    status = vllm_status(settings)
    if status.state == "unfinished":
        found = f"an installation in {settings.engine_folder(status.name)} was cut off"
        return Check(name="vLLM engine", state="warning", found=found, fix=f"Run {status.install} again.")
    if status.version is None:
        found = f"not installed; optional: {status.install}"
        return Check(name="vLLM engine", state="ok", found=found)
    return Check(name="vLLM engine", state="ok", found=f"{status.version} ({status.build})")


def _offloads() -> bool:
    """Whether the installed build carries a CUDA backend; looks at its files, loads nothing."""
    package = importlib.util.find_spec("llama_cpp")
    folders = package.submodule_search_locations if package is not None else None
    return any("cuda" in file.name for folder in folders or () for file in _files(folder))


def _files(folder: str) -> list[Path]:
    return list(Path(folder, "lib").glob("*"))


def _demo_models() -> Check:
    missing = [model for model in _DEMO_MODELS if not packaged_weights(model)]
    return Check(
        name="Demo models",
        state="ok" if not missing else "missing",
        found=", ".join(model for model in _DEMO_MODELS if model not in missing) or "none",
        fix="" if not missing else "Run python3 launch.py repair.",
    )


def _version(engine: str) -> str | None:
    try:
        return engine_version(engine)
    except EngineUnavailable:
        return None
