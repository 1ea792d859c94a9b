"""Gathers what a report is made of: the comparison, the recommendation and what is needed to repeat them."""

import importlib.metadata
import shlex
from typing import NamedTuple

from catalog.records import Profile
from results.judge_records import JudgeReport
from results.recommendation_records import Recommendation
from results.records import BenchmarkComparison, ExampleResult, RunStart
from runners.test_set_records import Problem
from workbench import __version__
from workbench.clock import now
from workbench.report.chosen_examples import choose_examples
from workbench.report.records import Edits, ReportContent
from workbench.vote_records import BenchmarkVotes

_PACKAGES = ("open-model-workbench", "llama-cpp-python", "numpy", "scipy", "duckdb", "jinja2", "pydantic")
"""Packages whose version can change a number in the report."""


EXAMPLES_SHOWN = 10
"""More make a report that nobody reads to its end; the app shows all."""


class Beside(NamedTuple):
    """What stands beside the comparison and the recommendation."""

    examples: tuple[ExampleResult, ...] = ()
    """The first examples of the test set, to pick from."""
    wrong_examples: tuple[ExampleResult, ...] = ()
    """Those that at least one candidate got wrong."""
    judgings: tuple[JudgeReport, ...] = ()
    """What judges found."""
    votes: BenchmarkVotes | None = None
    """What people preferred."""
    test_set_problems: tuple[Problem, ...] | None = None
    """What the checks of the test set find; None where it could not be read again."""
    first_start: RunStart | None = None
    """How busy the machine was before anything was measured."""
    edits: Edits = Edits()
    """What a person added."""


def gather_report(
    comparison: BenchmarkComparison, recommendation: Recommendation, profile: Profile, beside: Beside
) -> ReportContent:
    """Everything a report shows, as of now."""
    benchmark = comparison.benchmark
    chosen = _examples_to_show(beside.wrong_examples, recommendation.winner)
    source = shlex.quote(benchmark.source) if benchmark.source else f"{benchmark.name}.yaml"
    names = [summary.candidate.name for summary in comparison.candidates]
    ranked = [place.name for place in recommendation.ranked]
    ordered = [*ranked, *(name for name in names if name not in ranked)]
    return ReportContent(
        comparison=comparison,
        recommendation=recommendation,
        edits=beside.edits,
        examples=choose_examples(beside.examples, ordered),
        wrong_examples=chosen,
        test_set_problems=beside.test_set_problems,
        first_start=beside.first_start,
        judgings=beside.judgings,
        votes=beside.votes,
        profile=profile,
        made_at=now(),
        workbench_version=__version__,
        packages=tuple((name, importlib.metadata.version(name)) for name in _PACKAGES if _installed(name)),
        notes=_notes(len(chosen), len(beside.wrong_examples)),
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
