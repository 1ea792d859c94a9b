"""Does it fit? Predicted memory of a model from its architecture, against one machine.

total = weights + KV cache + compute + overhead. Weights are exact where a file size is known; the KV cache follows from
the architecture; compute and overhead are labelled estimates. What a run then measures is stored beside the prediction.

What this leaves out: the fixed state of linear-attention, Mamba and convolution layers; the index of sparse attention;
image and audio encoders at work; llama.cpp's padding of sliding-window caches (it keeps room for one batch more, or the
whole context when told to); caches in other types than f16; more than one GPU.
"""

import difflib
import re
from collections.abc import Iterable

from catalog.records import Architecture, Fit, FitValue, GpuDevice, Machine, Model, WeightsFile

MIB = 1024**2
GIB = 1024**3

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

# Rows that 256 does not divide cannot hold K blocks; llama.cpp then takes these (src/llama-quant.cpp).
NARROW_BITS = {"Q2": 4.5, "Q3": 4.5, "IQ": 4.5, "Q4": 5.5, "Q5": 6.0, "Q6": 8.5}

# llama.cpp gives the output matrix a finer type than the rest: Q6_K, or Q8_0 where the rows are narrow.
OUTPUT_BITS, NARROW_OUTPUT_BITS = 6.5625, 8.5
K_BLOCK_WEIGHTS = 256

# The network that MIXTURE_BITS was measured on, and its vocabulary matrix.
MEASURED_PARAMETERS, MEASURED_VOCABULARY_WEIGHTS = 8_030_261_248, 128_256 * 4_096

BATCH_TOKENS = 512  # llama.cpp's default micro-batch
HOST_OVERHEAD_BYTES = 128 * MIB  # measured here for Python with llama.cpp: 31 MiB imported, about 110 MiB in use
GPU_OVERHEAD_BYTES = 512 * MIB  # CUDA context and libraries; a rule of thumb

PART_NUMBER = re.compile(r"-\d{5}-of-(\d{5})(?=\.)")  # model-00001-of-00003.gguf
TEXT_TASKS = frozenset({"text-generation", "image-text-to-text", "any-to-any", "conversational"})


def known_quantizations() -> tuple[str, ...]:
    """Names of quantizations whose size can be predicted, smallest first."""
    bits = {**MIXTURE_BITS, **BLOCK_BITS}
    return tuple(sorted(bits, key=lambda name: bits[name]))


def kv_cache_bytes(architecture: Architecture, context_tokens: int, concurrency: int = 1) -> int | None:
    """Bytes of the KV cache in f16 for `concurrency` sequences of `context_tokens` each; None where facts are missing.

    Per token, a layer keeps kv_heads × (key + value head size) numbers of two bytes, or, with multi-head latent
    attention, the latent and its rotary part only. Sliding layers hold at most their window; hybrids count
    `attention_layers`.
    Nothing is derived from hidden_size / heads, because in many networks that is not the head size.
    """
    layer_bytes = _layer_bytes_per_token(architecture)
    layers = architecture.layers if architecture.attention_layers is None else architecture.attention_layers
    if layer_bytes is None or layers is None:
        return None
    window, sliding = architecture.sliding_window_tokens, architecture.sliding_layers
    if window is None and not sliding:
        return layer_bytes * layers * context_tokens * concurrency
    if window is None or sliding is None or sliding > layers:
        return None
    cells = (layers - sliding) * context_tokens + sliding * min(context_tokens, window)
    return layer_bytes * cells * concurrency


