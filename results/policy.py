"""Two models as one: the cheap one first, the strong one where the cheap one's label probability is low.

What that would have reached on this test set, from answers that are stored: nothing is run. The threshold is chosen on
the same examples, which flatters it; beside it stands the quality with each example's threshold chosen without it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from results import numbers
from results.cost import cost_of
from results.limits import memory_bytes
from results.metric_records import Metric
from results.metric_words import difference, in_prose, shown, shown_estimate, signed
from results.recommendation_records import Policy, PolicyPoint
from results.records import CandidateSummary, Estimate, RunMeasurements
from results.redrawing import Booleans, Judgements, judgements
from results.requirement_records import CandidateCost
from results.resampling import Floats
from results.statistics import Sums, bootstrap_sums, wilson

MOST_POINTS = 21
"""Thresholds that are looked at, from never to always asking the second."""
MOST_POLICIES = 3
"""Pairs that are shown."""
MOST_FOLDS = 200
"""Up to so many examples or groups each is left out alone; above, this many parts are left out in turn."""


class _Two(NamedTuple):
    """Two candidates on the examples that both were judged on."""

    metric: Metric
    cheap: CandidateSummary
    strong: CandidateSummary
    probability: Floats
    """Of the cheap one's answer, shape (examples,); 0 where it has none."""
    units: tuple[Floats, Floats]
    """Of the cheap one and of the strong one, shape (examples, columns)."""
    clusters: np.typing.NDArray[np.int64]
    grouped: bool
    costs: tuple[float | None, float | None]


class _Split(NamedTuple):
    """Who is asked when."""

    thresholds: Floats
    asked: Booleans
    """Shape (thresholds, examples): whether the strong one is asked."""
    best: int
    """Threshold of the highest quality."""
    unseen: Booleans
    """Shape (examples,): whether it is asked at the threshold that was chosen without the example."""
    how: str
    """How the parts were made."""


def policies(
    candidates: Sequence[CandidateSummary], runs: Sequence[RunMeasurements], costs: Sequence[CandidateCost] = ()
) -> tuple[Policy, ...]:
    """The candidate of highest measured quality behind each cheaper one that has label probabilities, best first.

    Cheaper is one with the lower cost where both are known, else with the lower end-to-end p50. The first
    MOST_POLICIES by cross-validated quality are kept.
    """
    by_name = {run.candidate.name: run for run in runs}
    measured = [s for s in candidates if s.quality is not None and s.candidate.name in by_name]
    if not measured:
        return ()
    strong = max(measured, key=lambda summary: signed(summary.quality))
    cheaper = [s for s in measured if signed(s.quality) < signed(strong.quality) and _is_cheaper(s, strong, costs)]
    pairs = [two for s in cheaper if (two := _two(s, strong, by_name, costs)) is not None]
    split = [(_split(two), two) for two in pairs]
    sign = 1 if strong.quality is None or strong.quality.higher_is_better else -1
    split.sort(key=lambda pair: -sign * _value(pair[1], pair[0].unseen))
    return tuple(_policy(two, thresholds) for thresholds, two in split[:MOST_POLICIES])


def _two(
    cheap: CandidateSummary,
    strong: CandidateSummary,
    runs: dict[str, RunMeasurements],
    costs: Sequence[CandidateCost],
) -> _Two | None:
    """Both on their common examples; None where the cheap one's answers have no probability."""
    pair = (runs[cheap.candidate.name], runs[strong.candidate.name])
    found = judgements(pair)
    if found is None:
        return None
    probability = _probabilities(pair[0], found)
    both = found.judged.all(axis=1)
    if not both.any() or np.isnan(probability[both]).all():
        return None
    money = [cost_of(costs, each.candidate.name) for each in (cheap, strong)]
    return _Two(
        metric=found.metric,
        cheap=cheap,
        strong=strong,
        # An answer without a probability was not understood, and nothing speaks for it.
        probability=np.nan_to_num(probability[both], nan=0.0),
        units=(found.units[both, 0], found.units[both, 1]),
        clusters=np.unique(found.clusters[both], return_inverse=True)[1],
        grouped=found.grouped,
        costs=(money[0].per_1000_examples if money[0] else None, money[1].per_1000_examples if money[1] else None),
    )


