"""What the page of the step Head-to-head says before anything is asked: which prompts go where, and what they lack."""

from pathlib import Path

import gradio as gr
import pytest

from runners.engine_options import EndpointOptions
from runners.test_set_records import PromptTemplate
from tests.making import make_test_set
from tests.test_head_to_head import scripted
from workbench.records import CandidateDefinition
from workbench.service import Workbench
from workbench.settings import Settings
from workbench.steps.desk import Desk
from workbench.steps.draft_benchmark import demo_test_set
from workbench.steps.head_to_head import list_handlers
from workbench.steps.head_to_head.examples import prompt_of, without_prefix
from workbench.steps.head_to_head.leaving import leaving


@pytest.fixture
def app(tmp_path: Path) -> Workbench:
    """A data directory with nothing in it."""
    return Workbench(Settings(home=tmp_path))


def served(name: str, address: str, *, allow_remote: bool = False) -> CandidateDefinition:
    options = EndpointOptions(base_url=address, model="gpt-<b>", allow_remote=allow_remote)
    return CandidateDefinition(name=name, model="x/y", engine="endpoint", options=options)


def test_prompts_that_leave_this_machine_are_announced_with_host_and_model(app: Workbench) -> None:
    desk = Desk()
    far = served("far", "https://api.example.com/v1", allow_remote=True)
    near = served("near", "http://localhost:11434/v1")
    barred = served("barred", "https://other.example.com/v1")
    desk.change(candidates=(far, near, barred, scripted("a").definition))
    ask, lists = leaving(app, desk, ["far", "near"])
    assert ask == lists
    assert "Every prompt will leave this machine for api.example.com (for gpt-&lt;b&gt;)" in ask
    assert "(allow_remote)" in ask
    assert "other.example.com" not in ask, "only chosen candidates are asked"
    assert "No prompt leaves this machine: http://localhost:11434/v1 is on it." in leaving(app, desk, ["near", "a"])[0]
    refused = leaving(app, desk, ["barred", "near"])[0]
    assert "https://other.example.com/v1 is another machine, and its options do not allow it" in refused
    assert "No prompt leaves" not in refused
    assert leaving(app, desk, ["a"]) == ("", "")


def test_examples_whose_answers_a_benchmark_begins_are_said_to_lack_that(app: Workbench) -> None:
    prompt = PromptTemplate(user="{{ text }}", answer_prefix="<b>Label:")
    begun = make_test_set(2).model_copy(update={"prompt": prompt})
    assert "are begun with <code>&lt;b&gt;Label:</code>. Here they are not" in without_prefix(begun)
    asked = prompt_of(begun, begun.examples[0]).messages
    assert "Label:" not in " ".join(each.content for each in asked)
    desk, request = Desk(), gr.Request(query_params={})
    _, ask, lists, *_ = list_handlers.restore(app, desk, request)
    assert ask == lists == "", "the demo's prompt begins no answer"
    demo, _ = app.demo_definition()
    desk.change(test_set=demo_test_set(app), task=demo.task, labels=demo.labels, scorers=demo.scorers, prompt=prompt)
    _, ask, lists, *_ = list_handlers.restore(app, desk, request)
    assert "Label:</code>" in ask
    assert ask == lists
