"""Hard limits: which of them a candidate breaks, by how much, and who came closest where nobody meets them all.

A value that was not measured breaks a limit on it: a limit is a promise, and nothing vouches for it. Nothing here
ranks anybody.
"""

import difflib
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from results import numbers
from results.cost import knee_level
from results.errors import BadRequirements
from results.metric_words import in_prose, shown, worse_end
from results.recommendation_records import BrokenLimit, ExcludedCandidate, Relaxation
from results.records import CandidateSummary, Estimate, MetricEstimate
from results.requirement_records import CandidateCost, Limits, Requirements
from results.statistics import minimum_for_quantile

_P95 = f"was not measured (a 95th percentile needs {minimum_for_quantile(0.95)} timed requests)"

METRIC_PREFIX = "metrics."
"""Before the name of a metric, in the name of the limit on it."""


class Bound(NamedTuple):
    """One numeric limit held against one candidate's value."""

    limit: str
    """Name of the limit."""
    threshold: float
    value: float | None
    """None: not measured."""
    is_maximum: bool
    what: str
    """What is limited, in words."""
    show: Callable[[float | None], str]
    unmeasured: str
    """How to say that there is no value."""
    remark: str = ""
    """What else to know where it is broken."""

    @property
    def missed(self) -> float | None:
        """How far beyond the limit the value is; None where it is met or not known."""
        if self.value is None:
            return None
        over = self.value - self.threshold if self.is_maximum else self.threshold - self.value
        return over if over > 0 else None

    @property
    def sense(self) -> str:
        """`at most` or `at least`."""
        return "at most" if self.is_maximum else "at least"


def check_requirements(
    requirements: Requirements, candidates: Sequence[CandidateSummary], names: Sequence[str] = ()
) -> None:
    """Refuse what cannot be meant: unknown metrics and candidates, per cent for a share, cost without a price.

    names are further candidates of the benchmark, such as those that have no run yet. Raises BadRequirements.
    """
    limits, prices = requirements.limits, requirements.prices
    known = {metric.name: metric for summary in candidates for metric in summary.metrics}
    for name in limits.metrics if known else ():
        if name not in known:
            raise BadRequirements(f"No candidate has a metric {name!r} to limit. {_nearest(name, known)}")
    asked = [(known[name], f"limits.metrics.{name}", value) for name, value in limits.metrics.items() if name in known]
    quality = next((summary.quality for summary in candidates if summary.quality is not None), None)
    if quality is not None and limits.min_quality is not None:
        asked.append((quality, "limits.min_quality", limits.min_quality))
    for metric, key, value in asked:
        if metric.unit == "share" and value > 1:
            name = in_prose(metric.title)
            msg = f"{key} is {value:g}, and {name} is a share from 0 to 1. Did you mean {value / 100:g}?"
            raise BadRequirements(msg)
    everybody = {*names, *(summary.candidate.name for summary in candidates)}
    for name in prices.endpoints:
        if name not in everybody:
            raise BadRequirements(f"prices.endpoints has a candidate {name!r}. {_nearest(name, everybody)}")
    if requirements.weights.cost > 0 and prices.machine_per_hour is None and not prices.endpoints:
        raise BadRequirements(
            "weights.cost has a weight, and there is no price to rank by. Set prices.machine_per_hour, or "
            "prices.endpoints for candidates that charge by the token."
        )


def broken_limits(
    summary: CandidateSummary, limits: Limits, cost: CandidateCost | None = None
) -> tuple[BrokenLimit, ...]:
    """Every limit that a candidate breaks, the verdict first; empty where it meets them all."""
    broken = []
    if summary.verdict.value not in limits.verdicts:
        accepted = ", ".join(value.value for value in limits.verdicts) or "none"
        license_id = summary.verdict.license or "no declared license"
        message = f"Its license verdict is {summary.verdict.value.value} ({license_id}); accepted: {accepted}."
        broken.append(BrokenLimit(limit="verdicts", message=message))
    for bound in bounds(summary, limits, cost):
        found = _check(bound)
        if found is not None:
            broken.append(found)
    return tuple(broken)


