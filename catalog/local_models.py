"""Models on this machine, read from the files: one that is named, or all in the places where tools keep them.

`open_local` turns a path into a Model: a GGUF file, a folder of them, a Hugging Face folder, or a bare config.json.
`scan_local` walks places: any folder, the Hugging Face cache, the folders of LM Studio and Ollama. No weights are
loaded and no network is asked; what a folder does not say (a missing card, say) stays unknown.

A model's id is its path, so that it can be opened again. Where it came from (`owner/name` on the Hub, an Ollama tag) is
in its notes, and, if the files name no parent themselves, in base_models: license and lineage can follow it there.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from catalog.errors import BadWeightsFile, CatalogError, ModelNotFound
from catalog.gguf_file import GgufFacts, read_gguf
from catalog.gguf_reader import is_later_part
from catalog.hugging_face_folder import SUFFIX_OF_WEIGHTS, is_hugging_face_folder, open_config, open_folder
from catalog.ollama_folder import OllamaModel, license_of_text, ollama_models
from catalog.records import Confidence, Model, Provenance, Record, WeightsFile

DEEPEST_FOLDER = 6
"""Folders further down than this are not walked: a model library is not that deep."""
MOST_ENTRIES = 100_000
"""Files looked at in one place before the walk is given up."""

PlaceKind = Literal["folder", "hub_cache", "lm_studio", "ollama"]


class LocalPlace(Record):
    """A folder in which models may lie, and how they lie in it."""

    kind: PlaceKind
    """folder: any arrangement; hub_cache: models--OWNER--NAME/snapshots/REVISION; lm_studio: OWNER/NAME/FILE;
    ollama: manifests and blobs."""
    path: str
    """The folder."""


class LocalProblem(Record):
    """Something that could not be read."""

    path: str
    """What it is about."""
    message: str
    """What is wrong and what to do, in one or two sentences."""


class LocalScan(Record):
    """What was found on this machine."""

    models: tuple[Model, ...]
    """Models, by id."""
    problems: tuple[LocalProblem, ...] = ()
    """Files that look like models and could not be read."""


class _Found(NamedTuple):
    """A path to open, and where it came from."""

    path: Path
    origin: str | None = None
    """`owner/name` on the Hub."""
    note: str | None = None
    revision: str | None = None
    ollama: OllamaModel | None = None


def known_places(home: Path, hf_cache: Path | None = None, ollama: Path | None = None) -> tuple[LocalPlace, ...]:
    """The folders of tools that exist on this machine.

    `hf_cache` and `ollama` are the folders that settings name (HF_HUB_CACHE, OLLAMA_MODELS); None means the tools' own
    defaults under `home`.
    """
    candidates: tuple[tuple[PlaceKind, Path], ...] = (
        ("hub_cache", hf_cache or home / ".cache" / "huggingface" / "hub"),
        ("lm_studio", home / ".lmstudio" / "models"),
        ("lm_studio", home / ".cache" / "lm-studio" / "models"),
        ("ollama", ollama or home / ".ollama" / "models"),
    )
    return tuple(LocalPlace(kind=kind, path=str(path)) for kind, path in candidates if path.is_dir())


def open_local(path: Path) -> Model:
    """The model at a path: a .gguf file, a folder of them, a Hugging Face folder or a config.json.

    Raises ModelNotFound where there is nothing, or no model; BadWeightsFile where files are damaged or incomplete.
    """
    path = path.expanduser().absolute()
    if not path.exists():
        raise ModelNotFound(f"There is no file or folder {path}. Check the path.")
    if path.is_dir():
        return _open_folder(path)
    if path.suffix == ".json":
        return open_config(path)
    if path.suffix in {".safetensors", ".bin", ".pt", ".pth"} and (path.parent / "config.json").is_file():
        return open_folder(path.parent)
    return _gguf_model((path,))


def scan_local(places: Iterable[LocalPlace]) -> LocalScan:
    """Every model in the places. A file that cannot be read becomes a problem and never ends the scan."""
    models: dict[str, Model] = {}
    problems: list[LocalProblem] = []
    for place in places:
        try:
            for found in _FINDERS[place.kind](Path(place.path).expanduser().absolute()):
                if isinstance(found, LocalProblem):
                    problems.append(found)
                elif str(found.path) not in models:
                    _add(found, models, problems)
        except OSError as error:
            problems.append(LocalProblem(path=place.path, message=f"{place.path} cannot be read: {error.strerror}."))
    return LocalScan(models=tuple(models[key] for key in sorted(models)), problems=tuple(problems))


def _add(found: _Found, models: dict[str, Model], problems: list[LocalProblem]) -> None:
    try:
        if found.path.is_dir():
            model = open_folder(found.path)
        else:
            facts = read_gguf(found.path)
            if facts.kind != "model":
                return  # the vision part or an adapter of a model beside it
            model = _model_of(found.path, (facts,))
    except (CatalogError, OSError) as error:
        problems.append(LocalProblem(path=str(found.path), message=str(error)))
        return
    models[model.id] = _with_origin(model, found)


def _with_origin(model: Model, found: _Found) -> Model:
    """Where it came from, as a note and, without declared parents, as its parent."""
    changes: dict[str, Any] = {}
    sources = list(model.provenance)
    if found.origin is not None and not model.base_models:
        changes["base_models"] = (found.origin,)
        sources.append(_provenance("base_models", "name of the folder it was downloaded to", "derived"))
    if found.note is not None:
        changes["notes"] = (found.note, *model.notes)
    if found.revision is not None:
        changes["revision"] = found.revision
    license_id = None
    if found.ollama is not None:
        license_id = license_of_text(found.ollama.license_text)
        # Ollama checks the digest when it pulls, and names the blob by it.
        changes["weights_files"] = (model.weights_files[0].model_copy(update={"sha256": found.ollama.sha256}),)
    if license_id is not None and model.license is None:
        changes["license"] = license_id
        sources.append(_provenance("license", "first lines of the license that Ollama ships with it", "derived"))
    return model.model_copy(update={**changes, "provenance": tuple(sources)})


def _open_folder(path: Path) -> Model:
    if is_hugging_face_folder(path):
        return open_folder(path)
    snapshot = newest_snapshot(path)
    if snapshot is not None:
        return _open_folder(snapshot)
    files = sorted(file for file in path.glob("*.gguf") if not is_later_part(file))
    if files:
        return _gguf_model(files)
    raise ModelNotFound(
        f"{path} holds no model: no .gguf file, and no config.json with weights. Name the folder of one model."
    )


def _gguf_model(paths: Sequence[Path]) -> Model:
    """One model from its quantizations in one folder; its vision part counts as such."""
    facts = [read_gguf(path) for path in paths]
    texts = [one for one in facts if one.kind == "model"]
    if not texts:
        message = f"{paths[0]} is no language model but {facts[0].kind!r}. Name the file of the model itself."
        raise BadWeightsFile(message)
    first = texts[0].architecture
    for other in texts[1:]:
        if (other.architecture.name, other.architecture.layers, other.architecture.hidden_size) != (
            first.name,
            first.layers,
            first.hidden_size,
        ):
            names = ", ".join(Path(one.path).name for one in texts)
            raise ModelNotFound(f"{paths[0].parent} holds several models: {names}. Name one of the files.")
    model = _model_of(paths[0] if len(paths) == 1 else paths[0].parent, texts)
    return model.model_copy(update={"multimodal": True}) if len(texts) < len(facts) else model


def _model_of(path: Path, quantizations: Sequence[GgufFacts]) -> Model:
    facts = quantizations[0]
    source = f"GGUF header of {Path(facts.path).name}"
    model = Model(
        id=str(path),
        kind="local",
        task="text-generation",
        license=facts.license,
        license_name=facts.license_name,
        license_link=facts.license_link,
        base_models=facts.base_models,
        parameters=facts.parameters or None,
        context_native_tokens=facts.context_tokens,
        context_extended_tokens=facts.context_extended_tokens,
        context_extension=facts.context_extension,
        context_effective_tokens=facts.context_effective_tokens,
        architecture=facts.architecture,
        formats=("gguf",),
        library="gguf",
        languages=facts.languages,
        datasets=facts.datasets,
        weights_files=tuple(
            WeightsFile(path=one.path, size_bytes=one.size_bytes, format="gguf", quantization=one.quantization)
            for one in quantizations
        ),
        quantization=facts.quantization if len(quantizations) == 1 else None,
        notes=facts.notes,
    )
    fields = (
        *("parameters", "architecture", "license", "base_models", "context_native_tokens", "context_extension"),
        *("context_extended_tokens", "languages", "datasets", "quantization", "weights_files"),
    )
    known = [field for field in fields if getattr(model, field) not in (None, ())]
    return model.model_copy(update={"provenance": tuple(_provenance(field, source, "verified") for field in known)})


def newest_snapshot(folder: Path) -> Path | None:
    """Of a repository in the Hugging Face cache: the revision that `main` points to, else the one written last."""
    snapshots = folder / "snapshots"
    if not snapshots.is_dir():
        return None
    reference = folder / "refs" / "main"
    if reference.is_file():
        named = snapshots / Path(reference.read_text(encoding="utf-8", errors="replace").strip()).name
        if named.is_dir() and named != snapshots:
            return named
    revisions = [revision for revision in snapshots.iterdir() if revision.is_dir()]
    return max(revisions, key=lambda revision: revision.stat().st_mtime, default=None)


def _in_hub_cache(root: Path) -> Iterator[_Found | LocalProblem]:
    for folder in sorted(root.glob("models--*")):
        snapshot = newest_snapshot(folder)
        if snapshot is None:
            continue
        name = folder.name.removeprefix("models--").replace("--", "/", 1)
        note = f"Copy of {name} in the Hugging Face cache."
        for path in _models_under(snapshot):
            yield path if isinstance(path, LocalProblem) else _Found(path, name, note, snapshot.name)


def _in_lm_studio(root: Path) -> Iterator[_Found | LocalProblem]:
    for path in _models_under(root):
        if isinstance(path, LocalProblem):
            yield path
            continue
        parts = path.relative_to(root).parts
        name = "/".join(parts[:2]) if len(parts) >= 2 else None
        yield _Found(path, name, f"Downloaded by LM Studio as {name}." if name else None)


def _in_folder(root: Path) -> Iterator[_Found | LocalProblem]:
    for path in _models_under(root):
        yield path if isinstance(path, LocalProblem) else _Found(path)


def _in_ollama(root: Path) -> Iterator[_Found | LocalProblem]:
    for entry in ollama_models(root):
        if isinstance(entry, OllamaModel):
            note = f"Pulled by Ollama as {entry.name}."
            yield _Found(entry.weights, entry.hub_id, note, None, entry)
        else:
            yield LocalProblem(path=str(entry.path), message=entry.message)


_FINDERS = {
    "folder": _in_folder,
    "hub_cache": _in_hub_cache,
    "lm_studio": _in_lm_studio,
    "ollama": _in_ollama,
}


def _models_under(root: Path) -> Iterator[Path | LocalProblem]:
    """Hugging Face folders and first parts of GGUF files, in order; bounded in depth and number."""
    seen = 0
    for name, folders, files in os.walk(root):
        folder = Path(name)
        if len(folder.relative_to(root).parts) >= DEEPEST_FOLDER:
            folders.clear()
        folders.sort()
        seen += len(files)
        if seen > MOST_ENTRIES:
            message = (
                f"{root} holds more than {MOST_ENTRIES:,} files; the rest was not looked at. Name a smaller folder."
            )
            yield LocalProblem(path=str(root), message=message)
            return
        if "config.json" in files and any(file.endswith(SUFFIX_OF_WEIGHTS) for file in files):
            yield folder
        for file in sorted(files):
            path = folder / file
            if file.lower().endswith(".gguf") and not is_later_part(path):
                yield path


def _provenance(field: str, source: str, confidence: Confidence) -> Provenance:
    return Provenance(field=field, source=source, confidence=confidence)
