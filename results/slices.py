"""Results broken down by the values of slice columns: which examples belong to each, and every metric of them.

A slice is a small test set of its own: its n stands beside every figure, and where it has too few independent examples
there is no interval (results/statistics.py) and no comparison (results/comparison.py).
"""

from collections.abc import Sequence

from results.metrics import Measured, metric_estimates, parts_of
from results.quality import GROUP, accuracy, judged
from results.records import ExampleOutcome, SliceQuality

Slice = tuple[str, str]
"""Column and value."""


def members(outcomes: Sequence[ExampleOutcome]) -> dict[Slice, frozenset[str]]:
    """Ids of the examples of every slice, columns and values in alphabetical order; groups are no slices."""
    found: dict[Slice, set[str]] = {}
    for outcome in outcomes:
        for column, value in outcome.slices.items():
            if column != GROUP:
                found.setdefault((column, value), set()).add(outcome.example_id)
    return {place: frozenset(ids) for place, ids in sorted(found.items())}


def slice_qualities(outcomes: Sequence[ExampleOutcome], metrics: Sequence[Measured]) -> tuple[SliceQuality, ...]:
    """Every metric on every slice that has judged examples."""
    asked = judged(outcomes)
    qualities = []
    for (column, value), ids in members(asked).items():
        share = accuracy([outcome for outcome in asked if outcome.example_id in ids])
        if share is None:
            continue
        estimates = metric_estimates(parts_of(metrics, ids))
        qualities.append(SliceQuality(column=column, value=value, accuracy=share, metrics=estimates))
    return tuple(qualities)
