"""Memory prediction: buffers as llama.cpp reports them, classes turn at their limits, unknown stays unknown."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.kv_cache import CacheFigures, layer_groups
from catalog.memory import FitFigures, ShapeFigures, fit_figures, predict_fit, predict_parts
from catalog.records import Architecture, Fit, FitSettings, FitValue, GpuDevice, LayerGroup, Machine, Model, WeightsFile
from catalog.snapshot import load_starter_models
from catalog.weights import WeightFigures

MIB, GIB = 1024**2, 1024**3
MODELS = {model.id: model for model in load_starter_models()}
SMOL, GEMMA = "HuggingFaceTB/SmolLM2-135M-Instruct", "google/gemma-3-270m"
LLAMA_3_8B = Architecture(
    name="llama",
    layers=32,
    hidden_size=4096,
    heads=32,
    kv_heads=8,
    head_dim=128,
    intermediate_size=14336,
    vocabulary_size=128_256,
)
LLAMA = Model(id="a/llama", task="text-generation", parameters=8_030_261_248, architecture=LLAMA_3_8B)


def _machine(free_gib: float, *gpus: GpuDevice, sets: tuple[str, ...] = ()) -> Machine:
    return Machine(
        name="desk",
        cpu="test",
        instruction_sets=sets,
        logical_cores=8,
        memory_total_bytes=512 * GIB,
        memory_available_bytes=int(free_gib * GIB),
        gpus=gpus,
    )


def _gpu(name: str, free_gib: float, total_gib: float = 200) -> GpuDevice:
    return GpuDevice(name=name, total_bytes=int(total_gib * GIB), free_bytes=int(free_gib * GIB))


def _settings(**values: object) -> FitSettings:
    return FitSettings.model_validate(values)


def _compute(model: Model, cells: int, *gpus: GpuDevice) -> float:
    fit = predict_fit(model, _machine(64, *gpus), _settings(context_tokens=cells))
    assert fit.compute_bytes is not None
    return fit.compute_bytes / MIB


@pytest.mark.parametrize(
    ("model_id", "heads", "cells", "reported"),
    [(SMOL, 9, 2_048, 46.38), (SMOL, 9, 8_192, 166.38), (SMOL, 9, 32_768, 646.38), (GEMMA, 4, 8_192, 105.76)],
)
def test_scratch_on_a_cpu_is_what_llama_cpp_reports_and_its_kernels_copy(
    model_id: str, heads: int, cells: int, reported: float
) -> None:
    """The buffers that llama.cpp logs without flash attention, and the scores in f16 that its product with V needs."""
    copied = 2 * 512 * cells * heads / MIB
    row = 2 * 4 * 1 * (MODELS[model_id].architecture or LLAMA_3_8B).vocabulary_size / MIB  # type: ignore[operator]
    assert _compute(MODELS[model_id], cells) == pytest.approx(reported + copied, abs=row + 1)


@pytest.mark.parametrize(
    ("model_id", "cells", "reported"), [(GEMMA, 8_192, 65.41), (GEMMA, 32_768, 81.77), (SMOL, 32_768, 45.51)]
)
def test_scratch_on_a_gpu_follows_flash_attention(model_id: str, cells: int, reported: float) -> None:
    assert _compute(MODELS[model_id], cells, _gpu("card", 24)) == pytest.approx(reported, abs=9)


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
    small = MODELS[SMOL]
    total = predict_fit(small, _machine(4)).total_bytes
    assert total is not None
    assert predict_fit(small, _machine((total + GIB - MIB) / GIB)).value is FitValue.TIGHT
    assert predict_fit(small, _machine((total + GIB + MIB) / GIB)).value is FitValue.FITS


def test_the_total_is_the_sum_of_its_parts() -> None:
    fit = predict_fit(LLAMA, _machine(64), _settings(context_tokens=2048, concurrency=4))
    parts = (fit.weights_bytes, fit.kv_cache_bytes, fit.state_bytes, fit.compute_bytes, fit.overhead_bytes)
    assert fit.total_bytes == sum(part for part in parts if part is not None)
    assert None not in parts
    assert fit.kv_cache_bytes == 4 * 2048 * 131_072


def test_what_the_system_takes_back_is_expected_but_not_needed() -> None:
    plain = predict_fit(LLAMA, _machine(8.5), _settings(quantization="Q4_0"))
    copying = predict_fit(LLAMA, _machine(8.5, sets=("avx2",)), _settings(quantization="Q4_0"))
    assert plain.total_bytes is not None
    assert copying.reclaimable_bytes is not None
    assert copying.total_bytes == plain.total_bytes + copying.reclaimable_bytes
    assert copying.reclaimable_bytes > 3 * GIB
    assert copying.value is plain.value
    assert "takes back when memory is short" in copying.explanation


def test_llama_cpp_splits_layers_over_all_gpus() -> None:
    fit = predict_fit(LLAMA, _machine(64, _gpu("small", 2), _gpu("large", 20)))
    assert (fit.device, fit.available_bytes, fit.value) == ("small + large", 22 * GIB, FitValue.FITS)
    assert predict_fit(LLAMA, _machine(64, _gpu("card", 5), _gpu("card", 5))).device == "2 × card"


def test_vllm_takes_the_same_share_of_every_gpu() -> None:
    settings = _settings(engine="vllm", quantization="BF16")
    fit = predict_fit(LLAMA, _machine(64, _gpu("a", 24, 24), _gpu("b", 10, 24)), settings)
    assert fit.available_bytes == 20 * GIB
    assert predict_fit(LLAMA, _machine(64, _gpu("a", 24, 24)), settings).available_bytes == round(24 * GIB * 0.92)
    assert predict_fit(LLAMA, _machine(64, _gpu("a", 12, 12)), settings).value is FitValue.NO


def test_a_model_too_large_for_the_gpu_runs_with_main_memorys_help_under_llama_cpp_only() -> None:
    helped = predict_fit(LLAMA, _machine(64, _gpu("card", 4)))
    assert helped.value is FitValue.OFFLOAD
    assert helped.gpu_layers is not None
    assert 0 < helped.gpu_layers < 32
    assert f"{helped.gpu_layers} of 32 layers go on the GPU" in helped.explanation
    barely = predict_fit(LLAMA, _machine(64, _gpu("card", 0.1)))
    assert (barely.value, barely.gpu_layers) == (FitValue.OFFLOAD, 0)
    assert "would run on the CPU" in barely.explanation
    assert predict_fit(LLAMA, _machine(1, _gpu("card", 4))).value is FitValue.NO
    vllm = predict_fit(LLAMA, _machine(64, _gpu("card", 4)), _settings(engine="vllm", quantization="AWQ"))
    assert vllm.value is FitValue.NO


def test_unified_memory_is_one_budget() -> None:
    unified = _machine(12, _gpu("chip", 10)).model_copy(update={"unified_memory": True})
    seventy = LLAMA.model_copy(update={"parameters": 30_000_000_000})
    assert predict_fit(seventy, unified).value is FitValue.NO


def test_the_explanation_gives_the_numbers() -> None:
    fit = predict_fit(LLAMA, _machine(64))
    assert fit.total_bytes is not None
    needed = fit.total_bytes / GIB
    left = f"{64 - needed:.1f} GiB would be left"
    assert fit.explanation == (f"Fits: it needs about {needed:.1f} GiB, and 64.0 GiB of main memory are free; {left}.")


def test_what_is_left_out_is_said() -> None:
    qwen = MODELS["Qwen/Qwen3.6-27B"]
    hybrid = predict_fit(qwen, _machine(256), _settings(context_tokens=500_000))
    assert "Encoders" in hybrid.explanation
    assert "knows only 262,144 tokens" in hybrid.explanation
    groups = tuple(
        group.model_copy(update={"state_elements": None})
        for group in layer_groups(qwen.architecture or LLAMA_3_8B) or ()
    )
    architecture = (qwen.architecture or LLAMA_3_8B).model_copy(update={"layer_groups": groups})
    unknown = predict_fit(qwen.model_copy(update={"architecture": architecture}), _machine(256))
    assert "fixed state" in unknown.explanation


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (MODELS["openai/whisper-large-v3"], "automatic-speech-recognition"),
        (MODELS["stabilityai/stable-diffusion-xl-base-1.0"], "text-to-image"),
        (MODELS["BAAI/bge-m3"], "sentence-similarity"),
        (MODELS["xai-org/grok-2"], "architecture is not known"),
        (
            LLAMA.model_copy(update={"architecture": LLAMA_3_8B.model_copy(update={"head_dim": None})}),
            "KV cache cannot be computed",
        ),
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


def test_exact_sizes_go_before_estimates() -> None:
    file = WeightsFile(path="m.gguf", size_bytes=5, format="gguf", quantization="Q4_K_M")
    with_files = LLAMA.model_copy(update={"weights_files": (file,), "parameters": None})
    assert predict_fit(with_files, _machine(64)).weights_bytes == 5
    assert predict_fit(with_files, _machine(64), _settings(quantization="odd"), weights_bytes=7).weights_bytes == 7
    own = LLAMA.model_copy(update={"weights_bytes": 5_700_000_000, "quantization": "awq"})
    settings = _settings(engine="vllm", quantization="AWQ")
    assert predict_fit(own, _machine(64), settings).weights_bytes == 5_700_000_000


def test_arrays_are_predicted_as_single_models_are() -> None:
    """The index predicts millions of models at once with these functions and numpy's minimum and maximum."""
    complete = [
        (model, figures)
        for model in MODELS.values()
        if None not in (figures := fit_figures(model)) and predict_fit(model, _machine(64)).total_bytes is not None
    ]
    assert len(complete) > 80
    kinds = (WeightFigures, CacheFigures, ShapeFigures)
    columns = [np.array([figures[place] for _, figures in complete], float).T for place in range(3)]
    arrays = FitFigures(*(kind(*column) for kind, column in zip(kinds, columns, strict=True)))
    for settings in (
        _settings(),
        _settings(context_tokens=50_000, concurrency=3),
        _settings(engine="vllm", quantization="AWQ"),
    ):
        for machine in (_machine(64, sets=("avx2",)), _machine(64, _gpu("card", 24), _gpu("card", 24))):
            parts = predict_parts(arrays, machine, settings, choose=(np.minimum, np.maximum))
            for number, (model, _) in enumerate(complete):
                one = predict_fit(model.model_copy(update={"weights_files": ()}), machine, settings)
                together = sum(math.ceil(float(np.broadcast_to(part, len(complete))[number])) for part in parts[:5])
                assert together == one.total_bytes, model.id


