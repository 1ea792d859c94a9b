"""The service's records on test sets that are kept, and on files of other tools that became benchmarks."""

from pydantic import Field

from catalog.records import Record
from results.test_set_records import KeptTestSet, TestSetDiff
from runners.test_set_records import Example, Problem, Task
from runners.test_sets.edits import ExampleEdit
from runners.test_sets.records import TestSetFile
from workbench.records import TestSetDefinition


class ImportedTestSet(Record):
    """What an import did."""

    kept: KeptTestSet
    """The version that holds the file's examples."""
    is_new: bool
    """Whether the import made it; else it was there with the same content."""
    changes: TestSetDiff | None
    """What changed from the version before; None for the first, and where nothing did."""
    problems: tuple[Problem, ...]
    """Warnings about how the file was read."""


class ShownTestSet(Record):
    """One version, for people."""

    kept: KeptTestSet
    """The version."""
    label_counts: tuple[tuple[str, int], ...]
    """Classification: examples per label, most frequent first."""
    first: tuple[Example, ...]
    """Its first examples."""


class ConvertedBenchmark(Record):
    """What became of a task or configuration of another tool."""

    source: str
    """The file that was read."""
    benchmark: str
    """Path of the benchmark file that was written."""
    test_set: str
    """Path of its examples."""
    few_shot: str | None = None
    """Path of examples to show, where there are any."""
    examples: int
    """How many examples."""
    notes: tuple[str, ...] = ()
    """What was not carried over, or carried over differently."""


class WorkingTestSet(Record):
    """The newest version of a test set with the edits that are in none yet."""

    kept: KeptTestSet
    """The newest version."""
    file: TestSetFile
    """Its examples as they are now, as if read from a file."""
    edits: tuple[ExampleEdit, ...]
    """What was edited since; written down, and in no version yet."""
    message: str
    """The same in a sentence; empty where nothing was."""


class NewExample(Record):
    """An example to be added to a test set that is kept."""

    text: str
    """The text that the model is asked about."""
    target: str
    """The right answer."""
    accepted: tuple[str, ...] = ()
    """Further right answers."""
    choices: tuple[str, ...] = ()
    """Multiple choice: the answers to choose from."""
    passages: tuple[str, ...] = ()
    """Question on a context: the passages."""
    inputs: dict[str, str] = Field(default_factory=dict)
    """Further columns by name; those of the test set that are not given are empty."""
    slices: dict[str, str] = Field(default_factory=dict)
    """Values of its slice columns; those that are not given are empty."""
    id: str = ""
    """Its id; a number is put behind it where it is taken. Empty takes one after where it comes from."""
    source: str = "head-to-head"
    """Where it comes from."""


class AddedExample(Record):
    """What adding an example did."""

    kept: KeptTestSet
    """The version that holds it."""
    example: Example
    """The example as it was added."""
    test_set: TestSetDefinition
    """What the desk has to hold from now on: the test set by its name."""
    task: Task
    """The test set's task."""
    notes: tuple[str, ...] = ()
    """What was done beside, one sentence each: a file that was kept first."""
