"""What would do? The smallest machines for a model, the most context and sequences, the finest quantization that fits.

All of it asks one question again and again: catalog.memory.predict_fit. Nothing here knows how memory is counted, and
nothing knows prices: a "small" machine is one with little memory, which is what the price of a machine follows most.
Quantizations are ordered by their published loss (catalog/quantization_loss.py), which is not the loss on your task.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple

from catalog.memory import predict_fit
from catalog.quantization_loss import expected_loss, published_losses
from catalog.records import (
    Fit,
    FitSettings,
    FitValue,
    Limit,
    Machine,
    MachineProfile,
    Model,
    QuantizationOption,
    WeightsFile,
)
from catalog.weights import PART_NUMBER

LADDER = (FitValue.FITS, FitValue.TIGHT, FitValue.OFFLOAD)
"""Ways to run, best first; `no` and `unknown` are none."""
GOES_IN = (FitValue.FITS, FitValue.TIGHT)

CONTEXT_STEP_TOKENS = 256  # llama.cpp rounds its cache up to this many cells
MOST_SEQUENCES = 256  # llama.cpp's LLAMA_MAX_SEQ; vLLM's default is of the same size

SAME_SIZE = 1.1
"""Machines whose memory differs by less than a tenth count as one size: drivers show 22.5 to 24 GiB of "24 GB"."""

UNQUANTIZED_NAME = "BF16"
NOT_WEIGHTS = ("mmproj", "imatrix")

MachineKind = Literal["gpu", "unified", "cpu"]
KIND_ORDER: tuple[MachineKind, ...] = ("gpu", "unified", "cpu")


class _Size(NamedTuple):
    kind: MachineKind
    memory_bytes: int
    gpus: int


class _Offer(NamedTuple):
    quantization: str
    path: str | None
    size_bytes: int | None


def smallest_machines(
    model: Model, settings: FitSettings, machines: Iterable[MachineProfile]
) -> tuple[tuple[MachineProfile, Fit], ...]:
    """The smallest machines on which the model goes in, each with its prediction; empty where it runs on none.

    Machines are compared within their kind: cards, then unified memory, then CPU only. One is left out when another on
    which it goes in as well (`fits`, not just `tight`) has less memory and no more GPUs; so a pair of cards is named
    beside the single card of that size, but never eight where one does, and a tight machine hides no roomier one.
    Ordered by kind, number of GPUs and memory; of equals the faster first. Only where the model goes in nowhere, those
    that need main memory beside the GPU are named, by the same rule.
    """
    judged = [(profile, predict_fit(model, profile.machine, settings)) for profile in machines]
    for accepted in (GOES_IN, (FitValue.OFFLOAD,)):
        fitting = [(profile, fit) for profile, fit in judged if fit.value in accepted]
        rivals = [(_size(profile.machine), LADDER.index(fit.value)) for profile, fit in fitting]
        kept = [(profile, fit) for profile, fit in fitting if not _needless(profile.machine, fit, rivals)]
        if kept:
            return tuple(sorted(kept, key=lambda pair: _order(pair[0])))
    return ()


def largest_context(
    model: Model, machine: Machine, settings: FitSettings, *, weights_bytes: int | None = None
) -> Limit | None:
    """The longest context per sequence, up to the model's native one, that runs as well as the shortest does.

    In steps of 256 tokens. `settings.context_tokens` is ignored. None where the model does not run at all, or where its
    native context or its memory is not known.
    """
    native = model.context_native_tokens
    if native is None:
        return None

    def fit_at(step: int) -> Fit:
        changed = settings.model_copy(update={"context_tokens": min(native, step * CONTEXT_STEP_TOKENS)})
        return predict_fit(model, machine, changed, weights_bytes=weights_bytes)

    found = _most(fit_at, math.ceil(native / CONTEXT_STEP_TOKENS))
    if found is None:
        return None
    _, fit = found
    tokens = fit.context_tokens
    if tokens == native:
        sentence = f"The model's own limit: {native:,} tokens of context, which {_verb(fit)} on {fit.device}."
        return Limit(value=tokens, limited_by="model", fit=fit, explanation=sentence)
    sentence = f"Memory ends it: {tokens:,} of the model's {native:,} tokens of context {_verb(fit)} on {fit.device}."
    return Limit(value=tokens, limited_by="memory", fit=fit, explanation=sentence)


def largest_concurrency(
    model: Model, machine: Machine, settings: FitSettings, *, weights_bytes: int | None = None
) -> Limit | None:
    """How many sequences of `settings.context_tokens` can be held at once and run as well as one does; at most 256.

    `settings.concurrency` is ignored. None where not even one runs, or its memory is not known.
    """

    def fit_at(sequences: int) -> Fit:
        changed = settings.model_copy(update={"concurrency": sequences})
        return predict_fit(model, machine, changed, weights_bytes=weights_bytes)

    found = _most(fit_at, MOST_SEQUENCES)
    if found is None:
        return None
    sequences, fit = found
    what = f"{sequences:,} sequences of {fit.context_tokens:,} tokens"
    if sequences == MOST_SEQUENCES:
        sentence = f"The engine's limit: {what}, which {_verb(fit)} on {fit.device}."
        return Limit(value=sequences, limited_by="engine", fit=fit, explanation=sentence)
    sentence = f"Memory ends it: {what} {_verb(fit)} on {fit.device}."
    return Limit(value=sequences, limited_by="memory", fit=fit, explanation=sentence)


def quantization_options(
    model: Model, children: Sequence[Model], machine: Machine, settings: FitSettings
) -> tuple[QuantizationOption, ...]:
    """The quantizations that exist for a model, with their fit, ordered by expected loss; unknown losses come last.

    They are the model's own files, or its unquantized weights, and those of `children`: quantized repositories made
    from it. Only what the engine of `settings` loads is listed: GGUF files for llama.cpp, safetensors for vLLM. Of
    equal losses the model's own comes first, then the most downloaded; of unknown ones those with more bits per weight.
    `settings.quantization` is ignored.
    """
    downloads = {child.id: child.downloads or 0 for child in children}

    def rank(option: QuantizationOption) -> tuple[bool, float, bool, int, float, str]:
        loss, bits = option.expected_loss, option.bits_per_weight
        popular = downloads.get(option.model_id, 0)
        own = option.model_id == model.id
        return (
            loss is None,
            -(bits or 0.0) if loss is None else loss,
            not own,
            -popular,
            -(bits or 0.0),
            str(option.path),
        )

    options = [
        _option(model, owner.id, offer, machine, settings)
        for owner in (model, *children)
        for offer in _offers(owner, settings)
    ]
    return tuple(sorted(options, key=rank))


def quantizations_to_make(model: Model, machine: Machine, settings: FitSettings) -> tuple[QuantizationOption, ...]:
    """What llama.cpp could make of a model's unquantized weights, with predicted sizes, ordered by expected loss.

    For models of which nobody's files are known, as in the shipped list. Empty for quantized models and other engines.
    """
    if settings.engine != "llama-cpp" or model.quantization is not None or model.base_model_relation == "quantized":
        return ()
    offers = [_Offer(name, None, None) for name in (UNQUANTIZED_NAME, *published_losses())]
    options = [_option(model, model.id, offer, machine, settings) for offer in offers]
    return tuple(sorted(options, key=lambda option: option.expected_loss or 0.0))


def largest_to_make(model: Model, machine: Machine, settings: FitSettings) -> QuantizationOption | None:
    """`largest_fitting` of `quantizations_to_make`, without predicting what is coarser than the first that fits."""
    if settings.engine != "llama-cpp" or model.quantization is not None or model.base_model_relation == "quantized":
        return None
    losses = {
        name: expected_loss(name, model.parameters).nats_per_token or 0.0
        for name in (UNQUANTIZED_NAME, *published_losses())
    }
    second: QuantizationOption | None = None
    for name in sorted(losses, key=lambda name: losses[name]):
        option = _option(model, model.id, _Offer(name, None, None), machine, settings)
        value = option.fit.value if option.fit is not None else None
        if value is GOES_IN[0]:
            return option
        if value in GOES_IN and second is None:
            second = option
    return second


def largest_fitting(options: Iterable[QuantizationOption]) -> QuantizationOption | None:
    """The first of the ordered options that fits, else the first that is tight, else None."""
    listed = tuple(options)
    for accepted in GOES_IN:
        for option in listed:
            if option.fit is not None and option.fit.value is accepted:
                return option
    return None


def _most(fit_at: Callable[[int], Fit], most: int) -> tuple[int, Fit] | None:
    """The largest number of steps, 1 to `most`, whose fit is of the class that one step has, by bisection."""
    lowest = fit_at(1)
    if lowest.value not in LADDER:
        return None
    accepted = LADDER[: LADDER.index(lowest.value) + 1]
    highest = fit_at(most)
    if highest.value in accepted:
        return most, highest
    good, bad, best = 1, most, lowest
    while bad - good > 1:
        middle = (good + bad) // 2
        fit = fit_at(middle)
        if fit.value in accepted:
            good, best = middle, fit
        else:
            bad = middle
    return good, best


def _verb(fit: Fit) -> str:
    verbs = {
        FitValue.FITS: "fit",
        FitValue.TIGHT: "go in, but tightly,",
        FitValue.OFFLOAD: "go in with main memory's help",
    }
    return verbs[fit.value]


def _size(machine: Machine) -> _Size:
    if machine.unified_memory:
        return _Size("unified", machine.memory_total_bytes, len(machine.gpus))
    if machine.gpus:
        return _Size("gpu", sum(gpu.total_bytes for gpu in machine.gpus), len(machine.gpus))
    return _Size("cpu", machine.memory_total_bytes, 0)


def _needless(machine: Machine, fit: Fit, rivals: Iterable[tuple[_Size, int]]) -> bool:
    """Whether a rival of the same kind does as well with clearly less memory and no more GPUs."""
    size, rank = _size(machine), LADDER.index(fit.value)
    return any(
        rival.kind == size.kind
        and rival.gpus <= size.gpus
        and rival.memory_bytes * SAME_SIZE < size.memory_bytes
        and rival_rank <= rank
        for rival, rival_rank in rivals
    )


def _order(profile: MachineProfile) -> tuple[int, int, int, float, str]:
    size = _size(profile.machine)
    devices = profile.machine.gpus
    speed = devices[0].bandwidth_bytes_per_second if devices else profile.machine.bandwidth_bytes_per_second
    return KIND_ORDER.index(size.kind), size.gpus, size.memory_bytes, -(speed or 0.0), profile.name


def _offers(owner: Model, settings: FitSettings) -> list[_Offer]:
    """What a repository holds that the engine can load."""
    gguf = settings.engine == "llama-cpp"
    wanted = "gguf" if gguf else "safetensors"
    files = [
        file
        for file in owner.weights_files
        if file.format == wanted and not any(word in file.path.casefold() for word in NOT_WEIGHTS)
    ]
    if gguf and files:
        return _gguf_offers(files)
    if not files and wanted not in owner.formats:
        return []
    name = owner.quantization
    if name is None and (gguf or owner.base_model_relation == "quantized"):
        return []  # something quantized, and nobody says how
    return [_Offer(name or UNQUANTIZED_NAME, None, owner.weights_bytes or _sum_of_sizes(files))]


def _gguf_offers(files: Iterable[WeightsFile]) -> list[_Offer]:
    """One offer per file, or per complete set of numbered parts; the path is the one of the first part."""
    sets: dict[str, list[WeightsFile]] = {}
    for file in sorted(files, key=lambda file: file.path):
        sets.setdefault(PART_NUMBER.sub(r"-of-\1", file.path), []).append(file)
    offers = []
    for parts in sets.values():
        number = PART_NUMBER.search(parts[0].path)
        if parts[0].quantization is not None and len(parts) == (int(number[1]) if number else 1):
            offers.append(_Offer(parts[0].quantization, parts[0].path, _sum_of_sizes(parts)))
    return offers


def _sum_of_sizes(files: Sequence[WeightsFile]) -> int | None:
    sizes = [file.size_bytes for file in files if file.size_bytes is not None]
    return sum(sizes) if files and len(sizes) == len(files) else None


def _option(model: Model, owner_id: str, offer: _Offer, machine: Machine, settings: FitSettings) -> QuantizationOption:
    loss = expected_loss(offer.quantization, model.parameters)
    bits = offer.size_bytes * 8 / model.parameters if offer.size_bytes and model.parameters else None
    changed = settings.model_copy(update={"quantization": offer.quantization})
    return QuantizationOption(
        quantization=offer.quantization,
        model_id=owner_id,
        path=offer.path,
        bits_per_weight=bits,
        expected_loss=loss.nats_per_token,
        loss_source=loss.source,
        fit=predict_fit(model, machine, changed, weights_bytes=offer.size_bytes),
    )
