"""Step Recommend: hard limits, weights, the ranking that follows, and the report."""

import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from catalog.records import VerdictValue
from results.errors import BadRequirements, NothingToCompare
from results.ranking import DIMENSIONS
from results.requirement_records import Requirements, Weights
from workbench.sentences import refusal
from workbench.service import Workbench
from workbench.steps import recommend_view
from workbench.steps.compare import choose_benchmark

_GIB = 2**30


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

    def requirements(self, kept: Requirements | None = None) -> Requirements:
        """As the service ranks; an empty or zero limit is no limit. What has no control is kept."""
        before = kept or Requirements()
        limits = before.limits.model_copy(
            update={
                "verdicts": tuple(VerdictValue(value) for value in self.verdicts),
                "min_quality": self.min_quality or None,
                "max_ttft_p95_seconds": self.max_ttft_p95 or None,
                "max_e2e_p95_seconds": self.max_e2e_p95 or None,
                "min_decode_tokens_per_second": self.min_decode or None,
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
        prices = before.prices.model_copy(update={"machine_per_hour": self.machine_per_hour or None})
        return Requirements(limits=limits, weights=weights, prices=prices)

    @classmethod
    def of(cls, requirements: Requirements) -> "RequirementValues":
        """What the controls show for requirements."""
        limits, weights = requirements.limits, requirements.weights
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
            machine_per_hour=requirements.prices.machine_per_hour,
            max_cost=limits.max_cost_per_1000_examples,
            **{name: getattr(weights, name) for name in DIMENSIONS},
        )


def restore(workbench: Workbench, asked: str | None, request: gr.Request) -> tuple[Any, ...]:
    """The benchmark's own requirements and the ranking under them: state, picker, then everything of `pick`."""
    name, names = choose_benchmark(workbench, asked, request)
    return gr.Dropdown(choices=names, value=name, visible=bool(names)), *pick(workbench, name)


def pick(workbench: Workbench, name: str | None) -> tuple[Any, ...]:
    """One benchmark: state, whether controls are visible, each control, the ranking."""
    stored = next((item for item in workbench.benchmarks() if item.name == name), None)
    if stored is None:
        skipped = (gr.skip(),) * len(RequirementValues._fields)
        return None, gr.Column(visible=False), *skipped, recommend_view.nothing_measured()
    values = RequirementValues.of(stored.requirements)
    return stored.name, gr.Column(visible=True), *values, rank(workbench, stored.name, *values)


def rank(workbench: Workbench, name: str | None, *values: Any) -> str:
    """The ranking under the controls as they stand."""
    if name is None:
        return recommend_view.nothing_measured()
    try:
        comparison = workbench.compare(name)
    except NothingToCompare:
        return recommend_view.nothing_finished(name)
    requirements = RequirementValues(*values).requirements(comparison.benchmark.requirements)
    try:
        made = workbench.recommend(name, requirements)
    except BadRequirements as error:
        return recommend_view.refused(str(error))
    return recommend_view.recommendation(made, comparison)


def write_report(workbench: Workbench, ending: str, name: str | None, *values: Any) -> tuple[str, str]:
    """The report as text, for the page to save or open, and its file name."""
    if name is None:
        raise refusal("There is no benchmark to report on.")
    stored = next((item.requirements for item in workbench.benchmarks() if item.name == name), None)
    requirements = RequirementValues(*values).requirements(stored)
    with tempfile.TemporaryDirectory() as folder:
        written = workbench.write_report(name, Path(folder) / f"{name}.{ending}", requirements)
        return written.read_text(encoding="utf-8"), written.name
