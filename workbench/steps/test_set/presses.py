"""What is pressed and typed inside the panels of the step Test set: labels, edits, fixes, versions.

A click carries what the page looks at, so nothing about a page is kept here and two tabs do not disturb each other.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from catalog.errors import WorkbenchError
from results import numbers
from runners.test_set_records import Example
from runners.test_sets.edits import ExampleEdit
from runners.test_sets.fixes import ADD_LABEL, edits_for_all, fixable, fixes_of
from workbench.sentences import refusal
from workbench.service import Workbench
from workbench.steps.desk import Desk
from workbench.steps.draft_benchmark import benchmark_definition, candidates_at_hand
from workbench.steps.test_set import handlers, prompts, scoring, versions_view, view
from workbench.steps.test_set.examples_view import view_of
from workbench.steps.test_set.grid import PROBLEM, ROWS, moved, next_unlabelled
from workbench.steps.test_set.handlers import Looking, everything, panels, put_on_desk
from workbench.steps.test_set.opened import Opened, edit, editable_name, look
from workbench.test_set_edits import free_id

_MOST_PASTED = 20_000
_TOO_LONG = "too_long_for_context"


class Pressed(NamedTuple):
    """What was pressed, with what, and what the page looked at."""

    action: str
    value: str
    text: str
    looking: Looking


def pressed(event: gr.EventData) -> Pressed:
    """A click or an edit as the page's script sends it."""
    found = {name: str(getattr(event, name, "") or "") for name in ("action", "value", "text", "view", "part", "rule")}
    looking = Looking(found["part"] or "overview", view_of(found["view"]), found["rule"])
    return Pressed(found["action"], found["value"], found["text"], looking)


def press(workbench: Workbench, desk: Desk, event: gr.EventData) -> tuple[Any, ...]:
    """Do what was pressed; gives all outputs of the step, those that need not change as they are."""
    asked = pressed(event)
    was_file = desk.draft.test_set is not None and desk.draft.test_set.file is not None
    act = _ACTIONS.get(asked.action)
    try:
        if act is not None:
            done = act(workbench, desk, asked)
            return everything(workbench, desk, asked.looking, check="never") if was_file and _open_name(desk) else done
        edit(workbench, desk, [ExampleEdit(change="set", id=asked.value, field=asked.action, value=asked.text)])
    except WorkbenchError as error:
        # What was typed is not what is kept: say so, and show what is.
        gr.Warning(view.plain(str(error)), title="Not kept")
        return _grid_only(workbench, desk, asked.looking)
    if was_file:
        return everything(workbench, desk, asked.looking, check="never")
    return _head_only(workbench, desk, asked.looking)


def _answer(workbench: Workbench, desk: Desk, asked: Pressed) -> tuple[Any, ...]:
    """Give the right answer and go on to the next example without one."""
    label = asked.text.strip()
    said = desk.draft.labels
    if desk.draft.task == "classification" and said and label and label not in said:
        _say_labels(workbench, desk, (*said, label))
    edit(workbench, desk, [ExampleEdit(change="set", id=asked.value, field="target", value=label)])
    return _go(workbench, desk, asked, next_unlabelled)


def _clear(workbench: Workbench, desk: Desk, asked: Pressed) -> tuple[Any, ...]:
    edit(workbench, desk, [ExampleEdit(change="set", id=asked.value, field="target", value="")])
    return _grid_only(workbench, desk, asked.looking)


def _go(workbench: Workbench, desk: Desk, asked: Pressed, step: Callable[..., Any]) -> tuple[Any, ...]:
    opened = look(workbench, desk, check="never")
    if opened is not None:
        asked.looking.grid = step(opened, asked.looking.grid)
    return _grid_only(workbench, desk, asked.looking, opened)


def _previous(workbench: Workbench, desk: Desk, asked: Pressed) -> tuple[Any, ...]:
    return _go(workbench, desk, asked, lambda opened, grid: moved(opened, grid, -1))


def _next(workbench: Workbench, desk: Desk, asked: Pressed) -> tuple[Any, ...]:
    return _go(workbench, desk, asked, lambda opened, grid: moved(opened, grid, 1))


