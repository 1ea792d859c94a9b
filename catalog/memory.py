"""Does it fit? Predicted memory of a model run in one way, against one machine.

total = weights + KV cache + recurrent state + compute + overhead, as the engine allocates them. Weights come from
catalog.weights, cache and state from catalog.kv_cache; here are the scratch buffers, the process, the machine's room
and the verdict. What a run then measures is stored beside the prediction; benchmarks/fit.py compares the two.

The arithmetic from FitFigures to bytes uses only + - * / and the given `least` and `greatest`, and so works on arrays
as well: with numpy's minimum and maximum it predicts millions of models at once.

llama.cpp's scratch, worked out from the buffers that it reports and what its CPU backend touches (0.3.36 of llama-cpp-
python): without flash attention the scores of one micro-batch against all cells, in f32, one plane per head and one per
mask, and a copy of the planes in f16 for the product with the values; beside them about two widths of the residual
stream, three of the queries and two of keys and values. With flash attention only the masks grow with the context.
Logits need rows × vocabulary, twice: in the graph and in the buffer handed out.

What this leaves out: encoders for images and audio at work; speculative decoding and adapters; llama.cpp's imatrix. The
figures for vLLM's activations are a rough bound for its own profiling run, because nobody publishes the formula.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from catalog.kv_cache import (
    LLAMA_CPP_MICRO_BATCH,
    LLAMA_CPP_SEQUENCES,
    CacheFigures,
    Least,
    cache_figures,
    has_unknown_state,
    layer_groups,
    llama_cpp_cache_bytes,
    llama_cpp_cells,
    llama_cpp_state_bytes,
    vllm_cache_bytes,
    vllm_state_bytes,
)
from catalog.records import Architecture, Fit, FitSettings, FitValue, GpuDevice, Machine, Model
from catalog.weights import (
    WeightFigures,
    exact_bytes,
    repacked_bytes,
    unknown_quantization,
    weight_bytes,
)

MIB = 1024**2
GIB = 1024**3

HOST_OVERHEAD_BYTES = 53 * MIB
"""Python with llama.cpp in use, without tokenizer: PSS of 40 MiB once imported, 13 more in use (benchmarks/fit.py)."""
TOKENIZER_BYTES_PER_TOKEN = 430
"""Vocabulary in llama.cpp's tables: 107 MiB for Gemma's 262,144 tokens, 30 MiB for SmolLM's 49,152 with its merges."""
GPU_OVERHEAD_BYTES = 512 * MIB
"""CUDA context and libraries on each GPU; a rule of thumb."""

VLLM_MEMORY_SHARE = 0.92
"""gpu_memory_utilization, default of vLLM 0.32."""
VLLM_BATCH_TOKENS, VLLM_SEQUENCES = 8192, 256
"""max_num_batched_tokens and max_num_seqs that its profiling run takes on current GPUs."""
VLLM_OVERHEAD_BYTES = 1 * GIB
"""CUDA context, NCCL and graphs, for each GPU; 0.07 GiB and 0.65 GiB beside the context in vllm-project/vllm #21489."""
VLLM_HOST_OVERHEAD_BYTES = round(2.5 * GIB)
"""Server and engine process with torch on a CPU."""

ERROR_SHARE = 0.1
"""Error of the prediction that `safe` allows for; the target of benchmarks/fit.py."""
TEXT_TASKS = frozenset({"text-generation", "image-text-to-text", "any-to-any", "conversational"})

Greatest = Callable[[Any, Any], Any]


class ShapeFigures(NamedTuple):
    """What the scratch buffers depend on."""

    heads: float
    """Query heads of a layer; 0 where no layer attends."""
    masks: float
    """Attention masks: 2 where some layers have a window, else 1."""
    width: float
    """Numbers per token beside the scores: 2 × hidden + 3 × queries + 2 × (keys + values)."""
    feed_forward: float
    """Numbers per token in the feed-forward layer: 2 × hidden + 2 × intermediate; 0 where not known."""
    vocabulary: float
    """Rows of the output matrix."""


class FitFigures(NamedTuple):
    """Everything of a model that its memory depends on; a part is None where a fact for it is missing."""

    weights: WeightFigures | None
    cache: CacheFigures | None
    shape: ShapeFigures | None


class Parts(NamedTuple):
    """Predicted bytes; numbers or arrays."""

    weights: Any
    kv_cache: Any
    state: Any
    compute: Any
    overhead: Any
    spread: Any
    """What is reserved on top but rarely touched, or may be needed more; counts in `safe` only."""
    reclaimable: Any
    """Pages of the weights file that were copied and are not read again: the system takes them back when needed."""

    @property
    def total(self) -> Any:
        """What is expected, and what a run measures."""
        return self.weights + self.kv_cache + self.state + self.compute + self.overhead

    @property
    def needed(self) -> Any:
        """What must stay in memory; the verdict is about this."""
        return self.total - self.reclaimable