def predict_fit(
    model: Model,
    machine: Machine,
    *,
    quantization: str = "Q4_K_M",
    context_tokens: int = 4096,
    concurrency: int = 1,
    weights_bytes: int | None = None,
) -> Fit:
    """Predict the memory of a model and hold it against one machine.

    `weights_bytes` is the exact size where the file is at hand; else a file of the model with that quantization counts,
    else parameters × bits per weight. With GPUs the measure is the one with most free memory, else main memory.

    Estimates: compute = 4 B × batch × (max(vocabulary, (heads + 1) × context) + 4 × hidden) with a batch of at most
    512; llama.cpp reserves that without flash attention (560 MiB for Llama 3 8B at 8,192 tokens) and less with it.
    Overhead is a constant for process, libraries and tokenizer.
    """
    device, available, overhead = _target(machine)
    obstacle = _obstacle(model)
    weights = kv_cache = compute = None
    if obstacle is None:
        weights, obstacle = _weights(model, quantization, weights_bytes)
    if obstacle is None and model.architecture is not None:
        kv_cache = kv_cache_bytes(model.architecture, context_tokens, concurrency)
        compute = _compute_bytes(model.architecture, context_tokens)
        obstacle = _missing_facts(kv_cache, compute)
    total = None
    value = FitValue.UNKNOWN
    explanation = f"Unknown: {obstacle}"
    if weights is not None and kv_cache is not None and compute is not None:
        total = weights + kv_cache + compute + overhead
        value = _classify(total, available)
        explanation = _explain(value, total, available, device)
        explanation += _elsewhere(value, total, machine) + _caveats(model, context_tokens)
    return Fit(
        model_id=model.id,
        value=value,
        quantization=quantization,
        context_tokens=context_tokens,
        concurrency=concurrency,
        weights_bytes=weights,
        kv_cache_bytes=kv_cache,
        compute_bytes=compute,
        overhead_bytes=overhead if obstacle is None else None,
        total_bytes=total,
        available_bytes=available,
        device=device,
        explanation=explanation,
    )


def _layer_bytes_per_token(architecture: Architecture) -> int | None:
    latent, rotary = architecture.kv_lora_rank, architecture.qk_rope_head_dim
    if latent is not None or rotary is not None:
        return None if latent is None or rotary is None else 2 * (latent + rotary)
    heads, key = architecture.kv_heads, architecture.head_dim
    if heads is None or key is None:
        return None
    return 2 * heads * (key + (architecture.value_head_dim or key))


def _compute_bytes(architecture: Architecture, context_tokens: int) -> int | None:
    vocabulary, heads, hidden = architecture.vocabulary_size, architecture.heads, architecture.hidden_size
    if vocabulary is None or heads is None or hidden is None:
        return None
    widest = max(vocabulary, (heads + 1) * context_tokens) + 4 * hidden
    return 4 * min(BATCH_TOKENS, context_tokens) * widest


def _weights(model: Model, quantization: str, weights_bytes: int | None) -> tuple[int | None, str | None]:
    """Bytes of the weights, or the sentence that says why they are not known."""
    if weights_bytes is not None:
        return weights_bytes, None
    exact = _file_bytes(model.weights_files, quantization)
    if exact is not None:
        return exact, None
    name = quantization.upper()
    if name not in MIXTURE_BITS and name not in BLOCK_BITS:
        close = difflib.get_close_matches(name, known_quantizations(), n=3)
        hint = f"did you mean {' or '.join(close)}?" if close else "give the exact size of the weights instead."
        return None, f"no size is known for the quantization '{quantization}'; {hint}"
    if model.parameters is None:
        return None, "the number of parameters is not known; give the exact size of the weights instead."
    return _estimate_weights(model.parameters, model.architecture or Architecture(), name), None


def _estimate_weights(parameters: int, architecture: Architecture, name: str) -> int:
    """Parameters × bits per weight, with the vocabulary matrix counted at its own, finer type.

    That matrix is a fifteenth of Llama 3.1 8B and most of a network below 300 million parameters, where ignoring it
    predicts a third too little (Gemma 3 270M in Q4_K_M: 7.4 bits per weight, not 4.9).
    """
    bits = MIXTURE_BITS.get(name) or BLOCK_BITS[name]
    vocabulary, hidden = architecture.vocabulary_size, architecture.hidden_size
    if vocabulary is None or hidden is None or bits > OUTPUT_BITS + 0.1 or vocabulary * hidden >= parameters:
        return round(parameters * bits / 8)
    narrow = hidden % K_BLOCK_WEIGHTS != 0
    output_bits = NARROW_OUTPUT_BITS if narrow else OUTPUT_BITS
    if name in MIXTURE_BITS:
        bits = NARROW_BITS[name[:2]] if narrow else _bits_without_vocabulary(bits)
    matrix = vocabulary * hidden
    return round((matrix * output_bits + (parameters - matrix) * bits) / 8)