small = st.none() | st.integers(1, 200)
architectures = st.builds(
    Architecture,
    layers=small,
    hidden_size=small,
    heads=small,
    kv_heads=small,
    head_dim=small,
    vocabulary_size=st.none() | st.integers(1, 300_000),
    kv_lora_rank=small,
    qk_rope_head_dim=small,
    layer_groups=st.just(())
    | st.just((LayerGroup(kind="sliding", layers=3, kv_heads=2, key_dim=64, value_dim=64, window_tokens=512),)),
)


@given(architectures, st.none() | st.integers(1, 10**12), st.sampled_from(["Q4_K_M", "Q8_0", "Q2_K", "odd"]))
def test_a_prediction_is_whole_or_unknown(
    architecture: Architecture, parameters: int | None, quantization: str
) -> None:
    model = Model(id="a/b", parameters=parameters, architecture=architecture)
    fit = predict_fit(model, _machine(16), _settings(quantization=quantization))
    parts = (fit.weights_bytes, fit.kv_cache_bytes, fit.state_bytes, fit.compute_bytes, fit.overhead_bytes)
    assert (fit.value is FitValue.UNKNOWN) == (fit.total_bytes is None) == (None in parts)
    if fit.total_bytes is not None and fit.least_bytes is not None and fit.safe_bytes is not None:
        assert fit.least_bytes <= fit.total_bytes - (fit.reclaimable_bytes or 0) <= fit.safe_bytes
    assert Fit.model_validate_json(fit.model_dump_json()) == fit


