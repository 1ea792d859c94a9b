"""The service's part on benchmarks as things with names: list, rename, put away, copy, delete.

What belongs to a benchmark is what the store holds under its name, its file in the data directory, its reports there,
and the files of its runs. Deleting takes nothing that another benchmark uses, and never a report.
"""

import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from catalog.records import Record
from results import numbers
from results.records import Benchmark, BenchmarkFootprint, RunInfo, StoredFailures
from results.store import Store
from workbench.benchmark_file import parse_benchmark, render_benchmark
from workbench.clock import now
from workbench.errors import BadBenchmarkFile, Busy
from workbench.jobs import JobQueue
from workbench.records import BenchmarkDefinition
from workbench.settings import Settings

BAD_NAME = (
    "A benchmark's name begins with a letter or a digit and holds letters, digits, dots, dashes and underscores, "
    "80 at most; {name!r} does not."
)


class ListedBenchmark(Record):
    """A stored benchmark in a list."""

    benchmark: Benchmark
    """The benchmark."""
    archived: bool
    """Whether it is put away."""


class Deletion(Record):
    """What deleting a benchmark takes, and what stays."""

    footprint: BenchmarkFootprint
    """What the store holds of it."""
    files: tuple[str, ...]
    """Files and folders that go."""
    bytes_freed: int
    """Their size."""
    reports: str | None
    """Folder with its reports, which stays; None where there is none."""

    @property
    def sentences(self) -> tuple[str, ...]:
        """What would go, and what stays."""
        footprint = self.footprint
        runs, answers = numbers.things(footprint.runs, "run"), numbers.things(footprint.completions, "answer")
        lines = [f"Deleting {footprint.name} takes {runs} with {answers}; this cannot be undone."]
        if footprint.judgings:
            lines.append(f"{numbers.things(footprint.judgings, 'report')} of judges on it go too.")
        if self.files:
            count = numbers.things(len(self.files), "file or folder", "files and folders")
            lines.append(f"{count} of its own go, {numbers.bytes_(self.bytes_freed)}.")
        if footprint.shared_keys:
            shared = numbers.things(len(footprint.shared_keys), "run")
            lines.append(f"The files of {shared} stay, because another benchmark has the same.")
        if self.reports is not None:
            lines.append(f"Its reports stay: {self.reports}")
        return tuple(lines)


def has_begun(benchmark: Benchmark, runs: Sequence[RunInfo]) -> bool:
    """Whether measuring has begun; one that only waited has no runs, and no machine yet."""
    return benchmark.machine is not None or bool(runs)


