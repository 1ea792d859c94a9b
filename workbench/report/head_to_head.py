"""What people preferred: the standing by votes, where votes lean, and how far they follow the scorer."""

from results import numbers
from results.standing_records import (
    CandidateStanding,
    HeadToHeadStanding,
    PairAgreement,
    PairStanding,
    SliceStanding,
    StandingGroup,
)
from workbench.report.document import (
    Block,
    Cell,
    Column,
    Item,
    Items,
    Paragraph,
    Section,
    Table,
    estimate_cell,
    number_cell,
)
from workbench.report.records import ReportContent
from workbench.vote_records import BenchmarkVotes

_STANDING_COLUMNS = (
    Column(heading="Candidate"),
    Column(heading="Rank", numeric=True, term="votes"),
    Column(heading="Share of points", numeric=True, term="votes"),
    Column(heading="Elo", numeric=True, term="elo"),
    Column(heading="Best in resamples", numeric=True, term="votes"),
    Column(heading="Won / lost", numeric=True),
    Column(heading="Ties / both bad", numeric=True),
    Column(heading="Votes", numeric=True),
)
_PAIR_COLUMNS = (
    Column(heading="First"),
    Column(heading="Second"),
    Column(heading="Points of the first", numeric=True, term="votes"),
    Column(heading="Won / lost / tie / both bad", numeric=True),
    Column(heading="Corrected p", numeric=True),
    Column(heading="Result"),
)
_SLICE_COLUMNS = (
    Column(heading="Slice"),
    Column(heading="Candidate"),
    Column(heading="Prompts", numeric=True),
    Column(heading="Share of points", numeric=True, term="votes"),
)
_AGREEMENT_COLUMNS = (
    Column(heading="First"),
    Column(heading="Second"),
    Column(heading="Decided cases", numeric=True),
    Column(heading="Higher score won", numeric=True, term="votescore"),
    Column(heading="Cohen's kappa", numeric=True, term="votescore"),
)


def head_to_head_section(content: ReportContent) -> Section | None:
    """The votes on the benchmark's candidates; None where nobody voted."""
    found = content.votes
    if found is None:
        return None
    standing = found.standing
    blocks: list[Block] = [Paragraph(text=_opening(standing))]
    for group in standing.groups:
        blocks += _group_blocks(group)
    if standing.slices:
        rows = tuple(row for place in standing.slices for row in _slice_rows(place))
        blocks.append(Table(caption="Standing per slice", columns=_SLICE_COLUMNS, rows=rows))
    if remarks := _remarks(found):
        blocks.append(Items(items=tuple(Item(text=text) for text in remarks)))
    agreements = tuple(_agreement_row(each) for each in found.agreement.pairs)
    if agreements:
        blocks.append(Table(caption="Votes and the scorer", columns=_AGREEMENT_COLUMNS, rows=agreements))
    if found.agreement.cases:
        blocks.append(Items(items=tuple(Item(text=text) for text in found.agreement.conclusions)))
    blocks.append(Paragraph(text=standing.method, tone="muted"))
    return Section(anchor="head-to-head", title="What people preferred", blocks=tuple(blocks))


def _opening(standing: HeadToHeadStanding) -> str:
    cast = f"{numbers.things(standing.votes, 'vote')} on {numbers.things(standing.prompts, 'prompt')}"
    voters = f", by {numbers.things(len(standing.voters), 'named person', 'named people')}" if standing.voters else ""
    return (
        f"{cast}{voters}; {numbers.count(standing.blind)} of them with hidden names. Votes say what was preferred, "
        "which is not always what is right."
    )


def _group_blocks(group: StandingGroup) -> list[Block]:
    standing = tuple(_standing_row(each) for each in group.candidates)
    pairs = tuple(_pair_row(each) for each in group.pairs)
    return [
        Table(caption="Standing by votes", columns=_STANDING_COLUMNS, rows=standing),
        Table(caption="Pairs by votes", columns=_PAIR_COLUMNS, rows=pairs),
    ]


def _standing_row(each: CandidateStanding) -> tuple[Cell, ...]:
    tied = f"not told apart from {', '.join(each.not_separated)}" if each.not_separated else ""
    return (
        Cell(text=each.name, detail=tied),
        number_cell(numbers.count(each.rank)),
        estimate_cell(each.share, "percent"),
        number_cell(numbers.elo(each.elo.value)),
        number_cell(numbers.percent(each.best_probability)),
        Cell(text=f"{numbers.count(each.wins)} / {numbers.count(each.losses)}"),
        Cell(text=f"{numbers.count(each.ties)} / {numbers.count(each.both_bad)}"),
        number_cell(numbers.count(each.votes)),
    )


def _pair_row(pair: PairStanding) -> tuple[Cell, ...]:
    counts = (pair.wins, pair.losses, pair.ties, pair.both_bad)
    if pair.p_value is None:
        result = "too few prompts"
    else:
        result = "no difference shown" if pair.better is None else f"{pair.better} is preferred"
    return (
        Cell(text=pair.first),
        Cell(text=pair.second),
        estimate_cell(pair.expected, "percent"),
        Cell(text=" / ".join(numbers.count(value) for value in counts)),
        number_cell(numbers.p_value(pair.p_adjusted), unknown="not tested"),
        Cell(text=result),
    )


def _slice_rows(place: SliceStanding) -> list[tuple[Cell, ...]]:
    return [
        (
            Cell(text=f"{place.column} = {place.value}"),
            Cell(text=each.name),
            number_cell(numbers.count(each.prompts)),
            estimate_cell(each.share, "percent"),
        )
        for group in place.groups
        for each in group.candidates
    ]


def _remarks(found: BenchmarkVotes) -> list[str]:
    standing = found.standing
    remarks = [leaning.conclusion for leaning in (standing.left, standing.longer) if leaning is not None]
    remarks += standing.self_test.conclusions if standing.self_test is not None else ()
    if standing.reasons:
        remarks.append(f"Reasons given: {', '.join(f'{tag} {count:,}' for tag, count in standing.reasons)}.")
    if found.without_votes:
        remarks.append(f"Nobody judged answers of {', '.join(found.without_votes)}.")
    return [*remarks, *standing.notes]


def _agreement_row(pair: PairAgreement) -> tuple[Cell, ...]:
    kappa = pair.agreement.kappa if pair.agreement is not None else None
    return (
        Cell(text=pair.first),
        Cell(text=pair.second),
        number_cell(numbers.count(pair.decided)),
        estimate_cell(pair.prefers_right, "percent") if pair.prefers_right is not None else _none(),
        estimate_cell(kappa, "score") if kappa is not None else _none(),
    )


def _none() -> Cell:
    return number_cell(numbers.UNKNOWN, unknown="not defined")
