"""What a GGUF file says of itself: architecture layer by layer, context, license, lineage, quantization.

Facts only; bytes are read by gguf_reader, layers are told apart by gguf_layers. A model in several parts
(`-00001-of-00003.gguf`) is read as one. Files that are no text model (the vision part `mmproj`, adapters) say so in
`kind`.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gguf.constants import LlamaFileType
from pydantic import ValidationError

from catalog.config.context import ContextFacts, read_context
from catalog.config.values import whole
from catalog.errors import BadWeightsFile
from catalog.gguf_layers import RECURRENT, GgufKeys, gguf_layers, head_dims, main_layers
from catalog.gguf_reader import GgufHeader, read_header
from catalog.layer_shapes import Layer, effective_window, group_layers
from catalog.records import Architecture, ContextExtension, Record

_NAMES_IN_TRANSFORMERS = {"qwen3moe": "qwen3_moe"}
"""Architectures whose context rules are kept under another name."""
_ARBITRARY_CONTEXT = 2**20
"""Written by llama.cpp's converter where a network has no limit of its own (Mamba, RWKV, Granite hybrids)."""
_WITHOUT_LIMIT = RECURRENT | {"granitehybrid"}


class GgufFacts(Record):
    """What the header says."""

    path: str
    """The file; the first of several parts."""
    size_bytes: int
    """Its size, over all parts."""
    part_paths: tuple[str, ...] = ()
    """All parts, where there are several."""
    kind: str = "model"
    """`model`, or what else the header says: `mmproj`, `adapter` …"""
    architecture: Architecture
    """Figures for the memory prediction."""
    name: str | None
    """Name of the model as its maker wrote it."""
    license: str | None
    """License id as its maker wrote it."""
    license_name: str | None = None
    """Name of the license, beside `other`."""
    license_link: str | None = None
    """Where its text is."""
    base_models: tuple[str, ...] = ()
    """Hub ids of the models that it was made from."""
    datasets: tuple[str, ...] = ()
    """Hub ids of the training data that it names."""
    quantization: str | None
    """`Q4_K_M` …, from the file type."""
    parameters: int
    """Weights, counted over the tensors."""
    tensor_bytes: int
    """Bytes of the tensors."""
    context_tokens: int | None
    """Context that the header names; for LongRoPE the original one."""
    context_extended_tokens: int | None = None
    """Context reachable by the extension."""
    context_extension: ContextExtension | None = None
    """How it is reached."""
    context_effective_tokens: int | None = None
    """How far attention reaches back, where every layer has a window."""
    chat_template: str | None
    """Jinja text; untrusted."""
    languages: tuple[str, ...]
    """Language codes."""
    notes: tuple[str, ...] = ()
    """What is doubtful."""


def read_gguf(path: Path) -> GgufFacts:
    """Facts of one model. Raises BadWeightsFile when a file is missing, no GGUF, cut short or damaged."""
    header = read_header(path)
    try:
        return _facts(path, header)
    except ValidationError as error:
        reason = error.errors(include_url=False)[0]
        raise BadWeightsFile(
            f"{path} is damaged: its header says {'.'.join(map(str, reason['loc']))} = {reason['input']!r}. "
            "Download it again."
        ) from error


def _facts(path: Path, header: GgufHeader) -> GgufFacts:
    values = header.metadata
    name = _text(values.get("general.architecture")) or ""
    prefix = f"{name}."
    own = {key.removeprefix(prefix): value for key, value in values.items() if key.startswith(prefix)}
    keys = GgufKeys(name, own)
    layers, context = gguf_layers(keys), _context(keys)
    window, native = effective_window(layers), context.native_tokens
    return GgufFacts(
        path=str(header.paths[0]),
        size_bytes=header.size_bytes,
        part_paths=tuple(str(part) for part in header.paths) if len(header.paths) > 1 else (),
        kind="mmproj" if name == "clip" else _text(values.get("general.type")) or "model",
        architecture=_architecture(keys, layers, header),
        name=_text(values.get("general.name")),
        license=_text(values.get("general.license")),
        license_name=_text(values.get("general.license.name")),
        license_link=_text(values.get("general.license.link")),
        base_models=_hub_ids(values, "general.base_model"),
        datasets=_hub_ids(values, "general.dataset") or _texts(values.get("general.datasets")),
        quantization=_quantization(values.get("general.file_type"), path),
        parameters=header.parameters,
        tensor_bytes=header.tensor_bytes,
        context_tokens=native,
        context_extended_tokens=context.extended_tokens,
        context_extension=context.extension,
        context_effective_tokens=min(window, native) if window and native else window,
        chat_template=_text(values.get("tokenizer.chat_template")),
        languages=_texts(values.get("general.languages")),
        notes=context.notes,
    )


