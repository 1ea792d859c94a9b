"""What a scorer finds, and what happened to a completion before anybody reads an answer out of it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from runners.records import Completion, Validity

NO_COUNTS: Mapping[str, float] = MappingProxyType({})

_WITHOUT_ANSWER = {"overflow": Validity.OVERFLOW, "refused": Validity.REFUSED}
"""Ends of an answer after which there is nothing to read."""


class Judgement(NamedTuple):
    """What one scorer says of one completion; becomes a Score."""

    validity: Validity
    value: float = 0.0
    """1 is right, 0 is wrong; scorers of text give values in between."""
    predicted: str | None = None
    """The answer as it was understood."""
    counts: Mapping[str, float] = NO_COUNTS
    """What the example adds to the sums that metrics are made of."""


def trouble(completion: Completion) -> Validity | None:
    """Why there is no answer to read; None where there is one."""
    without_answer = _WITHOUT_ANSWER.get(completion.finish_reason)
    if without_answer is not None:
        return without_answer
    if completion.text.strip():
        return None
    thought_too_long = completion.thinking_chunks and completion.finish_reason == "length"
    return Validity.TRUNCATED if thought_too_long else Validity.EMPTY
