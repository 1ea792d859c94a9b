"""Whether label probabilities mean what they say: calibration error, Brier score, reliability bin by bin.

The probability is that of the chosen label among the labels, as answers were scored. Every judged answer that has one
counts with its weight. Nothing here changes a probability; contextual calibration is done when answers are scored.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from results.quality import groups, judged
from results.records import Calibration, Estimate, ExampleOutcome, ReliabilityBin
from results.resampling import RESAMPLES, Floats, ratio, resample, sum_by_group
from results.statistics import MINIMUM_FOR_BOOTSTRAP, Sums, bootstrap_sums, wilson

RELIABILITY_BINS = 10
"""Bins of the reliability diagram (Niculescu-Mizil & Caruana 2005)."""
FINE_BINS = 15
"""Bins that Guo et al. 2017 report, for comparing with the literature."""
_SIGNS_AT_ONCE = 4_000_000


def calibration(outcomes: Sequence[ExampleOutcome]) -> Calibration | None:
    """Calibration of the answers that have a probability; None without any."""
    asked = [outcome for outcome in judged(outcomes) if outcome.probability is not None]
    if not asked:
        return None
    probability = np.array([outcome.probability for outcome in asked], dtype=np.float64)
    right = np.array([bool(outcome.right) for outcome in asked])
    weights = np.array([outcome.weight for outcome in asked])
    by_group = groups(asked)
    coarse, fine = (
        error_estimate(bin_units(probability, right, weights, bins), by_group) for bins in (RELIABILITY_BINS, FINE_BINS)
    )
    squares = np.column_stack([weights * (probability - right) ** 2, weights])
    (brier,) = bootstrap_sums([Sums(squares, ratio, (0.0, 1.0))], groups=by_group)
    return Calibration(
        n=len(asked),
        confidence=float(np.average(probability, weights=weights)),
        ece_10=coarse.error,
        ece_15=fine.error,
        ece_by_chance=coarse.by_chance,
        brier=brier,
        bins=_reliability(probability, right, RELIABILITY_BINS),
    )


class ErrorEstimate(NamedTuple):
    """Calibration error with its interval, and what chance alone makes of it."""

    error: Estimate
    by_chance: float


def error_estimate(units: Floats, groups: Sequence[str | None] | None = None) -> ErrorEstimate:
    """Calibration error with an interval that is on the safe side, from units of `bin_units`.

    The error of a sample is too large: what chance does in each bin counts as error, and on resamples it does so once
    more. So the upper end is the 97.5th percentile of the resamples; the lower end that of the basic bootstrap (twice
    the error minus that percentile; Davison & Hinkley 1997, §5.2), and 0 where the error is one that chance alone could
    have made (`error_by_chance`).
    """
    clusters = sum_by_group(units, groups)
    resampled = resample([(clusters, calibration_error)])
    value, count, by_chance = float(resampled.values[0]), int(resampled.units[0]), error_by_chance(clusters)
    if count < MINIMUM_FOR_BOOTSTRAP:
        reason = f"no interval: {count} of the {MINIMUM_FOR_BOOTSTRAP} independent values it needs"
        return ErrorEstimate(Estimate(value=value, n=len(units), method=reason), by_chance)
    high = max(value, float(np.quantile(resampled.replicates[0], 0.975)))
    low = 0.0 if value <= by_chance else max(0.0, 2 * value - high)
    over = "examples" if groups is None else f"{count} groups"
    method = f"bootstrap 95 % over {over}, on the safe side, {RESAMPLES:,} resamples"
    return ErrorEstimate(Estimate(value=value, low=low, high=high, n=len(units), method=method), by_chance)


def error_by_chance(clusters: Floats, draws: int = 1_000) -> float:
    """Calibration error that probabilities without fault exceed in one of twenty test sets of this size.

    What is left over in each example (or group), right answers minus probability, gets a random sign, so that nothing
    but chance remains (wild bootstrap, Wu 1986, Ann. Statist. 14:1261; in the place of Bröcker & Smith 2007, whose
    consistency resampling takes examples to be independent).
    """
    right, probability, weight = np.split(clusters, 3, axis=1)
    rng = np.random.default_rng(0)
    block = max(1, _SIGNS_AT_ONCE // len(clusters))
    errors = []
    for start in range(0, draws, block):
        signs = rng.choice((-1.0, 1.0), size=(min(block, draws - start), len(clusters)))
        errors.append(np.abs(signs @ (right - probability)).sum(axis=1) / weight.sum())
    return float(np.quantile(np.concatenate(errors), 0.95))


def calibration_error(sums: Floats) -> Floats:
    """Expected calibration error (Naeini, Cooper & Hauskrecht 2015; Guo et al. 2017, eq. 3), from sums of the bins.

    Σ over bins of (weight of the bin ÷ weight of all) · |share right - mean probability|. sums has shape (m, 3 × bins):
    right answers, probabilities and weights of each bin.
    """
    right, probability, weight = np.split(sums, 3, axis=1)
    total = np.maximum(weight.sum(axis=1), np.finfo(np.float64).tiny)
    return np.asarray(np.abs(right - probability).sum(axis=1) / total, dtype=np.float64)


def bin_units(probability: Floats, right: NDArray[np.bool_], weights: Floats, bins: int) -> Floats:
    """What each answer adds to the right answers, the probabilities and the weight of its bin."""
    units = np.zeros((len(probability), 3, bins))
    rows, places = np.arange(len(probability)), _places(probability, bins)
    units[rows, 0, places] = weights * right
    units[rows, 1, places] = weights * probability
    units[rows, 2, places] = weights
    return units.reshape(len(probability), -1)


def _places(probability: Floats, bins: int) -> NDArray[np.intp]:
    """Bin of each probability: each holds its upper end, the first holds 0 too."""
    return np.clip(np.ceil(probability * bins).astype(np.intp) - 1, 0, bins - 1)


def _reliability(probability: Floats, right: NDArray[np.bool_], bins: int) -> tuple[ReliabilityBin, ...]:
    places = _places(probability, bins)
    found = []
    for place in np.unique(places):
        inside = places == place
        found.append(
            ReliabilityBin(
                low=place / bins,
                high=(place + 1) / bins,
                n=int(inside.sum()),
                probability=float(probability[inside].mean()),
                accuracy=_share(right[inside]),
            )
        )
    return tuple(found)


def _share(right: NDArray[np.bool_]) -> Estimate:
    """Each bin by itself: single answers, unweighted, as the diagram shows them."""
    return wilson(int(right.sum()), len(right))
