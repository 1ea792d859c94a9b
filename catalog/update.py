"""Bring the catalog up to date: pages of models in, one new `models.parquet` and one dated snapshot out.

Every page is appended to a file of its own with the cursor that comes after it, so that an update that was interrupted
goes on where it stopped. Then the accounts of each model (starter snapshot, what was stored, added by hand, the pages)
are merged, and only models that changed, or descend from one that did, are worked out again. The new file replaces the
old one in one step. Models that no page names stay as they are, with the date on which they were last seen.

Memory is bounded: DuckDB sorts on disk, and Python holds one batch and the license facts of parents. It asks nobody:
the pages come from the caller.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol

from pydantic import Field, ValidationError

from catalog.added import added_bytes, forget_added, read_added
from catalog.ancestry import LicenseFacts, license_facts
from catalog.catalog_folder import models_path, pending_path, starter_digest
from catalog.database import Connection, connect, in_words, quoted
from catalog.errors import Cancelled, CatalogError
from catalog.index.rows import SQL_TYPES, hot_row, layout
from catalog.merge import merge_models
from catalog.records import Model, Record
from catalog.snapshot import load_starter_models
from catalog.snapshots import latest_snapshot, movement_columns, write_snapshot

MEMORY_BYTES = 2 * 1024**3
"""For DuckDB, which sorts on disk beyond it."""
BUCKET_ACCOUNTS = 200_000
"""Accounts that are sorted together: DuckDB hands a sorted result over whole, and 200,000 records take 300 MB."""
BATCH = 1_000
ROWS_PER_GROUP = 2_048
"""Small groups, so that opening one model reads little."""
COMPRESSION = "lz4_raw"
"""Half as large again as zstd, and 50 scattered records are read in 40 instead of 70 ms (2,000,000 models)."""
LONGEST_PAGE_BYTES = 32 * 1024**2
"""DuckDB reserves twice that for each thread; a page of 1,000 models with their files takes about 5 MiB."""
DEEPEST_LINEAGE = 20


class Page(Protocol):
    """What is needed of a page; catalog.hub.HubPage is one."""

    @property
    def models(self) -> tuple[Model, ...]:
        """Models of the page."""

    @property
    def next_cursor(self) -> str | None:
        """What to go on from; None on the last page."""


class UpdateProgress(Record):
    """How far an update is."""

    stage: str
    """`fetching`, `merging`, `building` or `writing`."""
    models: int = Field(ge=0)
    """Models done in this stage."""
    resumed: int = Field(default=0, ge=0)
    """Models that an interrupted update had fetched before."""


class UpdateSummary(Record):
    """What an update did."""

    fetched: int = Field(ge=0)
    """Models on the pages, those of an interrupted update included."""
    rebuilt: int = Field(ge=0)
    """Models whose rows were worked out anew."""
    models: int = Field(ge=0)
    """Models in the catalog now."""
    snapshot: str
    """ISO date and time of the snapshot."""


Report = Callable[[UpdateProgress], None]


def update_catalog(
    pages: Callable[[str | None], Iterable[Page]],
    folder: Path,
    *,
    scope: str,
    now: str,
    on_progress: Report = lambda _: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> UpdateSummary:
    """Fetch pages, merge them with what is there, and write models and a snapshot.

    `pages` gives the pages after a cursor (None: from the start); `scope` says what is asked for, and tells one
    unfinished update from another; `now` is the ISO date and time that the snapshot gets. Raises Cancelled (what was
    fetched is kept), CatalogError where the disk refuses, and whatever `pages` raises.
    """
    pending = pending_path(folder, scope)
    try:
        fetched = _fetch(pages, pending, on_progress, is_cancelled)
        taken = added_bytes(folder)
        rebuilt, models = rebuild(folder, pending=pending, now=now, on_progress=on_progress, is_cancelled=is_cancelled)
        forget_added(folder, taken)
        pending.unlink(missing_ok=True)
    except OSError as error:
        raise CatalogError(
            f"The catalog in {folder} cannot be written: {error.strerror or error}. "
            "What was fetched is kept; free some space or mend the folder, then update again."
        ) from error
    return UpdateSummary(fetched=fetched, rebuilt=rebuilt, models=models, snapshot=now)


def _fetch(
    pages: Callable[[str | None], Iterable[Page]], pending: Path, report: Report, is_cancelled: Callable[[], bool]
) -> int:
    """Append pages to the pending file until the last one; returns how many models it holds."""
    pending.parent.mkdir(parents=True, exist_ok=True)
    cursor, resumed, finished = _mend(pending)
    count = resumed
    if finished:
        return count
    with pending.open("a", encoding="utf-8") as file:
        for page in pages(cursor):
            accounts = [
                {"i": model.id.casefold(), "r": model.model_dump_json(exclude_none=True, exclude_defaults=True)}
                for model in page.models
            ]
            file.write(json.dumps({"cursor": page.next_cursor, "n": count, "accounts": accounts}) + "\n")
            file.flush()
            count += len(accounts)
            report(UpdateProgress(stage="fetching", models=count, resumed=resumed))
            if is_cancelled():
                raise Cancelled(
                    "The update was stopped. What was fetched is kept, and the next one goes on from there."
                )
    return count


def _mend(pending: Path) -> tuple[str | None, int, bool]:
    """Cut off a line that was not finished; the cursor to go on from, models held, and whether the last page is in."""
    if not pending.exists():
        return None, 0, False
    cursor, count, good, finished = None, 0, 0, False
    with pending.open("rb") as file:
        for line in file:
            try:
                page = json.loads(line) if line.endswith(b"\n") else None
            except ValueError:
                page = None
            if page is None:
                break
            cursor, finished = page["cursor"], page["cursor"] is None
            count += len(page["accounts"])
            good += len(line)
    with pending.open("r+b") as file:
        file.truncate(good)
    return cursor, count, finished


def rebuild(
    folder: Path,
    *,
    pending: Path | None = None,
    now: str,
    on_progress: Report = lambda _: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> tuple[int, int]:
    """Make `models.parquet` and a snapshot from what is there and the pending pages: rows worked out anew, rows in all.

    Without pages every row is worked out again, which is what a catalog made by another version needs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="building-", dir=folder))

    def step(stage: str, models: int) -> None:
        on_progress(UpdateProgress(stage=stage, models=models))
        if is_cancelled():
            raise Cancelled("The update was stopped while the catalog was built; the old one is as it was.")

    try:
        with in_words(models_path(folder), "brought up to date"):
            return _Builder(folder, work, pending, step).build(now)
    finally:
        shutil.rmtree(work, ignore_errors=True)


