"""A folder as the Hub serves it: config.json, weights, tokenizer_config.json and the card, as one Model.

Facts come from the files: weights from the headers, figures from the config, license and parents from the card. Pickles
are listed with their size and never opened.
"""

import json
from pathlib import Path
from typing import Any

from catalog.config.facts import ConfigFacts, read_config
from catalog.errors import BadWeightsFile, ModelNotFound
from catalog.model_card import CardFacts, read_card
from catalog.records import Confidence, Model, Provenance, WeightsFile
from catalog.safetensors_file import SafetensorsFacts, read_checkpoint

SUFFIX_OF_WEIGHTS = (".safetensors", ".bin", ".pt", ".pth")
_PICKLES = (".bin", ".pt", ".pth")
_NO_WEIGHTS = ("training_args.bin", "optimizer.pt", "scheduler.pt", "rng_state.pth", "tokenizer.bin")
_LARGEST_CONFIG = 50_000_000
_LARGEST_CARD = 2_000_000


def is_hugging_face_folder(folder: Path) -> bool:
    """Whether it holds a config and weights that transformers would load."""
    return (folder / "config.json").is_file() and any(_weights_in(folder))


def open_config(path: Path) -> Model:
    """A bare config.json as a model: its figures, without weights. Raises BadWeightsFile when it does not parse."""
    if path.name == "config.json" and is_hugging_face_folder(path.parent):
        return open_folder(path.parent)
    facts = read_config(_json(path), source=f"{path.name} in {path.parent}", tokenizer_config=_tokenizer(path.parent))
    return _model(path, facts, _card(path.parent), None, ())


def open_folder(folder: Path) -> Model:
    """A Hugging Face folder as a model. Raises BadWeightsFile when files are damaged or incomplete."""
    if not is_hugging_face_folder(folder):
        raise ModelNotFound(f"{folder} holds no config.json with weights. Name the folder of one model.")
    raw = _json(folder / "config.json")
    facts = read_config(raw, source=f"config.json in {folder}", tokenizer_config=_tokenizer(folder))
    weights = read_checkpoint(folder, bits=facts.quantization_bits, group_size=_group_size(raw))
    paths = [Path(path) for path in weights.paths] if weights is not None else _weights_in(folder)
    files = tuple(
        WeightsFile(
            path=str(path),
            size_bytes=path.stat().st_size,
            format="safetensors" if path.suffix == ".safetensors" else "pickle",
            quantization=facts.quantization,
        )
        for path in paths
    )
    return _model(folder, facts, _card(folder), weights, files)


def _model(
    path: Path,
    facts: ConfigFacts,
    card: CardFacts,
    weights: SafetensorsFacts | None,
    files: tuple[WeightsFile, ...],
) -> Model:
    sources = list(facts.provenance)
    parameters, notes = _parameters(facts, weights, sources)
    task = card.task or ("text-generation" if facts.multimodal is False else None)
    if task is not None:
        stated: Confidence = "verified" if card.task else "derived"
        sources.append(Provenance(field="task", source="README.md" if card.task else "config.json", confidence=stated))
    if weights is not None:
        source = "safetensors headers"
        sources.append(Provenance(field="weights_bytes", source=source, confidence="verified"))
    card_fields = (
        *(("license", card.license), ("license_name", card.license_name), ("license_link", card.license_link)),
        *(("base_models", card.base_models), ("base_model_relation", card.relation), ("datasets", card.datasets)),
        *(("languages", card.languages), ("library", card.library)),
    )
    sources += [
        Provenance(field=name, source=f"README.md in {path}", confidence="verified")
        for name, value in card_fields
        if value
    ]
    if not card.readable:
        notes = (*notes, "The front matter of its README.md cannot be parsed; license and parents are not known.")
    return Model(
        id=str(path),
        kind="local",
        task=task,
        license=card.license,
        license_name=card.license_name,
        license_link=card.license_link,
        base_models=card.base_models,
        base_model_relation=card.relation,
        parameters=parameters,
        active_parameters=facts.active_parameters,
        context_native_tokens=facts.context_native_tokens,
        context_extended_tokens=facts.context_extended_tokens,
        context_extension=facts.context_extension,
        context_effective_tokens=facts.context_effective_tokens,
        multimodal=facts.multimodal,
        architecture=facts.architecture,
        formats=tuple(dict.fromkeys(file.format for file in files)),
        weights_files=files,
        weights_bytes=weights.tensor_bytes or None if weights is not None else None,
        quantization=facts.quantization,
        library=card.library,
        datasets=card.datasets,
        languages=card.languages,
        remote_code=facts.remote_code,
        notes=(*facts.notes, *notes),
        provenance=tuple(sources),
    )


def _parameters(
    facts: ConfigFacts, weights: SafetensorsFacts | None, sources: list[Provenance]
) -> tuple[int | None, tuple[str, ...]]:
    """Counted over the tensors; where those are packed, what the config gives exactly goes first."""
    if weights is None or not weights.parameters:
        return facts.parameters, ()
    notes = weights.notes
    packed = weights.confidence == "doubtful"
    if facts.parameters is not None and packed:
        return facts.parameters, ()
    sources[:] = [source for source in sources if source.field != "parameters"]
    sources.append(Provenance(field="parameters", source="safetensors headers", confidence=weights.confidence))
    if facts.parameters is not None and facts.parameters != weights.parameters:
        notes = (
            *notes,
            f"The config describes {facts.parameters:,} weights and the files hold {weights.parameters:,}.",
        )
    return weights.parameters, notes


def _weights_in(folder: Path) -> list[Path]:
    """Safetensors, else pickles."""
    found = sorted(
        path for path in folder.iterdir() if path.suffix in SUFFIX_OF_WEIGHTS and path.name not in _NO_WEIGHTS
    )
    safe = [path for path in found if path.suffix not in _PICKLES]
    return safe or found


def _group_size(raw: dict[str, Any]) -> int | None:
    for key in ("quantization", "quantization_config"):
        part = raw.get(key)
        size = part.get("group_size") if isinstance(part, dict) else None
        if isinstance(size, int) and not isinstance(size, bool) and size > 0:
            return size
    return None


def _json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _LARGEST_CONFIG:
            raise BadWeightsFile(f"{path} has {path.stat().st_size:,} bytes and is no config. Name the config.json.")
        values = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise BadWeightsFile(f"{path} is no JSON ({error}). Download it again.") from error
    except OSError as error:
        raise BadWeightsFile(f"{path} cannot be read: {error.strerror}.") from error
    if not isinstance(values, dict):
        raise BadWeightsFile(f"{path} holds no config: it is a {type(values).__name__}. Name a model's config.json.")
    return values


def _tokenizer(folder: Path) -> dict[str, Any] | None:
    path = folder / "tokenizer_config.json"
    try:
        return _json(path) if path.is_file() else None
    except BadWeightsFile:
        return None  # it only serves to check the context


def _card(folder: Path) -> CardFacts:
    path = folder / "README.md"
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST_CARD:
            return CardFacts()
        return read_card(path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return CardFacts()
