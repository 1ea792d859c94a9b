"""What a benchmark will take, before it starts: what is asked, what earlier runs took, and the ranges made of both."""

from typing import Literal

from pydantic import Field

from catalog.records import Fit, Record, Speed
from runners.records import WorkloadKind


class PastWork(Record):
    """One workload of a stored run: how much was computed, and how long it took."""

    benchmark: str
    """Benchmark of the run."""
    measured_at: str | None
    """When the run began, ISO 8601 with offset."""
    model_id: str
    """What ran."""
    quantization: str | None
    """Of its weights."""
    engine: str
    """What ran it."""
    weights_bytes: int = Field(ge=0)
    """Size of its weights; 0 where nobody knows."""
    test_set_hash: str
    """What was asked."""
    workload: WorkloadKind
    """In what way."""
    requests: int = Field(gt=0)
    """Requests that were answered."""
    computed_tokens: int = Field(ge=0)
    """Prompt tokens that were not cached, and output tokens."""
    seconds: float = Field(gt=0)
    """Length of the measured windows."""
    load_seconds: float | None
    """First load of the model."""


class AskedWork(Record):
    """One workload that will be asked of a candidate."""

    kind: WorkloadKind
    """In what way."""
    requests_low: int = Field(ge=0)
    """Fewest requests: a load sweep may end early."""
    requests_high: int = Field(ge=0)
    """Most requests."""
    prompt_tokens: float = Field(ge=0)
    """Prompt tokens of a request that are computed: without what is shared, where the prefix cache is on."""
    output_tokens_low: float = Field(ge=0)
    """Fewest tokens of an answer."""
    output_tokens_high: float = Field(ge=0)
    """Most tokens of an answer."""
    at_least_seconds: float = Field(default=0.0, ge=0)
    """Arrivals: until the last request has arrived."""
    loads: int = Field(default=0, ge=0)
    """Load: how often the model is loaded again."""


class AskedRun(Record):
    """One candidate that will be measured, as far as it is known before it is touched."""

    name: str
    """As it will be shown."""
    model_id: str
    """What runs."""
    quantization: str | None
    """Of its weights."""
    engine: str
    """What runs it."""
    weights_bytes: int | None
    """Size of its weights."""
    test_set_hash: str
    """What is asked."""
    workloads: tuple[AskedWork, ...]
    """In what ways."""
    speed: Speed | None
    """Predicted decoding speed on this machine."""


TimeBasis = Literal["measured", "same model", "other models", "bandwidth", "unknown"]
"""What a predicted time rests on, the surest first. measured: the same model with the same test set on this machine;
same model: with another test set; other models: scaled by size; bandwidth: of this machine's memory."""


class TimeForecast(Record):
    """How long a candidate will take: a range, and what it rests on."""

    low_seconds: float | None = Field(default=None, ge=0)
    """Shortest that is plausible; None where nothing is known."""
    high_seconds: float | None = Field(default=None, ge=0)
    """Longest that is plausible."""
    basis: TimeBasis = "unknown"
    """The least sure of what its workloads rest on."""
    words: str
    """The same as a sentence."""


class Obstacle(Record):
    """What may keep a candidate from running as asked."""

    severity: Literal["failure", "warning", "info"]
    """failure: it will not run so; warning: it may not; info: it takes longer or costs more than it seems."""
    text: str
    """What, and what to do, as sentences."""


class CandidateForecast(Record):
    """What one candidate will take."""

    name: str
    """As it will be shown."""
    requests: int = Field(ge=0)
    """Most requests that it will be asked."""
    fit: Fit | None
    """Predicted memory; None where it cannot be predicted."""
    memory_words: str = ""
    """Why memory is not known."""
    time: TimeForecast
    """Predicted time."""
    download_bytes: int | None = Field(default=0, ge=0)
    """What must be fetched first; None where it must and nobody knows how much."""
    warnings: tuple[Obstacle, ...] = ()
    """What stands in its way."""


class Forecast(Record):
    """What a whole benchmark will take."""

    candidates: tuple[CandidateForecast, ...]
    """One for each run, in their order."""
    low_seconds: float | None
    """Of all together, one after the other; None where no candidate's time is known."""
    high_seconds: float | None
    """The same."""
    unknown: int = Field(ge=0)
    """Candidates whose time is not known and not in the sum."""
    warnings: tuple[Obstacle, ...] = ()
    """What stands in the way of all."""
