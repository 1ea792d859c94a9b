"""What it takes to import a large test set: time and memory of a first import, of the same file again, of an edit.

    python -m benchmarks.test_set_import [--rows 1000000] [--format csv]

Each import runs in a process of its own, so that its peak of memory is its own; the memory of one example is imported
first, so that libraries count for nothing.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from results.store import Store
from workbench.records import TestSetDefinition
from workbench.test_set_book import TestSetBook

_LABELS = ("delivery", "returns", "billing", "account", "product", "cancellation")
_WORDS = ("where", "is", "my", "parcel", "order", "still", "not", "here", "please", "refund", "box", "broken", "today")


def main() -> None:
    """Write a file, import it thrice, print what each took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--format", choices=("csv", "jsonl", "parquet"), default="csv")
    parser.add_argument("--work", nargs=2, metavar=("FILE", "HOME"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.work:
        _work(Path(asked.work[0]), Path(asked.work[1]))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / f"large.{asked.format}"
        _write(path, asked.rows, edited=False)
        print(f"{asked.rows:,} rows in {path.stat().st_size / 1e6:.0f} MB of {asked.format}")
        _measure("first import", path, folder)
        _measure("the same again", path, folder)
        _write(path, asked.rows, edited=True)
        _measure("1 % edited", path, folder)
        size = sum(file.stat().st_size for file in (folder / "home").rglob("*") if file.is_file())
        print(f"results file with both versions: {size / 1e6:.0f} MB")


def _measure(what: str, path: Path, folder: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.test_set_import", "--work", str(path), str(folder / "home")]
    done = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    print(
        f"{what}: version {done['version']}, {done['seconds']:.1f} s, "
        f"{done['peak_bytes'] / 1e6:.0f} MB above {done['before_bytes'] / 1e6:.0f} MB"
    )


def _work(path: Path, home: Path) -> None:
    book = TestSetBook(Store(home / "results.duckdb"))
    small = path.with_name("small.csv")
    small.write_text("id,text,label\na,b,c\n", encoding="utf-8")
    book.import_file(TestSetDefinition(file=str(small)), Path())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    start = time.perf_counter()
    imported = book.import_file(TestSetDefinition(file=str(path)), Path(), name="large")
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    found = {"version": imported.kept.version, "seconds": seconds}
    print(json.dumps(found | {"before_bytes": before, "peak_bytes": peak - before}))


def _write(path: Path, count: int, *, edited: bool) -> None:
    if path.suffix == ".parquet":
        rows = list(_rows(count, edited=edited))
        pq.write_table(pa.Table.from_pylist(rows), path)
        return
    with path.open("w", encoding="utf-8") as file:
        if path.suffix == ".csv":
            file.write("id,text,label,channel\n")
        for row in _rows(count, edited=edited):
            file.write((",".join(row.values()) if path.suffix == ".csv" else json.dumps(row)) + "\n")


def _rows(count: int, *, edited: bool) -> Iterator[dict[str, str]]:
    for number in range(count):
        words = " ".join(_WORDS[(number * step) % len(_WORDS)] for step in range(1, 21))
        label = _LABELS[(number + (edited and number % 100 == 0)) % len(_LABELS)]
        channel = ("mail", "chat", "phone")[number % 3]
        yield {"id": f"m{number}", "text": f"{words} {number}", "label": label, "channel": channel}


if __name__ == "__main__":
    main()
