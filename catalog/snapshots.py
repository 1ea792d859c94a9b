"""Dated snapshots of the Hub, one per update: what every model's downloads and rank were, and so what is rising.

A snapshot holds every model that the catalog knew that day: id, task, family, downloads, likes, trending score, and its
rank by downloads among the models of its task. The family of a model is the stem of the root of its lineage
(`catalog.index.rows.family_of`): everything made from `Qwen/Qwen3-8B` belongs to `Qwen/Qwen3`.
"""

import re
from pathlib import Path
from typing import Literal, NamedTuple

from catalog.catalog_folder import snapshots_folder
from catalog.database import Connection, connect, in_words, quoted
from catalog.errors import CatalogError
from catalog.records import Trend

DAMPING = 100
"""Downloads added on both sides of a growth, so that going from 1 to 5 does not count as rising fivefold."""


class SnapshotFile(NamedTuple):
    """One snapshot on disk."""

    taken_at: str
    """ISO date and time."""
    path: Path


def list_snapshots(folder: Path) -> tuple[SnapshotFile, ...]:
    """Snapshots of a catalog, oldest first."""
    files = sorted(snapshots_folder(folder).glob("*.parquet"))
    return tuple(SnapshotFile(_taken_at(path), path) for path in files)


def latest_snapshot(folder: Path) -> SnapshotFile | None:
    """The newest snapshot; None where there is none yet."""
    found = list_snapshots(folder)
    return found[-1] if found else None


def write_snapshot(database: Connection, models: Path, folder: Path, taken_at: str) -> Path:
    """Write a snapshot from a file of models whose ranks are worked out; replaces one of the same second."""
    target = snapshots_folder(folder) / f"{taken_at[:19].replace(':', '-')}.parquet"
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    names = "id, id_lower, task, family, downloads, likes, trending, rank"
    with in_words(target, "written"):
        database.execute(
            f"COPY (SELECT {names} FROM {quoted(models)}) TO {quoted(partial)} (FORMAT parquet, COMPRESSION zstd)"
        )
    partial.replace(target)
    return target


def movement_columns(models: Path, earlier: Path | None) -> str:
    """SQL that gives each model of a file its rank among its task, and how it moved since an earlier snapshot."""
    ranked = f"""
        SELECT id_lower, downloads, CASE WHEN downloads IS NOT NULL THEN
            rank() OVER (PARTITION BY task ORDER BY downloads DESC NULLS LAST) END AS rank
        FROM {quoted(models)}
    """
    if earlier is None:
        nothing = "NULL::BIGINT AS rank_before, NULL::BIGINT AS downloads_before, NULL::DOUBLE AS growth"
        return f"SELECT id_lower, rank, {nothing} FROM ({ranked})"
    return f"""
        SELECT now.id_lower, now.rank, old.rank AS rank_before, old.downloads AS downloads_before,
               (now.downloads + {DAMPING}) / (old.downloads + {DAMPING})::DOUBLE AS growth
        FROM ({ranked}) AS now LEFT JOIN {quoted(earlier)} AS old USING (id_lower)
    """


def trends(
    folder: Path,
    *,
    since: str | None = None,
    by: Literal["model", "task", "family"] = "model",
    task: str | None = None,
    limit: int = 20,
) -> tuple[Trend, ...]:
    """What is rising: the largest growth of downloads between two snapshots first, (later + 100) / (earlier + 100).

    Compares the newest snapshot with the one before it, or with the last one taken on or before the ISO date `since`
    (the oldest, where all are later). Tasks and families sum up their models, and rank among each other. What was not
    there earlier has no change to tell and comes last. Raises CatalogError where there are not two snapshots.
    """
    found = list_snapshots(folder)
    if len(found) < 2:
        raise CatalogError(
            f"Trends need two snapshots, and there {'is one' if found else 'are none'} in {snapshots_folder(folder)}. "
            "Run `workbench catalog update` now, and again in a few days."
        )
    until, earlier = found[-1], found[-2]
    if since is not None:
        before = [snapshot for snapshot in found[:-1] if snapshot.taken_at[: len(since)] <= since]
        earlier = before[-1] if before else found[0]
    name = {"model": "id", "task": "task", "family": "family"}[by]
    key = {"model": "id_lower", "task": "task", "family": "family"}[by]
    query = f"""
        WITH later AS ({_summed(until.path, name, key, task)}), earlier AS ({_summed(earlier.path, name, key, task)})
        SELECT later.name, later.task, later.rank, earlier.rank, later.downloads, earlier.downloads,
               later.trending, later.models
        FROM later LEFT JOIN earlier USING (key)
        ORDER BY (later.downloads + {DAMPING}) / (earlier.downloads + {DAMPING}) DESC NULLS LAST,
                 later.downloads DESC NULLS LAST, later.name
        LIMIT {int(limit)}
    """
    with in_words(until.path, "compared"):
        rows = connect().execute(query).fetchall()
    return tuple(
        Trend(
            name=row[0],
            task=row[1],
            since=earlier.taken_at,
            until=until.taken_at,
            rank=row[2],
            rank_before=row[3],
            downloads=row[4],
            downloads_before=row[5],
            trending_score=row[6],
            models=None if by == "model" else row[7],
        )
        for row in rows
    )


def _summed(path: Path, name: str, key: str, task: str | None) -> str:
    where = f"AND task = {quoted(task)}" if task is not None else ""
    return f"""
        SELECT key, name, task, downloads, trending, models,
               CASE WHEN downloads IS NOT NULL THEN rank() OVER (ORDER BY downloads DESC NULLS LAST) END AS rank
        FROM (SELECT {key} AS key, any_value({name}) AS name,
                     CASE WHEN count(DISTINCT task) = 1 THEN any_value(task) END AS task,
                     sum(downloads)::BIGINT AS downloads, max(trending) AS trending, count(*) AS models
              FROM {quoted(path)} WHERE {key} IS NOT NULL {where} GROUP BY {key})
    """


def _taken_at(path: Path) -> str:
    return re.sub(r"T(\d\d)-(\d\d)-(\d\d)$", r"T\1:\2:\3", path.stem)
