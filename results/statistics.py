"""Intervals and tests, each with its source. Pure functions of numbers; they know no candidates and no store.

Every interval is two-sided at 95 %. Where n is too small for one, low and high are None and the method says why.
Examples that belong together (the same group) are resampled together. Nothing here decides what is "better".
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import special

from results.records import Estimate

Floats = NDArray[np.float64]

MINIMUM_FOR_BOOTSTRAP = 10
"""Fewer units than this give no bootstrap interval: BCa is badly short of its coverage there (Efron 1987, table 5)."""

_Z = float(special.ndtri(0.975))
_BLOCK = 4_000_000
_MINIMUM_FOR_P99 = 1_000


def wilson(successes: int, n: int) -> Estimate:
    """Proportion with Wilson's score interval (Wilson 1927, JASA 22:209). n of at least 1, else ValueError."""
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"A proportion needs 0 ≤ successes ≤ n and n ≥ 1, not {successes} of {n}.")
    share = successes / n
    shrink = 1 + _Z**2 / n
    centre = (share + _Z**2 / (2 * n)) / shrink
    half = _Z / shrink * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == n else centre + half
    return Estimate(value=share, low=low, high=high, n=n, method="Wilson 95 %")


def bootstrap_mean(
    values: Sequence[float],
    *,
    groups: Sequence[str | None] | None = None,
    seed: int = 0,
    resamples: int = 10_000,
    bounds: tuple[float, float] | None = None,
) -> Estimate:
    """Mean with a BCa bootstrap interval over examples, or over groups where they are given.

    values has shape (n,), n of at least 1. groups names the group of each value; None stands alone. bounds are the
    least and largest value possible: with them, values that are all equal still get an interval (see
    `_interval_of_constant`).
    """
    column = np.asarray(values, dtype=np.float64)
    units = np.column_stack([column, np.ones_like(column)])
    return bootstrap_sums(
        units, lambda sums: sums[:, 0] / sums[:, 1], groups=groups, seed=seed, resamples=resamples, bounds=bounds
    )


def bootstrap_sums(
    units: Floats,
    statistic: Callable[[Floats], Floats],
    *,
    groups: Sequence[str | None] | None = None,
    seed: int = 0,
    resamples: int = 10_000,
    bounds: tuple[float, float] | None = None,
) -> Estimate:
    """Any statistic of column sums, with a BCa bootstrap interval (Efron 1987, JASA 82:171).

    units has shape (n, k): what each example adds to the k sums. statistic maps sums of shape (m, k) to m values,
    all finite. Resampling draws examples (or whole groups, the cluster bootstrap of Davison & Hinkley 1997, §3.8)
    with replacement; equal units are drawn together as one multinomial count, which is the same distribution.
    """
    n = len(units)
    if n < 1:
        raise ValueError("A bootstrap needs at least one value.")
    clusters = units if groups is None else _sum_by_group(units, groups)
    value = float(statistic(clusters.sum(axis=0, keepdims=True))[0])
    over = "examples" if groups is None else f"{len(clusters)} groups"
    if len(clusters) < MINIMUM_FOR_BOOTSTRAP:
        reason = f"no interval: {len(clusters)} of the {MINIMUM_FOR_BOOTSTRAP} independent values it needs"
        return Estimate(value=value, n=n, method=reason)
    distinct, multiplicity = np.unique(clusters, axis=0, return_counts=True)
    replicates = _replicates(distinct, multiplicity, statistic, seed=seed, resamples=resamples)
    leave_one_out = statistic(clusters.sum(axis=0) - distinct)
    interval = bca_interval(value, replicates, leave_one_out, multiplicity)
    if interval is None:
        return _interval_of_constant(value, n, len(clusters), bounds)
    method = f"BCa bootstrap 95 % over {over}, {resamples:,} resamples"
    return Estimate(value=value, low=interval[0], high=interval[1], n=n, method=method)


