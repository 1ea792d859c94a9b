"""Records of a repetition: a benchmark that was run again from its report."""

from typing import Literal

from catalog.records import Record
from results.numbers import Unit
from results.records import Estimate
from results.regression_records import SpecChange

Agreement = Literal["equal", "overlap", "apart", "no interval", "only before", "only after"]
"""How a figure of the repetition stands to the one in the report; `no interval`: there is none to judge it by."""


class RepeatedFigure(Record):
    """One figure of one candidate, in the report and in the repetition."""

    candidate: str
    """Whose it is."""
    what: str
    """What was measured, such as `Accuracy`."""
    unit: Unit
    """How it is shown."""
    before: Estimate | None
    """As the report has it."""
    after: Estimate | None
    """As measured again."""
    agreement: Agreement
    """How the two stand to each other."""


class Repetition(Record):
    """A report's figures beside those of its repetition."""

    report: str
    """Benchmark that the report is of."""
    benchmark: str
    """Benchmark that repeats it."""
    changes: tuple[SpecChange, ...]
    """What is recorded and not the same: machine, versions, weights, test set."""
    figures: tuple[RepeatedFigure, ...]
    """Every figure, candidate by candidate, quality first."""
    winner_before: str | None
    """Recommended candidate of the report."""
    winner_after: str | None
    """Recommended candidate of the repetition, under the report's requirements."""
    agrees: bool
    """Whether the winner is the same and no figure of quality lies apart or is missing."""
    conclusion: str
    """What follows, in sentences."""
