"""What can go wrong with stored results.

ResultsError (a WorkbenchError)
├── StoreBusy          another process holds the results file
├── StoreDamaged       the results file does not open, or was made by a newer version
├── StoreNotWritable   the results file cannot be read or written: permissions, full disk, a folder in its place
├── UnknownBenchmark   no benchmark of that name
├── BenchmarkNameTaken another benchmark has that name
├── UnknownExample     no example of that id in the test set
├── UnknownTestSet     no imported test set of that name, or no such version
├── DoubledExamples    ids of examples that stand twice
├── UnknownHeadToHead  no batch or round of head-to-heads of that name
├── VoteRefused        a vote that cannot be cast, changed or taken back
├── BadVoteFilter      a choice of votes that is not understood or leaves none
├── NothingToCompare   no finished run with scores
├── BadRequirements    limits, weights or prices that cannot be meant
└── ExportFailed       a file that cannot be written, or has an ending that is not known
"""

from catalog.errors import WorkbenchError


class ResultsError(WorkbenchError):
    """Base of the errors of stored results."""


class StoreBusy(ResultsError):
    """Another process holds the results file."""


class StoreDamaged(ResultsError):
    """The results file does not open, or was made by a newer version."""


class StoreNotWritable(ResultsError):
    """The results file cannot be read or written: permissions, full disk, a folder in its place."""


class UnknownBenchmark(ResultsError):
    """No benchmark of that name."""


class BenchmarkNameTaken(ResultsError):
    """Another benchmark has that name."""


class UnknownExample(ResultsError):
    """No example of that id in the test set."""


class UnknownTestSet(ResultsError):
    """No imported test set of that name, or no such version."""


class DoubledExamples(ResultsError):
    """Ids of examples that stand twice, so that versions could not be compared."""


class UnknownHeadToHead(ResultsError):
    """No batch or round of head-to-heads of that name."""


class VoteRefused(ResultsError):
    """A vote that cannot be cast, changed or taken back."""


class BadVoteFilter(ResultsError):
    """A choice of votes that is not understood or leaves none."""


class NothingToCompare(ResultsError):
    """No finished run with scores."""


class BadRequirements(ResultsError):
    """Limits, weights or prices that cannot be meant."""


class ExportFailed(ResultsError):
    """A file that cannot be written, or has an ending that is not known."""