class _Builder:
    """One rebuild: its database, its folder for what comes between, and its steps in order."""

    def __init__(self, folder: Path, work: Path, pending: Path | None, step: Callable[[str, int], None]) -> None:
        self.folder, self.work, self.pending, self.step = folder, work, pending, step
        self.old = models_path(folder)
        self.db: Connection = connect(memory_bytes=MEMORY_BYTES, spill=work)
        self.db.execute("SET preserve_insertion_order = false")

    def build(self, now: str) -> tuple[int, int]:
        self._gather()
        merged = self._merge()
        rebuilt = self._work_out(merged)
        models = self._write(now)
        return rebuilt, models

    def _gather(self) -> None:
        """Table `news` (accounts that are not stored yet) and `touched` (ids to work out again)."""
        extra = self.work / "extra.jsonl"
        known = [(0, model) for model in load_starter_models()] + [(2, model) for model in read_added(self.folder)]
        with extra.open("w", encoding="utf-8") as file:
            for number, (age, model) in enumerate(known):
                file.write(json.dumps({"i": model.id.casefold(), "age": age, "n": number, "r": _json(model)}) + "\n")
        columns = "columns={i: 'VARCHAR', age: 'INTEGER', n: 'BIGINT', r: 'VARCHAR'}"
        sources = [f"SELECT i, age, n, r FROM read_json({quoted(extra)}, {columns}, format='newline_delimited')"]
        if self.pending is not None and self.pending.exists():
            pages = (
                f"read_json({quoted(self.pending)}, format='newline_delimited', "
                f"maximum_object_size={LONGEST_PAGE_BYTES}, "
                "columns={cursor: 'VARCHAR', n: 'BIGINT', accounts: 'STRUCT(i VARCHAR, r VARCHAR)[]'})"
            )
            numbered = f"SELECT unnest(accounts) AS a, n FROM {pages}"
            sources.append(f"SELECT a.i, 3, n, a.r FROM ({numbered})")
        news = self.work / "news.parquet"
        self.db.execute(f"COPY ({' UNION ALL '.join(sources)}) TO {quoted(news)} (FORMAT parquet)")
        self.db.execute(f"CREATE VIEW news AS SELECT * FROM {quoted(news)}")
        everything = self.pending is None or self._stored_layout() != layout()
        if not self.old.exists():
            self.db.execute("CREATE TABLE touched AS SELECT DISTINCT i FROM news")
        elif everything:
            self.db.execute(f"CREATE TABLE touched AS SELECT i FROM news UNION SELECT id_lower FROM {quoted(self.old)}")
        else:
            self.db.execute(f"""
                CREATE TABLE touched AS WITH RECURSIVE
                edges AS (SELECT id_lower AS child, unnest(string_split(trim(parents, '|'), '|')) AS parent
                          FROM {quoted(self.old)} WHERE parents IS NOT NULL),
                reached(i) AS (SELECT DISTINCT i FROM news UNION SELECT child FROM reached JOIN edges ON parent = i)
                SELECT i FROM reached
            """)

    def _stored_layout(self) -> str | None:
        if not self.old.exists():
            return None
        query = f"SELECT decode(value) FROM parquet_kv_metadata({quoted(self.old)}) WHERE decode(key) = 'layout'"
        found = self.db.execute(query).fetchone()
        return str(found[0]) if found else None

    def _merge(self) -> Path:
        """One account of each touched model."""
        stored = ""
        if self.old.exists():
            stored = f"""UNION ALL SELECT id_lower, 1, 0, record FROM {quoted(self.old)}
                         WHERE id_lower IN (SELECT i FROM touched)"""
        query = f"SELECT i, age, n, r FROM news {stored}"
        lines = self.work / "merged.jsonl"
        count = 0
        with lines.open("w", encoding="utf-8") as file:
            for _, group in groupby(self._in_buckets(query), key=lambda account: account[0]):
                model, newest = _joined(list(group))
                if model is None:
                    continue
                parents = [parent.casefold() for parent in model.base_models]
                line = {"i": model.id.casefold(), "parents": parents, "fresh": newest == 3, "r": _json(model)}
                file.write(json.dumps(line) + "\n")
                count += 1
                if count % BATCH == 0:
                    self.step("merging", count)
        merged = self.work / "merged.parquet"
        columns = "columns={i: 'VARCHAR', parents: 'VARCHAR[]', fresh: 'BOOLEAN', r: 'VARCHAR'}"
        source = f"read_json({quoted(lines)}, {columns}, format='newline_delimited')"
        self.db.execute(f"COPY (SELECT * FROM {source}) TO {quoted(merged)} (FORMAT parquet)")
        lines.unlink()
        return merged

    def _work_out(self, merged: Path) -> int:
        """The rows of touched models."""
        facts = self._facts_of_parents(merged)
        rows = self.work / "rows.jsonl"
        count = 0
        with rows.open("w", encoding="utf-8") as file:
            for text, fresh in self._stream(f"SELECT r, fresh FROM {quoted(merged)}"):
                row = hot_row(Model.model_validate_json(text), lambda name: facts.get(name.strip().casefold()))
                file.write(json.dumps({**row._asdict(), "fresh": fresh}) + "\n")
                count += 1
                if count % BATCH == 0:
                    self.step("building", count)
        return count

    def _facts_of_parents(self, merged: Path) -> dict[str, LicenseFacts]:
        """License facts of every model that a touched one was made from, however far up."""
        facts: dict[str, LicenseFacts] = {}
        old = ""
        if self.old.exists():
            old = f"""UNION ALL SELECT id_lower, record FROM {quoted(self.old)}
                      WHERE id_lower NOT IN (SELECT i FROM touched)"""
        wanted = {name for (name,) in self._stream(f"SELECT DISTINCT unnest(parents) FROM {quoted(merged)}")}
        for _ in range(DEEPEST_LINEAGE):
            if not wanted:
                break
            self.db.execute("CREATE OR REPLACE TABLE wanted AS SELECT unnest(?::VARCHAR[]) AS name", [list(wanted)])
            found = self._stream(
                f"SELECT i, r FROM (SELECT i, r FROM {quoted(merged)} {old}) WHERE i IN (SELECT name FROM wanted)"
            )
            parents: set[str] = set()
            for name, text in found:
                facts[name] = license_facts(Model.model_validate_json(text))
                parents |= {parent.casefold() for parent in facts[name].base_models}
            wanted = parents - set(facts) - wanted
        return facts

    def _write(self, now: str) -> int:
        """The new file beside the old one, the snapshot from it, and then both in their places."""
        self.step("writing", 0)
        columns = "{" + ", ".join(f"{name}: '{kind}'" for name, kind in SQL_TYPES.items()) + ", fresh: 'BOOLEAN'}"
        rows = f"read_json({quoted(self.work / 'rows.jsonl')}, columns={columns}, format='newline_delimited')"
        names = ", ".join(SQL_TYPES)
        kept = ""
        if self.old.exists():
            kept = f"""UNION ALL SELECT {names}, seen FROM {quoted(self.old)}
                       WHERE id_lower NOT IN (SELECT i FROM touched)"""
        seen = "coalesce(CASE WHEN fresh THEN ? END, stored.seen)"
        if self.old.exists():
            before = f"LEFT JOIN (SELECT id_lower, seen FROM {quoted(self.old)}) AS stored USING (id_lower)"
        else:
            before = "LEFT JOIN (SELECT NULL::VARCHAR AS id_lower, NULL::VARCHAR AS seen) AS stored USING (id_lower)"
        everything = self.work / "everything.parquet"
        self.db.execute(
            f"""COPY (SELECT {names.replace("id_lower", "rows.id_lower")}, {seen} AS seen FROM {rows} AS rows {before}
                {kept}) TO {quoted(everything)} (FORMAT parquet)""".replace("?", quoted(now[:10]))
        )
        since = latest_snapshot(self.folder)
        movement = movement_columns(everything, since.path if since else None)
        notes = {
            "layout": layout(),
            "starter": starter_digest(),
            "until": now,
            **({"since": since.taken_at} if since else {}),
        }
        noted = ", ".join(f"{key}: {quoted(value)}" for key, value in notes.items())
        partial = self.work / "models.parquet"
        self.db.execute(f"""
            COPY (SELECT e.*, rank, rank_before, downloads_before, growth
                  FROM {quoted(everything)} AS e JOIN ({movement}) AS m USING (id_lower) ORDER BY e.id_lower)
            TO {quoted(partial)} (FORMAT parquet, COMPRESSION {COMPRESSION}, ROW_GROUP_SIZE {ROWS_PER_GROUP},
                                  KV_METADATA {{{noted}}})
        """)
        write_snapshot(self.db, partial, self.folder, now)
        partial.replace(self.old)
        count = self.db.execute(f"SELECT count(*) FROM {quoted(self.old)}").fetchone()
        return int(count[0]) if count else 0

    def _in_buckets(self, query: str) -> Iterator[tuple[Any, ...]]:
        """Accounts (i, age, n, r), all of one model together and oldest first; models in no order."""
        counted = self.db.execute(f"SELECT count(*) FROM ({query})").fetchone()
        buckets = 1 + (int(counted[0]) if counted else 0) // BUCKET_ACCOUNTS
        for bucket in range(buckets):
            yield from self._stream(f"FROM ({query}) WHERE hash(i) % {buckets} = {bucket} ORDER BY i, age, n")

    def _stream(self, query: str) -> Iterator[tuple[Any, ...]]:
        """Rows of a query, a batch at a time."""
        cursor = self.db.cursor()
        cursor.execute(query)
        while batch := cursor.fetchmany(BATCH):
            yield from batch


def _json(model: Model) -> str:
    return model.model_dump_json(exclude_none=True, exclude_defaults=True)


def _joined(accounts: list[tuple[object, ...]]) -> tuple[Model | None, int]:
    """The accounts of one model merged, oldest first, and the age of the newest; damaged ones are passed over."""
    joined: Model | None = None
    newest = 0
    for _, age, _, text in accounts:
        try:
            account = Model.model_validate_json(str(text))
        except ValidationError:
            continue
        joined = account if joined is None else merge_models(joined, account)
        newest = int(str(age))
    return joined, newest
