"""Records of parity: one model in two settings on the same examples, and where the two part."""

from typing import Literal

from pydantic import Field

from catalog.records import Record
from results.records import Estimate
from runners.records import Validity


class ParityAnswer(Record):
    """What one side made of one example."""

    label: str
    """The label that it counts as; empty where none was understood."""
    text: str
    """What the model wrote or chose; untrusted."""
    validity: Validity
    """What happened."""
    right: bool
    """Judgement."""
    margin_nats: float | None = None
    """Evidence of the best label minus that of the second; null where labels were not scored."""


class Flip(Record):
    """One example that the two answer differently."""

    example_id: str
    """The example."""
    text: str
    """Its columns, joined, without those of slices."""
    target: str
    """The right answer."""
    first: ParityAnswer
    """The first side's answer."""
    second: ParityAnswer
    """The second side's answer."""
    who_is_right: Literal["first", "second", "neither"]
    """Which of the two is right."""
    near_tie: bool | None
    """Whether every known margin is under 0.5 nats, so that a small change of the scores
    decides; null where none is known."""


class PromptCheck(Record):
    """Whether both sides were asked the same."""

    state: Literal["same", "same_length", "different", "not_known"]
    """same: the texts are equal, and token counts where both are known; same_length: a server makes one of the prompts
    unseen, and token counts are equal; different: some text or count differs; not_known: nothing can be compared."""
    texts: int = Field(ge=0)
    """Examples whose prompt is known as text on both sides."""
    different_texts: int = Field(ge=0)
    """How many of these differ."""
    counts: int = Field(ge=0)
    """Examples whose prompt tokens are known on both sides."""
    different_counts: int = Field(ge=0)
    """How many of these differ."""
    example_id: str | None = None
    """The first example whose prompts differ."""
    first_text: str | None = None
    """Its prompt on the first side; null where it is not known."""
    second_text: str | None = None
    """The same on the second side."""
    first_tokens: int | None = None
    """Tokens of its prompt on the first side."""
    second_tokens: int | None = None
    """The same on the second side."""
    differs_at: int | None = None
    """Character from which on the two texts differ, counted from 0."""
    diff: tuple[str, ...] = ()
    """The two texts line by line: `-` only in the first, `+` only in the second."""
    sentence: str
    """In words."""


class LogprobGap(Record):
    """How far the two lie apart in the log-probabilities of labels, where both scored them."""

    labels: int = Field(gt=0)
    """Labels of examples that both scored."""
    median_nats: float = Field(ge=0)
    """Median of the differences, without their sign."""
    largest_nats: float = Field(ge=0)
    """The largest of them."""
    example_id: str
    """Where that is."""
    label: str
    """Of which label."""
    first_logprob: float
    """The first side's."""
    second_logprob: float
    """The second side's."""


class ParityReport(Record):
    """Two runs of one model on the same examples."""

    first: str
    """Name of the first candidate."""
    second: str
    """Name of the second candidate."""
    examples: int = Field(ge=0)
    """Examples that were asked."""
    compared: int = Field(ge=0)
    """Examples that both answered."""
    prompts: PromptCheck
    """Whether both were asked the same."""
    agreement: Estimate | None
    """Share of examples on which both give the same label; null where nothing can be compared."""
    at_least: float = Field(ge=0, le=1)
    """Agreement that was asked for."""
    passes: bool
    """Whether agreement reaches it, prompts do not differ, and both sides are finished."""
    without_label: int = Field(ge=0)
    """Examples on which neither gave a label that was understood; they count as agreement."""
    flips: tuple[Flip, ...]
    """Examples on which the two differ, in the test set's order."""
    near_ties: int = Field(ge=0)
    """Flips that are near ties."""
    both_right: int = Field(ge=0)
    """Both right."""
    only_first_right: int = Field(ge=0)
    """Only the first right."""
    only_second_right: int = Field(ge=0)
    """Only the second right."""
    both_wrong: int = Field(ge=0)
    """Both wrong."""
    p_value: float = Field(ge=0, le=1)
    """McNemar's exact test of right against wrong, two-sided."""
    logprobs: LogprobGap | None = None
    """Distance of the label scores; null where not both scored."""
    notes: tuple[str, ...] = ()
    """What to know when reading the figures."""
    conclusion: tuple[str, ...]
    """What it comes to, in sentences."""
