"""Makes several quantizations of one model, their sizes predicted first.

A rung that is there is never written again: one of the same source is kept, one of another is refused. Judges nothing:
how far a rung lies from its source is measured in workbench/ladders.py.
"""

import io
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from ruamel.yaml import YAML

from catalog.errors import ModelNotFound
from catalog.gguf_file import GgufFacts, read_gguf
from catalog.records import Candidate
from catalog.weights import known_quantizations
from runners.divergence import usable_threads
from runners.errors import EngineFailed
from runners.quantize import PredictedSize, check_quantization, predict_sizes, quantize_gguf
from workbench.candidates import file_stem, local_weights, remembered_sha256, resolve_candidate
from workbench.ladder_book import Origin, read_origin, write_origin
from workbench.ladder_records import Ladder, Rung
from workbench.model_catalog import ModelCatalog
from workbench.records import CandidateDefinition
from workbench.settings import Settings

NOT_QUANTIZED = frozenset({"F32", "F16", "BF16"})
_HEADER_ROOM = 4096
"""Bytes by which a prediction may be short: sizes are told to 0.01 MiB, the header grows by an entry."""


def plan_ladder(
    model: str,
    names: Sequence[str],
    settings: Settings,
    models: ModelCatalog,
    *,
    quantize_from: str | None = None,
    output: Path | None = None,
) -> Ladder:
    """What would be made, how large, and what is there already; writes nothing.

    Raises ModelNotFound, EngineFailed (a name, a file of another source) and what finding the model raises.
    """
    wanted = tuple(dict.fromkeys(name.strip().upper() for name in names if name.strip()))
    if not wanted:
        raise EngineFailed("No quantization is named. Name some, such as --to Q8_0,Q4_K_M.")
    for name in wanted:
        check_quantization(name)
    source = _find_source(model, quantize_from, settings, models)
    facts = read_gguf(Path(source.weights_path))
    folder = (output or settings.models_folder).expanduser().absolute()
    sizes = predict_sizes(Path(source.weights_path), wanted)
    rungs = tuple(
        _planned(size, facts, source, folder / f"{_stem(model)}--{size.quantization}.gguf", settings) for size in sizes
    )
    return _with_candidates(
        Ladder(
            model=model,
            source_path=source.weights_path,
            source_quantization=facts.quantization,
            source_bytes=facts.size_bytes,
            source_sha256=source.weights_sha256 or remembered_sha256(Path(source.weights_path), settings),
            rungs=rungs,
            notes=_notes(facts, rungs),
        )
    )


def make_ladder(ladder: Ladder, settings: Settings, on_rung: Callable[[Rung], None]) -> Ladder:
    """Write the planned rungs, one after the other; `on_rung` hears of each before it is begun.

    Raises EngineFailed: the disk is too full for all of them, or llama.cpp refuses one. Rungs that are whole stay.
    """
    planned = [rung for rung in ladder.rungs if rung.state == "planned"]
    if planned:
        _check_disk(Path(planned[0].path).parent, planned)
    made: list[Rung] = []
    for rung in ladder.rungs:
        if rung.state == "planned":
            on_rung(rung)
            made.append(_make(rung, ladder, settings))
        else:
            made.append(rung)
    return _with_candidates(ladder.model_copy(update={"rungs": tuple(made)}))


def _find_source(model: str, quantization: str | None, settings: Settings, models: ModelCatalog) -> Candidate:
    """The file asked for, else the least quantized one on this machine; only a named one is downloaded."""
    path = Path(model).expanduser()
    if path.exists():
        model = str(path.absolute())
    elif quantization is None and not model.endswith(".gguf"):
        # Rungs made here lie in the models folder, and are no source for others.
        here = [
            file.quantization
            for file in local_weights(model, settings)
            if file.quantization is not None and Path(file.path).parent != settings.models_folder
        ]
        if not here:
            raise ModelNotFound(
                f"No GGUF file of {model} is on this machine. Name the one to start from, which is then downloaded "
                "(--from F16), or the path of a file."
            )
        fineness = {name: rank for rank, name in enumerate(known_quantizations())}
        quantization = max(here, key=lambda name: fineness.get(name.upper(), -1))
    definition = CandidateDefinition(model=model, quantization=quantization)
    return resolve_candidate(definition, Path.cwd(), settings, models.index())


