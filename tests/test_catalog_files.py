"""GGUF headers and packaged weights: the facts of the real demo files, and every damage a sentence."""

import random
import time
from pathlib import Path

import pytest
from gguf import GGUFReader

from catalog.errors import BadWeightsFile
from catalog.gguf_file import file_sha256, read_gguf
from catalog.hub import quantization_of
from catalog.local_models import open_local
from catalog.packaged import find_packaged, packaged_weights
from tests.making import GEMMA3, SMOLLM2


def test_our_reader_agrees_with_the_gguf_package(smollm2: Path) -> None:
    facts, reference = read_gguf(smollm2), GGUFReader(str(smollm2))
    assert facts.parameters == sum(int(tensor.n_elements) for tensor in reference.tensors)
    assert facts.tensor_bytes == sum(int(tensor.n_bytes) for tensor in reference.tensors)
    for key, value in (
        ("llama.block_count", facts.architecture.layers),
        ("llama.embedding_length", facts.architecture.hidden_size),
        ("llama.attention.head_count_kv", facts.architecture.kv_heads),
        ("llama.context_length", facts.context_tokens),
        ("general.license", facts.license),
        ("tokenizer.chat_template", facts.chat_template),
    ):
        assert reference.fields[key].contents() == value


def test_facts_of_the_demo_files(smollm2: Path, gemma3: Path) -> None:
    small, base = read_gguf(smollm2), read_gguf(gemma3)
    assert (small.quantization, small.parameters, small.languages) == ("Q4_1", 134_515_008, ("en",))
    assert (base.quantization, base.architecture.layer_groups[0].window_tokens, base.chat_template) == (
        "Q4_K_M",
        512,
        None,
    )
    assert [(group.kind, group.layers) for group in base.architecture.layer_groups] == [("sliding", 15), ("full", 3)]
    model = open_local(gemma3)
    assert (model.kind, model.license, model.context_native_tokens) == ("local", "gemma", 32_768)
    assert model.provenance[0].confidence == "verified"


def test_a_missing_empty_or_foreign_file_is_a_sentence(tmp_path: Path) -> None:
    for name, content, words in (
        ("none.gguf", None, "There is no file"),
        ("empty.gguf", b"", "0 bytes"),
        ("page.gguf", b"<html>Not found</html>" * 10, "first bytes are not"),
        ("old.gguf", b"GGUF" + b"\x01\0\0\0" + bytes(64), "version 1"),
        ("huge.gguf", b"GGUF" + b"\x03\0\0\0" + b"\xff" * 64, "entries"),
    ):
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(BadWeightsFile, match=words):
            read_gguf(path)
    with pytest.raises(BadWeightsFile, match="not a file"):
        read_gguf(tmp_path)


@pytest.mark.parametrize("share", [0.001, 0.01, 0.3, 0.999])
def test_a_file_that_was_cut_short_is_told_from_a_whole_one(smollm2: Path, tmp_path: Path, share: float) -> None:
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(smollm2.read_bytes()[: int(smollm2.stat().st_size * share)])
    with pytest.raises(BadWeightsFile, match="ends too early"):
        read_gguf(cut)


def test_a_header_with_flipped_bits_never_hangs_or_crashes(smollm2: Path, tmp_path: Path) -> None:
    """Every outcome but a sentence or plausible facts is a bug; the seed makes a failure repeatable."""
    head = bytearray(smollm2.read_bytes()[:200_000])
    chance = random.Random(0)
    path = tmp_path / "flipped.gguf"
    started = time.perf_counter()
    for _ in range(200):
        damaged = bytearray(head)
        for _ in range(8):
            damaged[chance.randrange(4_000)] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        with pytest.raises(BadWeightsFile):
            read_gguf(path)
    assert time.perf_counter() - started < 120


def test_packaged_weights_are_found_and_verified(tmp_path: Path) -> None:
    for model, quantization in ((SMOLLM2, "Q4_1"), (GEMMA3, "Q4_K_M")):
        assert packaged_weights(model) == (quantization,)
        weights = find_packaged(model, quantization, tmp_path)
        assert weights is not None
        assert weights.sha256 == file_sha256(Path(weights.path))
        assert find_packaged(model, "Q8_0", tmp_path) is None
    assert find_packaged("some/other", None, tmp_path) is None


def test_a_changed_weights_file_is_refused_with_both_digests(tmp_path: Path) -> None:
    weights = find_packaged(GEMMA3, None, tmp_path)
    assert weights is not None
    path = Path(weights.path)
    with path.open("r+b") as file:
        file.seek(1000)
        file.write(b"changed")
    with pytest.raises(BadWeightsFile, match="is not the file that"):
        find_packaged(GEMMA3, None, tmp_path)


@pytest.mark.parametrize(
    ("name", "quantization"),
    [
        ("SmolLM2-135M-Instruct.Q4_1.gguf", "Q4_1"),
        ("gemma-3-27b-it-Q4_K_M.gguf", "Q4_K_M"),
        ("Qwen3-8B-IQ4_XS.gguf", "IQ4_XS"),
        ("model-f16.gguf", "F16"),
        ("sub/model-BF16-00001-of-00002.gguf", "BF16"),
        ("gpt-oss-20b-mxfp4.gguf", "MXFP4"),
        ("model.gguf", None),
        ("Q-model.gguf", None),
    ],
)
def test_quantization_is_read_from_a_file_name(name: str, quantization: str | None) -> None:
    assert quantization_of(name) == quantization
