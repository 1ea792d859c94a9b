"""What the step Test set shows: overview, problems by row, labels, examples needed, the prompt as a model gets it."""

from collections.abc import Sequence

from results import numbers
from runners.test_sets.records import FileForm
from workbench import sentences
from workbench.records import PromptPreview, TestSetCheck
from workbench.report.text import file_name
from workbench.steps import render
from workbench.steps.render import Cell, Column, Html, Row, tag

_PROBLEMS_SHOWN = 100
_EXAMPLES_SHOWN = 5


def no_test_set() -> Html:
    """Before a file was chosen."""
    return tag("div", render.empty(sentences.NO_TEST_SET_TITLE, sentences.NO_TEST_SET_TEXT), class_="card")


def overview(checked: TestSetCheck, needed: Sequence[tuple[float, int]]) -> Html:
    """What the file holds and whether it can be trusted."""
    return tag(
        "div",
        tag("div", _summary(checked), _labels(checked), _needed(checked, needed), class_="card"),
        tag("div", _problems(checked), _examples(checked), class_="card"),
        class_="columns",
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


def _needed(checked: TestSetCheck, needed: Sequence[tuple[float, int]]) -> Html:
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
            ]
        )
        for share, count in needed
    ]
    columns = (Column("Only one is right on"), Column("Examples needed", numeric=True), Column(f"You have {have:,}"))
    return render.join(
        tag("h3", "To tell two candidates apart by 5 points"),
        tag("p", sentences.REQUIRED_EXAMPLES_NOTE, class_="quiet"),
        render.table("Examples needed to show a difference of 5 points", columns, rows, sortable=False),
    )


def _problems(checked: TestSetCheck) -> Html:
    if not checked.problems:
        return render.join(
            render.heading("Problems"),
            render.notice("info", "Every row was read, and no check found anything."),
        )
    rows = [
        Row(
            [
                Cell(numbers.count(problem.row), problem.row),
                Cell(
                    render.badge("forbidden", "✕", "error")
                    if problem.severity == "error"
                    else render.badge("conditional", "!", "warning"),
                    problem.severity,
                ),
                Cell(render.untrusted(problem.message, limit=300, name="span"), problem.message),
                Cell(problem.fix, problem.fix),
            ]
        )
        for problem in checked.problems[:_PROBLEMS_SHOWN]
    ]
    more = len(checked.problems) - len(rows)
    columns = (Column("Row", numeric=True), Column("Kind"), Column("Problem"), Column("What to do"))
    blocked = (
        render.notice("failure", "Nothing is measured on this file until its errors are mended.")
        if checked.errors
        else None
    )
    return render.join(
        render.heading("Problems", numbers.things(len(checked.problems), "problem")),
        blocked,
        render.table("Problems by row", columns, rows),
        tag("p", f"{more:,} more are not listed.", class_="quiet") if more else None,
    )


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
