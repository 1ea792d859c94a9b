"""What is usual for each task: the prompt, the scorers, the length of answers. A benchmark file may say otherwise."""

import json
from collections.abc import Sequence

from runners.records import Workload
from runners.scorer_options import (
    ChoiceMatchOptions,
    ExactMatchOptions,
    JsonFieldsOptions,
    LabelMatchOptions,
    ScorerOptions,
    TokenF1Options,
)
from runners.test_set_records import Example, PromptTemplate, Task
from runners.text_scorer_options import (
    AbstentionOptions,
    ChrfOptions,
    CitationsOptions,
    GroundednessOptions,
    RougeOptions,
)

USUAL_SCORERS: dict[Task, tuple[ScorerOptions, ...]] = {
    "classification": (LabelMatchOptions(),),
    "extraction": (JsonFieldsOptions(),),
    "short_answer": (ExactMatchOptions(), TokenF1Options()),
    "multiple_choice": (ChoiceMatchOptions(),),
    "free_text": (ChrfOptions(), RougeOptions()),
    "context_question": (
        TokenF1Options(),
        ExactMatchOptions(),
        GroundednessOptions(),
        CitationsOptions(),
        AbstentionOptions(),
    ),
}
"""Scorers where none are named; the first stands for quality."""

_OUTPUT_TOKENS: dict[Task, int] = {
    "extraction": 512,
    "short_answer": 64,
    "free_text": 512,
    "context_question": 256,
}
"""Most tokens of an answer where the workload does not say; other tasks have the workload's own default."""

_MOST_KEYS = 40
"""Keys of the targets that the plain extraction prompt names."""


def usual_prompt(task: Task, text_column: str, examples: Sequence[Example]) -> PromptTemplate:
    """A plain prompt for the task over one column."""
    text = "{{ " + text_column + " }}"
    match task:
        case "classification":
            return PromptTemplate(
                system="Sort the text into one category. Answer with one of: {{ labels | join(', ') }}.",
                user=f"Text: {text}\nCategory:",
            )
        case "multiple_choice":
            return PromptTemplate(
                user=f"{text}\n"
                "{% for choice in choices %}{{ letters[loop.index0] }}. {{ choice }}\n{% endfor %}Answer:",
                choices_as="letters",
            )
        case "extraction":
            keys = ", ".join(_keys(examples)) or "those that the text gives"
            return PromptTemplate(
                system=f"Extract the facts from the text. Answer with one JSON object and nothing else. Keys: {keys}.",
                user=f"Text: {text}\nJSON:",
            )
        case "short_answer":
            return PromptTemplate(
                system="Answer in as few words as possible, without a sentence around them.",
                user=f"Question: {text}\nAnswer:",
            )
        case "context_question":
            return PromptTemplate(
                system="Answer the question from the passages alone and name those you use, like [1]. If they do not "
                "hold the answer, say: I don't know.",
                user="{% for passage in passages %}[{{ loop.index }}] {{ passage }}\n{% endfor %}\n"
                f"Question: {text}\nAnswer:",
            )
        case "free_text":
            return PromptTemplate(user=text)


def usual_workload(workload: Workload, task: Task) -> Workload:
    """The workload with room for the task's answers, where it does not say how much."""
    if "max_output_tokens" in workload.model_fields_set or workload.synthetic is not None:
        return workload
    tokens = _OUTPUT_TOKENS.get(task)
    return workload if tokens is None else workload.model_copy(update={"max_output_tokens": tokens})


def _keys(examples: Sequence[Example]) -> list[str]:
    """Keys of the targets, in the order they first appear."""
    keys: dict[str, None] = {}
    for example in examples:
        try:
            target = json.loads(example.target)
        except ValueError:
            continue
        if isinstance(target, dict):
            keys |= dict.fromkeys(map(str, target))
    return list(keys)[:_MOST_KEYS]
