"""One model as one row of the index: the narrow facts that filters and orders need, and the whole record beside them.

The same row is written to `models.parquet` by an update and made in memory for models that came later, so both mean
the same. Everything that costs thought (license case, figures of the memory prediction, family) is worked out here,
once, when a row is made; nothing is judged, because that depends on who asks.
"""

import hashlib
import re
from collections.abc import Iterable
from typing import NamedTuple

from catalog.ancestry import FindFacts
from catalog.index.figures import exact_sizes, figures_text
from catalog.kv_cache import CacheFigures
from catalog.lineage import LicenseCase, LicenseTerms, license_facts, lineage_case, write_case
from catalog.memory import ShapeFigures
from catalog.records import Model
from catalog.weights import WeightFigures

ROWS_VERSION = "1"
"""Raise it when rows mean something else although their fields stayed."""

DEEPEST_LINEAGE = 10
"""Parents followed to name a family; longer chains are cycles or mistakes."""

_SIZE_OR_KIND = re.compile(
    r"(?:e|a)?\d+(?:\.\d+)?[bmkt]|\d+x\d+(?:\.\d+)?[bm]|instruct|chat|base|it|pt|gguf|gptq|awq|fp8|int[48]|[248]bit"
)


class HotRow(NamedTuple):
    """What the index knows of a model without opening its record; names and order are those of the Parquet file."""

    id: str
    id_lower: str
    task: str | None
    library: str | None
    license: str | None
    license_name: str | None
    formats: str | None
    """`|gguf|safetensors|`: bars around every entry, None where nothing is recorded."""
    languages: str | None
    gated: bool | None
    kind: str
    parameters: int | None
    context: int | None
    extended: int | None
    downloads: int | None
    likes: int | None
    trending: float | None
    updated: int | None
    """Date as the number 20261121, a missing month or day as 00."""
    released: int | None
    parents: str | None
    """Declared parents in lower case, `|a/b|c/d|`."""
    relation: str | None
    family: str
    sizes: str | None
    """Exact sizes by quantization: `|Q4_K_M:4920739232|Q8_0:8540775840|`."""
    license_case: str
    """What the verdict depends on besides the profile, as JSON."""
    figures: str
    """What the memory prediction depends on besides machine and settings (catalog/index/figures.py)."""
    record: str
    """The Model as JSON, without what is unknown."""


SQL_TYPES = {
    **dict.fromkeys(HotRow._fields, "VARCHAR"),
    **dict.fromkeys(("parameters", "context", "extended", "downloads", "likes"), "BIGINT"),
    **dict.fromkeys(("updated", "released"), "INTEGER"),
    "trending": "DOUBLE",
    "gated": "BOOLEAN",
}
"""Column → its type in the Parquet file."""


def layout() -> str:
    """Changes whenever rows mean something else than before, so that a catalog built by another version is noticed."""
    fields = (HotRow, LicenseCase, LicenseTerms, WeightFigures, CacheFigures, ShapeFigures)
    parts = [*(repr(record._fields) for record in fields), repr(sorted(Model.model_fields)), ROWS_VERSION]
    return hashlib.sha256("".join(parts).encode()).hexdigest()[:16]


def hot_row(model: Model, find: FindFacts) -> HotRow:
    """The row of a model; `find` looks up the license facts of the models that it was made from."""
    return HotRow(
        id=model.id,
        id_lower=model.id.casefold(),
        task=model.task,
        library=model.library,
        license=_lower(model.license),
        license_name=_lower(model.license_name),
        formats=barred({*model.formats, *(file.format for file in model.weights_files)}),
        languages=barred({language.casefold() for language in model.languages}),
        gated=model.gated,
        kind=model.kind,
        parameters=model.parameters,
        context=model.context_native_tokens,
        extended=model.context_extended_tokens,
        downloads=model.downloads,
        likes=model.likes,
        trending=model.trending_score,
        updated=date_number(model.updated),
        released=date_number(model.released),
        parents=barred({parent.casefold() for parent in model.base_models}),
        relation=model.base_model_relation,
        family=family_of(model.id, model.base_models, find),
        sizes=barred({f"{name}:{size}" for name, size in exact_sizes(model).items()}),
        license_case=write_case(lineage_case(license_facts(model), find)),
        figures=figures_text(model),
        record=model.model_dump_json(exclude_none=True, exclude_defaults=True),
    )


def barred(values: Iterable[str]) -> str | None:
    """Values in order between bars, so that one can be looked for as `|value|`; None for nothing."""
    entries = sorted(values)
    return f"|{'|'.join(entries)}|" if entries else None


def date_number(date: str | None) -> int | None:
    """`2024-07-18` as 20240718, `2024-07` as 20240700, so that dates compare as numbers."""
    digits = re.sub(r"\D", "", date or "")[:8]
    return int(digits.ljust(8, "0")) if len(digits) >= 4 else None


def family_of(model_id: str, base_models: tuple[str, ...], find: FindFacts) -> str:
    """The family of a model: the stem of the root of its lineage, or of itself where it names no parent.

    The root is found by following the first declared parent. A stem is owner and name up to the first word that is a
    size (`8B`, `8x7B`) or a kind (`instruct`, `chat`, `gguf` …): `meta-llama/Llama-3.1-8B-Instruct` →
    `meta-llama/Llama-3.1`.
    """
    root, seen = model_id, {model_id.casefold()}
    while base_models and len(seen) <= DEEPEST_LINEAGE and base_models[0].casefold() not in seen:
        root = base_models[0]
        seen.add(root.casefold())
        facts = find(root)
        root = facts.model_id if facts is not None else root
        base_models = facts.base_models if facts is not None else ()
    owner, _, name = root.rpartition("/")
    kept: list[str] = []
    for word in re.split(r"[-_ ]", name):
        if kept and _SIZE_OR_KIND.fullmatch(word.casefold()):
            break
        kept.append(word)
    stem = "-".join(kept)
    return f"{owner}/{stem}" if owner else stem


def _lower(text: str | None) -> str | None:
    return text.casefold() if text is not None else None