class BenchmarkBook:
    """Benchmarks of one data directory under their names."""

    def __init__(self, settings: Settings, store: Store, jobs: JobQueue) -> None:
        self._settings = settings
        self._store = store
        self._jobs = jobs

    def all(self, *, archived: bool = False) -> tuple[ListedBenchmark, ...]:
        """Stored benchmarks, newest first; with `archived` also those that are put away."""
        away = self._store.names.archived()
        return tuple(
            ListedBenchmark(benchmark=each, archived=each.name in away)
            for each in self._store.benchmarks()
            if archived or each.name not in away
        )

    def newest_answered(self) -> str | None:
        """The newest benchmark in the lists that has answers to compare; None where none has."""
        return self._store.names.newest_answered()

    def current(self, name: str | None) -> str | None:
        """The name as it is now of a benchmark that is or was called so; None where there is none."""
        return None if name is None else self._store.names.current(name)

    def archive(self, name: str) -> None:
        """Put a benchmark away: it is kept whole and is in no list. Raises UnknownBenchmark."""
        self._store.names.put_away(name, now())

    def restore(self, name: str) -> None:
        """Bring a benchmark back into the lists. Raises UnknownBenchmark."""
        self._store.names.put_away(name, None)

    def rename(self, name: str, to: str) -> None:
        """Call a benchmark otherwise; its runs, judgings, reports and its file follow.

        Raises BadBenchmarkFile for a bad name, BenchmarkNameTaken, UnknownBenchmark, and Busy while it is measured.
        """
        to = to.strip()
        _check_name(to)
        self._refuse_while_measured(name)
        if (self._settings.reports_folder / to).exists():
            raise BadBenchmarkFile(
                f"There are reports under the name {to!r} already, of a benchmark that was deleted: "
                f"{self._settings.reports_folder / to}. Move that folder away, or choose another name."
            )
        stored, file, target = self._store.benchmark(name), self._file(name), self._file(to)
        is_made_here = file.exists() and not target.exists()
        source = str(target) if is_made_here and stored.source == str(file) else stored.source
        changes = {"name": to, "source": source, "definition": _renamed(stored.definition, to)}
        self._store.names.rename(name, stored.model_copy(update=changes), now())
        if is_made_here:
            file.rename(target)
            target.write_text(_renamed(target.read_text(encoding="utf-8"), to), encoding="utf-8")
        reports = self._settings.reports_folder / name
        if reports.exists():
            reports.rename(self._settings.reports_folder / to)

    def definition(self, name: str) -> tuple[BenchmarkDefinition, Path]:
        """What a stored benchmark was defined by, and the folder where its relative paths start."""
        stored = self._store.benchmark(name)
        if not stored.definition:
            raise BadBenchmarkFile(
                f"The benchmark {name!r} was stored without its file and cannot be copied. Start a new one in the "
                "step Run."
            )
        return parse_benchmark(stored.definition, stored.source or name), Path(stored.source or "").parent

    def duplicate(self, name: str, to: str, output: Path | None = None) -> Path:
        """Write the definition under another name as a file that can be edited and run; returns its path.

        Raises BadBenchmarkFile for a bad name, or where a file or a benchmark has it.
        """
        _check_name(to)
        definition, folder = self.definition(name)
        path = (output or self._file(to)).expanduser().absolute()
        if path.exists():
            raise BadBenchmarkFile(f"{path} exists already. Choose another name, or remove it.")
        if self.current(to) == to:
            raise BadBenchmarkFile(f"There is a benchmark called {to!r} already. Choose another name.")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render_benchmark(_standing_alone(definition, folder, to)), encoding="utf-8")
        return path

    def free_name(self, wish: str) -> str:
        """The wish, with a number behind it where a benchmark or a file has it."""
        names = {each.name for each in self._store.benchmarks()}
        tries = (wish if number == 1 else f"{wish[:76]}-{number}" for number in range(1, 10_000))
        return next(name for name in tries if name not in names and not self._file(name).exists())

    def failures(self, name: str) -> tuple[StoredFailures, ...]:
        """What went wrong in its runs. Raises UnknownBenchmark."""
        return self._store.names.failures(name)

    def plan_deletion(self, name: str) -> Deletion:
        """What deleting would take. Raises UnknownBenchmark."""
        footprint = self._store.names.footprint(name)
        runs = self._settings.run_folder("x").path.parent
        folders = [path for key in footprint.own_keys for path in sorted(runs.glob(f"{key}*"))]
        paths = [path for path in (self._file(name), *folders) if path.exists()]
        reports = self._settings.reports_folder / name
        return Deletion(
            footprint=footprint,
            files=tuple(map(str, paths)),
            bytes_freed=sum(map(_size, paths)),
            reports=str(reports) if reports.exists() else None,
        )

    def delete(self, name: str, *, confirmed: str) -> Deletion:
        """Delete a benchmark; `confirmed` is its name once more, as the person typed it. Returns what went.

        Raises BadBenchmarkFile where the names differ, UnknownBenchmark, and Busy while it is measured.
        """
        if confirmed.strip() != name:
            raise BadBenchmarkFile(
                f"Nothing was deleted: to delete {name!r}, type its name exactly; {confirmed.strip()!r} is another."
            )
        self._refuse_while_measured(name)
        deletion = self.plan_deletion(name)
        self._store.delete_benchmark(name)
        for path in map(Path, deletion.files):
            remove: Callable[[Path], None] = shutil.rmtree if path.is_dir() else Path.unlink
            remove(path)
        return deletion

    def _file(self, name: str) -> Path:
        return self._settings.benchmarks_folder / f"{name}.yaml"

    def _refuse_while_measured(self, name: str) -> None:
        if any(job.benchmark == name and not job.is_over for job in self._jobs.all()):
            raise Busy(f"{name!r} is being measured or waits for it. Cancel that first, or wait until it has ended.")


def _check_name(name: str) -> None:
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", name) is None:
        raise BadBenchmarkFile(BAD_NAME.format(name=name))


def _renamed(text: str, name: str) -> str:
    """A benchmark file's text with another name; everything else, comments too, stays."""
    return re.sub(r"(?m)^name:.*$", lambda _: f"name: {name}", text, count=1)


def _standing_alone(definition: BenchmarkDefinition, folder: Path, name: str) -> BenchmarkDefinition:
    """The definition under a name, with paths that hold wherever its file lies."""
    test_set = definition.test_set
    files = {
        field: str(folder / Path(value).expanduser())
        for field in ("file", "few_shot")
        if (value := getattr(test_set, field)) is not None
    }
    candidates = tuple(
        each.model_copy(update={"model": str(path)})
        if (path := folder / Path(each.model).expanduser()).exists()
        else each
        for each in definition.candidates
    )
    changes = {"name": name, "test_set": test_set.model_copy(update=files), "candidates": candidates}
    return definition.model_copy(update=changes)


def _size(path: Path) -> int:
    if path.is_dir():
        return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
    return path.stat().st_size
