"""A worker that stays: loads once, answers one order after the other, stops at a word, says why it is gone."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from runners.engine_options import LlamaCppOptions, ScriptedOptions
from runners.event_log import read_events
from runners.live_worker import LiveWorker
from runners.process import RunFolder
from runners.records import (
    AnswerStopped,
    ChunkArrived,
    CompletionDone,
    FailureHappened,
    Message,
    ModelLoaded,
    Request,
    RunEvent,
    RunSpec,
    RunStarted,
)
from tests.making import make_spec, small_llama_options, smollm2_path


@contextmanager
def live(spec: RunSpec, folder: Path) -> Iterator[LiveWorker]:
    worker = LiveWorker(spec, RunFolder(folder), {})
    try:
        yield worker
    finally:
        worker.close()


def request(identity: str, *messages: str, max_output_tokens: int = 8) -> Request:
    roles = ("user", "assistant", "user")
    turns = tuple(Message(role=role, content=text) for role, text in zip(roles, messages, strict=False))
    return Request(id=identity, messages=turns, max_output_tokens=max_output_tokens)


def until(worker: LiveWorker, kind: type, seconds: float = 60) -> list[RunEvent]:
    """Everything up to the first event of a kind."""
    seen: list[RunEvent] = []
    deadline = time.monotonic() + seconds
    while not any(isinstance(event, kind) for event in seen):
        assert time.monotonic() < deadline, f"no {kind.__name__} among {seen}"
        time.sleep(0.02)
        seen += worker.new_events()
    return seen


def test_a_real_model_is_loaded_once_for_two_prompts_and_every_piece_has_its_time(tmp_path: Path) -> None:
    spec = make_spec(small_llama_options(threads=1), weights=smollm2_path(tmp_path / "models"))
    assert isinstance(spec.options, LlamaCppOptions)
    with live(spec, tmp_path / "live") as worker:
        worker.ask(request("first", "Name a colour."))
        seen = until(worker, CompletionDone)
        worker.ask(request("second", "Name a colour.", "Blue.", "Another one."))
        seen += until(worker, CompletionDone)
    assert sum(isinstance(event, ModelLoaded) for event in seen) == 1
    done = [event.completion for event in seen if isinstance(event, CompletionDone)]
    assert [completion.request_id for completion in done] == ["first", "second"]
    assert done[1].prompt_tokens > done[0].prompt_tokens
    pieces = [event for event in seen if isinstance(event, ChunkArrived) and event.request_id == "first"]
    assert "".join(piece.text for piece in pieces) == done[0].text
    offsets = [piece.offset_seconds or 0.0 for piece in pieces]
    assert offsets == sorted(offsets)
    assert abs(offsets[0] - done[0].chunk_offsets_seconds[0]) < 0.05


def test_an_answer_is_stopped_at_its_next_word_and_the_next_one_is_whole(tmp_path: Path) -> None:
    options = ScriptedOptions(text="one two three four five six seven eight", token_seconds=0.2)
    with live(make_spec(options), tmp_path) as worker:
        worker.ask(request("long", "Count."))
        until(worker, ChunkArrived)
        worker.stop("long")
        seen = until(worker, AnswerStopped)
        assert not any(isinstance(event, CompletionDone) for event in seen)
        worker.ask(request("next", "Again.", max_output_tokens=2))
        (done,) = [event for event in until(worker, CompletionDone) if isinstance(event, CompletionDone)]
        assert done.completion.text == "one two"


def test_a_request_that_waits_is_stopped_before_it_begins(tmp_path: Path) -> None:
    with live(make_spec(ScriptedOptions(token_seconds=0.1)), tmp_path) as worker:
        worker.ask(request("first", "Count."))
        worker.ask(request("second", "Count."))
        worker.stop("second")
        seen = until(worker, AnswerStopped)
        assert [event.request_id for event in seen if isinstance(event, AnswerStopped)] == ["second"]
        assert {event.request_id for event in seen if isinstance(event, ChunkArrived)} == {"first"}


def test_a_request_that_fails_leaves_the_model_loaded(tmp_path: Path) -> None:
    with live(make_spec(ScriptedOptions(fail_on=("bad",))), tmp_path) as worker:
        worker.ask(request("bad", "Break."))
        (failed,) = [event for event in until(worker, FailureHappened) if isinstance(event, FailureHappened)]
        assert failed.failure.request_id == "bad"
        worker.ask(request("good", "Answer."))
        until(worker, CompletionDone)


def test_a_worker_that_dies_says_so_once(tmp_path: Path) -> None:
    with live(make_spec(ScriptedOptions(crash_on=("crash",))), tmp_path) as worker:
        worker.ask(request("crash", "Crash."))
        (failed,) = [event for event in until(worker, FailureHappened) if isinstance(event, FailureHappened)]
        assert failed.failure.request_id is None
        assert failed.failure.kind == "crash"
        assert not worker.is_alive
        assert worker.new_events() == ()
        worker.ask(request("late", "Anyone?"))


def test_nothing_is_left_of_a_worker_that_was_closed(tmp_path: Path) -> None:
    with live(make_spec(ScriptedOptions(memory_bytes=1_000_000)), tmp_path) as worker:
        (started, *_) = until(worker, ModelLoaded)
        pid = getattr(started, "pid", 0)
        assert psutil.pid_exists(pid)
    worker.close()
    assert not psutil.pid_exists(pid)


_HOLDER = """
import sys, time
from pathlib import Path
from runners.live_worker import LiveWorker
from runners.process import RunFolder
from runners.records import Message, Request, RunSpec

spec = RunSpec.model_validate_json(Path(sys.argv[1]).read_bytes())
workers = [LiveWorker(spec, RunFolder(Path(folder)), {}) for folder in sys.argv[2:]]
workers[0].ask(Request(id="long", messages=(Message(role="user", content="Count."),), max_output_tokens=600))
print(*(worker.process_id for worker in workers), flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("moment", ["loading", "answering"])
def test_workers_end_by_themselves_when_the_app_is_killed(tmp_path: Path, moment: str) -> None:
    slow = ScriptedOptions(text="word " * 600, token_seconds=0.1, load_seconds=60 if moment == "loading" else 0)
    spec, folders = tmp_path / "given.json", [tmp_path / "first", tmp_path / "second"]
    spec.write_text(make_spec(slow).model_dump_json())
    holder = subprocess.Popen([sys.executable, "-c", _HOLDER, spec, *folders], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        workers = [psutil.Process(int(pid)) for pid in holder.stdout.readline().split()]
        wanted = (RunStarted, RunStarted) if moment == "loading" else (ChunkArrived, ModelLoaded)
        deadline = time.monotonic() + 60
        while not all(map(_holds, folders, wanted)):
            assert time.monotonic() < deadline, f"the workers are not {moment}"
            time.sleep(0.02)
    finally:
        holder.kill()
        holder.communicate()
    # One that writes and one that waits: neither may hold the other's orders open.
    assert psutil.wait_procs(workers, timeout=20)[1] == []


def _holds(folder: Path, kind: type) -> bool:
    return any(isinstance(event, kind) for event in read_events(RunFolder(folder).events))
