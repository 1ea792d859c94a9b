"""Step Head-to-head: one prompt, two to four candidates, answers side by side, a vote.

Where names are hidden, the order on the page and the order in which candidates are asked are shuffled apart, so that
neither tells who answers.
"""

import random
import uuid
from typing import Any, Literal, get_args

import gradio as gr

from results.records import Vote
from workbench.benchmark_file import parse_benchmark
from workbench.candidates import candidate_name
from workbench.records import CandidateDefinition, HeadToHeadStatus
from workbench.sentences import refusal
from workbench.service import Workbench, now
from workbench.steps import head_to_head_view
from workbench.steps.desk import Desk, HeadToHead
from workbench.steps.draft_benchmark import candidates_at_hand

Outcome = Literal["left", "right", "tie", "both_bad"]
_FEWEST, _MOST = 2, 4


def restore(workbench: Workbench, desk: Desk, chosen: list[str]) -> tuple[Any, ...]:
    """Candidates, then everything of `watch`, then the standing."""
    names = [candidate_name(item) for item in _candidates(workbench, desk)]
    value = [name for name in chosen if name in names] or names[:_FEWEST]
    return gr.CheckboxGroup(choices=names, value=value), *watch(workbench, desk), standing(workbench)


def ask(workbench: Workbench, desk: Desk, *values: Any) -> tuple[Any, ...]:
    """Put the prompt to the candidates; everything of `watch`."""
    chosen, prompt, system, temperature, tokens, blind = values
    candidates = [item for item in _candidates(workbench, desk) if candidate_name(item) in chosen]
    if not _FEWEST <= len(candidates) <= _MOST:
        raise refusal(f"Choose two to four candidates, not {len(candidates)}.")
    if not prompt.strip():
        raise refusal("Write a prompt first.")
    order = [candidate_name(item) for item in candidates]
    if blind:
        random.shuffle(order)
        random.shuffle(candidates)
    job_id = workbench.start_head_to_head(
        tuple(candidates),
        prompt,
        system=system,
        temperature=float(temperature or 0),
        max_output_tokens=max(1, int(tokens or 256)),
    )
    desk.change(head_to_head=HeadToHead(job_id=job_id, order=tuple(order), blind=bool(blind)))
    return watch(workbench, desk)


def watch(workbench: Workbench, desk: Desk) -> tuple[Any, ...]:
    """Answers as they stand, the vote's controls, the pair to judge, and whether to look again."""
    asked = desk.draft.head_to_head
    if asked is None:
        return head_to_head_view.no_answers(), gr.Column(visible=False), gr.skip(), gr.Timer(active=False)
    status = workbench.head_to_head(asked.job_id)
    may_vote = status.is_over and not asked.voted and _finished(status) >= _FEWEST
    pairs = head_to_head_view.pairs(len(asked.order))
    return (
        head_to_head_view.answers(status, asked),
        gr.Column(visible=may_vote),
        gr.Radio(choices=pairs, value=pairs[0][1], visible=len(pairs) > 1) if may_vote else gr.skip(),
        gr.Timer(active=not status.is_over),
    )


def vote(workbench: Workbench, desk: Desk, outcome: Outcome, pair: str | None) -> tuple[Any, ...]:
    """Keep a judgement and show the names: answers, the vote's controls, the standing."""
    asked = desk.draft.head_to_head
    if asked is None or asked.voted or outcome not in get_args(Outcome):
        return gr.skip(), gr.Column(visible=False), gr.skip()
    status = workbench.head_to_head(asked.job_id)
    left, right = (int(place) for place in (pair or "0-1").split("-"))
    texts = {answer.candidate: answer.text for answer in status.answers}
    workbench.add_vote(
        Vote(
            id=uuid.uuid4().hex,
            created_at=now(),
            prompt=status.prompt,
            left=asked.order[left],
            right=asked.order[right],
            outcome=outcome,
            blind=asked.blind,
            left_text=texts[asked.order[left]],
            right_text=texts[asked.order[right]],
        )
    )
    voted = asked.model_copy(update={"voted": True})
    desk.change(head_to_head=voted)
    return head_to_head_view.answers(status, voted), gr.Column(visible=False), standing(workbench)


def standing(workbench: Workbench) -> str:
    """Wins of every candidate, counted."""
    return head_to_head_view.standing(workbench.votes())


def _finished(status: HeadToHeadStatus) -> int:
    return sum(answer.state == "finished" for answer in status.answers)


def _candidates(workbench: Workbench, desk: Desk) -> list[CandidateDefinition]:
    """Those on the shortlist, then those of the newest benchmark; names are unique."""
    found = {candidate_name(item): item for item in candidates_at_hand(workbench, desk)}
    for benchmark in workbench.benchmarks()[:1]:
        if benchmark.definition:
            for item in parse_benchmark(benchmark.definition, benchmark.name).candidates:
                found.setdefault(candidate_name(item), item)
    return list(found.values())