def _unlabelled(workbench: Workbench, desk: Desk, asked: Pressed) -> tuple[Any, ...]:
    return _go(workbench, desk, asked, next_unlabelled)


def _select(workbench: Workbench, desk: Desk, asked: Pressed) -> tuple[Any, ...]:
    """Open one example; from the list of problems, with the rows of that rule around it."""
    asked.looking.grid = asked.looking.grid.model_copy(update={"selected": asked.value})
    if asked.looking.part != "examples":
        opened = look(workbench, desk, check="never")
        place = next((n for n, e in enumerate(opened.examples) if e.id == asked.value), 0) if opened else 0
        asked.looking.part = "examples"
        asked.looking.grid = asked.looking.grid.model_copy(update={"show": "all", "search": "", "page": place // ROWS})
    return _grid_only(workbench, desk, asked.looking)


def _show(workbench: Workbench, desk: Desk, asked: Pressed) -> tuple[Any, ...]:
    asked.looking.grid = asked.looking.grid.model_copy(update={"show": asked.text, "page": 0, "selected": ""})
    return _grid_only(workbench, desk, asked.looking)


def _search(workbench: Workbench, desk: Desk, asked: Pressed) -> tuple[Any, ...]:
    asked.looking.grid = asked.looking.grid.model_copy(update={"search": asked.text, "page": 0, "selected": ""})
    return _grid_only(workbench, desk, asked.looking)


def _page(workbench: Workbench, desk: Desk, asked: Pressed) -> tuple[Any, ...]:
    page = int(asked.value) if asked.value.isdecimal() else 0
    asked.looking.grid = asked.looking.grid.model_copy(update={"page": page, "selected": ""})
    return _grid_only(workbench, desk, asked.looking)


def _paste(workbench: Workbench, desk: Desk, asked: Pressed) -> tuple[Any, ...]:
    """Add a row for every line that was pasted."""
    lines = [line for line in asked.text.splitlines() if line.strip()]
    if not lines:
        raise refusal("Paste at least one text first, one per line.")
    if len(lines) > _MOST_PASTED:
        raise refusal(f"{len(lines):,} lines are more than {_MOST_PASTED:,}. Save them as a file and upload that.")
    name = editable_name(workbench, desk)
    copy = workbench.test_sets.copy(name)
    like = next((each.example for each in copy.examples.values()), None)
    columns = copy.kept.columns
    taken = set(copy.examples)
    edits = []
    for line in lines:
        text, _, target = line.partition("\t")
        identity = free_id(f"added-{len(taken) + 1}", taken)
        taken.add(identity)
        inputs = dict.fromkeys(like.inputs if like is not None else (columns.text,), "") | {columns.text: text.strip()}
        slices = dict.fromkeys(like.slices, "") if like is not None else {}
        example = Example(id=identity, inputs=inputs, target=target.strip(), slices=slices)
        edits.append(ExampleEdit(change="add", id=identity, example=example, why="by hand"))
    workbench.test_sets.edit(name, edits)
    gr.Info(f"{numbers.things(len(edits), 'example')} added.", duration=4)
    asked.looking.grid = asked.looking.grid.model_copy(update={"selected": edits[0].id, "show": "all", "search": ""})
    opened = look(workbench, desk)
    if opened is not None:
        asked.looking.grid = moved(opened, asked.looking.grid, 0)
    return everything(workbench, desk, asked.looking)


def _remove(workbench: Workbench, desk: Desk, asked: Pressed) -> tuple[Any, ...]:
    opened = look(workbench, desk, check="never")
    if opened is not None:
        asked.looking.grid = moved(opened, asked.looking.grid, 1)
    edit(workbench, desk, [ExampleEdit(change="remove", id=asked.value, why="by hand")])
    return everything(workbench, desk, asked.looking)


def _undo(workbench: Workbench, desk: Desk, asked: Pressed) -> tuple[Any, ...]:
    undone = workbench.test_sets.undo(editable_name(workbench, desk))
    gr.Info(f"{numbers.things(undone, 'edit')} undone." if undone else "There is nothing to undo.", duration=4)
    return everything(workbench, desk, asked.looking)


def _keep(workbench: Workbench, desk: Desk, asked: Pressed) -> tuple[Any, ...]:
    kept = workbench.test_sets.keep_edits(editable_name(workbench, desk)).kept
    gr.Info(view.plain(f"Kept: {kept.name}, version {kept.version}. {kept.message}"), duration=6)
    return everything(workbench, desk, asked.looking)


def _part(workbench: Workbench, desk: Desk, asked: Pressed) -> tuple[Any, ...]:
    """Another part is shown: its figures are brought up to date, and nothing that may be being typed is touched."""
    if desk.draft.test_set is None:
        return _some({_VERSIONS: handlers.versions(workbench, desk)})
    done = everything(workbench, desk, asked.looking)
    return _some({place: done[place] for place in range(_HEAD, _SCORING + 1)})


def _check(workbench: Workbench, desk: Desk, asked: Pressed) -> tuple[Any, ...]:
    return everything(workbench, desk, asked.looking, check="always")


def _lengths(workbench: Workbench, desk: Desk, asked: Pressed) -> tuple[Any, ...]:
    """Count every prompt by the tokenizer of every candidate, and list those that are too long for one."""
    candidates = candidates_at_hand(workbench, desk)
    gr.Info(f"Counting tokens with {numbers.things(len(candidates), 'candidate')} …", duration=4)
    prepared = workbench.prepare_unsaved(benchmark_definition(workbench, desk, "draft", candidates))
    opened = _looked(workbench, desk)
    others = tuple(problem for problem in opened.checked.problems if problem.rule != _TOO_LONG)
    found = opened.checked
    too_long = workbench.prompt_lengths.problems(prepared, candidates)
    more = found.model_copy(update={"problems": (*others, *too_long)})
    workbench.test_sets.checks.replace(found, more)
    said = numbers.things(len(too_long), "prompt") + " too long for a candidate" if too_long else "Every prompt fits."
    gr.Info(said, duration=6)
    return everything(workbench, desk, asked.looking)


def _only(workbench: Workbench, desk: Desk, asked: Pressed) -> tuple[Any, ...]:
    asked.looking.rule = asked.value
    asked.looking.grid = asked.looking.grid.model_copy(
        update={"show": PROBLEM + asked.value if asked.value else "all", "page": 0, "selected": ""}
    )
    return _panels_only(workbench, desk, asked.looking)


def _fix(workbench: Workbench, desk: Desk, asked: Pressed) -> tuple[Any, ...]:
    """One fix of one problem."""
    row, rule, name = asked.value.split(" ", 2)
    opened = _looked(workbench, desk)
    ground = fixable(opened.examples, opened.labels)
    problem = next((each for each in opened.problems(rule) if str(each.row) == row), None)
    fix = next((each for each in fixes_of(problem, ground) if each.name == name), None) if problem else None
    if fix is None:
        gr.Info("That problem is gone already.", duration=4)
    elif fix.name == ADD_LABEL:
        example = ground.by_row[int(row)]
        _say_labels(workbench, desk, (*opened.labels, example.target))
    else:
        edit(workbench, desk, fix.edits)
    return everything(workbench, desk, asked.looking)


def _fix_all(workbench: Workbench, desk: Desk, asked: Pressed) -> tuple[Any, ...]:
    """One fix of all problems of a rule; the cleaned test set is kept as a version at once."""
    rule, name = asked.value.split(" ", 1)
    opened = _looked(workbench, desk)
    ground = fixable(opened.examples, opened.labels)
    found = opened.problems(rule)
    if name == ADD_LABEL:
        unknown = dict.fromkeys(ground.by_row[p.row or 0].target for p in found if p.row in ground.by_row)
        _say_labels(workbench, desk, tuple(dict.fromkeys((*opened.labels, *unknown))))
        return everything(workbench, desk, asked.looking)
    edits = edits_for_all(found, name, ground)
    if not edits:
        gr.Info("These problems are gone already.", duration=4)
        return everything(workbench, desk, asked.looking)
    edit(workbench, desk, edits)
    kept = workbench.test_sets.keep_edits(editable_name(workbench, desk)).kept
    gr.Info(view.plain(f"{kept.message} Kept as {kept.name}, version {kept.version}."), duration=8)
    return everything(workbench, desk, asked.looking, check="always")


def _adopt(workbench: Workbench, desk: Desk, asked: Pressed) -> tuple[Any, ...]:
    """Keep what could be read of a file."""
    name = editable_name(workbench, desk)
    gr.Info(view.plain(workbench.test_sets.find(name).message or f"Kept as {name}."), duration=8)
    return everything(workbench, desk, asked.looking)


def _only_labelled(workbench: Workbench, desk: Desk, asked: Pressed) -> tuple[Any, ...]:
    """Measure only examples with a right answer, or all again."""
    chosen = desk.draft.test_set
    if chosen is not None:
        desk.change(test_set=chosen.model_copy(update={"only_labelled": not chosen.only_labelled}))
    return everything(workbench, desk, asked.looking)


def _unlabelled_file(workbench: Workbench, desk: Desk, asked: Pressed) -> tuple[Any, ...]:
    """The file on the desk has no right answers yet: keep it, and go and label it."""
    chosen = desk.draft.test_set
    if chosen is None:
        raise refusal("Upload a file first.")
    columns = chosen.columns.model_copy(update={"label": ""})
    desk.change(test_set=chosen.model_copy(update={"columns": columns}))
    editable_name(workbench, desk)
    asked.looking.part = "examples"
    return everything(workbench, desk, asked.looking)


def _open(workbench: Workbench, desk: Desk, asked: Pressed) -> tuple[Any, ...]:
    name, _, version = asked.value.partition(" ")
    put_on_desk(workbench, desk, name, int(version) if version else None)
    asked.looking.grid = view_of("{}")
    return everything(workbench, desk, asked.looking)


def _restore(workbench: Workbench, desk: Desk, asked: Pressed) -> tuple[Any, ...]:
    name, version = asked.value.split(" ")
    workbench.test_sets.restore(name, int(version))
    put_on_desk(workbench, desk, name)
    return everything(workbench, desk, asked.looking)


def _diff(workbench: Workbench, desk: Desk, asked: Pressed) -> tuple[Any, ...]:
    name, version = asked.value.split(" ")
    changes = workbench.test_sets.diff(name, int(version) - 1, int(version))
    kept = workbench.test_sets.all()
    return _some({_VERSIONS: versions_view.versions_panel(kept, _open_name(desk), changes)})


def _archived(workbench: Workbench, desk: Desk, asked: Pressed) -> tuple[Any, ...]:  # noqa: ARG001  one of a family
    kept = workbench.test_sets.all()
    return _some({_VERSIONS: versions_view.versions_panel(kept, _open_name(desk), archived=True)})


def _archive(workbench: Workbench, desk: Desk, asked: Pressed) -> tuple[Any, ...]:
    name, wanted = asked.value.split(" ")
    workbench.test_sets.archive(name, archived=wanted == "yes")
    return everything(workbench, desk, asked.looking, check="never")


def _duplicate(workbench: Workbench, desk: Desk, asked: Pressed) -> tuple[Any, ...]:
    kept = workbench.test_sets.duplicate(asked.value)
    gr.Info(f"Kept as {kept.name}.", duration=4)
    return everything(workbench, desk, asked.looking, check="never")


def export(workbench: Workbench, event: gr.EventData) -> tuple[str, str, str]:
    """Name, kind and text of a kept test set that the browser saves; nothing where something else was pressed."""
    asked = pressed(event)
    ending = {"export-csv": ".csv", "export-jsonl": ".jsonl"}.get(asked.action)
    if ending is None:
        return "", "", ""
    workbench.test_sets.keep_edits(asked.value)
    with tempfile.TemporaryDirectory() as folder:
        path = workbench.test_sets.export(asked.value, None, Path(folder) / f"{asked.value}{ending}")
        return path.name, "text/csv" if ending == ".csv" else "application/jsonl", path.read_text(encoding="utf-8")


def _exported(workbench: Workbench, desk: Desk, asked: Pressed) -> tuple[Any, ...]:
    """The export itself is heard by another handler; edits that waited are a version now."""
    return everything(workbench, desk, asked.looking, check="never")


def _looked(workbench: Workbench, desk: Desk) -> Opened:
    opened = look(workbench, desk, check="always")
    if opened is None:
        raise refusal("Upload a test set or start an empty one first.")
    return opened


def _say_labels(workbench: Workbench, desk: Desk, labels: tuple[str, ...]) -> None:
    desk.change(labels=labels)
    name = _open_name(desk)
    if name is not None:
        workbench.test_sets.describe_labels(name, labels)


def _open_name(desk: Desk) -> str | None:
    return desk.draft.test_set.name if desk.draft.test_set is not None else None


# Places of the outputs of `everything`: what is not named here stays as it is.
_HEAD = 2 + 1 + len(handlers.COLUMNS) + 1
_OVERVIEW, _EXAMPLES, _VERSIONS = _HEAD + 1, _HEAD + 2, _HEAD + 3
_SCORING = _VERSIONS + 1
_ALL = _SCORING + 1 + prompts.OUTPUTS


def _some(values: dict[int, Any]) -> tuple[Any, ...]:
    return tuple(values.get(place, gr.skip()) for place in range(_ALL))


def _head_only(workbench: Workbench, desk: Desk, looking: Looking) -> tuple[Any, ...]:
    head, _, _ = panels(workbench, look(workbench, desk, check="never"), looking)
    return _some({_HEAD: head})


def _grid_only(workbench: Workbench, desk: Desk, looking: Looking, opened: Opened | None = None) -> tuple[Any, ...]:
    head, _, examples = panels(workbench, opened or look(workbench, desk, check="never"), looking)
    return _some({_HEAD: head, _EXAMPLES: examples})


def _panels_only(workbench: Workbench, desk: Desk, looking: Looking) -> tuple[Any, ...]:
    head, overview, examples = panels(workbench, look(workbench, desk), looking)
    return _some({_HEAD: head, _OVERVIEW: overview, _EXAMPLES: examples})


def _use_scorer(workbench: Workbench, desk: Desk, asked: Pressed) -> tuple[Any, ...]:  # noqa: ARG001  one of a family
    scoring.use_scorer(desk, asked.value, used=asked.text == "true")
    return _some({_SCORING: scoring.scoring_panel(desk)})


def _first_scorer(workbench: Workbench, desk: Desk, asked: Pressed) -> tuple[Any, ...]:  # noqa: ARG001
    scoring.put_first(desk, asked.value)
    return _some({_SCORING: scoring.scoring_panel(desk)})


def _scorer_option(workbench: Workbench, desk: Desk, asked: Pressed) -> tuple[Any, ...]:  # noqa: ARG001
    name, option = asked.value.split(" ")
    try:
        scoring.set_option(desk, name, option, asked.text)
    except gr.Error as error:
        gr.Warning(str(error.message), title="Not kept")
        return _some({_SCORING: scoring.scoring_panel(desk)})
    return _some({})


def _usual_scorers(workbench: Workbench, desk: Desk, asked: Pressed) -> tuple[Any, ...]:  # noqa: ARG001
    desk.change(scorers=None)
    return _some({_SCORING: scoring.scoring_panel(desk)})


_ACTIONS: dict[str, Callable[[Workbench, Desk, Pressed], tuple[Any, ...]]] = {
    "answer": _answer,
    "clear": _clear,
    "previous": _previous,
    "next": _next,
    "unlabelled": _unlabelled,
    "select": _select,
    "show": _show,
    "search": _search,
    "page": _page,
    "paste": _paste,
    "remove": _remove,
    "undo": _undo,
    "keep": _keep,
    "part": _part,
    "check": _check,
    "lengths": _lengths,
    "only": _only,
    "fix": _fix,
    "fix-all": _fix_all,
    "adopt": _adopt,
    "only-labelled": _only_labelled,
    "unlabelled-file": _unlabelled_file,
    "open": _open,
    "restore": _restore,
    "diff": _diff,
    "archived": _archived,
    "archive": _archive,
    "duplicate": _duplicate,
    "scorer-use": _use_scorer,
    "scorer-first": _first_scorer,
    "scorer-option": _scorer_option,
    "scorer-usual": _usual_scorers,
    "export-csv": _exported,
    "export-jsonl": _exported,
}
"""Everything that can be pressed; what is none of these is a field of an example that was edited."""
