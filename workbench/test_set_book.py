"""The service's part on test sets that are kept: import, versions, what changed, export.

An import reads a file as a stream and holds no more of it than a few thousand rows at a time.
"""

import datetime
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from results.store import Store
from results.test_set_records import KeptTestSet, TestSetDiff
from results.test_set_staging import Labelled, stage_examples, staged_examples
from runners.errors import BadTestSet
from runners.test_set_records import Example, Problem, Task
from runners.test_sets.files import OpenTestSet, open_test_set
from runners.test_sets.records import AskedColumns, FileForm, TestSetFile
from workbench.conversion import convert_file
from workbench.records import TestSetDefinition
from workbench.test_set_export import ENDINGS, export_examples
from workbench.test_set_records import ConvertedBenchmark, ImportedTestSet, ShownTestSet

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_ERRORS_SHOWN = 5
_FIRST_EXAMPLES = 5


class TestSetBook:
    """Test sets under names, each with all its versions."""

    __test__ = False

    def __init__(self, store: Store) -> None:
        self._shelf = store.test_sets

    def import_file(
        self, definition: TestSetDefinition, folder: Path, *, name: str | None = None, task: Task | None = None
    ) -> ImportedTestSet:
        """Keep a file's examples as the next version of a name; the same content makes no new version.

        What is not said of columns and task is taken from the version before. Raises BadTestSet where a row cannot be
        read: then nothing is kept.
        """
        path = folder / Path(definition.file or "").expanduser()
        name = name or definition.title
        if _NAME.fullmatch(name) is None:
            raise BadTestSet(
                f"{name!r} is no name for a test set: use letters, digits, dot, dash, underscore (--name)."
            )
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
        """A version's examples, as if read from a file. Raises UnknownTestSet, or BadTestSet for another task."""
        kept = self._shelf.find(name, version)
        if kept.task != task:
            raise BadTestSet(
                f"The test set {name!r}, version {kept.version}, was imported for the task {kept.task}, and {task} is "
                f"asked. Say `task: {kept.task}`, or import it with --task {task}."
            )
        examples: list[Example] = []
        seconds: list[str] = []
        with self._unloaded(kept) as found:
            for labelled in found:
                examples.append(labelled.example)
                seconds.append(labelled.second_label or "")
        return TestSetFile(
            path=f"{kept.name}, version {kept.version}",
            form=FileForm(format="kept", notes=(f"Imported from {kept.source} on {kept.created_at}.",)),
            columns=kept.columns,
            all_columns=kept.all_columns,
            examples=tuple(examples),
            second_labels=tuple(seconds) if kept.columns.second_label else (),
            problems=(),
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


def _described(name: str, opened: OpenTestSet) -> KeptTestSet:
    """The record of what was opened; version, hash and count are found when it is kept."""
    return KeptTestSet(
        name=name,
        version=1,
        created_at=datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
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
