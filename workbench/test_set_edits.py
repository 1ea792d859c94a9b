"""Edits of kept test sets that are in no version yet: written down one by one, so that nothing is ever lost.

A version is whole and immutable, and making one for every key that is pressed would fill the disk. So each edit is
appended to a journal beside the results file, and the working copy is the newest version with the journal's edits on
top. `keep` makes the next version of it. The journal outlives every page and every restart.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from pydantic import ValidationError

from catalog.errors import WorkbenchError
from results import numbers
from results.test_set_records import KeptTestSet
from results.test_set_staging import Labelled
from runners.errors import BadTestSet
from runners.test_sets.edits import ExampleEdit, readable, with_field

_SECOND = "second_label"
_MOST_COPIES = 3
"""Working copies that are held in memory; others are read again when they are asked for."""


class WorkingCopy:
    """The newest version of a test set with the edits that are in no version yet."""

    def __init__(self, kept: KeptTestSet, examples: Iterable[Labelled]) -> None:
        self.kept = kept
        self.edits: list[ExampleEdit] = []
        self._base = {labelled.example.id: labelled for labelled in examples}
        self._now = dict(self._base)
        self._row = max((labelled.example.row or 0 for labelled in self._base.values()), default=0)
        self.stamp = 0
        """Grows with every edit."""

    @property
    def examples(self) -> dict[str, Labelled]:
        """Every example by its id, in order."""
        return self._now

    def apply(self, edit: ExampleEdit) -> ExampleEdit:
        """Make one edit, and give it as it is to be written down. Raises BadTestSet, and then nothing is changed."""
        if edit.change == "add":
            edit = self._add(edit)
        else:
            found = self._now.get(edit.id)
            if found is None:
                raise BadTestSet(f"There is no example {edit.id!r} any more. Look at the list again.")
            if edit.change == "remove":
                del self._now[edit.id]
            else:
                self._set(found, edit)
        self.edits.append(edit)
        self.stamp += 1
        return edit

    def undo(self) -> int:
        """Take the last edits that were made at once back; how many there were."""
        if not self.edits:
            return 0
        last = self.edits[-1].batch
        left = [edit for edit in self.edits if edit.batch != last]
        undone = len(self.edits) - len(left)
        self.edits, self._now = [], dict(self._base)
        for edit in left:
            self.apply(edit)
        self.stamp += 1
        return undone

    def settle(self, kept: KeptTestSet) -> None:
        """Begin anew from a version that holds every edit."""
        self.kept, self.edits, self._base = kept, [], dict(self._now)

    def _add(self, edit: ExampleEdit) -> ExampleEdit:
        example = edit.example
        if example is None:
            raise BadTestSet("There is no example to add.")
        if edit.id in self._now:
            raise BadTestSet(f"The id {edit.id!r} is taken. Give the example another one.")
        if example.row is None:
            self._row += 1
            example = example.model_copy(update={"row": self._row})
        second = "" if self.kept.columns.second_label else None
        self._now[edit.id] = Labelled(example, second)
        return edit.model_copy(update={"example": example})

    def _set(self, found: Labelled, edit: ExampleEdit) -> None:
        if edit.field == _SECOND:
            self._now[edit.id] = Labelled(found.example, readable(edit.value).strip())
            return
        example = with_field(found.example, edit.field, edit.value)
        if example.id == edit.id:
            self._now[edit.id] = Labelled(example, found.second_label)
            return
        if example.id in self._now:
            raise BadTestSet(f"The id {example.id!r} is taken by another example. Choose one that is free.")
        changed = Labelled(example, found.second_label)
        self._now = {each.example.id: each for each in (changed if k == edit.id else v for k, v in self._now.items())}


class EditJournals:
    """Working copies by the names of their test sets, and the journals that keep their edits."""

    def __init__(self, folder: Path, read: Callable[[KeptTestSet], tuple[Labelled, ...]]) -> None:
        self._folder = folder
        self._read = read
        self._copies: dict[str, WorkingCopy] = {}
        self._lock = threading.RLock()

    def copy(self, newest: KeptTestSet) -> WorkingCopy:
        """The working copy of a test set, whose newest version this is."""
        with self._lock:
            found = self._copies.get(newest.name)
            if found is None or found.kept.content_hash != newest.content_hash or found.kept.version != newest.version:
                found = WorkingCopy(newest, self._read(newest))
                # Edits of examples that another import took away meanwhile have nothing to change.
                for edit in self._written(newest.name):
                    _apply_if_possible(found, edit)
                while len(self._copies) >= _MOST_COPIES:
                    del self._copies[next(iter(self._copies))]
                self._copies[newest.name] = found
            found.kept = newest
            return found

    def edit(self, newest: KeptTestSet, edits: Sequence[ExampleEdit]) -> WorkingCopy:
        """Make edits at once and write them down. Raises BadTestSet, and then none is made."""
        with self._lock:
            copy = self.copy(newest)
            batch = copy.edits[-1].batch + 1 if copy.edits else 1
            made: list[ExampleEdit] = []
            try:
                for edit in edits:
                    made.append(copy.apply(edit.model_copy(update={"batch": batch})))
            except BadTestSet:
                if made:
                    copy.undo()
                raise
            self._append(newest.name, made)
            return copy

    def undo(self, newest: KeptTestSet) -> int:
        """Take the last edit back, or those that were made with it; how many there were."""
        with self._lock:
            copy = self.copy(newest)
            undone = copy.undo()
            self._write(newest.name, copy.edits)
            return undone

    def pending(self, name: str) -> bool:
        """Whether edits wait that are in no version yet."""
        return self._path(name).exists()

    def settle(self, kept: KeptTestSet) -> None:
        """The edits are in this version now: drop the journal, and begin anew from there."""
        with self._lock:
            self._path(kept.name).unlink(missing_ok=True)
            copy = self._copies.get(kept.name)
            if copy is not None:
                copy.settle(kept)

    def _written(self, name: str) -> list[ExampleEdit]:
        path = self._path(name)
        if not path.exists():
            return []
        edits = []
        for line in path.read_text(encoding="utf-8").split("\n"):
            try:
                edits += [ExampleEdit.model_validate_json(line)] if line else []
            except ValidationError:
                # The last line of a journal whose process was killed while it wrote.
                break
        return edits

    def _append(self, name: str, edits: Sequence[ExampleEdit]) -> None:
        if edits:
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._path(name).open("a", encoding="utf-8", newline="\n") as file:
                file.writelines(edit.model_dump_json(exclude_defaults=True) + "\n" for edit in edits)

    def _write(self, name: str, edits: Sequence[ExampleEdit]) -> None:
        path = self._path(name)
        if not edits:
            path.unlink(missing_ok=True)
            return
        partial = path.with_suffix(".partial")
        partial.write_text("".join(edit.model_dump_json(exclude_defaults=True) + "\n" for edit in edits), "utf-8")
        partial.replace(path)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.jsonl"


def message_of(edits: Sequence[ExampleEdit]) -> str:
    """What edits did, in a sentence, such as: 3 answers set, 2 rows left out (duplicate_text)."""
    labelled = {edit.id for edit in edits if edit.change == "set" and edit.field == "target"}
    others = {edit.id for edit in edits if edit.change == "set" and edit.field != "target"}
    added = Counter(edit.why for edit in edits if edit.change == "add")
    removed = Counter(edit.why for edit in edits if edit.change == "remove")
    parts = [f"{numbers.things(len(labelled), 'answer')} set" if labelled else ""]
    parts.append(f"{numbers.things(len(others), 'example')} edited" if others else "")
    parts += [f"{numbers.things(n, 'example')} added{_because(why)}" for why, n in added.items()]
    parts += [f"{numbers.things(n, 'row')} left out{_because(why)}" for why, n in removed.items()]
    said = ", ".join(part for part in parts if part)
    return f"{said[:1].upper()}{said[1:]}." if said else ""


def free_id(wanted: str, taken: Iterable[str]) -> str:
    """An id that is not taken: the wanted one, else with a number behind it."""
    others = taken if isinstance(taken, set | dict) else set(taken)
    number, identity = 1, wanted
    while identity in others:
        number += 1
        identity = f"{wanted}-{number}"
    return identity


def _because(why: str) -> str:
    return f" ({why})" if why else ""


def _apply_if_possible(copy: WorkingCopy, edit: ExampleEdit) -> None:
    try:
        copy.apply(edit)
    except WorkbenchError:
        return
