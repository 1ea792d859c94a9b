"""What each layer caches, from config.json: windows, latents, shared caches, fixed states, published sizes."""

from typing import Any

import pytest

from catalog.config.facts import read_config
from tests.config_samples import LLAMA, MIB, cached_bytes, facts, kinds

# Windows


def test_a_window_in_every_layer_is_the_effective_context() -> None:
    found = facts(LLAMA, model_type="mistral", max_position_embeddings=32_768, sliding_window=4096)
    assert (found.context_native_tokens, found.context_effective_tokens) == (32_768, 4096)
    assert kinds(found) == [("sliding", 32)]


def test_a_window_that_is_switched_off_is_ignored() -> None:
    found = facts(LLAMA, model_type="qwen2", sliding_window=131_072, use_sliding_window=False, max_window_layers=28)
    assert (kinds(found), found.context_effective_tokens) == ([], None)
    switched_on = facts(LLAMA, model_type="qwen2", sliding_window=4096, use_sliding_window=True, max_window_layers=28)
    assert kinds(switched_on) == [("full", 28), ("sliding", 4)]
    assert switched_on.context_effective_tokens is None


def test_a_window_of_an_unknown_family_counts_in_full_and_is_said() -> None:
    found = facts(LLAMA, model_type="brand_new", head_dim=128, sliding_window=4096)
    assert kinds(found) == []
    assert "4,096" in found.notes[0]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"model_type": "gemma2", "sliding_window": 4096}, [("sliding", 16), ("full", 16)]),
        ({"model_type": "gemma3_text", "sliding_window": 512}, [("sliding", 27), ("full", 5)]),
        ({"model_type": "x", "sliding_window": 512, "sliding_window_pattern": 4}, [("sliding", 24), ("full", 8)]),
        (
            {"model_type": "exaone4", "sliding_window": 512, "sliding_window_pattern": "LLLG"},
            [("sliding", 24), ("full", 8)],
        ),
        (
            {"model_type": "x", "sliding_window": 512, "layer_types": ["full_attention", "sliding_attention"] * 16},
            [("full", 16), ("sliding", 16)],
        ),
        (
            {"model_type": "llama4_text", "attention_chunk_size": 8192},
            [("chunked", 24), ("full", 8)],
        ),
        (
            {"model_type": "llama4_text", "attention_chunk_size": 8192, "no_rope_layers": [1, 0] * 16},
            [("chunked", 16), ("full", 16)],
        ),
        ({"model_type": "smollm3", "no_rope_layers": [1, 1, 1, 0] * 8}, []),
        ({"model_type": "x", "sliding_window": [512, None] * 16}, [("sliding", 16), ("full", 16)]),
        (
            {"model_type": "x", "sliding_window": 128, "hybrid_layer_pattern": [0, 1] * 16},
            [("full", 16), ("sliding", 16)],
        ),
    ],
)
def test_which_layers_slide(changes: dict[str, Any], expected: list[tuple[str, int]]) -> None:
    assert kinds(facts(LLAMA, head_dim=128, **changes)) == expected


def test_sliding_layers_can_have_heads_of_their_own() -> None:
    """MiMo-V2: other heads and dimensions in sliding layers; its attention_chunk_size is not Llama 4's."""
    found = facts(
        LLAMA,
        model_type="mimo_v2_flash",
        head_dim=192,
        v_head_dim=128,
        num_key_value_heads=4,
        swa_num_key_value_heads=8,
        swa_head_dim=192,
        swa_v_head_dim=128,
        sliding_window=128,
        attention_chunk_size=128,
        hybrid_layer_pattern=[0, *[1] * 31],
    )
    full, sliding = found.architecture.layer_groups
    assert (full.kv_heads, full.key_dim, full.value_dim, full.layers) == (4, 192, 128, 1)
    assert (sliding.kv_heads, sliding.key_dim, sliding.value_dim, sliding.window_tokens) == (8, 192, 128, 128)
    assert found.architecture.value_head_dim == 128


