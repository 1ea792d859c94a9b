"""Free prompts of the step Head-to-head: ask, watch, stop, ask again, go on, vote, save an example.

A page knows the id of the round that it shows and nothing else; everything is read from the service.
"""

import random
from typing import Any

import gradio as gr

from catalog.errors import WorkbenchError
from results.errors import UnknownHeadToHead
from results.head_to_head_records import Outcome
from runners.records import Message
from runners.test_set_records import Example, TestSet
from workbench.candidates import candidate_name
from workbench.head_to_head.records import Duel, RoundView
from workbench.sentences import refusal
from workbench.service import Workbench
from workbench.steps import render
from workbench.steps.address import asked, asked_several
from workbench.steps.desk import Desk, PickedExample
from workbench.steps.head_to_head import view
from workbench.steps.head_to_head.examples import chosen_test_set, prompt_of
from workbench.steps.head_to_head.form import Form, candidates, chosen_candidates, first_choice
from workbench.steps.head_to_head.leaving import leaving
from workbench.steps.wiring import clicked, clicked_of
from workbench.test_set_records import NewExample

PARTS = ("Ask", "Lists", "Standing")
"""Parts of the step."""
_EXAMPLES_LISTED = 500
_EXAMPLE_CHARACTERS = 70


def restore(workbench: Workbench, desk: Desk, request: gr.Request) -> tuple[Any, ...]:
    """Every control of the form, the prompt, everything of `shown`, what leaves; the round of the address first."""
    workbench.head_to_head.recover()
    names = [candidate_name(each) for each in candidates(workbench, desk)]
    kept = desk.draft.head_to_head
    form = list(kept.form[1:]) if len(kept.form) > 1 else [gr.skip()] * len(_FORM_SKIPPED)
    chosen = asked_several(request, "against", names) or first_choice(names, list(kept.form[0]) if kept.form else [])
    round_id = asked(request, "round") or kept.round_id
    try:
        found = workbench.head_to_head.view(round_id) if round_id else None
    except UnknownHeadToHead:
        found = None
    prompt = view.prompt_of(found) if found is not None else gr.skip()
    return (
        gr.CheckboxGroup(choices=names, value=chosen),
        *form,
        prompt,
        room(workbench, desk, None if found is None else found.round.id, chosen),
        *shown(workbench, found.round.id if found is not None else None),
        *leaving(workbench, desk, chosen),
    )


_FORM_SKIPPED = range(6 + 8)
"""Controls of the form behind the candidates."""


def remember(desk: Desk, *values: Any) -> None:
    """Keep what the controls hold."""
    _set_up(desk, form=tuple(values))


def ask(workbench: Workbench, desk: Desk, round_id: str | None, prompt: str, *values: Any) -> tuple[Any, ...]:
    """Put the prompt to the candidates, in a new conversation; everything of `shown`."""
    form = Form.of(values)
    setting = form.setting(chosen_candidates(workbench, desk, form.chosen))
    picked = desk.draft.head_to_head.picked
    source = None
    messages: tuple[Message, ...] = (Message(role="user", content=prompt),)
    if picked is not None and picked.messages[-1].content == prompt:
        messages, source = picked.messages, picked.source
    batch_id = None
    if round_id is not None:
        batch_id = _batch_of(workbench, round_id)
    found = workbench.head_to_head.ask(setting, messages, batch_id=batch_id, source=source)
    _look_at(desk, found)
    return shown(workbench, found.round.id)


def follow_up(workbench: Workbench, desk: Desk, round_id: str | None, prompt: str, *values: Any) -> tuple[Any, ...]:
    """Go on in the conversation that is shown; everything of `shown`."""
    if round_id is None:
        raise refusal("Ask first; a follow-up goes on from the answers.")
    if view.prompt_of(workbench.head_to_head.view(round_id)) == prompt:
        raise refusal("The prompt is still the one that was asked. Write what comes next, then press Follow up.")
    at_once = Form.of(values).setting([]).at_once
    found = workbench.head_to_head.follow_up(round_id, prompt, at_once=at_once)
    _look_at(desk, found)
    return shown(workbench, found.round.id)


