"""Intervals and tests, each with its source. Pure functions of numbers; they know no candidates and no store.

Every interval is two-sided at 95 %. Where n is too small for one, low and high are None and the method says why.
Examples that belong together (the same group) are resampled together. Nothing here decides what is "better".
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from results.records import Estimate
from results.resampling import RESAMPLES, Bca, Floats, Statistic, present, ratio, resample, sum_by_group

MINIMUM_FOR_BOOTSTRAP = 10
"""Fewer units than this give no bootstrap interval: BCa is badly short of its coverage there (Efron 1987, table 5)."""

MINIMUM_FOR_BOOTSTRAP_OF_PAIRS = 50
"""Fewer right or wrong answers than this give the difference of two candidates an interval that needs no resampling:
with 20 the paired bootstrap holds the truth in 89 % of cases, because only a few examples set the two apart."""

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


class Sums(NamedTuple):
    """A statistic of column sums, and what each example adds to them."""

    units: Floats
    """Shape (examples, columns)."""
    statistic: Statistic
    """Sums of shape (m, columns) to m values, all finite."""
    bounds: tuple[float, float] | None = None
    """Least and largest value possible, where it is a mean: with them, examples that are all equal still get an
    interval (see `interval_of_constant`)."""


def bootstrap_mean(
    values: Sequence[float],
    *,
    groups: Sequence[str | None] | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
    bounds: tuple[float, float] | None = None,
) -> Estimate:
    """Mean with a BCa bootstrap interval over examples, or over groups where they are given.

    values has shape (n,), n of at least 1. groups names the group of each value; None stands alone.
    """
    column = np.asarray(values, dtype=np.float64)
    mean = Sums(np.column_stack([column, np.ones_like(column)]), ratio, bounds)
    return bootstrap_sums([mean], groups=groups, seed=seed, resamples=resamples)[0]


def bootstrap_sums(
    parts: Sequence[Sums],
    *,
    groups: Sequence[str | None] | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> tuple[Estimate, ...]:
    """Statistics of column sums of the same examples, each with a BCa bootstrap interval (Efron 1987, JASA 82:171).

    Resampling draws examples (or whole groups, the cluster bootstrap of Davison & Hinkley 1997, §3.8) with
    replacement, the same ones for every statistic; see results/resampling.py.
    """
    if len(parts[0].units) < 1:
        raise ValueError("A bootstrap needs at least one value.")
    clusters = {id(part.units): sum_by_group(part.units, groups) for part in parts}
    resampled = resample([(clusters[id(part.units)], part.statistic) for part in parts], seed=seed, resamples=resamples)
    bca = Bca(resampled)
    ends = np.column_stack(bca.interval()).tolist()
    found = []
    for row, part in enumerate(parts):
        value, n, count = float(resampled.values[row]), present(part.units), int(resampled.units[row])
        over = "examples" if groups is None else f"{count} groups"
        if count < MINIMUM_FOR_BOOTSTRAP:
            reason = f"no interval: {count} of the {MINIMUM_FOR_BOOTSTRAP} independent values it needs"
            found.append(Estimate(value=value, n=n, method=reason))
        elif bca.is_constant[row]:
            found.append(interval_of_constant(value, n, count, part.bounds))
        else:
            method = f"BCa bootstrap 95 % over {over}, {resamples:,} resamples"
            found.append(Estimate(value=value, low=ends[row][0], high=ends[row][1], n=n, method=method))
    return tuple(found)


def bootstrap_quantile(values: Sequence[float], q: float, *, seed: int = 0, resamples: int = 10_000) -> Estimate | None:
    """Sample quantile (linear between neighbours) with a percentile bootstrap interval; None where n is too small.

    A quantile is given from `minimum_for_quantile(q)` values on: with fewer it would be the extreme value dressed up.
    The interval is given where the sample can hold the true quantile between its extremes at 95 %, that is
    1 - max(q, 1-q)^n ≥ 0.975 (Hahn & Meeker 1991, §5.2): from 6 values for the median, 72 for the 95th percentile.
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
    low, high = np.quantile(redrawn_quantiles(ordered, q, np.random.default_rng(seed), resamples), [0.025, 0.975])
    method = f"{rule}; percentile bootstrap 95 %, {resamples:,} resamples"
    return Estimate(value=value, low=float(low), high=float(high), n=n, method=method)


