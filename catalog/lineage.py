"""What a model inherits: the strictest of the declared license and the licenses of everything it was made from.

Nobody can pass on more rights than they were given, so a model made from another is bound by both licenses, judged
under the same profile. What only a name tells is a guess: it may add conditions or make a verdict unknown, and never
forbids.

A `LicenseCase` is what a verdict depends on besides the profile. It names no model, so that millions of models share a
few thousand cases, each judged once. The ancestors come from `catalog.ancestry`, the verdict of one license from
`catalog.licenses`; this module fetches nothing. Not legal advice.
"""

import json
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from catalog.ancestry import (
    FindFacts,
    LicenseFacts,
    LicenseTerms,
    Step,
    declared_terms,
    license_facts,
    license_terms,
    nothing_known,
    trace,
)
from catalog.families import agrees_with_architecture, families_in_name, license_hinted_by_architecture
from catalog.licenses import judge_license, same_license
from catalog.records import Ancestor, Model, Profile, Reason, Verdict, VerdictValue
from catalog.training_data import find_advisories

__all__ = [
    "FindFacts",
    "LicenseCase",
    "LicenseFacts",
    "LicenseTerms",
    "judge_case",
    "judge_license_with_base",
    "judge_model",
    "license_facts",
    "lineage_case",
    "nothing_known",
    "read_case",
    "write_case",
]


class LicenseCase(NamedTuple):
    """Everything besides the profile that a verdict depends on; hashable, and the same for many models."""

    declared: LicenseTerms
    inherited: tuple[LicenseTerms, ...] = ()
    """Sorted, each once, without those that say the same as the declared one."""


def lineage_case(facts: LicenseFacts, find: FindFacts) -> LicenseCase:
    """Reduce a model and its lineage to the case that decides its verdict; cheap enough to call for every model."""
    if not facts.base_models and not families_in_name(facts.model_id):
        return LicenseCase(license_terms(facts))
    steps = trace(facts, find)
    declared = declared_terms(facts, steps)
    inherited = {step.terms for step in steps if step.terms is not None and step.terms[:3] != declared[:3]}
    return LicenseCase(declared, tuple(sorted(inherited, key=_case_order)) if len(inherited) > 1 else tuple(inherited))


def _case_order(terms: LicenseTerms) -> tuple[bool, str]:
    """Guesses last, so that on a tie what a card says is what a reader is told."""
    return terms.guessed, str(terms)


def write_case(case: LicenseCase) -> str:
    """The case as compact JSON, to keep in a table; equal cases give equal texts."""
    return json.dumps(case, separators=(",", ":"))


def read_case(text: str) -> LicenseCase:
    """The case that `write_case` wrote."""
    declared, inherited = json.loads(text)
    return LicenseCase(LicenseTerms(*declared), tuple(LicenseTerms(*terms) for terms in inherited))


def judge_case(case: LicenseCase, profile: Profile) -> Verdict:
    """Judge a case: value, reasons and conditions are those of every model that shares it; ancestors go unnamed."""
    inherited = [_Inherited(terms, _judge(terms, profile)) for terms in case.inherited]
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


class _Inherited(NamedTuple):
    terms: LicenseTerms
    verdict: Verdict
    step: Step | None = None
    """Where it comes from; None in cases, which name no model."""


@lru_cache(maxsize=10_000)
def _judge(terms: LicenseTerms, profile: Profile) -> Verdict:
    verdict = judge_license(terms.license, profile, license_name=terms.license_name, multimodal=terms.multimodal)
    if terms.guessed and verdict.value is VerdictValue.FORBIDDEN:
        return verdict.model_copy(update={"value": VerdictValue.UNKNOWN})
    return verdict


def _judge_facts(facts: LicenseFacts, profile: Profile, find: FindFacts) -> Verdict:
    """Judge facts with named ancestors; the value is the one of their case."""
    steps = trace(facts, find)
    terms = declared_terms(facts, steps)
    declared = _judge(terms, profile)
    inherited = [
        _Inherited(step.terms, _judge(step.terms, profile), step)
        for step in steps
        if step.terms is not None and step.terms[:3] != terms[:3]
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


def _ancestor(step: Step, profile: Profile) -> Ancestor:
    terms = step.terms
    relation = step.relation if step.relation in {"adapter", "merge", "quantized", "finetune", "family"} else None
    source = step.source
    if step.family is not None:
        source += f"; license of {step.family.name}: {step.family.source}"
    return Ancestor(
        model_id=step.ancestor,
        relation=relation,
        license=(terms.license_name or terms.license) if terms else None,
        value=_judge(terms, profile).value if terms else None,
        source=source,
        guessed=bool(terms and terms.guessed),
    )


def _missing(steps: list[Step]) -> list[str]:
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


def _hints(facts: LicenseFacts, steps: list[Step]) -> list[str]:
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
        declared_too = [_as_declared(reason, declared) for reason in declared.reasons]
        reasons = (explained, *_family_reason(strictest), *others, *declared_too)
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
    """Which ancestor's license is stricter, and its clause."""
    stated = f"the declared {declared.license}" if declared.license else "the missing one of this repository"
    name = other.verdict.license
    if other.terms.guessed:
        told = f"The {other.step.source} speaks of {other.step.ancestor}" if other.step else "A name speaks of a model"
        return (
            f"{told}, whose license {name} is stricter than {stated}. {clause} "
            "Only the name says so: look at the model card."
        )
    ancestor = other.step.ancestor if other.step else "a model"
    if other.step and other.step.through:
        ancestor += f" by way of {other.step.through}"
    if name is None:
        return f"Made from {ancestor}, which declares no license, so that nobody could pass rights on. {clause}"
    return f"Made from {ancestor}, whose license {name} is stricter than {stated}: {clause}"


def _family_reason(other: _Inherited) -> list[Reason]:
    """Where the license of a family was read, where no card of the lineage states it."""
    family = other.step.family if other.step else None
    if family is None:
        return []
    text = f"{family.name} is released under {family.license}."
    return [Reason(text=text, source=family.source, read_on=family.read_on, link=family.link)]


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
            subject = other.step.ancestor if other.step else "that model"
            asked += [
                f"If it was made from {subject}: {text}" for text in other.verdict.conditions if text not in asked
            ]
    return _once(asked)


def _once(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
