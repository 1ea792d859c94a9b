"""Examples of the test set as prompts: put together as the benchmark would ask them."""

import random

from results.head_to_head_records import RoundSource
from runners.prompts import example_request
from runners.records import Workload
from runners.test_set_records import Example, TestSet
from workbench.head_to_head.records import ListedPrompt
from workbench.report.text import visible
from workbench.service import Workbench
from workbench.steps import render
from workbench.steps.desk import Desk
from workbench.steps.draft_benchmark import benchmark_definition, candidates_at_hand
from workbench.steps.render import Html, tag

EVERY = "all examples"
_PREFIX_CHARACTERS = 80


def chosen_test_set(workbench: Workbench, desk: Desk) -> TestSet:
    """The desk's test set, else the demo's. Raises BadTestSet."""
    definition = benchmark_definition(workbench, desk, "head-to-head", candidates_at_hand(workbench, desk))
    return workbench.prepare_unsaved(definition).test_set


def prompt_of(test_set: TestSet, example: Example) -> ListedPrompt:
    """One example as the benchmark would ask it, but that nothing begins the answer; see without_prefix."""
    messages = example_request(test_set, example, Workload(kind="accuracy")).messages
    system = messages[0].content if messages[0].role == "system" else None
    return ListedPrompt(
        system=system,
        messages=messages if system is None else messages[1:],
        source=RoundSource(
            test_set_name=test_set.name,
            test_set_hash=test_set.content_hash,
            example_id=example.id,
            target=example.target,
            slices=example.slices,
        ),
    )


def without_prefix(test_set: TestSet) -> Html:
    """Says that examples are asked without the beginning of the answer that the benchmark gives; nothing without one.

    A chat server cannot be sent one, and candidates that were asked different things could not be compared.
    """
    prefix = test_set.prompt.answer_prefix
    if not prefix:
        return render.NOTHING
    return tag(
        "p",
        f"In a benchmark, answers to examples of {test_set.name} are begun with ",
        tag("code", visible(prefix[:_PREFIX_CHARACTERS])),
        ". Here they are not, because chat servers cannot begin an answer: answers may differ from the benchmark's.",
        class_="mind",
    )


def slices_of(test_set: TestSet) -> list[str]:
    """Every slice as `column: value`, with all examples first."""
    found = {f"{column}: {value}" for example in test_set.examples for column, value in example.slices.items()}
    return [EVERY, *sorted(found)]


def drawn(test_set: TestSet, count: int, *, which: str, seed: int) -> list[Example]:
    """So many examples of a slice, by the seed; fewer where it has no more."""
    fitting = [
        example
        for example in test_set.examples
        if which == EVERY or which in {f"{column}: {value}" for column, value in example.slices.items()}
    ]
    return random.Random(seed).sample(fitting, min(count, len(fitting)))
