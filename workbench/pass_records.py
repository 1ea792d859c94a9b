"""What a later scorer found over a benchmark's stored answers."""

from pydantic import Field

from catalog.records import Record
from results.records import MetricEstimate
from runners.scorer_options import PassOptions


class PassedCandidate(Record):
    """One candidate's scores."""

    name: str
    """Candidate."""
    answers: int = Field(ge=0)
    """Answers that were scored; those without text count with 0."""
    metrics: tuple[MetricEstimate, ...] = ()
    """What they come to."""


class PassReport(Record):
    """Stored answers scored by another model."""

    benchmark: str
    """Whose."""
    scorer: PassOptions
    """By what."""
    candidates: tuple[PassedCandidate, ...]
    """In the benchmark's order."""
    without_target: int = Field(default=0, ge=0)
    """Examples that have no right answer to compare with."""
    notes: tuple[str, ...] = ()
    """What a person should know."""
