"""The starter snapshot: widely used open models with a source for every fact, shipped so that the app works offline.

It is a hand-checked selection, not a mirror of the Hub: download counts age, and whatever no source states is left out
rather than guessed. Fetching fresh facts is the business of the Hub module; searching is the business of the index.
"""

import re
from collections import Counter
from functools import cache
from importlib import resources

from pydantic import ValidationError, field_validator

from catalog.errors import BadCatalogData
from catalog.records import Model, Record

SNAPSHOT_FILE = "starter_models.json"


class Snapshot(Record):
    """A dated list of models."""

    snapshot_date: str
    """ISO date on which the list was made."""
    models: tuple[Model, ...]
    """Every model once."""

    @field_validator("snapshot_date")
    @classmethod
    def _is_iso_date(cls, value: str) -> str:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            raise ValueError(f"'{value}' is not a date such as 2026-11-21")
        return value


def load_starter_models() -> tuple[Model, ...]:
    """Return the models of the shipped snapshot; raises BadCatalogData when the file is missing or damaged."""
    return _starter_snapshot().models


def load_snapshot_date() -> str:
    """Return the ISO date of the shipped snapshot, which tells how old its download counts are."""
    return _starter_snapshot().snapshot_date


def parse_snapshot(text: str, *, name: str) -> Snapshot:
    """Parse the text of a snapshot; `name` is what errors call it. Raises BadCatalogData on damage or doubled ids."""
    try:
        snapshot = Snapshot.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the top level"
        raise BadCatalogData(
            f"The snapshot {name} is damaged at {place}: {first['msg']}. "
            "Restore the file, or reinstall Open Model Workbench if it came with it."
        ) from error
    counts = Counter(model.id.casefold() for model in snapshot.models)
    doubled = sorted(model_id for model_id, count in counts.items() if count > 1)
    if doubled:
        raise BadCatalogData(
            f"The snapshot {name} holds {', '.join(doubled)} more than once. Keep one entry for each model."
        )
    return snapshot


@cache
def _starter_snapshot() -> Snapshot:
    file = resources.files("catalog").joinpath("data", SNAPSHOT_FILE)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadCatalogData(
            f"The starter snapshot {SNAPSHOT_FILE} cannot be read: {error}. Reinstall Open Model Workbench."
        ) from error
    return parse_snapshot(text, name=SNAPSHOT_FILE)
