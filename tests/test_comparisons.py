"""A comparison is made once and again only when what it rests on is another, whoever wrote it."""

from pathlib import Path

import pytest

from catalog.records import Profile
from results.store import Store
from tests.results_samples import answers, benchmark
from workbench.comparisons import Comparisons
from workbench.service import Workbench
from workbench.settings import Settings


@pytest.fixture
def workbench(tmp_path: Path) -> Workbench:
    (tmp_path / "home").mkdir()
    made = Workbench(Settings(home=tmp_path / "home"))
    store = Store(made.settings.results_path)
    for name in ("demo", "other"):
        store.save_benchmark(benchmark("A", "B", name=name))
        for candidate in ("A", "B"):
            store.save_run(name, answers(candidate, "right", "wrong", "right", "right"))
    return made


def kept(workbench: Workbench) -> Comparisons:
    return workbench._comparisons


def test_the_same_comparison_is_given_out_again(workbench: Workbench) -> None:
    assert kept(workbench).of("demo") is kept(workbench).of("demo")


def test_a_run_that_another_process_stored_is_seen(workbench: Workbench) -> None:
    before = workbench.compare("demo")
    Store(workbench.settings.results_path).save_run("demo", answers("A", "wrong", "wrong", "wrong", "right"))
    after = workbench.compare("demo")
    assert after.candidates[0].accuracy != before.candidates[0].accuracy
    assert after.candidates[1] == before.candidates[1]


def test_what_is_written_of_other_benchmarks_makes_nothing_anew(workbench: Workbench) -> None:
    before = kept(workbench).of("demo")
    Store(workbench.settings.results_path).save_run("other", answers("A", "wrong", "wrong", "wrong", "right"))
    assert kept(workbench).of("demo") is before


def test_another_profile_is_judged_anew(workbench: Workbench) -> None:
    before = kept(workbench).of("demo")
    workbench.models.save_profile(Profile(commercial=False))
    assert kept(workbench).of("demo") is not before


def test_reading_leaves_the_stamp_and_writing_changes_it(workbench: Workbench) -> None:
    store = Store(workbench.settings.results_path)
    before = store.stamp()
    store.benchmarks()
    store.measurements("demo")
    assert store.stamp() == before
    store.shortlists.rename("nothing", "nobody")
    store.delete_benchmark("other")
    assert store.stamp() != before


def test_warmed_up_the_newest_benchmark_is_compared(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[bool] = []
    monkeypatch.setattr(workbench.models, "measure_bandwidth", lambda *, again: measured.append(again))
    workbench.warm_up()
    newest = workbench.benchmarks()[0].name
    assert list(kept(workbench)._kept) == [newest]
    assert measured == [True]


def test_warming_up_where_nothing_was_measured_does_not_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    fresh = Workbench(Settings(home=tmp_path / "empty"))
    measured: list[bool] = []
    monkeypatch.setattr(fresh.models, "measure_bandwidth", lambda *, again: measured.append(again))
    fresh.warm_up()
    assert measured == [True]


def test_warming_up_ends_where_it_is_no_longer_wanted(workbench: Workbench) -> None:
    workbench.warm_up(lambda: True)
    assert not kept(workbench)._kept
