"""Records of a regression: two runs of what should be the same thing, example by example."""

from typing import Literal

from pydantic import Field

from catalog.records import Record
from results.records import Estimate
from runners.records import Validity


class SpecChange(Record):
    """One thing that is not the same in both runs."""

    what: str
    """What it is: `revision`, `quantization`, `options.context_tokens` …"""
    before: str
    """In the first run, as text."""
    after: str
    """In the second."""


class ExampleChange(Record):
    """One example in both runs."""

    example_id: str
    """The example."""
    target: str
    """The right answer."""
    state: Literal["fixed", "broken", "unchanged_right", "unchanged_wrong"]
    """fixed: scored higher in the second run; broken: lower; else the same, right where the full score was given."""
    before: str | None
    """Answer of the first run as understood; untrusted."""
    after: str | None
    """Answer of the second."""
    before_validity: Validity
    """What happened in the first run."""
    after_validity: Validity
    """What happened in the second."""


class MetricDifference(Record):
    """One metric on the examples of both runs."""

    name: str
    """Name of the metric."""
    title: str
    """As people read it."""
    unit: Literal["share", "score"]
    """As in MetricEstimate."""
    higher_is_better: bool
    """Whether more is better."""
    before: float
    """In the first run."""
    after: float
    """In the second."""
    difference: Estimate
    """Second minus first, paired."""
    p_value: float = Field(ge=0, le=1)
    """Two-sided, of the paired test."""
    test: str
    """Which test."""
    shown: Literal["better", "worse", "no difference"]
    """What the test says of the second run at 5 %."""


class Regression(Record):
    """What became of a model between two runs."""

    first: str
    """Benchmark and candidate of the first run."""
    second: str
    """Of the second."""
    changes: tuple[SpecChange, ...]
    """What is not the same; empty: nothing that is recorded."""
    n: int = Field(ge=0)
    """Examples that both were judged on, with equal content."""
    left_out: str | None
    """Which examples were not compared and why, as a sentence; None where all were."""
    metrics: tuple[MetricDifference, ...]
    """Every metric that both have; the first stands for quality."""
    examples: tuple[ExampleChange, ...]
    """Every example compared, in the order of the first run."""
    fixed: int = Field(ge=0)
    """Examples that are scored higher in the second run."""
    broken: int = Field(ge=0)
    """Examples that are scored lower."""
    unchanged_right: int = Field(ge=0)
    """Examples with the full score in both."""
    unchanged_wrong: int = Field(ge=0)
    """Examples with the same lower score in both."""
    margin: float | None
    """How much worse is acceptable, in the metric's own unit; None where that was not asked."""
    non_inferior: bool | None
    """Whether the 95 % interval excludes that the second is worse by more than the margin; None without a margin."""
    conclusion: str
    """One sentence."""

    @property
    def quality(self) -> MetricDifference:
        """The metric that stands for quality."""
        return self.metrics[0]

    @property
    def fails(self) -> bool:
        """What `--fail-if-worse` goes by: shown worse, or with a margin, not shown to stay within it."""
        return self.quality.shown == "worse" if self.non_inferior is None else not self.non_inferior
