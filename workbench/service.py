"""The service: everything the command line and the app can do, and the only thing they call.

Puts the layers together and holds no formula, SQL or subprocess of its own. Every expected error is a WorkbenchError
whose text is a sentence for the person.
"""

import contextlib
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.errors import WorkbenchError
from catalog.records import (
    Candidate,
    Machine,
)
from results.example_records import ExampleQuery
from results.power import required_examples, smallest_detectable_difference
from results.recommendation_records import Recommendation
from results.records import (
    Benchmark,
    BenchmarkComparison,
    ExampleResult,
    RunInfo,
    Vote,
)
from results.repetition import Reported, repetition
from results.repetition_records import Repetition
from results.requirement_records import Requirements
from results.store import Store
from results.surroundings import first_start
from runners.engine import open_engine
from runners.engine_options import LlamaCppOptions
from runners.machine import probe_machine
from runners.prompts import example_request
from runners.records import Workload
from runners.test_set_records import Problem, Task
from runners.test_sets.sources import open_table
from workbench import __version__, doctor
from workbench.benchmark_book import BenchmarkBook
from workbench.benchmark_file import parse_benchmark, read_benchmark_file, read_requirements_file, render_benchmark
from workbench.benchmark_runs import BenchmarkRun
from workbench.candidates import candidate_name, resolve_candidate
from workbench.comparisons import Comparisons
from workbench.engine_environments import EngineEnvironments, EngineInstall, with_environment
from workbench.errors import BadBenchmarkFile
from workbench.example_browser import ExampleBrowser
from workbench.exports import Exported, Exports, Written
from workbench.forecasts import Forecasts
from workbench.head_to_head.batches import Batches
from workbench.head_to_head.service import HeadToHeads
from workbench.jobs import JobQueue
from workbench.judging import Judges
from workbench.kept_requirements import keep_requirements
from workbench.ladders import Ladders
from workbench.model_catalog import ModelCatalog
from workbench.parity import Parities
from workbench.prompt_lengths import PromptLengths
from workbench.records import (
    BenchmarkDefinition,
    CandidateDefinition,
    Check,
    EngineStatus,
    NamedPrompt,
    PreparedBenchmark,
    PromptPreview,
    TestSetCheck,
    TestSetDefinition,
)
from workbench.regressions import Regressions
from workbench.remote import secrets_of
from workbench.repeats import Repeats
from workbench.report_edits import ReportEdits
from workbench.settings import DEMO_FOLDER, Settings
from workbench.shortlists import Shortlists
from workbench.stored_answers import StoredAnswers
from workbench.test_set_book import TestSetBook
from workbench.test_sets import check_test_set, prepare_benchmark
from workbench.text_passes import TextPasses
from workbench.votes_book import VotesBook

if TYPE_CHECKING:
    from workbench.report.records import ReportContent

MOST_EXAMPLES_READ = 1_000
"""Examples looked through for those that a report shows."""


