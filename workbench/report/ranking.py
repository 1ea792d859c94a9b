"""The ranking in the report: who comes where and why, ties named as ties, and what each candidate costs."""

from itertools import groupby

from results import numbers
from results.comparison import shows_difference
from results.metric_words import in_prose, quality_title
from results.ranking import DIMENSIONS
from results.recommendation_records import RankedCandidate, Recommendation
from workbench.report.document import (
    Badge,
    Block,
    Cell,
    Column,
    Item,
    Items,
    Paragraph,
    Table,
    number_cell,
)
from workbench.report.records import ReportContent
from workbench.report.text import listing


def tie_blocks(content: ReportContent) -> list[Block]:
    """Candidates that share a rank, and pairs whose quality the data cannot tell apart, named as ties."""
    sentences = []
    quality = quality_title(content.comparison)
    ranked = sorted(content.recommendation.ranked, key=lambda candidate: candidate.rank)
    for rank, group in groupby(ranked, key=lambda candidate: candidate.rank):
        names = [candidate.name for candidate in group]
        if len(names) > 1:
            shared = f"Tied at rank {rank}: {listing(names)}; the data cannot separate them"
            sentences.append(f"{shared}, and {names[0]} comes first as the cheaper one.")
    for pair in content.comparison.pairs:
        if not shows_difference(pair):
            n = numbers.count(pair.n)
            tied = f"Tied in {in_prose(quality)}: {pair.first} and {pair.second}"
            sentences.append(f"{tied}; no difference is shown at n = {n}.")
    if sentences:
        return [Paragraph(text="Ties:"), Items(items=tuple(Item(text=sentence) for sentence in sentences))]
    if content.comparison.pairs:
        return [
            Paragraph(text=f"Ties: none. The test tells all pairs that were compared apart in {in_prose(quality)}.")
        ]
    return []


def ranking_blocks(recommendation: Recommendation) -> list[Block]:
    """The ranking with Pareto front, win shares and reasons, then the costs."""
    if not recommendation.ranked:
        return [Paragraph(text="No candidate qualifies, so none is ranked."), *_costs(recommendation)]
    weights = recommendation.requirements.weights
    given = (f"{name} {getattr(weights, name):g}" for name in DIMENSIONS if getattr(weights, name) > 0)
    note = f"Weights: {', '.join(given) or 'all equal'}; only their proportions count. {recommendation.normalisation}"
    columns = (
        Column(heading="Candidate"),
        Column(heading="Rank", numeric=True, term="rank"),
        Column(heading="Utility", numeric=True, term="utility"),
        Column(heading="Pareto", term="pareto"),
        Column(heading="Wins in", numeric=True, term="stability"),
        Column(heading="Why it is there"),
    )
    shares = {win.name: win.share for win in recommendation.stability.shares} if recommendation.stability else None
    rows = tuple(_ranked_row(candidate, shares) for candidate in recommendation.ranked)
    table = Table(caption="The ranking, and why", note=note.strip(), columns=columns, rows=rows)
    return [table, *_costs(recommendation)]


def _ranked_row(candidate: RankedCandidate, shares: dict[str, float] | None) -> tuple[Cell, ...]:
    above = f"{listing(candidate.dominated_by)} {'is' if len(candidate.dominated_by) == 1 else 'are'} as good or better"
    pareto = Cell(badge=Badge(tone="good", icon="◆", word="yes")) if candidate.pareto else Cell(text="no", detail=above)
    wins = numbers.percent(None if shares is None else shares.get(candidate.name, 0.0))
    return (
        Cell(text=candidate.name),
        Cell(text=str(candidate.rank)),
        Cell(text=f"{candidate.utility:.2f}"),
        pareto,
        number_cell(wins, unknown="not resampled"),
        Cell(text=" ".join(candidate.reasons)),
    )


def _costs(recommendation: Recommendation) -> list[Block]:
    if not recommendation.costs:
        return []
    columns = (
        Column(heading="Candidate"),
        Column(heading="1,000 examples", numeric=True, term="cost"),
        Column(heading="1,000,000 tokens in", numeric=True, term="cost"),
        Column(heading="1,000,000 tokens out", numeric=True, term="cost"),
        Column(heading="Made from"),
    )
    rows = tuple(
        (
            Cell(text=cost.name),
            *(
                number_cell(numbers.money(value, cost.currency), unknown="not known")
                for value in (cost.per_1000_examples, cost.per_million_input_tokens, cost.per_million_output_tokens)
            ),
            Cell(text=cost.basis),
        )
        for cost in recommendation.costs
    )
    return [Table(caption="What it costs", columns=columns, rows=rows)]
