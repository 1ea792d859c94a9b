"""What a person looks at in the step Compare, and how the address says it, so that a link reopens the same view.

Candidates are named by their number in the benchmark, because names may hold anything. What an address asks for and
does not exist is left out.
"""

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple, get_args

from results.example_records import ExampleFilter, ExampleOrder, ExampleQuery
from results.metric_words import metric_titles
from results.records import BenchmarkComparison
from workbench.steps.compare.examples_view import Marks

FILTERS: list[tuple[str, ExampleFilter]] = [
    ("all", "all"),
    ("candidates disagree", "disagreement"),
    ("A right, B wrong", "first_right"),
    ("B right, A wrong", "second_right"),
    ("A scored higher than B", "first_higher"),
    ("some wrong", "any_wrong"),
    ("all wrong", "all_wrong"),
    ("not understood", "unparseable"),
    ("failed or not asked", "failed"),
]
"""Filters of the example browser: what is shown, and what the store calls it."""
ORDERS: list[tuple[str, ExampleOrder]] = [
    ("test set", "test_set"),
    ("slowest first", "slowest"),
    ("longest answer first", "longest"),
]
"""Orders of the examples."""
MARKS: list[tuple[str, Marks]] = [
    ("between A and B", "other"),
    ("from the right answer", "target"),
    ("none", "none"),
]
"""What is marked in answers."""
PAGE_LENGTHS = [10, 20, 50, 100]
"""Examples on a page."""
ANY = ""
"""Value of a control that asks for nothing."""


class View(NamedTuple):
    """What is looked at of a benchmark."""

    metric: str | None
    """Name of the metric that stands for quality; None for the benchmark's own."""
    shown: tuple[str, ...]
    """Candidates that are not hidden."""
    columns: tuple[str, ...]
    """Columns of the summary."""
    candidate: str
    """The one in depth."""


class Browsing(NamedTuple):
    """Which examples are looked at, as the controls say it."""

    first: str | None
    second: str | None
    only: ExampleFilter
    place: str
    """Slice column and value as JSON; empty for any."""
    target: str
    """Right answer; empty for any."""
    text: str
    order: ExampleOrder
    per_page: int
    marks: Marks

    def query(self, shown: Sequence[str], offset: int = 0) -> ExampleQuery:
        """The same as the store asks for it."""
        column, value = json.loads(self.place) if self.place else (None, "")
        return ExampleQuery(
            only=self.only,
            candidates=tuple(shown),
            first=self.first,
            second=self.second,
            slice_column=column,
            slice_value=value,
            target=self.target or None,
            text=self.text.strip(),
            order=self.order,
            offset=max(0, offset),
            limit=self.per_page,
        )


def names_of(comparison: BenchmarkComparison) -> list[str]:
    """Candidates that there is something of."""
    return [summary.candidate.name for summary in comparison.candidates]


def slice_choices(comparison: BenchmarkComparison) -> list[tuple[str, str]]:
    """Every value of every slice column, and none."""
    places = dict.fromkeys((part.column, part.value) for item in comparison.candidates for part in item.slices)
    return [("any", ANY), *((f"{column} = {value}", json.dumps([column, value])) for column, value in places)]


def metric_choices(comparison: BenchmarkComparison) -> list[tuple[str, str]]:
    """Title and name of every metric, the benchmark's own first."""
    return [(title, name) for name, title in metric_titles(comparison).items()]


def asked_view(comparison: BenchmarkComparison, columns: Sequence[str], asked: Mapping[str, str]) -> View:
    """The view that an address asks for."""
    names = names_of(comparison)
    hidden = {name for number in asked.get("c-hide", "").split(".") if (name := _numbered(comparison, number))}
    shown = [name for name in names if name not in hidden] or names
    left_out = set(asked.get("c-columns", "").split("."))
    metrics = [name for _, name in metric_choices(comparison)]
    metric = asked.get("c-metric")
    candidate = _numbered(comparison, asked.get("c-in", ""))
    return View(
        metric=metric if metric in metrics else (metrics[0] if metrics else None),
        shown=tuple(shown),
        columns=tuple(name for name in columns if name not in left_out),
        candidate=candidate if candidate in shown else shown[0],
    )


def asked_browsing(comparison: BenchmarkComparison, shown: Sequence[str], asked: Mapping[str, str]) -> Browsing:
    """The examples that an address asks for; A and B are the first two candidates where it names none."""
    first = _numbered(comparison, asked.get("c-a", ""))
    second = _numbered(comparison, asked.get("c-b", ""))
    place, per_page = asked.get("c-slice", ANY), asked.get("c-per", "")
    first = first if first in shown else shown[0]
    rest = [name for name in shown if name != first]
    return Browsing(
        first=first,
        second=second if second in rest else next(iter(rest), None),
        only=next((name for name in get_args(ExampleFilter) if name == asked.get("c-show")), "all"),
        place=place if place in {value for _, value in slice_choices(comparison)} else ANY,
        target=asked.get("c-label", ANY) if asked.get("c-label") in comparison.benchmark.labels else ANY,
        text=asked.get("c-find", ANY)[:200],
        order=next((name for name in get_args(ExampleOrder) if name == asked.get("c-order")), "test_set"),
        per_page=int(per_page) if per_page in map(str, PAGE_LENGTHS) else 20,
        marks=next((name for name in get_args(Marks) if name == asked.get("c-marks")), "other"),
    )


def asked_offset(asked: Mapping[str, str]) -> int:
    """How many examples an address passes over."""
    number = asked.get("c-from", "")
    return int(number) if number.isdecimal() and len(number) < 9 else 0


def view_address(comparison: BenchmarkComparison, view: View, columns: Sequence[str]) -> dict[str, str]:
    """Parameters of the address that ask for this view; what is usual is left empty."""
    names = names_of(comparison)
    metrics = [name for _, name in metric_choices(comparison)]
    hidden = [_number(comparison, name) for name in names if name not in view.shown]
    return {
        "c-metric": view.metric if view.metric and view.metric != metrics[0] else "",
        "c-hide": ".".join(hidden),
        "c-columns": ".".join(name for name in columns if name not in view.columns),
        "c-in": _number(comparison, view.candidate) if view.candidate != view.shown[0] else "",
    }


def browsing_address(
    comparison: BenchmarkComparison, browsing: Browsing, offset: int, example: str | None
) -> dict[str, str]:
    """The same of the examples."""
    usual = asked_browsing(comparison, names_of(comparison), {})
    return {
        "c-a": _number(comparison, browsing.first) if browsing.first != usual.first else "",
        "c-b": _number(comparison, browsing.second) if browsing.second != usual.second else "",
        "c-show": browsing.only if browsing.only != usual.only else "",
        "c-slice": browsing.place,
        "c-label": browsing.target,
        "c-find": browsing.text.strip(),
        "c-order": browsing.order if browsing.order != usual.order else "",
        "c-per": str(browsing.per_page) if browsing.per_page != usual.per_page else "",
        "c-marks": browsing.marks if browsing.marks != usual.marks else "",
        "c-from": str(offset) if offset else "",
        "c-example": example or "",
    }


def _number(comparison: BenchmarkComparison, name: str | None) -> str:
    candidates = comparison.benchmark.candidates
    return str(candidates.index(name) + 1) if name in candidates else ""


def _numbered(comparison: BenchmarkComparison, number: str) -> str | None:
    candidates = comparison.benchmark.candidates
    known = number.isdecimal() and len(number) < 6 and 1 <= int(number) <= len(candidates)
    return candidates[int(number) - 1] if known else None
