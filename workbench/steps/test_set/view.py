"""What the step Test set shows: overview, problems by row, labels, examples needed, the prompt as a model gets it."""

import html
from collections.abc import Sequence

from results import numbers
from runners.test_sets.records import FileForm
from workbench import sentences
from workbench.records import PromptPreview, TestSetCheck
from workbench.report.text import file_name, visible
from workbench.steps import render
from workbench.steps.render import Cell, Column, Html, Row, tag
from workbench.steps.test_set.opened import Opened
from workbench.steps.test_set.problems_view import problems

_EXAMPLES_SHOWN = 5


def plain(text: str) -> str:
    """Text for a notice of gradio, which shows markup."""
    return html.escape(visible(text), quote=True)


def no_test_set() -> Html:
    """Before a file was chosen."""
    return tag("div", render.empty(sentences.NO_TEST_SET_TITLE, sentences.NO_TEST_SET_TEXT), class_="card")


def overview(
    opened: Opened, needed: Sequence[tuple[float, int]], shows: Sequence[tuple[float, float | None]], rule: str = ""
) -> Html:
    """What the test set holds and whether it can be trusted; with a rule, only its problems."""
    checked = opened.checked
    return tag(
        "div",
        tag("div", _summary(checked), _labels(checked), _needed(checked, needed, shows), class_="card"),
        tag("div", problems(opened, rule), _examples(checked), class_="card"),
        class_="columns",
    )


def cannot_be_read(reason: str, *, without_answers: bool) -> Html:
    """A file that is there and cannot be read as a test set yet, with what can be done."""
    label = render.action("It has no answers yet: label by hand", "unlabelled-file", class_="button is-primary")
    return tag(
        "div",
        render.notice("failure", tag("p", visible(reason)), tag("p", "Say above which column is what.")),
        label if without_answers else None,
        class_="card",
    )


def preview_panel(preview: PromptPreview) -> Html:
    """Exactly what the model receives."""
    note = f"{preview.candidate}, example {preview.example_id}: {numbers.things(preview.tokens, 'token')}"
    return render.join(
        render.heading("What the model receives", note), render.untrusted(preview.text, limit=20_000, name="pre")
    )


def _summary(checked: TestSetCheck) -> Html:
    columns = checked.file.columns
    errors = checked.errors
    warnings = len(checked.problems) - errors
    if errors:
        state = render.badge("forbidden", "✕", numbers.things(errors, "error"))
    elif warnings:
        state = render.badge("conditional", "!", numbers.things(warnings, "warning"))
    else:
        state = render.badge("allowed", "✓", "no problems")
    return render.join(
        tag("div", tag("h2", file_name(checked.file.path)), state, class_="panel-head"),
        render.facts(
            [
                ("Examples", numbers.count(len(checked.file.examples))),
                *([("Labels", numbers.count(len(checked.labels)))] if checked.labels else []),
                ("Text column", columns.text),
                ("Right answer column", columns.target),
                ("Slices", ", ".join(columns.slices) or "none"),
                *_agreement(checked),
            ]
        ),
        tag("p", " ".join((_read_as(checked.file.form), *checked.file.form.notes)), class_="quiet"),
    )


def _read_as(form: FileForm) -> str:
    details = [form.format, form.encoding, f"sheet {form.sheet}" if form.sheet else None]
    return f"Read as {', '.join(detail for detail in details if detail)}."


def _agreement(checked: TestSetCheck) -> list[tuple[str, str]]:
    """How far two labellers agree, where there are two."""
    found = checked.agreement
    if found is None:
        return []
    kappa = "" if found.kappa is None else f", kappa {found.kappa.value:.2f}"
    return [("Two labellers agree on", f"{numbers.estimate(found.share, 'percent')}{kappa}")]


def _labels(checked: TestSetCheck) -> Html | None:
    """How many examples each label has; None where the task has no labels."""
    if not checked.labels:
        return None
    most = max((count for _, count in checked.label_counts), default=1)
    total = sum(count for _, count in checked.label_counts) or 1
    rows = [
        Row(
            [
                Cell(label or "(empty)", label),
                Cell(render.bar(count / most, f"{label}: {count} examples")),
                Cell(numbers.count(count), count),
                Cell(numbers.percent(count / total), count),
            ]
        )
        for label, count in checked.label_counts
    ]
    columns = (Column("Label"), Column(""), Column("Examples", numeric=True), Column("Share", numeric=True))
    return render.join(tag("h3", "Labels"), render.table("Examples per label", columns, rows))


def _needed(
    checked: TestSetCheck, needed: Sequence[tuple[float, int]], shows: Sequence[tuple[float, float | None]]
) -> Html:
    found = dict(shows)
    have = len(checked.file.examples)
    rows = [
        Row(
            [
                Cell(f"{numbers.percent(share)} of the examples", share),
                Cell(numbers.count(count), count),
                Cell(
                    render.badge("allowed", "✓", "enough")
                    if have >= count
                    else tag("span", f"{numbers.count(count - have)} more", class_="quiet")
                ),
                Cell(_smallest(found.get(share)), found.get(share)),
            ]
        )
        for share, count in needed
    ]
    columns = [
        Column("Only one is right on"),
        Column("Examples needed", numeric=True),
        Column(f"You have {have:,}"),
        Column(f"Shown by {have:,}", hint="Smallest difference that so many examples show"),
    ]
    return render.join(
        tag("h3", "To tell two candidates apart by 5 points"),
        tag("p", sentences.REQUIRED_EXAMPLES_NOTE, class_="quiet"),
        render.table("Examples needed to show a difference of 5 points", columns, rows, sortable=False),
    )


def _smallest(difference: float | None) -> str:
    """The smallest difference that the examples show."""
    return "none" if difference is None else f"from {numbers.points(difference)}"


def _examples(checked: TestSetCheck) -> Html:
    rows = [
        Row(
            [
                Cell(example.id),
                Cell(render.untrusted(next(iter(example.inputs.values()), ""), limit=300, name="span")),
                Cell(example.target),
            ]
        )
        for example in checked.file.examples[:_EXAMPLES_SHOWN]
    ]
    return render.join(
        tag("h3", f"First {len(rows)} examples"),
        render.table("First examples", (Column("Id"), Column("Text"), Column("Label")), rows, sortable=False),
    )