def test_gemma_4_has_wider_and_fewer_heads_where_it_attends_to_everything() -> None:
    found = facts(
        LLAMA,
        model_type="gemma4_text",
        head_dim=256,
        global_head_dim=512,
        num_global_key_value_heads=2,
        attention_k_eq_v=True,
        sliding_window=1024,
        layer_types=["sliding_attention", "full_attention"] * 16,
        num_kv_shared_layers=4,
    )
    sliding, full, shared = found.architecture.layer_groups
    assert (sliding.kv_heads, sliding.key_dim, sliding.layers) == (8, 256, 14)
    assert (full.kv_heads, full.key_dim, full.value_dim, full.layers) == (2, 512, 512, 14)
    assert (shared.kind, shared.layers) == ("none", 4)
    without = facts(LLAMA, head_dim=256, global_head_dim=512, num_global_key_value_heads=None, attention_k_eq_v=False)
    assert without.architecture.kv_heads == 8


def test_latent_attention_keeps_one_vector_per_token() -> None:
    found = facts(
        LLAMA,
        model_type="deepseek_v3",
        num_hidden_layers=61,
        num_attention_heads=128,
        num_key_value_heads=128,
        kv_lora_rank=512,
        qk_rope_head_dim=64,
        qk_nope_head_dim=128,
        v_head_dim=128,
    )
    assert cached_bytes(found.architecture, 1) == 70_272
    assert (found.architecture.head_dim, found.architecture.value_head_dim) == (192, 128)
    assert found.architecture.layer_groups == ()


def test_sparse_attention_keeps_an_index_beside_the_cache() -> None:
    latent = {"kv_lora_rank": 512, "qk_rope_head_dim": 64, "index_head_dim": 128, "num_hidden_layers": 4}
    (every,) = facts(LLAMA, model_type="deepseek_v32", **latent).architecture.layer_groups
    assert (every.kind, every.indexer_dim, every.layers) == ("latent", 128, 4)
    some = facts(LLAMA, model_type="glm_moe_dsa", **latent, indexer_types=["full", "shared", "shared", "full"])
    assert [(group.indexer_dim, group.layers) for group in some.architecture.layer_groups] == [(128, 2), (None, 2)]
    sparse = {"use_sparse_attention": True, "sparse_index_dim": 128, "sparse_attention_freq": [0, *[1] * 31]}
    minimax = facts(LLAMA, model_type="minimax_m3", head_dim=128, sparse_attention_config=sparse)
    assert [(group.indexer_dim, group.layers) for group in minimax.architecture.layer_groups] == [(None, 1), (128, 31)]


def test_compressed_attention_counts_a_window_and_its_compressed_entries() -> None:
    found = facts(
        LLAMA,
        model_type="deepseek_v4",
        num_hidden_layers=3,
        num_key_value_heads=1,
        head_dim=512,
        sliding_window=128,
        index_head_dim=128,
        compress_ratios=[0, 4, 128, 0],
    )
    groups = [(g.kind, g.layers, g.key_dim, g.value_dim, g.indexer_dim) for g in found.architecture.layer_groups]
    assert groups == [("sliding", 3, 512, 0, None), ("latent", 1, 128, 0, 32), ("latent", 1, 4, 0, None)]


def test_blocks_of_nemotron_nas_attend_each_in_their_own_way() -> None:
    def block(group: int | None, *, no_op: bool = False) -> dict[str, Any]:
        return {"attention": {"n_heads_in_group": group, "no_op": no_op}, "ffn": {}}

    blocks = [block(8), block(None, no_op=True), block(16), block(8)]
    found = facts(
        LLAMA,
        model_type="nemotron-nas",
        num_hidden_layers=4,
        num_attention_heads=64,
        num_key_value_heads=None,
        hidden_size=8192,
        block_configs=blocks,
    )
    assert [(group.kind, group.kv_heads, group.layers) for group in found.architecture.layer_groups] == [
        ("full", 8, 2),
        ("none", None, 1),
        ("full", 4, 1),
    ]
    assert found.architecture.kv_heads is None, "there is no one number"


