"""Scores summed up by the results file itself equal those that are loaded; stops are kept with their run."""

from pathlib import Path

import pytest

from results.errors import UnknownBenchmark
from results.records import ValidityCount
from results.store import Store
from results.summary import summarise
from runners.records import EarlyStop, Validity
from runners.test_set_records import TestSet
from tests.results_samples import ALLOWED, LABELS, answers, benchmark, example, failure, spec

STOP = EarlyStop(
    against="B",
    examples=3,
    value=0.25,
    against_value=1.0,
    e_value=44.5,
    threshold=20,
    alpha=0.05,
    not_asked=1,
    seconds_per_example=0.5,
    seconds_saved=0.5,
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "results.duckdb")
    made.save_benchmark(benchmark("A", "B"))
    made.save_run("demo", answers("A", "right", "wrong", "empty", "right"))
    made.save_run("demo", answers("B", "right", "right", "right", "right"))
    return made


def test_a_line_per_run_and_scorer_holds_n_mean_and_what_happened(store: Store) -> None:
    first, second = store.score_summary("demo")
    assert (first.candidate, first.scorer, first.n, first.mean) == ("A", "label_match", 4, 0.5)
    assert first.validity == (
        ValidityCount(validity=Validity.SCORED, count=3),
        ValidityCount(validity=Validity.EMPTY, count=1),
    )
    assert (second.candidate, second.mean) == ("B", 1.0)
    assert store.score_summary() == (first, second)


def test_the_mean_is_that_of_the_summary_weights_included(tmp_path: Path) -> None:
    examples = tuple(example(i + 1).model_copy(update={"weight": 1.0 + i}) for i in range(5))
    asked = spec().model_copy(update={"test_set": TestSet(name="heavy", labels=LABELS, examples=examples)})
    store = Store(tmp_path / "results.duckdb")
    store.save_benchmark(benchmark("A", run_spec=asked))
    run = answers("A", "right", "wrong", "empty", "right", "right", run_spec=asked)
    store.save_run("demo", run.model_copy(update={"completions": run.completions[:4], "failures": (failure("e5"),)}))
    (line,) = store.score_summary()
    made = summarise(store.measurements("demo")[0], ALLOWED)
    assert made.accuracy is not None
    assert line.n == made.accuracy.n
    assert line.mean == pytest.approx(made.accuracy.value)
    assert line.mean == pytest.approx(5 / 10)


def test_an_unknown_benchmark_is_a_sentence(store: Store) -> None:
    with pytest.raises(UnknownBenchmark, match="no benchmark 'dem0'"):
        store.score_summary("dem0")


def test_a_stop_is_kept_with_its_run_and_forgotten_when_the_run_goes_on(store: Store) -> None:
    run = answers("A", "right", "wrong", "empty", "right")
    stopped = run.model_copy(update={"status": "stopped", "stopped": STOP})
    store.save_run("demo", stopped)
    assert store.run_result("demo", "A") == stopped
    assert [each.status for each in store.runs("demo")] == ["stopped", "finished"]
    first, second = store.measurements("demo")
    assert (first.stopped, second.stopped) == (STOP, None)
    assert summarise(first, ALLOWED).stopped == STOP
    store.save_run("demo", run)
    assert store.run_result("demo", "A") == run
    assert store.measurements("demo")[0].stopped is None
