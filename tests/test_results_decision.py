"""What a decision rests on beside the ranking: any metric, more limits, cost, stability, slices, two models as one."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from results.choice import Evidence, winner_under
from results.cost import candidate_costs
from results.errors import BadRequirements
from results.limits import broken_limits, rounded_outwards, with_limit
from results.policy import policies
from results.ranking import shares
from results.recommendation import recommend
from results.records import CandidateSummary, Estimate
from results.redrawing import redraw
from results.requirement_records import CandidateCost, Limits, Prices, Requirements, TokenPrices, Weights
from results.sensitivity import limit_changes
from results.slice_winners import slice_winners
from runners.engine_options import EndpointOptions
from runners.records import EarlyStop
from tests.decision_samples import GIB, compared, flips, judged_run
from tests.report_samples import sweep
from tests.results_samples import LOADED, metric, summary
from tests.test_results_recommendation import comparison, pair


def scored(name: str, value: float, **changes: object) -> CandidateSummary:
    """A candidate whose quality is another metric than accuracy."""
    facts: dict[str, object] = {"name": "bleu", "title": "BLEU", "unit": "score"}
    estimate = Estimate(value=value, low=value - 2, high=value + 2, n=200, method="made")
    return summary(name).model_copy(update={"metrics": (metric(estimate, **(facts | changes)),), "accuracy": None})


# Any metric


def test_a_metric_that_is_no_share_is_ranked_and_named_by_its_title() -> None:
    candidates = (scored("A", 31.4), scored("B", 24.2))
    result = recommend(comparison(*candidates, pairs=(pair("A", "B", 0.001),)), Requirements())
    assert result.winner == "A"
    assert result.headline[0] == "Use A: BLEU 31.4 (29.4–33.4) on 200 examples."
    assert "higher BLEU (31.4 against 24.2, adjusted p = 0.001)" in result.headline[1]
    assert result.ranked[1].reasons[0] == "BLEU 24.2 (22.2–26.2)."


def test_where_less_is_better_the_lower_one_wins_and_a_limit_is_a_maximum() -> None:
    facts: dict[str, object] = {"title": "Calibration error", "unit": "score", "higher_is_better": False}
    candidates = (scored("A", 31.4, **facts), scored("B", 24.2, **facts))
    made = comparison(*candidates, pairs=(pair("A", "B", 0.001),))
    assert recommend(made, Requirements()).winner == "B"
    (broken,) = broken_limits(candidates[0], Limits(min_quality=30))
    assert broken.message == (
        "Its upper end of the interval of calibration error is 33.4; the limit is at most 30.0 "
        "(missed by 11.3 % of it)."
    )
    assert broken_limits(candidates[1], Limits(min_quality=30)) == ()


def test_requirements_of_earlier_versions_still_open() -> None:
    stored = '{"limits": {"verdicts": ["allowed"], "min_accuracy": 0.7}, "weights": {"quality": 1.0}}'
    assert Requirements.model_validate_json(stored).limits.min_quality == 0.7
    again = Requirements.model_validate_json(Requirements(limits=Limits(min_quality=0.7)).model_dump_json())
    assert again.limits.min_quality == 0.7


# Limits


@pytest.mark.parametrize(
    ("limits", "changes", "words"),
    [
        (
            {"metrics": {"accuracy": 0.9}},
            {},
            "lower end of the interval of accuracy is 75.0 %; the limit is at least 90.0",
        ),
        ({"min_examples_per_second": 9}, {"accuracy_examples_per_second": 6.0}, "throughput is 6.00 examples/s"),
        (
            {"min_output_tokens_per_second": 99},
            {"sweep": sweep()},
            "load sweep's knee is 90.0 tokens/s; the limit is at",
        ),
        ({"min_output_tokens_per_second": 99}, {}, "load sweep's knee was not measured (no load sweep)"),
        ({"min_context_tokens": 4096}, {}, "context as it was run is not known"),
        (
            {"min_context_tokens": 4096},
            {"loaded": LOADED},
            "is 64 tokens; the limit is at least 4,096 tokens (missed by 98",
        ),
        (
            {"min_context_tokens": 4096},
            {"loaded": LOADED.model_copy(update={"trained_context_tokens": 8192})},
            "It was trained for 8,192 tokens; `context_tokens` in its options sets how many it runs with.",
        ),
    ],
)
def test_a_broken_limit_says_what_was_seen(limits: dict[str, object], changes: dict[str, object], words: str) -> None:
    (broken,) = broken_limits(summary("A").model_copy(update=changes), Limits.model_validate(limits))
    assert words in broken.message


def test_a_context_beyond_what_a_model_was_trained_for_does_not_count() -> None:
    loaded = LOADED.model_copy(update={"context_tokens": 32_768, "trained_context_tokens": 8_192})
    assert broken_limits(summary("A").model_copy(update={"loaded": loaded}), Limits(min_context_tokens=8_193))


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (
            {"limits": {"min_quality": 70}},
            "limits.min_quality is 70, and accuracy is a share from 0 to 1. Did you mean 0.7?",
        ),
        (
            {"limits": {"metrics": {"acuracy": 0.7}}},
            "No candidate has a metric 'acuracy' to limit. Did you mean 'accuracy'?",
        ),
        (
            {"prices": {"endpoints": {"hostd": {"input_per_million": 1, "output_per_million": 2}}}},
            "prices.endpoints has a candidate 'hostd'. Did you mean 'hosted'?",
        ),
        ({"weights": {"cost": 0.2}}, "weights.cost has a weight, and there is no price to rank by."),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_nearest_that_can(asked: dict[str, object], words: str) -> None:
    with pytest.raises(BadRequirements, match=words.replace("?", r"\?").replace(".", r"\.")):
        recommend(comparison(summary("hosted")), Requirements.model_validate(asked))


# Cost


def priced(name: str, **changes: object) -> CandidateSummary:
    return summary(name).model_copy(update={"accuracy_examples_per_second": 5.0, **changes})


def test_a_machines_hour_is_charged_to_what_was_done_in_it() -> None:
    (cost,) = candidate_costs([priced("A", sweep=sweep())], Prices(machine_per_hour=1.8))
    assert cost.per_1000_examples == pytest.approx(1.8 / (5 * 3600) * 1000)
    # At the knee the sweep wrote 90 tokens a second and read 80.
    assert cost.per_million_output_tokens == pytest.approx(1.8 / (90 * 3600) * 1e6)
    assert cost.per_million_input_tokens == pytest.approx(1.8 / (80 * 3600) * 1e6)
    assert "at 2 requests at once (the knee)" in cost.basis


def test_an_endpoint_pays_for_its_tokens_and_for_no_machine() -> None:
    hosted = priced("hosted", accuracy_prompt_tokens=200.0, accuracy_output_tokens=10.0)
    charged = TokenPrices(input_per_million=0.5, output_per_million=2.0)
    (cost,) = candidate_costs([hosted], Prices(machine_per_hour=9, endpoints={"hosted": charged}))
    assert cost.per_1000_examples == pytest.approx((200 * 0.5 + 10 * 2.0) / 1000)
    assert (cost.per_million_input_tokens, cost.per_million_output_tokens) == (0.5, 2.0)


def test_a_remote_endpoint_without_a_price_has_no_cost_and_breaks_a_limit_on_it() -> None:
    remote = priced("far", options=EndpointOptions(base_url="https://example.org/v1"))
    (cost,) = candidate_costs([remote], Prices(machine_per_hour=1))
    assert cost.per_1000_examples is None
    (broken,) = broken_limits(remote, Limits(max_cost_per_1000_examples=1), cost)
    assert "is not known: it runs on another machine and prices.endpoints has no price for it" in broken.message


def test_without_prices_there_is_no_cost() -> None:
    assert candidate_costs([priced("A")], Prices()) == ()
    assert recommend(comparison(priced("A")), Requirements()).costs == ()


def test_cost_ranks_where_it_has_weight() -> None:
    candidates = (priced("dear", accuracy_examples_per_second=1.0), priced("cheap", accuracy_examples_per_second=4.0))
    asked = Requirements(weights=Weights(cost=1), prices=Prices(machine_per_hour=1))
    result = recommend(comparison(*candidates), asked)
    assert [place.name for place in result.ranked] == ["cheap", "dear"]
    assert "Cost of 1,000 examples 0.278 EUR, 4.00× the lowest (0.0694 EUR)." in result.ranked[1].reasons
    assert "1,000 examples 0.0694 EUR against 0.278 EUR" in result.headline[1]
    assert "0.0694 EUR is 1, 0.278 EUR is 0" in result.normalisation


# Shared ranks, Pareto, stability


def test_candidates_that_the_data_cannot_separate_share_a_rank_and_the_cheaper_comes_first() -> None:
    better, close, worse = flips(200, 0.82, 1), flips(200, 0.80, 2), flips(200, 0.4, 3)
    runs = (
        judged_run("better", better, seconds=2.0, memory=2 * GIB, rate=2.0),
        judged_run("close", close, seconds=1.0, memory=GIB, rate=8.0),
        judged_run("worse", worse, seconds=1.0, memory=GIB, rate=8.0),
    )
    asked = Requirements(weights=Weights(quality=0.9, latency=0.05, memory=0.05), prices=Prices(machine_per_hour=1))
    result = recommend(compared(*runs), asked, runs)
    assert [(place.name, place.rank) for place in result.ranked] == [("close", 1), ("better", 1), ("worse", 3)]
    assert result.ranked[0].reasons[-1] == (
        "It shares rank 1 with better: the data cannot separate them. "
        "It comes before better as the cheaper one: 0.0347 EUR against 0.139 EUR for 1,000 examples."
    )
    assert result.ranked[2].dominated_by == ("close",)
    assert not result.ranked[2].pareto


def test_a_difference_that_the_test_shows_is_never_a_shared_rank() -> None:
    runs = (
        judged_run("good", flips(200, 0.9, 1), seconds=2.0, rate=2.0),
        judged_run("bad", flips(200, 0.6, 2), seconds=1.0, rate=8.0),
    )
    weights = Weights(quality=0.5, latency=0.5, memory=0)
    result = recommend(compared(*runs), Requirements(weights=weights, prices=Prices(machine_per_hour=1)), runs)
    assert [place.utility for place in result.ranked] == pytest.approx([0.5, 0.5])
    assert sorted(place.rank for place in result.ranked) == [1, 2]


def test_win_shares_and_nobody_add_up_and_repeat() -> None:
    runs = tuple(
        judged_run(name, flips(100, share, place), seconds=1 + place)
        for place, (name, share) in enumerate((("a", 0.6), ("b", 0.65), ("c", 0.72)))
    )
    asked = Requirements(limits=Limits(min_quality=0.57))
    first, second = (recommend(compared(*runs), asked, runs).stability for _ in range(2))
    assert first is not None
    assert first == second
    assert sum(win.share for win in first.shares) + first.nobody == pytest.approx(1)
    assert 0 < first.nobody < 1
    assert "2,000 bootstrap resamples (seed 0): 100 examples drawn once for all candidates" in first.method


def test_a_candidate_that_is_best_in_everything_wins_every_resample() -> None:
    runs = (judged_run("good", [True] * 60), judged_run("bad", [False] * 60, seconds=3.0, memory=3 * GIB))
    made = recommend(compared(*runs), Requirements(), runs)
    assert made.stability is not None
    assert [(win.name, win.share) for win in made.stability.shares] == [("good", 1.0)]


def test_an_unstable_winner_is_pointed_out() -> None:
    runs = (
        judged_run("a", flips(40, 0.55, 5), seconds=1.0, memory=2 * GIB),
        judged_run("b", flips(40, 0.85, 6), seconds=1.6, memory=GIB),
    )
    made = recommend(compared(*runs), Requirements(), runs)
    assert made.stability is not None
    assert made.winner == "b"
    share = next(win.share for win in made.stability.shares if win.name == "b")
    assert ("it wins in only" in made.headline[2]) == (share < 0.8)


def test_redrawn_quality_spreads_as_the_binomial_does_and_groups_spread_more() -> None:
    right = flips(400, 0.5, 7)
    single = redraw([judged_run("a", right)])
    blocks = sorted(right)
    grouped = redraw([judged_run("a", blocks, groups=[str(place // 10) for place in range(400)])])
    assert single is not None
    assert grouped is not None
    assert single.quality[:, 0].std() == pytest.approx(np.sqrt(0.25 / 400), rel=0.1)
    assert grouped.quality[:, 0].std() == pytest.approx(np.sqrt(0.25 / 40), rel=0.1)
    assert (single.clusters, grouped.clusters) == (400, 40)


def test_one_draw_serves_all_candidates() -> None:
    right = flips(200, 0.6, 8)
    redrawn = redraw([judged_run("a", right), judged_run("b", right)])
    assert redrawn is not None
    assert (redrawn.quality[:, 0] == redrawn.quality[:, 1]).all()
    assert redrawn.alike.all()
    apart = redraw([judged_run("a", [True] * 50), judged_run("b", [False] * 50)])
    assert apart is not None
    assert not apart.alike[:, 0, 1].any()


# What would change the winner


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(50, 99), st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=5, unique=True),
    st.integers(1, 20),
)
def test_between_the_limit_and_the_needed_value_the_winner_stays(rows: list[tuple[int, int, int]], limit: int) -> None:
    candidates = tuple(
        summary(str(place), accuracy=accuracy / 100, latency=float(seconds), memory=memory * GIB)
        for place, (accuracy, seconds, memory) in enumerate(rows)
    )
    evidence, weights = Evidence(candidates, ()), shares(Weights())
    limits = Limits(max_e2e_p95_seconds=limit)

    def at(threshold: float) -> str | None:
        return winner_under(evidence, with_limit(limits, "max_e2e_p95_seconds", threshold), weights)

    changes = {c.direction: c for c in limit_changes(evidence, limits, weights) if c.limit == "max_e2e_p95_seconds"}
    now = at(limit)
    # Every end-to-end p95 is an even number of seconds, so that steps of half a second miss nothing.
    tighter, looser = changes.get("tighter"), changes.get("looser")
    inwards = 0.5 if tighter is None or tighter.needed is None else tighter.needed
    outwards = 20.0 if looser is None or looser.needed is None else looser.needed - 0.5
    assert all(at(step / 2) == now for step in range(int(2 * inwards), int(2 * outwards) + 1))
    if tighter is not None:
        assert at(inwards - 1e-6) == tighter.new_winner != now
    if looser is not None:
        assert at(outwards + 0.5) == looser.new_winner != now


def test_changes_of_limits_are_said_in_words() -> None:
    candidates = (
        summary("slow", accuracy=0.95, latency=3.0),
        summary("A", accuracy=0.9, latency=1.0),
        summary("B", accuracy=0.6, latency=0.5),
    )
    pairs = tuple(pair(a.candidate.name, b.candidate.name, 0.001) for a, b in itertools.combinations(candidates, 2))
    asked = Requirements(limits=Limits(max_e2e_p95_seconds=4), weights=Weights(quality=1, latency=0, memory=0))
    made = recommend(comparison(*candidates, pairs=pairs), asked)
    assert [change.sentence for change in made.limit_sensitivity] == [
        "If the license verdict allowed were not acceptable, nobody would qualify.",
        "If the end-to-end time (p95) had to be below 2.00 s (now at most 4.00 s), B would win.",
        "If the end-to-end time (p95) could be 6.00 s (now at most 4.00 s), slow would win.",
    ]


def test_where_nobody_qualifies_each_limit_in_the_way_gets_a_value_that_lets_the_nearest_in() -> None:
    candidates = (summary("A", latency=2.0, memory=3 * GIB), summary("B", latency=9.0))
    limits = Limits(max_e2e_p95_seconds=3.3, max_peak_memory_bytes=2 * GIB)
    made = recommend(comparison(*candidates), Requirements(limits=limits))
    assert made.winner is None
    assert {step.limit for step in made.relaxations} == {"max_e2e_p95_seconds", "max_peak_memory_bytes"}
    for step in made.relaxations:
        limits = with_limit(limits, step.limit, step.needed)
    assert recommend(comparison(*candidates), Requirements(limits=limits)).winner == "A"


@pytest.mark.parametrize(("value", "up", "rounded"), [(2.2, True, 2.2), (2.2041, True, 2.21), (0.68349, False, 0.683)])
def test_a_relaxed_limit_is_rounded_to_the_side_that_lets_in(value: float, up: bool, rounded: float) -> None:
    assert rounded_outwards(value, up=up) == pytest.approx(rounded)


# Good at what


def test_a_slice_has_a_winner_only_where_the_corrected_test_shows_it() -> None:
    parts = ["mail"] * 60 + ["chat"] * 60
    one = judged_run("one", [True] * 58 + [False] * 2 + flips(60, 0.7, 1), slices=parts)
    two = judged_run("two", flips(60, 0.4, 2) + flips(60, 0.72, 3), slices=parts)
    chat, mail = slice_winners(compared(one, two), ["one", "two"])
    assert (mail.value, mail.best, mail.not_separated) == ("mail", "one", ())
    assert mail.sentence == "part = mail: one is best, accuracy 96.7 % at n = 60, shown against two."
    assert (chat.value, chat.not_separated) == ("chat", ("one",))
    assert chat.sentence == "part = chat: no difference shown at n = 60 between two (accuracy 71.7 %) and one."


def test_a_slice_that_is_the_whole_test_set_says_nothing_new() -> None:
    runs = [judged_run(name, [True, False] * 10, slices=["all"] * 20) for name in "ab"]
    assert slice_winners(compared(*runs), ["a", "b"]) == ()


def test_two_models_together_reach_what_the_probabilities_allow() -> None:
    # The cheap one is right exactly where it is sure; the strong one is right on the first 90 of 100.
    cheap_right = [place % 2 == 0 for place in range(100)]
    probabilities = [0.9 if right else 0.3 for right in cheap_right]
    cheap = judged_run("cheap", cheap_right, seconds=1.0, probabilities=probabilities)
    strong = judged_run("strong", [place < 90 for place in range(100)], seconds=4.0)
    made = compared(cheap, strong)
    (policy,) = policies(made.candidates, (cheap, strong))
    assert (policy.cheap, policy.strong) == ("cheap", "strong")
    assert policy.chosen.escalated_share == 0.5
    assert policy.chosen.quality.value == pytest.approx(0.95)
    assert policy.cross_validated.value == pytest.approx(0.95)
    assert policy.points[0].quality.value == policy.cheap_quality == pytest.approx(0.5)
    assert policy.points[-1].quality.value == policy.strong_quality == pytest.approx(0.9)
    seconds = [s.e2e_p50_seconds.value for s in made.candidates if s.e2e_p50_seconds]
    assert policy.chosen.latency_seconds == pytest.approx(seconds[0] + 0.5 * seconds[1])
    assert policy.memory_bytes == 2 * GIB
    assert "5.0 points above strong alone (90.0 %), asking it for 50.0 % of the examples" in policy.sentence


def test_a_threshold_chosen_on_noise_is_flattered_and_the_cross_validated_figure_says_so() -> None:
    gaps = []
    for seed in range(20):
        noise = np.random.default_rng(seed).uniform(size=60).tolist()
        cheap = judged_run("cheap", flips(60, 0.6, seed), seconds=1.0, probabilities=noise)
        strong = judged_run("strong", flips(60, 0.65, seed + 100), seconds=4.0)
        (policy,) = policies(compared(cheap, strong).candidates, (cheap, strong))
        gaps.append(policy.chosen.quality.value - policy.cross_validated.value)
    assert min(gaps) >= 0
    assert np.mean(gaps) > 0.02


def test_without_label_probabilities_there_is_no_policy() -> None:
    runs = (judged_run("cheap", flips(50, 0.5, 1)), judged_run("strong", flips(50, 0.9, 2), seconds=3.0))
    assert policies(compared(*runs).candidates, runs) == ()


def test_costs_of_a_policy_add_up() -> None:
    cheap = judged_run("cheap", flips(50, 0.5, 1), probabilities=[0.5] * 50)
    strong = judged_run("strong", flips(50, 0.9, 2), seconds=3.0)
    costs = tuple(
        CandidateCost(name=name, currency="EUR", per_1000_examples=value, basis="made")
        for name, value in (("cheap", 1.0), ("strong", 5.0))
    )
    (policy,) = policies(compared(cheap, strong).candidates, (cheap, strong), costs)
    assert [point.cost_per_1000_examples for point in policy.points] == [1.0, 6.0]
    assert policy.strong_cost_per_1000_examples == 5.0


def test_a_candidate_that_was_stopped_early_wins_no_resample() -> None:
    stop = EarlyStop(
        against="good",
        examples=60,
        value=0.4,
        against_value=0.9,
        e_value=99.0,
        threshold=20.0,
        alpha=0.05,
        not_asked=140,
    )
    good, other = judged_run("good", flips(200, 0.9, 1)), judged_run("other", flips(200, 0.8, 2))
    gone = judged_run("gone", flips(60, 0.4, 3), seconds=0.01, memory=GIB // 100).model_copy(
        update={"status": "stopped", "stopped": stop}
    )
    made = recommend(compared(good, other, gone), Requirements(), (good, other, gone))
    assert [out.name for out in made.excluded] == ["gone"]
    assert made.stability is not None
    assert "gone" not in {win.name for win in made.stability.shares if win.share > 0}
