"""What a model inherits: base models followed to the root, and the strictest of declared and inherited licenses.

Nobody can pass on more rights than they were given, so a model made from another is bound by both licenses. The parents
come from model cards (`base_model`, `base_model_relation`), found by a function that the caller passes in; names of
repositories add what cards leave out (`catalog.families`). What only a name tells is a guess: it may add conditions or
make a verdict unknown, and never forbids.

A `LicenseCase` is what a verdict depends on besides the profile. It names no model, so that millions of models share a
few thousand cases, each judged once. This module reads no files of models and fetches nothing. Not legal advice.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple

from catalog.families import (
    ModelFamily,
    agrees_with_architecture,
    families_in_name,
    family_of_known_model,
    license_hinted_by_architecture,
)
from catalog.licenses import depends_on_multimodal, judge_license, normalize_license, same_license
from catalog.records import Ancestor, Model, Profile, Reason, Verdict, VerdictValue
from catalog.training_data import find_advisories

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


class LicenseCase(NamedTuple):
    """Everything besides the profile that a verdict depends on; hashable, and the same for many models."""

    declared: LicenseTerms
    inherited: tuple[LicenseTerms, ...] = ()
    """Sorted, each once, without those that say the same as the declared one."""


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


def lineage_case(facts: LicenseFacts, find: FindFacts) -> LicenseCase:
    """Reduce a model and its lineage to the case that decides its verdict; cheap enough to call for every model."""
    declared = _terms(facts)
    if not facts.base_models and not families_in_name(facts.model_id):
        return LicenseCase(declared)
    inherited = {
        step.terms for step in _trace(facts, find) if step.terms is not None and step.terms[:3] != declared[:3]
    }
    return LicenseCase(declared, tuple(sorted(inherited, key=str)))


def judge_case(case: LicenseCase, profile: Profile) -> Verdict:
    """Judge a case: value, reasons and conditions are those of every model that shares it; ancestors go unnamed."""
    inherited = [
        _Inherited(
            subject="one of the models that its name tells" if terms.guessed else "one of the models it was made from",
            terms=terms,
            verdict=_judge(terms, profile),
        )
        for terms in case.inherited
    ]
    return _combine(_judge(case.declared, profile), inherited)


def judge_model(model: Model, profile: Profile, find: FindFacts) -> Verdict:
    """Judge a model by its declared license and everything it was made from; notes and training data are advice."""
    verdict = _judge_facts(license_facts(model), profile, find)
    return verdict.model_copy(update={"advisories": _once([*verdict.advisories, *model.notes])})


def judge_license_with_base(
    license: str | None,  # noqa: A002  (the word the Hub and the records use)
    profile: Profile,
    *,
    license_name: str | None = None,
    base: str | None = None,
    find: FindFacts = nothing_known,
) -> Verdict:
    """Judge a license without a model; with `base`, the id of a base model, also what it would inherit from that one.

    A base model that `find` does not know is judged by its name where that tells a family; the verdict says so.
    """
    facts = LicenseFacts("", license, license_name, base_models=(base,) if base else ())
    return _judge_facts(facts, profile, find)


class _Step(NamedTuple):
    """One ancestor on the way to the root."""

    ancestor: str
    relation: str | None
    source: str
    through: str | None
    """The child that it was found through, where that is not the model itself."""
    terms: LicenseTerms | None
    """Its license; None where it is not in the catalog."""
    family: ModelFamily | None = None


class _Inherited(NamedTuple):
    subject: str
    terms: LicenseTerms
    verdict: Verdict
    family: ModelFamily | None = None


def _trace(facts: LicenseFacts, find: FindFacts) -> list[_Step]:
    """Follow the parents, nearest first, then add what names tell and no card says."""
    steps: list[_Step] = []
    readable = [] if facts.relation in {"quantized", "adapter"} and facts.base_models else [(facts, True)]
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
            readable.append((parent or LicenseFacts(parent_id), parent is not None))
            following += [(grandparent, parent) for grandparent in (parent.base_models if parent else ())]
        generation = following
    return steps + _guesses(facts, steps, readable)


def _step(parent_id: str, parent: LicenseFacts | None, child: LicenseFacts, root: LicenseFacts) -> _Step:
    family = None if parent else family_of_known_model(parent_id)
    terms = _terms(parent) if parent else None
    if family:
        terms = LicenseTerms(family.license, None, _if_it_matters(family.license, family.multimodal))
    return _Step(
        ancestor=parent_id,
        relation=child.relation,
        source=f"card of {child.model_id}" if child.model_id else "as given",
        through=None if child is root else child.model_id,
        terms=terms,
        family=family,
    )


def _guesses(facts: LicenseFacts, steps: list[_Step], readable: Iterable[tuple[LicenseFacts, bool]]) -> list[_Step]:
    """Families that names tell, unless a license of the lineage, or an earlier guess, says the same."""
    stated = [facts.license, facts.license_name]
    stated += [name for step in steps if step.terms for name in (step.terms.license, step.terms.license_name)]
    guesses = []
    for named, in_catalog in readable:
        owner = named.model_id.partition("/")[0].casefold()
        for family in families_in_name(named.model_id):
            if in_catalog and owner in family.owners:
                continue
            if not agrees_with_architecture(family, named.architecture):
                continue
            if any(same_license(family.license, name) for name in stated):
                continue
            stated.append(family.license)
            guesses.append(
                _Step(
                    ancestor=family.name,
                    relation="family",
                    source=f"name of {named.model_id}",
                    through=None,
                    terms=LicenseTerms(
                        family.license, None, _if_it_matters(family.license, family.multimodal), guessed=True
                    ),
                    family=family,
                )
            )
    return guesses


def _terms(facts: LicenseFacts) -> LicenseTerms:
    declared, named = normalize_license(facts.license), normalize_license(facts.license_name)
    multimodal = None
    if depends_on_multimodal(declared) or depends_on_multimodal(named):
        multimodal = _multimodal(facts)
    return LicenseTerms(declared, named, multimodal)


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


@lru_cache(maxsize=10_000)
def _judge(terms: LicenseTerms, profile: Profile) -> Verdict:
    verdict = judge_license(terms.license, profile, license_name=terms.license_name, multimodal=terms.multimodal)
    if terms.guessed and verdict.value is VerdictValue.FORBIDDEN:
        return verdict.model_copy(update={"value": VerdictValue.UNKNOWN})
    return verdict


def _judge_facts(facts: LicenseFacts, profile: Profile, find: FindFacts) -> Verdict:
    """Judge facts with named ancestors; the value is the one of their case."""
    declared_terms = _terms(facts)
    declared = _judge(declared_terms, profile)
    steps = _trace(facts, find)
    inherited = [
        _Inherited(_subject(step), step.terms, _judge(step.terms, profile), step.family)
        for step in steps
        if step.terms is not None and step.terms[:3] != declared_terms[:3]
    ]
    verdict = _combine(declared, inherited)
    advisories = [
        *verdict.advisories,
        *_missing(steps),
        *_contradictions(facts),
        *_hints(facts, steps),
        *find_advisories(facts.datasets),
    ]
    lineage = tuple(_ancestor(step, profile) for step in steps)
    return verdict.model_copy(update={"advisories": _once(advisories), "lineage": lineage})


def _subject(step: _Step) -> str:
    if step.terms is not None and step.terms.guessed:
        return step.ancestor
    return f"{step.ancestor} (by way of {step.through})" if step.through else step.ancestor


def _ancestor(step: _Step, profile: Profile) -> Ancestor:
    terms = step.terms
    relation = step.relation if step.relation in {"adapter", "merge", "quantized", "finetune", "family"} else None
    source = step.source
    if step.family is not None:
        source += f"; license of {step.family.name}: {step.family.source}"
    return Ancestor(
        model_id=step.ancestor,
        relation=relation,  # type: ignore[arg-type]  # narrowed by the line above
        license=(terms.license_name or terms.license) if terms else None,
        value=_judge(terms, profile).value if terms else None,
        source=source,
        guessed=bool(terms and terms.guessed),
    )


def _missing(steps: list[_Step]) -> list[str]:
    missing = [step.ancestor for step in steps if step.terms is None]
    if not missing:
        return []
    return [f"Made from {', '.join(missing)}, not in this catalog: what its license adds is not known."]


def _contradictions(facts: LicenseFacts) -> list[str]:
    return [
        f"The name speaks of {family.name}, but the architecture {facts.architecture} is not its: only the declared "
        f"license was judged. Where it learned from outputs of {family.name}, see {family.license}."
        for family in families_in_name(facts.model_id)
        if facts.architecture
        and not family.only_architectures
        and not agrees_with_architecture(family, facts.architecture)
    ]


def _hints(facts: LicenseFacts, steps: list[_Step]) -> list[str]:
    """Advice where only the architecture speaks of a restricted family."""
    hinted = license_hinted_by_architecture(facts.architecture)
    if hinted is None or steps or same_license(hinted, facts.license) or same_license(hinted, facts.license_name):
        return []
    return [
        f"The architecture {facts.architecture} was made for models under {hinted}. Neither the card nor the name says "
        "that these weights come from one of them; they may also have been trained from scratch."
    ]


def _combine(declared: Verdict, inherited: list[_Inherited]) -> Verdict:
    """The strictest decides and is explained first; on a tie the declared license keeps the word."""
    strictest = max(inherited, key=lambda other: other.verdict.value.strictness, default=None)
    stricter = strictest is not None and strictest.verdict.value.strictness > declared.value.strictness
    deciding = strictest.verdict if strictest is not None and stricter else declared
    reasons = declared.reasons
    if strictest is not None and stricter:
        first, *others = strictest.verdict.reasons
        explained = first.model_copy(update={"text": _disagreement(strictest, declared, first.text)})
        reasons = (explained, *others, *(_as_declared(reason, declared) for reason in declared.reasons))
    advisories = [*deciding.advisories, *declared.advisories]
    advisories += [text for other in inherited if not other.terms.guessed for text in other.verdict.advisories]
    return deciding.model_copy(
        update={
            "reasons": reasons,
            "conditions": _conditions(deciding.value, declared, inherited),
            "advisories": _once(advisories),
            "declared_value": declared.value if stricter else None,
        }
    )


def _disagreement(other: _Inherited, declared: Verdict, clause: str) -> str:
    stated = f"the declared {declared.license}" if declared.license else "the missing one of this repository"
    name = other.verdict.license
    if other.terms.guessed:
        return (
            f"The name says that it was made from {other.subject}, whose license {name} is stricter than {stated}. "
            f"{clause} Only the name tells it: look at the model card."
        )
    if name is None:
        return f"Made from {other.subject}, which declares no license, so that nobody could pass rights on. {clause}"
    return f"Made from {other.subject}, whose license {name} is stricter than {stated}: {clause}"


def _as_declared(reason: Reason, declared: Verdict) -> Reason:
    return reason.model_copy(update={"text": f"Declared license {declared.license or '(none)'}: {reason.text}"})


def _conditions(value: VerdictValue, declared: Verdict, inherited: list[_Inherited]) -> tuple[str, ...]:
    """One checklist of all licenses that bind; where the use is forbidden, only what would open a way."""
    binding = [declared, *(other.verdict for other in inherited if not other.terms.guessed)]
    if value is VerdictValue.FORBIDDEN:
        return _once([text for verdict in binding if verdict.value is value for text in verdict.conditions])
    asked = [text for verdict in binding for text in verdict.conditions]
    for other in inherited:
        if other.terms.guessed:
            subject = other.family.name if other.family else "that model"
            asked += [
                f"If it was made from {subject}: {text}" for text in other.verdict.conditions if text not in asked
            ]
    return _once(asked)


def _once(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