def file_sha256(path: Path) -> str:
    """Lower-case hex digest of a whole file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _architecture(keys: GgufKeys, layers: tuple[Layer, ...], header: GgufHeader) -> Architecture:
    tokens = header.metadata.get("tokenizer.ggml.tokens")
    vocabulary = len(tokens) if isinstance(tokens, list) else tokens
    heads, experts = keys.number("attention.head_count"), keys.number("expert_count")
    key_dim, value_dim = head_dims(keys)
    latent = keys.number("attention.key_length_mla")
    if latent is not None:
        key_dim, value_dim = latent, keys.number("attention.value_length_mla")
    rank = keys.number("attention.kv_lora_rank") if latent is not None else None
    inner = keys.number("expert_feed_forward_length") if experts else None
    return Architecture(
        name=keys.name or None,
        layers=main_layers(keys),
        hidden_size=keys.number("embedding_length"),
        heads=heads,
        kv_heads=keys.number("attention.head_count_kv") or heads,
        head_dim=key_dim,
        value_head_dim=value_dim if value_dim != key_dim else None,
        intermediate_size=inner or keys.number("feed_forward_length"),
        vocabulary_size=keys.number("vocab_size")
        or (vocabulary if isinstance(vocabulary, int) and vocabulary else None),
        tied_embeddings="output.weight" not in header.tensor_names if header.tensor_names else None,
        layer_groups=group_layers(layers) if layers else (),
        kv_lora_rank=rank,
        qk_rope_head_dim=keys.number("rope.dimension_count") if rank is not None else None,
        experts=experts,
        experts_per_token=keys.number("expert_used_count"),
    )


def _context(keys: GgufKeys) -> ContextFacts:
    """The rules of config.json, on the same facts under the header's names."""
    length = keys.number("context_length")
    if length == _ARBITRARY_CONTEXT and keys.name in _WITHOUT_LIMIT:
        note = "The header's context of 1,048,576 tokens only stands for 'no limit'."
        return ContextFacts(None, None, None, None, None, (note,), doubtful=False)
    scaling = {
        "rope_type": keys.values.get("rope.scaling.type"),
        "factor": keys.values.get("rope.scaling.factor"),
        "original_max_position_embeddings": keys.values.get("rope.scaling.original_context_length"),
    }
    if scaling["rope_type"] is None and keys.name in {"phi3", "phimoe"} and scaling["original_max_position_embeddings"]:
        # Factors for long texts lie in tensors; the header only keeps the original length.
        scaling["rope_type"] = "longrope"
    stated = {
        "model_type": _NAMES_IN_TRANSFORMERS.get(keys.name, keys.name),
        "hidden_size": keys.number("embedding_length"),
        "max_position_embeddings": length,
        "rope_scaling": scaling,
    }
    return read_context(stated, None)


def _hub_ids(values: Mapping[str, Any], prefix: str) -> tuple[str, ...]:
    """`owner/name` of the entries PREFIX.0 …, whose addresses point to the Hub."""
    found = []
    for number in range(min(whole(values.get(f"{prefix}.count")) or 0, 64)):
        address = _text(values.get(f"{prefix}.{number}.repo_url")) or ""
        path = address.partition("huggingface.co/")[2].removeprefix("datasets/").strip("/")
        if path.count("/") == 1:
            found.append(path)
    return tuple(found)


def _quantization(file_type: Any, path: Path) -> str | None:
    try:
        return LlamaFileType(file_type).name.removeprefix("MOSTLY_").removeprefix("ALL_")
    except ValueError:
        ending = path.stem.replace("-", ".").rpartition(".")[2].upper()
        return ending if ending.startswith(("Q", "IQ", "F16", "BF16", "F32")) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
