"""What can be done about a problem of a test set: leaving the row out, and for most rules something gentler. Pure.

A fix is the edits that it makes, so that one fix and a thousand are written down, undone and told of alike. What only a
person can decide (the right label of a row) has no fix here but leaving the row out; the app opens the row instead.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from runners.test_set_records import Example, Problem
from runners.test_sets.edits import GROUP, INPUT, ExampleEdit, field_text

LEAVE_OUT = "leave-out"
"""Name of the fix that every problem of a single row has."""
ADD_LABEL = "add-label"
"""Name of the fix that changes the list of labels, and no example."""
_CUT = "…"
"""Stands where an answer was taken out of a text."""
_OTHER_ROW = re.compile(r"row (\d+)")


class Fix(NamedTuple):
    """One thing that can be done about one problem."""

    name: str
    """The same for every problem of the rule, so that all of a kind can be fixed at once."""
    words: str
    """What it does, as a button says it."""
    words_for_all: str
    """The same for all problems of the rule."""
    edits: tuple[ExampleEdit, ...]
    """What it changes."""


class Fixable(NamedTuple):
    """What fixes look at."""

    by_row: Mapping[int, Example]
    ids: frozenset[str]
    labels: Sequence[str]


def fixable(examples: Iterable[Example], labels: Sequence[str]) -> Fixable:
    """Examples by their rows and ids."""
    listed = tuple(examples)
    by_row = {example.row: example for example in listed if example.row is not None}
    return Fixable(by_row, frozenset(example.id for example in listed), labels)


def example_of(problem: Problem, found: Fixable) -> Example | None:
    """The example that a problem is about; None where it is about the whole file or a row that could not be read."""
    example = found.by_row.get(problem.row) if problem.row is not None else None
    # A few-shot example has a row of another file; its problem begins with its own id.
    return example if example is not None and problem.message.startswith(f"{example.id}: ") else None


def fixes_of(problem: Problem, found: Fixable) -> tuple[Fix, ...]:
    """What can be done about a problem, the gentlest first; empty where no row is meant."""
    example = example_of(problem, found)
    if example is None:
        return ()
    gentle = _FIXES.get(problem.rule)
    fixes = [fix for fix in (gentle(problem, example, found) if gentle is not None else ()) if fix is not None]
    leave = ExampleEdit(change="remove", id=example.id, why=problem.rule)
    return (*fixes, Fix(LEAVE_OUT, "Leave out", "Leave all out", (leave,)))


def edits_for_all(problems: Iterable[Problem], name: str, found: Fixable) -> tuple[ExampleEdit, ...]:
    """The edits of one fix for many problems; an example that is left out once is not edited again."""
    edits: list[ExampleEdit] = []
    gone: set[str] = set()
    for problem in problems:
        for fix in fixes_of(problem, found):
            if fix.name == name:
                fresh = [edit for edit in fix.edits if edit.id not in gone]
                edits += fresh
                gone |= {edit.id for edit in fresh if edit.change == "remove"}
    return tuple(edits)


def _set(example: Example, field: str, value: str, rule: str) -> ExampleEdit:
    return ExampleEdit(change="set", id=example.id, field=field, value=value, why=rule)


def _nearest_label(problem: Problem, example: Example, found: Fixable) -> list[Fix | None]:
    others = [label for label in found.labels if label and label != example.target]
    folded = " ".join(example.target.casefold().split())
    same = [label for label in others if " ".join(label.casefold().split()) == folded]
    close = same or get_close_matches(example.target, others, n=1)
    change = (
        Fix(
            "nearest-label",
            f"Change to {close[0]!r}",
            "Change all to the nearest label",
            (_set(example, "target", close[0], problem.rule),),
        )
        if close
        else None
    )
    if problem.rule != "unknown_label":
        return [change]
    return [change, Fix(ADD_LABEL, f"Add the label {example.target!r}", "Add all these labels", ())]


def _unique_id(problem: Problem, example: Example, found: Fixable) -> list[Fix | None]:
    number = 2
    while f"{example.id}-{number}" in found.ids:
        number += 1
    edit = _set(example, "id", f"{example.id}-{number}", problem.rule)
    return [Fix("unique-id", f"Call it {example.id}-{number}", "Make all ids unique", (edit,))]


def _one_group(problem: Problem, example: Example, found: Fixable) -> list[Fix | None]:
    named = _OTHER_ROW.search(problem.message)
    other = found.by_row.get(int(named.group(1))) if named else None
    if other is None:
        return []
    group = other.slices.get(GROUP) or example.slices.get(GROUP) or other.id
    edits = [_set(each, GROUP, group, problem.rule) for each in (other, example) if each.slices.get(GROUP, "") != group]
    return [Fix("one-group", "Put both into one group", "Put all into groups", tuple(edits))] if edits else []


def _cut_answer(problem: Problem, example: Example, found: Fixable) -> list[Fix | None]:  # noqa: ARG001  one of a family
    column = next(iter(example.inputs), "")
    pattern = re.compile(rf"(?<!\w){re.escape(example.target.strip())}(?!\w)", re.IGNORECASE)
    text = pattern.sub(_CUT, example.inputs.get(column, ""))
    edit = _set(example, INPUT + column, text, problem.rule)
    return [Fix("cut-answer", f"Put {_CUT} in its place", f"Put {_CUT} in the place of all", (edit,))]


def _one_of_each_choice(problem: Problem, example: Example, found: Fixable) -> list[Fix | None]:  # noqa: ARG001
    edit = _set(example, "choices", "\n".join(dict.fromkeys(example.choices)), problem.rule)
    return [Fix("one-of-each", "Keep each choice once", "Keep each choice once in all", (edit,))]


def _add_choice(problem: Problem, example: Example, found: Fixable) -> list[Fix | None]:  # noqa: ARG001
    edit = _set(example, "choices", "\n".join((*example.choices, example.target)), problem.rule)
    return [Fix("add-choice", "Add the answer to the choices", "Add the answers to the choices", (edit,))]


def _relevant_in_range(problem: Problem, example: Example, found: Fixable) -> list[Fix | None]:  # noqa: ARG001
    within = [number for number in example.relevant if number <= len(example.passages) and example.target]
    changed = example.model_copy(update={"relevant": tuple(within)})
    edit = _set(example, "relevant", field_text(changed, "relevant"), problem.rule)
    words = "Unmark what is not there" if example.target else "Mark no passage"
    return [Fix("relevant", words, f"{words} in all", (edit,))]


_FIXES: dict[str, Callable[[Problem, Example, Fixable], list[Fix | None]]] = {
    "unknown_label": _nearest_label,
    "misspelt_label": _nearest_label,
    "duplicate_id": _unique_id,
    "near_duplicate": _one_group,
    "answer_in_text": _cut_answer,
    "choice_twice": _one_of_each_choice,
    "target_not_in_choices": _add_choice,
    "relevant_out_of_range": _relevant_in_range,
    "relevant_without_answer": _relevant_in_range,
}
"""What can be done about a rule beside leaving the row out."""
