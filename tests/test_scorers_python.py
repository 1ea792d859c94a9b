"""Functions of people's own, in real child processes: what they may return, and what happens when they misbehave."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from runners.engine_options import ScriptedOptions
from runners.errors import BadTestSet, ScoringFailed
from runners.process import RunFolder, run_in_worker
from runners.records import RunResult, Score, Validity
from runners.scorer_options import ScorerOptions
from runners.scorers.preparing import prepare_scorers
from runners.scorers.registry import OpenScorer, open_scorer, scorer_versions
from runners.test_set_records import TestSet
from tests.making import make_examples, make_spec, make_test_set
from tests.scoring import answered, example, options_of

SOURCE = """
import ctypes, os, sys, time
import helper

def grade(answer, example):
    print("on standard output, which is not the protocol")
    if answer == "loop":
        while True: pass
    if answer == "c loop":
        ctypes.PyDLL(None).sleep(60)
    if answer == "raise": raise KeyError("no such thing")
    if answer == "exit": sys.exit(3)
    if answer == "die": os.kill(os.getpid(), 11)
    if answer == "nothing": return None
    if answer == "dict": return {"value": 0.5, "predicted": 7, "counts": {"words": 2}}
    if answer == "too much": return 1.5
    if answer == "text": return "good"
    if answer == "nan": return float("nan")
    if answer == "wrong keys": return {"score": 1}
    return helper.same(answer, example["target"])
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "own.py").write_text(SOURCE)
    (tmp_path / "helper.py").write_text("def same(one, two):\n    return one == two\n")
    return tmp_path


def prepared(folder: Path, **changes: object) -> ScorerOptions:
    asked = options_of("python", **{"function": "own.py:grade", "seconds": 2, **changes})
    (options,) = prepare_scorers([asked], folder)
    return options


@pytest.fixture
def scorer(folder: Path) -> Iterator[OpenScorer]:
    opened = open_scorer(prepared(folder))
    yield opened
    opened.close()


def call(scorer: OpenScorer, text: str, finish: str = "stop") -> Score:
    row = example("right")
    return scorer(answered(text, finish=finish), row, TestSet(name="t", task="free_text", labels=(), examples=(row,)))


@pytest.mark.parametrize(
    ("text", "finish", "validity", "value", "predicted"),
    [
        ("right", "stop", Validity.SCORED, 1, None),
        ("wrong", "stop", Validity.SCORED, 0, None),
        ("wrong", "length", Validity.SCORED, 0, None),
        ("dict", "stop", Validity.SCORED, 0.5, "7"),
        ("nothing", "stop", Validity.UNPARSEABLE, 0, None),
        ("nothing", "length", Validity.TRUNCATED, 0, None),
        ("", "stop", Validity.EMPTY, 0, None),
    ],
)
def test_what_a_function_returns_becomes_a_score(
    scorer: OpenScorer, text: str, finish: str, validity: Validity, value: float, predicted: str | None
) -> None:
    score = call(scorer, text, finish=finish)
    assert (score.validity, score.value, score.predicted) == (validity, value, predicted)
    assert score.counts == ({"words": 2} if text == "dict" else {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("raise", r"KeyError: 'no such thing' \(line 11 of own.py\)"),
        ("exit", r"ended on the answer to 'e' \(exit code 3\)"),
        ("die", "signal 11"),
        ("too much", r"returned 1\.5\. Return True or False"),
        ("text", "returned 'good'"),
        ("nan", "returned nan"),
        ("wrong keys", "dict with 'score'"),
    ],
)
def test_a_function_that_fails_says_so_and_the_next_call_works(scorer: OpenScorer, text: str, said: str) -> None:
    with pytest.raises(ScoringFailed, match=said):
        call(scorer, text)
    assert call(scorer, "right").value == 1


@pytest.mark.parametrize("text", ["loop", "c loop"])
def test_a_call_that_never_ends_is_ended_and_the_next_has_a_fresh_process(folder: Path, text: str) -> None:
    scorer = open_scorer(prepared(folder, seconds=0.5))
    try:
        call(scorer, "right")
        (before,) = psutil.Process().children()
        with pytest.raises(ScoringFailed, match=r"longer than 0\.5 s on the answer to 'e' and was ended"):
            call(scorer, text)
        assert not before.is_running()
        assert call(scorer, "right").value == 1
    finally:
        scorer.close()
    assert psutil.Process().children() == []


