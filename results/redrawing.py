"""The test set drawn anew, thousands of times: what every candidate's quality and latency would have been.

One draw of examples serves all candidates, so that what they have in common stays in common; examples of one group are
drawn together. Latencies are drawn per candidate from its own requests. Nothing here weighs or ranks.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from results import metrics
from results.metric_records import Metric
from results.records import ExampleOutcome, RunMeasurements
from results.resampling import clusters_of
from results.statistics import redrawn_quantiles

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

RESAMPLES = 2_000
"""Enough to tell 95 % from 94 % of wins by one standard error of half a point."""

_BLOCK = 4_000_000
_Z = float(special.ndtri(0.975))
_SIGNIFICANCE = 0.05


class Redrawn(NamedTuple):
    """The candidates of one benchmark on redrawn examples; columns in the order of the runs given."""

    names: tuple[str, ...]
    quality: Floats
    """Shape (resamples, candidates); NaN where nothing was judged."""
    alike: Booleans
    """Shape (resamples, candidates, candidates): whether the corrected test does not tell two apart."""
    latency_p50: Floats
    """Shape (resamples, candidates), seconds; NaN where it was not measured."""
    ttft_p95: Floats
    e2e_p95: Floats
    examples: int
    """Examples that were drawn from."""
    clusters: int
    """Groups and single examples that were drawn."""
    seed: int

    def only(self, names: Sequence[str]) -> list[int]:
        """Columns of these candidates."""
        return [self.names.index(name) for name in names]


class Judgements(NamedTuple):
    """What all candidates' examples add to the sums of their quality metric."""

    metric: Metric
    names: tuple[str, ...]
    examples: tuple[ExampleOutcome, ...]
    """What one of the candidates made of each example: for its id, group and slices."""
    units: Floats
    """Shape (examples, candidates, columns); zeros where a candidate was not judged."""
    judged: Booleans
    """Shape (examples, candidates)."""
    right: Booleans
    """Shape (examples, candidates)."""
    clusters: NDArray[np.int64]
    """Shape (examples,): number of the group that an example belongs to; each one alone where there are none."""
    grouped: bool


def judgements(runs: Sequence[RunMeasurements]) -> Judgements | None:
    """The quality metric's units of all runs on one list of examples; None where no run was judged."""
    scored = [(place, run) for place, run in enumerate(runs) if run.scorers and run.scored and run.outcomes]
    metric = metrics.METRICS[scored[0][1].scorers[0].scorer][0] if scored else None
    if metric is None:
        return None
    examples: dict[str, ExampleOutcome] = {}
    for _, run in scored:
        for outcome in run.outcomes:
            examples.setdefault(outcome.example_id, outcome)
    ids = {example_id: place for place, example_id in enumerate(examples)}
    groups = [outcome.group for outcome in examples.values()]
    parts = [metrics.judged_by(run.outcomes, run.scored[0], run.labels) for _, run in scored]
    judged = np.zeros((len(ids), len(runs)), dtype=np.bool_)
    right = np.zeros_like(judged)
    columns = next((metric.units(part).shape[1] for part in parts if part.outcomes), 0)
    units = np.zeros((len(ids), len(runs), columns))
    for (place, _), part in zip(scored, parts, strict=True):
        if part.outcomes:
            rows = [ids[outcome.example_id] for outcome in part.outcomes]
            added = metric.units(part)
            units[rows, place], judged[rows, place] = added, True
            right[rows, place] = metrics.has_what_is_counted(added)
    if not judged.any():
        return None
    return Judgements(
        metric=metric,
        names=tuple(run.candidate.name for run in runs),
        examples=tuple(examples.values()),
        units=units,
        judged=judged,
        right=right,
        clusters=clusters_of(groups),
        grouped=any(name is not None for name in groups),
    )


def redraw(runs: Sequence[RunMeasurements], *, seed: int = 0, resamples: int = RESAMPLES) -> Redrawn | None:
    """All candidates on redrawn examples and requests; None where no run was judged."""
    found = judgements(runs)
    if found is None:
        return None
    rng = np.random.default_rng(seed)
    values, pairs = _redrawn_sums(found, rng, resamples)
    latencies = {
        field: np.column_stack([_quantiles(_times(run, field), q, rng, resamples) for run in runs])
        for field, q in (("e2e_seconds", 0.5), ("ttft_seconds", 0.95))
    }
    e2e_p95 = np.column_stack([_quantiles(_times(run, "e2e_seconds"), 0.95, rng, resamples) for run in runs])
    return Redrawn(
        names=found.names,
        quality=values,
        alike=_alike(found, values, pairs),
        latency_p50=latencies["e2e_seconds"],
        ttft_p95=latencies["ttft_seconds"],
        e2e_p95=e2e_p95,
        examples=len(found.units),
        clusters=int(found.clusters.max()) + 1,
        seed=seed,
    )


