"""Chooses which examples are shown in the prompt. Pure: the same seed chooses the same ones."""

import random
from collections.abc import Sequence
from typing import Literal

from runners.test_set_records import Example

FewShotChoice = Literal["first", "random", "balanced"]
"""first: those at the top of the file; random: any; balanced: as many of each target as of the others."""


def choose_few_shot(
    examples: Sequence[Example], count: int | None, choice: FewShotChoice, seed: int
) -> tuple[Example, ...]:
    """So many examples, or all; chosen at random they are shown in random order, targets taking turns if balanced."""
    if choice == "first":
        return tuple(examples[:count])
    mixed = list(examples)
    random.Random(seed).shuffle(mixed)
    if choice == "random":
        return tuple(mixed[:count])
    by_target: dict[str, list[Example]] = {}
    for example in mixed:
        by_target.setdefault(example.target, []).append(example)
    turns = max((len(group) for group in by_target.values()), default=0)
    in_turns = [group[turn] for turn in range(turns) for group in by_target.values() if turn < len(group)]
    return tuple(in_turns[:count])
