"""Gathers what a report is made of: the comparison, the recommendation and what is needed to repeat them."""

import datetime
import importlib.metadata
import shlex

from catalog.records import Profile
from results.judge_records import JudgeReport
from results.recommendation_records import Recommendation
from results.records import BenchmarkComparison, ExampleResult
from workbench import __version__
from workbench.report.records import ReportContent

_PACKAGES = ("open-model-workbench", "llama-cpp-python", "numpy", "scipy", "duckdb", "jinja2", "pydantic")
"""Packages whose version can change a number in the report."""


EXAMPLES_SHOWN = 20
"""More make a report that nobody reads to its end; the app shows all."""


def gather_report(
    comparison: BenchmarkComparison,
    recommendation: Recommendation,
    wrong_examples: tuple[ExampleResult, ...],
    profile: Profile,
    judgings: tuple[JudgeReport, ...] = (),
) -> ReportContent:
    """Everything a report shows, as of now."""
    benchmark = comparison.benchmark
    chosen = _examples_to_show(wrong_examples, recommendation.winner)
    source = shlex.quote(benchmark.source) if benchmark.source else f"{benchmark.name}.yaml"
    return ReportContent(
        comparison=comparison,
        recommendation=recommendation,
        wrong_examples=chosen,
        judgings=judgings,
        profile=profile,
        made_at=datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        workbench_version=__version__,
        packages=tuple((name, importlib.metadata.version(name)) for name in _PACKAGES if _installed(name)),
        notes=_notes(len(chosen), len(wrong_examples)),
        commands=(
            f"workbench bench {source}",
            f"workbench report {shlex.quote(benchmark.name)} --output report.html",
        ),
    )


def _examples_to_show(wrong: tuple[ExampleResult, ...], winner: str | None) -> tuple[ExampleResult, ...]:
    """First those that the recommended candidate got wrong, then the others, in the order of the test set."""

    def won_anyway(example: ExampleResult) -> bool:
        answer = example.answers.get(winner) if winner is not None else None
        return answer is None or answer.right is not False

    return tuple(sorted(wrong, key=won_anyway)[:EXAMPLES_SHOWN])


def _notes(shown: int, wrong: int) -> tuple[str, ...]:
    if shown == wrong:
        return ()
    return (
        f"{shown} of the {wrong} examples that at least one candidate got wrong are shown, those of the recommended "
        "candidate first; the app and its export have all of them.",
    )


def _installed(name: str) -> bool:
    return any(True for _ in importlib.metadata.distributions(name=name))
