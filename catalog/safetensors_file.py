"""What safetensors files hold, from their headers alone: exact bytes, number formats, and how many weights there are.

Quantized checkpoints pack several weights into one stored number (GPTQ, AWQ, MLX, FP4) and add scales that are no
weights: counting elements, as the Hub's summary does, is then wrong by up to 8 times. The packing is undone from
shapes and names; such a count is `doubtful`. Nothing but the headers is read.

Format: 8 bytes with the header's length, that much JSON, then the tensors (huggingface/safetensors, README).
"""

import json
import math
import struct
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import Field

from catalog.errors import BadWeightsFile
from catalog.records import Confidence, Record

_BITS = {
    **dict.fromkeys(("F64", "I64", "U64", "C64"), 64),
    **dict.fromkeys(("F32", "I32", "U32"), 32),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 16),
    **dict.fromkeys(("F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "I8", "U8", "BOOL"), 8),
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 6),
    "F4": 4,
}
_LONGEST_HEADER = 100_000_000
"""The limit of the safetensors library itself."""
_LONGEST_INDEX = 100_000_000

INDEX_NAME = "model.safetensors.index.json"

# Tensors that serve quantization or positions and are no weights of the network.
_AUXILIARY = (
    *(".qzeros", ".g_idx", ".weight_scale", ".weight_scale_2", ".weight_scale_inv", ".input_scale", ".weight_shape"),
    *(".weight_zero_point", ".weight_g_idx", ".weight_global_scale", ".input_global_scale", ".k_scale", ".v_scale"),
    *(
        ".weight_format",
        ".SCB",
        ".weight.absmax",
        ".weight.quant_map",
        ".weight.nested_absmax",
    ),
    *(".weight.nested_quant_map", ".inv_freq", ".pre_quant_scale", ".output_scale", ".activation_scale"),
)


class NumberFormat(Record):
    """How much of a checkpoint is stored in one number format."""

    dtype: str
    """As safetensors names it: `BF16`, `F8_E4M3`, `U8` …"""
    elements: int = Field(ge=0)
    """Stored numbers of that format."""


class SafetensorsFacts(Record):
    """One checkpoint, in one file or several."""

    paths: tuple[str, ...]
    """Its files."""
    size_bytes: int = Field(ge=0)
    """Size of the files."""
    tensor_bytes: int = Field(ge=0)
    """Bytes of the tensors."""
    stored_elements: int = Field(ge=0)
    """Numbers as stored, packed ones and scales included."""
    parameters: int = Field(ge=0)
    """Weights of the network, unpacked."""
    confidence: Confidence
    """verified: counted one by one; doubtful: some were unpacked by what names and shapes suggest."""
    formats: tuple[NumberFormat, ...]
    """Number formats, the most frequent first."""
    notes: tuple[str, ...] = ()
    """What is doubtful, in sentences."""


class _Tensor(NamedTuple):
    dtype: str
    shape: tuple[int, ...]


class _File(NamedTuple):
    size_bytes: int
    tensor_bytes: int
    tensors: dict[str, _Tensor]


def read_safetensors(
    paths: Sequence[Path], *, bits: float | None = None, group_size: int | None = None
) -> SafetensorsFacts:
    """Facts of one checkpoint from all its files. `bits` and `group_size` are those of its quantization, where known.

    Raises BadWeightsFile when a file is missing, cut short, damaged or no safetensors file.
    """
    files = [_read_file(path) for path in paths]
    tensors = {name: tensor for file in files for name, tensor in file.tensors.items()}
    parameters, packed = 0, False
    for name, tensor in tensors.items():
        count, unpacked = _weights(name, tensor, tensors, bits, group_size)
        parameters += count
        packed = packed or unpacked
    formats: Counter[str] = Counter()
    for tensor in tensors.values():
        formats[tensor.dtype] += math.prod(tensor.shape)
    return SafetensorsFacts(
        paths=tuple(str(path) for path in paths),
        size_bytes=sum(file.size_bytes for file in files),
        tensor_bytes=sum(file.tensor_bytes for file in files),
        stored_elements=sum(formats.values()),
        parameters=parameters,
        confidence="doubtful" if packed else "verified",
        formats=tuple(NumberFormat(dtype=dtype, elements=count) for dtype, count in formats.most_common()),
        notes=("The weights are packed; their number was worked out from the shapes.",) if packed else (),
    )


