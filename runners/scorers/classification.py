"""Classification: reads the label out of an answer."""

import re

from runners.records import Completion, Validity
from runners.scorer_options import LabelMatchOptions
from runners.scorers.judgement import Judgement, trouble
from runners.test_set_records import Example, TestSet


class LabelMatch:
    """1 where the answer is the right label.

    Scored choices: the most likely choice is the answer. Generated text: the answer is the label it equals, else the
    one it begins with, else the only one that occurs in it as a word; case, quotes and punctuation at the ends do not
    matter. Anything else is unparseable.
    """

    version = "1"

    def __init__(self, options: LabelMatchOptions) -> None:
        """It has no options."""

    def __call__(self, completion: Completion, example: Example, test_set: TestSet) -> Judgement:
        """Judge one completion."""
        validity, predicted = _read_label(completion, test_set.labels)
        right = validity is Validity.SCORED and predicted in example.targets
        return Judgement(validity, float(right), predicted)

    def close(self) -> None:
        """Nothing is held."""


def _read_label(completion: Completion, labels: tuple[str, ...]) -> tuple[Validity, str | None]:
    found = trouble(completion)
    if found in {Validity.OVERFLOW, Validity.REFUSED}:
        return found, None
    if completion.method == "scored_choices":
        return Validity.SCORED, completion.text
    text = completion.text.strip().strip("\"'`*.,:;!()[] \n").casefold()
    if found is not None or not text:
        return found or Validity.EMPTY, None
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
