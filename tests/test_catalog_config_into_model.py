"""Facts of a config beside facts of the Hub: the surer one holds, differences are said, every fact keeps its source."""

from typing import Any

import pytest

from catalog.config.facts import ConfigFacts
from catalog.config.into_model import with_config_facts
from catalog.records import Architecture, Confidence, Model, Provenance


def model(confidence: Confidence = "reported", **facts: Any) -> Model:
    known = tuple(Provenance(field=name, source="the API", confidence=confidence) for name in facts)
    return Model(id="a/b", provenance=known, **facts)


def config(confidence: Confidence = "verified", **facts: Any) -> ConfigFacts:
    facts = {"architecture": Architecture(), **facts}
    read = tuple(Provenance(field=name, source="the config", confidence=confidence) for name in facts)
    return ConfigFacts(provenance=read, **facts)


def sources(found: Model) -> dict[str, str]:
    return {fact.field: fact.source for fact in found.provenance}


@pytest.mark.parametrize(
    ("known", "trust", "read", "read_trust", "kept"),
    [
        (None, "reported", 700, "derived", (700, "the config", False)),
        (1000, "reported", 700, "derived", (1000, "the API", True)),
        (1000, "reported", 1001, "derived", (1000, "the API", False)),
        (1000, "doubtful", 700, "derived", (700, "the config", False)),
        (1000, "doubtful", 700, "doubtful", (1000, "the API", False)),
        (1000, "reported", None, "derived", (1000, "the API", False)),
    ],
)
def test_of_two_counts_the_surer_one_holds(
    known: int | None, trust: Confidence, read: int | None, read_trust: Confidence, kept: tuple[int, str, bool]
) -> None:
    before = model(trust, parameters=known) if known else model()
    found = with_config_facts(before, config(read_trust, parameters=read) if read else config())
    assert len([fact for fact in found.provenance if fact.field == "parameters"]) == 1
    assert (found.parameters, sources(found)["parameters"], bool(found.notes)) == kept


def test_an_extension_never_meets_a_foreign_native_length() -> None:
    before = model(context_native_tokens=32_768, context_extended_tokens=131_072, context_extension="yarn_opt_in")
    found = with_config_facts(before, config(context_native_tokens=40_960))
    assert (found.context_native_tokens, found.context_extended_tokens, found.context_extension) == (40_960, None, None)
    assert "40960 is kept" in found.notes[0]
    kept = with_config_facts(before, config("doubtful", context_native_tokens=4096))
    assert (kept.context_native_tokens, kept.context_extended_tokens) == (32_768, 131_072)


def test_one_source_is_enough_for_a_warning() -> None:
    assert with_config_facts(model(remote_code=True), config(remote_code=False)).remote_code is True
    assert with_config_facts(model(multimodal=None), config(multimodal=True)).multimodal is True
    assert with_config_facts(model(multimodal=True), config(multimodal=False)).multimodal is True


def test_the_architecture_is_put_together_field_by_field() -> None:
    before = model(architecture=Architecture(name="llama", layers=9, vocabulary_size=5))
    found = with_config_facts(before, config(architecture=Architecture(name="llama", layers=32)))
    assert found.architecture == Architecture(name="llama", layers=32, vocabulary_size=5)
    assert sources(found) == {"architecture": "the config", "architecture.vocabulary_size": "the API"}