@given(
    st.sampled_from(sorted(MODELS)),
    st.integers(1, 200_000),
    st.integers(0, 200_000),
    st.integers(1, 32),
    st.sampled_from(["llama-cpp", "vllm"]),
)
def test_more_context_or_more_sequences_never_need_less(
    model_id: str, shorter: int, further: int, concurrency: int, engine: str
) -> None:
    quantization = "Q4_K_M" if engine == "llama-cpp" else "AWQ"

    def total(context: int, sequences: int) -> int | None:
        settings = _settings(context_tokens=context, concurrency=sequences, engine=engine, quantization=quantization)
        return predict_fit(MODELS[model_id], _machine(64), settings).total_bytes

    one, longer, several = total(shorter, 1), total(shorter + further, 1), total(shorter, concurrency)
    assert (one is None) == (longer is None) == (several is None)
    if one is not None and longer is not None and several is not None:
        assert one <= longer
        assert one <= several


@given(st.integers(0, 2**40), st.integers(0, 2**40))
def test_a_larger_machine_never_gets_a_worse_class(free: int, more: int) -> None:
    order = [FitValue.NO, FitValue.TIGHT, FitValue.FITS]
    one = predict_fit(LLAMA, _machine(free / GIB))
    two = predict_fit(LLAMA, _machine((free + more) / GIB))
    assert order.index(one.value) <= order.index(two.value)
