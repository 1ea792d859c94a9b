"""Charts: the title states the finding, the text lists the numbers, missing values are named, names stay text."""

import json
import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from catalog.records import Record
from results.records import BenchmarkComparison, Calibration, CandidateSummary, Comparison, Estimate, ReliabilityBin
from results.standings import without
from tests.report_samples import (
    BROKEN,
    GEMMA,
    LABELS,
    SMOL,
    accuracy,
    broken,
    candidate,
    comparison,
    gemma,
    middle,
    pair,
    recommendation,
    share,
    smol,
)
from workbench import charts, charts_in_depth
from workbench.chart_parts import Chart
from workbench.report.drawing import Theme

Build = Callable[[BenchmarkComparison], Chart | None]
BUILDERS: tuple[Build, ...] = (
    charts.quality_chart,
    charts.quality_latency_chart,
    charts.latency_chart,
    charts.memory_chart,
    charts.slices_chart,
    lambda found: charts.confusion_chart(found.candidates[0], found.benchmark.labels),
)
NAMES = ("quality", "quality_latency", "latency", "memory", "slices", "confusion")
HOSTILE = '"><img src=x onerror=alert(1)><script>alert(1)</script>]]>&\x00\u202e'


def rung(name: str, quantization: str, size: int, **changes: object) -> CandidateSummary:
    return changed(smol(name), candidate=candidate(name, quantization=quantization, weights_bytes=size), **changes)


def ladder(pairs: list[Comparison]) -> Chart:
    small = rung("small", "Q4_0", 60_000_000, decode_tokens_per_second=middle(150.0))
    large = rung("large", "Q8_0", 120_000_000, decode_tokens_per_second=middle(100.0))
    (chart,) = charts_in_depth.ladder_charts(comparison([large, small, gemma()], pairs))
    return chart


def calibrated(error: float, chance: float) -> CandidateSummary:
    bins = (ReliabilityBin(low=0.7, high=0.8, n=40, probability=0.75, accuracy=share(0.6, 0.44, 0.74, 40)),)
    estimate = Estimate(value=error, low=0.0, high=error + 0.1, n=40, method="bootstrap 95 %")
    found = Calibration(
        n=40, confidence=0.75, ece_10=estimate, ece_15=estimate, ece_by_chance=chance, brier=estimate, bins=bins
    )
    return changed(gemma(), calibration=found)


def changed(summary: CandidateSummary, **changes: object) -> CandidateSummary:
    return type(summary).model_validate({**dict(summary), **changes})


def built(chart: Chart | None) -> Chart:
    assert chart is not None
    return chart


def texts(svg: str) -> str:
    return " ".join(" ".join(ElementTree.fromstring(svg).itertext()).split())


@pytest.mark.parametrize("build", BUILDERS, ids=NAMES)
@pytest.mark.parametrize("theme", ["light", "dark", "page"])
def test_every_chart_draws_as_xml_with_its_title_and_text_alternative(build: Build, theme: Theme) -> None:
    chart = built(build(comparison()))
    svg = charts.to_svg(chart, theme)
    root = ElementTree.fromstring(svg)
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == chart.alt
    assert " ".join(chart.title.split()) in texts(svg)
    assert chart.title not in texts(charts.to_svg(chart, theme, titled=False))


@pytest.mark.parametrize("build", BUILDERS, ids=NAMES)
def test_every_chart_has_labelled_axes_and_no_colour_of_its_own(build: Build) -> None:
    chart = built(build(comparison()))
    specification = json.loads(chart.specification)
    assert "config" not in specification
    assert not re.search(r'"#[0-9a-fA-F]{3,8}"', chart.specification)
    svg = charts.to_svg(chart)
    assert re.search(r"\((%|milliseconds|seconds|MiB|GiB)|Answered", texts(svg))


@pytest.mark.parametrize("build", BUILDERS, ids=NAMES)
def test_a_chart_without_data_is_none(build: Build) -> None:
    nothing = changed(broken(), predicted_memory_bytes=None)
    assert build(comparison([nothing], [])) is None


@pytest.mark.parametrize("build", BUILDERS, ids=NAMES)
def test_svgs_on_one_page_share_no_ids_and_load_nothing(build: Build) -> None:
    svg = charts.to_svg(built(build(comparison())), "page")
    assert not re.search(r"\bid=|url\(|<image|<use|href=|<style", svg)


def test_the_quality_title_says_more_accurate_only_where_the_test_shows_it() -> None:
    shown = built(charts.quality_chart(comparison(pairs=[pair(0.0004)])))
    assert shown.title == f"{GEMMA} has higher accuracy than {SMOL}: 73.3 %"
    unclear = built(charts.quality_chart(comparison(pairs=[pair(0.21)])))
    assert unclear.title == f"{GEMMA} has the highest accuracy, 73.3 %, but no difference to {SMOL} is shown"
    unpaired = built(charts.quality_chart(comparison(pairs=[])))
    assert "higher accuracy" not in unpaired.title


