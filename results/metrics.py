"""Metrics: how the scores of a test set's scorers are summed up, each a statistic of column sums.

A metric says what each example adds to some columns (its units) and what is made of the columns' sums (its statistic),
so that one way of resampling serves them all: resampled examples are resampled sums. The first metric of a test set's
first scorer is its quality. Scorers themselves are in runners/scorers; intervals in results/statistics.py.
"""

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from results import quality
from results.metric_records import Judged, Metric, mean_of
from results.records import Estimate, ExampleOutcome, MetricEstimate, RunMeasurements, ScorerOutcomes
from results.resampling import Floats, present, ratio
from results.scorer_metrics import SCORER_METRICS
from results.statistics import Sums, bootstrap_sums, wilson
from runners.scorer_options import PassOptions, ScorerOptions


def _labels_units(judged: Judged) -> Floats:
    return quality.label_units(judged.outcomes, judged.labels) * judged.weights[:, None]


_ACCURACY = Metric(
    "accuracy",
    "Accuracy",
    "Share of the examples answered right; what could not be understood is not right.",
    "Sokolova & Lapalme 2009, IP&M 45:427",
    mean_of(),
    ratio,
    is_proportion=True,
)

METRICS: dict[str, tuple[Metric, ...]] = {
    **SCORER_METRICS,
    "label_match": (
        _ACCURACY,
        Metric(
            "balanced_accuracy",
            "Balanced accuracy",
            "Mean recall over the labels that occur.",
            "Brodersen et al. 2010",
            _labels_units,
            quality.mean_recall,
        ),
        Metric(
            "macro_f1",
            "Macro F1",
            "Mean over the labels of F1 = 2·hits ÷ (support + predicted).",
            "Opitz & Burst 2019, arXiv:1911.03347",
            _labels_units,
            quality.mean_f1,
        ),
    ),
    "judge": (
        Metric(
            "judge_grade",
            "Judge's grade",
            "Mean grade that a judge gave, from 0 for the lowest of its scale to 1 for the highest.",
            "Zheng et al. 2023, arXiv:2306.05685",
            mean_of(),
            ratio,
            unit="score",
        ),
    ),
    "judge_pairwise": (
        Metric(
            "win_rate",
            "Win rate by the judge",
            "Share of comparisons with other candidates that the judge decided for it, a tie counting half.",
            "Zheng et al. 2023, arXiv:2306.05685",
            mean_of(),
            ratio,
        ),
    ),
    "embedding_similarity": (
        Metric(
            "semscore",
            "Embedding similarity",
            "Mean cosine of the embeddings of answer and target, of the nearest target where there are several.",
            "Aynetdinov & Akbik 2024, arXiv:2401.17072 (SemScore)",
            mean_of("cosine"),
            ratio,
            unit="score",
        ),
    ),
    "bert_score": (
        Metric(
            "bert_score_f1",
            "BERTScore F1",
            "Mean F1 of BERTScore, of the best target where there are several.",
            "Zhang et al. 2020, arXiv:1904.09675",
            mean_of("f1"),
            ratio,
            unit="score",
        ),
    ),
}
"""Scorer → its metrics, the one that stands for quality first."""


class Measured(NamedTuple):
    """One metric of one run, ready to be summed up over any of its examples."""

    options: ScorerOptions | PassOptions
    metric: Metric
    judged: Judged
    units: Floats
    """Shape (examples judged, columns)."""

    @property
    def name(self) -> str:
        """Name in its test set."""
        return metric_name(self.options, self.metric)

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Least and largest value possible, for means of the scorer's values."""
        return (0.0, 1.0) if self.metric.is_mean else None

    @property
    def right(self) -> NDArray[np.bool_]:
        """Of a share of examples: which ones have what is counted, shape (examples judged,)."""
        return has_what_is_counted(self.units)


def measured(run: RunMeasurements) -> tuple[Measured, ...]:
    """Every metric of every scorer of one run, the test set's quality first; what has nothing to sum up is left out."""
    found = []
    for options, scored in zip(run.scorers, run.scored, strict=True):
        judged = judged_by(run.outcomes, scored, run.labels)
        if not judged.outcomes:
            continue
        made: dict[Callable[[Judged], Floats], Floats] = {}
        for metric in METRICS.get(options.scorer, ()):
            if metric.units not in made:
                made[metric.units] = metric.units(judged)
            if present(made[metric.units]):
                found.append(Measured(options, metric, judged, made[metric.units]))
    return tuple(found)


