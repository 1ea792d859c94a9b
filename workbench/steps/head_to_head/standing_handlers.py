"""The standing of votes, of one batch or slice too, their export, and the rounds that were asked.

Votes of lists whose names are still hidden are in none of it: what is said of them could tell who answered.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import gradio as gr

from catalog.errors import WorkbenchError
from results.head_to_head_records import Ballot
from workbench import sentences
from workbench.sentences import refusal
from workbench.service import Workbench
from workbench.steps import render
from workbench.steps.address import asked
from workbench.steps.head_to_head import standing_view
from workbench.vote_records import BenchmarkVotes

ALL = "all"
_ROUNDS_SHOWN = 100


def restore(workbench: Workbench, request: gr.Request) -> tuple[Any, ...]:
    """Batches and slices to choose from, the standing, the history, where the address is about them."""
    if asked(request, "votes") is None:
        return (gr.skip(),) * 4
    return look(workbench, asked(request, "votes"), asked(request, "votes-slice"))


def look(workbench: Workbench, batch: str | None, part: str | None) -> tuple[Any, ...]:
    """The same for what is chosen."""
    ballots, withheld = workbench.batches.open_ballots()
    named = {each.batch.id: each.batch.name for each in workbench.batches.all()}
    batches = {each.batch_id: named.get(each.batch_id, each.batch_id) for each in ballots if each.batch_id is not None}
    batch = batch if batch in batches else ALL
    chosen = [each for each in ballots if batch in {ALL, each.batch_id}]
    slices = sorted(set().union(*map(_parts, chosen)))
    part = part if part in slices else ALL
    return (
        gr.Dropdown(choices=[("All votes", ALL), *((name, key) for key, name in batches.items())], value=batch),
        gr.Dropdown(choices=[("All prompts", ALL), *((each, each) for each in slices)], value=part),
        _standing(workbench, _of(chosen, part), withheld),
        history(workbench),
    )


def history(workbench: Workbench) -> str:
    """The rounds that were asked last."""
    return standing_view.history(workbench.batches.recent_rounds(_ROUNDS_SHOWN))


def export(workbench: Workbench, batch: str | None) -> str:
    """Votes as CSV, of one batch or of all that may be shown."""
    hidden = workbench.batches.hidden()
    if batch in hidden:
        raise refusal("Names of this list are still hidden. Judge it to its end, then export its votes.")
    return workbench.votes_book.csv(batch=None if batch in {None, ALL} else batch, without=hidden)


def _standing(workbench: Workbench, ballots: Sequence[Ballot], withheld: int) -> str:
    if not ballots:
        return standing_view.standing(None, withheld)
    found = _beside_benchmark(workbench, ballots)
    agreement = standing_view.nothing_to_compare(_missing(workbench, ballots))
    if found is not None:
        agreement = standing_view.agreement(found.benchmark, found.agreement)
    return render.join(standing_view.standing(workbench.votes_book.say(ballots), withheld), agreement)


def _beside_benchmark(workbench: Workbench, ballots: Sequence[Ballot]) -> BenchmarkVotes | None:
    """These votes beside the benchmark that can judge most of them."""
    for benchmark in workbench.votes_book.that_judge(ballots, workbench.benchmarks()):
        try:
            return workbench.votes_book.of_benchmark(workbench.compare(benchmark.name), ballots)
        except WorkbenchError:  # it has no finished run yet
            continue
    return None


def _missing(workbench: Workbench, ballots: Sequence[Ballot]) -> str:
    """Why these votes cannot be held against a scorer, and what they need."""
    on_examples = [each for each in ballots if each.left != each.right and each.test_set_hash and each.round_id]
    if not on_examples:
        return sentences.NO_VOTES_ON_EXAMPLES
    ((most, _),) = Counter(each.test_set_hash for each in on_examples).most_common(1)
    those = [each for each in on_examples if each.test_set_hash == most]
    source = workbench.head_to_head.view(those[-1].round_id or "").round.source
    names = sorted({name for each in those for name in (each.left_name, each.right_name)})
    return sentences.no_benchmark_of_votes(names, source.test_set_name if source is not None else "")


def _of(ballots: Sequence[Ballot], part: str) -> Sequence[Ballot]:
    return ballots if part == ALL else [each for each in ballots if part in _parts(each)]


def _parts(ballot: Ballot) -> set[str]:
    """The slices of a vote's prompt as they are chosen; names and values may hold any sign."""
    return {f"{column}={value}" for column, value in ballot.slices.items()}