def _probabilities(run: RunMeasurements, found: Judgements) -> Floats:
    """The run's label probabilities on the examples of the judgements, NaN where there is none."""
    by_id = {outcome.example_id: outcome.probability for outcome in run.outcomes}
    return np.array([by_id.get(example.example_id) for example in found.examples], dtype=np.float64)


def _split(two: _Two) -> _Split:
    """Who is asked at each threshold, which threshold is best, and who is asked where it is chosen without oneself.

    Of equal thresholds the one that escalates least. Examples of a group stay together.
    """
    thresholds = _thresholds(two.probability)
    asked = two.probability[None, :] < thresholds[:, None]
    _, kept = np.unique(asked.sum(axis=1), return_index=True)
    thresholds, asked = thresholds[kept], asked[kept]
    clusters = int(two.clusters.max()) + 1
    folds = min(clusters, MOST_FOLDS)
    fold = two.clusters % folds
    mixed = np.zeros((len(asked), folds, two.units[0].shape[1]))
    for place, row in enumerate(asked):
        np.add.at(mixed[place], fold, _mixed(two, row))
    rest = mixed.sum(axis=1, keepdims=True) - mixed
    sign = 1.0 if two.metric.higher_is_better else -1.0
    left_out = two.metric.statistic(rest.reshape(-1, rest.shape[2])).reshape(len(asked), folds)
    # Thresholds rise, and argmax takes the first of equals: the one that escalates least.
    best = np.argmax(np.round(sign * left_out, 9), axis=0)
    what = "group" if two.grouped else "example"
    return _Split(
        thresholds=thresholds,
        asked=asked,
        best=int(np.argmax(np.round(sign * two.metric.statistic(mixed.sum(axis=1)), 9))),
        unseen=asked[best[fold], np.arange(len(fold))],
        how=f"each {what} left out in turn" if folds == clusters else f"{folds} parts of the examples left out in turn",
    )


def _policy(two: _Two, split: _Split) -> Policy:
    points = tuple(_point(two, float(t), row) for t, row in zip(split.thresholds, split.asked, strict=True))
    memory = [memory_bytes(each) for each in (two.cheap, two.strong)]
    nobody = np.zeros(len(two.probability), dtype=np.bool_)
    policy = Policy(
        cheap=two.cheap.candidate.name,
        strong=two.strong.candidate.name,
        points=points,
        chosen=points[split.best],
        cross_validated=_estimate(two, _mixed(two, split.unseen)),
        cheap_quality=_value(two, nobody),
        strong_quality=_value(two, ~nobody),
        strong_latency_seconds=_latency(two.strong),
        strong_cost_per_1000_examples=two.costs[1],
        memory_bytes=None if memory[0] is None or memory[1] is None else memory[0] + memory[1],
        method=(
            f"Threshold of highest quality among {len(points)}, chosen on the same examples and so flattered; "
            f"cross-validated: {split.how}, the threshold chosen on the others."
        ),
        sentence="",
    )
    return policy.model_copy(update={"sentence": _sentence(two, policy)})


def _mixed(two: _Two, asked: Booleans) -> Floats:
    """Units of the strong one where it is asked, else of the cheap one."""
    return np.where(asked[:, None], two.units[1], two.units[0])


def _value(two: _Two, asked: Booleans) -> float:
    return float(two.metric.statistic(_mixed(two, asked).sum(axis=0, keepdims=True))[0])


