"""The service: everything the command line and the app can do, and the only thing they call.

Puts the layers together and holds no formula, SQL or subprocess of its own. Every expected error is a WorkbenchError
whose text is a sentence for the person.
"""

import datetime
from pathlib import Path

from catalog.errors import WorkbenchError
from catalog.licenses import judge_license
from catalog.records import (
    Candidate,
    FitSettings,
    Machine,
    Model,
    Profile,
    Verdict,
)
from results.comparison import compare
from results.ladder import ladder_of
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
    Vote,
)
from results.statistics import required_examples
from results.store import ExampleFilter, Store
from results.summary import summarise
from runners.engine import open_engine
from runners.engine_options import LlamaCppOptions
from runners.machine import probe_machine
from runners.prompts import example_request
from runners.records import Workload
from workbench import doctor
from workbench.benchmark_file import parse_benchmark, read_benchmark_file, read_requirements_file, render_benchmark
from workbench.benchmark_runs import BenchmarkRun
from workbench.candidates import candidate_name, resolve_candidate
from workbench.engine_environments import EngineEnvironments, with_environment
from workbench.errors import BadBenchmarkFile
from workbench.head_to_head import HeadToHead, head_to_head_workload
from workbench.jobs import JobQueue
from workbench.judging import Judges
from workbench.ladders import Ladders
from workbench.model_catalog import ModelCatalog
from workbench.parity import Parities
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
from workbench.remote import secrets_of
from workbench.report.report import write_report
from workbench.report_content import gather_report
from workbench.settings import Settings
from workbench.test_sets import check_test_set, prepare_benchmark
from workbench.text_passes import TextPasses

DEMO_FOLDER = Path(__file__).parent / "demo"
"""Test set and benchmark file of the demo."""

MOST_EXAMPLES_READ = 1_000
"""Examples looked through for those that a report shows."""


class Workbench:
    """One data directory and everything in it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.jobs = JobQueue()
        self._store = Store(settings.results_path)
        self.models = ModelCatalog(settings, self.jobs, self._store)
        self.ladders = Ladders(settings, self.models, self._store)
        self.parity = Parities(settings, self.models, self.jobs)
        self.environments = EngineEnvironments(settings)
        self.judges = Judges(settings, self.models, self.jobs, self._store)
        self.text_passes = TextPasses(settings, self.models, self._store)
        self._head_to_heads: dict[str, HeadToHead] = {}

    def machine(self) -> Machine:
        """The machine, as it is now."""
        return probe_machine()

    def engines(self) -> tuple[EngineStatus, ...]:
        """Every engine, installed or not."""
        return doctor.engine_statuses(self.settings)

    def doctor(self) -> tuple[Check, ...]:
        """What this machine has and what is missing."""
        return doctor.examine(self.machine(), self.settings, self._store)

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

    def notes(self, definition: BenchmarkDefinition) -> tuple[str, ...]:
        """What a person should know before a definition made in the app runs. Raises BadTestSet or BadTemplate."""
        return prepare_benchmark(definition, Path()).notes

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
        options = with_environment(candidate.options, self.settings)
        if isinstance(options, LlamaCppOptions):
            options = options.model_copy(update={"context_tokens": 64})
        engine = open_engine(self._resolve(candidate, prepared), options, secrets_of(options))
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
        work = BenchmarkRun(prepared, self.settings, self.models.index(), self._store, resume=resume)
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
        profile = self.models.profile()
        summaries = tuple(self._summary(run, profile) for run in measurements)
        candidates = [summary.candidate for summary in summaries]
        losses = self._store.losses({c.weights_sha256 for c in candidates if c.weights_sha256 is not None})
        return compare(stored, summaries, measurements).model_copy(update={"ladder": ladder_of(candidates, losses)})

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
        judgings = self.judges.reports(benchmark)
        content = gather_report(comparison, recommendation, wrong, self.models.profile(), judgings)
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
        work = HeadToHead(candidates, workload, self.settings, self.models.index(), seed=seed)
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

    def _resolve(self, definition: CandidateDefinition, prepared: PreparedBenchmark) -> Candidate:
        folder = Path(prepared.source).parent if prepared.source else Path.cwd()
        return resolve_candidate(definition, folder, self.settings, self.models.index())

    def _summary(self, run: RunMeasurements, profile: Profile) -> CandidateSummary:
        candidate = run.candidate
        model = self._measured_model(candidate)
        predicted = None
        if model is not None and isinstance(run.options, LlamaCppOptions):
            settings = FitSettings(
                quantization=candidate.quantization or "Q4_K_M", context_tokens=run.options.context_tokens
            )
            predicted = self.models.predict(model, settings, candidate.weights_bytes or None).total_bytes
        return summarise(run, self._verdict(candidate, model, profile), predicted)

    def _measured_model(self, candidate: Candidate) -> Model | None:
        for name in (candidate.model_id, candidate.weights_path):
            try:
                return self.models.find(name) if name else None
            except WorkbenchError:
                continue
        return None

    def _verdict(self, candidate: Candidate, model: Model | None, profile: Profile) -> Verdict:
        if model is not None and model.license is not None:
            return self.models.verdict(model, profile)
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
