"""Scorers of the step Test set: which there are for a task, what they mean, which are chosen and with what options.

Options are read off the scorers' records, so a new option needs no line here. Scores with a function of one's own are a
matter of benchmark files, because a page shall not name code that runs.
"""

import json
from collections.abc import Sequence
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from runners.scorer_options import ScorerOptions
from runners.test_set_records import Task
from workbench.sentences import refusal
from workbench.steps import render
from workbench.steps.desk import Desk
from workbench.steps.render import Html, tag
from workbench.task_defaults import USUAL_SCORERS

_ADAPTER: TypeAdapter[Any] = TypeAdapter(ScorerOptions)
_RULES = ("length", "forbidden_words", "regex")
SCORERS: dict[Task, tuple[str, ...]] = {
    "classification": ("label_match", "regex"),
    "multiple_choice": ("choice_match",),
    "extraction": ("json_fields", "json_schema"),
    "short_answer": ("exact_match", "token_f1", "numeric", "contains", *_RULES),
    "free_text": ("chrf", "rouge", "bleu", *_RULES),
    "context_question": ("token_f1", "exact_match", "groundedness", "citations", "abstention", "contains", *_RULES),
}
"""Scorers that say something about a task's answers; rules stand beside."""
_BEGINNINGS: dict[str, dict[str, object]] = {
    "length": {"max_words": 100},
    "forbidden_words": {"words": ["as an AI language model"]},
    "regex": {"pattern": r"(\w+)\W*$"},
}
"""What a scorer begins with that cannot be without an option."""
_HIDDEN = {"scorer", "name", "json_schema"}


def chosen_scorers(desk: Desk) -> tuple[Any, ...]:
    """The scorers on the desk, else those that are usual; the first stands for quality."""
    return desk.draft.scorers or USUAL_SCORERS[desk.draft.task]


def scoring_panel(desk: Desk) -> Html:
    """Every scorer of the task: what it means, whether it is used, its options."""
    chosen = {options.scorer: options for options in chosen_scorers(desk)}
    names = (*chosen, *(name for name in SCORERS[desk.draft.task] if name not in chosen))
    first = next(iter(chosen))
    usual = desk.draft.scorers is None
    return tag(
        "div",
        render.heading("Scorers", "what is usual for the task" if usual else "as you chose them"),
        tag("p", "The first metric of the scorer that stands for quality decides the ranking.", class_="quiet"),
        [_scorer(name, chosen.get(name), is_first=name == first, alone=len(chosen) == 1) for name in names],
        None if usual else render.action("Take the usual ones again", "scorer-usual", class_="button"),
        class_="card ts-root ts-scorers",
    )


def use_scorer(desk: Desk, name: str, *, used: bool) -> None:
    """Use a scorer beside the others, or no more."""
    chosen = [options for options in chosen_scorers(desk) if options.scorer != name]
    if used:
        chosen.append(_made({"scorer": name, **_BEGINNINGS.get(name, {})}))
    if not chosen:
        raise refusal("One scorer has to stay: answers without a score cannot be compared.")
    desk.change(scorers=tuple(chosen))


def put_first(desk: Desk, name: str) -> None:
    """Let a scorer stand for quality."""
    chosen = chosen_scorers(desk)
    desk.change(scorers=tuple(sorted(chosen, key=lambda options: options.scorer != name)))


def set_option(desk: Desk, name: str, option: str, text: str) -> None:
    """Set one option of a scorer that is used. Raises gr.Error for what it cannot be."""
    changed = []
    for options in chosen_scorers(desk):
        if options.scorer == name and option in type(options).model_fields:
            value = _value(type(options).model_fields[option], text)
            content = options.model_dump(mode="json", exclude_defaults=True) | {"scorer": name, option: value}
            changed.append(_made(content))
        else:
            changed.append(options)
    desk.change(scorers=tuple(changed))


def _made(content: dict[str, object]) -> Any:
    try:
        return _ADAPTER.validate_python(content)
    except ValidationError as error:
        said = "; ".join(each["msg"].removeprefix("Value error, ") for each in error.errors())
        raise refusal(f"{content['scorer']}: {said}. Nothing was changed.") from error


def _value(field: FieldInfo, text: str) -> object:
    """What was typed as the option's record takes it."""
    kinds = _kinds(field)
    literals = [option for kind in kinds if get_origin(kind) is Literal for option in get_args(kind)]
    if literals:
        return next((option for option in literals if str(option) == text), text)
    if any(get_origin(kind) is tuple for kind in kinds):
        return [line.strip() for line in text.splitlines() if line.strip()]
    if any(get_origin(kind) is dict for kind in kinds):
        try:
            return json.loads(text or "{}")
        except ValueError as error:
            raise refusal(f'Write JSON such as {{"number": "exact"}}: {error}.') from error
    return None if not text.strip() and type(None) in kinds else text


def _kinds(field: FieldInfo) -> tuple[Any, ...]:
    kind = field.annotation
    return get_args(kind) if get_origin(kind) in {Union, UnionType} else (kind,)


def _scorer(name: str, options: Any, *, is_first: bool, alone: bool) -> Html:
    record = type(options) if options is not None else _record(name)
    used = options is not None
    title = tag(
        "label",
        tag("input", type="checkbox", checked=used, disabled=used and alone, data_edit="scorer-use", data_value=name),
        tag("b", f" {name.replace('_', ' ')}"),
    )
    quality = None
    if is_first:
        quality = render.badge("allowed", "★", "stands for quality")
    elif used:
        quality = render.action("Let it stand for quality", "scorer-first", name, class_="chip")
    fields = [
        _option(name, option, field, getattr(options, option))
        for option, field in record.model_fields.items()
        if used and option not in _HIDDEN
    ]
    return tag(
        "section",
        tag("div", title, quality, class_="panel-head"),
        tag("p", (record.__doc__ or "").strip(), class_="quiet"),
        tag("div", fields, class_="ts-fields") if fields else None,
        aria_label=name.replace("_", " "),
        class_="ts-scorer",
    )


def _record(name: str) -> Any:
    records = get_args(get_args(ScorerOptions)[0])
    return next(record for record in _flat(records) if record.model_fields["scorer"].default == name)


def _flat(kinds: Sequence[Any]) -> list[Any]:
    """The records in a union, however it is wrapped."""
    return [each for kind in kinds for each in (get_args(kind) if get_origin(kind) in {Union, UnionType} else (kind,))
            if hasattr(each, "model_fields")]  # fmt: skip


def _option(scorer: str, option: str, field: FieldInfo, value: Any) -> Html:
    kinds = _kinds(field)
    named = {"data_edit": "scorer-option", "data_value": f"{scorer} {option}"}
    literals = [each for kind in kinds if get_origin(kind) is Literal for each in get_args(kind)]
    if literals:
        control = tag(
            "select", [tag("option", str(each), value=str(each), selected=each == value) for each in literals], **named
        )
    elif bool in kinds:
        control = tag("input", type="checkbox", checked=bool(value), **named)
    elif any(get_origin(kind) is tuple for kind in kinds):
        control = tag("textarea", "\n".join(value), rows=2, placeholder="one per line", **named)
    elif any(get_origin(kind) is dict for kind in kinds):
        control = tag("textarea", json.dumps(value, ensure_ascii=False), rows=1, **named)
    else:
        number = int in kinds or float in kinds
        control = tag(
            "input",
            type="number" if number else "text",
            step="any" if float in kinds else None,
            value="" if value is None else str(value),
            **named,
        )
    hint = tag("small", (field.description or "").replace("\n", " "), class_="quiet")
    return tag("label", tag("span", option.replace("_", " ")), control, hint)
