"""The summary of one run: quality against scikit-learn, the validity ledger, latency with its guards."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, f1_score, precision_recall_fscore_support

from results import quality
from results.metrics import measured, metric_estimates
from results.records import Confusion, ExampleOutcome, LabelQuality, MetricEstimate, RequestTiming
from results.statistics import wilson
from results.summary import summarise
from runners.records import Failure, Validity
from tests.results_samples import ALLOWED, LABELS, measurements, outcome

THREE = ("a", "b", "c")


def said(target: str, answer: str, number: int) -> ExampleOutcome:
    """A judged answer; `?` is one that was not understood."""
    understood = answer != "?"
    return ExampleOutcome(
        example_id=str(number),
        target=target,
        validity=Validity.SCORED if understood else Validity.UNPARSEABLE,
        predicted=answer if understood else None,
        right=answer == target,
    )


def estimates(outcomes: Sequence[ExampleOutcome]) -> tuple[MetricEstimate, ...]:
    run = measurements("A", outcomes).model_copy(update={"labels": THREE})
    return metric_estimates(measured(run))


answered = st.lists(st.tuples(st.sampled_from(THREE), st.sampled_from((*THREE, "?"))), min_size=1, max_size=60)


@settings(max_examples=30)
@given(answered)
def test_quality_equals_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    outcomes = [said(target, answer, i) for i, (target, answer) in enumerate(pairs)]
    targets, predicted = [t for t, _ in pairs], [a for _, a in pairs]
    occurring = [label for label in THREE if label in targets or label in predicted]
    _, balanced, macro = (each.estimate for each in estimates(outcomes))
    recalls = precision_recall_fscore_support(targets, predicted, labels=sorted(set(targets)), zero_division=0)[1]
    assert balanced.value == pytest.approx(np.mean(recalls))
    assert macro.value == pytest.approx(
        f1_score(targets, predicted, labels=occurring, average="macro", zero_division=0)
    )
    precision, recall, f1, support = precision_recall_fscore_support(
        targets, predicted, labels=list(THREE), zero_division=0
    )
    for i, label in enumerate(quality.label_qualities(outcomes, THREE)):
        assert label.support == support[i]
        assert label.precision == (pytest.approx(precision[i]) if label.label in predicted else None)
        assert label.recall == (pytest.approx(recall[i]) if label.label in targets else None)
        assert label.f1 == (pytest.approx(f1[i]) if label.label in occurring else None)
    cells = quality.confusions(outcomes, THREE)
    assert sum(cell.count for cell in cells) == len(pairs)
    assert sum(cell.count for cell in cells if cell.target == cell.predicted) == sum(t == a for t, a in pairs)


def test_balanced_accuracy_is_that_of_scikit_learn_where_every_answer_is_a_label() -> None:
    pairs = [("a", "a"), ("a", "a"), ("a", "b"), ("b", "b"), ("b", "a"), ("c", "c")] * 4
    balanced = estimates([said(t, a, i) for i, (t, a) in enumerate(pairs)])[1].estimate
    assert balanced is not None
    assert balanced.value == pytest.approx(balanced_accuracy_score([t for t, _ in pairs], [a for _, a in pairs]))
    assert balanced.low is not None
    assert balanced.high is not None
    assert balanced.low < balanced.value < balanced.high
    assert "BCa" in balanced.method


def test_an_answer_that_was_not_understood_is_wrong_and_a_failed_example_is_left_out() -> None:
    outcomes = [
        outcome(1, True),
        outcome(2, True),
        outcome(3, False),
        outcome(4, False, validity=Validity.UNPARSEABLE),
        outcome(5, False, validity=Validity.TRUNCATED),
        outcome(6, None, validity=Validity.FAILED),
        outcome(7, None, validity=Validity.SKIPPED),
    ]
    made = summarise(measurements("A", outcomes), ALLOWED, 5)
    assert made.accuracy == wilson(2, 5)
    assert [(line.validity.value, line.count) for line in made.validity] == [
        ("scored", 3),
        ("unparseable", 1),
        ("truncated", 1),
        ("failed", 1),
        ("skipped", 1),
    ]
    assert made.validity_warning == (
        "4 of 7 examples (57.1 %) were not scored: 1 unparseable, 1 truncated, 1 failed, 1 skipped."
    )
    assert made.confusion == (
        Confusion(target="yes", predicted="yes", count=1),
        Confusion(target="yes", predicted="no", count=1),
        Confusion(target="yes", predicted="", count=1),
        Confusion(target="no", predicted="no", count=1),
        Confusion(target="no", predicted="", count=1),
    )
    assert made.labels[1] == LabelQuality(label="no", support=2, precision=0.5, recall=0.5, f1=0.5)
    assert made.predicted_memory_bytes == 5
    assert made.verdict == ALLOWED


@pytest.mark.parametrize(("others", "warns"), [(0, False), (2, False), (3, True)])
def test_the_warning_comes_above_two_per_cent(others: int, warns: bool) -> None:
    outcomes = [outcome(i, i > others, validity=None if i > others else Validity.EMPTY) for i in range(1, 101)]
    made = summarise(measurements("A", outcomes), ALLOWED)
    assert (made.validity_warning is not None) == warns


def test_slices_are_judged_one_by_one() -> None:
    made = summarise(measurements("A", [outcome(i, i % 2 == 0) for i in range(1, 7)]), ALLOWED)
    assert [(s.column, s.value, s.accuracy) for s in made.slices] == [
        ("channel", "chat", wilson(2, 4)),
        ("channel", "mail", wilson(1, 2)),
    ]


def test_grouped_examples_widen_the_interval_and_are_no_slice() -> None:
    flags = [(i // 10) % 2 == 0 for i in range(200)]
    alone = quality.accuracy([outcome(i + 1, right) for i, right in enumerate(flags)])
    outcomes = [outcome(i + 1, right, group=str(i // 10)) for i, right in enumerate(flags)]
    made = summarise(measurements("A", outcomes), ALLOWED)
    assert alone is not None
    assert made.accuracy is not None
    assert made.accuracy.value == alone.value
    assert "20 groups" in made.accuracy.method
    assert made.accuracy.low is not None
    assert alone.low is not None
    assert made.accuracy.low < alone.low - 0.05
    assert {each.column for each in made.slices} == {"channel"}


def test_a_perfect_candidate_has_an_interval_from_wilson_and_none_from_the_bootstrap() -> None:
    made = summarise(measurements("A", [outcome(i, True) for i in range(1, 41)]), ALLOWED)
    assert made.accuracy == wilson(40, 40)
    assert made.balanced_accuracy is not None
    assert (made.balanced_accuracy.value, made.balanced_accuracy.low) == (1.0, None)


def test_a_run_that_measured_nothing_has_no_numbers() -> None:
    trouble = Failure(stage="load", kind="bad_weights", message="It does not load.", hint="Download it again.")
    empty = measurements("A", []).model_copy(update={"status": "failed", "failures": (trouble,)})
    made = summarise(empty, ALLOWED)
    assert made.status == "failed"
    assert made.failures == (trouble,)
    for name in ("accuracy", "balanced_accuracy", "macro_f1", "validity_warning", "ttft_p50_seconds", "load_seconds"):
        assert getattr(made, name) is None
    for name in ("labels", "slices", "confusion", "validity"):
        assert getattr(made, name) == ()


def test_examples_that_were_never_judged_give_no_accuracy_but_a_ledger() -> None:
    made = summarise(measurements("A", [outcome(i, None) for i in (1, 2)]), ALLOWED)
    assert made.accuracy is None
    assert made.validity[0].count == 2
    assert made.validity_warning is not None


def timings(n: int) -> tuple[RequestTiming, ...]:
    """N requests with a latency of 1 to n seconds, and one that gave no token."""
    timed = [
        RequestTiming(
            request_id=str(i),
            prompt_tokens=100 + i,
            cached_tokens=0,
            output_tokens=10 * i,
            ttft_seconds=i / 10,
            e2e_seconds=float(i),
            tpot_seconds=0.05,
            prefill_tokens_per_second=500.0,
            decode_tokens_per_second=20.0,
        )
        for i in range(1, n + 1)
    ]
    return (*timed, RequestTiming(request_id="none", prompt_tokens=7, cached_tokens=0, output_tokens=0))


@pytest.mark.parametrize(
    ("n", "has_p50_interval", "has_p95", "has_p95_interval"),
    [
        (5, False, False, False),
        (6, True, False, False),
        (19, True, False, False),
        (20, True, True, False),
        (72, True, True, True),
    ],
)
def test_percentiles_need_enough_requests(
    n: int, has_p50_interval: bool, has_p95: bool, has_p95_interval: bool
) -> None:
    made = summarise(measurements("A", []).model_copy(update={"timings": timings(n)}), ALLOWED)
    assert made.e2e_p50_seconds is not None
    assert made.e2e_p50_seconds.value == pytest.approx((n + 1) / 2)
    assert made.e2e_p50_seconds.n == n
    assert (made.e2e_p50_seconds.low is not None) == has_p50_interval
    assert (made.ttft_p95_seconds is not None) == has_p95
    if made.ttft_p95_seconds is not None:
        assert made.ttft_p95_seconds.value == pytest.approx(np.quantile(np.arange(1, n + 1) / 10, 0.95))
        assert (made.ttft_p95_seconds.low is not None) == has_p95_interval
        assert "n ≥ 20" in made.ttft_p95_seconds.method


def test_rates_and_token_counts_are_medians_over_the_requests_that_were_timed() -> None:
    made = summarise(measurements("A", []).model_copy(update={"timings": timings(9)}), ALLOWED)
    assert made.prompt_tokens_median == 105
    assert made.output_tokens_median == 50
    assert made.tpot_p50_seconds is not None
    assert made.tpot_p50_seconds.value == 0.05
    assert made.decode_tokens_per_second is not None
    assert made.decode_tokens_per_second.value == 20.0
    assert made.prefill_tokens_per_second is not None
    assert made.prefill_tokens_per_second.value == 500.0


def test_memory_passes_through_with_its_method() -> None:
    run = measurements("A", []).model_copy(
        update={"peak_memory_bytes": 9, "peak_memory_method": "RSS", "peak_gpu_bytes": 3, "high_water_bytes": 10}
    )
    made = summarise(run, ALLOWED)
    assert (made.peak_memory_bytes, made.peak_memory_method, made.peak_gpu_bytes) == (9, "RSS", 3)
    assert made.high_water_bytes == 10


def test_labels_outside_the_list_do_not_crash_the_quality() -> None:
    odd = ExampleOutcome(example_id="1", target="maybe", validity=Validity.SCORED, predicted="never", right=False)
    made = summarise(measurements("A", [odd]), ALLOWED)
    assert made.confusion == (Confusion(target="maybe", predicted="never", count=1),)
    assert [label.support for label in made.labels] == [0] * len(LABELS)