def test_key_heads_can_be_listed_per_layer() -> None:
    found = facts(LLAMA, model_type="deci", num_hidden_layers=3, num_key_value_heads_per_layer=[4, 2, 4])
    assert [(group.kv_heads, group.layers) for group in found.architecture.layer_groups] == [(4, 2), (2, 1)]


# Fixed states

QWEN36_27B = {
    "model_type": "qwen3_5_text",
    "hidden_size": 5120,
    "num_hidden_layers": 64,
    "num_attention_heads": 24,
    "num_key_value_heads": 4,
    "head_dim": 256,
    "full_attention_interval": 4,
    "linear_num_key_heads": 16,
    "linear_num_value_heads": 48,
    "linear_key_head_dim": 128,
    "linear_value_head_dim": 128,
    "linear_conv_kernel_dim": 4,
    "max_position_embeddings": 262_144,
}


def test_qwen_36_caches_in_every_fourth_layer_and_keeps_the_measured_state() -> None:
    found = read_config(QWEN36_27B, source="test")
    recurrent, full = found.architecture.layer_groups
    assert (recurrent.layers, full.layers) == (48, 16)
    assert cached_bytes(found.architecture, 262_144) == 16_384 * MIB
    # lmstudio-bug-tracker#1862 measured 598 MiB for four sequences in 32 bits.
    assert round(48 * (recurrent.state_elements or 0) * 4 * 4 / MIB) == 598


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (
            {
                "model_type": "nemotron_h",
                "hybrid_override_pattern": "MEM*-",
                "mamba_num_heads": 64,
                "mamba_head_dim": 64,
                "ssm_state_size": 128,
                "n_groups": 8,
                "conv_kernel": 4,
            },
            [("recurrent", 2, 3 * (4096 + 2 * 8 * 128) + 4096 * 128), ("none", 2, None), ("full", 1, None)],
        ),
        (
            {"model_type": "nemotron_h", "layers_block_type": ["mamba", "moe", "attention"]},
            [("recurrent", 1, None), ("none", 1, None), ("full", 1, None)],
        ),
        (
            {
                "model_type": "jamba",
                "num_hidden_layers": 16,
                "attn_layer_period": 8,
                "attn_layer_offset": 4,
                "mamba_expand": 2,
                "mamba_d_state": 16,
                "mamba_d_conv": 4,
            },
            [("recurrent", 14, 8192 * 3 + 8192 * 16), ("full", 2, None)],
        ),
        (
            {"model_type": "lfm2", "num_hidden_layers": 16, "conv_L_cache": 3, "full_attn_idxs": [2, 5, 8, 10, 12, 14]},
            [("recurrent", 10, 4096 * 2), ("full", 6, None)],
        ),
        (
            {
                "model_type": "lfm2",
                "num_hidden_layers": 2,
                "conv_L_cache": 3,
                "layer_types": ["conv", "full_attention"],
            },
            [("recurrent", 1, 4096 * 2), ("full", 1, None)],
        ),
        (
            {
                "model_type": "mamba2",
                "num_hidden_layers": 24,
                "num_heads": 80,
                "head_dim": 64,
                "state_size": 128,
                "n_groups": 1,
                "conv_kernel": 4,
            },
            [("recurrent", 24, 3 * (5120 + 256) + 5120 * 128)],
        ),
        (
            {
                "model_type": "mamba",
                "num_hidden_layers": 24,
                "intermediate_size": 1536,
                "state_size": 16,
                "conv_kernel": 4,
            },
            [("recurrent", 24, 1536 * 3 + 1536 * 16)],
        ),
        (
            {"model_type": "minimax_text_01", "attn_type_list": [0, 1], "head_dim": 128, "num_hidden_layers": 2},
            [("recurrent", 1, 32 * 128 * 128), ("full", 1, None)],
        ),
        (
            {
                "model_type": "kimi_linear",
                "num_hidden_layers": 4,
                "kv_lora_rank": 512,
                "qk_rope_head_dim": 64,
                "linear_attn_config": {
                    "kda_layers": [1, 2, 3],
                    "full_attn_layers": [4],
                    "num_heads": 32,
                    "head_dim": 128,
                    "short_conv_kernel_size": 4,
                },
            },
            [("recurrent", 3, 3 * 3 * 4096 + 32 * 128 * 128), ("latent", 1, None)],
        ),
        (
            {
                "model_type": "recurrent_gemma",
                "num_hidden_layers": 6,
                "block_types": ["recurrent", "recurrent", "attention"],
                "attention_window_size": 2048,
                "lru_width": 2560,
                "conv1d_width": 4,
            },
            [("recurrent", 4, 2560 * 4), ("sliding", 2, None)],
        ),
        (
            {"model_type": "bamba", "num_hidden_layers": 4, "attn_layer_indices": [1]},
            [("recurrent", 3, None), ("full", 1, None)],
        ),
        (
            {"model_type": "mllama_text_model", "num_hidden_layers": 5, "cross_attention_layers": [3]},
            [("full", 4, None), ("none", 1, None)],
        ),
        ({"model_type": "bert", "num_hidden_layers": 12}, [("none", 12, None)]),
    ],
)
def test_layers_that_keep_a_state_or_nothing(
    config: dict[str, Any], expected: list[tuple[str, int, int | None]]
) -> None:
    base = {"hidden_size": 4096, "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128}
    groups = read_config({**base, **config}, source="test").architecture.layer_groups
    assert [(group.kind, group.layers, group.state_elements) for group in groups] == expected


def test_layers_of_an_unknown_kind_are_unknown_and_not_full() -> None:
    found = facts(LLAMA, layer_types=["full_attention"] * 31 + ["quantum_attention"])
    unknown = found.architecture.layer_groups[1]
    assert (unknown.kv_heads, unknown.key_dim) == (None, None)
    assert "quantum_attention" in found.notes[0]
    short = facts(LLAMA, layer_types=["full_attention"] * 3)
    assert short.architecture.layer_groups[1].kv_heads is None


# Published figures


@pytest.mark.parametrize(
    ("name", "config", "context", "expected"),
    [
        (
            "gpt-oss-120b: 73,728 bytes per token over all layers",
            {"model_type": "gpt_oss", "num_hidden_layers": 36, "num_attention_heads": 64, "head_dim": 64},
            1,
            73_728,
        ),
        (
            "gpt-oss-20b",
            {"model_type": "gpt_oss", "num_hidden_layers": 24, "num_attention_heads": 64, "head_dim": 64},
            1,
            49_152,
        ),
        (
            "gemma-3-1b: 22 layers of 512 tokens, 4 of all",
            {
                "model_type": "gemma3_text",
                "num_hidden_layers": 26,
                "num_attention_heads": 4,
                "num_key_value_heads": 1,
                "head_dim": 256,
                "sliding_window": 512,
            },
            32_768,
            139 * MIB,
        ),
        (
            "LFM2-1.2B",
            {
                "model_type": "lfm2",
                "num_hidden_layers": 16,
                "head_dim": 64,
                "conv_L_cache": 3,
                "full_attn_idxs": [2, 5, 8, 10, 12, 14],
            },
            32_768,
            384 * MIB,
        ),
    ],
)
def test_published_cache_sizes_follow_from_the_layers(
    name: str, config: dict[str, Any], context: int, expected: int
) -> None:
    base = {"hidden_size": 2048, "num_attention_heads": 32, "num_key_value_heads": 8, "sliding_window": 128}
    found = read_config({**base, **config}, source=name)
    assert cached_bytes(found.architecture, context) == expected
