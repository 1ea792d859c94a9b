"""The service's part on test sets that are kept: import, versions, what changed, export, edits.

An import reads a file as a stream and holds no more of it than a few thousand rows at a time. Edits are written down
one by one (test_set_edits.py) and become the next version when somebody keeps them or the newest version is measured.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from results.store import Store
from results.test_set_records import KeptTestSet, TestSetDiff
from results.test_set_staging import Labelled, stage_examples, staged_examples
from runners.errors import BadTestSet
from runners.test_set_records import Problem, Task
from runners.test_sets.edits import ExampleEdit
from runners.test_sets.files import OpenTestSet, open_test_set, read_test_set_file
from runners.test_sets.records import AskedColumns, FileForm, TestSetFile
from workbench.clock import now
from workbench.conversion import convert_file
from workbench.records import TestSetDefinition
from workbench.test_set_adoption import added_example, empty_columns, refuse_unreadable, unique_ids
from workbench.test_set_checks import CheckCache
from workbench.test_set_edits import EditJournals, WorkingCopy, message_of
from workbench.test_set_export import ENDINGS, export_examples
from workbench.test_set_records import (
    AddedExample,
    ConvertedBenchmark,
    ImportedTestSet,
    NewExample,
    ShownTestSet,
    WorkingTestSet,
)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_UPLOADED = re.compile(r"-[0-9a-f]{8}$")
"""What the app puts behind the names of uploaded files, so that none takes another's place."""
_ERRORS_SHOWN = 5
_FIRST_EXAMPLES = 5


