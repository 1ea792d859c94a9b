"""Step Test set: from a file, or from nothing, to labelled examples that can be trusted.

The chosen test set lies on the desk: a plain file with its absolute path, or a kept test set by its name. Uploads are
kept in the data directory, because gradio's own copy may be swept away before a run is resumed. What is pressed inside
the panels is in presses.py, the prompt in prompts.py.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from catalog.errors import WorkbenchError
from runners.errors import BadTestSet
from runners.test_set_records import Task
from runners.test_sets.columns import UNLABELLED
from workbench.records import ColumnsDefinition, TestSetDefinition
from workbench.sentences import refusal
from workbench.service import Workbench
from workbench.steps.desk import Desk
from workbench.steps.draft_benchmark import demo_test_set
from workbench.steps.test_set import examples_view, head_view, prompts, scoring, versions_view, view
from workbench.steps.test_set.grid import GridView, grid_page
from workbench.steps.test_set.opened import CheckAgain, Opened, keep_upload, look

NO_COLUMN = "(none)"
"""Choice where a column may be missing."""
NOT_LABELLED = "(none yet: label by hand)"
"""Choice where there are no right answers yet."""
_DIFFERENCE = 0.05
_DISCORDANT_SHARES = (0.1, 0.2, 0.3)

TASKS: tuple[tuple[str, Task], ...] = (
    ("Classification: one of a few labels", "classification"),
    ("Multiple choice: one of the example's choices", "multiple_choice"),
    ("Short answer: a few words or a number", "short_answer"),
    ("Extraction: a JSON object", "extraction"),
    ("Question on a context: out of passages", "context_question"),
    ("Free text, held against references", "free_text"),
)
"""Tasks as people read them."""

_ANSWERS: frozenset[Task] = frozenset({"short_answer", "free_text", "context_question"})
_EVERY: frozenset[Task] = frozenset(task for _, task in TASKS)
COLUMNS: tuple[tuple[str, str, frozenset[Task]], ...] = (
    ("text", "Text column", _EVERY),
    ("label", "Right answer column", _EVERY),
    ("id", "Id column", _EVERY),
    ("slices", "Slice columns", _EVERY),
    ("accepted", "Further right answers", _ANSWERS),
    ("choices", "Choices", frozenset({"multiple_choice"})),
    ("passages", "Passages", frozenset({"context_question"})),
    ("relevant", "Passages that hold the answer", frozenset({"context_question"})),
    ("group", "Group", _EVERY),
    ("weight", "Weight", _EVERY),
    ("second_label", "Second label", frozenset({"classification"})),
)
"""Columns that can be mapped: key, words, and the tasks that use them."""
LISTS = frozenset({"slices", "choices", "passages"})
"""Those that may be several."""


class Looking:
    """What a page looks at beside the desk: the part, the grid, and the rule whose problems are listed."""

    def __init__(self, part: str = "overview", grid: GridView | None = None, rule: str = "") -> None:
        self.part, self.grid, self.rule = part, grid or GridView(), rule

    @classmethod
    def from_address(cls, asked: Mapping[str, str]) -> "Looking":
        """What the address asks for."""
        show, page = asked.get("show", "all"), asked.get("page", "1")
        grid = GridView(
            show=show,
            search=asked.get("search", ""),
            page=max(int(page) - 1, 0) if page.isascii() and page.isdigit() and len(page) < 9 else 0,
            selected=asked.get("row", ""),
        )
        return cls(asked.get("part", "overview"), grid, asked.get("problem", ""))


def restore(workbench: Workbench, desk: Desk, request: gr.Request) -> tuple[Any, ...]:
    """Everything as it was left, or as the address asks for it."""
    asked = dict(request.query_params)
    name, version = asked.get("set", ""), asked.get("version", "")
    chosen = desk.draft.test_set
    wanted = int(version) if version.isascii() and version.isdigit() and len(version) < 9 else None
    if name and (chosen is None or (chosen.name, chosen.version) != (name, wanted)):
        try:
            put_on_desk(workbench, desk, name, wanted)
        except WorkbenchError as error:
            # The link is of a test set that is not here; the desk stays as it is.
            gr.Warning(view.plain(str(error)))
    return everything(workbench, desk, Looking.from_address(asked))


def everything(
    workbench: Workbench, desk: Desk, looking: Looking | None = None, *, check: CheckAgain = "small"
) -> tuple[Any, ...]:
    """Values of all outputs of the step, in their order."""
    looking = looking or Looking()
    reason = ""
    try:
        opened = look(workbench, desk, check=check)
    except BadTestSet as error:
        opened, reason = None, str(error)
    return (
        desk.draft.task,
        opener(workbench, desk),
        *_mapping(workbench, desk, opened),
        *panels(workbench, opened, looking, reason),
        versions(workbench, desk),
        scoring.scoring_panel(desk),
        *prompts.values(workbench, desk, opened),
    )


def panels(workbench: Workbench, opened: Opened | None, looking: Looking, reason: str = "") -> tuple[str, str, str]:
    """The line above, the overview and the examples."""
    if reason:
        overview = view.cannot_be_read(reason, without_answers="no column looks like the label" in reason)
    elif opened is None:
        overview = view.no_test_set()
    else:
        needed = [(share, workbench.examples_needed(_DIFFERENCE, share)) for share in _DISCORDANT_SHARES]
        have = len(opened.checked.file.examples)
        shows = [(share, workbench.difference_shown(have, share)) for share in _DISCORDANT_SHARES]
        overview = view.overview(opened, needed, shows, looking.rule)
    shown = grid_page(opened, looking.grid) if opened is not None else None
    return head_view.head(opened, looking.part), overview, examples_view.examples_panel(opened, shown)


def versions(workbench: Workbench, desk: Desk) -> str:
    """Test sets that are kept."""
    chosen = desk.draft.test_set
    return versions_view.versions_panel(workbench.test_sets.all(), chosen.name if chosen is not None else None)


def opener(workbench: Workbench, desk: Desk) -> gr.Dropdown:
    """Choices of the test sets that can be opened."""
    chosen = desk.draft.test_set
    name = chosen.name if chosen is not None else None
    names = dict.fromkeys(kept.name for kept in workbench.test_sets.all() if not kept.archived or kept.name == name)
    return gr.Dropdown(choices=list(names), value=name, visible=bool(names))


def put_on_desk(workbench: Workbench, desk: Desk, name: str, version: int | None = None) -> None:
    """Open a kept test set with its task and labels; the prompt stays where the task does. Raises UnknownTestSet."""
    kept = workbench.test_sets.find(name, version)
    newest = workbench.test_sets.find(name)
    same = desk.draft.task == kept.task and desk.draft.test_set is not None
    prompt = {} if same else {"prompt": None, "prompts": (), "scorers": None}
    desk.change(
        test_set=TestSetDefinition(name=name, version=None if version == newest.version else version),
        task=kept.task,
        labels=(kept.labels or newest.labels) or None,
        **prompt,
    )


def take_demo(workbench: Workbench, desk: Desk) -> tuple[Any, ...]:
    """Use the demo's test set, labels and prompt."""
    definition, _ = workbench.demo_definition()
    desk.change(
        test_set=demo_test_set(workbench),
        task=definition.task,
        labels=definition.labels,
        prompt=definition.prompt,
        prompts=(),
        scorers=None,
    )
    return everything(workbench, desk)