def memory_bytes(summary: CandidateSummary) -> int | None:
    """Measured peak of the process tree plus GPU memory where there is one; None where it was not measured."""
    if summary.peak_memory_bytes is None:
        return None
    return summary.peak_memory_bytes + (summary.peak_gpu_bytes or 0)


def context_tokens(summary: CandidateSummary) -> int | None:
    """Context that a candidate was run with, as far as it was trained for it; None where neither is known."""
    if summary.loaded is None:
        return None
    known = [
        tokens
        for tokens in (summary.loaded.context_tokens, summary.loaded.trained_context_tokens)
        if tokens is not None
    ]
    return min(known, default=None)


def with_limit(limits: Limits, name: str, threshold: float) -> Limits:
    """The limits with one numeric limit moved."""
    if name.startswith(METRIC_PREFIX):
        metrics = limits.metrics | {name.removeprefix(METRIC_PREFIX): threshold}
        return limits.model_copy(update={"metrics": metrics})
    return limits.model_copy(update={name: threshold})


def nearest_miss(excluded: tuple[ExcludedCandidate, ...]) -> tuple[str | None, tuple[Relaxation, ...]]:
    """Who came closest to meeting every limit, and which limits to relax to what; None without candidates.

    Closest is who breaks only limits whose distance is known, and among those whose largest relative distance is
    smallest; where a verdict or a missing value stands in everybody's way, who breaks the fewest limits.
    """
    if not excluded:
        return None, ()
    measurable = [out for out in excluded if all(limit.missed_by is not None for limit in out.broken)]
    if not measurable:
        closest = min(excluded, key=lambda out: len(out.broken))
        names = " and ".join(limit.limit for limit in closest.broken)
        messages = " ".join(limit.message for limit in closest.broken)
        return f"{closest.name} came closest: what stands in its way is {names}. {messages}", ()
    closest = min(measurable, key=lambda out: max(limit.missed_by or 0.0 for limit in out.broken))
    moved = tuple(_relaxation(closest.name, limit) for limit in closest.broken)
    steps = " and ".join(f"{step.limit} from {step.current:.12g} to {step.needed:.12g}" for step in moved)
    messages = " ".join(limit.message for limit in closest.broken)
    return f"{closest.name} came closest: relaxing {steps} would let it in. {messages}", moved


def bounds(summary: CandidateSummary, limits: Limits, cost: CandidateCost | None = None) -> tuple[Bound, ...]:
    """The numeric limits that are set, in the order of their record, with the candidate's values."""
    level = knee_level(summary)
    at_knee = level.measured.output_tokens_per_second if level else None
    unmeasured = "was not measured"
    context = "is not known" if summary.loaded is None else "is not told by its engine"

    def money(value: float | None) -> str:
        return numbers.money(value, cost.currency if cost else "")

    found = [*_metric_bounds(summary, limits)]
    rows: tuple[tuple[str, float | None, str, Callable[[float | None], str], str], ...] = (
        ("max_ttft_p95_seconds", _value(summary.ttft_p95_seconds), "time to first token (p95)", numbers.seconds, _P95),
        ("max_e2e_p95_seconds", _value(summary.e2e_p95_seconds), "end-to-end time (p95)", numbers.seconds, _P95),
        (
            "min_decode_tokens_per_second",
            *(_value(summary.decode_tokens_per_second), "decoding rate", numbers.rate, unmeasured),
        ),
        (
            "min_output_tokens_per_second",
            *(at_knee, "throughput at the load sweep's knee", numbers.rate, f"{unmeasured} (no load sweep)"),
        ),
        (
            "min_examples_per_second",
            *(summary.accuracy_examples_per_second, "throughput", _examples_per_second, unmeasured),
        ),
        ("min_context_tokens", context_tokens(summary), "context as it was run", _tokens, context),
        ("max_peak_memory_bytes", memory_bytes(summary), "peak memory", numbers.bytes_, unmeasured),
        ("max_load_seconds", summary.load_seconds, "load time", numbers.seconds, unmeasured),
        (
            "max_cost_per_1000_examples",
            *(cost.per_1000_examples if cost else None, "cost of 1,000 examples", money),
            f"is not known: {cost.basis[:1].lower()}{cost.basis[1:].rstrip('.')}" if cost else "is not known: no price",
        ),
    )
    for name, value, what, show, missing in rows:
        threshold = getattr(limits, name)
        if threshold is not None:
            remark = _context_remark(summary) if name == "min_context_tokens" else ""
            found.append(Bound(name, threshold, value, name.startswith("max_"), what, show, missing, remark))
    return tuple(found)


