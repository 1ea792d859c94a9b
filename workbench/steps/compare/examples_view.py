"""The example browser: one row per example, the candidates' answers side by side. Answers are untrusted text."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from results import numbers
from results.example_records import BrowsedAnswer, BrowsedExample, ExamplePage
from runners.records import Validity
from workbench.report.text import one_line, visible
from workbench.steps import render
from workbench.steps.compare.marking import marked
from workbench.steps.render import Content, Html, tag

Marks = Literal["other", "target", "none"]
"""What answers are held against: A and B against each other, all against the right answer, or nothing."""

FOLDED_AT = 700
"""Characters of a text that are shown before the rest is folded."""


class Shown(NamedTuple):
    """How a page of examples is shown."""

    candidates: Sequence[str]
    """Whose answers, in the benchmark's order."""
    first: str | None
    """Candidate A."""
    second: str | None
    """Candidate B."""
    marks: Marks
    """What is marked."""
    per_page: int
    """Examples on a page."""
    is_graded: bool
    """Whether answers get more values than right and wrong."""


def page(found: ExamplePage, shown: Shown) -> Html:
    """A page of examples with the way to the next one."""
    if not found.total:
        return tag(
            "div",
            render.empty("No such example", "No example passes these filters; choose others, or empty the search."),
            class_="card",
        )
    order = in_order(shown)
    heads = [tag("th", letter(name, shown), one_line(name), scope="col") for name in order]
    head = tag("thead", tag("tr", tag("th", "Example", scope="col"), heads))
    body = tag("tbody", [_row(example, order, shown) for example in found.examples])
    return tag(
        "div",
        _pager(found, shown.per_page),
        tag("div", tag("table", head, body, class_="sheet examples", aria_label="Examples"), class_="sheet-frame"),
        _pager(found, shown.per_page) if len(found.examples) > 4 else None,
        class_="card",
    )


def in_order(shown: Shown) -> list[str]:
    """The candidates with A and B first."""
    pair = [name for name in (shown.first, shown.second) if name is not None and name in shown.candidates]
    return list(dict.fromkeys([*pair, *shown.candidates])) if len(pair) == 2 else list(shown.candidates)


def letter(name: str, shown: Shown) -> Content:
    """A or B before the name of a candidate that is one of the two."""
    which = "A" if name == shown.first else "B" if name == shown.second else None
    return None if which is None else tag("span", which, class_="letter")


def _pager(found: ExamplePage, per_page: int) -> Html:
    first, last = found.offset + 1, found.offset + len(found.examples)
    words = f"{numbers.count(first)} to {numbers.count(last)} of {numbers.count(found.total)}"
    return tag(
        "div",
        render.action("First", "first", class_="button") if found.offset else None,
        render.action("Previous", "previous", class_="button") if found.offset else None,
        tag("span", words, class_="note"),
        render.action("Next", "next", class_="button") if last < found.total else None,
        render.action("Last", "last", class_="button") if found.offset + 2 * per_page < found.total else None,
        class_="pager",
    )


def _row(example: BrowsedExample, order: Sequence[str], shown: Shown) -> Html:
    slices = " · ".join(f"{name} {value}" for name, value in example.slices.items())
    inputs = {name: text for name, text in example.inputs.items() if example.slices.get(name) != text}
    first = tag(
        "td",
        tag(
            "div",
            render.action(one_line(example.example_id), "open", example.example_id, title=None),
            tag("span", " right answer ", class_="quiet"),
            render.untrusted(example.target, limit=FOLDED_AT, name="b"),
            class_="example-head",
        ),
        [
            tag("div", tag("div", name, class_="quiet") if len(inputs) > 1 else None, folded(text, len(text)))
            for name, text in inputs.items()
        ],
        tag("div", slices, class_="quiet") if slices else None,
    )
    return tag("tr", first, [tag("td", _answer(name, example, shown)) for name in order])


def _answer(name: str, example: BrowsedExample, shown: Shown) -> Content:
    answer = example.answers.get(name)
    if answer is None:
        return tag("span", "not run", class_="quiet")
    understood = None
    if answer.predicted is not None and answer.predicted != answer.text.strip():
        understood = tag("div", "understood as ", visible(answer.predicted[:FOLDED_AT]), class_="quiet")
    return render.join(
        tag("div", verdict(answer, is_graded=shown.is_graded), _figures(answer), class_="answer-head"),
        text_of(name, example, shown, FOLDED_AT),
        understood,
    )


def text_of(name: str, example: BrowsedExample, shown: Shown, limit: int) -> Html | None:
    """One candidate's answer with what is marked in it."""
    answer = example.answers[name]
    if not answer.text:
        return None
    other, note = _held_against(name, example, shown)
    return folded(answer.text, answer.characters, other=other, note=note, limit=limit)


def _held_against(name: str, example: BrowsedExample, shown: Shown) -> tuple[str | None, str]:
    if shown.marks == "target":
        return example.target, "not in the right answer"
    pair = {shown.first: shown.second, shown.second: shown.first}
    other = example.answers.get(pair.get(name) or "")
    if shown.marks == "none" or other is None or not other.text:
        return None, ""
    return other.text, "only in A" if name == shown.first else "only in B"


def verdict(answer: BrowsedAnswer, *, is_graded: bool) -> Html:
    """Right, wrong, how good, or what happened instead, as sign and word."""
    if answer.right is None:
        return render.badge("unknown", "–", str(answer.validity))
    if answer.validity is not Validity.SCORED:
        return render.badge("forbidden", "✕", str(answer.validity))
    if answer.right:
        return render.badge("allowed", "✓", "right")
    if is_graded and answer.value:
        return render.badge("conditional", "◐", f"scored {numbers.score(answer.value)}")
    return render.badge("forbidden", "✕", "wrong")


def _figures(answer: BrowsedAnswer) -> Html | None:
    parts = []
    if answer.probability is not None:
        parts.append(f"probability {numbers.percent(answer.probability)}")
    if answer.output_tokens:
        parts.append(numbers.things(answer.output_tokens, "token"))
    if answer.e2e_seconds is not None:
        parts.append(numbers.seconds(answer.e2e_seconds))
    return tag("span", " · ".join(parts), class_="quiet") if parts else None


def folded(text: str, characters: int, *, other: str | None = None, note: str = "", limit: int = FOLDED_AT) -> Html:
    """A text, long ones folded; marked where it differs from the other. characters is its whole length."""
    start, rest = text[:limit], text[limit:]
    content: Content = visible(start) if other is None else marked(start, other, note)
    missing = characters - len(text)
    body = tag("div", content, class_="untrusted", dir="auto")
    if not rest and missing <= 0:
        return body
    more = tag(
        "details",
        tag("summary", f"… {numbers.count(characters - len(start))} more characters"),
        tag("div", visible(rest), class_="untrusted", dir="auto"),
        tag("p", f"{numbers.count(missing)} more stand in the opened example and the export.", class_="quiet")
        if missing > 0
        else None,
        class_="fold",
    )
    return tag("div", body, more)
