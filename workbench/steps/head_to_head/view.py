"""What a round looks like: answers side by side while they are written, and what can be done with each.

While names are hidden nothing here tells who answers: places on the page stand in for slots, which are in the order of
the candidates; answers appear together, complete; neither speed nor state of a single one is shown. Classes of folded
parts tell them apart: assets/head_to_head.js keeps them open while the panel is drawn anew.
"""

from collections.abc import Sequence

from results import numbers
from results.head_to_head_records import Outcome, RoundAnswer
from runners.records import Message
from workbench import sentences
from workbench.head_to_head.asking import contender_of
from workbench.head_to_head.records import Duel, LiveAnswer, LoadedModel, RoomPlan, RoundView
from workbench.steps import render
from workbench.steps.render import Html, tag

LETTERS = "ABCD"
_SHOWN_CHARACTERS = 20_000
_PROMPT_CHARACTERS = 3_000
_STATES = {
    "waiting": ("unknown", "…", "waits"),
    "loading": ("running", "▸", "loads"),
    "writing": ("running", "▸", "writes"),
    "finished": ("allowed", "✓", "finished"),
    "stopped": ("conditional", "■", "stopped"),
    "failed": ("forbidden", "✕", "failed"),
}
_REASONS = {"length": "cut at the most tokens", "refused": "refused", "overflow": "does not fit the context"}
_OUTCOMES: tuple[tuple[Outcome, str, str, str], ...] = (
    ("left", "left", "ArrowLeft", "←"),
    ("tie", "Tie", "ArrowUp", "↑"),
    ("both_bad", "Both are bad", "ArrowDown", "↓"),
    ("right", "right", "ArrowRight", "→"),
)
"""Outcome, its word, its key and how that is written."""


def outcome_named(value: str) -> Outcome | None:
    """The outcome of a button; None for what is none."""
    return next((outcome for outcome, *_ in _OUTCOMES if outcome == value), None)


def no_answers() -> Html:
    """Before the first prompt."""
    return tag("div", render.empty(sentences.NO_ANSWERS_TITLE, sentences.NO_ANSWERS_TEXT), class_="card")


def round_panel(view: RoundView, duel: Duel | None) -> Html:
    """A round: what was asked, the answers, and the pair that waits for a vote."""
    places = view.round.order
    judged = {duel.left, duel.right} if duel is not None else set()
    cards = [_card(view, place, is_judged=slot in judged and len(places) > 2) for place, slot in enumerate(places)]
    return tag(
        "div",
        _asked(view),
        tag("p", view.message, class_="quiet", role="status") if view.message else None,
        tag("div", cards, class_=f"answers of-{len(cards)}"),
        _after(view, duel),
        data_round=view.round.id,
        data_of=duel.address if duel is not None else None,
    )


def vote_bar(duel: Duel, *, steps: bool = False) -> Html:
    """The buttons of a vote with their keys; in a list also those that go on and back."""
    places = {slot: LETTERS[place] for place, slot in enumerate(duel.view.round.order)}
    left, right = places[duel.left], places[duel.right]
    words = {"left": f"{left} is better", "right": f"{right} is better"}
    chosen = duel.vote.outcome if duel.vote is not None else None
    buttons = [
        tag(
            "button",
            tag("kbd", sign, aria_hidden="true"),
            f" {words.get(outcome, word)}",
            type="button",
            id=f"vote-{outcome.replace('_', '-')}",
            class_="button vote" + (" is-primary" if outcome == chosen else ""),
            aria_pressed="true" if outcome == chosen else None,
            aria_keyshortcuts=key,
            data_action="vote",
            data_value=outcome,
        )
        for outcome, word, key, sign in _OUTCOMES
    ]
    if steps:
        buttons = [_step("back", "Back", "B"), *buttons, _step("skip", "Skip", "S")]
    return tag("div", buttons, class_="vote-bar", role="group", aria_label=f"Judge {left} and {right}")


