"""How long stored scores take to be summed up: `python -m benchmarks.scores_sql [scores]`.

Makes a results file with 20 runs of one test set, each judged by 5 scorers: 1,000,000 scores in all, unless another
number is given. The store's own schema; the rows are made inside the database, because writing them is not what is
timed. Then calls `Store.score_summary()` five times, each of which opens the file anew.
"""

import sys
import tempfile
import time
from pathlib import Path

import duckdb

from results.store import Store

RUNS, SCORERS, ROUNDS = 20, 5, 5

FILL = """
    INSERT INTO runs SELECT 'large', 'candidate-' || c, 'key-' || c, 'finished', 'hash', 's0', ['accuracy'], '{}'
        FROM range($runs) AS made(c);
    INSERT INTO examples (test_set_hash, position, id, inputs, target, slices, weight)
        SELECT 'hash', e, 'e' || e, '{}', 'yes', '{}', 1 FROM range($examples) AS made(e);
    INSERT INTO scores
        SELECT 'large', 'candidate-' || c, e, 'accuracy', 'e' || e, 'e' || e, 's' || s, '1',
            CASE WHEN e % 50 = 0 THEN 'empty' ELSE 'scored' END, (e % 3) / 2.0, 'yes', NULL
        FROM range($runs) AS run(c), range($scorers) AS scorer(s), range($examples) AS example(e)
        ORDER BY c, e, s;
"""


def main(scores: int) -> None:
    """Make the file, then print the seconds of each call."""
    examples = scores // (RUNS * SCORERS)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "results.duckdb")
        store.runs()  # makes the file
        with duckdb.connect(store.path) as database:
            for statement in FILL.split(";\n")[:3]:
                numbers = {"runs": RUNS, "scorers": SCORERS, "examples": examples}
                database.execute(statement, {name: value for name, value in numbers.items() if f"${name}" in statement})
        print(f"{RUNS * SCORERS * examples:,} scores, {store.path.stat().st_size / 2**20:.0f} MiB")
        for _ in range(ROUNDS):
            started = time.perf_counter()
            lines = store.score_summary()
            print(f"{len(lines)} lines in {time.perf_counter() - started:.2f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
