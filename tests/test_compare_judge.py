"""Compare's form for a judge: what is entered becomes a judgement by a real server, and what is wrong a sentence."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import gradio as gr
import pytest

from runners.engine_options import EndpointOptions
from tests.browser import measure, write_benchmark
from tests.openai_server import openai_server, prompt_of
from workbench.records import CandidateDefinition
from workbench.service import Workbench
from workbench.settings import read_settings
from workbench.steps.compare import judge
from workbench.steps.desk import Desk

ENTERED = {
    "judge": "the judge",
    "mode": "rubric",
    "rubric": "Is it right?",
    "lowest": "1",
    "highest": "5",
    "right_from": "",
    "examples": "",
}


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    folder = tmp_path_factory.mktemp("compare-judge")
    workbench = Workbench(read_settings(folder / "home"))
    measure(workbench, write_benchmark(folder, examples=9))
    return workbench


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk with a judge that gives every right answer a 5 and every other a 1."""

    def grade(body: dict[str, Any]) -> str:
        prompt = prompt_of(body)
        fence = re.search(r"^=== \w+ ===$", prompt, re.MULTILINE)
        assert fence is not None
        _, right, answer = (part.strip() for part in prompt.split(fence.group())[2::2])
        return json.dumps({"reason": "as the test asks", "grade": 5 if right == answer else 1})

    with openai_server(grade) as server:
        desk = Desk(tmp_path / "desk.json")
        options = EndpointOptions(base_url=server.address)
        desk.change(
            candidates=(CandidateDefinition(name="the judge", model="test/model", engine="endpoint", options=options),)
        )
        yield desk


def press(workbench: Workbench, desk: Desk, **entered: str) -> str:
    event = SimpleNamespace(action="judge", value=json.dumps(ENTERED | entered))
    return judge.start(workbench, desk, "scripted", cast(gr.EventData, event))


def test_grades_come_by_the_job_that_the_form_queues(measured: Workbench, desk: Desk) -> None:
    assert "the judge" in judge.panels(measured, desk, "scripted")[0]
    assert "Replace earlier grades" not in judge.panels(measured, desk, "scripted")[0]
    told = press(measured, desk, examples="6")
    assert "the judge reads the answers of 2 candidates" in told
    job = measured.jobs.job(measured.jobs.all()[0].id)
    assert job.status().title == "Judge scripted"
    assert job.wait(120)
    assert job.error is None
    (report,) = measured.judges.reports("scripted")
    assert [each.graded for each in report.candidates] == [6, 6]
    assert report.agreements[0].kappa is not None
    assert report.agreements[0].kappa.value == pytest.approx(1.0)
    assert f"the judge was asked {report.questions} questions, 0 without" in judge.panels(measured, desk, "scripted")[1]
    titles = {metric.title for metric in measured.compare("scripted").candidates[0].metrics}
    assert "Judge's grade" in titles
    assert "Replace earlier grades (of the judge)" in judge.panels(measured, desk, "scripted")[0]
    with pytest.raises(gr.Error, match="the judge has graded these answers already"):
        press(measured, desk, examples="2")
    assert "Queued: " in press(measured, desk, examples="2", replace="on")
    again = measured.jobs.job(measured.jobs.all()[0].id)
    assert again.wait(120)
    assert [each.graded for each in measured.judges.reports("scripted")[0].candidates] == [2, 2]


@pytest.mark.parametrize(
    ("entered", "sentence"),
    [
        ({"lowest": "5"}, "Grades go up: lowest is 5, highest 5. Change the scale."),
        ({"highest": "900"}, "A scale from 1 to 900 has more steps than a judge can tell apart."),
        ({"right_from": "9"}, "Answers count as right from grade 9, which is not above 1 and at most 5."),
        ({"examples": "0"}, "Examples must be at least 1, not 0."),
        ({"examples": "many"}, "Examples must be a whole number of at most 9 digits, not &#x27;many&#x27;."),
        ({"examples": "9" * 40}, "Examples must be a whole number of at most 9 digits, not"),
        ({"rubric": " "}, "The rubric is empty."),
        ({"judge": "gone"}, "gone is not on the shortlist any more."),
    ],
)
def test_what_is_wrong_is_a_sentence_and_queues_nothing(
    measured: Workbench, desk: Desk, entered: dict[str, str], sentence: str
) -> None:
    before = len(measured.jobs.all())
    with pytest.raises(gr.Error) as refused:
        press(measured, desk, **entered)
    assert sentence in refused.value.message
    assert len(measured.jobs.all()) == before


def test_the_form_says_what_would_leave_this_machine(measured: Workbench, tmp_path: Path) -> None:
    desk = Desk(tmp_path / "desk.json")
    options = EndpointOptions(base_url="https://judge.invalid/v1", allow_remote=True)
    desk.change(
        candidates=(CandidateDefinition(name="the judge", model="test/model", engine="endpoint", options=options),)
    )
    shown = judge.panels(measured, desk, "scripted")[0]
    assert "If test/model judges, examples, right answers" in shown
    assert "will leave this machine for judge.invalid." in shown
