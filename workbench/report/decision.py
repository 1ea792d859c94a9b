"""The page that decides: the headline, who is out and why, the candidates side by side, ties and sensitivity."""

from collections.abc import Callable
from itertools import groupby

from results import numbers
from results.comparison import pair_of, shows_difference
from results.recommendation_records import RankedCandidate, Recommendation, WeightChange
from results.records import BenchmarkComparison, CandidateSummary
from results.requirement_records import Limits
from workbench.report.document import (
    NOT_MEASURED,
    Badge,
    Block,
    Cell,
    Column,
    Headline,
    Item,
    Items,
    Paragraph,
    Section,
    Table,
    estimate_cell,
    number_cell,
    rate_cell,
    verdict_badge,
)
from workbench.report.records import ReportContent
from workbench.report.text import capitalised, listing

LIMIT_NAMES = {
    "verdicts": "license verdict",
    "min_quality": "quality, lower end of its interval,",
    "max_ttft_p95_seconds": "time to first token, p95",
    "max_e2e_p95_seconds": "end to end, p95",
    "min_decode_tokens_per_second": "decode speed",
    "max_peak_memory_bytes": "peak memory",
    "max_load_seconds": "load time",
    "measured": "a measured accuracy",
}
"""Plain words for the names of limits; others are shown as they are."""


def decision_section(content: ReportContent) -> Section:
    """The recommendation in three lines, what it rests on, and who is out by which limit."""
    recommendation = content.recommendation
    blocks: list[Block] = [Headline(lines=recommendation.headline)]
    if recommendation.nearest_miss:
        blocks.append(Paragraph(text=recommendation.nearest_miss, tone="warning"))
    blocks.append(Paragraph(text=_limits_sentence(recommendation.requirements.limits), tone="muted"))
    if recommendation.excluded:
        rows = tuple(
            (Cell(text=out.name), Cell(text=_limit_name(broken.limit)), Cell(text=broken.message))
            for out in recommendation.excluded
            for broken in out.broken
        )
        columns = (Column(heading="Candidate"), Column(heading="Limit"), Column(heading="What was seen"))
        blocks.append(Table(caption="Who is out, and by which limit", columns=columns, rows=rows))
    else:
        blocks.append(Paragraph(text="No candidate is out: all meet every limit."))
    return Section(anchor="decision", title="The decision", blocks=tuple(blocks))


def side_by_side_section(content: ReportContent) -> Section:
    """All candidates in one table, then the ranking with its reasons, the ties and the sensitivity."""
    comparison, recommendation = content.comparison, content.recommendation
    ranks = {ranked.name: ranked for ranked in recommendation.ranked}
    places = {name: place for place, name in enumerate(ranks)}
    ordered = sorted(comparison.candidates, key=lambda s: places.get(s.candidate.name, len(places)))
    table = Table(
        caption="Every candidate, best first" if ranks else "Every candidate; none qualifies",
        note=(
            "Below each value its 95 % interval. Latency and speed at concurrency 1, prefix cache off; accuracy over"
            " the whole test set. Tied: no difference to the highest accuracy is shown."
        ),
        columns=(*_FIRST_COLUMNS, *(column for column, _ in _SPEED_AND_MEMORY)),
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
    blocks = (table, *warnings, more, *_ties(content), *_ranking(recommendation), *_sensitivity(recommendation))
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
    Column(heading="Accuracy", numeric=True, term="accuracy"),
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
        _accuracy_cell(summary, comparison),
        *(cell(summary) for _, cell in _SPEED_AND_MEMORY),
    )


def _accuracy_cell(summary: CandidateSummary, comparison: BenchmarkComparison) -> Cell:
    """Accuracy with its interval, marked where the data cannot tell it from the highest."""
    cell = estimate_cell(summary.accuracy, "percent")
    known = [s for s in comparison.candidates if s.accuracy is not None]
    best = max(known, key=lambda s: s.accuracy.value if s.accuracy else 0.0, default=summary)
    pair = pair_of(comparison.pairs, summary.candidate.name, best.candidate.name)
    if summary.accuracy is None or best is summary or pair is None or shows_difference(pair):
        return cell
    return cell.model_copy(update={"detail": f"{cell.detail}\ntied".strip()})


def _limit_name(limit: str) -> str:
    return LIMIT_NAMES.get(limit, limit).rstrip(",")


