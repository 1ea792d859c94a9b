"""What the step Head-to-head shows: answers side by side while they are written, and the standing by wins."""

from collections.abc import Sequence
from itertools import combinations

from results import numbers
from results.records import Vote
from workbench import sentences
from workbench.records import HeadToHeadAnswer, HeadToHeadStatus
from workbench.steps import render
from workbench.steps.desk import HeadToHead
from workbench.steps.render import Cell, Column, Html, Row, tag

_LETTERS = "ABCD"
_STATES = {
    "waiting": ("unknown", "…", "waits"),
    "loading": ("running", "▸", "loads"),
    "writing": ("running", "▸", "writes"),
    "finished": ("allowed", "✓", "finished"),
    "failed": ("forbidden", "✕", "failed"),
}


def no_answers() -> Html:
    """Before the first prompt."""
    return tag("div", render.empty(sentences.NO_ANSWERS_TITLE, sentences.NO_ANSWERS_TEXT), class_="card")


def answers(status: HeadToHeadStatus, asked: HeadToHead) -> Html:
    """The answers in the order of the page; names and speed are hidden until the vote where that was asked for."""
    by_name = {answer.candidate: answer for answer in status.answers}
    hidden = asked.blind and not asked.voted
    cards = [
        _answer(by_name[name], _LETTERS[place], hidden=hidden)
        for place, name in enumerate(asked.order)
        if name in by_name
    ]
    return tag("div", cards, class_=f"answers of-{len(cards)}")


def pairs(count: int) -> list[tuple[str, str]]:
    """Pairs that can be judged: what is shown and its value."""
    return [(f"{_LETTERS[a]} and {_LETTERS[b]}", f"{a}-{b}") for a, b in combinations(range(count), 2)]


def standing(votes: Sequence[Vote]) -> Html:
    """Wins counted; with few votes they say little, so their number stands beside them."""
    if not votes:
        return render.join(render.heading("Standing"), tag("p", "No votes yet.", class_="quiet"))
    names = sorted({name for vote in votes for name in (vote.left, vote.right)})
    tallies = sorted(((name, *_tally(name, votes)) for name in names), key=lambda row: -row[1])
    rows = [
        Row([Cell(tag("b", row[0]), row[0]), *(Cell(numbers.count(value), value) for value in row[1:])])
        for row in tallies
    ]
    columns = (
        Column("Candidate"),
        *(Column(name, numeric=True) for name in ("Wins", "Losses", "Ties", "Both bad", "Votes")),
    )
    blind = sum(vote.blind for vote in votes)
    return render.join(
        render.heading("Standing", f"{numbers.things(len(votes), 'vote')}, {blind:,} of them blind"),
        render.table("Standing by wins", columns, rows),
        tag("p", "Wins are counted, not modelled: they depend on who met whom and how often.", class_="quiet"),
    )


def _answer(answer: HeadToHeadAnswer, letter: str, *, hidden: bool) -> Html:
    kind, sign, word = _STATES[answer.state]
    name = f"Candidate {letter}" if hidden else f"{letter}: {answer.candidate}"
    figures = None
    if answer.state == "finished" and not hidden:
        figures = tag(
            "p",
            f"first token after {numbers.seconds(answer.ttft_seconds)}, {numbers.rate(answer.tokens_per_second)}",
            class_="quiet",
        )
    if answer.failure:
        body = render.notice("failure", answer.failure)
    elif answer.text:
        body = render.untrusted(answer.text, limit=20_000)
    else:
        body = tag("p", "(empty answer)" if answer.state == "finished" else "…", class_="quiet")
    return tag(
        "article",
        tag("div", tag("h2", name), render.badge(kind, sign, word), class_="panel-head"),
        body,
        figures,
        class_="card answer",
        aria_label=name,
    )


def _tally(name: str, votes: Sequence[Vote]) -> tuple[int, int, int, int, int]:
    wins = losses = ties = bad = 0
    for vote in votes:
        if name not in {vote.left, vote.right}:
            continue
        side = "left" if vote.left == name else "right"
        wins += vote.outcome == side
        losses += vote.outcome in {"left", "right"} and vote.outcome != side
        ties += vote.outcome == "tie"
        bad += vote.outcome == "both_bad"
    return wins, losses, ties, bad, wins + losses + ties + bad
