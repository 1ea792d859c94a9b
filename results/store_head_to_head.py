"""The results file's part on head-to-heads: batches, rounds, answers and votes. Reached as `Store.head_to_head`.

Rounds and votes are written once; answers while they are written, so that a page that comes back finds them. What the
statistics read (`ballots`) is put together here and computed in results/standing.py.
"""

import json
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from pydantic import TypeAdapter

from results import rows, trouble
from results.errors import UnknownHeadToHead, VoteRefused
from results.head_to_head_records import (
    Ballot,
    Batch,
    BatchSummary,
    JudgedPair,
    Round,
    RoundAnswer,
    RoundFilter,
    RoundSource,
    RoundSummary,
    RoundVote,
)
from results.store_ballots import read_ballots, read_judged_pairs
from results.store_file import Connection, Do, quoted, read_rows
from results.store_votes import Rows, write_votes, write_votes_parquet
from runners.records import Message

_MESSAGES = TypeAdapter(tuple[Message, ...])
_ANSWER_COLUMNS = tuple(RoundAnswer.model_fields)
_VOTE_COLUMNS = tuple(RoundVote.model_fields)
_SUMMARY_COLUMNS = tuple(RoundSummary.model_fields)
_UNJUDGED = "closed_at IS NULL AND unfinished = 0 AND votes < answers * (answers - 1) / 2"
_FILTERS: dict[RoundFilter, str] = {
    "all": "true",
    "answering": "closed_at IS NULL AND unfinished > 0",
    "unjudged": _UNJUDGED,
    "done": f"NOT (closed_at IS NULL AND unfinished > 0) AND NOT ({_UNJUDGED})",
}


