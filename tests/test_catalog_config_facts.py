"""Facts from config.json: context, heads, quantization and weights, each known trap by a minimal config of our own."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from catalog.config.facts import read_config
from catalog.records import Architecture
from tests.config_samples import LLAMA, MIB, cached_bytes, confidence, facts, kinds

# Context


def test_a_plain_config_gives_its_figures_with_a_source_for_each() -> None:
    found = facts(LLAMA)
    architecture = found.architecture
    assert (architecture.layers, architecture.heads, architecture.kv_heads, architecture.head_dim) == (32, 32, 8, 128)
    assert (found.context_native_tokens, found.context_extension, found.context_source_key) == (
        8192,
        "none",
        "max_position_embeddings",
    )
    assert architecture.layer_groups == ()
    assert cached_bytes(architecture, 8192) == 1024 * MIB
    assert (found.parameters, found.multimodal, found.remote_code) == (8_030_261_248, False, False)
    assert confidence(found, "architecture") == "verified"
    assert {entry.field for entry in found.provenance} >= {"context_native_tokens", "parameters", "multimodal"}


def test_an_empty_config_gives_nothing_and_no_default() -> None:
    found = read_config({}, source="nothing")
    assert found.architecture == Architecture()
    assert (found.context_native_tokens, found.context_extension, found.parameters) == (None, None, None)


@pytest.mark.parametrize(
    ("config", "tokens", "key"),
    [
        ({"n_positions": 1024, "n_ctx": 512}, 1024, "n_positions"),
        ({"max_seq_len": 2048}, 2048, "max_seq_len"),
        ({"seq_length": 32_768}, 32_768, "seq_length"),
        ({"max_position_embeddings": 32_768, "seq_length": 8192}, 8192, "seq_length"),
        ({"n_ctx": 4096}, 4096, "n_ctx"),
        ({"max_context_length": 2048}, 2048, "max_context_length"),
        ({"max_length": 20}, None, None),
        ({"max_position_embeddings": "8192"}, None, None),
        ({"max_position_embeddings": True}, None, None),
    ],
)
def test_context_is_the_least_of_the_keys_that_mean_it(config: dict[str, Any], tokens: int | None, key: str) -> None:
    found = read_config(config, source="test")
    assert (found.context_native_tokens, found.context_source_key) == (tokens, key)


def test_command_r_has_the_longer_context_of_another_key() -> None:
    found = facts(LLAMA, model_type="cohere", max_position_embeddings=8192, model_max_length=131_072)
    assert (found.context_native_tokens, found.context_source_key) == (131_072, "model_max_length")


def test_the_text_part_of_a_wrapper_goes_first() -> None:
    wrapper = {
        "model_type": "some_vl",
        "max_position_embeddings": 77,
        "num_hidden_layers": 3,
        "hidden_size": 12,
        "vision_config": {"hidden_size": 1},
        "text_config": LLAMA,
    }
    found = read_config(wrapper, source="test")
    assert (found.context_native_tokens, found.architecture.layers, found.multimodal) == (8192, 32, True)
    assert found.parameters is None, "the vision tower is not counted, so nothing is"
    deeper = read_config({"thinker_config": {"text_config": LLAMA}}, source="test")
    assert deeper.architecture.heads == 32


def test_what_a_wrapper_leaves_out_is_taken_from_the_class_and_said() -> None:
    """The config of gemma-3-4b-it names neither heads nor vocabulary: they equal the defaults of Gemma3TextConfig."""
    text = {
        "hidden_size": 2560,
        "intermediate_size": 10_240,
        "model_type": "gemma3_text",
        "num_hidden_layers": 34,
        "rope_scaling": {"factor": 8.0, "rope_type": "linear"},
        "sliding_window": 1024,
    }
    found = read_config({"model_type": "gemma3", "text_config": text, "vision_config": {"a": 1}}, source="test")
    architecture = found.architecture
    assert (architecture.heads, architecture.kv_heads, architecture.head_dim) == (8, 4, 256)
    assert found.context_native_tokens == 131_072
    assert kinds(found) == [("sliding", 29), ("full", 5)]
    assert confidence(found, "architecture") == "derived"
    assert any("num_attention_heads" in note for note in found.notes)


@pytest.mark.parametrize(("kind", "key"), [("linear", "type"), ("linear", "rope_type"), ("dynamic", "type")])
def test_only_linear_and_dynamic_scaling_multiply_the_context(kind: str, key: str) -> None:
    found = facts(LLAMA, rope_scaling={key: kind, "factor": 4.0})
    assert (found.context_native_tokens, found.context_extended_tokens) == (32_768, 32_768)
    assert found.context_extension == kind


@pytest.mark.parametrize(
    "kind", ["su", "longrope", "llama3", "yarn", "deepseek_yarn", "mrope", "default", "proportional"]
)
def test_other_scaling_never_multiplies_the_context(kind: str) -> None:
    scaling = {"rope_type": kind, "factor": 8.0, "original_max_position_embeddings": 8192}
    found = facts(LLAMA, max_position_embeddings=131_072, rope_scaling=scaling)
    assert max(found.context_native_tokens or 0, found.context_extended_tokens or 0) == 131_072


def test_llama_3_scaling_is_already_inside_the_stated_context() -> None:
    scaling = {"rope_type": "llama3", "factor": 8.0, "original_max_position_embeddings": 8192}
    found = facts(LLAMA, max_position_embeddings=131_072, rope_scaling=scaling)
    assert (found.context_native_tokens, found.context_extended_tokens) == (131_072, None)
    assert found.context_extension == "none"


def test_rope_parameters_per_layer_type_are_those_of_full_attention() -> None:
    rope = {
        "sliding_attention": {"rope_type": "default", "rope_theta": 10_000},
        "full_attention": {"rope_type": "linear", "factor": 2.0},
    }
    assert facts(LLAMA, rope_parameters=rope).context_native_tokens == 16_384
    gemma = facts(LLAMA, model_type="gemma3_text", head_dim=128, rope_parameters=rope)
    assert (gemma.context_native_tokens, gemma.context_extension) == (8192, "linear")


def test_longrope_serves_its_original_length_unless_asked_for_more() -> None:
    for place in ("top", "inside"):
        scaling: dict[str, Any] = {"type": "longrope", "long_factor": [1.0], "short_factor": [1.0]}
        changes: dict[str, Any] = {"max_position_embeddings": 131_072, "rope_scaling": scaling}
        (changes if place == "top" else scaling)["original_max_position_embeddings"] = 4096
        found = facts(LLAMA, model_type="phi3", **changes)
        assert (found.context_native_tokens, found.context_extended_tokens) == (4096, 131_072)
        assert found.context_extension == "longrope"


def test_yarn_that_is_built_in_is_told_from_yarn_that_a_card_offers() -> None:
    gpt_oss = {"rope_type": "yarn", "factor": 32.0, "original_max_position_embeddings": 4096}
    found = facts(LLAMA, max_position_embeddings=131_072, rope_scaling=gpt_oss)
    assert (found.context_native_tokens, found.context_extended_tokens) == (131_072, 131_072)
    assert found.context_extension == "yarn_builtin"
    qwen3 = facts(LLAMA, model_type="qwen3", head_dim=128, max_position_embeddings=40_960)
    assert (qwen3.context_native_tokens, qwen3.context_extended_tokens) == (40_960, 131_072)
    assert qwen3.context_extension == "yarn_opt_in"
    assert confidence(qwen3, "context_extended_tokens") == "reported"


@pytest.mark.parametrize(
    ("changes", "extension"),
    [
        ({"model_type": "qwen3", "hidden_size": 2048, "max_position_embeddings": 40_960}, "none"),  # 1.7B: not offered
        ({"model_type": "qwen3", "max_position_embeddings": 32_768}, "none"),  # base models
        ({"model_type": "qwen3", "max_position_embeddings": 262_144}, "none"),  # 2507
        ({"model_type": "qwen2", "max_position_embeddings": 32_768, "sliding_window": 131_072}, "yarn_opt_in"),
        ({"model_type": "qwen2", "max_position_embeddings": 32_768, "sliding_window": 32_768}, "none"),  # 3B and less
        ({"model_type": "llama", "max_position_embeddings": 32_768}, "none"),
    ],
)
def test_an_extension_is_offered_only_where_a_card_says_so(changes: dict[str, Any], extension: str) -> None:
    assert facts(LLAMA, use_sliding_window=False, **changes).context_extension == extension


def test_half_edited_yarn_is_doubtful() -> None:
    yarn = {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32_768}
    found = facts(LLAMA, max_position_embeddings=32_768, rope_scaling=yarn)
    assert (found.context_native_tokens, found.context_extended_tokens) == (32_768, 131_072)
    assert confidence(found, "context_native_tokens") == "doubtful"
    assert "131,072" in found.notes[0]


@pytest.mark.parametrize("unset", [1e30, 1000000000000000019884624838656, float("inf"), 10**9 + 1, None, "large"])
def test_a_tokenizer_limit_that_nobody_set_is_no_limit(unset: Any) -> None:
    found = read_config(LLAMA, source="test", tokenizer_config={"model_max_length": unset})
    assert (found.context_native_tokens, found.notes) == (8192, ())
    alone = read_config({}, source="test", tokenizer_config={"model_max_length": unset})
    assert alone.context_native_tokens is None


def test_a_tokenizer_limit_that_is_too_small_is_told_but_not_taken() -> None:
    found = read_config(LLAMA, source="test", tokenizer_config={"model_max_length": 2048})
    assert found.context_native_tokens == 8192
    assert confidence(found, "context_native_tokens") == "doubtful"
    assert "2,048" in found.notes[0]
    alone = read_config({}, source="test", tokenizer_config={"model_max_length": 2048})
    assert (alone.context_native_tokens, confidence(alone, "context_native_tokens")) == (2048, "doubtful")


@pytest.mark.parametrize(
    "config",
    [
        {"model_type": "bloom", "seq_length": 2048},
        {"model_type": "mpt", "max_seq_len": 2048, "attn_config": {"alibi": True}},
        {"model_type": "falcon", "alibi": True, "max_position_embeddings": 2048},
    ],
)
def test_alibi_keeps_the_trained_length_and_says_that_it_is_no_limit(config: dict[str, Any]) -> None:
    found = read_config(config, source="test")
    assert found.context_native_tokens == 2048
    assert "no hard limit" in found.notes[0]


# Heads


@pytest.mark.parametrize(
    ("config", "kv_heads", "head_dim"),
    [
        ({"model_type": "falcon", "num_attention_heads": 71, "hidden_size": 4544, "multi_query": True}, 1, 64),
        (
            {
                "model_type": "falcon",
                "num_attention_heads": 128,
                "hidden_size": 8192,
                "multi_query": True,
                "new_decoder_architecture": True,
                "num_kv_heads": 8,
            },
            8,
            64,
        ),
        ({"model_type": "falcon", "num_attention_heads": 32, "hidden_size": 2048, "multi_query": False}, 32, 64),
        ({"model_type": "RefinedWeb", "n_head": 128, "hidden_size": 8192, "n_head_kv": 8}, 8, 64),
        ({"model_type": "gpt_bigcode", "n_head": 48, "n_embd": 6144, "multi_query": True}, 1, 128),
        (
            {
                "model_type": "chatglm",
                "num_attention_heads": 32,
                "kv_channels": 128,
                "multi_query_attention": True,
                "multi_query_group_num": 2,
            },
            2,
            128,
        ),
        ({"model_type": "mpt", "n_heads": 32, "d_model": 4096, "attn_config": {"kv_n_heads": 8}}, 8, 128),
        ({"model_type": "mpt", "n_heads": 32, "d_model": 4096, "attn_config": {}}, 32, 128),
        ({"model_type": "gpt2", "n_head": 12, "n_embd": 768}, 12, 64),
        ({"model_type": "qwen3", "num_attention_heads": 16, "num_key_value_heads": 8, "hidden_size": 1024}, 8, None),
        ({"model_type": "mystery", "num_attention_heads": 16, "hidden_size": 1024}, None, None),
        ({"model_type": "llama", "num_attention_heads": 3, "hidden_size": 100, "num_key_value_heads": 3}, 3, None),
    ],
)
def test_key_heads_and_their_width_are_stated_or_unknown(
    config: dict[str, Any], kv_heads: int | None, head_dim: int | None
) -> None:
    architecture = read_config(config, source="test").architecture
    assert (architecture.kv_heads, architecture.head_dim) == (kv_heads, head_dim)


def test_a_head_width_that_is_derived_says_so() -> None:
    assert confidence(facts(LLAMA), "architecture.head_dim") == "derived"
    assert confidence(facts(LLAMA, head_dim=128), "architecture.head_dim") is None
    assert facts(LLAMA, model_type="unheard_of", head_dim=None).architecture.head_dim == 128
    assert facts(LLAMA, head_dim=96).architecture.head_dim == 96, "never overwritten by division"


# Quantization, code, weights


@pytest.mark.parametrize(
    ("stated", "name", "bits"),
    [
        ({"quant_method": "gptq", "bits": 4}, "gptq", 4.0),
        ({"quant_method": "awq", "bits": 4, "group_size": 128}, "awq", 4.0),
        ({"quant_method": "awq", "w_bit": 4}, "awq", 4.0),
        ({"quant_method": "fp8", "weight_block_size": [128, 128]}, "fp8", 8.0),
        ({"load_in_4bit": True}, "bitsandbytes", 4.0),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, "bitsandbytes", 8.0),
        ({"quant_method": "mxfp4"}, "mxfp4", 4.25),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, "nvfp4", 4.5),
        ({"quant_method": "fp8", "quant_algo": "MIXED_PRECISION", "moe_quant_algo": "NVFP4"}, "nvfp4", None),
        (
            {
                "quant_method": "compressed-tensors",
                "format": "pack-quantized",
                "config_groups": {"group_0": {"weights": {"num_bits": 4, "type": "int"}}},
            },
            "compressed-tensors",
            4.0,
        ),
        (
            {
                "quant_method": "compressed-tensors",
                "format": "float-quantized",
                "config_groups": {"group_0": {"weights": {"num_bits": 8, "type": "float"}}},
            },
            "fp8",
            8.0,
        ),
        ({"quant_method": "exl2", "bits": 4.65}, "exl2", 4.65),
        ({}, None, None),
    ],
)
def test_quantization_is_named_with_its_bits(stated: dict[str, Any], name: str | None, bits: float | None) -> None:
    found = facts(LLAMA, quantization_config=stated)
    assert (found.quantization, found.quantization_bits) == (name, bits)
    assert found.parameters == 8_030_261_248, "the network has as many weights, however they are kept"


def test_mlx_and_code_of_its_own_are_noticed() -> None:
    assert facts(LLAMA, quantization={"group_size": 64, "bits": 4}).quantization == "mlx"
    assert facts(LLAMA, auto_map={"AutoModel": "modeling.py"}).remote_code is True
    assert facts(LLAMA, auto_map={"AutoModel": "modeling.py"}).parameters is None
    assert facts(LLAMA, torch_dtype="torch.bfloat16").dtype == "bfloat16"


@pytest.mark.parametrize(
    ("changes", "total", "active"),
    [
        (
            {
                "model_type": "qwen3",
                "hidden_size": 1024,
                "intermediate_size": 3072,
                "num_hidden_layers": 28,
                "num_attention_heads": 16,
                "head_dim": 128,
                "vocab_size": 151_936,
                "tie_word_embeddings": True,
            },
            596_049_920,
            None,
        ),
        (
            {
                "model_type": "qwen2",
                "hidden_size": 896,
                "intermediate_size": 4864,
                "num_hidden_layers": 24,
                "num_attention_heads": 14,
                "num_key_value_heads": 2,
                "vocab_size": 151_936,
                "tie_word_embeddings": True,
            },
            494_032_768,
            None,
        ),
        (
            {
                "model_type": "gemma3_text",
                "hidden_size": 640,
                "intermediate_size": 2048,
                "num_hidden_layers": 18,
                "num_attention_heads": 4,
                "num_key_value_heads": 1,
                "head_dim": 256,
                "vocab_size": 262_144,
                "tie_word_embeddings": None,
            },
            268_098_176,
            None,
        ),
        (
            {"model_type": "mixtral", "num_local_experts": 8, "num_experts_per_tok": 2, "vocab_size": 32_000},
            46_702_792_704,
            12_879_925_248,
        ),
        (
            {
                "model_type": "gemma2",
                "hidden_size": 2304,
                "intermediate_size": 9216,
                "num_hidden_layers": 26,
                "num_attention_heads": 8,
                "num_key_value_heads": 4,
                "head_dim": 256,
                "vocab_size": 256_000,
                "tie_word_embeddings": True,
            },
            2_614_341_888,
            None,
        ),
    ],
)
def test_weights_of_known_families_are_counted_exactly(changes: dict[str, Any], total: int, active: int | None) -> None:
    found = facts(LLAMA, **changes)
    assert (found.parameters, found.active_parameters) == (total, active)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*LLAMA, "layer_types", "rope_scaling", "text_config", "sliding_window",
    "block_configs", "compress_ratios", "linear_attn_config", "quantization_config", "kv_lora_rank", "auto_map",
    "sparse_attention_config", "num_kv_shared_layers", "hybrid_override_pattern", "attn_config", "conv_L_cache"]),
    json_values))  # fmt: skip
@example({"intermediate_size": [0]})
@example({"num_key_value_heads": [-1]})
def test_no_config_breaks_the_reader(changes: dict[str, Any]) -> None:
    found = read_config({**LLAMA, **changes}, source="test")
    assert found.architecture.layers is None or found.architecture.layers > 0
