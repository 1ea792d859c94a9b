"""How fast would it write? A range from memory bandwidth, because decoding one sequence waits for memory, not for sums.

For every token the engine reads each active weight once, and the KV cache of what was written so far:

    tokens per second ≤ bandwidth ÷ (active weights + cache)

The upper end is that ceiling with an empty context. The lower end has the context full and takes only a share of the
bandwidth, the least that was seen:

- 0.40 of a GPU's: llama.cpp with Llama 3 8B and 70B reached 0.41 to 0.82 on RTX 30 and 40 cards and Apple chips;
- 0.25 of a GPU's above 1.5 TB/s: the same tables have 0.25 for a 7B in four bits on A100 and H100, and 0.49 for a 70B
  (XiongjieDai/GPU-Benchmarks-on-LLM-Inference, read 2026-11-21: tokens per second × bytes read ÷ data sheet);
- 0.30 of main memory's: two demo models of 135 and 270 million weights reached 0.34 to 0.43 of the measured bandwidth
  on two cores (benchmarks/speed.py), and a 7B about 0.7 on a desktop (ggml-org/llama.cpp issue 34).

Several GPUs under vLLM count as one fast one, for want of a table.

What the range leaves out: networks below some hundred million weights, and any network on few or old cores, are bound
by arithmetic and by the start of each operation, and can fall below it; a small network that fits into the processor's
caches can exceed it; batches (several sequences share one reading of the weights, so together they are faster);
speculative decoding; links between GPUs; and reading the prompt, which waits for arithmetic. So: rough, and what a run
measures is kept beside it.
"""

from typing import NamedTuple

from catalog.memory import predict_fit
from catalog.records import Architecture, Fit, FitSettings, FitValue, Machine, Model, Speed

GPU_SHARE, FAST_GPU_SHARE, MAIN_MEMORY_SHARE = 0.40, 0.25, 0.30
FAST_GPU_BYTES_PER_SECOND = 1.5e12


class _Reader(NamedTuple):
    """A part of the machine that reads its share of the network, with the others at the same time or in turn."""

    part: float
    """Share of the layers that it holds."""
    bytes_per_second: float
    share: float
    """Share of the bandwidth that engines reach at least."""
    source: str


def predict_speed(
    model: Model, machine: Machine, settings: FitSettings, *, weights_bytes: int | None = None
) -> Speed | None:
    """Tokens per second of one sequence; None where it does not run, or memory or bandwidth is not known.

    Of a mixture of experts only the active weights are read. Layers that do not go on the GPU are read from main memory
    at its speed. Several GPUs take turns under llama.cpp, which gives each some of the layers, so that they are as fast
    as one of them; vLLM splits every layer, so that they read at the same time and their bandwidths add up.
    """
    fit = predict_fit(model, machine, settings, weights_bytes=weights_bytes)
    if fit.value in {FitValue.NO, FitValue.UNKNOWN} or fit.weights_bytes is None:
        return None
    readers = _readers(machine, fit, model.architecture)
    if not readers:
        return None
    weights = _active_bytes(model, fit.weights_bytes)
    cache = ((fit.kv_cache_bytes or 0) + (fit.state_bytes or 0)) / settings.concurrency
    best = sum(reader.part / reader.bytes_per_second for reader in readers)
    usual = sum(reader.part / (reader.bytes_per_second * reader.share) for reader in readers)
    return Speed(
        low_tokens_per_second=1 / ((weights + cache) * usual),
        high_tokens_per_second=1 / (weights * best),
        bytes_per_token=round(weights + cache),
        bandwidth_bytes_per_second=1 / best,
        source="; ".join(dict.fromkeys(reader.source for reader in readers)),
    )


def _active_bytes(model: Model, weights_bytes: int) -> float:
    """Bytes of the weights that one token needs.

    The input embedding of untied networks is left out: one row of it is read. Of experts the share of active parameters
    counts, as if all weights had the same number of bits.
    """
    if model.active_parameters is not None and model.parameters is not None:
        return weights_bytes * min(1.0, model.active_parameters / model.parameters)
    architecture = model.architecture or Architecture()
    vocabulary, hidden = architecture.vocabulary_size, architecture.hidden_size
    if architecture.tied_embeddings is not False or not vocabulary or not hidden or not model.parameters:
        return weights_bytes
    return weights_bytes * (1 - min(0.5, vocabulary * hidden / model.parameters))


def _readers(machine: Machine, fit: Fit, architecture: Architecture | None) -> list[_Reader]:
    """What reads how much of the network; empty where a bandwidth that is needed is not known."""
    on_gpu = _gpu_part(fit, architecture)
    if on_gpu is None:
        return []
    readers = []
    if on_gpu > 0:
        readers += _gpu_readers(machine, fit, on_gpu)
    if on_gpu < 1:
        readers += _main_memory_readers(machine, 1 - on_gpu)
    return readers if abs(sum(reader.part for reader in readers) - 1) < 1e-9 else []


def _gpu_part(fit: Fit, architecture: Architecture | None) -> float | None:
    """Share of the layers on GPUs; None where only some are, and it is not known how many of how many."""
    if fit.device == "cpu":
        return 0.0
    if fit.value is not FitValue.OFFLOAD:
        return 1.0
    layers = architecture.layers if architecture is not None else None
    return None if layers is None or fit.gpu_layers is None else min(1.0, fit.gpu_layers / layers)


def _gpu_readers(machine: Machine, fit: Fit, part: float) -> list[_Reader]:
    rates = [gpu.bandwidth_bytes_per_second for gpu in machine.gpus]
    known = [rate for rate in rates if rate is not None]
    if not known or len(known) < len(rates):
        return []
    names = dict.fromkeys(gpu.bandwidth_source or f"bandwidth of {gpu.name}" for gpu in machine.gpus)
    source = "; ".join(names)
    if fit.engine == "vllm":
        return [_Reader(part, min(known) * len(known), _share(min(known) * len(known)), source)]
    memory = sum(gpu.total_bytes for gpu in machine.gpus)
    return [
        _Reader(part * gpu.total_bytes / memory, rate, _share(rate), source)
        for gpu, rate in zip(machine.gpus, known, strict=True)
    ]


def _share(bytes_per_second: float) -> float:
    return FAST_GPU_SHARE if bytes_per_second > FAST_GPU_BYTES_PER_SECOND else GPU_SHARE


def _main_memory_readers(machine: Machine, part: float) -> list[_Reader]:
    rate = machine.bandwidth_bytes_per_second
    if rate is None:
        return []
    return [_Reader(part, rate, MAIN_MEMORY_SHARE, machine.bandwidth_source or f"main memory of {machine.name}")]
