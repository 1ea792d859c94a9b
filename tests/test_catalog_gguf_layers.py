"""What each layer of a GGUF model caches, from real small files: windows, latents, per-layer heads, states."""

from pathlib import Path
from typing import Any

import pytest

from catalog.errors import BadWeightsFile
from catalog.gguf_file import GgufFacts, read_gguf
from tests.config_samples import MIB, cached_bytes
from tests.gguf_samples import write_gguf

BASE = {
    "block_count": 12,
    "embedding_length": 2048,
    "attention.head_count": 32,
    "attention.head_count_kv": 8,
    "context_length": 32_768,
}


def read(folder: Path, architecture: str, **keys: Any) -> GgufFacts:
    changes = {name.replace("__", "."): value for name, value in keys.items()}
    return read_gguf(write_gguf(folder / "model.gguf", architecture, {**BASE, **changes}))


def groups(facts: GgufFacts) -> list[tuple[str, int]]:
    return [(group.kind, group.layers) for group in facts.architecture.layer_groups]


@pytest.mark.parametrize(
    ("architecture", "keys", "expected"),
    [
        ("llama", {}, []),
        ("llama", {"attention__sliding_window": 4096}, []),  # llama.cpp knows no window for it
        ("phi3", {"attention__sliding_window": 2047}, []),  # switched off in llama.cpp
        ("gemma2", {}, [("sliding", 6), ("full", 6)]),
        ("gemma3", {"attention__sliding_window": 512}, [("sliding", 10), ("full", 2)]),
        ("gemma3", {}, []),
        ("gpt-oss", {"attention__sliding_window": 128}, [("sliding", 6), ("full", 6)]),
        ("cohere2", {"attention__sliding_window": 4096}, [("sliding", 9), ("full", 3)]),
        ("exaone4", {"attention__sliding_window": 4096}, []),  # only the model of 64 layers slides
        ("exaone4", {"attention__sliding_window": 4096, "block_count": 64}, [("sliding", 48), ("full", 16)]),
        ("llama4", {}, [("chunked", 9), ("full", 3)]),
        ("llama4", {"attention__sliding_window": 0}, []),
        ("smallthinker", {"attention__sliding_window": 4096}, [("full", 3), ("sliding", 9)]),
        (
            "mellum",
            {"attention__sliding_window": 64, "attention__sliding_window_pattern": 3},
            [("sliding", 8), ("full", 4)],
        ),
        (
            "gemma4",
            {"attention__sliding_window": 64, "attention__sliding_window_pattern": [True, False] * 6},
            [("sliding", 6), ("full", 6)],
        ),
        (
            "gemma4",
            {
                "attention__sliding_window": 64,
                "attention__sliding_window_pattern": [True, False] * 6,
                "attention__shared_kv_layers": 4,
            },
            [("sliding", 4), ("full", 4), ("none", 4)],
        ),
        (
            "gemma3n",
            {"attention__sliding_window": 512, "block_count": 30},
            [("sliding", 16), ("full", 4), ("none", 10)],
        ),
        ("deci", {"attention__head_count_kv": [8, 0, 4] * 4}, [("full", 4), ("none", 4), ("full", 4)]),
        (
            "qwen3next",
            {"ssm__inner_size": 4096, "ssm__state_size": 128, "ssm__conv_kernel": 4},
            [("recurrent", 9), ("full", 3)],
        ),
        ("qwen35", {"full_attention_interval": 6}, [("recurrent", 10), ("full", 2)]),
        ("bert", {}, [("none", 12)]),
        ("mamba", {}, [("recurrent", 12)]),
        ("falcon-h1", {"ssm__inner_size": 64, "ssm__state_size": 16, "ssm__conv_kernel": 4}, [("full", 12)]),
        ("glm4moe", {"nextn_predict_layers": 1}, []),
    ],
)
def test_layers_are_those_that_llama_cpp_allocates(
    tmp_path: Path, architecture: str, keys: dict[str, Any], expected: list[tuple[str, int]]
) -> None:
    assert groups(read(tmp_path, architecture, **keys)) == expected


def test_layers_that_only_predict_further_tokens_are_left_out(tmp_path: Path) -> None:
    assert read(tmp_path, "glm4moe", nextn_predict_layers=1).architecture.layers == 11


def test_a_layer_without_key_heads_caches_nothing(tmp_path: Path) -> None:
    """LFM2-1.2B: 384 MiB at 32,768 tokens, although the first entry of its array is 0."""
    heads = [8 if index in {2, 5, 8, 10, 12, 14} else 0 for index in range(16)]
    facts = read(
        tmp_path,
        "lfm2",
        block_count=16,
        attention__head_count_kv=heads,
        attention__key_length=64,
        attention__value_length=64,
        shortconv__l_cache=3,
    )
    recurrent, full = facts.architecture.layer_groups
    assert (recurrent.layers, recurrent.state_elements, full.layers) == (10, 2048 * 2, 6)
    assert cached_bytes(facts.architecture, 32_768) == 384 * MIB


def test_nemotron_h_keeps_a_state_only_where_it_has_no_feed_forward(tmp_path: Path) -> None:
    facts = read(
        tmp_path,
        "nemotron_h",
        block_count=3,
        attention__head_count_kv=[0, 0, 8],
        feed_forward_length=[0, 4096, 0],
        ssm__conv_kernel=4,
        ssm__inner_size=4096,
        ssm__state_size=128,
        ssm__group_count=8,
    )
    assert groups(facts) == [("recurrent", 1), ("none", 1), ("full", 1)]
    assert facts.architecture.layer_groups[0].state_elements == 3 * (4096 + 2 * 8 * 128) + 4096 * 128