def _planned(size: PredictedSize, facts: GgufFacts, source: Candidate, path: Path, settings: Settings) -> Rung:
    # The header is copied from the source; only the tensors change.
    predicted = size.tensor_bytes + facts.size_bytes - facts.tensor_bytes
    rung = Rung(
        quantization=size.quantization,
        path=str(path),
        state="planned",
        predicted_bytes=predicted,
        bits_per_weight=size.tensor_bytes * 8 / facts.parameters if facts.parameters else None,
        fallback_tensors=size.fallback_tensors,
        tensors=size.tensors,
    )
    if path.exists():
        _check_origin(path, source, settings)
        return _there(rung, "kept", settings)
    return rung.model_copy(update=_reason_to_skip(size, predicted, facts))


def _reason_to_skip(size: PredictedSize, predicted: int, facts: GgufFacts) -> dict[str, str]:
    if size.needs_matrix:
        return {"state": "skipped", "note": "Needs an importance matrix for this model, which is not made here."}
    if size.quantization == facts.quantization:
        return {"state": "skipped", "note": "The source is this already."}
    if predicted >= facts.size_bytes - _HEADER_ROOM:
        return {
            "state": "skipped",
            "note": f"Would take {predicted:,} bytes, no less than the source ({facts.quantization}, "
            f"{facts.size_bytes:,} bytes), and could be no better: what the source lost does not come back.",
        }
    return {}


def _make(rung: Rung, ladder: Ladder, settings: Settings) -> Rung:
    path = Path(rung.path)
    origin = Origin(
        source=Path(ladder.source_path).name, source_sha256=ladder.source_sha256, quantization=rung.quantization
    )
    # Before the file appears: one that was finished right before a crash is then still known as ours.
    write_origin(path, origin)
    quantize_gguf(Path(ladder.source_path), path, rung.quantization, threads=usable_threads())
    done = _there(rung, "written", settings)
    write_origin(path, origin.model_copy(update={"sha256": done.sha256}))
    return done


def _there(rung: Rung, state: str, settings: Settings) -> Rung:
    path = Path(rung.path)
    facts = read_gguf(path)
    return rung.model_copy(
        update={
            "state": state,
            "size_bytes": facts.size_bytes,
            "bits_per_weight": facts.tensor_bytes * 8 / facts.parameters if facts.parameters else None,
            "sha256": remembered_sha256(path, settings),
            "note": "Was there already, from the same source." if state == "kept" else rung.note,
        }
    )


def _check_origin(path: Path, source: Candidate, settings: Settings) -> None:
    origin = read_origin(path)
    what = "Remove it, or name another folder with --output."
    if origin is None:
        raise EngineFailed(f"{path} exists, nothing says what it was made from, and it is not overwritten. {what}")
    if origin.source_sha256 != source.weights_sha256:
        raise EngineFailed(f"{path} exists, was made from another file ({origin.source}), and is kept. {what}")
    if origin.sha256 not in {None, remembered_sha256(path, settings)}:
        raise EngineFailed(f"{path} is not the file that was made here any more: its content changed. {what}")


def _check_disk(folder: Path, planned: Sequence[Rung]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    needed = sum(rung.predicted_bytes + _HEADER_ROOM for rung in planned)
    free = shutil.disk_usage(folder).free
    if free < needed:
        names = ", ".join(rung.quantization for rung in planned)
        raise EngineFailed(
            f"{names} together need {needed:,} bytes in {folder}, where {free:,} are free. Free some space, name "
            "fewer, or another folder with --output."
        )


def _notes(facts: GgufFacts, rungs: Sequence[Rung]) -> tuple[str, ...]:
    notes: list[str] = []
    if facts.quantization not in NOT_QUANTIZED:
        notes.append(
            f"The source is {facts.quantization or 'of an unknown quantization'} and no longer the original weights: "
            "rungs made from it lose more than the same rungs made from F16 or BF16."
        )
    if any(rung.fallback_tensors > rung.tensors // 2 for rung in rungs):
        notes.append(
            "Rows of this model do not divide into blocks of 256 weights: llama.cpp gives most tensors a larger type "
            "than the name says. The predicted sizes count that."
        )
    return tuple(notes)


def _with_candidates(ladder: Ladder) -> Ladder:
    there = [rung for rung in ladder.rungs if rung.state in {"written", "kept"}]
    if not there:
        return ladder
    stem = _stem(ladder.model).rpartition("--")[2]
    source = {"name": f"{stem} {ladder.source_quantization or 'source'}", "model": ladder.source_path}
    entries = [source, *({"name": f"{stem} {rung.quantization}", "model": rung.path} for rung in there)]
    stream = io.StringIO()
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 4096
    yaml.dump({"candidates": entries}, stream)
    return ladder.model_copy(update={"candidates": stream.getvalue()})


def _stem(model: str) -> str:
    path = Path(model).expanduser()
    return file_stem(str(path.absolute()) if path.exists() else model)
