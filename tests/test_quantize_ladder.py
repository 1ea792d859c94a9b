"""The ladder as people use it: predicted, made once, kept, refused; and interrupted."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from catalog.errors import ModelNotFound
from catalog.gguf_file import file_sha256, read_gguf
from runners.errors import EngineFailed
from runners.quantize import predict_sizes, quantize_gguf
from tests.making import SMOLLM2, make_test_set
from tests.test_cli import ROOT, printed, workbench
from workbench.benchmark_file import parse_benchmark
from workbench.candidates import file_stem
from workbench.ladder_book import Origin, write_origin
from workbench.service import Workbench
from workbench.settings import read_settings

pytestmark = pytest.mark.engine


def test_predicted_sizes_hold_for_rows_that_blocks_do_not_divide(smollm2: Path, gemma3: Path, tmp_path: Path) -> None:
    for source, names in ((smollm2, ("Q8_0", "Q2_K")), (gemma3, ("Q3_K_M",))):
        facts = read_gguf(source)
        for size in predict_sizes(source, names):
            target = tmp_path / f"{source.stem}-{size.quantization}.gguf"
            quantize_gguf(source, target, size.quantization)
            predicted = size.tensor_bytes + facts.size_bytes - facts.tensor_bytes
            assert predicted == pytest.approx(target.stat().st_size, rel=0.001)
            assert (size.fallback_tensors > size.tensors / 4) == (size.quantization != "Q8_0")


def test_an_importance_matrix_is_asked_for_by_name(smollm2: Path) -> None:
    with pytest.raises(EngineFailed, match="IQ2_XS needs an importance matrix"):
        predict_sizes(smollm2, ("IQ2_XS",))


def test_a_ladder_is_made_once_and_kept(tmp_path: Path) -> None:
    folder = tmp_path / "rungs"
    ladders = Workbench(read_settings(tmp_path)).ladders
    planned = ladders.plan(SMOLLM2, ("q2_k", "Q8_0"), output=folder)
    assert [rung.state for rung in planned.rungs] == ["planned", "skipped"]
    assert "no less than the source (Q4_1" in planned.rungs[1].note
    assert any("no longer the original weights" in note for note in planned.notes)
    assert not folder.exists()

    made = printed(workbench(tmp_path, "quantize", SMOLLM2, "--to", "Q2_K", "--output", str(folder), "--json"))
    (rung,) = made["rungs"]
    path = Path(rung["path"])
    assert rung["state"] == "written"
    assert rung["sha256"] == file_sha256(path)
    assert rung["predicted_bytes"] == pytest.approx(rung["size_bytes"], rel=0.001)
    definition = parse_benchmark(f"name: x\ntest_set: {{file: a.csv}}\n{made['candidates']}", "fragment")
    assert [candidate.model for candidate in definition.candidates] == [made["source_path"], str(path)]

    (kept,) = ladders.make(ladders.plan(SMOLLM2, ("Q2_K",), output=folder)).rungs
    assert (kept.state, kept.sha256) == ("kept", rung["sha256"])


def test_files_of_unknown_or_other_origin_are_left_alone(smollm2: Path, tmp_path: Path) -> None:
    ladders = Workbench(read_settings(tmp_path)).ladders
    path = tmp_path / f"{file_stem(SMOLLM2)}--Q2_K.gguf"
    path.write_bytes(smollm2.read_bytes()[:1000])
    origin = Origin(source="other.gguf", source_sha256="0" * 64, quantization="Q2_K")
    with pytest.raises(EngineFailed, match="nothing says what it was made from"):
        ladders.plan(SMOLLM2, ("Q2_K",), output=tmp_path)
    write_origin(path, origin)
    with pytest.raises(EngineFailed, match=r"was made from another file \(other.gguf\)"):
        ladders.plan(SMOLLM2, ("Q2_K",), output=tmp_path)
    write_origin(path, origin.model_copy(update={"source_sha256": file_sha256(smollm2), "sha256": "1" * 64}))
    with pytest.raises(EngineFailed, match="its content changed"):
        ladders.plan(SMOLLM2, ("Q2_K",), output=tmp_path)
    path.with_name("ladder.json").write_text("[]")
    with pytest.raises(EngineFailed, match="cannot be read"):
        ladders.plan(SMOLLM2, ("Q2_K",), output=tmp_path)
    assert path.stat().st_size == 1000


def test_wrong_names_and_missing_models_are_sentences(tmp_path: Path) -> None:
    ladders = Workbench(read_settings(tmp_path)).ladders
    assert "Did you mean Q4_K_M?" in workbench(tmp_path, "quantize", SMOLLM2, "--to", "Q4_KM", code=1).stderr
    with pytest.raises(ModelNotFound, match="No GGUF file of nobody/x"):
        ladders.plan("nobody/x", ("Q2_K",))
    with pytest.raises(EngineFailed, match="No quantization is named"):
        ladders.plan(SMOLLM2, (" ",))


def test_the_disk_must_hold_all_rungs_before_one_is_written(tmp_path: Path) -> None:
    ladders = Workbench(read_settings(tmp_path)).ladders
    ladder = ladders.plan(SMOLLM2, ("Q2_K",), output=tmp_path / "rungs")
    huge = ladder.rungs[0].model_copy(update={"predicted_bytes": 2**60})
    with pytest.raises(EngineFailed, match=r"Q2_K, Q2_K together need [\d,]+ bytes"):
        ladders.make(ladder.model_copy(update={"rungs": (ladder.rungs[0], huge)}))
    assert not list((tmp_path / "rungs").iterdir())


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is a signal here")
def test_ctrl_c_leaves_no_partial_file(gemma3: Path, tmp_path: Path) -> None:
    folder = tmp_path / "rungs"
    command = [sys.executable, "-m", "workbench.cli", "quantize", str(gemma3), "--to", "Q2_K", "--output", str(folder)]
    # Where the tests run in the background, SIGINT is ignored, and a child would inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    child = subprocess.Popen(
        [*command, "--home", str(tmp_path)],
        cwd=ROOT,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    signal.signal(signal.SIGINT, before)
    deadline = time.monotonic() + 120
    while not list(folder.glob("*.partial")) and child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert list(folder.glob("*.partial")), "it never began"
    os.killpg(child.pid, signal.SIGINT)
    _, errors = child.communicate(timeout=60)
    assert child.returncode == 130, errors
    assert not list(folder.glob("*.gguf*"))


def test_divergence_prints_a_line_per_file(smollm2: Path, tmp_path: Path) -> None:
    text = tmp_path / "words.txt"
    text.write_text("Rain is expected in the north this afternoon, with sunshine later. " * 6)
    arguments = ("divergence", str(smollm2), str(smollm2), "--context", "32")
    report = printed(workbench(tmp_path, *arguments, "--text", str(text), "--json"))
    reference, same = report["rungs"]
    assert reference["divergence"] is None
    assert same["loss"] == reference["loss"]
    assert same["divergence"]["mean_nats"]["value"] == pytest.approx(0, abs=1e-5)
    assert not list(tmp_path.glob("divergence-*"))
    prompts = Workbench(read_settings(tmp_path)).ladders.measure([smollm2], make_test_set(), context_tokens=32)
    assert prompts.text == "test set small"
    assert prompts.rungs[0].loss.chunks >= 2
    assert "one of the two" in workbench(tmp_path, *arguments, code=2).stderr
    assert "cannot be read" in workbench(tmp_path, *arguments, "--text", "none.txt", code=1).stderr
