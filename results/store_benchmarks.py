"""The results file's part on benchmarks as things with names: rename, put away, what belongs to one and would go.

Reached as `Store.names`. Runs, scores and judgings carry the name of their benchmark in a column; a rename changes it
in every table that has one, so that a table which came later is not forgotten.
"""

from results import rows, trouble
from results.errors import BenchmarkNameTaken, UnknownBenchmark
from results.judge_records import JudgeReport
from results.records import Benchmark, BenchmarkFootprint, StoredFailures
from results.store_file import Connection, Do, read_rows

_TABLES = """
    SELECT table_name FROM duckdb_columns()
    WHERE column_name = 'benchmark' AND NOT internal
        AND table_name IN (SELECT table_name FROM duckdb_tables() WHERE NOT internal)
    ORDER BY table_name
"""


class BenchmarkNames:
    """Names of benchmarks, and which of them are put away."""

    def __init__(self, do: Do) -> None:
        self._do = do

    def archived(self) -> frozenset[str]:
        """Benchmarks that are put away."""
        query = "SELECT name FROM benchmarks WHERE archived_at IS NOT NULL"
        return self._do(lambda db: frozenset(name for (name,) in db.execute(query).fetchall()))

    def newest_answered(self) -> str | None:
        """The newest benchmark in use that has an answer to its present test set; None where there is none."""
        query = """
            SELECT name FROM benchmarks
            WHERE archived_at IS NULL AND (name, test_set_hash) IN (
                SELECT (run.benchmark, run.test_set_hash) FROM runs AS run
                SEMI JOIN completions USING (benchmark, candidate)
            )
            ORDER BY try_cast(created_at AS TIMESTAMPTZ) DESC NULLS LAST, name LIMIT 1
        """
        found = self._do(lambda db: db.execute(query).fetchone())
        return None if found is None else str(found[0])

    def put_away(self, name: str, at: str | None) -> None:
        """Put a benchmark away since a moment, or (None) bring it back; UnknownBenchmark."""

        def change(db: Connection) -> None:
            find(db, name)
            db.execute("UPDATE benchmarks SET archived_at = ? WHERE name = ?", [at, name])

        self._do(change)

    def current(self, name: str) -> str | None:
        """The name as it is now of a benchmark that is or was called so; None where there is none."""
        query = "SELECT name FROM benchmarks WHERE name = ? UNION ALL SELECT name FROM former_names WHERE former = ?"
        found = self._do(lambda db: db.execute(query, [name, name]).fetchone())
        return None if found is None else str(found[0])

    def rename(self, name: str, renamed: Benchmark, at: str) -> None:
        """Call a benchmark as the record given is called, with everything that belongs to it.

        UnknownBenchmark, BenchmarkNameTaken.
        """
        to = renamed.name

        def change(db: Connection) -> None:
            find(db, name)
            if db.execute("SELECT 1 FROM benchmarks WHERE name = ?", [to]).fetchone() is not None:
                raise BenchmarkNameTaken(f"There is a benchmark called {to!r} already. Choose another name.")
            for (table,) in db.execute(_TABLES).fetchall():
                db.execute(f'UPDATE "{table}" SET benchmark = ? WHERE benchmark = ?', [to, name])
            _rename_reports(db, to)
            query = "UPDATE benchmarks SET name = ?, definition = ? WHERE name = ?"
            db.execute(query, [to, rows.to_json(renamed), name])
            db.execute("UPDATE former_names SET name = ? WHERE name = ?", [to, name])
            db.execute("DELETE FROM former_names WHERE former = ?", [to])
            db.execute("INSERT INTO former_names VALUES (?, ?, ?)", [name, to, at])

        self._do(change)

    def footprint(self, name: str) -> BenchmarkFootprint:
        """What belongs to a benchmark alone, and what it shares with others; UnknownBenchmark."""
        shared = "key IN (SELECT key FROM runs WHERE benchmark <> ?)"

        def read(db: Connection) -> BenchmarkFootprint:
            find(db, name)
            keys = db.execute(f"SELECT key, {shared} FROM runs WHERE benchmark = ? ORDER BY key", [name, name])
            found = keys.fetchall()
            (completions,) = db.execute("SELECT count(*) FROM completions WHERE benchmark = ?", [name]).fetchall()[0]
            (judgings,) = db.execute("SELECT count(*) FROM judgings WHERE benchmark = ?", [name]).fetchall()[0]
            return BenchmarkFootprint(
                name=name,
                runs=len(found),
                completions=completions,
                judgings=judgings,
                own_keys=tuple(key for key, is_shared in found if not is_shared),
                shared_keys=tuple(key for key, is_shared in found if is_shared),
            )

        return self._do(read)

    def failures(self, name: str, limit: int = 3) -> tuple[StoredFailures, ...]:
        """The last failures of every run that has some, and how many there are; UnknownBenchmark."""
        query = """
            SELECT *, count(*) OVER (PARTITION BY candidate) AS count FROM failures WHERE benchmark = ?
            QUALIFY row_number() OVER (PARTITION BY candidate ORDER BY position DESC) <= ?
            ORDER BY candidate, position
        """

        def read(db: Connection) -> tuple[StoredFailures, ...]:
            find(db, name)
            found: dict[str, list[rows.Row]] = {}
            for row in read_rows(db, query, [name, limit]):
                found.setdefault(str(row["candidate"]), []).append(row)
            return tuple(
                StoredFailures(
                    candidate=candidate, count=part[0].pop("count"), last=tuple(rows.failure_from(row) for row in part)
                )
                for candidate, part in found.items()
            )

        return self._do(read)


def find(db: Connection, name: str) -> Benchmark:
    """One benchmark; UnknownBenchmark with its present name where it was renamed, else with close matches."""
    found = db.execute("SELECT definition FROM benchmarks WHERE name = ?", [rows.clean(name)]).fetchone()
    if found is not None:
        return Benchmark.model_validate_json(found[0])
    renamed = db.execute("SELECT name, renamed_at FROM former_names WHERE former = ?", [rows.clean(name)]).fetchone()
    if renamed is not None:
        raise UnknownBenchmark(
            f"The benchmark {name!r} is called {renamed[0]!r} since {renamed[1][:10]}. Use that name."
        )
    names = [other for (other,) in db.execute("SELECT name FROM benchmarks ORDER BY name").fetchall()]
    raise UnknownBenchmark(trouble.unknown("benchmark", name, names))


def _rename_reports(db: Connection, to: str) -> None:
    """Reports of judges name their benchmark inside."""
    query = "SELECT name, definition FROM judgings WHERE benchmark = ?"
    for judge, text in db.execute(query, [to]).fetchall():
        report = JudgeReport.model_validate_json(text).model_copy(update={"benchmark": to})
        change = "UPDATE judgings SET definition = ? WHERE benchmark = ? AND name = ?"
        db.execute(change, [rows.to_json(report), to, judge])
