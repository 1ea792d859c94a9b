"""Numbers of pairs of candidates on the examples that both were asked: difference, interval, test, power.

Everything is resampled with the same counts: of every candidate and metric there is one row of replicates, and a pair
is the difference of two. Examples outside a pair (not judged by both, or not in the slice) add nothing to its sums.
The correction over all pairs and the sentences are made in results/comparison.py.
"""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from results.metrics import Measured, measured
from results.power import smallest_detectable_difference, smallest_detectable_mean
from results.records import Comparison, Estimate, NotWorse, RunMeasurements
from results.resampling import RESAMPLES, Bca, Floats, Resampled, Statistic, resample, sum_by_group
from results.statistics import (
    MINIMUM_FOR_BOOTSTRAP,
    MINIMUM_FOR_BOOTSTRAP_OF_PAIRS,
    FewPairs,
    interval_of_constant,
    mcnemar_exact,
)

Mask = NDArray[np.bool_]
_PAIRS_AT_ONCE = 200


class Examples(NamedTuple):
    """The examples of all runs together."""

    places: dict[str, int]
    """Place of each example by its id."""
    groups: tuple[str | None, ...] | None
    """Group of each, None where the test set has no groups."""
    is_even: bool
    """Whether all count the same."""

    def mask(self, ids: frozenset[str]) -> Mask:
        """Which examples are among these."""
        return np.array([example in ids for example in self.places])

    def clusters(self, mask: Mask) -> int:
        """Independent examples, or groups, among some of them."""
        if self.groups is None:
            return int(mask.sum())
        found = [group for group, inside in zip(self.groups, mask, strict=True) if inside]
        return len({group for group in found if group is not None}) + found.count(None)


class MetricTable(NamedTuple):
    """One metric of every candidate that has it."""

    about: Measured
    """The metric, as one of the candidates has it."""
    units: dict[str, Floats]
    """By candidate, shape (examples of all runs, columns); 0 where it was not judged."""
    judged: dict[str, Mask]
    """Which examples were."""
    right: dict[str, Mask]
    """Which have the value 1."""


class Pair(NamedTuple):
    """Two candidates, and where they are compared."""

    first: str
    second: str
    common: Mask
    """Examples on which they are compared."""


def examples_of(runs: Sequence[RunMeasurements]) -> Examples:
    """All examples of all runs, in the order of the first that has them."""
    found = {outcome.example_id: outcome for run in runs for outcome in run.outcomes}
    groups = tuple(outcome.group for outcome in found.values())
    return Examples(
        places={example: place for place, example in enumerate(found)},
        groups=groups if any(group is not None for group in groups) else None,
        is_even=len({outcome.weight for outcome in found.values()}) <= 1,
    )


def metric_tables(runs: Sequence[RunMeasurements], examples: Examples) -> tuple[MetricTable, ...]:
    """Every metric of all runs, the one that stands for quality first."""
    tables: dict[str, MetricTable] = {}
    for run in runs:
        for each in measured(run):
            table = tables.setdefault(each.name, MetricTable(each, {}, {}, {}))
            places = [examples.places[outcome.example_id] for outcome in each.judged.outcomes]
            name = run.candidate.name
            table.units[name] = np.zeros((len(examples.places), each.units.shape[1]))
            table.units[name][places] = each.units
            table.judged[name] = np.zeros(len(examples.places), dtype=np.bool_)
            table.judged[name][places] = True
            table.right[name] = np.zeros(len(examples.places), dtype=np.bool_)
            table.right[name][places] = each.metric.is_proportion & each.right
    return tuple(tables.values())


def compare_pairs(
    table: MetricTable, pairs: Sequence[Pair], examples: Examples, margin: float | None = None
) -> Iterator[Comparison]:
    """Every pair in one metric, uncorrected and without its sentence."""
    for start in range(0, len(pairs), _PAIRS_AT_ONCE):
        some = pairs[start : start + _PAIRS_AT_ONCE]
        rows: dict[tuple[str, bytes], int] = {}
        parts: list[tuple[Floats, Statistic]] = []
        places: list[int] = []
        for pair in some:
            for name in (pair.first, pair.second):
                key = (name, pair.common.tobytes())
                if key not in rows:
                    rows[key] = len(parts)
                    units = np.where(pair.common[:, None], table.units[name], 0.0)
                    parts.append((sum_by_group(units, examples.groups), table.about.metric.statistic))
                places.append(rows[key])
        resampled = resample(parts)
        differences = _Differences(table, resampled, places, margin)
        for row, pair in enumerate(some):
            yield _comparison(differences, row, pair, examples)