@pytest.mark.parametrize(("value", "low", "high"), [(0.97, 0.9, 0.995), (1.0, 1.0, 1.0), (0.5, 0.02, 1.0)])
def test_the_axis_of_a_share_ends_at_everything(value: float, low: float, high: float) -> None:
    best = changed(gemma(), metrics=(accuracy(share(value, low, high, 100)),))
    for build in (charts.quality_chart, charts.quality_latency_chart):
        svg = charts.to_svg(built(build(comparison([best, smol()], [pair(0.2)]))))
        ticks = [float(text) for text in re.findall(r">([\d.]+) %<", svg)]
        assert max(ticks) == 100
        assert min(ticks) >= 0


def test_the_quality_title_follows_the_data() -> None:
    equal = changed(gemma(), metrics=(accuracy(share(0.5611, 0.488, 0.632)),))
    chart = built(charts.quality_chart(comparison([smol(), equal], [pair(1.0)])))
    assert chart.title == f"{SMOL} and {GEMMA} share the highest accuracy, 56.1 %"
    alone = built(charts.quality_chart(comparison([smol()], [])))
    assert alone.title == f"{SMOL}: accuracy 56.1 %"


def test_the_alt_text_lists_the_numbers_and_who_is_left_out() -> None:
    quality = built(charts.quality_chart(comparison()))
    assert f"{GEMMA} 73.3 % (66.4–79.3), n = 180" in quality.alt
    assert quality.alt.endswith(f"Not measured and left out: {BROKEN}.")
    latency = built(charts.latency_chart(comparison()))
    assert f"{SMOL} p50 131 ms (126–136), p95 166 ms" in latency.alt
    assert f"left out: {BROKEN}." in latency.alt
    trade_off = built(charts.quality_latency_chart(comparison(), recommendation()))
    assert f"{GEMMA} 73.3 % (66.4–79.3) at 268 ms (257–279), peak memory 512 MiB, Pareto" in trade_off.alt


def test_a_candidate_without_latency_is_left_out_of_the_latency_charts_only() -> None:
    silent = changed(gemma(), ttft_p50_seconds=None, ttft_p95_seconds=None, e2e_p50_seconds=None, e2e_p95_seconds=None)
    found = comparison([smol(), silent])
    latency = built(charts.latency_chart(found))
    assert GEMMA not in latency.specification.replace(f'"domain": ["{SMOL}", "{GEMMA}"]', "")
    assert latency.alt.endswith(f"left out: {GEMMA}.")
    assert GEMMA in built(charts.quality_chart(found)).alt.split("left out")[0]


def test_the_memory_title_says_whether_predictions_held() -> None:
    assert built(charts.memory_chart(comparison())).title == (
        f"{SMOL} needs the least memory, 236 MiB at its peak; {GEMMA} exceeded the prediction"
    )
    kept = built(charts.memory_chart(comparison([smol()], [])))
    assert kept.title == f"{SMOL} peaks at 236 MiB; the prediction was not exceeded"
    predicted = built(charts.memory_chart(comparison([broken()], [])))
    assert predicted.title.startswith("Memory was predicted, not measured")


def test_gpu_memory_counts_where_candidates_are_compared() -> None:
    offloaded = changed(smol(), peak_gpu_bytes=900 * 2**20)
    found = comparison([offloaded, gemma()])
    memory = built(charts.memory_chart(found))
    assert (
        memory.title
        == f"{GEMMA} needs the least memory, 512 MiB at its peak; {SMOL} and {GEMMA} exceeded the prediction"
    )
    assert f"{SMOL} 900 MiB measured on the GPU" in memory.alt
    assert (
        f"{SMOL} 56.1 % (48.8–63.2) at 158 ms (152–164), peak memory 1.1 GiB"
        in built(charts.quality_latency_chart(found)).alt
    )


def test_titles_stay_short_with_many_candidates() -> None:
    names = [f"candidate {number}" for number in range(8)]
    found = comparison([smol(name) for name in names], [])
    assert (
        built(charts.quality_chart(found)).title
        == "candidate 0, candidate 1 and 6 others share the highest accuracy, 56.1 %"
    )
    symbols = re.findall(
        r'<path[^>]*d="(M[^"]+)"[^>]*fill="([^"]+)"', charts.to_svg(built(charts.quality_chart(found)))
    )
    assert len({symbol for symbol in symbols if symbol[1].startswith("#")}) >= len(names)


def test_the_confusion_chart_prints_every_count_and_names_the_worst_mistake() -> None:
    chart = built(charts.confusion_chart(gemma(), LABELS))
    assert chart.title == f"{GEMMA} most often takes “account” for “billing”: 9 of 30"
    assert "delivery answered not understood: 1" in chart.alt
    shown = texts(charts.to_svg(chart))
    assert all(f" {cell.count} " in f" {shown} " for cell in gemma().confusion)
    perfect = changed(gemma(), confusion=[cell for cell in gemma().confusion if cell.target == cell.predicted])
    assert built(charts.confusion_chart(perfect)).title == f"{GEMMA} makes no mistake on 132 examples"


