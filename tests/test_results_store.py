"""The results file: what goes in comes out, two processes can share it, and damage is said and never made worse."""

import gzip
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from catalog.records import ModelQuery, Profile, RuleCount
from results.errors import StoreBusy, StoreDamaged, StoreNotWritable, UnknownBenchmark
from results.example_records import ExampleFilter, ExampleQuery
from results.shortlist_records import Shortlist
from results.store import MIGRATIONS, Store
from runners.records import MemorySample, Validity
from tests.results_samples import answers, benchmark, failure, judged, old_vote, run_result, spec, timed

ROOT = Path(__file__).parents[1]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "data" / "results.duckdb", wait_seconds=2)


@pytest.fixture
def start_process() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start Python code in another process that prints `ready`; whatever still runs is killed at the end."""
    started: list[subprocess.Popen[str]] = []

    def start(code: str, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


# What goes in comes out


def test_a_run_comes_back_as_it_was_saved(store: Store) -> None:
    saved = run_result(
        completions=[judged("e1", "yes", target="yes", logprobs=(-0.1, -2.5)), timed("e2", (0.1, 0.2, 0.4))],
        failures=[failure("e3"), failure(None, None)],
        memory=[
            MemorySample(at_seconds=0.0, rss_bytes=5, processes=1),
            MemorySample(at_seconds=0.5, rss_bytes=2**40, pss_bytes=4, gpu_bytes=3, high_water_bytes=9, processes=2),
        ],
    )
    store.save_benchmark(benchmark("A"))
    store.save_run("demo", saved)
    assert store.run_result("demo", "A") == saved
    assert store.run_spec("demo", "A") == saved.spec
    assert store.run_spec("demo", "A").key == saved.spec.key


def test_saving_a_run_again_replaces_it(store: Store) -> None:
    store.save_benchmark(benchmark("A"))
    store.save_run("demo", answers("A", "right", "right", "wrong", "wrong"))
    again = answers("A", "wrong", "right", "wrong", "wrong")
    for _ in range(2):
        store.save_run("demo", again)
    assert store.run_result("demo", "A") == again
    assert [run.completions for run in store.runs("demo")] == [4]


def test_runs_are_listed_with_their_counts(store: Store) -> None:
    store.save_benchmark(benchmark("B", "A"))
    store.save_benchmark(benchmark("C", name="other"))
    store.save_run("demo", run_result("B", status="failed", failures=[failure(None, None)]))
    store.save_run("demo", answers("A", "right", "right", "wrong", "wrong"))
    store.save_run("other", run_result("C"))
    listed = [(run.benchmark, run.candidate, run.status, run.completions, run.failures) for run in store.runs()]
    assert listed == [("demo", "A", "finished", 4, 0), ("demo", "B", "failed", 0, 1), ("other", "C", "finished", 0, 0)]
    assert [run.candidate for run in store.runs("other")] == ["C"]
    assert store.runs("demo")[0].started_at == "2026-03-01T12:00:00+01:00"


def test_benchmarks_come_newest_first_by_instant(store: Store) -> None:
    times = {"old": "2026-03-01T12:00:00+02:00", "new": "2026-03-01T11:30:00+01:00", "odd": "some day"}
    for name, created in times.items():
        store.save_benchmark(benchmark("A", name=name).model_copy(update={"created_at": created}))
    assert [each.name for each in store.benchmarks()] == ["new", "old", "odd"]
    assert store.benchmark("old").created_at == times["old"]


def test_an_unknown_benchmark_is_answered_with_close_matches(store: Store) -> None:
    with pytest.raises(UnknownBenchmark, match=r"no benchmark 'demo'\. None is stored yet"):
        store.benchmark("demo")
    store.save_benchmark(benchmark("A"))
    calls: list[Callable[[], object]] = [
        lambda: store.benchmark("dmo"),
        lambda: store.runs("dmo"),
        lambda: store.run_spec("dmo", "A"),
        lambda: store.measurements("dmo"),
        lambda: store.example_results("dmo"),
        lambda: store.examples.page("dmo", ExampleQuery()).total,
        lambda: store.delete_benchmark("dmo"),
        lambda: store.save_run("dmo", run_result()),
    ]
    for call in calls:
        with pytest.raises(UnknownBenchmark, match=r"Did you mean 'demo'\?"):
            call()


def test_a_candidate_without_run_is_answered_with_those_that_have_one(store: Store) -> None:
    store.save_benchmark(benchmark("A"))
    store.save_run("demo", run_result())
    with pytest.raises(UnknownBenchmark, match=r"of candidate 'Zebra'\. There is 'A'"):
        store.run_spec("demo", "Zebra")


def test_deleting_a_benchmark_leaves_the_others(store: Store) -> None:
    for name in ("demo", "other"):
        store.save_benchmark(benchmark("A", name=name))
        store.save_run(name, answers("A", "right", "right", "wrong", "wrong"))
    store.delete_benchmark("demo")
    assert [each.name for each in store.benchmarks()] == ["other"]
    assert store.run_spec("other", "A") == spec()
    store.delete_benchmark("other")
    with duckdb.connect(store.path, read_only=True) as db:
        for table in ("runs", "examples", "completions", "scores", "segments", "loads", "windows"):
            assert db.execute(f"SELECT count(*) FROM {table}").fetchall() == [(0,)]


def test_a_run_of_another_test_set_is_not_compared(store: Store) -> None:
    store.save_benchmark(benchmark("A", "B"))
    store.save_run("demo", run_result("A"))
    store.save_run("demo", run_result("B", run_spec=spec("B", examples=3)))
    assert [run.candidate.name for run in store.measurements("demo")] == ["A"]
    assert len(store.runs("demo")) == 2


def test_measurements_come_in_the_order_of_the_benchmark(store: Store) -> None:
    store.save_benchmark(benchmark("C", "A", "B"))
    for name in "ABC":
        store.save_run("demo", run_result(name))
    assert [run.candidate.name for run in store.measurements("demo")] == ["C", "A", "B"]


# Untrusted text


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("a\x00b", "a\x00b"),
        ("'; DROP TABLE runs; --", "'; DROP TABLE runs; --"),
        ("\U0001f600 \u202e", "\U0001f600 \u202e"),
        ("\ud800lone", "\ufffdlone"),
        ("\ud83d\ude00", "\U0001f600"),
    ],
)
def test_text_of_a_model_is_kept_or_made_storable(store: Store, text: str, stored: str) -> None:
    store.save_benchmark(benchmark("A").model_copy(update={"definition": text, "name": "demo"}))
    store.save_run("demo", run_result(completions=[judged("e1", text, target="yes")]))
    answer = store.example_results("demo", ExampleQuery(limit=1))[0].answers["A"]
    assert (answer.text, answer.predicted) == (stored, stored)
    assert store.benchmark("demo").definition == stored


# Votes and shortlists


def test_votes_come_oldest_first_and_each_once(store: Store) -> None:
    first = old_vote(prompt="Hi\x00")
    second = first.model_copy(update={"id": "0", "created_at": "2026-03-01T12:00:01+01:00", "outcome": "both_bad"})
    for vote in (second, first, first):
        store.add_vote(vote)
    assert store.votes() == (first, second)


def _shortlist(name: str, *model_ids: str, **more: object) -> Shortlist:
    facts = {"profile": Profile(monthly_users=5), "query": ModelQuery(text="gemma"), **more}
    return Shortlist.model_validate({"name": name, "version": 1, "created_at": "", "model_ids": model_ids, **facts})


def test_a_shortlist_saved_again_is_its_next_version(store: Store) -> None:
    counted = (RuleCount(rule="verdict", count=3),)
    asked = _shortlist(
        "mine", "o/b", "o/a", excluded=counted, considered=5, exclusions_file="x.parquet", machine="desk"
    )
    first = store.shortlists.keep(asked)
    second = store.shortlists.keep(_shortlist("mine", "o/a"))
    other = store.shortlists.keep(_shortlist("another"))
    assert (first.version, second.version, other.version) == (1, 2, 1)
    assert store.shortlists.all() == (other, second, first)
    assert first == asked.model_copy(update={"created_at": first.created_at})
    assert first.created_at


# Files of earlier versions

PAST_SCHEMAS = sorted((ROOT / "tests" / "fixtures").glob("results-*.duckdb.gz"))


@pytest.mark.parametrize("past", PAST_SCHEMAS, ids=lambda path: path.name.split(".")[0])
def test_every_past_results_file_still_opens(past: Path, tmp_path: Path) -> None:
    path = tmp_path / "results.duckdb"
    path.write_bytes(gzip.decompress(past.read_bytes()))
    store = Store(path)
    (stored,) = store.benchmarks()
    assert [run.status for run in store.runs(stored.name)] == ["finished", "finished"]
    assert len(store.example_results(stored.name, ExampleQuery(only="all", offset=0, limit=20))) == 6
    (kept,) = store.shortlists.all()
    assert kept.model_ids == ("HuggingFaceTB/SmolLM2-135M-Instruct",)
    assert kept.exclusions
    assert kept.exclusions[0].reason
    # The files before the third migration have nowhere to keep losses.
    assert len(store.losses(("a",))) == (past.name >= "results-0003")
    # The files before the fifth have nowhere to keep test sets.
    assert [kept.version for kept in store.test_sets.all()] == ([2, 1] if past.name >= "results-0005" else [])
    # Votes of before the ninth know no rounds; the ninth file has one of them and one of its own.
    rounds = past.name >= "results-0009"
    assert [ballot.round_id for ballot in store.head_to_head.ballots()] == ([None, "r1"] if rounds else [])
    assert len(store.votes()) == rounds
    assert store.head_to_head.count_rounds("b", only="unjudged") == rounds


def test_a_results_file_of_every_schema_is_kept() -> None:
    assert len(PAST_SCHEMAS) == len(list(MIGRATIONS.glob("*.sql")))


# Examples, page by page


def test_examples_are_filtered_and_paged(store: Store) -> None:
    asked = spec(examples=6)
    store.save_benchmark(benchmark("A", "B", run_spec=asked))
    store.save_run("demo", answers("A", "right", "right", "wrong", "unparseable", "wrong", "right"))
    store.save_run("demo", answers("B", "right", "wrong", "wrong", "right", "empty", "right"))
    expected: dict[ExampleFilter, list[str]] = {
        "all": ["e1", "e2", "e3", "e4", "e5", "e6"],
        "disagreement": ["e2", "e4"],
        "all_wrong": ["e3", "e5"],
        "unparseable": ["e4"],
    }
    for only, ids in expected.items():
        assert [each.example_id for each in store.example_results("demo", ExampleQuery(only=only))] == ids
        assert store.examples.page("demo", ExampleQuery(only=only)).total == len(ids)
    assert [each.example_id for each in store.example_results("demo", ExampleQuery(offset=2, limit=2))] == ["e3", "e4"]
    assert [
        e.example_id for e in store.example_results("demo", ExampleQuery(only="disagreement", offset=1, limit=5))
    ] == ["e4"]
    fourth = store.example_results("demo", ExampleQuery(offset=3, limit=1))[0]
    assert (fourth.inputs, fourth.target, fourth.slices) == ({"text": "message 4"}, "no", {"channel": "chat"})
    assert list(fourth.answers) == ["A", "B"]
    assert (fourth.answers["A"].validity, fourth.answers["A"].right) == (Validity.UNPARSEABLE, False)
    assert fourth.answers["B"].right is True


def test_a_thousand_completions_are_saved_well_under_a_second(store: Store) -> None:
    asked = spec(examples=500)
    done = [judged(each.id, "yes", target=each.target, logprobs=(-0.5, -1.0)) for each in asked.test_set.examples]
    done += [timed(each.id, tuple(i / 50 for i in range(1, 33))) for each in asked.test_set.examples]
    samples = [MemorySample(at_seconds=i / 10, rss_bytes=i, processes=1) for i in range(3000)]
    store.save_benchmark(benchmark("A", run_spec=asked))
    result = run_result("A", done, run_spec=asked, memory=samples)
    started = time.perf_counter()
    store.save_run("demo", result)
    # About 0.2 s on a laptop; the limit leaves room for a busy machine and still fails for one statement per row.
    assert time.perf_counter() - started < 2
    assert store.runs("demo")[0].completions == 1000


# Several threads, several processes

HOLD = """
import sys, time, duckdb
db = duckdb.connect(sys.argv[1])
print("ready", flush=True)
time.sleep(float(sys.argv[2]))
"""


def test_a_file_held_by_another_process_is_reported_with_its_holder(
    store: Store, start_process: Callable[..., subprocess.Popen[str]]
) -> None:
    store.save_benchmark(benchmark("A"))
    holder = start_process(HOLD, str(store.path), "60")
    impatient = Store(store.path, wait_seconds=0.3)
    started = time.perf_counter()
    with pytest.raises(StoreBusy, match=rf"in use by process {holder.pid} \(.*python") as caught:
        impatient.benchmarks()
    assert time.perf_counter() - started < 5
    assert "waited 0.3 s" in str(caught.value)
    assert "Nothing was changed" in str(caught.value)


def test_a_file_that_is_let_go_in_time_is_waited_for(
    store: Store, start_process: Callable[..., subprocess.Popen[str]]
) -> None:
    store.save_benchmark(benchmark("A"))
    start_process(HOLD, str(store.path), "0.5")
    assert len(Store(store.path, wait_seconds=30).benchmarks()) == 1


def test_threads_that_write_at_once_all_succeed(store: Store) -> None:
    patient = Store(store.path, wait_seconds=60)
    failures: list[BaseException] = []

    def work(name: str) -> None:
        try:
            # The file is new: the first to come makes the schema, and they all replace the same row.
            patient.save_benchmark(benchmark("A"))
            patient.save_benchmark(benchmark("A", name=name))
            patient.save_run("demo", answers("A", "right", "right", "wrong", "wrong"))
        except Exception as error:  # noqa: BLE001 - a thread's failure is shown by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(f"b{i}",)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(patient.benchmarks()) == 7
    assert patient.runs("demo")[0].completions == 4


WRITE = """
import sys
from pathlib import Path
from results.store import Store
from tests.results_samples import answers
store = Store(Path(sys.argv[1]))
print("ready", flush=True)
while True:
    store.save_run("demo", answers("A", "right", "wrong", "right", "wrong"))
    store.save_run("demo", answers("A", "wrong", "right", "wrong", "right"))
