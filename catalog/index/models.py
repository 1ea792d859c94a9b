"""Search over millions of models: filter, judge, sort, and say of every model left out which rule left it out.

The index holds what an update stored (`models.parquet`) and models that came later. A search looks at the columns that
its query names and at nothing else, each read once (catalog/index/columns.py); the filters are in
catalog/index/filters.py. Verdicts come from `catalog.lineage`, judged once per case; memory from `catalog.memory`, once
per network. Only the models that are returned are opened. It fetches nothing and writes nothing but exclusions.
"""

import difflib
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from catalog.added import read_added
from catalog.ancestry import LicenseFacts, license_facts
from catalog.catalog_folder import models_path, starter_digest
from catalog.errors import BadCatalogData, ModelNotFound
from catalog.exclusions import exclusions_query
from catalog.index.columns import UNKNOWN, Columns, Mask, Numbers, StoredRecord
from catalog.index.filters import FILTERS, Asked, Judged, verdict_reason
from catalog.index.fit import Table, read_figures, runs_on
from catalog.index.rows import hot_row, layout
from catalog.lineage import judge_case, judge_model, read_case
from catalog.memory import predict_fit
from catalog.merge import merge_models
from catalog.records import (
    Exclusion,
    FitSettings,
    Machine,
    Model,
    ModelQuery,
    Profile,
    RuleCount,
    SearchHit,
    SearchResult,
    SortKey,
    Trend,
    Verdict,
)
from catalog.snapshot import load_starter_models

HIDDEN = 255
"""Mark of rows that a later account of the same model replaces."""

MOST_KEPT = 16
"""Outcomes of filters kept, so that another order or page of the same search costs nothing; one byte per model each."""

FEW = 4
"""Where less than this fraction (a quarter) of the models is left, only their networks are predicted."""

RULES = tuple(FILTERS)

FirstRules = NDArray[np.uint8]
"""For each row the number of the first rule that leaves it out, counted from 1; 0 where it passes, or HIDDEN."""

_SORTS: dict[SortKey, tuple[str, str]] = {
    "downloads": ("downloads", "BIGINT"),
    "likes": ("likes", "BIGINT"),
    "trending": ("trending", "DOUBLE"),
    "rising": ("growth", "DOUBLE"),
    "parameters": ("parameters", "BIGINT"),
    "context": ("context", "BIGINT"),
    "released": ("released", "INTEGER"),
    "updated": ("updated", "INTEGER"),
}
"""Order → column and its type; `name` needs none, because rows lie in the order of their ids."""


SIZE_BITS = 42
"""Enough for four terabytes of weights; the other bits hold the number of a network."""


_CODED = ("kind", "task", "library", "formats", "languages", "license", "license_name", "license_case", "figures")


class _Exact(NamedTuple):
    """Rows with exact sizes, each a pair of network and size."""

    rows: Numbers
    codes: Numbers
    sizes: Numbers
    pairs: Numbers
    """For each row the number of its pair."""


