"""Who meets whom, and who stands where: drawn from a seed, so that it can be drawn again. Pure."""

import random
from collections.abc import Sequence
from itertools import combinations

from workbench.head_to_head.records import Pairing


def slots_of(keys: Sequence[str], prompts: int, pairing: Pairing, seed: int) -> list[tuple[str, ...]]:
    """Who answers each prompt. One pair a prompt: every pair as often as any other, give or take one, in random order.

    A single key meets itself.
    """
    if len(keys) == 1:
        return [(keys[0], keys[0])] * prompts
    if pairing == "all" or len(keys) == 2:
        return [tuple(keys)] * prompts
    draw = random.Random(seed)
    found: list[tuple[str, ...]] = []
    while len(found) < prompts:
        turn = list(combinations(keys, 2))
        draw.shuffle(turn)
        found += turn
    return found[:prompts]


def with_hidden_checks(slots: list[tuple[str, ...]], share: float, seed: int) -> list[tuple[str, ...]]:
    """The same with a share of the prompts turned into A/A checks: a candidate against itself, nobody sees which."""
    draw = random.Random(f"{seed} checks")
    chosen = draw.sample(range(len(slots)), round(len(slots) * share))
    checked = list(slots)
    for place in chosen:
        key = draw.choice(slots[place])
        checked[place] = (key, key)
    return checked


def order_of(slots: int, *, blind: bool, seed: int, position: int) -> tuple[int, ...]:
    """Slots from left to right; shuffled where names are hidden."""
    order = list(range(slots))
    if blind:
        random.Random(f"{seed} order {position}").shuffle(order)
    return tuple(order)


def shown_pairs(order: Sequence[int]) -> list[tuple[int, int]]:
    """All pairs of slots as they are judged, each as (left, right) on the page."""
    return list(combinations(order, 2))
