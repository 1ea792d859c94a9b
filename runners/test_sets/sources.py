"""Opens whatever holds labelled examples: one file of any kind that is read here, or a dataset folder."""

from collections.abc import Iterator
from pathlib import Path

from runners.errors import BadTestSet
from runners.test_sets.dataset_folders import files_of_split
from runners.test_sets.delimited import open_delimited
from runners.test_sets.excel_files import open_excel
from runners.test_sets.json_files import open_json
from runners.test_sets.parquet_files import open_parquet
from runners.test_sets.records import FileForm, FileOptions
from runners.test_sets.tables import Table, TableRow, with_header

_COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
_EXCEL = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_EXCEL_ENDINGS = {".xlsx", ".xlsm", ".xls"}


def open_table(path: Path, options: FileOptions) -> Table:
    """The table in a file or in one split of a dataset folder. Raises BadTestSet."""
    try:
        table = _open_folder(path, options) if path.is_dir() else _open_file(path, options)
    except FileNotFoundError as error:
        raise BadTestSet(
            f"There is no file {path}. Check the path; relative paths start at the benchmark file."
        ) from error
    except OSError as error:
        raise BadTestSet(f"{path} cannot be read: {error.strerror or error}.") from error
    return table._replace(rows=lambda: _guarded(path, table))


def _guarded(path: Path, table: Table) -> Iterator[TableRow]:
    try:
        yield from table.rows()
    except OSError as error:
        raise BadTestSet(f"{path} cannot be read to its end: {error.strerror or error}.") from error


def _open_file(path: Path, options: FileOptions) -> Table:
    with path.open("rb") as file:
        head = file.read(8)
    ending = path.suffix.casefold()
    if head.startswith(_COMPRESSED):
        raise BadTestSet(f"{path} is compressed. Unpack it and name the file inside.")
    if head.startswith(b"PAR1") or ending in {".parquet", ".pq"}:
        return open_parquet(path)
    if head.startswith(_EXCEL) or ending in _EXCEL_ENDINGS:
        return open_excel(path, options.sheet)
    if ending in {".json", ".jsonl", ".ndjson"}:
        return open_json(path, options.encoding, options.split)
    return open_delimited(path, options.encoding)


def _open_folder(folder: Path, options: FileOptions) -> Table:
    """All files of a split as one table; its rows are numbered on from file to file."""
    split, files = files_of_split(folder, options.split)
    inner = options.model_copy(update={"split": None})
    tables = [_open_file(path, inner) for path in files]
    header = tuple(dict.fromkeys(name for table in tables for name in table.header))
    notes = [note for table in tables[:1] for note in table.form.notes]
    if len(tables) > 1:
        notes.append(f"{len(tables)} files are read as one; rows are numbered on from file to file.")
    form = FileForm(
        **tables[0].form.model_dump(include={"format", "encoding", "delimiter", "sheet"}),
        split=split,
        files=tuple(str(path.relative_to(folder)) for path in files),
        notes=tuple(notes),
    )

    def rows() -> Iterator[TableRow]:
        before = last = 0
        for table in tables:
            for row in with_header(table.rows(), header) if len(tables) > 1 else table.rows():
                last = before + row.number
                problems = tuple(p.model_copy(update={"row": last}) for p in row.problems) if before else row.problems
                yield row._replace(number=last, problems=problems)
            before = last

    return Table(form, header, rows, tuple(problem for table in tables for problem in table.problems))
