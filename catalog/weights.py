"""How many bytes the weights of a model take in a quantization, when no file says it, and which of them are kept twice.

Exact sizes of files count first. Else parameters × bits per weight, measured over whole files, with the vocabulary
matrix counted at its own, finer type. Like catalog.kv_cache, the arithmetic works on numbers and on arrays alike.
"""

import difflib
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from catalog.kv_cache import Least
from catalog.records import FitEngine, Machine, WeightsFile

# Bits per weight measured over whole files of Llama 3.1 8B: llama.cpp, tools/quantize/README.md. The K and IQ names are
# mixtures of types, so the nominal four bits of a Q4_K_M file are really 4.9.
MIXTURE_BITS = {
    "IQ1_S": 2.0042,
    "IQ1_M": 2.1460,
    "IQ2_XXS": 2.3824,
    "IQ2_XS": 2.5882,
    "IQ2_S": 2.7403,
    "IQ2_M": 2.9294,
    "IQ3_XXS": 3.2548,
    "IQ3_XS": 3.4977,
    "IQ3_S": 3.6606,
    "IQ3_M": 3.7628,
    "IQ4_XS": 4.4597,
    "IQ4_NL": 4.6818,
    "Q2_K_S": 2.9697,
    "Q2_K": 3.1593,
    "Q3_K_S": 3.6429,
    "Q3_K_M": 3.9960,
    "Q3_K_L": 4.2979,
    "Q4_K_S": 4.6672,
    "Q4_K_M": 4.8944,
    "Q5_K_S": 5.5704,
    "Q5_K_M": 5.7036,
    "Q6_K": 6.5633,
}

# Bits per weight of types that keep to one block format: bytes per block over weights per block, from ggml.
BLOCK_BITS = {
    "Q4_0": 18 * 8 / 32,
    "Q4_1": 20 * 8 / 32,
    "Q5_0": 22 * 8 / 32,
    "Q5_1": 24 * 8 / 32,
    "MXFP4": 17 * 8 / 32,
    "Q8_0": 34 * 8 / 32,
    "F16": 16.0,
    "BF16": 16.0,
    "F32": 32.0,
}

# Formats of safetensors repositories: numbers and scales of a group over its weights. The vocabulary matrices stay in
# 16 bits. AWQ and GPTQ: 4-bit integers, 128 of them with a 16-bit scale and a 4-bit zero point; bitsandbytes NF4: 64
# with a 32-bit scale, itself quantized to 8 bits; MXFP4: 32 with an 8-bit scale (OCP MX 1.0); NVFP4: 16 with one.
TENSOR_BITS = {
    "MXFP4": 4 + 8 / 32,
    "AWQ": 4 + 20 / 128,
    "GPTQ": 4 + 20 / 128,
    "W4A16": 4 + 16 / 128,
    "NVFP4": 4 + 8 / 16,
    "BITSANDBYTES": 4 + 8 / 64 + 32 / (64 * 256),
    "FP8": 8.0,
    "W8A8": 8.0,
    "W8A16": 8.0,
    "F16": 16.0,
    "BF16": 16.0,
    "F32": 32.0,
}

# Rows that 256 does not divide cannot hold K blocks; llama.cpp then takes these (src/llama-quant.cpp).
NARROW_BITS = {"Q2": 4.5, "Q3": 4.5, "IQ": 4.5, "Q4": 5.5, "Q5": 6.0, "Q6": 8.5}

# llama.cpp gives the output matrix a finer type than the rest: Q6_K, or Q8_0 where the rows are narrow.
OUTPUT_BITS, NARROW_OUTPUT_BITS = 6.5625, 8.5
K_BLOCK_WEIGHTS = 256

# The network that MIXTURE_BITS was measured on, and its vocabulary matrix.
MEASURED_PARAMETERS, MEASURED_VOCABULARY_WEIGHTS = 8_030_261_248, 128_256 * 4_096

# llama.cpp's CPU backend copies matrices of these types into an order that its kernels read faster; the mapped file
# stays in memory beside the copy (ggml/src/ggml-cpu/repack.cpp). Share of a file's bytes that are of such a type: all
# but the vocabulary in Q4_0; in Q4_K_M half of two matrices per layer are Q6_K (llama-quant.cpp), which x86 leaves.
REPACKED_SHARE_X86 = {"Q4_0": 1.0, "IQ4_NL": 1.0, "Q4_K_S": 0.95, "Q4_K_M": 0.7, "MXFP4": 1.0}
REPACKED_SHARE_X86_AVX512 = {"Q2_K": 0.5, "Q2_K_S": 0.8}
REPACKED_SHARE_ARM = {**REPACKED_SHARE_X86, "Q4_K_M": 1.0, "Q5_K_S": 1.0, "Q5_K_M": 1.0, "Q6_K": 1.0, "Q8_0": 1.0}
NARROW_UNPACKED = 0.75
"""Of a K mixture with narrow rows, share of such matrices that is not reordered (Gemma 3 270M: 12.7 of 48 MiB are)."""

