"""Reads what a GGUF file says of itself, without loading weights, and notices files that are cut short or damaged.

Own reader because the gguf package's GGUFReader builds Python objects for every token of the vocabulary: seconds per
file, where an engineer waits for a table. Types and block sizes come from that package; a test holds the two together.
Reading stays inside the file's bounds whatever it claims.
"""

import hashlib
import math
import mmap
import struct
from pathlib import Path
from typing import Any

from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFValueType, LlamaFileType

from catalog.errors import BadWeightsFile
from catalog.records import Architecture, Model, Provenance, Record, WeightsFile

_SCALARS = {
    GGUFValueType.UINT8: "<B",
    GGUFValueType.INT8: "<b",
    GGUFValueType.UINT16: "<H",
    GGUFValueType.INT16: "<h",
    GGUFValueType.UINT32: "<I",
    GGUFValueType.INT32: "<i",
    GGUFValueType.FLOAT32: "<f",
    GGUFValueType.BOOL: "<?",
    GGUFValueType.UINT64: "<Q",
    GGUFValueType.INT64: "<q",
    GGUFValueType.FLOAT64: "<d",
}
_MOST_ENTRIES = 1_000_000
"""More metadata entries or tensors than this no model has."""
_FULL_ATTENTION_EVERY = {"gemma2": 2, "gemma3": 6}
"""Every how many-th layer attends to everything, where the header names a window but no pattern (llama-model.cpp)."""
_LONGEST_KEPT_ARRAY = 4_096
"""Longer arrays (vocabularies, merges) are skipped; only their length is kept."""


class GgufFacts(Record):
    """What the header says."""

    path: str
    """The file."""
    size_bytes: int
    """Its size."""
    architecture: Architecture
    """Figures for the memory prediction."""
    name: str | None
    """Name of the model as its maker wrote it."""
    license: str | None
    """License id as its maker wrote it."""
    quantization: str | None
    """`Q4_K_M` …, from the file type."""
    parameters: int
    """Weights, counted over the tensors."""
    tensor_bytes: int
    """Bytes of the tensors."""
    context_tokens: int | None
    """Context that the header names."""
    chat_template: str | None
    """Jinja text; untrusted."""
    languages: tuple[str, ...]
    """Language codes."""


class _Cut(Exception):
    """The file ends before what it announces."""


class _Reader:
    """Reads values at a moving offset, never past the end."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self.offset = 0

    def scalar(self, layout: str) -> Any:
        size = struct.calcsize(layout)
        self.need(size)
        (value,) = struct.unpack_from(layout, self._data, self.offset)
        self.offset += size
        return value

    def text(self) -> str:
        length = self.scalar("<Q")
        self.need(length)
        value = self._data[self.offset : self.offset + length].decode("utf-8", "replace")
        self.offset += length
        return value

    def skip_text(self) -> None:
        length = self.scalar("<Q")
        self.need(length)
        self.offset += length

    def need(self, size: int) -> None:
        if size > len(self._data) - self.offset:
            raise _Cut


def read_gguf(path: Path) -> GgufFacts:
    """Facts of one file. Raises BadWeightsFile when it is missing, no GGUF, cut short or damaged."""
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise BadWeightsFile(f"{path} is not a file. Name the .gguf file itself.")
        if size < 24:
            raise BadWeightsFile(f"{path} has {size} bytes and is no GGUF file. Download it again.")
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _read(path, size, _Reader(data))
    except FileNotFoundError as error:
        raise BadWeightsFile(f"There is no file {path}. Check the path, or download the model again.") from error
    except _Cut as error:
        message = f"{path} ends too early: its header announces more than its {size:,} bytes. Download it again."
        raise BadWeightsFile(message) from error
    except OSError as error:
        raise BadWeightsFile(f"{path} cannot be read: {error.strerror}.") from error


def file_sha256(path: Path) -> str:
    """Lower-case hex digest of a whole file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def local_model(path: Path) -> Model:
    """A GGUF file as a model of the catalog. Raises BadWeightsFile."""
    facts = read_gguf(path)
    source = f"GGUF header of {path.name}"
    known = ["parameters", "architecture", *(name for name in ("license",) if facts.license)]
    return Model(
        id=str(path),
        kind="local",
        task="text-generation",
        license=facts.license,
        parameters=facts.parameters or None,
        context_native_tokens=facts.context_tokens,
        architecture=facts.architecture,
        formats=("gguf",),
        languages=facts.languages,
        weights_files=(
            WeightsFile(path=str(path), size_bytes=facts.size_bytes, format="gguf", quantization=facts.quantization),
        ),
        provenance=tuple(Provenance(field=name, source=source, confidence="verified") for name in known),
    )


def _read(path: Path, size: int, reader: _Reader) -> GgufFacts:
    if reader.scalar("<I") != 0x46554747:
        raise BadWeightsFile(f"{path} is no GGUF file: its first bytes are not 'GGUF'. Download it again.")
    version = reader.scalar("<I")
    if version not in {2, 3}:
        raise BadWeightsFile(f"{path} is GGUF version {version}; versions 2 and 3 can be read. Convert it anew.")
    tensors, entries = reader.scalar("<Q"), reader.scalar("<Q")
    if max(tensors, entries) > _MOST_ENTRIES:
        raise BadWeightsFile(f"{path} is damaged: it announces {max(tensors, entries):,} entries. Download it again.")
    metadata: dict[str, Any] = {}
    for _ in range(entries):
        key = reader.text()
        metadata[key] = _value(path, reader, reader.scalar("<I"))
    parameters, tensor_bytes = _tensors(path, size, reader, tensors, metadata.get("general.alignment"))
    return _facts(path, size, metadata, parameters, tensor_bytes)


