"""What a scorer finds, and what happened to a completion before anybody reads an answer out of it.

An answer that was cut off by the token limit is scored only where the missing rest could not change the judgement;
else it is truncated, which is not the same as wrong. What no answer could be read out of is a refusal where it begins
like one (refusal.py), else truncated, else unparseable.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from runners.records import Completion, Validity
from runners.scorers.refusal import refuses

NO_COUNTS: Mapping[str, float] = MappingProxyType({})

_WITHOUT_ANSWER = {"overflow": Validity.OVERFLOW, "refused": Validity.REFUSED}
"""Ends of an answer after which there is nothing to read."""


class Judgement(NamedTuple):
    """What one scorer says of one completion; becomes a Score."""

    validity: Validity
    """`skipped` where the scorer has nothing to say of an example, which then counts in none of its metrics."""
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


def unread(completion: Completion) -> Validity:
    """What to call an answer that a scorer could not read."""
    found = trouble(completion)
    if found is not None:
        return found
    if refuses(completion.text):
        return Validity.REFUSED
    return Validity.TRUNCATED if is_cut(completion) else Validity.UNPARSEABLE


def unfinished(completion: Completion, targets: Sequence[str] = ()) -> Validity | None:
    """Why a free text is not scored as it stands; None where it is a finished text.

    A refusal is an answer like any other where a right answer is a refusal itself.
    """
    found = trouble(completion)
    if found is not None:
        return found
    if refuses(completion.text) and not any(refuses(target) for target in targets):
        return Validity.REFUSED
    return Validity.TRUNCATED if is_cut(completion) else None


def is_cut(completion: Completion) -> bool:
    """Whether the token limit ended the answer."""
    return completion.finish_reason == "length"
