"""Pairs in every metric: against scikit-learn, scipy and statsmodels; weights, slices, margins, and their sentences."""

from collections.abc import Sequence

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import f1_score
from statsmodels.stats.multitest import multipletests

from results.comparison import compare, shows_difference
from results.conclusions import concluded
from results.records import (
    BenchmarkComparison,
    Comparison,
    Estimate,
    ExampleOutcome,
    RunMeasurements,
)
from results.requirement_records import Requirements
from results.summary import summarise
from runners.records import Validity
from tests.results_samples import ALLOWED, benchmark, measurements, outcome
from tests.test_results_comparison import rights, run

SHARES = {"A": 0.9, "B": 0.75, "C": 0.6}


def compared(*runs: RunMeasurements, margin: float | None = None) -> BenchmarkComparison:
    asked = benchmark(*(each.candidate.name for each in runs))
    asked = asked.model_copy(update={"requirements": Requirements(margin=margin)})
    return compare(asked, [summarise(each, ALLOWED) for each in runs], runs)


def drawn(seed: int, share: float, n: int = 120) -> list[bool]:
    return [bool(right) for right in np.random.default_rng(seed).random(n) < share]


def answers(run_: RunMeasurements) -> tuple[list[str], list[str]]:
    return [o.target for o in run_.outcomes], [o.predicted or "" for o in run_.outcomes]


def test_every_metric_of_every_pair_is_there() -> None:
    runs = [run(name, drawn(seed, 0.8)) for seed, name in enumerate("ABC")]
    made = compared(*runs)
    assert [pair.metric for pair in made.pairs] == ["accuracy"] * 3
    assert [pair.metric for pair in made.metric_pairs] == ["balanced_accuracy"] * 3 + ["macro_f1"] * 3
    assert {pair.test for pair in made.pairs} == {"mcnemar"}
    assert {pair.test for pair in made.metric_pairs} == {"paired_bootstrap"}
    macro = made.metric_pairs[3]
    for value, each in ((macro.first_value, runs[0]), (macro.second_value, runs[1])):
        targets, predicted = answers(each)
        assert value == pytest.approx(f1_score(targets, predicted, average="macro"), abs=1e-9)
    assert macro.both_right is None
    assert macro.smallest_detectable_difference is not None


def test_holm_corrects_within_each_metric() -> None:
    made = compared(*(run(name, drawn(place, share)) for place, (name, share) in enumerate(SHARES.items())))
    for metric in ("balanced_accuracy", "macro_f1"):
        pairs = [pair for pair in made.metric_pairs if pair.metric == metric]
        theirs = multipletests([pair.p_value for pair in pairs], method="holm")[1]
        assert [pair.p_adjusted for pair in pairs] == pytest.approx(list(theirs), abs=1e-6)


def test_the_interval_of_a_difference_agrees_with_scipy() -> None:
    first, second = run("A", drawn(1, 0.85)), run("B", drawn(2, 0.7))
    pair = compared(first, second).metric_pairs[1]
    targets = np.array(answers(first)[0])
    ours, theirs = np.array(answers(first)[1]), np.array(answers(second)[1])

    def difference(places: np.ndarray) -> float:
        scores = [f1_score(targets[places], said[places], average="macro") for said in (ours, theirs)]
        return float(scores[0] - scores[1])

    found = stats.bootstrap(
        (np.arange(120),), difference, vectorized=False, n_resamples=1000, method="BCa", rng=np.random.default_rng(3)
    )
    assert pair.difference.low is not None
    assert pair.difference.low == pytest.approx(found.confidence_interval.low, abs=0.02)
    assert pair.difference.high == pytest.approx(found.confidence_interval.high, abs=0.02)
    assert (pair.p_value < 0.05) == (pair.difference.low > 0)


def test_interval_and_p_of_the_bootstrap_always_agree() -> None:
    for seed in range(20):
        pairs = compared(run("A", drawn(seed, 0.8, 60)), run("B", drawn(seed + 100, 0.65, 60))).metric_pairs
        for pair in pairs:
            assert pair.difference.low is not None
            assert pair.difference.high is not None
            excludes_zero = pair.difference.low > 0 or pair.difference.high < 0
            assert excludes_zero == (pair.p_value < 0.05) or abs(pair.p_value - 0.05) < 0.003


