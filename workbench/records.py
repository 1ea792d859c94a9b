"""The service's records: benchmark definitions as people write them, and what the faces show of machines and jobs."""

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from catalog.records import (
    Fit,
    Limit,
    MachineProfile,
    Model,
    QuantizationOption,
    Record,
    SearchHit,
    Speed,
    VerdictValue,
    WeightsFile,
)
from results.agreement_records import Agreement, Disagreement
from results.records import Benchmark, Estimate, RunInfo
from results.requirement_records import Limits, Requirements, Weights
from runners.engine_options import EngineOptions, LlamaCppOptions
from runners.few_shot import FewShotChoice
from runners.records import Failure, Workload
from runners.scorer_options import ScorerOptions
from runners.test_set_records import Problem, PromptTemplate, Task, TestSet
from runners.test_sets.records import AskedColumns, FileOptions, TestSetFile

SCHEMA_VERSION = 1
"""Version of every JSON document that the command line prints (docs/json.md)."""

__all__ = [
    "SCHEMA_VERSION",
    "Benchmark",
    "Estimate",
    "Limits",
    "Problem",
    "RunInfo",
    "TestSetFile",
    "VerdictValue",
    "Weights",
]


class ColumnsDefinition(AskedColumns):
    """`test_set.columns`: which column is what; what is left out is guessed by its usual name."""


class TestSetDefinition(Record):
    """`test_set`: where the labelled examples are."""

    __test__ = False

    file: str | None = None
    """CSV, TSV, JSON, JSONL, Parquet or Excel file, or a dataset folder; relative paths start at the benchmark file."""
    name: str | None = None
    """A test set that the data directory keeps, instead of a file."""
    version: int | None = Field(default=None, ge=1)
    """Which version of it; None takes the newest."""
    few_shot: str | None = None
    """File of the same shape with examples to show in the prompt."""
    few_shot_count: int | None = Field(default=None, ge=0)
    """How many of them are shown; None shows all."""
    few_shot_choice: FewShotChoice = "first"
    """Which ones: the first of the file, any (by the benchmark's seed), or as many of each label as of the others."""
    columns: ColumnsDefinition = ColumnsDefinition()
    """Columns of both files."""
    encoding: str | None = None
    """Encoding of the files, such as cp1252; None finds it out."""
    sheet: str | None = None
    """Sheet of an Excel workbook; None takes the first that is not hidden."""
    split: str | None = None
    """Part of a dataset folder; None takes test, else validation, else train."""
    only_labelled: bool = False
    """Leave out examples without a right answer, such as those that nobody has labelled yet."""

    @model_validator(mode="after")
    def _is_one_thing(self) -> "TestSetDefinition":
        if (self.file is None) == (self.name is None):
            raise ValueError("a test set is either a `file` or the `name` of one that was imported")
        if self.version is not None and self.name is None:
            raise ValueError("only a test set that was imported has a `version`; give its `name`, or leave it out")
        return self

    @property
    def title(self) -> str:
        """What it is called."""
        return self.name or Path(self.file or "").stem

    @property
    def shown_name(self) -> str:
        """The file's name, or name and version of a test set that is kept."""
        version = f", version {self.version}" if self.version else ""
        return f"{self.name}{version}" if self.name else Path(self.file or "").name

    @property
    def options(self) -> FileOptions:
        """How its files are read."""
        return FileOptions(encoding=self.encoding, sheet=self.sheet, split=self.split)


class NamedPrompt(PromptTemplate):
    """One entry of `prompts`."""

    name: str = Field(min_length=1)
    """Short name; stands behind the candidate's."""

    @property
    def template(self) -> PromptTemplate:
        """The prompt itself."""
        return PromptTemplate.model_validate(self.model_dump(exclude={"name"}))


class CandidateDefinition(Record):
    """One entry of `candidates`."""

    name: str | None = None
    """Short name; made from model and quantization where left out."""
    model: str = Field(min_length=1)
    """Hub id, path of a GGUF file, or path of a folder that holds one; for vllm, of a folder with safetensors; for an
    endpoint, the model's Hub id or name."""
    engine: Literal["llama-cpp", "vllm", "endpoint", "scripted"] = "llama-cpp"
    """What runs it."""
    quantization: str | None = None
    """Which file of the model; None where there is only one."""
    quantize_from: str | None = None
    """Make the quantization on this machine from the file with this one."""
    revision: str | None = None
    """Commit of a Hub repository."""
    options: EngineOptions = Field(default_factory=LlamaCppOptions)
    """Options of the engine."""


