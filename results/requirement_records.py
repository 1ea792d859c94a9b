"""What a person asks of candidates: hard limits, prices, weights; and what the prices come to.

Knows no measurement. results/limits.py holds candidates against the limits, results/cost.py applies the prices,
results/ranking.py weighs.
"""

from typing import Literal

from pydantic import AliasChoices, Field

from catalog.records import Record, VerdictValue

Dimension = Literal["quality", "latency", "memory", "cost", "throughput"]
"""What candidates are ranked by."""


class Limits(Record):
    """Hard limits; None means no limit."""

    verdicts: tuple[VerdictValue, ...] = (VerdictValue.ALLOWED, VerdictValue.CONDITIONAL)
    """License verdicts that are acceptable."""
    min_quality: float | None = Field(default=None, ge=0, validation_alias=AliasChoices("min_quality", "min_accuracy"))
    """The worse end of the quality's interval must reach this, in the metric's own unit: a share lies between 0 and 1.
    Files of earlier versions call it min_accuracy, which is still read."""
    metrics: dict[str, float] = Field(default_factory=dict)
    """The same for any metric by its name, such as `macro_f1: 0.6`; at most so much where less is better."""
    max_ttft_p95_seconds: float | None = Field(default=None, gt=0)
    """Time to first token, 95th percentile."""
    max_e2e_p95_seconds: float | None = Field(default=None, gt=0)
    """End to end, 95th percentile."""
    min_decode_tokens_per_second: float | None = Field(default=None, gt=0)
    """Decoding at concurrency 1."""
    min_output_tokens_per_second: float | None = Field(default=None, gt=0)
    """Output tokens of all requests together, at the knee of the load sweep."""
    min_examples_per_second: float | None = Field(default=None, gt=0)
    """Examples of the accuracy workload, batched."""
    min_context_tokens: int | None = Field(default=None, gt=0)
    """Context that the candidate was run with, as far as it was trained for it."""
    max_peak_memory_bytes: int | None = Field(default=None, gt=0)
    """Measured peak of the process tree, plus GPU memory where there is one."""
    max_load_seconds: float | None = Field(default=None, gt=0)
    """First load."""
    max_cost_per_1000_examples: float | None = Field(default=None, gt=0)
    """Cost of 1,000 examples of this test set, in the currency of the prices."""


class Weights(Record):
    """What matters how much; only proportions count."""

    quality: float = Field(default=0.6, ge=0)
    """The test set's quality metric."""
    latency: float = Field(default=0.25, ge=0)
    """End to end p50."""
    memory: float = Field(default=0.15, ge=0)
    """Peak memory."""
    cost: float = Field(default=0.0, ge=0)
    """Cost of 1,000 examples; needs prices."""
    throughput: float = Field(default=0.0, ge=0)
    """Examples per second of the accuracy workload."""


class TokenPrices(Record):
    """What an endpoint charges."""

    input_per_million: float = Field(ge=0)
    """For 1,000,000 tokens of prompts."""
    output_per_million: float = Field(ge=0)
    """For 1,000,000 tokens of answers."""


class Prices(Record):
    """What machines and endpoints cost."""

    machine_per_hour: float | None = Field(default=None, gt=0)
    """Hourly price of the machine that measured; for every candidate that runs on it."""
    currency: str = Field(default="EUR", min_length=1, max_length=8)
    """Of all prices, as it is shown."""
    endpoints: dict[str, TokenPrices] = Field(default_factory=dict)
    """Candidate's name → what its endpoint charges; such a candidate pays for no machine."""


class Requirements(Record):
    """Hard limits first, then weights."""

    limits: Limits = Limits()
    """A candidate that breaks one is out."""
    weights: Weights = Weights()
    """How the others are ranked."""
    margin: float | None = Field(default=None, gt=0)
    """How much worse in quality is fine, in the metric's own unit (0.03: 3 points); set before the run."""
    prices: Prices = Prices()
    """For cost; nothing is guessed where there is none."""


class CandidateCost(Record):
    """What one candidate costs under the prices; None: not known."""

    name: str
    """Candidate."""
    currency: str
    """Of all figures."""
    per_1000_examples: float | None = None
    """For 1,000 examples of this test set, as the accuracy workload asks them."""
    per_million_input_tokens: float | None = None
    """For 1,000,000 prompt tokens."""
    per_million_output_tokens: float | None = None
    """For 1,000,000 output tokens."""
    basis: str
    """How the figures were made, as a sentence, or why there are none."""
