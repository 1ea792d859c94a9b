"""Safetensors headers: exact bytes, weights unpacked from quantized formats, and every damage a sentence."""

import contextlib
import json
import random
import struct
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import BadWeightsFile
from catalog.safetensors_file import INDEX_NAME, read_checkpoint, read_safetensors

BYTES = {"F32": 4, "BF16": 2, "F16": 2, "I32": 4, "U32": 4, "I64": 8, "U8": 1, "I8": 1, "F8_E4M3": 1}
Shapes = dict[str, tuple[str, list[int]]]


def write(path: Path, tensors: Shapes, metadata: dict[str, str] | None = None) -> Path:
    """A real safetensors file with tensors of zeros."""
    header: dict[str, Any] = {"__metadata__": metadata} if metadata else {}
    offset = 0
    for name, (dtype, shape) in tensors.items():
        size = BYTES[dtype]
        for length in shape:
            size *= length
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(offset))
    return path


def test_weights_and_bytes_are_exact(tmp_path: Path) -> None:
    path = write(
        tmp_path / "model.safetensors",
        {"a.weight": ("BF16", [10, 20]), "b.weight": ("F32", [5]), "rotary_emb.inv_freq": ("F32", [8])},
        {"format": "pt"},
    )
    found = read_safetensors([path])
    assert (found.parameters, found.confidence, found.stored_elements) == (205, "verified", 213)
    assert (found.tensor_bytes, found.size_bytes) == (400 + 20 + 32, path.stat().st_size)
    assert [(part.dtype, part.elements) for part in found.formats] == [("BF16", 200), ("F32", 13)]
    assert found.notes == ()


LINEAR = 256 * 128
"""Weights of a layer with 256 inputs and 128 outputs."""