def test_the_pareto_candidates_are_marked() -> None:
    chart = built(charts.quality_latency_chart(comparison(), recommendation()))
    rows = next(iter(json.loads(chart.specification)["datasets"].values()))
    assert {row["candidate"]: row["pareto"] for row in rows} == {SMOL: True, GEMMA: True}
    unranked = built(charts.quality_latency_chart(comparison()))
    assert "Pareto" not in unranked.title + unranked.alt


def test_a_candidate_keeps_its_colour_in_every_chart() -> None:
    colours = set()
    for found in (comparison(), comparison([smol(), changed(gemma(), metrics=()), broken()])):
        svg = charts.to_svg(built(charts.latency_chart(found)))
        colours.add(tuple(sorted(set(re.findall(r'fill="(#[0-9A-F]{6})"', svg)))))
    assert len(colours) == 1


@pytest.mark.parametrize("build", BUILDERS, ids=NAMES)
@pytest.mark.parametrize("name", [HOSTILE, "x" * 10_000, "عربي", "@ink", "datum.value"])
def test_names_stay_text_in_every_chart(build: Build, name: str) -> None:
    other = f"{name} 2"
    found = comparison([smol(name), gemma(other)], [pair(0.001, name, other)])
    root = ElementTree.fromstring(charts.to_svg(built(build(found))))
    tags = {str(element.tag).rpartition("}")[2] for element in root.iter()}
    assert tags <= {"svg", "g", "path", "rect", "line", "text", "tspan"}
    assert not any(key.startswith("on") or "href" in key for element in root.iter() for key in element.attrib)


def test_labels_of_a_hostile_test_set_stay_text() -> None:
    cells = [cell.model_copy(update={"target": HOSTILE}) for cell in gemma().confusion[:1]]
    chart = built(charts.confusion_chart(changed(gemma(), confusion=cells), (HOSTILE, "b")))
    assert "<img" in texts(charts.to_svg(chart))


def test_the_ladder_says_what_a_smaller_file_costs_and_gains() -> None:
    chart = ladder([pair(0.4, "large", "small")])
    assert chart.title == (
        "small takes 50.0 % of the size of large, and no difference in accuracy is shown; it decodes 1.50× as fast"
    )
    assert [row[:2] for row in chart.table.rows] == [("small", "57.2 MiB"), ("large", "114 MiB")]
    worse = pair(0.001, "large", "small").model_copy(update={"difference": share(0.1, 0.05, 0.15)})
    assert "and has worse accuracy" in ladder([worse]).title
    assert "Q8_0" in texts(charts.to_svg(chart))
    assert charts_in_depth.ladder_charts(comparison([smol(), gemma()])) == ()


def test_reliability_is_called_off_only_beyond_chance() -> None:
    off = built(charts_in_depth.reliability_chart(calibrated(0.15, 0.08)))
    assert off.title == (
        f"{GEMMA} is too sure of itself: probabilities are off by 15.0 % on average, chance alone explains 8.0 %"
    )
    fine = built(charts_in_depth.reliability_chart(calibrated(0.05, 0.08)))
    assert fine.title.endswith("no more than chance makes of 40 answers")
    assert fine.table.rows == (("0.7 to 0.8", "40", "75.0 %", "60.0 % (44.0–74.0)"),)
    assert charts_in_depth.reliability_chart(gemma()) is None


def test_the_line_joins_those_whom_nobody_beats_in_both_quality_and_speed() -> None:
    slow = changed(gemma("slow"), e2e_p50_seconds=middle(0.9))
    chart = built(charts.quality_latency_chart(comparison([smol(), gemma(), slow])))
    assert {row[0]: row[-1] for row in chart.table.rows} == {SMOL: "yes", GEMMA: "yes", "slow": "no"}
    assert chart.alt.count("on the front") == 2


@pytest.mark.parametrize("build", BUILDERS, ids=NAMES)
def test_every_chart_has_its_numbers_as_a_table(build: Build) -> None:
    table = built(build(comparison())).table
    assert table.rows
    assert {len(row) for row in table.rows} == {len(table.columns)}
    assert not any("None" in cell for row in table.rows for cell in row)


def test_a_hidden_candidate_takes_no_colour_from_the_others() -> None:
    found = comparison()
    whole, left = charts.quality_chart(found), charts.quality_chart(without(found, {SMOL}))
    domain = re.compile(r'"domain": (\[[^\]]*\])')
    assert domain.findall(built(whole).specification)[0] == domain.findall(built(left).specification)[0]


def test_a_chart_is_a_record_that_survives_json() -> None:
    chart = built(charts.quality_chart(comparison()))
    assert isinstance(chart, Record)
    assert Chart.model_validate_json(chart.model_dump_json()) == chart
