"""Renders a conversation as the text a model was trained on, with the chat template that its file carries.

Templates come from model files and are untrusted: they run in Jinja's immutable sandbox, without access to anything.
Does not tokenize.
"""

import datetime
import json
from collections.abc import Sequence
from functools import cache
from typing import Any, NoReturn

from jinja2 import Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from catalog.records import Record
from runners.errors import BadTemplate
from runners.records import Message


class _TemplateRefusal(Exception):
    """A template called raise_exception."""


class Rendered(Record):
    """A conversation as text, up to the point where the answer begins."""

    text: str
    """The prompt."""
    separator: str
    """What must stand between the prompt and the answer: a space in plain text, nothing in a chat template."""
    messages: tuple[Message, ...]
    """The turns as the template took them."""

    def begun(self, answer_prefix: str) -> "Rendered":
        """The same with the beginning of the answer behind it; as it is where there is none."""
        if not answer_prefix:
            return self
        return self.model_copy(update={"text": self.text + self.separator + answer_prefix, "separator": ""})


def render_conversation(
    messages: Sequence[Message],
    template: str | None,
    *,
    bos_token: str = "",
    eos_token: str = "",
    enable_thinking: bool | None = None,
) -> Rendered:
    """Text of the conversation with the answer left open.

    `enable_thinking` is what templates of models that can think know by this name (Qwen3, GLM) or as `thinking`
    (DeepSeek, Granite); None leaves it to the template.

    Without a template (a base model) the turns stand below each other as plain text. A template that refuses a
    system turn gets its text at the head of the first user turn, as the makers of such models advise.
    Raises BadTemplate with the template's own words.
    """
    if template is None:
        return Rendered(text=_plain_text(messages), separator=" ", messages=tuple(messages))
    try:
        text = _compile(template).render(
            messages=[{"role": message.role, "content": message.content} for message in messages],
            add_generation_prompt=True,
            bos_token=bos_token,
            eos_token=eos_token,
            **({} if enable_thinking is None else {"enable_thinking": enable_thinking, "thinking": enable_thinking}),
        )
    except _TemplateRefusal as refusal:
        if messages[0].role != "system" or len(messages) < 2:
            message = f"The model's chat template refuses this conversation: {refusal}. Change the prompt template."
            raise BadTemplate(message) from refusal
        merged = Message(role="user", content=f"{messages[0].content}\n\n{messages[1].content}")
        return render_conversation(
            (merged, *messages[2:]),
            template,
            bos_token=bos_token,
            eos_token=eos_token,
            enable_thinking=enable_thinking,
        )
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        message = (
            f"The model's chat template does not render: {error}. "
            "The file may be damaged; try another quantization or an updated upload of the model."
        )
        raise BadTemplate(message) from error
    return Rendered(text=text, separator="", messages=tuple(messages))


@cache
def _compile(template: str) -> Template:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _refuse
    environment.globals["strftime_now"] = _now
    return environment.from_string(template)


def _plain_text(messages: Sequence[Message]) -> str:
    parts: list[str] = []
    for message in messages:
        if message.role == "assistant":
            parts[-1:] = [f"{parts[-1]} {message.content}" if parts else message.content]
        else:
            parts.append(message.content)
    return "\n\n".join(parts)


def _refuse(message: str) -> NoReturn:
    raise _TemplateRefusal(message)


def _now(format: str) -> str:  # noqa: A002  the templates call it with this name
    return datetime.datetime.now().astimezone().strftime(format)


def _to_json(value: Any, indent: int | None = None, **_: Any) -> str:
    # Jinja's own tojson escapes for HTML; chat templates expect plain JSON.
    return json.dumps(value, indent=indent, ensure_ascii=False)
