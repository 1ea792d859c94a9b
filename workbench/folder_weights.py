"""Weights that are a Hugging Face folder: safetensors with config and tokenizer, on this machine or from the Hub.

Looks at a path, then into the Hugging Face cache, then asks the Hub, in this order. Loads no model, hashes no file.
"""

from pathlib import Path

from catalog.errors import ModelNotFound
from catalog.hub import CachedRevision, cached_revisions, download, plan_download
from catalog.hugging_face_folder import is_hugging_face_folder, open_folder
from catalog.records import Model
from workbench.records import CandidateDefinition

_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "tekken.json")


class FolderWeights:
    """A folder, and what is known of it."""

    def __init__(self, folder: Path, model: Model, cached: CachedRevision | None) -> None:
        self.folder = folder
        self.model = model
        self.revision = cached.revision if cached is not None else None
        self.files = tuple(Path(file.path) for file in model.weights_files)
        self.known_sha256 = {Path(file.path): file.sha256 for file in cached.files} if cached is not None else {}


def find_folder(definition: CandidateDefinition, start: Path) -> FolderWeights:
    """The folder that a definition names; `start` is where relative paths begin.

    Raises ModelNotFound, BadWeightsFile, DownloadRefused or HubUnavailable, each with what to do.
    """
    path = Path(definition.model).expanduser()
    path = path if path.is_absolute() else start / path
    if path.exists() or definition.model.endswith(".gguf"):
        return _checked(_read(path, None), definition)
    cached = _cached(definition)
    if cached is None:
        plan = plan_download(definition.model, definition.revision)
        if plan.files[0].path.endswith(".gguf"):
            raise ModelNotFound(
                f"{definition.model} has GGUF files only, which run on llama-cpp. vLLM wants safetensors: name "
                "the repository that it was made from."
            )
        download(plan)
        cached = _cached(definition.model_copy(update={"revision": plan.revision}))
    if cached is None:
        raise ModelNotFound(f"{definition.model} was fetched but is not whole in the Hugging Face cache. Try again.")
    return _checked(_read(Path(cached.folder), cached), definition)


def _cached(definition: CandidateDefinition) -> CachedRevision | None:
    """The revision that is asked for, or `main` as it was fetched, or the only one."""
    whole = [entry for entry in cached_revisions(definition.model) if is_hugging_face_folder(Path(entry.folder))]
    wanted = [entry for entry in whole if definition.revision in {entry.revision, *entry.refs}]
    if definition.revision is None:
        wanted = [entry for entry in whole if "main" in entry.refs] or whole
    return wanted[0] if wanted else None


def _read(folder: Path, cached: CachedRevision | None) -> FolderWeights:
    if not folder.is_dir():
        raise ModelNotFound(
            f"{folder} is no folder. vLLM wants a folder with config.json, safetensors and the tokenizer; "
            "a GGUF file runs on the engine llama-cpp."
        )
    weights = FolderWeights(folder, open_folder(folder), cached)
    if any(file.format != "safetensors" for file in weights.model.weights_files):
        raise ModelNotFound(
            f"{folder} holds its weights as pickle, and loading a pickle can run code. Get a safetensors version."
        )
    if not any((folder / name).is_file() for name in _TOKENIZERS):
        raise ModelNotFound(f"{folder} holds no tokenizer ({_TOKENIZERS[0]}). Get the whole folder of the model.")
    return weights


def _checked(weights: FolderWeights, definition: CandidateDefinition) -> FolderWeights:
    own = weights.model.quantization
    if definition.quantize_from is not None:
        raise ModelNotFound(
            "quantize_from makes GGUF files, which vLLM does not run. Leave it out; the option quantization of vllm "
            "quantizes while loading (fp8, bitsandbytes)."
        )
    if definition.quantization is not None and definition.quantization.lower() != (own or "").lower():
        raise ModelNotFound(
            f"{weights.folder} is {own or 'not quantized'}, not {definition.quantization}. Leave quantization out, or "
            "name another folder."
        )
    return weights
