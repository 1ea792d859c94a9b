"""The runners' records: what is to be run, what happened, and how the worker tells it.

A RunSpec is self-contained: a worker needs nothing else, here or on another machine. What happened is stored as
offsets and counts; every latency, throughput and peak is derived from them later (results/migrations).
All offsets are seconds on the worker's monotonic clock, counted from the start of its process.
"""

import hashlib
import json
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, model_validator

from catalog.records import Candidate, Record
from runners.engine_options import EngineOptions

SPEC_VERSION = 1
"""Version of RunSpec and of the event file; part of every key."""


class Example(Record):
    """One labelled row of a test set."""

    id: str = Field(min_length=1)
    """Unique in its test set."""
    inputs: dict[str, str]
    """Columns that the prompt template may use, by name."""
    target: str
    """The right answer."""
    slices: dict[str, str] = Field(default_factory=dict)
    """Columns by which results are broken down, by name."""
    row: int | None = Field(default=None, ge=1)
    """Line in the file it was read from, counted as a spreadsheet does (the header is row 1)."""


class PromptTemplate(Record):
    """How an example becomes a conversation. Templates are sandboxed Jinja over the columns of the example."""

    system: str = ""
    """System message; empty for none. May use `labels`."""
    user: str = "{{ text }}"
    """User message of every example and of every few-shot example."""
    answer_prefix: str = ""
    """Text that the answer is made to begin with."""


class TestSet(Record):
    """Labelled examples with the task, the prompt template and the scorers."""

    __test__ = False

    name: str = Field(min_length=1)
    """Short name."""
    task: Literal["classification"] = "classification"
    """What is asked of the model."""
    labels: tuple[str, ...]
    """The allowed answers, in the order shown to the model."""
    examples: tuple[Example, ...]
    """Examples that are measured."""
    few_shot: tuple[Example, ...] = ()
    """Examples shown in the prompt; never measured."""
    prompt: PromptTemplate = Field(default_factory=PromptTemplate)
    """How examples become conversations."""
    scorers: tuple[str, ...] = ("label_match",)
    """Names of the scorers."""
    source: str | None = None
    """File it was read from."""

    @property
    def content_hash(self) -> str:
        """Hex digest over everything that can change a result: examples, labels, prompt, scorers; not over names."""
        return digest(self.model_dump(mode="json", exclude={"name", "source"}))


class Problem(Record):
    """Something wrong with one row of a test set."""

    severity: Literal["error", "warning"]
    """An error keeps the test set from being measured; a warning does not."""
    rule: str
    """Name of the check: `empty_text`, `unknown_label` …"""
    row: int | None = Field(default=None, ge=1)
    """Line in the file; None where the whole file is meant."""
    message: str
    """What is wrong, with the value seen."""
    fix: str
    """What to do."""


class Workload(Record):
    """What is asked of a loaded candidate, and how.

    accuracy: every example, batched, prefix cache on; gives quality and no latency figure.
    latency:  closed loop at concurrency 1, prefix cache off, after warm-up prompts that are left out.
    prompts:  free conversations (head-to-head), streamed one after the other.
    """

    kind: Literal["accuracy", "latency", "prompts"]
    """See above."""
    prompts: int | None = Field(default=None, gt=0)
    """Latency: how many examples of the test set are sent, from the first on; None sends all."""
    warmup_prompts: int = Field(default=3, ge=0)
    """Latency: prompts sent first and left out; they are not from the test set."""
    max_output_tokens: int = Field(default=32, gt=0)
    """Most tokens generated for one request."""
    stop: tuple[str, ...] = ()
    """Strings at which an answer ends; they are not part of it."""
    temperature: float = Field(default=0.0, ge=0, le=5)
    """0 is greedy."""
    calibration: Literal["none", "contextual"] = "none"
    """Accuracy by scored answers: `contextual` divides each answer's probability by the one it has after texts that
    say nothing (Zhao et al. 2021, Calibrate Before Use), because small models favour some answers whatever is asked."""
    conversations: tuple["Conversation", ...] = ()
    """Prompts: what is sent."""