class EarlyStopping(Record):
    """`early_stopping`: stop candidates that can no longer win (results/sequential.py)."""

    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    """Chance that any candidate is stopped that is not worse than the one it is held against."""
    min_examples: int = Field(default=30, ge=1)
    """No candidate is stopped before it has answered so many."""


class BenchmarkDefinition(Record):
    """A benchmark file."""

    name: str = Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Names the benchmark in the data directory: letters, digits, dot, dash, underscore."""
    task: Task = "classification"
    """What is asked of the models."""
    test_set: TestSetDefinition
    """The examples."""
    labels: tuple[str, ...] | None = None
    """Classification: allowed answers in the order shown to the model; None takes those of the file in alphabetical
    order."""
    scorers: tuple[ScorerOptions, ...] | None = None
    """How answers are scored; the first stands for quality. None takes what is usual for the task."""
    prompt: PromptTemplate | None = None
    """How examples become conversations; None takes a plain prompt for the task."""
    prompts: tuple[NamedPrompt, ...] = ()
    """Several prompts, to be compared: every candidate is measured with each."""
    candidates: tuple[CandidateDefinition, ...] = Field(min_length=1)
    """What is compared."""
    workloads: tuple[Workload, ...] = (Workload(kind="accuracy"), Workload(kind="latency", prompts=30))
    """How they are asked."""
    requirements: Requirements = Requirements()
    """Hard limits and weights for the recommendation."""
    early_stopping: EarlyStopping | None = None
    """Whether candidates that can no longer win are stopped; None asks every candidate everything."""
    seed: int = 0
    """Seed of everything random."""
    shortlist: str | None = None
    """NAME@VERSION of the kept shortlist that the candidates come from, so that the report can say how they were
    chosen."""

    @model_validator(mode="after")
    def _has_prompts_of_different_names(self) -> "BenchmarkDefinition":
        names = [prompt.name for prompt in self.prompts]
        doubled = next((name for name in names if names.count(name) > 1), None)
        if doubled is not None:
            raise ValueError(f"two prompts are called {doubled!r}; give one of them another name")
        if self.prompts and self.prompt is not None:
            raise ValueError("prompt and prompts cannot both be given; put the one into the list")
        return self

    @model_validator(mode="after")
    def _has_each_kind_of_workload_once(self) -> "BenchmarkDefinition":
        kinds = [workload.kind for workload in self.workloads]
        doubled = next((kind for kind in kinds if kinds.count(kind) > 1), None)
        if doubled is not None:
            raise ValueError(f"two workloads of kind {doubled!r}: put one of them into a benchmark of its own")
        return self


class Check(Record):
    """One line of `workbench doctor`."""

    name: str
    """What was looked at."""
    state: Literal["ok", "warning", "missing"]
    """How it is."""
    found: str
    """What was found."""
    fix: str = ""
    """What to do where it is not ok."""


class EngineStatus(Record):
    """One engine on this machine."""

    name: str
    """Name in the table of engines."""
    version: str | None
    """Installed version; None where it is missing."""
    can: str
    """What it runs, in a few words."""
    install: str
    """How to install it."""
    state: Literal["installed", "missing", "unfinished"] = "installed"
    """unfinished: an installation was cut off; installing again does it anew."""
    build: str | None = None
    """What was installed, of an engine with an environment of its own."""
    folder: str | None = None
    """That environment."""
    size_bytes: int | None = None
    """Its size on disk."""


class TestSetCheck(Record):
    """What `testset check` found."""

    __test__ = False

    file: TestSetFile
    """What was read."""
    labels: tuple[str, ...]
    """Labels: those asked for, else those found."""
    problems: tuple[Problem, ...]
    """Errors first."""
    label_counts: tuple[tuple[str, int], ...]
    """Examples per label, most frequent first."""
    agreement: Agreement | None = None
    """How far two labellers agree; None where there is no second label."""
    disagreements: tuple[Disagreement, ...] = ()
    """Examples that they labelled differently."""

    @property
    def errors(self) -> int:
        """How many problems keep the test set from being measured."""
        return sum(problem.severity == "error" for problem in self.problems)


CandidateState = Literal["waiting", "preparing", "loading", "running", "finished", "failed", "cancelled", "stopped"]


class CandidateProgress(Record):
    """Where one candidate of a job stands."""

    name: str
    """Candidate."""
    state: CandidateState = "waiting"
    """What it is doing."""
    stage: str = ""
    """In words: `accuracy 40 of 150`."""
    done: int = Field(default=0, ge=0)
    """Finished requests, all workloads."""
    total: int = Field(default=0, ge=0)
    """Requests to do, all workloads."""
    accuracy: Estimate | None = None
    """Running quality with its interval."""
    tokens_per_second: float | None = None
    """Median decode rate of the latency requests so far."""
    memory_bytes: int | None = None
    """Memory now."""
    peak_memory_bytes: int | None = None
    """Highest so far."""
    predicted_memory_bytes: int | None = None
    """What was predicted before the start."""
    memory_line: tuple[tuple[float, int], ...] = ()
    """Seconds since its start and bytes, thinned out as it grows: what the line of its memory is drawn from."""
    requests_per_second: float | None = None
    """Of the workload that is under way."""
    remaining_seconds: float | None = None
    """Predicted time left for this candidate; None until something was measured, and once it is over."""
    failures: tuple[Failure, ...] = ()
    """What went wrong."""


class JobStatus(Record):
    """A snapshot of one job; cheap to read, never touches the disk."""

    id: str
    """Unique, over restarts too."""
    title: str
    """What it does."""
    benchmark: str | None = None
    """Benchmark it fills, where it does."""
    step: str | None = None
    """Step of the app that shows what it leads to."""
    state: Literal["queued", "running", "finished", "failed", "cancelled"] = "queued"
    """Where it stands."""
    message: str = ""
    """What it does right now, or why it failed."""
    unit: Literal["requests", "bytes", "models"] = "requests"
    """What `done` and `total` count."""
    done: int = Field(default=0, ge=0)
    """How much is done; of a benchmark, finished requests of all candidates."""
    total: int = Field(default=0, ge=0)
    """How much there is; 0 where nobody knows."""
    elapsed_seconds: float = Field(default=0, ge=0)
    """Since it began to run."""
    remaining_seconds: float | None = Field(default=None, ge=0)
    """Predicted time left; None until something was measured."""
    candidates: tuple[CandidateProgress, ...] = ()
    """Each candidate's part."""

    @property
    def is_over(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in {"finished", "failed", "cancelled"}


class PreparedBenchmark(Record):
    """A benchmark whose files are read and whose test set is sound, before any model is touched."""

    definition: BenchmarkDefinition
    """What the person wrote."""
    test_set: TestSet
    """Examples, labels and prompt."""
    problems: tuple[Problem, ...]
    """Warnings about the test set."""
    notes: tuple[str, ...] = ()
    """What a person should know before it runs, such as examples that leave this machine."""
    source: str | None = None
    """Path of the benchmark file."""
    text: str = ""
    """Its text, or an equivalent where it was made in the app."""


class PromptPreview(Record):
    """What one candidate receives for one example."""

    candidate: str
    """Who receives it."""
    example_id: str
    """Example that is shown."""
    text: str
    """The prompt exactly as the model receives it."""
    tokens: int = Field(ge=0)
    """Its tokens, by the model's own tokenizer."""


class ModelPage(SearchHit):
    """One model in full, against one machine: what a person reads before choosing it."""

    options: tuple[QuantizationOption, ...]
    """Quantizations that exist, or are usual where no file is known, finest first."""
    speed: Speed | None
    """Predicted decoding speed; None where it does not run or bandwidth is not known."""
    longest_context: Limit | None
    """The longest context that fits."""
    most_sequences: Limit | None
    """The most sequences that fit at once."""
    here: tuple[WeightsFile, ...]
    """Weights that are on this machine already."""


class PlannedMachine(Record):
    """One machine that would do."""

    profile: MachineProfile
    """The machine."""
    fit: Fit
    """How the model fits it."""
    speed: Speed | None
    """Predicted decoding speed on it."""


class WhyAnswer(Record):
    """Why a model is on a list, or is not."""

    model_id: str
    """The model that was asked for."""
    kept: bool
    """Whether it is on the list."""
    rule: str | None = None
    """The first rule that left it out; None where it passes every filter."""
    reason: str
    """One sentence."""


class LocalModels(Record):
    """What was found on this machine."""

    models: tuple[Model, ...]
    """Models, by id."""
    problems: tuple[str, ...]
    """Files that look like models and cannot be read, with what to do."""
    places: tuple[str, ...]
    """Folders that were looked through."""


class CatalogState(Record):
    """How much the catalog holds and how old it is."""

    models: int
    """Models in it."""
    starter_date: str
    """Date of the list that ships with the workbench."""
    updated: str | None
    """Date of the last update from the Hub; None before the first."""
    snapshots: int
    """Updates that are kept for trends."""
