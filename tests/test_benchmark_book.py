"""Benchmarks under names: a rename loses nothing, what is archived is kept whole, a deletion takes only its own."""

from pathlib import Path

import gradio as gr
import pytest
from typer.testing import CliRunner

from results.errors import BenchmarkNameTaken, UnknownBenchmark
from results.judge_records import JudgeReport
from results.store import Store
from tests.browser import measure, write_benchmark
from workbench.benchmark_file import read_benchmark_file
from workbench.cli import app
from workbench.errors import BadBenchmarkFile, Busy
from workbench.jobs import Job
from workbench.service import Workbench
from workbench.settings import read_settings
from workbench.steps.compare import handlers as compare_handlers
from workbench.steps.compare.handlers import choose_benchmark
from workbench.steps.recommend import handlers as recommend_handlers
from workbench.steps.run import handlers as run_handlers
from workbench.steps.run import stored
from workbench.steps.run.view import stored_panel


@pytest.fixture
def workbench(tmp_path: Path) -> Workbench:
    """One finished benchmark made in the app, called first, with a report."""
    made = Workbench(read_settings(tmp_path / "home"))
    path = write_benchmark(tmp_path, "first", examples=9)
    definition, folder = made.prepare_file(path).definition, path.parent
    job = made.jobs.job(made.start_benchmark(made.prepare(definition, folder)))
    assert job.wait(60)
    assert job.status().state == "finished"
    made.write_report("first", made.report_path("first"))
    return made


def hold(job: Job) -> None:
    """Keep the device busy until it is cancelled."""
    while not job.is_cancelled():
        job.wait(0.02)


def again(workbench: Workbench, name: str) -> None:
    """Measure the same under another name."""
    definition, folder = workbench.book.definition("first")
    prepared = workbench.prepare(definition.model_copy(update={"name": name}), folder)
    job = workbench.jobs.job(workbench.start_benchmark(prepared, resume=True))
    assert job.wait(60)


def test_everything_of_a_renamed_benchmark_follows_its_name(workbench: Workbench) -> None:
    before = workbench.compare("first")
    store = Store(workbench.settings.results_path)
    report = JudgeReport(
        benchmark="first", name="judge", judge="j", model_id="m", mode="rubric", lowest=1, highest=5,
        made_at="2026-11-21T10:00:00+00:00", questions=1, unread=0, min_kappa=0.4,
    )  # fmt: skip
    store.save_judging(report)
    workbench.book.rename("first", "better")
    after = workbench.compare("better")
    assert [c.candidate for c in after.candidates] == [c.candidate for c in before.candidates]
    assert after.candidates[0].quality == before.candidates[0].quality
    assert [judged.benchmark for judged in store.judgings("better")] == ["better"]
    assert {run.benchmark for run in workbench.runs()} == {"better"}
    assert workbench.regressions.compare("better/fast", "better/careful").first.startswith("better/")
    assert (workbench.settings.reports_folder / "better" / "report.html").exists()
    assert workbench.book.current("first") == "better", "a link with the former name leads on"
    with pytest.raises(UnknownBenchmark, match="'first' is called 'better' since"):
        workbench.compare("first")
    again = workbench.prepare_again("better")
    assert (again.definition.name, Path(again.source or "").name) == ("better", "better.yaml")
    job = workbench.jobs.job(workbench.start_benchmark(again, resume=True))
    assert job.wait(60)
    assert job.status().state == "finished"


def test_a_name_that_is_bad_or_taken_is_refused_and_changes_nothing(workbench: Workbench) -> None:
    again(workbench, "second")
    with pytest.raises(BadBenchmarkFile, match="begins with a letter or a digit"):
        workbench.book.rename("first", "../escape")
    with pytest.raises(BenchmarkNameTaken, match="Choose another name"):
        workbench.book.rename("first", "second")
    assert {each.name for each in workbench.benchmarks()} == {"first", "second"}


def test_an_archived_benchmark_is_in_no_list_and_whole_when_it_is_asked_for(workbench: Workbench) -> None:
    workbench.book.archive("first")
    assert workbench.benchmarks() == ()
    assert [each.name for each in workbench.benchmarks(archived=True)] == ["first"]
    assert workbench.compare("first").candidates
    workbench.book.restore("first")
    assert [each.name for each in workbench.benchmarks()] == ["first"]


def test_a_copy_stands_alone_and_is_the_same_work_under_another_name(workbench: Workbench, tmp_path: Path) -> None:
    path = workbench.book.duplicate("first", "copy", tmp_path / "elsewhere" / "copy.yaml")
    copied, _ = read_benchmark_file(path)
    prepared = workbench.prepare_file(path)
    assert copied.name == "copy"
    assert prepared.test_set.content_hash == workbench.benchmarks()[0].test_set_hash
    with pytest.raises(BadBenchmarkFile, match="exists already"):
        workbench.book.duplicate("first", "copy", path)


def test_deleting_takes_only_what_was_named_and_leaves_runs_that_another_benchmark_has(workbench: Workbench) -> None:
    again(workbench, "second")
    keys = {run.key for run in workbench.runs("first")}
    assert keys == {run.key for run in workbench.runs("second")}
    plan = workbench.book.plan_deletion("first")
    assert plan.footprint.own_keys == ()
    assert len(plan.footprint.shared_keys) == 2
    assert any("stay, because another benchmark has the same" in line for line in plan.sentences)
    with pytest.raises(BadBenchmarkFile, match="Nothing was deleted"):
        workbench.book.delete("first", confirmed="firts")
    assert workbench.compare("first").candidates
    workbench.book.delete("first", confirmed="first")
    assert [each.name for each in workbench.benchmarks()] == ["second"]
    assert workbench.compare("second").candidates
    runs = workbench.settings.home / "runs"
    assert {path.name for path in runs.iterdir()} == keys
    assert (workbench.settings.reports_folder / "first" / "report.html").exists(), "a report is never deleted"
    with pytest.raises(UnknownBenchmark, match="no benchmark 'first'"):
        stored.show(workbench, "first")
    workbench.book.delete("second", confirmed="second")
    assert list(runs.iterdir()) == []


