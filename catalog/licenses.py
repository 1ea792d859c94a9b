"""May this model be used commercially? License verdicts from rules kept as data, with reasons and sources.

The rules (`data/license_rules.json`) hold our reading of public license texts: a base verdict, the conditions as a
checklist, and clauses that depend on what the user intends. This module evaluates them against a `Profile`; it knows no
license by name. It does not read model cards or fetch texts and follows no lineage (that is `catalog.lineage`), and
nothing here is legal advice.

Two promises that tests keep: a stricter profile never gets a more permissive verdict, because clauses only ever tighten
the base verdict; and what nobody has read is never guessed, it is `unknown` or says that the text was not read.
"""

import difflib
from functools import cache, lru_cache
from importlib import resources
from typing import Literal

from pydantic import Field, ValidationError

from catalog.errors import BadCatalogData
from catalog.records import Profile, Reason, Record, Verdict, VerdictValue

RULES_FILE = "license_rules.json"
LICENSE_LIST = "huggingface/hub-docs, docs/hub/repositories-licenses.md"
NO_PERMISSION = "https://choosealicense.com/no-permission/"

ClauseKind = Literal[
    "non_commercial",
    "users_above",
    "revenue_above_usd",
    "trains_on_outputs",
    "hosts_or_redistributes",
    "eu_based",
    "eu_multimodal",
]
"""What makes a clause apply. `eu_based` concerns every model under the license, `eu_multimodal` the multimodal ones."""


class Clause(Record):
    """One term of a license that applies to some profiles only."""

    kind: ClauseKind
    """What in the profile makes it apply."""
    threshold: int | None = Field(default=None, ge=0)
    """The limit of `users_above` and `revenue_above_usd`; the clause applies above it, not at it."""
    commercial_only: bool = False
    """Whether it concerns commercial use only."""
    verdict: VerdictValue
    """Verdict where it applies, unless another one is stricter."""
    sentence: str
    """The term in our own words."""
    condition: str | None = None
    """What must be done where it applies."""


class LicenseRule(Record):
    """What one license, or several that ask for the same, means for the user."""

    ids: tuple[str, ...] = ()
    """License ids of the Hub."""
    license_names: tuple[str, ...] = ()
    """Names used beside `license: other`, in normalized form."""
    title: str
    """Name for people."""
    base: VerdictValue
    """Verdict before any clause."""
    summary: str
    """What it allows, in one sentence of our own."""
    conditions: tuple[str, ...] = ()
    """Checklist for using it."""
    source: str
    """Where the text or the fact was read; `{id}` stands for the license id."""
    read_on: str | None
    """ISO date of the reading; None where the text itself was not read."""
    link: str | None
    """Address of the text; `{id}` stands for the license id."""
    verified: bool
    """Whether the license text itself was read."""
    clauses: tuple[Clause, ...] = ()
    """Terms that depend on the profile."""
    advisories: tuple[str, ...] = ()
    """Worth knowing, but decides nothing."""


class RuleBook(Record):
    """The whole rules file."""

    notice: str
    """Says that this is not legal advice."""
    rules: tuple[LicenseRule, ...]
    """Every rule; an id or a name occurs once."""


def license_ids() -> tuple[str, ...]:
    """Return the Hub's license ids, sorted; each of them has a rule."""
    return tuple(sorted(name for rule in _rule_book().rules for name in rule.ids))


def judge_license(
    license: str | None,  # noqa: A002  (the word the Hub and the records use)
    profile: Profile,
    *,
    license_name: str | None = None,
    multimodal: bool | None = None,
) -> Verdict:
    """Judge one license under a profile.

    `license` is the Hub's id, `license_name` the name beside `license: other`; case, spaces and underscores do not
    matter. Where both name a rule, or one lists several with commas, the strictest verdict wins. `multimodal` decides
    clauses on multimodal models: where it is None and such a clause would bind the profile, the verdict is `unknown`.
    """
    declared = _normalize(license)
    named = _normalize(license_name)
    if named and declared in {None, "other", "unknown"}:
        declared = None
    names = dict.fromkeys([*_split(named), *_split(declared)])
    verdicts = [_judge_name(name, profile, multimodal) for name in names]
    if not verdicts:
        return _undeclared()
    return max(verdicts, key=lambda verdict: verdict.value.strictness)


def normalize_license(name: str | None) -> str | None:
    """Lower case, hyphens for spaces and underscores, without the tag prefix `license:`; None for nothing."""
    return _normalize(name) if name else None


@lru_cache(maxsize=10_000)
def same_license(one: str, other: str | None) -> bool:
    """Whether two names mean one license: spelled alike, or names of one rule, or one of several that `other` lists."""
    wanted = _normalize(one)
    rule = _rules_by_name().get(wanted or "")
    names = _split(_normalize(other))
    return any(name == wanted or (rule is not None and _rules_by_name().get(name) is rule) for name in names)


@lru_cache(maxsize=10_000)
def depends_on_multimodal(name: str | None) -> bool:
    """Whether the license treats multimodal models differently from text-only ones."""
    rules = [_rules_by_name().get(part) for part in _split(_normalize(name))]
    return any(clause.kind == "eu_multimodal" for rule in rules if rule for clause in rule.clauses)


def _judge_name(name: str, profile: Profile, multimodal: bool | None) -> Verdict:
    rule = _rules_by_name().get(name)
    return _apply(rule, name, profile, multimodal) if rule else _unjudged(name)


