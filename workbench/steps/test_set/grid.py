"""Which examples are looked at: filter, page, the one that is being labelled. Pure; travels with every click."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from catalog.records import Record
from runners.test_set_records import Example
from workbench.steps.test_set.opened import Opened

ROWS = 25
"""Rows of a page; the others are never in the browser."""
PROBLEM = "problem:"
"""What a filter begins with that shows the rows of one rule."""


class GridView(Record):
    """What the grid shows."""

    show: str = "all"
    """`all`, `unlabelled`, `labelled`, or `problem:` and a rule."""
    search: str = ""
    """Text that occurs in the examples shown; case does not matter."""
    page: int = 0
    """Page, from 0."""
    selected: str = ""
    """Id of the example that is being labelled; empty takes the first."""


class Shown(NamedTuple):
    """The page of a grid, and where the selected example stands."""

    view: GridView
    rows: Sequence[Example]
    first: int
    total: int
    selected: Example | None
    place: int
    """Where the selected example is among those that the filter leaves, from 0."""


def grid_page(opened: Opened, view: GridView) -> Shown:
    """The page that a view asks for; of pages that are not there the nearest."""
    found = _filtered(opened, view)
    place = next((number for number, example in enumerate(found) if example.id == view.selected), None)
    pages = max(1, math.ceil(len(found) / ROWS))
    page = min(max(view.page, 0), pages - 1)
    if place is None:
        place = page * ROWS
    selected = found[place] if place < len(found) else None
    settled = view.model_copy(update={"page": page, "selected": selected.id if selected else ""})
    return Shown(settled, found[page * ROWS : (page + 1) * ROWS], page * ROWS, len(found), selected, place)


def moved(opened: Opened, view: GridView, step: int) -> GridView:
    """The view with the next or the previous example selected, on its page."""
    found = _filtered(opened, view)
    place = next((number for number, example in enumerate(found) if example.id == view.selected), 0)
    return _at(view, found, min(max(place + step, 0), max(len(found) - 1, 0)))


def next_unlabelled(opened: Opened, view: GridView) -> GridView:
    """The view with the next example selected that has no answer, else the next one; from the end on from the top."""
    found = _filtered(opened, view)
    place = next((number for number, example in enumerate(found) if example.id == view.selected), -1)
    turned = [*range(place + 1, len(found)), *range(place + 1)]
    free = next((number for number in turned if not found[number].target), None)
    if free is None:
        return moved(opened, view, 1)
    return _at(view, found, free)


def _at(view: GridView, found: Sequence[Example], place: int) -> GridView:
    if not found:
        return view.model_copy(update={"selected": "", "page": 0})
    return view.model_copy(update={"selected": found[place].id, "page": place // ROWS})


def _filtered(opened: Opened, view: GridView) -> Sequence[Example]:
    found = opened.examples
    if view.show in {"unlabelled", "labelled"}:
        wanted = view.show == "labelled"
        # The one that was just labelled stays until another is selected, so that nothing jumps away.
        found = [each for each in found if bool(each.target) == wanted or each.id == view.selected]
    elif view.show.startswith(PROBLEM):
        rows = {problem.row for problem in opened.problems(view.show.removeprefix(PROBLEM))}
        found = [each for each in found if each.row in rows]
    words = view.search.casefold()
    if words:
        found = [each for each in found if _holds(each, words)]
    return found


def _holds(example: Example, words: str) -> bool:
    texts = (example.id, example.target, *example.inputs.values(), *example.choices, *example.passages)
    return any(words in text.casefold() for text in texts)
