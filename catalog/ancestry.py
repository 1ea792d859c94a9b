"""What a model was made from: parents followed to the root, and families that names tell where cards are silent.

The parents come from model cards (`base_model`, `base_model_relation`) through a function that the caller passes in, so
that cycles, missing parents and chains of any length are handled here and storage is not. A name is a guess: it counts
only where no license of the lineage says the same, and its terms are marked. Nothing is judged here: that is
`catalog.lineage`.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from catalog.families import ModelFamily, agrees_with_architecture, families_in_name, family_of_known_model
from catalog.licenses import depends_on_multimodal, normalize_license, same_license
from catalog.records import Model

MAX_DEPTH = 16
"""Generations that are followed; deeper chains on the Hub are mistakes of automatic merges."""
MAX_ANCESTORS = 64
"""Ancestors that are followed; merges of merges of merges repeat the same few roots."""


class LicenseFacts(NamedTuple):
    """What the verdict of one model depends on, as its card and configuration state it."""

    model_id: str
    license: str | None = None
    license_name: str | None = None
    multimodal: bool | None = None
    base_models: tuple[str, ...] = ()
    relation: str | None = None
    """`adapter`, `merge`, `quantized` or `finetune`."""
    architecture: str | None = None
    datasets: tuple[str, ...] = ()


class LicenseTerms(NamedTuple):
    """One license that binds: normalized names, and whether the model under it is multimodal where that matters."""

    license: str | None
    license_name: str | None
    multimodal: bool | None
    guessed: bool = False


FindFacts = Callable[[str], LicenseFacts | None]
"""Returns the facts of a model by its id, None where the catalog does not hold it."""


def nothing_known(_: str) -> LicenseFacts | None:
    """A catalog that holds no model, for verdicts without one."""
    return None


def license_facts(model: Model) -> LicenseFacts:
    """Draw from a model what its license verdict depends on."""
    return LicenseFacts(
        model_id=model.id,
        license=model.license,
        license_name=model.license_name,
        multimodal=model.multimodal,
        base_models=model.base_models,
        relation=model.base_model_relation,
        architecture=model.architecture.name if model.architecture else None,
        datasets=model.datasets,
    )


class Step(NamedTuple):
    """One ancestor on the way to the root."""

    ancestor: str
    relation: str | None
    source: str
    through: str | None
    """The child that it was found through, where that is not the model itself."""
    terms: LicenseTerms | None
    """Its license; None where it is not in the catalog."""
    family: ModelFamily | None = None


def trace(facts: LicenseFacts, find: FindFacts) -> list[Step]:
    """Follow the parents, nearest first, then add what names tell and no card says."""
    steps: list[Step] = []
    named: list[tuple[LicenseFacts, bool]] = [(facts, True)]
    seen = {facts.model_id.casefold()}
    generation = [(parent, facts) for parent in facts.base_models]
    for _ in range(MAX_DEPTH):
        following: list[tuple[str, LicenseFacts]] = []
        for parent_id, child in generation:
            if parent_id.casefold() in seen or len(steps) >= MAX_ANCESTORS:
                continue
            seen.add(parent_id.casefold())
            parent = find(parent_id)
            steps.append(_step(parent_id, parent, child, facts))
            named.append((parent or LicenseFacts(parent_id), parent is not None))
            if parent is not None:
                following += [(grandparent, parent) for grandparent in parent.base_models]
        generation = following
    return steps + _guesses(facts, steps, named)


def _step(parent_id: str, parent: LicenseFacts | None, child: LicenseFacts, root: LicenseFacts) -> Step:
    family = None if parent else family_of_known_model(parent_id)
    terms = license_terms(parent) if parent else None
    if family:
        terms = LicenseTerms(family.license, None, _if_it_matters(family.license, family.multimodal))
    return Step(
        ancestor=parent_id,
        relation=child.relation,
        source=f"card of {child.model_id}" if child.model_id else "as given",
        through=None if child is root else child.model_id,
        terms=terms,
        family=family,
    )


def _guesses(facts: LicenseFacts, steps: list[Step], named: list[tuple[LicenseFacts, bool]]) -> list[Step]:
    """Families that names tell, unless the maker's own repository or a license of the lineage settles the matter.

    `named` pairs every model of the lineage with whether the catalog holds it.
    """
    told: list[tuple[ModelFamily, str]] = []
    settled: set[str] = set()
    for model, in_catalog in named:
        for family in families_in_name(model.model_id):
            if in_catalog and model.model_id.partition("/")[0].casefold() in family.owners:
                settled.add(family.name)
            elif agrees_with_architecture(family, model.architecture):
                told.append((family, model.model_id))
    if not told:
        return []
    stated = [facts.license, facts.license_name]
    stated += [name for step in steps if step.terms for name in (step.terms.license, step.terms.license_name)]
    guesses = []
    for family, model_id in told:
        if family.name in settled or any(same_license(family.license, name) for name in stated):
            continue
        stated.append(family.license)
        multimodal = _if_it_matters(family.license, family.multimodal)
        terms = LicenseTerms(family.license, None, multimodal, guessed=True)
        guesses.append(Step(family.name, "family", f"name of {model_id}", None, terms, family))
    return guesses


def license_terms(facts: LicenseFacts) -> LicenseTerms:
    """The license that a model itself declares."""
    terms, asks_for_multimodal = _plain_terms(facts.license, facts.license_name)
    return terms._replace(multimodal=_multimodal(facts)) if asks_for_multimodal else terms


def declared_terms(facts: LicenseFacts, steps: list[Step]) -> LicenseTerms:
    """The license that a model declares.

    Whether the model is multimodal comes from its nearest parent under the same license where nothing else tells it.
    """
    terms = license_terms(facts)
    if terms.multimodal is None and _plain_terms(facts.license, facts.license_name)[1]:
        for step in steps:
            if step.terms and step.terms[:2] == terms[:2] and step.terms.multimodal is not None:
                return terms._replace(multimodal=step.terms.multimodal)
    return terms


@lru_cache(maxsize=10_000)
def _plain_terms(declared: str | None, named: str | None) -> tuple[LicenseTerms, bool]:
    """Normalized names, and whether it must be known if the model is multimodal; remembered, as few differ."""
    terms = LicenseTerms(normalize_license(declared), normalize_license(named), None)
    return terms, depends_on_multimodal(terms.license) or depends_on_multimodal(terms.license_name)


def _multimodal(facts: LicenseFacts) -> bool | None:
    """Whether it takes more than text: stated, or told by the architecture or the name."""
    if facts.multimodal is not None:
        return facts.multimodal
    if facts.architecture in {"llama", "mllama", "llama4"}:
        return facts.architecture != "llama"
    told = {family.multimodal for family in families_in_name(facts.model_id)}
    return told.pop() if len(told) == 1 else None


def _if_it_matters(license_id: str, multimodal: bool | None) -> bool | None:
    return multimodal if depends_on_multimodal(license_id) else None
