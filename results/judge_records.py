"""What a judge found and how far its grades can be believed: agreement first, then grades, then known biases."""

from typing import Literal

from pydantic import Field

from catalog.records import Record
from results.records import Estimate


class JudgeAgreement(Record):
    """A judge held against somebody who knows."""

    held_against: str
    """Whom: the test set's first scorer, or a column with a person's grades."""
    n: int = Field(ge=1)
    """Answers, or comparisons, that both judged."""
    same: Estimate
    """Share that both judged the same."""
    kappa: Estimate | None = None
    """Cohen's kappa: the same beyond chance; None where chance alone would give complete agreement."""


class JudgedCandidate(Record):
    """One candidate's grades."""

    name: str
    """Candidate."""
    graded: int = Field(ge=0)
    """Answers with a grade; those without text count with the lowest."""
    ungraded: int = Field(ge=0)
    """Answers on which the judge gave no grade that could be read; in no figure."""
    grade: Estimate | None = None
    """Mean grade, from 0 for the lowest of the scale to 1 for the highest; None where nothing was graded."""
    length_correlation: Estimate | None = None
    """Spearman's correlation of an answer's length in characters with its grade; None for fewer than 10 answers, and
    where all have one length or one grade."""


class JudgedPair(Record):
    """Two candidates' answers compared, in both orders."""

    first: str
    """Candidate."""
    second: str
    """The other candidate."""
    n: int = Field(ge=1)
    """Examples with a verdict."""
    wins: int = Field(ge=0)
    """Both orders preferred the first candidate's answer."""
    losses: int = Field(ge=0)
    """Both orders preferred the second candidate's."""
    ties: int = Field(ge=0)
    """All others: both orders said tie, the orders disagreed, or the two answers are the same text."""
    disagreements: int = Field(ge=0)
    """Of the ties, those where the two orders gave different verdicts."""
    identical: int = Field(ge=0)
    """Of the ties, those whose answers are the same text; the judge was not asked."""
    unread: int = Field(ge=0)
    """Examples left out, because a reply held no verdict."""
    win_rate: Estimate
    """Share of the examples that the first candidate wins, a tie counting half."""


class JudgeReport(Record):
    """A judge's work on one benchmark."""

    benchmark: str
    """Whose answers were judged."""
    name: str
    """What its scores are called: `judge` or `judge_pairwise`."""
    judge: str
    """Candidate that judged."""
    model_id: str
    """Its model."""
    mode: Literal["rubric", "pairwise"]
    """Whether answers were graded or compared."""
    lowest: int
    """Worst grade of the scale."""
    highest: int
    """Best grade."""
    made_at: str
    """ISO 8601 with offset."""
    questions: int = Field(ge=0)
    """Different questions that the judge was asked."""
    unread: int = Field(ge=0)
    """Questions whose reply held no grade or verdict that could be read, or that failed."""
    agreements: tuple[JudgeAgreement, ...] = ()
    """How far it agrees with those who know; empty where nobody does."""
    min_kappa: float
    """Kappa below which its grades are not to be relied on."""
    warning: str | None = None
    """Set where agreement is below that, or not known."""
    candidates: tuple[JudgedCandidate, ...] = ()
    """Rubric: each candidate's grades."""
    pairs: tuple[JudgedPair, ...] = ()
    """Pairwise: every pair."""
    position_bias: Estimate | None = None
    """Pairwise: share of comparisons in which the other order gave another verdict."""
    first_shown: Estimate | None = None
    """Pairwise: share of replies with a winner that preferred the answer shown first; one half is fair."""
    longer_wins: Estimate | None = None
    """Pairwise: share of decided comparisons of unequal length that the longer answer won; longer may be better."""
    notes: tuple[str, ...] = ()
    """What else one should know."""