def _value(path: Path, reader: _Reader, kind: int) -> Any:
    if kind == GGUFValueType.STRING:
        return reader.text()
    if kind != GGUFValueType.ARRAY:
        return reader.scalar(_layout(path, kind))
    element, length = reader.scalar("<I"), reader.scalar("<Q")
    if element == GGUFValueType.STRING:
        if length > _LONGEST_KEPT_ARRAY:
            for _ in range(length):
                reader.skip_text()
            return length
        return [reader.text() for _ in range(length)]
    layout = _layout(path, element)
    reader.need(struct.calcsize(layout) * length)
    if length > _LONGEST_KEPT_ARRAY:
        reader.offset += struct.calcsize(layout) * length
        return length
    return [reader.scalar(layout) for _ in range(length)]


def _layout(path: Path, kind: int) -> str:
    try:
        return _SCALARS[GGUFValueType(kind)]
    except (ValueError, KeyError) as error:
        raise BadWeightsFile(f"{path} is damaged: it has a value of unknown type {kind}. Download it again.") from error


def _tensors(path: Path, size: int, reader: _Reader, count: int, alignment: Any) -> tuple[int, int]:
    """Parameters and bytes over all tensors, after checking that the file holds them all."""
    parameters = tensor_bytes = end = 0
    for _ in range(count):
        name = reader.text()
        dimensions = [reader.scalar("<Q") for _ in range(min(reader.scalar("<I"), 8))]
        kind, offset = reader.scalar("<I"), reader.scalar("<Q")
        try:
            block, block_bytes = GGML_QUANT_SIZES[GGMLQuantizationType(kind)]
        except (ValueError, KeyError) as error:
            message = f"{path}: the tensor {name[:60]!r} has the unknown type {kind}. The file is damaged or too new."
            raise BadWeightsFile(message) from error
        elements = math.prod(dimensions)
        stored = elements // block * block_bytes
        parameters += elements
        tensor_bytes += stored
        end = max(end, offset + stored)
    align = alignment if isinstance(alignment, int) and alignment > 0 else 32
    start = -(-reader.offset // align) * align
    if start + end > size:
        message = (
            f"{path} ends too early: its tensors need {start + end:,} bytes and it has {size:,}. Download it again."
        )
        raise BadWeightsFile(message)
    return parameters, tensor_bytes


def _facts(path: Path, size: int, metadata: dict[str, Any], parameters: int, tensor_bytes: int) -> GgufFacts:
    name = _text(metadata.get("general.architecture"))

    def number(key: str) -> int | None:
        value = metadata.get(f"{name}.{key}")
        if isinstance(value, list):
            # Per-layer values; the largest bounds the memory that the cache takes.
            value = max((item for item in value if isinstance(item, int)), default=None)
        return value if isinstance(value, int) and value > 0 else None

    heads, hidden = number("attention.head_count"), number("embedding_length")
    tokens = metadata.get("tokenizer.ggml.tokens")
    vocabulary = len(tokens) if isinstance(tokens, list) else tokens
    layers, pattern = number("block_count"), _FULL_ATTENTION_EVERY.get(name or "")
    return GgufFacts(
        path=str(path),
        size_bytes=size,
        architecture=Architecture(
            name=name,
            layers=layers,
            hidden_size=hidden,
            heads=heads,
            kv_heads=number("attention.head_count_kv") or heads,
            # llama.cpp's own default where the header has no key length (llama-hparams.cpp).
            head_dim=number("attention.key_length") or (hidden // heads if hidden and heads else None),
            value_head_dim=number("attention.value_length"),
            vocabulary_size=number("vocab_size")
            or (vocabulary if isinstance(vocabulary, int) and vocabulary else None),
            sliding_window_tokens=number("attention.sliding_window"),
            sliding_layers=layers - layers // pattern if layers and pattern else None,
            experts=number("expert_count"),
            experts_per_token=number("expert_used_count"),
        ),
        name=_text(metadata.get("general.name")),
        license=_text(metadata.get("general.license")),
        quantization=_quantization(metadata.get("general.file_type"), path),
        parameters=parameters,
        tensor_bytes=tensor_bytes,
        context_tokens=number("context_length"),
        chat_template=_text(metadata.get("tokenizer.chat_template")),
        languages=tuple(text for text in _list(metadata.get("general.languages")) if isinstance(text, str)),
    )


def _quantization(file_type: Any, path: Path) -> str | None:
    try:
        return LlamaFileType(file_type).name.removeprefix("MOSTLY_").removeprefix("ALL_")
    except ValueError:
        ending = path.stem.replace("-", ".").rpartition(".")[2].upper()
        return ending if ending.startswith(("Q", "IQ", "F16", "BF16", "F32")) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
