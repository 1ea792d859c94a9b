"""Turns examples into requests: prompt templates, few-shot examples, labels. Knows no model and no chat template."""

from collections.abc import Mapping
from functools import cache

from jinja2 import StrictUndefined, Template, TemplateError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from runners.errors import BadTemplate
from runners.records import Example, Message, Request, TestSet, Workload

_ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)

_WARM_UP_TEXTS = (
    "The office is closed on public holidays and reopens on the next working day.",
    "A short list usually reads better than a long paragraph.",
    "Rain is expected in the north this afternoon, with sunshine later.",
)
"""Sent before latency is measured where a test set has no few-shot examples; never part of a test set."""


def example_request(test_set: TestSet, example: Example, workload: Workload, seed: int = 0) -> Request:
    """The request for one example, with the labels as choices. Raises BadTemplate."""
    messages: list[Message] = []
    system = _render(test_set.prompt.system, {"labels": list(test_set.labels)})
    if system:
        messages.append(Message(role="system", content=system))
    for shot in test_set.few_shot:
        messages.append(Message(role="user", content=_user(test_set, shot)))
        messages.append(Message(role="assistant", content=shot.target))
    messages.append(Message(role="user", content=_user(test_set, example)))
    return Request(
        id=example.id,
        messages=tuple(messages),
        answer_prefix=test_set.prompt.answer_prefix,
        choices=test_set.labels,
        max_output_tokens=workload.max_output_tokens,
        stop=workload.stop,
        temperature=workload.temperature,
        seed=seed,
    )


def warm_up_requests(test_set: TestSet, workload: Workload) -> tuple[Request, ...]:
    """Requests to run and leave out: like the measured ones, but none of them is an example of the test set."""
    shots = test_set.few_shot or tuple(
        Example(id=f"warm-up-{number}", inputs=dict.fromkeys(_columns(test_set), text), target="")
        for number, text in enumerate(_WARM_UP_TEXTS)
    )
    return tuple(
        example_request(test_set, shots[number % len(shots)], workload).model_copy(update={"id": f"warm-up-{number}"})
        for number in range(workload.warmup_prompts)
    )


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
        )
        for conversation in workload.conversations
    )


def _user(test_set: TestSet, example: Example) -> str:
    return _render(test_set.prompt.user, {**example.inputs, "labels": list(test_set.labels)})


def _columns(test_set: TestSet) -> tuple[str, ...]:
    return tuple(test_set.examples[0].inputs) if test_set.examples else ("text",)


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
