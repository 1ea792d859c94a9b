"""Runs in real worker processes: what is kept when something breaks, and that nothing is left behind."""

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from runners.engine_options import LlamaCppOptions, ScriptedOptions
from runners.event_log import EventWriter, read_events
from runners.memory_sampler import MemoryWatch, sample_memory
from runners.process import RunFolder, log_tail, read_result, run_in_worker
from runners.records import CompletionDone, MemorySample, RunEvent, RunResult, RunSpec, RunStarted, Validity, Workload
from tests.making import make_spec, make_test_set

BOTH = (Workload(kind="accuracy"), Workload(kind="latency", prompts=3, warmup_prompts=1))


def run(spec: RunSpec, path: Path, *, hang_seconds: float = 60) -> RunResult:
    return run_in_worker(
        spec, RunFolder(path), on_event=lambda _: None, is_cancelled=lambda: False, hang_seconds=hang_seconds
    )


def ids(result: RunResult, workload: str) -> list[str]:
    return [event.completion.request_id for event in result.completions if event.completion.workload == workload]


def test_a_run_leaves_every_example_scored_once_and_every_latency_request_timed(tmp_path: Path) -> None:
    answers = {"e0": "delivery", "e1": "returns", "e2": "delivery"}
    result = run(make_spec(ScriptedOptions(answers=answers), workloads=BOTH), tmp_path)
    assert result.status == "finished"
    assert ids(result, "accuracy") == [f"e{number}" for number in range(6)]
    assert ids(result, "latency") == ["e0", "e1", "e2"]
    scores = {event.scores[0].example_id: event.scores[0] for event in result.completions if event.scores}
    assert scores["e0"].value == 1
    assert scores["e2"].value == 0
    assert {score.validity for score in scores.values()} == {Validity.SCORED}
    assert {window.workload for window in result.windows} == {"accuracy", "latency"}
    assert result.loads[0].loaded.engine == "scripted"


def test_memory_of_the_worker_is_sampled_while_it_holds_it(tmp_path: Path) -> None:
    held = 200_000_000
    options = ScriptedOptions(memory_bytes=held, score_seconds=0.2)
    result = run(make_spec(options), tmp_path)
    peak = max(sample.pss_bytes or sample.rss_bytes for sample in result.memory)
    assert held < peak < held + 200_000_000
    assert max(sample.high_water_bytes or peak for sample in result.memory) >= peak * 0.9


def test_pss_is_read_at_once_when_memory_grows_and_else_seldom() -> None:
    script = "import sys\nheld = []\nfor _ in sys.stdin:\n held.append(b'x' * 80_000_000)\n print('more', flush=True)"
    command = [sys.executable, "-c", f"print('ready', flush=True)\n{script}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdout.readline()
        watch = MemoryWatch(child.pid, segment=0)
        looks = [watch.sample(0.0) for _ in range(3)]
        child.stdin.write(b"grow\n")
        child.stdin.flush()
        child.stdout.readline()
        looks += [watch.sample(0.0) for _ in range(2)]
        child.stdin.close()
    samples = [look for look in looks if look is not None]
    if samples[0].pss_bytes is None:
        pytest.skip("this system gives no PSS")
    # The waits are a hundred times as long as a reading takes, far longer than two looks in a row.
    assert [sample.pss_bytes is not None for sample in samples] == [True, False, False, True, False]
    assert (samples[3].pss_bytes or 0) > samples[0].pss_bytes + 79_000_000
    assert watch.sample(0.0) is None


def test_children_and_their_children_are_part_of_the_tree() -> None:
    script = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1, flush=True); input()'])"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        sample = sample_memory(child.pid, segment=0, at_seconds=0.0)
        assert sample is not None
        assert sample.processes == 2
        child.communicate(b"\n")


def test_a_request_that_fails_is_a_failure_of_its_example_and_the_others_go_on(tmp_path: Path) -> None:
    result = run(make_spec(ScriptedOptions(fail_on=("e2", "e4")), workloads=BOTH), tmp_path)
    assert result.status == "finished"
    assert ids(result, "accuracy") == ["e0", "e1", "e3", "e5"]
    assert ids(result, "latency") == ["e0", "e1"]
    failed = [event.failure.example_id for event in result.failures if event.workload == "accuracy"]
    assert failed == ["e2", "e4"]


def test_an_engine_that_fails_again_and_again_stops_the_run(tmp_path: Path) -> None:
    options = ScriptedOptions(fail_on=tuple(f"e{number}" for number in range(20)))
    result = run(make_spec(options, test_set=make_test_set(20)), tmp_path)
    assert result.status == "failed"
    assert "in a row" in result.failures[-1].failure.message