def _metric_bounds(summary: CandidateSummary, limits: Limits) -> list[Bound]:
    """Limits on quality and on metrics by name."""
    found = []
    if limits.min_quality is not None:
        found.append(_metric_bound("min_quality", limits.min_quality, summary.quality, "quality"))
    metrics = {metric.name: metric for metric in summary.metrics}
    for name, threshold in limits.metrics.items():
        found.append(_metric_bound(f"{METRIC_PREFIX}{name}", threshold, metrics.get(name), name))
    return found


def _metric_bound(limit: str, threshold: float, metric: MetricEstimate | None, name: str) -> Bound:
    def show(value: float | None) -> str:
        return shown(value, metric)

    if metric is None:
        return Bound(limit, threshold, None, False, name, show, "is not known")
    what = f"{'lower' if metric.higher_is_better else 'upper'} end of the interval of {in_prose(metric.title)}"
    unmeasured = f"is not known: {metric.estimate.method}"
    return Bound(limit, threshold, worse_end(metric), not metric.higher_is_better, what, show, unmeasured)


def _check(bound: Bound) -> BrokenLimit | None:
    """The limit as broken, or None where it is met."""
    limit = bound.threshold
    if bound.value is None:
        message = f"Its {bound.what} {bound.unmeasured}; the limit is {bound.sense} {bound.show(limit)}."
        return BrokenLimit(limit=bound.limit, message=message, threshold=limit)
    if bound.missed is None:
        return None
    missed_by = bound.missed / limit if limit else None
    by = f"missed by {numbers.percent(missed_by)} of it" if missed_by is not None else "missed"
    message = f"Its {bound.what} is {bound.show(bound.value)}; the limit is {bound.sense} {bound.show(limit)} ({by})."
    message += bound.remark
    return BrokenLimit(limit=bound.limit, message=message, missed_by=missed_by, threshold=limit, value=bound.value)


def _relaxation(name: str, broken: BrokenLimit) -> Relaxation:
    """The limit moved just far enough, rounded to three digits on the side that lets the candidate in."""
    if broken.value is None or broken.threshold is None:
        raise ValueError(f"{broken.limit} of {name} has no value to relax to.")
    is_maximum = broken.value > broken.threshold
    needed = rounded_outwards(broken.value, up=is_maximum)
    return Relaxation(candidate=name, limit=broken.limit, current=broken.threshold, needed=needed)


def rounded_outwards(value: float, *, up: bool) -> float:
    """A value rounded to three significant digits, up or down."""
    if value == 0:
        return 0.0
    scale = 10.0 ** (2 - math.floor(math.log10(abs(value))))
    steps = value * scale
    # Three digits that are exact already stay as they are, whatever their binary form.
    if math.isclose(steps, round(steps), rel_tol=1e-12):
        return round(steps) / scale
    return (math.ceil(steps) if up else math.floor(steps)) / scale


def _context_remark(summary: CandidateSummary) -> str:
    trained = summary.loaded.trained_context_tokens if summary.loaded else None
    if trained is None:
        return ""
    return f" It was trained for {_tokens(trained)}; `context_tokens` in its options sets how many it runs with."


def _tokens(value: float | None) -> str:
    return f"{numbers.count(value)} tokens"


def _examples_per_second(value: float | None) -> str:
    return numbers.rate(value, "examples/s")


def _nearest(name: str, known: Sequence[str] | dict[str, MetricEstimate] | set[str]) -> str:
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"Did you mean {close[0]!r}?" if close else f"There is: {', '.join(names)}."


def _value(estimate: Estimate | None) -> float | None:
    return None if estimate is None else estimate.value
