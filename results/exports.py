"""What a benchmark holds as tables for other programs: one row per completion, or per example and scorer.

Rows are streamed out of the results file, which is held meanwhile; Parquet is written by the database itself. Texts
come as they are stored: who writes CSV makes them harmless (workbench/csv_export.py).
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from results.store import Store
from results.store_file import Connection

Stored = Literal["completions", "scores"]
"""Tables that are read out of the results file."""

Rows = Iterator[Sequence[object]]

_BATCH = 5_000
_TYPES: dict[type, str] = {bool: "BOOLEAN", int: "BIGINT", float: "DOUBLE", str: "VARCHAR"}

_QUERIES: dict[Stored, str] = {
    "completions": """
        SELECT
            done.benchmark, done.candidate, done.workload, done."level", done.request_id, done.example_id,
            CAST(example.inputs AS VARCHAR) AS inputs, example.target, done."text", done.finish_reason, done.method,
            done.prompt_tokens, done.cached_tokens, done.output_tokens, done.tokens_from,
            timing.queue_seconds, timing.ttft_seconds, timing.e2e_seconds, timing.tpot_seconds,
            chosen.probability, judged.validity, judged.predicted, judged.value
        FROM completions AS done
        JOIN runs AS run USING (benchmark, candidate)
        LEFT JOIN request_timings AS timing USING (benchmark, candidate, position)
        LEFT JOIN examples AS example
            ON example.test_set_hash = run.test_set_hash AND example.id = done.example_id
        LEFT JOIN choice_probabilities AS chosen
            ON chosen.benchmark = done.benchmark AND chosen.candidate = done.candidate
            AND chosen.workload = done.workload AND chosen.request_id = done.request_id
        LEFT JOIN scores AS judged
            ON judged.benchmark = done.benchmark AND judged.candidate = done.candidate
            AND judged.position = done.position AND judged.scorer = run.scorer
        WHERE done.benchmark = getvariable('exported')
        ORDER BY done.candidate, done.position
    """,
    "scores": """
        SELECT
            score.benchmark, score.candidate, score.example_id, score.scorer, score.version, score.validity,
            score.value, score.predicted, CAST(score.counts AS VARCHAR) AS counts,
            example.target, CAST(example.slices AS VARCHAR) AS slices
        FROM scores AS score
        JOIN runs AS run USING (benchmark, candidate)
        LEFT JOIN examples AS example
            ON example.test_set_hash = run.test_set_hash AND example.id = score.example_id
        WHERE score.benchmark = getvariable('exported') AND score.workload = 'accuracy'
        QUALIFY row_number() OVER (
            PARTITION BY score.candidate, score.scorer, score.example_id ORDER BY score.position DESC
        ) = 1
        ORDER BY score.candidate, score.scorer, example.position
    """,
}


def stream(store: Store, benchmark: str, what: Stored, take: Callable[[Sequence[str], Rows], int]) -> int:
    """Hand column names and rows to `take` and return what it returns; UnknownBenchmark."""

    def read(db: Connection) -> int:
        db.execute("SET VARIABLE exported = ?", [benchmark])
        found = db.execute(_QUERIES[what])
        names = [column[0] for column in found.description or ()]

        def rows() -> Rows:
            while batch := found.fetchmany(_BATCH):
                yield from batch

        return take(names, rows())

    return store.reading(benchmark, read)


def write_parquet(store: Store, benchmark: str, what: Stored, path: Path) -> int:
    """Write the table as Parquet and return its number of rows; UnknownBenchmark."""

    def write(db: Connection) -> int:
        db.execute("SET VARIABLE exported = ?", [benchmark])
        return _copy(db, _QUERIES[what], path)

    return store.reading(benchmark, write)


def write_table_parquet(
    store: Store, benchmark: str, header: Sequence[str], rows: Sequence[Sequence[object]], path: Path
) -> int:
    """Write rows that were made elsewhere as Parquet; a column takes the type of its values, of none it is text."""

    def write(db: Connection) -> int:
        columns = ", ".join(f"{_name(name)} {_type(row[place] for row in rows)}" for place, name in enumerate(header))
        db.execute(f"CREATE OR REPLACE TEMP TABLE exported_table ({columns})")
        places = ", ".join("?" for _ in header)
        for row in rows:
            db.execute(f"INSERT INTO exported_table VALUES ({places})", list(row))
        return _copy(db, "SELECT * FROM exported_table", path)

    return store.reading(benchmark, write)


def _copy(db: Connection, query: str, path: Path) -> int:
    quoted = str(path).replace("'", "''")
    copied = db.execute(f"COPY ({query}) TO '{quoted}' (FORMAT PARQUET, COMPRESSION ZSTD)").fetchone()
    return int(copied[0]) if copied else 0


def _type(values: Iterator[object]) -> str:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int, float}:
        return "DOUBLE"
    return _TYPES.get(next(iter(kinds)), "VARCHAR") if len(kinds) == 1 else "VARCHAR"


def _name(column: str) -> str:
    quoted = column.replace('"', '""')
    return f'"{quoted}"'
