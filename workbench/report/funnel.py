"""From all models to the one: how many were considered, which rule left how many out, who was picked and measured."""

from catalog.records import RuleCount
from results import numbers
from results.shortlist_records import Funnel
from workbench.report.asked import limit_name
from workbench.report.document import Block, Cell, Column, Paragraph, Section, Table
from workbench.report.records import ReportContent
from workbench.report.text import capitalised
from workbench.rule_words import RULE_WORDS


def funnel_section(content: ReportContent) -> Section:
    """The numbers of every step; then every limit that a measured candidate broke."""
    funnel = content.comparison.benchmark.funnel
    blocks: list[Block] = []
    if funnel is None:
        text = "The benchmark was not made of a shortlist: its candidates were named by hand, none left out by rule."
        blocks.append(Paragraph(text=text))
    else:
        blocks.append(Paragraph(text=funnel_sentence(funnel)))
    blocks.append(_steps(funnel, content))
    broken = [(out.name, limit) for out in content.recommendation.excluded for limit in out.broken]
    if broken:
        rows = tuple(
            (Cell(text=name), Cell(text=limit_name(each.limit)), Cell(text=each.message)) for name, each in broken
        )
        columns = (Column(heading="Candidate"), Column(heading="Limit"), Column(heading="What was seen"))
        blocks.append(Table(caption="Every limit that was broken", columns=columns, rows=rows))
    return Section(anchor="funnel", title="How it came to this choice", blocks=tuple(blocks))


def funnel_sentence(funnel: Funnel) -> str:
    """Where the candidates come from, in one sentence."""
    source = "" if funnel.source_date is None else f" of {funnel.source_date}"
    kept = (
        f"The candidates come from the shortlist {funnel.shortlist}, version {funnel.version} ({funnel.kept_at[:10]})"
    )
    if funnel.considered is None:
        return f"{kept}; how many models were considered was not recorded."
    considered = numbers.things(funnel.considered, "model")
    return f"{kept}: of {considered} in the catalog{source}, {numbers.count(funnel.passed)} passed every filter."


def _steps(funnel: Funnel | None, content: ReportContent) -> Table:
    """One row per step: what it was, how many went, how many were left."""
    rows: list[tuple[Cell, ...]] = []
    if funnel is not None and funnel.considered is not None:
        left = funnel.considered
        rows.append(_row("Models in the catalog", None, left))
        for rule in funnel.excluded:
            left -= rule.count
            rows.append(_row(_rule(rule), rule.count, left))
    if funnel is not None:
        rows.append(_row("Picked for the shortlist", None, len(funnel.chosen)))
    made = content.recommendation
    measured = len(content.comparison.candidates)
    rows.append(_row("Candidates measured (a model in several forms counts as several)", None, measured))
    rows.append(_row("Out: a hard limit broken", len(made.excluded), len(made.ranked)))
    if made.winner is not None:
        rows.append(_row(f"Recommended: {made.winner}", None, 1))
    columns = (
        Column(heading="Step"),
        Column(heading="Left out", numeric=True),
        Column(heading="Remain", numeric=True),
    )
    note = "Each model counts once, for the first rule that left it out." if funnel is not None else ""
    return Table(caption="From all to one", note=note, columns=columns, rows=tuple(rows))


def _rule(rule: RuleCount) -> str:
    return f"{capitalised(RULE_WORDS.get(rule.rule, rule.rule.replace('_', ' ')))}"


def _row(step: str, out: int | None, left: int) -> tuple[Cell, ...]:
    return Cell(text=step), Cell(text="" if out is None else numbers.count(out)), Cell(text=numbers.count(left))
