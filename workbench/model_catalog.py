"""The service's part on models: which exist, which may be used, which fit, and fetching them.

The network is asked only by `refresh`, `add` of a Hub id, `plan_download` and the jobs `ask_hub`, `update` and
`download`; everything else answers from the catalog on this machine. Holds no formula and no SQL.
"""

import threading
from pathlib import Path

from filelock import FileLock, Timeout

from catalog.added import add_model
from catalog.errors import ModelNotFound, WorkbenchError
from catalog.hub import DownloadPlan, fetch_model, is_hub_link, parse_address, plan_download
from catalog.index import Index
from catalog.lineage import judge_license_with_base, judge_model
from catalog.local_models import LocalPlace, known_places, open_local, scan_local
from catalog.machines import find_machine, shipped_machines, with_bandwidths
from catalog.memory import predict_fit
from catalog.plan import (
    largest_concurrency,
    largest_context,
    largest_fitting,
    largest_to_make,
    quantization_options,
    quantizations_to_make,
    smallest_machines,
)
from catalog.records import (
    Exclusion,
    Fit,
    FitSettings,
    Machine,
    MachineProfile,
    Model,
    ModelQuery,
    Profile,
    QuantizationOption,
    SearchHit,
    SearchResult,
    Trend,
    TrendKey,
    Verdict,
    WeightsFile,
)
from catalog.snapshot import load_snapshot_date
from catalog.snapshots import list_snapshots, trends
from catalog.speed import predict_speed
from runners.bandwidth import measure_bandwidth
from runners.machine import probe_machine
from runners.records import BandwidthMeasurement
from workbench.candidates import local_weights
from workbench.hub_jobs import CatalogUpdate, Download, HubSearch, UpdateScope
from workbench.jobs import JobQueue
from workbench.records import CatalogState, LocalModels, ModelPage, PlannedMachine
from workbench.settings import Settings

FREE_STEPS = 64
"""Free memory is rounded down to a 64th of the whole for predictions, which otherwise never ask the same twice."""


MOST_LARGEST_KEPT = 5_000
"""Rows of tables whose finest quantization is remembered."""


