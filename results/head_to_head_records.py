"""Records of head-to-heads as they are kept: batches, rounds, answers, votes; and what the statistics read of them.

A batch says who answers and how; each of its rounds puts one prompt to some of its candidates, a place each ("slot");
an answer belongs to a slot, so that one candidate can stand in two slots of a round (A/A). A vote judges two slots.
Nothing is written over: a vote that was changed or taken back stays, and the vote that stands replaces it.
"""

from typing import Literal

from pydantic import Field

from catalog.records import Record
from runners.records import Message

Outcome = Literal["left", "right", "tie", "both_bad"]
"""Which answer is better, as the page showed them; tie: both as good; both_bad: neither is of use."""

BatchKind = Literal["free", "batch", "a_a"]
"""free: prompts as they come; batch: a list of prompts, answered by all and then judged; a_a: one candidate twice."""

AnswerState = Literal["waiting", "loading", "writing", "finished", "stopped", "failed"]
"""Where an answer stands; stopped: a person ended it, and what was written until then is kept."""

RoundFilter = Literal["all", "answering", "unjudged", "done"]
"""answering: some answer is still to come; unjudged: a pair of answers waits for a vote; done: the rest."""

REASONS = ("correct", "complete", "clear", "style", "shorter", "safer", "follows the format")
"""Tags that a vote can carry, beside a text of one's own."""


class BatchCandidate(Record):
    """One candidate of a batch, with everything that makes its answers what they are."""

    key: str = Field(min_length=1)
    """Says whose votes add up: that of the candidate, and of its own system prompt and temperature where candidates of
    the batch differ in these."""
    candidate_key: str = Field(min_length=1)
    """Digest of model, revision, quantization, engine and engine options, without the name."""
    name: str = Field(min_length=1)
    """Name to show."""
    definition: str
    """The candidate as it stands in a benchmark file, as JSON text."""
    system: str = ""
    """System prompt; empty for none."""
    temperature: float = Field(default=0.0, ge=0)
    """0 decodes greedily."""
    max_output_tokens: int = Field(default=256, gt=0)
    """Longest answer."""


class Batch(Record):
    """Who answers, how, and why they were asked."""

    id: str = Field(min_length=1)
    """Unique."""
    name: str = Field(min_length=1)
    """Name given by the user, or made from the first prompt."""
    created_at: str
    """ISO 8601 with offset."""
    kind: BatchKind
    """Free prompts, a list of prompts, or one candidate against itself."""
    candidates: tuple[BatchCandidate, ...] = Field(min_length=1)
    """Each once, also where it answers twice."""
    blind: bool
    """Whether names are hidden until a round is closed."""
    seed: int = 0
    """What the order of the answers and the seeds of decoding are drawn from."""


class RoundSource(Record):
    """The example of a test set that a prompt was made from."""

    test_set_name: str
    """Test set."""
    test_set_hash: str
    """Its content hash."""
    example_id: str
    """Example."""
    target: str = ""
    """The right answer."""
    slices: dict[str, str] = Field(default_factory=dict)
    """Its slices."""


class Round(Record):
    """One prompt, or one turn of a conversation, and who answers it."""

    id: str = Field(min_length=1)
    """Unique."""
    batch_id: str
    """Batch it belongs to."""
    position: int = Field(ge=0)
    """Place in the batch, counted from 0."""
    created_at: str
    """ISO 8601 with offset."""
    messages: tuple[Message, ...] = Field(min_length=1)
    """What all are asked, the newest turn last, without system prompts; see also RoundAnswer.messages."""
    slots: tuple[str, ...] = Field(min_length=2, max_length=4)
    """Key of the candidate in each slot; the same key twice is an A/A round."""
    order: tuple[int, ...]
    """Slots from left to right as the page shows them; shuffled where names are hidden."""
    seed: int = 0
    """Seed of decoding."""
    follows: str | None = None
    """Round before it in the same conversation."""
    source: RoundSource | None = None
    """Example it was made from; None for a free prompt."""
    closed_at: str | None = None
    """When the names were shown, or the round was put aside; blind votes cannot be changed from then on."""