class Index:
    """Models to search. Immutable but for what it has read so far; several threads may search it."""

    def __init__(self, models: Iterable[Model], stored: Path | None = None) -> None:
        """Index models, of two with the same id the later one, on top of a Parquet file of an update."""
        later = {model.id.casefold(): model for model in models}
        self._later = later
        self._kept: dict[object, FirstRules] = {}
        self._verdicts: dict[tuple[str, Profile], Verdict] = {}
        self._fits: dict[object, Mask] = {}
        self._table: Table | None = None
        self._sizes: dict[object, _Exact] = {}
        self._facts: dict[str, LicenseFacts | None] = {}
        self._lock = threading.RLock()
        self._columns = Columns(stored)
        self._notes = self._columns.notes()
        self._replaced = tuple(self._columns.rows_of(list(later)).values())
        self._look_up([parent for model in later.values() for parent in model.base_models])
        rows = [hot_row(model, self.license_facts) for _, model in sorted(later.items())]
        self._columns.put_later(rows)
        self._later_rows = {row.id_lower: self._columns.stored + n for n, row in enumerate(rows)}

    @classmethod
    def open(cls, folder: Path) -> "Index":
        """The catalog in a folder: the last update, models added since, and the starter snapshot underneath.

        Raises BadCatalogData where the stored file is damaged or was made by another version.
        """
        path = models_path(folder)
        added = read_added(folder)
        if not path.exists():
            return cls(_joined([*load_starter_models(), *added]))
        stored = Columns(path)
        notes = stored.notes()
        if notes.get("layout") != layout():
            raise BadCatalogData(
                f"The catalog {path} was made by another version of Open Model Workbench and cannot be searched. "
                "Run `workbench catalog update`."
            )
        older = () if notes.get("starter") == starter_digest() else load_starter_models()
        known = _stored_models(stored, [model.id.casefold() for model in (*older, *added)])
        accounts = [*older, *known, *added]
        return cls(_joined(accounts), path)

    def __len__(self) -> int:
        return self._columns.rows - len(self._replaced)

    # One model

    def find(self, model_id: str) -> Model:
        """Return the model with that id, whatever its case; raises ModelNotFound with close matches."""
        wanted = model_id.strip().casefold()
        if wanted in self._later:
            return self._later[wanted]
        row = self._row(wanted)
        if row is not None:
            return self._opened([row])[0]
        close = self._close_ids(wanted)
        hint = f"Did you mean {', '.join(close)}?" if close else "Search by a part of its name."
        raise ModelNotFound(f"No model '{model_id}' among the {len(self):,} in the catalog. {hint}")

    def license_facts(self, model_id: str) -> LicenseFacts | None:
        """What the verdict of a model depends on; None where the index does not hold it."""
        wanted = model_id.strip().casefold()
        later = self._later.get(wanted)
        if later is not None:
            return license_facts(later)
        if wanted not in self._facts:
            row = self._columns.rows_of([wanted]).get(wanted)
            self._facts[wanted] = license_facts(self._opened([row])[0]) if row is not None else None
        return self._facts[wanted]

    def _look_up(self, model_ids: Iterable[str]) -> None:
        """Keep the license facts of many models and of all they were made from, with few readings."""
        wanted = {name.strip().casefold() for name in model_ids}
        while wanted := wanted - set(self._facts) - set(self._later):
            rows = self._columns.rows_of(list(wanted))
            models = dict(zip(rows, self._opened(list(rows.values())), strict=True))
            self._facts |= {name: license_facts(models[name]) if name in models else None for name in wanted}
            wanted = {parent.casefold() for model in models.values() for parent in model.base_models}

    def load(self) -> None:
        """Read every column now, so that no later search waits for one; an app does this while its page opens."""
        for name in _CODED:
            self._columns.coded(name)
        for column, kind in (*_SORTS.values(), ("extended", "BIGINT"), ("gated", "TINYINT")):
            self._columns.numbers(column, kind)
        self._columns.ids_with("false", [])
        self._exact(FitSettings())
        self._figures(self._columns.coded("figures").words)

    def children(self, model_id: str, relation: str | None = None) -> tuple[Model, ...]:
        """Models that name this one as a parent, most downloaded first; with a relation, only those made so."""
        rows = [row for row in self._columns.children(model_id.strip().casefold()) if row not in self._replaced]
        found = [model for model in self._opened(rows) if relation in {None, model.base_model_relation}]
        return tuple(sorted(found, key=lambda model: (-(model.downloads or 0), model.id.casefold())))

    def trend(self, model_id: str) -> Trend | None:
        """How a model moved since the snapshot before the last; None where it is not known."""
        row = self._row(model_id.strip().casefold())
        if row is None:
            return None
        stored = self._columns.records([row])[row]
        return self._trend(stored, Model.model_validate_json(stored.record))

    def why(self, model_id: str, query: ModelQuery, profile: Profile, machine: Machine) -> Exclusion | None:
        """The first rule that leaves a model out, with the reason; None where it passes. Raises ModelNotFound."""
        row = self._row(model_id.strip().casefold())
        if row is None:
            self.find(model_id)
            return None
        return self._exclusions([row], query, profile, machine)[0]

    # All models

    def search(self, query: ModelQuery, profile: Profile, machine: Machine) -> SearchResult:
        """The first `limit` models that pass all filters, in order, judged, and how many each rule left out."""
        first = self._first_rules(query, profile, machine)
        counts = [int(np.count_nonzero(first == number)) for number in range(len(RULES) + 1)]
        rows = self._top(np.flatnonzero(first == 0), query.sort, query.limit)
        records = self._columns.records(rows)
        hits = tuple(self._hit(row, records[row], query, profile, machine) for row in rows)
        excluded = [
            RuleCount(rule=rule, count=counts[number]) for number, rule in enumerate(RULES, 1) if counts[number]
        ]
        return SearchResult(
            hits=hits,
            matches=counts[0],
            considered=len(self),
            excluded=tuple(sorted(excluded, key=lambda entry: -entry.count)),
        )

    def excluded(
        self,
        query: ModelQuery,
        profile: Profile,
        machine: Machine,
        *,
        rule: str,
        limit: int = 50,
        offset: int = 0,
    ) -> tuple[Exclusion, ...]:
        """One page of the models that a rule left out, by id (models that came after the last update at the end)."""
        first = self._first_rules(query, profile, machine)
        number = RULES.index(rule) + 1 if rule in RULES else HIDDEN + 1
        rows = np.flatnonzero(first == number)[offset : offset + limit].tolist()
        page = self._exclusions(rows, query, profile, machine)
        return tuple(exclusion for exclusion in page if exclusion is not None)

    def write_exclusions(self, query: ModelQuery, profile: Profile, machine: Machine, path: Path) -> None:
        """Write every model left out to a Parquet file: model_id, rule, reason (in short for rule `fits`)."""
        first = self._first_rules(query, profile, machine)
        rows = np.flatnonzero((first > 0) & (first != HIDDEN))
        stored = rows[rows < self._columns.stored]
        later = rows[rows >= self._columns.stored].tolist()
        known = [entry for entry in self._exclusions(later, query, profile, machine) if entry is not None]
        cases = self._columns.coded("license_case").words if query.verdicts is not None else ()
        verdicts = [verdict_reason(self._verdict(case, profile), query) or "" for case in cases]
        partial = path.with_suffix(".partial")
        partial.parent.mkdir(parents=True, exist_ok=True)
        self._columns.write(
            exclusions_query(query, self._columns.source() if self._columns.stored else None),
            partial,
            {"row": stored.astype(np.int64), "rule": first[stored]},
            {
                "license_case": list(cases),
                "verdict": verdicts,
                "later_id": [entry.model_id for entry in known],
                "later_rule": [entry.rule for entry in known],
                "later_reason": [entry.reason for entry in known],
            },
        )
        partial.replace(path)

    # Inside

    def _first_rules(self, query: ModelQuery, profile: Profile, machine: Machine) -> FirstRules:
        asked_of = (profile if query.verdicts is not None else None, machine if query.fits else None)
        key = (query.model_copy(update={"limit": 1, "sort": "name"}), *asked_of)
        with self._lock:
            if key in self._kept:
                return self._kept[key]
        first = np.zeros(self._columns.rows, np.uint8)
        first[list(self._replaced)] = HIDDEN
        asked = Asked(
            query,
            lambda: self._verdict_allowed(query, profile),
            lambda: self._runs(query.fit_settings(), machine, first == 0),
        )
        for number, rule in enumerate(FILTERS.values(), 1):
            excluded = rule.excludes(self._columns, asked)
            if excluded is not None:
                np.putmask(first, excluded & (first == 0), number)
        with self._lock:
            self._kept[key] = first
            while len(self._kept) > MOST_KEPT:
                self._kept.pop(next(iter(self._kept)))
        return first

    def _verdict_allowed(self, query: ModelQuery, profile: Profile) -> Mask:
        cases = self._columns.coded("license_case")
        wanted = set(query.verdicts or ())
        return np.array([self._verdict(case, profile).value in wanted for case in cases.words], np.bool_)[cases.codes]

    def _verdict(self, case: str, profile: Profile) -> Verdict:
        key = (case, profile)
        verdict = self._verdicts.get(key)
        if verdict is None:
            verdict = self._verdicts[key] = judge_case(read_case(case), profile)
        return verdict

    def _runs(self, settings: FitSettings, machine: Machine, wanted: Mask) -> Mask:
        """Rows that run on the machine, by their network, or by exact file sizes where they have that quantization.

        Rows that are not wanted need no answer: where few are left, only their networks are predicted.
        """
        key = (settings, machine)
        with self._lock:
            if key in self._fits:
                return self._fits[key]
        figures = self._columns.coded("figures")
        table = self._figures(figures.words)
        exact = self._exact(settings)
        few = np.flatnonzero(wanted)
        if len(few) * FEW < len(wanted):
            networks = np.zeros(len(table), np.bool_)
            networks[figures.codes[few]] = True
            networks[networks] = runs_on(np.asfortranarray(table[networks]), settings, machine)
            runs = np.zeros(len(wanted), np.bool_)
            runs[few] = networks[figures.codes[few]]
            runs[exact.rows] = runs_on(table[exact.codes], settings, machine, exact.sizes)[exact.pairs]
            return runs
        runs = runs_on(table, settings, machine)[figures.codes]
        runs[exact.rows] = runs_on(table[exact.codes], settings, machine, exact.sizes)[exact.pairs]
        with self._lock:
            self._fits[key] = runs
            while len(self._fits) > MOST_KEPT:
                self._fits.pop(next(iter(self._fits)))
        return runs

    def _figures(self, words: tuple[str, ...]) -> Table:
        with self._lock:
            if self._table is None:
                self._table = read_figures(words)
            return self._table

    def _exact(self, settings: FitSettings) -> _Exact:
        """Rows whose weights have an exact size in that quantization; files count before what headers say."""
        key = (settings.quantization.upper(), settings.engine)
        with self._lock:
            if key not in self._sizes:
                rows, sizes = self._columns.sizes(settings.quantization)
                if settings.engine == "vllm":
                    own_rows, own_sizes = self._columns.sizes(f"VLLM {settings.quantization}")
                    others = ~np.isin(own_rows, rows)
                    rows = np.concatenate([rows, own_rows[others]])
                    sizes = np.concatenate([sizes, own_sizes[others]])
                codes = self._columns.coded("figures").codes[rows].astype(np.int64)
                # Files of one network and quantization are as a rule of one size, so few pairs stand for many rows.
                mixed, pairs = np.unique(codes << SIZE_BITS | sizes, return_inverse=True)
                self._sizes[key] = _Exact(
                    rows, mixed >> SIZE_BITS, mixed & (1 << SIZE_BITS) - 1, pairs.astype(np.int32)
                )
            return self._sizes[key]

    def _top(self, matched: NDArray[np.intp], sort: SortKey, limit: int) -> list[int]:
        """The first rows in order: known values before unknown ones, large before small, then by id."""
        stored = int(np.searchsorted(matched, self._columns.stored))
        if sort == "name":
            chosen = np.concatenate([matched[:limit], matched[max(limit, stored) :]]) if stored > limit else matched
            return self._by_id(chosen, np.zeros(len(chosen)), limit)
        values = self._columns.numbers(*_SORTS[sort])[matched].astype(np.float64)
        keys = np.where(np.isnan(values) if _SORTS[sort][1] == "DOUBLE" else values == UNKNOWN, -np.inf, values)
        if len(keys) > limit:
            border = np.partition(keys, len(keys) - limit)[len(keys) - limit]
            above, level = np.flatnonzero(keys > border), np.flatnonzero(keys == border)
            # Rows of the file are in the order of ids, so the first ones do; later rows may belong anywhere.
            keep = np.concatenate([above, level[level < stored][:limit], level[level >= stored]])
            matched, keys = matched[keep], keys[keep]
        return self._by_id(matched, keys, limit)

    def _by_id(self, rows: NDArray[np.intp], keys: NDArray[np.float64], limit: int) -> list[int]:
        """Sort few rows by key, then by id; ids are only read where later rows must be put among stored ones."""
        mixed = 0 < int((rows < self._columns.stored).sum()) < len(rows)
        names: dict[int, str | int] = {int(row): int(row) for row in rows}
        if mixed:
            names |= {
                row: model.id.casefold() for row, model in zip(rows.tolist(), self._opened(rows.tolist()), strict=True)
            }
        ordered = sorted(zip(rows.tolist(), keys.tolist(), strict=True), key=lambda pair: (-pair[1], names[pair[0]]))
        return [row for row, _ in ordered[:limit]]

    def _hit(self, row: int, stored: StoredRecord, query: ModelQuery, profile: Profile, machine: Machine) -> SearchHit:
        judged = self._judged(row, stored, query, profile, machine)
        trend = self._trend(stored, judged.model)
        return SearchHit(model=judged.model, verdict=judged.verdict, fit=judged.fit, trend=trend)

    def _judged(self, row: int, stored: StoredRecord, query: ModelQuery, profile: Profile, machine: Machine) -> Judged:
        """A row with its judgements. Verdicts of stored rows are those of their case: their ancestors go unnamed."""
        model = Model.model_validate_json(stored.record)
        if row >= self._columns.stored:
            verdict = judge_model(model, profile, self.license_facts)
        else:
            verdict = self._verdict(stored.license_case, profile)
        return Judged(model, verdict, predict_fit(model, machine, query.fit_settings()))

    def _exclusions(
        self, rows: Sequence[int], query: ModelQuery, profile: Profile, machine: Machine
    ) -> list[Exclusion | None]:
        records = self._columns.records(rows)
        return [_first_exclusion(self._judged(row, records[row], query, profile, machine), query) for row in rows]

    def _trend(self, stored: StoredRecord, model: Model) -> Trend | None:
        if stored.rank is None or "since" not in self._notes or "until" not in self._notes:
            return None
        return Trend(
            name=model.id,
            task=model.task,
            since=self._notes["since"],
            until=self._notes["until"],
            rank=stored.rank,
            rank_before=stored.rank_before,
            downloads=model.downloads,
            downloads_before=stored.downloads_before,
            trending_score=model.trending_score,
        )

    def _row(self, wanted: str) -> int | None:
        later = self._later_rows.get(wanted)
        return later if later is not None else self._columns.rows_of([wanted]).get(wanted)

    def _opened(self, rows: Sequence[int]) -> list[Model]:
        records = self._columns.records(rows)
        return [Model.model_validate_json(records[int(row)].record) for row in rows]

    def _close_ids(self, wanted: str) -> list[str]:
        """Ids that look like the one asked for, by whole id or by the part after the owner."""
        by_name: dict[str, str] = {}
        for model in self._later.values():
            by_name[model.id.casefold()] = model.id
            by_name.setdefault(model.id.casefold().rsplit("/", 1)[-1], model.id)
        for close in self._columns.close_ids(wanted):
            by_name[close.casefold()] = close
            by_name.setdefault(close.casefold().rsplit("/", 1)[-1], close)
        names = difflib.get_close_matches(wanted, by_name, n=5, cutoff=0.6)
        names += difflib.get_close_matches(wanted.rsplit("/", 1)[-1], by_name, n=5, cutoff=0.6)
        return list(dict.fromkeys(by_name[name] for name in names))[:5]


def _first_exclusion(judged: Judged, query: ModelQuery) -> Exclusion | None:
    for rule, check in FILTERS.items():
        reason = check.reason(judged, query)
        if reason is not None:
            return Exclusion(model_id=judged.model.id, rule=rule, reason=reason)
    return None


def _joined(accounts: Iterable[Model]) -> list[Model]:
    """One model for each id, from accounts of which later ones are newer."""
    joined: dict[str, Model] = {}
    for account in accounts:
        key = account.id.casefold()
        joined[key] = merge_models(joined[key], account) if key in joined else account
    return list(joined.values())


def _stored_models(columns: Columns, ids: Sequence[str]) -> list[Model]:
    rows = list(columns.rows_of(ids).values())
    return [Model.model_validate_json(stored.record) for stored in columns.records(rows).values()]
