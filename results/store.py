"""The results file: one DuckDB database per data directory, and the only module that imports duckdb.

Every call opens the file, does its work in one transaction and closes it, because DuckDB lets one process hold a file:
that way the app and the command line live side by side. What stands in the file is what happened; its views
(results/migrations) derive the numbers. Nothing here computes one, and nothing ever deletes the file.
"""

import datetime
import json
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Literal, TypeVar

import duckdb
from pydantic import ValidationError

from results import rows, tables, trouble
from results.errors import StoreBusy, StoreDamaged, StoreNotWritable, UnknownBenchmark
from results.judge_records import JudgeReport
from results.ladder_records import QuantizationLoss
from results.records import (
    Benchmark,
    ExampleResult,
    LevelMeasurements,
    RequestTiming,
    RunInfo,
    RunMeasurements,
    ScoreSummary,
    Shortlist,
    Vote,
)
from results.store_test_sets import TestSetShelf
from runners.records import RunResult, RunSpec, Score
from runners.scorer_options import PassOptions

MIGRATIONS = Path(__file__).parent / "migrations"
"""Folder of the numbered SQL files."""

ExampleFilter = Literal["all", "disagreement", "any_wrong", "all_wrong", "unparseable"]
"""Which examples to list. disagreement: some candidates right, others wrong; any_wrong: at least
one wrong; all_wrong: judged and none right;
unparseable: at least one answer that could not be understood."""

T = TypeVar("T")
Connection = duckdb.DuckDBPyConnection

_ONE_THREAD = threading.Lock()
"""Held while this process has a file open: threads that write at once would meet in conflicts instead of queueing."""
_FIRST_WAIT_SECONDS = 0.02
_LONGEST_WAIT_SECONDS = 0.25
_CONFIGURATION: dict[str, str | bool | int | float | list[str]] = {
    # Stored text is data: nothing may be fetched, loaded or looked up in Python because of it.
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "python_enable_replacements": False,
}
_MIGRATIONS_TABLE = """
    CREATE TABLE IF NOT EXISTS migrations (
        number INTEGER PRIMARY KEY, name VARCHAR NOT NULL, applied_at VARCHAR NOT NULL
    )
"""
_FILE_ERRORS = (
    duckdb.IOException,
    duckdb.SerializationException,
    duckdb.InternalException,
    duckdb.FatalException,
    duckdb.PermissionException,
)
_FILTERS: dict[ExampleFilter, str] = {
    "all": "true",
    "disagreement": 'count(DISTINCT "right") > 1',
    "any_wrong": 'bool_or(NOT "right")',
    "all_wrong": 'count("right") > 0 AND NOT bool_or("right")',
    "unparseable": "bool_or(validity = 'unparseable')",
}
_SELECTED = """
    SELECT position, example_id FROM example_outcomes
    WHERE benchmark = ? AND test_set_hash = ? GROUP BY position, example_id HAVING {condition}
"""