"""


@pytest.mark.parametrize("delay", [0.05, 0.12, 0.2, 0.31])
def test_a_killed_writer_leaves_a_file_that_opens_with_whole_runs(
    store: Store, start_process: Callable[..., subprocess.Popen[str]], delay: float
) -> None:
    store.save_benchmark(benchmark("A"))
    store.save_run("demo", answers("A", "right", "wrong", "right", "wrong"))
    writer = start_process(WRITE, str(store.path))
    time.sleep(delay)
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    rights = [outcome.right for outcome in store.measurements("demo")[0].outcomes]
    assert rights in ([True, False, True, False], [False, True, False, True])
    store.save_run("demo", answers("A", "right", "right", "right", "right"))


# Damage and other versions


def test_a_file_that_is_no_database_is_damaged_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "results.duckdb"
    for garbage in (b"garbage" * 3000, b"", b"x"):
        path.write_bytes(garbage)
        with pytest.raises(StoreDamaged, match=r"results\.duckdb cannot be read .* left as it is"):
            Store(path).benchmarks()
        assert path.read_bytes() == garbage


@pytest.mark.parametrize("kept", [0.02, 0.5, 0.97])
def test_a_truncated_file_is_damaged_and_left_alone(store: Store, kept: float) -> None:
    store.save_benchmark(benchmark("A"))
    store.save_run("demo", answers("A", "right", "right", "wrong", "wrong"))
    whole = store.path.read_bytes()
    store.path.write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(StoreDamaged, match="move it away"):
        store.measurements("demo")
    assert store.path.stat().st_size == int(len(whole) * kept)


def test_flipped_bytes_are_found(store: Store) -> None:
    store.save_benchmark(benchmark("A"))
    content = bytearray(store.path.read_bytes())
    for place in range(12_288, len(content), 64):
        content[place] ^= 0xFF
    store.path.write_bytes(bytes(content))
    with pytest.raises(StoreDamaged):
        store.benchmarks()


def test_a_file_of_a_newer_version_is_refused(store: Store) -> None:
    store.save_benchmark(benchmark("A"))
    with duckdb.connect(store.path) as db:
        db.execute("INSERT INTO migrations VALUES (9999, '9999_future', '2030-01-01T00:00:00+00:00')")
    with pytest.raises(StoreDamaged, match=r"newer version of the workbench \(schema 9999, this version knows"):
        store.benchmarks()


def test_somebody_elses_database_is_refused_and_left_alone(store: Store) -> None:
    store.path.parent.mkdir()
    with duckdb.connect(store.path) as db:
        db.execute("CREATE TABLE invoices (id INTEGER)")
    with pytest.raises(StoreDamaged, match=r"not a results file of the workbench \(it holds invoices\)"):
        store.benchmarks()
    with duckdb.connect(store.path) as db:
        assert db.execute("SHOW TABLES").fetchall() == [("invoices",)]


def test_a_record_that_does_not_parse_is_damage(store: Store) -> None:
    store.save_benchmark(benchmark("A"))
    with duckdb.connect(store.path) as db:
        db.execute("""UPDATE benchmarks SET definition = '{"name": "demo"}'""")
    with pytest.raises(StoreDamaged, match="does not understand"):
        store.benchmark("demo")


def test_a_folder_in_the_place_of_the_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreNotWritable, match="permissions"):
        Store(tmp_path).benchmarks()
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreNotWritable, match="permissions"):
        Store(tmp_path / "file" / "results.duckdb").benchmarks()


def test_each_migration_is_recorded(store: Store) -> None:
    store.benchmarks()
    with duckdb.connect(store.path, read_only=True) as db:
        recorded = db.execute("SELECT name FROM migrations ORDER BY number").fetchall()
    assert [name for (name,) in recorded] == sorted(file.stem for file in MIGRATIONS.glob("*.sql"))


def test_a_failing_migration_leaves_the_state_before_it(store: Store, tmp_path: Path) -> None:
    store.save_benchmark(benchmark("A"))
    folder = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, folder)
    (folder / "9001_works.sql").write_text("ALTER TABLE votes ADD COLUMN works INTEGER;")
    (folder / "9002_breaks.sql").write_text("CREATE TABLE half (id INTEGER);\nSELECT * FROM nowhere;")
    with pytest.raises(StoreDamaged, match=r"schema of 9002_breaks\.sql: .*nowhere"):
        Store(store.path, migrations=folder).benchmarks()
    applied = [*(int(file.name[:4]) for file in sorted(MIGRATIONS.glob("*.sql"))), 9001]
    with duckdb.connect(store.path, read_only=True) as db:
        assert [n for (n,) in db.execute("SELECT number FROM migrations ORDER BY number").fetchall()] == applied
        tables = {name for (name,) in db.execute("SHOW TABLES").fetchall()}
    assert "half" not in tables
    # Once the migration is mended, the same file goes on.
    (folder / "9002_breaks.sql").write_text("CREATE TABLE half (id INTEGER);")
    assert len(Store(store.path, migrations=folder).benchmarks()) == 1
