"""What the front matter of a README.md says of a model: license, parents, data, languages, task.

The YAML between the first two lines of dashes, as the Hub defines it (hub-docs, modelcard.md). A card is a stranger's
text: what has the wrong type is left out, and a card that does not parse says nothing.
"""

import re
from typing import Any, Literal

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from catalog.records import Record

_FRONT_MATTER = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_LONGEST_FRONT_MATTER = 200_000

Relation = Literal["adapter", "merge", "quantized", "finetune"]
_RELATIONS: tuple[Relation, ...] = ("adapter", "merge", "quantized", "finetune")


class CardFacts(Record):
    """Front matter of a card; None and empty = not stated."""

    license: str | None = None
    """License id."""
    license_name: str | None = None
    """Name beside `other`."""
    license_link: str | None = None
    """Where the text is."""
    base_models: tuple[str, ...] = ()
    """Declared parents."""
    relation: Relation | None = None
    """How it was made from them."""
    datasets: tuple[str, ...] = ()
    """Training data."""
    languages: tuple[str, ...] = ()
    """Language codes."""
    task: str | None = None
    """Pipeline tag."""
    library: str | None = None
    """Library that it is made for."""
    readable: bool = True
    """Whether the front matter could be parsed."""


def read_card(text: str) -> CardFacts:
    """Facts of a README.md. Never raises."""
    match = _FRONT_MATTER.match(text)
    if match is None:
        return CardFacts()
    if len(match[1]) > _LONGEST_FRONT_MATTER:
        return CardFacts(readable=False)
    try:
        values = YAML(typ="safe").load(match[1])
    except (YAMLError, ValueError, RecursionError):
        return CardFacts(readable=False)
    if not isinstance(values, dict):
        return CardFacts(readable=values is None)
    relation = _text(values.get("base_model_relation"))
    licenses = _texts(values.get("license"))
    return CardFacts(
        license=licenses[0] if len(licenses) == 1 else None,
        license_name=_text(values.get("license_name")),
        license_link=_text(values.get("license_link")),
        base_models=_texts(values.get("base_model")),
        relation=next((known for known in _RELATIONS if known == relation), None),
        datasets=_texts(values.get("datasets")),
        languages=_texts(values.get("language")),
        task=_text(values.get("pipeline_tag")),
        library=_text(values.get("library_name")),
    )


def _text(value: Any) -> str | None:
    return value.strip() if isinstance(value, str) and value.strip() else None


def _texts(value: Any) -> tuple[str, ...]:
    """One text or a list of them."""
    values = value if isinstance(value, list) else [value]
    # YAML 1.1 reads the language code `no` as False.
    texts = ("no" if item is False else _text(item) for item in values)
    return tuple(dict.fromkeys(item for item in texts if item))
