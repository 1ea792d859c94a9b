"""The runners' records: what is to be run, what happened, and how the worker tells it.

A RunSpec is self-contained: a worker needs nothing else, here or on another machine. What happened is stored as
offsets and counts; every latency, throughput and peak is derived from them later (results/migrations).
All offsets are seconds on the worker's monotonic clock, counted from the start of its process.
"""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, TypeAdapter, model_validator

from catalog.records import Candidate, Record
from runners.engine_options import EngineOptions
from runners.schema_text import schema_as_json
from runners.test_set_records import PromptTemplate, TestSet, content_of, digest

SPEC_VERSION = 1
"""Version of RunSpec and of the event file; part of every key."""


WorkloadKind = Literal["accuracy", "latency", "load_sweep", "arrivals", "load", "prompts", "robustness"]
"""Kinds of workloads; see Workload."""

TIMED_KINDS: frozenset[WorkloadKind] = frozenset({"latency", "load_sweep", "arrivals"})
"""Those whose requests are timed one by one, after warm-up, without prefix cache."""

JUDGED_KINDS: frozenset[WorkloadKind] = frozenset({"accuracy", "robustness"})
"""Those whose answers are scored. Quality comes from accuracy alone."""

Perturbation = Literal["typos", "case", "whitespace", "paraphrase", "label_order", "shot_order"]
"""Changes that leave the right answer alone (runners/perturbations.py).

typos:       in the example's columns; labels, choices and right answers stay.
case:        the example's columns in capitals, or without any.
whitespace:  more of it in and around the example's columns.
paraphrase:  another wording of the instruction: the workload's own, else other words for the usual English ones.
label_order: labels, or the choices of an example, in another order.
shot_order:  few-shot examples in another order.
"""


LengthNormalisation = Literal["none", "tokens", "bytes"]
"""What the log-probability of an answer is divided by, if anything."""


class Synthetic(Record):
    """Made prompts of exact length, each different, answered with exactly so many tokens."""

    input_tokens: int = Field(gt=0, le=10_000_000)
    """Tokens of the rendered prompt, chat template included, by the model's own tokenizer."""
    output_tokens: int = Field(gt=0, le=1_000_000)
    """Tokens of the answer: the model's own end is passed over."""


