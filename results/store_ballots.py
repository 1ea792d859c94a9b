"""Reads votes for the statistics: whose answers met on what, with the outcome, and no texts.

Votes of versions before 0.5 know names alone, so that their candidates are known by name; they have no round.
"""

import json

from results.head_to_head_records import Ballot, Batch, JudgedPair
from results.store_file import Connection, read_rows

_BALLOTS = """
    SELECT
        vote.id, vote.created_at, round.batch_id, vote.round_id,
        round.slots[vote."left" + 1] AS "left", round.slots[vote."right" + 1] AS "right",
        vote.outcome, vote.reasons, vote.note, vote.blind, vote.voter, vote."replaces" IS NOT NULL AS corrected,
        length(first."text") AS left_characters, length(second."text") AS right_characters,
        first."text" = second."text" AS same_text, round.source
    FROM head_to_head_standing AS vote
    JOIN head_to_head_rounds AS round ON round.id = vote.round_id
    JOIN head_to_head_answers AS first ON first.round_id = vote.round_id
        AND first.slot = vote."left" AND first.attempt = vote.left_attempt
    JOIN head_to_head_answers AS second ON second.round_id = vote.round_id
        AND second.slot = vote."right" AND second.attempt = vote.right_attempt
    WHERE ? IS NULL OR round.batch_id = ?
    ORDER BY vote.place
"""
_JUDGED = """
    SELECT vote.id, json_extract_string(round.source, '$.example_id') AS example_id,
        first AS "left", second AS "right"
    FROM head_to_head_standing AS vote
    JOIN head_to_head_rounds AS round ON round.id = vote.round_id
    JOIN head_to_head_answers AS first ON first.round_id = vote.round_id
        AND first.slot = vote."left" AND first.attempt = vote.left_attempt
    JOIN head_to_head_answers AS second ON second.round_id = vote.round_id
        AND second.slot = vote."right" AND second.attempt = vote.right_attempt
    WHERE json_extract_string(round.source, '$.test_set_hash') = ? AND round.follows IS NULL
    ORDER BY vote.place
"""
_OLD = """
    SELECT id, created_at, md5(prompt) AS prompt, "left", "right", "left" AS left_name, "right" AS right_name,
        outcome, blind, length(left_text) AS left_characters, length(right_text) AS right_characters,
        left_text = right_text AS same_text
    FROM votes ORDER BY try_cast(created_at AS TIMESTAMPTZ) NULLS LAST, id
"""


def read_ballots(db: Connection, batch_id: str | None) -> tuple[Ballot, ...]:
    """Every vote that stands, oldest first, of one batch or of all; those of earlier versions come first."""
    query = "SELECT definition FROM head_to_head_batches WHERE ? IS NULL OR id = ?"
    batches = [Batch.model_validate_json(text) for (text,) in db.execute(query, [batch_id, batch_id]).fetchall()]
    names = {(batch.id, each.key): each.name for batch in batches for each in batch.candidates}
    prompts = _prompts(db)
    found = []
    for row in read_rows(db, _BALLOTS, [batch_id, batch_id]):
        source = json.loads(row.pop("source") or "{}")
        found.append(
            Ballot.model_validate(
                row
                | {f"{side}_name": names.get((row["batch_id"], row[side]), row[side]) for side in ("left", "right")}
                | {name: source.get(name) for name in ("test_set_hash", "example_id")}
                | {"prompt": prompts[row["round_id"]], "slices": source.get("slices", {})}
            )
        )
    if batch_id is not None:
        return tuple(found)
    old = [Ballot.model_validate(row | {"batch_id": None, "round_id": None}) for row in read_rows(db, _OLD, [])]
    return (*old, *found)


def read_judged_pairs(db: Connection, test_set_hash: str) -> tuple[JudgedPair, ...]:
    """Every vote that stands on examples of a test set, with both answers."""
    return tuple(
        JudgedPair.model_validate(
            {"vote_id": row["id"], "example_id": row["example_id"]}
            | {side: row[side] | {"messages": ()} for side in ("left", "right")}
        )
        for row in read_rows(db, _JUDGED, [test_set_hash])
    )


def _prompts(db: Connection) -> dict[str, str]:
    """Digest of the first turn by round: all turns of a conversation hang together, and equal prompts too."""
    query = "SELECT id, follows, md5(messages::VARCHAR) FROM head_to_head_rounds"
    rounds = {identity: (follows, digest) for identity, follows, digest in db.execute(query).fetchall()}

    def first(identity: str) -> str:
        seen = {identity}
        while (before := rounds[identity][0]) in rounds and before not in seen:
            seen.add(before)
            identity = before
        return str(rounds[identity][1])

    return {identity: first(identity) for identity in rounds}
