"""Turns what a benchmark file names into a Candidate with a weights file on this machine.

Looks, in this order: a path; weights that came with an installed package; the Hugging Face cache and the Hub.
Quantizes where that is asked for. Loads no model.
"""

import hashlib
import json
import threading
from pathlib import Path

from catalog.errors import BadWeightsFile, ModelNotFound
from catalog.gguf_file import GgufFacts, file_sha256, read_gguf
from catalog.hub import cached_gguf_files, choose_file, fetch_file, list_gguf_files
from catalog.index import Index
from catalog.packaged import find_packaged, packaged_weights
from catalog.records import Candidate, Model, Record, WeightsFile
from runners.quantize import quantize_gguf
from workbench.folder_weights import find_folder
from workbench.ladder_book import Origin, write_origin
from workbench.records import BenchmarkDefinition, CandidateDefinition, NamedPrompt
from workbench.settings import Settings

_ONE_AT_A_TIME = threading.Lock()
"""Held while files are put together or quantized, so that two jobs do not make the same file twice."""


class _Weights(Record):
    """A weights file on this machine and what its source says of it."""

    file: WeightsFile
    revision: str | None = None
    license: str | None = None
    license_name: str | None = None
    notes: tuple[str, ...] = ()


def candidate_name(definition: CandidateDefinition) -> str:
    """The name that is shown: the one given, else made from model and quantization."""
    if definition.name is not None:
        return definition.name
    stem = definition.model.rstrip("/").rpartition("/")[2].removesuffix(".gguf")
    quantization = definition.quantization
    return stem if quantization is None or quantization.lower() in stem.lower() else f"{stem} {quantization}"


def weights_path(definition: CandidateDefinition, folder: Path) -> Path | None:
    """The file or folder that a candidate names as its weights, from `folder` on; None where they are a model's."""
    path = Path(definition.model).expanduser()
    path = path if path.is_absolute() else folder / path
    return path if path.exists() or definition.model.endswith(".gguf") else None


class PlannedRun(Record):
    """One candidate with one prompt."""

    candidate: CandidateDefinition
    """The candidate, with the name that the run has."""
    prompt: NamedPrompt | None = None
    """The prompt, where several are compared."""


def planned_runs(definition: BenchmarkDefinition) -> tuple[PlannedRun, ...]:
    """Every candidate with every prompt, in the order of the benchmark file."""
    if not definition.prompts:
        return tuple(PlannedRun(candidate=candidate) for candidate in definition.candidates)
    return tuple(
        PlannedRun(
            candidate=candidate.model_copy(update={"name": f"{candidate_name(candidate)} · {prompt.name}"}),
            prompt=prompt,
        )
        for candidate in definition.candidates
        for prompt in definition.prompts
    )


def resolve_candidate(definition: CandidateDefinition, folder: Path, settings: Settings, index: Index) -> Candidate:
    """The candidate with its weights on disk, checked. `folder` is where relative paths start.

    Raises ModelNotFound, BadWeightsFile, HubUnavailable or EngineFailed, each with what to do.
    """
    if definition.engine in _WITHOUT_FILE:
        return _without_file(definition, index)
    if definition.engine in _WITH_FOLDER:
        return _folder_candidate(definition, folder, settings, index)
    with _ONE_AT_A_TIME:
        weights = _find_weights(definition, folder, settings)
    facts = read_gguf(Path(weights.file.path))
    known = _known_model(definition.model, index)
    return Candidate(
        name=candidate_name(definition),
        model_id=definition.model,
        revision=weights.revision,
        weights_path=weights.file.path,
        weights_sha256=weights.file.sha256 or remembered_sha256(Path(weights.file.path), settings),
        weights_bytes=facts.size_bytes,
        quantization=weights.file.quantization or facts.quantization,
        engine=definition.engine,
        license=_license(known, weights, facts),
        license_name=(known.license_name if known is not None else None) or weights.license_name,
        parameters=facts.parameters,
        notes=weights.notes + (() if facts.chat_template else (_NO_TEMPLATE,)),
    )