def stop(workbench: Workbench, round_id: str | None) -> tuple[Any, ...]:
    """Stop all answers; everything of `shown`."""
    if round_id is not None:
        workbench.head_to_head.stop(round_id)
    return shown(workbench, round_id)


def retry(workbench: Workbench, round_id: str | None, *values: Any) -> tuple[Any, ...]:
    """Ask all again with another seed; everything of `shown`."""
    if round_id is None:
        raise refusal("Ask first; then it can be asked again.")
    at_once = Form.of(values).setting([]).at_once
    return shown(workbench, workbench.head_to_head.retry(round_id, at_once=at_once).round.id)


def shown(workbench: Workbench, round_id: str | None) -> tuple[Any, ...]:
    """The round's id, its panel, the vote's remarks, the buttons stop, follow up and again, whether to look again."""
    if round_id is None:
        off = gr.Button(interactive=False)
        return (
            None,
            view.no_answers(),
            gr.Row(visible=False),
            gr.Button(visible=False),
            off,
            off,
            gr.Timer(active=False),
        )
    found = workbench.head_to_head.view(round_id)
    duel = _open_duel(workbench, found)
    busy = found.is_answering
    may_vote = duel is not None and not (duel.same_text and found.batch.kind == "a_a")
    return (
        round_id,
        view.round_panel(found, duel),
        gr.Row(visible=may_vote),
        gr.Button(visible=busy),
        gr.Button(interactive=not busy),
        gr.Button(interactive=not busy),
        gr.Timer(active=busy),
    )


def press(
    workbench: Workbench, round_id: str | None, reasons: list[str], note: str, event: gr.EventData
) -> tuple[Any, ...]:
    """A button in the round's panel; everything of `shown`, then the remarks and the form of an example.

    A vote is for the pair that was seen: where another page judged it meanwhile, nothing is voted.
    """
    action, value = clicked(event)
    same = (gr.skip(), gr.skip())
    hidden = (gr.Column(visible=False), gr.skip(), gr.skip())
    if round_id is None:
        return (*shown(workbench, None), *same, *hidden)
    found = workbench.head_to_head.view(round_id)
    if action in {"stop", "retry", "save"}:
        slot = found.round.order[int(value)]
        if action == "save":
            form = gr.Column(visible=True), view.prompt_of(found), found.answers[slot].answer.text
            return (*shown(workbench, round_id), *same, *form)
        if action == "stop":
            workbench.head_to_head.stop(round_id, slot)
        else:
            workbench.head_to_head.retry(round_id, slot)
    elif action == "reveal":
        workbench.head_to_head.reveal(round_id)
    elif action == "vote" and (outcome := view.outcome_named(value)) is not None:
        duel = _open_duel(workbench, found)
        if duel is not None and duel.address == clicked_of(event):
            _vote(workbench, duel, outcome, reasons, note)
            same = ([], "")
    return (*shown(workbench, round_id), *same, *hidden)


def save_example(workbench: Workbench, desk: Desk, prompt: str, target: str) -> tuple[Any, Any]:
    """Put a prompt and its right answer into the test set; what was done, in a sentence, and the form put away."""
    draft = desk.draft
    new = NewExample(text=prompt, target=target)
    added = workbench.test_sets.add_example(draft.test_set, new, task=draft.task, labels=draft.labels)
    desk.change(test_set=added.test_set)
    kept = f"Kept as example {added.example.id} of {added.kept.name}, version {added.kept.version}."
    return render.notice("info", " ".join((kept, *added.notes))), gr.Column(visible=False)


