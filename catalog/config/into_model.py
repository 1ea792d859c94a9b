"""Puts what a config.json says beside what is known of a model already; of two sources the surer one holds.

Whatever differs between sources that both deserve trust is said in a note, and never averaged. Reads no file
(catalog/config/facts.py reads configs) and asks nobody.
"""

from typing import Any

from catalog.config.facts import ConfigFacts
from catalog.records import Architecture, Confidence, Model, Provenance

_TRUST: dict[Confidence | None, int] = {None: 0, "doubtful": 1, "derived": 2, "reported": 3, "verified": 4}
"""Counts reported from file headers go before counts derived from a config; None: not known at all."""
_CONTEXT = (
    "context_native_tokens",
    "context_extended_tokens",
    "context_extension",
    "context_effective_tokens",
)
"""Taken together or not at all, because an extension belongs to the native length that it extends."""
_SAME_COUNT = 0.03
"""Counts that differ by less agree: norms and biases are not in every formula."""


def with_config_facts(model: Model, facts: ConfigFacts) -> Model:
    """The model with the facts of its config.json, each with its source."""
    known = {fact.field: fact for fact in model.provenance}
    read = {fact.field: fact for fact in facts.provenance}
    taken: dict[str, Any] = {}
    notes: list[str] = []
    for names in (("parameters",), ("active_parameters",), _CONTEXT, ("quantization",)):
        first = names[0]
        old, new = getattr(model, first), getattr(facts, first)
        if new is None:
            continue
        if old is None or _trust(read, first) > _trust(known, first):
            taken |= {name: getattr(facts, name) for name in names}
        if (
            old is not None
            and _differ(old, new)
            and "doubtful" not in {_confidence(known, first), _confidence(read, first)}
        ):
            kept = new if first in taken else old
            notes.append(
                f"{first}: {_place(known, first)} says {old}, {_place(read, first)} says {new}; {kept} is kept."
            )
    # Each of these is a warning, so one source is enough to raise it.
    for name in ("multimodal", "remote_code"):
        old, new = getattr(model, name), getattr(facts, name)
        if new is not None and (old is None or (new and not old)):
            taken[name] = new
    architecture = _architecture(model.architecture, facts.architecture, known, read)
    fields = {*taken, "architecture"}
    kept = tuple(fact for fact in model.provenance if _owner(fact.field) not in fields)
    added = tuple(fact for fact in facts.provenance if _owner(fact.field) in fields)
    return model.model_copy(
        update={
            **taken,
            "architecture": architecture,
            "notes": tuple(dict.fromkeys((*model.notes, *facts.notes, *notes))),
            "provenance": (*kept, *_old_parts(model, architecture, facts), *added),
        }
    )


def _architecture(
    old: Architecture | None, new: Architecture, known: dict[str, Provenance], read: dict[str, Provenance]
) -> Architecture:
    """Field by field; what only one side knows is kept."""
    if old is None:
        return new
    empty = Architecture()
    update = {}
    for name in Architecture.model_fields:
        value, before = getattr(new, name), getattr(old, name)
        if value == getattr(empty, name):
            continue
        if before == getattr(empty, name) or _part_trust(read, name) >= _part_trust(known, name):
            update[name] = value
    return old.model_copy(update=update)


def _old_parts(model: Model, merged: Architecture, facts: ConfigFacts) -> tuple[Provenance, ...]:
    """Sources of the parts of the architecture that the config did not tell."""
    if model.architecture is None:
        return ()
    sources = {fact.field: fact for fact in model.provenance}
    whole = sources.get("architecture")
    empty = Architecture()
    rows = []
    for name in Architecture.model_fields:
        value = getattr(merged, name)
        if value == getattr(empty, name) or value == getattr(facts.architecture, name):
            continue
        source = sources.get(f"architecture.{name}", whole)
        if source is not None:
            rows.append(source.model_copy(update={"field": f"architecture.{name}"}))
    return tuple(rows)


def _confidence(sources: dict[str, Provenance], field: str) -> Confidence | None:
    source = sources.get(field)
    return source.confidence if source is not None else None


def _trust(sources: dict[str, Provenance], field: str) -> int:
    return _TRUST[_confidence(sources, field)]


def _part_trust(sources: dict[str, Provenance], name: str) -> int:
    own = f"architecture.{name}"
    return _trust(sources, own if own in sources else "architecture")


def _place(sources: dict[str, Provenance], field: str) -> str:
    source = sources.get(field)
    return source.source if source is not None else "another source"


def _owner(field: str) -> str:
    return field.partition(".")[0]


def _differ(old: Any, new: Any) -> bool:
    """Of numbers only: names of quantizations are spelled in several ways."""
    numbers = isinstance(old, int) and isinstance(new, int)
    return numbers and abs(old - new) > _SAME_COUNT * max(old, new)