def test_a_call_that_outlives_its_parent_ends_by_itself(folder: Path) -> None:
    script = (
        "import os, sys, threading, time\n"
        "from tests.test_scorers_python import call, open_scorer, prepared\n"
        "from pathlib import Path\n"
        f"scorer = open_scorer(prepared(Path({str(folder)!r}), seconds=0.5))\n"
        "call(scorer, 'right')\n"
        "print(__import__('psutil').Process().children()[0].pid, flush=True)\n"
        "threading.Timer(0.1, os._exit, (0,)).start()\n"
        "call(scorer, 'c loop')\n"
    )
    done = psutil.Popen([sys.executable, "-c", script], stdout=-1)
    pid = int(done.communicate()[0])
    deadline = time.monotonic() + 20
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "the child is still there"
        time.sleep(0.1)


def test_a_module_that_cannot_be_imported_is_tried_once(folder: Path) -> None:
    (folder / "own.py").write_text("import nothing_of_this_name\ndef grade(answer, example): return 1\n")
    scorer = open_scorer(prepared(folder))
    for _ in range(2):
        with pytest.raises(ScoringFailed, match="No module named 'nothing_of_this_name'"):
            call(scorer, "right")
    scorer.close()


def test_an_installed_module_is_found_without_being_run(folder: Path) -> None:
    options = prepared(folder, function="difflib:get_close_matches")
    assert Path(str(getattr(options, "path", ""))).name == "difflib.py"
    assert Path(str(getattr(prepared(folder, function="email.mime.text:MIMEText"), "path", ""))).name == "text.py"


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("other.py:grade", "cannot be read"),
        ("own.py:grad", "Did you mean 'grade'"),
        ("own.py:nothing", "It has ctypes, grade"),
        ("no_such_module.part:f", "no module 'no_such_module.part'"),
    ],
)
def test_a_function_that_is_not_there_is_said_before_anything_runs(folder: Path, function: str, said: str) -> None:
    with pytest.raises(BadTestSet, match=said):
        prepared(folder, function=function)


def test_the_test_set_is_named_by_what_the_function_says_and_not_by_where_it_is(folder: Path, tmp_path: Path) -> None:
    def content_hash() -> str:
        return make_test_set().model_copy(update={"scorers": (prepared(folder),)}).content_hash

    first = content_hash()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "own.py").write_text(SOURCE)
    moved = make_test_set().model_copy(update={"scorers": (prepared(elsewhere),)}).content_hash
    (folder / "own.py").write_text(SOURCE + "\n# changed\n")
    assert first == moved
    assert content_hash() != first


def test_a_function_that_changed_since_is_not_called(folder: Path) -> None:
    scorer = open_scorer(prepared(folder))
    (folder / "own.py").write_text(SOURCE + "\n# changed\n")
    with pytest.raises(ScoringFailed, match="has changed since"):
        call(scorer, "right")


def test_the_versions_of_scorers_are_known_without_a_process(folder: Path) -> None:
    test_set = make_test_set().model_copy(update={"scorers": (prepared(folder),)})
    assert scorer_versions(test_set) == {"python": "1"}
    assert psutil.Process().children() == []


def run(folder: Path, answers: dict[str, str]) -> RunResult:
    scorers = (options_of("label_match"), prepared(folder, seconds=1))
    test_set = make_test_set(len(answers)).model_copy(update={"scorers": scorers})
    spec = make_spec(ScriptedOptions(answers=answers), test_set=test_set)
    return run_in_worker(spec, RunFolder(folder / "run"), on_event=lambda _: None, is_cancelled=lambda: False)


def test_one_scorer_that_fails_costs_neither_the_answer_nor_the_other_scores(folder: Path) -> None:
    names = [row.target for row in make_examples(3)]
    source = SOURCE.replace('"raise"', repr(names[1])).replace('"loop"', repr(names[2]))
    (folder / "own.py").write_text(source)
    result = run(folder, {f"e{number}": name for number, name in enumerate(names)})
    assert result.status == "finished"
    scored = {event.completion.request_id: [score.scorer for score in event.scores] for event in result.completions}
    assert scored == {"e0": ["label_match", "python"], "e1": ["label_match"], "e2": ["label_match"]}
    failures = [event.failure for event in result.failures]
    assert [(failure.stage, failure.kind, failure.example_id) for failure in failures] == [
        ("score", "scorer", "e1"),
        ("score", "scorer", "e2"),
    ]
    assert "KeyError" in failures[0].message
    assert "longer than 1 s" in failures[1].message
    again = run(folder, {f"e{number}": name for number, name in enumerate(names)})
    assert len(again.failures) == 2