class Workload(Record):
    """What is asked of a loaded candidate, and how.

    accuracy:   every example, batched, prefix cache on; gives quality and no latency figure.
    latency:    closed loop at concurrency 1, prefix cache off, after warm-up prompts that are left out.
    load_sweep: closed loop at 1, 2, 4, 8 … requests at once, until throughput stops gaining or a limit breaks.
    arrivals:   open loop: requests arrive at random (Poisson) at a rate, whether or not earlier ones are answered.
    load:       loads the model again and again, the first time without its file in memory, then with it.
    prompts:    free conversations: head-to-head, and what a judge is asked.
    robustness: the same examples as they are, with small changes that leave the right answer alone, and again at a
                temperature; scored like accuracy and in no figure of it.
    """

    ALWAYS_IN_KEY: ClassVar[frozenset[str]] = frozenset(
        {
            *("kind", "prompts", "warmup_prompts", "max_output_tokens", "stop", "temperature", "calibration"),
            "conversations",
        }
    )
    """Fields of the first release; see RunSpec.key."""

    kind: WorkloadKind
    """See above."""
    prompts: int | None = Field(default=None, gt=0)
    """Requests, at each level at least so many; None sends all examples (latency), 30 synthetic ones, or 20 a level."""
    synthetic: Synthetic | None = None
    """Latency, load sweep, arrivals: made prompts of exact length instead of the test set's."""
    max_concurrency: int = Field(default=64, ge=1, le=512)
    """Load sweep: most requests at once; arrivals: most that are under way, later ones wait."""
    rounds: int = Field(default=4, ge=1)
    """Load sweep: each level sends at least this many requests for each one at once."""
    min_gain: float = Field(default=0.05, ge=0, le=1)
    """Load sweep: it ends where a level gains less throughput than this over the one before."""
    max_ttft_p95_seconds: float | None = Field(default=None, gt=0)
    """Load sweep: it ends where the time to first token, p95, is longer."""
    max_e2e_p95_seconds: float | None = Field(default=None, gt=0)
    """Load sweep: it ends where the time from handing over to the last token, p95, is longer."""
    rates_per_second: tuple[Annotated[float, Field(ge=0.01)], ...] = ()
    """Arrivals: requests per second on average; one level after the other."""
    repeats: int = Field(default=2, ge=1, le=100)
    """Load: how often the model is loaded again with its file in memory. Robustness: how often each example is asked
    again at `temperature`; none where that is 0."""
    warmup_prompts: int = Field(default=3, ge=0)
    """Latency, load sweep, arrivals: prompts sent first and left out; they are not from the test set."""
    max_output_tokens: int = Field(default=32, gt=0)
    """Most tokens generated for one request."""
    stop: tuple[str, ...] = ()
    """Strings at which an answer ends; they are not part of it."""
    temperature: float = Field(default=0.0, ge=0, le=5)
    """0 is greedy."""
    calibration: Literal["none", "contextual"] = "none"
    """Accuracy by scored answers: `contextual` divides each answer's probability by the one it has after texts that
    say nothing (Zhao et al. 2021, Calibrate Before Use), because small models favour some answers whatever is asked."""
    length_normalisation: LengthNormalisation = "none"
    """Accuracy by scored answers: what an answer's log-probability is divided by before the highest is taken, because
    longer answers are less likely whatever is asked: nothing, its tokens, or its UTF-8 bytes."""
    answers: Literal["scored", "held", "free"] = "scored"
    """Accuracy where there are labels or choices: `scored` takes the one with the highest log-probability (an engine
    that cannot score generates it); `held` generates an answer that can only be one of them; `free` generates whatever
    comes, and the scorer reads it. Other tasks are always answered freely."""
    json_schema: Annotated[str | None, BeforeValidator(schema_as_json)] = None
    """JSON schema that generated answers are held to, as JSON; a mapping is accepted and written as JSON."""
    grammar: str | None = None
    """GBNF grammar that generated answers are held to; llama.cpp only."""
    logprobs: bool = False
    """Whether the log-probability of every generated token is kept."""
    conversations: tuple["Conversation", ...] = ()
    """Prompts: what is sent."""
    perturbations: tuple[Perturbation, ...] = ()
    """Robustness: in which ways each example is asked beside the way it is."""
    examples: int | None = Field(default=None, gt=0)
    """Robustness: how many of the test set's examples, drawn by the seed; None takes all."""
    typo_rate: float = Field(default=0.1, gt=0, le=1)
    """Robustness: share of the words that get a typo; at least one word of a text gets one."""
    paraphrases: tuple[PromptTemplate, ...] = ()
    """Robustness: other wordings of the prompt, each used for about as many examples."""
    shuffle: bool = False
    """Accuracy: ask the examples in random order (by the seed), those of a group together; early stopping does."""

    @model_validator(mode="after")
    def _is_held_to_one_thing(self) -> "Workload":
        if self.json_schema is not None and self.grammar is not None:
            raise ValueError("json_schema and grammar cannot both hold an answer; leave one out")
        return self

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> "Workload":
        if self.kind == "arrivals" and not self.rates_per_second:
            raise ValueError("an arrivals workload needs rates_per_second, such as rates_per_second: [1, 2]")
        if self.rates_per_second and self.kind != "arrivals":
            raise ValueError("only an arrivals workload has rates_per_second; leave them out or set kind: arrivals")
        for_robustness = ("perturbations", "examples", "paraphrases")
        alien = next((name for name in for_robustness if getattr(self, name) and self.kind != "robustness"), None)
        if alien is not None:
            raise ValueError(f"only a robustness workload has {alien}; leave it out or set kind: robustness")
        if self.kind == "robustness" and not self.perturbations and self.temperature == 0:
            raise ValueError(
                "a robustness workload needs perturbations, such as [typos, case], or a temperature above 0 at which "
                "each example is asked again"
            )
        if self.paraphrases and "paraphrase" not in self.perturbations:
            raise ValueError("paraphrases are used by the perturbation paraphrase; add it to perturbations")
        if self.shuffle and self.kind != "accuracy":
            raise ValueError("only an accuracy workload is shuffled; leave shuffle out or set kind: accuracy")
        if self.synthetic is not None and self.kind not in TIMED_KINDS:
            raise ValueError("synthetic prompts have no right answer; use them with latency, load_sweep or arrivals")
        return self


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
    keeps_prompts: bool = False
    """Whether the prompts are kept as the model receives them, so that two runs can be held against each other."""
    prompt: PromptTemplate | None = None
    """Used in place of the test set's prompt, where several are compared on the same examples."""
    prompt_name: str | None = None
    """What that prompt is called."""

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
    def asked(self) -> TestSet:
        """The test set with the prompt that this run uses."""
        return self.test_set if self.prompt is None else self.test_set.model_copy(update={"prompt": self.prompt})

    @property
    def key(self) -> str:
        """Hex digest that names the run: equal exactly when the same work would be done again."""
        # Left out where it is not asked for, so that runs from before there was the question keep their keys.
        later: dict[str, object] = {"keeps_prompts": True} if self.keeps_prompts else {}
        if self.prompt is not None:
            later["prompt"] = content_of(self.prompt, PromptTemplate.ALWAYS_IN_HASH)
        return digest(
            {
                **later,
                "spec_version": self.spec_version,
                "model": self.candidate.model_id,
                "revision": self.candidate.revision,
                "weights": self.candidate.weights_sha256 or self.candidate.weights_path,
                "options": _options_content(self.options),
                "test_set": self.test_set.content_hash,
                "workloads": [content_of(workload, Workload.ALWAYS_IN_KEY) for workload in self.workloads],
                "engine_version": self.engine_version,
                "scorer_versions": self.scorer_versions,
                "seed": self.seed,
            }
        )