class Store:
    """Reads and writes the results file. Safe to use from several threads and several processes."""

    def __init__(self, path: Path, *, wait_seconds: float = 10, migrations: Path = MIGRATIONS) -> None:
        """Name the file; it is opened, and made where there is none, by the first call.

        wait_seconds bounds how long a call waits for another process that holds the file.
        """
        self.path = path
        self._wait_seconds = wait_seconds
        self._migrations = migrations
        self.test_sets = TestSetShelf(self._do, path)
        """Versions of imported test sets."""

    # Benchmarks

    def save_benchmark(self, benchmark: Benchmark) -> None:
        """Add a benchmark, or replace the one of the same name; its runs stay."""
        values = (benchmark.name, benchmark.created_at, benchmark.test_set_hash)
        row = [*map(rows.clean, values), rows.to_json(benchmark)]
        self._do(lambda db: db.execute("INSERT OR REPLACE INTO benchmarks VALUES (?, ?, ?, ?)", row))

    def benchmarks(self) -> tuple[Benchmark, ...]:
        """All benchmarks, newest first."""
        query = """
            SELECT definition FROM benchmarks
            ORDER BY try_cast(created_at AS TIMESTAMPTZ) DESC NULLS LAST, name
        """

        def read(db: Connection) -> tuple[Benchmark, ...]:
            return tuple(Benchmark.model_validate_json(text) for (text,) in db.execute(query).fetchall())

        return self._do(read)

    def benchmark(self, name: str) -> Benchmark:
        """One benchmark; UnknownBenchmark with close matches."""
        return self._do(lambda db: self._benchmark(db, name))

    def delete_benchmark(self, name: str) -> None:
        """Remove a benchmark with its runs, and test sets that no run uses any more; UnknownBenchmark."""

        def delete(db: Connection) -> None:
            self._benchmark(db, name)
            for table in tables.RUN_TABLES:
                db.execute(f"DELETE FROM {table.name} WHERE benchmark = ?", [name])
            for later in ("score_passes", "judgings", "runs"):
                db.execute(f"DELETE FROM {later} WHERE benchmark = ?", [name])
            db.execute("DELETE FROM benchmarks WHERE name = ?", [name])
            _forget_unused_examples(db)

        self._do(delete)

    # Runs

    def save_run(self, benchmark: str, result: RunResult) -> None:
        """Store a run, in place of an earlier one of the same candidate; UnknownBenchmark."""
        run = [benchmark, str(rows.clean(result.spec.candidate.name))]
        parts = rows.run_rows(result)
        examples = rows.example_rows(result.spec)

        def save(db: Connection) -> None:
            self._benchmark(db, benchmark)
            for table, part in parts:
                db.execute(f"DELETE FROM {table.name} WHERE benchmark = ? AND candidate = ?", run)
                owner: rows.Row = {"benchmark": run[0], "candidate": run[1]}
                _insert(db, table, [owner | row for row in part])
            # What a judge or another pass said was of the answers that are replaced now.
            db.execute("DELETE FROM score_passes WHERE benchmark = ? AND candidate = ?", run)
            _forget_judges(db, run[0])
            db.execute("INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [*run, *rows.run_values(result)])
            known = "SELECT 1 FROM examples WHERE test_set_hash = ? LIMIT 1"
            if db.execute(known, [result.spec.test_set.content_hash]).fetchone() is None:
                _insert(db, tables.EXAMPLES, examples)
            _forget_unused_examples(db)

        self._do(save)

    def runs(self, benchmark: str | None = None) -> tuple[RunInfo, ...]:
        """Runs of one benchmark (UnknownBenchmark) or of all, by benchmark and candidate."""

        def read(db: Connection) -> tuple[RunInfo, ...]:
            if benchmark is not None:
                self._benchmark(db, benchmark)
            query = "SELECT * FROM run_overview WHERE ? IS NULL OR benchmark = ? ORDER BY benchmark, candidate"
            return tuple(RunInfo.model_validate(row) for row in _rows(db, query, [benchmark, benchmark]))

        return self._do(read)

    def run_spec(self, benchmark: str, candidate: str) -> RunSpec:
        """What a run was asked; UnknownBenchmark also where the benchmark has no run of that candidate."""
        return self._do(lambda db: self._run_spec(db, benchmark, candidate))[0]

    def run_result(self, benchmark: str, candidate: str) -> RunResult:
        """Everything a run left behind, as it was saved; UnknownBenchmark as in run_spec."""

        def read(db: Connection) -> RunResult:
            spec, status = self._run_spec(db, benchmark, candidate)
            parts = {table.name: _run_part(db, table, benchmark, candidate) for table in tables.RUN_TABLES}
            return rows.run_from(spec, status, parts)

        return self._do(read)

    def run_measurements(self, benchmark: str, candidate: str) -> RunMeasurements:
        """What was measured in one run, whatever version of the test set it had; UnknownBenchmark as in run_spec."""

        def read(db: Connection) -> RunMeasurements:
            self._run_spec(db, benchmark, candidate)
            return _measurements(db, benchmark, [candidate])[0]

        return self._do(read)

    def measurements(self, benchmark: str) -> tuple[RunMeasurements, ...]:
        """What was measured, one record per candidate that has a run, in the benchmark's order; UnknownBenchmark.

        A run of another version of the test set is not comparable and is left out.
        """

        def read(db: Connection) -> tuple[RunMeasurements, ...]:
            asked = self._benchmark(db, benchmark)
            query = "SELECT candidate FROM runs WHERE benchmark = ? AND test_set_hash = ?"
            found = {name for (name,) in db.execute(query, [benchmark, asked.test_set_hash]).fetchall()}
            return _measurements(db, benchmark, [name for name in asked.candidates if name in found])

        return self._do(read)

    def measured_otherwise(self, benchmark: str) -> tuple[str, ...]:
        """Candidates whose run used another version of the test set than the benchmark; UnknownBenchmark."""

        def read(db: Connection) -> tuple[str, ...]:
            asked = self._benchmark(db, benchmark)
            query = "SELECT candidate FROM runs WHERE benchmark = ? AND test_set_hash <> ?"
            found = {name for (name,) in db.execute(query, [benchmark, asked.test_set_hash]).fetchall()}
            return tuple(name for name in asked.candidates if name in found)

        return self._do(read)

    # Scores that came after the runs

    def save_pass(self, benchmark: str, candidate: str, options: PassOptions, scores: Sequence[Score]) -> None:
        """Keep what a scorer says of a run's answers to the accuracy workload, in place of what it said before.

        UnknownBenchmark. Scores of requests that the run does not have are left out.
        """
        run = [benchmark, candidate]
        where = "WHERE benchmark = ? AND candidate = ?"

        def save(db: Connection) -> None:
            self._run_spec(db, benchmark, candidate)
            found = db.execute(
                f"SELECT request_id, position FROM completions {where} AND workload = 'accuracy'", run
            ).fetchall()
            owner: rows.Row = {"benchmark": benchmark, "candidate": candidate}
            db.execute(f"DELETE FROM scores {where} AND scorer = ?", [*run, options.name])
            _insert(db, tables.SCORES, [owner | row for row in rows.pass_rows(scores, dict(found))])
            definition = [*run, options.name, _now(), rows.to_json(options)]
            db.execute("INSERT OR REPLACE INTO score_passes VALUES (?, ?, ?, ?, ?)", definition)

        self._do(save)

    def save_judging(self, report: JudgeReport) -> None:
        """Keep what a judge's grades are worth, in place of an earlier report of the same benchmark and name."""
        row = [report.benchmark, report.name, report.made_at, rows.to_json(report)]
        self._do(lambda db: db.execute("INSERT OR REPLACE INTO judgings VALUES (?, ?, ?, ?)", row))

    def judgings(self, benchmark: str) -> tuple[JudgeReport, ...]:
        """Reports on judges whose answers still stand, by name."""
        query = "SELECT definition FROM judgings WHERE benchmark = ? ORDER BY name"

        def read(db: Connection) -> tuple[JudgeReport, ...]:
            return tuple(JudgeReport.model_validate_json(text) for (text,) in db.execute(query, [benchmark]).fetchall())

        return self._do(read)

    def score_summary(self, benchmark: str | None = None) -> tuple[ScoreSummary, ...]:
        """Every scorer of every run in a line, of one benchmark (UnknownBenchmark) or of all; no score is loaded."""
        query = """
            SELECT * FROM score_summary WHERE ? IS NULL OR benchmark = ? ORDER BY benchmark, candidate, scorer
        """

        def read(db: Connection) -> tuple[ScoreSummary, ...]:
            if benchmark is not None:
                self._benchmark(db, benchmark)
            return tuple(rows.score_summary_from(row) for row in _rows(db, query, [benchmark, benchmark]))

        return self._do(read)

    # Examples

    def example_results(
        self, benchmark: str, *, only: ExampleFilter = "all", offset: int = 0, limit: int = 50
    ) -> tuple[ExampleResult, ...]:
        """A page of examples with every candidate's answer, in the test set's order; UnknownBenchmark."""
        query = f"""
            WITH page AS ({_SELECTED.format(condition=_FILTERS[only])} ORDER BY position LIMIT ? OFFSET ?)
            SELECT * FROM example_outcomes JOIN page USING (position, example_id)
            WHERE benchmark = ? AND test_set_hash = ? ORDER BY position
        """

        def read(db: Connection) -> tuple[ExampleResult, ...]:
            asked = self._benchmark(db, benchmark)
            key = [benchmark, asked.test_set_hash]
            return rows.example_results(_rows(db, query, [*key, limit, offset, *key]), asked.candidates)

        return self._do(read)

    def count_examples(self, benchmark: str, *, only: ExampleFilter = "all") -> int:
        """How many examples `example_results` has in all its pages; UnknownBenchmark."""
        query = f"SELECT count(*) FROM ({_SELECTED.format(condition=_FILTERS[only])})"

        def read(db: Connection) -> int:
            asked = self._benchmark(db, benchmark)
            return int(db.execute(query, [benchmark, asked.test_set_hash]).fetchall()[0][0])

        return self._do(read)

    # Votes and shortlists

    def add_vote(self, vote: Vote) -> None:
        """Add one judgement; a vote with an id that is stored already changes nothing."""
        places = ", ".join("?" for _ in rows.VOTE_COLUMNS)
        query = f"INSERT OR IGNORE INTO votes ({_names(rows.VOTE_COLUMNS)}) VALUES ({places})"
        values = [rows.clean(getattr(vote, name)) for name in rows.VOTE_COLUMNS]
        self._do(lambda db: db.execute(query, values))

    def votes(self) -> tuple[Vote, ...]:
        """All judgements, oldest first."""
        query = f"""
            SELECT {_names(rows.VOTE_COLUMNS)} FROM votes
            ORDER BY try_cast(created_at AS TIMESTAMPTZ) NULLS LAST, id
        """
        return self._do(lambda db: tuple(Vote.model_validate(row) for row in _rows(db, query, [])))

    def save_shortlist(self, shortlist: Shortlist) -> Shortlist:
        """Keep a shortlist under its name; a name that exists gets its next version, and earlier ones stay.

        Version and time of the record given are replaced by those it is kept under.
        """

        def save(db: Connection) -> Shortlist:
            name = rows.clean(shortlist.name)
            versions = db.execute("SELECT max(version) FROM shortlists WHERE name = ?", [name]).fetchall()
            kept = shortlist.model_copy(update={"version": (versions[0][0] or 0) + 1, "created_at": _now()})
            row = [name, kept.version, kept.created_at, rows.to_json(kept)]
            db.execute("INSERT INTO shortlists VALUES (?, ?, ?, ?)", row)
            return kept

        return self._do(save)

    def shortlists(self) -> tuple[Shortlist, ...]:
        """All versions of all shortlists, by name, newest version first."""
        query = "SELECT definition FROM shortlists ORDER BY name, version DESC"

        def read(db: Connection) -> tuple[Shortlist, ...]:
            return tuple(Shortlist.model_validate_json(text) for (text,) in db.execute(query).fetchall())

        return self._do(read)

    # What quantizing lost

    def save_losses(self, losses: Sequence[QuantizationLoss]) -> None:
        """Keep what was measured of files, in place of earlier figures of the same work."""
        values = [
            [
                *(loss.weights_sha256, loss.reference_sha256, loss.text_sha256, loss.context_tokens),
                *(loss.measured_at, rows.to_json(loss)),
            ]
            for loss in losses
        ]
        query = "INSERT OR REPLACE INTO divergences VALUES (?, ?, ?, ?, ?, ?)"
        self._do(lambda db: db.executemany(query, values))

    def losses(self, weights_sha256: Iterable[str]) -> tuple[QuantizationLoss, ...]:
        """What was measured of these files, oldest first."""
        query = """
            SELECT definition FROM divergences WHERE list_contains(?::VARCHAR[], weights_sha256)
            ORDER BY try_cast(measured_at AS TIMESTAMPTZ) NULLS LAST, weights_sha256
        """
        asked = sorted(weights_sha256)

        def read(db: Connection) -> tuple[QuantizationLoss, ...]:
            found = db.execute(query, [asked]).fetchall()
            return tuple(QuantizationLoss.model_validate_json(text) for (text,) in found)

        return self._do(read)

    # Whatever else reads

    def reading(self, benchmark: str, work: Callable[[Connection], T]) -> T:
        """One transaction for a module of this package that has its own SQL; UnknownBenchmark."""

        def read(db: Connection) -> T:
            self._benchmark(db, benchmark)
            return work(db)

        return self._do(read)

    # One call: open, migrate, one transaction, close

    def _do(self, action: Callable[[Connection], T]) -> T:
        """Run an action in one transaction, waiting in turn for other threads and for whoever else holds the file."""
        deadline = time.perf_counter() + self._wait_seconds
        wait = _FIRST_WAIT_SECONDS
        while True:
            if not _ONE_THREAD.acquire(timeout=max(0.0, deadline - time.perf_counter())):
                raise StoreBusy(trouble.busy(self.path, "", self._wait_seconds))
            try:
                return self._attempt(action)
            except duckdb.IOException as error:
                # Only a lock gets here; every other trouble with the file has become an error of ours.
                if time.perf_counter() + wait > deadline:
                    raise StoreBusy(trouble.busy(self.path, str(error), self._wait_seconds)) from error
            finally:
                _ONE_THREAD.release()
            time.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT_SECONDS)

    def _attempt(self, action: Callable[[Connection], T]) -> T:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with duckdb.connect(self.path, config=_CONFIGURATION) as db:
                self._migrate(db)
                db.begin()
                outcome = action(db)
                db.commit()
                return outcome
        except OSError as error:
            raise StoreNotWritable(trouble.not_writable(self.path, str(error))) from error
        except (ValidationError, json.JSONDecodeError) as error:
            raise StoreDamaged(trouble.does_not_parse(self.path, str(error))) from error
        except duckdb.Error as error:
            # A corrupt block is reported by the bare base class; other kinds are mistakes of ours and pass through.
            of_the_file = isinstance(error, _FILE_ERRORS) or type(error) is duckdb.Error
            if not of_the_file or trouble.is_locked(str(error)):
                raise
            if trouble.is_not_writable(str(error)):
                raise StoreNotWritable(trouble.not_writable(self.path, str(error))) from error
            raise StoreDamaged(trouble.damaged(self.path, str(error))) from error

    def _migrate(self, db: Connection) -> None:
        """Apply the migrations that the file does not have yet, each in one transaction with its record."""
        available = {int(file.stem.partition("_")[0]): file for file in self._migrations.glob("[0-9]*.sql")}
        applied = self._applied(db)
        if newer := applied - available.keys():
            raise StoreDamaged(trouble.newer(self.path, max(newer), max(available)))
        for number in sorted(available.keys() - applied):
            db.begin()
            try:
                db.execute(_MIGRATIONS_TABLE)
                db.execute(available[number].read_text(encoding="utf-8"))
                db.execute("INSERT INTO migrations VALUES (?, ?, ?)", [number, available[number].stem, _now()])
                db.commit()
            except (duckdb.ProgrammingError, duckdb.DataError, duckdb.IntegrityError) as error:
                db.rollback()
                raise StoreDamaged(trouble.migration_failed(self.path, available[number].name, str(error))) from error

    def _applied(self, db: Connection) -> set[int]:
        """Numbers of the migrations that the file has; StoreDamaged where it is somebody else's database."""
        names = {name for (name,) in db.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
        if "migrations" in names:
            return {number for (number,) in db.execute("SELECT number FROM migrations").fetchall()}
        if names:
            raise StoreDamaged(trouble.foreign(self.path, sorted(names)))
        return set()

    # Parts of the calls above

    def _benchmark(self, db: Connection, name: str) -> Benchmark:
        found = db.execute("SELECT definition FROM benchmarks WHERE name = ?", [rows.clean(name)]).fetchone()
        if found is None:
            names = [other for (other,) in db.execute("SELECT name FROM benchmarks ORDER BY name").fetchall()]
            raise UnknownBenchmark(trouble.unknown("benchmark", name, names))
        return Benchmark.model_validate_json(found[0])

    def _run_spec(self, db: Connection, benchmark: str, candidate: str) -> tuple[RunSpec, str]:
        self._benchmark(db, benchmark)
        query = "SELECT spec, status, test_set_hash FROM runs WHERE benchmark = ? AND candidate = ?"
        found = db.execute(query, [benchmark, candidate]).fetchone()
        if found is None:
            query = "SELECT candidate FROM runs WHERE benchmark = ? ORDER BY candidate"
            names = [other for (other,) in db.execute(query, [benchmark]).fetchall()]
            raise UnknownBenchmark(trouble.unknown(f"run in benchmark {benchmark!r} of candidate", candidate, names))
        spec, status, test_set_hash = found
        query = "SELECT * FROM examples WHERE test_set_hash = ? ORDER BY position"
        return rows.spec_from(spec, _rows(db, query, [test_set_hash])), status


def _measurements(db: Connection, benchmark: str, candidates: Sequence[str]) -> tuple[RunMeasurements, ...]:
    """Everything the views derive for some runs of a benchmark; each view is asked once for all of them."""

    def select(query: str) -> dict[str, list[rows.Row]]:
        found: dict[str, list[rows.Row]] = {}
        for row in _rows(db, query, [benchmark]):
            found.setdefault(str(row.pop("candidate")), []).append(row)
        return found

    def columns(view: str, names: Iterable[str], rest: str) -> dict[str, list[rows.Row]]:
        return select(f"SELECT candidate, {_names(names)} FROM {view} WHERE benchmark = ? {rest}")

    in_window = """AND workload IN ('latency', 'load_sweep', 'arrivals') AND (
        "level" IS NULL OR (benchmark, candidate, segment, workload, "level") IN (
            SELECT (benchmark, candidate, segment, workload, "level") FROM windows
        )
    ) ORDER BY position"""
    parts = {
        "run": columns("runs", ("spec", "key", "status"), ""),
        "outcomes": columns("example_outcomes", rows.OUTCOME_COLUMNS, "ORDER BY position"),
        "scores": columns("score_outcomes", rows.SCORE_COLUMNS, ""),
        "passes": columns("score_passes", ("definition",), "ORDER BY scorer"),
        "variations": select("SELECT * FROM variation_outcomes WHERE benchmark = ? ORDER BY position"),
        "timings": columns("request_timings", rows.TIMING_COLUMNS, in_window),
        "levels": columns("run_throughput", rows.LEVEL_COLUMNS, 'ORDER BY workload, "level"'),
        "load": columns("run_loads", rows.LOAD_COLUMNS, ""),
        "first": columns("run_first_requests", rows.FIRST_REQUEST_COLUMNS, ""),
        "memory": columns("run_memory", rows.MEMORY_COLUMNS, ""),
        "stops": columns("stops", rows.STOP_COLUMNS, ""),
        "failures": select("SELECT * FROM failures WHERE benchmark = ? ORDER BY position, rowid"),
    }
    return tuple(
        _measurements_of({name: found.get(candidate, []) for name, found in parts.items()}) for candidate in candidates
    )


def _measurements_of(parts: dict[str, list[rows.Row]]) -> RunMeasurements:
    """One run from its rows of each view."""
    stored = parts["run"][0]
    spec = rows.spec_from(str(stored["spec"]), [])
    judged = [rows.outcome_from(row) for row in parts["outcomes"]]
    levels = [LevelMeasurements.model_validate(row) for row in parts["levels"]]
    load = next(iter(parts["load"]), {})
    scorers = (*spec.test_set.scorers, *rows.passes_from(parts["passes"]))
    return RunMeasurements.model_validate(
        {
            "candidate": spec.candidate,
            "options": spec.options,
            "run_key": stored["key"],
            "status": stored["status"],
            "stopped": rows.stop_from(parts["stops"]),
            "labels": spec.test_set.labels,
            "scorers": scorers,
            "outcomes": judged,
            "scored": rows.scored_from(
                parts["scores"],
                [options.name for options in scorers],
                [outcome.example_id for outcome in judged],
            ),
            "variations": rows.variations_from(parts["variations"]),
            "timings": [RequestTiming.model_validate(row) for row in parts["timings"]],
            "levels": levels,
            "workloads": spec.workloads,
            "accuracy_examples_per_second": next(
                (level.requests_per_second for level in levels if level.workload == "accuracy"), None
            ),
            "failures": [rows.failure_from(row) for row in parts["failures"]],
        }
        | next(iter(parts["memory"]), {})
        | next(iter(parts["first"]), {})
        | load
        | {"loaded": rows.loaded_from(load.get("loaded"))}
    )


def _run_part(db: Connection, table: tables.Table, benchmark: str, candidate: str) -> list[rows.Row]:
    """Rows of one table of a run, in the order they were saved."""
    order = "position" if "position" in table.columns else "segment"
    query = f"SELECT * FROM {table.name} WHERE benchmark = ? AND candidate = ? ORDER BY {order}, rowid"
    return _rows(db, query, [benchmark, candidate])


def _insert(db: Connection, table: tables.Table, values: Sequence[rows.Row]) -> None:
    """Add rows in one statement: one list parameter per column, which is far faster than a statement per row."""
    if not values:
        return
    places = ", ".join(f"unnest(?::{kind}[])" for kind in table.columns.values())
    columns = [[rows.clean(row[name]) for row in values] for name in table.columns]
    db.execute(f"INSERT INTO {table.name} ({_names(table.columns)}) SELECT {places}", columns)


def _forget_judges(db: Connection, benchmark: str) -> None:
    """Grades go with the report that says whether to believe them, which rests on all runs of a benchmark."""
    judges = """
        SELECT scorer FROM score_passes
        WHERE benchmark = ? AND starts_with(json_extract_string(definition, '$.scorer'), 'judge')
    """
    db.execute(f"DELETE FROM scores WHERE benchmark = ? AND scorer IN ({judges})", [benchmark, benchmark])
    db.execute(f"DELETE FROM score_passes WHERE benchmark = ? AND scorer IN ({judges})", [benchmark, benchmark])
    db.execute("DELETE FROM judgings WHERE benchmark = ?", [benchmark])


def _forget_unused_examples(db: Connection) -> None:
    db.execute("DELETE FROM examples WHERE test_set_hash NOT IN (SELECT test_set_hash FROM runs)")


def _rows(db: Connection, query: str, parameters: Sequence[object]) -> list[rows.Row]:
    found = db.execute(query, parameters)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, values, strict=True)) for values in found.fetchall()]


def _names(columns: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)


def _now() -> str:
    return datetime.datetime.now().astimezone().isoformat(timespec="seconds")
