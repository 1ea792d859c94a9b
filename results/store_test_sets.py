"""The results file's part on test sets: versions of imported examples. Reached as `Store.test_sets`."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from results import trouble
from results.errors import DoubledExamples, UnknownTestSet
from results.store_file import Connection, Do
from results.test_set_records import ExampleChange, KeptTestSet, TestSetDiff
from results.test_set_staging import COLUMNS, StagedExamples

MOST_CHANGES_LISTED = 200
"""Changes that a diff lists one by one; it counts all."""

_COMPARED = ("inputs", "target", "accepted", "choices", "passages", "relevant", "slices", "weight", "second_label")
_NAMES = ", ".join(f'"{name}"' for name in COLUMNS)
_OF_VERSION = 'FROM test_set_examples WHERE name = ? AND "version" = ?'


class TestSetShelf:
    """Reads and writes versions of test sets."""

    __test__ = False

    def __init__(self, do: Do, path: Path) -> None:
        self._do = do
        self._path = path

    @property
    def folder(self) -> Path:
        """Folder of the results file."""
        return self._path.parent

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """A folder beside the results file that is gone afterwards."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(mkdtemp(prefix="import-", dir=self._path.parent))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def keep(self, staged: StagedExamples, described: KeptTestSet) -> tuple[KeptTestSet, bool]:
        """Keep examples as the next version of their name, unless the newest holds the same; and whether it is new.

        Version, hash and count of the record given are replaced. Raises DoubledExamples where an id stands twice.
        """

        def save(db: Connection) -> tuple[KeptTestSet, bool]:
            _refuse_doubled_ids(db, staged.path)
            newest = _find(db, described.name, None, must=False)
            if newest is not None and newest.content_hash == staged.content_hash:
                return newest, False
            kept = described.model_copy(
                update={
                    "version": (newest.version if newest is not None else 0) + 1,
                    "content_hash": staged.content_hash,
                    "examples": staged.count,
                }
            )
            values = [kept.name, kept.version, kept.created_at, kept.content_hash, kept.model_dump_json()]
            db.execute("INSERT INTO test_sets VALUES (?, ?, ?, ?, ?)", values)
            query = f"""
                INSERT INTO test_set_examples (name, "version", {_NAMES})
                SELECT ?, ?, {_NAMES} FROM read_parquet(?)
            """
            db.execute(query, [kept.name, kept.version, str(staged.path)])
            return kept, True

        return self._do(save)

    def all(self) -> tuple[KeptTestSet, ...]:
        """Every version of every test set, by name, newest version first."""
        query = 'SELECT definition FROM test_sets ORDER BY name, "version" DESC'

        def read(db: Connection) -> tuple[KeptTestSet, ...]:
            return tuple(KeptTestSet.model_validate_json(text) for (text,) in db.execute(query).fetchall())

        return self._do(read)

    def find(self, name: str, version: int | None = None) -> KeptTestSet:
        """One version, by default the newest. Raises UnknownTestSet."""
        found = self._do(lambda db: _find(db, name, version, must=True))
        assert found is not None
        return found

    def newest(self, name: str) -> KeptTestSet | None:
        """The newest version; None where there is none."""
        return self._do(lambda db: _find(db, name, None, must=False))

    def describe(self, kept: KeptTestSet) -> None:
        """Replace what is said of a version that is there; its examples stay as they are."""
        query = 'UPDATE test_sets SET definition = ? WHERE name = ? AND "version" = ?'
        self._do(lambda db: db.execute(query, [kept.model_dump_json(), kept.name, kept.version]))

    def unload(self, kept: KeptTestSet, path: Path) -> None:
        """Write a version's examples as a Parquet file."""
        # COPY takes no parameters where a SELECT does, so the version is copied by its place in a temporary table.
        query = f"CREATE TEMP TABLE leaving AS SELECT {_NAMES} {_OF_VERSION} ORDER BY position"

        def write(db: Connection) -> None:
            db.execute(query, [kept.name, kept.version])
            db.table("leaving").order("position").write_parquet(str(path), compression="zstd")

        self._do(write)

    def label_counts(self, kept: KeptTestSet) -> tuple[tuple[str, int], ...]:
        """Examples per target, most frequent first; at most 1,000."""
        query = f"SELECT target, count(*) AS n {_OF_VERSION} GROUP BY target ORDER BY n DESC, target LIMIT 1000"
        return self._do(lambda db: tuple(db.execute(query, [kept.name, kept.version]).fetchall()))

    def diff(self, name: str, first: int, second: int) -> TestSetDiff:
        """What changed from one version to another. Raises UnknownTestSet."""

        def read(db: Connection) -> TestSetDiff:
            for version in (first, second):
                _find(db, name, version, must=True)
            counts, listed = _changes(db, [name, first, name, second])
            changes = tuple(
                ExampleChange(id=identity, change=change, fields=tuple(f for f in fields if f is not None))
                for identity, change, *fields in listed
            )
            added, removed, changed, unchanged = (counts.get(kind, 0) for kind in _KINDS)
            return TestSetDiff(
                name=name,
                first=first,
                second=second,
                added=added,
                removed=removed,
                changed=changed,
                unchanged=unchanged,
                changes=changes,
            )

        return self._do(read)


