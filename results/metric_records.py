"""What a metric is: units per example and a statistic of their sums, over what one scorer judged of one run.

Which scorer has which metrics stands in results/metrics.py and results/scorer_metrics.py.
"""

from collections.abc import Callable
from functools import cache
from typing import Literal, NamedTuple

import numpy as np

from results.records import ExampleOutcome
from results.resampling import Floats, ratio


class Judged(NamedTuple):
    """One scorer's judgements of one run: only examples that were judged, all columns in the same order."""

    outcomes: tuple[ExampleOutcome, ...]
    values: Floats
    """Shape (examples,)."""
    counts: dict[str, Floats]
    """Shape (examples,) each; NaN where the scorer says nothing of an example."""
    labels: tuple[str, ...]

    @property
    def weights(self) -> Floats:
        """Weight of each example, shape (examples,)."""
        return np.array([outcome.weight for outcome in self.outcomes])


class Metric(NamedTuple):
    """How a scorer's judgements become one number."""

    name: str
    title: str
    definition: str
    """One sentence for people; the documentation has it in full."""
    source: str
    """Where the definition is from."""
    units: Callable[[Judged], Floats]
    """Shape (examples, columns): what each example adds to the sums, weights included."""
    statistic: Callable[[Floats], Floats]
    """Sums of shape (m, columns) to m values, all finite."""
    is_proportion: bool = False
    """Whether it is a share of examples, for which there is Wilson's interval and McNemar's test."""
    unit: Literal["share", "score"] = "share"
    higher_is_better: bool = True

    @property
    def is_mean(self) -> bool:
        """Whether it is the weighted mean of the scorer's values, which lie between 0 and 1."""
        return self.units is mean_of() and self.statistic is ratio


@cache
def mean_of(name: str | None = None) -> Callable[[Judged], Floats]:
    """Units of a weighted mean of the scorer's value, or of one of its counts over the examples that have it."""

    def units(judged: Judged) -> Floats:
        values = judged.values if name is None else judged.counts.get(name, np.full(len(judged.outcomes), np.nan))
        known = ~np.isnan(values)
        weights = np.where(known, judged.weights, 0.0)
        return np.column_stack([np.where(known, values, 0.0) * weights, weights])

    return units
