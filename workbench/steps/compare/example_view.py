"""One example opened: what was asked, the prompt as sent, and every answer whole with all that is stored of it."""

from collections.abc import Sequence

from results import numbers
from results.example_records import BrowsedExample, ExamplePlace, LabelProbability, ScorerSays, WholeAnswer
from workbench.example_browser import OpenedExample, SentPrompt
from workbench.report.text import listing, one_line, visible
from workbench.steps import render
from workbench.steps.compare import examples_view
from workbench.steps.compare.examples_view import Shown, folded
from workbench.steps.render import Cell, Column, Content, Html, Row, tag

_LONG = 6_000
"""Characters of an opened text before the rest is folded."""


def opened(found: OpenedExample, shown: Shown) -> Html:
    """Everything of one example, with the way to its neighbours."""
    example = found.detail.example
    slices = " · ".join(f"{name} {value}" for name, value in example.slices.items())
    return tag(
        "section",
        _head(example.id, found.place),
        tag("p", slices, class_="quiet") if slices else None,
        tag("div", tag("div", _asked(found)), tag("div", _prompts(found.prompts)), class_="opened-asked"),
        tag("div", _answers(found, shown), class_="opened-answers"),
        class_="card opened",
        aria_label=f"Example {one_line(example.id)}",
    )


def _head(example_id: str, place: ExamplePlace | None) -> Html:
    where = "not among the examples of this filter"
    if place is not None:
        where = f"{numbers.count(place.number)} of {numbers.count(place.total)}"
    steps = [
        tag(
            "button",
            words,
            type="button",
            id=f"example-{name}",
            class_="button",
            data_action="open",
            data_value=to,
            aria_keyshortcuts=key,
            title=f"{words} example (key {key})",
        )
        for words, name, to, key in (
            ("Previous", "previous", place.previous if place else None, "k"),
            ("Next", "next", place.following if place else None, "j"),
        )
        if to is not None
    ]
    close = tag(
        "button",
        "Close",
        type="button",
        id="example-close",
        class_="button",
        data_action="close",
        aria_keyshortcuts="x",
        title="Back to the list (key x)",
    )
    return tag(
        "div",
        tag("h2", "Example ", visible(example_id)),
        tag("span", where, class_="note"),
        tag("span", class_="spacer"),
        steps,
        close,
        class_="panel-head",
    )


def _asked(found: OpenedExample) -> Content:
    example = found.detail.example
    facts: list[tuple[str, Content]] = [
        (name, folded(text, len(text), limit=_LONG)) for name, text in example.inputs.items()
    ]
    facts += [(f"Passage {place}", folded(text, len(text))) for place, text in enumerate(example.passages, start=1)]
    if example.choices:
        facts.append(("Choices", render.bullets([visible(choice) for choice in example.choices])))
    facts.append(("Right answer", render.untrusted(example.target, name="b")))
    if example.accepted:
        facts.append(("Also accepted", render.bullets([visible(text) for text in example.accepted])))
    if example.weight != 1:
        facts.append(("Weight", f"{example.weight:g}"))
    return render.join(tag("h3", "Asked"), render.facts(facts))


def _prompts(prompts: Sequence[SentPrompt]) -> Content:
    if not prompts:
        return render.join(
            tag("h3", "Prompt"), tag("p", "Not known: these answers were made elsewhere and imported.", class_="quiet")
        )
    return [_prompt(prompt, alone=len(prompts) == 1) for prompt in prompts]


def _prompt(prompt: SentPrompt, *, alone: bool) -> Html:
    to = "all candidates" if alone else listing([one_line(name) for name in prompt.candidates])
    *before, question = [
        tag("div", tag("div", message.role, class_="quiet"), folded(message.content, len(message.content)))
        for message in prompt.messages
    ]
    words = f"{numbers.things(len(before), 'message')} before the question: instructions and examples"
    messages = [tag("details", tag("summary", words), before) if before else None, question]
    if prompt.answer_prefix:
        messages.append(
            tag("div", tag("div", "the answer begins with", class_="quiet"), render.untrusted(prompt.answer_prefix))
        )
    choices = None
    if prompt.choices:
        choices = tag("p", f"To choose from: {listing([one_line(c) for c in prompt.choices], 'or')}", class_="quiet")
    return tag(
        "div",
        tag("h3", f"Prompt as sent to {to}"),
        tag("div", messages, class_="messages"),
        choices,
    )


