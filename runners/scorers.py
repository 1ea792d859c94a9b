"""Scorers: a completion and its example in, one Score out. Pure; sums, intervals and display live elsewhere."""

import re
from typing import Protocol

from runners.records import Completion, Example, Score, TestSet, Validity


class Scorer(Protocol):
    """Judges one completion."""

    name: str
    version: str

    def __call__(self, completion: Completion, example: Example, test_set: TestSet) -> Score:
        """Score one completion of one example."""
        ...


class LabelMatch:
    """Classification: 1 where the answer is the right label.

    Scored choices: the most likely choice is the answer. Generated text: the answer is the label it equals, else the
    one it begins with, else the only one that occurs in it as a word; case, quotes and punctuation at the ends do not
    matter. Anything else is unparseable.
    """

    name = "label_match"
    version = "1"

    def __call__(self, completion: Completion, example: Example, test_set: TestSet) -> Score:
        """Score one completion."""
        validity, predicted = _read_label(completion, test_set.labels)
        right = validity is Validity.SCORED and predicted == example.target
        return Score(
            request_id=completion.request_id,
            example_id=example.id,
            scorer=self.name,
            version=self.version,
            validity=validity,
            value=float(right),
            predicted=predicted,
        )


_SCORERS: dict[str, Scorer] = {"label_match": LabelMatch()}

SCORER_NAMES = tuple(_SCORERS)
"""Every scorer a test set can name."""


def scorer(name: str) -> Scorer:
    """The scorer of that name. Raises KeyError."""
    return _SCORERS[name]


_WITHOUT_ANSWER = {"overflow": Validity.OVERFLOW, "refused": Validity.REFUSED}
"""Ends of an answer after which there is nothing to read."""


def _read_label(completion: Completion, labels: tuple[str, ...]) -> tuple[Validity, str | None]:
    without_answer = _WITHOUT_ANSWER.get(completion.finish_reason)
    if without_answer is not None:
        return without_answer, None
    if completion.method == "scored_choices":
        return Validity.SCORED, completion.text
    text = completion.text.strip().strip("\"'`*.,:;!()[] \n").casefold()
    if not text:
        thought_too_long = completion.thinking_chunks and completion.finish_reason == "length"
        return (Validity.TRUNCATED if thought_too_long else Validity.EMPTY), None
    begins = [label for label in labels if re.match(_word(label), text)]
    occurring = [label for label in labels if re.search(_word(label), text)]
    if begins:
        return Validity.SCORED, max(begins, key=len)
    if len(occurring) == 1:
        return Validity.SCORED, occurring[0]
    truncated = not occurring and completion.finish_reason == "length"
    return (Validity.TRUNCATED if truncated else Validity.UNPARSEABLE), None


def _word(label: str) -> str:
    return rf"(?<!\w){re.escape(label.casefold())}(?!\w)"
