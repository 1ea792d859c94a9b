"""Pairs of candidates: the counts, the corrected test, and when the word "better" may be used."""

import math
from collections.abc import Sequence

import pytest

from results.comparison import compare, pair_of, shows_difference
from results.errors import NothingToCompare
from results.records import BenchmarkComparison, RunMeasurements
from results.statistics import holm, mcnemar_exact
from results.summary import summarise
from runners.records import Validity
from tests.results_samples import ALLOWED, benchmark, measurements, outcome


def run(name: str, rights: Sequence[bool | None], *, group_size: int | None = None) -> RunMeasurements:
    outcomes = [
        outcome(i + 1, right, group=None if group_size is None else str(i // group_size))
        for i, right in enumerate(rights)
    ]
    return measurements(name, outcomes)


def compared(*runs: RunMeasurements) -> BenchmarkComparison:
    names = [each.candidate.name for each in runs]
    return compare(benchmark(*names), [summarise(each, ALLOWED) for each in runs], runs)


def rights(both: int, first: int, second: int, neither: int) -> tuple[list[bool], list[bool]]:
    """Answers of two candidates with these counts."""
    ours = [True] * (both + first) + [False] * (second + neither)
    theirs = [True] * both + [False] * first + [True] * second + [False] * neither
    return ours, theirs


def test_the_example_of_the_method_page_is_better_by_the_paired_test() -> None:
    # 63 % against 70 % of 150 with 5 and 15 discordant.
    ours, theirs = rights(90, 5, 15, 40)
    (pair,) = compared(run("A", ours), run("B", theirs)).pairs
    assert (pair.n, pair.both_right, pair.only_first_right, pair.only_second_right, pair.both_wrong) == (
        (150, 90, 5, 15, 40)
    )
    assert pair.p_value == pair.p_adjusted == pytest.approx(0.0414, abs=5e-5)
    assert pair.difference.value == pytest.approx(-10 / 150)
    assert pair.difference.high is not None
    assert pair.difference.high < 0
    assert pair.conclusion == "B is better than A: 70.0 % against 63.3 % right at n = 150 (adjusted p = 0.041)."


def test_three_candidates_are_corrected_for_all_their_pairs() -> None:
    ours, theirs = rights(90, 5, 15, 40)
    result = compared(run("A", ours), run("B", theirs), run("C", ours))
    assert [(pair.first, pair.second) for pair in result.pairs] == [("A", "B"), ("A", "C"), ("B", "C")]
    raw = [pair.p_value for pair in result.pairs]
    assert raw == pytest.approx([mcnemar_exact(5, 15), 1.0, mcnemar_exact(15, 5)])
    assert [pair.p_adjusted for pair in result.pairs] == pytest.approx(list(holm(raw)))
    # Uncorrected, A and B were told apart; with three pairs they are not.
    assert "better" not in " ".join(pair.conclusion for pair in result.pairs)
    assert result.pairs[0].conclusion == (
        "No difference shown between A and B at n = 150 (63.3 % against 70.0 % right, adjusted p = 0.12); "
        "this n could have shown about 8.3 points."
    )


def test_equal_answers_show_nothing_and_say_why() -> None:
    (pair,) = compared(run("A", [True] * 20), run("B", [True] * 20)).pairs
    assert (pair.p_value, pair.difference.value, pair.smallest_detectable_difference) == (1.0, 0.0, None)
    assert pair.difference.low == pytest.approx(-1.959964 * math.sqrt(2) / 22)
    (more,) = compared(run("A", [True] * 60), run("B", [True] * 60)).pairs
    assert more.difference.low == pytest.approx(-(1 - 0.05 ** (1 / 60)))
    assert pair.conclusion.endswith("; only 0 examples set them apart, too few to show any.")


def test_only_examples_that_both_were_asked_are_compared() -> None:
    ours: list[bool | None] = [True, None, False, True, False]
    theirs: list[bool | None] = [True, True, True, None, False]
    (pair,) = compared(run("A", ours), run("B", theirs)).pairs
    assert (pair.n, pair.both_right, pair.only_first_right, pair.only_second_right, pair.both_wrong) == (3, 1, 0, 1, 1)


def test_an_answer_that_was_not_understood_is_compared_as_wrong() -> None:
    first = measurements("A", [outcome(1, False, validity=Validity.EMPTY)])
    (pair,) = compared(first, run("B", [True])).pairs
    assert (pair.n, pair.only_second_right) == (1, 1)


def test_candidates_without_common_examples_have_no_pair() -> None:
    result = compared(run("A", [True, None]), run("B", [None, True]), run("C", []))
    assert result.pairs == ()
    assert [each.candidate.name for each in result.candidates] == ["A", "B", "C"]


def test_a_benchmark_without_runs_has_nothing_to_compare() -> None:
    with pytest.raises(NothingToCompare, match="'demo' has no run yet"):
        compare(benchmark("A"), [], [])


def test_examples_in_groups_are_decided_by_the_bootstrap_over_groups() -> None:
    # 24 discordant examples, all in favour of A, but all from two of twelve conversations.
    ours, theirs = [True] * 144, [True] * 120 + [False] * 24
    (alone,) = compared(run("A", ours), run("B", theirs)).pairs
    (grouped,) = compared(run("A", ours, group_size=12), run("B", theirs, group_size=12)).pairs
    assert (alone.test, grouped.test, grouped.grouped) == ("mcnemar", "paired_bootstrap", True)
    assert shows_difference(alone)
    assert "A is better" in alone.conclusion
    assert not shows_difference(grouped)
    assert "12 groups" in grouped.difference.method
    assert (grouped.p_value > 0.05) == (grouped.difference.low is not None and grouped.difference.low <= 0)


def test_two_groups_alone_show_nothing() -> None:
    ours, theirs = [True] * 40, [True] * 20 + [False] * 20
    (pair,) = compared(run("A", ours, group_size=20), run("B", theirs, group_size=20)).pairs
    assert (pair.test, pair.p_value, pair.difference.low) == ("none", 1.0, None)
    assert not shows_difference(pair)
    assert pair.conclusion == (
        "No difference can be shown between A and B at n = 40 (100.0 % against 50.0 %): its examples come in too few "
        "groups (no interval: 2 of the 10 independent values it needs)."
    )


def test_a_pair_is_found_in_either_order() -> None:
    pairs = compared(run("A", [True] * 10), run("B", [False] * 10)).pairs
    assert pair_of(pairs, "B", "A") == pair_of(pairs, "A", "B") == pairs[0]
    assert pair_of(pairs, "A", "C") is None