def redrawn_quantiles(ordered: Floats, q: float, rng: np.random.Generator, resamples: int) -> Floats:
    """The quantile of resamples of sorted values (at least one), shape (resamples,).

    Order statistics are drawn directly instead of sorting resamples: the k-th of n uniform values is Beta(k, n-k+1),
    and the next one above u is u + (1-u)·(1 - V^(1/(n-k))) (David & Nagaraja 2003, §2.1).
    """
    n = len(ordered)
    k = math.floor((n - 1) * q) + 1
    share = (n - 1) * q - (k - 1)
    lower = rng.beta(k, n - k + 1, size=resamples)
    drawn = ordered[np.minimum((lower * n).astype(np.int64), n - 1)]
    if share > 0:
        upper = lower + (1 - lower) * (1 - rng.random(resamples) ** (1 / (n - k)))
        drawn = drawn * (1 - share) + ordered[np.minimum((upper * n).astype(np.int64), n - 1)] * share
    return np.asarray(drawn, dtype=np.float64)


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


def mcnemar_exact(b: int, c: int) -> float:
    """Two-sided p of McNemar's exact test: b and c discordant pairs (McNemar 1947; Fagerland et al. 2013).

    Under the null hypothesis the smaller count is binomial with n = b + c, p = 1/2. Without discordant pairs it is 1.
    """
    if b < 0 or c < 0:
        raise ValueError(f"Counts of pairs cannot be negative: {b} and {c}.")
    if b + c == 0:
        return 1.0
    return min(1.0, 2 * float(special.bdtr(min(b, c), b + c, 0.5)))


class FewPairs:
    """Difference of two paired shares on few examples (Bonett & Price 2012, J. Educ. Behav. Stat. 37:479).

    One example is added to each of the two discordant counts: p₁ = (b+1)/(n+2), p₂ = (c+1)/(n+2), and the interval is
    p₁ - p₂ ± z·√((p₁ + p₂ - (p₁ - p₂)²) ÷ (n+2)). It rather holds the truth too often than too seldom.
    """

    def __init__(self, b: int, c: int, n: int) -> None:
        first, second = (b + 1) / (n + 2), (c + 1) / (n + 2)
        self._centre = first - second
        self._error = math.sqrt((first + second - self._centre**2) / (n + 2))
        self.difference = Estimate(
            value=(b - c) / n,
            low=max(-1.0, self._centre - _Z * self._error),
            high=min(1.0, self._centre + _Z * self._error),
            n=n,
            method="paired, Bonett & Price 95 %",
        )

    def tails(self, margin: float) -> tuple[float, float]:
        """One-sided p of "the first is lower by the margin or more", and of "higher by the margin or more"."""
        ends = ((self._centre + margin) / self._error, (margin - self._centre) / self._error)
        lower, higher = (float(special.ndtr(-end)) for end in ends)
        return lower, higher


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Holm's step-down correction (Holm 1979), adjusted p in the order given."""
    m = len(p_values)
    adjusted = [0.0] * m
    largest = 0.0
    for rank, index in enumerate(sorted(range(m), key=lambda i: p_values[i])):
        largest = max(largest, min(1.0, (m - rank) * p_values[index]))
        adjusted[index] = largest
    return tuple(adjusted)


def interval_of_constant(value: float, n: int, clusters: int, bounds: tuple[float, float] | None) -> Estimate:
    """Interval of a mean whose observed values are all equal, of which resampling cannot know the uncertainty.

    With 95 % confidence at most u = 1 - 0.05^(1/n) of all values differ from the one seen (Clopper & Pearson 1934;
    the "rule of three", Hanley & Lippman-Hand 1983), and those could lie as far away as the bounds allow.
    """
    if bounds is None:
        return Estimate(value=value, n=n, method="no interval: every resample gives the same value")
    others = 1 - 0.05 ** (1 / clusters)
    low, high = value - others * (value - bounds[0]), value + others * (bounds[1] - value)
    return Estimate(value=value, low=low, high=high, n=n, method=f"exact bound 95 %, all {clusters} values are equal")
