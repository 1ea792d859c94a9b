"""Records of the running part: how a head-to-head is set, and what a page is shown of it."""

from typing import Literal

from pydantic import Field

from catalog.records import Record
from results.head_to_head_records import Batch, Round, RoundAnswer, RoundSource, RoundVote
from runners.records import Message
from workbench.records import CandidateDefinition

FEWEST, MOST = 2, 4
"""Answers side by side."""

Pairing = Literal["one", "all"]
"""Of three or four candidates, for each prompt of a list: one pair in turn, or every pair."""


class Contender(Record):
    """One candidate as it is to answer."""

    definition: CandidateDefinition
    """Who."""
    system: str = ""
    """System prompt; empty for none."""
    temperature: float = Field(default=0.0, ge=0, le=5)
    """0 decodes greedily."""


class Setting(Record):
    """Who answers, and how; the same setting again goes on in the same batch."""

    contenders: tuple[Contender, ...]
    """One for an A/A test, else two to four."""
    max_output_tokens: int = Field(default=256, gt=0, le=100_000)
    """Longest answer."""
    blind: bool = True
    """Whether names and speed are hidden until the vote."""
    at_once: bool = True
    """Whether those that are loaded side by side write at the same time; else in turn, each with the whole machine."""


class ListedPrompt(Record):
    """One prompt of a list."""

    system: str | None = None
    """System prompt in place of the candidates' own; None leaves theirs."""
    messages: tuple[Message, ...] = Field(min_length=1)
    """What is asked, examples shown before it included; the question is the last."""
    source: RoundSource | None = None
    """Example it was made from."""


class RoomPlan(Record):
    """Whether candidates are loaded side by side."""

    together: bool
    """Side by side, else one after the other."""
    threads: int | None = None
    """Compute threads for each where several compute on this machine at the same time; None leaves it to the engine."""
    sentence: str
    """Why, for the person; names nobody."""


class LiveAnswer(Record):
    """An answer as a page shows it: what is kept of it, and what only those who watch need."""

    answer: RoundAnswer
    """What is kept."""
    thinking: str = ""
    """What was thought before it; untrusted."""
    waited_seconds: float | None = None
    """Since it was asked, while no token has come."""


class RoundView(Record):
    """Everything a page shows of one round."""

    batch: Batch
    """Who answers, and how."""
    round: Round
    """What is asked, and where each answer stands on the page."""
    answers: tuple[LiveAnswer, ...]
    """The answer of each slot, by slot."""
    earlier: tuple[RoundAnswer, ...] = ()
    """Attempts before these."""
    votes: tuple[RoundVote, ...] = ()
    """Votes that stand."""
    is_answering: bool = False
    """Whether something is still to come."""
    message: str = ""
    """What happens right now; names nobody."""

    @property
    def hidden(self) -> bool:
        """Whether names and speed must not be seen."""
        return self.batch.blind and self.round.closed_at is None


class Duel(Record):
    """Two answers to be judged."""

    view: RoundView
    """The round they belong to."""
    place: int
    """Which of the round's pairs it is, counted from 0."""
    left: int
    """Slot shown left."""
    right: int
    """Slot shown right."""
    vote: RoundVote | None
    """The vote that stands for them."""

    @property
    def address(self) -> str:
        """Names the pair within its list; tells nothing of who answered."""
        return f"{self.view.round.id}.{self.place}"

    @property
    def same_text(self) -> bool:
        """Whether there is nothing to choose between them."""
        left, right = (self.view.answers[slot].answer.text for slot in (self.left, self.right))
        return left == right


class LoadedModel(Record):
    """A candidate that is in memory."""

    name: str
    """As it was called when it was loaded."""
    process_id: int
    """Its worker."""
    state: Literal["loading", "ready"]
    """Whether it can answer."""
    unloads_in_seconds: float | None
    """Time until it is unloaded if nobody asks it; None while it is asked."""
