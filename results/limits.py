"""Hard limits: which of them a candidate breaks, by how much, and who came closest where nobody meets them all.

A value that was not measured breaks a limit on it: a limit is a promise, and nothing vouches for it. Nothing here
ranks anybody.
"""

from collections.abc import Callable
from typing import NamedTuple

from results import numbers
from results.records import BrokenLimit, CandidateSummary, Estimate, ExcludedCandidate, Limits
from results.statistics import minimum_for_quantile


class _Bound(NamedTuple):
    """One numeric limit held against one value."""

    limit: str
    threshold: float | None
    value: float | None
    is_maximum: bool
    what: str
    show: Callable[[float | None], str]
    unmeasured: str


def broken_limits(summary: CandidateSummary, limits: Limits) -> tuple[BrokenLimit, ...]:
    """Every limit that a candidate breaks, the verdict first; empty where it meets them all."""
    broken = []
    if summary.verdict.value not in limits.verdicts:
        accepted = ", ".join(value.value for value in limits.verdicts) or "none"
        license_id = summary.verdict.license or "no declared license"
        message = f"Its license verdict is {summary.verdict.value.value} ({license_id}); accepted: {accepted}."
        broken.append(BrokenLimit(limit="verdicts", message=message))
    for bound in _bounds(summary, limits):
        found = _check(bound)
        if found is not None:
            broken.append(found)
    return tuple(broken)


def memory_bytes(summary: CandidateSummary) -> int | None:
    """Measured peak of the process tree plus GPU memory where there is one; None where it was not measured."""
    if summary.peak_memory_bytes is None:
        return None
    return summary.peak_memory_bytes + (summary.peak_gpu_bytes or 0)


def nearest_miss(excluded: tuple[ExcludedCandidate, ...]) -> str | None:
    """Who came closest to meeting every limit, and which limit to relax; None without candidates.

    Closest is who breaks only limits whose distance is known, and among those whose largest relative distance is
    smallest; where a verdict or a missing value stands in everybody's way, who breaks the fewest limits.
    """
    if not excluded:
        return None
    measurable = [out for out in excluded if all(limit.missed_by is not None for limit in out.broken)]
    if measurable:
        closest = min(measurable, key=lambda out: max(limit.missed_by or 0.0 for limit in out.broken))
    else:
        closest = min(excluded, key=lambda out: len(out.broken))
    names = " and ".join(limit.limit for limit in closest.broken)
    broken = f"relaxing {names} would let it in" if measurable else f"what stands in its way is {names}"
    return f"{closest.name} came closest: {broken}. {' '.join(limit.message for limit in closest.broken)}"


def _bounds(summary: CandidateSummary, limits: Limits) -> tuple[_Bound, ...]:
    """The numeric limits in the order of their record."""
    accuracy = summary.accuracy
    needed = minimum_for_quantile(0.95)
    p95 = f"was not measured (a 95th percentile needs {needed} timed requests)"
    return (
        _Bound(
            "min_accuracy",
            limits.min_accuracy,
            accuracy.low if accuracy else None,
            False,
            "lower end of the accuracy's interval",
            numbers.percent,
            "is not known" if accuracy is None else f"is not known: {accuracy.method}",
        ),
        _Bound(
            "max_ttft_p95_seconds",
            limits.max_ttft_p95_seconds,
            _value(summary.ttft_p95_seconds),
            True,
            "time to first token (p95)",
            numbers.seconds,
            p95,
        ),
        _Bound(
            "max_e2e_p95_seconds",
            limits.max_e2e_p95_seconds,
            _value(summary.e2e_p95_seconds),
            True,
            "end-to-end time (p95)",
            numbers.seconds,
            p95,
        ),
        _Bound(
            "min_decode_tokens_per_second",
            limits.min_decode_tokens_per_second,
            _value(summary.decode_tokens_per_second),
            False,
            "decoding rate",
            numbers.rate,
            "was not measured",
        ),
        _Bound(
            "max_peak_memory_bytes",
            limits.max_peak_memory_bytes,
            memory_bytes(summary),
            True,
            "peak memory",
            numbers.bytes_,
            "was not measured",
        ),
        _Bound(
            "max_load_seconds",
            limits.max_load_seconds,
            summary.load_seconds,
            True,
            "load time",
            numbers.seconds,
            "was not measured",
        ),
    )


def _check(bound: _Bound) -> BrokenLimit | None:
    """The limit as broken, or None where it is met or not set."""
    limit = bound.threshold
    if limit is None:
        return None
    most = "at most" if bound.is_maximum else "at least"
    if bound.value is None:
        message = f"Its {bound.what} {bound.unmeasured}; the limit is {most} {bound.show(limit)}."
        return BrokenLimit(limit=bound.limit, message=message)
    over = bound.value - limit if bound.is_maximum else limit - bound.value
    if over <= 0:
        return None
    missed_by = over / limit
    message = (
        f"Its {bound.what} is {bound.show(bound.value)}; the limit is {most} {bound.show(limit)} "
        f"(missed by {numbers.percent(missed_by)} of it)."
    )
    return BrokenLimit(limit=bound.limit, message=message, missed_by=missed_by)


def _value(estimate: Estimate | None) -> float | None:
    return None if estimate is None else estimate.value
