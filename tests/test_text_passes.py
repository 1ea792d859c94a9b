"""Similarity by another model: equal to the libraries' own, stored as scores, and clear where a package is missing."""

import importlib.util
import math
from pathlib import Path

import llama_cpp
import numpy as np
import pytest

from catalog.errors import WorkbenchError
from results.store import Store
from runners.errors import EngineFailed, EngineUnavailable
from runners.llama_embedding import embed
from runners.records import Validity
from runners.text_pass import TextPass, TextPassKind, check_installed, compare_texts
from tests.making import smollm2_path
from tests.results_samples import benchmark, judged, run_result, spec
from tests.test_cli import printed, workbench
from workbench.pass_records import PassReport
from workbench.service import Workbench
from workbench.settings import read_settings

TEXTS = ("The parcel has not arrived.", "My delivery is late.", "I want my money back.", "Wo ist mein Paket? 📦")


def installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chat model, as a stand-in for an embedding model."""
    return smollm2_path(tmp_path_factory.mktemp("weights"))


def a_pass(weights: Path, texts: tuple[str, ...] = TEXTS, **fields: object) -> TextPass:
    return TextPass.model_validate({"kind": "llama", "model": str(weights), "texts": texts, "pairs": (), **fields})


@pytest.mark.engine
def test_vectors_are_those_of_llama_cpp_pythons_own_embed(weights: Path) -> None:
    vectors, pooling, notes = embed(a_pass(weights))
    assert pooling == "mean"
    assert "does not say how its tokens become one vector" in notes[0]
    reference = llama_cpp.Llama(
        str(weights), embedding=True, n_ctx=512, n_batch=512, n_ubatch=512, verbose=False,
        pooling_type=llama_cpp.LLAMA_POOLING_TYPE_MEAN,
    )  # fmt: skip
    try:
        for text, vector in zip(TEXTS, vectors, strict=True):
            np.testing.assert_allclose(vector, reference.embed(text, normalize=True), atol=1e-5)
            created = np.array(reference.create_embedding(text)["data"][0]["embedding"])
            np.testing.assert_allclose(vector, created / np.linalg.norm(created), atol=1e-5)
            assert np.linalg.norm(vector) == pytest.approx(1)
    finally:
        reference.close()


@pytest.mark.engine
def test_cosines_do_not_depend_on_what_stands_beside(weights: Path) -> None:
    found = compare_texts(a_pass(weights, pairs=((0, 1), (0, 2), (3, 3), (1, 0))))
    close, far, same, turned = found.columns["cosine"]
    assert same == pytest.approx(1)
    assert close == turned
    assert close > far
    alone = compare_texts(a_pass(weights, texts=(TEXTS[2], TEXTS[0]), pairs=((0, 1),)))
    assert alone.columns["cosine"] == (far,)


@pytest.mark.engine
def test_long_texts_are_cut_and_said_so_and_a_prefix_is_put_before_every_text(weights: Path) -> None:
    found = compare_texts(a_pass(weights, texts=("word " * 500, "word"), pairs=((0, 1),), context_tokens=64))
    assert "1 of 2 texts were cut at 64 tokens." in found.notes
    plain, prefixed = (
        compare_texts(a_pass(weights, pairs=((0, 1),), prefix=prefix)).columns["cosine"][0]
        for prefix in ("", "query: ")
    )
    assert plain != prefixed


def test_a_file_that_is_no_model_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"GGUF" + b"\0" * 100)
    with pytest.raises(EngineFailed, match=r"llama\.cpp could not load .*broken\.gguf"):
        compare_texts(TextPass(kind="llama", model=str(path), texts=("a",), pairs=()))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A data directory with one run: right, wrong, empty, and cut off."""
    store = Store(tmp_path / "results.duckdb")
    store.save_benchmark(benchmark("A"))
    answers = (
        judged("e1", "yes", target="yes"),
        judged("e2", "yes", target="no"),
        judged("e3", "", target="yes", validity=Validity.EMPTY),
    )
    store.save_run("demo", run_result("A", answers, run_spec=spec("A")))
    return tmp_path


@pytest.mark.engine
def test_stored_answers_are_scored_without_running_them_again(home: Path, weights: Path) -> None:
    report = PassReport.model_validate(
        printed(workbench(home, "score", "demo", "--embeddings", str(weights), "--json"))
    )
    (candidate,) = report.candidates
    cosine = compare_texts(a_pass(weights, texts=("yes", "no"), pairs=((0, 1),))).columns["cosine"][0]
    (run,) = Store(home / "results.duckdb").measurements("demo")
    assert run.scored[-1].scorer == "embedding_similarity"
    # The fourth example was never answered.
    for column in (run.scored[-1].values, run.scored[-1].counts["cosine"]):
        assert list(column[:3]) == pytest.approx([1, cosine, 0.0])
        assert column[3] is None
    assert candidate.answers == 3
    (metric,) = candidate.metrics
    assert metric.name == "semscore"
    assert metric.estimate.value == pytest.approx((1 + cosine) / 3)
    assert math.isfinite(cosine)
    again = workbench(home, "score", "demo", "--embeddings", str(weights))
    assert "A: Embedding similarity" in again.stdout
    assert len(Store(home / "results.duckdb").measurements("demo")[0].scorers) == 2
    assert run.outcomes[0].right is True


@pytest.mark.parametrize(
    ("kind", "module", "extra"),
    [
        ("sentence_transformers", "sentence_transformers", "sentence-transformers"),
        ("bert_score", "bert_score", "bert-score"),
    ],
)
def test_a_missing_package_is_one_sentence_with_the_command(
    kind: TextPassKind, module: str, extra: str, home: Path
) -> None:
    if installed(module):
        pytest.skip(f"{extra} is installed here, so nothing is missing")
    with pytest.raises(EngineUnavailable) as refused:
        check_installed(kind)
    assert str(refused.value) == (
        f"This needs the package {extra}, which is not installed. "
        f"Install it with: pip install 'open-model-workbench[{extra}]'."
    )
    service = Workbench(read_settings(home))
    with pytest.raises(WorkbenchError, match="pip install"):
        service.text_passes.score("demo", TextPass(kind=kind, model="any", texts=(), pairs=()))


@pytest.mark.skipif(not installed("sentence_transformers"), reason="the extra sentence-transformers is not installed")
def test_sentence_transformers_that_find_no_model_say_so(tmp_path: Path) -> None:
    with pytest.raises(EngineFailed, match="sentence-transformers could not load"):
        compare_texts(TextPass(kind="sentence_transformers", model=str(tmp_path), texts=("a",), pairs=((0, 0),)))


@pytest.mark.skipif(not installed("bert_score"), reason="the extra bert-score is not installed")
def test_bert_score_asks_for_the_layer_of_a_model_that_it_does_not_know(tmp_path: Path) -> None:
    with pytest.raises(EngineFailed, match="--layers"):
        compare_texts(TextPass(kind="bert_score", model=str(tmp_path), texts=("a",), pairs=((0, 0),)))


def test_one_kind_is_asked_for_and_not_two(home: Path) -> None:
    done = workbench(home, "score", "demo", code=2)
    assert "Give one of --embeddings" in done.stderr
    done = workbench(home, "score", "demo", "--embeddings", "a", "--bert-score", "b", code=2)
    assert "Give one of --embeddings" in done.stderr
