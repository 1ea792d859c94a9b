"""The cache, layer by layer: published figures are met exactly, and cells are those that engines allocate."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.kv_cache import (
    cache_figures,
    has_unknown_state,
    kv_cache_bytes,
    llama_cpp_cache_bytes,
    llama_cpp_cells,
    vllm_cache_bytes,
    vllm_state_bytes,
)
from catalog.records import Architecture, FitSettings, LayerGroup
from catalog.snapshot import load_starter_models

MIB = 1024**2
MODELS = {model.id: model for model in load_starter_models()}
LLAMA_3_8B = Architecture(
    name="llama", layers=32, hidden_size=4096, heads=32, kv_heads=8, head_dim=128, vocabulary_size=128_256
)


def _architecture(model_id: str) -> Architecture:
    architecture = MODELS[model_id].architecture
    assert architecture is not None
    return architecture


@pytest.mark.parametrize(
    ("model_id", "context_tokens", "mebibytes"),
    [
        ("meta-llama/Meta-Llama-3-8B-Instruct", 8_192, 1_024),
        ("google/gemma-3-1b-it", 32_768, 139),
        ("LiquidAI/LFM2-1.2B", 32_768, 384),
        ("Qwen/Qwen3.6-27B", 262_144, 16_384),
    ],
)
def test_published_cache_sizes_are_met(model_id: str, context_tokens: int, mebibytes: int) -> None:
    assert kv_cache_bytes(_architecture(model_id), context_tokens) == mebibytes * MIB


@pytest.mark.parametrize(
    ("model_id", "bytes_per_token"),
    [
        ("openai/gpt-oss-120b", 73_728),
        ("openai/gpt-oss-20b", 49_152),
        ("deepseek-ai/DeepSeek-V3", 70_272),
        ("moonshotai/Kimi-K2-Instruct", 70_272),
    ],
)
def test_published_bytes_per_token_are_met_while_no_window_is_full(model_id: str, bytes_per_token: int) -> None:
    assert kv_cache_bytes(_architecture(model_id), 1) == bytes_per_token


def test_the_state_of_recurrent_layers_is_the_one_that_was_reported() -> None:
    # lmstudio-bug-tracker 1862: 598 MiB, which is four sequences in f32.
    figures = cache_figures(_architecture("Qwen/Qwen3.6-27B"))
    assert figures is not None
    assert figures.state * 4 * 4 / MIB == pytest.approx(598.4, abs=1)
    assert vllm_state_bytes(figures, 4) == figures.state * 2 * 4


def test_windows_stop_growing_and_other_layers_do_not() -> None:
    gpt_oss, per_layer = _architecture("openai/gpt-oss-20b"), 2 * 8 * 64 * 2
    assert kv_cache_bytes(gpt_oss, 100) == 24 * per_layer * 100
    assert kv_cache_bytes(gpt_oss, 10_000) == per_layer * (12 * 10_000 + 12 * 128)


def test_a_latent_keeps_one_vector_and_no_values() -> None:
    latent = Architecture(layers=61, heads=128, kv_heads=128, kv_lora_rank=512, qk_rope_head_dim=64)
    assert kv_cache_bytes(latent, 1) == 61 * 576 * 2
    half_known = latent.model_copy(update={"qk_rope_head_dim": None})
    assert kv_cache_bytes(half_known, 1) is None


def test_values_of_another_size_and_an_index_count() -> None:
    group = LayerGroup(kind="full", layers=10, kv_heads=2, key_dim=192, value_dim=128, indexer_dim=64)
    assert kv_cache_bytes(Architecture(layer_groups=(group,)), 1) == 10 * (2 * (192 + 128) + 64) * 2


def test_layers_that_share_a_cache_keep_nothing() -> None:
    kept = LayerGroup(kind="full", layers=20, kv_heads=2, key_dim=128, value_dim=128)
    shared = LayerGroup(kind="none", layers=15)
    assert kv_cache_bytes(Architecture(layer_groups=(kept, shared)), 7) == 20 * 2 * 256 * 2 * 7


@pytest.mark.parametrize(
    ("cache_type", "share"),
    [("f32", 2.0), ("f16", 1.0), ("bf16", 1.0), ("fp8", 0.5), ("q8_0", 17 / 32), ("q4_0", 9 / 32)],
)
def test_other_number_formats_take_their_share(cache_type: str, share: float) -> None:
    settings = FitSettings.model_validate({"cache_type": cache_type})
    assert kv_cache_bytes(LLAMA_3_8B, 8_192, 1, settings.cache_type) == 1_024 * MIB * share


@pytest.mark.parametrize("missing", ["layers", "kv_heads", "head_dim"])
def test_nothing_is_derived_for_a_missing_fact(missing: str) -> None:
    assert kv_cache_bytes(LLAMA_3_8B.model_copy(update={missing: None}), 4096) is None


def test_a_window_of_unknown_size_is_unknown() -> None:
    group = LayerGroup(kind="sliding", layers=3, kv_heads=1, key_dim=64, value_dim=64)
    assert kv_cache_bytes(Architecture(layer_groups=(group,)), 100) is None


def test_an_unknown_state_is_said_and_counts_nothing() -> None:
    kept = LayerGroup(kind="full", layers=4, kv_heads=8, key_dim=128, value_dim=128)
    hybrid = Architecture(layer_groups=(kept, LayerGroup(kind="recurrent", layers=20)))
    assert has_unknown_state(hybrid)
    assert not has_unknown_state(LLAMA_3_8B)
    figures = cache_figures(hybrid)
    assert figures is not None
    assert figures.state == 0


def test_llama_cpp_shares_one_pool_of_cells_rounded_up() -> None:
    assert llama_cpp_cells(2048, 4) == 8192
    assert llama_cpp_cells(500, 1) == 512
    figures = cache_figures(LLAMA_3_8B)
    assert figures is not None
    assert llama_cpp_cache_bytes(figures, llama_cpp_cells(2048, 4), "f16") == 1_024 * MIB


def test_llama_cpp_keeps_windows_for_every_sequence_that_it_may_hold() -> None:
    """Reported by llama.cpp itself for Gemma 3 270M with 64 sequences: 36 MiB at 2,048 cells, 576 at 32,768."""
    figures = cache_figures(_architecture("google/gemma-3-270m"))
    assert figures is not None
    assert llama_cpp_cache_bytes(figures, 2_048, "f16") == 36 * MIB
    assert llama_cpp_cache_bytes(figures, 32_768, "f16") == 576 * MIB
    full, windowed = 3 * 1024 * 131_072, 15 * 1024 * (512 * 64 + 512)
    assert llama_cpp_cache_bytes(figures, 131_072, "f16") == full + windowed


def test_vllm_keeps_at_least_the_window_and_at_most_everything() -> None:
    figures = cache_figures(_architecture("google/gemma-3-1b-it"))
    assert figures is not None
    low, high = vllm_cache_bytes(figures, FitSettings(engine="vllm", context_tokens=32_768, concurrency=2))
    assert low == 2 * 1024 * (4 * 32_768 + 22 * (512 + 16))
    assert high == 2 * 1024 * 26 * 32_768


groups = st.builds(
    LayerGroup,
    kind=st.sampled_from(["full", "sliding", "chunked", "latent", "recurrent", "none"]),
    layers=st.integers(1, 100),
    kv_heads=st.none() | st.integers(1, 128),
    key_dim=st.none() | st.integers(1, 512),
    value_dim=st.none() | st.integers(0, 512),
    window_tokens=st.none() | st.integers(1, 8192),
    state_elements=st.none() | st.integers(0, 10**6),
)


@given(st.lists(groups, min_size=1, max_size=4), st.integers(1, 10**5), st.integers(1, 10**5), st.integers(1, 16))
def test_more_context_or_more_sequences_never_need_less(
    layers: list[LayerGroup], shorter: int, further: int, concurrency: int
) -> None:
    architecture = Architecture(layer_groups=tuple(layers))
    one = kv_cache_bytes(architecture, shorter)
    longer = kv_cache_bytes(architecture, shorter + further)
    several = kv_cache_bytes(architecture, shorter, concurrency)
    assert (one is None) == (longer is None) == (several is None)
    if one is not None and longer is not None and several is not None:
        assert one <= longer
        assert several == one * concurrency
        figures = cache_figures(architecture)
        assert figures is not None
        cells = llama_cpp_cells(shorter, concurrency)
        assert llama_cpp_cache_bytes(figures, cells, "f16") <= llama_cpp_cache_bytes(figures, cells + 256, "f16")
        low, high = vllm_cache_bytes(figures, FitSettings(context_tokens=shorter, concurrency=concurrency))
        assert low <= high or figures.window_tokens + 16 >= shorter
