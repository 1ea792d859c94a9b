"""Records of files with labelled examples: how a file was read, which column is what, what it holds."""

from typing import Literal

from pydantic import Field, field_validator

from catalog.records import Record
from runners.test_set_records import Example, Problem

FileFormat = Literal["csv", "jsonl", "json", "parquet", "excel", "kept"]
"""csv has any delimiter; kept: a version that the data directory holds."""

TargetStyle = Literal["text", "letter", "name", "index", "number"]
"""How a multiple-choice target names its choice: by its text, a letter (A is the first), the choice's own name as given
beside it, a position counted from 0, or one counted from 1."""


class AskedColumns(Record):
    """Which column is what, as far as somebody said; the rest is guessed by usual names."""

    id: str | None = None
    """Column with unique ids."""
    text: str | None = None
    """Column with the text."""
    label: str | None = None
    """Column with the right answer; empty where there is none yet, because examples are still to be labelled."""
    accepted: str | None = None
    """Column with further right answers: a list, a JSON list, or texts between `|`."""
    choices: tuple[str, ...] | None = None
    """Multiple choice: one column with a list, or one column for each choice."""
    passages: tuple[str, ...] | None = None
    """Question on a context: one column with a text or a list of texts, or one column for each passage."""
    relevant: str | None = None
    """Question on a context: column with the numbers of the passages that hold the answer, counted from 1."""
    group: str | None = None
    """Column that names examples which belong together, such as messages of one customer."""
    slices: tuple[str, ...] | None = None
    """Columns by which results are broken down."""
    weight: str | None = None
    """Column with how much an example counts, as against 1."""
    second_label: str | None = None
    """Column with the label that a second person gave, to see how far people agree."""

    @field_validator("choices", "passages", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value


class FileOptions(Record):
    """How a file is to be read, as far as somebody said; the rest is found out."""

    encoding: str | None = None
    """Encoding of a text file, such as cp1252; None finds it out."""
    sheet: str | None = None
    """Excel: name of the sheet; None takes the first that is not hidden."""
    split: str | None = None
    """Dataset folder, or a JSON object with several lists: which part; None takes test, else validation, else train."""


class FileForm(Record):
    """How a file was read."""

    format: FileFormat
    """What kind of file it is."""
    encoding: str | None = None
    """Encoding of a text file."""
    delimiter: str | None = None
    """What stands between cells."""
    sheet: str | None = None
    """Sheet of an Excel file."""
    split: str | None = None
    """Part of a dataset."""
    files: tuple[str, ...] = ()
    """The files read, where they are several."""
    notes: tuple[str, ...] = ()
    """What was found out or converted, one sentence each."""


class Columns(Record):
    """Which column is what."""

    id: str | None = None
    """Unique ids; None numbers the rows."""
    text: str
    """The text shown to the model."""
    target: str
    """The right answer."""
    accepted: str | None = None
    """Further right answers."""
    choices: tuple[str, ...] = ()
    """Answers to choose from: one column with a list, or several columns."""
    target_style: TargetStyle = "text"
    """How the target names its choice."""
    passages: tuple[str, ...] = ()
    """The passages of a context: one column or several."""
    relevant: str | None = None
    """Numbers of the passages that hold the answer."""
    group: str | None = None
    """Examples that belong together."""
    slices: tuple[str, ...] = ()
    """Columns by which results are broken down."""
    weight: str | None = None
    """How much an example counts."""
    second_label: str | None = None
    """The label of a second person."""


class TestSetFile(Record):
    """What a file holds."""

    __test__ = False

    path: str
    """Where it is."""
    form: FileForm = FileForm(format="csv")
    """How it was read."""
    columns: Columns
    """How its columns were read."""
    all_columns: tuple[str, ...]
    """Every column of the header."""
    examples: tuple[Example, ...]
    """One per row, in order."""
    second_labels: tuple[str, ...] = ()
    """What the second person said of each example; empty where there is no such column."""
    problems: tuple[Problem, ...]
    """Rows that could not be read as they stand."""


class ReadRow(Record):
    """One row as it was read."""

    example: Example | None
    """The example; None where the row cannot be one."""
    second_label: str = ""
    """What the second person said."""
    problems: tuple[Problem, ...] = Field(default=())
    """What is wrong with the row."""