def test_a_benchmark_that_is_measured_is_neither_renamed_nor_deleted(tmp_path: Path) -> None:
    workbench = Workbench(read_settings(tmp_path / "home"))
    measure(workbench, write_benchmark(tmp_path, "busy", examples=3))

    job = workbench.jobs.submit("Benchmark busy", hold, benchmark="busy")
    with pytest.raises(Busy, match="Cancel that first"):
        workbench.book.rename("busy", "other")
    with pytest.raises(Busy):
        workbench.book.delete("busy", confirmed="busy")
    job.cancel()
    assert job.wait(10)


def test_the_command_line_lists_renames_archives_and_deletes(workbench: Workbench) -> None:
    home = ["--home", str(workbench.settings.home)]
    runner = CliRunner()

    def run(*arguments: str, typed: str | None = None) -> str:
        done = runner.invoke(app, ["benchmarks", *arguments, *home], input=typed, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    assert "first" in run("list")
    run("rename", "first", "mine")
    run("archive", "mine")
    assert "mine" not in run("list")
    assert "archived" in run("list", "--all")
    run("restore", "mine")
    assert '"archived": false' in run("list", "--json")
    assert "2 runs with" in run("delete", "mine", typed="mine\n")
    assert "No benchmarks" in run("list")


class Address:
    """The page's address."""

    def __init__(self, **parameters: str) -> None:
        self.query_params = parameters


def test_a_link_goes_before_what_the_page_showed_last_and_both_before_the_newest(workbench: Workbench) -> None:
    again(workbench, "second")
    again(workbench, "third")
    for address, shown, expected in (
        (Address(benchmark="first"), "second", "first"),
        (Address(benchmark="nowhere"), "second", "second"),
        (Address(), None, "third"),
    ):
        assert choose_benchmark(workbench, shown, address)[0] == expected  # type: ignore[arg-type]
    listed = stored_panel(workbench.book.all(), workbench.runs(), frozenset())
    assert 'href="?step=compare&amp;benchmark=second"' in listed


def test_without_a_link_the_newest_benchmark_that_has_answers_is_opened(workbench: Workbench) -> None:
    def opened() -> str | None:
        return choose_benchmark(workbench, None, Address())[0]  # type: ignore[arg-type]

    store = Store(workbench.settings.results_path)
    first = store.benchmark("first")
    store.save_benchmark(first.model_copy(update={"name": "empty", "created_at": "2999-01-01T00:00:00+00:00"}))
    assert [each.name for each in workbench.benchmarks()] == ["empty", "first"]
    assert opened() == "first"
    workbench.book.archive("first")
    assert opened() == "empty", "none has answers, and the page says what is missing"
    assert "The benchmark empty has no stored run yet" in str(compare_handlers.show(workbench, "empty", {}))
    assert "The benchmark empty has no stored run yet" in recommend_handlers.rank(workbench, "empty")[0]
    workbench.book.restore("first")
    store.save_benchmark(first.model_copy(update={"test_set_hash": "of an edited test set"}))
    assert opened() == "empty", "answers to another version of the test set cannot be compared"


def test_a_benchmark_that_waited_when_the_app_stopped_is_listed_and_started_with_a_button(workbench: Workbench) -> None:
    definition, folder = workbench.book.definition("first")

    ahead = workbench.jobs.submit("something long", hold)
    waiting = workbench.start_benchmark(workbench.prepare(definition.model_copy(update={"name": "later"}), folder))
    queued = stored_panel(workbench.book.all(), workbench.runs(), frozenset({"later"}))
    assert "queued" in queued
    assert "Start later" not in queued, "it will have its turn"
    assert workbench.jobs.stop(30) == ()
    assert (ahead.status().state, workbench.jobs.status(waiting).state) == ("cancelled", "cancelled")
    started = Workbench(workbench.settings)
    listed = stored_panel(started.book.all(), started.runs(), frozenset())
    assert "not begun" in listed
    assert 'title="Start later"' in listed
    before = {run.key: run.started_at for run in started.runs("first")}
    pressed = gr.EventData(None, {"action": "resume", "value": "later"})
    run_handlers.press_in_runs(started, pressed)
    (job,) = started.jobs.all()
    assert started.jobs.job(job.id).wait(60)
    assert started.jobs.status(job.id).state == "finished"
    after = {run.key: run.started_at for run in started.runs("later")}
    assert after.keys() == before.keys()
    assert all(after[key] != before[key] for key in before), "it is measured, not taken from an equal run"
    assert "not begun" not in stored_panel(started.book.all(), started.runs(), frozenset())


def test_a_second_start_that_waits_leaves_what_is_stored_as_it_is(workbench: Workbench) -> None:
    before = Store(workbench.settings.results_path).benchmark("first")
    held = workbench.jobs.submit("something long", hold)
    again = workbench.start_benchmark(workbench.prepare_again("first"))
    workbench.jobs.cancel(again)
    held.cancel()
    assert held.wait(10)
    assert Store(workbench.settings.results_path).benchmark("first") == before
