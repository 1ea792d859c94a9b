"""What the names and sizes in a repository's file list mean: formats, quantizations, numbered parts, which to load.

Pure: reads no file and asks nobody. Downloads nothing.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from catalog.records import WeightsFile

Format = Literal["gguf", "safetensors", "pickle", "other"]

_QUANTIZATION = re.compile(
    r"(?<![A-Za-z0-9])((?:I?Q\d\w*|TQ\d\w*|BF16|F16|F32|FP16|FP32|MXFP4\w*|NVFP4))(?=[.-]|$)", re.IGNORECASE
)
_PART = re.compile(r"^(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})(?P<ending>\.\w+)$")
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
_PICKLES_BESIDE_WEIGHTS = re.compile(
    r"(training_args|optimizer|scheduler|rng_state|random_states|trainer_state)[^/]*\.\w+$"
)
_BESIDE_GGUF = re.compile(r"(^|[/._-])(mmproj|imatrix|tokenizer|vocab[-_]only)", re.IGNORECASE)
"""GGUF files that are no language model by themselves: image projectors, importance matrices, bare vocabularies."""
_MAIN_SAFETENSORS = re.compile(r"^model(-\d{5}-of-\d{5})?\.safetensors$")
_MAIN_PICKLE = re.compile(r"^pytorch_model(-\d{5}-of-\d{5})?\.bin$")
_BESIDE_WEIGHTS = re.compile(
    r"^(config|generation_config|preprocessor_config|processor_config|adapter_config|special_tokens_map|added_tokens"
    r"|vocab|merges|tokenizer|tokenizer_config|chat_template|model_index|video_preprocessor_config|spiece|tekken)"
    r"\.(json|txt|jinja|model)$|^[\w.-]+\.tiktoken$"
)
"""Files in the root that an engine needs beside safetensors."""


class HubFile(NamedTuple):
    """One file of a repository."""

    path: str
    """Inside the repository."""
    size_bytes: int | None
    """None in lists, which state no sizes."""
    sha256: str | None
    """Of the whole file, where it is stored outside git."""
    git_oid: str | None
    """Git's digest of a file that is stored in git itself."""


def files_of(siblings: object) -> tuple[HubFile, ...]:
    """The file list of an info answer; what is not as expected is left out."""
    found = []
    for item in siblings if isinstance(siblings, list) else ():
        name = item.get("rfilename") if isinstance(item, Mapping) else None
        if not isinstance(name, str) or not name or not _is_safe_path(name):
            continue
        large = item.get("lfs")
        large = large if isinstance(large, Mapping) else {}
        size = large.get("size", item.get("size"))
        found.append(
            HubFile(
                path=name,
                size_bytes=size if isinstance(size, int) and 0 <= size < 2**63 else None,
                sha256=_digest(large.get("sha256"), 64),
                git_oid=None if large else _digest(item.get("blobId"), 40),
            )
        )
    return tuple(found)


def format_of(path: str) -> Format:
    """Container format by the ending."""
    name = path.lower()
    if name.endswith(".gguf"):
        return "gguf"
    if name.endswith(".safetensors"):
        return "safetensors"
    if name.endswith(_PICKLES):
        return "pickle"
    return "other"


def quantization_of(filename: str) -> str | None:
    """Quantization that a file name, or else its folder, carries, such as `Q4_K_M`."""
    for part in reversed(filename.split("/")):
        stem = part.rpartition(".")[0] if part.lower().endswith(".gguf") else part
        found = _QUANTIZATION.findall(stem + ".")
        if found:
            name: str = found[-1].upper()
            return name.replace("FP16", "F16").replace("FP32", "F32") if name in {"FP16", "FP32"} else name
    return None


def weights_of(files: Iterable[HubFile]) -> tuple[WeightsFile, ...]:
    """Every file of weights; companions of a GGUF model (projectors, importance matrices) are none."""
    return tuple(
        WeightsFile(
            path=file.path,
            size_bytes=file.size_bytes,
            format=format_of(file.path),
            quantization=quantization_of(file.path) if format_of(file.path) == "gguf" else None,
            sha256=file.sha256,
        )
        for file in files
        if is_weights(file.path)
    )


def is_weights(path: str) -> bool:
    """Whether the file holds weights that can be loaded as the model."""
    kind = format_of(path)
    if kind == "gguf":
        return not _BESIDE_GGUF.search(path)
    if kind == "pickle":
        return not _PICKLES_BESIDE_WEIGHTS.search(path)
    return kind == "safetensors"


def part_paths(path: str) -> tuple[str, ...]:
    """All numbered parts that belong to `path`, in order; only itself where it is whole."""
    match = _PART.match(path)
    if match is None:
        return (path,)
    count = int(match["count"])
    if not 0 < count < 1000:
        return (path,)
    return tuple(f"{match['stem']}-{number:05}-of-{match['count']}{match['ending']}" for number in range(1, count + 1))


def main_safetensors(files: Sequence[HubFile]) -> tuple[HubFile, ...]:
    """The safetensors files that make up the model, without second copies in other layouts."""
    return _main(files, "safetensors", _MAIN_SAFETENSORS)


def main_pickles(files: Sequence[HubFile]) -> tuple[HubFile, ...]:
    """The pickle files that make up the model."""
    return _main(files, "pickle", _MAIN_PICKLE)


def companions(files: Sequence[HubFile], weights: Sequence[HubFile]) -> tuple[HubFile, ...]:
    """Configuration, tokenizer and index files that belong to `weights`, without any code."""
    folders = {file.path.rpartition("/")[0] for file in weights}
    indexes = {re.sub(r"-\d{5}-of-\d{5}", "", file.path) + ".index.json" for file in weights}
    return tuple(
        file
        for file in files
        if file.path in indexes
        or (
            (folder := file.path.rpartition("/")[0]) in {"", *folders}
            and _BESIDE_WEIGHTS.match(_name(file.path, folder))
        )
    )


def code_files(files: Iterable[HubFile]) -> tuple[str, ...]:
    """Python files of the repository, which loading with remote code would run."""
    return tuple(file.path for file in files if file.path.endswith(".py"))


def _main(files: Sequence[HubFile], kind: Format, usual: re.Pattern[str]) -> tuple[HubFile, ...]:
    fitting = [file for file in files if format_of(file.path) == kind and is_weights(file.path)]
    named = [file for file in fitting if usual.match(file.path)]
    root = [file for file in fitting if "/" not in file.path]
    # Mistral's `consolidated` and fp16 variants repeat the same weights in another layout.
    plain = [file for file in root if not re.match(r"consolidated|.*\.(fp16|bf16|non_ema)\.", file.path)]
    if named:
        # A whole file beside parts is the same model twice.
        whole = [file for file in named if "-of-" not in file.path]
        return tuple(whole or named)
    return tuple(plain or root or fitting)


def _name(path: str, folder: str) -> str:
    return path[len(folder) + 1 :] if folder else path


def _digest(value: Any, length: int) -> str | None:
    text = value.lower() if isinstance(value, str) else ""
    return text if re.fullmatch(rf"[0-9a-f]{{{length}}}", text) else None


def _is_safe_path(path: str) -> bool:
    """No path of a foreign list may lead out of the repository's folder."""
    parts = path.replace("\\", "/").split("/")
    return not path.startswith("/") and ".." not in parts and ":" not in parts[0]
