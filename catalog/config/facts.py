"""Facts of a model from its config.json: architecture, context, quantization, modality, and how sure each of them is.

Nothing is guessed: what a config does not say stays None, unless transformers itself has one rule for it, and then the
fact is marked `derived`. Doubts become notes. This is the entry; heads, layers, context, states and parameters are read
by the modules beside it. No file is opened here and no network is asked.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from catalog.config.context import ContextFacts, read_context
from catalog.config.families import TIED_WHEN_SILENT
from catalog.config.heads import Heads, read_heads
from catalog.config.layers import count_layers, read_layers
from catalog.config.parameters import count_parameters
from catalog.config.values import assumed_defaults, entries, number, part, real, text, text_part, whole
from catalog.layer_shapes import Layer, effective_window, group_layers
from catalog.records import Architecture, Confidence, ContextExtension, Provenance, Record

OTHER_SENSES = (
    *("vision_config", "audio_config", "speech_config", "visual", "vision_tower", "mm_vision_tower", "audio_processor"),
    *("image_token_id", "image_token_index", "video_token_id", "cross_attention_layers", "img_processor", "vision_cfg"),
)
"""Keys that only models of several modalities have."""


class ConfigFacts(Record):
    """What a config.json says. None = not stated, or not by anything that can be trusted."""

    model_type: str | None = None
    """Type of the language model, as transformers names it."""
    architecture: Architecture
    """Figures for the memory prediction."""
    context_native_tokens: int | None = None
    """Context the model is served with unless its configuration is changed."""
    context_extended_tokens: int | None = None
    """Context reachable by the extension."""
    context_extension: ContextExtension | None = None
    """How it is reached; as in Model."""
    context_effective_tokens: int | None = None
    """How far attention reaches back, where every layer has a window."""
    context_source_key: str | None = None
    """Key that the context was read from."""
    multimodal: bool | None = None
    """Whether the model also takes images, audio or video."""
    quantization: str | None = None
    """How the weights are quantized: `awq`, `gptq`, `fp8`, `mxfp4` …; None where they are not."""
    quantization_bits: float | None = None
    """Bits per quantized weight, where stated and the same for all."""
    remote_code: bool = False
    """Whether the repository brings code of its own (auto_map)."""
    dtype: str | None = None
    """Number format of the weights that are not quantized: `bfloat16` …"""
    parameters: int | None = None
    """Number of weights, where the family's tensors are known exactly."""
    active_parameters: int | None = None
    """Weights used for one token, for mixtures of experts."""
    notes: tuple[str, ...] = ()
    """What is doubtful, in sentences."""
    provenance: tuple[Provenance, ...] = ()
    """Source of every fact above."""


def read_config(
    config: Mapping[str, Any], *, source: str, tokenizer_config: Mapping[str, Any] | None = None
) -> ConfigFacts:
    """Facts of one parsed config.json. Never raises for a strange config: what cannot be read is None.

    `source` says where the config came from (`config.json of owner/name at revision`); it goes into the provenance.
    """
    inner = text_part(config)
    assumed = assumed_defaults(inner) if inner is not config else {}
    inner = {**assumed, **inner}
    heads, context = read_heads(inner), read_context(inner, tokenizer_config)
    layers, notes = read_layers(inner, heads)
    tied = _tied(config, inner)
    architecture = _architecture(inner, heads, layers, tied)
    quantization = _quantization(config, inner)
    multimodal = _multimodal(config, inner)
    counted = None if multimodal or "auto_map" in config else count_parameters(inner, heads, tied)
    window = effective_window(layers)
    native = context.native_tokens
    facts = ConfigFacts(
        model_type=text(inner, "model_type"),
        architecture=architecture,
        context_native_tokens=native,
        context_extended_tokens=context.extended_tokens,
        context_extension=context.extension,
        context_effective_tokens=min(window, native) if window and native else window,
        context_source_key=context.source_key,
        multimodal=multimodal,
        quantization=quantization.name,
        quantization_bits=quantization.bits,
        remote_code=bool(config.get("auto_map") or inner.get("auto_map")),
        dtype=_dtype(config, inner),
        parameters=counted.total if counted else None,
        active_parameters=counted.active if counted else None,
        notes=(*context.notes, *notes, *quantization.notes, *_assumed_notes(assumed, inner)),
    )
    return facts.model_copy(update={"provenance": _provenance(facts, heads, context, source, bool(assumed))})


