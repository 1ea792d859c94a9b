"""A report as sections of blocks: what the templates draw, whatever the format.

Every text in here is plain text; the templates escape it. Numbers are already formatted.
"""

from typing import Annotated, Literal

from pydantic import Field

from catalog.records import Record, VerdictValue
from results import numbers
from results.records import Estimate
from workbench.chart_parts import Chart

NOT_MEASURED = "not measured"
"""Shown where a value was not measured."""


class Badge(Record):
    """A judgement shown as colour, icon and word together."""

    tone: Literal["good", "caution", "bad", "unknown"]
    """Decides the colour."""
    icon: str
    """One character."""
    word: str
    """What it says."""


class Cell(Record):
    """One cell of a table."""

    text: str = ""
    """What stands in it."""
    detail: str = ""
    """Smaller, below: an interval, a remark."""
    badge: Badge | None = None
    """Shown before the text."""
    absent: bool = False
    """Whether it says that there is no value."""
    quoted: bool = False
    """Whether the text is another's words, to be kept as they stand."""


class Column(Record):
    """One column of a table."""

    heading: str
    """Its heading, with the unit where the cells carry none."""
    numeric: bool = False
    """Whether its cells are numbers, set flush right."""
    term: str = ""
    """Anchor of the definition of what it shows."""


class Table(Record):
    """Rows of cells; the first cell of a row names it."""

    kind: Literal["table"] = "table"
    caption: str
    """What the table shows."""
    note: str = ""
    """How to read it."""
    columns: tuple[Column, ...]
    """Its columns."""
    rows: tuple[tuple[Cell, ...], ...]
    """As many cells each as there are columns."""


class Headline(Record):
    """The decision in three lines."""

    kind: Literal["headline"] = "headline"
    lines: tuple[str, ...]
    """Which one; why; what to mind."""


class Heading(Record):
    """Opens a part of a section."""

    kind: Literal["heading"] = "heading"
    text: str
    """The heading."""
    badge: Badge | None = None
    """Shown beside it."""


class Paragraph(Record):
    """Prose."""

    kind: Literal["paragraph"] = "paragraph"
    text: str
    """The prose."""
    tone: Literal["plain", "muted", "warning", "lead"] = "plain"
    """warning stands out; lead stays on one page with what follows."""


class Item(Record):
    """One point of a list."""

    text: str
    """The point."""
    detail: str = ""
    """What it rests on."""
    link: str = ""
    """Address of the source; followed only where it is http or https."""


class Items(Record):
    """A list of points."""

    kind: Literal["items"] = "items"
    items: tuple[Item, ...]
    """The points."""
    checklist: bool = False
    """Whether they are to be ticked off."""


class Figure(Record):
    """A chart."""

    kind: Literal["figure"] = "figure"
    chart: Chart
    """The chart, drawn by the template where the format can."""


class Fact(Record):
    """One thing that a decision maker must know."""

    name: str
    """What it is."""
    value: str
    """The value with its unit."""
    detail: str = ""
    """Smaller, below: interval, conditions of the measurement."""
    term: str = ""
    """Anchor of the definition."""


class Facts(Record):
    """Facts side by side, like the data on a type plate."""

    kind: Literal["facts"] = "facts"
    facts: tuple[Fact, ...]
    """The facts, in order of importance."""


class Card(Record):
    """A few points under a title, beside other cards."""

    title: str
    """What the points are about."""
    badge: Badge | None = None
    """Shown beside the title."""
    text: str = ""
    """Before the points."""
    items: tuple[Item, ...] = ()
    """The points."""
    checklist: bool = False
    """Whether they are to be ticked off."""
    link: str = ""
    """Anchor of the section that says more."""


class Cards(Record):
    """Cards, two beside each other."""

    kind: Literal["cards"] = "cards"
    cards: tuple[Card, ...]
    """The cards."""


class Prose(Record):
    """What the report's author wrote, in the part of Markdown that prose.py knows."""

    kind: Literal["prose"] = "prose"
    label: str
    """Whose words they are."""
    text: str
    """The source."""


class Quote(Record):
    """Another's words, kept as they stand."""

    kind: Literal["quote"] = "quote"
    label: str
    """What they are."""
    text: str
    """The words; untrusted."""


class Code(Record):
    """Text to be copied."""

    kind: Literal["code"] = "code"
    label: str
    """What it is."""
    text: str
    """The text."""


class Definition(Record):
    """What a word of this report means."""

    anchor: str
    """Name by which columns refer to it."""
    term: str
    """The word."""
    text: str
    """Its meaning."""


class Definitions(Record):
    """A list of definitions."""

    kind: Literal["definitions"] = "definitions"
    definitions: tuple[Definition, ...]
    """The definitions."""


Block = Annotated[
    Table | Headline | Heading | Paragraph | Items | Facts | Cards | Prose | Figure | Quote | Code | Definitions,
    Field(discriminator="kind"),
]
"""One block of a section."""


class Section(Record):
    """A part of the report with a heading."""

    anchor: str
    """Name by which the contents refer to it."""
    title: str
    """Its heading."""
    blocks: tuple[Block, ...]
    """What stands in it, in order."""
    dense: bool = False
    """Whether it holds so much that print sets it smaller, to keep it on its page."""


class Document(Record):
    """A whole report, ready to be set."""

    title: str
    """Its title."""
    author: str = ""
    """Who answers for it."""
    facts: tuple[str, ...]
    """What it is about, in a line."""
    sections: tuple[Section, ...]
    """Its parts, in order."""


_VERDICT_BADGES = {
    VerdictValue.ALLOWED: Badge(tone="good", icon="✓", word="allowed"),
    VerdictValue.CONDITIONAL: Badge(tone="caution", icon="!", word="conditional"),
    VerdictValue.FORBIDDEN: Badge(tone="bad", icon="✕", word="forbidden"),
    VerdictValue.UNKNOWN: Badge(tone="unknown", icon="?", word="unknown"),
}


def verdict_badge(value: VerdictValue) -> Badge:
    """A license verdict as colour, icon and word."""
    return _VERDICT_BADGES[value]


def estimate_cell(estimate: Estimate | None, unit: numbers.Unit) -> Cell:
    """An estimate with its interval below; `not measured` where there is none."""
    value, _, interval = numbers.estimate(estimate, unit).partition(" (")
    return number_cell(value, interval.removesuffix(")"))


def rate_cell(estimate: Estimate | None) -> Cell:
    """A rate in a column whose heading gives the unit."""
    cell = estimate_cell(estimate, "rate")
    return cell.model_copy(update={"text": cell.text.removesuffix(" tokens/s")})


def number_cell(text: str, detail: str = "", *, unknown: str = NOT_MEASURED) -> Cell:
    """A formatted number, or words where the formatter shows that it is unknown."""
    return Cell(text=unknown, absent=True) if text == numbers.UNKNOWN else Cell(text=text, detail=detail)


def facts_table(caption: str, facts: tuple[tuple[str, str], ...]) -> Table:
    """A table of two columns: what, and its value."""
    rows = tuple((Cell(text=name), Cell(text=value)) for name, value in facts)
    return Table(caption=caption, columns=(Column(heading="What"), Column(heading="Value")), rows=rows)
