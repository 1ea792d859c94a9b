"""What a judge found: how far it can be believed first, then its grades or comparisons, then known biases."""

from results import numbers
from results.judge_records import JudgeAgreement, JudgedCandidate, JudgedPair, JudgeReport
from results.records import Estimate
from workbench.report.document import (
    Block,
    Cell,
    Column,
    Heading,
    Item,
    Items,
    Paragraph,
    Section,
    Table,
    estimate_cell,
    number_cell,
)
from workbench.report.records import ReportContent

_AGREEMENT_COLUMNS = (
    Column(heading="Held against"),
    Column(heading="Judgements", numeric=True),
    Column(heading="The same", numeric=True),
    Column(heading="Cohen's kappa", numeric=True, term="judgekappa"),
)
_GRADE_COLUMNS = (
    Column(heading="Candidate"),
    Column(heading="Mean grade, 0 to 1", numeric=True),
    Column(heading="Graded", numeric=True),
    Column(heading="Unread", numeric=True),
    Column(heading="Length and grade", numeric=True, term="judgebias"),
)
_PAIR_COLUMNS = (
    Column(heading="First"),
    Column(heading="Second"),
    Column(heading="Examples", numeric=True),
    Column(heading="Wins / ties / losses", numeric=True),
    Column(heading="Win rate of the first", numeric=True),
    Column(heading="Orders disagree", numeric=True, term="judgebias"),
)


def judging_section(content: ReportContent) -> Section | None:
    """Every judge of the benchmark; None where nobody judged."""
    if not content.judgings:
        return None
    blocks = [block for report in content.judgings for block in _blocks(report)]
    return Section(anchor="judging", title="Judged by a model", blocks=tuple(blocks))


def _blocks(report: JudgeReport) -> list[Block]:
    how = f"grades from {report.lowest} to {report.highest}" if report.mode == "rubric" else "pairs, in both orders"
    blocks: list[Block] = [Heading(text=f"{report.judge}: {how}")]
    if report.warning is not None:
        blocks.append(Paragraph(text=report.warning, tone="warning"))
    agreements = tuple(_agreement_row(each) for each in report.agreements)
    if agreements:
        blocks.append(Table(caption="Agreement", columns=_AGREEMENT_COLUMNS, rows=agreements))
    grades = tuple(_grade_row(each) for each in report.candidates)
    if grades:
        blocks.append(Table(caption="Grades", columns=_GRADE_COLUMNS, rows=grades))
    pairs = tuple(_pair_row(each) for each in report.pairs)
    if pairs:
        blocks.append(Table(caption="Comparisons", columns=_PAIR_COLUMNS, rows=pairs))
    blocks.append(Items(items=tuple(Item(text=text) for text in _remarks(report))))
    return blocks


def _remarks(report: JudgeReport) -> list[str]:
    asked, unread = numbers.things(report.questions, "question"), numbers.count(report.unread)
    found = [f"The judge ({report.model_id}) was asked {asked}; {unread} had no reply that could be read."]
    for what, estimate in (
        ("The other order gave another verdict on", report.position_bias),
        ("Of replies with a winner, the answer shown first won", report.first_shown),
        ("Of decided comparisons, the longer answer won", report.longer_wins),
    ):
        if estimate is not None:
            found.append(f"{what} {numbers.estimate(estimate, 'percent')} of {numbers.count(estimate.n)}.")
    return [*found, *report.notes]


def _agreement_row(each: JudgeAgreement) -> tuple[Cell, ...]:
    same = estimate_cell(each.same, "percent")
    return Cell(text=each.held_against), number_cell(numbers.count(each.n)), same, _number(each.kappa)


def _grade_row(each: JudgedCandidate) -> tuple[Cell, ...]:
    return (
        Cell(text=each.name),
        _number(each.grade),
        number_cell(numbers.count(each.graded)),
        number_cell(numbers.count(each.ungraded)),
        _number(each.length_correlation),
    )


def _pair_row(pair: JudgedPair) -> tuple[Cell, ...]:
    return (
        Cell(text=pair.first),
        Cell(text=pair.second),
        number_cell(numbers.count(pair.n)),
        Cell(text=" / ".join(numbers.count(value) for value in (pair.wins, pair.ties, pair.losses))),
        estimate_cell(pair.win_rate, "percent"),
        number_cell(numbers.count(pair.disagreements)),
    )


def _number(found: Estimate | None) -> Cell:
    if found is None:
        return number_cell(numbers.UNKNOWN, unknown="not defined")
    known = found.low is not None and found.high is not None
    return Cell(text=f"{found.value:.2f}", detail=f"{found.low:.2f}–{found.high:.2f}" if known else "")
