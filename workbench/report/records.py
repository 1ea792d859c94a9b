"""What a report is made of. Everything it says is derived from this one record."""

from pydantic import Field

from catalog.records import Profile, Record
from results.judge_records import JudgeReport
from results.recommendation_records import Recommendation
from results.records import BenchmarkComparison, ExampleResult


class ReportContent(Record):
    """Everything that goes into one report."""

    comparison: BenchmarkComparison
    """What was measured."""
    recommendation: Recommendation
    """What follows from it."""
    wrong_examples: tuple[ExampleResult, ...] = ()
    """Examples that went wrong, to be shown with every candidate's answer; chosen by the caller."""
    judgings: tuple[JudgeReport, ...] = ()
    """What judges found in the stored answers."""
    profile: Profile
    """What the license verdicts were evaluated against."""
    made_at: str = Field(min_length=1)
    """When the report was made, ISO 8601 with offset."""
    workbench_version: str
    """Our own version."""
    packages: tuple[tuple[str, str], ...] = ()
    """Name and version of every package that can change a number."""
    commands: tuple[str, ...] = ()
    """Commands that repeat the benchmark and the report, in order."""
    notes: tuple[str, ...] = ()
    """What a reader must know besides, in plain words."""
