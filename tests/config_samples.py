"""Minimal config.json files of our own, and how tests read facts and cache sizes off the result."""

from typing import Any

from catalog.config.facts import ConfigFacts, read_config
from catalog.records import Architecture, LayerGroup

MIB = 1024**2

LLAMA: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 14_336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128_256,
    "max_position_embeddings": 8192,
    "tie_word_embeddings": False,
}


def facts(config: dict[str, Any], **changes: Any) -> ConfigFacts:
    return read_config({**config, **changes}, source="config.json of a test")


def kinds(found: ConfigFacts) -> list[tuple[str, int]]:
    return [(group.kind, group.layers) for group in found.architecture.layer_groups]


def cached_bytes(architecture: Architecture, context_tokens: int) -> int:
    """Two bytes for every number that the record says is kept."""
    groups = architecture.layer_groups
    if not groups and architecture.kv_lora_rank:
        width = architecture.kv_lora_rank + (architecture.qk_rope_head_dim or 0)
        groups = (LayerGroup(kind="latent", layers=architecture.layers or 0, kv_heads=1, key_dim=width, value_dim=0),)
    elif not groups:
        value_dim = architecture.value_head_dim or architecture.head_dim
        groups = (
            LayerGroup(
                kind="full",
                layers=architecture.layers or 0,
                kv_heads=architecture.kv_heads,
                key_dim=architecture.head_dim,
                value_dim=value_dim,
            ),
        )
    total = 0
    for group in groups:
        if group.kind in {"recurrent", "none"}:
            continue
        assert group.kv_heads is not None
        assert group.key_dim is not None
        assert group.value_dim is not None
        tokens = min(context_tokens, group.window_tokens or context_tokens)
        total += group.layers * tokens * group.kv_heads * (group.key_dim + group.value_dim) * 2
    return total


def confidence(found: ConfigFacts, field: str) -> str | None:
    return next((entry.confidence for entry in found.provenance if entry.field == field), None)
