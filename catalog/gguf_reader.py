"""Reads the header of a GGUF file, without loading weights, and notices files that are cut short or damaged.

Own reader because the gguf package's GGUFReader builds Python objects for every token of the vocabulary: seconds per
file, where an engineer waits for a table. Types and block sizes come from that package; a test holds the two together.
Reading stays inside the file's bounds whatever it claims. What the values mean is said in gguf_file.
"""

import math
import mmap
import re
import struct
from pathlib import Path
from typing import Any, NamedTuple

from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFValueType

from catalog.errors import BadWeightsFile

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
_MOST_ENTRIES = 100_000
"""More metadata entries or tensors than this no model has."""
_LONGEST_HEADER = 2**28
"""A larger header no model has: vocabularies of 262,144 tokens with their merges take 15 MB. What a damaged length
announces beyond it would be read from gigabytes of weights."""
_LONGEST_TEXT = 2**24
"""A longer text in a header no model has; chat templates take 100 kB at most."""
_LONGEST_KEPT_ARRAY = 4_096
"""Longer arrays (vocabularies, merges) are skipped; only their length is kept."""
_PART = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$", re.IGNORECASE)


class GgufHeader(NamedTuple):
    """What one file, or all parts of one, hold."""

    paths: tuple[Path, ...]
    size_bytes: int
    metadata: dict[str, Any]
    """Key → value; an array of more than 4,096 entries is its length."""
    parameters: int
    tensor_bytes: int
    tensor_names: frozenset[str]


class _Cut(Exception):
    """The file ends before what it announces."""


class _Implausible(Exception):
    """The file announces more than any model has."""


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
        if length > _LONGEST_TEXT:
            raise _Implausible(f"a text of {length:,} bytes")
        self.need(length)
        value = self._data[self.offset : self.offset + length].decode("utf-8", "replace")
        self.offset += length
        return value

    def skip_texts(self, count: int) -> None:
        # A loop of its own: vocabularies have hundreds of thousands of entries.
        data, offset, unpack = self._data, self.offset, struct.Struct("<Q").unpack_from
        end = min(len(data), _LONGEST_HEADER)
        self.need(8 * count)
        for _ in range(count):
            if offset + 8 > end:
                self.offset = offset
                self.need(8)
            offset += 8 + unpack(data, offset)[0]
        if offset > end:
            raise _Cut
        self.offset = offset

    def need(self, size: int) -> None:
        if size > len(self._data) - self.offset:
            raise _Cut
        if self.offset + size > _LONGEST_HEADER:
            raise _Implausible(f"a header of {self.offset + size:,} bytes")


def read_header(path: Path) -> GgufHeader:
    """The header of a file; of all its parts where the name says that there are several.

    Raises BadWeightsFile when a file is missing, no GGUF, cut short or damaged.
    """
    headers = [_read_one(part) for part in part_paths(path)]
    first = headers[0]
    if len(headers) == 1:
        return first
    return GgufHeader(
        tuple(header.paths[0] for header in headers),
        sum(header.size_bytes for header in headers),
        first.metadata,
        sum(header.parameters for header in headers),
        sum(header.tensor_bytes for header in headers),
        frozenset().union(*(header.tensor_names for header in headers)),
    )


def part_paths(path: Path) -> tuple[Path, ...]:
    """All parts of a model, in order, from the path of any of them; the path itself where it is whole."""
    match = _PART.search(path.name)
    count = int(match[2]) if match else 0
    if match is None or count == 0:
        return (path,)
    stem = path.name[: match.start()]
    return tuple(path.with_name(f"{stem}-{number:05}-of-{count:05}.gguf") for number in range(1, count + 1))


def is_later_part(path: Path) -> bool:
    """Whether it is a part of a model, but not the first."""
    match = _PART.search(path.name)
    return match is not None and int(match[1]) != 1


def _read_one(path: Path) -> GgufHeader:
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
    except _Implausible as error:
        raise BadWeightsFile(f"{path} is damaged: it announces {error}. Download it again.") from error
    except OSError as error:
        raise BadWeightsFile(f"{path} cannot be read: {error.strerror}.") from error


def _read(path: Path, size: int, reader: _Reader) -> GgufHeader:
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
    parameters, tensor_bytes, names = _tensors(path, size, reader, tensors, metadata.get("general.alignment"))
    return GgufHeader((path,), size, metadata, parameters, tensor_bytes, names)


def _value(path: Path, reader: _Reader, kind: int) -> Any:
    if kind == GGUFValueType.STRING:
        return reader.text()
    if kind != GGUFValueType.ARRAY:
        return reader.scalar(_layout(path, kind))
    element, length = reader.scalar("<I"), reader.scalar("<Q")
    if element == GGUFValueType.STRING:
        if length > _LONGEST_KEPT_ARRAY:
            reader.skip_texts(length)
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


def _tensors(path: Path, size: int, reader: _Reader, count: int, alignment: Any) -> tuple[int, int, frozenset[str]]:
    """Parameters, bytes and names of all tensors, after checking that the file holds them all."""
    parameters = tensor_bytes = end = 0
    names = []
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
        names.append(name)
    align = alignment if isinstance(alignment, int) and alignment > 0 else 32
    start = -(-reader.offset // align) * align
    if start + end > size:
        message = (
            f"{path} ends too early: its tensors need {start + end:,} bytes and it has {size:,}. Download it again."
        )
        raise BadWeightsFile(message)
    return parameters, tensor_bytes, frozenset(names)
