"""The service: everything the command line and the app can do, and the only thing they call.

Puts the layers together and holds no formula, SQL or subprocess of its own. Every expected error is a WorkbenchError
whose text is a sentence for the person.
"""

import datetime
from pathlib import Path

from catalog.errors import WorkbenchError
from catalog.index import Index
from catalog.licenses import judge_license
from catalog.lineage import FindFacts, judge_model
from catalog.local_models import open_local
from catalog.memory import predict_fit
from catalog.records import (
    Candidate,
    Exclusion,
    Fit,
    FitSettings,
    Machine,
    Model,
    ModelQuery,
    Profile,
    SearchHit,
    SearchResult,
    Verdict,
    WeightsFile,
)
from catalog.snapshot import load_starter_models
from results.comparison import compare
from results.recommendation import recommend
from results.records import (
    Benchmark,
    BenchmarkComparison,
    CandidateSummary,
    ExampleResult,
    Recommendation,
    Requirements,
    RunInfo,
    RunMeasurements,
    Shortlist,
    Vote,
)
from results.statistics import required_examples
from results.store import ExampleFilter, Store
from results.summary import summarise
from runners.engine import open_engine
from runners.machine import probe_machine
from runners.prompts import example_request
from runners.records import LlamaCppOptions, Workload
from workbench import doctor
from workbench.benchmark_file import parse_benchmark, read_benchmark_file, read_requirements_file, render_benchmark
from workbench.benchmark_runs import BenchmarkRun
from workbench.candidates import candidate_name, local_weights, resolve_candidate
from workbench.errors import BadBenchmarkFile
from workbench.head_to_head import HeadToHead, head_to_head_workload
from workbench.jobs import JobQueue
from workbench.records import (
    BenchmarkDefinition,
    CandidateDefinition,
    Check,
    EngineStatus,
    HeadToHeadStatus,
    PreparedBenchmark,
    PromptPreview,
    TestSetCheck,
    TestSetDefinition,
)
from workbench.report.report import write_report
from workbench.report_content import gather_report
from workbench.settings import Settings
from workbench.test_sets import check_test_set, prepare_benchmark

DEMO_FOLDER = Path(__file__).parent / "demo"
"""Test set and benchmark file of the demo."""

MOST_EXAMPLES_READ = 1_000
"""Examples looked through for those that a report shows."""


