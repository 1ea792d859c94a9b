"""Intervals and tests, held against scipy and statsmodels, and against the truth in a simulation."""

import math
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import proportion_confint

from results.power import (
    required_examples,
    required_examples_mean,
    smallest_detectable_difference,
    smallest_detectable_mean,
)
from results.resampling import Bca, Resampled
from results.statistics import (
    FewPairs,
    bootstrap_mean,
    bootstrap_quantile,
    holm,
    mcnemar_exact,
    minimum_for_quantile,
    pooled_quantiles,
    wilson,
)

relaxed = settings(max_examples=30)
counts = st.integers(min_value=1, max_value=2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
shares = st.floats(min_value=0, max_value=1, allow_nan=False)


@relaxed
@given(counts)
def test_wilson_equals_statsmodels(successes_of_n: tuple[int, int]) -> None:
    successes, n = successes_of_n
    low, high = proportion_confint(successes, n, alpha=0.05, method="wilson")
    ours = wilson(successes, n)
    assert (ours.value, ours.n) == (successes / n, n)
    assert ours.low == pytest.approx(low, abs=1e-6)
    assert ours.high == pytest.approx(high, abs=1e-6)


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (3, 2), (-1, 2)])
def test_wilson_refuses_impossible_counts(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match=f"{successes} of {n}"):
        wilson(successes, n)


def test_the_example_of_the_method_page() -> None:
    # 150 examples, 63 % against 70 %: 5 and 15 discordant.
    assert mcnemar_exact(5, 15) == pytest.approx(0.0414, abs=5e-5)
    pooled = (95 + 105) / 300
    z = (105 - 95) / 150 / math.sqrt(pooled * (1 - pooled) * 2 / 150)
    assert 2 * stats.norm.sf(z) == pytest.approx(0.22, abs=0.005)


@relaxed
@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_equals_statsmodels(b: int, c: int) -> None:
    if b + c:
        assert mcnemar_exact(b, c) == pytest.approx(mcnemar([[9, b], [c, 9]], exact=True).pvalue, abs=1e-6)
    assert mcnemar_exact(b, c) == mcnemar_exact(c, b)


def test_few_pairs_have_the_interval_of_bonett_and_price() -> None:
    # n = 20, 5 against 1: (6 - 2)/22 ± 1.96·√((8/22 - (4/22)²)/22).
    few = FewPairs(5, 1, 20)
    half = 1.959964 * math.sqrt((8 / 22 - (4 / 22) ** 2) / 22)
    assert few.difference.value == pytest.approx(0.2)
    assert (few.difference.low, few.difference.high) == pytest.approx((4 / 22 - half, 4 / 22 + half), abs=1e-6)
    lower, higher = few.tails(half - 4 / 22)
    assert lower == pytest.approx(0.025, abs=1e-6)
    assert higher > 0.5
    assert FewPairs(1, 5, 20).tails(half - 4 / 22) == pytest.approx((higher, lower))


@pytest.mark.parametrize("n", [12, 20, 49])
def test_the_interval_of_few_pairs_holds_the_truth_at_least_as_often_as_it_promises(n: int) -> None:
    cells = [0.04, 0.10, 0.86]
    hits = 0
    for b, c, _ in np.random.default_rng(n).multinomial(n, cells, size=2000):
        estimate = FewPairs(int(b), int(c), n).difference
        hits += (estimate.low or 0) <= cells[0] - cells[1] <= (estimate.high or 0)
    assert hits / 2000 >= 0.945


def test_without_discordant_pairs_nothing_is_shown() -> None:
    assert mcnemar_exact(0, 0) == 1.0


def test_a_negative_count_of_pairs_is_refused() -> None:
    with pytest.raises(ValueError, match="-1 and 3"):
        mcnemar_exact(-1, 3)