def test_a_crash_keeps_what_was_finished_and_resuming_computes_only_what_is_missing(tmp_path: Path) -> None:
    broken = make_spec(ScriptedOptions(crash_on=("e3",)), workloads=BOTH)
    result = run(broken, tmp_path)
    assert result.status == "failed"
    assert ids(result, "accuracy") == ["e0", "e1", "e2"]
    assert result.failures[-1].failure.kind == "crash"
    assert "139" in result.failures[-1].failure.message
    mended = make_spec(ScriptedOptions(), workloads=BOTH)
    fresh: list[RunEvent | MemorySample] = []
    again = run_in_worker(mended, RunFolder(tmp_path), on_event=fresh.append, is_cancelled=lambda: False)
    assert again.status == "finished"
    assert ids(again, "accuracy") == [f"e{number}" for number in range(6)]
    computed = [event.completion.request_id for event in fresh if isinstance(event, CompletionDone)]
    assert computed == ["first-1-0", "e3", "e4", "e5", "e0", "e1", "e2"]
    assert [event.segment for event in again.started] == [0, 1]


@pytest.mark.parametrize("moment", ["loading", "running"])
def test_kill_9_of_a_worker_at_any_moment_keeps_what_was_finished(tmp_path: Path, moment: str) -> None:
    options = ScriptedOptions(load_seconds=2 if moment == "loading" else 0, score_seconds=0.1)

    def kill(event: RunEvent | MemorySample) -> None:
        due = isinstance(event, RunStarted if moment == "loading" else CompletionDone)
        if due:
            os.kill(worker_pid(tmp_path), signal.SIGKILL)

    spec = make_spec(options)
    result = run_in_worker(spec, RunFolder(tmp_path), on_event=kill, is_cancelled=lambda: False)
    assert result.status == "failed"
    assert result.failures[-1].failure.kind == "out_of_memory"
    assert bool(result.completions) == (moment == "running")
    assert run(spec, tmp_path).status == "finished"


def test_kill_9_of_the_parent_ends_the_worker_and_the_run_can_be_resumed(tmp_path: Path) -> None:
    spec = make_spec(ScriptedOptions(score_seconds=0.2))
    spec_file = tmp_path / "given.json"
    spec_file.write_text(spec.model_dump_json())
    script = (
        "import sys; from pathlib import Path; from runners.process import *; from runners.records import RunSpec\n"
        "spec = RunSpec.model_validate_json(Path(sys.argv[1]).read_bytes())\n"
        "run_in_worker(spec, RunFolder(Path(sys.argv[2])), on_event=lambda e: None, is_cancelled=lambda: False)\n"
    )
    folder = tmp_path / "run"
    parent = subprocess.Popen([sys.executable, "-c", script, str(spec_file), str(folder)])
    wait_until(lambda: len(read_events(RunFolder(folder).events)) >= 4)
    worker = psutil.Process(worker_pid(folder))
    parent.kill()
    parent.wait()
    assert worker.wait(timeout=10) is not None or not worker.is_running()
    kept = read_result(spec, RunFolder(folder))
    assert kept.status == "incomplete"
    assert kept.completions
    result = run(spec, folder)
    assert result.status == "finished"
    assert len(result.completions) == 6


def test_a_worker_that_hangs_is_ended_and_said_to_hang(tmp_path: Path) -> None:
    result = run(make_spec(ScriptedOptions(hang_on=("e1",))), tmp_path, hang_seconds=2)
    assert result.failures[-1].failure.kind == "hang"
    assert ids(result, "accuracy") == ["e0"]
    assert not psutil.pid_exists(result.started[0].pid)


def test_cancelling_ends_the_worker_and_keeps_what_was_finished(tmp_path: Path) -> None:
    stop = threading.Event()

    def listen(event: RunEvent | MemorySample) -> None:
        if isinstance(event, CompletionDone):
            stop.set()

    spec = make_spec(ScriptedOptions(score_seconds=0.2))
    result = run_in_worker(spec, RunFolder(tmp_path), on_event=listen, is_cancelled=stop.is_set)
    assert result.status == "cancelled"
    assert result.completions
    assert not psutil.pid_exists(result.started[0].pid)


LIMITED = """
import json, resource, sys
from pathlib import Path
from runners.process import RunFolder, run_in_worker
from runners.records import RunSpec
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]), resource.RLIM_INFINITY))
spec = RunSpec.model_validate_json(sys.stdin.read())
result = run_in_worker(spec, RunFolder(Path(sys.argv[2])), on_event=lambda _: None, is_cancelled=lambda: False)
print(json.dumps([failure.failure.model_dump(mode="json") for failure in result.failures]))
"""