@pytest.mark.parametrize(
    ("name", "tensors", "bits"),
    [
        (
            "GPTQ packs eight inputs into a number",
            {
                "l.qweight": ("I32", [32, 128]),
                "l.qzeros": ("I32", [2, 16]),
                "l.scales": ("F16", [2, 128]),
                "l.g_idx": ("I32", [256]),
            },
            None,
        ),
        (
            "AWQ packs eight outputs into a number",
            {"l.qweight": ("I32", [256, 16]), "l.qzeros": ("I32", [2, 16]), "l.scales": ("F16", [2, 128])},
            None,
        ),
        (
            "GPTQ with eight bits",
            {"l.qweight": ("I32", [64, 128]), "l.qzeros": ("I32", [2, 32]), "l.scales": ("F16", [2, 128])},
            None,
        ),
        (
            "compressed-tensors, four bits",
            {
                "l.weight_packed": ("I32", [128, 32]),
                "l.weight_scale": ("BF16", [128, 8]),
                "l.weight_shape": ("I64", [2]),
            },
            4.0,
        ),
        (
            "NVFP4 of compressed-tensors",
            {
                "l.weight_packed": ("U8", [128, 128]),
                "l.weight_scale": ("F8_E4M3", [128, 16]),
                "l.weight_global_scale": ("F32", [1]),
            },
            None,
        ),
        (
            "NVFP4 of modelopt",
            {
                "l.weight": ("U8", [128, 128]),
                "l.weight_scale": ("F8_E4M3", [128, 16]),
                "l.weight_scale_2": ("F32", []),
                "l.input_scale": ("F32", []),
            },
            None,
        ),
        ("MXFP4 of gpt-oss", {"l_blocks": ("U8", [128, 8, 16]), "l_scales": ("U8", [128, 8])}, None),
        (
            "bitsandbytes, four bits",
            {
                "l.weight": ("U8", [LINEAR // 2, 1]),
                "l.weight.absmax": ("U8", [512]),
                "l.weight.quant_map": ("F32", [16]),
                "l.weight.nested_absmax": ("F32", [2]),
                "l.weight.nested_quant_map": ("F32", [256]),
                "l.weight.quant_state.bitsandbytes__nf4": ("U8", [70]),
            },
            None,
        ),
        (
            "MLX, four bits in groups of 64",
            {"l.weight": ("U32", [128, 32]), "l.scales": ("BF16", [128, 4]), "l.biases": ("BF16", [128, 4])},
            None,
        ),
    ],
)
def test_packed_weights_are_counted_as_weights_and_doubted(
    tmp_path: Path, name: str, tensors: Shapes, bits: float | None
) -> None:
    path = write(tmp_path / "model.safetensors", {**tensors, "norm.weight": ("F32", [7])})
    found = read_safetensors([path], bits=bits)
    assert found.parameters == LINEAR + 7, name
    assert found.confidence == "doubtful"
    assert "packed" in found.notes[0]


@pytest.mark.parametrize(
    "tensors",
    [
        {"l.weight": ("F8_E4M3", [128, 256]), "l.weight_scale_inv": ("F32", [1, 2])},
        {"l.weight": ("I8", [128, 256]), "l.SCB": ("F32", [128])},
    ],
)
def test_eight_bit_weights_need_no_unpacking(tmp_path: Path, tensors: Shapes) -> None:
    found = read_safetensors([write(tmp_path / "model.safetensors", tensors)])
    assert (found.parameters, found.confidence) == (LINEAR, "verified")


def _two_shards(folder: Path, total: object) -> None:
    write(folder / "model-00001-of-00002.safetensors", {"a": ("BF16", [100])})
    write(folder / "model-00002-of-00002.safetensors", {"b": ("BF16", [50])})
    index = {
        "metadata": {"total_size": total},
        "weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"},
    }
    (folder / INDEX_NAME).write_text(json.dumps(index), encoding="utf-8")


def test_a_checkpoint_in_parts_is_one(tmp_path: Path) -> None:
    _two_shards(tmp_path, 300)
    write(tmp_path / "left_over.safetensors", {"c": ("BF16", [9])})
    found = read_checkpoint(tmp_path)
    assert found is not None
    assert (found.parameters, found.tensor_bytes, len(found.paths), found.notes) == (150, 300, 2, ())


def test_a_total_that_was_written_by_hand_does_not_count(tmp_path: Path) -> None:
    """huggingface_hub#4221: 333 thousand stated for 7.6 billion weights."""
    _two_shards(tmp_path, 333)
    found = read_checkpoint(tmp_path)
    assert found is not None
    assert found.parameters == 150
    assert "states 333 bytes, but the tensors have 300" in found.notes[0]


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    _two_shards(tmp_path, 300)
    (tmp_path / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(BadWeightsFile, match="model-00002-of-00002"):
        read_checkpoint(tmp_path)


def test_a_folder_without_an_index_is_read_whole_and_an_empty_one_is_none(tmp_path: Path) -> None:
    assert read_checkpoint(tmp_path) is None
    write(tmp_path / "model.safetensors", {"a": ("F32", [3])})
    found = read_checkpoint(tmp_path)
    assert found is not None
    assert found.parameters == 3


@pytest.mark.parametrize(
    "text", ["[]", "{}", '{"weight_map": 3}', "not json", '{"weight_map": {"a": "../../etc/passwd"}}']
)
def test_an_index_that_makes_no_sense_is_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / INDEX_NAME).write_text(text, encoding="utf-8")
    with pytest.raises(BadWeightsFile, match=r"index|not complete"):
        read_checkpoint(tmp_path)


def _header(text: bytes, length: int | None = None) -> bytes:
    return struct.pack("<Q", len(text) if length is None else length) + text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "There is no file"),
        (b"", "0 bytes"),
        (b"\x01\x02", "2 bytes"),
        (_header(b"{}", 2**63), "announces a header"),
        (_header(b"{}", 50_000), "ends too early"),
        (_header(b"<html>"), "no JSON"),
        (_header(b"[" * 100_000), "no JSON"),
        (_header(b"[1]"), "makes no sense"),
        (_header(b'{"a": 3}'), "makes no sense"),
        (_header(b'{"a": {"dtype": "F3", "shape": [1], "data_offsets": [0, 4]}}'), "makes no sense"),
        (_header(b'{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}'), "makes no sense"),
        (_header(b'{"a": {"dtype": "F32", "shape": [-1, -1], "data_offsets": [0, 4]}}'), "makes no sense"),
        (_header(b'{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}'), "ends too early"),
    ],
)
def test_every_damage_is_a_sentence(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "model.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadWeightsFile, match=words):
        read_safetensors([path])


def test_a_header_with_flipped_bits_never_crashes(tmp_path: Path) -> None:
    path = write(tmp_path / "model.safetensors", {f"layer.{n}.weight": ("BF16", [4, n]) for n in range(1, 30)})
    whole = path.read_bytes()
    chance = random.Random(0)
    for _ in range(500):
        damaged = bytearray(whole)
        for _ in range(4):
            damaged[chance.randrange(1500)] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        with contextlib.suppress(BadWeightsFile):
            assert read_safetensors([path]).parameters >= 0
