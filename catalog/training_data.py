"""What the training data that a card names may mean: outputs of closed models, or data for non-commercial use only.

Advice, never a block: whether the terms of a service bind those who download what was made with it is unsettled, and so
is whether the license of data reaches the weights. The list (`data/training_data.json`) holds what was read, with its
sources; data that is not in it says nothing, neither good nor bad. This module fetches no cards.
"""

import re
from functools import cache
from importlib import resources
from typing import Literal

from pydantic import ValidationError

from catalog.errors import BadCatalogData
from catalog.records import Record

TRAINING_DATA_FILE = "training_data.json"

DataKind = Literal["closed_model_outputs", "non_commercial", "both"]

CONSEQUENCES: dict[DataKind, str] = {
    "closed_model_outputs": "The service's terms forbid its users to build competing models from outputs; what that "
    "means for those who download the result is unsettled.",
    "non_commercial": "Whether the license of data binds the weights is unsettled.",
    "both": "The service's terms forbid its users to build competing models from outputs; what that means for those "
    "who download the result, and whether the license of data binds the weights, is unsettled.",
}
"""What follows from each kind, in the words of the advisory."""


class DataSetNote(Record):
    """What is known about one data set, or several that share a name."""

    name: str
    """Name for people."""
    patterns: tuple[str, ...]
    """Regular expressions on the lower-case id."""
    kind: DataKind
    """What to think about."""
    note: str
    """What it holds, in our own words."""
    source: str
    """Where that was read."""
    link: str
    """Address to look it up again."""
    read_on: str | None
    """ISO date of the reading; None where the card itself was not read."""


class TrainingDataBook(Record):
    """The whole file of training data."""

    notice: str
    """Says that this is advice."""
    data_sets: tuple[DataSetNote, ...]
    """In the order in which they are asked; the first that matches a data set speaks for it."""


def find_advisories(datasets: tuple[str, ...]) -> tuple[str, ...]:
    """Advice on the data sets that a card names, one sentence for each entry that is known; empty for most models."""
    named: dict[str, tuple[DataSetNote, list[str]]] = {}
    for dataset in datasets:
        note = _find_note(dataset.casefold())
        if note is not None:
            named.setdefault(note.name, (note, []))[1].append(dataset)
    return tuple(_sentence(note, ids) for note, ids in named.values())


def _sentence(note: DataSetNote, ids: list[str]) -> str:
    unread = "" if note.read_on else " The card was not read for this."
    return f"Trained on {', '.join(ids)}: {note.note}. {CONSEQUENCES[note.kind]}{unread} Source: {note.link}"


def _find_note(dataset: str) -> DataSetNote | None:
    return next((note for note, pattern in _patterns() if pattern.search(dataset)), None)


@cache
def _patterns() -> tuple[tuple[DataSetNote, re.Pattern[str]], ...]:
    text = resources.files("catalog").joinpath("data", TRAINING_DATA_FILE).read_text(encoding="utf-8")
    return tuple((note, re.compile("|".join(note.patterns))) for note in parse_training_data(text).data_sets)


def parse_training_data(text: str) -> TrainingDataBook:
    """Parse the text of a file of training data; raises BadCatalogData on damage."""
    try:
        return TrainingDataBook.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the top level"
        raise BadCatalogData(
            f"The notes on training data are damaged at {place}: {first['msg']}. Reinstall Open Model Workbench."
        ) from error