class TestSetBook:
    """Test sets under names, each with all its versions."""

    __test__ = False

    def __init__(self, store: Store) -> None:
        self._shelf = store.test_sets
        self.checks = CheckCache()
        """What was found of test sets that were looked at a moment ago."""
        self._journals = EditJournals(self._shelf.folder / "test_sets" / "edits", self._all_of)

    def import_file(
        self, definition: TestSetDefinition, folder: Path, *, name: str | None = None, task: Task | None = None
    ) -> ImportedTestSet:
        """Keep a file's examples as the next version of a name; the same content makes no new version.

        What is not said of columns and task is taken from the version before. Raises BadTestSet where a row cannot be
        read: then nothing is kept.
        """
        path = folder / Path(definition.file or "").expanduser()
        name = _checked_name(name or definition.title)
        before = self._shelf.newest(name)
        opened = _open(path, definition, task, before)
        problems: list[Problem] = list(opened.problems)
        with self._shelf.staging() as staging:
            rows = _readable(opened, problems)
            staged = stage_examples(rows, staging / "examples.parquet", opened.reading.task)
            _refuse(path, problems)
            if not staged.count:
                raise BadTestSet(f"{path} has no examples. Add labelled rows.")
            kept, is_new = self._shelf.keep(staged, _described(name, opened))
        changes = self._shelf.diff(name, before.version, kept.version) if is_new and before is not None else None
        return ImportedTestSet(kept=kept, is_new=is_new, changes=changes, problems=tuple(problems))

    def all(self) -> tuple[KeptTestSet, ...]:
        """Every version, by name, newest first."""
        return self._shelf.all()

    def find(self, name: str, version: int | None = None) -> KeptTestSet:
        """One version, by default the newest. Raises UnknownTestSet."""
        return self._shelf.find(name, version)

    def show(self, name: str, version: int | None = None) -> ShownTestSet:
        """One version with its labels and first examples. Raises UnknownTestSet."""
        kept = self._shelf.find(name, version)
        with self._unloaded(kept) as examples:
            first = tuple(labelled.example for _, labelled in zip(range(_FIRST_EXAMPLES), examples, strict=False))
        labels = self._shelf.label_counts(kept) if kept.task == "classification" else ()
        return ShownTestSet(kept=kept, label_counts=labels, first=first)

    def diff(self, name: str, first: int, second: int) -> TestSetDiff:
        """What changed between two versions. Raises UnknownTestSet."""
        return self._shelf.diff(name, first, second)

    def read(self, name: str, version: int | None, task: Task) -> TestSetFile:
        """A version's examples, as if read from a file. Raises UnknownTestSet, or BadTestSet for another task.

        Edits that are in no version yet become one first where the newest is asked for.
        """
        kept = self._shelf.find(name, version) if version is not None else self.keep_edits(name).kept
        _refuse_other_task(kept, task)
        return _as_file(kept, self._all_of(kept))

    def working(self, name: str, task: Task | None = None) -> WorkingTestSet:
        """The newest version with the edits that are in none yet. Raises as `read` does."""
        newest = self._shelf.find(name)
        _refuse_other_task(newest, task or newest.task)
        copy = self._journals.copy(newest)
        labelled = tuple(copy.examples.values())
        return WorkingTestSet(
            kept=newest, file=_as_file(newest, labelled), edits=tuple(copy.edits), message=message_of(copy.edits)
        )

    def copy(self, name: str) -> WorkingCopy:
        """The working copy itself, for looking at single examples. Raises UnknownTestSet."""
        return self._journals.copy(self._shelf.find(name))

    def stamp(self, name: str, version: int | None) -> tuple[str, int]:
        """What changes when the examples of a version, or of the working copy, do. Raises UnknownTestSet."""
        kept = self._shelf.find(name, version)
        return kept.content_hash, 0 if version is not None else self._journals.copy(kept).stamp

    def edit(self, name: str, edits: Sequence[ExampleEdit]) -> WorkingCopy:
        """Make edits at once; they are written down. Raises BadTestSet, and then none is made."""
        return self._journals.edit(self._shelf.find(name), edits)

    def undo(self, name: str) -> int:
        """Take the last edit back that is in no version yet, with those made at once; how many there were."""
        return self._journals.undo(self._shelf.find(name))

    def keep_edits(self, name: str) -> ImportedTestSet:
        """Make the next version of the edits that wait; without any, the newest version. Raises UnknownTestSet."""
        newest = self._shelf.find(name)
        if not self._journals.pending(name):
            return ImportedTestSet(kept=newest, is_new=False, changes=None, problems=())
        copy = self._journals.copy(newest)
        imported = self.keep_examples(newest, tuple(copy.examples.values()), message_of(copy.edits))
        self._journals.settle(imported.kept)
        return imported

    def keep_examples(self, described: KeptTestSet, examples: Sequence[Labelled], message: str) -> ImportedTestSet:
        """Keep examples as the next version of a name, with what else is described."""
        before = self._shelf.newest(described.name)
        record = described.model_copy(update={"created_at": now(), "message": message, "archived": False})
        with self._shelf.staging() as staging:
            staged = stage_examples(examples, staging / "examples.parquet", described.task)
            kept, is_new = self._shelf.keep(staged, record)
        changes = None
        if is_new and before is not None:
            changes = self._shelf.diff(described.name, before.version, kept.version)
        return ImportedTestSet(kept=kept, is_new=is_new, changes=changes, problems=())

    def archive(self, name: str, *, archived: bool) -> None:
        """Put a test set away, or bring it back; its versions stay as they are. Raises UnknownTestSet."""
        self._shelf.describe(self._shelf.find(name).model_copy(update={"archived": archived}))

    def describe_labels(self, name: str, labels: tuple[str, ...]) -> None:
        """Keep the labels with the newest version, in the order shown to the model. Raises UnknownTestSet."""
        newest = self._shelf.find(name)
        if newest.labels != labels:
            self._shelf.describe(newest.model_copy(update={"labels": labels}))

    def duplicate(self, name: str, version: int | None = None) -> KeptTestSet:
        """Keep a version's examples under a name of their own, with the edits that wait. Raises UnknownTestSet."""
        kept = self.keep_edits(name).kept if version is None else self._shelf.find(name, version)
        described = self._without_clash(kept.model_copy(update={"name": f"{name[:60]}-copy", "source": ""}))
        described = described.model_copy(update={"source": kept.source})
        said = f"Duplicated from {name}, version {kept.version}."
        return self.keep_examples(described, self._all_of(kept), said).kept

    def change_task(self, name: str, task: Task) -> KeptTestSet:
        """Keep the newest version's examples for another task, as a version. Raises UnknownTestSet."""
        kept = self.keep_edits(name).kept
        if kept.task == task:
            return kept
        said = f"Asked as {task.replace('_', ' ')} instead of {kept.task.replace('_', ' ')}."
        described = kept.model_copy(update={"task": task, "labels": ()})
        return self.keep_examples(described, self._all_of(kept), said).kept

    def restore(self, name: str, version: int) -> KeptTestSet:
        """Make an older version the newest again; edits that wait become a version before. Raises UnknownTestSet."""
        self.keep_edits(name)
        kept = self._shelf.find(name, version)
        return self.keep_examples(kept, self._all_of(kept), f"Version {version} again.").kept

    def start(self, name: str, task: Task, labels: tuple[str, ...] = ()) -> KeptTestSet:
        """Keep a test set without examples, to be labelled by hand. Raises BadTestSet where the name is taken."""
        if self._shelf.newest(_checked_name(name)) is not None:
            raise BadTestSet(f"There is a test set {name!r} already. Open it, or choose another name.")
        columns = empty_columns(task)
        described = KeptTestSet(
            name=name,
            version=1,
            created_at=now(),
            content_hash="",
            task=task,
            examples=0,
            source="started empty in the app",
            form=FileForm(format="kept"),
            columns=columns,
            all_columns=tuple(each for each in (columns.id, columns.text, columns.target) if each),
            labels=labels,
        )
        return self.keep_examples(described, (), "Started empty.").kept

    def adopt(self, file: TestSetFile, task: Task, labels: tuple[str, ...] = ()) -> ImportedTestSet:
        """Keep what was read of a file as a test set, so that it can be edited; ids that stand twice are made unique.

        Its name is the file's, with a number where another test set has it; a file that was taken in before gives the
        newest version of what became of it. Rows that could not be read are left out, and the message says so.
        """
        wanted = _checked_name(_name_of(file.path))
        examples, said = unique_ids(file)
        described = KeptTestSet(
            name=wanted,
            version=1,
            created_at=now(),
            content_hash="",
            task=task,
            examples=0,
            source=file.path,
            form=file.form,
            columns=file.columns,
            all_columns=file.all_columns,
            labels=labels,
        )
        known = self._known(described, examples)
        if known is not None:
            return ImportedTestSet(kept=known, is_new=False, changes=None, problems=())
        return self.keep_examples(self._without_clash(described), examples, said)

    def add_example(
        self,
        chosen: TestSetDefinition | None,
        new: NewExample,
        *,
        task: Task = "classification",
        labels: tuple[str, ...] | None = None,
    ) -> AddedExample:
        """Add an example to the test set that is chosen, which makes a version; a plain file is kept first.

        task and labels are those of the desk: how the file is read, and which labels there are. Raises BadTestSet where
        no test set is chosen, the text stands in it already, or the answer cannot be one of the task.
        """
        if chosen is None:
            raise BadTestSet(
                "No test set is chosen to add the example to. Upload or start one in the step Test set first."
            )
        notes: tuple[str, ...] = ()
        name = chosen.name
        if chosen.file is not None:
            file = read_test_set_file(Path(chosen.file), task, chosen.columns, chosen.options)
            refuse_unreadable(file)
            kept = self.adopt(file, task, labels or ()).kept
            name = kept.name
            notes = (f"The file {Path(file.path).name} was kept as test set {name!r}, version {kept.version}.",)
        assert name is not None
        newest = self._shelf.find(name)
        if chosen.version is not None and chosen.version != newest.version:
            raise BadTestSet(
                f"Version {chosen.version} of {name!r} is open, and the newest is {newest.version}. Open the newest "
                "one to add to it."
            )
        example = added_example(new, self._journals.copy(newest), labels or newest.labels)
        self.edit(name, [ExampleEdit(change="add", id=example.id, example=example, why=new.source)])
        kept = self.keep_edits(name).kept
        renamed = {"file": None, "name": name, "version": None}
        return AddedExample(
            kept=kept, example=example, test_set=chosen.model_copy(update=renamed), task=kept.task, notes=notes
        )

    def export(self, name: str, version: int | None, path: Path) -> Path:
        """Write a version in the format of the file's ending. Raises UnknownTestSet or BadTestSet."""
        kept = self._shelf.find(name, version)
        ending = path.suffix.casefold()
        if ending not in ENDINGS:
            raise BadTestSet(f"{path.name} does not end in {', '.join(ENDINGS)}. Choose one of these formats.")
        partial = path.with_name(f"{path.name}.partial")
        try:
            with self._unloaded(kept) as examples:
                export_examples(kept, examples, partial, ending)
            partial.replace(path)
        except OSError as error:
            raise BadTestSet(f"{path} cannot be written: {error.strerror or error}.") from error
        finally:
            partial.unlink(missing_ok=True)
        return path

    def convert(
        self, path: Path, *, folder: Path | None = None, name: str | None = None, models: tuple[str, ...] = ()
    ) -> tuple[ConvertedBenchmark, ...]:
        """Write another tool's task as examples and benchmark files, by default beside it. Raises BadTestSet."""
        path = path.expanduser().absolute()
        return convert_file(path, folder.expanduser().absolute() if folder is not None else path.parent, name, models)

    def _known(self, described: KeptTestSet, examples: Sequence[Labelled]) -> KeptTestSet | None:
        """The newest version of a test set that began with the same file and the same examples, however edited."""
        with self._shelf.staging() as staging:
            found = stage_examples(examples, staging / "examples.parquet", described.task).content_hash
        same = (kept for kept in self._shelf.all() if (kept.source, kept.content_hash) == (described.source, found))
        known = next(same, None)
        return None if known is None else self._shelf.newest(known.name)

    def _without_clash(self, described: KeptTestSet) -> KeptTestSet:
        """The record under a name that is free, or that of a test set whose newest version has the same source."""
        taken = {kept.name: kept for kept in reversed(self._shelf.all())}
        number, name = 1, described.name
        while name in taken and taken[name].source != described.source:
            number += 1
            name = f"{described.name[:70]}-{number}"
        return described.model_copy(update={"name": name})

    def _all_of(self, kept: KeptTestSet) -> tuple[Labelled, ...]:
        with self._unloaded(kept) as found:
            return tuple(found)

    @contextmanager
    def _unloaded(self, kept: KeptTestSet) -> Iterator[Iterator[Labelled]]:
        """The examples as a stream, without keeping the results file from others meanwhile."""
        with self._shelf.staging() as staging:
            path = staging / "examples.parquet"
            self._shelf.unload(kept, path)
            yield staged_examples(path)