def duel_panel(duel: Duel, judged: int, total: int) -> Html:
    """Two complete answers of a list, with nothing that tells who wrote them."""
    view = duel.view
    words = f"{judged:,} of {total:,} pairs judged"
    cards = [_plain_card(view, slot) for slot in (duel.left, duel.right)]
    return tag(
        "div",
        tag(
            "div",
            tag("h2", f"Prompt {view.round.position + 1:,}"),
            tag("span", words, class_="note"),
            tag("div", render.progress(judged, total, words), class_="grow"),
            class_="panel-head",
        ),
        _asked(view),
        tag("div", cards, class_="answers of-2"),
        render.notice("info", sentences.SAME_TWICE) if duel.same_text else None,
        vote_bar(duel, steps=True),
        data_of=duel.address,
        data_batch=view.batch.id,
    )


def room_panel(plan: RoomPlan | None, loaded: Sequence[LoadedModel], why: str, *, hidden: bool) -> Html:
    """How the chosen candidates will be loaded, and who is in memory; while names are hidden, only how many."""
    lines: list[Html] = []
    if plan is not None and plan.sentence:
        lines.append(tag("p", plan.sentence, class_="quiet" if plan.together else "mind"))
    if loaded:
        names = ", ".join(each.name + (" (loads)" if each.state == "loading" else "") for each in loaded)
        who = numbers.things(len(loaded), "candidate") if hidden else names
        left = loaded[0].unloads_in_seconds
        until = "" if left is None else f", for {max(1, round(left / 60))} more min if nobody asks"
        unload = render.action("Unload", "unload", class_="chip", title="Unload the candidates and free their memory")
        lines.append(tag("p", f"In memory: {who}{until}. ", unload, class_="quiet"))
    elif why:
        lines.append(tag("p", why, class_="quiet"))
    return render.join(lines)


def prompt_of(view: RoundView) -> str:
    """What is asked in this turn."""
    return view.round.messages[-1].content


def _asked(view: RoundView) -> Html:
    source = view.round.source
    target = None
    if source is not None:
        words = f"Example {source.example_id} of {source.test_set_name}"
        answer = tag("details", tag("summary", "Right answer"), render.untrusted(source.target or "(none)"))
        target = tag("div", tag("span", words, class_="quiet"), answer, class_="source-example")
    return tag(
        "section",
        render.untrusted(prompt_of(view), limit=_PROMPT_CHARACTERS),
        target,
        class_="asked",
        aria_label="Prompt",
    )


def _card(view: RoundView, place: int, *, is_judged: bool) -> Html:
    slot, letter = view.round.order[place], LETTERS[place]
    live, hidden = view.answers[slot], view.hidden
    answer = live.answer
    together = hidden and view.is_answering
    state = "writing" if together else answer.state
    name = f"Candidate {letter}" if hidden else f"{letter}: {contender_of(view.batch, view.round, slot).name}"
    body = tag("p", "Shown when all are written.", class_="quiet") if together else _body(live)
    return tag(
        "article",
        tag("div", tag("h2", name), render.badge(*_STATES[state]), _actions(view, place), class_="panel-head"),
        None if together else _turns(answer),
        None if together else _thinking(live),
        body,
        None if hidden else _figures(live),
        None if together else _attempts(view, slot),
        class_="card answer" + (" is-judged" if is_judged else ""),
        aria_label=name,
        aria_busy="true" if state in {"loading", "writing"} else None,
    )


def _plain_card(view: RoundView, slot: int) -> Html:
    place = view.round.order.index(slot)
    name = f"Candidate {LETTERS[place]}"
    if not view.hidden:
        name = f"{LETTERS[place]}: {contender_of(view.batch, view.round, slot).name}"
    head = tag("div", tag("h2", name), class_="panel-head")
    return tag("article", head, _body(view.answers[slot]), class_="card answer", aria_label=name)


def _body(live: LiveAnswer) -> Html:
    answer = live.answer
    parts: list[Html] = []
    if answer.text:
        parts.append(render.untrusted(answer.text, limit=_SHOWN_CHARACTERS))
    elif answer.state == "finished":
        parts.append(tag("p", "(empty answer)", class_="quiet"))
    elif answer.state not in {"failed", "stopped"}:
        waited = f"{numbers.seconds(live.waited_seconds)} …" if live.waited_seconds is not None else "…"
        parts.append(tag("p", waited, class_="quiet"))
    if answer.failure:
        parts.append(render.notice("failure", answer.failure))
    return render.join(parts)


