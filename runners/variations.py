"""The requests of a robustness workload: each example as it is, with every perturbation, and again at a temperature.

Decides what is changed and by which chance; how a text is changed stands in perturbations.py. The same test set,
workload and seed give the same requests. Sends nothing.
"""

import random
from collections.abc import Sequence
from typing import NamedTuple

from runners.perturbations import other_case, reordered, reword, typos, white_space
from runners.prompts import example_request
from runners.records import Perturbation, Request, RunSpec, Workload
from runners.test_set_records import Example, PromptTemplate, TestSet

ORIGINAL = "original"
"""Name of the variation that leaves everything as it is: what the others are held against."""
REPEAT = "repeat-"
"""How the names of repeated answers begin."""
_REWORDINGS = 3
"""Other wordings of an instruction that are made where the workload brings none."""


class Varied(NamedTuple):
    """One request with what was changed."""

    request: Request
    example: Example
    """The example as it is shown: its scorers must know the choices in their order."""


class Variation(NamedTuple):
    """One way to ask, with all its requests."""

    name: str
    workload: Workload
    """The workload as it holds for these requests: greedy, or generated at its temperature."""
    asked: tuple[Varied, ...]


def variations(test_set: TestSet, workload: Workload, seed: int) -> tuple[Variation, ...]:
    """Every way the workload asks, the unchanged one first. Raises BadTemplate.

    Perturbed requests are greedy, so that what changes an answer is the perturbation alone. An example that a
    perturbation leaves as it is (a text without letters, a single label) is not asked again under its name.
    """
    chosen = _drawn(test_set.examples, workload.examples, seed)
    greedy = workload.model_copy(update={"temperature": 0.0})
    plain = [example_request(test_set, example, greedy, seed) for example in chosen]
    found = [Variation(ORIGINAL, greedy, tuple(map(_named(ORIGINAL), plain, chosen)))]
    for name in dict.fromkeys(workload.perturbations):
        changed = [_perturbed(name, test_set, example, greedy, seed) for example in chosen]
        differing = [new for new, old in zip(changed, plain, strict=True) if new.request.messages != old.messages]
        named = _named(name)
        found.append(Variation(name, greedy, tuple(named(each.request, each.example) for each in differing)))
    if workload.temperature > 0:
        # A label with the highest probability is the same every time: what can differ is a label that is sampled.
        sampled = workload.model_copy(update={"answers": "held"}) if workload.answers == "scored" else workload
        for number in range(1, workload.repeats + 1):
            requests = [example_request(test_set, example, sampled, seed + number) for example in chosen]
            name_of = _named(f"{REPEAT}{number}")
            found.append(Variation(f"{REPEAT}{number}", sampled, tuple(map(name_of, requests, chosen))))
    return tuple(found)


def as_shown(spec: RunSpec, example: Example, variation: str) -> Example:
    """An example as one variation of a run's robustness workload showed it, without asking which were drawn."""
    workload = next(workload for workload in spec.workloads if workload.kind == "robustness")
    for name in workload.perturbations:
        if name == variation:
            return _perturbed(name, spec.asked, example, workload, spec.seed).example
    return example


class _named:  # noqa: N801  reads as a function: _named("typos")(request, example)
    """Gives requests ids that are unique in the workload."""

    def __init__(self, variation: str) -> None:
        self._variation = variation

    def __call__(self, request: Request, example: Example) -> Varied:
        return Varied(request.model_copy(update={"id": f"{self._variation}:{example.id}"}), example)


def _drawn(examples: Sequence[Example], count: int | None, seed: int) -> tuple[Example, ...]:
    """So many of the examples, in their order."""
    if count is None or count >= len(examples):
        return tuple(examples)
    places = sorted(random.Random(f"{seed} examples").sample(range(len(examples)), count))
    return tuple(examples[place] for place in places)


def _perturbed(name: Perturbation, test_set: TestSet, example: Example, workload: Workload, seed: int) -> Varied:
    chance = random.Random(f"{seed} {name} {example.id}")
    kept = (*test_set.labels, *example.choices, *example.targets)
    match name:
        case "typos" | "case" | "whitespace":
            example = example.model_copy(
                update={
                    "inputs": {
                        column: _changed(name, text, chance, kept, workload.typo_rate)
                        for column, text in example.inputs.items()
                    }
                }
            )
        case "paraphrase":
            prompts = workload.paraphrases or _rewordings(test_set.prompt, test_set.labels, seed)
            test_set = test_set.model_copy(update={"prompt": chance.choice(prompts)})
        case "label_order":
            test_set = test_set.model_copy(update={"labels": reordered(test_set.labels, chance)})
            example = example.model_copy(update={"choices": reordered(example.choices, chance)})
        case "shot_order":
            test_set = test_set.model_copy(update={"few_shot": reordered(test_set.few_shot, chance)})
    return Varied(example_request(test_set, example, workload, seed), example)


def _changed(
    name: Perturbation, text: str, chance: random.Random, kept: Sequence[str], rate: float
) -> str:  # fmt: skip
    if name == "typos":
        return typos(text, chance, kept, rate)
    return other_case(text, chance, kept) if name == "case" else white_space(text, chance, kept)


def _rewordings(prompt: PromptTemplate, labels: Sequence[str], seed: int) -> tuple[PromptTemplate, ...]:
    """Other wordings of a prompt; the prompt itself where no phrase in it has one."""
    return tuple(
        prompt.model_copy(
            update={
                "system": reword(prompt.system, random.Random(f"{seed} system {number}"), labels),
                "user": reword(prompt.user, random.Random(f"{seed} user {number}"), labels),
            }
        )
        for number in range(_REWORDINGS)
    )