def test_a_pair_is_summed_up_over_common_examples_only() -> None:
    ours: list[bool | None] = [*drawn(1, 0.8, 40), *[None] * 20, *[True] * 20]
    theirs: list[bool | None] = [*drawn(2, 0.6, 40), *[True] * 20, *[None] * 20]
    alone = compared(run("A", ours[:40]), run("B", theirs[:40]))
    made = compared(run("A", ours), run("B", theirs))
    for pair, expected in zip((*made.pairs, *made.metric_pairs), (*alone.pairs, *alone.metric_pairs), strict=True):
        assert pair.n == expected.n == 40
        assert (pair.first_value, pair.second_value) == pytest.approx((expected.first_value, expected.second_value))
        assert pair.difference.low is not None
        # Not the same draws, so the same interval up to their noise.
        assert pair.difference.low == pytest.approx(expected.difference.low, abs=0.03)


def weighted(name: str, given: Sequence[bool], weights: Sequence[float]) -> RunMeasurements:
    pairs = zip(given, weights, strict=True)
    return measurements(name, [outcome(i + 1, right, weight=weight) for i, (right, weight) in enumerate(pairs)])


def test_weights_count_in_every_figure_and_the_bootstrap_decides() -> None:
    weights = [3.0 if i % 2 else 1.0 for i in range(80)]
    ours, theirs = drawn(5, 0.8, 80), drawn(6, 0.6, 80)
    made = compared(weighted("A", ours, weights), weighted("B", theirs, weights))
    (pair,) = made.pairs
    assert pair.test == "paired_bootstrap"
    assert pair.first_value == pytest.approx(np.average(ours, weights=weights))
    assert made.candidates[0].accuracy is not None
    assert made.candidates[0].accuracy.value == pytest.approx(np.average(ours, weights=weights))
    assert "BCa" in made.candidates[0].accuracy.method
    macro = made.candidates[0].macro_f1
    targets, predicted = answers(weighted("A", ours, weights))
    assert macro is not None
    assert macro.value == pytest.approx(f1_score(targets, predicted, average="macro", sample_weight=weights), abs=1e-9)
    recalls = {label.label: label.recall for label in made.candidates[0].labels}
    yes = [i for i, target in enumerate(targets) if target == "yes"]
    assert recalls["yes"] == pytest.approx(np.average([ours[i] for i in yes], weights=[weights[i] for i in yes]))
    assert {label.label: label.support for label in made.candidates[0].labels} == {"yes": 40, "no": 40}


def test_equal_weights_change_nothing() -> None:
    ours, theirs = drawn(5, 0.8, 80), drawn(6, 0.6, 80)
    (pair,) = compared(weighted("A", ours, [2.0] * 80), weighted("B", theirs, [2.0] * 80)).pairs
    (plain,) = compared(run("A", ours), run("B", theirs)).pairs
    assert (pair.test, pair.p_value, pair.difference) == ("mcnemar", plain.p_value, plain.difference)


def sliced(name: str, given: Sequence[bool]) -> RunMeasurements:
    def in_slice(each: ExampleOutcome, number: int) -> ExampleOutcome:
        channel = "rare" if number < 8 else "mail" if number < 60 else "chat"
        return each.model_copy(update={"slices": {"channel": channel}})

    return measurements(name, [in_slice(outcome(i + 1, right), i) for i, right in enumerate(given)])


def test_slices_have_every_metric_and_their_own_pairs() -> None:
    ours, theirs = [True] * 120, [True] * 60 + [False] * 20 + [True] * 40
    made = compared(sliced("A", ours), sliced("B", theirs), sliced("C", ours))
    first = made.candidates[1].slices[0]
    assert (first.column, first.value, first.accuracy.n) == ("channel", "chat", 60)
    assert [metric.name for metric in first.metrics] == ["accuracy", "balanced_accuracy", "macro_f1"]
    assert first.metrics[0].estimate == first.accuracy
    rare = made.candidates[1].slices[2]
    assert (rare.value, rare.metrics[0].estimate.n, rare.metrics[2].estimate.low) == ("rare", 8, None)
    # Eight examples are too few to compare.
    assert [(each.value, each.pair.first + each.pair.second) for each in made.slice_pairs] == [
        (value, names) for value in ("chat", "mail") for names in ("AB", "AC", "BC")
    ]
    raw = [each.pair.p_value for each in made.slice_pairs]
    theirs_adjusted = multipletests(raw, method="holm")[1]
    assert [each.pair.p_adjusted for each in made.slice_pairs] == pytest.approx(list(theirs_adjusted), abs=1e-6)
    assert shows_difference(made.slice_pairs[0].pair)
    assert made.slice_pairs[0].pair.conclusion.startswith("A is better than B: 100.0 % against 66.7 % right at n = 60")
    assert not shows_difference(made.slice_pairs[3].pair)