class HeadToHeadShelf:
    """Reads and writes head-to-heads."""

    def __init__(self, do: Do) -> None:
        self._do = do

    # Batches and rounds

    def save_batch(self, batch: Batch) -> None:
        """Keep a batch, in place of one of the same id: to name it anew."""
        row = [batch.id, batch.created_at, rows.to_json(batch)]
        self._do(lambda db: db.execute("INSERT OR REPLACE INTO head_to_head_batches VALUES (?, ?, ?)", row))

    def batches(self) -> tuple[BatchSummary, ...]:
        """All batches and how far they are, newest first."""
        query = f"""
            SELECT any_value(batch.definition) AS definition, count(round.id) AS rounds,
                count(*) FILTER ({_FILTERS["answering"]} AND round.id IS NOT NULL) AS answering,
                count(*) FILTER ({_FILTERS["unjudged"]} AND round.id IS NOT NULL) AS unjudged,
                coalesce(sum(votes), 0)::BIGINT AS votes
            FROM head_to_head_batches AS batch LEFT JOIN head_to_head_overview AS round ON round.batch_id = batch.id
            GROUP BY batch.id, batch.created_at
            ORDER BY try_cast(batch.created_at AS TIMESTAMPTZ) DESC NULLS LAST, batch.id
        """

        def read(db: Connection) -> tuple[BatchSummary, ...]:
            return tuple(
                BatchSummary.model_validate(row | {"batch": Batch.model_validate_json(row.pop("definition"))})
                for row in read_rows(db, query, [])
            )

        return self._do(read)

    def batch(self, identity: str) -> Batch:
        """One batch by its id, or by its name where only one has it; UnknownHeadToHead with close matches."""
        return self._do(lambda db: find_batch(db, identity))

    def save_rounds(self, rounds: Sequence[Round]) -> None:
        """Add rounds; one that is stored already stays as it is. UnknownHeadToHead where a batch is not stored."""

        def save(db: Connection) -> None:
            for batch_id in {each.batch_id for each in rounds}:
                find_batch(db, batch_id)
            values = [_round_values(each) for each in rounds]
            if values:
                db.executemany(
                    "INSERT OR IGNORE INTO head_to_head_rounds VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values
                )

        self._do(save)

    def round(self, identity: str) -> Round:
        """One round; UnknownHeadToHead."""
        return self._do(lambda db: _round(db, identity))

    def rounds(
        self, batch_id: str, *, only: RoundFilter = "all", offset: int = 0, limit: int = 50
    ) -> tuple[RoundSummary, ...]:
        """A page of a batch's rounds in their order; none of a batch that is not stored."""
        query = f"""
            SELECT {quoted(_SUMMARY_COLUMNS)} FROM head_to_head_overview WHERE batch_id = ? AND {_FILTERS[only]}
            ORDER BY position, id LIMIT ? OFFSET ?
        """
        key = [batch_id, limit, offset]
        return self._do(lambda db: tuple(RoundSummary.model_validate(row) for row in read_rows(db, query, key)))

    def count_rounds(self, batch_id: str, *, only: RoundFilter = "all") -> int:
        """How many rounds `rounds` has in all its pages."""
        query = f"SELECT count(*) FROM head_to_head_overview WHERE batch_id = ? AND {_FILTERS[only]}"
        return self._do(lambda db: int(db.execute(query, [batch_id]).fetchall()[0][0]))

    def next_unjudged(self, batch_id: str, *, after: int = -1) -> Round | None:
        """The next round that waits for a vote, behind a position; from the start again where none is behind it."""
        query = f"""
            SELECT id FROM head_to_head_overview WHERE batch_id = ? AND {_UNJUDGED}
            ORDER BY position <= ?, position, id LIMIT 1
        """

        def read(db: Connection) -> Round | None:
            found = db.execute(query, [batch_id, after]).fetchone()
            return None if found is None else _round(db, found[0])

        return self._do(read)

    def close_round(self, identity: str, at: str) -> Round:
        """Show the names, or put the round aside; a round that is closed stays as it is. UnknownHeadToHead."""

        def save(db: Connection) -> Round:
            _round(db, identity)
            db.execute("INSERT OR IGNORE INTO head_to_head_closed VALUES (?, ?)", [identity, at])
            return _round(db, identity)

        return self._do(save)

    # Answers

    def save_answer(self, answer: RoundAnswer) -> None:
        """Keep an answer as it stands, in place of what was kept of the same attempt."""
        places = ", ".join("?" for _ in _ANSWER_COLUMNS)
        query = f"INSERT OR REPLACE INTO head_to_head_answers ({quoted(_ANSWER_COLUMNS)}) VALUES ({places})"
        values = [
            rows.to_json([each.model_dump(mode="json") for each in answer.messages])
            if name == "messages"
            else rows.clean(getattr(answer, name))
            for name in _ANSWER_COLUMNS
        ]
        self._do(lambda db: db.execute(query, values))

    def answers(self, round_id: str, *, attempts: bool = False) -> tuple[RoundAnswer, ...]:
        """The answer of every slot that has one, by slot; with `attempts` the earlier ones too, oldest first."""
        view = "head_to_head_answers" if attempts else "head_to_head_latest"
        query = f"SELECT * FROM {view} WHERE round_id = ? ORDER BY slot, attempt"

        def read(db: Connection) -> tuple[RoundAnswer, ...]:
            return tuple(
                RoundAnswer.model_validate(row | {"messages": json.loads(row["messages"])})
                for row in read_rows(db, query, [round_id])
            )

        return self._do(read)

    def stop_unfinished(self, keep: Sequence[str], reason: str) -> int:
        """Fail the answers that nobody is writing any more, of all rounds but those to keep; how many they were."""
        query = """
            UPDATE head_to_head_answers SET state = 'failed', failure = ?
            WHERE state IN ('waiting', 'loading', 'writing') AND NOT list_contains(?::VARCHAR[], round_id)
        """
        return self._do(lambda db: int(db.execute(query, [reason, list(keep)]).fetchall()[0][0]))

    # Votes

    def add_vote(self, vote: RoundVote) -> RoundVote:
        """Keep a judgement; the standing vote of the same voter on the same pair is replaced by it, and stays stored.

        `blind`, `replaces` and the attempts are set here, from what is stored. Raises UnknownHeadToHead, and
        VoteRefused where the round was closed since a blind vote was cast, or an answer is not there yet.
        """
        return self._do(lambda db: _add_vote(db, vote))

    def votes(self, round_id: str, *, history: bool = False) -> tuple[RoundVote, ...]:
        """Votes of a round that stand, oldest first; with `history` also those replaced or taken back."""
        table = "head_to_head_votes" if history else "head_to_head_standing"
        return self._do(lambda db: _votes(db, table, round_id))

    def judged_pairs(self, test_set_hash: str) -> tuple[JudgedPair, ...]:
        """Every vote that stands on examples of one test set, with both answers, oldest first."""
        return self._do(lambda db: read_judged_pairs(db, test_set_hash))

    def write_votes(
        self, batch_id: str | None, take: Callable[[Sequence[str], Rows], int], without: Collection[str] = ()
    ) -> int:
        """Hand every vote ever cast, of one batch or of all but some, to `take`, row by row."""
        return self._do(lambda db: write_votes(db, batch_id, take, without))

    def write_votes_parquet(self, batch_id: str | None, path: Path, without: Collection[str] = ()) -> int:
        """Write the same as Parquet; how many rows."""
        return self._do(lambda db: write_votes_parquet(db, batch_id, path, without))

    def ballots(self, batch_id: str | None = None) -> tuple[Ballot, ...]:
        """Every vote that stands, oldest first, of one batch or of all with those of earlier versions."""
        return self._do(lambda db: read_ballots(db, batch_id))


