"""What is left of vLLM, and of the run, when its server or the workbench is killed: real servers, real signals."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from runners.engine_options import VllmOptions
from runners.event_log import read_events
from runners.process import RunFolder, run_in_worker
from runners.records import CompletionDone, LoadProgress, MemorySample, RunEvent, Workload
from tests.making import make_spec, make_test_set
from tests.test_runners_guard import gone
from tests.test_runners_worker import wait_until

pytest_plugins = ("tests.vllm_fixtures",)
pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]


def servers_below(pid: int) -> list[int]:
    """Processes of vLLM's server that a process has started."""
    guards = [child for child in psutil.Process(pid).children(recursive=True) if "runners.guard" in child.cmdline()]
    return [process.pid for guard in guards for process in guard.children(recursive=True)]


def test_a_server_that_is_killed_ends_the_run_with_a_sentence_and_it_was_in_the_memory(
    vllm_options: VllmOptions, smollm2_folder: Path, tmp_path: Path
) -> None:
    stages: list[str] = []
    servers: list[int] = []

    def listen(event: RunEvent | MemorySample) -> None:
        if isinstance(event, LoadProgress):
            stages.append(event.text)
        if isinstance(event, CompletionDone) and event.completion.workload == "latency" and not servers:
            servers.extend(servers_below(os.getpid()))
            for pid in servers:
                os.kill(pid, signal.SIGKILL)

    spec = make_spec(
        vllm_options,
        test_set=make_test_set(12),
        workloads=(Workload(kind="accuracy"), Workload(kind="latency", max_output_tokens=4)),
        weights=smollm2_folder,
    )
    result = run_in_worker(spec, RunFolder(tmp_path), on_event=listen, is_cancelled=lambda: False)
    assert result.status == "failed"
    assert "vLLM's server ended while it was needed" in result.failures[-1].failure.message
    kept = [event.completion.workload for event in result.completions]
    assert kept.count("accuracy") == 12
    assert 1 <= kept.count("latency") < 12
    assert "vLLM loads the weights" in stages
    assert len(servers) > 1
    assert gone(servers)
    assert max(sample.rss_bytes for sample in result.memory) > 1_000_000_000, "the server is not in the samples"


def test_no_process_is_left_when_the_workbench_is_killed_while_vllm_starts(
    vllm_options: VllmOptions, smollm2_folder: Path, tmp_path: Path
) -> None:
    spec = make_spec(vllm_options, weights=smollm2_folder)
    (tmp_path / "given.json").write_text(spec.model_dump_json())
    code = (
        "import sys; from pathlib import Path; from runners.records import RunSpec\n"
        "from runners.process import RunFolder, run_in_worker\n"
        "spec = RunSpec.model_validate_json(Path(sys.argv[1], 'given.json').read_bytes())\n"
        "run_in_worker(spec, RunFolder(Path(sys.argv[1])), on_event=lambda _: None, is_cancelled=lambda: False)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    events = RunFolder(tmp_path).events
    try:
        # By the time the weights are read, the engine core and its worker are processes of their own.
        wait_until(lambda: "loads the weights" in (events.read_text() if events.exists() else ""), seconds=180)
        servers = servers_below(parent.pid)
        assert len(servers) > 2
        assert any(isinstance(event, LoadProgress) for event in read_events(events))
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
        wait_until(lambda: gone(servers), seconds=60)
    finally:
        parent.kill()
        parent.wait()
