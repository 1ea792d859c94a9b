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
from results.cost import with_costs
from results.ladder import ladder_of
from results.power import required_examples
from results.recommendation import recommend
from results.recommendation_records import Recommendation
from results.records import (
    Benchmark,
    BenchmarkComparison,
    CandidateSummary,
    ExampleResult,
    RunInfo,
    RunMeasurements,
    Vote,
)
from results.requirement_records import Requirements
from results.store import ExampleFilter, Store
from results.summary import summarise
from results.versions import other_version_notes
from runners.engine import open_engine
from runners.engine_options import LlamaCppOptions
from runners.machine import probe_machine
from runners.prompts import example_request
from runners.records import Workload
from runners.test_set_records import Task
from workbench import doctor
from workbench.benchmark_file import parse_benchmark, read_benchmark_file, read_requirements_file, render_benchmark
from workbench.benchmark_runs import BenchmarkRun
from workbench.candidates import candidate_name, resolve_candidate
from workbench.engine_environments import EngineEnvironments, with_environment
from workbench.errors import BadBenchmarkFile
from workbench.exports import Exported, Exports, Written
from workbench.head_to_head import HeadToHead, head_to_head_workload
from workbench.jobs import JobQueue
from workbench.judging import Judges
from workbench.ladders import Ladders
from workbench.model_catalog import ModelCatalog
from workbench.parity import Parities
from workbench.prompt_lengths import PromptLengths
from workbench.records import (
    BenchmarkDefinition,
    CandidateDefinition,
    Check,
    EngineStatus,
    HeadToHeadStatus,
    NamedPrompt,
    PreparedBenchmark,
    PromptPreview,
    TestSetCheck,
    TestSetDefinition,
)
from workbench.regressions import Regressions
from workbench.remote import secrets_of
from workbench.settings import Settings
from workbench.stored_answers import StoredAnswers
from workbench.test_set_book import TestSetBook
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
        self.answers = StoredAnswers(settings, self._store, self.models)
        self.parity = Parities(settings, self.models, self.jobs)
        self.test_sets = TestSetBook(self._store)
        self.prompt_lengths = PromptLengths(settings, self.models)
        self.regressions = Regressions(self._store)
        self.exports = Exports(self._store)
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
        self,
        definition: TestSetDefinition,
        labels: tuple[str, ...] | None = None,
        *,
        task: Task = "classification",
        folder: Path | None = None,
        model: str | None = None,
    ) -> TestSetCheck:
        """Read labelled examples and list every problem. Raises BadTestSet when the file cannot be read.

        With a model, prompts that are too long for it are named too; that loads it.
        """
        checked = check_test_set(definition, folder or Path.cwd(), labels, task=task, kept=self.test_sets)
        if model is None or checked.errors:
            return checked
        candidate = CandidateDefinition(model=model)
        asked = BenchmarkDefinition(
            name="check", task=task, test_set=definition, labels=labels, candidates=(candidate,)
        )
        return self._with_lengths(checked, prepare_benchmark(asked, folder or Path.cwd(), kept=self.test_sets), model)

    def check_benchmark_file(self, path: Path, *, model: str | None = None) -> TestSetCheck:
        """Check the test set of a benchmark file; with the name of one of its candidates, or a model, lengths too."""
        path = path.expanduser().absolute()
        definition, text = read_benchmark_file(path)
        checked = check_test_set(
            definition.test_set, path.parent, definition.labels, task=definition.task, kept=self.test_sets
        )
        if model is None or checked.errors:
            return checked
        prepared = prepare_benchmark(definition, path.parent, source=str(path), text=text, kept=self.test_sets)
        return self._with_lengths(checked, prepared, model)

    def examples_needed(self, difference: float, discordant_share: float = 0.2) -> int:
        """Examples that show an accuracy difference with 80 % power at 5 %, paired."""
        return required_examples(difference, discordant_share)

    def demo_definition(self) -> tuple[BenchmarkDefinition, Path]:
        """The demo benchmark and the folder its relative paths start at."""
        definition, _ = read_benchmark_file(DEMO_FOLDER / "demo.yaml")
        return definition, DEMO_FOLDER

    def prepare_file(self, path: Path, *, name: str | None = None) -> PreparedBenchmark:
        """Read a benchmark file and its test set, and check both; `name` stands in place of the file's own.

        Raises BadBenchmarkFile or BadTestSet.
        """
        path = path.expanduser().absolute()
        definition, text = read_benchmark_file(path)
        definition = definition if name is None else definition.model_copy(update={"name": name})
        return prepare_benchmark(definition, path.parent, source=str(path), text=text, kept=self.test_sets)

    def prepare_unsaved(self, definition: BenchmarkDefinition) -> PreparedBenchmark:
        """Read and check a definition that is in no file."""
        return prepare_benchmark(definition, Path(), kept=self.test_sets)

    def prepare(self, definition: BenchmarkDefinition, folder: Path) -> PreparedBenchmark:
        """Keep a definition made in the app as a benchmark file, then read and check it like any other."""
        absolute = _with_absolute_paths(definition, folder)
        path = self.settings.benchmarks_folder / f"{definition.name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = render_benchmark(absolute)
        prepared = prepare_benchmark(absolute, folder, source=str(path), text=text, kept=self.test_sets)
        path.write_text(prepared.text, encoding="utf-8")
        return prepared

    def notes(self, definition: BenchmarkDefinition) -> tuple[str, ...]:
        """What a person should know before a definition made in the app runs. Raises BadTestSet or BadTemplate."""
        return prepare_benchmark(definition, Path(), kept=self.test_sets).notes

    def prepare_again(self, benchmark: str, *, reread: bool = False) -> PreparedBenchmark:
        """A stored benchmark, ready to be resumed or repeated, as it was defined then, or as its file is now."""
        stored = self._store.benchmark(benchmark)
        if not stored.definition:
            raise BadBenchmarkFile(f"The benchmark {benchmark!r} was stored without its file and cannot be run again.")
        if reread and stored.source is not None:
            return self.prepare_file(Path(stored.source), name=benchmark)
        # Imported answers may have been kept under another name than their file's.
        definition = parse_benchmark(stored.definition, stored.source or benchmark)
        return prepare_benchmark(
            definition.model_copy(update={"name": benchmark}),
            Path(stored.source or "").parent,
            source=stored.source,
            text=stored.definition,
            kept=self.test_sets,
        )

    def preview_prompt(
        self,
        prepared: PreparedBenchmark,
        candidate: CandidateDefinition,
        example_id: str | None = None,
        prompt: NamedPrompt | None = None,
    ) -> PromptPreview:
        """Exactly what one candidate receives for one example, with its tokens counted. Loads the model."""
        test_set = prepared.test_set
        asked = test_set if prompt is None else test_set.model_copy(update={"prompt": prompt.template})
        example = next((example for example in asked.examples if example.id == example_id), asked.examples[0])
        request = example_request(asked, example, Workload(kind="accuracy"))
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
        return self._compared(benchmark)[0]

    def _compared(self, benchmark: str) -> tuple[BenchmarkComparison, tuple[RunMeasurements, ...]]:
        """The comparison, and what it was made from."""
        stored = self._store.benchmark(benchmark)
        measurements = self._store.measurements(benchmark)
        profile = self.models.profile()
        summaries = tuple(self._summary(run, profile) for run in measurements)
        candidates = [summary.candidate for summary in summaries]
        losses = self._store.losses({c.weights_sha256 for c in candidates if c.weights_sha256 is not None})
        notes = other_version_notes(benchmark, self._store.measured_otherwise(benchmark), len(measurements))
        compared = with_costs(compare(stored, summaries, measurements), stored.requirements.prices)
        return compared.model_copy(update={"ladder": ladder_of(candidates, losses), "notes": notes}), measurements

    def recommend(self, benchmark: str, requirements: Requirements | None = None) -> Recommendation:
        """The recommendation under the benchmark's requirements, or under others."""
        comparison, measurements = self._compared(benchmark)
        return recommend(comparison, requirements or comparison.benchmark.requirements, measurements)

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
        # The library that draws charts takes most of a second to import, which no other command need wait for.
        from workbench.report.report import write_report
        from workbench.report_content import gather_report

        comparison, measurements = self._compared(benchmark)
        recommendation = recommend(comparison, requirements or comparison.benchmark.requirements, measurements)
        wrong = self.examples(benchmark, only="any_wrong", limit=MOST_EXAMPLES_READ)
        judgings = self.judges.reports(benchmark)
        content = gather_report(comparison, recommendation, wrong, self.models.profile(), judgings)
        return write_report(content, path.expanduser().absolute())

    def export(self, benchmark: str, what: Exported, path: Path) -> Written:
        """Write completions, scores or the summary as a table; the format follows the file's ending."""
        return self.exports.write(self.compare, benchmark, what, path.expanduser().absolute())

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

    def _with_lengths(self, checked: TestSetCheck, prepared: PreparedBenchmark, model: str) -> TestSetCheck:
        named = [each for each in prepared.definition.candidates if model in {candidate_name(each), each.model}]
        candidates = named[:1] or [CandidateDefinition(model=model)]
        problems = self.prompt_lengths.problems(prepared, candidates)
        return checked.model_copy(update={"problems": (*checked.problems, *problems)})

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