class Message(Record):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    """Who speaks."""
    content: str
    """What is said."""


class Conversation(Record):
    """A free prompt with an id."""

    id: str = Field(min_length=1)
    """Unique in its workload."""
    messages: tuple[Message, ...]
    """Turns so far; the candidate gives the next."""


class RunSpec(Record):
    """One candidate's part of a benchmark: everything a worker needs."""

    spec_version: int = SPEC_VERSION
    """Version of this record."""
    candidate: Candidate
    """What runs."""
    options: EngineOptions
    """How its engine is set."""
    test_set: TestSet
    """What it is asked."""
    workloads: tuple[Workload, ...]
    """In what ways."""
    engine_version: str
    """Version of the engine's package."""
    scorer_versions: dict[str, str]
    """Version of every scorer of the test set, by name."""
    seed: int = 0
    """Seed of sampling."""
    workbench_version: str = ""
    """Our own version; recorded, not part of the key."""

    @model_validator(mode="after")
    def _options_belong_to_the_engine(self) -> "RunSpec":
        if self.options.engine != self.candidate.engine:
            msg = (
                f"candidate {self.candidate.name!r} runs on {self.candidate.engine!r} "
                f"but its options are for {self.options.engine!r}"
            )
            raise ValueError(msg)
        return self

    @property
    def key(self) -> str:
        """Hex digest that names the run: equal exactly when the same work would be done again."""
        return digest(
            {
                "spec_version": self.spec_version,
                "model": self.candidate.model_id,
                "revision": self.candidate.revision,
                "weights": self.candidate.weights_sha256 or self.candidate.weights_path,
                "options": self.options.model_dump(mode="json", exclude=set(self.options.NOT_IN_KEY)),
                "test_set": self.test_set.content_hash,
                "workloads": [workload.model_dump(mode="json") for workload in self.workloads],
                "engine_version": self.engine_version,
                "scorer_versions": self.scorer_versions,
                "seed": self.seed,
            }
        )


def digest(value: object) -> str:
    """SHA-256 over canonical JSON (sorted keys, no spaces, UTF-8), first 32 hex digits."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class Request(Record):
    """One prompt for an engine."""

    id: str = Field(min_length=1)
    """Unique in its workload."""
    messages: tuple[Message, ...]
    """The conversation; the last turn is the user's, or the beginning of the answer."""
    answer_prefix: str = ""
    """Text that the answer begins with; part of the prompt."""
    choices: tuple[str, ...] = ()
    """The allowed answers: what score_choices scores, and what an engine may hold a generated answer to."""
    max_output_tokens: int = Field(default=32, gt=0)
    """Most tokens generated."""
    stop: tuple[str, ...] = ()
    """Strings at which the answer ends; they are not part of it."""
    temperature: float = Field(default=0.0, ge=0)
    """0 is greedy."""
    seed: int = 0
    """Seed of sampling."""


FinishReason = Literal["stop", "length", "overflow", "refused"]
"""stop: the model ended; length: max_output_tokens reached; overflow: prompt and answer exceed the context; refused: a
content filter or the model itself declined to answer."""

TokensFrom = Literal["engine", "usage", "chunks"]
"""Who counted tokens. engine: the model's own tokenizer; usage: a server's figures; chunks: nobody did, and what is
counted are the pieces of its stream, at most as many as there were tokens (prompt tokens are 0 then: not known)."""


class Retry(Record):
    """Why a request was handed over once more."""

    status: int | None
    """HTTP status of the try that failed; None where no connection was made."""
    waited_seconds: float = Field(ge=0)
    """Wait before this try; not part of any latency."""
    reason: str
    """In words, with the server's own."""


