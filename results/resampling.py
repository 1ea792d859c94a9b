"""Bootstrap resamples that several statistics share, and the intervals and tests that are read off them.

A statistic is a function of column sums, so that a resample is a row of counts times the units. Everything that is
compared is resampled with the same counts: the difference of two replicates is a replicate of the difference. Knows no
metric, no candidate and no store; whole estimates are made in results/statistics.py.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Statistic = Callable[[Floats], Floats]
"""Sums of shape (m, columns) to m values, all finite."""

RESAMPLES = 10_000
MOST_BUNDLES = 5_000
"""More independent units than this are added up at random into so many bundles, which are resampled in their place:
the spread of a sum over thousands of equal parts does not depend on how they were parted."""

_CELLS_AT_ONCE = 4_000_000
_BYTES_KEPT = 200_000_000
_LEAST_SHARE = 1e-12


class Resampled(NamedTuple):
    """One or more statistics on the same resamples, one row each."""

    values: Floats
    """Of the sample itself, shape (rows,)."""
    replicates: Floats
    """On resamples, shape (rows, resamples)."""
    without: Floats
    """Without each unit (the jackknife), shape (rows, units)."""
    units: NDArray[np.intp]
    """Independent units that add anything to the statistic, shape (rows,)."""

    def minus(self, first: Sequence[int], second: Sequence[int]) -> "Resampled":
        """Differences of rows: each of `first` minus the one of `second` beside it."""
        a, b = np.asarray(first, dtype=np.intp), np.asarray(second, dtype=np.intp)
        return Resampled(
            self.values[a] - self.values[b],
            self.replicates[a] - self.replicates[b],
            self.without[a] - self.without[b],
            np.maximum(self.units[a], self.units[b]),
        )


def resample(parts: Sequence[tuple[Floats, Statistic]], *, seed: int = 0, resamples: int = RESAMPLES) -> Resampled:
    """Every statistic on the same resamples of the same units.

    Each part has units of shape (units, columns), row by row the same units in all parts, and its statistic.
    """
    # Metrics that are statistics of the same sums share them.
    distinct = {id(units): units for units, _ in parts}
    bundled = dict(zip(distinct, _bundled(list(distinct.values()), seed), strict=True))
    n = len(next(iter(bundled.values())))
    everything = np.hstack(list(bundled.values()))
    starts = np.cumsum([0, *(units.shape[1] for units in bundled.values())])
    columns = {key: slice(start, end) for key, start, end in zip(bundled, starts[:-1], starts[1:], strict=True)}
    replicates = np.empty((len(parts), resamples))
    done = 0
    for counts in _counts(n, resamples, seed):
        # Laid out column by column, because statistics work on whole columns.
        sums = (everything.T @ counts.T).T
        for row, (units, statistic) in enumerate(parts):
            replicates[row, done : done + len(counts)] = statistic(sums[:, columns[id(units)]])
        done += len(counts)
    values, without = np.empty(len(parts)), np.empty((len(parts), n))
    for row, (units, statistic) in enumerate(parts):
        added = bundled[id(units)]
        total = added.sum(axis=0, keepdims=True)
        values[row], without[row] = statistic(total)[0], statistic(total - added)
    return Resampled(values, replicates, without, np.array([present(bundled[id(units)]) for units, _ in parts]))


def resample_jointly(units: Floats, statistics: Statistic, *, seed: int = 0, resamples: int = RESAMPLES) -> Resampled:
    """Statistics that can only be computed together, on the same resamples: sums of shape (m, columns) to (m, rows).

    Where one row rests on fewer units than are given, its number of units is for the caller to put right.
    """
    bundled = _bundled([units], seed)[0]
    blocks = (statistics((bundled.T @ counts.T).T) for counts in _counts(len(bundled), resamples, seed))
    replicates = np.concatenate(list(blocks)).T
    total = bundled.sum(axis=0, keepdims=True)
    values = statistics(total)[0]
    return Resampled(values, replicates, statistics(total - bundled).T, np.full(len(values), present(bundled)))


class Bca:
    """Bias-corrected and accelerated intervals and tests of resampled statistics, row by row (Efron 1987, JASA 82:171).

    The normal quantile is widened to √(n ÷ (n-1)) times that of Student's t with n-1 degrees of freedom, n being the
    independent units (Hesterberg 2015, The American Statistician 69:371, "expanded percentile"): the bootstrap's
    spread divides by n, and few units do not know their own spread. `widened=False` gives the textbook interval.
    """

    def __init__(self, resampled: Resampled, *, widened: bool = True) -> None:
        self._sorted = np.sort(resampled.replicates, axis=1)
        self._resamples = self._sorted.shape[1]
        self.is_constant = self._sorted[:, -1] - self._sorted[:, 0] <= _LEAST_SHARE
        """Rows whose resamples are all equal: nothing can be read off them."""
        self._bias = self._normal_place(resampled.values)
        deviation = resampled.without.mean(axis=1, keepdims=True) - resampled.without
        spread = np.sum(deviation**2, axis=1)
        skew = np.sum(deviation**3, axis=1)
        self._acceleration = np.divide(skew, 6 * spread**1.5, out=np.zeros_like(skew), where=spread > 0)
        self._values = resampled.values
        self._freedom = np.maximum(resampled.units - 1, 1) if widened else None

    def interval(self, level: float = 0.95) -> tuple[Floats, Floats]:
        """Lower and upper ends of the two-sided interval, shape (rows,) each."""
        quantile = np.full(len(self._sorted), special.ndtri((1 + level) / 2))
        if self._freedom is not None:
            quantile = special.stdtrit(self._freedom, (1 + level) / 2) * self._stretch
        return self._end(-quantile), self._end(quantile)

    def p_below(self, bound: float = 0.0) -> Floats:
        """One-sided p of "at most `bound`": small where the statistic is shown to be above it, shape (rows,).

        The level at which the interval's end is the bound (inversion of the interval; Efron & Tibshirani 1993,
        §15.4). Never below what the number of resamples can tell, 1 ÷ (resamples + 1) (Davison & Hinkley
        1997, §4.2).
        """
        place = self._normal_place(np.full(len(self._sorted), bound)) - self._bias
        scale = 1 + self._acceleration * place
        shifted = np.divide(place, scale, out=np.where(place < 0, -np.inf, np.inf), where=scale > 0)
        quantile = shifted - self._bias
        if self._freedom is None:
            p = special.ndtr(quantile)
        else:
            p = special.stdtr(self._freedom, np.nan_to_num(quantile, posinf=1e9, neginf=-1e9) / self._stretch)
        least = 1 / (self._resamples + 1)
        return np.asarray(np.clip(p, least, 1 - least), dtype=np.float64)

    def p_two_sided(self, bound: float = 0.0) -> Floats:
        """Two-sided p of "equal to `bound`", shape (rows,)."""
        below = self.p_below(bound)
        return np.asarray(np.minimum(1.0, 2 * np.minimum(below, 1 - below)), dtype=np.float64)

    @cached_property
    def standard_errors(self) -> Floats:
        """Standard deviation of the replicates, shape (rows,)."""
        deviation = self._sorted - self._values[:, None]
        squares = np.einsum("ij,ij->i", deviation, deviation) / self._resamples
        return np.asarray(np.sqrt(np.maximum(squares - deviation.mean(axis=1) ** 2, 0.0)))

    @property
    def _stretch(self) -> Floats:
        if self._freedom is None:
            return np.ones(len(self._sorted))
        return np.asarray(np.sqrt((self._freedom + 1) / self._freedom), dtype=np.float64)

    def _end(self, quantile: Floats) -> Floats:
        shifted = self._bias + quantile
        scale = 1 - self._acceleration * shifted
        corrected = np.divide(shifted, scale, out=np.where(shifted < 0, -np.inf, np.inf), where=scale > 0)
        places = special.ndtr(self._bias + corrected) * (self._resamples - 1)
        below = np.floor(places).astype(np.intp)
        above = np.minimum(below + 1, self._resamples - 1)
        rows = np.arange(len(self._sorted))
        share = places - below
        return np.asarray(self._sorted[rows, below] * (1 - share) + self._sorted[rows, above] * share)

    def _normal_place(self, bounds: Floats) -> Floats:
        """Share of the replicates below each row's bound as a normal quantile; ties count half, as in scipy."""
        tolerance = _LEAST_SHARE * np.maximum(1.0, np.abs(bounds))
        found = np.empty(len(bounds))
        for row, (bound, gap) in enumerate(zip(bounds, tolerance, strict=True)):
            below = np.searchsorted(self._sorted[row], bound - gap, side="left")
            at_or_below = np.searchsorted(self._sorted[row], bound + gap, side="right")
            found[row] = (below + at_or_below) / 2
        floor = 0.5 / self._resamples
        return np.asarray(special.ndtri(np.clip(found / self._resamples, floor, 1 - floor)), dtype=np.float64)


