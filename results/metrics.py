"""Metrics: how the scores of a test set's scorers are summed up, each a statistic of column sums.

A metric says what each example adds to some columns (its units) and what is made of the columns' sums (its statistic),
so that one way of resampling serves them all: resampled examples are resampled sums. The first metric of a test set's
first scorer is its quality. Scorers themselves are in runners/scorers; intervals in results/statistics.py.
"""

from collections.abc import Sequence

import numpy as np

from results import quality
from results.metric_records import Judged, Metric, mean_of, ratio
from results.records import Estimate, ExampleOutcome, MetricEstimate, RunMeasurements, ScorerOutcomes
from results.scorer_metrics import SCORER_METRICS
from results.statistics import Floats, bootstrap_sums, wilson
from runners.scorer_options import ScorerOptions


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
}
"""Scorer → its metrics, the one that stands for quality first."""


def metric_estimates(run: RunMeasurements) -> tuple[MetricEstimate, ...]:
    """Every metric of every scorer of one run, the test set's quality first; scorers that judged nothing are left out.

    Shares of examples have Wilson's interval; with groups or weights, and for everything else, BCa over examples or
    groups (results/statistics.py).
    """
    found = []
    for options, scored in zip(run.scorers, run.scored, strict=True):
        judged = judged_by(run.outcomes, scored, run.labels)
        if not judged.outcomes:
            continue
        for metric in METRICS.get(options.scorer, ()):
            found.append(
                MetricEstimate(
                    name=metric_name(options, metric),
                    title=metric.title,
                    scorer=options.name,
                    unit=metric.unit,
                    estimate=estimate(metric, judged),
                    higher_is_better=metric.higher_is_better,
                )
            )
    return tuple(found)


def metric_name(options: ScorerOptions, metric: Metric) -> str:
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


def estimate(metric: Metric, judged: Judged) -> Estimate:
    """Value and interval of one metric; at least one example."""
    by_group = quality.groups(judged.outcomes)
    if metric.is_proportion and by_group is None and np.all(judged.weights == 1):
        return wilson(int(np.sum(judged.values == 1)), len(judged.outcomes))
    bounds = (0.0, 1.0) if metric.is_proportion else None
    return bootstrap_sums(metric.units(judged), metric.statistic, groups=by_group, bounds=bounds)
