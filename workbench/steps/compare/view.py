"""The first thing that the step Compare shows of a benchmark: the summary by candidate, every metric, load levels."""

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from results import numbers
from results.cost import cost_of
from results.metric_words import metric_named, metric_titles, quality_of, quality_title, unit_of
from results.records import BenchmarkComparison, CandidateSummary, Estimate
from results.requirement_records import CandidateCost
from results.standings import Standing, standings
from workbench import sentences
from workbench.report.text import listing, one_line
from workbench.steps import render
from workbench.steps.compare import load_view
from workbench.steps.compare.load_view import estimate_cell
from workbench.steps.render import Cell, Column, Content, Html, Row, tag
from workbench.steps.run.view import state_badge


class _Line(NamedTuple):
    """What a row of the summary is made from."""

    item: CandidateSummary
    standing: Standing
    cost: CandidateCost | None


class _Shown(NamedTuple):
    """A column that can be left out."""

    name: str
    column: Column
    cell: Callable[[_Line], Cell]


def nothing_measured() -> Html:
    """No benchmark at all."""
    return tag("div", render.empty(sentences.NO_BENCHMARK_TITLE, sentences.NO_BENCHMARK_TEXT), class_="card")


def nothing_finished(name: str) -> Html:
    """A benchmark without a stored run."""
    text = f"The benchmark {name} has no stored run yet. Each candidate appears here as soon as its run is over."
    return tag("div", render.empty(sentences.NO_COMPARISON_TITLE, text), class_="card")


def columns_of(comparison: BenchmarkComparison) -> list[tuple[str, str]]:
    """Title and name of the columns that the summary can show; costs only where there are prices."""
    return [(shown.column.title, shown.name) for shown in _columns(comparison)]


def summary(comparison: BenchmarkComparison, columns: Collection[str] | None = None, hidden: int = 0) -> Html:
    """Every candidate's numbers. columns: names of those to show, None for all; hidden: candidates left out."""
    benchmark = comparison.benchmark
    labels = (numbers.things(len(benchmark.labels), "label"),) if benchmark.labels else ()
    out = (f"{numbers.things(hidden, 'candidate')} hidden",) if hidden else ()
    note = ", ".join((benchmark.test_set_name, numbers.things(benchmark.examples, "example"), *labels, *out))
    shown = [each for each in _columns(comparison) if columns is None or each.name in columns]
    places = standings(comparison)
    lines = [
        _Line(item, places[item.candidate.name], cost_of(comparison.costs, item.candidate.name))
        for item in comparison.candidates
    ]
    rows = [Row([_name(line), *(each.cell(line) for each in shown)]) for line in lines]
    table_columns = (Column("Candidate"), *(each.column for each in shown))
    return render.join(
        tag(
            "div",
            render.heading("Summary", note),
            render.table("Summary by candidate", table_columns, rows),
            tag("p", tied_sentence(comparison), class_="quiet"),
            _warnings(comparison.candidates),
            [tag("p", note, class_="quiet") for note in comparison.notes],
            class_="card",
            id="compare-summary-card",
        ),
        _metrics(comparison),
        load_view.under_load(comparison.candidates),
    )


def tied_sentence(comparison: BenchmarkComparison) -> str:
    """Who leads in the metric that is looked at, as far as the data shows it."""
    places = standings(comparison).values()
    title = quality_title(comparison)
    best = [each.name for each in places if each.place == "best"]
    tied = [each.name for each in places if each.place == "tied"]
    if best:
        return f"{title}: {one_line(best[0])} is shown to be better than every other candidate."
    if len(tied) > 1:
        names = listing([one_line(name) for name in tied])
        return f"{title}: ≈ {names} lead, and the data cannot tell them apart."
    if tied:
        return f"{title}: nobody is shown to be better than {one_line(tied[0])}."
    return f"{title}: there are no two candidates to hold against each other."


def _columns(comparison: BenchmarkComparison) -> list[_Shown]:
    hint = "Over all examples, with its 95 % interval"
    found = [
        _Shown("license", Column("License", hint="May it be used commercially under your profile?"), _license),
        _Shown(
            "quality",
            Column(quality_title(comparison), numeric=True, hint=hint),
            lambda line: estimate_cell(quality_of(line.item), unit_of(line.item.quality)),
        ),
        _Shown("standing", Column("Told apart", hint="By the paired test, corrected over all pairs"), _standing),
        *(
            _Shown(name, Column(title, numeric=True, hint=hint), _first_text if name == "ttft" else _timing(name))
            for name, title, hint in _TIMINGS
        ),
        _Shown(
            "memory",
            Column("Peak memory", numeric=True, hint="Of the process tree over load and generation; below: predicted"),
            lambda line: Cell(_memory(line.item), line.item.peak_memory_bytes),
        ),
        _Shown(
            "load",
            Column("Load", numeric=True, hint="Engine start to ready for the first token"),
            lambda line: Cell(numbers.seconds(line.item.load_seconds), line.item.load_seconds),
        ),
    ]
    return [*found, *_COSTS] if comparison.costs else found


