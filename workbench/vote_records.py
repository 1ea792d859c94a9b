"""Records of votes beside a benchmark."""

from catalog.records import Record
from results.standing_records import HeadToHeadStanding, VoteAgreement


class BenchmarkVotes(Record):
    """What votes say of a benchmark's candidates."""

    benchmark: str
    """The benchmark."""
    standing: HeadToHeadStanding
    """Standing of its candidates by votes on whatever prompt."""
    agreement: VoteAgreement
    """Whether votes on its examples prefer what its scorer calls right."""
    without_votes: tuple[str, ...]
    """Its candidates that nobody judged."""