class Chunk(Record):
    """A piece of an answer as an engine hands it over."""

    request_id: str
    """The request it answers."""
    text: str
    """Text that is new; may be empty while a character is incomplete."""
    tokens: int = Field(ge=0)
    """Output tokens in this piece; stop tokens are not counted."""
    thinking: bool = False
    """Whether the text belongs to the thinking before the answer."""
    finish_reason: FinishReason | Literal["failed"] | None = None
    """Set on the last chunk of a request and only there; `failed`: there is no answer, and `failure` says why."""
    failure: str | None = None
    """On the last chunk of a request that failed while others go on: what happened, as a sentence."""
    retried: Retry | None = None
    """On a chunk without text: the request is handed over once more at this moment; what came before does not count."""
    prompt_tokens: int | None = Field(default=None, ge=0)
    """On the last chunk: tokens of the rendered prompt."""
    cached_tokens: int | None = Field(default=None, ge=0)
    """On the last chunk: prompt tokens that were not computed again."""
    output_tokens: int | None = Field(default=None, ge=0)
    """On the last chunk: output tokens of the whole answer, where they were counted elsewhere than chunk by chunk."""
    tokens_from: TokensFrom = "engine"
    """On the last chunk: who counted."""


class ChoiceScore(Record):
    """How likely a model finds one answer."""

    choice: str
    """The answer."""
    logprob: float
    """Sum of the natural-log probabilities of its tokens, given the prompt."""
    tokens: int = Field(gt=0)
    """Tokens that were scored."""
    baseline_logprob: float | None = None
    """The same after texts that say nothing, where the workload asks for calibration."""

    @property
    def evidence(self) -> float:
        """What decides between answers: the log-probability, less the baseline where there is one."""
        return self.logprob - (self.baseline_logprob or 0.0)


class ChoiceScores(Record):
    """All choices of one request, in the order they were asked."""

    request_id: str
    """The request."""
    scores: tuple[ChoiceScore, ...]
    """Empty where the prompt does not fit the context."""
    prompt_tokens: int = Field(ge=0)
    """Tokens of the rendered prompt."""
    cached_tokens: int = Field(ge=0)
    """Prompt tokens shared with other requests and computed once."""


class Loaded(Record):
    """What an engine says about the model that it holds."""

    engine: str
    """Name in the table of engines."""
    engine_version: str
    """Version of its package."""
    build: str
    """Build flags as the engine reports them."""
    model_description: str
    """Architecture, size and quantization as the engine reads them."""
    parameters: int | None = None
    """Weights counted by the engine."""
    context_tokens: int | None
    """KV cache cells that were reserved, or what a server says of its context; None where it does not."""
    trained_context_tokens: int | None = None
    """Context the model was trained for."""
    threads: int | None = None
    """Compute threads in use."""
    chat_template_sha256: str | None = None
    """Digest of the chat template; None where the model has none and prompts are plain text."""
    weights_bytes: int | None = None
    """Bytes of the tensors."""


class Completion(Record):
    """One prompt and what came back. Times are offsets; see the module's first lines."""

    request_id: str
    """The request."""
    workload: Literal["accuracy", "latency", "prompts"]
    """Workload it belongs to."""
    example_id: str | None = None
    """Example of the test set, where it came from one."""
    segment: int = Field(default=0, ge=0)
    """Which start of the worker it belongs to: offsets of different segments have different origins."""
    text: str
    """What the model wrote, or the choice it prefers."""
    finish_reason: FinishReason
    """How it ended."""
    method: Literal["generated", "scored_choices"]
    """Whether text was generated or the answers were scored."""
    prompt_tokens: int = Field(ge=0)
    """Tokens of the rendered prompt, by the model's own tokenizer."""
    cached_tokens: int = Field(default=0, ge=0)
    """Prompt tokens that were not computed for this request."""
    output_tokens: int = Field(default=0, ge=0)
    """Tokens generated, stop tokens not counted."""
    tokens_from: TokensFrom = "engine"
    """Who counted."""
    thinking_chunks: int = Field(default=0, ge=0)
    """How many of the chunks, from the first on, were thinking, which is not part of the text."""
    ready_at_seconds: float | None = Field(default=None, ge=0)
    """When the request could have been handed over."""
    started_at_seconds: float | None = Field(default=None, ge=0)
    """When it was handed over to the engine."""
    chunk_offsets_seconds: tuple[float, ...] = ()
    """Arrival of each chunk with text, counted from started_at_seconds."""
    chunk_tokens: tuple[int, ...] = ()
    """Tokens in each of those chunks."""
    finished_at_seconds: float | None = Field(default=None, ge=0)
    """When it was complete."""
    choice_scores: tuple[ChoiceScore, ...] = ()
    """Where answers were scored: all of them."""


