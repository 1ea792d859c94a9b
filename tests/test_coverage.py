"""The 95 % intervals hold the truth about as often as they promise: a lean version of benchmarks/coverage.py.

The tolerance of each line is 1 % beside what so many test sets can tell by chance (three standard errors).
"""

import math

import pytest

from benchmarks.coverage import (
    LABELS,
    Line,
    covered,
    ece,
    false_alarms,
    few_pairs,
    grouped,
    macro_f1,
    means,
    paired_f1,
    paired_right,
    paired_scores,
    true_f1,
    wilson_intervals,
)

SETS = 400


@pytest.mark.parametrize("p", [0.6, 0.8, 0.9])
def test_wilson_at_one_p(p: float) -> None:
    share = covered(Line("", p, wilson_intervals(150, p)), 10_000)[0]
    # Counts are whole numbers, so that the coverage at one p is not exactly 95 %.
    assert 0.935 <= share <= 0.965


def test_wilson_on_average_over_p() -> None:
    assert 0.94 <= covered(Line("", math.nan, wilson_intervals(150, None)), 10_000)[0] <= 0.96


@pytest.mark.parametrize(
    "line",
    [
        Line("mean, n = 20", 0.8, means(20, 4, 1)),
        Line("mean, n = 150", 0.8, means(150, 4, 1)),
        Line("mean near 1, n = 150", 8 / 8.5, means(150, 8, 0.5)),
        Line("30 groups", 0.75, grouped(30, 5)),
        Line("macro F1", true_f1(LABELS, 0.8), macro_f1(150, LABELS, 0.8)),
        Line("paired, right or wrong", 0.8 - 0.86, paired_right(150)),
        Line("paired scores", 0.0, paired_scores(150)),
        Line("paired macro F1", true_f1(LABELS, 0.8) - true_f1(LABELS, 0.7), paired_f1(0.7)),
    ],
    ids=lambda line: line.name,
)
def test_the_bootstrap(line: Line) -> None:
    share, _, _, missing = covered(line, SETS)
    assert missing == 0
    assert abs(share - 0.95) <= 0.01 + 3 * math.sqrt(0.95 * 0.05 / SETS)


def test_intervals_on_the_safe_side_hold_the_truth_often_enough() -> None:
    assert covered(Line("", 0.8 - 0.86, few_pairs(20)), 4_000)[0] >= 0.95
    assert covered(Line("", 0.0, ece(150, 0.0)), 200)[0] >= 0.9
    assert covered(Line("", 0.1, ece(150, 0.1)), 200)[0] >= 0.9


def test_the_paired_bootstrap_raises_few_false_alarms() -> None:
    for name, share in false_alarms(SETS):
        assert share <= 0.06 + 3 * math.sqrt(0.95 * 0.05 / SETS), name