def open_round(workbench: Workbench, desk: Desk, event: gr.EventData) -> tuple[Any, ...]:
    """Show a round of the history again; everything of `shown`, then the part."""
    _, round_id = clicked(event)
    _look_at(desk, workbench.head_to_head.view(round_id))
    return (*shown(workbench, round_id), *show_part(PARTS[0]))


def show_part(part: str) -> tuple[Any, ...]:
    """One part of the step, and its place among all of them."""
    return part, *(gr.Column(visible=part == name) for name in PARTS)


def part_of(request: gr.Request) -> tuple[Any, ...]:
    """The part of the step that the address is about."""
    if asked(request, "batch"):
        return show_part(PARTS[1])
    return show_part(PARTS[2] if asked(request, "votes") else PARTS[0])


def examples(workbench: Workbench, desk: Desk) -> Any:
    """The test set's examples to pick from."""
    test_set = chosen_test_set(workbench, desk)
    choices = [
        (f"{each.id}: {' '.join(' '.join(each.inputs.values()).split())[:_EXAMPLE_CHARACTERS]}", each.id)
        for each in test_set.examples[:_EXAMPLES_LISTED]
    ]
    return gr.Dropdown(choices=choices, label=f"Example of {test_set.name}")


def pick(workbench: Workbench, desk: Desk, example_id: str | None) -> tuple[Any, Any]:
    """An example as the benchmark would ask it: prompt and system prompt. An unknown id leaves what is there."""
    test_set = chosen_test_set(workbench, desk)
    example = next((each for each in test_set.examples if each.id == example_id), None)
    return _ask(desk, test_set, example) if example is not None else (gr.skip(), gr.skip())


def draw(workbench: Workbench, desk: Desk) -> tuple[Any, Any]:
    """As `pick`, with an example at random."""
    test_set = chosen_test_set(workbench, desk)
    return _ask(desk, test_set, random.choice(test_set.examples))


def _ask(desk: Desk, test_set: TestSet, example: Example) -> tuple[str, str]:
    prompt = prompt_of(test_set, example)
    if prompt.source is not None:
        _set_up(desk, picked=PickedExample(messages=prompt.messages, source=prompt.source))
    return prompt.messages[-1].content, prompt.system or ""


def room(workbench: Workbench, desk: Desk, round_id: str | None, chosen: list[str]) -> str:
    """How the chosen candidates will be loaded, and who is in memory."""
    definitions = chosen_candidates(workbench, desk, chosen)
    heads = workbench.head_to_head
    plan = heads.room(definitions) if len(definitions) > 1 else None
    hidden = False
    if round_id is not None:
        found = heads.view(round_id)
        hidden = found.is_answering and found.hidden
    return view.room_panel(plan, heads.loaded.shown(), heads.loaded.why_unloaded, hidden=hidden)


def unload(workbench: Workbench, desk: Desk, round_id: str | None, chosen: list[str]) -> str:
    """Free the memory of what is loaded."""
    workbench.head_to_head.loaded.unload()
    return room(workbench, desk, round_id, chosen)


def _vote(workbench: Workbench, duel: Duel, outcome: Outcome, reasons: list[str], note: str) -> None:
    workbench.batches.vote(duel, outcome, reasons=reasons or (), note=note or "")
    round_id = duel.view.round.id
    if _open_duel(workbench, workbench.head_to_head.view(round_id)) is None:
        workbench.head_to_head.reveal(round_id)


def _open_duel(workbench: Workbench, found: RoundView) -> Duel | None:
    return None if found.is_answering else workbench.batches.open_duel(found)


def _batch_of(workbench: Workbench, round_id: str) -> str | None:
    try:
        return workbench.head_to_head.view(round_id).batch.id
    except WorkbenchError:
        return None


def _look_at(desk: Desk, found: RoundView) -> None:
    _set_up(desk, round_id=found.round.id)


def _set_up(desk: Desk, **changes: Any) -> None:
    desk.revise(lambda draft: {"head_to_head": draft.head_to_head.model_copy(update=changes)})