class Validity(StrEnum):
    """What happened to an example; exactly one of these."""

    SCORED = "scored"
    UNPARSEABLE = "unparseable"
    TRUNCATED = "truncated"
    EMPTY = "empty"
    REFUSED = "refused"
    OVERFLOW = "overflow"
    FAILED = "failed"
    SKIPPED = "skipped"


class Score(Record):
    """What one scorer says of one completion."""

    request_id: str
    """The completion."""
    example_id: str
    """The example."""
    scorer: str
    """Name of the scorer."""
    version: str
    """Its version."""
    validity: Validity
    """What happened; every value other than `scored` counts as not right, and is shown apart."""
    value: float | None = Field(default=None, ge=0, le=1)
    """1 is right, 0 is wrong; None where the example was not judged (failed, skipped)."""
    predicted: str | None = None
    """The answer as it was understood."""


class MemorySample(Record):
    """Memory of a worker's whole process tree at one moment, sampled by the parent."""

    segment: int = Field(default=0, ge=0)
    """Which start of the worker."""
    at_seconds: float = Field(ge=0)
    """Since the worker was started, on the parent's monotonic clock."""
    rss_bytes: int = Field(ge=0)
    """Sum of resident set sizes; shared pages are counted once per process."""
    pss_bytes: int | None = Field(default=None, ge=0)
    """Proportional set size, where the kernel gives it."""
    mapped_file_bytes: int | None = Field(default=None, ge=0)
    """Part of it that is mapped files, such as weights used in place."""
    gpu_bytes: int | None = Field(default=None, ge=0)
    """Memory of the tree's processes on all GPUs."""
    high_water_bytes: int | None = Field(default=None, ge=0)
    """The kernel's own high-water mark of resident memory, summed over the tree."""
    processes: int = Field(ge=1)
    """Processes in the tree."""


class BandwidthMeasurement(Record):
    """How fast this machine read its main memory, measured once."""

    bytes_per_second: float = Field(gt=0)
    """The fastest pass over the buffer: bytes read ÷ seconds."""
    method: str
    """How it was measured, in words."""
    threads: int = Field(gt=0)
    """Threads that read at the same time."""
    buffer_bytes: int = Field(gt=0)
    """Bytes read in one pass, over all threads."""
    measured_at: str
    """ISO 8601 time in UTC."""


class Failure(Record):
    """Something that went wrong, for the person who has to act on it."""

    stage: Literal["prepare", "start", "load", "request", "score", "store"]
    """When."""
    kind: Literal[
        "crash",
        "out_of_memory",
        "hang",
        "bad_weights",
        "engine",
        "overflow",
        "cancelled",
        "limit",
        "disk_full",
        "scorer",
        "unavailable",
    ]
    """What."""
    message: str
    """What happened, with the value seen."""
    hint: str
    """What to do next."""
    example_id: str | None = None
    """The example, where it concerns one."""
    log_path: str | None = None
    """Where the worker's output is."""
    log_tail: str = ""
    """Its last lines."""


class RunStarted(Record):
    """The worker runs."""

    event: Literal["started"] = "started"
    key: str
    """Key of the spec."""
    segment: int
    """0 for the first start, one more for each resumption."""
    pid: int
    """Process id of the worker."""
    started_at: str
    """Wall clock, ISO 8601 with offset; for people, never for durations."""
    load_average: float | None = None
    """Load of the machine over the last minute, before this run."""
    packages: dict[str, str] = Field(default_factory=dict)
    """Versions of the packages that can change a number."""


