"""The arithmetic of judging by hand: the document's worked examples, verdicts of two orders, and what warns."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import cohen_kappa_score

from results.agreement import cohen_kappa
from results.judge_records import JudgeAgreement
from results.judging import (
    Compared,
    Preference,
    belief,
    first_shown,
    judged_pairs,
    longer_wins,
    pair_agreements,
    position_bias,
    rank_correlation,
    verdict,
)
from results.records import Estimate
from results.statistics import wilson

DOCUMENT = (Path(__file__).parents[1] / "docs" / "judging.md").read_text(encoding="utf-8")
Verdicts = tuple[Preference | None, Preference | None] | None


def compared(
    number: int,
    verdicts: Verdicts,
    *,
    characters: tuple[int, int] = (5, 5),
    right: tuple[bool | None, bool | None] = (None, None),
) -> Compared:
    return Compared("A", "B", f"e{number}", verdicts, characters, right)


@pytest.mark.parametrize(
    ("verdicts", "decided"),
    [
        (("first", "second"), "first"),
        (("second", "first"), "second"),
        (("tie", "tie"), "tie"),
        (("first", "first"), "tie"),
        (("second", "second"), "tie"),
        (("first", "tie"), "tie"),
        (("tie", "first"), "tie"),
        ((None, "first"), None),
        (("first", None), None),
        (None, "tie"),
    ],
)
def test_a_verdict_needs_both_orders(verdicts: Verdicts, decided: str | None) -> None:
    assert verdict(compared(0, verdicts)) == decided


def kappa_of(first: list[str], second: list[str]) -> Estimate:
    found = cohen_kappa(first, second)
    assert found is not None
    return found


def test_the_pairwise_example_of_the_document_holds() -> None:
    counted: tuple[tuple[Verdicts, int], ...] = (
        (None, 10),
        (("second", "first"), 14),
        (("tie", "tie"), 2),
        (("first", "first"), 4),
    )
    verdicts = [each for each, count in counted for _ in range(count)]
    found = [compared(number, each) for number, each in enumerate(verdicts)]
    (pair,) = judged_pairs(found)
    assert (pair.wins, pair.losses, pair.ties, pair.disagreements, pair.identical) == (0, 14, 16, 4, 10)
    bias, shown = position_bias(found), first_shown(found)
    assert bias is not None
    assert shown is not None
    assert f"= 16 ÷ 2 ÷ 30 = {pair.win_rate.value:.4f}" in DOCUMENT
    assert f"on 4 of 20 = {bias.value:.4f}" in DOCUMENT
    assert f"4 · 2 + 14 = 22 times = {shown.value:.4f}" in DOCUMENT


def test_the_kappa_example_of_the_document_holds() -> None:
    known = ["right"] * 40 + ["wrong"] * 20
    judge = ["right"] * 45 + ["wrong"] * 15
    kappa = kappa_of(judge, known)
    assert f"÷ (1 − 0.5833) = {kappa.value:.4f}" in DOCUMENT
    assert f"P = 55/60 = {55 / 60:.4f}" in DOCUMENT
    assert f"= {45 / 60 * 40 / 60 + 15 / 60 * 20 / 60:.4f}" in DOCUMENT
    assert kappa.value == pytest.approx(cohen_kappa_score(judge, known), abs=1e-12)


def test_the_cosine_example_of_the_document_holds() -> None:
    one, other = np.array([3.0, 4.0]), np.array([4.0, 3.0])
    cosine = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
    assert f"(3 · 4 + 4 · 3) ÷ (5 · 5) = {cosine:.4f}" in DOCUMENT


@pytest.mark.parametrize("seed", range(5))
def test_kappa_is_scikit_learns(seed: int) -> None:
    chance = np.random.default_rng(seed)
    first, second = (["abcde"[place] for place in chance.integers(0, 5, 40)] for _ in range(2))
    assert kappa_of(first, second).value == pytest.approx(cohen_kappa_score(first, second), abs=1e-12)


def test_preferences_are_held_against_right_and_wrong() -> None:
    found = [
        compared(0, ("first", "second"), right=(True, False)),
        compared(1, ("first", "second"), right=(False, True)),
        compared(2, ("tie", "tie"), right=(True, True)),
        compared(3, ("first", "first"), right=(False, False)),
        compared(4, None, right=(True, True)),
        compared(5, ("first", "second"), right=(None, True)),
        compared(6, (None, "first"), right=(True, False)),
    ]
    (agreement,) = pair_agreements(found, "label_match")
    assert agreement.n == 4
    assert agreement.same.value == pytest.approx(3 / 4)
    assert pair_agreements(found[5:], "label_match") == ()


def test_the_longer_answer_is_counted_where_there_is_a_winner_and_a_longer_one() -> None:
    found = [
        compared(0, ("first", "second"), characters=(9, 1)),
        compared(1, ("second", "first"), characters=(9, 1)),
        compared(2, ("second", "first"), characters=(1, 9)),
        compared(3, ("first", "second"), characters=(5, 5)),
        compared(4, ("first", "first"), characters=(9, 1)),
    ]
    longer = longer_wins(found)
    assert longer is not None
    assert longer.value == pytest.approx(2 / 3)
    assert longer.n == 3
    assert longer_wins(found[3:]) is None


@pytest.mark.parametrize("seed", range(3))
def test_rank_correlation_is_scipys_spearman(seed: int) -> None:
    chance = np.random.default_rng(seed)
    first = chance.integers(0, 50, 40).tolist()
    second = [value + chance.normal(0, 20) for value in first]
    found = rank_correlation(first, second)
    assert found is not None
    assert found.value == pytest.approx(spearmanr(first, second).statistic, abs=1e-12)
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.value < found.high


def test_rank_correlation_is_not_given_where_it_is_not_defined() -> None:
    assert rank_correlation([1] * 20, list(range(20))) is None
    assert rank_correlation(list(range(9)), list(range(9))) is None


def agreement(kappa: float, name: str = "the first scorer") -> JudgeAgreement:
    found = kappa_of(["a", "b"] * 10, ["a", "b"] * 10).model_copy(update={"value": kappa, "low": 0.1, "high": 0.4})
    return JudgeAgreement(held_against=name, n=20, same=wilson(12, 20), kappa=found)


def test_low_agreement_warns_with_the_numbers_and_good_agreement_does_not() -> None:
    assert belief([agreement(0.7)], 0.6) is None
    assert belief([agreement(0.6)], 0.6) is None
    warning = belief([agreement(0.7), agreement(0.25, "a person's grades")], 0.6)
    assert warning is not None
    assert warning.startswith(
        "Do not decide by these grades: against a person's grades the judge agrees on 60.0 % of 20, "
        "which is kappa 0.25 (0.10 to 0.40), below 0.6."
    )
    assert "Nobody knows" in (belief([], 0.6) or "")


def test_agreement_on_answers_of_one_kind_is_not_believed() -> None:
    nothing = JudgeAgreement(held_against="the first scorer", n=3, same=wilson(3, 3), kappa=None)
    warning = belief([nothing], 0.6)
    assert warning is not None
    assert "put all of 3 answers into one kind" in warning