def test_qwen_36_keeps_the_measured_state(tmp_path: Path) -> None:
    facts = read(
        tmp_path,
        "qwen35",
        block_count=64,
        attention__head_count=24,
        attention__head_count_kv=4,
        attention__key_length=256,
        attention__value_length=256,
        full_attention_interval=4,
        ssm__conv_kernel=4,
        ssm__inner_size=6144,
        ssm__state_size=128,
        ssm__group_count=16,
    )
    assert groups(facts) == [("recurrent", 48), ("full", 16)]
    assert cached_bytes(facts.architecture, 262_144) == 16_384 * MIB
    # lmstudio-bug-tracker#1862 measured 598 MiB for four sequences in 32 bits.
    assert round(48 * (facts.architecture.layer_groups[0].state_elements or 0) * 16 / MIB) == 598


def test_latent_attention_counts_as_such_only_in_files_made_for_it(tmp_path: Path) -> None:
    old = {
        "block_count": 61,
        "attention__head_count": 128,
        "attention__head_count_kv": 128,
        "attention__key_length": 192,
        "attention__value_length": 128,
        "attention__kv_lora_rank": 512,
        "rope__dimension_count": 64,
    }
    full = read(tmp_path, "deepseek2", **old).architecture
    assert cached_bytes(full, 1) == 61 * 128 * (192 + 128) * 2, "llama.cpp falls back to a cache per head"
    new = {
        **old,
        "attention__head_count_kv": 1,
        "attention__key_length": 576,
        "attention__value_length": 512,
        "attention__key_length_mla": 192,
        "attention__value_length_mla": 128,
    }
    latent = read(tmp_path, "deepseek2", **new).architecture
    assert cached_bytes(latent, 1) == 70_272
    assert (latent.head_dim, latent.value_head_dim, latent.kv_lora_rank) == (192, 128, 512)
    indexed = read(tmp_path, "deepseek32", **new, attention__indexer__key_length=128).architecture
    assert indexed.layer_groups[0].indexer_dim == 128


def test_sliding_layers_can_have_their_own_width(tmp_path: Path) -> None:
    facts = read(
        tmp_path,
        "gemma4",
        block_count=2,
        attention__sliding_window=1024,
        attention__sliding_window_pattern=[True, False],
        attention__head_count_kv=[8, 2],
        attention__key_length=512,
        attention__value_length=512,
        attention__key_length_swa=256,
        attention__value_length_swa=256,
    )
    sliding, full = facts.architecture.layer_groups
    assert (sliding.kv_heads, sliding.key_dim, sliding.window_tokens) == (8, 256, 1024)
    assert (full.kv_heads, full.key_dim, full.value_dim) == (2, 512, 512)


@pytest.mark.parametrize(
    ("architecture", "keys", "expected"),
    [
        ("llama", {}, (32_768, None, "none")),
        (
            "gpt-oss",
            {
                "context_length": 131_072,
                "rope__scaling__type": "yarn",
                "rope__scaling__factor": 32.0,
                "rope__scaling__original_context_length": 4096,
            },
            (131_072, 131_072, "yarn_builtin"),
        ),
        (
            "phi3",
            {"context_length": 131_072, "rope__scaling__original_context_length": 4096},
            (4096, 131_072, "longrope"),
        ),
        ("llama", {"rope__scaling__type": "linear", "rope__scaling__factor": 2.0}, (65_536, 65_536, "linear")),
        ("gemma3", {"rope__scaling__type": "linear", "rope__scaling__factor": 8.0}, (32_768, 32_768, "linear")),
        ("qwen3moe", {"context_length": 40_960}, (40_960, 131_072, "yarn_opt_in")),
        ("mamba", {"context_length": 2**20}, (None, None, None)),
        ("granitehybrid", {"context_length": 2**20}, (None, None, None)),
        ("llama", {"context_length": 2**20}, (2**20, None, "none")),
    ],
)
def test_context_follows_the_rules_of_configs(
    tmp_path: Path, architecture: str, keys: dict[str, Any], expected: tuple[int | None, int | None, str | None]
) -> None:
    facts = read(tmp_path, architecture, **keys)
    assert (facts.context_tokens, facts.context_extended_tokens, facts.context_extension) == expected


def test_tied_embeddings_are_seen_from_the_tensors(tmp_path: Path) -> None:
    assert read(tmp_path, "llama").architecture.tied_embeddings is True
    assert read(tmp_path, "llama", output=True).architecture.tied_embeddings is False


def test_a_model_in_several_parts_is_one(tmp_path: Path) -> None:
    names = [f"big-Q8_0-{number:05}-of-00002.gguf" for number in (1, 2)]
    for name in names:
        write_gguf(tmp_path / name, "llama", dict(BASE))
    for name in names:
        facts = read_gguf(tmp_path / name)
        assert facts.path == str(tmp_path / names[0])
        assert len(facts.part_paths) == 2
        assert facts.parameters == 64
        assert facts.size_bytes == sum((tmp_path / part).stat().st_size for part in names)
    (tmp_path / names[1]).unlink()
    with pytest.raises(BadWeightsFile, match="00002-of-00002"):
        read_gguf(tmp_path / names[0])


def test_lineage_license_and_kind_are_read(tmp_path: Path) -> None:
    path = write_gguf(
        tmp_path / "m.gguf",
        "llama",
        dict(BASE),
        general={
            "general.license": "other",
            "general.license.name": "llama3.2",
            "general.license.link": "https://example.org/license",
        },
    )
    facts = read_gguf(path)
    assert (facts.license, facts.license_name, facts.kind) == ("other", "llama3.2", "model")
    vision = write_gguf(tmp_path / "mmproj.gguf", "clip", {"block_count": 2})
    assert read_gguf(vision).kind == "mmproj"