def _apply(rule: LicenseRule, name: str, profile: Profile, multimodal: bool | None) -> Verdict:
    """Evaluate one rule: the strictest clause that applies decides, and its reason comes first."""
    value = rule.base
    binding: list[Clause] = []
    undecided: list[Clause] = []
    for clause in rule.clauses:
        applies = _applies(clause, profile, multimodal)
        if applies is None:
            undecided.append(clause)
            value = _stricter(value, VerdictValue.UNKNOWN)
        elif applies:
            binding.append(clause)
            value = _stricter(value, clause.verdict)
    binding.sort(key=lambda clause: -clause.verdict.strictness)
    sentences = [clause.sentence for clause in binding]
    sentences += [f"Not known whether the model is multimodal. If it is: {c.sentence}" for c in undecided]
    link = rule.link.replace("{id}", name) if rule.link else None
    source = rule.source.replace("{id}", name)
    reasons = tuple(
        Reason(text=text, source=source, read_on=rule.read_on, link=link) for text in [*sentences, rule.summary]
    )
    return Verdict(
        value=value,
        license=name,
        reasons=reasons,
        conditions=_conditions(rule, value, binding),
        advisories=_advisories(rule, source),
        verified=rule.verified,
    )


def _applies(clause: Clause, profile: Profile, multimodal: bool | None) -> bool | None:
    """Whether a clause binds this profile; None where it depends on a fact that is not known."""
    if clause.commercial_only and not profile.commercial:
        return False
    threshold = clause.threshold or 0
    if clause.kind == "eu_multimodal":
        return multimodal if profile.eu_based else False
    return {
        "non_commercial": profile.commercial,
        "users_above": profile.monthly_users > threshold,
        "revenue_above_usd": profile.annual_revenue_usd > threshold,
        "trains_on_outputs": profile.trains_on_outputs,
        "hosts_or_redistributes": profile.hosts_or_redistributes,
        "eu_based": profile.eu_based,
    }[clause.kind]


def _conditions(rule: LicenseRule, value: VerdictValue, binding: list[Clause]) -> tuple[str, ...]:
    """Checklist: everything asked for, or, where the use is forbidden, only what would open a way."""
    if value is VerdictValue.FORBIDDEN:
        ways = [c.condition for c in binding if c.condition and c.verdict is VerdictValue.FORBIDDEN]
        return tuple(dict.fromkeys(ways))
    asked = [*rule.conditions, *(clause.condition for clause in binding if clause.condition)]
    return tuple(dict.fromkeys(asked))


def _advisories(rule: LicenseRule, source: str) -> tuple[str, ...]:
    if rule.verified:
        return rule.advisories
    unread = f"The license text itself was not read for this verdict, which rests on: {source}."
    return (*rule.advisories, unread)


@cache
def _unjudged(name: str) -> Verdict:
    """Verdict for a license that no rule names; kept, because looking for similar names is slow."""
    close = difflib.get_close_matches(name, _rules_by_name(), n=3, cutoff=0.7)
    hint = f" Similar names that are judged: {', '.join(close)}." if close else ""
    text = f"The license '{name}' is not among those judged here, so nothing is known about it.{hint}"
    return Verdict(
        value=VerdictValue.UNKNOWN,
        license=name,
        reasons=(Reason(text=text, source=LICENSE_LIST),),
        conditions=("Read the license file in the repository.",),
        advisories=("The license text itself was not read.",),
    )


def _undeclared() -> Verdict:
    """Verdict for a repository without a license."""
    return Verdict(
        value=VerdictValue.UNKNOWN,
        license=None,
        reasons=(
            Reason(
                text="No license is declared, and without one nothing is permitted by default.",
                source="choosealicense.com, page on works without a license",
                link=NO_PERMISSION,
            ),
        ),
        conditions=("Ask the authors for a license.",),
        advisories=("There is no license text that could have been read.",),
    )


def _stricter(one: VerdictValue, other: VerdictValue) -> VerdictValue:
    return max(one, other, key=lambda value: value.strictness)


def _split(name: str | None) -> list[str]:
    """Single licenses of a normalized name that may list several with commas."""
    return [part.strip("- ") for part in (name or "").split(",") if part.strip("- ")]


@lru_cache(maxsize=10_000)
def _normalize(name: str | None) -> str | None:
    """Lower case, hyphens for spaces and underscores, without the tag prefix `license:`; None for nothing."""
    if name is None:
        return None
    return "-".join(name.casefold().removeprefix("license:").replace("_", " ").split()) or None


@cache
def _rule_book() -> RuleBook:
    """Read and check the rules file, once."""
    text = resources.files("catalog").joinpath("data", RULES_FILE).read_text(encoding="utf-8")
    return parse_rules(text)


@cache
def _rules_by_name() -> dict[str, LicenseRule]:
    return {name: rule for rule in _rule_book().rules for name in (*rule.ids, *rule.license_names)}


def parse_rules(text: str) -> RuleBook:
    """Parse the text of a rules file; raises BadCatalogData on damage, doubled names and missing thresholds."""
    try:
        book = RuleBook.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the top level"
        raise BadCatalogData(
            f"The license rules are damaged at {place}: {first['msg']}. Reinstall Open Model Workbench."
        ) from error
    names = [name for rule in book.rules for name in (*rule.ids, *rule.license_names)]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise BadCatalogData(f"License rules name {', '.join(doubled)} more than once. Keep one rule for each.")
    for rule in book.rules:
        for clause in rule.clauses:
            if (clause.threshold is None) == (clause.kind in {"users_above", "revenue_above_usd"}):
                raise BadCatalogData(
                    f"The clause '{clause.kind}' of '{rule.title}' has threshold {clause.threshold}. "
                    "Give a threshold to user and revenue clauses, and to no others."
                )
    return book