def _options_content(options: EngineOptions) -> dict[str, object]:
    """An engine's options in a key; all of them where the engine came with today's fields."""
    always = options.ALWAYS_IN_KEY or frozenset(type(options).model_fields)
    return content_of(options, always, options.NOT_IN_KEY)


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
    json_schema: str | None = None
    """JSON schema, as JSON, that the answer is held to."""
    grammar: str | None = None
    """GBNF grammar that the answer is held to; the rule `root` is the answer. llama.cpp only."""
    logprobs: bool = False
    """Whether the log-probability of each output token is wanted."""
    ignore_eos: bool = False
    """Whether the model's own end is passed over, so that the answer has max_output_tokens tokens."""


class NotYet(Record):
    """In the place of a request that is not due yet."""

    seconds: float = Field(ge=0)
    """How long it is not: the engine goes on with what it has, or waits, and asks again."""


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
    logprobs: tuple[float, ...] = ()
    """Where asked for: natural-log probability of each of those tokens, before temperature and grammar."""
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

    def evidence_per(self, unit: LengthNormalisation) -> float:
        """The same for each token or each UTF-8 byte of the answer."""
        length = {"none": 1, "tokens": self.tokens, "bytes": len(self.choice.encode())}[unit]
        return self.evidence / max(1, length)


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
    """Compute threads in use, for one token at a time."""
    batch_threads: int | None = None
    """Compute threads in use for many tokens at once, as in prompts."""
    chat_template_sha256: str | None = None
    """Digest of the chat template; None where the model has none and prompts are plain text."""
    weights_bytes: int | None = None
    """Bytes of the tensors."""


class Tuned(Record):
    """What an engine found to be fastest on this machine."""

    threads: int = Field(gt=0)
    """Compute threads for one token at a time."""
    batch_threads: int = Field(gt=0)
    """Compute threads for many tokens at once."""


class Completion(Record):
    """One prompt and what came back. Times are offsets; see the module's first lines."""

    request_id: str
    """The request."""
    workload: WorkloadKind
    """Workload it belongs to; `load` is the first request after a load."""
    level: float | None = None
    """Which level of it. Load sweep: requests at once; arrivals: requests per second on average."""
    example_id: str | None = None
    """Example of the test set, where it came from one."""
    variation: str | None = None
    """Robustness: `original`, a perturbation, or `repeat-1`, `repeat-2` … (runners/variations.py)."""
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
    """When the request could have been handed over: its place was free; in an open loop, it had arrived."""
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
    token_logprobs: tuple[float, ...] = ()
    """Where asked for: natural-log probability of each output token, before temperature and grammar."""


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
    """1 is right, 0 is wrong; scorers of text give values in between. None where the example was not judged."""
    predicted: str | None = None
    """The answer as it was understood."""
    counts: dict[str, float] = Field(default_factory=dict)
    """What the example adds to the sums that metrics are made of, by name; which ones is the scorer's business."""


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
    request_id: str | None = None
    """The request, where it concerns one."""
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
    repeat: int = Field(default=0, ge=0)
    """0 for the first load of the process, one more for each repetition."""
    cached_share: float | None = Field(default=None, ge=0, le=1)
    """Share of the weights that the system held in memory before; None where nobody can tell."""
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
    workload: WorkloadKind
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
    workload: WorkloadKind
    """Which."""
    level: float | None = None
    """Which level of it, as in Completion."""
    started_at_seconds: float = Field(ge=0)
    """First request handed over, warm-up left out; in an open loop, when the clock of arrivals began."""
    finished_at_seconds: float = Field(ge=0)
    """Last completion."""
    energy_joules: float | None = Field(default=None, ge=0)
    """Energy that this machine's counters say was used in between; None where none can be read."""
    energy_source: str | None = None
    """Which counters, in words."""