@relaxed
@given(st.lists(shares, max_size=12))
def test_holm_equals_statsmodels(p_values: list[float]) -> None:
    theirs = multipletests(p_values, method="holm")[1] if p_values else []
    assert holm(p_values) == pytest.approx(list(theirs), abs=1e-6)


@pytest.mark.parametrize("n", [12, 60])
def test_the_bca_interval_equals_scipy_on_the_same_resamples(n: int) -> None:
    values = np.random.default_rng(3).exponential(size=n)
    theirs = stats.bootstrap((values,), np.mean, n_resamples=5000, method="BCa", rng=np.random.default_rng(4))
    without = (values.sum() - values) / (n - 1)
    resampled = Resampled(
        values.mean(keepdims=True), theirs.bootstrap_distribution[None, :], without[None, :], np.array([n])
    )
    low, high = Bca(resampled, widened=False).interval()
    assert (low[0], high[0]) == pytest.approx(tuple(theirs.confidence_interval), abs=1e-6)
    # Ours is the same interval at the level of Student's t, so that scipy gives it too.
    level = 2 * stats.norm.cdf(stats.t.ppf(0.975, n - 1) * math.sqrt(n / (n - 1))) - 1
    wider = stats.bootstrap(
        (values,), np.mean, n_resamples=0, bootstrap_result=theirs, method="BCa", confidence_level=level
    )
    low, high = Bca(resampled).interval()
    assert (low[0], high[0]) == pytest.approx(tuple(wider.confidence_interval), abs=1e-6)


@relaxed
@given(st.integers(0, 1000), st.floats(0.3, 0.7))
def test_the_p_value_is_the_level_at_which_the_interval_ends_at_the_bound(seed: int, bound: float) -> None:
    values = np.random.default_rng(seed).beta(1, 1, size=30)
    draws = np.random.default_rng(seed + 1).choice(values, size=(4000, 30)).mean(axis=1)
    without = (values.sum() - values) / 29
    bca = Bca(Resampled(values.mean(keepdims=True), draws[None, :], without[None, :], np.array([30])))
    p = float(bca.p_two_sided(bound)[0])
    if 0.03 < p < 0.99:
        low, high = (float(end[0]) for end in bca.interval(1 - p))
        # Up to the gaps between the replicates.
        assert min(abs(low - bound), abs(high - bound)) < 5e-3
    one_sided = float(bca.p_below(bound)[0])
    assert p == pytest.approx(2 * min(one_sided, 1 - one_sided))


def test_the_bootstrap_mean_agrees_with_scipy() -> None:
    values = np.random.default_rng(5).beta(2, 1, size=150)
    ours = bootstrap_mean(values.tolist())
    theirs = stats.bootstrap((values,), np.mean, n_resamples=20_000, method="BCa", rng=np.random.default_rng(6))
    assert ours.value == pytest.approx(values.mean())
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs.confidence_interval), abs=0.003)


def test_the_bootstrap_quantile_agrees_with_scipy() -> None:
    values = np.random.default_rng(7).lognormal(size=200)
    for q in (0.5, 0.9, 0.95):
        ours = bootstrap_quantile(values.tolist(), q)
        theirs = stats.bootstrap(
            (values,),
            lambda sample, axis, q=q: np.quantile(sample, q, axis=axis),
            n_resamples=20_000,
            method="percentile",
            rng=np.random.default_rng(8),
        )
        assert ours is not None
        assert ours.value == pytest.approx(np.quantile(values, q))
        assert (ours.low, ours.high) == pytest.approx(tuple(theirs.confidence_interval), rel=0.06)


def test_the_same_seed_gives_the_same_interval() -> None:
    values = [0.1, 0.5, 0.9, 0.3] * 10
    assert bootstrap_mean(values, seed=1) == bootstrap_mean(values, seed=1)
    assert bootstrap_quantile(values, 0.5, seed=1) == bootstrap_quantile(values, 0.5, seed=1)


