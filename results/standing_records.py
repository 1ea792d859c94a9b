"""Records of what votes say: the standing of candidates, what two answers of one candidate got, and where votes lean.

Everything is derived from votes that stand (head_to_head_records.Ballot) in results/standing.py and leanings.py.
"""

from pydantic import Field

from catalog.records import Record
from results.agreement_records import Agreement
from results.records import Estimate


class CandidateStanding(Record):
    """One candidate among those it can be compared with."""

    key: str
    """Says whose votes these are; of votes before 0.5 the name."""
    name: str
    """Its newest name."""
    rank: int = Field(ge=1)
    """1 + how many are shown better: candidates that no test tells apart may share a rank."""
    share: Estimate
    """Expected share of points against the others, each met equally often: a win counts 1, a tie ½. 50 % is average."""
    log_odds: Estimate
    """Bradley-Terry strength: natural log of the odds against the average candidate, whose strength is 0."""
    elo: Estimate
    """The same on the scale of chess: 400 points are odds of ten to one, +100 is 64 % against the average."""
    best_probability: float = Field(ge=0, le=1)
    """Share of resamples in which it is the strongest."""
    votes: int
    """Votes on its answers against another candidate's."""
    prompts: int
    """Prompts they were cast on."""
    wins: int
    """Votes for it."""
    losses: int
    """Votes for the other."""
    ties: int
    """Both as good."""
    both_bad: int
    """Neither of use; a tie, as far as the order goes."""
    not_separated: tuple[str, ...]
    """Names of those that it is not told apart from."""


class PairStanding(Record):
    """Two candidates, and what all votes say of them together, by way of common opponents too."""

    first: str
    """Name."""
    second: str
    """Name."""
    wins: int
    """Votes for the first where the two met."""
    losses: int
    """Votes for the second where the two met."""
    ties: int
    """Both as good."""
    both_bad: int
    """Neither of use."""
    expected: Estimate
    """Expected share of points of the first against the second, ties half."""
    p_value: float | None
    """Of "equally strong", two-sided; None where one of them was judged on too few prompts."""
    p_adjusted: float | None
    """After Holm's correction over all pairs tested together."""
    better: str | None
    """Who is shown better; None where no difference is shown."""
    conclusion: str
    """As a sentence."""


class StandingGroup(Record):
    """Candidates that are connected by votes, and so have a scale in common; best first."""

    candidates: tuple[CandidateStanding, ...]
    """By expected share of points."""
    pairs: tuple[PairStanding, ...]
    """Every two of them."""
    separated: bool
    """Whether some of them won everything against the rest, so that a small prior had to hold the strengths finite."""


class SliceStanding(Record):
    """The standing on the prompts of one value of one slice column."""

    column: str
    """Slice column."""
    value: str
    """Its value."""
    prompts: int
    """Prompts."""
    votes: int
    """Votes."""
    groups: tuple[StandingGroup, ...]
    """Standing on these alone; pairs are adjusted over all pairs on all slices."""


class Leaning(Record):
    """How often decided votes went to one kind of answer, whoever had written it."""

    share: Estimate
    """Share of the votes with a winner; 50 % where it does not matter."""
    leans: bool
    """Whether the interval leaves out 50 %."""
    conclusion: str
    """As a sentence."""


class SelfTest(Record):
    """Votes on two answers of one and the same candidate (A/A)."""

    votes: int
    """Such votes."""
    preferred: Estimate
    """Share that preferred one of the two although both came from the same candidate."""
    same_text: int
    """Votes on two answers that were letter for letter the same."""
    same_text_preferred: int
    """Of these, votes that preferred one: a slip, or a guess."""
    left: Estimate | None
    """Share of the preferences that went to the left answer; 50 % expected. None without preferences."""
    other_preferred: Estimate | None
    """The share of votes with a winner between different candidates, for comparison."""
    conclusions: tuple[str, ...]
    """What this says of one's own judgement, in sentences."""


class HeadToHeadStanding(Record):
    """What the votes say."""

    votes: int
    """Votes between different candidates."""
    prompts: int
    """Prompts they were cast on; a conversation counts once."""
    blind: int
    """Votes cast while the names were hidden."""
    corrected: int
    """Votes that stand in place of an earlier one."""
    old: int
    """Votes kept before 0.5, which know names and prompts but no rounds."""
    voters: tuple[str, ...]
    """Who judged, where it was said."""
    ties: int
    """Both as good."""
    both_bad: int
    """Neither of use."""
    groups: tuple[StandingGroup, ...]
    """One per set of candidates with a common scale, the largest first."""
    slices: tuple[SliceStanding, ...] = ()
    """On every slice with enough prompts."""
    left: Leaning | None
    """Whether votes lean to the left answer; None without a winner anywhere."""
    longer: Leaning | None
    """Whether votes lean to the longer answer."""
    self_test: SelfTest | None
    """Votes on two answers of one candidate; None without any."""
    reasons: tuple[tuple[str, int], ...] = ()
    """Tags that votes carried, the most frequent first."""
    notes: tuple[str, ...]
    """What a reader should know, in sentences."""
    method: str
    """How the figures were made, in a sentence."""


class PairAgreement(Record):
    """Votes against what the scorer says, of two candidates, on prompts that are examples of a test set."""

    first: str
    """Name; empty where all pairs are taken together."""
    second: str
    """Name; empty where all pairs are taken together."""
    decided: int
    """Votes with a winner where one answer is right and the other wrong."""
    prefers_right: Estimate | None
    """Share of these in which the right answer won; None without any."""
    agreement: Agreement | None
    """Winner by vote against winner by score over all votes, ties and draws as a third label."""


class VoteAgreement(Record):
    """Whether votes prefer what the scorer calls right."""

    cases: int
    """Votes on examples of the benchmark's test set where both answers were scored."""
    pairs: tuple[PairAgreement, ...]
    """By pair of candidates."""
    together: PairAgreement | None
    """All pairs; None without cases."""
    rank_correlation: Estimate | None
    """Spearman's ρ of expected share of points and quality; None for fewer than 4 candidates."""
    conclusions: tuple[str, ...]
    """In sentences."""
