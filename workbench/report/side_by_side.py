"""The candidates side by side: what was measured of each, ties, and the ranking with its reasons."""

from collections.abc import Callable

from results import numbers
from results.comparison import pair_of, shows_difference
from results.metric_words import in_prose, quality_title, signed, unit_of
from results.recommendation_records import RankedCandidate
from results.records import BenchmarkComparison, CandidateSummary
from workbench.report.document import (
    NOT_MEASURED,
    Cell,
    Column,
    Paragraph,
    Section,
    Table,
    estimate_cell,
    number_cell,
    rate_cell,
    verdict_badge,
)
from workbench.report.ranking import ranking_blocks, tie_blocks
from workbench.report.records import ReportContent


def side_by_side_section(content: ReportContent) -> Section:
    """All candidates in one table, then the ties and the ranking with its reasons."""
    comparison, recommendation = content.comparison, content.recommendation
    ranks = {ranked.name: ranked for ranked in recommendation.ranked}
    places = {name: place for place, name in enumerate(ranks)}
    ordered = sorted(comparison.candidates, key=lambda s: places.get(s.candidate.name, len(places)))
    title = quality_title(content.comparison)
    quality_column = Column(heading=title, numeric=True, term="accuracy" if title == "Accuracy" else "quality")
    table = Table(
        caption="Every candidate, best first" if ranks else "Every candidate; none qualifies",
        note=(
            "Below each value its 95 % interval. Latency and speed at concurrency 1, prefix cache off;"
            f" {in_prose(title)} over the whole test set. Tied: no difference to the best {in_prose(title)} is shown."
        ),
        columns=(*_FIRST_COLUMNS, quality_column, *(column for column, _ in _SPEED_AND_MEMORY)),
        rows=tuple(_summary_row(s, ranks.get(s.candidate.name), comparison) for s in ordered),
    )
    warnings = tuple(
        Paragraph(text=f"{s.candidate.name}: {s.validity_warning}", tone="warning")
        for s in ordered
        if s.validity_warning
    )
    more = Table(
        caption="Also measured",
        columns=tuple(column for column, _ in _MORE),
        rows=tuple(tuple(cell(s) for _, cell in _MORE) for s in ordered),
    )
    blocks = (table, *warnings, more, *tie_blocks(content), *ranking_blocks(recommendation))
    return Section(anchor="side-by-side", title="Side by side", blocks=blocks)


def _tokens(summary: CandidateSummary) -> Cell:
    given, written = summary.prompt_tokens_median, summary.output_tokens_median
    if given is None or written is None:
        return number_cell(numbers.UNKNOWN)
    return Cell(text=f"{numbers.count(given)} → {numbers.count(written)}")


def _memory(summary: CandidateSummary) -> Cell:
    mapped, gpu = summary.peak_mapped_file_bytes, summary.peak_gpu_bytes
    details = (
        "" if mapped is None else f"{numbers.bytes_(mapped)} mapped",
        "" if gpu is None else f"+ {numbers.bytes_(gpu)} GPU",
    )
    return number_cell(numbers.bytes_(summary.peak_memory_bytes), "\n".join(filter(None, details)))


def _predicted(summary: CandidateSummary) -> Cell:
    value = summary.predicted_memory_bytes
    return number_cell(numbers.bytes_(value), unknown="not predicted")


_FIRST_COLUMNS = (
    Column(heading="Candidate"),
    Column(heading="License", term="verdict"),
)

_SPEED_AND_MEMORY: tuple[tuple[Column, Callable[[CandidateSummary], Cell]], ...] = (
    (Column(heading="TTFT p50", numeric=True, term="ttft"), lambda s: estimate_cell(s.ttft_p50_seconds, "seconds")),
    (Column(heading="TTFT p95", numeric=True, term="ttft"), lambda s: estimate_cell(s.ttft_p95_seconds, "seconds")),
    (Column(heading="E2E p50", numeric=True, term="e2e"), lambda s: estimate_cell(s.e2e_p50_seconds, "seconds")),
    (Column(heading="E2E p95", numeric=True, term="e2e"), lambda s: estimate_cell(s.e2e_p95_seconds, "seconds")),
    (Column(heading="Tokens in → out", numeric=True, term="tokens"), _tokens),
    (
        Column(heading="Decode, tokens/s", numeric=True, term="decode"),
        lambda s: rate_cell(s.decode_tokens_per_second),
    ),
    (
        Column(heading="Prefill, tokens/s", numeric=True, term="prefill"),
        lambda s: rate_cell(s.prefill_tokens_per_second),
    ),
    (Column(heading="Peak memory", numeric=True, term="memory"), _memory),
    (Column(heading="Predicted", numeric=True, term="predicted"), _predicted),
    (Column(heading="Load", numeric=True, term="load"), lambda s: number_cell(numbers.seconds(s.load_seconds))),
)


_MORE: tuple[tuple[Column, Callable[[CandidateSummary], Cell]], ...] = (
    (Column(heading="Candidate"), lambda s: Cell(text=s.candidate.name)),
    (Column(heading="TPOT p50", numeric=True, term="tpot"), lambda s: estimate_cell(s.tpot_p50_seconds, "seconds")),
    (
        Column(heading="Accuracy workload, batched", numeric=True, term="throughput"),
        lambda s: number_cell(numbers.rate(s.accuracy_examples_per_second, "examples/s")),
    ),
    (
        Column(heading="GPU memory, peak", numeric=True, term="memory"),
        lambda s: number_cell(numbers.bytes_(s.peak_gpu_bytes)),
    ),
    (
        Column(heading="Kernel's high-water mark", numeric=True, term="memory"),
        lambda s: number_cell(numbers.bytes_(s.high_water_bytes)),
    ),
    (
        Column(heading="Peak memory counted as", term="memory"),
        lambda s: Cell(text=s.peak_memory_method or NOT_MEASURED, absent=s.peak_memory_method is None),
    ),
    (Column(heading="Weights file", numeric=True), lambda s: Cell(text=numbers.bytes_(s.candidate.weights_bytes))),
    (
        Column(heading="Parameters", numeric=True),
        lambda s: number_cell(numbers.parameters(s.candidate.parameters), unknown="unknown"),
    ),
)


def _summary_row(
    summary: CandidateSummary, ranked: RankedCandidate | None, comparison: BenchmarkComparison
) -> tuple[Cell, ...]:
    place = f"rank {ranked.rank}" if ranked else "out"
    state = "" if summary.status == "finished" else f", run {summary.status}"
    return (
        Cell(text=summary.candidate.name, detail=place + state),
        Cell(badge=verdict_badge(summary.verdict.value)),
        _quality_cell(summary, comparison),
        *(cell(summary) for _, cell in _SPEED_AND_MEMORY),
    )


def _quality_cell(summary: CandidateSummary, comparison: BenchmarkComparison) -> Cell:
    """Quality with its interval, marked where the data cannot tell it from the best."""
    metric = summary.quality
    cell = estimate_cell(metric.estimate if metric else None, unit_of(metric))
    known = [s for s in comparison.candidates if s.quality is not None]
    best = max(known, key=lambda s: signed(s.quality), default=summary)
    pair = pair_of(comparison.pairs, summary.candidate.name, best.candidate.name)
    if metric is None or best is summary or pair is None or shows_difference(pair):
        return cell
    return cell.model_copy(update={"detail": f"{cell.detail}\ntied".strip()})