def bca_interval(
    value: float, replicates: Floats, leave_one_out: Floats, multiplicity: NDArray[np.int64] | None = None
) -> tuple[float, float] | None:
    """Ends of the bias-corrected and accelerated 95 % interval (Efron 1987); None where all replicates are equal.

    replicates has shape (resamples,); leave_one_out holds the statistic without each unit, multiplicity how often
    each of those values occurs (once where None).
    """
    if np.ptp(replicates) == 0:
        return None
    # Resampled values equal the estimate up to rounding; such ties count half, as in scipy.stats.bootstrap.
    tolerance = 1e-12 * max(1.0, abs(value))
    below = np.mean(replicates < value - tolerance)
    at_or_below = np.mean(replicates <= value + tolerance)
    floor = 0.5 / len(replicates)
    bias = float(special.ndtri(np.clip((below + at_or_below) / 2, floor, 1 - floor)))
    weights = np.ones_like(leave_one_out) if multiplicity is None else multiplicity
    deviation = np.average(leave_one_out, weights=weights) - leave_one_out
    spread = float(np.sum(weights * deviation**2))
    acceleration = float(np.sum(weights * deviation**3)) / (6 * spread**1.5) if spread > 0 else 0.0
    shifted = bias + np.array([-_Z, _Z])
    ends = np.quantile(replicates, special.ndtr(bias + shifted / (1 - acceleration * shifted)))
    return float(ends[0]), float(ends[1])


def bootstrap_quantile(values: Sequence[float], q: float, *, seed: int = 0, resamples: int = 10_000) -> Estimate | None:
    """Sample quantile (linear between neighbours) with a percentile bootstrap interval; None where n is too small.

    A quantile is given from `minimum_for_quantile(q)` values on: with fewer it would be the extreme value dressed up.
    The interval is given where the sample can hold the true quantile between its extremes at 95 %, that is
    1 - max(q, 1-q)^n ≥ 0.975 (Hahn & Meeker 1991, §5.2): from 6 values for the median, 72 for the 95th percentile.
    Resampled order statistics are drawn directly instead of sorting resamples: the k-th of n uniform values is
    Beta(k, n-k+1), and the next one above u is u + (1-u)·(1 - V^(1/(n-k))) (David & Nagaraja 2003, §2.1).
    """
    n = len(values)
    needed = minimum_for_quantile(q)
    if n < needed:
        return None
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    value = float(np.quantile(ordered, q))
    rule = f"quantile {q:g}"
    if needed > 2:
        rule += f", given from n ≥ {needed} on because fewer values would make it their extreme"
    enough = math.ceil(math.log(0.025) / math.log(max(q, 1 - q)))
    if n < enough:
        return Estimate(value=value, n=n, method=f"{rule}; no interval: that needs n ≥ {enough}")
    rng = np.random.default_rng(seed)
    k = math.floor((n - 1) * q) + 1
    share = (n - 1) * q - (k - 1)
    lower = rng.beta(k, n - k + 1, size=resamples)
    replicates = ordered[np.minimum((lower * n).astype(np.int64), n - 1)]
    if share > 0:
        upper = lower + (1 - lower) * (1 - rng.random(resamples) ** (1 / (n - k)))
        above = ordered[np.minimum((upper * n).astype(np.int64), n - 1)]
        replicates = replicates * (1 - share) + above * share
    low, high = np.quantile(replicates, [0.025, 0.975])
    method = f"{rule}; percentile bootstrap 95 %, {resamples:,} resamples"
    return Estimate(value=value, low=float(low), high=float(high), n=n, method=method)


def pooled_quantiles(
    parts: Sequence[Sequence[float]], quantiles: Sequence[float], *, seed: int = 0, resamples: int = 1_000
) -> tuple[Estimate | None, ...]:
    """Quantiles of all values of all parts together, with an interval that resamples whole parts.

    parts are, for instance, the gaps of each request: gaps of one request are alike, so that resampling single gaps
    would make the interval too narrow (cluster bootstrap, Davison & Hinkley 1997, §3.8). The quantile of a weighted
    sample is the smallest value with at least the share q of the weight at or below it. None where there are fewer
    values than `minimum_for_quantile(q)`; without interval where there are fewer than 10 parts with values.
    """
    filled = [np.asarray(part, dtype=np.float64) for part in parts if len(part)]
    values = np.concatenate(filled) if filled else np.empty(0)
    n = len(values)
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    owners = np.repeat(np.arange(len(filled)), [len(part) for part in filled])[order]
    enough = len(filled) >= MINIMUM_FOR_BOOTSTRAP
    replicates = _pooled_replicates(ordered, owners, quantiles, seed=seed, resamples=resamples) if enough else None
    found: list[Estimate | None] = []
    for place, q in enumerate(quantiles):
        if n < minimum_for_quantile(q):
            found.append(None)
            continue
        value = float(np.quantile(ordered, q))
        rule = f"quantile {q:g} of {n:,} values of {len(filled):,} requests"
        if replicates is None:
            reason = f"{rule}; no interval: that needs {MINIMUM_FOR_BOOTSTRAP} requests"
            found.append(Estimate(value=value, n=n, method=reason))
            continue
        low, high = (float(end) for end in np.quantile(replicates[:, place], [0.025, 0.975]))
        method = f"{rule}; percentile bootstrap 95 % over requests, {resamples:,} resamples"
        found.append(Estimate(value=value, low=min(value, low), high=max(value, high), n=n, method=method))
    return tuple(found)


