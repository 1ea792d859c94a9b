"""How candidates stand to each other in one metric, and a comparison seen from another metric or with fewer candidates.

Reads off what results/comparison.py tested; tests nothing itself.
"""

from collections.abc import Collection
from typing import Literal

from catalog.records import Record
from results.comparison import shows_difference
from results.metric_words import metric_named
from results.records import BenchmarkComparison, CandidateSummary, Comparison


class Standing(Record):
    """One candidate beside the others."""

    name: str
    """Candidate."""
    place: Literal["best", "tied", "behind", "alone", "unknown"]
    """best: shown better than every other; tied: nobody is shown better, and some cannot be told apart from it;
    behind: another is shown better; alone: nobody to hold it against; unknown: not measured, or stopped early."""
    tied_with: tuple[str, ...] = ()
    """Those that the data cannot tell apart from it."""
    behind: tuple[str, ...] = ()
    """Those that are shown better."""


def standings(comparison: BenchmarkComparison) -> dict[str, Standing]:
    """Every candidate's standing in the metric that stands for quality, by name."""
    return {summary.candidate.name: _standing(summary, comparison) for summary in comparison.candidates}


def better_of(pair: Comparison) -> str | None:
    """The one that the corrected test shows to be better; None where it tells neither."""
    if not shows_difference(pair):
        return None
    return pair.first if (pair.difference.value > 0) == pair.higher_is_better else pair.second


def seen_in(comparison: BenchmarkComparison, metric: str | None) -> BenchmarkComparison:
    """The comparison with another metric standing for quality, by its name; unchanged where nobody has it.

    Pairs by slice are tested in quality alone, so there are none in another metric.
    """
    first = next((summary.metrics[0].name for summary in comparison.candidates if summary.metrics), None)
    known = {each.name for summary in comparison.candidates for each in summary.metrics}
    if metric is None or metric == first or metric not in known:
        return comparison
    pairs = (*comparison.pairs, *comparison.metric_pairs)
    return comparison.model_copy(
        update={
            "candidates": tuple(_led_by(summary, metric) for summary in comparison.candidates),
            "pairs": tuple(pair for pair in pairs if pair.metric == metric),
            "metric_pairs": tuple(pair for pair in pairs if pair.metric != metric),
            "slice_pairs": (),
        }
    )


def without(comparison: BenchmarkComparison, hidden: Collection[str]) -> BenchmarkComparison:
    """The comparison without some candidates. What was tested stays as it is, corrected over all of them.

    Unchanged where nobody would be left.
    """
    left = [summary for summary in comparison.candidates if summary.candidate.name not in hidden]
    if not hidden or not left:
        return comparison
    return comparison.model_copy(
        update={
            "candidates": tuple(left),
            "pairs": tuple(pair for pair in comparison.pairs if _among(pair, hidden)),
            "metric_pairs": tuple(pair for pair in comparison.metric_pairs if _among(pair, hidden)),
            "slice_pairs": tuple(each for each in comparison.slice_pairs if _among(each.pair, hidden)),
            "ladder": tuple(rung for rung in comparison.ladder if rung.candidate not in hidden),
            "costs": tuple(cost for cost in comparison.costs if cost.name not in hidden),
        }
    )


def _standing(summary: CandidateSummary, comparison: BenchmarkComparison) -> Standing:
    name = summary.candidate.name
    if summary.quality is None or summary.status == "stopped":
        return Standing(name=name, place="unknown")
    tied, behind = [], []
    mine = [pair for pair in comparison.pairs if name in {pair.first, pair.second}]
    for pair in mine:
        other = pair.second if pair.first == name else pair.first
        better = better_of(pair)
        if better is None:
            tied.append(other)
        elif better == other:
            behind.append(other)
    place: Literal["best", "tied", "behind", "alone"] = "best"
    if not mine:
        place = "alone"
    elif behind:
        place = "behind"
    elif tied:
        place = "tied"
    return Standing(name=name, place=place, tied_with=tuple(tied), behind=tuple(behind))


def _led_by(summary: CandidateSummary, metric: str) -> CandidateSummary:
    """The summary with one metric first, in every slice too; without metrics where it has not got that one."""
    led = metric_named(summary, metric)
    slices = tuple(
        part.model_copy(update={"metrics": tuple(sorted(part.metrics, key=lambda each: each.name != metric))})
        for part in summary.slices
        if any(each.name == metric for each in part.metrics)
    )
    metrics = tuple(sorted(summary.metrics, key=lambda each: each.name != metric)) if led is not None else ()
    return summary.model_copy(update={"metrics": metrics, "slices": slices})


def _among(pair: Comparison, hidden: Collection[str]) -> bool:
    return pair.first not in hidden and pair.second not in hidden
