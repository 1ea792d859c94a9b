"""Where the catalog keeps things: one folder, given by the caller, with a file for each purpose.

models.parquet              everything known of each model, in the order of their ids (catalog/update.py)
snapshots/DATE.parquet      what every model's downloads, likes and rank were then (catalog/snapshots.py)
added.jsonl                 models added or refreshed one by one since the last update
pending/SCOPE.jsonl         pages of an update that is not finished
"""

import hashlib
from functools import cache
from importlib import resources
from pathlib import Path

from catalog.snapshot import SNAPSHOT_FILE


def models_path(folder: Path) -> Path:
    """The models of the last update."""
    return folder / "models.parquet"


def snapshots_folder(folder: Path) -> Path:
    """Dated snapshots."""
    return folder / "snapshots"


def added_path(folder: Path) -> Path:
    """Models added one by one."""
    return folder / "added.jsonl"


def pending_path(folder: Path, scope: str) -> Path:
    """Pages of an unfinished update; `scope` says what was asked for."""
    return folder / "pending" / f"{hashlib.sha256(scope.encode()).hexdigest()[:16]}.jsonl"


@cache
def starter_digest() -> str:
    """Changes with the shipped snapshot, so that a catalog made with an older one is noticed."""
    content = resources.files("catalog").joinpath("data", SNAPSHOT_FILE).read_bytes()
    return hashlib.sha256(content).hexdigest()[:16]
