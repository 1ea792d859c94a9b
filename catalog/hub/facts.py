"""From one answer of the Hub's API (a list item or the info of a model) to our Model, with a source for every fact.

Pure. Distrusts what is known to be wrong at times: counts of packed weights, counts written by hand into an index,
licenses given as lists. What cannot be told from the answer stays unknown; config.json is read elsewhere
(catalog/config/facts.py), license verdicts are made elsewhere (catalog/licenses.py).
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

from catalog.hub.errors import page_of
from catalog.hub.files import HubFile, code_files, files_of, main_safetensors, weights_of
from catalog.hub.sizes import Size, gguf_size, safetensors_size
from catalog.records import Architecture, Confidence, Model, Provenance

Relation = Literal["adapter", "merge", "quantized", "finetune"]
_RELATIONS: tuple[Relation, ...] = ("adapter", "merge", "quantized", "finetune")
_FORMAT_TAGS = {
    "gguf": "gguf",
    "safetensors": "safetensors",
    "pytorch": "pickle",
    "onnx": "onnx",
    "mlx": "mlx",
    "openvino": "openvino",
    "tflite": "tflite",
    "coreml": "coreml",
}
_QUANTIZATION_TAGS = ("awq", "gptq", "exl2", "exl3", "fp8", "nvfp4", "mxfp4", "aqlm", "hqq", "4-bit", "8-bit")
_MULTIMODAL_TASKS = frozenset(
    {
        "any-to-any",
        "audio-text-to-text",
        "document-question-answering",
        "image-text-to-text",
        "image-to-text",
        "video-text-to-text",
        "visual-document-retrieval",
        "visual-question-answering",
    }
)
_FIRST_RECORDED = "2022-03-02"
"""Creation dates were first kept on this day, so older repositories all carry it (huggingface_hub's ModelInfo)."""
_TOO_LARGE = 2**63
"""No count is; and no table could hold it."""
_UNSAFE_LEVELS = frozenset({"unsafe", "suspicious"})


class Fact(NamedTuple):
    """One value with where it comes from."""

    value: Any
    confidence: Confidence = "reported"
    source: str | None = None
    """None means: the answer itself."""


def model_from_answer(raw: Mapping[str, Any], *, origin: str) -> Model:
    """The model that one answer describes. `origin` names it: `Hub API, list of models, 2026-11-21`.

    Raises ValueError where there is not even an id.
    """
    model_id = raw.get("id") or raw.get("modelId")
    if not isinstance(model_id, str) or not model_id:
        raise ValueError("an entry without an id")
    revision = _text(raw.get("sha"))
    source = f"{origin}, {model_id}" + (f" at {revision}" if revision else "")
    files = files_of(raw.get("siblings"))
    card = raw.get("cardData")
    card = card if isinstance(card, Mapping) else {}
    tags = tuple(tag for tag in _list(raw.get("tags")) if isinstance(tag, str))
    notes: list[str] = []
    facts: dict[str, Fact] = {
        "revision": Fact(revision, "verified"),
        "task": Fact(_text(raw.get("pipeline_tag")) or _text(card.get("pipeline_tag"))),
        "library": Fact(_text(raw.get("library_name")) or _text(card.get("library_name"))),
        "datasets": Fact(_datasets(card, tags)),
        "languages": Fact(_languages(card)),
        "formats": Fact(_formats(tags, files)),
        "weights_files": Fact(weights_of(files), "verified"),
        "gated": Fact(_gated(raw.get("gated"))),
        "downloads": Fact(_count(raw.get("downloads"))),
        "likes": Fact(_count(raw.get("likes"))),
        "trending_score": Fact(_number(raw.get("trendingScore"))),
        "released": Fact(_released(raw.get("createdAt"))),
        "updated": Fact(_day(raw.get("lastModified"))),
        "security": Fact(security_of(raw)),
        **_license_facts(card, tags, model_id, revision, notes),
        **_lineage_facts(raw, card, tags, model_id),
        **_network_facts(raw, tags, files, model_id, notes),
    }
    return _model(model_id, facts, tuple(notes), source)


def security_of(raw: Mapping[str, Any]) -> Literal["safe", "unsafe", "unscanned"] | None:
    """What the scanners say of the whole repository; an empty list of issues means nothing before they are done."""
    status = raw.get("securityRepoStatus")
    if not isinstance(status, Mapping):
        return None
    if flagged_files(raw):
        return "unsafe"
    return "safe" if status.get("scansDone") is True else "unscanned"


def flagged_files(raw: Mapping[str, Any]) -> tuple[str, ...]:
    """Files that scanners call unsafe or suspicious."""
    status = raw.get("securityRepoStatus")
    issues = status.get("filesWithIssues") if isinstance(status, Mapping) else None
    return tuple(
        str(issue.get("path"))
        for issue in _list(issues)
        if isinstance(issue, Mapping) and _text(issue.get("level")) in _UNSAFE_LEVELS
    )


def _model(model_id: str, facts: Mapping[str, Fact], notes: tuple[str, ...], source: str) -> Model:
    known = {name: fact for name, fact in facts.items() if fact.value not in (None, (), "")}
    return Model(
        id=model_id,
        kind="hub",
        notes=notes,
        provenance=tuple(
            Provenance(field=name, source=fact.source or source, confidence=fact.confidence)
            for name, fact in known.items()
        ),
        **{name: fact.value for name, fact in known.items()},
    )


def _license_facts(
    card: Mapping[str, Any], tags: Iterable[str], model_id: str, revision: str | None, notes: list[str]
) -> dict[str, Fact]:
    declared = [text for item in _list_or_one(card.get("license")) if (text := _text(item))]
    declared = declared or [tag.removeprefix("license:") for tag in tags if tag.startswith("license:")]
    if len(set(declared)) > 1:
        notes.append(
            f"The card names several licenses ({', '.join(declared)}) without saying which holds for what; read it."
        )
    link = _text(card.get("license_link"))
    if link is not None and not re.match(r"https?://", link):
        link = f"{page_of(model_id)}/blob/{revision or 'main'}/{link.lstrip('./')}"
    return {
        "license": Fact(declared[0].lower() if len(set(declared)) == 1 else None),
        "license_name": Fact(_text(card.get("license_name"))),
        "license_link": Fact(link),
    }


def _lineage_facts(
    raw: Mapping[str, Any], card: Mapping[str, Any], tags: Iterable[str], model_id: str
) -> dict[str, Fact]:
    """Parents: as the Hub resolved them, else by its tags, else by the card."""
    parents: list[str] = []
    relation: str | None = None
    resolved = raw.get("baseModels")
    for group in resolved if isinstance(resolved, list) else [resolved]:
        if isinstance(group, Mapping):
            relation = relation or _text(group.get("relation"))
            parents += [
                str(item["id"]) for item in _list(group.get("models")) if isinstance(item, Mapping) and "id" in item
            ]
        elif isinstance(group, str):
            parents.append(group)
    for tag in tags:
        match = re.fullmatch(r"base_model:(?:(adapter|merge|quantized|finetune):)?([\w.-]+(?:/[\w.-]+)?)", tag)
        if match is not None:
            parents.append(match[2])
            relation = relation or match[1]
    parents += [text for item in _list_or_one(card.get("base_model")) if (text := _text(item))]
    declared = _text(card.get("base_model_relation"))
    relation = declared if declared in _RELATIONS else relation
    return {
        "base_models": Fact(tuple(dict.fromkeys(name for name in parents if name.lower() != model_id.lower()))),
        "base_model_relation": Fact(relation if parents and relation in _RELATIONS else None),
    }


def _network_facts(
    raw: Mapping[str, Any], tags: tuple[str, ...], files: tuple[HubFile, ...], model_id: str, notes: list[str]
) -> dict[str, Fact]:
    config = raw.get("config")
    config = config if isinstance(config, Mapping) else {}
    gguf = raw.get("gguf")
    gguf = gguf if isinstance(gguf, Mapping) else {}
    quantization = _quantization(config, tags)
    main = main_safetensors(files)
    sizes = [file.size_bytes for file in main]
    exact = sum(size for size in sizes if size is not None) if sizes and None not in sizes else None
    size = safetensors_size(raw.get("safetensors"), model_id, quantization, exact)
    if size is None:
        size = gguf_size(gguf.get("total"), model_id)
    size = size or Size()
    if size.note is not None:
        notes.append(size.note)
    name = _text(config.get("model_type")) or _text(gguf.get("architecture"))
    task = _text(raw.get("pipeline_tag"))
    return {
        "parameters": Fact(size.parameters, size.confidence),
        "weights_bytes": Fact(exact, "verified") if exact else Fact(size.weights_bytes, "derived"),
        "quantization": Fact(quantization),
        "architecture": Fact(Architecture(name=name) if name else None),
        "context_native_tokens": Fact(_count(gguf.get("context_length")) or None),
        # Text models of today often take images as well without their task saying so: never concluded to be False.
        "multimodal": Fact(True if task in _MULTIMODAL_TASKS else None, "derived"),
        "remote_code": Fact(_remote_code(config, tags, files), "derived"),
    }


def _remote_code(config: Mapping[str, Any], tags: tuple[str, ...], files: tuple[HubFile, ...]) -> bool | None:
    if "custom_code" in tags or config.get("auto_map"):
        return True
    if any(re.match(r"(modeling|configuration|tokenization)_\w+\.py$", path) for path in code_files(files)):
        return True
    return False if files else None


def _quantization(config: Mapping[str, Any], tags: tuple[str, ...]) -> str | None:
    stated = config.get("quantization_config")
    if isinstance(stated, Mapping):
        method = _text(stated.get("quant_method"))
        algorithm = _text(stated.get("quant_algo"))
        bits = stated.get("bits")
        if method is None and stated.get("load_in_4bit") is True:
            return "bitsandbytes-4bit"
        named = algorithm.lower() if algorithm and method in {None, "modelopt"} else method
        return f"{named}-{bits}bit" if named and isinstance(bits, int) and named not in {"awq", "gptq"} else named
    return next((tag for tag in _QUANTIZATION_TAGS if tag in tags), None)


def _formats(tags: tuple[str, ...], files: tuple[HubFile, ...]) -> tuple[str, ...]:
    found = [_FORMAT_TAGS[tag] for tag in tags if tag in _FORMAT_TAGS]
    found += [file.format for file in weights_of(files)]
    return tuple(sorted(set(found)))


def _datasets(card: Mapping[str, Any], tags: Iterable[str]) -> tuple[str, ...]:
    named = [text for item in _list_or_one(card.get("datasets")) if (text := _text(item))]
    tagged = [tag.removeprefix("dataset:") for tag in tags if tag.startswith("dataset:")]
    return tuple(dict.fromkeys([*named, *tagged]))


def _languages(card: Mapping[str, Any]) -> tuple[str, ...]:
    # YAML reads the code of Norwegian, `no`, as False.
    named = ["no" if item is False else item for item in _list_or_one(card.get("language"))]
    return tuple(dict.fromkeys(text for item in named if (text := _text(item))))


def _gated(value: Any) -> bool | None:
    return value if isinstance(value, bool) else True if value in ("auto", "manual") else None


def _released(value: Any) -> str | None:
    day = _day(value)
    return None if day == _FIRST_RECORDED else day


def _day(value: Any) -> str | None:
    match = re.match(r"\d{4}-\d{2}-\d{2}", value) if isinstance(value, str) else None
    return match[0] if match else None


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _TOO_LARGE else None


def _number(value: Any) -> float | None:
    fits = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < _TOO_LARGE
    return float(value) if fits else None


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _list_or_one(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
