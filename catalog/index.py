"""Search over models in memory: filter, judge, sort, and say of every model left out which rule left it out.

The index holds whatever models it is given: the starter snapshot, local files, what the Hub returned. Verdicts come
from `catalog.licenses`, memory from `catalog.memory`; it fetches nothing and keeps nothing between searches.

Filters are asked in the order of `FILTERS`, the cheap and plain ones first, license before memory; an exclusion carries
the first one that failed. A filter on a fact that is not known excludes, with a reason that begins with "unknown".
"""

import difflib
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from catalog.errors import ModelNotFound
from catalog.lineage import LicenseFacts, judge_model, license_facts
from catalog.memory import predict_fit
from catalog.records import (
    Exclusion,
    Fit,
    FitValue,
    Machine,
    Model,
    ModelQuery,
    Profile,
    SearchHit,
    SearchResult,
    SortKey,
    Verdict,
)


class Judged(NamedTuple):
    """One model with the two judgements that filters may ask for."""

    model: Model
    verdict: Verdict
    fit: Fit


class Index:
    """Models to search, by id; of two with the same id the later one counts."""

    def __init__(self, models: Iterable[Model]) -> None:
        self._models: dict[str, Model] = {model.id.casefold(): model for model in models}

    def find(self, model_id: str) -> Model:
        """Return the model with that id, whatever its case; raises ModelNotFound with close matches."""
        model = self._models.get(model_id.strip().casefold())
        if model is not None:
            return model
        close = _close_ids(model_id, self._models.values())
        hint = f"Did you mean {', '.join(close)}?" if close else "Search by a part of its name."
        raise ModelNotFound(f"No model '{model_id}' among the {len(self._models)} in the catalog. {hint}")

    def license_facts(self, model_id: str) -> LicenseFacts | None:
        """What the verdict of a model depends on; None where the index does not hold it."""
        model = self._models.get(model_id.strip().casefold())
        return license_facts(model) if model else None

    def search(self, query: ModelQuery, profile: Profile, machine: Machine) -> SearchResult:
        """Judge every model and return the first `limit` that pass all filters, in order, with everything left out."""
        passed: list[Judged] = []
        exclusions: list[Exclusion] = []
        for model in self._models.values():
            judged = Judged(model, judge_model(model, profile, self.license_facts), _fit(model, query, machine))
            exclusion = _first_exclusion(judged, query)
            if exclusion is None:
                passed.append(judged)
            else:
                exclusions.append(exclusion)
        passed.sort(key=lambda judged: _sort_rank(judged.model, query.sort))
        exclusions.sort(key=lambda exclusion: exclusion.model_id.casefold())
        return SearchResult(
            hits=tuple(SearchHit(model=m, verdict=v, fit=f) for m, v, f in passed[: query.limit]),
            matches=len(passed),
            considered=len(self._models),
            exclusions=tuple(exclusions),
        )


def _fit(model: Model, query: ModelQuery, machine: Machine) -> Fit:
    return predict_fit(
        model,
        machine,
        quantization=query.quantization,
        context_tokens=query.context_tokens,
        concurrency=query.concurrency,
    )


def _first_exclusion(judged: Judged, query: ModelQuery) -> Exclusion | None:
    for rule, check in FILTERS.items():
        reason = check(judged, query)
        if reason is not None:
            return Exclusion(model_id=judged.model.id, rule=rule, reason=reason)
    return None


# Each check returns why it excludes, or None where the model may stay or the query does not ask.


def _check_text(judged: Judged, query: ModelQuery) -> str | None:
    name = judged.model.id.casefold()
    missing = [word for word in (query.text or "").casefold().split() if word not in name]
    return f"'{judged.model.id}' does not contain '{missing[0]}'" if missing else None


def _check_task(judged: Judged, query: ModelQuery) -> str | None:
    if query.task is None or judged.model.task == query.task:
        return None
    if judged.model.task is None:
        return f"unknown: no task is declared, and {query.task} is asked for"
    return f"the task is {judged.model.task}, not {query.task}"


def _check_format(judged: Judged, query: ModelQuery) -> str | None:
    if query.format is None:
        return None
    offered = sorted({*judged.model.formats, *(file.format for file in judged.model.weights_files)})
    if not offered:
        return f"unknown: no weight formats are recorded, and {query.format} is asked for"
    if query.format.casefold() in offered:
        return None
    return f"offered as {', '.join(offered)}, not as {query.format}"


