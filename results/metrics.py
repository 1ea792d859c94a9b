"""Metrics: how the scores of a test set's scorers are summed up, each a statistic of column sums.

A metric says what each example adds to some columns (its units) and what is made of the columns' sums (its statistic),
so that one way of resampling serves them all: resampled examples are resampled sums. The first metric of a test set's
first scorer is its quality. Scorers themselves are in runners/scorers; intervals in results/statistics.py.
"""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np

from results import quality
from results.records import Estimate, ExampleOutcome, MetricEstimate, RunMeasurements, ScorerOutcomes
from results.statistics import Floats, bootstrap_sums, wilson
from runners.scorer_options import PassOptions, ScorerOptions


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


def mean_of(name: str | None = None) -> Callable[[Judged], Floats]:
    """Units of a weighted mean of the scorer's value, or of one of its counts over the examples that have it."""

    def units(judged: Judged) -> Floats:
        values = judged.values if name is None else judged.counts.get(name, np.full(len(judged.outcomes), np.nan))
        known = ~np.isnan(values)
        weights = np.where(known, judged.weights, 0.0)
        return np.column_stack([np.where(known, values, 0.0) * weights, weights])

    return units


def ratio(sums: Floats) -> Floats:
    """First column ÷ second; 0 where the second is 0."""
    return np.divide(sums[:, 0], sums[:, 1], out=np.zeros(len(sums)), where=sums[:, 1] != 0)


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


def estimate(metric: Metric, judged: Judged) -> Estimate:
    """Value and interval of one metric; at least one example."""
    by_group = quality.groups(judged.outcomes)
    if metric.is_proportion and by_group is None and np.all(judged.weights == 1):
        return wilson(int(np.sum(judged.values == 1)), len(judged.outcomes))
    bounds = (0.0, 1.0) if metric.is_proportion else None
    return bootstrap_sums(metric.units(judged), metric.statistic, groups=by_group, bounds=bounds)
