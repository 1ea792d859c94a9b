"""The filters of a search: which rows each one leaves out, all at once, and in which words for one model.

Every rule has two faces that tests hold together: `excludes` looks at columns of millions of rows, `reason` at one
model. They are asked in the order of FILTERS, the cheap and plain ones first, license before memory; an exclusion
carries the first one that failed. A fact that is not known excludes, with a reason that begins with "unknown".
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from catalog.index.columns import UNKNOWN, Columns, Mask, Numbers
from catalog.index.rows import date_number
from catalog.records import Fit, FitValue, Model, ModelQuery, Verdict

RUNS = frozenset({FitValue.FITS, FitValue.TIGHT, FitValue.OFFLOAD})
"""What counts as running on the machine."""


class Judged(NamedTuple):
    """One model with the two judgements that filters may ask for."""

    model: Model
    verdict: Verdict
    fit: Fit


class Asked(NamedTuple):
    """A query with what was judged for it over all rows, each only worked out where the query asks."""

    query: ModelQuery
    verdict_allowed: Callable[[], Mask]
    """Rows whose verdict is wanted."""
    runs: Callable[[], Mask]
    """Rows that run on the machine."""


class Filter(NamedTuple):
    """One rule."""

    excludes: Callable[[Columns, Asked], Mask | None]
    """Rows that it leaves out; None where the query does not ask."""
    reason: Callable[[Judged, ModelQuery], str | None]
    """Why it leaves a model out, or None where the model may stay or the query does not ask."""
    sentence: Callable[[ModelQuery], str]
    """The reason as an SQL expression over the columns of `models.parquet`, for files of exclusions."""


def _rows_by_word(columns: Columns, name: str, keep: Callable[[str], bool]) -> Mask:
    """Rows whose word in a coded column is not to be kept, or not known."""
    column = columns.coded(name)
    # The last place answers for UNKNOWN, which is -1.
    excluded = np.array([*(not keep(word) for word in column.words), True], np.bool_)
    return excluded[column.codes]


# Text and author


def _words(query: ModelQuery) -> list[str]:
    return (query.text or "").casefold().split()


def _text_rows(columns: Columns, asked: Asked) -> Mask | None:
    words = _words(asked.query)
    if not words:
        return None
    found = columns.ids_with(" AND ".join("contains(id, ?)" for _ in words), words)
    later = [all(word in row.id_lower for word in words) for row in columns.later]
    found[columns.stored :] = later
    return ~found


def _text_reason(judged: Judged, query: ModelQuery) -> str | None:
    name = judged.model.id.casefold()
    missing = [word for word in _words(query) if word not in name]
    return f"'{judged.model.id}' does not contain '{missing[0]}'" if missing else None


def _author_rows(columns: Columns, asked: Asked) -> Mask | None:
    if asked.query.author is None:
        return None
    start = f"{asked.query.author.casefold()}/"
    found = columns.ids_with("starts_with(id, ?)", [start])
    found[columns.stored :] = [row.id_lower.startswith(start) for row in columns.later]
    return ~found


def _author_reason(judged: Judged, query: ModelQuery) -> str | None:
    if query.author is None or judged.model.id.casefold().startswith(f"{query.author.casefold()}/"):
        return None
    return f"'{judged.model.id}' is not of {query.author}"


# Facts with few distinct values


def _kind_rows(columns: Columns, asked: Asked) -> Mask | None:
    wanted = asked.query.kind
    return _rows_by_word(columns, "kind", lambda word: word == wanted) if wanted is not None else None


def _kind_reason(judged: Judged, query: ModelQuery) -> str | None:
    if query.kind is None or judged.model.kind == query.kind:
        return None
    return f"the model is {_PLACES[judged.model.kind]}, not {_PLACES[query.kind]}"


_PLACES = {"hub": "on the Hub", "local": "on this machine", "endpoint": "at an endpoint"}


def _task_rows(columns: Columns, asked: Asked) -> Mask | None:
    wanted = asked.query.task
    return _rows_by_word(columns, "task", lambda word: word == wanted) if wanted is not None else None


def _task_reason(judged: Judged, query: ModelQuery) -> str | None:
    return _differs(judged.model.task, query.task, "task", "no task is declared")


def _library_rows(columns: Columns, asked: Asked) -> Mask | None:
    wanted = asked.query.library
    return _rows_by_word(columns, "library", lambda word: word == wanted) if wanted is not None else None


def _library_reason(judged: Judged, query: ModelQuery) -> str | None:
    return _differs(judged.model.library, query.library, "library", "no library is named")


def _differs(value: str | None, wanted: str | None, fact: str, unknown: str) -> str | None:
    if wanted is None or value == wanted:
        return None
    if value is None:
        return f"unknown: {unknown}, and {wanted} is asked for"
    return f"the {fact} is {value}, not {wanted}"


def _format_rows(columns: Columns, asked: Asked) -> Mask | None:
    if asked.query.format is None:
        return None
    wanted = f"|{asked.query.format.casefold()}|"
    return _rows_by_word(columns, "formats", lambda word: wanted in word)


def _format_reason(judged: Judged, query: ModelQuery) -> str | None:
    if query.format is None:
        return None
    offered = sorted({*judged.model.formats, *(file.format for file in judged.model.weights_files)})
    if not offered:
        return f"unknown: no weight formats are recorded, and {query.format} is asked for"
    if query.format.casefold() in offered:
        return None
    return f"offered as {', '.join(offered)}, not as {query.format}"


def _language_rows(columns: Columns, asked: Asked) -> Mask | None:
    if asked.query.language is None:
        return None
    wanted = f"|{asked.query.language.casefold()}|"
    return _rows_by_word(columns, "languages", lambda word: wanted in word)


def _language_reason(judged: Judged, query: ModelQuery) -> str | None:
    if query.language is None:
        return None
    listed = judged.model.languages
    if not listed:
        return f"unknown: the card lists no languages, and '{query.language}' is asked for"
    if query.language.casefold() in {language.casefold() for language in listed}:
        return None
    shown = ", ".join(listed[:8]) + (" …" if len(listed) > 8 else "")
    return f"the card lists {shown}, not '{query.language}'"


def _license_rows(columns: Columns, asked: Asked) -> Mask | None:
    if asked.query.licenses is None:
        return None
    wanted = {name.casefold() for name in asked.query.licenses}
    by_id = _rows_by_word(columns, "license", lambda word: word in wanted)
    return by_id & _rows_by_word(columns, "license_name", lambda word: word in wanted)


def _license_reason(judged: Judged, query: ModelQuery) -> str | None:
    if query.licenses is None:
        return None
    names = [name for name in (judged.model.license, judged.model.license_name) if name]
    wanted = " or ".join(query.licenses) or "no license at all"
    if not names:
        return f"unknown: no license is declared, and {wanted} is asked for"
    if {name.casefold() for name in names} & {name.casefold() for name in query.licenses}:
        return None
    return f"the declared license is {' '.join(names)}, not {wanted}"


def _gated_rows(columns: Columns, asked: Asked) -> Mask | None:
    if asked.query.gated is None:
        return None
    differs: Mask = columns.numbers("gated", "TINYINT") != int(asked.query.gated)
    return differs


def _gated_reason(judged: Judged, query: ModelQuery) -> str | None:
    gated = judged.model.gated
    if query.gated is None or gated == query.gated:
        return None
    if gated is None:
        return "unknown: whether terms must be accepted before download is not recorded"
    return "terms must be accepted before download" if gated else "not gated, and only gated models are asked for"


# Numbers


def _updated_rows(columns: Columns, asked: Asked) -> Mask | None:
    if asked.query.updated_since is None:
        return None
    return columns.numbers("updated", "INTEGER") < (date_number(asked.query.updated_since) or 0)


def _updated_reason(judged: Judged, query: ModelQuery) -> str | None:
    if query.updated_since is None:
        return None
    updated = date_number(judged.model.updated)
    if updated is None:
        return f"unknown: no date of change is recorded, and one since {query.updated_since} is asked for"
    if updated >= (date_number(query.updated_since) or 0):
        return None
    return f"last changed on {judged.model.updated}, before {query.updated_since}"


def _min_parameters_rows(columns: Columns, asked: Asked) -> Mask | None:
    limit = asked.query.min_parameters
    return _fewer(columns.numbers("parameters"), limit) if limit is not None else None


def _min_parameters_reason(judged: Judged, query: ModelQuery) -> str | None:
    return _below(judged.model.parameters, query.min_parameters, "parameters")


def _max_parameters_rows(columns: Columns, asked: Asked) -> Mask | None:
    limit = asked.query.max_parameters
    if limit is None:
        return None
    values = columns.numbers("parameters")
    excluded: Mask = (values > limit) | (values == UNKNOWN)
    return excluded


def _max_parameters_reason(judged: Judged, query: ModelQuery) -> str | None:
    value, limit = judged.model.parameters, query.max_parameters
    if limit is None:
        return None
    if value is None:
        return f"unknown: the number of parameters is not recorded, and at most {limit:,} are asked for"
    return f"{value:,} parameters are more than {limit:,}" if value > limit else None


def _min_context_rows(columns: Columns, asked: Asked) -> Mask | None:
    limit = asked.query.min_context_tokens
    if limit is None:
        return None
    too_few = _fewer(columns.numbers("context"), limit)
    if asked.query.extended_context:
        too_few &= _fewer(columns.numbers("extended"), limit)
    return too_few


def _min_context_reason(judged: Judged, query: ModelQuery) -> str | None:
    native, extended = judged.model.context_native_tokens, judged.model.context_extended_tokens
    limit, reaches = query.min_context_tokens, False
    if limit is not None and extended is not None:
        reaches = extended >= limit
    if query.extended_context and reaches:
        return None
    reason = _below(native, limit, "tokens of native context")
    if reason and reaches:
        reason += f"; {extended:,} can be reached by {judged.model.context_extension or 'an extension'}"
    elif reason and query.extended_context and extended:
        reason += f"; {extended:,} with {judged.model.context_extension or 'an extension'}"
    return reason


def _fewer(values: Numbers, limit: int) -> Mask:
    return values < max(limit, 0) if limit > 0 else values == UNKNOWN


def _below(value: int | None, limit: int | None, unit: str) -> str | None:
    if limit is None:
        return None
    if value is None:
        return f"unknown: the number of {unit} is not recorded, and at least {limit:,} are asked for"
    return f"{value:,} {unit} are fewer than {limit:,}" if value < limit else None


# Judgements


def _verdict_rows(_: Columns, asked: Asked) -> Mask | None:
    return ~asked.verdict_allowed() if asked.query.verdicts is not None else None


def verdict_reason(verdict: Verdict, query: ModelQuery) -> str | None:
    """Why a verdict leaves a model out."""
    if query.verdicts is None or verdict.value in query.verdicts:
        return None
    wanted = " or ".join(value.value for value in query.verdicts) or "no verdict at all"
    license_id = verdict.license or "no license"
    return f"{verdict.value.value} under {license_id}, not {wanted}: {verdict.reasons[0].text}"


def _fits_rows(_: Columns, asked: Asked) -> Mask | None:
    return ~asked.runs() if asked.query.fits else None


def _fits_reason(judged: Judged, query: ModelQuery) -> str | None:
    if not query.fits or judged.fit.value in RUNS:
        return None
    explanation = judged.fit.explanation
    return explanation[0].lower() + explanation[1:]


# The same reasons for files, where millions of them are written at once


def _plain(column: str, fact: str, wanted: str) -> str:
    value = f"trim(replace({column}::VARCHAR, '|', ' '))"
    asked = wanted.replace("'", "''")
    unknown = f"unknown: {fact} is not recorded, and {asked} is asked for"
    return f"CASE WHEN {column} IS NULL THEN '{unknown}' ELSE '{fact} is ' || {value} || ', not {asked}' END"


def _figure(column: str, fact: str, wanted: str) -> str:
    known = f"format('{fact} is {{:,}}, not {wanted}', {column})"
    return (
        f"CASE WHEN {column} IS NULL THEN 'unknown: {fact} is not recorded, and {wanted} is asked for' ELSE {known} END"
    )


def _quote(text: str) -> str:
    return text.replace("'", "''")


FILTERS: dict[str, Filter] = {
    "text": Filter(
        _text_rows, _text_reason, lambda q: f"'''' || id || ''' does not contain all of ''{_quote(q.text or '')}'''"
    ),
    "author": Filter(_author_rows, _author_reason, lambda q: f"'''' || id || ''' is not of {_quote(q.author or '')}'"),
    "kind": Filter(_kind_rows, _kind_reason, lambda q: _plain("kind", "the place", q.kind or "")),
    "task": Filter(_task_rows, _task_reason, lambda q: _plain("task", "the task", q.task or "")),
    "library": Filter(_library_rows, _library_reason, lambda q: _plain("library", "the library", q.library or "")),
    "format": Filter(_format_rows, _format_reason, lambda q: _plain("formats", "the format", q.format or "")),
    "language": Filter(
        _language_rows, _language_reason, lambda q: _plain("languages", "the language", q.language or "")
    ),
    "license": Filter(
        _license_rows, _license_reason, lambda q: _plain("license", "the license", " or ".join(q.licenses or ()))
    ),
    "gated": Filter(_gated_rows, _gated_reason, lambda q: _plain("gated", "gated", str(q.gated).lower())),
    "updated_since": Filter(
        _updated_rows, _updated_reason, lambda q: _plain("updated", "the date of change", f"since {q.updated_since}")
    ),
    "min_parameters": Filter(
        _min_parameters_rows,
        _min_parameters_reason,
        lambda q: _figure("parameters", "the number of parameters", f"at least {q.min_parameters or 0:,}"),
    ),
    "max_parameters": Filter(
        _max_parameters_rows,
        _max_parameters_reason,
        lambda q: _figure("parameters", "the number of parameters", f"at most {q.max_parameters or 0:,}"),
    ),
    "min_context": Filter(
        _min_context_rows,
        _min_context_reason,
        lambda q: _figure("context", "the native context", f"at least {q.min_context_tokens or 0:,}"),
    ),
    "verdict": Filter(_verdict_rows, lambda judged, query: verdict_reason(judged.verdict, query), lambda _: "verdict"),
    "fits": Filter(_fits_rows, _fits_reason, lambda q: f"'does not run on the machine in {_quote(q.quantization)}'"),
}
"""Name of each rule, in the order in which they are asked."""
