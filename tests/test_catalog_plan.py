"""Planning: the smallest machines really are, the largest contexts really fit, and losses order the quantizations."""

import os
from pathlib import Path

import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.machines import GIB, find_machine, shipped_machines
from catalog.memory import predict_fit
from catalog.plan import (
    GOES_IN,
    LADDER,
    largest_concurrency,
    largest_context,
    largest_fitting,
    largest_to_make,
    quantization_options,
    quantizations_to_make,
    smallest_machines,
)
from catalog.quantization_loss import (
    MEAN_DIVERGENCE,
    MEAN_DIVERGENCE_WITH_MATRIX,
    PERPLEXITY_PERCENT_70B,
    expected_loss,
)
from catalog.records import FitSettings, FitValue, GpuDevice, Machine, MachineProfile, Model, WeightsFile
from catalog.snapshot import load_starter_models

MODELS = {model.id: model for model in load_starter_models()}
LLAMA_8B = MODELS["meta-llama/Llama-3.1-8B-Instruct"]
LLAMA_70B = MODELS["meta-llama/Llama-3.3-70B-Instruct"]
SETTINGS = FitSettings(context_tokens=8192)
VLLM = FitSettings(context_tokens=8192, engine="vllm", quantization="BF16")
KNOWN = [
    model
    for model in MODELS.values()
    if model.context_native_tokens and predict_fit(model, find_machine("cpu-128gb-ddr5").machine, SETTINGS).total_bytes
]
LOSSES = MEAN_DIVERGENCE | MEAN_DIVERGENCE_WITH_MATRIX


def _card(gibibytes: float, count: int = 1, main_gibibytes: float = 8) -> Machine:
    size = round(gibibytes * GIB)
    gpu = GpuDevice(name="card", total_bytes=size, free_bytes=size, bandwidth_bytes_per_second=1e12)
    return Machine(
        name="desk",
        cpu="test",
        logical_cores=8,
        memory_total_bytes=512 * GIB,
        memory_available_bytes=round(main_gibibytes * GIB),
        gpus=(gpu,) * count,
    )


def _gguf(path: str, quantization: str, size: int | None = 4 * GIB) -> WeightsFile:
    return WeightsFile(path=path, size_bytes=size, format="gguf", quantization=quantization)


def test_an_8b_in_four_bits_at_8k_fits_a_card_of_12_gb() -> None:
    fit = predict_fit(LLAMA_8B, find_machine("rtx-4070").machine, SETTINGS)
    assert fit.value is FitValue.FITS


def test_a_70b_in_four_bits_needs_48_gb_on_cards_and_is_tight_on_some() -> None:
    named = smallest_machines(LLAMA_70B, SETTINGS, shipped_machines())
    cards = {profile.name: fit for profile, fit in named if _discrete(profile)}
    assert {"rtx-a6000", "2x-rtx-3090", "l40s"} <= set(cards)
    assert cards["l40s"].value is FitValue.TIGHT  # its error correction leaves 45 of 48 GB
    assert {fit.value for fit in cards.values()} == set(GOES_IN)
    assert all(_memory(find_machine(name).machine) > 44 * GIB for name in cards)
    assert predict_fit(LLAMA_70B, find_machine("rtx-5090").machine, SETTINGS).value not in GOES_IN


def _discrete(profile: MachineProfile) -> bool:
    return bool(profile.machine.gpus) and not profile.machine.unified_memory


def test_one_card_is_enough_for_a_small_model_so_no_server_is_named() -> None:
    profiles = [profile for profile, _ in smallest_machines(LLAMA_8B, SETTINGS, shipped_machines())]
    assert profiles
    assert all(len(profile.machine.gpus) <= 1 for profile in profiles)
    assert "h100-80gb" not in {profile.name for profile in profiles}


def test_single_cards_come_before_many_and_less_memory_before_more() -> None:
    pairs = smallest_machines(LLAMA_70B, SETTINGS, shipped_machines())
    sizes = [(len(p.machine.gpus), sum(g.total_bytes for g in p.machine.gpus)) for p, _ in pairs if _discrete(p)]
    assert sizes == sorted(sizes)
    kinds = [(not _discrete(p), not p.machine.gpus) for p, _ in pairs]
    assert kinds == sorted(kinds)


def test_a_model_that_fits_nowhere_and_one_that_nothing_is_known_of_name_no_machine() -> None:
    small = [find_machine("rtx-3070"), find_machine("mac-m1-16gb")]
    assert smallest_machines(MODELS["deepseek-ai/DeepSeek-V3"], SETTINGS, small) == ()
    assert smallest_machines(Model(id="a/b"), SETTINGS, shipped_machines()) == ()


@pytest.mark.parametrize("model", KNOWN, ids=lambda model: model.id)
def test_no_named_machine_is_made_needless_by_a_smaller_one(model: Model) -> None:
    named = smallest_machines(model, SETTINGS, shipped_machines())
    for profile, fit in named:
        for other, other_fit in named:
            same_kind = _discrete(profile) == _discrete(other) and bool(profile.machine.gpus) == bool(
                other.machine.gpus
            )
            as_good = LADDER.index(other_fit.value) <= LADDER.index(fit.value)
            if same_kind and as_good and len(other.machine.gpus) <= len(profile.machine.gpus):
                assert _memory(other.machine) * 1.1 >= _memory(profile.machine)


