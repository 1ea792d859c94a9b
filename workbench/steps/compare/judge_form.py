"""Compare: the form that has a model grade the stored answers; one element, for a page with few parts opens sooner."""

from collections.abc import Sequence
from typing import NamedTuple

from results import numbers
from results.judge_records import JudgeReport
from runners.grading import GradingRules
from workbench.report.text import listing, one_line
from workbench.steps import render
from workbench.steps.render import Html, tag

MODES = {
    "rubric": "each answer by itself",
    "pairwise": "two answers beside each other",
}
"""What a judge is asked to do, by the mode of its rules."""


class Number(NamedTuple):
    """A whole number that may be entered."""

    label: str
    lowest: int
    usual: str


USUAL = GradingRules()
NUMBERS = {
    "lowest": Number("Lowest grade", -1000, str(USUAL.lowest)),
    "highest": Number("Highest grade", -1000, str(USUAL.highest)),
    "right_from": Number("Right from", -1000, ""),
    "examples": Number("Examples", 1, ""),
}
"""By the name of the field; what is left empty takes what is usual."""
_EMPTY = {
    "right_from": ("middle", "Lowest grade that counts as right; empty: the first above the middle."),
    "examples": ("all", "How many, drawn at random; empty: all."),
}
"""What an empty field means, in short and at length."""


def judge_form(judges: Sequence[str], leaves: Html, earlier: Sequence[str]) -> Html:
    """Folded until somebody wants it. judges: names of the candidates at hand; earlier: who has judged already."""
    fields = (
        _choice("Judge", "judge", {name: name for name in judges}),
        _choice("It reads", "mode", MODES),
        *(_number(name, number) for name, number in NUMBERS.items()),
    )
    rubric = tag("textarea", USUAL.rubric, name="rubric", rows=2, required=True)
    return tag(
        "details",
        tag("summary", "Have a model grade these answers"),
        tag(
            "p",
            "For answers that no rule can score. The judge is a model of your shortlist; it reads question, right "
            "answer and answer. Its grades become metrics here and in the report, beside how far it agrees with the "
            "scorer: that comes first.",
            class_="quiet",
        ),
        tag(
            "form",
            tag("div", fields, class_="judge-fields"),
            tag("label", tag("span", "Rubric: what makes an answer good"), rubric),
            _replace(earlier) if earlier else None,
            leaves,
            tag("button", "Grade the answers", type="submit", class_="button"),
            data_action="judge",
        ),
        class_="card judge",
    )


def _choice(label: str, name: str, options: dict[str, str]) -> Html:
    listed = [tag("option", words, value=value) for value, words in options.items()]
    return tag("label", tag("span", label), tag("select", listed, name=name))


def _number(name: str, number: Number) -> Html:
    shown, hint = _EMPTY.get(name, (None, None))
    box = tag(
        "input",
        type="number",
        name=name,
        value=number.usual,
        min=number.lowest,
        step=1,
        placeholder=shown,
        title=hint,
    )
    return tag("label", tag("span", number.label), box)


def _replace(earlier: Sequence[str]) -> Html:
    words = f"Replace earlier grades (of {listing([one_line(name) for name in earlier])})"
    return tag("label", tag("input", type="checkbox", name="replace"), tag("span", words), class_="judge-replace")


def judged(reports: Sequence[JudgeReport]) -> Html:
    """What judges said so far, also where none of it was of any use."""
    notices = [render.notice("warning" if each.warning else "info", _told(each)) for each in reports]
    return tag("div", notices, role="status")


def _told(report: JudgeReport) -> str:
    asked = numbers.things(report.questions, "question")
    told = f"{one_line(report.judge)} was asked {asked}, {numbers.count(report.unread)} without a usable reply."
    return f"{told} {report.warning}" if report.warning else told


def queued(words: str, notes: Sequence[str]) -> Html:
    """What happens now, and what leaves this machine for it."""
    return tag("div", [render.notice("warning", note) for note in notes], render.notice("info", words), role="status")
