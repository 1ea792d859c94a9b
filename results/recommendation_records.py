"""The decision's records: who is out, who is ranked where and why, what would change it, and how stable it is."""

from typing import Literal

from pydantic import Field

from catalog.records import Record
from results.records import Estimate
from results.requirement_records import CandidateCost, Dimension, Requirements


class BrokenLimit(Record):
    """One hard limit that a candidate does not meet."""

    limit: str
    """Name of the limit."""
    message: str
    """The limit, the value and by how much it was missed."""
    missed_by: float | None = None
    """Relative to the limit, for finding the nearest miss; None for verdicts and unmeasured values."""
    threshold: float | None = None
    """The limit; None for verdicts."""
    value: float | None = None
    """What was measured, in the limit's unit."""


class RankedCandidate(Record):
    """One candidate's place."""

    name: str
    """Candidate."""
    rank: int = Field(ge=1)
    """1 is best; candidates that the data cannot separate share a rank, the cheaper one first."""
    utility: float
    """Weighted sum of normalised values, 0 to 1."""
    pareto: bool
    """Whether no other qualified candidate is at least as good in all and better in one."""
    dominated_by: tuple[str, ...] = ()
    """The qualified candidates that are."""
    reasons: tuple[str, ...]
    """Why it is where it is, generated from the numbers."""


class ExcludedCandidate(Record):
    """One candidate that is out."""

    name: str
    """Candidate."""
    broken: tuple[BrokenLimit, ...]
    """Every limit it breaks; never empty."""


class WeightChange(Record):
    """How far one weight must move before another candidate wins."""

    weight: Dimension
    """Which weight."""
    current: float
    """Its share now, 0 to 1."""
    needed: float
    """Its share at which the winner changes."""
    new_winner: str
    """Who wins then."""


class LimitChange(Record):
    """How far one limit must move before another candidate wins, or none does."""

    limit: str
    """Name of the limit."""
    direction: Literal["tighter", "looser"]
    """Which way it moves."""
    current: float | None = None
    """The limit now; None for verdicts."""
    needed: float | None = None
    """looser: the value at which the winner changes; tighter: it changes as soon as this value is no longer enough."""
    new_winner: str | None
    """Who wins then; None: nobody qualifies."""
    sentence: str
    """The change in words."""


class Relaxation(Record):
    """Where nobody qualifies: how far to move one limit so that the nearest miss gets in."""

    candidate: str
    """The nearest miss."""
    limit: str
    """Which limit."""
    current: float
    """The limit now."""
    needed: float
    """What to set it to, rounded to three digits on the side that lets the candidate in."""


class WinShare(Record):
    """How often one candidate wins."""

    name: str
    """Candidate."""
    share: float = Field(ge=0, le=1)
    """Of the resamples."""


class Stability(Record):
    """How often each candidate would win if the test set had been drawn anew."""

    resamples: int = Field(gt=0)
    """Resamples of the examples, the same for all candidates."""
    seed: int
    """Their seed."""
    shares: tuple[WinShare, ...]
    """Every candidate that wins at least once, most often first."""
    nobody: float = Field(ge=0, le=1)
    """Share of the resamples in which no candidate meets every limit."""
    method: str
    """What was drawn anew and what was kept, in a sentence."""


class SliceWinner(Record):
    """Who is good at one part of the test set."""

    column: str
    """Slice column."""
    value: str
    """Its value."""
    n: int = Field(ge=0)
    """Examples that all were asked."""
    best: str
    """Highest on it as measured; of equals the first of the ranking."""
    quality: float
    """Its quality on it."""
    not_separated: tuple[str, ...]
    """Candidates that the corrected test cannot tell from it there; empty: shown best."""
    sentence: str
    """The same in words."""


class PolicyPoint(Record):
    """What two models together reach at one threshold."""

    threshold: float = Field(ge=0)
    """The second is asked where the first's label probability is below this."""
    escalated_share: float = Field(ge=0, le=1)
    """Share of examples that it is asked."""
    quality: Estimate
    """Quality on this test set; in-sample where the threshold was chosen by it."""
    latency_seconds: float | None = None
    """Expected: the first's E2E p50 plus the share escalated × the second's."""
    cost_per_1000_examples: float | None = None
    """The same sum in money, where both costs are known."""


class Policy(Record):
    """Two models as one: the cheap one first, the strong one where the cheap one is unsure."""

    cheap: str
    """Asked first."""
    strong: str
    """Asked where the first is unsure."""
    points: tuple[PolicyPoint, ...]
    """By threshold, from never to always asking the second."""
    chosen: PolicyPoint
    """The point of highest quality; of equals the one that escalates least."""
    cross_validated: Estimate
    """Quality where each example's threshold was chosen without it: what the choice of threshold did not flatter."""
    strong_quality: float
    """Quality of the second alone on the same examples."""
    cheap_quality: float
    """Quality of the first alone on the same examples."""
    strong_latency_seconds: float | None = None
    """E2E p50 of the second alone."""
    strong_cost_per_1000_examples: float | None = None
    """Cost of the second alone."""
    memory_bytes: int | None = None
    """Both loaded at once: the sum of their peaks."""
    method: str
    """How the threshold was chosen and how that was checked."""
    sentence: str
    """The finding in words."""


class Recommendation(Record):
    """Ranked candidates with reasons, exclusions and sensitivity."""

    benchmark: str
    """Benchmark it rests on."""
    requirements: Requirements
    """Under which limits and weights."""
    winner: str | None
    """First of the ranked; None where nobody qualifies."""
    ranked: tuple[RankedCandidate, ...]
    """Those that meet every limit, best first."""
    excluded: tuple[ExcludedCandidate, ...]
    """Those that do not."""
    sensitivity: tuple[WeightChange, ...] = ()
    """Smallest change of each weight that changes the winner; weights that never do are left out."""
    headline: tuple[str, str, str]
    """The recommendation in three lines: which one; why; what to mind."""
    nearest_miss: str | None = None
    """Where nobody qualifies: who came closest and which limit to relax."""
    relaxations: tuple[Relaxation, ...] = ()
    """The same as numbers: every limit that must move for the nearest miss to get in."""
    limit_sensitivity: tuple[LimitChange, ...] = ()
    """Smallest change of each limit, either way, that changes the winner; limits that never do are left out."""
    normalisation: str = ""
    """How values were made comparable, with the ends of each scale."""
    costs: tuple[CandidateCost, ...] = ()
    """What each candidate costs; empty without prices."""
    stability: Stability | None = None
    """How often each candidate wins when the examples are drawn anew; None without examples."""
    slices: tuple[SliceWinner, ...] = ()
    """Who is best at which part of the test set."""
    policies: tuple[Policy, ...] = ()
    """What two models together would reach, the best of each pair first; empty where no answer has a probability."""
