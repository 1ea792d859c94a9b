"""The command line as people use it: real processes, exit codes, JSON, and every wrong input as a sentence."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
TEST_SET = "id,text,label,channel\n" + "".join(
    f"m{number},message {number} about {label},{label},{'mail' if number % 2 else 'chat'}\n"
    for number, label in enumerate(["delivery", "returns", "billing"] * 10)
)
BENCHMARK = """\
name: small
test_set: {file: messages.csv}
candidates:
  - {name: quick, model: a, engine: scripted, options: {first_token_seconds: 0.001, token_seconds: 0.001}}
  - {name: slow, model: b, engine: scripted, options: {score_seconds: %s}}
workloads: [{kind: accuracy}, {kind: latency, prompts: 5}]
requirements: {limits: {verdicts: [allowed, conditional, unknown]}}
"""


def workbench(
    home: Path, *arguments: str, code: int | None = 0, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "workbench.cli", *arguments, "--home", str(home)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(environment or {})},
    )
    if code is not None:
        assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    assert "leaked" not in done.stderr
    return done


def printed(done: subprocess.CompletedProcess[str]) -> Any:
    document = json.loads(done.stdout)
    assert document["schema_version"] == 1
    return document["data"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "messages.csv").write_text(TEST_SET)
    (tmp_path / "small.yaml").write_text(BENCHMARK % 0.0)
    return tmp_path


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with one finished benchmark."""
    home = tmp_path_factory.mktemp("measured")
    (home / "messages.csv").write_text(TEST_SET)
    (home / "small.yaml").write_text(BENCHMARK % 0.0)
    workbench(home, "bench", str(home / "small.yaml"))
    return home


def test_doctor_says_what_is_there(tmp_path: Path) -> None:
    checks = {check["name"]: check for check in printed(workbench(tmp_path, "doctor", "--json"))}
    assert checks["llama.cpp engine"]["state"] == "ok"
    assert checks["Demo models"]["state"] == "ok"
    assert "cores" in workbench(tmp_path, "doctor").stdout


def test_engines_are_listed(tmp_path: Path) -> None:
    engines = printed(workbench(tmp_path, "engines", "--json"))
    assert {engine["name"] for engine in engines} == {"llama-cpp", "vllm", "endpoint", "scripted"}


def test_search_counts_what_it_leaves_out(tmp_path: Path) -> None:
    arguments = ("--max-params", "8B", "--min-context", "8k", "--verdict", "allowed", "--sort", "parameters")
    found = printed(workbench(tmp_path, "catalog", "search", *arguments, "--json"))
    left_out = sum(entry["count"] for entry in found["excluded"])
    assert found["matches"] + left_out == found["considered"]
    assert all(hit["verdict"]["value"] == "allowed" for hit in found["hits"])
    table = workbench(tmp_path, "catalog", "search", *arguments).stdout
    assert "Left out:" in table
    assert "not legal advice" in table


def test_show_and_fit_take_a_hub_id_and_a_file(tmp_path: Path, smollm2: Path) -> None:
    for model in ("HuggingFaceTB/SmolLM2-135M-Instruct", str(smollm2)):
        hit = printed(workbench(tmp_path, "catalog", "show", model, "--json"))
        assert hit["verdict"]["value"] == "allowed"
        fit = printed(workbench(tmp_path, "fit", model, "--context", "4k", "--concurrency", "2", "--json"))
        assert fit["context_tokens"] == 4096
        assert fit["total_bytes"] > 90_000_000


def test_a_test_set_is_checked_with_rows_and_fixes(tmp_path: Path) -> None:
    file = tmp_path / "set.csv"
    file.write_text("text,label\nHello,delivery\nHello,returns\nBye,delivry\n")
    arguments = ("testset", "check", str(file), "--label", "delivery", "--label", "returns")
    checked = printed(workbench(tmp_path, *arguments, "--json", code=3))
    assert {(p["rule"], p["row"]) for p in checked["problems"] if p["severity"] == "error"} == {
        ("contradictory_labels", 3),
        ("unknown_label", 4),
    }
    assert "Did you mean 'delivery'?" in workbench(tmp_path, *arguments, code=3).stdout


def test_a_benchmark_runs_and_every_command_reads_its_results(measured: Path) -> None:
    runs = printed(workbench(measured, "runs", "--json"))
    assert [(run["candidate"], run["status"], run["completions"]) for run in runs] == [
        ("quick", "finished", 35),
        ("slow", "finished", 35),
    ]
    comparison = printed(workbench(measured, "compare", "small", "--json"))
    assert comparison["candidates"][0]["accuracy"]["n"] == 30
    assert len(comparison["pairs"]) == 1
    recommendation = printed(workbench(measured, "recommend", "small", "--json"))
    assert recommendation["winner"] in {"quick", "slow"}
    assert len(recommendation["headline"]) == 3
    assert "quick" in workbench(measured, "compare", "small").stdout
    for ending in ("html", "md", "json"):
        target = measured / f"report.{ending}"
        assert printed(workbench(measured, "report", "small", "--output", str(target), "--json"))["report"] == str(
            target
        )
        assert "quick" in target.read_text()