def _memory(machine: Machine) -> int:
    if machine.unified_memory or not machine.gpus:
        return machine.memory_total_bytes
    return sum(gpu.total_bytes for gpu in machine.gpus)


@given(
    model=st.sampled_from(KNOWN),
    gibibytes=st.floats(1, 200),
    more=st.floats(0, 100),
    count=st.sampled_from([1, 2, 4]),
    settings=st.sampled_from([SETTINGS, VLLM]),
)
def test_more_memory_never_fits_less(
    model: Model, gibibytes: float, more: float, count: int, settings: FitSettings
) -> None:
    values = [predict_fit(model, _card(size, count), settings).value for size in (gibibytes, gibibytes + more)]
    ranks = [LADDER.index(value) if value in LADDER else len(LADDER) for value in values]
    assert ranks[1] <= ranks[0]


@given(model=st.sampled_from(KNOWN), gibibytes=st.floats(1, 400), concurrency=st.sampled_from([1, 4]))
def test_the_largest_context_fits_and_the_next_step_does_not(model: Model, gibibytes: float, concurrency: int) -> None:
    machine, settings = _card(gibibytes), SETTINGS.model_copy(update={"concurrency": concurrency})
    limit = largest_context(model, machine, settings)
    if limit is None:
        shortest = settings.model_copy(update={"context_tokens": 256})
        assert predict_fit(model, machine, shortest).value not in LADDER
        return
    at = settings.model_copy(update={"context_tokens": limit.value})
    assert predict_fit(model, machine, at) == limit.fit
    assert limit.fit.value in LADDER
    if limit.limited_by == "model":
        assert limit.value == model.context_native_tokens
    else:
        assert limit.value % 256 == 0
        longer = min(limit.value + 256, model.context_native_tokens or 0)
        beyond = predict_fit(model, machine, settings.model_copy(update={"context_tokens": longer}))
        assert beyond.value not in LADDER[: LADDER.index(limit.fit.value) + 1]


@given(model=st.sampled_from(KNOWN), gibibytes=st.floats(1, 400))
def test_the_largest_concurrency_fits_and_one_more_does_not(model: Model, gibibytes: float) -> None:
    machine = _card(gibibytes)
    limit = largest_concurrency(model, machine, SETTINGS)
    if limit is None:
        return
    at = SETTINGS.model_copy(update={"concurrency": limit.value})
    assert predict_fit(model, machine, at) == limit.fit
    if limit.limited_by == "memory":
        beyond = predict_fit(model, machine, SETTINGS.model_copy(update={"concurrency": limit.value + 1}))
        assert beyond.value not in LADDER[: LADDER.index(limit.fit.value) + 1]


def test_what_ends_the_context_is_said() -> None:
    roomy, narrow = (find_machine(name).machine for name in ("h100-80gb", "rtx-4070"))
    by_model, by_memory = (largest_context(LLAMA_8B, machine, SETTINGS) for machine in (roomy, narrow))
    assert by_model is not None
    assert by_memory is not None
    assert (by_model.value, by_model.limited_by) == (131_072, "model")
    assert by_memory.limited_by == "memory"
    assert 8_192 < by_memory.value < 131_072
    assert "131,072" in by_memory.explanation


def test_without_a_native_context_or_an_architecture_no_largest_context_is_claimed() -> None:
    machine = find_machine("h100-80gb").machine
    assert largest_context(LLAMA_8B.model_copy(update={"context_native_tokens": None}), machine, SETTINGS) is None
    assert largest_context(LLAMA_8B.model_copy(update={"architecture": None}), machine, SETTINGS) is None
    assert largest_concurrency(LLAMA_8B.model_copy(update={"architecture": None}), machine, SETTINGS) is None


OWN = LLAMA_8B.model_copy(update={"weights_files": (_gguf("own-Q4_K_M.gguf", "Q4_K_M", 5 * GIB),)})
CHILD = Model(
    id="quantizer/Llama-3.1-8B-GGUF",
    base_model_relation="quantized",
    downloads=10,
    weights_files=(
        _gguf("a-Q8_0.gguf", "Q8_0", 8 * GIB),
        _gguf("a-Q4_K_M.gguf", "Q4_K_M", 5 * GIB),
        _gguf("a-IQ1_S.gguf", "IQ1_S", 2 * GIB),
        _gguf("a-UD-Q3_K_XL.gguf", "Q3_K_XL", 4 * GIB),
        _gguf("a-F16-00001-of-00002.gguf", "F16", 8 * GIB),
        _gguf("a-F16-00002-of-00002.gguf", "F16", 7 * GIB),
        _gguf("a-Q6_K-00001-of-00002.gguf", "Q6_K", 3 * GIB),
        _gguf("mmproj-F16.gguf", "F16", GIB),
    ),
)
AWQ = Model(id="quantizer/Llama-3.1-8B-AWQ", quantization="awq", formats=("safetensors",), weights_bytes=6 * GIB)


