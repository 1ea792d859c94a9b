"""Parity as people use it: real processes, real models, a server with another prompt, an interruption, two at once."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from runners.quantize import quantize_gguf
from tests.openai_server import openai_server, words
from tests.test_cli import TEST_SET, printed, workbench

SCRIPTED = """\
name: pair
test_set: {file: messages.csv}
candidates:
  - {name: one, model: m, engine: scripted, options: {score_seconds: %s}}
  - {name: two, model: m, engine: scripted, options: {score_seconds: %s, answers: {m3: returns}}}
"""
REAL = """\
name: real
test_set: {file: messages.csv}
candidates:
  - {name: q4, model: %(weights)s}
  - {name: q4 small batches, model: %(weights)s, options: {batch_tokens: 64}}
  - {name: q8, model: %(finer)s}
  - {name: gemma, model: %(gemma)s}
  - name: plain server
    model: %(weights)s
    engine: endpoint
    options: {base_url: "%(address)s", model: test/model, api: completions}
"""


def write(folder: Path, text: str) -> str:
    (folder / "messages.csv").write_text(TEST_SET)
    (folder / "pair.yaml").write_text(text)
    return str(folder / "pair.yaml")


@pytest.mark.engine
def test_one_model_in_two_settings_and_behind_a_server_with_another_prompt(
    tmp_path: Path, smollm2: Path, gemma3: Path
) -> None:
    finer = tmp_path / "finer.gguf"
    quantize_gguf(smollm2, finer, "Q8_0")
    with openai_server(words("delivery")) as server:
        values = {"weights": smollm2, "finer": finer, "gemma": gemma3, "address": server.address}
        file = write(tmp_path, REAL % values)
        batches = printed(workbench(tmp_path, "parity", file, "q4", "q4 small batches", "--examples", "6", "--json"))
        q8 = printed(workbench(tmp_path, "parity", file, "q4", "q8", "--examples", "6", "--at-least", "0", "--json"))
        served = workbench(tmp_path, "parity", file, "q4", "plain server", "--examples", "6", code=3)
        assert len(server.seen) == 6
        different = workbench(tmp_path, "parity", file, "q4", "gemma", code=1)
    assert (batches["prompts"]["state"], batches["compared"], batches["flips"]) == ("same", 6, [])
    assert batches["logprobs"]["largest_nats"] == 0
    assert q8["prompts"]["state"] == "same"
    # Eight bits made of four hold the same weights but for rounding.
    assert 0 < q8["logprobs"]["median_nats"] < 0.5
    assert "The prompts differ on 6 of 6 examples" in served.stdout
    assert "<|im_start|>" in served.stdout
    assert "Mend the prompts first" in served.stdout
    assert "different models (networks of kind llama and gemma3)" in different.stderr
    runs = [path.read_text() for path in (tmp_path / "runs").glob("*/events.jsonl")]
    # Three sides and the server: what q4 left behind was used again.
    assert len(runs) == 4
    assert all(text.count('"event":"started"') == 1 for text in runs)


def test_flips_are_listed_and_the_exit_code_says_that_the_two_part(tmp_path: Path) -> None:
    file = write(tmp_path, SCRIPTED % (0, 0))
    done = workbench(tmp_path, "parity", file, "one", "two", code=3)
    assert "m3" in done.stdout
    assert "same answer on 29 of 30 examples: 96.7 %" in done.stdout
    report = printed(workbench(tmp_path, "parity", file, "one", "two", "--at-least", "0.96", "--json"))
    (flip,) = report["flips"]
    assert (flip["example_id"], flip["first"]["label"], flip["second"]["label"]) == ("m3", "billing", "returns")
    assert "No runs yet" in workbench(tmp_path, "runs").stdout


def test_examples_are_taken_from_all_of_the_file(tmp_path: Path) -> None:
    file = write(tmp_path, SCRIPTED % (0, 0))
    report = printed(workbench(tmp_path, "parity", file, "one", "two", "--examples", "10", "--json", code=3))
    assert [flip["example_id"] for flip in report["flips"]] == ["m3"]
    assert report["examples"] == 10


@pytest.mark.parametrize(
    ("arguments", "words_"),
    [
        (("one", "tow"), "Did you mean 'two'?"),
        (("one", "one"), "cannot be held against itself"),
        (("one", "two", "--concurrency", "2"), "neither candidate runs on one"),
    ],
)
def test_wrong_input_is_a_sentence(tmp_path: Path, arguments: tuple[str, ...], words_: str) -> None:
    assert words_ in workbench(tmp_path, "parity", write(tmp_path, SCRIPTED % (0, 0)), *arguments, code=1).stderr


def test_candidates_that_are_the_same_work_are_refused(tmp_path: Path) -> None:
    file = write(tmp_path, (SCRIPTED % (0, 0)).replace(", answers: {m3: returns}", ""))
    assert "nothing to compare" in workbench(tmp_path, "parity", file, "one", "two", code=1).stderr


def test_a_side_that_answers_nothing_is_an_error_with_its_reason(tmp_path: Path) -> None:
    crash = (SCRIPTED % (0, 0)).replace("answers: {m3: returns}", "crash_on: [m0]")
    done = workbench(tmp_path, "parity", write(tmp_path, crash), "one", "two", code=1)
    assert "two answered no example: The worker ended unexpectedly" in done.stderr


def test_ctrl_c_keeps_what_is_finished_and_the_same_command_goes_on(tmp_path: Path) -> None:
    file = write(tmp_path, SCRIPTED % (0.2, 0))
    program = start(tmp_path, file)
    deadline = time.perf_counter() + 60
    while sum(text.count('"event":"completion"') for text in events(tmp_path)) < 3:
        assert time.perf_counter() < deadline
        threading.Event().wait(0.1)
    program.send_signal(signal.SIGINT)
    assert program.wait(timeout=30) == 130
    (before,) = events(tmp_path)
    workbench(tmp_path, "parity", file, "one", "two", "--at-least", "0.9")
    assert any(text.startswith(before) and text.count('"event":"completion"') == 30 for text in events(tmp_path))


def test_two_at_once_over_one_data_directory_wait_for_each_other(tmp_path: Path) -> None:
    file = write(tmp_path, SCRIPTED % (0.01, 0))
    programs = [start(tmp_path, file, "--at-least", "0.9") for _ in range(2)]
    assert [program.wait(timeout=120) for program in programs] == [0, 0]
    assert all(text.count('"event":"completion"') == 30 for text in events(tmp_path))


def start(home: Path, file: str, *options: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "workbench.cli", "parity", file, "one", "two", *options, "--home", str(home)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=dict(os.environ),
    )


def events(home: Path) -> list[str]:
    return [path.read_text() for path in sorted((home / "runs").glob("*/events.jsonl"))]
