"""The decision's parts of the report: each sentence follows the records behind it."""

import pytest

from results.recommendation import recommend
from results.records import RunMeasurements
from results.requirement_records import Limits, Prices, Requirements, Weights
from tests.decision_samples import GIB, compared, flips, judged_run
from tests.report_samples import content
from tests.test_report import read
from workbench.report.records import ReportContent

PARTS = ["mail", "chat"] * 60


def runs(strong: float = 0.9, seconds: float = 4.0) -> tuple[RunMeasurements, ...]:
    cheap = flips(120, 0.6, 1)
    sure = [0.9 if right else 0.4 for right in cheap]
    return (
        judged_run("cheap", cheap, seconds=1.0, rate=8.0, probabilities=sure, slices=PARTS),
        judged_run("strong", flips(120, strong, 2), seconds=seconds, memory=3 * GIB, rate=2.0, slices=PARTS),
    )


def made(measured: tuple[RunMeasurements, ...], asked: Requirements) -> ReportContent:
    found = compared(*measured)
    return content(comparison=found, recommendation=recommend(found, asked, measured), wrong_examples=())


ASKED = Requirements(limits=Limits(max_e2e_p95_seconds=6), prices=Prices(machine_per_hour=1.2))


def test_the_report_says_what_the_recommendation_found() -> None:
    report = made(runs(), ASKED)
    recommendation = report.recommendation
    sections = read(report).sections
    assert recommendation.stability is not None
    for win in recommendation.stability.shares:
        assert f"{win.name} {win.share * 100:.1f} %" in sections["certainty"]
    for sentence in (
        recommendation.stability.method,
        *(change.sentence for change in recommendation.limit_sensitivity),
    ):
        assert sentence in sections["certainty"]
    for sentence in (
        *(part.sentence for part in recommendation.slices),
        *(policy.sentence for policy in recommendation.policies),
        *(policy.method for policy in recommendation.policies),
    ):
        assert sentence in sections["good-at"]
    for cost in recommendation.costs:
        assert cost.basis in sections["side-by-side"]
    assert recommendation.normalisation in sections["side-by-side"]
    assert "end to end, p95 at most 6.00 s" in sections["decision"]


@pytest.mark.parametrize(
    ("other", "asked", "section", "before", "after"),
    [
        (
            runs(strong=0.6),
            ASKED,
            "good-at",
            "part = chat: strong is best",
            "part = chat: no difference shown at n = 60",
        ),
        (runs(strong=0.6), ASKED, "side-by-side", "Ties: none.", "Tied in accuracy: cheap and strong"),
        (runs(seconds=3.0), ASKED, "good-at", "against 3.99 s", "against 3.00 s"),
        (runs(seconds=7.0), ASKED, "decision", "No candidate is out", "end-to-end time (p95) is 7."),
        (
            runs(),
            ASKED.model_copy(update={"weights": Weights(quality=1, latency=0, memory=0)}),
            "side-by-side",
            "Weights: quality 0.6, latency 0.25, memory 0.15;",
            "Weights: quality 1;",
        ),
        (
            runs(),
            ASKED.model_copy(update={"prices": Prices(machine_per_hour=3, currency="USD")}),
            "side-by-side",
            "1.20 EUR an hour",
            "3.00 USD an hour",
        ),
        (
            runs(),
            ASKED.model_copy(update={"limits": Limits(max_e2e_p95_seconds=3)}),
            "certainty",
            "(now at most 6.00 s)",
            "If the end-to-end time (p95) could be 4.1",
        ),
    ],
)
def test_other_data_make_other_sentences(
    other: tuple[RunMeasurements, ...], asked: Requirements, section: str, before: str, after: str
) -> None:
    first, second = read(made(runs(), ASKED)).sections[section], read(made(other, asked)).sections[section]
    assert before in first
    assert before not in second
    assert after in second
    assert after not in first


def test_without_examples_or_prices_nothing_is_made_up() -> None:
    report = made(runs(), Requirements())
    whole = report.comparison.model_copy(update={"slice_pairs": ()})
    bare = report.model_copy(update={"recommendation": recommend(whole, Requirements())})
    sections = read(bare).sections
    assert "Who wins when the test set is drawn anew" not in sections["certainty"]
    assert "Not known: the test set has no slices" in sections["good-at"]
    assert "What it costs" not in sections["side-by-side"]
    assert "not resampled" in sections["side-by-side"]
