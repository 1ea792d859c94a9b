"""The answers to choose from as a tree of tokens, so that what several answers begin with is decoded once.

Knows tokens only: no model, no engine, no probabilities.
"""

from collections.abc import Sequence
from typing import NamedTuple


class Node(NamedTuple):
    """A token after which the next token of some answer is looked up. An answer's last token is never a node."""

    token: int
    depth: int
    """Tokens after the prompt: 1 for the first token of an answer."""
    branches: tuple[int, ...]
    """Branches that run through it."""


class Lookup(NamedTuple):
    """One factor of an answer's probability: the token that follows a place in the tree."""

    choice: int
    """The answer, by its place in the list."""
    token: int
    """The token that must follow."""


class LabelTree(NamedTuple):
    """Tokens to decode after a prompt, and what to look up where."""

    nodes: tuple[Node, ...]
    """Parents before children."""
    branches: int
    """Ways through the tree; at least 1, also where every answer is one token and nothing is decoded."""
    at_prompt: tuple[Lookup, ...]
    """First token of every answer, looked up after the prompt's last token."""
    at_node: tuple[tuple[Lookup, ...], ...]
    """The same for each node."""


def plant(choices: Sequence[Sequence[int]]) -> LabelTree:
    """The tree of answers, each one or more tokens."""
    tokens: list[tuple[int, int]] = []
    children: list[dict[int, int]] = [{}]
    lookups: list[list[Lookup]] = [[]]
    for number, choice in enumerate(choices):
        place = 0
        for depth, token in enumerate(choice, start=1):
            lookups[place].append(Lookup(number, token))
            if depth == len(choice):
                break
            if token not in children[place]:
                children[place][token] = len(children)
                children.append({})
                lookups.append([])
                tokens.append((token, depth))
            place = children[place][token]
    through = _branches(children)
    return LabelTree(
        nodes=tuple(Node(token, depth, through[place]) for place, (token, depth) in enumerate(tokens, start=1)),
        branches=len(through[0]),
        at_prompt=tuple(lookups[0]),
        at_node=tuple(tuple(found) for found in lookups[1:]),
    )


def _branches(children: Sequence[dict[int, int]]) -> list[tuple[int, ...]]:
    """For every place the branches that run through it; a branch ends where nothing follows."""
    through: list[tuple[int, ...]] = [()] * len(children)
    count = 0
    for place in reversed(range(len(children))):
        if not children[place]:
            through[place] = (count,)
            count += 1
        else:
            through[place] = tuple(sorted(branch for child in children[place].values() for branch in through[child]))
    return through