def ratio(sums: Floats) -> Floats:
    """First column ÷ second; 0 where the second is 0."""
    return np.divide(sums[:, 0], sums[:, 1], out=np.zeros(len(sums)), where=sums[:, 1] != 0)


def present(units: Floats) -> int:
    """How many units add anything to any sum: the others are not there, as far as a statistic of sums is concerned."""
    return int(np.count_nonzero(np.any(units != 0, axis=1)))


def sum_by_group(units: Floats, groups: Sequence[str | None] | None) -> Floats:
    """Sums per group, shape (groups, columns), in order of appearance; units without a group stand alone."""
    if groups is None:
        return units
    if len(groups) != len(units):
        raise ValueError(f"{len(units)} values need as many groups, not {len(groups)}.")
    owners = clusters_of(groups)
    sums = np.zeros((int(owners.max(initial=-1)) + 1, units.shape[1]))
    np.add.at(sums, owners, units)
    return sums


def clusters_of(groups: Sequence[str | None]) -> NDArray[np.intp]:
    """Number of each unit's group, in order of appearance, shape (units,); a unit without a group stands alone."""
    places: dict[str, int] = {}
    owners = np.empty(len(groups), dtype=np.intp)
    clusters = 0
    for place, group in enumerate(groups):
        if group is not None and group in places:
            owners[place] = places[group]
            continue
        if group is not None:
            places[group] = clusters
        owners[place] = clusters
        clusters += 1
    return owners


