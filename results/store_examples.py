"""The results file's part on single examples: pages, places and details for the browser. Reached as `Store.examples`.

What became of an example is decided as in the view `example_outcomes` (the last completion counts, as the first scorer
says), but read from narrow columns and only as far as a filter needs it, so that a page of a large benchmark takes a
fraction of a second. A test holds the two against each other.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from results import example_queries, example_rows, rows, trouble
from results.errors import UnknownExample
from results.example_records import ExampleDetail, ExamplePage, ExamplePlace, ExampleQuery
from results.records import Benchmark
from results.store_file import Connection, Do, read_rows

MOST_CHARACTERS = 200_000
"""More of one text is nowhere shown."""


class _Find(Protocol):
    """Finds a benchmark; UnknownBenchmark."""

    def __call__(self, db: Connection, name: str) -> Benchmark:
        """The record."""
        ...


class _Selection(NamedTuple):
    """The examples of a query as SQL: `selected` has their position, id and order."""

    sql: str
    parameters: dict[str, Any]


class ExampleShelf:
    """Reads single examples and what candidates made of them."""

    def __init__(self, do: Do, find: _Find) -> None:
        self._do = do
        self._find = find

    def page(self, benchmark: str, query: ExampleQuery) -> ExamplePage:
        """Part of the examples that a query finds; the last part where it is asked for more. UnknownBenchmark."""

        def read(db: Connection) -> ExamplePage:
            asked = self._find(db, benchmark)
            selection, names = _selection(db, asked, query)
            found, total, offset = _ids(db, selection, query)
            answers = _answers(db, asked, names, found, query.most_characters)
            return ExamplePage(
                examples=example_rows.browsed(
                    _inputs(db, asked.test_set_hash, found), answers, asked.candidates, query.most_characters
                ),
                total=total,
                offset=offset,
            )

        return self._do(read)

    def ids(self, benchmark: str, query: ExampleQuery) -> tuple[str, ...]:
        """Ids of the examples of a page alone."""

        def read(db: Connection) -> tuple[str, ...]:
            selection, _ = _selection(db, self._find(db, benchmark), query)
            return tuple(_ids(db, selection, query)[0])

        return self._do(read)

    def place(self, benchmark: str, query: ExampleQuery, example_id: str) -> ExamplePlace | None:
        """Where an example stands among those of a query; None where it is not one of them. UnknownBenchmark."""

        def read(db: Connection) -> ExamplePlace | None:
            selection, _ = _selection(db, self._find(db, benchmark), query)
            found = db.execute(
                f"""{selection.sql}, placed AS (
                    SELECT id, row_number() OVER around AS number, count(*) OVER () AS total,
                        lag(id) OVER around AS previous, lead(id) OVER around AS following
                    FROM selected WINDOW around AS (ORDER BY size DESC NULLS LAST, position)
                ) SELECT number, total, previous, following FROM placed WHERE id = $example""",
                selection.parameters | {"example": rows.clean(example_id)},
            ).fetchone()
            return (
                None
                if found is None
                else ExamplePlace.model_validate(dict(zip(ExamplePlace.model_fields, found, strict=True)))
            )

        return self._do(read)

    def detail(self, benchmark: str, example_id: str) -> ExampleDetail:
        """One example whole; UnknownBenchmark, UnknownExample with near ids."""

        def read(db: Connection) -> ExampleDetail:
            asked = self._find(db, benchmark)
            wanted = {"hash": asked.test_set_hash, "example": str(rows.clean(example_id))}
            found = read_rows(
                db, "SELECT * FROM examples WHERE test_set_hash = $hash AND id = $example LIMIT 1", wanted
            )
            if not found:
                raise UnknownExample(trouble.unknown("example", example_id, _near(db, wanted)))
            names = _asked(db, asked, ())
            key = {"benchmark": benchmark, "example": wanted["example"]}
            return example_rows.detail(
                found[0],
                specs=read_rows(
                    db,
                    "SELECT candidate, spec FROM runs WHERE benchmark = $benchmark AND test_set_hash = $hash",
                    {"benchmark": benchmark, "hash": asked.test_set_hash},
                ),
                answers=_answers(db, asked, names, [wanted["example"]], MOST_CHARACTERS),
                completions=read_rows(db, example_queries.WHOLE, key),
                scores=read_rows(db, example_queries.SCORES, key),
                failures=read_rows(db, example_queries.FAILURES, key),
            )

        return self._do(read)


def _selection(db: Connection, asked: Benchmark, query: ExampleQuery) -> tuple[_Selection, list[str]]:
    """The query as SQL, and the candidates whose answers it is about."""
    names = _asked(db, asked, query.candidates)
    parameters: dict[str, Any] = {"hash": asked.test_set_hash}
    parts, joins, where = [], [], ["example.test_set_hash = $hash"]
    if query.only != "all":
        parts.append(example_queries.JUDGED.format(flag=example_queries.FLAGS[query.only]))
        joins.append("LEFT JOIN outcomes USING (id)")
        where.append("found IS NOT TRUE" if query.only == "failed" else "found")
        parameters |= {"benchmark": asked.name, "candidates": names}
        if query.only in {"first_right", "second_right", "first_higher"}:
            parameters |= {"first": query.first or "", "second": query.second or ""}
            parameters["candidates"] = [parameters["first"], parameters["second"]]
        if query.only == "failed":
            parameters["asked"] = names
    if query.slice_column is not None:
        where.append("json_extract_string(example.slices, $slice) = $slice_value")
        parameters |= {"slice": _json_path(query.slice_column), "slice_value": rows.clean(query.slice_value)}
    if query.target is not None:
        where.append("example.target = $target")
        parameters["target"] = rows.clean(query.target)
    if query.text:
        where.append(example_queries.TEXT)
        parameters |= {"text": rows.clean(query.text), "benchmark": asked.name, "candidates": names}
    if query.order != "test_set":
        joins.append(f"LEFT JOIN ({example_queries.ORDERS[query.order]}) AS ordered USING (id)")
        parameters |= {"benchmark": asked.name, "candidates": names}
    size = "NULL" if query.order == "test_set" else "ordered.size"
    parts.append(
        f"selected AS (SELECT example.position, id, {size} AS size FROM examples AS example"
        f" {' '.join(joins)} WHERE {' AND '.join(where)})"
    )
    return _Selection(f"WITH {', '.join(parts)}", parameters), names


def _ids(db: Connection, selection: _Selection, query: ExampleQuery) -> tuple[list[str], int, int]:
    """Ids of the page, how many there are in all, and where the page begins."""
    sql = f"""{selection.sql} SELECT id, count(*) OVER () FROM selected
        ORDER BY size DESC NULLS LAST, position LIMIT {query.limit} OFFSET {{offset}}"""
    found = db.execute(sql.format(offset=query.offset), selection.parameters).fetchall()
    offset = query.offset
    if not found and offset:
        total = db.execute(f"{selection.sql} SELECT count(*) FROM selected", selection.parameters).fetchall()[0][0]
        offset = max(0, total - 1) // query.limit * query.limit
        found = db.execute(sql.format(offset=offset), selection.parameters).fetchall()
    return [identity for identity, _ in found], found[0][1] if found else 0, offset


def _asked(db: Connection, asked: Benchmark, wanted: Sequence[str]) -> list[str]:
    """Candidates that were asked the benchmark's test set, of those wanted, in the benchmark's order."""
    query = """
        SELECT candidate FROM runs
        WHERE benchmark = ? AND test_set_hash = ? AND list_contains(workloads, 'accuracy')
    """
    found = {name for (name,) in db.execute(query, [asked.name, asked.test_set_hash]).fetchall()}
    return [name for name in asked.candidates if name in found and (not wanted or name in wanted)]


def _inputs(db: Connection, test_set_hash: str, ids: Sequence[str]) -> list[rows.Row]:
    query = """
        SELECT id, inputs, target, slices FROM examples
        WHERE test_set_hash = $hash AND list_contains($ids::VARCHAR[], id)
    """
    found = {row["id"]: row for row in read_rows(db, query, {"hash": test_set_hash, "ids": list(ids)})}
    return [found[identity] for identity in ids]


def _answers(
    db: Connection, asked: Benchmark, names: Sequence[str], ids: Sequence[str], most_characters: int
) -> list[rows.Row]:
    """The last answer of every candidate to some examples."""
    if not ids:
        return []
    values = {"benchmark": asked.name, "candidates": list(names), "ids": list(ids), "most": most_characters}
    return read_rows(db, example_queries.ANSWERS, values)


def _near(db: Connection, wanted: dict[str, str]) -> list[str]:
    query = """
        SELECT id FROM examples WHERE test_set_hash = $hash
        ORDER BY jaro_winkler_similarity(id, $example) DESC, position LIMIT 5
    """
    return [name for (name,) in db.execute(query, wanted).fetchall()]


def _json_path(column: str) -> str:
    """A JSON path to one key, whatever it holds."""
    escaped = str(rows.clean(column)).replace("\\", "\\\\").replace('"', '\\"')
    return f'$."{escaped}"'