def test_a_margin_set_before_the_run_is_tested() -> None:
    ours, theirs = rights(360, 6, 4, 30)
    (pair,) = compared(run("A", ours), run("B", theirs), margin=0.03).pairs
    found = pair.not_worse
    assert found is not None
    assert (found.candidate, found.than, found.shown) == ("B", "A", True)
    assert found.bound == pytest.approx(-(pair.difference.high or 0))
    assert found.p_value < 0.025
    assert pair.conclusion.endswith(
        "B is not worse than A by more than the 3.0 points set before the run (adjusted p = 0.002, one-sided)."
    )
    narrow = compared(run("A", ours), run("B", theirs), margin=0.01).pairs[0]
    assert narrow.not_worse is not None
    assert not narrow.not_worse.shown
    assert "Not shown: that B is at most 1.0 points worse than A" in narrow.conclusion
    assert compared(run("A", ours), run("B", theirs)).pairs[0].not_worse is None


def test_a_margin_does_not_depend_on_the_order_of_the_pair() -> None:
    ours, theirs = rights(360, 6, 4, 30)
    forth = compared(run("A", ours), run("B", theirs), margin=0.03).pairs[0].not_worse
    back = compared(run("B", theirs), run("A", ours), margin=0.03).pairs[0].not_worse
    assert forth is not None
    assert back is not None
    assert (forth.candidate, forth.than) == (back.candidate, back.than) == ("B", "A")
    assert forth.bound == pytest.approx(back.bound, abs=1e-3)
    assert forth.p_value == pytest.approx(back.p_value, abs=1e-3)


def test_equal_answers_on_enough_examples_show_that_one_is_not_worse() -> None:
    (pair,) = compared(run("A", [True] * 200), run("B", [True] * 200), margin=0.03).pairs
    assert pair.not_worse is not None
    assert pair.not_worse.p_value == pytest.approx(0.97**200)
    assert pair.not_worse.shown
    (few,) = compared(run("A", [True] * 50), run("B", [True] * 50), margin=0.03).pairs
    assert few.not_worse is not None
    assert not few.not_worse.shown


def test_margins_are_tested_only_in_quality() -> None:
    made = compared(run("A", drawn(1, 0.8)), run("B", drawn(2, 0.8)), margin=0.05)
    assert made.pairs[0].not_worse is not None
    assert {pair.not_worse for pair in made.metric_pairs} == {None}


def test_conclusions_name_the_metric_and_its_unit() -> None:
    pair = Comparison(
        metric="bleu",
        title="BLEU",
        unit="score",
        first="A",
        second="B",
        n=90,
        first_value=31.42,
        second_value=27.0,
        difference=Estimate(value=4.42, low=1.0, high=8.0, n=90, method="made"),
        test="paired_bootstrap",
        p_value=0.01,
        p_adjusted=0.02,
        smallest_detectable_difference=3.3,
        conclusion="",
    )
    assert (
        concluded(pair, True).conclusion
        == "A is better than B in BLEU: 31.4 against 27.0 at n = 90 (adjusted p = 0.020)."
    )
    assert concluded(pair.model_copy(update={"p_adjusted": 0.2}), False).conclusion == (
        "No difference shown between A and B in BLEU at n = 90 (31.4 against 27.0, adjusted p = 0.20); "
        "this n could have shown about 3.30."
    )
    loss = pair.model_copy(update={"metric": "wer", "title": "Word errors", "higher_is_better": False})
    assert concluded(loss, True).conclusion.startswith("B is better than A in word errors: 27.0 against 31.4")


def test_an_answer_that_was_not_understood_counts_in_every_metric() -> None:
    first = measurements("A", [outcome(i, False, validity=Validity.EMPTY) for i in range(1, 21)])
    made = compared(first, run("B", [True] * 20))
    assert all(pair.difference.value < 0 for pair in (*made.pairs, *made.metric_pairs))
