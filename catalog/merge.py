"""Two accounts of one model made into one: for each fact the surer source holds, and of two equally sure the newer.

What changes by itself (downloads, likes, trending, dates, revision, gating, the declared license, the files) is taken
from the newer account whatever its confidence. Facts that only mean something together (an architecture, a license and
its name, an extension and the context it reaches) are taken together.
"""

from typing import Any

from catalog.records import Architecture, Model, Provenance

_CONFIDENCE = {"doubtful": 0, "derived": 1, "reported": 2, "verified": 3}

_NEWEST = (
    *("revision", "task", "formats", "weights_files", "languages", "datasets", "library", "gated", "downloads"),
    *("likes", "trending_score", "updated", "security", "remote_code"),
)
_SUREST: tuple[tuple[str, ...], ...] = (
    ("parameters",),
    ("active_parameters",),
    ("context_native_tokens",),
    ("context_extended_tokens", "context_extension"),
    ("context_effective_tokens",),
    ("multimodal",),
    ("weights_bytes",),
    ("quantization",),
    ("released",),
    ("base_models", "base_model_relation"),
    ("architecture",),
)
"""Groups of facts that are taken together; the first names the group's confidence."""

_LICENSE = ("license", "license_name", "license_link")


def merge_models(older: Model, newer: Model) -> Model:
    """One model from two accounts of it; the id keeps the newer spelling, sources follow the facts they stand for."""
    winners: dict[str, Model] = {}
    for name in _NEWEST:
        winners[name] = newer if _known(getattr(newer, name)) else older
    license_from = newer if newer.license is not None else older
    winners |= dict.fromkeys(_LICENSE, license_from)
    for group in _SUREST:
        winners |= dict.fromkeys(group, _surer(older, newer, group[0]))
    values: dict[str, Any] = {name: getattr(model, name) for name, model in winners.items()}
    values["notes"] = tuple(dict.fromkeys([*older.notes, *newer.notes]))
    values["provenance"] = _sources(older, newer, winners)
    values["architecture"] = _architecture(older, newer, winners["architecture"])
    return newer.model_copy(update=values)


def _known(value: object) -> bool:
    return value is not None and value != ()


def _surer(older: Model, newer: Model, field: str) -> Model:
    if not _known(getattr(newer, field)):
        return older
    if not _known(getattr(older, field)):
        return newer
    return older if _confidence(older, field) > _confidence(newer, field) else newer


def _confidence(model: Model, field: str) -> int:
    """The least sure of the sources that stand for a fact; a fact without a source is as good as reported."""
    ranks = [_CONFIDENCE[entry.confidence] for entry in model.provenance if entry.field.split(".")[0] == field]
    return min(ranks, default=_CONFIDENCE["reported"])


def _sources(older: Model, newer: Model, winners: dict[str, Model]) -> tuple[Provenance, ...]:
    kept = [
        entry
        for model in (older, newer)
        for entry in model.provenance
        if winners.get(entry.field.split(".")[0], newer) is model
    ]
    return tuple(dict.fromkeys(kept))


def _architecture(older: Model, newer: Model, winner: Model) -> Architecture | None:
    """The surer network; what it does not say is filled from the other where the two agree on all that both say."""
    chosen = winner.architecture
    other = (older if winner is newer else newer).architecture
    if chosen is None or other is None:
        return chosen or other
    fields = list(Architecture.model_fields)
    pairs = {name: (getattr(chosen, name), getattr(other, name)) for name in fields}
    if any(_known(one) and _known(two) and one != two for one, two in pairs.values()):
        return chosen
    return chosen.model_copy(update={name: two for name, (one, two) in pairs.items() if not _known(one)})