def _bundled(parts: Sequence[Floats], seed: int) -> list[Floats]:
    """The units, added up at random into bundles where there are more than can be resampled one by one."""
    n = len(parts[0])
    if n <= MOST_BUNDLES:
        return list(parts)
    order = np.random.default_rng(seed).permutation(n)
    starts = np.arange(MOST_BUNDLES) * n // MOST_BUNDLES
    return [np.add.reduceat(units[order], starts, axis=0) for units in parts]


def _counts(n: int, resamples: int, seed: int) -> Iterator[Floats]:
    """How often each of n units is drawn, in blocks of shape (some, n) that make `resamples` rows together."""
    for block in _KEPT.blocks(n, resamples, seed):
        yield block.astype(np.float64)


class _KeptCounts:
    """Counts that were drawn, kept while there is room: all candidates and metrics of a benchmark share them.

    Two threads may draw the same at once; both draw the same numbers.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._kept: OrderedDict[tuple[int, int, int], list[Bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def blocks(self, n: int, resamples: int, seed: int) -> list[Bytes]:
        """Counts of shape (some, n), `resamples` rows together.

        A byte is enough: the chance that one of n units is drawn more than 255 times is below 10^-500.
        """
        key = (n, resamples, seed)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        rng, size = np.random.default_rng(seed), max(1, _CELLS_AT_ONCE // n)
        starts = range(0, resamples, size)
        blocks = [_drawn(rng, n, min(size, resamples - start)).astype(np.uint8) for start in starts]
        with self._lock:
            self._kept[key] = blocks
            while len(self._kept) > 1 and sum(map(_cells, self._kept)) > self._most_bytes:
                self._kept.popitem(last=False)
        return blocks


def _cells(key: tuple[int, int, int]) -> int:
    n, resamples, _ = key
    return n * resamples


_KEPT = _KeptCounts(_BYTES_KEPT)


def _drawn(rng: np.random.Generator, n: int, resamples: int) -> NDArray[np.intp]:
    """Counts of n draws with replacement out of n units, shape (resamples, n)."""
    places = rng.integers(0, n, size=(resamples, n)) + np.arange(resamples)[:, None] * n
    return np.bincount(places.ravel(), minlength=resamples * n).reshape(resamples, n)
