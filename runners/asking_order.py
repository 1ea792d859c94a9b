"""The order in which the examples of a test set are asked, where it is not that of the file."""

import random
from collections.abc import Sequence

from runners.test_set_records import Example


def shuffled(examples: Sequence[Example], seed: int) -> tuple[tuple[Example, ...], ...]:
    """The examples in random order, those of a group together: the same order for the same test set and seed."""
    together: dict[str, list[Example]] = {}
    for place, example in enumerate(examples):
        group = example.slices.get("group")
        together.setdefault(f"group {group}" if group is not None else f"alone {place}", []).append(example)
    units = [tuple(members) for members in together.values()]
    random.Random(seed).shuffle(units)
    return tuple(units)
