"""What a report is made of. Everything it says is derived from this one record."""

from typing import Literal

from pydantic import Field

from catalog.records import Profile, Record
from results.judge_records import JudgeReport
from results.recommendation_records import Recommendation
from results.records import BenchmarkComparison, ExampleResult, RunStart
from runners.test_set_records import Problem
from workbench.vote_records import BenchmarkVotes

MOST_TITLE_CHARACTERS = 120
"""Of a title or an author: a line of the first page."""
MOST_NOTES_CHARACTERS = 20_000
"""Of notes: about six printed pages."""


class Logo(Record):
    """A picture that stands on the first page; its content was checked (workbench/report/logo.py)."""

    media_type: Literal["image/png", "image/jpeg", "image/svg+xml"]
    """What it is, by its content."""
    data_base64: str = Field(min_length=1)
    """The file itself."""


class Edits(Record):
    """What a person adds to the report of one benchmark."""

    title: str = Field(default="", max_length=MOST_TITLE_CHARACTERS)
    """Title in place of our own; empty takes ours."""
    author: str = Field(default="", max_length=MOST_TITLE_CHARACTERS)
    """Who answers for it: a person or a team."""
    notes: str = Field(default="", max_length=MOST_NOTES_CHARACTERS)
    """In plain words, in a part of Markdown (workbench/report/prose.py)."""
    logo: Logo | None = None
    """Shown at the top of the first page."""


class ShownExample(Record):
    """One example that was picked to show what a candidate does, and by which rule."""

    candidate: str
    """Whom it shows."""
    kind: Literal["right", "wrong", "disagreement"]
    """A typical right answer, a typical wrong one, or the most instructive difference to the others."""
    why: str
    """The rule that picked it, with its numbers, as a sentence."""
    example: ExampleResult
    """The example with every candidate's answer."""


class ReportContent(Record):
    """Everything that goes into one report."""

    comparison: BenchmarkComparison
    """What was measured."""
    recommendation: Recommendation
    """What follows from it."""
    edits: Edits = Edits()
    """What its author added."""
    examples: tuple[ShownExample, ...] = ()
    """What each candidate does well, badly and otherwise than the others."""
    wrong_examples: tuple[ExampleResult, ...] = ()
    """Examples that went wrong, to be shown with every candidate's answer; chosen by the caller."""
    test_set_problems: tuple[Problem, ...] | None = None
    """What the checks of the test set find; None where its examples could not be read again."""
    first_start: RunStart | None = None
    """How busy the machine was before anything was measured; None where it was not recorded."""
    judgings: tuple[JudgeReport, ...] = ()
    """What judges found in the stored answers."""
    votes: BenchmarkVotes | None = None
    """What people preferred; None where nobody judged its candidates' answers."""
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
