"""Limits, ranking, sensitivity and the sentences of the recommendation."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.records import Reason, Verdict, VerdictValue
from results.limits import broken_limits
from results.ranking import DIMENSIONS, Field, first, shares, standings, utility
from results.recommendation import recommend
from results.records import BenchmarkComparison, CandidateSummary, Comparison, Estimate
from results.requirement_records import Limits, Requirements, Weights
from results.sensitivity import weight_changes, with_share
from runners.records import Failure
from tests.results_samples import benchmark, metric, summary

GIB = 2**30
FORBIDDEN = Verdict(value=VerdictValue.FORBIDDEN, license="cc-by-nc-4.0", reasons=(Reason(text="NC.", source="x"),))
CONDITIONAL = Verdict(
    value=VerdictValue.CONDITIONAL,
    license="gemma",
    reasons=(Reason(text="Terms.", source="x"),),
    conditions=("Pass the terms on.", "Keep the notice."),
)


def pair(first: str, second: str, p_adjusted: float, difference: float = 0.1) -> Comparison:
    return Comparison(
        first=first,
        second=second,
        n=200,
        both_right=100,
        only_first_right=30,
        only_second_right=10,
        both_wrong=60,
        difference=Estimate(value=difference, n=200, method="made"),
        p_value=p_adjusted,
        p_adjusted=p_adjusted,
        conclusion="made",
    )


def comparison(*candidates: CandidateSummary, pairs: tuple[Comparison, ...] = ()) -> BenchmarkComparison:
    names = [each.candidate.name for each in candidates]
    return BenchmarkComparison(benchmark=benchmark(*names), candidates=candidates, pairs=pairs)


def requirements(
    limits: Limits | None = None, *, quality: float = 0.6, latency: float = 0.25, memory: float = 0.15
) -> Requirements:
    return Requirements(limits=limits or Limits(), weights=Weights(quality=quality, latency=latency, memory=memory))


# Limits


@pytest.mark.parametrize(
    ("limits", "candidate", "missed_by", "words"),
    [
        (Limits(), summary("A", verdict=FORBIDDEN), None, "verdict is forbidden (cc-by-nc-4.0); accepted: allowed"),
        (Limits(min_quality=0.9), summary("A"), pytest.approx(1 / 6), "is 75.0 %; the limit is at least 90.0 %"),
        (Limits(min_quality=0.5), summary("A", accuracy=None), None, "is not known; the limit is at least 50.0 %"),
        (
            Limits(max_e2e_p95_seconds=1.6),
            summary("A"),
            pytest.approx(0.25),
            "is 2.00 s; the limit is at most 1.60 s (missed by 25.0 % of it)",
        ),
        (
            Limits(max_e2e_p95_seconds=1.6),
            summary("A", latency=None),
            None,
            "was not measured (a 95th percentile needs 20 timed requests)",
        ),
        (Limits(max_ttft_p95_seconds=1), summary("A"), None, "time to first token (p95) was not measured"),
        (Limits(min_decode_tokens_per_second=9), summary("A"), None, "at least 9.00 tokens/s"),
        (Limits(max_peak_memory_bytes=GIB // 2), summary("A"), pytest.approx(1.0), "is 1.0 GiB"),
        (Limits(max_peak_memory_bytes=GIB), summary("A", memory=None), None, "peak memory was not measured"),
        (Limits(max_load_seconds=3), summary("A"), None, "load time was not measured; the limit is at most 3.00 s"),
    ],
)
def test_a_broken_limit_says_value_limit_and_distance(
    limits: Limits, candidate: CandidateSummary, missed_by: float | None, words: str
) -> None:
    (broken,) = broken_limits(candidate, limits)
    assert broken.missed_by == missed_by
    assert words in broken.message


@pytest.mark.parametrize(
    "limits",
    [
        Limits(),
        Limits(min_quality=0.75),
        Limits(max_e2e_p95_seconds=2.0),
        Limits(max_peak_memory_bytes=GIB),
        Limits(min_quality=0.0),
    ],
)
def test_a_limit_that_is_just_met_is_met(limits: Limits) -> None:
    assert broken_limits(summary("A"), limits) == ()


def test_gpu_memory_counts_towards_the_memory_limit() -> None:
    with_gpu = summary("A").model_copy(update={"peak_gpu_bytes": GIB})
    (broken,) = broken_limits(with_gpu, Limits(max_peak_memory_bytes=GIB))
    assert "is 2.0 GiB" in broken.message


# Ranking


def test_the_weighted_sum_of_normalised_values_ranks() -> None:
    candidates = (
        summary("A", accuracy=0.9, latency=3.0, memory=3 * GIB),
        summary("B", accuracy=0.7, latency=1.0, memory=1 * GIB),
        summary("C", accuracy=0.8, latency=2.0, memory=3 * GIB),
    )
    pairs = (pair("A", "B", 0.001), pair("A", "C", 0.01), pair("B", "C", 0.01))
    result = recommend(comparison(*candidates, pairs=pairs), requirements())
    assert [(place.name, place.rank) for place in result.ranked] == [("A", 1), ("C", 2), ("B", 3)]
    assert [place.utility for place in result.ranked] == pytest.approx([0.6, 0.6 * 0.5 + 0.25 * 0.5, 0.4])
    assert [place.pareto for place in result.ranked] == [True, True, True]
    assert result.winner == "A"
    assert result.ranked[1].reasons == (
        "Accuracy 80.0 % (75.0–85.0).",
        "End to end (p50) 2.00 s, 2.00× the lowest (1.00 s).",
        "Peak memory 3.0 GiB, 3.00× the lowest (1.0 GiB).",
        "Utility 0.43 = 0.60 × 0.50 quality + 0.25 × 0.50 latency + 0.15 × 0.00 memory.",
    )


def test_who_cannot_be_told_from_the_most_accurate_counts_as_equal() -> None:
    candidates = (
        summary("A", accuracy=0.82, latency=4.0, memory=2 * GIB),
        summary("B", accuracy=0.80, latency=1.0, memory=GIB),
        summary("C", accuracy=0.50, latency=1.0, memory=GIB),
    )
    pairs = (pair("A", "B", 0.8), pair("A", "C", 0.001), pair("B", "C", 0.001))
    result = recommend(comparison(*candidates, pairs=pairs), requirements())
    assert [place.name for place in result.ranked] == ["B", "A", "C"]
    assert result.ranked[0].utility == pytest.approx(1.0)
    assert [place.pareto for place in result.ranked] == [True, False, False]
    assert result.ranked[0].reasons[0] == (
        "Accuracy 80.0 % (75.0–85.0): not shown to differ from the best (82.0 %), so it counts as equal to it."
    )
    assert "no difference in accuracy shown (80.0 % against 82.0 % at n = 200)" in result.headline[1]
    assert "no difference in accuracy shown to A (n = 200)" in result.headline[2]


def test_equal_utilities_are_ordered_by_latency_then_memory_and_say_so() -> None:
    candidates = (
        summary("slow", latency=3.0),
        summary("large", latency=1.0, memory=2 * GIB),
        summary("small", latency=1.0, memory=GIB),
    )
    pairs = (pair("slow", "large", 1.0), pair("slow", "small", 1.0), pair("large", "small", 1.0))
    result = recommend(comparison(*candidates, pairs=pairs), requirements(quality=1, latency=0, memory=0))
    assert [(place.name, place.rank) for place in result.ranked] == [("small", 1), ("large", 1), ("slow", 1)]
    assert result.ranked[0].reasons[-1] == (
        "It shares rank 1 with large and slow: the data cannot separate them. "
        "It comes before large as the cheaper one: peak memory 1.0 GiB against 2.0 GiB."
    )
    assert result.ranked[2].reasons[-1] == (
        "It shares rank 1 with small and large: the data cannot separate them. "
        "large comes first as the cheaper one: end to end (p50) 1.00 s against 3.00 s."
    )
    assert "the data cannot separate it from large, slow, and it comes first as the cheaper one" in result.headline[2]


def test_the_last_tie_is_broken_by_accuracy() -> None:
    candidates = (summary("A", accuracy=0.7), summary("B", accuracy=0.9))
    result = recommend(comparison(*candidates, pairs=(pair("A", "B", 0.01),)), requirements(quality=0))
    assert [(place.name, place.rank) for place in result.ranked] == [("B", 1), ("A", 1)]
    assert "B comes first as the one of better quality." in result.ranked[1].reasons[-1]


def test_candidates_that_nothing_separates_share_a_rank() -> None:
    result = recommend(
        comparison(summary("A"), summary("B"), summary("C", latency=9.0), pairs=(pair("A", "B", 1.0),)), requirements()
    )
    assert [(place.name, place.rank) for place in result.ranked] == [("A", 1), ("B", 1), ("C", 3)]
    assert result.ranked[1].reasons[-1] == (
        "It shares rank 1 with A: the data cannot separate them, and nothing measured puts one before the other."
    )


def test_one_candidate_wins_with_full_utility_and_nothing_to_compare() -> None:
    result = recommend(comparison(summary("A")), requirements())
    assert result.winner == "A"
    assert result.ranked[0].utility == pytest.approx(1.0)
    assert result.sensitivity == ()
    assert result.headline == (
        "Use A: 80.0 % (75.0–85.0) right on 200 examples.",
        "It is the only candidate, so nothing was compared.",
        "Nothing stands against it: its license allows the use and every limit is met.",
    )


def test_a_value_that_was_not_measured_counts_as_worst_and_is_said() -> None:
    result = recommend(comparison(summary("A", latency=None), summary("B")), requirements())
    assert [place.name for place in result.ranked] == ["B", "A"]
    assert result.ranked[1].utility == pytest.approx(0.75)
    assert "End to end (p50) was not measured and counts as worst." in result.ranked[1].reasons
    assert not result.ranked[1].pareto


def test_missing_latency_of_the_winner_is_said_in_the_headline() -> None:
    result = recommend(comparison(summary("A", latency=None)), requirements())
    assert "its end-to-end time was not measured" in result.headline[2]


def test_without_accuracy_a_candidate_is_out_and_the_failure_is_named() -> None:
    failure = Failure(stage="load", kind="bad_weights", message="The file is cut off.", hint="Download it again.")
    broken = summary("A", accuracy=None, latency=None, memory=None).model_copy(
        update={"status": "failed", "failures": (failure,)}
    )
    result = recommend(comparison(broken, summary("B")), requirements())
    assert result.winner == "B"
    assert result.excluded[0].broken[0].message == (
        "Its quality was not measured; its run is failed. The file is cut off."
    )
    assert result.headline[1] == "It is the only one of 2 candidates that meets every limit."
    assert "1 candidate is out: A (measured)" in result.headline[2]


def test_where_quality_has_no_weight_latency_alone_can_decide() -> None:
    candidates = (summary("A", accuracy=None, latency=2.0), summary("B", accuracy=None, latency=1.0))
    result = recommend(comparison(*candidates), requirements(quality=0))
    assert result.winner == "B"
    assert result.headline[0] == "Use B; its quality was not measured and has no weight here."


def test_weights_of_zero_count_equally() -> None:
    assert shares(Weights(quality=0, latency=0, memory=0)) == pytest.approx((1 / 3, 1 / 3, 1 / 3, 0, 0))


# Nobody qualifies


def test_where_nobody_qualifies_the_nearest_miss_says_what_to_relax() -> None:
    candidates = (
        summary("A", latency=2.0),
        summary("B", latency=1.1),
        summary("C", latency=0.1, verdict=FORBIDDEN),
    )
    result = recommend(comparison(*candidates), requirements(Limits(max_e2e_p95_seconds=2.0)))
    assert (result.winner, result.ranked, result.sensitivity) == (None, (), ())
    assert [(out.name, [limit.limit for limit in out.broken]) for out in result.excluded] == [
        ("A", ["max_e2e_p95_seconds"]),
        ("B", ["max_e2e_p95_seconds"]),
        ("C", ["verdicts"]),
    ]
    assert result.nearest_miss == (
        "B came closest: relaxing max_e2e_p95_seconds from 2 to 2.2 would let it in. "
        "Its end-to-end time (p95) is 2.20 s; the limit is at most 2.00 s (missed by 10.0 % of it)."
    )
    assert result.headline == (
        "No candidate meets every limit.",
        result.nearest_miss,
        "Out: A (max_e2e_p95_seconds), B (max_e2e_p95_seconds), C (verdicts).",
    )


def test_where_only_verdicts_stand_in_the_way_the_fewest_limits_are_nearest() -> None:
    candidates = (
        summary("A", verdict=FORBIDDEN, latency=None),
        summary("B", verdict=FORBIDDEN),
    )
    result = recommend(comparison(*candidates), requirements(Limits(max_e2e_p95_seconds=9)))
    assert result.nearest_miss is not None
    assert result.nearest_miss.startswith("B came closest: what stands in its way is verdicts.")


def test_a_benchmark_without_candidates_recommends_nothing() -> None:
    result = recommend(comparison(), requirements())
    assert (result.winner, result.nearest_miss) == (None, None)
    assert result.headline[0] == "There is nothing to recommend."


# The three lines


def test_the_headline_is_made_from_the_numbers() -> None:
    candidates = (
        summary("A", accuracy=0.9, latency=2.0, memory=2 * GIB, verdict=CONDITIONAL),
        summary("B", accuracy=0.7, latency=1.0, memory=GIB),
        summary("C", verdict=FORBIDDEN),
    )
    doubtful = candidates[0].model_copy(
        update={"validity_warning": "9 of 200 examples (4.5 %) were not scored: 9 empty.", "status": "incomplete"}
    )
    result = recommend(
        comparison(doubtful, *candidates[1:], pairs=(pair("B", "A", 0.0004, difference=-0.2),)), requirements()
    )
    assert result.headline == (
        "Use A: 90.0 % (85.0–95.0) right on 200 examples.",
        "Against B: higher accuracy (90.0 % against 70.0 %, adjusted p < 0.001); "
        "end to end (p50) 2.00 s against 1.00 s; peak memory 2.0 GiB against 1.0 GiB.",
        "Mind: its license (gemma) allows the use under 2 conditions; its run is incomplete; "
        "9 of 200 examples (4.5 %) were not scored: 9 empty; 1 candidate is out: C (verdicts); "
        "B wins once quality weighs below 50.0 % (now 60.0 %).",
    )


def test_a_winner_that_is_less_accurate_is_called_so() -> None:
    candidates = (summary("A", accuracy=0.9, latency=9.0), summary("B", accuracy=0.8, latency=1.0))
    result = recommend(
        comparison(*candidates, pairs=(pair("A", "B", 0.01),)), requirements(quality=0.1, latency=0.9, memory=0)
    )
    assert result.winner == "B"
    assert "lower accuracy (80.0 % against 90.0 %, adjusted p = 0.010)" in result.headline[1]


@pytest.mark.parametrize(
    ("accuracy", "words"),
    [
        (Estimate(value=0.8, low=0.5, high=0.9, n=20, method="m"), "n = 20 is small, its accuracy is known to 40.0"),
        (Estimate(value=0.8, n=5, method="no interval: 5 of 10"), "has no interval (no interval: 5 of 10)"),
    ],
)
def test_a_small_test_set_is_pointed_out(accuracy: Estimate, words: str) -> None:
    result = recommend(comparison(summary("A").model_copy(update={"metrics": (metric(accuracy),)})), requirements())
    assert words in result.headline[2]


@pytest.mark.parametrize(
    ("value", "words"),
    [(VerdictValue.UNKNOWN, "is unknown"), (VerdictValue.FORBIDDEN, "forbids the use")],
)
def test_a_verdict_that_was_let_in_is_still_said(value: VerdictValue, words: str) -> None:
    verdict = Verdict(value=value, license=None, reasons=(Reason(text="r", source="s"),))
    result = recommend(comparison(summary("A", verdict=verdict)), requirements(Limits(verdicts=(value,))))
    assert f"license (not declared) {words}" in result.headline[2] or words in result.headline[2]
    assert result.winner == "A"


# Sensitivity


def test_the_weight_at_which_the_winner_changes_is_exact() -> None:
    candidates = (
        summary("A", accuracy=0.9, latency=2.0, memory=2 * GIB),
        summary("B", accuracy=0.7, latency=1.0, memory=GIB),
    )
    result = recommend(comparison(*candidates, pairs=(pair("A", "B", 0.001),)), requirements())
    changes = {change.weight: change for change in result.sensitivity}
    # A has quality alone, B has latency and memory: they are equal where quality weighs one half.
    assert changes["quality"].needed == pytest.approx(0.5)
    assert changes["quality"].new_winner == "B"
    # With latency at share s, quality keeps 0.6 / 0.75 of the rest: 0.8 (1 - s) = s + 0.2 (1 - s).
    assert changes["latency"].needed == pytest.approx(0.375)
    assert changes["memory"].current == pytest.approx(0.15)


def test_a_candidate_that_is_best_in_everything_never_loses() -> None:
    candidates = (summary("A", accuracy=0.9, latency=1.0, memory=GIB), summary("B", latency=2.0, memory=2 * GIB))
    assert recommend(comparison(*candidates), requirements()).sensitivity == ()


def test_a_tie_that_latency_broke_changes_at_once() -> None:
    candidates = (
        summary("A", latency=1.0, memory=2 * GIB),
        summary("B", latency=2.0, memory=GIB),
    )
    result = recommend(comparison(*candidates), requirements(quality=1, latency=0, memory=0))
    assert result.winner == "A"
    (change,) = [each for each in result.sensitivity if each.weight == "memory"]
    assert (change.needed, change.new_winner) == (0.0, "B")
    assert "B has the same utility and wins once memory weighs otherwise" in result.headline[2]


values = st.tuples(st.integers(50, 100), st.integers(1, 20), st.integers(1, 20))
weight_values = st.integers(0, 10)


@settings(max_examples=200)
@given(
    st.lists(values, min_size=2, max_size=5),
    st.tuples(weight_values, weight_values, weight_values).filter(lambda w: sum(w) > 0),
)
def test_beyond_the_needed_share_the_new_winner_wins_and_before_it_nothing_changes(
    rows: list[tuple[int, int, int]], weights: tuple[int, int, int]
) -> None:
    candidates = [
        summary(str(i), accuracy=accuracy / 100, latency=float(latency), memory=memory * GIB)
        for i, (accuracy, latency, memory) in enumerate(rows)
    ]
    places = standings(candidates, [])
    asked = Weights(quality=weights[0], latency=weights[1], memory=weights[2])
    current = shares(asked)
    winner = first(Field(places), current)
    changes = {change.weight: change for change in weight_changes(Field(places), current)}
    for dimension, name in enumerate(DIMENSIONS[:3]):
        change = changes.get(name)
        reach = 1.0 if change is None else abs(change.needed - current[dimension])
        for step in range(1, 100):
            share = step / 100
            if abs(share - current[dimension]) < reach - 3e-6:
                there = with_share(current, dimension, share)
                best = first(Field(places), there)
                # Where two are level the order of ties decides; that is no change of the winner.
                assert utility(winner, there) >= utility(best, there) - 1e-9
        if change is not None:
            beyond = [
                with_share(current, dimension, share)
                for share in (change.needed - 3e-6, change.needed + 3e-6)
                if 0 < share < 1
            ]
            newcomer = next(place for place in places if place.name == change.new_winner)
            assert any(
                utility(newcomer, there) > utility(winner, there)
                and all(utility(newcomer, there) >= utility(place, there) - 1e-9 for place in places)
                for there in beyond
            )


@settings(max_examples=100)
@given(st.lists(values, min_size=1, max_size=6))
def test_ranks_rise_utilities_fall_and_somebody_is_on_the_front(rows: list[tuple[int, int, int]]) -> None:
    candidates = [
        summary(str(i), accuracy=accuracy / 100, latency=float(latency), memory=memory * GIB)
        for i, (accuracy, latency, memory) in enumerate(rows)
    ]
    result = recommend(comparison(*candidates), requirements())
    ranks = [place.rank for place in result.ranked]
    utilities = [place.utility for place in result.ranked]
    assert ranks == sorted(ranks)
    assert ranks[0] == 1
    assert all(a >= b - 1e-9 for a, b in itertools.pairwise(utilities))
    assert all(0 <= each <= 1 + 1e-9 for each in utilities)
    assert any(place.pareto for place in result.ranked)
    assert {place.name for place in result.ranked} == {each.candidate.name for each in candidates}