def _architecture(inner: Mapping[str, Any], heads: Heads, layers: tuple[Layer, ...], tied: bool | None) -> Architecture:
    latent = number(inner, "kv_lora_rank")
    experts = number(
        inner, "num_local_experts", "n_routed_experts", "num_experts", "moe_num_experts", "num_routed_experts"
    ) or number(part(inner, "ffn_config"), "moe_num_experts")
    return Architecture(
        name=text(inner, "model_type"),
        layers=count_layers(inner),
        hidden_size=number(inner, "hidden_size", "n_embd", "d_model", "n_embed", "model_dim"),
        heads=heads.heads,
        kv_heads=heads.kv_heads,
        head_dim=heads.key_dim,
        value_head_dim=heads.value_dim if heads.value_dim != heads.key_dim else None,
        intermediate_size=_intermediate_size(inner, experts),
        vocabulary_size=number(inner, "vocab_size", "padded_vocab_size", "n_vocab"),
        tied_embeddings=tied,
        layer_groups=group_layers(layers) if layers else (),
        kv_lora_rank=latent,
        qk_rope_head_dim=number(inner, "qk_rope_head_dim") if latent else None,
        experts=experts,
        experts_per_token=_experts_per_token(inner) if experts else None,
    )


def _intermediate_size(inner: Mapping[str, Any], experts: int | None) -> int | None:
    ffn = part(inner, "ffn_config")
    if experts:
        size = number(inner, "moe_intermediate_size", "expert_intermediate_size") or number(ffn, "ffn_hidden_size")
        if size is not None:
            return size
    size = number(inner, "intermediate_size", "ffn_hidden_size", "n_inner", "ffn_dim", "d_ff")
    return size or whole((entries(inner, "intermediate_size") or [None])[0]) or None


def _experts_per_token(inner: Mapping[str, Any]) -> int | None:
    keys = (
        "num_experts_per_tok",
        "num_experts_per_token",
        "top_k_experts",
        "moe_k",
        "moe_topk",
        "num_selected_experts",
    )
    return number(inner, *keys) or number(part(inner, "ffn_config"), "moe_top_k")


def _tied(config: Mapping[str, Any], inner: Mapping[str, Any]) -> bool | None:
    for place in (inner, config):
        stated = place.get("tie_word_embeddings")
        if isinstance(stated, bool):
            return stated
    return True if str(inner.get("model_type")) in TIED_WHEN_SILENT else None


def _multimodal(config: Mapping[str, Any], inner: Mapping[str, Any]) -> bool | None:
    if any(place.get(key) not in (None, {}, [], "") for place in (config, inner) for key in OTHER_SENSES):
        return True
    if inner.get("model_type") != config.get("model_type") and text_part(config) is not config:
        return True
    classes = entries(config, "architectures")
    return False if classes and str(classes[0]).endswith(("ForCausalLM", "LMHeadModel")) else None


def _dtype(config: Mapping[str, Any], inner: Mapping[str, Any]) -> str | None:
    found = text(inner, "dtype", "torch_dtype") or text(config, "dtype", "torch_dtype")
    return found.removeprefix("torch.") if found else None


class _Quantization(NamedTuple):
    name: str | None = None
    bits: float | None = None
    notes: tuple[str, ...] = ()


_BITS_OF = {"fp8": 8.0, "mxfp4": 4.25, "nvfp4": 4.5, "int8": 8.0, "mxfp8": 8.25}
"""Bits per weight with the scales of its blocks, where the name says it all: ggml and OCP block formats."""


