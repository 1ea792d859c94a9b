"""Which restricted family does a repository's name tell? "Llama 3.1" in the name and "mit" in the tag do not agree.

The families are data (`data/model_families.json`), one entry for each, with the license it is known under and where
that was read. A name is a guess and is marked as one by whoever uses it; only the ids that a family's maker published
under that license, listed one by one, are known. Families under permissive licenses are left out, because they cannot
make a verdict stricter; look-alikes (TinyLlama, llama.cpp) are taken out of a name before it is read.

It does not follow base models and judges nothing: that is `catalog.lineage`.
"""

import re
from functools import cache, lru_cache
from importlib import resources
from typing import NamedTuple

from pydantic import ValidationError

from catalog.errors import BadCatalogData
from catalog.records import Record

FAMILIES_FILE = "model_families.json"
NAMES_REMEMBERED = 100_000
"""Base models are named again and again, so that most names are read once."""


class ModelFamily(Record):
    """Models of one maker under one license that restricts."""

    name: str
    """Name for people: `Llama 3.1`."""
    license: str
    """License id of the Hub, or license name."""
    stems: tuple[str, ...]
    """Words of which one occurs in every name that the patterns match; asked first because that is quick."""
    patterns: tuple[str, ...]
    """Regular expressions on the lower-case repository name without its owner."""
    owners: tuple[str, ...] = ()
    """Lower-case owners whose own repositories declare their license themselves."""
    models: tuple[str, ...] = ()
    """Ids that their makers state to be under this license, or made from models under it: known, not guessed."""
    multimodal: bool | None = None
    """Whether all models of the family take images or audio, or none; None where they differ or nobody looked."""
    backbone: str | None = None
    """Its name in `FamilyBook.backbones`; None means the first stem."""
    only_architectures: tuple[str, ...] = ()
    """Where the name alone says too little: architectures that must confirm it."""
    since: str | None = None
    """Month in which the first of them was released, ISO 8601."""
    source: str
    """Where the license of the family was read."""
    read_on: str | None = None
    """ISO date of the reading; None where the source itself was not seen."""
    link: str
    """Address to look it up again."""


class LookAlike(Record):
    """A name that contains a family's name and is something else."""

    pattern: str
    """Regular expression on the lower-case repository name."""
    reason: str
    """What it is instead."""


class FamilyBook(Record):
    """The whole file of families."""

    notice: str
    """Says what a guess is worth, and that this is not legal advice."""
    look_alikes: tuple[LookAlike, ...]
    """Taken out of a name before families are looked for."""
    backbones: dict[str, str]
    """Architecture → name of the backbone, where only one maker uses the architecture. `llama` and `mistral` are
    missing on purpose: models of many makers use them."""
    architecture_hints: dict[str, str]
    """Architecture → license of the models it was made for. Others train it from scratch, so it is advice only."""
    families: tuple[ModelFamily, ...]
    """In the order in which they are looked for, narrow ones first: what one matched is gone for the next."""


class _Finder(NamedTuple):
    any_stem: re.Pattern[str]
    look_alike: re.Pattern[str]
    by_stem: dict[str, tuple[tuple[ModelFamily, re.Pattern[str]], ...]]


@lru_cache(maxsize=NAMES_REMEMBERED)
def families_in_name(model_id: str) -> tuple[ModelFamily, ...]:
    """Families that the name of a repository tells, whoever owns it; empty for most names."""
    finder = _finder()
    name = model_id.rpartition("/")[2].casefold()
    stems = dict.fromkeys(finder.any_stem.findall(name))
    if not stems:
        return ()
    name = finder.look_alike.sub(" ", name)
    found: dict[str, ModelFamily] = {}
    for stem in stems:
        for family, pattern in finder.by_stem[stem]:
            name, matches = pattern.subn(" ", name)
            if matches:
                found[family.name] = family
    return tuple(found.values())


def shipped_families() -> tuple[ModelFamily, ...]:
    """Every family of the shipped file, in its order."""
    return _family_book().families


def family_of_known_model(model_id: str) -> ModelFamily | None:
    """The family that lists this very id among what its maker published; None for every other id."""
    return _families_by_model().get(model_id.casefold())


def agrees_with_architecture(family: ModelFamily, architecture: str | None) -> bool:
    """Whether a network of this architecture can belong to the family: an unknown or widely used one can."""
    if family.only_architectures:
        return architecture in family.only_architectures
    backbone = _family_book().backbones.get(architecture or "")
    return backbone is None or backbone == (family.backbone or family.stems[0])


def license_hinted_by_architecture(architecture: str | None) -> str | None:
    """License of the models that the architecture was made for; None for architectures of many makers."""
    return _family_book().architecture_hints.get(architecture or "")


def parse_families(text: str) -> FamilyBook:
    """Parse the text of a file of families; raises BadCatalogData on damage and on patterns that do not compile."""
    try:
        book = FamilyBook.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the top level"
        raise BadCatalogData(
            f"The model families are damaged at {place}: {first['msg']}. Reinstall Open Model Workbench."
        ) from error
    for pattern in [alike.pattern for alike in book.look_alikes] + [p for f in book.families for p in f.patterns]:
        try:
            re.compile(pattern)
        except re.error as error:
            raise BadCatalogData(
                f"The pattern '{pattern}' of the model families does not compile: {error}. Mend it in {FAMILIES_FILE}."
            ) from error
    return book


@cache
def _family_book() -> FamilyBook:
    text = resources.files("catalog").joinpath("data", FAMILIES_FILE).read_text(encoding="utf-8")
    return parse_families(text)


@cache
def _families_by_model() -> dict[str, ModelFamily]:
    return {model.casefold(): family for family in _family_book().families for model in family.models}


@cache
def _finder() -> _Finder:
    book = _family_book()
    stems = sorted({stem for family in book.families for stem in family.stems})
    return _Finder(
        any_stem=re.compile("|".join(re.escape(stem) for stem in stems)),
        look_alike=re.compile("|".join(alike.pattern for alike in book.look_alikes)),
        by_stem={
            stem: tuple((f, re.compile("|".join(f.patterns))) for f in book.families if stem in f.stems)
            for stem in stems
        },
    )
