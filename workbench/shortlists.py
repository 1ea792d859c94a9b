"""The service's part on shortlists: candidates kept under a name, with everything that was left out and why.

A kept version never changes. A name can be changed, put away, taken back and copied; keeping under a name that exists
makes its next version. A benchmark made of a version carries its numbers along (`funnel`), so whatever becomes of the
shortlist, the benchmark's report can still say how its candidates were chosen.
"""

import re
import uuid
from pathlib import Path

from catalog.errors import WorkbenchError
from catalog.exclusions import read_exclusion
from catalog.records import Exclusion, ModelQuery, WeightsFile
from results.records import Benchmark
from results.shortlist_records import Funnel, KeptCandidate, Shortlist, funnel_of
from results.store import Store
from workbench.errors import BadShortlist
from workbench.model_catalog import ModelCatalog
from workbench.records import CandidateDefinition, WhyAnswer
from workbench.settings import Settings


class Shortlists:
    """Kept shortlists of one data directory."""

    def __init__(self, settings: Settings, models: ModelCatalog, store: Store) -> None:
        self._settings = settings
        self._models = models
        self._store = store

    def keep(self, name: str, candidates: tuple[CandidateDefinition, ...], query: ModelQuery) -> Shortlist:
        """Keep candidates under a name, with profile, query, machine and everything that was left out.

        Where the newest version of that name says the same, that one is given back. Raises BadShortlist.
        """
        model_ids = tuple(dict.fromkeys(candidate.model for candidate in candidates))
        kept = tuple(KeptCandidate.model_validate(candidate.model_dump()) for candidate in candidates)
        return self._keep(self._described(name, model_ids, query).model_copy(update={"candidates": kept}))

    def keep_models(self, name: str, model_ids: tuple[str, ...], query: ModelQuery) -> Shortlist:
        """Keep models under a name; how each is to run is chosen when the list is taken. Raises BadShortlist."""
        return self._keep(self._described(name, model_ids, query))

    def all(self, *, archived: bool = False) -> tuple[Shortlist, ...]:
        """Kept shortlists that are in use, or those put away, by name, newest version first."""
        return tuple(kept for kept in self._store.shortlists.all() if kept.archived == archived)

    def find(self, name: str, version: int | None = None) -> Shortlist:
        """One version, or the newest; NAME@VERSION names one, too. Raises BadShortlist."""
        found = _found(self._store.shortlists.all(), name, version)
        if found is None:
            raise BadShortlist(self._unknown(name if version is None else f"{name}@{version}"))
        return found

    def rename(self, name: str, new_name: str) -> Shortlist:
        """Give all versions another name. Raises BadShortlist where there is none, or the new name is taken."""
        kept, wanted = self.find(name), self._free_name(new_name)
        self._store.shortlists.rename(kept.name, wanted)
        return self.find(wanted)

    def archive(self, name: str, *, archived: bool = True) -> Shortlist:
        """Put all versions away, or take them back. Nothing is lost. Raises BadShortlist."""
        kept = self.find(name)
        self._store.shortlists.archive(kept.name, archived=archived)
        return self.find(kept.name)

    def duplicate(self, name: str, new_name: str) -> Shortlist:
        """Copy a version, or the newest, as the first one of another name. Raises BadShortlist."""
        kept = self.find(name)
        return self._store.shortlists.keep(
            kept.model_copy(update={"name": self._free_name(new_name), "archived": False})
        )

    def candidates(self, kept: Shortlist) -> tuple[CandidateDefinition, ...]:
        """Its candidates as they are to run; for a list of models alone, each as `suggest` chooses."""
        if kept.candidates:
            return tuple(CandidateDefinition.model_validate(each.model_dump()) for each in kept.candidates)
        found: list[CandidateDefinition] = []
        for model_id in kept.model_ids:
            try:
                found.append(self.suggest(model_id, kept.query))
            except WorkbenchError:
                continue
        return tuple(found)

    def suggest(self, model_id: str, query: ModelQuery) -> CandidateDefinition:
        """How a model would be run: by weights that are here, else by the finest that fits. Raises ModelNotFound."""
        here = self._models.local_weights(model_id)
        if here:
            return candidate_of_weights(model_id, here[0])
        page = self._models.page(model_id, query)
        largest = page.largest.quantization if page.largest is not None else None
        return CandidateDefinition(model=model_id, quantization=largest, revision=page.model.revision)

    def why(self, model_id: str, name: str, version: int | None = None) -> WhyAnswer:
        """Why a model is on a kept shortlist, or is not. Raises BadShortlist."""
        kept = self.find(name, version)
        place = f"{kept.name} v{kept.version}"
        if model_id.casefold() in {each.casefold() for each in kept.model_ids}:
            return WhyAnswer(model_id=model_id, kept=True, reason=f"{model_id} is on {place}.")
        left_out = self._kept_exclusion(kept, model_id)
        if left_out is not None:
            return WhyAnswer(model_id=left_out.model_id, kept=False, rule=left_out.rule, reason=left_out.reason)
        reason = (
            f"{model_id} was not left out by any filter of {place}: it passed them and was not picked, or the catalog "
            f"of {kept.created_at[:10]} did not hold it."
        )
        return WhyAnswer(model_id=model_id, kept=False, reason=reason)

    def funnel(self, benchmark: str) -> Funnel | None:
        """How a benchmark's candidates were chosen; None where they come from no kept list. Raises UnknownBenchmark."""
        return self._store.benchmark(benchmark).funnel

    # Inside

    def _described(self, name: str, model_ids: tuple[str, ...], query: ModelQuery) -> Shortlist:
        """What a search with the query says now, without the file of exclusions."""
        named = _sound_name(name)
        profile, machine, state = self._models.profile(), self._models.machine(query.machine), self._models.state()
        found = self._models.index().search(query, profile, machine)
        return Shortlist(
            name=named,
            version=1,
            created_at="",
            model_ids=model_ids,
            profile=profile,
            query=query,
            machine=machine.name,
            considered=found.considered,
            excluded=found.excluded,
            source="hub" if state.updated else "starter",
            source_date=state.updated or state.starter_date,
        )

    def _keep(self, described: Shortlist) -> Shortlist:
        before = _found(self._store.shortlists.all(), described.name, None)
        if before is not None and not before.archived and _same(before, described):
            return before
        query, machine = described.query, self._models.machine(described.query.machine)
        path = self._settings.exclusions_folder / f"{uuid.uuid4().hex}.parquet"
        self._models.index().write_exclusions(query, described.profile, machine, path)
        return self._store.shortlists.keep(described.model_copy(update={"exclusions_file": path.name}))

    def _free_name(self, name: str) -> str:
        wanted = _sound_name(name)
        if any(kept.name == wanted for kept in self._store.shortlists.all()):
            raise BadShortlist(f"There is a shortlist called {wanted!r} already. Choose another name.")
        return wanted

    def _unknown(self, asked: str) -> str:
        kept = self._store.shortlists.all()
        names = ", ".join(dict.fromkeys(each.name for each in kept)) or "none yet"
        return f"There is no shortlist {asked!r}. Kept are: {names}."

    def _kept_exclusion(self, kept: Shortlist, model_id: str) -> Exclusion | None:
        if kept.exclusions_file is not None:
            return read_exclusion(self._settings.exclusions_folder / kept.exclusions_file, model_id)
        wanted = model_id.casefold()
        return next((entry for entry in kept.exclusions if entry.model_id.casefold() == wanted), None)