def test_options_are_ordered_by_loss_with_unknown_ones_last() -> None:
    options = quantization_options(OWN, (CHILD, AWQ), find_machine("rtx-4090").machine, SETTINGS)
    assert [option.quantization for option in options] == ["F16", "Q8_0", "Q4_K_M", "Q4_K_M", "IQ1_S", "Q3_K_XL"]
    assert options[-1].expected_loss is None
    assert [option.model_id for option in options if option.quantization == "Q4_K_M"] == [OWN.id, CHILD.id]


def test_numbered_parts_count_as_one_file_and_an_incomplete_set_does_not_count() -> None:
    options = quantization_options(LLAMA_8B, (CHILD,), find_machine("rtx-4090").machine, SETTINGS)
    sixteen = options[0]
    assert sixteen.path == "a-F16-00001-of-00002.gguf"
    assert sixteen.fit is not None
    assert sixteen.fit.weights_bytes == 15 * GIB
    assert sixteen.bits_per_weight == pytest.approx(15 * GIB * 8 / 8_030_261_248)
    assert "Q6_K" not in {option.quantization for option in options}


def test_vllm_is_offered_safetensors_only_the_unquantized_ones_first() -> None:
    options = quantization_options(LLAMA_8B, (CHILD, AWQ), find_machine("l4").machine, VLLM)
    assert [(option.quantization, option.model_id) for option in options] == [("BF16", LLAMA_8B.id), ("awq", AWQ.id)]
    assert [option.expected_loss for option in options] == [0.0, None]


@pytest.mark.parametrize(
    ("machine", "quantization"), [("rtx-4090", "F16"), ("rtx-4070", "Q8_0"), ("rtx-3070", "Q4_K_M")]
)
def test_the_finest_that_fits_is_taken(machine: str, quantization: str) -> None:
    options = quantization_options(OWN, (CHILD,), find_machine(machine).machine, FitSettings(context_tokens=2048))
    chosen = largest_fitting(options)
    assert chosen is not None
    assert chosen.quantization == quantization
    assert chosen.fit is not None
    assert chosen.fit.quantization == quantization


def test_what_could_be_made_is_ordered_and_sized_where_no_files_are_known() -> None:
    machine = find_machine("rtx-4070").machine
    assert quantization_options(LLAMA_8B, (), machine, SETTINGS) == ()
    options = quantizations_to_make(LLAMA_8B, machine, SETTINGS)
    assert [option.quantization for option in options[:4]] == ["BF16", "F16", "Q8_0", "Q6_K"]
    chosen = largest_fitting(options)
    assert chosen is not None
    assert chosen.quantization in {"Q8_0", "Q6_K"}
    assert quantizations_to_make(CHILD, machine, SETTINGS) == ()


@pytest.mark.parametrize("machine", ["rtx-4090", "rtx-4070", "rtx-3070"])
@pytest.mark.parametrize("model", [LLAMA_8B, OWN, CHILD])
def test_the_finest_alone_is_the_finest_of_all_that_could_be_made(machine: str, model: Model) -> None:
    for context_tokens in (512, 32_768, 131_072):
        settings, there = FitSettings(context_tokens=context_tokens), find_machine(machine).machine
        assert largest_to_make(model, there, settings) == largest_fitting(quantizations_to_make(model, there, settings))


def test_where_nothing_fits_nothing_is_taken() -> None:
    assert largest_fitting(quantization_options(OWN, (CHILD,), _card(1, main_gibibytes=0.5), SETTINGS)) is None
    assert largest_fitting(()) is None


def test_every_loss_names_the_model_it_was_measured_on() -> None:
    for name in LOSSES:
        loss = expected_loss(name)
        assert loss.nats_per_token is not None
        assert "Llama 3 8B" in (loss.source or "")
    assert "Llama 2 70B" in (expected_loss("Q4_K_M", 70_000_000_000).source or "")
    assert expected_loss("awq") == (None, None)
    assert expected_loss("bf16").nats_per_token == 0.0


def test_the_two_published_tables_order_the_quantizations_alike() -> None:
    by_percent = sorted(PERPLEXITY_PERCENT_70B, key=PERPLEXITY_PERCENT_70B.__getitem__)
    swaps = sum(
        LOSSES[first] > LOSSES[second] for place, first in enumerate(by_percent) for second in by_percent[place + 1 :]
    )
    assert swaps <= 4  # of 66 pairs: rows made with a matrix overtake Q5_0, Q4_1 and Q4_0 made without one


def test_the_losses_are_those_of_the_published_table() -> None:
    folder = os.environ.get("OMW_REFERENCE_DATA")
    if folder is None:
        pytest.skip("OMW_REFERENCE_DATA does not name the folder with the reference tables")
    table = pandas.read_csv(Path(folder) / "llamacpp_quant_tables.csv")
    measured = table[table["kld"].notna()]
    published = set(zip(measured["quant"], measured["kld"], strict=True))
    assert set(LOSSES.items()) <= published
    assert set(LOSSES) == set(measured["quant"])
