"""Quantizing on this machine: whole or not at all, never over an existing file."""

from pathlib import Path

import pytest

from catalog.gguf_file import file_sha256, read_gguf
from runners.errors import EngineFailed
from runners.quantize import quantize_gguf

pytestmark = pytest.mark.engine


def test_a_quantized_file_is_what_was_asked_for_and_reproducible(smollm2: Path, tmp_path: Path) -> None:
    targets = [tmp_path / name for name in ("one.gguf", "two.gguf")]
    for target in targets:
        quantize_gguf(smollm2, target, "Q4_0")
    facts = read_gguf(targets[0])
    assert facts.quantization == "Q4_0"
    assert facts.parameters == read_gguf(smollm2).parameters
    assert facts.size_bytes < smollm2.stat().st_size
    assert file_sha256(targets[0]) == file_sha256(targets[1])


def test_an_existing_file_is_never_overwritten(smollm2: Path, tmp_path: Path) -> None:
    target = tmp_path / "there.gguf"
    target.write_text("mine")
    with pytest.raises(EngineFailed, match="not overwritten"):
        quantize_gguf(smollm2, target, "Q4_0")
    assert target.read_text() == "mine"


def test_an_unknown_quantization_gets_the_nearest_name(smollm2: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineFailed, match="Did you mean Q4_K_M"):
        quantize_gguf(smollm2, tmp_path / "x.gguf", "Q4_KM")


def test_a_broken_source_leaves_nothing_behind(tmp_path: Path) -> None:
    source = tmp_path / "broken.gguf"
    source.write_bytes(b"GGUF" + b"\x03\0\0\0" + b"\xff" * 4096)
    with pytest.raises(EngineFailed, match=r"could not read broken\.gguf"):
        quantize_gguf(source, tmp_path / "x.gguf", "Q4_0")
    assert [path.name for path in tmp_path.iterdir()] == ["broken.gguf"]