def _figures(live: LiveAnswer) -> Html | None:
    answer = live.answer
    if answer.ttft_seconds is None:
        return None
    words = [f"first token after {numbers.seconds(answer.ttft_seconds)}"]
    if answer.output_tokens:
        words.append(numbers.things(answer.output_tokens, "token"))
    if answer.tokens_per_second is not None:
        words.append(numbers.rate(answer.tokens_per_second))
    if answer.finish_reason in _REASONS:
        words.append(_REASONS[answer.finish_reason])
    return tag("p", ", ".join(words), class_="quiet figures")


def _thinking(live: LiveAnswer) -> Html | None:
    if not live.thinking:
        return None
    count = numbers.things(len(live.thinking.split()), "word")
    return tag(
        "details",
        tag("summary", f"Thinking, {count}"),
        render.untrusted(live.thinking, limit=_SHOWN_CHARACTERS),
        class_="thinking",
    )


def _turns(answer: RoundAnswer) -> Html | None:
    """What was said before in this conversation, the system prompt included, folded."""
    before = answer.messages[:-1]
    if not before:
        return None
    turns = [tag("div", tag("b", _speaker(each)), render.untrusted(each.content, limit=4_000)) for each in before]
    said = sum(each.role != "system" for each in before)
    title = numbers.things(said, "earlier message") if said else "System prompt"
    return tag("details", tag("summary", title), turns, class_="turns")


def _speaker(message: Message) -> str:
    return {"system": "System prompt", "user": "You", "assistant": "Answer"}[message.role]


def _attempts(view: RoundView, slot: int) -> Html | None:
    """Earlier attempts of a slot, with their seeds."""
    earlier = [each for each in view.earlier if each.slot == slot]
    if not earlier:
        return None
    answer = view.answers[slot].answer
    shown = [
        tag("div", tag("b", f"Attempt {each.attempt + 1}, seed {each.seed}"), render.untrusted(each.text or "(none)"))
        for each in earlier
    ]
    title = f"Attempt {answer.attempt + 1}, seed {answer.seed}; {numbers.things(len(earlier), 'earlier one')}"
    return tag("details", tag("summary", title), shown, class_="turns attempts")


def _actions(view: RoundView, place: int) -> Html | None:
    """What can be done with one answer, by its place; while names are hidden and written, nothing."""
    answer = view.answers[view.round.order[place]].answer
    letter = LETTERS[place]
    value = str(place)
    if view.is_answering:
        if view.hidden or answer.state not in {"waiting", "loading", "writing"}:
            return None
        return tag("span", _chip("Stop", "stop", value, f"Stop answer {letter}"), class_="far")
    chips = [_chip("Again", "retry", value, f"Ask {letter} again with another seed")]
    if answer.text:
        chips.append(_chip("Save as example", "save", value, f"Save the prompt with answer {letter} as an example"))
    return tag("span", chips, class_="far")


def _after(view: RoundView, duel: Duel | None) -> Html | None:
    """Below the answers: the vote, or what stands in its way, and the names."""
    if view.is_answering:
        return None
    parts: list[Html] = []
    if duel is not None and duel.same_text and view.batch.kind == "a_a":
        parts.append(render.notice("info", sentences.SAME_TWICE))
    elif duel is not None:
        parts.append(vote_bar(duel))
    elif view.votes:
        parts.append(tag("p", f"{numbers.things(len(view.votes), 'vote')} kept.", class_="quiet", role="status"))
    if view.hidden:
        parts.append(
            _chip("Show names", "reveal", "", "Show names and speed; after that blind votes cannot be changed")
        )
    return tag("div", parts, class_="after") if parts else None


def _chip(label: str, name: str, value: str, title: str) -> Html:
    return render.action(label, name, value, class_="chip", title=title)


def _step(name: str, word: str, key: str) -> Html:
    return tag(
        "button",
        tag("kbd", key, aria_hidden="true"),
        f" {word}",
        type="button",
        id=f"vote-{name}",
        class_="button",
        aria_keyshortcuts=key,
        data_action=name,
        data_value="",
    )