def metric_estimates(metrics: Sequence[Measured]) -> tuple[MetricEstimate, ...]:
    """Value and interval of every metric.

    Plain shares of examples have Wilson's interval; with groups or weights, and for everything else, BCa over examples
    or groups (results/statistics.py).
    """
    estimates: dict[int, Estimate] = {}
    by_examples: dict[tuple[str, ...], list[int]] = {}
    asked = {id(each.judged): _asked(each.judged) for each in metrics}
    for place, each in enumerate(metrics):
        examples = asked[id(each.judged)]
        if each.metric.is_proportion and examples.is_plain:
            estimates[place] = wilson(int(each.right.sum()), int(np.sum(each.units[:, 1] > 0)))
        else:
            by_examples.setdefault(examples.ids, []).append(place)
    for places in by_examples.values():
        parts = [Sums(metrics[p].units, metrics[p].metric.statistic, metrics[p].bounds) for p in places]
        groups = asked[id(metrics[places[0]].judged)].groups
        estimates |= zip(places, bootstrap_sums(parts, groups=groups), strict=True)
    return tuple(
        MetricEstimate(
            name=each.name,
            title=each.metric.title,
            scorer=each.options.name,
            unit=each.metric.unit,
            estimate=estimates[place],
            higher_is_better=each.metric.higher_is_better,
        )
        for place, each in enumerate(metrics)
    )


def estimate(metric: Metric, judged: Judged) -> Estimate:
    """Value and interval of one metric, made as in `metric_estimates`; at least one example."""
    asked, units = _asked(judged), metric.units(judged)
    if metric.is_proportion and asked.is_plain:
        return wilson(int(np.sum(has_what_is_counted(units))), present(units))
    bounds = (0.0, 1.0) if metric.is_mean else None
    return bootstrap_sums([Sums(units, metric.statistic, bounds)], groups=asked.groups)[0]


def has_what_is_counted(units: Floats) -> NDArray[np.bool_]:
    """Of the units of a share of examples: which ones have what is counted, shape (examples,)."""
    counted, weight = units[:, 0], units[:, 1]
    return np.asarray((counted == weight) & (weight > 0), dtype=np.bool_)


class _Asked(NamedTuple):
    """The examples that a scorer judged."""

    ids: tuple[str, ...]
    groups: tuple[str | None, ...] | None
    is_plain: bool
    """Whether they are independent and count the same."""


def _asked(judged: Judged) -> _Asked:
    groups = quality.groups(judged.outcomes)
    is_even = len({outcome.weight for outcome in judged.outcomes}) == 1
    return _Asked(tuple(outcome.example_id for outcome in judged.outcomes), groups, groups is None and is_even)


def parts_of(metrics: Sequence[Measured], example_ids: Collection[str]) -> tuple[Measured, ...]:
    """The same metrics over some of the examples; what has nothing to sum up there is left out."""
    judged: dict[int, tuple[list[int], Judged]] = {}
    units: dict[int, Floats] = {}
    found = []
    for each in metrics:
        if id(each.judged) not in judged:
            judged[id(each.judged)] = _part(each.judged, example_ids)
        places, part = judged[id(each.judged)]
        # Metrics that share their sums go on sharing them.
        if id(each.units) not in units:
            units[id(each.units)] = each.units[places]
        if present(units[id(each.units)]):
            found.append(each._replace(judged=part, units=units[id(each.units)]))
    return tuple(found)


def _part(judged: Judged, example_ids: Collection[str]) -> tuple[list[int], Judged]:
    places = [place for place, outcome in enumerate(judged.outcomes) if outcome.example_id in example_ids]
    part = judged._replace(
        outcomes=tuple(judged.outcomes[place] for place in places),
        values=judged.values[places],
        counts={name: column[places] for name, column in judged.counts.items()},
    )
    return places, part


def metric_name(options: ScorerOptions | PassOptions, metric: Metric) -> str:
    """Name of a scorer's metric in its test set."""
    return metric.name if options.name == options.scorer else f"{options.name}.{metric.name}"


def judged_by(outcomes: Sequence[ExampleOutcome], scored: ScorerOutcomes, labels: Sequence[str]) -> Judged:
    """What one scorer judged of one run."""
    places = [place for place, value in enumerate(scored.values) if value is not None]
    return Judged(
        outcomes=tuple(outcomes[place] for place in places),
        values=np.array([scored.values[place] for place in places], dtype=np.float64),
        counts={
            name: np.array([column[place] for place in places], dtype=np.float64)
            for name, column in scored.counts.items()
        },
        labels=tuple(labels),
    )