def _answers(found: OpenedExample, shown: Shown) -> list[Html]:
    detail = found.detail
    answers = {name: whole.answer for name, whole in detail.answers.items()}
    as_page = BrowsedExample(
        example_id=detail.example.id,
        inputs=detail.example.inputs,
        characters=0,
        target=detail.example.target,
        slices=detail.example.slices,
        answers=answers,
    )
    return [
        _answer(name, as_page, detail.answers.get(name), detail.failures.get(name), shown)
        for name in examples_view.in_order(shown)
    ]


def _answer(name: str, example: BrowsedExample, whole: WholeAnswer | None, failure: str | None, shown: Shown) -> Html:
    head = tag("h3", examples_view.letter(name, shown), one_line(name))
    broken = render.notice("failure", visible(failure)) if failure else None
    if whole is None:
        return tag("article", head, broken or tag("p", "It was not asked.", class_="quiet"))
    return tag(
        "article",
        tag("div", head, examples_view.verdict(whole.answer, is_graded=shown.is_graded), class_="answer-head"),
        broken,
        examples_view.text_of(name, example, shown, _LONG) or tag("p", "An empty answer.", class_="quiet"),
        _scores(whole.scores),
        _probabilities(whole.probabilities),
        _facts(whole),
    )


def _scores(scores: Sequence[ScorerSays]) -> Html:
    columns = (Column("Scorer"), Column("Score", numeric=True), Column("What happened"), Column("Understood as"))
    rows = [
        Row(
            [
                Cell(says.scorer),
                Cell(numbers.score(says.value)),
                Cell(str(says.validity)),
                Cell(
                    numbers.UNKNOWN
                    if says.predicted is None
                    else folded(says.predicted, len(says.predicted), limit=200)
                ),
            ]
        )
        for says in scores
    ]
    return render.table("Scores", columns, rows, sortable=False)


def _probabilities(found: Sequence[LabelProbability]) -> Html | None:
    if not found:
        return None
    columns = (
        Column("Answer"),
        Column("Probability", numeric=True, hint="Among all answers to choose from"),
        Column("Log-probability", numeric=True, hint="Natural logarithm, of its tokens after the prompt"),
        Column("Tokens", numeric=True),
    )
    rows = [
        Row(
            [
                Cell(visible(each.label)),
                Cell(numbers.percent(each.probability)),
                Cell(f"{each.logprob:.2f}".replace("-", "−")),
                Cell(numbers.count(each.tokens)),
            ]
        )
        for each in found
    ]
    return render.table("Probability of every answer", columns, rows, sortable=False)


def _facts(whole: WholeAnswer) -> Html:
    answer = whole.answer
    cached = f", {numbers.count(whole.cached_tokens)} of them cached" if whole.cached_tokens else ""
    facts: list[tuple[str, Content]] = [
        ("Ended", f"{whole.finish_reason} ({'chosen' if whole.method == 'scored_choices' else whole.method})"),
        ("Tokens", f"{numbers.count(whole.prompt_tokens)} in{cached}, {numbers.count(answer.output_tokens)} out"),
    ]
    if answer.e2e_seconds is not None:
        first = f", first text {numbers.seconds(whole.ttft_seconds)}" if whole.ttft_seconds is not None else ""
        facts.append(("Time", f"end to end {numbers.seconds(answer.e2e_seconds)}{first}"))
    if whole.thinking_tokens:
        words = numbers.things(whole.thinking_tokens, "token")
        facts.append(("Thinking", f"{words} before the answer; their text is not kept"))
    note = "In the accuracy workload, with several requests at once: no latency figure."
    return tag("div", render.facts(facts), title=note)
