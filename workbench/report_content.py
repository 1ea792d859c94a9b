"""Gathers what a report is made of: the comparison, the recommendation and what is needed to repeat them."""

import datetime
import importlib.metadata
import shlex

from catalog.records import Profile
from results.records import BenchmarkComparison, ExampleResult, Recommendation
from workbench import __version__
from workbench.report.records import ReportContent

_PACKAGES = ("open-model-workbench", "llama-cpp-python", "numpy", "scipy", "duckdb", "jinja2", "pydantic")
"""Packages whose version can change a number in the report."""


def gather_report(
    comparison: BenchmarkComparison,
    recommendation: Recommendation,
    wrong_examples: tuple[ExampleResult, ...],
    profile: Profile,
) -> ReportContent:
    """Everything a report shows, as of now."""
    benchmark = comparison.benchmark
    source = shlex.quote(benchmark.source) if benchmark.source else f"{benchmark.name}.yaml"
    return ReportContent(
        comparison=comparison,
        recommendation=recommendation,
        wrong_examples=wrong_examples,
        profile=profile,
        made_at=datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        workbench_version=__version__,
        packages=tuple((name, importlib.metadata.version(name)) for name in _PACKAGES if _installed(name)),
        commands=(
            f"workbench bench {source}",
            f"workbench report {shlex.quote(benchmark.name)} --output report.html",
        ),
    )


def _installed(name: str) -> bool:
    return any(True for _ in importlib.metadata.distributions(name=name))