PART_NUMBER = re.compile(r"-\d{5}-of-(\d{5})(?=\.)")  # model-00001-of-00003.gguf


class WeightFigures(NamedTuple):
    """What the size of the weights depends on besides the quantization."""

    parameters: float
    """Number of weights."""
    matrix: float
    """Weights of one vocabulary matrix; 0 where vocabulary or width are not known."""
    narrow: float
    """1 where rows cannot hold K blocks, else 0."""


def known_quantizations(engine: FitEngine = "llama-cpp") -> tuple[str, ...]:
    """Names of quantizations whose size can be predicted, smallest first."""
    bits = {**MIXTURE_BITS, **BLOCK_BITS} if engine == "llama-cpp" else TENSOR_BITS
    return tuple(sorted(bits, key=lambda name: bits[name]))


def unknown_quantization(quantization: str, engine: FitEngine) -> str | None:
    """The sentence that says that no size is known for this name; None where one is."""
    known = known_quantizations(engine)
    if quantization.upper() in known:
        return None
    close = difflib.get_close_matches(quantization.upper(), known, n=3)
    hint = f"did you mean {' or '.join(close)}?" if close else "give the exact size of the weights instead."
    return f"no size is known for the quantization '{quantization}'; {hint}"


def weight_bytes(figures: WeightFigures, quantization: str, engine: FitEngine, least: Least = min) -> Any:
    """Bytes of all weights in a known quantization.

    The vocabulary matrix is a fifteenth of Llama 3.1 8B and most of a network below 300 million parameters, where
    ignoring it predicts a third too little (Gemma 3 270M in Q4_K_M: 7.4 bits per weight, not 4.9).
    """
    name = quantization.upper()
    rest = figures.parameters - figures.matrix
    if engine == "vllm":
        return (rest * TENSOR_BITS[name] + figures.matrix * max(16.0, TENSOR_BITS[name])) / 8
    bits = MIXTURE_BITS.get(name) or BLOCK_BITS[name]
    if bits > OUTPUT_BITS + 0.1:
        return figures.parameters * bits / 8
    seen = least(figures.matrix, 1)
    wide_bits, narrow_bits = bits, bits
    if name in MIXTURE_BITS:
        wide_bits, narrow_bits = _bits_without_vocabulary(bits), NARROW_BITS[name[:2]]
    rest_bits = bits + seen * (wide_bits - bits + figures.narrow * (narrow_bits - wide_bits))
    output_bits = OUTPUT_BITS + figures.narrow * (NARROW_OUTPUT_BITS - OUTPUT_BITS)
    return (figures.matrix * output_bits + rest * rest_bits) / 8


def repacked_bytes(figures: WeightFigures | None, quantization: str, machine: Machine) -> Any:
    """Bytes of the weights that llama.cpp keeps a second time on this processor; 0 where they are not known."""
    name = quantization.upper()
    share = _repacked_share(name, machine)
    if figures is None or share == 0:
        return 0
    bits = BLOCK_BITS.get(name) or _bits_without_vocabulary(MIXTURE_BITS[name])
    # Narrow rows hold other types than the name says, most of which no kernel reorders.
    share *= 1 - figures.narrow * (NARROW_UNPACKED if name in MIXTURE_BITS else 0.0)
    return (figures.parameters - figures.matrix) * (bits / 8) * share


def _repacked_share(name: str, machine: Machine) -> Any:
    sets = set(machine.instruction_sets)
    if sets & {"neon", "asimd"}:
        return REPACKED_SHARE_ARM.get(name, 0.0)
    if "avx512f" in sets and name in REPACKED_SHARE_X86_AVX512:
        return REPACKED_SHARE_X86_AVX512[name]
    return REPACKED_SHARE_X86.get(name, 0.0) if "avx2" in sets else 0.0


def exact_bytes(files: Iterable[WeightsFile], quantization: str) -> int | None:
    """Bytes of the one file, or the one complete set of numbered parts, in that quantization."""
    wanted = [
        file
        for file in files
        if (file.quantization or "").casefold() == quantization.casefold() and "mmproj" not in file.path
    ]
    sizes = [file.size_bytes for file in wanted if file.size_bytes is not None]
    sets = {PART_NUMBER.sub(r"\1", file.path) for file in wanted}
    if len(sets) != 1 or len(sizes) < len(wanted):
        return None
    part = PART_NUMBER.search(wanted[0].path)
    return sum(sizes) if len(wanted) == (int(part[1]) if part else 1) else None


def _bits_without_vocabulary(bits: float) -> float:
    """Bits per weight of the measured network's other weights, so that the measured file comes out exactly."""
    rest = MEASURED_PARAMETERS - MEASURED_VOCABULARY_WEIGHTS
    return (bits * MEASURED_PARAMETERS - OUTPUT_BITS * MEASURED_VOCABULARY_WEIGHTS) / rest
