"""What small changes of the prompt do to a candidate's answers, and how far it agrees with itself at a temperature.

Every perturbation is held against the unperturbed answers of the same workload, example by example. Quality is the
first metric of the test set's first scorer, as everywhere. Definitions with worked examples: docs/robustness.md.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from results import numbers, quality
from results.metric_records import Judged, Metric
from results.metrics import METRICS, estimate
from results.records import (
    Estimate,
    ExampleOutcome,
    Robustness,
    RobustnessResult,
    RunMeasurements,
    SelfAgreement,
    VariationOutcomes,
)
from results.resampling import Floats
from results.statistics import Sums, bootstrap_mean, bootstrap_sums, holm, mcnemar_exact, wilson
from runners.records import Validity

ORIGINAL = "original"
REPEAT = "repeat-"
"""Names of variations, as runners/variations.py gives them."""
MOST_KINDS = 50
"""Kappa is given where answers are of at most so many kinds: of free texts hardly two are the same by chance."""
SIGNIFICANT = 0.05
"""Below this, after Holm's correction, a change is called one."""


class _Answered(NamedTuple):
    """One example under one variation."""

    outcome: ExampleOutcome
    said: str
    """The answer as it was understood, else its text."""
    counts: dict[str, float]


def robustness(run: RunMeasurements) -> Robustness | None:
    """Everything about the robustness workload of one run; None where there was none, or nothing was judged."""
    metrics = METRICS.get(run.scorers[0].scorer, ()) if run.scorers else ()
    by_name = {variation.variation: _by_example(variation) for variation in run.variations}
    original = by_name.get(ORIGINAL)
    asked = next((workload for workload in run.workloads if workload.kind == "robustness"), None)
    if asked is None or not original or not metrics:
        return None
    metric = metrics[0]
    results = []
    for name in asked.perturbations:
        both = [key for key in by_name.get(name, {}) if key in original]
        if both:
            sides = [original[key] for key in both], [by_name[name][key] for key in both]
            results.append(_held_against(name, metric, *sides, run.labels))
    repeats = [answers for name, answers in by_name.items() if name.startswith(REPEAT)]
    return Robustness(
        metric=metric.title,
        unit=metric.unit,
        results=_concluded(results, metric),
        without_effect=tuple(name for name in asked.perturbations if not by_name.get(name)),
        repeats=_self_agreement(repeats, metric, asked.temperature, run.labels) if repeats else None,
    )


def fleiss_kappa(counts: Floats) -> Estimate | None:
    """Agreement of several answers to each example beyond chance (Fleiss 1971, Psychological Bulletin 76:378).

    counts has shape (examples, kinds): how many of an example's r answers are of each kind, r of at least 2 and the
    same for all. With P the mean over the examples of Σ n(n − 1) ÷ r(r − 1), and Q the sum of the kinds' squared
    shares, κ = (P − Q) ÷ (1 − Q). None where all answers are of one kind, so that chance explains everything.
    """
    kinds = counts.shape[1]
    pairs = _pairs_alike(counts)

    def statistic(sums: Floats) -> Floats:
        shares = sums[:, :kinds] / sums[:, :kinds].sum(axis=1, keepdims=True)
        by_chance = (shares**2).sum(axis=1)
        seen = sums[:, kinds] / sums[:, kinds + 1]
        beyond = 1 - by_chance
        # A resample in which all answers are of one kind agrees with itself.
        kappa = np.divide(seen - by_chance, beyond, out=np.ones_like(seen), where=beyond > 1e-12)
        return np.asarray(kappa, dtype=np.float64)

    units = np.column_stack([counts, pairs, np.ones(len(counts))])
    if np.count_nonzero(counts.sum(axis=0)) < 2:
        return None
    (found,) = bootstrap_sums([Sums(units, statistic)])
    return found.model_copy(update={"method": f"Fleiss' kappa, {found.method}"})


def _pairs_alike(counts: Floats) -> Floats:
    """Per example, the share of pairs of answers that are of one kind."""
    answers = counts.sum(axis=1)
    return np.asarray((counts * (counts - 1)).sum(axis=1) / (answers * (answers - 1)), dtype=np.float64)


def _by_example(variation: VariationOutcomes) -> dict[str, _Answered]:
    found = {}
    for place, (outcome, text) in enumerate(zip(variation.outcomes, variation.answers, strict=True)):
        counts = {name: value for name, column in variation.counts.items() if (value := column[place]) is not None}
        understood = outcome.validity is Validity.SCORED and outcome.predicted is not None
        said = str(outcome.predicted) if understood else " ".join(text.split())
        found[outcome.example_id] = _Answered(outcome, said, counts)
    return found