def read_checkpoint(
    folder: Path, *, bits: float | None = None, group_size: int | None = None
) -> SafetensorsFacts | None:
    """The checkpoint in a folder: the files of its index, else every .safetensors file; None where there is none.

    The index's own `total_size` is only checked: some were written by hand and are wrong by 20,000 times
    (huggingface_hub#4221). Raises BadWeightsFile, also when the index names a file that is not there.
    """
    index = folder / INDEX_NAME
    if not index.is_file():
        paths = sorted(folder.glob("*.safetensors"))
        return read_safetensors(paths, bits=bits, group_size=group_size) if paths else None
    names, total = _read_index(index)
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        message = f"{folder} is not complete: {INDEX_NAME} names {missing[0]}, which is not there. Download it again."
        raise BadWeightsFile(message)
    facts = read_safetensors([folder / name for name in names], bits=bits, group_size=group_size)
    if total is None or total == facts.tensor_bytes:
        return facts
    note = f"{INDEX_NAME} states {total:,} bytes, but the tensors have {facts.tensor_bytes:,}; the tensors count."
    return facts.model_copy(update={"notes": (*facts.notes, note)})


def _read_index(path: Path) -> tuple[list[str], int | None]:
    """(file names in order, stated bytes)."""
    try:
        if path.stat().st_size > _LONGEST_INDEX:
            raise BadWeightsFile(f"{path} is damaged: it has {path.stat().st_size:,} bytes. Download it again.")
        index = json.loads(path.read_bytes())
        # A name with folders in it would lead out of the checkpoint.
        names = sorted({Path(str(name)).name for name in index["weight_map"].values()})
        stated = (index.get("metadata") or {}).get("total_size")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadWeightsFile(f"{path} is no index of safetensors files ({error}). Download it again.") from error
    except OSError as error:
        raise BadWeightsFile(f"{path} cannot be read: {error.strerror}.") from error
    return names, int(stated) if isinstance(stated, int | float) and stated >= 0 else None


def _read_file(path: Path) -> _File:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
            if len(start) < 8:
                raise BadWeightsFile(f"{path} has {size} bytes and is no safetensors file. Download it again.")
            (length,) = struct.unpack("<Q", start)
            if length > _LONGEST_HEADER:
                message = (
                    f"{path} is no safetensors file: it announces a header of {length:,} bytes. Download it again."
                )
                raise BadWeightsFile(message)
            text = file.read(length)
    except FileNotFoundError as error:
        raise BadWeightsFile(f"There is no file {path}. Check the path, or download the model again.") from error
    except OSError as error:
        raise BadWeightsFile(f"{path} cannot be read: {error.strerror}.") from error
    if len(text) < length:
        message = (
            f"{path} ends too early: its header needs {length + 8:,} bytes and it has {size:,}. Download it again."
        )
        raise BadWeightsFile(message)
    tensors, end = _parse_header(path, text)
    if 8 + length + end > size:
        needed = 8 + length + end
        message = f"{path} ends too early: its tensors need {needed:,} bytes and it has {size:,}. Download it again."
        raise BadWeightsFile(message)
    return _File(size, sum(_stored_bytes(tensor) for tensor in tensors.values()), tensors)


