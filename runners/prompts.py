"""Turns examples into requests: prompt templates, few-shot examples, labels. Knows no model and no chat template."""

from collections.abc import Mapping
from functools import cache

from jinja2 import StrictUndefined, Template, TemplateError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from runners.errors import BadTemplate
from runners.records import JUDGED_KINDS, Message, Request, Workload
from runners.test_set_records import Example, TestSet

_ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)

_NEUTRAL_TEXTS = (
    "The office is closed on public holidays and reopens on the next working day.",
    "A short list usually reads better than a long paragraph.",
    "Rain is expected in the north this afternoon, with sunshine later.",
)
"""Belong to no label of any test set and to no test set."""


def example_request(test_set: TestSet, example: Example, workload: Workload, seed: int = 0) -> Request:
    """The request for one example; for accuracy, with the labels as choices. Raises BadTemplate."""
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
        choices=test_set.labels if workload.kind in JUDGED_KINDS and workload.answers != "free" else (),
        max_output_tokens=workload.max_output_tokens,
        stop=workload.stop,
        temperature=workload.temperature,
        seed=seed,
        json_schema=workload.json_schema,
        grammar=workload.grammar,
        logprobs=workload.logprobs,
    )


def neutral_requests(test_set: TestSet, workload: Workload, count: int) -> tuple[Request, ...]:
    """Requests like the measured ones about texts that say nothing: for warming up and for calibration."""
    columns = test_set.examples[0].inputs if test_set.examples else ("text",)
    return tuple(
        example_request(
            test_set,
            Example(
                id=f"neutral-{number}",
                inputs=dict.fromkeys(columns, _NEUTRAL_TEXTS[number % len(_NEUTRAL_TEXTS)]),
                target="",
            ),
            workload,
        )
        for number in range(count)
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
    return _render(test_set.prompt.user, {**example.inputs, "labels": list(test_set.labels)})


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
