"""Good at what: who is best at each part of the test set, as far as the data of that part shows it.

Many parts make many tests: the correction runs over all of them, so that a part is called somebody's only where that
would be surprising anywhere.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from results import numbers
from results.metric_records import Metric
from results.metric_words import in_prose, shown
from results.quality import GROUP
from results.recommendation_records import SliceWinner
from results.records import Estimate, MetricEstimate, RunMeasurements
from results.redrawing import Booleans, Judgements, judgements, paired_p
from results.statistics import holm, mcnemar_exact

SIGNIFICANCE = 0.05


class _Part(NamedTuple):
    """One value of one slice column: whose quality is how high, and how the best compares."""

    column: str
    value: str
    n: int
    best: int
    qualities: tuple[float, ...]
    others: tuple[int, ...]
    p_values: tuple[float, ...]


def slice_winners(runs: Sequence[RunMeasurements]) -> tuple[SliceWinner, ...]:
    """The best of the runs on every slice, columns and values in alphabetical order; runs come best first.

    On the examples of the slice that all of them were asked. Nothing for fewer than two runs, or without slices.
    """
    found = judgements(runs)
    if found is None or len(runs) < 2:
        return ()
    parts = [part for column, value, rows in _slices(found) if (part := _part(found, column, value, rows))]
    adjusted = holm([p for part in parts for p in part.p_values])
    winners, start = [], 0
    for part in parts:
        tests = adjusted[start : start + len(part.p_values)]
        start += len(part.p_values)
        winners.append(_winner(found, part, tests))
    return tuple(winners)


def _slices(found: Judgements) -> list[tuple[str, str, NDArray[np.int64]]]:
    """Every value of every slice column with the places of its examples that all runs were judged on."""
    everybody: Booleans = np.min(found.judged, axis=1)
    members: dict[tuple[str, str], list[int]] = {}
    for place, example in enumerate(found.examples):
        for column, value in example.slices.items():
            if column != GROUP and everybody[place]:
                members.setdefault((column, value), []).append(place)
    return [(column, value, np.array(rows, dtype=np.int64)) for (column, value), rows in sorted(members.items())]


def _part(found: Judgements, column: str, value: str, rows: NDArray[np.int64]) -> _Part | None:
    """The best on one slice against each other; None where it is all of the test set."""
    if len(rows) == len(found.judged):
        return None
    metric = found.metric
    units = found.units[rows]
    qualities = [float(metric.statistic(units[:, i].sum(axis=0, keepdims=True))[0]) for i in range(len(found.names))]
    sign = 1 if metric.higher_is_better else -1
    best = max(range(len(qualities)), key=lambda i: (sign * qualities[i], -i))
    others = tuple(i for i in range(len(qualities)) if i != best)
    p_values = []
    for other in others:
        if metric.is_proportion and not found.grouped:
            right = found.right[rows]
            ours, theirs = right[:, best], right[:, other]
            only_ours, only_theirs = np.sum(ours & ~theirs), np.sum(theirs & ~ours)
            p_values.append(mcnemar_exact(int(only_ours), int(only_theirs)))
        else:
            p_values.append(paired_p(units[:, best], units[:, other], metric, found.clusters[rows]))
    return _Part(column, value, len(rows), best, tuple(qualities), others, tuple(p_values))


def _winner(found: Judgements, part: _Part, tests: Sequence[float]) -> SliceWinner:
    close = tuple(found.names[other] for other, p in zip(part.others, tests, strict=True) if p >= SIGNIFICANCE)
    return SliceWinner(
        column=part.column,
        value=part.value,
        n=part.n,
        best=found.names[part.best],
        quality=part.qualities[part.best],
        not_separated=close,
        sentence=_sentence(found, part, close),
    )


def _sentence(found: Judgements, part: _Part, close: Sequence[str]) -> str:
    best, metric = found.names[part.best], _words(found.metric)
    name, n = in_prose(metric.title), f"n = {numbers.count(part.n)}"
    where = f"{part.column} = {part.value}"
    value = shown(part.qualities[part.best], metric)
    if not close:
        others = ", ".join(found.names[other] for other in part.others)
        return f"{where}: {best} is best, {name} {value} at {n}, shown against {others}."
    told = [found.names[other] for other in part.others if found.names[other] not in close]
    better = f"; it is shown better than {', '.join(told)}" if told else ""
    return f"{where}: no difference shown at {n} between {best} ({name} {value}) and {', '.join(close)}{better}."


def _words(metric: Metric) -> MetricEstimate:
    """The metric as the words about it take it."""
    nothing = Estimate(value=0.0, n=0, method="")
    return MetricEstimate(
        name=metric.name,
        title=metric.title,
        scorer="",
        unit=metric.unit,
        estimate=nothing,
        higher_is_better=metric.higher_is_better,
    )
