"""Prompts of the step Test set: one or several templates, the examples shown, and exactly what a model receives.

One prompt is the usual case. With several, each has a name, and a benchmark measures every candidate with each of them.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
from pydantic import ValidationError

from catalog.errors import WorkbenchError
from runners.errors import BadTemplate
from runners.prompts import example_request
from runners.records import Workload
from runners.test_set_records import PromptTemplate, TestSet
from workbench.candidates import candidate_name
from workbench.records import NamedPrompt
from workbench.report.text import visible
from workbench.sentences import refusal
from workbench.service import Workbench
from workbench.steps import render
from workbench.steps.desk import Desk
from workbench.steps.draft_benchmark import benchmark_definition, candidates_at_hand
from workbench.steps.render import Html, tag
from workbench.steps.test_set import view
from workbench.steps.test_set.opened import Opened, keep_upload, look
from workbench.task_defaults import usual_prompt

ONLY = "A"
"""What the one prompt is called until there is another."""
OUTPUTS = 11
"""How many values `values` gives."""
CHOICES = (("the first of the file", "first"), ("any", "random"), ("as many of each answer", "balanced"))
"""How few-shot examples are chosen, in words."""
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_EXAMPLES_TO_PREVIEW = 200


def values(workbench: Workbench, desk: Desk, opened: Opened | None, chosen: str | None = None) -> tuple[Any, ...]:
    """Which prompt, its name and texts; what can be previewed; examples shown; what the texts make of an example."""
    names = [prompt.name for prompt in desk.draft.prompts] or [ONLY]
    name = chosen if chosen in names else names[0]
    prompt = _prompt(desk, opened, name)
    candidates = [candidate_name(item) for item in candidates_at_hand(workbench, desk)]
    examples = [example.id for example in opened.examples[:_EXAMPLES_TO_PREVIEW]] if opened is not None else []
    test_set = desk.draft.test_set
    shown = test_set.few_shot if test_set is not None else None
    return (
        gr.Radio(choices=names, value=name),
        gr.Textbox(value=name, visible=len(names) > 1),
        prompt.system,
        prompt.user,
        prompt.answer_prefix,
        gr.Dropdown(choices=candidates, value=candidates[0] if candidates else None),
        gr.Dropdown(choices=examples, value=examples[0] if examples else None),
        gr.Number(value=test_set.few_shot_count if test_set is not None else None, visible=shown is not None),
        gr.Dropdown(
            choices=list(CHOICES),
            value=test_set.few_shot_choice if test_set is not None else "first",
            visible=shown is not None,
        ),
        _few_shot_note(shown),
        rendered(desk, opened, prompt),
    )


def choose(workbench: Workbench, desk: Desk, name: str) -> tuple[Any, ...]:
    """Show another prompt."""
    return values(workbench, desk, look(workbench, desk, check="never"), name)


def add(workbench: Workbench, desk: Desk, name: str) -> tuple[Any, ...]:
    """Add a prompt that begins as a copy of the one that is shown."""
    opened = look(workbench, desk, check="never")
    template = _prompt(desk, opened, name)
    prompts = desk.draft.prompts or (_named(ONLY, template),)
    taken = {prompt.name for prompt in prompts}
    free = next((letter for letter in _LETTERS if letter not in taken), None)
    if free is None:
        raise refusal(f"{len(prompts)} prompts are as many as can be compared here.")
    desk.revise(lambda draft: {"prompts": (*(draft.prompts or prompts), _named(free, template))})
    return values(workbench, desk, opened, free)


def remove(workbench: Workbench, desk: Desk, name: str) -> tuple[Any, ...]:
    """Remove the prompt that is shown; the last one stays."""
    left = tuple(prompt for prompt in desk.draft.prompts if prompt.name != name)
    if not left:
        raise refusal("One prompt has to stay. Change its text instead.")
    desk.change(prompts=left if len(left) > 1 else (), prompt=left[0].template)
    return values(workbench, desk, look(workbench, desk, check="never"))


def rename(workbench: Workbench, desk: Desk, name: str, new: str) -> tuple[Any, ...]:
    """Give a prompt another name; it stands behind the candidate's in every table."""
    wanted = new.strip()
    others = {prompt.name for prompt in desk.draft.prompts} - {name}
    if not wanted or wanted in others:
        raise refusal("A prompt needs a name that no other prompt has.")
    _replace(desk, name, lambda template: _named(wanted, template))
    return values(workbench, desk, look(workbench, desk, check="never"), wanted)


