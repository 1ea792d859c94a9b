"""What can be set of each scorer: one record per scorer, and the union that refuses what a scorer does not know.

`scorer` says which one it is, `name` what its scores are called, so that a test set can use one twice. The scorers
themselves are in runners/scorers, the metrics that are made of their scores in results/metrics.py.
"""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from catalog.records import Record


class LabelMatchOptions(Record):
    """Classification: the answer is the right label."""

    scorer: Literal["label_match"] = "label_match"
    name: str = Field(default="label_match", min_length=1)
    """What its scores are called."""


class ChoiceMatchOptions(Record):
    """Multiple choice: the answer is the right choice."""

    scorer: Literal["choice_match"] = "choice_match"
    name: str = Field(default="choice_match", min_length=1)
    """What its scores are called."""


class ExactMatchOptions(Record):
    """Short answer: the answer equals a right one after normalisation."""

    scorer: Literal["exact_match"] = "exact_match"
    name: str = Field(default="exact_match", min_length=1)
    """What its scores are called."""
    normalise: Literal["squad", "whitespace", "none"] = "squad"
    """squad: case, punctuation, articles and white space do not matter; whitespace: only that; none: nothing."""


def _named(value: object) -> object:
    """A scorer given by its name alone."""
    return {"scorer": value} if isinstance(value, str) else value


ScorerOptions = Annotated[
    Annotated[LabelMatchOptions | ChoiceMatchOptions | ExactMatchOptions, Field(discriminator="scorer")],
    BeforeValidator(_named),
]
"""Options by scorer; a plain name stands for a scorer as it is."""


def scorer_content(options: ScorerOptions) -> object:
    """What of a scorer goes into a test set's hash: its name alone where nothing is set."""
    changed = options.model_dump(mode="json", exclude_defaults=True)
    return options.model_dump(mode="json") if changed else options.scorer
