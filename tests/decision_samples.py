"""Runs with outcomes, probabilities and timings from a seed, for the tests of the decision. Holds no test itself."""

from collections.abc import Sequence

import numpy as np

from results.comparison import compare
from results.records import (
    BenchmarkComparison,
    ExampleOutcome,
    RequestTiming,
    RunMeasurements,
    ScorerOutcomes,
)
from results.summary import summarise
from runners.scorer_options import LabelMatchOptions
from tests.results_samples import ALLOWED, benchmark, measurements, outcome

GIB = 2**30


def judged_run(
    name: str,
    right: Sequence[bool],
    *,
    seconds: float = 1.0,
    memory: int = GIB,
    rate: float | None = 10.0,
    probabilities: Sequence[float | None] | None = None,
    groups: Sequence[str] | None = None,
    slices: Sequence[str] | None = None,
) -> RunMeasurements:
    """A run that answered these examples right or wrong, with 40 timed requests around `seconds`."""
    outcomes = [
        _outcome(
            number,
            is_right,
            probability=None if probabilities is None else probabilities[number],
            group=None if groups is None else groups[number],
            part=None if slices is None else slices[number],
        )
        for number, is_right in enumerate(right)
    ]
    spread = np.random.default_rng(len(name)).uniform(0.97, 1.03, size=40)
    timings = tuple(
        RequestTiming(
            request_id=str(place),
            prompt_tokens=20,
            cached_tokens=0,
            output_tokens=4,
            ttft_seconds=seconds / 2 * factor,
            e2e_seconds=seconds * factor,
        )
        for place, factor in enumerate(spread.tolist())
    )
    scored = ScorerOutcomes(scorer="label_match", values=tuple(float(is_right) for is_right in right))
    return measurements(name, outcomes).model_copy(
        update={
            "scorers": (LabelMatchOptions(),),
            "scored": (scored,),
            "timings": timings,
            "peak_memory_bytes": memory,
            "peak_memory_method": "PSS",
            "accuracy_examples_per_second": rate,
        }
    )


def _outcome(
    number: int, is_right: bool, *, probability: float | None, group: str | None, part: str | None
) -> ExampleOutcome:
    made = outcome(number + 1, is_right, group=group)
    slices = {"group": group} if group is not None else {}
    if part is not None:
        slices["part"] = part
    return made.model_copy(update={"value": float(is_right), "probability": probability, "slices": slices})


def flips(n: int, share: float, seed: int) -> list[bool]:
    """Right answers at random, exactly this share of n."""
    order = np.random.default_rng(seed).permutation(n)
    return [bool(place < round(n * share)) for place in order]


def compared(*runs: RunMeasurements) -> BenchmarkComparison:
    """The comparison of these runs."""
    names = [run.candidate.name for run in runs]
    return compare(benchmark(*names), [summarise(run, ALLOWED) for run in runs], runs)