_KINDS = ("added", "removed", "changed", "unchanged")
_PAIRS = f"""
    WITH old AS (SELECT * {_OF_VERSION}), new AS (SELECT * {_OF_VERSION}),
    pairs AS (
        SELECT coalesce(new.id, old.id) AS id, old.position AS old_position, new.position AS new_position,
            CASE WHEN old.id IS NULL THEN 'added' WHEN new.id IS NULL THEN 'removed'
                 WHEN old.digest = new.digest THEN 'unchanged' ELSE 'changed' END AS change,
            {", ".join(f"CASE WHEN old.{n} IS DISTINCT FROM new.{n} THEN '{n}' END AS {n}" for n in _COMPARED)}
        FROM old FULL JOIN new ON old.id = new.id
    )
"""


def _changes(db: Connection, versions: list[object]) -> tuple[dict[str, int], list[tuple[Any, ...]]]:
    counts = dict(db.execute(f"{_PAIRS} SELECT change, count(*) FROM pairs GROUP BY change", versions).fetchall())
    # Of examples that are new or gone every field differs, which says nothing.
    fields = ", ".join(f"CASE WHEN change = 'changed' THEN {name} END" for name in _COMPARED)
    query = f"""
        {_PAIRS} SELECT id, change, {fields} FROM pairs WHERE change <> 'unchanged'
        ORDER BY coalesce(new_position, old_position), id LIMIT {MOST_CHANGES_LISTED}
    """
    return counts, db.execute(query, versions).fetchall()


def _find(db: Connection, name: str, version: int | None, *, must: bool) -> KeptTestSet | None:
    query = 'SELECT "version", definition FROM test_sets WHERE name = ? ORDER BY "version" DESC'
    versions = db.execute(query, [name]).fetchall()
    found = next((text for number, text in versions if version in {None, number}), None)
    if found is not None:
        return KeptTestSet.model_validate_json(found)
    if not must:
        return None
    if versions:
        numbers = ", ".join(str(number) for number, _ in reversed(versions))
        raise UnknownTestSet(f"The test set {name!r} has no version {version}. Versions: {numbers}.")
    names = [other for (other,) in db.execute("SELECT DISTINCT name FROM test_sets ORDER BY name").fetchall()]
    advice = trouble.nearest(name, names, "None was imported yet: workbench testset import FILE --name NAME.")
    raise UnknownTestSet(f"There is no test set {name!r}. {advice}")


def _refuse_doubled_ids(db: Connection, path: Path) -> None:
    # Rows are gathered of the doubled ids alone: a million lists would need more memory than the examples.
    few = "SELECT id FROM read_parquet(?) GROUP BY id HAVING count(*) > 1 ORDER BY min(position) LIMIT 3"
    names = [name for (name,) in db.execute(few, [str(path)]).fetchall()]
    if names:
        query = """
            SELECT id, list("row" ORDER BY position) FROM read_parquet(?) WHERE list_contains(?::VARCHAR[], id)
            GROUP BY id ORDER BY min(position)
        """
        doubled = db.execute(query, [str(path), names]).fetchall()
        listed = "; ".join(f"{name!r} in rows {', '.join(map(str, rows[:4]))}" for name, rows in doubled)
        raise DoubledExamples(f"Ids stand twice: {listed}. Make them unique, so that versions can be compared.")