class ModelLoaded(Record):
    """The engine is ready for the first token."""

    event: Literal["loaded"] = "loaded"
    segment: int
    """Which start of the worker."""
    load_seconds: float = Field(ge=0)
    """Engine start to ready, on the monotonic clock."""
    loaded: Loaded
    """What the engine says."""


class LoadProgress(Record):
    """How far an engine is that takes minutes to load."""

    event: Literal["load_progress"] = "load_progress"
    segment: int
    """Which start of the worker."""
    text: str
    """In words."""


class WorkloadStarted(Record):
    """A workload begins."""

    event: Literal["workload_started"] = "workload_started"
    segment: int
    """Which start of the worker."""
    workload: Literal["accuracy", "latency", "prompts"]
    """Which."""
    total: int = Field(ge=0)
    """Requests of the whole workload."""
    remaining: int = Field(ge=0)
    """Requests that this segment has to do."""
    at_seconds: float = Field(ge=0)
    """When."""


class WorkloadFinished(Record):
    """A workload is complete. Its window is what throughput is derived from."""

    event: Literal["workload_finished"] = "workload_finished"
    segment: int
    """Which start of the worker."""
    workload: Literal["accuracy", "latency", "prompts"]
    """Which."""
    started_at_seconds: float = Field(ge=0)
    """First request handed over, warm-up left out."""
    finished_at_seconds: float = Field(ge=0)
    """Last completion."""


class ChunkArrived(Record):
    """Text of an answer while it is written; for head-to-head, where people watch."""

    event: Literal["chunk"] = "chunk"
    request_id: str
    """The request."""
    text: str
    """New text."""


class RequestRetried(Record):
    """A request is handed over once more; the wait before is part of no latency."""

    event: Literal["retried"] = "retried"
    segment: int
    """Which start of the worker."""
    request_id: str
    """The request."""
    retry: Retry
    """Why, and after which wait."""


class CompletionDone(Record):
    """One example is finished, with its scores."""

    event: Literal["completion"] = "completion"
    completion: Completion
    """What came back."""
    scores: tuple[Score, ...] = ()
    """What the scorers say."""


class FailureHappened(Record):
    """Something went wrong; the run goes on where it can."""

    event: Literal["failure"] = "failure"
    workload: Literal["accuracy", "latency", "prompts"] | None = None
    """Where it happened."""
    failure: Failure
    """What."""


class RunFinished(Record):
    """The worker has done all it was asked to."""

    event: Literal["finished"] = "finished"
    segment: int
    """Which start of the worker."""
    at_seconds: float = Field(ge=0)
    """When."""


RunEvent = Annotated[
    RunStarted
    | LoadProgress
    | ModelLoaded
    | WorkloadStarted
    | WorkloadFinished
    | ChunkArrived
    | RequestRetried
    | CompletionDone
    | FailureHappened
    | RunFinished,
    Field(discriminator="event"),
]
"""One line of the event file."""

run_event_adapter: TypeAdapter[RunEvent] = TypeAdapter(RunEvent)
"""Parses one line of the event file."""


class RunResult(Record):
    """Everything one run left behind, ready for the store."""

    spec: RunSpec
    """What was asked."""
    status: Literal["finished", "failed", "cancelled", "incomplete"]
    """How it ended; incomplete: the worker or its parent died and the run can be resumed."""
    started: tuple[RunStarted, ...] = ()
    """One per segment."""
    loads: tuple[ModelLoaded, ...] = ()
    """One per segment that loaded."""
    windows: tuple[WorkloadFinished, ...] = ()
    """Measured windows."""
    completions: tuple[CompletionDone, ...] = ()
    """Finished requests, each once."""
    memory: tuple[MemorySample, ...] = ()
    """Samples of all segments."""
    failures: tuple[FailureHappened, ...] = ()
    """What went wrong."""