class RoundAnswer(Record):
    """What stands in one slot of a round."""

    round_id: str
    """Round."""
    slot: int = Field(ge=0, le=3)
    """Place in Round.slots."""
    attempt: int = Field(default=0, ge=0)
    """Counted from 0; asking again with another seed makes the next, and earlier ones stay."""
    seed: int = 0
    """Seed of decoding of this attempt."""
    state: AnswerState = "waiting"
    """Where it stands."""
    text: str = ""
    """So far; untrusted."""
    messages: tuple[Message, ...] = ()
    """Exactly what this slot was sent, with its system prompt and its own earlier turns."""
    ttft_seconds: float | None = None
    """Time to first token."""
    output_tokens: int | None = None
    """Tokens written."""
    tokens_per_second: float | None = None
    """Decode rate."""
    finish_reason: str | None = None
    """Why it ended, as the engine says it."""
    failure: str | None = None
    """Why it failed, as a sentence."""


class RoundVote(Record):
    """One judgement of two answers of a round."""

    id: str = Field(min_length=1)
    """Unique."""
    round_id: str
    """Round."""
    created_at: str
    """ISO 8601 with offset."""
    left: int = Field(ge=0, le=3)
    """Slot shown left of the two."""
    right: int = Field(ge=0, le=3)
    """Slot shown right of the two."""
    outcome: Outcome | None
    """The judgement; None takes back the vote that this one replaces."""
    reasons: tuple[str, ...] = ()
    """Tags, of REASONS or others."""
    note: str = ""
    """In the voter's own words."""
    blind: bool
    """Whether names were hidden when it was cast."""
    voter: str | None = None
    """Who judged; None where nobody said."""
    left_attempt: int = Field(default=0, ge=0)
    """Attempt of the left answer that was judged."""
    right_attempt: int = Field(default=0, ge=0)
    """Attempt of the right answer that was judged."""
    replaces: str | None = None
    """Vote that this one corrects or takes back."""


class RoundSummary(Record):
    """One round in a line, for lists."""

    id: str
    """Round."""
    position: int
    """Place in its batch."""
    prompt: str
    """First 200 characters of its newest message."""
    example_id: str | None
    """Example it was made from."""
    answers: int
    """Slots with an answer to judge: finished, or stopped with some text."""
    unfinished: int
    """Slots that are still to be answered."""
    failed: int
    """Slots that failed."""
    votes: int
    """Pairs of slots that a vote stands for."""
    closed_at: str | None
    """When it was closed."""


class BatchSummary(Record):
    """A batch and how far it is."""

    batch: Batch
    """The batch."""
    rounds: int
    """Prompts."""
    answering: int
    """Rounds with answers still to come."""
    unjudged: int
    """Rounds that wait for a vote."""
    votes: int
    """Votes that stand."""


class JudgedPair(Record):
    """A vote with the two answers that were judged, on an example of a test set."""

    vote_id: str
    """The vote."""
    example_id: str
    """The example."""
    left: RoundAnswer
    """Left answer."""
    right: RoundAnswer
    """Right answer."""


class Ballot(Record):
    """One vote as the statistics read it: whose answers met on what, and the outcome. Knows no texts."""

    id: str
    """Vote."""
    created_at: str
    """ISO 8601 with offset."""
    batch_id: str | None
    """None for votes that were kept before 0.5, without a round."""
    round_id: str | None
    """Round."""
    prompt: str
    """Digest of what was asked: votes with the same one hang together."""
    left: str
    """Key of the candidate shown left; of an old vote its name."""
    right: str
    """Key of the candidate shown right."""
    left_name: str
    """Its name then."""
    right_name: str
    """Its name then."""
    outcome: Outcome
    """The judgement."""
    reasons: tuple[str, ...] = ()
    """Tags."""
    note: str = ""
    """In the voter's own words."""
    blind: bool
    """Whether names were hidden."""
    voter: str | None = None
    """Who judged."""
    left_characters: int = Field(ge=0)
    """Length of the left answer."""
    right_characters: int = Field(ge=0)
    """Length of the right answer."""
    same_text: bool = False
    """Whether both answers were letter for letter the same."""
    corrected: bool = False
    """Whether it stands in place of an earlier vote."""
    test_set_hash: str | None = None
    """Test set of the example it was made from."""
    example_id: str | None = None
    """Example it was made from."""
    slices: dict[str, str] = Field(default_factory=dict)
    """Its slices."""