def _check_language(judged: Judged, query: ModelQuery) -> str | None:
    if query.language is None:
        return None
    listed = judged.model.languages
    if not listed:
        return f"unknown: the card lists no languages, and '{query.language}' is asked for"
    if query.language.casefold() in {language.casefold() for language in listed}:
        return None
    shown = ", ".join(listed[:8]) + (" …" if len(listed) > 8 else "")
    return f"the card lists {shown}, not '{query.language}'"


def _check_min_parameters(judged: Judged, query: ModelQuery) -> str | None:
    return _below(judged.model.parameters, query.min_parameters, "parameters")


def _check_max_parameters(judged: Judged, query: ModelQuery) -> str | None:
    value, limit = judged.model.parameters, query.max_parameters
    if limit is None:
        return None
    if value is None:
        return f"unknown: the number of parameters is not recorded, and at most {limit:,} are asked for"
    return f"{value:,} parameters are more than {limit:,}" if value > limit else None


def _check_min_context(judged: Judged, query: ModelQuery) -> str | None:
    reason = _below(judged.model.context_native_tokens, query.min_context_tokens, "tokens of native context")
    extended = judged.model.context_extended_tokens
    if reason and extended and query.min_context_tokens and extended >= query.min_context_tokens:
        reason += f"; {extended:,} can be reached by {judged.model.context_extension or 'an extension'}"
    return reason


def _below(value: int | None, limit: int | None, unit: str) -> str | None:
    if limit is None:
        return None
    if value is None:
        return f"unknown: the number of {unit} is not recorded, and at least {limit:,} are asked for"
    return f"{value:,} {unit} are fewer than {limit:,}" if value < limit else None


def _check_verdict(judged: Judged, query: ModelQuery) -> str | None:
    verdict = judged.verdict
    if query.verdicts is None or verdict.value in query.verdicts:
        return None
    wanted = " or ".join(value.value for value in query.verdicts) or "no verdict at all"
    license_id = verdict.license or "no license"
    return f"{verdict.value.value} under {license_id}, not {wanted}: {verdict.reasons[0].text}"


def _check_fits(judged: Judged, query: ModelQuery) -> str | None:
    if not query.fits or judged.fit.value in {FitValue.FITS, FitValue.TIGHT}:
        return None
    explanation = judged.fit.explanation
    return explanation[0].lower() + explanation[1:]


FILTERS: dict[str, Callable[[Judged, ModelQuery], str | None]] = {
    "text": _check_text,
    "task": _check_task,
    "format": _check_format,
    "language": _check_language,
    "min_parameters": _check_min_parameters,
    "max_parameters": _check_max_parameters,
    "min_context": _check_min_context,
    "verdict": _check_verdict,
    "fits": _check_fits,
}
"""Name of each rule and its check, in the order in which they are asked."""


def _sort_rank(model: Model, sort: SortKey) -> tuple[bool, float, str]:
    """Rank for sorting: known values before unknown ones, large before small, then by name; names from a to z."""
    name = model.id.casefold()
    if sort == "name":
        return (False, 0.0, name)
    value = _sort_value(model, sort)
    return (value is None, -(value or 0.0), name)


def _sort_value(model: Model, sort: SortKey) -> float | None:
    if sort == "released":
        # 2024-07 and 2024-07-18 compare as dates do once the hyphens are gone and a missing day is filled up.
        digits = "".join(re.findall(r"\d", model.released or ""))[:8]
        return float(digits.ljust(8, "0")) if digits else None
    return {
        "downloads": model.downloads,
        "likes": model.likes,
        "trending": model.trending_score,
        "parameters": model.parameters,
        "context": model.context_native_tokens,
    }[sort]


def _close_ids(model_id: str, models: Iterable[Model]) -> list[str]:
    """Ids that look like the one asked for, by whole id or by the part after the owner."""
    by_name: dict[str, str] = {}
    for model in models:
        by_name[model.id.casefold()] = model.id
        by_name.setdefault(model.id.casefold().rsplit("/", 1)[-1], model.id)
    wanted = model_id.strip().casefold()
    names = difflib.get_close_matches(wanted, by_name, n=5, cutoff=0.6)
    names += difflib.get_close_matches(wanted.rsplit("/", 1)[-1], by_name, n=5, cutoff=0.6)
    return list(dict.fromkeys(by_name[name] for name in names))[:5]
