"""What the standing and the history look like."""

from collections.abc import Sequence

from results import numbers
from results.head_to_head_records import BatchSummary, RoundSummary
from results.records import Estimate
from results.standing_records import (
    CandidateStanding,
    HeadToHeadStanding,
    PairAgreement,
    SliceStanding,
    StandingGroup,
    VoteAgreement,
)
from workbench.steps import render
from workbench.steps.render import Cell, Column, Html, Row, tag

_COLUMNS = (
    Column("Candidate"),
    Column("Rank", numeric=True, hint="1 + how many are shown to be better"),
    Column("Share of points", numeric=True, hint="Expected against the others: a win counts 1, a tie ½; 95 % interval"),
    Column("", hint="0 to 100 %; the mark in the middle is average"),
    Column("Elo", numeric=True, hint="0 is average; +100 wins 64 % against it"),
    Column("Best", numeric=True, hint="Share of resamples in which it is the strongest"),
    Column("Wins", numeric=True),
    Column("Losses", numeric=True),
    Column("Ties", numeric=True),
    Column("Both bad", numeric=True),
)
_AGREEMENT = "Votes and the scorer"
_AGREEMENT_COLUMNS = (
    Column("First"),
    Column("Second"),
    Column("Decided cases", numeric=True, hint="Votes with a winner where one answer scores higher"),
    Column("Higher score won", numeric=True, hint="Share of these; 95 % interval"),
    Column("Cohen's kappa", numeric=True, hint="Over all votes, draws as a third label; 0 is what chance gives"),
)


def standing(found: HeadToHeadStanding | None, withheld: int) -> Html:
    """Who is preferred, with what is not known; where votes lean; what one's own judgement is worth."""
    kept = None
    if withheld:
        words = f"{numbers.things(withheld, 'vote')} on lists whose names are hidden: counted when they are shown."
        kept = tag("p", words, class_="quiet")
    if found is None:
        return render.join(render.heading("Standing"), tag("p", "No votes yet.", class_="quiet"), kept)
    note = f"{numbers.things(found.votes, 'vote')}, {found.blind:,} of them blind"
    prompts = f", on {numbers.things(found.prompts, 'prompt')}"
    parts: list[Html | None] = [render.heading("Standing", note + prompts), kept]
    parts += [_group(group, number) for number, group in enumerate(found.groups)]
    parts += [_slices(found.slices) if found.slices else None, _judgement(found)]
    parts.append(tag("p", found.method, class_="quiet"))
    return render.join(parts)


def agreement(benchmark: str, found: VoteAgreement) -> Html:
    """Whether the votes prefer what the benchmark's scorer calls right, in the words of the report."""
    note = f"benchmark {benchmark}, {numbers.things(found.cases, 'vote')} on its examples"
    rows = [_agreement(each) for each in found.pairs]
    return tag(
        "section",
        render.heading(_AGREEMENT, note),
        render.table(_AGREEMENT, _AGREEMENT_COLUMNS, rows) if rows else None,
        render.bullets(found.conclusions),
        aria_label=_AGREEMENT,
    )


def nothing_to_compare(why: str) -> Html:
    """Stands where no benchmark can judge the votes."""
    return tag("section", render.heading(_AGREEMENT), tag("p", why, class_="quiet"), aria_label=_AGREEMENT)


def history(rounds: Sequence[tuple[BatchSummary, RoundSummary]]) -> Html:
    """Rounds that were asked one by one, the newest first."""
    if not rounds:
        return tag("div", render.heading("Asked before"), tag("p", "Nothing yet.", class_="quiet"))
    columns = (Column("Prompt"), Column("Candidates"), Column("Votes", numeric=True), Column("Asked"))
    return tag(
        "div",
        render.heading("Asked before", numbers.things(len(rounds), "prompt")),
        render.table("Prompts asked before", columns, [_round(*each) for each in rounds]),
    )


def _group(group: StandingGroup, number: int) -> Html:
    caption = "Standing by votes" if number == 0 else f"Standing by votes, set {number + 1}"
    apart = tag("p", "No chain of votes connects these with those above.", class_="quiet") if number else None
    pairs = [pair.conclusion for pair in group.pairs]
    return render.join(
        apart,
        render.table(caption, _COLUMNS, [_candidate(each) for each in group.candidates]),
        render.bullets(pairs) if pairs else None,
    )