_TIMINGS = (
    ("ttft", "TTFT p50", "Request handed over to first text, median of the latency requests"),
    ("ttft_p95", "TTFT p95", "The same, 95th percentile"),
    ("e2e", "E2E p50", "End to end: request handed over to last token, median"),
    ("e2e_p95", "E2E p95", "The same, 95th percentile"),
    ("decoding", "Decoding", "Output tokens per second at one request at a time: 1 ÷ time per output token, median"),
)
_PICKS: dict[str, tuple[Callable[[CandidateSummary], Estimate | None], numbers.Unit]] = {
    "ttft_p95": (lambda item: item.ttft_p95_seconds, "seconds"),
    "e2e": (lambda item: item.e2e_p50_seconds, "seconds"),
    "e2e_p95": (lambda item: item.e2e_p95_seconds, "seconds"),
    "decoding": (lambda item: item.decode_tokens_per_second, "rate"),
}


def _timing(name: str) -> Callable[[_Line], Cell]:
    pick, unit = _PICKS[name]
    return lambda line: estimate_cell(pick(line.item), unit)


def _cost(pick: Callable[[CandidateCost], float | None]) -> Callable[[_Line], Cell]:
    def cell(line: _Line) -> Cell:
        value = pick(line.cost) if line.cost is not None else None
        words = numbers.money(value, line.cost.currency) if line.cost is not None else numbers.UNKNOWN
        return Cell(tag("div", words, title=line.cost.basis if line.cost is not None else None), value)

    return cell


_COSTS = (
    _Shown(
        "cost_examples",
        Column("1,000 examples", numeric=True, hint="Cost of 1,000 examples of this test set under the prices set"),
        _cost(lambda cost: cost.per_1000_examples),
    ),
    _Shown(
        "cost_input",
        Column("1 M in", numeric=True, hint="Cost of a million input tokens, charged with the whole hour"),
        _cost(lambda cost: cost.per_million_input_tokens),
    ),
    _Shown(
        "cost_output",
        Column("1 M out", numeric=True, hint="Cost of a million output tokens, charged with the whole hour"),
        _cost(lambda cost: cost.per_million_output_tokens),
    ),
)


def _name(line: _Line) -> Cell:
    item = line.item
    state = None if item.status == "finished" else tag("div", state_badge(item.status))
    return Cell(render.join(tag("b", one_line(item.candidate.name)), state), item.candidate.name)


def _license(line: _Line) -> Cell:
    verdict = line.item.verdict.value
    return Cell(render.verdict_badge(verdict), verdict.strictness)


def _standing(line: _Line) -> Cell:
    """Best, tied for best, or behind whom; with whom it is tied below it."""
    found = line.standing
    sign, words = {
        "best": ("▲", "best"),
        "tied": ("≈", "tied for best"),
        "behind": ("▽", "behind"),
        "alone": ("–", "alone"),
        "unknown": ("–", "not compared"),
    }[found.place]
    tied = tag("div", f"≈ {_names(found.tied_with)}", class_="interval") if found.tied_with else None
    told = [f"Shown better: {listing(found.behind)}."] if found.behind else []
    told += [f"Cannot be told apart from {listing(found.tied_with)}."] if found.tied_with else []
    order = {"best": 0, "tied": 1, "behind": 2, "alone": 3, "unknown": 4}[found.place] + len(found.behind) / 1000
    content = tag(
        "div",
        tag("span", sign, class_="tied-sign" if found.place == "tied" else "told", aria_hidden="true"),
        f" {words}",
        tied,
        title=" ".join(told) or None,
        class_="standing",
    )
    return Cell(content, order)


def _names(names: Sequence[str]) -> str:
    if len(names) > 2:
        return f"{len(names)} others"
    return listing([one_line(name) for name in names])


def _metrics(comparison: BenchmarkComparison) -> Html | None:
    """Every metric of every candidate, where there is more than the one that stands for quality."""
    titles = metric_titles(comparison)
    if len(titles) < 2:
        return None
    columns = (Column("Candidate"), *(Column(title, numeric=True) for title in titles.values()))
    rows = []
    for item in comparison.candidates:
        found = [metric_named(item, name) for name in titles]
        cells = [estimate_cell(metric.estimate if metric else None, unit_of(metric)) for metric in found]
        rows.append(Row([Cell(tag("b", one_line(item.candidate.name)), item.candidate.name), *cells]))
    return tag("div", render.heading("Every metric"), render.table("Every metric", columns, rows), class_="card")


def _first_text(line: _Line) -> Cell:
    """TTFT, and below it TTFA where thinking comes before the answer."""
    item = line.item
    cell = estimate_cell(item.ttft_p50_seconds, "seconds")
    answer = item.latency.ttfa.p50 if item.latency is not None else None
    if answer is None or answer == item.ttft_p50_seconds:
        return cell
    below = tag("div", f"answer {numbers.seconds(answer.value)}", class_="interval", title="TTFA: after the thinking")
    return Cell(tag("div", cell.content, below), cell.order)


def _memory(item: CandidateSummary) -> Html:
    measured = numbers.bytes_(item.peak_memory_bytes)
    predicted = f"predicted {numbers.bytes_(item.predicted_memory_bytes)}"
    return tag(
        "div",
        measured,
        tag("div", predicted, class_="interval") if item.predicted_memory_bytes else None,
        title=f"Measured as {item.peak_memory_method}" if item.peak_memory_method else None,
    )


def _warnings(candidates: Sequence[CandidateSummary]) -> Content:
    remarks: list[Html] = []
    for item in candidates:
        if item.validity_warning:
            remarks.append(
                render.notice("warning", tag("b", one_line(item.candidate.name)), f": {item.validity_warning}")
            )
        remarks += [
            render.notice("failure", tag("b", one_line(item.candidate.name)), f": {failure.message} {failure.hint}")
            for failure in item.failures[-1:]
        ]
    return remarks
