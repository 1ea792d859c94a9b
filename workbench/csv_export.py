"""Tables as CSV that a spreadsheet opens safely: no cell of a model or a file is ever taken for a formula.

Values are plain numbers with the unit in the header, not the rounded texts of the screen.
"""

import csv
import io
from collections.abc import Callable, Iterable, Sequence

from catalog.records import SearchHit, SearchResult
from results.cost import cost_of
from results.records import BenchmarkComparison, CandidateSummary, Estimate, ExampleResult

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

Value = str | float | int | None


def neutralise_cell(text: str) -> str:
    """The text, with an apostrophe before it where a spreadsheet would take it for a formula.

    Leading blanks do not hide a formula from every spreadsheet, so what follows them counts.
    """
    return f"'{text}" if text.startswith(_FORMULA_STARTS) or text.lstrip().startswith(_FORMULA_STARTS) else text


def write_csv(header: Sequence[str], rows: Iterable[Sequence[Value]]) -> str:
    """A CSV text (RFC 4180, CRLF). Texts are neutralised; numbers stay numbers, also negative ones; None is empty."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow([neutralise_cell(name) for name in header])
    for row in rows:
        writer.writerow([neutralise_cell(value) if isinstance(value, str) else value for value in row])
    return stream.getvalue()


def summary_csv(comparison: BenchmarkComparison) -> str:
    """One line per candidate with every measured number."""
    return write_csv(*summary_table(comparison))


def summary_table(comparison: BenchmarkComparison) -> tuple[list[str], list[list[Value]]]:
    """Header and one row per candidate: every measured number, then every metric by name, then costs."""
    header: list[str] = []
    for name, unit, kind in _COLUMNS:
        header += [f"{name}{unit}", f"{name}_low{unit}", f"{name}_high{unit}"] if kind == "estimate" else [name + unit]
    metrics = list(dict.fromkeys(metric.name for summary in comparison.candidates for metric in summary.metrics))
    for name in metrics:
        header += [f"metric_{name}", f"metric_{name}_low", f"metric_{name}_high"]
    header += ["currency", "cost_per_1000_examples", "cost_per_million_input_tokens", "cost_per_million_output_tokens"]
    rows = [
        [*_summary_row(summary), *_metric_values(summary, metrics), *_cost_values(summary, comparison)]
        for summary in comparison.candidates
    ]
    return header, rows


def search_csv(result: SearchResult) -> str:
    """One line per model that a search found, with verdict and predicted memory."""
    header = ["model", "license", "verdict", "parameters", "context_tokens", "memory_bytes", "fit", "finest_that_fits"]
    header += ["downloads", "rank", "rank_before", "updated"]
    return write_csv(header, (_search_row(hit) for hit in result.hits))


def _search_row(hit: SearchHit) -> list[Value]:
    model, trend = hit.model, hit.trend
    return [
        model.id,
        model.license_name or model.license,
        str(hit.verdict.value),
        model.parameters,
        model.context_native_tokens,
        hit.fit.total_bytes,
        str(hit.fit.value),
        hit.largest.quantization if hit.largest is not None else None,
        model.downloads,
        trend.rank if trend is not None else None,
        trend.rank_before if trend is not None else None,
        model.updated,
    ]


def examples_csv(candidates: Sequence[str], examples: Iterable[ExampleResult]) -> str:
    """One line per example with the answer of every candidate."""
    header = ["example_id", "text", "target"]
    for name in candidates:
        header += [f"{name}: answer", f"{name}: understood as", f"{name}: validity", f"{name}: right"]
    return write_csv(header, (_example_row(candidates, example) for example in examples))


_COLUMNS = (
    ("candidate", "", "value"),
    ("model", "", "value"),
    ("quantization", "", "value"),
    ("engine", "", "value"),
    ("license", "", "value"),
    ("license_verdict", "", "value"),
    ("status", "", "value"),
    ("accuracy", "", "estimate"),
    ("balanced_accuracy", "", "estimate"),
    ("macro_f1", "", "estimate"),
    ("ttft_p50", "_seconds", "estimate"),
    ("ttft_p95", "_seconds", "estimate"),
    ("e2e_p50", "_seconds", "estimate"),
    ("e2e_p95", "_seconds", "estimate"),
    ("ttfa_p50", "_seconds", "estimate"),
    ("itl_p50", "_seconds", "estimate"),
    ("itl_p95", "_seconds", "estimate"),
    ("tpot_p50", "_seconds", "estimate"),
    ("decode", "_tokens_per_second", "estimate"),
    ("prefill", "_tokens_per_second", "estimate"),
    ("peak_memory_bytes", "", "value"),
    ("predicted_memory_bytes", "", "value"),
    ("peak_gpu_bytes", "", "value"),
    ("load_seconds", "", "value"),
    ("cold_load_seconds", "", "value"),
    ("warm_load_seconds", "", "value"),
    ("knee_requests_at_once", "", "value"),
)

_ESTIMATES: tuple[Callable[[CandidateSummary], Estimate | None], ...] = (
    lambda summary: summary.accuracy,
    lambda summary: summary.balanced_accuracy,
    lambda summary: summary.macro_f1,
    lambda summary: summary.ttft_p50_seconds,
    lambda summary: summary.ttft_p95_seconds,
    lambda summary: summary.e2e_p50_seconds,
    lambda summary: summary.e2e_p95_seconds,
    lambda summary: summary.latency.ttfa.p50 if summary.latency else None,
    lambda summary: summary.latency.itl.p50 if summary.latency else None,
    lambda summary: summary.latency.itl.p95 if summary.latency else None,
    lambda summary: summary.tpot_p50_seconds,
    lambda summary: summary.decode_tokens_per_second,
    lambda summary: summary.prefill_tokens_per_second,
)


def _summary_row(summary: CandidateSummary) -> list[Value]:
    candidate = summary.candidate
    row: list[Value] = [
        candidate.name,
        candidate.model_id,
        candidate.quantization,
        candidate.engine,
        summary.verdict.license,
        str(summary.verdict.value),
        summary.status,
    ]
    for pick in _ESTIMATES:
        estimate = pick(summary)
        row += [estimate.value, estimate.low, estimate.high] if estimate is not None else [None, None, None]
    return [
        *row,
        summary.peak_memory_bytes,
        summary.predicted_memory_bytes,
        summary.peak_gpu_bytes,
        summary.load_seconds,
        summary.cold_load_seconds,
        summary.warm_load_seconds,
        summary.sweep.knee if summary.sweep else None,
    ]


def _metric_values(summary: CandidateSummary, names: Sequence[str]) -> list[Value]:
    """Value, low and high of every metric named, empty where the candidate has it not."""
    found = {metric.name: metric.estimate for metric in summary.metrics}
    values: list[Value] = []
    for name in names:
        estimate = found.get(name)
        values += [estimate.value, estimate.low, estimate.high] if estimate is not None else [None, None, None]
    return values


def _cost_values(summary: CandidateSummary, comparison: BenchmarkComparison) -> list[Value]:
    cost = cost_of(comparison.costs, summary.candidate.name)
    if cost is None:
        return [None, None, None, None]
    return [cost.currency, cost.per_1000_examples, cost.per_million_input_tokens, cost.per_million_output_tokens]


def _example_row(candidates: Sequence[str], example: ExampleResult) -> list[Value]:
    row: list[Value] = [example.example_id, next(iter(example.inputs.values()), ""), example.target]
    for name in candidates:
        answer = example.answers.get(name)
        if answer is None:
            row += [None, None, "not run", None]
            continue
        right = {True: "yes", False: "no", None: None}[answer.right]
        row += [answer.text, answer.predicted, str(answer.validity), right]
    return row