class Room(NamedTuple):
    """What a machine offers to an engine, and where the classes turn."""

    device: str
    """`cpu`, or the GPUs by name."""
    gpus: int
    """How many devices work together; 0 on the CPU."""
    available_bytes: int
    """Free memory of them."""
    helped_bytes: int | None
    """With main memory's help; None where the engine cannot use both, or there is no GPU."""

    @property
    def roomy_bytes(self) -> float:
        """Largest total that leaves a tenth and 1 GiB."""
        return self.available_bytes - max(self.available_bytes / 10, GIB)


def fit_figures(model: Model) -> FitFigures:
    """Draw from a model what its memory depends on."""
    architecture = model.architecture or Architecture()
    return FitFigures(_weight_figures(model, architecture), cache_figures(architecture), _shape_figures(architecture))


def room_of(machine: Machine, settings: FitSettings) -> Room:
    """What the machine offers. llama.cpp splits layers over all GPUs, vLLM every layer over all of them."""
    gpus = machine.gpus
    if not gpus:
        return Room("cpu", 0, machine.memory_available_bytes, None)
    name = " + ".join(_counted(gpus))
    if settings.engine == "vllm":
        # The same share of every GPU is taken, so the fullest one bounds all.
        each = min(min(gpu.free_bytes, round(gpu.total_bytes * VLLM_MEMORY_SHARE)) for gpu in gpus)
        return Room(name, len(gpus), each * len(gpus), None)
    free = sum(gpu.free_bytes for gpu in gpus)
    helped = None if machine.unified_memory else free + machine.memory_available_bytes
    return Room(name, len(gpus), free, helped)


class _Case(NamedTuple):
    """Complete figures, how they are run, and the functions that make it work on arrays."""

    cache: CacheFigures
    shape: ShapeFigures
    weights: Any
    copied: Any
    """Bytes of weights that the CPU keeps a second time."""
    settings: FitSettings
    gpus: int
    least: Least
    greatest: Greatest


def predict_parts(
    figures: FitFigures,
    machine: Machine,
    settings: FitSettings,
    *,
    weights_bytes: Any = None,
    choose: tuple[Least, Greatest] = (min, max),
) -> Parts:
    """Bytes of every part, for figures that are complete; `weights_bytes` replaces the estimate of the weights.

    `choose` are the functions for the smaller and the larger of two: for arrays numpy's minimum and maximum. Raises
    ValueError where figures are missing.
    """
    if figures.cache is None or figures.shape is None or (weights_bytes is None and figures.weights is None):
        raise ValueError("a prediction needs complete figures")
    weights = weights_bytes
    if weights is None and figures.weights is not None:
        weights = weight_bytes(figures.weights, settings.quantization, settings.engine, choose[0])
    on_cpu = not machine.gpus and settings.engine == "llama-cpp"
    copied = repacked_bytes(figures.weights, settings.quantization, machine) if on_cpu else 0
    case = _Case(figures.cache, figures.shape, weights, copied, settings, len(machine.gpus), *choose)
    return _vllm_parts(case) if settings.engine == "vllm" else _llama_cpp_parts(case)


def predict_fit(
    model: Model, machine: Machine, settings: FitSettings | None = None, *, weights_bytes: int | None = None
) -> Fit:
    """Predict the memory of a model run with `settings`, and hold it against the machine.

    `weights_bytes` is the exact size where the file is at hand; else a file of the model with that quantization counts,
    else parameters × bits per weight. With GPUs all of them are the measure, and main memory helps under llama.cpp.
    """
    settings = settings or FitSettings()
    room = room_of(machine, settings)
    figures = fit_figures(model)
    exact = weights_bytes if weights_bytes is not None else _known_bytes(model, settings)
    obstacle = _obstacle(model, figures, exact, settings)
    if obstacle is not None:
        return _unknown(model, settings, room, obstacle, exact)
    parts = predict_parts(figures, machine, settings, weights_bytes=exact)
    whole = Parts(*(math.ceil(part) for part in parts))
    value = classify(whole.needed, room)
    return Fit(
        model_id=model.id,
        value=value,
        **_settings(settings),
        weights_bytes=whole.weights,
        kv_cache_bytes=whole.kv_cache,
        state_bytes=whole.state,
        compute_bytes=whole.compute,
        overhead_bytes=whole.overhead,
        total_bytes=whole.total,
        reclaimable_bytes=whole.reclaimable,
        least_bytes=whole.needed - whole.compute,
        safe_bytes=math.ceil(whole.needed * (1 + ERROR_SHARE) + whole.spread),
        available_bytes=room.available_bytes,
        device=room.device,
        gpu_layers=_gpu_layers(whole, room, model.architecture) if value is FitValue.OFFLOAD else None,
        explanation=_explain(value, whole, room, model) + _more_seen(whole) + _caveats(model, settings),
    )


