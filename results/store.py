"""The results file: one DuckDB database per data directory.

Every call is one transaction (results/store_file.py). What stands in the file is what happened; its views
(results/migrations) derive the numbers. Nothing here computes one, and nothing ever deletes the file.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from results import rows, tables, trouble
from results.errors import UnknownBenchmark
from results.example_records import ExampleQuery
from results.forecast_records import PastWork
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
    Vote,
)
from results.store_benchmarks import BenchmarkNames, find
from results.store_examples import ExampleShelf
from results.store_file import Connection, Stamp, StoreFile, now, quoted, read_rows
from results.store_head_to_head import HeadToHeadShelf
from results.store_past_runs import past_work
from results.store_shortlists import ShortlistShelf
from results.store_test_sets import TestSetShelf
from runners.records import RunResult, RunSpec, Score
from runners.scorer_options import PassOptions

MIGRATIONS = Path(__file__).parent / "migrations"
"""Folder of the numbered SQL files."""

ALL_EXAMPLES = ExampleQuery()
"""The first page of all examples."""

T = TypeVar("T")


class Store:
    """Reads and writes the results file. Safe to use from several threads and several processes."""

    def __init__(
        self,
        path: Path,
        *,
        wait_seconds: float = 10,
        keep_open_seconds: float = 0,
        migrations: Path = MIGRATIONS,
    ) -> None:
        """Name the file; it is opened, and made where there is none, by the first call.

        wait_seconds bounds how long a call waits for another process that holds the file; keep_open_seconds how long
        the file stays open from its opening on, as long as it is only read.
        """
        self.path = path
        self._file = StoreFile(path, migrations, wait_seconds=wait_seconds, keep_open_seconds=keep_open_seconds)
        self._do = self._file.do
        self.names = BenchmarkNames(self._do)
        """Renames and puts away benchmarks."""
        self.test_sets = TestSetShelf(self._do, path)
        """Versions of imported test sets."""
        self.examples = ExampleShelf(self._do, self._benchmark)
        """Single examples and what candidates made of them."""
        self.shortlists = ShortlistShelf(self._do)
        """Versions of kept shortlists."""
        self.head_to_head = HeadToHeadShelf(self._do)
        """Batches, rounds, answers and votes of head-to-heads."""

    def stamp(self) -> Stamp:
        """Changes whenever anybody writes to the file; reading leaves it. Empty where there is no file yet."""
        return self._file.stamp()

    def close(self) -> None:
        """Keep the file open no more; whoever still calls opens and closes it."""
        self._file.close()

    # Benchmarks

    def save_benchmark(self, benchmark: Benchmark) -> None:
        """Add a benchmark, or replace the one of the same name; its runs stay."""
        values = (benchmark.name, benchmark.created_at, benchmark.test_set_hash)
        row = [*map(rows.clean, values), rows.to_json(benchmark)]

        def save(db: Connection) -> None:
            # What is measured again is in use again, and a name that is given anew leads nowhere else.
            db.execute("INSERT OR REPLACE INTO benchmarks VALUES (?, ?, ?, ?, NULL)", row)
            db.execute("DELETE FROM former_names WHERE former = ?", row[:1])

        self._do(save)

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
            db.execute("DELETE FROM former_names WHERE name = ?", [name])
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
            return tuple(RunInfo.model_validate(row) for row in read_rows(db, query, [benchmark, benchmark]))

        return self._do(read)

    def past_work(self, cpu: str, logical_cores: int) -> tuple[PastWork, ...]:
        """What earlier runs took on a machine like this one, newest first; no completion is loaded."""
        return self._do(lambda db: past_work(db, cpu, logical_cores))

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
            definition = [*run, options.name, now(), rows.to_json(options)]
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
            return tuple(rows.score_summary_from(row) for row in read_rows(db, query, [benchmark, benchmark]))

        return self._do(read)

    # Examples

    def example_results(self, benchmark: str, query: ExampleQuery = ALL_EXAMPLES) -> tuple[ExampleResult, ...]:
        """A page of examples with every candidate's answer whole, for documents and exports; UnknownBenchmark.

        The app's browser reads narrower pages: `Store.examples`.
        """
        ids = self.examples.ids(benchmark, query)
        found = "SELECT * FROM example_outcomes WHERE benchmark = ? AND test_set_hash = ? AND example_id IN "

        def read(db: Connection) -> tuple[ExampleResult, ...]:
            asked = self._benchmark(db, benchmark)
            places = f"({', '.join('?' for _ in ids)})"
            answers = read_rows(db, found + places, [benchmark, asked.test_set_hash, *ids])
            order = {identity: place for place, identity in enumerate(ids)}
            answers.sort(key=lambda row: order[str(row["example_id"])])
            return rows.example_results(answers, asked.candidates)

        return self._do(read) if ids else ()

    # Votes

    def add_vote(self, vote: Vote) -> None:
        """Add one judgement; a vote with an id that is stored already changes nothing."""
        places = ", ".join("?" for _ in rows.VOTE_COLUMNS)
        query = f"INSERT OR IGNORE INTO votes ({quoted(rows.VOTE_COLUMNS)}) VALUES ({places})"
        values = [rows.clean(getattr(vote, name)) for name in rows.VOTE_COLUMNS]
        self._do(lambda db: db.execute(query, values))

    def votes(self) -> tuple[Vote, ...]:
        """All judgements, oldest first."""
        query = f"""
            SELECT {quoted(rows.VOTE_COLUMNS)} FROM votes
            ORDER BY try_cast(created_at AS TIMESTAMPTZ) NULLS LAST, id
        """
        return self._do(lambda db: tuple(Vote.model_validate(row) for row in read_rows(db, query, [])))

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

    # Parts of the calls above

    def _benchmark(self, db: Connection, name: str) -> Benchmark:
        return find(db, name)

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
        return rows.spec_from(spec, read_rows(db, query, [test_set_hash])), status


def _measurements(db: Connection, benchmark: str, candidates: Sequence[str]) -> tuple[RunMeasurements, ...]:
    """Everything the views derive for some runs of a benchmark; each view is asked once for all of them."""

    def select(query: str) -> dict[str, list[rows.Row]]:
        found: dict[str, list[rows.Row]] = {}
        for row in read_rows(db, query, [benchmark]):
            found.setdefault(str(row.pop("candidate")), []).append(row)
        return found

    def columns(view: str, names: Iterable[str], rest: str) -> dict[str, list[rows.Row]]:
        return select(f"SELECT candidate, {quoted(names)} FROM {view} WHERE benchmark = ? {rest}")

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
    return read_rows(db, query, [benchmark, candidate])


def _insert(db: Connection, table: tables.Table, values: Sequence[rows.Row]) -> None:
    """Add rows in one statement: one list parameter per column, which is far faster than a statement per row."""
    if not values:
        return
    places = ", ".join(f"unnest(?::{kind}[])" for kind in table.columns.values())
    columns = [[rows.clean(row[name]) for row in values] for name in table.columns]
    db.execute(f"INSERT INTO {table.name} ({quoted(table.columns)}) SELECT {places}", columns)


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