def test_other_requirements_change_the_recommendation(measured: Path) -> None:
    strict = measured / "strict.yaml"
    strict.write_text("limits: {min_accuracy: 0.99, verdicts: [unknown]}\n")
    found = printed(workbench(measured, "recommend", "small", "--requirements", str(strict), "--json", code=3))
    assert found["winner"] is None
    assert {excluded["broken"][0]["limit"] for excluded in found["excluded"]} == {"min_quality"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("compare", "smal"), "small"),
        (("catalog", "show", "google/gemma-3-27m"), "Did you mean"),
        (("fit", "missing.gguf"), "There is no file"),
        (("bench", "missing.yaml"), "There is no benchmark file"),
        (("testset", "check", "missing.csv"), "There is no file"),
        (("report", "small", "--output", "report.xls"), ".html"),
        (("report", "small", "--output", "/nowhere/at/all/report.html"), "/nowhere"),
    ],
)
def test_expected_errors_are_one_sentence_with_what_to_do(
    measured: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = workbench(measured, *arguments, code=1)
    assert done.stderr.startswith("Error: ")
    assert words in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [("catalog", "search", "--max-params", "big"), ("catalog", "search", "--verdict", "yes"), ("nonsense",)],
)
def test_wrong_usage_has_exit_code_2(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    workbench(tmp_path, *arguments, code=2)


def test_a_data_directory_that_cannot_be_used_is_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    assert "--home" in workbench(file, "runs", code=1).stderr


def test_the_data_directory_can_be_named_by_an_environment_variable(measured: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "workbench.cli", "runs"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "WORKBENCH_HOME": str(measured)},
    )
    assert "small" in done.stdout


def test_a_damaged_results_file_is_said_and_left_alone(tmp_path: Path) -> None:
    damaged = tmp_path / "results.duckdb"
    damaged.write_bytes(b"not a database" * 1000)
    assert "results.duckdb" in workbench(tmp_path, "runs", code=1).stderr
    assert damaged.read_bytes() == b"not a database" * 1000


def test_a_failing_candidate_leaves_the_others_and_exit_code_3(folder: Path) -> None:
    text = BENCHMARK % 0.0
    text = text.replace("  - {name: slow", "  - {name: missing, model: none.gguf}\n  - {name: slow")
    (folder / "small.yaml").write_text(text.replace("score_seconds: 0.0", "crash_on: [m7]"))
    done = workbench(folder, "bench", str(folder / "small.yaml"), code=3)
    assert "There is no file" in done.stderr
    runs = {run["candidate"]: run for run in printed(workbench(folder, "runs", "--json"))}
    assert runs["quick"]["status"] == "finished"
    assert runs["missing"]["status"] == "failed"
    assert (runs["slow"]["status"], runs["slow"]["completions"]) == ("failed", 7)


def test_kill_9_of_the_program_keeps_finished_examples_and_resume_does_only_the_rest(folder: Path) -> None:
    benchmark = folder / "small.yaml"
    benchmark.write_text(BENCHMARK % 0.2)
    program = subprocess.Popen(
        [sys.executable, "-m", "workbench.cli", "bench", str(benchmark), "--home", str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.perf_counter() + 60
    while sum(file.read_text().count('"event":"completion"') for file in event_files(folder)) < 40:
        assert time.perf_counter() < deadline
        threading.Event().wait(0.1)
    program.send_signal(signal.SIGKILL)
    program.wait()
    before = {file: file.read_text() for file in event_files(folder)}
    workbench(folder, "bench", str(benchmark), "--resume")
    for file in event_files(folder):
        assert file.read_text().startswith(before[file])
        events = [json.loads(line) for line in file.read_text().splitlines()]
        done = [event["completion"] for event in events if event["event"] == "completion"]
        # The first request after a load is timed apart.
        assert sum(completion["workload"] != "load" for completion in done) == 35
    assert {run["completions"] for run in printed(workbench(folder, "runs", "--json"))} == {35}


def test_a_fresh_run_sets_the_earlier_one_aside_instead_of_deleting_it(folder: Path) -> None:
    for _ in range(2):
        workbench(folder, "bench", str(folder / "small.yaml"))
    names = sorted(file.parent.name for file in event_files(folder))
    assert len(names) == 4
    assert sum(name.endswith(".1") for name in names) == 2


def event_files(home: Path) -> list[Path]:
    return sorted((home / "runs").glob("*/events.jsonl"))
