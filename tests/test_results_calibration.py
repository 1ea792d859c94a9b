"""Label probabilities against what came true: hand-made values, scikit-learn, and a simulation with a known truth."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from results.calibration import bin_units, calibration, calibration_error, error_by_chance
from results.records import ExampleOutcome
from results.statistics import wilson
from results.summary import summarise
from runners.records import Validity
from tests.results_samples import ALLOWED, measurements, outcome


def answered(*given: tuple[float, bool], weight: float = 1.0) -> list[ExampleOutcome]:
    return [outcome(i + 1, right, probability=p, weight=weight) for i, (p, right) in enumerate(given)]


def drawn(n: int, seed: int, shift: float = 0.0) -> list[tuple[float, bool]]:
    rng = np.random.default_rng(seed)
    probability = rng.uniform(0.3, 1.0, n)
    return [(float(p), bool(rng.random() < p - shift)) for p in probability]


def test_the_calibration_error_of_an_example_by_hand() -> None:
    # Bins (0.8, 0.9]: two answers, mean 0.85, half right: 0.35. (0.5, 0.6]: two, mean 0.55, all right: 0.45.
    found = calibration(answered((0.82, True), (0.88, False), (0.52, True), (0.58, True)))
    assert found is not None
    assert found.ece_10.value == pytest.approx(0.5 * 0.35 + 0.5 * 0.45)
    assert found.brier.value == pytest.approx((0.18**2 + 0.88**2 + 0.48**2 + 0.42**2) / 4)
    assert found.confidence == pytest.approx(0.7)
    assert [(b.low, b.high, b.n) for b in found.bins] == [(0.5, 0.6, 2), (0.8, 0.9, 2)]
    assert found.bins[1].probability == pytest.approx(0.85)
    assert found.bins[1].accuracy == wilson(1, 2)
    assert found.ece_10.low is None


def test_ends_of_bins_belong_to_the_lower_bin() -> None:
    found = calibration(answered((0.0, False), (0.1, True), (0.1000001, True), (1.0, True)))
    assert found is not None
    assert [(b.low, b.n) for b in found.bins] == [(0.0, 2), (0.1, 1), (0.9, 1)]


@pytest.mark.parametrize("seed", range(5))
def test_bins_and_brier_score_equal_scikit_learn(seed: int) -> None:
    given = drawn(300, seed)
    found = calibration(answered(*given))
    probability, right = np.array([p for p, _ in given]), np.array([r for _, r in given])
    shares, means = calibration_curve(right, probability, n_bins=10)
    assert found is not None
    assert [b.accuracy.value for b in found.bins] == pytest.approx(list(shares), abs=1e-9)
    assert [b.probability for b in found.bins] == pytest.approx(list(means), abs=1e-9)
    counts = np.array([b.n for b in found.bins])
    assert found.ece_10.value == pytest.approx(float(np.sum(counts * np.abs(shares - means)) / 300), abs=1e-9)
    assert found.brier.value == pytest.approx(brier_score_loss(right, probability), abs=1e-9)


def test_a_model_that_is_too_sure_has_a_larger_error_than_one_that_is_not() -> None:
    honest, boasting = calibration(answered(*drawn(500, 1))), calibration(answered(*drawn(500, 1, shift=0.2)))
    assert honest is not None
    assert boasting is not None
    assert honest.ece_10.low == 0
    assert honest.ece_10.value < honest.ece_by_chance
    assert boasting.ece_10.value > boasting.ece_by_chance
    assert boasting.ece_10.low is not None
    assert boasting.ece_10.low > honest.ece_10.value
    assert boasting.ece_10.value == pytest.approx(0.2, abs=0.05)
    assert boasting.brier.value > honest.brier.value


def test_a_calibration_error_of_chance_alone_is_seldom_taken_for_one() -> None:
    alarms = 0
    for seed in range(100):
        probability, right = (np.array(column) for column in zip(*drawn(100, seed), strict=True))
        units = bin_units(probability, right, np.ones(100), 10)
        alarms += calibration_error(units.sum(axis=0, keepdims=True))[0] > error_by_chance(units)
    assert alarms <= 11


def test_weights_count() -> None:
    light, heavy = answered((0.9, True), weight=1.0), answered((0.5, False), weight=3.0)
    found = calibration([*light, heavy[0].model_copy(update={"example_id": "other"})])
    assert found is not None
    assert found.brier.value == pytest.approx((0.01 + 3 * 0.25) / 4)
    assert found.ece_10.value == pytest.approx((0.1 + 3 * 0.5) / 4)


def test_answers_without_a_probability_are_left_out_and_none_gives_nothing() -> None:
    asked = [*answered((0.9, True)), outcome(2, False), outcome(3, None, validity=Validity.FAILED, probability=0.5)]
    found = calibration(asked)
    assert found is not None
    assert found.n == 1
    assert calibration(asked[1:]) is None
    assert summarise(measurements("A", asked[1:2]), ALLOWED).calibration is None
    assert summarise(measurements("A", asked[:1]), ALLOWED).calibration == calibration(asked[:1])
