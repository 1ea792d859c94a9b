"""What quantizing lost, from the measurement through the store to the comparison and the report."""

from pathlib import Path

import pytest

from results.ladder import ladder_of
from results.ladder_records import QuantizationLoss
from results.store import Store
from runners.divergence_records import Divergence, Mean, TextLoss
from runners.quantize import quantize_gguf
from tests.report_samples import GEMMA, SMOL, comparison, content
from tests.results_samples import candidate
from tests.test_cli import printed, workbench
from workbench.report.report import render_html, render_json, render_markdown

BENCHMARK = """\
name: rungs
test_set: {file: messages.csv}
candidates:
  - {name: finer, model: %s}
  - {name: coarser, model: %s}
workloads: [{kind: accuracy}]
requirements: {limits: {verdicts: [allowed, conditional, unknown]}}
"""


def loss(
    weights: str, reference: str = "ref", *, nats: float = 0.1, text: str = "t", bits: float = 4.5
) -> QuantizationLoss:
    found = Divergence(
        mean_nats=Mean(value=nats, standard_error=0.01),
        median_nats=0.0,
        p99_nats=1.0,
        max_nats=2.0,
        same_top_share=Mean(value=0.9, standard_error=0.01),
        perplexity_ratio=Mean(value=1.05, standard_error=0.002),
    )
    return QuantizationLoss(
        weights_sha256=weights,
        quantization="Q4_K_M",
        size_bytes=1000,
        bits_per_weight=bits,
        reference_sha256=reference,
        reference_quantization="F16",
        text_sha256=text,
        text="corpus.txt",
        context_tokens=512,
        measured_at="2026-03-01T12:00:00+01:00",
        engine_version="1",
        loss=TextLoss(tokens=2048, chunks=4, scored_tokens=1020, perplexity=Mean(value=11.5, standard_error=0.2)),
        divergence=None if weights == reference else found,
    )


def test_figures_come_back_as_they_were_kept_and_a_newer_one_replaces_the_older(tmp_path: Path) -> None:
    store = Store(tmp_path / "results.duckdb")
    kept = (loss("ref"), loss("a"), loss("b"), loss("a", text="other"))
    store.save_losses(kept)
    store.save_losses((loss("b", nats=0.3),))
    assert set(store.losses({"a", "ref"})) == {kept[0], kept[1], kept[3]}
    (newer,) = store.losses(["b"])
    assert newer.divergence is not None
    assert newer.divergence.mean_nats.value == 0.3
    assert store.losses([]) == ()


def test_a_reference_is_listed_only_beside_a_candidate_that_was_held_against_it() -> None:
    files = {"A": "ref", "B": "a", "C": "none"}
    candidates = [candidate(name).model_copy(update={"weights_sha256": sha}) for name, sha in files.items()]
    losses = (loss("a", bits=4.5), loss("ref", bits=16), loss("ref", text="other"))
    assert [(rung.candidate, rung.loss.text_sha256) for rung in ladder_of(candidates, losses)] == [
        ("A", "t"),
        ("B", "t"),
    ]
    assert ladder_of(candidates[:1], losses) == ()
    assert ladder_of([candidate("A")], losses) == ()


def test_the_report_shows_the_ladder_where_there_is_one_and_no_section_where_not() -> None:
    plain = content()
    assert "Quantization ladder" not in render_html(plain)
    pair = [candidate(name).model_copy(update={"weights_sha256": sha}) for name, sha in ((GEMMA, "ref"), (SMOL, "a"))]
    rungs = ladder_of(pair, (loss("ref", bits=16), loss("a", nats=0.12345)))
    with_ladder = content(comparison=comparison().model_copy(update={"ladder": rungs}))
    for text in (render_html(with_ladder), render_markdown(with_ladder)):
        assert "Quantization ladder" in text
        assert "0.12345" in text
        assert "1.0500" in text
        assert "is the reference" in text
    assert '"mean_nats"' in render_json(with_ladder)


@pytest.mark.engine
def test_what_was_measured_of_a_file_stands_beside_the_candidates_that_run_on_it(smollm2: Path, tmp_path: Path) -> None:
    coarser, moved = tmp_path / "coarser.gguf", tmp_path / "moved.gguf"
    quantize_gguf(smollm2, coarser, "Q2_K")
    text = tmp_path / "words.txt"
    text.write_text("Rain is expected in the north this afternoon, with sunshine later. " * 6)
    workbench(tmp_path, "divergence", str(smollm2), str(coarser), "--context", "32", "--text", str(text))
    coarser.rename(moved)
    (tmp_path / "messages.csv").write_text("id,text,label\na,late parcel,delivery\nb,wrong bill,billing\n")
    (tmp_path / "rungs.yaml").write_text(BENCHMARK % (smollm2, moved))
    workbench(tmp_path, "bench", str(tmp_path / "rungs.yaml"))
    reference, rung = printed(workbench(tmp_path, "compare", "rungs", "--json"))["ladder"]
    assert (reference["candidate"], rung["candidate"]) == ("finer", "coarser")
    assert reference["loss"]["divergence"] is None
    assert rung["loss"]["divergence"]["mean_nats"]["value"] > 0
    assert rung["loss"]["reference_quantization"] == "Q4_1"
    assert "Quantization ladder" in workbench(tmp_path, "compare", "rungs").stdout
    workbench(tmp_path, "report", "rungs", "--output", str(tmp_path / "report.md"))
    assert "words.txt" in (tmp_path / "report.md").read_text()
    assert str(tmp_path) not in (tmp_path / "report.md").read_text().partition("Quantization ladder")[2][:2000]
