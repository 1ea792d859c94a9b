"""The records of shortlists: what was kept under a name, and how a benchmark's candidates were chosen."""

from typing import Literal

from pydantic import Field

from catalog.records import Exclusion, ModelQuery, Profile, Record, RuleCount
from runners.engine_options import EngineOptions, LlamaCppOptions

CatalogSource = Literal["hub", "starter"]
"""hub: updated from the Hub; starter: the list that ships with the workbench, never updated."""


class KeptCandidate(Record):
    """A model as it is to run, in the words of a benchmark file."""

    name: str | None = None
    """Short name; made from model and quantization where left out."""
    model: str = Field(min_length=1)
    """Hub id, path, or the name that a server knows."""
    engine: str = "llama-cpp"
    """What runs it."""
    quantization: str | None = None
    """Which file of the model; None where there is only one."""
    quantize_from: str | None = None
    """Make the quantization on this machine from the file with this one."""
    revision: str | None = None
    """Commit of a Hub repository."""
    options: EngineOptions = Field(default_factory=LlamaCppOptions)
    """Options of the engine; of a server its address and where its key is, never the key."""


class Shortlist(Record):
    """The models that survived license and fit, kept under a name. Saving a name again makes its next version."""

    name: str = Field(min_length=1)
    """Name given by the user."""
    version: int = Field(ge=1)
    """1 for the first of that name."""
    created_at: str
    """ISO 8601 with offset."""
    profile: Profile
    """Intended use that the verdicts were judged under."""
    query: ModelQuery
    """Filters that were in force."""
    model_ids: tuple[str, ...]
    """Models kept, in the user's order."""
    candidates: tuple[KeptCandidate, ...] = ()
    """The same as they are to run; empty in lists of models alone."""
    archived: bool = False
    """Put away: not offered any more, and not lost."""
    source: CatalogSource | None = None
    """Where the catalog's models came from; None in lists kept before 0.5."""
    source_date: str | None = None
    """ISO date of that."""
    machine: str | None = None
    """Machine that the fit was judged against; None in lists kept before 0.2."""
    considered: int | None = Field(default=None, ge=0)
    """Models that the catalog held then."""
    excluded: tuple[RuleCount, ...] = ()
    """How many were left out by which rule."""
    exclusions_file: str | None = None
    """File in the data directory that names every model left out, with the reason."""
    exclusions: tuple[Exclusion, ...] = ()
    """Models left out, where no file names them: in lists kept before 0.2."""

    @property
    def reference(self) -> str:
        """Name and version in one word, as benchmark files name it."""
        return f"{self.name}@{self.version}"


class Funnel(Record):
    """From all models to the candidates: kept with the benchmark that was made of a shortlist, whatever becomes of it.

    `considered` minus everything excluded passed every filter; of those, the person picked `chosen`. Endpoints and
    local models that were named by hand stand in `chosen` without having been searched for.
    """

    shortlist: str
    """Name of the shortlist when the benchmark was made of it."""
    version: int = Field(ge=1)
    """Its version."""
    kept_at: str
    """When it was kept, ISO 8601 with offset."""
    source: CatalogSource | None = None
    """Where the catalog's models came from; None in lists kept before 0.5."""
    source_date: str | None = None
    """ISO date of that."""
    machine: str | None = None
    """Machine that the fit was judged against."""
    profile: Profile
    """Intended use that the verdicts were judged under."""
    query: ModelQuery
    """Filters that were in force."""
    considered: int | None = Field(default=None, ge=0)
    """Models that the catalog held; None in lists kept before 0.2."""
    excluded: tuple[RuleCount, ...] = ()
    """How many were left out by which rule, in the order of the rules; each model counts once."""
    chosen: tuple[str, ...]
    """Models that were picked."""

    @property
    def passed(self) -> int | None:
        """Models that passed every filter."""
        return None if self.considered is None else self.considered - sum(entry.count for entry in self.excluded)


def funnel_of(kept: Shortlist) -> Funnel:
    """What a kept shortlist says of how its models were chosen."""
    return Funnel(
        shortlist=kept.name,
        version=kept.version,
        kept_at=kept.created_at,
        source=kept.source,
        source_date=kept.source_date,
        machine=kept.machine,
        profile=kept.profile,
        query=kept.query,
        considered=kept.considered,
        excluded=kept.excluded,
        chosen=kept.model_ids,
    )
