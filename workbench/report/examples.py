"""Example answers, good and bad: what shows each candidate best, then what went wrong, with everybody's answers."""

from results import numbers
from results.records import Answer, ExampleResult
from runners.records import Validity
from workbench.report.document import Badge, Block, Cell, Column, Heading, Paragraph, Quote, Section, Table
from workbench.report.findings import NOT_UNDERSTOOD
from workbench.report.records import ReportContent, ShownExample

_RIGHT = Badge(tone="good", icon="✓", word="right")
_WRONG = Badge(tone="bad", icon="✕", word="wrong")
_NOT_JUDGED = Badge(tone="unknown", icon="?", word="not judged")


def examples_section(content: ReportContent) -> Section:
    """For each candidate up to three examples, then those that somebody got wrong."""
    blocks: list[Block] = []
    name = None
    for shown in content.examples:
        if shown.candidate != name:
            blocks.append(Heading(text=shown.candidate))
            name = shown.candidate
        blocks += _shown_blocks(shown)
    if content.wrong_examples:
        blocks.append(Heading(text="Examples that went wrong"))
    for example in content.wrong_examples:
        blocks += _example_blocks(example, tuple(example.answers))
    if not blocks:
        blocks.append(Paragraph(text="No example is shown."))
    return Section(anchor="examples", title="Examples, good and bad", blocks=tuple(blocks))


def _shown_blocks(shown: ShownExample) -> list[Block]:
    """The rule that picked it, then the example; of a disagreement everybody's answers."""
    everybody = tuple(shown.example.answers)
    names = everybody if shown.kind == "disagreement" else (shown.candidate,)
    return [Paragraph(text=shown.why, tone="lead"), *_example_blocks(shown.example, names)]


def _example_blocks(example: ExampleResult, names: tuple[str, ...]) -> list[Block]:
    slices = ", ".join(f"{column} = {value}" for column, value in example.slices.items())
    columns = {name: text for name, text in example.inputs.items() if example.slices.get(name) != text}
    blocks: list[Block] = [Quote(label=f"{example.example_id}, {name}", text=text) for name, text in columns.items()]
    blocks.append(Paragraph(text=f"Right answer: {example.target}{f' ({slices})' if slices else ''}", tone="lead"))
    headings = (
        Column(heading="Candidate"),
        Column(heading="Judgement"),
        Column(heading="Answer"),
        Column(heading="Understood as"),
        Column(heading="Probability", numeric=True, term="probability"),
    )
    rows = tuple(_answer_row(name, example.answers[name]) for name in names)
    blocks.append(Table(caption=f"Answers to {example.example_id}", columns=headings, rows=rows))
    return blocks


def _answer_row(name: str, answer: Answer) -> tuple[Cell, ...]:
    badge = _NOT_JUDGED if answer.right is None else _RIGHT if answer.right else _WRONG
    return (
        Cell(text=name),
        Cell(badge=badge, detail="" if answer.validity is Validity.SCORED else answer.validity.value),
        Cell(text=answer.text, quoted=True),
        Cell(text=answer.predicted or NOT_UNDERSTOOD),
        Cell(text=numbers.percent(answer.probability)),
    )