def candidate_of_weights(model_id: str, weights: WeightsFile) -> CandidateDefinition:
    """A candidate that resolves to exactly these weights of a model."""
    made_here = Path(weights.path).is_absolute() and f"--{weights.quantization}.gguf" in weights.path
    if made_here:
        short = model_id.rpartition("/")[2]
        return CandidateDefinition(name=f"{short} {weights.quantization}", model=weights.path)
    return CandidateDefinition(model=model_id, quantization=weights.quantization)


def recorded_funnel(store: Store, reference: str | None, earlier: Benchmark | None) -> Funnel | None:
    """What is known of how candidates were chosen: from the kept list that a definition names, else from before.

    A benchmark file may come from another machine, which has its list; that is no reason to refuse it.
    """
    if reference is None:
        return None
    found = _found(store.shortlists.all(), reference, None)
    if found is not None:
        return funnel_of(found)
    return earlier.funnel if earlier is not None else None


def _found(kept: tuple[Shortlist, ...], name: str, version: int | None) -> Shortlist | None:
    """The newest version of a name, or the one asked for."""
    for shortlist in kept:
        if shortlist.reference == name or (shortlist.name == name and version in {None, shortlist.version}):
            return shortlist
    return None


def _sound_name(name: str) -> str:
    """The name without the blanks around it. Raises BadShortlist."""
    found = name.strip()
    if not found:
        raise BadShortlist("Give the shortlist a name.")
    if re.search(r"@\d+$", found):
        raise BadShortlist(
            f"{found!r} is no name for a shortlist: a name that ends in @ and a number means one of its versions. "
            "Choose another name."
        )
    return found


def _same(before: Shortlist, now: Shortlist) -> bool:
    """Whether keeping again would say nothing new; free memory may have moved without changing any count."""
    own = {"version", "created_at", "exclusions_file"}
    return before.model_dump(exclude=own) == now.model_dump(exclude=own)
