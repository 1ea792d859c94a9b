"""Perplexity and KL divergence: against an independent path, against sums done by hand, and on real rungs."""

import math
from pathlib import Path

import llama_cpp
import numpy as np
import pytest

from runners.divergence import measure_pass
from runners.divergence_records import DivergencePass, PassResult
from runners.errors import EngineFailed
from runners.quantize import quantize_gguf
from runners.token_loss import compare_tokens, divergence, log_probabilities, pack, text_loss

CONTEXT = 64
TEXT = (
    "The parcel left the warehouse on Monday morning and reached the town a day later. Nobody was at home, so it was "
    "taken to the shop at the corner, where it waits with a note on it. You can collect it until Saturday; bring the "
    "card that was left in your letter box, or the number from the message. If the box is damaged, say so at once, and "
    "the shop will take a photograph before you open it. A refund takes five days after the goods came back to us, and "
    "the cost of sending them is ours when the fault was ours, too. Write to us when anything else is not as it should."
)


def run_pass(model: Path, folder: Path, *, reference: bool, text: str = TEXT, context: int = CONTEXT) -> PassResult:
    path = folder / "text.txt"
    path.write_text(text)
    return measure_pass(
        DivergencePass(
            model_path=model,
            text_path=path,
            base_folder=folder / "base",
            is_reference=reference,
            context_tokens=context,
            threads=2,
        )
    )


def test_divergence_is_the_sum_by_hand() -> None:
    base, other = np.log([[0.5, 0.25, 0.25]]), np.log([[0.25, 0.5, 0.25]])
    rows = [array.astype(np.float32).repeat(2, axis=0) for array in (base, other)]
    compared = compare_tokens(rows[1], pack(rows[0]), np.array([0, 1], dtype=np.int32))
    by_hand = 0.5 * math.log(2) + 0.25 * math.log(0.5)
    assert compared.divergences == pytest.approx([by_hand, by_hand], abs=1e-5)
    assert compared.nats == pytest.approx([math.log(4), math.log(2)])
    assert compared.reference_nats == pytest.approx([math.log(2), math.log(4)], abs=1e-5)
    assert not compared.same_top.any()
    found = divergence(compared)
    assert found.perplexity_ratio.value == pytest.approx(1, abs=1e-4)
    assert found.same_top_share.value == 0


def test_perplexity_and_its_error_are_those_of_llama_perplexity() -> None:
    nats = np.array([1.0, 2.0, 3.0, 6.0])
    loss = text_loss(nats, tokens=9, chunks=1)
    assert loss.perplexity.value == pytest.approx(math.exp(3))
    assert loss.perplexity.standard_error == pytest.approx(math.exp(3) * math.sqrt((50 / 4 - 9) / 3))


def test_sixteen_bits_keep_what_is_within_sixteen_nats() -> None:
    logits = np.random.default_rng(0).normal(0, 4, (3, 1000)).astype(np.float32)
    logits[0, 0], logits[1] = -100, 0
    logprobs = log_probabilities(logits)
    back = pack(logprobs).unpack()
    kept = logprobs > logprobs.max(axis=1, keepdims=True) - 16
    assert np.abs(back - logprobs)[kept].max() < 16 / 65_535
    assert back[0, 0] == pytest.approx(logprobs[0].max() - 16)
    assert back[1] == pytest.approx(logprobs[1])


@pytest.mark.engine
def test_perplexity_agrees_with_the_high_level_class(smollm2: Path, tmp_path: Path) -> None:
    loss = run_pass(smollm2, tmp_path, reference=True).loss
    llama = llama_cpp.Llama(str(smollm2), n_ctx=CONTEXT, logits_all=True, verbose=False)
    tokens = llama.tokenize(TEXT.encode(), add_bos=True, special=False)
    nats: list[float] = []
    for start in range(0, len(tokens) - CONTEXT + 1, CONTEXT):
        chunk = tokens[start : start + CONTEXT]
        llama.n_tokens = 0
        llama.eval(
            [llama.token_bos(), *chunk[1:]] if llama.metadata.get("tokenizer.ggml.add_bos_token") == "true" else chunk
        )
        scores = np.array(llama.scores[:CONTEXT], dtype=np.float64)
        for position in range(CONTEXT // 2, CONTEXT - 1):
            row = scores[position]
            nats.append(float(np.logaddexp.reduce(row) - row[chunk[position + 1]]))
    llama.close()
    assert loss.tokens == len(tokens)
    assert loss.scored_tokens == len(nats) == loss.chunks * (CONTEXT // 2 - 1)
    assert loss.perplexity.value == pytest.approx(math.exp(sum(nats) / len(nats)), rel=1e-3)


@pytest.mark.engine
def test_divergence_is_nothing_to_itself_and_rises_as_bits_fall(smollm2: Path, tmp_path: Path) -> None:
    rungs = [tmp_path / f"{name}.gguf" for name in ("Q8_0", "Q2_K")]
    for rung in rungs:
        quantize_gguf(smollm2, rung, rung.stem)
    run_pass(smollm2, tmp_path, reference=True)
    same, fine, coarse = (
        found
        for model in (smollm2, *rungs)
        if (found := run_pass(model, tmp_path, reference=False).divergence) is not None
    )
    # 16 bits per probability leave a rounding of either sign, which averages out.
    assert abs(same.mean_nats.value) < 1e-5
    assert same.same_top_share.value > 0.99
    assert same.perplexity_ratio.value == pytest.approx(1, abs=1e-4)
    assert 100 * abs(same.mean_nats.value) < fine.mean_nats.value < coarse.mean_nats.value / 10
    assert fine.same_top_share.value > coarse.same_top_share.value
    assert coarse.median_nats < coarse.p99_nats <= coarse.max_nats


@pytest.mark.engine
def test_too_little_text_names_the_tokens_seen_and_needed(smollm2: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineFailed, match=r"has 3 tokens .* at least 128 are needed"):
        run_pass(smollm2, tmp_path, reference=True, text="one two three")


@pytest.mark.engine
def test_another_model_is_refused_with_the_reason(smollm2: Path, gemma3: Path, tmp_path: Path) -> None:
    run_pass(smollm2, tmp_path, reference=True)
    with pytest.raises(EngineFailed, match="cuts the text into other tokens"):
        run_pass(gemma3, tmp_path, reference=False)


@pytest.mark.engine
def test_a_broken_file_is_a_sentence(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + b"\x03\0\0\0" + b"\xff" * 512)
    with pytest.raises(EngineFailed, match="could not load"):
        run_pass(broken, tmp_path, reference=True)