def local_weights(model_id: str, settings: Settings) -> tuple[WeightsFile, ...]:
    """Weights of a model that can run now without a download; sizes may be unknown until they are used."""
    path = Path(model_id).expanduser()
    if path.is_file():
        facts = read_gguf(path)
        return (
            WeightsFile(path=str(path), size_bytes=facts.size_bytes, format="gguf", quantization=facts.quantization),
        )
    packaged = tuple(
        WeightsFile(path=model_id, format="gguf", quantization=quantization)
        for quantization in packaged_weights(model_id)
    )
    made = tuple(
        WeightsFile(
            path=str(file), size_bytes=file.stat().st_size, format="gguf", quantization=file.stem.rpartition("--")[2]
        )
        for file in sorted(settings.models_folder.glob(f"{file_stem(model_id)}--*.gguf"))
    )
    return (*packaged, *made, *cached_gguf_files(model_id))


_WITHOUT_FILE = frozenset({"endpoint", "scripted"})
"""Engines that read no weights file of ours."""

_WITH_FOLDER = frozenset({"vllm"})
"""Engines that read a Hugging Face folder."""

_SERVED = (
    "Measured through a server: which weights it holds, what else it does meanwhile and its memory are not known here, "
    "and latency includes the way to it."
)
_NO_TEMPLATE = (
    "This file has no chat template: it is a base model, prompted with plain text instead of turns of a conversation."
)


def _without_file(definition: CandidateDefinition, index: Index) -> Candidate:
    """A candidate whose weights are elsewhere; what the catalog knows of its model goes with it."""
    known = _known_model(definition.model, index) if definition.engine == "endpoint" else None
    return Candidate(
        name=candidate_name(definition),
        model_id=definition.model,
        revision=definition.revision,
        weights_path="",
        weights_bytes=0,
        quantization=definition.quantization,
        engine=definition.engine,
        license=known.license if known is not None else None,
        license_name=known.license_name if known is not None else None,
        parameters=known.parameters if known is not None else None,
        notes=(_SERVED,) if definition.engine == "endpoint" else (),
    )


def _folder_candidate(definition: CandidateDefinition, start: Path, settings: Settings, index: Index) -> Candidate:
    """A candidate whose weights are a folder of safetensors."""
    with _ONE_AT_A_TIME:
        found = find_folder(definition, start)
    known = _known_model(definition.model, index)
    digests = {
        path.name: found.known_sha256.get(path) or remembered_sha256(path, settings) for path in sorted(found.files)
    }
    return Candidate(
        name=candidate_name(definition),
        model_id=definition.model,
        revision=found.revision,
        weights_path=str(found.folder),
        weights_sha256=_sha256_of_folder(digests),
        weights_bytes=sum(path.stat().st_size for path in found.files),
        quantization=found.model.quantization,
        engine=definition.engine,
        license=(known.license if known is not None else None) or found.model.license,
        license_name=(known.license_name if known is not None else None) or found.model.license_name,
        parameters=found.model.parameters,
        notes=found.model.notes,
    )


def _sha256_of_folder(digests: dict[str, str]) -> str:
    """Of one file its own; of several that of the list which `sha256sum` prints, in the order of their names."""
    if len(digests) == 1:
        return next(iter(digests.values()))
    listed = "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items()))
    return hashlib.sha256(listed.encode()).hexdigest()


def _find_weights(definition: CandidateDefinition, folder: Path, settings: Settings) -> _Weights:
    if definition.quantize_from is not None:
        return _quantized(definition, folder, settings)
    path = weights_path(definition, folder)
    if path is not None:
        return _Weights(file=_from_path(path, definition.quantization))
    packaged = find_packaged(definition.model, definition.quantization, settings.models_folder)
    if packaged is not None:
        return _Weights(file=packaged)
    return _from_hub(definition)


