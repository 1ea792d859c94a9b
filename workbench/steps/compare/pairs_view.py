"""What the data can tell apart: every pair in one metric, in words first, and the same on every slice."""

from collections.abc import Sequence

from results import numbers
from results.comparison import shows_difference
from results.conclusions import decision
from results.metric_words import quality_title, signed_difference
from results.records import BenchmarkComparison, Comparison, SliceComparison
from results.standings import better_of
from workbench.steps import render
from workbench.steps.render import Cell, Column, Html, Row, tag

_MOST_SLICE_PAIRS = 200

_HINTS = {
    "Difference": "The first that the conclusion names minus the second, on the same examples, with its 95 % interval",
    "Adjusted p": "Of the paired test, Holm's correction over all pairs",
    "Could show": "Smallest difference that this many examples show with 80 % power",
}


def pairs(comparison: BenchmarkComparison) -> Html:
    """Every pair in the metric that is looked at."""
    note = f"{quality_title(comparison)}, each pair on the examples that both were asked"
    head = render.heading("What the data can tell apart", note)
    if not comparison.pairs:
        few = "Two candidates with common examples are needed."
        return tag("div", head, tag("p", few, class_="quiet"), class_="card", id="compare-pairs-card")
    return tag("div", head, _table(comparison.pairs), _by_slice(comparison), class_="card", id="compare-pairs-card")


def _table(found: Sequence[Comparison]) -> Html:
    is_share = any(pair.only_first_right is not None for pair in found)
    columns = (
        Column("Conclusion"),
        Column("Difference", numeric=True, hint=_HINTS["Difference"]),
        *((Column("Only first right", numeric=True), Column("Only second right", numeric=True)) if is_share else ()),
        Column("Adjusted p", numeric=True, hint=_HINTS["Adjusted p"]),
        Column("Could show", numeric=True, hint=_HINTS["Could show"]),
        Column("Examples", numeric=True),
    )
    return render.table("Conclusions by pair", columns, [_row(pair, is_share=is_share) for pair in found])


def _row(pair: Comparison, *, is_share: bool) -> Row:
    pair = _as_named(pair)
    counts = [Cell(numbers.count(count), count) for count in (pair.only_first_right, pair.only_second_right)]
    return Row(
        [
            Cell(_decision(pair), pair.p_adjusted),
            Cell(signed_difference(pair.difference, pair.unit), pair.difference.value),
            *(counts if is_share else ()),
            Cell(numbers.p_value(pair.p_adjusted), pair.p_adjusted),
            Cell(_could_show(pair), pair.smallest_detectable_difference),
            Cell(numbers.count(pair.n), pair.n),
        ]
    )


def _as_named(pair: Comparison) -> Comparison:
    """The pair in the order in which its conclusion names the two, so that the figures beside it mean the same."""
    if better_of(pair) != pair.second:
        return pair
    found = pair.difference
    low, high = (None if end is None else -end for end in (found.high, found.low))
    return pair.model_copy(
        update={
            "first": pair.second,
            "second": pair.first,
            "first_value": pair.second_value,
            "second_value": pair.first_value,
            "only_first_right": pair.only_second_right,
            "only_second_right": pair.only_first_right,
            "difference": found.model_copy(update={"value": -found.value, "low": low, "high": high}),
        }
    )


def _decision(pair: Comparison) -> Html:
    """A sign, the decision in words, and the whole sentence when pointed at."""
    sign = "≈" if better_of(pair) is None else "▲"
    return tag(
        "div",
        tag("span", sign, class_="told" if sign == "▲" else "tied-sign", aria_hidden="true"),
        " ",
        decision(pair, shows_difference(pair)),
        title=pair.conclusion,
    )


def _by_slice(comparison: BenchmarkComparison) -> Html | None:
    found = comparison.slice_pairs
    if not found:
        return None
    told = [each for each in found if shows_difference(each.pair)]
    words = f"Pairs by slice: {numbers.count(len(told))} of {numbers.count(len(found))} are told apart"
    listed = sorted(found, key=lambda each: each.pair.p_adjusted)[:_MOST_SLICE_PAIRS]
    columns = (
        Column("Slice"),
        Column("Conclusion"),
        Column("Difference", numeric=True, hint=_HINTS["Difference"]),
        Column("Adjusted p", numeric=True, hint="Holm's correction over all pairs and slices together"),
        Column("Examples", numeric=True),
    )
    left_out = len(found) - len(listed)
    return tag(
        "details",
        tag("summary", words),
        render.table("Conclusions by pair and slice", columns, [_slice_row(each) for each in listed]),
        tag("p", f"{numbers.count(left_out)} more with a larger p are not listed.", class_="quiet")
        if left_out
        else None,
    )


def _slice_row(each: SliceComparison) -> Row:
    place, pair = f"{each.column} = {each.value}", _as_named(each.pair)
    return Row(
        [
            Cell(place, place),
            Cell(_decision(pair), pair.p_adjusted),
            Cell(signed_difference(pair.difference, pair.unit), pair.difference.value),
            Cell(numbers.p_value(pair.p_adjusted), pair.p_adjusted),
            Cell(numbers.count(pair.n), pair.n),
        ]
    )


def _could_show(pair: Comparison) -> str:
    show = numbers.points if pair.unit == "share" else numbers.score
    return show(pair.smallest_detectable_difference)
