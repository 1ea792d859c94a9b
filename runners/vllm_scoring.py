"""Scores the answers of a prompt with vLLM: one place of the label tree after the other, each a prompt of its own.

A label's score is the sum of the natural-log probabilities of its tokens, as in llama_scoring.py. vLLM computes the
prompt once and takes it from its prefix cache at the other places, which it does not do for `prompt_logprobs`.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from runners.label_tree import Lookup
from runners.vllm_client import VllmClient


@dataclass(frozen=True)
class Place:
    """A place in the label tree."""

    path: tuple[int, ...]
    """Tokens between the prompt and here."""
    lookups: tuple[Lookup, ...]
    """What is looked up here."""


@dataclass(frozen=True)
class Scored:
    """What came of one prompt."""

    logprobs: tuple[float, ...]
    """One for each answer."""
    cached_tokens: int
    """Of the prompt, that were computed for another one."""


def places_of(choices: Sequence[Sequence[int]]) -> tuple[Place, ...]:
    """Every place at which the next token of some answer is looked up, the prompt's end first."""
    lookups: dict[tuple[int, ...], list[Lookup]] = {}
    for number, choice in enumerate(choices):
        for depth, token in enumerate(choice):
            lookups.setdefault(tuple(choice[:depth]), []).append(Lookup(number, token))
    return tuple(Place(path, tuple(found)) for path, found in lookups.items())


async def score(client: VllmClient, prompt: Sequence[int], choices: Sequence[Sequence[int]]) -> Scored:
    """The score of every answer after a prompt. Raises EngineFailed where the server does."""
    first, *others = places_of(choices)
    # The first request computes the prompt; sent at once, the others would compute it again.
    answers = [await client.next_token_logprobs(prompt, _wanted(first))]
    answers += await asyncio.gather(
        *(client.next_token_logprobs([*prompt, *place.path], _wanted(place)) for place in others)
    )
    logprobs = [0.0] * len(choices)
    for place, (found, _) in zip((first, *others), answers, strict=True):
        for lookup in place.lookups:
            logprobs[lookup.choice] += found[lookup.token]
    return Scored(logprobs=tuple(logprobs), cached_tokens=answers[0][1])


def _wanted(place: Place) -> list[int]:
    return sorted({lookup.token for lookup in place.lookups})