def _from_path(path: Path, quantization: str | None) -> WeightsFile:
    if not path.is_dir():
        facts = read_gguf(path)
        if quantization not in {None, facts.quantization}:
            raise BadWeightsFile(
                f"{path} is {facts.quantization}, not {quantization}. Leave quantization out, or name another file."
            )
        return WeightsFile(path=str(path), size_bytes=facts.size_bytes, format="gguf", quantization=facts.quantization)
    files = sorted(path.glob("*.gguf"))
    if not files:
        raise ModelNotFound(f"{path} holds no .gguf file. Name the folder that does, or the file itself.")
    fitting = [
        facts for file in files if (facts := read_gguf(file)).quantization == quantization or quantization is None
    ]
    if len(fitting) != 1:
        names = ", ".join(file.name for file in files)
        raise ModelNotFound(
            f"{path}: {len(fitting)} files fit quantization {quantization or '(none named)'}. It holds: {names}."
        )
    (facts,) = fitting
    return WeightsFile(path=facts.path, size_bytes=facts.size_bytes, format="gguf", quantization=facts.quantization)


def _from_hub(definition: CandidateDefinition) -> _Weights:
    cached = [
        file for file in cached_gguf_files(definition.model) if definition.quantization in {None, file.quantization}
    ]
    if len(cached) == 1 and definition.revision is None:
        return _Weights(file=cached[0])
    found = list_gguf_files(definition.model, definition.revision)
    chosen = choose_file(found, definition.quantization)
    path = fetch_file(definition.model, chosen.path, found.revision)
    return _Weights(
        file=chosen.model_copy(update={"path": str(path)}),
        revision=found.revision,
        license=found.license,
        license_name=found.license_name,
    )


def _quantized(definition: CandidateDefinition, folder: Path, settings: Settings) -> _Weights:
    source_definition = definition.model_copy(update={"quantization": definition.quantize_from, "quantize_from": None})
    source = _find_weights(source_definition, folder, settings)
    wanted = definition.quantization or "Q4_K_M"
    target = settings.models_folder / f"{file_stem(definition.model)}--{wanted}.gguf"
    if not target.exists():
        # `workbench quantize` keeps a file only where it is known to come from the same source.
        origin = Origin(
            source=Path(source.file.path).name,
            source_sha256=source.file.sha256 or remembered_sha256(Path(source.file.path), settings),
            quantization=wanted,
        )
        write_origin(target, origin)
        quantize_gguf(Path(source.file.path), target, wanted)
    facts = read_gguf(target)
    quantized = definition.quantize_from not in {"F16", "BF16", "F32"}
    note = f"Quantized to {wanted} on this machine from the {definition.quantize_from} file" + (
        "; that file was already quantized, so a little more quality is lost than from the original weights."
        if quantized
        else "."
    )
    return source.model_copy(
        update={
            "file": WeightsFile(path=str(target), size_bytes=facts.size_bytes, format="gguf", quantization=wanted),
            "notes": (*source.notes, note),
        }
    )


def remembered_sha256(path: Path, settings: Settings) -> str:
    """Digest of a file, kept beside its size and time of change: hashing 40 GB takes minutes."""
    stat = path.stat()
    book = settings.models_folder / "sha256.json"
    known = json.loads(book.read_text()) if book.exists() else {}
    stamp = [stat.st_size, stat.st_mtime_ns]
    entry = known.get(str(path))
    if entry is None or entry["stamp"] != stamp:
        entry = {"stamp": stamp, "sha256": file_sha256(path)}
        settings.models_folder.mkdir(parents=True, exist_ok=True)
        partial = book.with_suffix(".partial")
        partial.write_text(json.dumps({**known, str(path): entry}))
        partial.rename(book)
    digest: str = entry["sha256"]
    return digest


def _known_model(model_id: str, index: Index) -> Model | None:
    try:
        return index.find(model_id)
    except ModelNotFound:
        return None


def _license(known: Model | None, weights: _Weights, facts: GgufFacts) -> str | None:
    """The catalog's license, else what the repository declares, else what the file says of itself."""
    return (known.license if known is not None else None) or weights.license or facts.license


def file_stem(model_id: str) -> str:
    """What the names of files made here from a model begin with."""
    return (
        Path(model_id).name.removesuffix(".gguf")
        if model_id.startswith(("/", ".", "~"))
        else model_id.replace("/", "--")
    )