def _open(path: Path, definition: TestSetDefinition, task: Task | None, before: KeptTestSet | None) -> OpenTestSet:
    """The file, by the columns of the version before as far as it has them and nobody said otherwise."""
    known = before is not None and task in {None, before.task}
    if before is not None and known:
        try:
            return open_test_set(path, before.task, _asked_again(definition.columns, before), definition.options)
        except BadTestSet:
            # Another file under the same name: its columns are looked for anew, or the reason is given below.
            task = before.task
    return open_test_set(path, task or "classification", definition.columns, definition.options)


def _asked_again(asked: AskedColumns, before: KeptTestSet) -> AskedColumns:
    used = before.columns
    earlier = {"label": used.target} | used.model_dump(exclude={"target", "target_style"})
    earlier = {name: value for name, value in earlier.items() if value or name == "slices"}
    return AskedColumns.model_validate(earlier | asked.model_dump(exclude_none=True))


def _checked_name(name: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise BadTestSet(f"{name!r} is no name for a test set: use letters, digits, dot, dash, underscore (--name).")
    return name


def _name_of(path: str) -> str:
    """A name made from a file's: what a name may not hold becomes a dash, and the mark of an upload goes."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", _UPLOADED.sub("", Path(path).stem)).strip("-._")[:70] or "test-set"


def _refuse_other_task(kept: KeptTestSet, task: Task) -> None:
    if kept.task != task:
        raise BadTestSet(
            f"The test set {kept.name!r}, version {kept.version}, was imported for the task {kept.task}, and {task} is "
            f"asked. Say `task: {kept.task}`, or import it with --task {task}."
        )


def _as_file(kept: KeptTestSet, labelled: Sequence[Labelled]) -> TestSetFile:
    return TestSetFile(
        path=f"{kept.name}, version {kept.version}",
        form=FileForm(format="kept", notes=(f"Imported from {kept.source} on {kept.created_at}.",)),
        columns=kept.columns,
        all_columns=kept.all_columns,
        examples=tuple(each.example for each in labelled),
        second_labels=tuple(each.second_label or "" for each in labelled) if kept.columns.second_label else (),
        problems=(),
    )


def _described(name: str, opened: OpenTestSet) -> KeptTestSet:
    """The record of what was opened; version, hash and count are found when it is kept."""
    return KeptTestSet(
        name=name,
        version=1,
        created_at=now(),
        content_hash="",
        task=opened.reading.task,
        examples=0,
        source=str(opened.path),
        form=opened.form,
        columns=opened.columns,
        all_columns=opened.all_columns,
    )


def _readable(opened: OpenTestSet, problems: list[Problem]) -> Iterator[Labelled]:
    """Examples as they are read; what is wrong with rows is added to the problems."""
    with_second = opened.columns.second_label is not None
    for row in opened.rows():
        problems += row.problems
        if row.example is not None:
            yield Labelled(row.example, row.second_label if with_second else None)


def _refuse(path: Path, problems: list[Problem]) -> None:
    errors = [problem for problem in problems if problem.severity == "error"]
    if not errors:
        return
    lines = [f"{path} has {len(errors)} rows that cannot be read, and nothing was imported:"]
    lines += [f"  row {problem.row or '?'}: {problem.message}. {problem.fix}" for problem in errors[:_ERRORS_SHOWN]]
    if len(errors) > _ERRORS_SHOWN:
        lines.append(f"  … and {len(errors) - _ERRORS_SHOWN} more: workbench testset check {path}")
    raise BadTestSet("\n".join(lines))