class _Differences:
    """The differences of some pairs, with what is read off their resamples."""

    def __init__(self, table: MetricTable, resampled: Resampled, places: Sequence[int], margin: float | None) -> None:
        self.table = table
        self.margin = margin
        self.firsts, self.seconds = resampled.values[list(places[::2])], resampled.values[list(places[1::2])]
        self.all = resampled.minus(places[::2], places[1::2])
        self.bca = Bca(self.all)
        self.lows, self.highs = self.bca.interval()
        self.p_values = self.bca.p_two_sided()
        self._below_minus_margin, self._below_margin = (
            (self.p_values, self.p_values) if margin is None else (self.bca.p_below(-margin), self.bca.p_below(margin))
        )

    def estimate(self, row: int, n: int, grouped: bool) -> Estimate:
        """Difference with its interval."""
        value, count = float(self.all.values[row]), int(self.all.units[row])
        if count < MINIMUM_FOR_BOOTSTRAP:
            reason = f"no interval: {count} of the {MINIMUM_FOR_BOOTSTRAP} independent values it needs"
            return Estimate(value=value, n=n, method=reason)
        if self.bca.is_constant[row]:
            estimate = interval_of_constant(value, n, count, (-1.0, 1.0) if self.table.about.metric.is_mean else None)
            return estimate.model_copy(update={"method": f"paired, {estimate.method}"})
        over = f"{count} groups" if grouped else "examples"
        method = f"paired, BCa bootstrap 95 % over {over}, {RESAMPLES:,} resamples"
        return Estimate(value=value, low=float(self.lows[row]), high=float(self.highs[row]), n=n, method=method)

    def p_value(self, row: int) -> float:
        """Two-sided; where every resample gives the same difference, of the sign test over the units."""
        if self.bca.is_constant[row]:
            return 1.0 if abs(self.all.values[row]) <= 1e-12 else min(1.0, 2 * 0.5 ** int(self.all.units[row]))
        return float(self.p_values[row])

    def tails(self, row: int, margin: float) -> tuple[float, float]:
        """One-sided p of "the first is lower by the margin or more", and of "higher by the margin or more".

        Equal differences: (1-u)ⁿ, with u the share of examples that would have to lie at the other end for the
        difference to reach the margin (as in interval_of_constant).
        """
        if not self.bca.is_constant[row]:
            return float(self._below_minus_margin[row]), float(1 - self._below_margin[row])
        if not self.table.about.metric.is_mean:
            return 1.0, 1.0
        units = int(self.all.units[row])
        lower, higher = (
            1.0 if value <= -margin else (1 - (value + margin) / (1 + value)) ** units
            for value in (float(self.all.values[row]), -float(self.all.values[row]))
        )
        return lower, higher


def _not_worse(pair: Pair, difference: Estimate, tails: tuple[float, float], margin: float, up: bool) -> NotWorse:
    """Whether the worse of the two is worse by less than the margin, one-sided (ICH E9 1998, §3.3.2).

    Uncorrected and not yet judged. up: whether more is better.
    """
    first_is_worse = difference.value < 0 if up else difference.value > 0
    # Of the worse one's difference to the better one, the end and the tail on the side of the loss.
    is_low = first_is_worse == up
    end = difference.low if is_low else difference.high
    p_value = (tails[0] if is_low else tails[1]) if end is not None else 1.0
    worse, better = (pair.first, pair.second) if first_is_worse else (pair.second, pair.first)
    return NotWorse(
        candidate=worse,
        than=better,
        margin=margin,
        bound=None if end is None else end if is_low else -end,
        p_value=p_value,
        p_adjusted=p_value,
        shown=False,
    )


def _comparison(differences: _Differences, row: int, pair: Pair, examples: Examples) -> Comparison:
    about, n = differences.table.about, int(pair.common.sum())
    margin = differences.margin
    counts: dict[str, int] = {}
    test: Literal["mcnemar", "paired_bootstrap", "none"] = "paired_bootstrap"
    difference = differences.estimate(row, n, examples.groups is not None)
    tails = differences.tails(row, margin) if margin is not None else None
    if about.metric.is_proportion:
        ours, theirs = (differences.table.right[name][pair.common] for name in (pair.first, pair.second))
        both = int(np.sum(ours & theirs))
        only_first, only_second = int(ours.sum()) - both, int(theirs.sum()) - both
        counts = {"both_right": both, "only_first_right": only_first, "only_second_right": only_second}
        counts["both_wrong"] = n - both - only_first - only_second
    if counts and examples.groups is None and examples.is_even:
        test = "mcnemar"
        discordant = (counts["only_first_right"], counts["only_second_right"])
        p_value = mcnemar_exact(*discordant)
        detectable = smallest_detectable_difference(n, sum(discordant) / n)
        if n < MINIMUM_FOR_BOOTSTRAP_OF_PAIRS:
            few = FewPairs(*discordant, n)
            difference, tails = few.difference, few.tails(margin or 0.0)
    elif differences.all.units[row] < MINIMUM_FOR_BOOTSTRAP:
        test, p_value, detectable = "none", 1.0, None
    else:
        p_value = differences.p_value(row)
        detectable = smallest_detectable_mean(float(differences.bca.standard_errors[row]))
    return Comparison.model_validate(
        counts
        | {
            "metric": about.name,
            "title": about.metric.title,
            "unit": about.metric.unit,
            "higher_is_better": about.metric.higher_is_better,
            "first": pair.first,
            "second": pair.second,
            "n": n,
            "first_value": float(differences.firsts[row]),
            "second_value": float(differences.seconds[row]),
            "difference": difference,
            "grouped": examples.groups is not None,
            "test": test,
            "p_value": p_value,
            "p_adjusted": p_value,
            "smallest_detectable_difference": detectable,
            "not_worse": None
            if margin is None or tails is None
            else _not_worse(pair, difference, tails, margin, about.metric.higher_is_better),
            "conclusion": "",
        }
    )
