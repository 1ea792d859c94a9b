"""What the step Test set looks at: the test set on the desk, its examples as they are now, and what was found of them.

Also takes a plain file into the book before the first edit, because only what is kept can be edited.
"""

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from results.test_set_records import KeptTestSet
from runners.test_set_records import Example, Problem, Task
from runners.test_sets.columns import UNLABELLED
from runners.test_sets.edits import ExampleEdit
from workbench.records import TestSetCheck, TestSetDefinition
from workbench.sentences import refusal
from workbench.service import Workbench
from workbench.steps.desk import Desk
from workbench.test_set_checks import CheckKey

CHECKED_AT_ONCE = 3_000
"""Larger test sets are not checked again after every edit, but when somebody asks for it."""

CheckAgain = Literal["never", "small", "always"]
"""Whether edits are looked at anew: not now, where it takes no time to speak of, or in any case."""


class Opened(NamedTuple):
    """The test set that is open."""

    definition: TestSetDefinition
    task: Task
    said: tuple[str, ...] | None
    """Labels that somebody said."""
    checked: TestSetCheck
    examples: Sequence[Example]
    """As they are now, with those that are not measured."""
    kept: KeptTestSet | None
    """The version that is open; None of a plain file."""
    newest: int | None
    """The newest version's number."""
    edits: int
    """Edits that are in no version yet."""
    message: str
    """What they did."""
    stale: bool
    """Whether the check is of before the last edits."""

    @property
    def editable(self) -> bool:
        """Whether it is a plain file, which is kept first, or the newest version."""
        return self.kept is None or self.definition.version is None

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels in the order shown: those that were said, else those of the examples as they are now."""
        if self.task != "classification":
            return ()
        return self.said or tuple(sorted({example.target for example in self.examples if example.target}))

    @property
    def labelled(self) -> int:
        """How many examples have a right answer."""
        return sum(bool(example.target) for example in self.examples)

    def problems(self, rule: str) -> list[Problem]:
        """Those of one rule."""
        return [problem for problem in self.checked.problems if problem.rule == rule]


def look(workbench: Workbench, desk: Desk, *, check: CheckAgain = "small") -> Opened | None:
    """The test set on the desk; None where there is none. Raises BadTestSet or UnknownTestSet."""
    definition = desk.draft.test_set
    if definition is None:
        return None
    if definition.name is None:
        checked = _check(workbench, desk, definition)
        return Opened(
            definition,
            desk.draft.task,
            desk.draft.labels,
            checked,
            checked.file.examples,
            None,
            None,
            0,
            "",
            stale=False,
        )
    newest = workbench.test_sets.find(definition.name)
    if desk.draft.task != newest.task:
        desk.change(task=newest.task)
    if definition.version is not None:
        kept = workbench.test_sets.find(definition.name, definition.version)
        checked = _check(workbench, desk, definition)
        return Opened(
            definition,
            desk.draft.task,
            desk.draft.labels,
            checked,
            checked.file.examples,
            kept,
            newest.version,
            0,
            "",
            stale=False,
        )
    working = workbench.test_sets.working(definition.name)
    before = None
    small = len(working.file.examples) <= CHECKED_AT_ONCE
    if working.edits and (check == "never" or (check == "small" and not small)):
        key = CheckKey(definition, desk.draft.labels, desk.draft.task, stamp=None)
        before = workbench.test_sets.checks.before(key)
    return Opened(
        definition,
        desk.draft.task,
        desk.draft.labels,
        before or _check(workbench, desk, definition),
        working.file.examples,
        newest,
        newest.version,
        len(working.edits),
        working.message,
        stale=before is not None,
    )


def editable_name(workbench: Workbench, desk: Desk) -> str:
    """The name of the test set to be edited; a plain file is kept first, and is on the desk by its name afterwards."""
    definition = desk.draft.test_set
    if definition is None:
        raise refusal("Upload a test set or start an empty one first.")
    if definition.version is not None:
        raise refusal("An older version is open, to look at. Make it the newest, or open the newest, to edit it.")
    if definition.name is not None:
        return definition.name
    checked = _check(workbench, desk, definition)
    kept = workbench.test_sets.adopt(checked.file, desk.draft.task, desk.draft.labels or ()).kept
    columns = definition.columns
    if columns.label == UNLABELLED:  # from now on the column is there
        columns = columns.model_copy(update={"label": None})
    desk.change(test_set=definition.model_copy(update={"file": None, "name": kept.name, "columns": columns}))
    return kept.name


def edit(workbench: Workbench, desk: Desk, edits: Sequence[ExampleEdit]) -> None:
    """Make edits of the test set on the desk. Raises BadTestSet, and then none is made."""
    workbench.test_sets.edit(editable_name(workbench, desk), edits)


def keep_upload(upload: Path, folder: Path) -> Path:
    """A copy under the file's own name and content, in the data directory."""
    digest = hashlib.sha256(upload.read_bytes()).hexdigest()[:8]
    kept = folder / f"{upload.stem}-{digest}{upload.suffix}"
    if not kept.exists():
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(upload, kept)
    return kept


def _check(workbench: Workbench, desk: Desk, definition: TestSetDefinition) -> TestSetCheck:
    return workbench.check_test_set(definition, desk.draft.labels, task=desk.draft.task, folder=Path())