def _limits_sentence(limits: Limits) -> str:
    verdicts = listing([value.value for value in limits.verdicts], "or")
    asked = [f"license verdict {verdicts}" if verdicts else "no license verdict is acceptable"]
    for name, text in (
        ("min_quality", numbers.percent(limits.min_quality)),
        ("max_ttft_p95_seconds", numbers.seconds(limits.max_ttft_p95_seconds)),
        ("max_e2e_p95_seconds", numbers.seconds(limits.max_e2e_p95_seconds)),
        ("min_decode_tokens_per_second", numbers.rate(limits.min_decode_tokens_per_second)),
        ("max_peak_memory_bytes", numbers.bytes_(limits.max_peak_memory_bytes)),
        ("max_load_seconds", numbers.seconds(limits.max_load_seconds)),
    ):
        if text != numbers.UNKNOWN:
            asked.append(f"{LIMIT_NAMES[name]} at {'least' if name.startswith('min') else 'most'} {text}")
    return f"Limits that a candidate must meet: {'; '.join(asked)}."


def _ties(content: ReportContent) -> list[Block]:
    """Candidates that share a rank, and pairs whose accuracy the data cannot tell apart, named as ties."""
    sentences = []
    ranked = sorted(content.recommendation.ranked, key=lambda candidate: candidate.rank)
    for rank, group in groupby(ranked, key=lambda candidate: candidate.rank):
        names = [candidate.name for candidate in group]
        if len(names) > 1:
            sentences.append(f"Tied at rank {rank}: {listing(names)}; nothing measured separates them.")
    for pair in content.comparison.pairs:
        if not shows_difference(pair):
            n = numbers.count(pair.n)
            sentences.append(f"Tied in accuracy: {pair.first} and {pair.second}; no difference is shown at n = {n}.")
    if sentences:
        return [Paragraph(text="Ties:"), Items(items=tuple(Item(text=sentence) for sentence in sentences))]
    if content.comparison.pairs:
        return [Paragraph(text="Ties: none. The test tells all pairs that were compared apart in accuracy.")]
    return []


def _ranking(recommendation: Recommendation) -> list[Block]:
    if not recommendation.ranked:
        return [Paragraph(text="No candidate qualifies, so none is ranked.")]
    weights = recommendation.requirements.weights
    note = (
        f"Weights: quality {weights.quality:g}, latency {weights.latency:g},"
        f" memory {weights.memory:g}; only their proportions count."
    )
    columns = (
        Column(heading="Candidate"),
        Column(heading="Rank", numeric=True),
        Column(heading="Utility", numeric=True, term="utility"),
        Column(heading="Pareto", term="pareto"),
        Column(heading="Why it is there"),
    )
    rows = tuple(
        (
            Cell(text=candidate.name),
            Cell(text=str(candidate.rank)),
            Cell(text=f"{candidate.utility:.2f}"),
            Cell(badge=Badge(tone="good", icon="◆", word="yes")) if candidate.pareto else Cell(text="no"),
            Cell(text=" ".join(candidate.reasons)),
        )
        for candidate in recommendation.ranked
    )
    return [Table(caption="The ranking, and why", note=note, columns=columns, rows=rows)]


def _sensitivity(recommendation: Recommendation) -> list[Block]:
    if len(recommendation.ranked) < 2:
        return []
    if not recommendation.sensitivity:
        return [Paragraph(text="No change of a single weight changes the winner.")]
    items = tuple(Item(text=_change(change)) for change in recommendation.sensitivity)
    return [Paragraph(text="What would change the winner:"), Items(items=items)]


def _change(change: WeightChange) -> str:
    direction = "rises" if change.needed > change.current else "falls"
    return (
        f"{change.new_winner} wins where the share of {change.weight} {direction} from"
        f" {numbers.percent(change.current)} to {numbers.percent(change.needed)}."
    )


def summary_facts(content: ReportContent) -> tuple[str, ...]:
    """What the report is about, for the line below its title."""
    benchmark = content.comparison.benchmark
    facts = (
        numbers.things(len(content.comparison.candidates), "candidate"),
        f"{numbers.things(benchmark.examples, 'example')} of {benchmark.test_set_name} ({benchmark.task})",
        benchmark.machine.cpu if benchmark.machine else "machine not recorded",
        f"measured {_day(benchmark.created_at)}",
        f"report made {_day(content.made_at)}",
    )
    return tuple(capitalised(fact) for fact in facts)


def _day(moment: str) -> str:
    return moment[:16].replace("T", " ")
