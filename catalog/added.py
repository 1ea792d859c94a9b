"""Models added or refreshed one by one between updates: a file of one model per line, appended to.

The next update takes them over and removes the lines that it took. A line that was cut off (the machine went down
while it was written) is passed over.
"""

from pathlib import Path

from pydantic import ValidationError

from catalog.catalog_folder import added_path
from catalog.errors import CatalogError
from catalog.records import Model


def add_model(folder: Path, model: Model) -> None:
    """Keep a model; of several accounts of one model the last holds. Raises CatalogError where it cannot be written."""
    path = added_path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        whole = not path.exists() or path.read_bytes()[-1:] in {b"\n", b""}
        with path.open("a", encoding="utf-8") as file:
            file.write(("" if whole else "\n") + model.model_dump_json(exclude_none=True, exclude_defaults=True) + "\n")
    except OSError as error:
        raise CatalogError(f"{model.id} could not be added to {path}: {error.strerror or error}.") from error


def read_added(folder: Path) -> list[Model]:
    """Models added since the last update, oldest first."""
    return [model for model, _ in _lines(folder)]


def added_bytes(folder: Path) -> int:
    """Size of the file now, for `forget_added` later."""
    path = added_path(folder)
    return path.stat().st_size if path.exists() else 0


def forget_added(folder: Path, taken_bytes: int) -> None:
    """Remove the first bytes of the file, which an update has taken over; what was added meanwhile stays."""
    path = added_path(folder)
    if not path.exists():
        return
    rest = path.read_bytes()[taken_bytes:]
    if not rest:
        path.unlink()
        return
    partial = path.with_suffix(".partial")
    partial.write_bytes(rest)
    partial.replace(path)


def _lines(folder: Path) -> list[tuple[Model, int]]:
    path = added_path(folder)
    if not path.exists():
        return []
    found = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            found.append((Model.model_validate_json(line), number))
        except ValidationError:
            continue
    return found
