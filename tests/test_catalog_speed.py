"""Speed: the ceiling is bandwidth ÷ bytes; experts and layers elsewhere count as they are read; unknown stays so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.machines import GIB, find_machine
from catalog.memory import predict_fit
from catalog.records import FitSettings, FitValue, Machine, Model, Speed
from catalog.snapshot import load_starter_models
from catalog.speed import predict_speed

MODELS = {model.id: model for model in load_starter_models()}
LLAMA_8B = MODELS["meta-llama/Llama-3.1-8B-Instruct"]
LLAMA_70B = MODELS["meta-llama/Llama-3.3-70B-Instruct"]
LLAMA_2_7B = MODELS["meta-llama/Llama-2-7b-chat-hf"]
LLAMA_2_70B = MODELS["meta-llama/Llama-2-70b-chat-hf"]
GPT_OSS = MODELS["openai/gpt-oss-20b"]
SETTINGS = FitSettings(context_tokens=1024)


def _speed(model: Model, machine: str, settings: FitSettings = SETTINGS, weights_bytes: int | None = None) -> Speed:
    speed = predict_speed(model, find_machine(machine).machine, settings, weights_bytes=weights_bytes)
    assert speed is not None
    return speed


# Tokens per second of llama.cpp, as published by XiongjieDai/GPU-Benchmarks-on-LLM-Inference for 512 generated tokens.
@pytest.mark.parametrize(
    ("model", "machine", "quantization", "published"),
    [
        (LLAMA_8B, "rtx-3070", "Q4_K_M", 72.79),
        (LLAMA_8B, "rtx-4090", "Q4_K_M", 130.58),
        (LLAMA_8B, "rtx-4090", "F16", 54.84),
        (LLAMA_8B, "rtx-3090", "F16", 47.40),
        (LLAMA_8B, "mac-m1-max-64gb", "Q4_K_M", 35.73),
        (LLAMA_8B, "mac-m2-ultra-192gb", "F16", 36.90),
        (LLAMA_8B, "mac-m3-max-64gb", "Q4_K_M", 48.97),
        (LLAMA_70B, "2x-rtx-3090", "Q4_K_M", 16.57),
        (LLAMA_70B, "2x-rtx-4090", "Q4_K_M", 19.22),
        (LLAMA_70B, "mac-m2-ultra-192gb", "Q4_K_M", 12.48),
        (LLAMA_8B, "mac-m1-16gb", "Q4_K_M", 10.20),
        (LLAMA_2_7B, "a100-80gb", "Q4_0", 136.24),
        (LLAMA_2_7B, "h100-pcie-80gb", "Q4_0", 133.77),
        (LLAMA_2_7B, "rtx-4090", "Q4_0", 149.37),
        (LLAMA_2_70B, "a100-80gb", "Q4_0", 25.68),
        (LLAMA_2_70B, "rtx-a6000", "Q4_0", 15.18),
    ],
)
def test_published_speeds_lie_in_the_range(model: Model, machine: str, quantization: str, published: float) -> None:
    speed = _speed(model, machine, SETTINGS.model_copy(update={"quantization": quantization}))
    assert speed.low_tokens_per_second < published < speed.high_tokens_per_second


def test_the_ceiling_is_bandwidth_over_the_bytes_of_the_weights() -> None:
    tied = LLAMA_8B.model_copy(update={"architecture": _tied(LLAMA_8B, tied=True)})
    speed = _speed(tied, "rtx-4090", weights_bytes=5 * GIB)
    assert speed.high_tokens_per_second == pytest.approx(1008e9 / (5 * GIB))
    assert speed.bytes_per_token == 5 * GIB + 1024 * 131_072


def _tied(model: Model, *, tied: bool | None) -> object:
    assert model.architecture is not None
    return model.architecture.model_copy(update={"tied_embeddings": tied})


def test_an_input_embedding_of_its_own_is_not_read() -> None:
    whole, part = (
        _speed(LLAMA_8B.model_copy(update={"architecture": _tied(LLAMA_8B, tied=tied)}), "rtx-4090")
        for tied in (True, False)
    )
    assert part.bytes_per_token / whole.bytes_per_token == pytest.approx(1 - 128_256 * 4096 / 8_030_261_248, abs=0.01)


def test_of_experts_only_the_active_ones_are_read() -> None:
    dense = GPT_OSS.model_copy(update={"active_parameters": None})
    ratio = _speed(GPT_OSS, "rtx-4090").high_tokens_per_second / _speed(dense, "rtx-4090").high_tokens_per_second
    assert ratio == pytest.approx(20_914_757_184 / 3_600_000_000)


def test_several_cards_take_turns_under_llama_cpp_and_add_up_under_vllm() -> None:
    vllm = SETTINGS.model_copy(update={"engine": "vllm", "quantization": "BF16"})
    one, two = (_speed(LLAMA_8B, name) for name in ("l40s", "2x-l40s"))
    assert two.high_tokens_per_second == pytest.approx(one.high_tokens_per_second)
    one, two = (_speed(LLAMA_8B, name, vllm) for name in ("l40s", "2x-l40s"))
    assert two.high_tokens_per_second == pytest.approx(2 * one.high_tokens_per_second)


def test_layers_left_to_the_cpu_are_read_at_its_speed() -> None:
    machine = find_machine("rtx-4090").machine
    assert predict_fit(LLAMA_70B, machine, SETTINGS).value is FitValue.OFFLOAD
    helped = _speed(LLAMA_70B, "rtx-4090")
    assert 89.6e9 < helped.bandwidth_bytes_per_second < 1008e9
    assert predict_speed(LLAMA_70B, _without_main_bandwidth(machine), SETTINGS) is None


def _without_main_bandwidth(machine: Machine) -> Machine:
    return machine.model_copy(update={"bandwidth_bytes_per_second": None})


def test_what_does_not_run_or_is_not_known_has_no_speed() -> None:
    machine = find_machine("cpu-64gb-ddr5").machine
    assert predict_speed(MODELS["deepseek-ai/DeepSeek-V3"], machine, SETTINGS) is None
    assert predict_speed(Model(id="a/b"), machine, SETTINGS) is None
    assert predict_speed(LLAMA_8B, _without_main_bandwidth(machine), SETTINGS) is None


def test_where_the_bandwidth_comes_from_is_said() -> None:
    assert "TechPowerUp" in _speed(LLAMA_8B, "rtx-4090").source
    assert "Tom's Hardware" in _speed(LLAMA_8B, "epyc-9004-768gb").source


@given(
    model=st.sampled_from([LLAMA_8B, LLAMA_70B, GPT_OSS, MODELS["google/gemma-3-27b-it"]]),
    machine=st.sampled_from(["rtx-4090", "2x-h100-80gb", "mac-m3-max-64gb", "epyc-9004-768gb", "a10g"]),
    context=st.integers(256, 65_536),
    concurrency=st.sampled_from([1, 4]),
)
def test_a_longer_context_is_never_faster_and_low_is_below_high(
    model: Model, machine: str, context: int, concurrency: int
) -> None:
    settings = FitSettings(context_tokens=context, concurrency=concurrency)
    longer = settings.model_copy(update={"context_tokens": 2 * context})
    speeds = [predict_speed(model, find_machine(machine).machine, one) for one in (settings, longer)]
    for speed in speeds:
        assert speed is None or speed.low_tokens_per_second < speed.high_tokens_per_second
    if speeds[0] is not None and speeds[1] is not None:
        assert speeds[1].low_tokens_per_second <= speeds[0].low_tokens_per_second * (1 + 1e-9)
