"""BLEU, chrF and ROUGE: equal to the libraries, sentence by sentence and over the whole test set."""

import random
import subprocess
import sys
from typing import Any

import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from runners.records import Score, Validity
from runners.scorer_options import ScorerOptions
from tests.scoring import answered, example, judge_one, metrics_of, options_of

SYSTEM = ["The dog bit the man.", "It wasn't surprising.", "The man had just bitten him."]
REFERENCES = [
    ["The dog bit the man.", "The dog had bit the man."],
    ["It was not unexpected.", "No one was surprised."],
    ["The man bit him first.", "The man had bitten the dog."],
]
"""The example of sacrebleu's README."""

TEXT = "the a dog man bit had, been by. Not? so much ( ) über 東京 it's 3.5"
WORDS = TEXT.split()


def scores_of(options: ScorerOptions, said: list[str], right: list[list[str]]) -> list[Score]:
    return [
        judge_one(options, answered(text), example(refs[0], refs[1:])) for text, refs in zip(said, right, strict=True)
    ]


def made(seed: int, count: int) -> tuple[list[str], list[list[str]]]:
    """Sentences that resemble their references more or less; some have several references, some are short."""
    rng = random.Random(seed)
    said, right = [], []
    for _ in range(count):
        reference = rng.choices(WORDS, k=rng.randint(1, 14))
        others = [" ".join(rng.choices(WORDS, k=rng.randint(1, 14))) for _ in range(rng.randint(0, 2))]
        words = [word if rng.random() < 0.7 else rng.choice(WORDS) for word in reference]
        said.append(" ".join(words[: rng.randint(1, len(words))]))
        right.append([" ".join(reference), *others])
    return said, right


def streams(right: list[list[str]]) -> Any:
    """References as sacrebleu takes them: one list per place, None where an example has fewer."""
    return [[refs[n] if n < len(refs) else None for refs in right] for n in range(max(map(len, right)))]


def test_sacrebleus_own_example_gives_sacrebleus_own_figures() -> None:
    bleu = metrics_of(options_of("bleu"), scores_of(options_of("bleu"), SYSTEM, REFERENCES))
    chrf = metrics_of(options_of("chrf"), scores_of(options_of("chrf"), SYSTEM, REFERENCES))
    assert bleu["bleu"] == pytest.approx(48.530827009929865, abs=1e-9)
    assert chrf["chrf"] == pytest.approx(59.73, abs=0.005)


def test_the_example_of_nltks_documentation() -> None:
    said = "It is a guide to action which ensures that the military always obeys the commands of the party"
    right = [
        "It is a guide to action that ensures that the military will forever heed Party commands",
        "It is the guiding principle which guarantees the military forces always being under the command of the Party",
        "It is the practical guide for the army always to heed the directions of the party",
    ]
    score = judge_one(options_of("bleu"), said, example(right[0], right[1:]))
    assert score.value == pytest.approx(0.5045666840058485, abs=1e-9)


def test_the_example_of_rouge_scores_documentation() -> None:
    row = example("The quick brown fox jumps over the lazy dog")
    score = judge_one(options_of("rouge"), "The quick brown dog jumps on the log.", row)
    assert score.counts["rouge1"] == pytest.approx(2 * 0.75 * (6 / 9) / (0.75 + 6 / 9), abs=1e-9)
    assert score.value == score.counts["rougeL"] == pytest.approx(2 * 0.625 * (5 / 9) / (0.625 + 5 / 9), abs=1e-9)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("changes", [{}, {"lowercase": True}, {"tokenize": "char"}, {"tokenize": "intl"}])
def test_bleu_of_the_whole_test_set_equals_sacrebleu(seed: int, changes: dict[str, object]) -> None:
    said, right = made(seed, 1 + seed % 7)
    options = options_of("bleu", **changes)
    expected = sacrebleu.corpus_bleu(said, streams(right), **changes).score
    found = metrics_of(options, scores_of(options, said, right))
    assert found["bleu"] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("changes", [{}, {"lowercase": True}, {"word_order": 2}])
def test_chrf_of_the_whole_test_set_equals_sacrebleu(seed: int, changes: dict[str, Any]) -> None:
    said, right = made(seed, 1 + seed % 7)
    options = options_of("chrf", **changes)
    expected = CHRF(**changes).corpus_score(said, streams(right)).score
    found = metrics_of(options, scores_of(options, said, right))
    assert found["chrf"] == pytest.approx(expected, abs=1e-9)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=40), st.lists(st.text(max_size=40), min_size=1, max_size=3))
def test_any_text_scores_as_the_libraries_say(said: str, right: list[str]) -> None:
    if not said.strip():
        return
    row = example(right[0], right[1:])
    bleu = BLEU(effective_order=True).sentence_score(said, right).score / 100
    chrf = CHRF().sentence_score(said, right).score / 100
    rouge = RougeScorer(["rougeL"]).score_multi(right, said)["rougeL"].fmeasure
    assert judge_one(options_of("bleu"), said, row).value == pytest.approx(bleu, abs=1e-9)
    assert judge_one(options_of("chrf"), said, row).value == pytest.approx(chrf, abs=1e-9)
    assert judge_one(options_of("rouge"), said, row).value == pytest.approx(rouge, abs=1e-9)


@pytest.mark.parametrize("stemming", [False, True])
def test_rouge_means_equal_rouge_score(stemming: bool) -> None:
    said, right = made(5, 40)
    options = options_of("rouge", stemming=stemming)
    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=stemming)
    expected = [scorer.score_multi(refs, text) for text, refs in zip(said, right, strict=True)]
    found = metrics_of(options, scores_of(options, said, right))
    for name in ("rouge1", "rouge2", "rougeL"):
        assert found[name] == pytest.approx(sum(each[name].fmeasure for each in expected) / 40, abs=1e-9)


def test_rouge_sees_other_scripts_only_where_it_is_told_to() -> None:
    row = example("Москва столица России")
    assert judge_one(options_of("rouge"), "Москва столица", row).value == 0
    assert judge_one(options_of("rouge", tokens="unicode"), "Москва столица", row).value == pytest.approx(0.8)


@pytest.mark.parametrize("scorer", ["bleu", "chrf", "rouge"])
@pytest.mark.parametrize(
    ("text", "finish", "validity"),
    [
        ("The dog bit the", "length", Validity.TRUNCATED),
        ("I'm sorry, but I can't help with that.", "stop", Validity.REFUSED),
        ("", "stop", Validity.EMPTY),
    ],
)
def test_what_is_no_finished_answer_lowers_the_figure_as_an_empty_text(
    scorer: str, text: str, finish: str, validity: Validity
) -> None:
    options = options_of(scorer)
    good = judge_one(options, "The dog bit the man.", example("The dog bit the man."))
    bad = judge_one(options, answered(text, finish=finish), example("The dog bit the man."))
    assert (bad.validity, bad.value) == (validity, 0)
    alone, both = metrics_of(options, [good]), metrics_of(options, [good, bad])
    assert all(both[name] < alone[name] for name in alone)


def test_a_refusal_is_an_answer_where_the_reference_refuses() -> None:
    text = "I'm sorry, but I can't help with that."
    assert judge_one(options_of("chrf"), text, example(text)).value == 1


def test_the_version_names_the_library_that_counted() -> None:
    assert judge_one(options_of("bleu"), "a", example("a")).version.startswith("1 (sacrebleu 2.")


def test_the_libraries_are_loaded_without_a_word_or_a_download() -> None:
    code = "import socket; socket.socket.connect = None; import runners.scorers.overlap"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
