"""Records of how far two labellers agree."""

from catalog.records import Record
from results.records import Estimate


class Agreement(Record):
    """How far two labellers agree on the same examples."""

    share: Estimate
    """Share of examples with the same label."""
    kappa: Estimate | None
    """Cohen's kappa: 0 is what chance gives, 1 is complete; None where both gave one and the same label throughout."""
    different: int
    """Examples with different labels."""


class Disagreement(Record):
    """One example that two people labelled differently."""

    row: int | None
    """Row in the file."""
    id: str
    """Example."""
    first: str
    """The label that counts."""
    second: str
    """What the second person said."""
