"""A results file that stays open for a moment: opened once for several reads, and in nobody's way."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from results.store import Store
from tests.results_samples import benchmark

AGES = 600
"""Seconds; no test lives that long."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "results.duckdb"
    Store(path).save_benchmark(benchmark("A"))
    return path


@pytest.fixture
def kept(path: Path) -> Iterator[Store]:
    store = Store(path, keep_open_seconds=AGES)
    yield store
    store.close()


@pytest.fixture
def openings(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    opened: list[Path] = []
    connect = duckdb.connect

    def counted(path: Path, **more: object) -> duckdb.DuckDBPyConnection:
        opened.append(path)
        return connect(path, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(duckdb, "connect", counted)
    return opened


def read_elsewhere(path: Path) -> str:
    """How many benchmarks another process finds, waiting its turn."""
    code = "import sys; from pathlib import Path; from results.store import Store; "
    code += "print(len(Store(Path(sys.argv[1]), wait_seconds=20).benchmarks()))"
    return subprocess.run(
        [sys.executable, "-c", code, str(path)], check=True, capture_output=True, text=True, timeout=60
    ).stdout.strip()


def test_several_reads_open_the_file_once(kept: Store, openings: list[Path]) -> None:
    for _ in range(3):
        assert len(kept.benchmarks()) == 1
    assert len(openings) == 1


def test_what_is_written_is_in_the_file_and_the_file_is_free_at_once(kept: Store) -> None:
    kept.benchmarks()
    kept.save_benchmark(benchmark("A", name="other"))
    assert read_elsewhere(kept.path) == "2"
    assert len(kept.benchmarks()) == 2


def test_after_its_moment_the_file_is_free_for_others(path: Path) -> None:
    store = Store(path, keep_open_seconds=0.3)
    store.benchmarks()
    assert read_elsewhere(path) == "1"


def test_a_file_put_in_its_place_is_the_one_that_is_read(kept: Store, tmp_path: Path) -> None:
    other = Store(tmp_path / "other.duckdb")
    for name in ("one", "two", "three"):
        other.save_benchmark(benchmark("A", name=name))
    assert len(kept.benchmarks()) == 1
    shutil.move(other.path, kept.path)
    assert {each.name for each in kept.benchmarks()} == {"one", "two", "three"}


def test_a_failed_read_leaves_no_file_open(kept: Store) -> None:
    kept.benchmarks()
    with pytest.raises(ZeroDivisionError):
        kept.reading("demo", lambda _: 1 / 0)
    assert read_elsewhere(kept.path) == "1"


def test_a_closed_store_still_reads_and_keeps_nothing_open(kept: Store, openings: list[Path]) -> None:
    kept.benchmarks()
    kept.close()
    assert len(kept.benchmarks()) == len(kept.benchmarks()) == 1
    assert len(openings) == 3
    assert read_elsewhere(kept.path) == "1"