def _add_vote(db: Connection, vote: RoundVote) -> RoundVote:
    asked = _round(db, vote.round_id)
    pair = {vote.left, vote.right}
    if len(pair) != 2 or max(pair) >= len(asked.slots):
        raise VoteRefused(f"A vote judges two of the {len(asked.slots)} answers, not {vote.left} and {vote.right}.")
    (blind,) = db.execute(
        "SELECT json_extract(definition, '$.blind')::BOOLEAN FROM head_to_head_batches WHERE id = ?", [asked.batch_id]
    ).fetchall()[0]
    hidden = bool(blind) and asked.closed_at is None
    standing = [
        each
        for each in _votes(db, "head_to_head_standing", vote.round_id)
        if {each.left, each.right} == pair and each.voter == vote.voter
    ]
    before = standing[-1] if standing else None
    if before is not None and before.blind and not hidden:
        raise VoteRefused("This vote was cast while the names were hidden; it can no longer be changed.")
    if before is None and vote.outcome is None:
        raise VoteRefused("There is no vote to take back.")
    attempts = _judged_attempts(db, vote)
    kept = vote.model_copy(
        update={
            "blind": hidden,
            "replaces": None if before is None else before.id,
            "left_attempt": attempts[vote.left],
            "right_attempt": attempts[vote.right],
        }
    )
    values = [rows.clean(getattr(kept, name)) for name in _VOTE_COLUMNS]
    places = ", ".join("?" for _ in _VOTE_COLUMNS)
    place = "(SELECT coalesce(max(place), 0) + 1 FROM head_to_head_votes)"
    query = f"INSERT INTO head_to_head_votes (place, {quoted(_VOTE_COLUMNS)}) SELECT {place}, {places}"
    db.execute(query, values)
    return kept


def _judged_attempts(db: Connection, vote: RoundVote) -> dict[int, int]:
    """Last attempt of the two slots; VoteRefused where one has no answer that can be judged."""
    query = """
        SELECT slot, attempt FROM head_to_head_latest
        WHERE round_id = ? AND slot IN (?, ?) AND (state = 'finished' OR (state = 'stopped' AND "text" <> ''))
    """
    found = dict(db.execute(query, [vote.round_id, vote.left, vote.right]).fetchall())
    if len(found) < 2:
        raise VoteRefused("Both answers must be there before they can be judged: wait, or ask again.")
    return found


def _votes(db: Connection, table: str, round_id: str) -> tuple[RoundVote, ...]:
    query = f"SELECT {quoted(_VOTE_COLUMNS)} FROM {table} WHERE round_id = ? ORDER BY place"
    return tuple(RoundVote.model_validate(row) for row in read_rows(db, query, [round_id]))


def find_batch(db: Connection, identity: str) -> Batch:
    """A batch by id, or by a name that only one has; UnknownHeadToHead."""
    query = """
        SELECT definition FROM head_to_head_batches
        WHERE id = ? OR json_extract_string(definition, '$.name') = ? ORDER BY id = ? DESC, id
    """
    found = [Batch.model_validate_json(text) for (text,) in db.execute(query, [identity] * 3).fetchall()]
    if found and (found[0].id == identity or len(found) == 1):
        return found[0]
    if found:
        ids = ", ".join(f"{each.id} of {each.created_at}" for each in found)
        raise UnknownHeadToHead(f"{len(found)} batches are called {identity!r}. Name one by its id: {ids}.")
    query = "SELECT DISTINCT json_extract_string(definition, '$.name') FROM head_to_head_batches ORDER BY 1"
    names = [name for (name,) in db.execute(query).fetchall()]
    raise UnknownHeadToHead(trouble.unknown("batch of head-to-heads", identity, names))


def _round(db: Connection, identity: str) -> Round:
    query = """
        SELECT round.*, closed.closed_at FROM head_to_head_rounds AS round
        LEFT JOIN head_to_head_closed AS closed ON closed.round_id = round.id WHERE round.id = ?
    """
    found = read_rows(db, query, [identity])
    if not found:
        raise UnknownHeadToHead(f"There is no round {identity!r} of a head-to-head. Ask again, or open another batch.")
    row = found[0]
    source = row["source"]
    return Round.model_validate(
        {name: row[name] for name in ("id", "batch_id", "position", "created_at", "slots", "seed", "follows")}
        | {
            "order": row["shown"],
            "closed_at": row["closed_at"],
            "messages": _MESSAGES.validate_json(row["messages"]),
            "source": None if source is None else RoundSource.model_validate_json(source),
        }
    )


def _round_values(each: Round) -> list[object]:
    messages = rows.to_json([message.model_dump(mode="json") for message in each.messages])
    source = None if each.source is None else rows.to_json(each.source)
    plain = [each.id, each.batch_id, each.position, each.created_at]
    return [*plain, messages, list(each.slots), list(each.order), each.seed, each.follows, source]
