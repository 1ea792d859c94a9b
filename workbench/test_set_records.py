"""The service's records on test sets that are kept, and on files of other tools that became benchmarks."""

from catalog.records import Record
from results.test_set_records import KeptTestSet, TestSetDiff
from runners.test_set_records import Example, Problem


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
