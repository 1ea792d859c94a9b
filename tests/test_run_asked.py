"""Step Run: what was chosen in the step Test set is what is measured, until the step Run says otherwise."""

from pathlib import Path

import pytest

from runners.scorer_options import ContainsOptions, LabelMatchOptions
from workbench.service import Workbench
from workbench.settings import read_settings
from workbench.steps.desk import Desk
from workbench.steps.draft_benchmark import demo_test_set
from workbench.steps.run import handlers
from workbench.steps.run.asked import asked_benchmark, take_benchmark
from workbench.steps.test_set import prompts


@pytest.fixture
def workbench(tmp_path: Path) -> Workbench:
    return Workbench(read_settings(tmp_path / "home"))


@pytest.fixture
def desk(workbench: Workbench) -> Desk:
    made = Desk()
    labels = ("delivery", "returns", "billing", "account", "product", "cancellation")
    made.change(test_set=demo_test_set(workbench), labels=labels)
    return made


def names(workbench: Workbench, desk: Desk) -> list[str]:
    """The prompts that would be measured."""
    return [prompt.name for prompt in asked_benchmark(workbench, desk, "mine").prompts]


def test_prompts_that_are_compared_in_the_step_test_set_are_measured(workbench: Workbench, desk: Desk) -> None:
    prompts.add(workbench, desk, prompts.ONLY)
    assert names(workbench, desk) == [prompts.ONLY, "B"]
    assert "the 2 prompts of the step Test set are compared" in handlers._prompts(desk)


def test_prompts_that_are_added_in_the_step_run_come_instead(workbench: Workbench, desk: Desk) -> None:
    handlers.add_prompt(workbench, desk, "short")
    assert names(workbench, desk) == ["short"]
    prompts.add(workbench, desk, prompts.ONLY)
    assert names(workbench, desk) == ["short"]


def test_scorers_of_the_step_test_set_are_used_until_the_step_run_names_others(
    workbench: Workbench, desk: Desk
) -> None:
    desk.change(scorers=(ContainsOptions(), LabelMatchOptions()))
    asked = asked_benchmark(workbench, desk, "mine")
    assert [options.scorer for options in asked.scorers or ()] == ["contains", "label_match"]
    desk.change(run=desk.draft.run.model_copy(update={"scorers": ("label_match",)}))
    asked = asked_benchmark(workbench, desk, "mine")
    assert asked.scorers is None, "label_match alone is what is usual for the task"


def test_a_benchmark_file_takes_the_place_of_both(workbench: Workbench, desk: Desk) -> None:
    prompts.add(workbench, desk, prompts.ONLY)
    desk.change(scorers=(ContainsOptions(), LabelMatchOptions()))
    definition, folder = workbench.demo_definition()
    take_benchmark(desk, definition, folder)
    asked = asked_benchmark(workbench, desk, "again")
    assert (asked.prompts, asked.scorers) == (definition.prompts, definition.scorers)
    assert asked.prompt == definition.prompt
