"""Draws votes and what they say for the terminal. Holds no logic."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from results import numbers
from results.head_to_head_records import Ballot, BatchSummary
from results.standing_records import HeadToHeadStanding, StandingGroup
from workbench.cli_marks import new_table
from workbench.vote_records import BenchmarkVotes

_OUTCOMES = {"left": "left", "right": "right", "tie": "tie", "both_bad": "both bad"}


def print_ballots(console: Console, ballots: Sequence[Ballot], of: int) -> None:
    """Votes, one a line."""
    if not ballots:
        console.print("No votes yet: workbench ui, step Head-to-head.")
        return
    table = new_table("Cast", "Left", "Right", "Better", "Blind", "Reasons", "Example")
    for each in ballots:
        table.add_row(
            each.created_at[:16].replace("T", " "),
            escape(each.left_name),
            escape(each.right_name),
            _OUTCOMES[each.outcome],
            "yes" if each.blind else "no",
            escape(", ".join([*each.reasons, *([each.note] if each.note else [])])),
            escape(each.example_id or numbers.UNKNOWN),
        )
    console.print(table)
    if of > len(ballots):
        console.print(f"The newest {len(ballots):,} of {of:,}; --limit shows more.")


def print_batches(console: Console, found: Sequence[BatchSummary]) -> None:
    """Batches, one a line."""
    if not found:
        console.print("No prompts were put to candidates yet: workbench ui, step Head-to-head.")
        return
    table = new_table("Batch", "Kind", "Made", "Candidates", ">Prompts", ">Waiting for a vote", ">Votes", "Id")
    for each in found:
        table.add_row(
            escape(each.batch.name),
            each.batch.kind.replace("a_a", "A/A"),
            each.batch.created_at[:16].replace("T", " "),
            escape(", ".join(candidate.name for candidate in each.batch.candidates)),
            numbers.count(each.rounds),
            numbers.count(each.unjudged),
            numbers.count(each.votes),
            escape(each.batch.id),
        )
    console.print(table)


def print_standing(console: Console, found: HeadToHeadStanding) -> None:
    """The standing, its pairs and everything a reader should know."""
    console.print(
        f"{numbers.things(found.votes, 'vote')} on {numbers.things(found.prompts, 'prompt')}, "
        f"{numbers.count(found.blind)} of them blind"
    )
    for group in found.groups:
        console.print(_group(group))
        for pair in group.pairs:
            console.print(f"• {pair.conclusion}", markup=False)
    for place in found.slices:
        for group in place.groups:
            console.print(f"\n{place.column} = {place.value}", markup=False)
            console.print(_group(group))
    sentences = [leaning.conclusion for leaning in (found.left, found.longer) if leaning is not None]
    sentences += found.self_test.conclusions if found.self_test is not None else ()
    if found.reasons:
        counted = ", ".join(f"{tag} {numbers.count(count)}" for tag, count in found.reasons)
        sentences.append(f"Reasons given: {counted}.")
    for sentence in (*sentences, *found.notes, found.method):
        console.print(f"• {sentence}", markup=False)


def print_agreement(console: Console, found: BenchmarkVotes) -> None:
    """Votes against the scorer."""
    for sentence in found.agreement.conclusions:
        console.print(f"• {sentence}", markup=False)
    for pair in found.agreement.pairs:
        if pair.prefers_right is not None:
            console.print(
                f"• {pair.first} and {pair.second}: the higher-scored answer won "
                f"{numbers.estimate(pair.prefers_right, 'percent')} of {numbers.things(pair.decided, 'case')}.",
                markup=False,
            )
    if found.without_votes:
        console.print(f"• Nobody judged: {', '.join(found.without_votes)}.", markup=False)


def _group(group: StandingGroup) -> object:
    table = new_table(
        ">Rank", "Candidate", ">Share of points", ">Elo", ">Best", ">Votes", ">Won", ">Lost", ">Tie", ">Both bad"
    )
    for each in group.candidates:
        table.add_row(
            str(each.rank),
            escape(each.name),
            numbers.estimate(each.share, "percent"),
            numbers.elo(each.elo.value),
            numbers.percent(each.best_probability),
            *(numbers.count(value) for value in (each.votes, each.wins, each.losses, each.ties, each.both_bad)),
        )
    return table
