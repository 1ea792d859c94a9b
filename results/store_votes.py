"""Writes out votes for other programs: one row per vote that was ever cast, with prompt, names and both answers.

Names are in it whether or not the vote was blind: who exports looks behind the curtain. Texts come as they are stored:
who writes CSV makes them harmless (workbench/csv_export.py).
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from results.store_file import Connection

Rows = Iterator[Sequence[object]]

_AT_ONCE = 1_000
_WRITTEN = """
    WITH named AS (
        SELECT batch.id AS batch_id, json_extract_string(batch.definition, '$.name') AS batch,
            json_extract_string(candidate, '$.key') AS "key", json_extract_string(candidate, '$.name') AS name
        FROM head_to_head_batches AS batch,
            unnest(json_extract(batch.definition, '$.candidates[*]')) AS found(candidate)
    ),
    cast_votes AS (
        SELECT
            vote.id AS vote, vote.created_at, first_name.batch, vote.round_id AS round,
            json_extract_string(round.source, '$.test_set_name') AS test_set,
            json_extract_string(round.source, '$.example_id') AS example,
            CAST(json_extract(round.source, '$.slices') AS VARCHAR) AS slices,
            CAST(round.messages AS VARCHAR) AS messages,
            first_name.name AS left_candidate, second_name.name AS right_candidate,
            vote.outcome, list_aggregate(vote.reasons, 'string_agg', '; ') AS reasons, vote.note,
            vote.blind, vote.voter,
            CASE
                WHEN vote.id IN (SELECT id FROM head_to_head_standing) THEN 'stands'
                WHEN vote.outcome IS NULL THEN 'takes back' ELSE 'replaced'
            END AS state,
            vote."replaces", first."text" AS left_text, second."text" AS right_text,
            first.seed AS left_seed, second.seed AS right_seed, round.batch_id, vote.place
        FROM head_to_head_votes AS vote
        JOIN head_to_head_rounds AS round ON round.id = vote.round_id
        JOIN head_to_head_answers AS first ON first.round_id = vote.round_id
            AND first.slot = vote."left" AND first.attempt = vote.left_attempt
        JOIN head_to_head_answers AS second ON second.round_id = vote.round_id
            AND second.slot = vote."right" AND second.attempt = vote.right_attempt
        JOIN named AS first_name
            ON first_name.batch_id = round.batch_id AND first_name."key" = round.slots[vote."left" + 1]
        JOIN named AS second_name
            ON second_name.batch_id = round.batch_id AND second_name."key" = round.slots[vote."right" + 1]
        UNION ALL
        SELECT
            id, created_at, NULL, NULL, NULL, NULL, NULL,
            CAST(json_array(json_object('role', 'user', 'content', prompt)) AS VARCHAR), "left", "right", outcome,
            NULL, '', blind, NULL, 'stands', NULL, left_text, right_text, NULL, NULL, NULL, 0
        FROM votes
    )
    SELECT * EXCLUDE (batch_id, place) FROM cast_votes
    WHERE (getvariable('exported') IS NULL OR batch_id = getvariable('exported'))
        AND (batch_id IS NULL OR NOT list_contains(getvariable('left_out')::VARCHAR[], batch_id))
    ORDER BY place, created_at, vote
"""


def write_votes(
    db: Connection,
    batch_id: str | None,
    take: Callable[[Sequence[str], Rows], int],
    without: Collection[str] = (),
) -> int:
    """Hand column names and rows to `take` and return what it returns; without the votes of some batches."""
    _choose(db, batch_id, without)
    found = db.execute(_WRITTEN)
    names = [column[0] for column in found.description or ()]

    def rows() -> Rows:
        while batch := found.fetchmany(_AT_ONCE):
            yield from batch

    return take(names, rows())


def write_votes_parquet(db: Connection, batch_id: str | None, path: Path, without: Collection[str] = ()) -> int:
    """Write the same as Parquet and return its number of rows."""
    _choose(db, batch_id, without)
    quoted = str(path).replace("'", "''")
    copied = db.execute(f"COPY ({_WRITTEN}) TO '{quoted}' (FORMAT PARQUET, COMPRESSION ZSTD)").fetchone()
    return int(copied[0]) if copied else 0


def _choose(db: Connection, batch_id: str | None, without: Collection[str]) -> None:
    db.execute("SET VARIABLE exported = ?", [batch_id])
    db.execute("SET VARIABLE left_out = ?", [list(without)])