class ModelCatalog:
    """Models as one data directory knows them. Several threads may ask it."""

    def __init__(self, settings: Settings, jobs: JobQueue) -> None:
        self._settings = settings
        self._jobs = jobs
        self._opened: Index | None = None
        self._lock = threading.Lock()
        self._largest_known: dict[object, QuantizationOption | None] = {}

    # Who asks, and for which machine

    def profile(self) -> Profile:
        """What the user intends; the default until it was saved once."""
        path = self._settings.profile_path
        return read_profile(path) if path.exists() else Profile()

    def save_profile(self, profile: Profile) -> None:
        """Keep the profile for later searches and reports."""
        partial = self._settings.profile_path.with_suffix(".partial")
        partial.write_text(profile.model_dump_json(indent=1))
        partial.rename(self._settings.profile_path)

    def machine(self, name: str | None = None) -> Machine:
        """The machine as it is now, or the one of a profile: a shipped name or a file. Raises BadMachine."""
        if name is not None:
            return find_machine(name).machine
        machine = with_bandwidths(probe_machine())
        step = max(1, machine.memory_total_bytes // FREE_STEPS)
        changes: dict[str, object] = {"memory_available_bytes": machine.memory_available_bytes // step * step}
        measured = self._bandwidth()
        if measured is not None:
            changes["bandwidth_bytes_per_second"] = measured.bytes_per_second
            changes["bandwidth_source"] = f"measured here on {measured.measured_at[:10]}"
        return machine.model_copy(update=changes)

    def measure_bandwidth(self, *, again: bool = False) -> None:
        """Measure the bandwidth of main memory, about a second, where it is not known yet; `again`: also where it is.

        The best measurement holds, because whatever else runs can only slow one down. Does nothing while a benchmark
        holds the device: the two would measure each other.
        """
        known = self._bandwidth()
        if known is not None and not again:
            return
        try:
            with FileLock(self._settings.device_lock_path, timeout=0):
                measured = measure_bandwidth()
        except Timeout:
            return
        if known is None or measured.bytes_per_second > known.bytes_per_second:
            partial = self._settings.bandwidth_path.with_suffix(".partial")
            partial.write_text(measured.model_dump_json(indent=1))
            partial.rename(self._settings.bandwidth_path)

    def machines(self) -> tuple[MachineProfile, ...]:
        """Machines that ship with the workbench, to plan for."""
        return shipped_machines()

    # The catalog on this machine

    def index(self) -> Index:
        """The models; opened when they are first asked for. Raises BadCatalogData."""
        with self._lock:
            if self._opened is None:
                self._opened = Index.open(self._settings.catalog_folder)
            return self._opened

    def reopen(self) -> None:
        """Forget what was opened, because the files have changed."""
        with self._lock:
            self._opened = None
            self._largest_known = {}

    def state(self) -> CatalogState:
        """How much there is and how old it is."""
        snapshots = list_snapshots(self._settings.catalog_folder)
        return CatalogState(
            models=len(self.index()),
            starter_date=load_snapshot_date(),
            updated=snapshots[-1].taken_at[:10] if snapshots else None,
            snapshots=len(snapshots),
        )

    def search(self, query: ModelQuery, profile: Profile | None = None) -> SearchResult:
        """Models that pass the query, each with the finest usual quantization that fits, and counts by rule."""
        machine, settings = self.machine(query.machine), query.fit_settings()
        found = self.index().search(query, profile or self.profile(), machine)
        hits = tuple(
            hit.model_copy(update={"largest": self._largest(hit.model, machine, settings)}) for hit in found.hits
        )
        return found.model_copy(update={"hits": hits})

    def _largest(self, model: Model, machine: Machine, settings: FitSettings) -> QuantizationOption | None:
        """The finest usual quantization that fits; kept, because another filter leaves most rows where they were."""
        key = (model.id, model.revision, machine, settings)
        if key not in self._largest_known:
            if len(self._largest_known) >= MOST_LARGEST_KEPT:
                self._largest_known.clear()
            self._largest_known[key] = largest_to_make(model, machine, settings)
        return self._largest_known[key]

    def excluded(self, query: ModelQuery, rule: str, *, limit: int = 50, offset: int = 0) -> tuple[Exclusion, ...]:
        """One page of the models that a rule left out, with the reasons."""
        machine = self.machine(query.machine)
        return self.index().excluded(query, self.profile(), machine, rule=rule, limit=limit, offset=offset)

    def find(self, model_id: str) -> Model:
        """A model of the catalog, or the one at a path. Raises ModelNotFound or BadWeightsFile."""
        path = Path(model_id).expanduser()
        if path.exists() or model_id.startswith(("/", "./", "../", "~")) or model_id.endswith((".gguf", ".json")):
            return open_local(path)
        return self.index().find(model_id)

    def show(self, model_id: str, *, settings: FitSettings | None = None, machine: str | None = None) -> SearchHit:
        """One model, judged; a local file is predicted as it is. Raises ModelNotFound or BadWeightsFile."""
        model = self.find(model_id)
        return SearchHit(
            model=model,
            verdict=self.verdict(model),
            fit=self._fit(model, settings or _own_settings(model, FitSettings()), self.machine(machine)),
        )

    def verdict(self, model: Model, profile: Profile | None = None) -> Verdict:
        """May it be used? Follows what it was made from."""
        return judge_model(model, profile or self.profile(), self.index().license_facts)

    def page(self, model_id: str, query: ModelQuery) -> ModelPage:
        """One model in full, for the machine and the way of running that a query names."""
        model, machine = self.find(model_id), self.machine(query.machine)
        settings = _own_settings(model, query.fit_settings())
        children = self.index().children(model.id, "quantized") if model.kind == "hub" else ()
        options = quantization_options(model, children, machine, settings) or quantizations_to_make(
            model, machine, settings
        )
        size = _own_bytes(model, settings)
        return ModelPage(
            model=model,
            verdict=self.verdict(model),
            fit=self._fit(model, settings, machine),
            largest=largest_fitting(options),
            trend=self.index().trend(model.id) if model.kind == "hub" else None,
            options=options,
            speed=predict_speed(model, machine, settings, weights_bytes=size),
            longest_context=largest_context(model, machine, settings, weights_bytes=size),
            most_sequences=largest_concurrency(model, machine, settings, weights_bytes=size),
            here=self.local_weights(model_id),
        )

    def fit(self, model_id: str, settings: FitSettings | None = None, *, machine: str | None = None) -> Fit:
        """Predicted memory of a model; a local file is predicted as it is unless told otherwise."""
        model = self.find(model_id)
        return self._fit(model, settings or _own_settings(model, FitSettings()), self.machine(machine))

    def own_settings(self, model_id: str, settings: FitSettings) -> FitSettings:
        """The settings with the quantization that a local file has."""
        return _own_settings(self.find(model_id), settings)

    def predict(self, model: Model, settings: FitSettings, weights_bytes: int | None = None) -> Fit:
        """Predicted memory of a model on this machine, with the exact size of its weights where it is known."""
        return predict_fit(model, self.machine(), settings, weights_bytes=weights_bytes)

    def plan(self, model_id: str, settings: FitSettings) -> tuple[PlannedMachine, ...]:
        """The smallest shipped machines on which a model fits, smallest first of each kind."""
        model = self.find(model_id)
        return tuple(
            PlannedMachine(profile=profile, fit=fit, speed=predict_speed(model, profile.machine, settings))
            for profile, fit in smallest_machines(model, settings, self.machines())
        )

    def judge_license(
        self, license_id: str | None, *, name: str | None = None, base: str | None = None, profile: Path | None = None
    ) -> Verdict:
        """The verdict for any license, without a model; `base` adds what would be inherited from that model."""
        asked = read_profile(profile) if profile is not None else self.profile()
        find = self.index().license_facts
        return judge_license_with_base(license_id, asked, license_name=name, base=base, find=find)

    def trends(
        self, *, by: TrendKey = "model", task: str | None = None, since: str | None = None, limit: int = 20
    ) -> tuple[Trend, ...]:
        """What is rising since an earlier snapshot."""
        return trends(self._settings.catalog_folder, by=by, task=task, since=since, limit=limit)

    # Weights on this machine

    def local_weights(self, model_id: str) -> tuple[WeightsFile, ...]:
        """Weights of a model that can run now, without a download."""
        return local_weights(model_id, self._settings)

    def local_models(self, folders: tuple[Path, ...] = ()) -> LocalModels:
        """Models in the folders of known tools and in those named, read from the files themselves."""
        known = known_places(Path.home(), self._settings.hub_cache, self._settings.ollama_models)
        own = (LocalPlace(kind="folder", path=str(folder)) for folder in (self._settings.models_folder, *folders))
        places = (*known, *(place for place in own if Path(place.path).is_dir()))
        missing = [f"There is no folder {folder}." for folder in folders if not folder.is_dir()]
        found = scan_local(places)
        return LocalModels(
            models=found.models,
            problems=(*missing, *(problem.message for problem in found.problems)),
            places=tuple(place.path for place in places),
        )

    # From the Hub

    def refresh(self, model_id: str, revision: str | None = None) -> Model:
        """Ask the Hub for everything about one model and keep it. Raises ModelNotFound or HubUnavailable."""
        model = fetch_model(model_id, revision)
        self._keep(model)
        return self.index().find(model.id)

    def add(self, path_or_address: str) -> tuple[Model, ...]:
        """Add a model to the catalog: a path on this machine, a folder of models, a Hub id or its address."""
        path = Path(path_or_address).expanduser()
        if not is_hub_link(path_or_address) and path.exists():
            found = _models_at(path)
            for model in found:
                self._keep(model)
            return found
        address = parse_address(path_or_address)
        return (self.refresh(address.model_id, address.revision),)

    def ask_hub(self, query: ModelQuery) -> str:
        """Search the Hub for models like those of a query and keep what it lists; returns the job's id at once."""
        work = HubSearch(query, self._settings, self.reopen)
        return self._jobs.submit("Ask the Hub", work, step="choose", lane="network").status().id

    def update(self, scope: UpdateScope) -> str:
        """Pull models from the Hub into the catalog and keep a dated snapshot; returns the job's id at once."""
        work = CatalogUpdate(scope, self._settings, self.reopen)
        return self._jobs.submit(f"Update {scope.title}", work, step="choose", lane="network").status().id

    def plan_download(
        self,
        model_id: str,
        quantization: str | None = None,
        *,
        files: tuple[str, ...] | None = None,
        allow_pickle: bool = False,
        allow_unsafe: bool = False,
    ) -> DownloadPlan:
        """Which files a download would fetch. MODEL may carry a quantization after a colon, or be an address."""
        address = parse_address(model_id)
        return plan_download(
            address.model_id,
            address.revision,
            quantization=quantization or address.quantization,
            files=files or ((address.path,) if address.path else None),
            allow_pickle=allow_pickle,
            allow_unsafe=allow_unsafe,
        )

    def download(self, plan: DownloadPlan) -> str:
        """Fetch the files of a plan into the Hugging Face cache; returns the job's id at once."""
        title = f"Download {plan.model_id}" + (f" {plan.quantization}" if plan.quantization else "")
        return self._jobs.submit(title, Download(plan), step="choose", lane="network").status().id

    # Inside

    def _fit(self, model: Model, settings: FitSettings, machine: Machine) -> Fit:
        return predict_fit(model, machine, settings, weights_bytes=_own_bytes(model, settings))

    def _keep(self, model: Model) -> None:
        add_model(self._settings.catalog_folder, model)
        self.reopen()

    def _bandwidth(self) -> BandwidthMeasurement | None:
        try:
            return BandwidthMeasurement.model_validate_json(self._settings.bandwidth_path.read_bytes())
        except (OSError, ValueError):
            return None


def read_profile(path: Path) -> Profile:
    """A profile from a JSON file. Raises WorkbenchError with what to do."""
    try:
        return Profile.model_validate_json(path.expanduser().read_bytes())
    except (OSError, ValueError) as error:
        fields = ", ".join(Profile.model_fields)
        message = f"The profile {path} cannot be read. It is a JSON object with the fields {fields}; mend or remove it."
        raise WorkbenchError(message) from error


def _own_settings(model: Model, settings: FitSettings) -> FitSettings:
    """A local model is run as the file is."""
    own = model.weights_files[0].quantization if model.kind == "local" and model.weights_files else None
    return settings if own is None else settings.model_copy(update={"quantization": own})


def _own_bytes(model: Model, settings: FitSettings) -> int | None:
    if model.kind != "local" or len(model.weights_files) != 1:
        return None
    (file,) = model.weights_files
    return file.size_bytes if file.quantization == settings.quantization else None


def _models_at(path: Path) -> tuple[Model, ...]:
    try:
        return (open_local(path),)
    except ModelNotFound:
        found = scan_local([LocalPlace(kind="folder", path=str(path.absolute()))]).models
        if not found:
            raise
        return found
