"""Turns examples into requests: prompt templates, few-shot examples, labels. Knows no model and no chat template."""

from collections.abc import Mapping
from functools import cache

from jinja2 import StrictUndefined, Template, TemplateError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from runners.errors import BadTemplate
from runners.records import JUDGED_KINDS, Message, Request, Workload
from runners.test_set_records import CHOICE_TASKS, LETTERS, Example, TestSet

_ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)

_NEUTRAL_TEXTS = (
    "The office is closed on public holidays and reopens on the next working day.",
    "A short list usually reads better than a long paragraph.",
    "Rain is expected in the north this afternoon, with sunshine later.",
)
"""Belong to no label of any test set and to no test set."""


def example_request(test_set: TestSet, example: Example, workload: Workload, seed: int = 0) -> Request:
    """The request for one example; for accuracy, with the answers to choose from. Raises BadTemplate."""
    messages: list[Message] = []
    system = _render(test_set.prompt.system, {**example.inputs, "labels": list(test_set.labels)})
    if system:
        messages.append(Message(role="system", content=system))
    for shot in test_set.few_shot:
        messages.append(Message(role="user", content=_user(test_set, shot)))
        messages.append(Message(role="assistant", content=_shown_answer(test_set, shot)))
    messages.append(Message(role="user", content=_user(test_set, example)))
    return Request(
        id=example.id,
        messages=tuple(messages),
        answer_prefix=test_set.prompt.answer_prefix,
        choices=choices_of(test_set, example) if chooses(test_set, workload) else (),
        max_output_tokens=workload.max_output_tokens,
        stop=workload.stop,
        temperature=workload.temperature,
        seed=seed,
        json_schema=workload.json_schema,
        grammar=workload.grammar,
        logprobs=workload.logprobs,
    )


def chooses(test_set: TestSet, workload: Workload) -> bool:
    """Whether the answers of a workload can only be labels or choices."""
    return workload.kind in JUDGED_KINDS and test_set.task in CHOICE_TASKS and workload.answers != "free"


def choices_of(test_set: TestSet, example: Example) -> tuple[str, ...]:
    """The answers to choose from: labels, or the example's choices, as their text or as letters."""
    if test_set.task == "classification":
        return test_set.labels
    return LETTERS[: len(example.choices)] if test_set.prompt.choices_as == "letters" else example.choices


def neutral_requests(test_set: TestSet, workload: Workload, count: int) -> tuple[Request, ...]:
    """Requests like the measured ones about texts that say nothing: for warming up and for calibration."""
    model = test_set.examples[0] if test_set.examples else Example(id="none", inputs={"text": ""}, target="")
    return tuple(
        example_request(test_set, _neutral(model, number).model_copy(update={"id": f"neutral-{number}"}), workload)
        for number in range(count)
    )


def neutral_request(test_set: TestSet, example: Example, workload: Workload) -> Request:
    """The request of one example, with its choices, about a text that says nothing."""
    return example_request(test_set, _neutral(example, 0), workload)


def _neutral(example: Example, number: int) -> Example:
    text = _NEUTRAL_TEXTS[number % len(_NEUTRAL_TEXTS)]
    passages = (text,) * len(example.passages)
    return example.model_copy(update={"inputs": dict.fromkeys(example.inputs, text), "passages": passages})


def conversation_requests(workload: Workload, seed: int) -> tuple[Request, ...]:
    """Requests of a `prompts` workload."""
    return tuple(
        Request(
            id=conversation.id,
            messages=conversation.messages,
            max_output_tokens=workload.max_output_tokens,
            stop=workload.stop,
            temperature=workload.temperature,
            seed=seed,
            json_schema=workload.json_schema,
            grammar=workload.grammar,
            logprobs=workload.logprobs,
        )
        for conversation in workload.conversations
    )


def render_text(template: str, values: Mapping[str, object]) -> str:
    """A template of ours or the user's in the sandbox. Raises BadTemplate."""
    return _render(template, values)


def _user(test_set: TestSet, example: Example) -> str:
    values = {"choices": list(example.choices), "passages": list(example.passages), "letters": list(LETTERS)}
    return _render(test_set.prompt.user, {**values, **example.inputs, "labels": list(test_set.labels)})


def _shown_answer(test_set: TestSet, shot: Example) -> str:
    """The answer of a few-shot example as the model is to give it."""
    if test_set.task == "multiple_choice" and shot.target in shot.choices:
        return choices_of(test_set, shot)[shot.choices.index(shot.target)]
    return shot.target


@cache
def _compile(template: str) -> Template:
    try:
        return _ENVIRONMENT.from_string(template)
    except TemplateError as error:
        raise BadTemplate(f"The prompt template {template!r} is not valid Jinja: {error}.") from error


def _render(template: str, values: Mapping[str, object]) -> str:
    try:
        return _compile(template).render(values)
    except UndefinedError as error:
        message = (
            f"The prompt template {template!r} uses a column that is not there: {error}. Columns: {', '.join(values)}."
        )
        raise BadTemplate(message) from error
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
        raise BadTemplate(f"The prompt template {template!r} does not render: {error}.") from error