def _redrawn_sums(found: Judgements, rng: np.random.Generator, resamples: int) -> tuple[Floats, Floats]:
    """Quality (resamples, candidates), and of every pair how often only the first was right (…, candidates²).

    Examples that add the same to all sums are drawn together as one multinomial count, which is the same distribution.
    """
    examples, candidates, columns = found.units.shape
    both = found.judged[:, :, None] & found.judged[:, None, :]
    only_first = both & found.right[:, :, None] & ~found.right[:, None, :]
    rows = np.concatenate([found.units.reshape(examples, -1), only_first.reshape(examples, -1)], axis=1)
    clusters = np.zeros((int(found.clusters.max()) + 1, rows.shape[1]))
    np.add.at(clusters, found.clusters, rows)
    distinct, multiplicity = np.unique(clusters, axis=0, return_counts=True)
    n = int(multiplicity.sum())
    block = max(1, _BLOCK // max(distinct.shape))
    values, pairs = [], []
    for start in range(0, resamples, block):
        counts = rng.multinomial(n, multiplicity / n, size=min(block, resamples - start))
        sums = counts @ distinct
        units = sums[:, : candidates * columns].reshape(-1, candidates, columns)
        values.append(np.column_stack([found.metric.statistic(units[:, place]) for place in range(candidates)]))
        pairs.append(sums[:, candidates * columns :].reshape(-1, candidates, candidates))
    quality_values = np.concatenate(values)
    quality_values[:, ~found.judged.any(axis=0)] = np.nan
    return quality_values, np.concatenate(pairs)


def _alike(found: Judgements, values: Floats, pairs: Floats) -> Booleans:
    """Whether the test, corrected over all pairs (Holm 1979), leaves two candidates untold apart, per resample.

    Shares of ungrouped examples: McNemar's exact test of the redrawn examples. Everything else: the
    difference over its standard deviation among the resamples, which is normal in large samples.
    """
    candidates = values.shape[1]
    alike = np.broadcast_to(np.eye(candidates, dtype=np.bool_), (len(values), candidates, candidates)).copy()
    places = [
        (i, j)
        for i in range(candidates)
        for j in range(i + 1, candidates)
        if (found.judged[:, i] & found.judged[:, j]).any()
    ]
    if not places:
        return alike
    exact = found.metric.is_proportion and not found.grouped
    p_values = np.column_stack(
        [_mcnemar(pairs[:, i, j], pairs[:, j, i]) if exact else _normal(values[:, i] - values[:, j]) for i, j in places]
    )
    order = np.argsort(p_values, axis=1, kind="stable")
    stepped = np.take_along_axis(p_values, order, axis=1) * np.arange(len(places), 0, -1)
    adjusted = np.empty_like(p_values)
    np.put_along_axis(adjusted, order, np.maximum.accumulate(stepped, axis=1), axis=1)
    for place, (i, j) in enumerate(places):
        alike[:, i, j] = alike[:, j, i] = adjusted[:, place] >= _SIGNIFICANCE
    return alike


def _mcnemar(b: Floats, c: Floats) -> Floats:
    """Two-sided p of McNemar's exact test, elementwise (results/statistics.py has it for one pair)."""
    # The binomial wants whole numbers of a whole type.
    b, c = np.rint(b), np.rint(c)
    n = (b + c).astype(np.int64)
    tail = special.bdtr(np.minimum(b, c), np.maximum(n, 1), 0.5)
    return np.where(n == 0, 1.0, np.minimum(1.0, 2 * tail))


def _normal(differences: Floats) -> Floats:
    """Two-sided p of differences, each over the standard deviation of all of them."""
    spread = float(np.std(differences))
    if spread == 0:
        return np.where(differences == 0, 1.0, 0.0)
    return np.asarray(2 * special.ndtr(-np.abs(differences) / spread), dtype=np.float64)


def _times(run: RunMeasurements, field: str) -> Floats:
    """One duration of every request of the latency workload."""
    values = (getattr(timing, field) for timing in run.timings if timing.workload == "latency")
    return np.sort(np.array([value for value in values if value is not None], dtype=np.float64))


def _quantiles(ordered: Floats, q: float, rng: np.random.Generator, resamples: int) -> Floats:
    """A quantile of redrawn values, shape (resamples,), NaN without values."""
    return redrawn_quantiles(ordered, q, rng, resamples) if len(ordered) else np.full(resamples, np.nan)