def _candidate(each: CandidateStanding) -> Row:
    counts = (each.wins, each.losses, each.ties, each.both_bad)
    return Row(
        [
            Cell(tag("b", each.name), each.name),
            Cell(numbers.count(each.rank), each.rank),
            Cell(numbers.estimate(each.share, "percent"), each.share.value),
            Cell(_strip(each.name, each.share), each.share.value),
            Cell(numbers.elo(each.elo.value), each.elo.value),
            Cell(numbers.percent(each.best_probability), each.best_probability),
            *(Cell(numbers.count(value), value) for value in counts),
        ]
    )


def _agreement(pair: PairAgreement) -> Row:
    preferred, kappa = pair.prefers_right, pair.agreement.kappa if pair.agreement is not None else None
    return Row(
        [
            Cell(pair.first, pair.first),
            Cell(pair.second, pair.second),
            Cell(numbers.count(pair.decided), pair.decided),
            _figure(preferred, "percent"),
            _figure(kappa, "score"),
        ]
    )


def _figure(value: Estimate | None, unit: numbers.Unit) -> Cell:
    return Cell("not defined") if value is None else Cell(numbers.estimate(value, unit), value.value)


def _strip(name: str, share: Estimate) -> Html:
    """A share from 0 to 1 as a dot on its interval."""
    low = share.value if share.low is None else share.low
    high = share.value if share.high is None else share.high
    label = f"{name}: {numbers.estimate(share, 'percent')}"
    return tag(
        "span",
        tag("span", class_="strip-range", style=f"left:{low * 100:.1f}%;width:{max(0.0, high - low) * 100:.1f}%"),
        tag("span", class_="strip-dot", style=f"left:{share.value * 100:.1f}%"),
        class_="strip",
        role="img",
        aria_label=label,
        title=label,
    )


def _slices(slices: Sequence[SliceStanding]) -> Html:
    columns = (Column("Slice"), Column("Candidate"), Column("Share of points", numeric=True), Column(""))
    rows = []
    for each in slices:
        place = f"{each.column}: {each.value}"
        words = f"{place} ({numbers.things(each.prompts, 'prompt')})"
        rows += [
            Row(
                [
                    Cell(words, place),
                    Cell(one.name, one.name),
                    Cell(numbers.estimate(one.share, "percent"), one.share.value),
                    Cell(_strip(one.name, one.share), one.share.value),
                ]
            )
            for group in each.groups
            for one in group.candidates
        ]
    return tag(
        "details", tag("summary", "By slice"), render.table("Standing by slice", columns, rows), class_="by-slice"
    )


def _judgement(found: HeadToHeadStanding) -> Html:
    """Where votes lean, both-bad votes, the A/A check, reasons."""
    lines = [each.conclusion for each in (found.left, found.longer) if each is not None]
    if found.votes:
        share = numbers.percent(found.both_bad / found.votes)
        lines.append(f"Both answers were bad in {found.both_bad:,} of {numbers.things(found.votes, 'vote')} ({share}).")
    if found.self_test is not None:
        lines += found.self_test.conclusions
    else:
        lines.append("A/A check: none yet. Ask one candidate alone, or mix hidden checks into a list.")
    lines += found.notes
    if found.reasons:
        lines.append("Reasons given: " + ", ".join(f"{name} {count:,}" for name, count in found.reasons[:8]) + ".")
    return render.join(tag("h3", "Your judgement"), render.bullets(lines))


def _round(summary: BatchSummary, asked: RoundSummary) -> Row:
    prompt = " ".join(asked.prompt.split())
    opened = tag(
        "button",
        prompt[:120] or "(empty)",
        type="button",
        class_="link",
        data_action="open",
        data_address="round",
        data_value=asked.id,
    )
    names = ", ".join(each.name for each in summary.batch.candidates)
    return Row(
        [
            Cell(opened, prompt),
            Cell(names, names),
            Cell(numbers.count(asked.votes), asked.votes),
            Cell(summary.batch.created_at[:16].replace("T", " "), summary.batch.created_at),
        ]
    )