def failures_with_little_memory(spec: RunSpec, folder: Path, limit_bytes: int) -> list[dict[str, str]]:
    """Failures of a run whose worker may have no more address space than this."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(limit_bytes), str(folder)],
        input=spec.model_dump_json(),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    failures: list[dict[str, str]] = json.loads(done.stdout.splitlines()[-1])
    return failures


def test_a_worker_that_asks_for_more_memory_than_there_is_says_so(tmp_path: Path) -> None:
    (failure,) = failures_with_little_memory(make_spec(ScriptedOptions(memory_bytes=8 * 2**30)), tmp_path, 4 * 2**30)
    assert failure["kind"] == "out_of_memory"
    assert "smaller quantization" in failure["hint"]


@pytest.mark.engine
def test_a_context_larger_than_the_memory_is_a_failed_load_with_what_to_do(tmp_path: Path, smollm2: Path) -> None:
    spec = make_spec(LlamaCppOptions(context_tokens=400_000), weights=smollm2)
    (failure,) = failures_with_little_memory(spec, tmp_path, 4 * 2**30)
    assert failure["stage"] == "load"
    assert "Set a smaller context_tokens" in failure["message"]


@pytest.mark.parametrize("limit_bytes", [1_000, 8_000])
def test_a_full_disk_is_said_and_what_was_finished_is_kept(tmp_path: Path, limit_bytes: int) -> None:
    """A limit on file sizes stands for the disk: the spec does not fit at 1,000 bytes, the events not at 8,000."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    spec = make_spec(test_set=make_test_set(30))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, before[1]))
    try:
        result = run(spec, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert result.status == "failed"
    assert result.failures[-1].failure.kind == "disk_full"
    assert "space" in result.failures[-1].failure.hint
    again = run(spec, tmp_path)
    assert again.status == "finished"
    assert len(again.completions) == 30
    assert len(again.started) == (1 if limit_bytes == 1_000 else 2)


@pytest.mark.engine
def test_a_corrupt_weights_file_is_a_failure_with_the_engines_own_words(tmp_path: Path) -> None:
    weights = tmp_path / "broken.gguf"
    weights.write_bytes(b"GGUF" + b"\x03\0\0\0" + b"\xff" * 4096)
    result = run(make_spec(LlamaCppOptions(), weights=weights), tmp_path / "run")
    assert result.status == "failed"
    assert result.failures[-1].failure.stage == "load"
    assert "could not load" in result.failures[-1].failure.message
    assert "gguf" in log_tail(tmp_path / "run" / "worker.log").lower()


@pytest.mark.engine
@pytest.mark.parametrize("answers", ["held", "free"])
def test_labels_can_be_generated_many_at_once(tmp_path: Path, smollm2: Path, answers: str) -> None:
    options = LlamaCppOptions(context_tokens=1024)
    workload = Workload.model_validate(
        {"kind": "accuracy", "answers": answers, "max_output_tokens": 8, "logprobs": True}
    )
    result = run(make_spec(options, weights=smollm2, workloads=(workload,)), tmp_path)
    assert result.status == "finished"
    assert len(result.completions) == 6
    for event in result.completions:
        done = event.completion
        assert done.method == "generated"
        assert len(done.token_logprobs) == done.output_tokens
        assert done.cached_tokens > 0
        if answers == "held":
            assert event.scores[0].validity is Validity.SCORED
            assert done.text in result.spec.test_set.labels


@pytest.mark.engine
def test_a_schema_that_cannot_be_read_fails_each_example_with_its_reason(tmp_path: Path, smollm2: Path) -> None:
    workload = Workload(
        kind="latency", prompts=2, warmup_prompts=0, json_schema='{"$ref": "https://example.com/a.json"}'
    )
    result = run(make_spec(LlamaCppOptions(context_tokens=512), weights=smollm2, workloads=(workload,)), tmp_path)
    reasons = [event.failure.message for event in result.failures]
    assert reasons
    assert all("cannot be turned into a grammar" in reason for reason in reasons)


@pytest.mark.engine
def test_a_real_model_runs_in_a_worker_and_gives_the_same_answers_twice(tmp_path: Path, smollm2: Path) -> None:
    spec = make_spec(LlamaCppOptions(context_tokens=512), weights=smollm2, workloads=BOTH)
    first, second = (run(spec, tmp_path / name) for name in ("one", "two"))
    assert first.status == second.status == "finished"
    assert [event.completion.text for event in first.completions] == [
        event.completion.text for event in second.completions
    ]
    assert first.loads[0].loaded.parameters == 134_515_008
    assert max(sample.rss_bytes for sample in first.memory) > 98_000_000


def test_half_a_line_at_the_end_of_the_event_file_is_ignored_and_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    event = RunStarted(key="k", segment=0, pid=1, started_at="2026-01-01T00:00:00+00:00")
    path.write_text(event.model_dump_json() + '\n{"event": "comple')
    assert read_events(path) == (event,)
    writer = EventWriter(path)
    writer.write(event)
    writer.close()
    assert read_events(path) == (event, event)


def worker_pid(folder: Path) -> int:
    (started, *_) = [event for event in read_events(RunFolder(folder).events) if isinstance(event, RunStarted)]
    return started.pid


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.perf_counter() + seconds
    while not condition():
        assert time.perf_counter() < deadline, "it did not happen in time"
        threading.Event().wait(0.05)