def _bits_without_vocabulary(bits: float) -> float:
    """Bits per weight of the measured network's other weights, so that the measured file comes out exactly."""
    rest = MEASURED_PARAMETERS - MEASURED_VOCABULARY_WEIGHTS
    return (bits * MEASURED_PARAMETERS - OUTPUT_BITS * MEASURED_VOCABULARY_WEIGHTS) / rest


def _file_bytes(files: Iterable[WeightsFile], quantization: str) -> int | None:
    """Exact bytes of the one file, or the one complete set of numbered parts, in that quantization."""
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


def _target(machine: Machine) -> tuple[str, int, int]:
    """Name, free memory and overhead of the device that the prediction is held against."""
    gpu = _roomiest_gpu(machine)
    if gpu is None:
        return "cpu", machine.memory_available_bytes, HOST_OVERHEAD_BYTES
    return gpu.name, gpu.free_bytes, GPU_OVERHEAD_BYTES


def _roomiest_gpu(machine: Machine) -> GpuDevice | None:
    return max(machine.gpus, key=lambda gpu: gpu.free_bytes, default=None)


def _obstacle(model: Model) -> str | None:
    if model.task is not None and model.task not in TEXT_TASKS:
        return f"memory is predicted for text generation only, and the task of this model is {model.task}."
    if model.architecture is None:
        return "the architecture is not known, so the KV cache cannot be computed."
    return None


def _missing_facts(kv_cache: int | None, compute: int | None) -> str | None:
    if kv_cache is None:
        return "layers, heads or head size are not known, so the KV cache cannot be computed."
    if compute is None:
        return "vocabulary, width or heads are not known, so the scratch memory cannot be estimated."
    return None


def _classify(total: int, available: int) -> FitValue:
    left = available - total
    if left < 0:
        return FitValue.NO
    return FitValue.TIGHT if left < max(available / 10, GIB) else FitValue.FITS


def _explain(value: FitValue, total: int, available: int, device: str) -> str:
    place = "main memory" if device == "cpu" else device
    need = f"needs about {total / GIB:.1f} GiB, and {available / GIB:.1f} GiB of {place} are free"
    if value is FitValue.NO:
        return f"Does not fit: it {need}."
    left = f"{(available - total) / GIB:.1f} GiB would be left"
    if value is FitValue.TIGHT:
        return f"Tight: it {need}; {left}, less than a tenth or less than 1 GiB."
    return f"Fits: it {need}; {left}."


def _elsewhere(value: FitValue, total: int, machine: Machine) -> str:
    """Whether a model too large for the GPU would run on the CPU instead."""
    if value is not FitValue.NO or not machine.gpus:
        return ""
    on_cpu = _classify(total - GPU_OVERHEAD_BYTES + HOST_OVERHEAD_BYTES, machine.memory_available_bytes)
    would = "would not run" if on_cpu is FitValue.NO else "would run"
    free = f"{machine.memory_available_bytes / GIB:.1f} GiB of main memory are free"
    return f" It {would} on the CPU instead: {free}."


def _caveats(model: Model, context_tokens: int) -> str:
    """What the reader must know about this prediction."""
    caveats = ""
    reach = model.context_extended_tokens or model.context_native_tokens
    if reach is not None and context_tokens > reach:
        caveats += f" The model knows only {reach:,} tokens of context."
    architecture = model.architecture or Architecture()
    caching = architecture.attention_layers
    if caching is not None and caching < (architecture.layers or 0):
        caveats += " The fixed state of the layers without a KV cache is not included."
    if model.multimodal:
        caveats += " Encoders for images or audio are not included beyond their weights."
    return caveats