def keep_prompt(workbench: Workbench, desk: Desk, *asked: Any) -> Html:
    """Keep the prompt as it is typed; gives what it makes of the example, or what is wrong with it."""
    name, system, user, prefix, example = asked
    opened = look(workbench, desk, check="never")
    before = _prompt(desk, opened, name)
    template = PromptTemplate(system=system, user=user, answer_prefix=prefix, choices_as=before.choices_as)
    if template != before:
        if desk.draft.prompts:
            _replace(desk, name, lambda _: _named(name, template))
        else:
            desk.change(prompt=template)
    return rendered(desk, opened, template, example)


def preview(workbench: Workbench, desk: Desk, *asked: Any) -> str:
    """Exactly what one candidate receives for one example: its chat template applied, its tokens counted."""
    name, system, user, prefix, example, chosen = asked
    keep_prompt(workbench, desk, name, system, user, prefix, example)
    if desk.draft.test_set is None:
        raise refusal("Choose a test set first.")
    candidates = {candidate_name(item): item for item in candidates_at_hand(workbench, desk)}
    if chosen not in candidates:
        raise refusal("Choose a candidate to preview.")
    definition = benchmark_definition(workbench, desk, "draft", (candidates[chosen],))
    prepared = workbench.prepare(definition, Path())
    named = next((each for each in definition.prompts if each.name == name), None)
    return view.preview_panel(workbench.preview_prompt(prepared, candidates[chosen], example, named))


def show_examples(workbench: Workbench, desk: Desk, folder: Path, upload: str | None) -> tuple[Any, ...]:
    """Show these examples in the prompt, before the one that is asked; None shows none."""
    test_set = desk.draft.test_set
    if test_set is None:
        raise refusal("Choose a test set first; the examples shown are read as it is.")
    path = str(keep_upload(Path(upload), folder)) if upload else None
    before = desk.draft.test_set
    desk.change(test_set=test_set.model_copy(update={"few_shot": path}))
    try:
        opened = look(workbench, desk)
    except WorkbenchError:
        desk.change(test_set=before)
        raise
    return values(workbench, desk, opened)


def choose_examples(desk: Desk, count: float | None, choice: str) -> None:
    """How many of the examples are shown, and which."""
    test_set = desk.draft.test_set
    if test_set is not None and test_set.few_shot is not None:
        many = None if count is None else max(0, int(count))
        desk.change(test_set=test_set.model_copy(update={"few_shot_count": many, "few_shot_choice": choice}))


def rendered(desk: Desk, opened: Opened | None, template: PromptTemplate, example_id: str | None = None) -> Html:
    """The conversation that the template makes of an example, before any model's chat template; or what is wrong."""
    if opened is None or not opened.examples:
        return render.join(render.notice("info", "With an example, this shows what the template makes of it."))
    example = next((each for each in opened.examples if each.id == example_id), opened.examples[0])
    test_set = TestSet(name="draft", task=desk.draft.task, labels=opened.labels, examples=(example,), prompt=template)
    try:
        request = example_request(test_set, example, Workload(kind="accuracy"))
    except BadTemplate as error:
        return render.notice("failure", tag("p", visible(str(error))))
    said = [
        tag("div", tag("b", message.role), render.untrusted(message.content, limit=6_000), class_="ts-message")
        for message in request.messages
    ]
    if request.answer_prefix:
        said.append(tag("div", tag("b", "assistant, begun"), render.untrusted(request.answer_prefix)))
    return tag("div", tag("h3", f"Of {example.id} it makes"), said)


EMPTY_PREVIEW = render.tag(
    "div", render.empty("No preview yet", "Choose a candidate and an example, then press Preview.")
)
"""Before the first preview."""


def _prompt(desk: Desk, opened: Opened | None, name: str | None) -> PromptTemplate:
    """The prompt of that name; without several, the one, else the usual one of the task."""
    named = next((prompt for prompt in desk.draft.prompts if prompt.name == name), None)
    if named is not None:
        return named.template
    if desk.draft.prompt is not None:
        return desk.draft.prompt
    if opened is None:
        return PromptTemplate()
    return usual_prompt(desk.draft.task, opened.checked.file.columns.text, opened.checked.file.examples)


def _replace(desk: Desk, name: str, change: Callable[[PromptTemplate], NamedPrompt]) -> None:
    """Put another prompt in the place of the one of this name."""
    desk.revise(
        lambda draft: {"prompts": tuple(change(each.template) if each.name == name else each for each in draft.prompts)}
    )


def _named(name: str, template: PromptTemplate) -> NamedPrompt:
    try:
        return NamedPrompt(name=name, **template.model_dump())
    except ValidationError as error:
        raise refusal("A prompt needs a name.") from error


def _few_shot_note(path: str | None) -> Html:
    if path is None:
        return tag("p", "No examples are shown. They are a file of the same shape as the test set.", class_="quiet")
    return tag("p", "Shown before each question: ", render.untrusted(Path(path).name, name="span"), class_="quiet")
