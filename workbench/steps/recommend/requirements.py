"""What the controls of the step Recommend hold, as requirements of the service and as a part of the page's address."""

import json
from typing import NamedTuple

from catalog.records import VerdictValue
from results.ranking import DIMENSIONS
from results.requirement_records import Requirements, TokenPrices, Weights

_GIB = 2**30
_MOST_IN_ADDRESS = 4_000
"""Longer ones are not ours: browsers and servers cut addresses off."""

EndpointPrices = dict[str, tuple[float, float]]
"""Candidate → prices of a million tokens in and out."""


class RequirementValues(NamedTuple):
    """Values of the controls, in their order."""

    verdicts: list[str]
    min_quality: float | None
    max_ttft_p95: float | None
    max_e2e_p95: float | None
    min_decode: float | None
    max_memory_gib: float | None
    max_load: float | None
    min_context: float | None
    machine_per_hour: float | None
    max_cost: float | None
    quality: float
    latency: float
    memory: float
    cost: float
    throughput: float
    min_output: float | None = None
    min_examples: float | None = None
    currency: str | None = None
    """None keeps what was."""
    metrics: dict[str, float] | None = None
    """None keeps what was."""
    endpoints: EndpointPrices | None = None
    """None keeps what was."""

    def requirements(self, kept: Requirements | None = None) -> Requirements:
        """As the service ranks; an empty or zero limit is no limit. What has no control is kept."""
        before = kept or Requirements()
        limits = before.limits.model_copy(
            update={
                "verdicts": tuple(VerdictValue(value) for value in self.verdicts),
                "min_quality": self.min_quality or None,
                "metrics": before.limits.metrics if self.metrics is None else self.metrics,
                "max_ttft_p95_seconds": self.max_ttft_p95 or None,
                "max_e2e_p95_seconds": self.max_e2e_p95 or None,
                "min_decode_tokens_per_second": self.min_decode or None,
                "min_output_tokens_per_second": self.min_output or None,
                "min_examples_per_second": self.min_examples or None,
                "max_peak_memory_bytes": int(self.max_memory_gib * _GIB) if self.max_memory_gib else None,
                "max_load_seconds": self.max_load or None,
                "min_context_tokens": int(self.min_context) if self.min_context else None,
                "max_cost_per_1000_examples": self.max_cost or None,
            }
        )
        weights = Weights(
            quality=self.quality or 0,
            latency=self.latency or 0,
            memory=self.memory or 0,
            cost=self.cost or 0,
            throughput=self.throughput or 0,
        )
        prices = before.prices.model_copy(
            update={
                "machine_per_hour": self.machine_per_hour or None,
                "currency": (self.currency or "").strip()[:8] or before.prices.currency,
                "endpoints": before.prices.endpoints if self.endpoints is None else _token_prices(self.endpoints),
            }
        )
        return before.model_copy(update={"limits": limits, "weights": weights, "prices": prices})

    @classmethod
    def of(cls, requirements: Requirements) -> "RequirementValues":
        """What the controls show for requirements."""
        limits, weights, prices = requirements.limits, requirements.weights, requirements.prices
        memory = limits.max_peak_memory_bytes
        return cls(
            verdicts=[str(value) for value in limits.verdicts],
            min_quality=limits.min_quality,
            max_ttft_p95=limits.max_ttft_p95_seconds,
            max_e2e_p95=limits.max_e2e_p95_seconds,
            min_decode=limits.min_decode_tokens_per_second,
            max_memory_gib=None if memory is None else round(memory / _GIB, 3),
            max_load=limits.max_load_seconds,
            min_context=limits.min_context_tokens,
            machine_per_hour=prices.machine_per_hour,
            max_cost=limits.max_cost_per_1000_examples,
            min_output=limits.min_output_tokens_per_second,
            min_examples=limits.min_examples_per_second,
            currency=prices.currency,
            metrics=dict(limits.metrics),
            endpoints={
                name: (price.input_per_million, price.output_per_million) for name, price in prices.endpoints.items()
            },
            **{name: getattr(weights, name) for name in DIMENSIONS},
        )


def to_address(asked: Requirements, stored: Requirements) -> str:
    """What differs from a benchmark's own requirements, for the address; empty where nothing does."""
    ours, theirs = asked.model_dump(mode="json"), stored.model_dump(mode="json")
    parts = {part: _changed(ours[part], theirs[part]) for part in ("limits", "weights", "prices")}
    changed = {part: values for part, values in parts.items() if values}
    return json.dumps(changed, separators=(",", ":"), ensure_ascii=False) if changed else ""


def from_address(text: str | None, stored: Requirements) -> Requirements | None:
    """The requirements that an address asks for, over a benchmark's own; None where it asks for none that can be."""
    if not text or len(text) > _MOST_IN_ADDRESS:
        return None
    try:
        changed = json.loads(text)
        known = stored.model_dump(mode="json")
        merged = {part: {**known[part], **changed.get(part, {})} for part in ("limits", "weights", "prices")}
        return Requirements.model_validate({**merged, "margin": stored.margin})
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None


def _changed(ours: dict[str, object], theirs: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in ours.items() if theirs[name] != value}


def _token_prices(given: EndpointPrices) -> dict[str, TokenPrices]:
    return {name: TokenPrices(input_per_million=into, output_per_million=out) for name, (into, out) in given.items()}