def _pooled_replicates(
    ordered: Floats, owners: NDArray[np.int64], quantiles: Sequence[float], *, seed: int, resamples: int
) -> Floats:
    """Quantiles of resamples of whole parts, shape (resamples, quantiles), made in blocks so that memory stays small.

    ordered holds all values, sorted; owners names the part of each.
    """
    rng = np.random.default_rng(seed)
    parts = int(owners.max()) + 1
    block = max(1, _BLOCK // len(ordered))
    rows: list[Floats] = []
    for start in range(0, resamples, block):
        counts = rng.multinomial(parts, np.full(parts, 1 / parts), size=min(block, resamples - start))
        weight = np.cumsum(counts[:, owners], axis=1)
        wanted = np.ceil(weight[:, -1:] * np.asarray(quantiles))
        places = np.stack([np.searchsorted(row, asked) for row, asked in zip(weight, wanted, strict=True)])
        rows.append(ordered[np.minimum(places, len(ordered) - 1)])
    return np.concatenate(rows)


def minimum_for_quantile(q: float) -> int:
    """Fewest values from which a quantile is given: one expected beyond it on either side, and 1,000 for p99."""
    if not 0 < q < 1:
        raise ValueError(f"A quantile lies between 0 and 1, not at {q}.")
    # The tail is rounded before it is turned over, because 1 / (1 - 0.95) is 19.999….
    tail = round(min(q, 1 - q), 9)
    return _MINIMUM_FOR_P99 if tail <= 0.01 else math.ceil(round(1 / tail, 6))


def paired_difference(
    first: Sequence[float],
    second: Sequence[float],
    *,
    groups: Sequence[str | None] | None = None,
    seed: int = 0,
    resamples: int = 10_000,
) -> Estimate:
    """Mean of first minus second on the same examples, scores from 0 to 1, by a paired BCa bootstrap.

    Pairs are resampled whole (Efron & Tibshirani 1993, §8.6). Where all differences are equal no resample can differ,
    and the interval is the exact bound of `_interval_of_constant`.
    """
    if len(first) != len(second):
        raise ValueError(f"Paired scores need equal lengths, not {len(first)} and {len(second)}.")
    differences = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    estimate = bootstrap_mean(differences.tolist(), groups=groups, seed=seed, resamples=resamples, bounds=(-1.0, 1.0))
    return estimate.model_copy(update={"method": f"paired, {estimate.method}"})


def mcnemar_exact(b: int, c: int) -> float:
    """Two-sided p of McNemar's exact test: b and c discordant pairs (McNemar 1947; Fagerland et al. 2013).

    Under the null hypothesis the smaller count is binomial with n = b + c, p = 1/2. Without discordant pairs it is 1.
    """
    if b < 0 or c < 0:
        raise ValueError(f"Counts of pairs cannot be negative: {b} and {c}.")
    if b + c == 0:
        return 1.0
    return min(1.0, 2 * float(special.bdtr(min(b, c), b + c, 0.5)))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Holm's step-down correction (Holm 1979), adjusted p in the order given."""
    m = len(p_values)
    adjusted = [0.0] * m
    largest = 0.0
    for rank, index in enumerate(sorted(range(m), key=lambda i: p_values[i])):
        largest = max(largest, min(1.0, (m - rank) * p_values[index]))
        adjusted[index] = largest
    return tuple(adjusted)


def smallest_detectable_difference(
    n: int, discordant_share: float, power: float = 0.8, alpha: float = 0.05
) -> float | None:
    """Difference of two paired proportions that n pairs show with the given power (Connor 1987, Biometrics 43:207).

    Solves √n·δ = z₁₋α⸝₂·√ψ + z_power·√(ψ - δ²) for δ, with ψ the share of discordant pairs. None where even one-sided
    discordance (δ = ψ) would not be shown. The exact test is a little weaker than this, so speak of "about".
    """
    _check_share(discordant_share)
    if n < 1 or discordant_share == 0:
        return None
    z_alpha, z_power = float(special.ndtri(1 - alpha / 2)), float(special.ndtri(power))
    a = z_alpha * math.sqrt(discordant_share)
    square = n + z_power**2
    inside = n * a**2 - square * (a**2 - z_power**2 * discordant_share)
    if inside < 0:
        return None
    difference = (a * math.sqrt(n) + math.sqrt(inside)) / square
    return difference if difference <= discordant_share else None


def required_examples(difference: float, discordant_share: float, power: float = 0.8, alpha: float = 0.05) -> int:
    """Examples needed to show a difference of two paired proportions (Connor 1987, the same formula).

    difference and discordant_share are shares; the difference cannot exceed the discordance, else ValueError.
    """
    _check_share(discordant_share)
    if not 0 < difference <= discordant_share:
        msg = (
            f"A difference of {difference:g} needs a discordant share at least as large, not {discordant_share:g}: "
            "answers that agree make no difference."
        )
        raise ValueError(msg)
    z_alpha, z_power = float(special.ndtri(1 - alpha / 2)), float(special.ndtri(power))
    root = z_alpha * math.sqrt(discordant_share) + z_power * math.sqrt(discordant_share - difference**2)
    return math.ceil((root / difference) ** 2)


def _check_share(discordant_share: float) -> None:
    if not 0 <= discordant_share <= 1:
        raise ValueError(f"A share lies between 0 and 1, not at {discordant_share}.")


def _interval_of_constant(value: float, n: int, clusters: int, bounds: tuple[float, float] | None) -> Estimate:
    """Interval of a mean whose observed values are all equal, of which resampling cannot know the uncertainty.

    With 95 % confidence at most u = 1 - 0.05^(1/n) of all values differ from the one seen (Clopper & Pearson 1934;
    the "rule of three", Hanley & Lippman-Hand 1983), and those could lie as far away as the bounds allow.
    """
    if bounds is None:
        return Estimate(value=value, n=n, method="no interval: every resample gives the same value")
    others = 1 - 0.05 ** (1 / clusters)
    low, high = value - others * (value - bounds[0]), value + others * (bounds[1] - value)
    return Estimate(value=value, low=low, high=high, n=n, method=f"exact bound 95 %, all {clusters} values are equal")


def _sum_by_group(units: Floats, groups: Sequence[str | None]) -> Floats:
    """Sums per group, shape (groups, k); units without a group stand alone."""
    if len(groups) != len(units):
        raise ValueError(f"{len(units)} values need as many groups, not {len(groups)}.")
    places: dict[str, int] = {}
    clusters: list[Floats] = []
    for unit, group in zip(units, groups, strict=True):
        if group is not None and group in places:
            clusters[places[group]] = clusters[places[group]] + unit
            continue
        if group is not None:
            places[group] = len(clusters)
        clusters.append(unit)
    return np.array(clusters)


def _replicates(
    distinct: Floats,
    multiplicity: NDArray[np.int64],
    statistic: Callable[[Floats], Floats],
    *,
    seed: int,
    resamples: int,
) -> Floats:
    """The statistic on resamples, shape (resamples,), made in blocks so that memory stays small."""
    rng = np.random.default_rng(seed)
    n = int(multiplicity.sum())
    block = max(1, _BLOCK // max(distinct.shape))
    parts: list[Floats] = []
    for start in range(0, resamples, block):
        counts = rng.multinomial(n, multiplicity / n, size=min(block, resamples - start))
        parts.append(statistic(counts @ distinct))
    return np.concatenate(parts)