def choose_task(workbench: Workbench, desk: Desk, task: Task) -> Any:
    """Read the file as another task needs it, with the prompt that is usual for that; the same task leaves all."""
    if task == desk.draft.task:
        return gr.skip()
    chosen = desk.draft.test_set
    if chosen is not None and chosen.name is not None:
        workbench.test_sets.change_task(chosen.name, task)
        chosen = chosen.model_copy(update={"version": None})
    desk.change(test_set=chosen, task=task, labels=None, prompt=None, prompts=(), scorers=None)
    return everything(workbench, desk)


def take_upload(workbench: Workbench, desk: Desk, upload: str | None) -> tuple[Any, ...]:
    """Use an uploaded file; columns are guessed by their names."""
    if upload is None:
        return everything(workbench, desk)
    kept = keep_upload(Path(upload), workbench.settings.home / "test_sets")
    desk.change(test_set=TestSetDefinition(file=str(kept)), labels=None, prompt=None, prompts=())
    return everything(workbench, desk)


def open_kept(workbench: Workbench, desk: Desk, name: str | None) -> tuple[Any, ...]:
    """Open the newest version of a kept test set."""
    if name:
        put_on_desk(workbench, desk, name)
    return everything(workbench, desk)


def start_empty(workbench: Workbench, desk: Desk, name: str, labels: str) -> tuple[Any, ...]:
    """Keep an empty test set under a name, and open it for labelling."""
    if not name.strip():
        raise refusal("Give the test set a name first: letters, digits, dots, dashes and underscores.")
    asked = _listed(labels) if desk.draft.task == "classification" else ()
    workbench.test_sets.start(name.strip(), desk.draft.task, asked)
    put_on_desk(workbench, desk, name.strip())
    return everything(workbench, desk, Looking(part="examples"))


