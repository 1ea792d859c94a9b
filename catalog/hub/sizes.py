"""How many weights a repository really has, from summaries that are wrong at times.

The traps: quantized weights lie packed several to an element, so the Hub's count is up to eight times too small
(huggingface.js #1770, #2003, #2323, omlx #3489); `total` may be copied from hand-written metadata (huggingface_hub
#4221: 333 thousand for 7.6 billion). So a count is believed when a second source agrees (its own parts, the bytes of
the files, the size in the name), called doubtful when nothing does, and dropped when something speaks against it.
Pure; reads no header itself (catalog/safetensors_file.py does).
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from catalog.records import Confidence

_BYTES_PER_ELEMENT = {
    "F64": 8.0,
    "I64": 8.0,
    "F32": 4.0,
    "I32": 4.0,
    "U32": 4.0,
    "F16": 2.0,
    "BF16": 2.0,
    "I16": 2.0,
    "U16": 2.0,
    "F8_E4M3": 1.0,
    "F8_E5M2": 1.0,
    "F8_E8M0": 1.0,
    "I8": 1.0,
    "U8": 1.0,
    "BOOL": 1.0,
    "F6_E2M3": 0.75,
    "F6_E3M2": 0.75,
    "F4": 0.5,
}
"""Names as the safetensors format writes them."""
_PACKED = frozenset({"I32", "U32", "I64", "U8", "I16", "U16"})
"""Element types in which several quantized weights lie in one element."""
_TOO_LARGE = 2**50
"""A thousand trillion weights no model has."""
_SIZE_IN_NAME = re.compile(r"(?<![A-Za-z0-9.])(?:(\d{1,3})x)?(\d{1,4}(?:\.\d{1,3})?)([BMbm])(?![A-Za-z0-9])", re.ASCII)


class Size(NamedTuple):
    """What could be found out."""

    parameters: int | None = None
    """Weights of the unpacked network."""
    confidence: Confidence = "reported"
    """How far the number can be trusted."""
    weights_bytes: int | None = None
    """Bytes, where the element types tell them."""
    note: str | None = None
    """What the reader should know."""


def size_in_name(model_id: str) -> int | None:
    """The size that a name states: 7 000 000 000 for `maker/Model-7B-Chat`; the largest where there are several."""
    found = [
        int(float(number) * (int(experts) if experts else 1) * (1e9 if unit in "Bb" else 1e6))
        for experts, number, unit in _SIZE_IN_NAME.findall(model_id.rpartition("/")[2])
    ]
    return max(found, default=None) or None


def safetensors_size(summary: Any, model_id: str, quantization: str | None, exact_bytes: int | None) -> Size | None:
    """Size by the Hub's safetensors summary `{parameters: {dtype: n}, total: n}`; None where there is none.

    `exact_bytes` are the bytes of the weights files, where known.
    """
    elements = _elements(summary)
    if not elements:
        return None
    counted = sum(elements.values())
    implied = int(sum(count * _BYTES_PER_ELEMENT.get(dtype, 2.0) for dtype, count in elements.items()))
    packed = sum(count for dtype, count in elements.items() if dtype in _PACKED)
    if packed > counted // 2 or (packed and quantization is not None):
        return _packed_size(elements, model_id, implied, exact_bytes)
    if exact_bytes is not None:
        # Headers and alignment are small, except beside very small models.
        if 0.9 * implied <= exact_bytes <= 1.15 * implied + 1_000_000:
            return Size(counted, "reported", implied)
        return Size(
            note=f"The Hub's count of {counted:,} weights does not match the {exact_bytes:,} bytes of the files; "
            "it is left out."
        )
    return (
        Size(counted, "reported", implied)
        if (note := _doubt(summary, counted, model_id)) is None
        else Size(counted, "doubtful", implied, note)
    )


def _elements(summary: Any) -> dict[str, int]:
    stated = summary.get("parameters") if isinstance(summary, Mapping) else None
    return {
        dtype: count
        for dtype, count in (stated.items() if isinstance(stated, Mapping) else ())
        if isinstance(dtype, str) and isinstance(count, int) and 0 < count < _TOO_LARGE
    }


def _doubt(summary: Mapping[str, Any], counted: int, model_id: str) -> str | None:
    total, named = summary.get("total"), size_in_name(model_id)
    if isinstance(total, int) and total != counted:
        return f"The Hub's total of {total:,} weights is not the sum of its parts, {counted:,}."
    if named is not None and not 0.4 < counted / named < 2.5:
        return f"The Hub counts {counted:,} weights, the name says {named:,}; the count may be of only a part."
    return None


def gguf_size(total: Any, model_id: str) -> Size | None:
    """Size by the Hub's GGUF summary, which counts the tensors of one file only."""
    if not isinstance(total, int) or isinstance(total, bool) or not 0 < total < _TOO_LARGE:
        return None
    named = size_in_name(model_id)
    if named is not None and not 0.4 < total / named < 2.5:
        return Size(
            note=f"The Hub counted {total:,} weights in one GGUF file, the name says {named:,}; "
            "it may have read a part or a projector, so the count is left out."
        )
    return Size(total)


def _packed_size(elements: Mapping[str, int], model_id: str, implied_bytes: int, exact_bytes: int | None) -> Size:
    """Count of a quantized repository: believed, as doubtful, only where the size in the name agrees."""
    named = size_in_name(model_id)
    loose = sum(count for dtype, count in elements.items() if dtype not in _PACKED)
    packed = {dtype: count for dtype, count in elements.items() if dtype in _PACKED}
    candidates = [
        loose + sum(int(count * _BYTES_PER_ELEMENT[dtype] * 8 / bits) for dtype, count in packed.items())
        for bits in (2, 3, 4, 8)
    ]
    # The Hub unpacks some formats itself, so its own sum is a candidate too.
    candidates.append(loose + sum(packed.values()))
    fitting = [value for value in candidates if named is not None and 0.7 < value / named < 1.4]
    # Bytes by element type hold only if the Hub counted elements, not weights.
    weights_bytes = None if exact_bytes is not None else implied_bytes if _is_raw(candidates, fitting) else None
    if not fitting or named is None:
        return Size(
            weights_bytes=weights_bytes,
            note="The weights are packed, so the Hub's count is not their number; the base model's count holds.",
        )
    return Size(
        min(fitting, key=lambda value: abs(value - named)),
        "doubtful",
        weights_bytes,
        "The number of weights was worked out from packed elements and the size in the name.",
    )


def _is_raw(candidates: list[int], fitting: list[int]) -> bool:
    return bool(fitting) and candidates[-1] not in fitting