def classify(needed: float, room: Room) -> FitValue:
    """The class of what must stay in memory."""
    if needed <= room.roomy_bytes:
        return FitValue.FITS
    if needed <= room.available_bytes:
        return FitValue.TIGHT
    return FitValue.OFFLOAD if room.helped_bytes is not None and needed <= room.helped_bytes else FitValue.NO


def _llama_cpp_parts(case: _Case) -> Parts:
    settings, shape = case.settings, case.shape
    cells = llama_cpp_cells(settings.context_tokens, settings.concurrency)
    batch = min(LLAMA_CPP_MICRO_BATCH, cells)
    all_rows = 4 * LLAMA_CPP_SEQUENCES * shape.vocabulary
    if case.gpus:
        layer = 4 * batch * case.greatest(shape.width, shape.feed_forward)
        compute = case.greatest(all_rows, 2 * batch * cells * shape.masks + layer) * case.gpus
        overhead, spread = shape.vocabulary * 0 + GPU_OVERHEAD_BYTES * case.gpus, all_rows * 0
    else:
        # Only rows that are asked for are touched: one for each sequence that generates. Label scoring asks for more.
        rows = 4 * min(settings.concurrency, LLAMA_CPP_SEQUENCES) * shape.vocabulary
        scores = 4 * batch * ((shape.heads + shape.masks) * cells + shape.width)
        compute = case.greatest(scores + 2 * batch * cells * shape.heads, rows) + rows
        overhead = HOST_OVERHEAD_BYTES + TOKENIZER_BYTES_PER_TOKEN * shape.vocabulary + case.copied
        spread = 2 * (all_rows - rows)
    return Parts(
        weights=case.weights,
        kv_cache=llama_cpp_cache_bytes(case.cache, cells, settings.cache_type, case.least),
        state=llama_cpp_state_bytes(case.cache),
        compute=compute,
        overhead=overhead,
        spread=spread,
        reclaimable=case.copied,
    )


def _vllm_parts(case: _Case) -> Parts:
    settings, shape = case.settings, case.shape
    low, high = vllm_cache_bytes(case.cache, settings, case.least)
    activations = 2 * VLLM_BATCH_TOKENS * (shape.width + shape.feed_forward)
    # Logits of every sequence in f32, and the sampler's sorted copies of them.
    sampling = 12 * VLLM_SEQUENCES * shape.vocabulary
    overhead = VLLM_OVERHEAD_BYTES * case.gpus if case.gpus else VLLM_HOST_OVERHEAD_BYTES
    return Parts(
        weights=case.weights,
        kv_cache=low,
        state=vllm_state_bytes(case.cache, settings.concurrency),
        compute=(activations + sampling) * max(1, case.gpus),
        overhead=overhead + shape.vocabulary * 0,
        spread=high - low,
        reclaimable=0,
    )


def _weight_figures(model: Model, architecture: Architecture) -> WeightFigures | None:
    if model.parameters is None:
        return None
    vocabulary, hidden = architecture.vocabulary_size, architecture.hidden_size
    matrix = (vocabulary or 0) * (hidden or 0)
    if matrix >= model.parameters:
        matrix = 0
    return WeightFigures(model.parameters, matrix, float(bool(hidden and hidden % 256)))


def _shape_figures(architecture: Architecture) -> ShapeFigures | None:
    vocabulary, heads, hidden = architecture.vocabulary_size, architecture.heads, architecture.hidden_size
    groups = layer_groups(architecture)
    if vocabulary is None or hidden is None or groups is None:
        return None
    attending = [group for group in groups if group.kind not in {"recurrent", "none"}]
    if attending and heads is None:
        return None
    keys = max((group.key_dim or 0 for group in attending), default=0)
    kept = [(group.kv_heads or 0) * ((group.key_dim or 0) + (group.value_dim or 0)) for group in attending]
    windowed = any(group.kind in {"sliding", "chunked"} for group in attending)
    intermediate = (architecture.intermediate_size or 0) * (architecture.experts_per_token or 1)
    return ShapeFigures(
        heads=(heads or 0) if attending else 0,
        masks=1 + windowed,
        width=2 * hidden + 3 * (heads or 0) * keys + max(kept, default=0),
        feed_forward=2 * hidden + 2 * intermediate,
        vocabulary=vocabulary,
    )