def _thresholds(probability: Floats) -> Floats:
    """From 0, which never asks the second, over quantiles of the probabilities to just above the highest."""
    inner = np.quantile(probability, np.linspace(0, 1, MOST_POINTS)[1:-1], method="higher")
    above = np.nextafter(probability.max(), np.inf)
    return np.unique(np.concatenate([[0.0], inner, [above]]))


def _point(two: _Two, threshold: float, escalated: Booleans) -> PolicyPoint:
    share = float(escalated.mean())
    times = _latency(two.cheap), _latency(two.strong)
    return PolicyPoint(
        threshold=threshold,
        escalated_share=share,
        quality=_estimate(two, _mixed(two, escalated)),
        latency_seconds=_sum(times, share),
        cost_per_1000_examples=_sum(two.costs, share),
    )


def _estimate(two: _Two, units: Floats) -> Estimate:
    if two.metric.is_proportion and not two.grouped and np.all(units[:, 1] == 1):
        return wilson(round(float(units[:, 0].sum())), len(units))
    groups = [str(cluster) for cluster in two.clusters] if two.grouped else None
    bounds = (0.0, 1.0) if two.metric.is_proportion else None
    return bootstrap_sums([Sums(units, two.metric.statistic, bounds)], groups=groups, resamples=2_000)[0]


def _sentence(two: _Two, policy: Policy) -> str:
    """What the two together reach, against the strong one alone."""
    metric = two.strong.quality
    chosen, reached = policy.chosen, policy.cross_validated
    name = in_prose(metric.title) if metric else "quality"
    said = shown_estimate(metric.model_copy(update={"estimate": reached})) if metric else ""
    cost = _against(chosen.cost_per_1000_examples, policy.strong_cost_per_1000_examples)
    time = ""
    if chosen.latency_seconds is not None and policy.strong_latency_seconds is not None:
        times = numbers.seconds(chosen.latency_seconds), numbers.seconds(policy.strong_latency_seconds)
        time = f"; expected end to end {times[0]} against {times[1]}"
    if chosen.escalated_share == 0:
        unsure = f"{policy.cheap} first and {policy.strong} when unsure gains nothing"
        return f"{unsure}: no threshold beats {policy.cheap} alone."
    if chosen.escalated_share == 1:
        unsure = f"{policy.cheap} first gains nothing"
        return f"{unsure}: no threshold reaches {policy.strong} alone ({shown(policy.strong_quality, metric)})."
    gap = abs(reached.value - policy.strong_quality)
    above = "above" if reached.value > policy.strong_quality else "below"
    side = "as much as" if gap < 1e-9 else f"{difference(gap, metric)} {above}"
    return (
        f"{policy.cheap} first, {policy.strong} below a label probability of {chosen.threshold:.2f}: {name} {said} "
        f"cross-validated, {side} {policy.strong} alone ({shown(policy.strong_quality, metric)}), asking it for "
        f"{numbers.percent(chosen.escalated_share)} of the examples{time}{cost}."
    )


def _against(ours: float | None, theirs: float | None) -> str:
    if ours is None or theirs is None or theirs == 0:
        return ""
    return f"; {numbers.percent(ours / theirs)} of its cost"


def _sum(values: tuple[float | None, float | None], share: float) -> float | None:
    """The first's, plus the second's as often as it is asked."""
    cheap, strong = values
    return None if cheap is None or strong is None else cheap + share * strong


def _latency(summary: CandidateSummary) -> float | None:
    return None if summary.e2e_p50_seconds is None else summary.e2e_p50_seconds.value


def _is_cheaper(cheap: CandidateSummary, strong: CandidateSummary, costs: Sequence[CandidateCost]) -> bool:
    money = [cost_of(costs, each.candidate.name) for each in (cheap, strong)]
    ours, theirs = (cost.per_1000_examples if cost else None for cost in money)
    if ours is None or theirs is None:
        ours, theirs = _latency(cheap), _latency(strong)
    return ours is not None and theirs is not None and ours < theirs