class ChunkArrived(Record):
    """Text of an answer while it is written; for head-to-head, where people watch."""

    event: Literal["chunk"] = "chunk"
    request_id: str
    """The request."""
    text: str
    """New text."""
    thinking: bool = False
    """Whether it belongs to the thinking before the answer."""
    tokens: int = Field(default=0, ge=0)
    """Output tokens in it; 0 where nobody was watching the clock."""
    offset_seconds: float | None = Field(default=None, ge=0)
    """When it came, counted from when the request was handed over; None where nobody was watching the clock."""


class AnswerStopped(Record):
    """A person stopped an answer while it was written; the model stays loaded."""

    event: Literal["stopped"] = "stopped"
    request_id: str
    """The request."""


class RequestRetried(Record):
    """A request is handed over once more; the wait before is part of no latency."""

    event: Literal["retried"] = "retried"
    segment: int
    """Which start of the worker."""
    request_id: str
    """The request."""
    retry: Retry
    """Why, and after which wait."""


class PromptRendered(Record):
    """The prompt of one request of the accuracy workload as the model receives it, where the spec asks for it."""

    event: Literal["prompt"] = "prompt"
    request_id: str
    """The request."""
    text: str
    """The prompt."""


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
    workload: WorkloadKind | None = None
    """Where it happened."""
    level: float | None = None
    """At which level of it, as in Completion."""
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
    | AnswerStopped
    | RequestRetried
    | PromptRendered
    | CompletionDone
    | FailureHappened
    | RunFinished,
    Field(discriminator="event"),
]
"""One line of the event file."""

run_event_adapter: TypeAdapter[RunEvent] = TypeAdapter(RunEvent)
"""Parses one line of the event file."""


class EarlyStop(Record):
    """Why a candidate was stopped before it had answered every example: it could no longer win."""

    against: str
    """The best candidate that was finished then."""
    examples: int = Field(ge=1)
    """Examples that both had answered, in random order, when it was decided."""
    value: float
    """Its quality on these."""
    against_value: float
    """The other's on the same."""
    margin: float = Field(default=0.0, ge=0)
    """How much worse would have been fine."""
    e_value: float = Field(ge=0)
    """Evidence that it is worse by more than that (results/sequential.py)."""
    threshold: float = Field(gt=0)
    """Evidence that was needed: pairs of candidates ÷ alpha."""
    alpha: float = Field(gt=0, lt=1)
    """Chance that any candidate is stopped that is not worse."""
    not_asked: int = Field(default=0, ge=0)
    """Examples that it was never asked."""
    seconds_per_example: float = Field(default=0.0, ge=0)
    """Measured on those that it was asked."""
    seconds_saved: float = Field(default=0.0, ge=0)
    """Examples not asked × seconds per example."""


class RunResult(Record):
    """Everything one run left behind, ready for the store."""

    spec: RunSpec
    """What was asked."""
    status: Literal["finished", "failed", "cancelled", "stopped", "incomplete"]
    """How it ended; stopped: it could no longer win; incomplete: the worker or its parent died. Both can be resumed."""
    started: tuple[RunStarted, ...] = ()
    """One per segment."""
    loads: tuple[ModelLoaded, ...] = ()
    """One per segment that loaded."""
    windows: tuple[WorkloadFinished, ...] = ()
    """Measured windows."""
    prompts: tuple[PromptRendered, ...] = ()
    """Prompts as the model received them, each once, where the spec asks for them and the engine makes them."""
    completions: tuple[CompletionDone, ...] = ()
    """Finished requests, each once."""
    memory: tuple[MemorySample, ...] = ()
    """Samples of all segments."""
    failures: tuple[FailureHappened, ...] = ()
    """What went wrong."""
    stopped: EarlyStop | None = None
    """Where its status is `stopped`: why."""
