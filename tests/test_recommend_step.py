"""The step Recommend without a browser: controls, address, rows of limits and prices, what is kept, the report."""

from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from results.requirement_records import Limits, Prices, Requirements, TokenPrices, Weights
from tests.browser import measure, write_benchmark
from workbench.service import Workbench
from workbench.settings import read_settings
from workbench.steps.compare.view import nothing_measured
from workbench.steps.recommend import handlers, limits_view, report_handlers, sensitivity_view
from workbench.steps.recommend.requirements import RequirementValues, from_address, to_address

STORED = Requirements(limits=Limits(max_e2e_p95_seconds=10.0), margin=0.03)
ASKED = Requirements(
    limits=Limits(metrics={"macro_f1": 0.6}, min_output_tokens_per_second=30.0),
    weights=Weights(quality=1, latency=0),
    prices=Prices(currency="USD", endpoints={"hosted": TokenPrices(input_per_million=1, output_per_million=2)}),
    margin=0.03,
)


class Clicked:
    """What gradio hands over when a button in our HTML was pressed."""

    def __init__(self, value: str) -> None:
        self.action, self.value = "remove", value


class Request:
    """The page's address."""

    def __init__(self, **parameters: str) -> None:
        self.query_params = parameters


@pytest.fixture(scope="module")
def workbench(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    folder = tmp_path_factory.mktemp("recommend")
    made = Workbench(read_settings(folder / "home"))
    measure(made, write_benchmark(folder))
    return made


def opened(workbench: Workbench, **address: str) -> tuple[Any, ...]:
    """What `restore` gives: picker, name, whether controls are shown, their values, and the rest."""
    return handlers.restore(workbench, None, Request(step="recommend", **address))  # type: ignore[arg-type]


def values_of(shown: tuple[Any, ...]) -> RequirementValues:
    return RequirementValues(*shown[3 : 3 + len(RequirementValues._fields)])


def test_requirements_come_back_from_the_address_as_they_were() -> None:
    assert from_address(to_address(ASKED, STORED), STORED) == ASKED
    assert to_address(STORED, STORED) == ""


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", '{"limits":{"min_quality":-1}}', '{"limits":3}', '{"weights":{"x":1}}', "9" * 5_000]
)
def test_an_address_that_cannot_be_read_asks_for_nothing(text: str) -> None:
    assert from_address(text, STORED) is None


def test_every_requirement_survives_the_controls() -> None:
    assert RequirementValues(*RequirementValues.of(ASKED)).requirements(STORED) == ASKED


def test_a_link_reopens_the_same_ranking(workbench: Workbench) -> None:
    values = values_of(opened(workbench))._replace(min_quality=0.99)
    ranking, address = handlers.rank(workbench, "scripted", *values)
    assert "No candidate meets every limit." in ranking
    again = opened(workbench, benchmark="scripted", requirements=address)
    assert values_of(again) == values
    assert again[-2:] == (ranking, address)


def test_an_address_of_another_benchmark_or_a_broken_one_changes_nothing(workbench: Workbench) -> None:
    plain = opened(workbench)
    assert values_of(opened(workbench, benchmark="gone", requirements='{"weights":{"quality":9}}')) == values_of(plain)
    broken = opened(workbench, benchmark="scripted", requirements="{")
    assert values_of(broken) == values_of(plain)
    assert "requirements that cannot be read" in broken[-2]


def test_limits_on_metrics_are_added_and_taken_away_row_by_row(workbench: Workbench) -> None:
    limits, shown, empty = handlers.limit_metric(workbench, "scripted", {}, "macro_f1", 0.2)
    assert (limits, empty) == ({"macro_f1": 0.2}, None)
    assert "Macro F1 at least 20.0 %" in shown
    values = values_of(opened(workbench))._replace(metrics={"macro_f1": 0.99})
    assert "macro F1" in handlers.rank(workbench, "scripted", *values)[0]
    left, shown = handlers.drop_metric(workbench, "scripted", limits, Clicked("macro_f1"))  # type: ignore[arg-type]
    assert (left, shown) == ({}, "")
    with pytest.raises(gr.Error, match="Choose a metric and the value"):
        handlers.limit_metric(workbench, "scripted", {}, "macro_f1", None)


def test_a_share_above_one_is_a_sentence_that_knows_better(workbench: Workbench) -> None:
    values = values_of(opened(workbench))._replace(metrics={"macro_f1": 60.0})
    assert "Did you mean 0.6?" in handlers.rank(workbench, "scripted", *values)[0]


def test_endpoints_get_prices_row_by_row() -> None:
    prices, shown = handlers.price_endpoint({}, "EUR", "hosted", 0.5, 1.5)
    assert prices == {"hosted": (0.5, 1.5)}
    assert "hosted: 0.500 EUR in, 1.50 EUR out for 1,000,000 tokens" in shown
    assert handlers.drop_price(prices, "EUR", Clicked("hosted")) == ({}, "")  # type: ignore[arg-type]
    with pytest.raises(gr.Error, match="Enter both prices"):
        handlers.price_endpoint({}, "EUR", "hosted", None, 1.5)