class Workbench:
    """One data directory and everything in it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.jobs = JobQueue()
        self._index = Index(load_starter_models())
        self._store = Store(settings.results_path)
        self._head_to_heads: dict[str, HeadToHead] = {}

    def machine(self) -> Machine:
        """The machine, as it is now."""
        return probe_machine()

    def engines(self) -> tuple[EngineStatus, ...]:
        """Every engine, installed or not."""
        return doctor.engine_statuses()

    def doctor(self) -> tuple[Check, ...]:
        """What this machine has and what is missing."""
        return doctor.examine(self.machine(), self.settings, self._store)

    def profile(self) -> Profile:
        """What the user intends; the default until it was saved once."""
        path = self.settings.profile_path
        if not path.exists():
            return Profile()
        try:
            return Profile.model_validate_json(path.read_bytes())
        except ValueError as error:
            message = f"The profile {path} cannot be read. Mend or remove it, then choose your profile again."
            raise WorkbenchError(message) from error

    def save_profile(self, profile: Profile) -> None:
        """Keep the profile for later searches and reports."""
        partial = self.settings.profile_path.with_suffix(".partial")
        partial.write_text(profile.model_dump_json(indent=1))
        partial.rename(self.settings.profile_path)

    def search(self, query: ModelQuery, profile: Profile | None = None) -> SearchResult:
        """Models that pass the query, and what was left out by which rule."""
        return self._index.search(query, profile or self.profile(), self.machine())

    def excluded(self, query: ModelQuery, rule: str, *, limit: int = 50, offset: int = 0) -> tuple[Exclusion, ...]:
        """One page of the models that a rule left out, with the reasons."""
        return self._index.excluded(query, self.profile(), self.machine(), rule=rule, limit=limit, offset=offset)

    def show(self, model_id: str, profile: Profile | None = None) -> SearchHit:
        """One model, judged. A path names a local GGUF file. Raises ModelNotFound or BadWeightsFile."""
        model = self._model(model_id)
        machine = self.machine()
        quantization = model.weights_files[0].quantization if model.kind == "local" else None
        return SearchHit(
            model=model,
            verdict=judge_model(model, profile or self.profile(), self._index.license_facts),
            fit=predict_fit(model, machine, FitSettings(quantization=quantization or "Q4_K_M")),
        )

    def fit(
        self, model_id: str, *, quantization: str | None = None, context_tokens: int = 4096, concurrency: int = 1
    ) -> Fit:
        """Predicted memory of a model on this machine; a local file is predicted as it is."""
        model = self._model(model_id)
        own = model.weights_files[0] if model.kind == "local" else None
        return predict_fit(
            model,
            self.machine(),
            FitSettings(
                quantization=quantization or (own.quantization if own is not None else None) or "Q4_K_M",
                context_tokens=context_tokens,
                concurrency=concurrency,
            ),
            weights_bytes=own.size_bytes if own is not None and quantization in {None, own.quantization} else None,
        )

    def local_weights(self, model_id: str) -> tuple[WeightsFile, ...]:
        """Weights of a model that can run now, without a download."""
        return local_weights(model_id, self.settings)

    def save_shortlist(self, name: str, model_ids: tuple[str, ...], query: ModelQuery) -> Shortlist:
        """Keep models under a name, with the query and what it excluded."""
        counts = self.search(query).excluded
        exclusions = [entry for count in counts for entry in self.excluded(query, count.rule, limit=count.count)]
        return self._store.save_shortlist(name, model_ids, profile=self.profile(), query=query, exclusions=exclusions)

    def shortlists(self) -> tuple[Shortlist, ...]:
        """Kept shortlists, newest version first."""
        return self._store.shortlists()

    def check_test_set(
        self, definition: TestSetDefinition, labels: tuple[str, ...] | None = None, *, folder: Path | None = None
    ) -> TestSetCheck:
        """Read labelled examples and list every problem. Raises BadTestSet when the file cannot be read."""
        return check_test_set(definition, folder or Path.cwd(), labels)

    def examples_needed(self, difference: float, discordant_share: float = 0.2) -> int:
        """Examples that show an accuracy difference with 80 % power at 5 %, paired."""
        return required_examples(difference, discordant_share)

    def demo_definition(self) -> tuple[BenchmarkDefinition, Path]:
        """The demo benchmark and the folder its relative paths start at."""
        definition, _ = read_benchmark_file(DEMO_FOLDER / "demo.yaml")
        return definition, DEMO_FOLDER

    def prepare_file(self, path: Path) -> PreparedBenchmark:
        """Read a benchmark file and its test set, and check both. Raises BadBenchmarkFile or BadTestSet."""
        path = path.expanduser().absolute()
        definition, text = read_benchmark_file(path)
        return prepare_benchmark(definition, path.parent, source=str(path), text=text)

    def prepare(self, definition: BenchmarkDefinition, folder: Path) -> PreparedBenchmark:
        """Keep a definition made in the app as a benchmark file, then read and check it like any other."""
        absolute = _with_absolute_paths(definition, folder)
        path = self.settings.benchmarks_folder / f"{definition.name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        prepared = prepare_benchmark(absolute, folder, source=str(path), text=render_benchmark(absolute))
        path.write_text(prepared.text, encoding="utf-8")
        return prepared

    def prepare_again(self, benchmark: str) -> PreparedBenchmark:
        """A stored benchmark, ready to be resumed or repeated, as it was defined then."""
        stored = self._store.benchmark(benchmark)
        if stored.source is None:
            raise BadBenchmarkFile(f"The benchmark {benchmark!r} was stored without its file and cannot be run again.")
        definition = parse_benchmark(stored.definition, stored.source)
        return prepare_benchmark(definition, Path(stored.source).parent, source=stored.source, text=stored.definition)

    def preview_prompt(
        self, prepared: PreparedBenchmark, candidate: CandidateDefinition, example_id: str | None = None
    ) -> PromptPreview:
        """Exactly what one candidate receives for one example, with its tokens counted. Loads the model."""
        examples = prepared.test_set.examples
        example = next((example for example in examples if example.id == example_id), examples[0])
        request = example_request(prepared.test_set, example, Workload(kind="accuracy"))
        options = candidate.options
        if isinstance(options, LlamaCppOptions):
            options = options.model_copy(update={"context_tokens": 64})
        engine = open_engine(self._resolve(candidate, prepared), options)
        try:
            engine.load()
            return PromptPreview(
                candidate=candidate_name(candidate),
                example_id=example.id,
                text=engine.prompt_text(request),
                tokens=engine.count_tokens(request),
            )
        finally:
            engine.close()

    def start_benchmark(self, prepared: PreparedBenchmark, *, resume: bool = False) -> str:
        """Queue a benchmark; returns the job's id at once."""
        work = BenchmarkRun(prepared, self.settings, self._index, self._store, resume=resume)
        name = prepared.definition.name
        job = self.jobs.submit(f"Benchmark {name}", work, benchmark=name)
        return job.status().id

    def benchmarks(self) -> tuple[Benchmark, ...]:
        """Stored benchmarks."""
        return self._store.benchmarks()

    def runs(self, benchmark: str | None = None) -> tuple[RunInfo, ...]:
        """Stored runs, of one benchmark or all."""
        return self._store.runs(benchmark)

    def compare(self, benchmark: str) -> BenchmarkComparison:
        """All candidates of a benchmark and all their pairs. Raises UnknownBenchmark."""
        stored = self._store.benchmark(benchmark)
        measurements = self._store.measurements(benchmark)
        profile = self.profile()
        summaries = tuple(self._summary(run, profile) for run in measurements)
        return compare(stored, summaries, measurements)

    def recommend(self, benchmark: str, requirements: Requirements | None = None) -> Recommendation:
        """The recommendation under the benchmark's requirements, or under others."""
        comparison = self.compare(benchmark)
        return recommend(comparison, requirements or comparison.benchmark.requirements)

    def examples(
        self, benchmark: str, *, only: ExampleFilter = "all", offset: int = 0, limit: int = 20
    ) -> tuple[ExampleResult, ...]:
        """A page of examples with every candidate's answer."""
        return self._store.example_results(benchmark, only=only, offset=offset, limit=limit)

    def count_examples(self, benchmark: str, *, only: ExampleFilter = "all") -> int:
        """How many examples a filter leaves."""
        return self._store.count_examples(benchmark, only=only)

    def report_path(self, benchmark: str) -> Path:
        """Where a benchmark's report goes when no other place is named; the folder exists afterwards."""
        folder = self.settings.reports_folder / benchmark
        folder.mkdir(parents=True, exist_ok=True)
        return folder / "report.html"

    def read_requirements(self, path: Path) -> Requirements:
        """Limits and weights from a YAML file. Raises BadBenchmarkFile."""
        return read_requirements_file(path.expanduser())

    def write_report(self, benchmark: str, path: Path, requirements: Requirements | None = None) -> Path:
        """Write the report; the format follows the file's ending. Returns the absolute path."""
        comparison = self.compare(benchmark)
        recommendation = recommend(comparison, requirements or comparison.benchmark.requirements)
        wrong = self.examples(benchmark, only="any_wrong", limit=MOST_EXAMPLES_READ)
        content = gather_report(comparison, recommendation, wrong, self.profile())
        return write_report(content, path.expanduser().absolute())

    def start_head_to_head(
        self,
        candidates: tuple[CandidateDefinition, ...],
        prompt: str,
        *,
        system: str = "",
        temperature: float = 0.0,
        max_output_tokens: int = 256,
        seed: int = 0,
    ) -> str:
        """Ask several candidates one prompt; returns the job's id at once."""
        workload = head_to_head_workload(
            prompt, system=system, temperature=temperature, max_output_tokens=max_output_tokens
        )
        work = HeadToHead(candidates, workload, self.settings, self._index, seed=seed)
        identity = self.jobs.submit("Head-to-head", work).status().id
        self._head_to_heads[identity] = work
        return identity

    def head_to_head(self, job_id: str) -> HeadToHeadStatus:
        """Answers so far. Raises UnknownJob."""
        job = self.jobs.job(job_id)
        return self._head_to_heads[job_id].status(job)

    def add_vote(self, vote: Vote) -> None:
        """Keep a judgement."""
        self._store.add_vote(vote)

    def votes(self) -> tuple[Vote, ...]:
        """Judgements, oldest first."""
        return self._store.votes()

    def _model(self, model_id: str) -> Model:
        path = Path(model_id).expanduser()
        if model_id.endswith(".gguf") or path.is_file():
            return open_local(path)
        return self._index.find(model_id)

    def _resolve(self, definition: CandidateDefinition, prepared: PreparedBenchmark) -> Candidate:
        folder = Path(prepared.source).parent if prepared.source else Path.cwd()
        return resolve_candidate(definition, folder, self.settings, self._index)

    def _summary(self, run: RunMeasurements, profile: Profile) -> CandidateSummary:
        candidate = run.candidate
        model = self._measured_model(candidate)
        predicted = None
        if model is not None and isinstance(run.options, LlamaCppOptions):
            predicted = predict_fit(
                model,
                self.machine(),
                FitSettings(quantization=candidate.quantization or "Q4_K_M", context_tokens=run.options.context_tokens),
                weights_bytes=candidate.weights_bytes or None,
            ).total_bytes
        return summarise(run, _verdict(candidate, model, profile, self._index.license_facts), predicted)

    def _measured_model(self, candidate: Candidate) -> Model | None:
        try:
            return self._model(candidate.model_id)
        except WorkbenchError:
            pass
        try:
            return self._model(candidate.weights_path) if candidate.weights_path else None
        except WorkbenchError:
            return None


def _verdict(candidate: Candidate, model: Model | None, profile: Profile, find: FindFacts) -> Verdict:
    if model is not None and model.license is not None:
        return judge_model(model, profile, find)
    return judge_license(candidate.license, profile, license_name=candidate.license_name)


def _with_absolute_paths(definition: BenchmarkDefinition, folder: Path) -> BenchmarkDefinition:
    test_set = definition.test_set
    files = {
        name: str(folder / Path(value).expanduser())
        for name in ("file", "few_shot")
        if (value := getattr(test_set, name)) is not None
    }
    return definition.model_copy(update={"test_set": test_set.model_copy(update=files)})


def now() -> str:
    """Wall clock for people, ISO 8601 with offset."""
    return datetime.datetime.now().astimezone().isoformat(timespec="seconds")