def _quantization(config: Mapping[str, Any], inner: Mapping[str, Any]) -> _Quantization:
    stated = part(config, "quantization_config") or part(inner, "quantization_config")
    if not stated:
        mlx = part(config, "quantization") or part(inner, "quantization")
        return _Quantization("mlx", real(mlx, "bits")) if mlx else _Quantization()
    method = (text(stated, "quant_method", "quant_type") or "").lower() or None
    if stated.get("load_in_4bit") is True or stated.get("load_in_8bit") is True:
        return _Quantization(method or "bitsandbytes", 4.0 if stated.get("load_in_4bit") is True else 8.0)
    algorithm = (text(stated, "moe_quant_algo", "quant_algo", "format") or "").lower()
    named = next((name for name in ("nvfp4", "mxfp4", "mxfp8", "fp8") if name in algorithm), None)
    if method in {"modelopt", "modelopt_fp4", "compressed-tensors", "fp8", "quark"} and named and named != method:
        mixed = text(stated, "quant_algo") == "MIXED_PRECISION"
        notes = ("Its layers are quantized in different formats.",) if mixed else ()
        return _Quantization(named, None if mixed else _BITS_OF[named], notes)
    bits = real(stated, "bits", "w_bit", "wbits", "nbits") or _weight_bits(stated) or _BITS_OF.get(method or "")
    if method == "compressed-tensors" and algorithm == "float-quantized" and bits == 8:
        method = "fp8"
    return _Quantization(method, bits)


def _weight_bits(stated: Mapping[str, Any]) -> float | None:
    """Bits of the weights in the groups of compressed-tensors and modelopt, where all groups agree."""
    groups = [group for group in part(stated, "config_groups").values() if isinstance(group, Mapping)]
    bits = {real(part(group, "weights"), "num_bits") for group in groups}
    return bits.pop() if len(bits) == 1 else None


def _assumed_notes(assumed: Mapping[str, Any], inner: Mapping[str, Any]) -> tuple[str, ...]:
    missing = [key for key in ("hidden_size", "num_hidden_layers", "num_attention_heads") if key in assumed]
    if not missing:
        return ()
    return (f"The config leaves out {', '.join(missing)}: the defaults of {inner.get('model_type')} are taken.",)


def _provenance(
    facts: ConfigFacts, heads: Heads, context: ContextFacts, source: str, assumed: bool
) -> tuple[Provenance, ...]:
    """One entry for every fact that is there."""
    stated: Confidence = "derived" if assumed else "verified"
    context_confidence: Confidence = "doubtful" if context.doubtful else stated
    key = f"{source}, {context.source_key}"
    rows: list[tuple[str, str, Confidence]] = [("architecture", source, stated)]
    rows += [
        (f"architecture.{name}", f"derived: {_RULES[name]} ({source})", "derived") for name in sorted(heads.derived)
    ]
    if facts.context_native_tokens is not None:
        rows.append(("context_native_tokens", key, context_confidence))
        extension = context.source or f"{source}, rope scaling"
        rows.append(("context_extension", extension, "derived" if context.source else context_confidence))
    if facts.context_extended_tokens is not None:
        extension = context.source or f"{source}, rope scaling"
        rows.append(("context_extended_tokens", extension, "reported" if context.source else context_confidence))
    if facts.context_effective_tokens is not None:
        rows.append(("context_effective_tokens", f"{source}: every layer has a window", "derived"))
    if facts.parameters is not None:
        rows.append(("parameters", f"counted over the tensors of {facts.model_type} ({source})", "derived"))
    if facts.active_parameters is not None:
        rows.append(("active_parameters", f"counted over the tensors of {facts.model_type} ({source})", "derived"))
    for name in ("multimodal", "quantization"):
        if getattr(facts, name) is not None:
            rows.append((name, source, "verified" if name == "quantization" else "derived"))
    rows.append(("remote_code", f"{source}, auto_map", "verified"))
    return tuple(Provenance(field=field, source=place, confidence=confidence) for field, place, confidence in rows)


_RULES = {
    "kv_heads": "transformers takes as many key heads as query heads where the config names none",
    "head_dim": "transformers takes hidden_size / heads, or the sum of the parts of a key, where the config names none",
}
