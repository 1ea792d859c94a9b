"""Records of test sets that the data directory keeps: versions, and what changed between two of them."""

from typing import Literal

from pydantic import Field

from catalog.records import Record
from runners.test_set_records import Task
from runners.test_sets.records import Columns, FileForm


class KeptTestSet(Record):
    """One version of a test set."""

    name: str = Field(min_length=1)
    """What it is called."""
    version: int = Field(ge=1)
    """Counted from 1; an import with other content makes the next."""
    created_at: str
    """When it was imported, ISO 8601 with offset."""
    content_hash: str
    """Hex digest over task and examples; two versions that could give different results have different ones."""
    task: Task
    """What is asked of a model."""
    examples: int = Field(ge=0)
    """How many it has."""
    source: str
    """File or folder it was imported from."""
    form: FileForm
    """How that was read."""
    columns: Columns
    """Which column was what; the next import of the same name takes them again."""
    all_columns: tuple[str, ...] = ()
    """Every column of the file."""
    message: str = ""
    """What was done from the version before, in a sentence; empty for an import."""
    labels: tuple[str, ...] = ()
    """Classification: the labels in the order shown to the model; empty takes those of the examples."""
    archived: bool = False
    """Whether the test set is put away: it stays whole, and is listed only when asked for."""


class ExampleChange(Record):
    """One example that two versions do not have in common."""

    id: str
    """Example."""
    change: Literal["added", "removed", "changed"]
    """What happened to it."""
    fields: tuple[str, ...] = ()
    """What was changed of it, such as `target`."""


class TestSetDiff(Record):
    """What changed from one version to another. Examples are the same where their ids are."""

    __test__ = False

    name: str
    """Test set."""
    first: int
    """Earlier version."""
    second: int
    """Later version."""
    added: int
    """Examples that are new."""
    removed: int
    """Examples that are gone."""
    changed: int
    """Examples with something changed: text, target, slices, weight …."""
    unchanged: int
    """Examples that are the same."""
    changes: tuple[ExampleChange, ...]
    """The first of them, in the order of the test sets."""