class Workbench:
    """One data directory and everything in it."""

    def __init__(self, settings: Settings, *, keep_open_seconds: float = 0) -> None:
        """Name the data directory; keep_open_seconds is for whoever reads its results often (results/store_file.py)."""
        self.settings = settings
        self.jobs = JobQueue()
        self._store = Store(settings.results_path, keep_open_seconds=keep_open_seconds)
        self.models = ModelCatalog(settings, self.jobs)
        self.shortlists = Shortlists(settings, self.models, self._store)
        self._comparisons = Comparisons(self._store, self.models)
        self.ladders = Ladders(settings, self.models, self._store)
        self.answers = StoredAnswers(settings, self._store, self.models)
        self.parity = Parities(settings, self.models, self.jobs)
        self.test_sets = TestSetBook(self._store)
        self.book = BenchmarkBook(settings, self._store, self.jobs)
        self.prompt_lengths = PromptLengths(settings, self.models)
        self.forecasts = Forecasts(settings, self.models, self.test_sets, self._store)
        self.regressions = Regressions(self._store)
        self.exports = Exports(self._store)
        self.browser = ExampleBrowser(self._store)
        self.votes_book = VotesBook(self._store, self.exports)
        self.repeats = Repeats(settings, self._store)
        self.report_edits = ReportEdits(settings)
        self.environments = EngineEnvironments(settings)
        self.judges = Judges(settings, self.models, self.jobs, self._store)
        self.text_passes = TextPasses(settings, self.models, self._store)
        self.head_to_head = HeadToHeads(settings, self.models, self.jobs, self._store)
        self.batches = Batches(settings, self.models, self.jobs, self._store, self.head_to_head)
        self.jobs.before_device = self.head_to_head.make_room

    def warm_up(self, is_unwanted: Callable[[], bool] = lambda: False) -> None:
        """Read and compute what the first moves will ask for; takes seconds, and stops early where it is unwanted."""
        # Bandwidth last: it wants all cores for a second, and the page is being opened.
        measure = partial(self.models.measure_bandwidth, again=True)
        for work in (self.models.index().load, self._compare_newest, measure):
            if is_unwanted():
                return
            work()

    def close(self) -> None:
        """Let go of the results file; whoever still calls opens and closes it each time."""
        self._store.close()

    def machine(self) -> Machine:
        """The machine, as it is now."""
        return probe_machine()

    def engines(self) -> tuple[EngineStatus, ...]:
        """Every engine, installed or not."""
        return doctor.engine_statuses(self.settings)

    def install_engine(self, engine: str) -> str:
        """Queue the installation of an engine that has an environment of its own; returns the job's id at once."""
        work = EngineInstall(engine, self.environments)
        return self.jobs.submit(f"Install {engine}", work, lane="network").status().id

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

    def difference_shown(self, examples: int, discordant_share: float = 0.2) -> float | None:
        """The smallest accuracy difference that so many examples show, as `examples_needed`; None: no difference."""
        return smallest_detectable_difference(examples, discordant_share)

    def columns_of(self, definition: TestSetDefinition) -> tuple[str, ...]:
        """Columns of a file that may not be readable as a test set yet. Raises BadTestSet."""
        return open_table(Path(definition.file or ""), definition.options).header

    def demo_definition(self) -> tuple[BenchmarkDefinition, Path]:
        """The demo benchmark and the folder its relative paths start at."""
        return _demo(), DEMO_FOLDER

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
            raise BadBenchmarkFile(
                f"The benchmark {benchmark!r} was stored without its file and cannot be run again. Write a benchmark "
                "file of another name, or start one in the step Run."
            )
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

    def prepare_repetition(self, report: Path, folders: tuple[Path, ...], name: str | None) -> PreparedBenchmark:
        """The benchmark of a JSON report, to be run again under a new name. Raises BadReport, BadBenchmarkFile."""
        return self.prepare(self.repeats.definition(report.expanduser(), folders, name), Path())

    def repetition(self, report: Path, benchmark: str) -> Repetition:
        """A report's figures beside those of the benchmark that repeats it."""
        before = self.repeats.read(report.expanduser())
        winner = self.recommend(benchmark, before.requirements).winner
        return repetition(before.reported, Reported(self.compare(benchmark), winner, __version__))

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
        """Queue a benchmark; returns the job's id at once. Raises BadBenchmarkFile where it cannot be measured."""
        predicted = self.forecasts.memory(prepared)
        work = BenchmarkRun(
            prepared, self.settings, self.models.index(), self._store, resume=resume, predicted=predicted
        )
        work.keep_waiting()
        name = prepared.definition.name
        job = self.jobs.submit(f"Benchmark {name}", work, benchmark=name, step="compare")
        return job.status().id

    def benchmarks(self, *, archived: bool = False) -> tuple[Benchmark, ...]:
        """Stored benchmarks, newest first; with `archived` also those that are put away."""
        return tuple(listed.benchmark for listed in self.book.all(archived=archived))

    def runs(self, benchmark: str | None = None) -> tuple[RunInfo, ...]:
        """Stored runs, of one benchmark or all."""
        return self._store.runs(benchmark)

    def compare(self, benchmark: str) -> BenchmarkComparison:
        """All candidates of a benchmark and all their pairs. Raises UnknownBenchmark."""
        return self._comparisons.of(benchmark).comparison

    def recommend(self, benchmark: str, requirements: Requirements | None = None) -> Recommendation:
        """The recommendation under the benchmark's requirements, or under others."""
        compared = self._comparisons.of(benchmark)
        return compared.recommender.under(requirements or compared.comparison.benchmark.requirements)

    def examples(self, benchmark: str, query: ExampleQuery) -> tuple[ExampleResult, ...]:
        """A page of examples with every candidate's answer whole, for documents and exports."""
        return self._store.example_results(benchmark, query)

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

        return write_report(self._report_content(benchmark, requirements), path.expanduser().absolute())

    def first_page(self, benchmark: str, requirements: Requirements | None = None) -> str:
        """The report's first page as HTML, without what takes long to gather."""
        from workbench.report.report import render_first_page

        return render_first_page(self._report_content(benchmark, requirements, only_first_page=True))

    def save_requirements(self, benchmark: str, requirements: Requirements) -> None:
        """Make them the benchmark's own; its runs stay as they are. Raises BadRequirements, UnknownBenchmark."""
        self.recommend(benchmark, requirements)
        keep_requirements(self._store, self.settings, benchmark, requirements)

    def edit_report(self, benchmark: str, title: str | None, author: str | None, notes: str | None) -> None:
        """Keep title, author and notes of a benchmark's report; None leaves one as it is. Raises BadEdits."""
        self._store.benchmark(benchmark)
        self.report_edits.write(benchmark, title, author, notes)

    def set_report_logo(self, benchmark: str, path: Path | None) -> None:
        """Put the picture in a file on the first page, or none. Raises BadLogo, UnknownBenchmark."""
        # Pictures are drawn to be checked, which needs the chart library.
        from workbench.report.logo import read_logo

        self._store.benchmark(benchmark)
        self.report_edits.set_logo(benchmark, read_logo(path.expanduser()) if path is not None else None)

    def _report_content(
        self, benchmark: str, requirements: Requirements | None, *, only_first_page: bool = False
    ) -> "ReportContent":
        from workbench.report_content import Beside, gather_report

        comparison, _, recommender = self._comparisons.of(benchmark)
        recommendation = recommender.under(requirements or comparison.benchmark.requirements)
        beside = Beside(
            judgings=self.judges.reports(benchmark),
            test_set_problems=self._problems(benchmark),
            first_start=first_start(self._store, benchmark),
            edits=self.report_edits.read(benchmark),
        )
        if not only_first_page:
            beside = beside._replace(
                votes=self.votes_book.of_benchmark(comparison),
                examples=self.examples(benchmark, ExampleQuery(limit=MOST_EXAMPLES_READ)),
                wrong_examples=self.examples(benchmark, ExampleQuery(only="any_wrong", limit=MOST_EXAMPLES_READ)),
            )
        return gather_report(comparison, recommendation, self.models.profile(), beside)

    def _problems(self, benchmark: str) -> tuple[Problem, ...] | None:
        """What the checks say of the benchmark's test set as it is now; None where it is another, or gone."""
        try:
            prepared = self.prepare_again(benchmark)
        except WorkbenchError:
            return None
        same = prepared.test_set.content_hash == self._store.benchmark(benchmark).test_set_hash
        return prepared.problems if same else None

    def export(self, benchmark: str, what: Exported, path: Path) -> Written:
        """Write completions, scores or the summary as a table; the format follows the file's ending."""
        return self.exports.write(self.compare, benchmark, what, path.expanduser().absolute())

    def add_vote(self, vote: Vote) -> None:
        """Keep a judgement."""
        self._store.add_vote(vote)

    def votes(self) -> tuple[Vote, ...]:
        """Judgements, oldest first."""
        return self._store.votes()

    def _compare_newest(self) -> None:
        with contextlib.suppress(WorkbenchError):
            newest = self.book.newest_answered()
            if newest is not None:
                self.compare(newest)

    def _with_lengths(self, checked: TestSetCheck, prepared: PreparedBenchmark, model: str) -> TestSetCheck:
        named = [each for each in prepared.definition.candidates if model in {candidate_name(each), each.model}]
        candidates = named[:1] or [CandidateDefinition(model=model)]
        problems = self.prompt_lengths.problems(prepared, candidates)
        return checked.model_copy(update={"problems": (*checked.problems, *problems)})

    def _resolve(self, definition: CandidateDefinition, prepared: PreparedBenchmark) -> Candidate:
        folder = Path(prepared.source).parent if prepared.source else Path.cwd()
        return resolve_candidate(definition, folder, self.settings, self.models.index())


def _with_absolute_paths(definition: BenchmarkDefinition, folder: Path) -> BenchmarkDefinition:
    test_set = definition.test_set
    files = {
        name: str(folder / Path(value).expanduser())
        for name in ("file", "few_shot")
        if (value := getattr(test_set, name)) is not None
    }
    return definition.model_copy(update={"test_set": test_set.model_copy(update=files)})


@cache
def _demo() -> BenchmarkDefinition:
    """Read once: it comes with the package, and every step asks for it."""
    return read_benchmark_file(DEMO_FOLDER / "demo.yaml")[0]
