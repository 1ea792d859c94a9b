"""Agreement between two who sort the same things, beyond what chance would give."""

from collections.abc import Sequence

import numpy as np

from results.records import Estimate
from results.statistics import Floats, bootstrap_sums


def cohens_kappa(first: Sequence[str], second: Sequence[str]) -> Estimate:
    """Cohen's kappa with a bootstrap interval (Cohen 1960, Educational and Psychological Measurement 20:37).

    κ = (P − Q) ÷ (1 − Q), where P is the share of things sorted alike and Q the share that would be if each kept to
    his own frequencies by chance. 1 where both put everything into one kind. At least one thing, as many for both.
    """
    if len(first) != len(second) or not first:
        raise ValueError(f"Kappa needs as many judgements of both, and at least one: {len(first)} and {len(second)}.")
    kinds = {kind: place for place, kind in enumerate(sorted({*first, *second}))}
    k = len(kinds)
    units = np.zeros((len(first), k * k))
    for row, (one, other) in enumerate(zip(first, second, strict=True)):
        units[row, kinds[one] * k + kinds[other]] = 1

    def statistic(sums: Floats) -> Floats:
        cells = (sums / sums.sum(axis=1, keepdims=True)).reshape(-1, k, k)
        alike = np.trace(cells, axis1=1, axis2=2)
        by_chance = (cells.sum(axis=2) * cells.sum(axis=1)).sum(axis=1)
        beyond = 1 - by_chance
        kappa = np.divide(alike - by_chance, beyond, out=np.ones_like(alike), where=beyond > 1e-12)
        return np.asarray(kappa, dtype=np.float64)

    return bootstrap_sums(units, statistic)