def map_columns(workbench: Workbench, desk: Desk, *values: Any) -> tuple[Any, ...]:
    """Read the file with other columns."""
    test_set = desk.draft.test_set
    if test_set is None or test_set.file is None:
        return everything(workbench, desk)
    mapped = {key: _column(key, value) for (key, _, _), value in zip(COLUMNS, values, strict=True)}
    columns = ColumnsDefinition.model_validate({key: value for key, value in mapped.items() if value is not None})
    desk.change(test_set=test_set.model_copy(update={"columns": columns}))
    return everything(workbench, desk)


def say_labels(workbench: Workbench, desk: Desk, labels: str) -> tuple[Any, ...]:
    """Use these labels, in this order."""
    asked = _listed(labels)
    if desk.draft.test_set is not None and asked != (desk.draft.labels or ()):
        desk.change(labels=asked or None)
        if desk.draft.test_set.name is not None:
            workbench.test_sets.describe_labels(desk.draft.test_set.name, asked)
    return panels(workbench, look(workbench, desk), Looking())


def _listed(labels: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item.strip() for item in (labels or "").split(",") if item.strip()))


def _column(key: str, value: Any) -> Any:
    """A control's value as the definition says it; None leaves the column to be guessed."""
    if key in LISTS:
        return tuple(value or ()) or (() if key == "slices" else None)
    if value == NOT_LABELLED:
        return UNLABELLED
    return None if value in {None, NO_COLUMN} else value


def _mapping(workbench: Workbench, desk: Desk, opened: Opened | None) -> tuple[Any, ...]:
    """The group of mapping controls, each control's choices and value, and the labels."""
    chosen = desk.draft.test_set
    if chosen is None:
        return gr.Row(visible=False), *(gr.skip() for _ in COLUMNS), gr.Textbox(visible=False)
    shown = ", ".join(desk.draft.labels or (opened.labels if opened is not None else ()))
    labels = gr.Textbox(value=shown, visible=desk.draft.task == "classification")
    if chosen.file is None:
        return gr.Row(visible=False), *(gr.skip() for _ in COLUMNS), labels
    try:
        names = list(workbench.columns_of(chosen))
    except BadTestSet:
        return gr.Row(visible=False), *(gr.skip() for _ in COLUMNS), labels
    used = _used(chosen, opened)
    controls = [
        gr.Dropdown(
            choices=_choices(key, names),
            multiselect=key in LISTS,
            value=used.get(key) or ([] if key in LISTS else _missing(key, names)),
            visible=desk.draft.task in tasks,
        )
        for key, _, tasks in COLUMNS
    ]
    return gr.Row(visible=True), *controls, labels


def _choices(key: str, names: list[str]) -> list[str]:
    if key in LISTS or key == "text":
        return names
    return [NOT_LABELLED if key == "label" else NO_COLUMN, *names]


def _missing(key: str, names: list[str]) -> str | None:
    if key == "text":
        return names[0] if names else None
    return NOT_LABELLED if key == "label" else NO_COLUMN


def _used(chosen: TestSetDefinition, opened: Opened | None) -> dict[str, Any]:
    """Columns as they are read, else as they were asked for."""
    if opened is None:
        return chosen.columns.model_dump(exclude_none=True)
    columns = opened.checked.file.columns
    used = columns.model_dump() | {"label": columns.target}
    if chosen.columns.label == UNLABELLED:
        used["label"] = NOT_LABELLED
    return {key: list(value) if isinstance(value, tuple) else value for key, value in used.items()}
