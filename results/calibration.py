"""Whether label probabilities mean what they say: calibration error, Brier score, reliability bin by bin.

The probability is that of the chosen label among the labels, as answers were scored. Every judged answer that has one
counts with its weight. Nothing here changes a probability; contextual calibration is done when answers are scored.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from results.quality import groups, judged
from results.records import Calibration, Estimate, ExampleOutcome, ReliabilityBin
from results.resampling import Floats, ratio
from results.statistics import Sums, bootstrap_sums, wilson

RELIABILITY_BINS = 10
"""Bins of the reliability diagram (Niculescu-Mizil & Caruana 2005)."""
FINE_BINS = 15
"""Bins that Guo et al. 2017 report, for comparing with the literature."""


def calibration(outcomes: Sequence[ExampleOutcome]) -> Calibration | None:
    """Calibration of the answers that have a probability; None without any."""
    asked = [outcome for outcome in judged(outcomes) if outcome.probability is not None]
    if not asked:
        return None
    probability = np.array([outcome.probability for outcome in asked], dtype=np.float64)
    right = np.array([bool(outcome.right) for outcome in asked])
    weights = np.array([outcome.weight for outcome in asked])
    parts = [
        Sums(_bin_units(probability, right, weights, bins), calibration_error) for bins in (RELIABILITY_BINS, FINE_BINS)
    ]
    squares = np.column_stack([weights * (probability - right) ** 2, weights])
    ece_10, ece_15, brier = bootstrap_sums([*parts, Sums(squares, ratio, (0.0, 1.0))], groups=groups(asked))
    return Calibration(
        n=len(asked),
        confidence=float(np.average(probability, weights=weights)),
        ece_10=ece_10,
        ece_15=ece_15,
        brier=brier,
        bins=_reliability(probability, right, RELIABILITY_BINS),
    )


def calibration_error(sums: Floats) -> Floats:
    """Expected calibration error (Naeini, Cooper & Hauskrecht 2015; Guo et al. 2017, eq. 3), from sums of the bins.

    Σ over bins of (weight of the bin ÷ weight of all) · |share right - mean probability|. sums has shape (m, 3 × bins):
    right answers, probabilities and weights of each bin.
    """
    right, probability, weight = np.split(sums, 3, axis=1)
    total = np.maximum(weight.sum(axis=1), np.finfo(np.float64).tiny)
    return np.asarray(np.abs(right - probability).sum(axis=1) / total, dtype=np.float64)


def _bin_units(probability: Floats, right: NDArray[np.bool_], weights: Floats, bins: int) -> Floats:
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
