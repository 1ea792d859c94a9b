"""The environment that vLLM lives in: where it is, whether it is whole, what is in it. Installs nothing.

A folder with a virtual environment and, beside it, `installed.json`, which is written last, when vLLM has been imported
there: a folder without it is an installation that was cut off. vLLM pins its own torch, fastapi and transformers,
which is why it is never installed beside the workbench.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from catalog.records import Record
from runners.engine_options import VllmOptions
from runners.errors import EngineUnavailable

INSTALL_COMMAND = "python3 launch.py engines install vllm"
"""What a person types to get it."""


class VllmEnvironment(Record):
    """What was installed, as the self-check read it from the imported packages."""

    version: str
    """vLLM's version."""
    build: Literal["cuda", "cpu"]
    """GPU or CPU build."""
    torch_version: str
    """Version of torch in it, with its build: `2.13.0+cpu`."""
    python_version: str
    """Version of the Python that it was made with."""
    platform: str
    """What vLLM says it runs on."""
    size_bytes: int = Field(ge=0)
    """Of the whole folder."""
    installed_at: str
    """Wall clock, ISO 8601."""


def record_path(folder: Path) -> Path:
    """Where the record of a finished installation lies."""
    return folder / "installed.json"


def python_path(folder: Path) -> Path:
    """The environment's Python."""
    return folder / "bin" / "python"


def find_environment(folder: Path) -> VllmEnvironment | None:
    """What is installed in a folder; None where nothing is, or not whole."""
    try:
        record = VllmEnvironment.model_validate_json(record_path(folder).read_bytes())
    except (OSError, ValidationError):
        return None
    return record if python_path(folder).exists() else None


def environment_of(options: VllmOptions) -> tuple[Path, VllmEnvironment]:
    """The folder that the options name and what is in it. Raises EngineUnavailable with the command."""
    if options.environment is None:
        raise EngineUnavailable(f"The engine 'vllm' is not installed. Install it with: {INSTALL_COMMAND}.")
    folder = Path(options.environment)
    found = find_environment(folder)
    if found is None:
        state = "holds an installation that was cut off" if folder.exists() else "does not exist"
        raise EngineUnavailable(
            f"The engine 'vllm' is not installed: {folder} {state}. Install it with: {INSTALL_COMMAND}."
        )
    return folder, found