def test_what_is_kept_becomes_the_benchmarks_own_in_record_and_file(workbench: Workbench) -> None:
    before = next(item for item in workbench.benchmarks() if item.name == "scripted")
    values = values_of(opened(workbench))._replace(quality=1.0, latency=0.5, max_load=90.0)
    note, address = handlers.keep(workbench, "scripted", *values)
    assert "Kept: scripted" in note
    assert address == ""
    after = next(item for item in workbench.benchmarks() if item.name == "scripted")
    assert (after.requirements.weights.quality, after.requirements.limits.max_load_seconds) == (1.0, 90.0)
    assert "max_load_seconds: 90.0" in after.definition
    assert workbench.prepare_again("scripted").definition.requirements == after.requirements
    assert workbench.runs("scripted") and after.test_set_hash == before.test_set_hash  # noqa: PT018
    workbench.save_requirements("scripted", before.requirements)


def test_the_ranking_says_why_and_how_far_a_weight_must_move(workbench: Workbench) -> None:
    ranking = opened(workbench)[-2]
    assert "Why it is there" in ranking
    assert "Must move by" in ranking
    made = workbench.recommend("scripted")
    for change in made.sensitivity:
        assert f"{change.weight} weighs" in ranking
        assert change.new_winner in ranking
    assert sensitivity_view.what_would_change(made) is not None


def test_who_is_out_is_told_with_how_much_was_missed(workbench: Workbench) -> None:
    values = values_of(opened(workbench))._replace(max_e2e_p95=0.0001, max_memory_gib=0.001)
    ranking, _ = handlers.rank(workbench, "scripted", *values)
    assert ranking.count("is-missed") >= 2
    assert "missed by" in ranking


def test_title_notes_and_logo_are_kept_and_stand_on_the_first_page(workbench: Workbench, tmp_path: Path) -> None:
    values = opened(workbench)[3:]
    report_handlers.edit(workbench, "scripted", "Our <b>model</b>", "Team A", "Mind *this*.")
    logo = tmp_path / "logo.svg"
    logo.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>')
    report_handlers.set_logo(workbench, "scripted", str(logo))
    page = report_handlers.preview(workbench, "scripted", *values[: len(RequirementValues._fields)])
    assert page.startswith('<iframe sandbox="" srcdoc="')
    for shown in ("Our &amp;lt;b&amp;gt;model", "Team A", "&lt;em&gt;this&lt;/em&gt;", "data:image/svg+xml;base64,"):
        assert shown in page, shown
    *added, remove = report_handlers.open_report(workbench, "scripted")
    assert added == [True, "scripted", "Our <b>model</b>", "Team A", "Mind *this*."]
    assert remove.visible is True
    report_handlers.drop_logo(workbench, "scripted")
    assert workbench.report_edits.read("scripted").logo is None
    workbench.edit_report("scripted", "", "", "")


def test_the_report_in_sight_follows_the_benchmark_and_the_requirements(workbench: Workbench) -> None:
    values = values_of(opened(workbench))._replace(min_quality=0.99)
    workbench.edit_report("scripted", "Ours", "", "")
    chart, *rest = report_handlers.draw(workbench, False, "another", "scripted", *values)
    assert chart == handlers.draw(workbench, "scripted", *values)
    assert rest == [gr.skip()] * 6
    _, page, *added = report_handlers.draw(workbench, True, "another", "scripted", *values)
    assert "No candidate meets every limit." in page
    assert added[:2] == ["scripted", "Ours"]
    # What is being typed about the same benchmark is not written over.
    _, page, *added = report_handlers.draw(workbench, True, "scripted", "scripted", *values)
    assert "No candidate meets every limit." in page
    assert added == [gr.skip()] * 5
    report_handlers.edit(workbench, "", "Nobody's", "", "")
    assert workbench.report_edits.read("scripted").title == "Ours"
    workbench.edit_report("scripted", "", "", "")


def test_the_report_is_that_of_what_is_on_screen(workbench: Workbench) -> None:
    values = values_of(opened(workbench))._replace(min_quality=0.99)
    text, name = report_handlers.write_report(workbench, "md", "scripted", *values)
    assert name == "scripted.md"
    assert "No candidate meets every limit." in text


def test_without_a_benchmark_every_part_says_so(workbench: Workbench) -> None:
    assert "Nothing measured yet" in handlers.show(workbench, None, None)[-2]
    assert handlers.rank(workbench, None)[0] == nothing_measured()
    assert report_handlers.preview(workbench, None) == nothing_measured()
    with pytest.raises(gr.Error):
        handlers.keep(workbench, None)


def test_names_in_rows_are_text() -> None:
    shown = limits_view.metric_limits({"<script>": 1.0}, None)
    assert "<script>" not in shown


def test_results_that_change_before_the_step_is_filled_write_nothing_over_it(workbench: Workbench) -> None:
    skipped = handlers.rank_again(workbench, None, None, None)
    assert [each["__type__"] for each in skipped] == ["update", "update"]
