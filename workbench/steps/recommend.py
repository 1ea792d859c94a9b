"""Step Recommend: hard limits, weights, the ranking that follows, and the report."""

import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from catalog.records import VerdictValue
from results.errors import NothingToCompare
from results.requirement_records import Limits, Requirements, Weights
from workbench.sentences import refusal
from workbench.service import Workbench
from workbench.steps import recommend_view
from workbench.steps.compare import choose_benchmark

_GIB = 2**30


class RequirementValues(NamedTuple):
    """Values of the controls, in their order."""

    verdicts: list[str]
    min_quality_percent: float | None
    max_ttft_p95: float | None
    max_e2e_p95: float | None
    min_decode: float | None
    max_memory_gib: float | None
    max_load: float | None
    quality: float
    latency: float
    memory: float

    def requirements(self) -> Requirements:
        """As the service ranks; an empty or zero limit is no limit."""
        return Requirements(
            limits=Limits(
                verdicts=tuple(VerdictValue(value) for value in self.verdicts),
                min_quality=min(1.0, self.min_quality_percent / 100) if self.min_quality_percent else None,
                max_ttft_p95_seconds=self.max_ttft_p95 or None,
                max_e2e_p95_seconds=self.max_e2e_p95 or None,
                min_decode_tokens_per_second=self.min_decode or None,
                max_peak_memory_bytes=int(self.max_memory_gib * _GIB) if self.max_memory_gib else None,
                max_load_seconds=self.max_load or None,
            ),
            weights=Weights(quality=self.quality or 0, latency=self.latency or 0, memory=self.memory or 0),
        )

    @classmethod
    def of(cls, requirements: Requirements) -> "RequirementValues":
        """What the controls show for requirements."""
        limits, weights = requirements.limits, requirements.weights
        memory = limits.max_peak_memory_bytes
        return cls(
            verdicts=[str(value) for value in limits.verdicts],
            min_quality_percent=None if limits.min_quality is None else round(limits.min_quality * 100, 3),
            max_ttft_p95=limits.max_ttft_p95_seconds,
            max_e2e_p95=limits.max_e2e_p95_seconds,
            min_decode=limits.min_decode_tokens_per_second,
            max_memory_gib=None if memory is None else round(memory / _GIB, 3),
            max_load=limits.max_load_seconds,
            quality=weights.quality,
            latency=weights.latency,
            memory=weights.memory,
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
    requirements = RequirementValues(*values).requirements()
    return recommend_view.recommendation(workbench.recommend(name, requirements), comparison)


def write_report(workbench: Workbench, ending: str, name: str | None, *values: Any) -> tuple[str, str]:
    """The report as text, for the page to save or open, and its file name."""
    if name is None:
        raise refusal("There is no benchmark to report on.")
    requirements = RequirementValues(*values).requirements()
    with tempfile.TemporaryDirectory() as folder:
        written = workbench.write_report(name, Path(folder) / f"{name}.{ending}", requirements)
        return written.read_text(encoding="utf-8"), written.name
