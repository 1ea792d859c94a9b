"""How far two people, or a judge and a person, give the same labels: share of equal ones, and Cohen's kappa."""

import math
from collections import Counter
from collections.abc import Sequence

from scipy import special

from results.agreement_records import Agreement
from results.records import Estimate
from results.statistics import wilson


def agreement(first: Sequence[str], second: Sequence[str]) -> Agreement | None:
    """Agreement of two labellers, example by example; None without examples."""
    if len(first) != len(second):
        raise ValueError(f"two labellers label the same examples: {len(first)} and {len(second)} labels")
    if not first:
        return None
    equal = sum(one == other for one, other in zip(first, second, strict=True))
    return Agreement(share=wilson(equal, len(first)), kappa=cohen_kappa(first, second), different=len(first) - equal)


def cohen_kappa(first: Sequence[str], second: Sequence[str]) -> Estimate | None:
    """Cohen's kappa with its 95 % interval; None where chance alone would give complete agreement.

    κ = (p - e) / (1 - e), with p the share of equal labels and e the share that two labellers with these frequencies
    would have in common by chance (Cohen 1960, A coefficient of agreement for nominal scales). Interval: normal, with
    the large-sample variance of Fleiss, Cohen and Everitt (1969, Large sample standard errors of kappa and weighted
    kappa), formula 13, kept within -1 and 1.
    """
    n = len(first)
    pairs = Counter(zip(first, second, strict=True))
    rows, columns = Counter(first), Counter(second)
    labels = rows.keys() | columns.keys()
    observed = sum(pairs[label, label] for label in labels) / n if n else 0.0
    chance = sum(rows[label] * columns[label] for label in labels) / n**2 if n else 1.0
    if chance == 1:
        return None
    kappa = (observed - chance) / (1 - chance)
    on = sum(pairs[label, label] / n * (1 - (rows[label] + columns[label]) / n * (1 - kappa)) ** 2 for label in labels)
    off = sum(
        count / n * ((columns[one] + rows[other]) / n) ** 2 for (one, other), count in pairs.items() if one != other
    )
    variance = (on + (1 - kappa) ** 2 * off - (kappa - chance * (1 - kappa)) ** 2) / ((1 - chance) ** 2 * n)
    half = float(special.ndtri(0.975)) * math.sqrt(max(variance, 0.0))
    return Estimate(
        value=kappa,
        low=max(-1.0, kappa - half),
        high=min(1.0, kappa + half),
        n=n,
        method="Cohen's kappa, normal 95 % (Fleiss, Cohen, Everitt)",
    )
