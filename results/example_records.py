"""Records of the example browser: what is asked for, a page of it, and one example whole.

Texts of a page may be cut, so that a page stays small whatever a model wrote; one example has them whole, up to a
limit that no screen needs more of.
"""

from typing import Literal

from pydantic import Field

from catalog.records import Record
from runners.records import RunSpec, Validity
from runners.test_set_records import Example

ExampleFilter = Literal[
    "all",
    "disagreement",
    "first_right",
    "second_right",
    "first_higher",
    "any_wrong",
    "all_wrong",
    "unparseable",
    "failed",
]
"""Which examples to list. disagreement: some candidates right, others wrong; first_right: the first of two right, the
second wrong; second_right: the other way round; first_higher: the first scored higher; any_wrong: at least one wrong;
all_wrong: judged and none right; unparseable: at least one answer that could not be understood; failed: at least one
candidate has no judged answer."""

ExampleOrder = Literal["test_set", "slowest", "longest"]
"""slowest: by the longest time from handing over to the last token; longest: by the most output tokens."""


class ExampleQuery(Record):
    """Which examples, in which order, and which part of them."""

    only: ExampleFilter = "all"
    """Filter on what became of them."""
    candidates: tuple[str, ...] = ()
    """Whose answers count and are given; empty: of all."""
    first: str | None = None
    """Candidate of the filters that hold two against each other."""
    second: str | None = None
    """The other one."""
    slice_column: str | None = None
    """Only examples with a value in this slice column …"""
    slice_value: str = ""
    """… namely this one."""
    target: str | None = None
    """Only examples with this right answer."""
    text: str = ""
    """Only examples with this in an input, the right answer, the id or an answer; upper and lower case are the same."""
    order: ExampleOrder = "test_set"
    """Which come first."""
    offset: int = Field(default=0, ge=0)
    """Examples to pass over."""
    limit: int = Field(default=20, ge=1, le=1_000)
    """Examples on a page."""
    most_characters: int = Field(default=4_000, ge=1)
    """Longer texts are cut to this."""


class BrowsedAnswer(Record):
    """One candidate's answer as a page shows it."""

    text: str
    """What the model wrote or chose, as far as the page holds it; untrusted."""
    characters: int = Field(ge=0)
    """Length of the whole answer."""
    predicted: str | None
    """As understood by the test set's first scorer."""
    validity: Validity
    """What happened; `skipped` where it was not asked."""
    right: bool | None
    """Whether the first scorer gave the full value; None where the answer was not judged."""
    value: float | None
    """What the first scorer gave, from 0 to 1; 0 for an answer that it could not judge."""
    probability: float | None
    """Of the chosen label among the labels, where answers were scored."""
    output_tokens: int | None
    """Tokens generated."""
    e2e_seconds: float | None
    """Handed over to last token, in the accuracy workload: several at once, so no latency figure."""


class BrowsedExample(Record):
    """One example as a page shows it."""

    example_id: str
    """The example."""
    inputs: dict[str, str]
    """Its columns, as far as the page holds them."""
    characters: int = Field(ge=0)
    """Length of all inputs together."""
    target: str
    """The right answer."""
    slices: dict[str, str]
    """Its slices."""
    answers: dict[str, BrowsedAnswer]
    """By candidate, in the benchmark's order; candidates without a run are left out."""


class ExamplePage(Record):
    """Part of what a query finds."""

    examples: tuple[BrowsedExample, ...]
    """In the query's order."""
    total: int = Field(ge=0)
    """All that it finds."""
    offset: int = Field(ge=0)
    """Place of the first, counted from 0; smaller than asked for where the query has fewer."""


class ExamplePlace(Record):
    """Where an example stands among those of a query."""

    number: int = Field(ge=1)
    """Counted from 1."""
    total: int = Field(ge=1)
    """All of them."""
    previous: str | None
    """The one before it."""
    following: str | None
    """The one after it."""


class ScorerSays(Record):
    """What one scorer says of an answer."""

    scorer: str
    """Its name."""
    version: str
    """Its version."""
    validity: Validity
    """What happened."""
    value: float | None
    """What it gave."""
    predicted: str | None
    """As it understood the answer."""


class LabelProbability(Record):
    """How likely one of the answers to choose from was."""

    label: str
    """The answer."""
    logprob: float
    """Natural-log probability of its tokens after the prompt."""
    tokens: int
    """How many those are."""
    probability: float | None
    """Among all answers; None where they were held against each other by length."""


class WholeAnswer(Record):
    """Everything that is stored of one candidate's answer to one example."""

    answer: BrowsedAnswer
    """As on a page, with the text whole."""
    finish_reason: str
    """How it ended."""
    method: str
    """Whether it was generated or chosen."""
    prompt_tokens: int
    """Tokens of the prompt."""
    cached_tokens: int
    """Of those, not computed for this request."""
    tokens_from: str
    """Who counted."""
    ttft_seconds: float | None
    """Handed over to first text."""
    thinking_tokens: int | None
    """Tokens of the thinking before the answer; its text is not kept. None where it was not told apart."""
    scores: tuple[ScorerSays, ...]
    """Of every scorer."""
    probabilities: tuple[LabelProbability, ...]
    """Of every answer to choose from, most likely first; empty where the answer was generated."""


class ExampleDetail(Record):
    """One example whole."""

    example: Example
    """As the test set has it."""
    answers: dict[str, WholeAnswer]
    """By candidate; those without an answer are left out."""
    failures: dict[str, str]
    """What went wrong with it, by candidate."""
    specs: dict[str, RunSpec]
    """What each run was asked, its test set holding this one example."""