def _held_against(
    name: str, metric: Metric, before: Sequence[_Answered], after: Sequence[_Answered], labels: Sequence[str]
) -> RobustnessResult:
    was, now = _judged(before, labels), _judged(after, labels)
    right = [(bool(b.outcome.right), bool(a.outcome.right)) for b, a in zip(before, after, strict=True)]
    broken, mended = right.count((True, False)), right.count((False, True))
    is_tested = metric.is_proportion and quality.groups(was.outcomes) is None and bool(np.all(was.weights == 1))
    return RobustnessResult(
        perturbation=name,
        n=len(before),
        unperturbed=estimate(metric, was),
        perturbed=estimate(metric, now),
        difference=_difference(metric, was, now),
        same_answer=wilson(sum(b.said == a.said for b, a in zip(before, after, strict=True)), len(before)),
        broken=broken,
        mended=mended,
        p_adjusted=mcnemar_exact(broken, mended) if is_tested else None,
        conclusion="",
    )


def _difference(metric: Metric, was: Judged, now: Judged) -> Estimate:
    """Quality perturbed minus unperturbed; examples are resampled with both their answers."""
    by_group = quality.groups(was.outcomes)
    before, after = metric.units(was), metric.units(now)
    columns = before.shape[1]
    difference = Sums(
        np.hstack([before, after]),
        lambda sums: metric.statistic(sums[:, columns:]) - metric.statistic(sums[:, :columns]),
        (-1.0, 1.0) if metric.unit == "share" else None,
    )
    (found,) = bootstrap_sums([difference], groups=by_group)
    return found.model_copy(update={"method": f"paired, {found.method}"})


def _concluded(results: Sequence[RobustnessResult], metric: Metric) -> tuple[RobustnessResult, ...]:
    """The results with corrected p-values and a sentence each."""
    tested = [place for place, result in enumerate(results) if result.p_adjusted is not None]
    adjusted = dict(zip(tested, holm([results[place].p_adjusted or 0.0 for place in tested]), strict=True))
    concluded = []
    for place, result in enumerate(results):
        corrected = result.model_copy(update={"p_adjusted": adjusted.get(place)})
        concluded.append(corrected.model_copy(update={"conclusion": _sentence(corrected, metric)}))
    return tuple(concluded)


def _sentence(result: RobustnessResult, metric: Metric) -> str:
    change, p = result.difference, result.p_adjusted
    shown = change_text(change, metric.unit)
    if p is None:
        is_shown = change.low is not None and change.high is not None and (change.low > 0 or change.high < 0)
        why = "the interval leaves out no change; it is not corrected for the other perturbations"
    else:
        is_shown, why = p < SIGNIFICANT, f"{numbers.p_value(p)} after Holm's correction"
    what, n = metric.title.lower(), numbers.count(result.n)
    if not is_shown:
        return f"{result.perturbation}: no change of {what} is shown at n = {n} ({shown})."
    verb = "falls" if change.value < 0 else "rises"
    return f"{result.perturbation}: {what} {verb} at n = {n} ({shown}; {why})."


def change_text(change: Estimate, unit: str) -> str:
    """A difference with its interval: in points where it is one of shares."""
    if unit == "share":
        return numbers.estimate(change, "points")
    interval = "" if change.low is None or change.high is None else f" ({change.low:+.3f} to {change.high:+.3f})"
    return f"{change.value:+.3f}{interval}"


def _self_agreement(
    repeats: Sequence[dict[str, _Answered]], metric: Metric, temperature: float, labels: Sequence[str]
) -> SelfAgreement | None:
    keys = [key for key in repeats[0] if all(key in answers for answers in repeats)]
    if not keys:
        return None
    answers = [[repeat[key] for repeat in repeats] for key in keys]
    kinds = sorted({each.said for row in answers for each in row})
    place = {kind: number for number, kind in enumerate(kinds)}
    counts = np.zeros((len(keys), len(kinds)))
    for number, row in enumerate(answers):
        for each in row:
            counts[number, place[each.said]] += 1
    several = len(repeats) > 1
    return SelfAgreement(
        temperature=temperature,
        repeats=len(repeats),
        n=len(keys),
        quality=_pooled(answers, metric, labels),
        identical=wilson(int(np.sum(counts.max(axis=1) == len(repeats))), len(keys)),
        pairwise=bootstrap_mean(_pairs_alike(counts).tolist(), bounds=(0.0, 1.0)) if several else None,
        kappa=fleiss_kappa(counts) if several and len(kinds) <= MOST_KINDS else None,
    )


def _pooled(answers: Sequence[Sequence[_Answered]], metric: Metric, labels: Sequence[str]) -> Estimate:
    """Quality over all answers; those to one example, or to one group of examples, are resampled together."""
    judged = _judged([each for row in answers for each in row], labels)
    groups = [each.outcome.group or f"\0{each.outcome.example_id}" for row in answers for each in row]
    bounds = (0.0, 1.0) if metric.is_proportion else None
    return bootstrap_sums([Sums(metric.units(judged), metric.statistic, bounds)], groups=groups)[0]


def _judged(answers: Sequence[_Answered], labels: Sequence[str]) -> Judged:
    names = sorted({name for each in answers for name in each.counts})
    return Judged(
        outcomes=tuple(each.outcome for each in answers),
        values=np.array([each.outcome.value or 0.0 for each in answers]),
        counts={name: np.array([each.counts.get(name, np.nan) for each in answers]) for name in names},
        labels=tuple(labels),
    )
