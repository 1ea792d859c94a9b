"""What candidates cost under given prices, from measured throughput and counted tokens. Guesses no price.

A machine's hour is charged to what it did in that hour, input and output apart: each figure carries the whole hour, so
that the two are two ways to state one cost and must not be added. What an endpoint charges for tokens is added up.
"""

from collections.abc import Iterable, Sequence

from results import numbers
from results.records import BenchmarkComparison, CandidateSummary, LevelSummary
from results.requirement_records import CandidateCost, Prices, TokenPrices
from runners.engine_options import EndpointOptions, is_remote

_SECONDS_PER_HOUR = 3600


def candidate_costs(candidates: Sequence[CandidateSummary], prices: Prices) -> tuple[CandidateCost, ...]:
    """Cost of every candidate, in the order given; nothing at all where there is no price."""
    if prices.machine_per_hour is None and not prices.endpoints:
        return ()
    return tuple(_cost(summary, prices) for summary in candidates)


def with_costs(comparison: BenchmarkComparison, prices: Prices) -> BenchmarkComparison:
    """The comparison with what its candidates cost under these prices."""
    return comparison.model_copy(update={"costs": candidate_costs(comparison.candidates, prices)})


def cost_of(costs: Iterable[CandidateCost], name: str) -> CandidateCost | None:
    """The cost of one candidate; None where there are no prices."""
    return next((cost for cost in costs if cost.name == name), None)


def _cost(summary: CandidateSummary, prices: Prices) -> CandidateCost:
    name, currency = summary.candidate.name, prices.currency
    charged = prices.endpoints.get(name)
    if charged is not None:
        return _endpoint_cost(summary, charged, currency)
    if isinstance(summary.options, EndpointOptions) and is_remote(summary.options):
        basis = "It runs on another machine and prices.endpoints has no price for it."
        return CandidateCost(name=name, currency=currency, basis=basis)
    if prices.machine_per_hour is None:
        basis = "It runs on this machine and prices.machine_per_hour is not set."
        return CandidateCost(name=name, currency=currency, basis=basis)
    return _machine_cost(summary, prices.machine_per_hour, currency)


def _endpoint_cost(summary: CandidateSummary, charged: TokenPrices, currency: str) -> CandidateCost:
    """Tokens of the accuracy workload at the endpoint's prices; what it cached is charged in full."""
    given, written = summary.accuracy_prompt_tokens, summary.accuracy_output_tokens
    per_1000, basis = None, "The endpoint's own prices; its accuracy workload was not measured."
    if given is not None and written is not None:
        per_1000 = (given * charged.input_per_million + written * charged.output_per_million) / 1000
        basis = (
            f"The endpoint's own prices; an example took {numbers.count(round(given, 1))} tokens in and "
            f"{numbers.count(round(written, 1))} out, cached ones charged in full."
        )
    return CandidateCost(
        name=summary.candidate.name,
        currency=currency,
        per_1000_examples=per_1000,
        per_million_input_tokens=charged.input_per_million,
        per_million_output_tokens=charged.output_per_million,
        basis=basis,
    )


def _machine_cost(summary: CandidateSummary, per_hour: float, currency: str) -> CandidateCost:
    """The machine's hour ÷ what was done in an hour at the measured throughput."""
    examples = summary.accuracy_examples_per_second
    level, where = _measured_level(summary)
    output = level.measured.output_tokens_per_second if level else None
    given = level.measured.prompt_tokens_per_second if level else None
    if level is None and examples is not None and summary.accuracy_prompt_tokens is not None:
        given, where = examples * summary.accuracy_prompt_tokens, "of the accuracy workload, batched"
    parts = [f"{numbers.money(per_hour, currency)} an hour"]
    if examples:
        parts.append(f"{numbers.rate(examples, 'examples/s')} of the accuracy workload")
    if output or given:
        parts.append(f"tokens at the throughput {where}, each figure charged with the whole hour")
    return CandidateCost(
        name=summary.candidate.name,
        currency=currency,
        per_1000_examples=_per(per_hour, examples, 1000),
        per_million_input_tokens=_per(per_hour, given, 1_000_000),
        per_million_output_tokens=_per(per_hour, output, 1_000_000),
        basis=f"{'; '.join(parts)}.",
    )


def knee_level(summary: CandidateSummary) -> LevelSummary | None:
    """The load sweep's level at its knee, or that of the highest throughput where no knee was found."""
    if summary.sweep is None:
        return None
    levels = [level for level in summary.sweep.levels if level.measured.output_tokens_per_second is not None]
    at_knee = next((level for level in levels if level.measured.level == summary.sweep.knee), None)
    return at_knee or max(levels, key=lambda level: level.measured.output_tokens_per_second or 0.0, default=None)


def _measured_level(summary: CandidateSummary) -> tuple[LevelSummary | None, str]:
    """Whose throughput is charged: the load sweep's knee, else one request at a time."""
    level = knee_level(summary)
    if level is not None:
        at = f"{numbers.count(level.measured.level)} requests at once"
        found = summary.sweep is not None and summary.sweep.knee is not None
        return level, f"at {at} ({'the knee' if found else 'the highest measured, no knee was found'})"
    return summary.latency, "of one request at a time"


def _per(per_hour: float, rate: float | None, things: int) -> float | None:
    return per_hour / (rate * _SECONDS_PER_HOUR) * things if rate else None