@pytest.mark.parametrize("n", [1, 2, 9])
def test_few_values_give_a_mean_without_interval(n: int) -> None:
    estimate = bootstrap_mean([0.25] * (n - 1) + [0.5])
    assert (estimate.low, estimate.high, estimate.n) == (None, None, n)
    assert "no interval" in estimate.method


def test_equal_values_give_no_interval_without_bounds_and_an_exact_one_with_them() -> None:
    assert bootstrap_mean([1.0] * 50).low is None
    bounded = bootstrap_mean([1.0] * 50, bounds=(0.0, 1.0))
    assert bounded.low == pytest.approx(0.05 ** (1 / 50))
    assert bounded.high == 1.0


def test_groups_are_resampled_together() -> None:
    # Ten groups of ten equal values know no more than ten values.
    groups = [str(i // 10) for i in range(100)]
    values = [float((i // 10) % 2) for i in range(100)]
    grouped, alone = bootstrap_mean(values, groups=groups), bootstrap_mean(values)
    ten = bootstrap_mean([float(i % 2) for i in range(10)])
    assert grouped.value == alone.value == 0.5
    assert (grouped.low, grouped.high) == (ten.low, ten.high)
    assert grouped.low is not None
    assert alone.low is not None
    assert alone.low - grouped.low > 0.1
    assert "10 groups" in grouped.method


def test_examples_without_a_group_stand_alone() -> None:
    values = [float(i % 3 == 0) for i in range(30)]
    none: list[str | None] = [None] * 30
    assert bootstrap_mean(values, groups=none).low == bootstrap_mean(values).low


def test_an_empty_list_has_no_mean() -> None:
    with pytest.raises(ValueError, match="at least one"):
        bootstrap_mean([])


@pytest.mark.parametrize(("q", "n"), [(0.5, 2), (0.9, 10), (0.95, 20), (0.99, 1000), (0.05, 20)])
def test_a_quantile_is_given_from_enough_values_on(q: float, n: int) -> None:
    assert minimum_for_quantile(q) == n
    assert bootstrap_quantile([float(i) for i in range(n - 1)], q) is None
    assert bootstrap_quantile([float(i) for i in range(n)], q) is not None


@pytest.mark.parametrize(("q", "n"), [(0.5, 6), (0.9, 36), (0.95, 72)])
def test_a_quantile_gets_an_interval_where_the_sample_can_hold_it(q: float, n: int) -> None:
    short, enough = (bootstrap_quantile([float(i) for i in range(m)], q) for m in (n - 1, n))
    assert short is not None
    assert short.low is None
    assert f"n ≥ {n}" in short.method
    assert enough is not None
    assert enough.low is not None


def test_the_method_of_a_p95_says_why_it_needs_twenty() -> None:
    estimate = bootstrap_quantile([float(i) for i in range(20)], 0.95)
    assert estimate is not None
    assert "n ≥ 20 on because fewer values would make it their extreme" in estimate.method


@relaxed
@given(st.lists(st.floats(0, 1e3, allow_nan=False), min_size=6, max_size=80))
def test_a_quantile_and_its_interval_lie_within_the_values(values: list[float]) -> None:
    estimate = bootstrap_quantile(values, 0.5, resamples=500)
    assert estimate is not None
    assert estimate.low is not None
    assert estimate.high is not None
    assert min(values) <= estimate.low <= estimate.high <= max(values)
    assert estimate.value == pytest.approx(float(np.median(values)))


@relaxed
@given(st.integers(30, 5000), st.floats(0.02, 1.0))
def test_required_examples_inverts_the_smallest_detectable_difference(n: int, discordant: float) -> None:
    difference = smallest_detectable_difference(n, discordant)
    if difference is not None:
        assert 0 < difference <= discordant
        assert abs(required_examples(difference, discordant) - n) <= 1


def test_the_smallest_detectable_difference_has_the_power_it_promises() -> None:
    n, discordant = 300, 0.2
    difference = smallest_detectable_difference(n, discordant)
    assert difference is not None
    rng = np.random.default_rng(9)
    cells = [(discordant + difference) / 2, (discordant - difference) / 2, 1 - discordant]
    shown = [mcnemar_exact(int(b), int(c)) < 0.05 for b, c, _ in rng.multinomial(n, cells, size=1000)]
    # The exact test is conservative, so a little below the nominal 80 %.
    assert 0.70 < np.mean(shown) < 0.85


@pytest.mark.parametrize(("n", "discordant"), [(150, 0.0), (150, 0.02), (0, 0.2)])
def test_too_little_discordance_shows_nothing(n: int, discordant: float) -> None:
    assert smallest_detectable_difference(n, discordant) is None


def test_a_difference_cannot_exceed_the_discordance() -> None:
    with pytest.raises(ValueError, match="at least as large"):
        required_examples(0.3, 0.2)
    with pytest.raises(ValueError, match="between 0 and 1"):
        required_examples(0.3, 1.2)
    with pytest.raises(ValueError, match="between 0 and 1"):
        minimum_for_quantile(1.0)


@relaxed
@given(st.floats(0.01, 0.5), st.floats(0.05, 1.0), st.floats(0.6, 0.95))
def test_power_of_means_equals_statsmodels(difference: float, deviation: float, power: float) -> None:
    # One-sided at half the level: statsmodels counts being significant in the wrong direction as power, too.
    theirs = partial(NormalIndPower().power, alpha=0.025, ratio=0, alternative="larger")
    n = required_examples_mean(difference, deviation, power)
    assert theirs(difference / deviation, n) >= power - 1e-9
    assert n == 1 or theirs(difference / deviation, n - 1) < power
    detectable = smallest_detectable_mean(deviation / math.sqrt(200), power)
    assert detectable is not None
    assert theirs(detectable / deviation, 200) == pytest.approx(power, abs=1e-6)


def test_power_of_means_needs_a_spread() -> None:
    assert smallest_detectable_mean(0.0) is None
    with pytest.raises(ValueError, match="cannot be negative: -1"):
        smallest_detectable_mean(-1)
    with pytest.raises(ValueError, match="not 0 and 1"):
        required_examples_mean(0, 1)


def test_pooled_quantiles_resample_whole_requests() -> None:
    """Requests that are each of one speed: a hundred gaps of one are no more evidence than one of them."""
    rng = np.random.default_rng(3)
    speeds = rng.exponential(size=30)
    one_each = pooled_quantiles([[speed] for speed in speeds], (0.5,))[0]
    hundred_each = pooled_quantiles([[speed] * 100 for speed in speeds], (0.5,))[0]
    single = bootstrap_quantile(np.repeat(speeds, 100).tolist(), 0.5)
    assert one_each is not None
    assert hundred_each is not None
    assert single is not None
    for estimate in (one_each, hundred_each, single):
        assert estimate.low is not None
        assert estimate.high is not None
    assert (hundred_each.high or 0) - (hundred_each.low or 0) > 3 * ((single.high or 0) - (single.low or 0))
    assert hundred_each.low == pytest.approx(one_each.low, rel=0.3)
    assert hundred_each.n == 3000


def test_pooled_quantiles_are_those_of_all_values_and_need_enough_of_them() -> None:
    parts = [[0.1 * (number + step) for step in range(number % 4)] for number in range(12)]
    everything = [value for part in parts for value in part]
    p50, p90, p95, p99 = pooled_quantiles(parts, (0.5, 0.9, 0.95, 0.99))
    assert p50 is not None
    assert p90 is not None
    assert (p50.value, p90.value) == pytest.approx(np.quantile(everything, [0.5, 0.9]))
    assert len(everything) == 18
    assert (p95, p99) == (None, None)
    assert p50.low is None
    assert "needs 10 requests" in p50.method
    assert pooled_quantiles([], (0.5,)) == (None,)
    assert pooled_quantiles([(), ()], (0.5,)) == (None,)
