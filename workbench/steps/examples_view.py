"""The example browser: one row per example, the candidates' answers side by side. Answers are untrusted text."""

from collections.abc import Sequence

from results import numbers
from results.records import Answer, ExampleResult
from runners.records import Validity
from workbench.report.text import one_line
from workbench.steps import render
from workbench.steps.render import Content, Html, tag


def page(examples: Sequence[ExampleResult], candidates: Sequence[str], offset: int, total: int) -> Html:
    """A page of examples with the way to the next one."""
    if not total:
        return tag(
            "div", render.empty("No such example", "No example passes this filter; choose another one."), class_="card"
        )
    heads = [tag("th", one_line(name), scope="col") for name in candidates]
    head = tag("thead", tag("tr", tag("th", "Example", scope="col"), heads))
    body = tag("tbody", [_row(example, candidates) for example in examples])
    return tag(
        "div",
        _pager(offset, len(examples), total),
        tag("div", tag("table", head, body, class_="sheet examples", aria_label="Examples"), class_="sheet-frame"),
        class_="card",
    )


def _pager(offset: int, shown: int, total: int) -> Html:
    words = f"{numbers.count(offset + 1)} to {numbers.count(offset + shown)} of {numbers.count(total)}"
    return tag(
        "div",
        render.action("Previous", "previous", class_="button") if offset else None,
        tag("span", words, class_="note"),
        render.action("Next", "next", class_="button") if offset + shown < total else None,
        class_="pager",
    )


def _row(example: ExampleResult, candidates: Sequence[str]) -> Html:
    text = next(iter(example.inputs.values()), "")
    slices = " · ".join(f"{name} {value}" for name, value in example.slices.items())
    first = tag(
        "td",
        tag(
            "div", tag("span", example.example_id, class_="quiet"), " ", tag("b", example.target), class_="example-head"
        ),
        render.untrusted(text, limit=1_500),
        tag("div", slices, class_="quiet") if slices else None,
    )
    return tag("tr", first, [tag("td", _answer(example.answers.get(name))) for name in candidates])


def _answer(answer: Answer | None) -> Content:
    if answer is None:
        return tag("span", "not run", class_="quiet")
    if answer.right is None:
        mark = render.badge("unknown", "–", str(answer.validity))
    elif answer.right:
        mark = render.badge("allowed", "✓", "right")
    else:
        mark = render.badge("forbidden", "✕", "wrong" if answer.validity is Validity.SCORED else str(answer.validity))
    understood = None
    if answer.predicted is not None and answer.predicted != answer.text.strip():
        understood = tag("div", f"understood as {answer.predicted}", class_="quiet")
    probability = (
        tag("span", f" {numbers.percent(answer.probability)}", class_="quiet", title="Probability among the labels")
        if answer.probability is not None
        else None
    )
    return render.join(tag("div", mark, probability), render.untrusted(answer.text, limit=1_500), understood)
