"""Real config.json files, and the conflicts between public lists: where the reference data is, they are held to it."""

import csv
import json
import os
from pathlib import Path

import pytest

from catalog.config.facts import read_config
from catalog.snapshot import load_starter_models

DECISIONS = json.loads(
    (Path(__file__).parents[1] / "catalog" / "data" / "fact_decisions.json").read_text(encoding="utf-8")
)["decisions"]


def _reference() -> Path:
    folder = os.environ.get("OMW_REFERENCE_DATA")
    if not folder:
        pytest.skip("OMW_REFERENCE_DATA names no folder with reference data")
    return Path(folder)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


ONLY_A_GUESS = {
    "nvidia/Llama-3_3-Nemotron-Super-49B-v1": {"num_kv_heads"},  # the row takes all heads for the config's null
}
"""Fields of a row that its config does not state and that the row filled by a rule which does not hold there."""


def test_reference_configs_all_parse_and_equal_the_table() -> None:
    folder = _reference()
    rows = {row["id"]: row for row in _rows(folder / "architectures.csv")}
    paths = sorted((folder / "model_configs").glob("*_config.json"))
    assert len(paths) == 52
    compared = 0
    for path in paths:
        name = path.name.removesuffix("_config.json").replace("--", "/", 1)
        raw = json.loads(path.read_text(encoding="utf-8"))
        found, row = read_config(raw, source=name), rows.get(name)
        assert row is not None, name
        skipped = set(ONLY_A_GUESS.get(name, ()))
        text = raw.get("text_config", raw)
        if "head_dim" not in text and found.architecture.kv_lora_rank:
            skipped.add("head_dim")  # the row divides hidden_size by heads, which no latent attention does
        for column, value in (
            ("num_layers", found.architecture.layers),
            ("num_heads", found.architecture.heads),
            ("num_kv_heads", found.architecture.kv_heads),
            ("head_dim", found.architecture.head_dim),
            ("max_position_embeddings", found.context_native_tokens),
            ("hidden_size", found.architecture.hidden_size),
            ("vocab_size", found.architecture.vocabulary_size),
            ("num_experts", found.architecture.experts),
            ("experts_per_tok", found.architecture.experts_per_token),
            ("kv_lora_rank", found.architecture.kv_lora_rank),
        ):
            if row[column] and column not in skipped:
                assert str(value) == row[column], (name, column)
                compared += 1
        layers = sum(group.layers for group in found.architecture.layer_groups) or found.architecture.layers
        assert layers == found.architecture.layers or "compress_ratios" in raw, name
    assert compared > 380


def test_every_conflict_between_sources_has_a_decision() -> None:
    rows = _rows(_reference() / "architecture_source_conflicts.csv")
    conflicts = {(row["id"], row["field"]): json.loads(row["values"]) for row in rows}
    decided = {(entry["model"], entry["field"]): entry for entry in DECISIONS}
    assert conflicts.keys() == decided.keys()
    for key, values in conflicts.items():
        assert decided[key]["value"] in values.values(), key


def test_decisions_are_reasoned_and_are_what_the_snapshot_ships() -> None:
    assert len({(entry["model"], entry["field"]) for entry in DECISIONS}) == len(DECISIONS) == 30
    shipped = {model.id: model for model in load_starter_models()}
    held = 0
    for entry in DECISIONS:
        assert len(entry["why"]) > 30
        assert entry["source"]
        model = shipped.get(entry["model"])
        if model is None:
            continue
        held += 1
        assert model.architecture is not None
        if entry["field"] == "num_kv_heads":
            assert model.architecture.kv_heads == entry["value"]
        elif entry["field"] == "vocab_size":
            assert model.architecture.vocabulary_size == entry["value"]
        else:
            assert model.context_native_tokens == entry.get("native", entry["value"]), entry["model"]
            if "extended" in entry:
                assert model.context_extended_tokens == entry["extended"], entry["model"]
    assert held >= 10