def _known_bytes(model: Model, settings: FitSettings) -> int | None:
    """Size of the model's own weights in the wanted quantization, where its files or their headers say it."""
    exact = exact_bytes(model.weights_files, settings.quantization)
    own = (model.quantization or "").casefold()
    if exact is None and settings.engine == "vllm" and own == settings.quantization.casefold():
        return model.weights_bytes
    return exact


def _obstacle(  # noqa: PLR0911  one sentence for each missing fact
    model: Model, figures: FitFigures, weights: int | None, settings: FitSettings
) -> str | None:
    if model.task is not None and model.task not in TEXT_TASKS:
        return f"memory is predicted for text generation only, and the task of this model is {model.task}."
    if model.architecture is None:
        return "the architecture is not known, so the KV cache cannot be computed."
    if weights is None:
        odd = unknown_quantization(settings.quantization, settings.engine)
        if odd is not None:
            return odd
        if figures.weights is None:
            return "the number of parameters is not known; give the exact size of the weights instead."
    if figures.cache is None:
        return "layers, heads or head size are not known, so the KV cache cannot be computed."
    if figures.shape is None:
        return "vocabulary, width or heads are not known, so the scratch memory cannot be estimated."
    return None


def _unknown(model: Model, settings: FitSettings, room: Room, obstacle: str, weights: int | None) -> Fit:
    return Fit(
        model_id=model.id,
        value=FitValue.UNKNOWN,
        **_settings(settings),
        weights_bytes=weights,
        least_bytes=weights,
        available_bytes=room.available_bytes,
        device=room.device,
        explanation=f"Unknown: {obstacle}",
    )


def _settings(settings: FitSettings) -> dict[str, Any]:
    return settings.model_dump()


def _gpu_layers(parts: Parts, room: Room, architecture: Architecture | None) -> int | None:
    """Layers that go on the GPUs, with their share of weights, cache and state."""
    layers = architecture.layers if architecture is not None else None
    if layers is None:
        return None
    each = (parts.weights + parts.kv_cache + parts.state) / layers
    left = room.available_bytes - parts.compute - parts.overhead
    return max(0, min(layers - 1, int(left / each)))


def _counted(gpus: tuple[GpuDevice, ...]) -> list[str]:
    names = [gpu.name for gpu in gpus]
    counts = {name: names.count(name) for name in names}
    return [name if count == 1 else f"{count} × {name}" for name, count in counts.items()]


def _explain(value: FitValue, parts: Parts, room: Room, model: Model) -> str:
    place = "main memory" if room.device == "cpu" else room.device
    total, available = parts.needed, room.available_bytes
    need = f"needs about {total / GIB:.1f} GiB, and {available / GIB:.1f} GiB of {place} are free"
    if value is FitValue.NO:
        helped = "" if room.helped_bytes is None else f", {room.helped_bytes / GIB:.1f} GiB with main memory"
        return f"Does not fit: it {need}{helped}."
    if value is FitValue.OFFLOAD:
        return f"Runs with main memory's help: it {need}; {_split(parts, room, model)}, which is slower."
    left = f"{(available - total) / GIB:.1f} GiB would be left"
    if value is FitValue.TIGHT:
        return f"Tight: it {need}; {left}, less than a tenth or less than 1 GiB."
    return f"Fits: it {need}; {left}."


def _split(parts: Parts, room: Room, model: Model) -> str:
    on_gpu = _gpu_layers(parts, room, model.architecture)
    if on_gpu is None or model.architecture is None:
        return "only a part of its layers goes on the GPU"
    if on_gpu == 0:
        return "no layer goes on the GPU, so it would run on the CPU"
    return f"{on_gpu} of {model.architecture.layers} layers go on the GPU"


def _more_seen(parts: Parts) -> str:
    if parts.reclaimable < GIB / 10:
        return ""
    return (
        f" A measured peak shows {parts.reclaimable / GIB:.1f} GiB more: pages of the file that were copied, which the "
        "system takes back when memory is short."
    )


def _caveats(model: Model, settings: FitSettings) -> str:
    """What the reader must know about this prediction."""
    caveats = ""
    reach = model.context_extended_tokens or model.context_native_tokens
    if reach is not None and settings.context_tokens > reach:
        caveats += f" The model knows only {reach:,} tokens of context."
    if has_unknown_state(model.architecture or Architecture()):
        caveats += " The fixed state of the layers without a KV cache is not known and not included."
    if model.multimodal:
        caveats += " Encoders for images or audio are not included beyond their weights."
    return caveats