def _parse_header(path: Path, text: bytes) -> tuple[dict[str, _Tensor], int]:
    """(tensors by name, end of the last one behind the header)."""
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadWeightsFile(f"{path} is damaged: its header is no JSON. Download it again.") from error
    tensors, end = {}, 0
    try:
        for name, entry in header.items():
            if name == "__metadata__":
                continue
            tensor = _Tensor(str(entry["dtype"]), tuple(int(size) for size in entry["shape"]))
            first, last = (int(offset) for offset in entry["data_offsets"])
            if last - first != _stored_bytes(tensor) or first < 0 or any(size < 0 for size in tensor.shape):
                raise ValueError(f"{name[:60]} has {last - first} bytes")
            tensors[name] = tensor
            end = max(end, last)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadWeightsFile(f"{path} is damaged: its header makes no sense ({error}). Download it again.") from error
    return tensors, end


def _stored_bytes(tensor: _Tensor) -> int:
    """KeyError for a number format that is not known."""
    return -(-math.prod(tensor.shape) * _BITS[tensor.dtype] // 8)


def _weights(
    name: str, tensor: _Tensor, tensors: Mapping[str, _Tensor], bits: float | None, group_size: int | None
) -> tuple[int, bool]:
    """(weights of the network in this tensor, whether they had to be unpacked)."""
    if _is_auxiliary(name, tensors):
        return 0, False
    unpacked = _unpacked(name, tensor, tensors, bits, group_size)
    return (math.prod(tensor.shape), False) if unpacked is None else (unpacked, True)


def _is_auxiliary(name: str, tensors: Mapping[str, _Tensor]) -> bool:
    """Scales, zero points and the like, and positions."""
    stem, _, ending = name.rpartition(".")
    return (
        name.endswith(_AUXILIARY)
        or ".weight.quant_state." in name
        or (ending in {"scales", "biases"} and _is_packed_host(tensors, stem))
        or (name.endswith("_scales") and f"{name.removesuffix('_scales')}_blocks" in tensors)
    )


def _unpacked(
    name: str, tensor: _Tensor, tensors: Mapping[str, _Tensor], bits: float | None, group_size: int | None
) -> int | None:
    """Weights behind packed numbers; None where the numbers are the weights."""
    elements = math.prod(tensor.shape)
    stem, _, ending = name.rpartition(".")
    if ending == "qweight":
        return _packed_in_integers(stem, tensor, tensors, bits)
    if ending == "weight_packed":
        return elements * 2 if tensor.dtype == "U8" else round(elements * 32 / (bits or 4))
    scales = tensors.get(f"{stem}.scales")
    if ending == "weight" and tensor.dtype == "U32" and scales is not None and scales.shape:
        # MLX: a row of scales has one entry for every group of weights, 64 by default.
        return elements // max(1, tensor.shape[-1]) * scales.shape[-1] * (group_size or 64)
    two_in_a_byte = name.endswith("_blocks") or f"{name}_scale" in tensors or f"{name}.absmax" in tensors
    return elements * 2 if tensor.dtype == "U8" and two_in_a_byte else None


def _is_packed_host(tensors: Mapping[str, _Tensor], stem: str) -> bool:
    weight = tensors.get(f"{stem}.weight")
    return f"{stem}.qweight" in tensors or (weight is not None and weight.dtype == "U32")


def _packed_in_integers(stem: str, tensor: _Tensor, tensors: Mapping[str, _Tensor], bits: float | None) -> int:
    """GPTQ packs along the inputs, AWQ along the outputs; the scales keep the number of outputs."""
    elements = math.prod(tensor.shape)
    scales, zeros = tensors.get(f"{stem}.scales"), tensors.get(f"{stem}.qzeros")
    if scales is not None and scales.shape and tensor.shape:
        outputs, packed = scales.shape[-1], tensor.shape[-1]
        if packed >= outputs and zeros is not None and zeros.shape:
            packed = zeros.shape[-1]
        if 0 < packed < outputs:
            return round(elements * outputs / packed)
    return round(elements * 32 / (bits or 4))
