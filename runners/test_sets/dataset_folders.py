"""Finds the files of one split in a dataset folder as Hugging Face lays it out."""

import re
from pathlib import Path

from runners.errors import BadTestSet

ENDINGS = (".parquet", ".jsonl", ".ndjson", ".json", ".csv", ".tsv")
"""Files that can hold a split, in the order of preference where one split is there twice."""
_SPLITS = {
    "test": ("test", "testing", "eval", "evaluation"),
    "validation": ("validation", "valid", "val", "dev"),
    "train": ("train", "training"),
}
"""Split → how its files are called."""
_NO_DATA = frozenset({"dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json", "package.json"})


def files_of_split(folder: Path, asked: str | None) -> tuple[str | None, tuple[Path, ...]]:
    """Name of the split and its files in order. Raises BadTestSet where it is not clear which are meant."""
    by_split: dict[str | None, list[Path]] = {}
    for path in _data_files(folder):
        by_split.setdefault(_split_of(path.relative_to(folder), asked), []).append(path)
    if not by_split:
        raise BadTestSet(
            f"{folder} is a folder without data files. A dataset folder has files such as test.jsonl or "
            "data/test-00000-of-00001.parquet."
        )
    names = [name for name in by_split if name is not None]
    if asked is not None and asked not in by_split:
        raise BadTestSet(f"{folder} has no files of the split {asked!r}. Splits: {', '.join(names) or 'none'}.")
    split = asked or next((name for name in _SPLITS if name in by_split), None)
    if split is None and len(by_split[None]) > 1:
        files = ", ".join(str(path.relative_to(folder)) for path in by_split[None][:5])
        raise BadTestSet(f"{folder} has several files and none is called test, validation or train: {files}. Name one.")
    return split, _one_source(folder, by_split[split])


def _data_files(folder: Path) -> list[Path]:
    found = (path for path in folder.rglob("*") if path.suffix.casefold() in ENDINGS and path.name not in _NO_DATA)
    return sorted(
        path
        for path in found
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def _split_of(path: Path, asked: str | None) -> str | None:
    """The split that a path names, in its file's name first."""
    for part in (path.stem, *reversed(path.parts[:-1])):
        words = [word for word in re.split(r"[^a-z0-9]+", part.casefold()) if word]
        if asked is not None and asked.casefold() in words:
            return asked
        found = next((split for split, names in _SPLITS.items() if any(word in names for word in words)), None)
        if found is not None:
            return found
    return None


def _one_source(folder: Path, files: list[Path]) -> tuple[Path, ...]:
    """Files of one ending and one folder: a split may be there in two formats, but not in two configurations."""
    ending = next(ending for ending in ENDINGS if any(path.suffix.casefold() == ending for path in files))
    chosen = [path for path in files if path.suffix.casefold() == ending]
    folders = sorted({str(path.parent.relative_to(folder)) for path in chosen})
    if len(folders) > 1:
        raise BadTestSet(f"{folder} has this split in several folders: {', '.join(folders)}. Name one of them.")
    return tuple(chosen)
