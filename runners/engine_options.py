"""What can be set of each engine: one record per engine, and the union that refuses what an engine does not know."""

import ipaddress
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from catalog.records import Record

Thinking = Literal["default", "on", "off"]
"""What the chat template of a model that can think is told; `default` leaves it to the template."""

ENABLE_THINKING: dict[Thinking, bool | None] = {"default": None, "on": True, "off": False}
"""The same as chat templates take it."""


class _Options(Record):
    """What the options of all engines have in common."""

    NOT_IN_KEY: ClassVar[frozenset[str]] = frozenset()
    """Options that change no result, so that a run is the same run, and can be resumed, with other values."""
    ALWAYS_IN_KEY: ClassVar[frozenset[str]] = frozenset()
    """Options of the first release: those that came later are in the key only where they are set. Empty for all."""


class LlamaCppOptions(_Options):
    """Options of the llama.cpp engine."""

    NOT_IN_KEY: ClassVar[frozenset[str]] = frozenset({"concurrency"})
    ALWAYS_IN_KEY: ClassVar[frozenset[str]] = frozenset(
        {"engine", "context_tokens", "threads", "batch_tokens", "gpu_layers", "memory_map"}
    )

    engine: Literal["llama-cpp"] = "llama-cpp"
    context_tokens: int = Field(default=2048, ge=64, le=10_000_000)
    """KV cache cells, shared by all sequences that are held at once."""
    concurrency: int = Field(default=16, ge=1, le=30)
    """Answers generated at once in accuracy workloads, as far as the cells suffice; latency is measured one by one."""
    threads: int | None = Field(default=None, gt=0)
    """Compute threads; None tries some numbers after loading and takes the fastest."""
    batch_tokens: int = Field(default=512, ge=32, le=16_384)
    """Most tokens decoded in one call."""
    gpu_layers: int | Literal["auto", "all"] = "auto"
    """Layers kept on the GPU, where the build has a GPU backend; `auto`: as many as its free memory holds."""
    memory_map: bool = True
    """Map the weights from the file instead of copying them."""
    cache_type: Literal["f16", "f32", "q8_0", "q4_0"] = "f16"
    """Number format of the KV cache; the quantized ones switch flash attention on, which is slow on CPUs."""
    thinking: Thinking = "default"
    """What the chat template of a model that can think is told; `default` leaves it to the template."""


class ScriptedOptions(_Options):
    """Options of the scripted engine, whose delays and answers are known exactly. For tests of the stopwatch."""

    engine: Literal["scripted"] = "scripted"
    load_seconds: float = Field(default=0.0, ge=0)
    """Delay of load()."""
    first_token_seconds: float = Field(default=0.01, ge=0)
    """Delay before the first chunk of every request."""
    token_seconds: float = Field(default=0.005, ge=0)
    """Delay between chunks."""
    first_token_seconds_of: dict[str, float] = Field(default_factory=dict)
    """The first delay by request id, where it is another."""
    token_seconds_of: dict[str, float] = Field(default_factory=dict)
    """The delay between chunks by request id, where it is another."""
    slots: int = Field(default=64, ge=1)
    """Requests held at once, each with its own delays; more are not taken until one is done."""
    thinking: str = ""
    """Thinking before every answer, one chunk per word; its words are output tokens."""
    score_seconds: float = Field(default=0.0, ge=0)
    """Delay of scoring the choices of one request."""
    text: str = Field(default="one two three four", pattern=r"\S")
    """Answer to every request, one chunk per word."""
    answers: dict[str, str] = Field(default_factory=dict)
    """Choice that wins, by example id; others choose the first label."""
    empty_first_chunk: bool = False
    """Send an empty chunk first, which is not a token."""
    fail_on: tuple[str, ...] = ()
    """Example ids at which the engine raises an error."""
    crash_on: tuple[str, ...] = ()
    """Example ids at which the process ends at once, as after a segmentation fault."""
    hang_on: tuple[str, ...] = ()
    """Example ids at which the engine never answers."""
    memory_bytes: int = Field(default=0, ge=0)
    """Memory to hold while loaded."""


class EndpointOptions(_Options):
    """Options of an OpenAI-compatible server, on this machine or elsewhere (docs/engines.md)."""

    NOT_IN_KEY: ClassVar[frozenset[str]] = frozenset(
        {
            *("api_key_variable", "allow_remote", "requests_per_minute", "max_requests", "max_total_tokens"),
            *("timeout_seconds", "connect_timeout_seconds", "max_retries"),
        }
    )

    engine: Literal["endpoint"] = "endpoint"
    base_url: str
    """Address under which the server has `/chat/completions`, such as http://localhost:11434/v1."""
    model: str | None = Field(default=None, min_length=1)
    """Name by which the server knows the model; None takes the candidate's."""
    api: Literal["chat", "completions"] = "chat"
    """chat: the server applies the model's chat template; completions: the prompt is sent as plain text."""
    api_key_variable: str | None = Field(default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    """Name of the environment variable that holds the key; the key itself is written nowhere."""
    allow_remote: bool = False
    """Whether examples may be sent to another machine than this one."""
    label_answers: Literal["auto", "json_schema", "free"] = "auto"
    """How accuracy gets a label: held to the labels by a JSON schema, as free text, or (auto) the first if it can."""
    concurrency: int = Field(default=4, ge=1, le=256)
    """Requests at once in accuracy workloads; latency is always measured one at a time."""
    context_tokens: int | None = Field(default=None, ge=64, le=10_000_000)
    """Context of the server, for those that cut longer prompts silently: what does not fit counts as overflow."""
    requests_per_minute: int | None = Field(default=None, ge=1)
    """Requests are spread evenly so that no more than this many start in a minute; None for no limit."""
    max_requests: int | None = Field(default=None, ge=1)
    """Spending limit: most requests sent in one start of a run, warm-up included; None for no limit."""
    max_total_tokens: int | None = Field(default=None, ge=1)
    """Spending limit: most tokens, prompts and answers together, in one start of a run; None for no limit."""
    timeout_seconds: float = Field(default=300, gt=0, le=590)
    """Longest silence of the server before a request counts as failed."""
    connect_timeout_seconds: float = Field(default=10, gt=0, le=590)
    """Longest wait for a connection."""
    max_retries: int = Field(default=4, ge=0, le=20)
    """Further tries after 429, 502, 503, 504 or a refused connection."""

    @field_validator("base_url")
    @classmethod
    def _is_a_plain_address(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            host, _ = parts.hostname, parts.port
        except ValueError as error:
            raise ValueError(f"it is no address ({error}); write one such as http://localhost:11434/v1") from error
        if parts.scheme not in {"http", "https"} or not host:
            raise ValueError("an address begins with http:// or https:// and names a host: http://localhost:11434/v1")
        if parts.username is not None or parts.query or parts.fragment:
            raise ValueError(
                "an address holds no password, query or fragment; name the variable that holds the key in "
                "api_key_variable"
            )
        return value.rstrip("/")


class VllmOptions(_Options):
    """Options of vLLM, whose server the worker starts in an environment of its own (docs/engines.md)."""

    NOT_IN_KEY: ClassVar[frozenset[str]] = frozenset({"environment", "start_seconds"})

    engine: Literal["vllm"] = "vllm"
    environment: str | None = None
    """Folder of the environment that holds vLLM; None takes the one made by `workbench engines install vllm`."""
    context_tokens: int = Field(default=2048, ge=64, le=10_000_000)
    """Longest prompt with its answer (vLLM's max-model-len)."""
    quantization: Literal["awq", "gptq", "fp8", "bitsandbytes", "compressed-tensors"] | None = None
    """None reads it from the model's config; fp8 and bitsandbytes also quantize an unquantized model while loading."""
    dtype: Literal["auto", "float16", "bfloat16", "float32"] = "auto"
    """Number format that is computed in; auto takes the model's own."""
    tensor_parallel: int = Field(default=1, ge=1, le=64)
    """GPUs that each layer is split over."""
    gpu_memory_share: float = Field(default=0.9, gt=0, le=1)
    """Part of the GPU's memory that vLLM takes, weights and KV cache together (gpu-memory-utilization)."""
    kv_cache_bytes: int | None = Field(default=None, ge=1)
    """KV cache; None: on a GPU what gpu_memory_share leaves, on a CPU 1 GiB. On a CPU rounded up to whole GiB."""
    kv_cache_dtype: Literal["auto", "fp8"] = "auto"
    """Number format of the KV cache."""
    concurrency: int = Field(default=16, ge=1, le=1024)
    """Requests at once in accuracy workloads (vLLM's max-num-seqs); latency is always measured one at a time."""
    threads: int | None = Field(default=None, gt=0)
    """CPU: compute threads; None takes the cores this process may use."""
    enforce_eager: bool | None = None
    """Whether the network runs uncompiled; None compiles on GPUs only: on CPUs it takes minutes at every start."""
    label_answers: Literal["scored", "json_schema", "free"] = "scored"
    """How accuracy gets a label: by log-probability, generated and held to the labels by a JSON schema, or generated
    as free text; with the first a model answers without thinking."""
    thinking: Thinking = "default"
    """What the chat template of a model that can think is told; `default` leaves it to the template."""
    reasoning_parser: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_.-]+$")
    """vLLM's name of the parser that tells thinking from the answer, such as qwen3 or deepseek_r1."""
    trust_remote_code: bool = False
    """Whether Python code from the model's folder may run; read it first."""
    start_seconds: float = Field(default=1800, gt=0)
    """Longest wait for the server to be ready."""


class ImportedOptions(_Options):
    """Answers that were made elsewhere: nothing runs, and nothing can be set."""

    NOT_IN_KEY: ClassVar[frozenset[str]] = frozenset({"file"})

    engine: Literal["imported"] = "imported"
    file: str
    """File that they were read from."""
    sha256: str
    """Digest of its content."""


def is_remote(options: EndpointOptions) -> bool:
    """Whether the host is another one than this machine, as far as its name tells: localhost, 127.0.0.0/8, ::1."""
    host = urlsplit(options.base_url).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host != "localhost"


def renders_prompts(options: "EngineOptions") -> bool:
    """Whether the prompt is put together on this side; a chat server puts its model's template around it unseen."""
    if isinstance(options, EndpointOptions):
        return options.api == "completions"
    return isinstance(options, LlamaCppOptions | ScriptedOptions | VllmOptions)


EngineOptions = Annotated[
    LlamaCppOptions | ScriptedOptions | EndpointOptions | VllmOptions | ImportedOptions,
    Field(discriminator="engine"),
]
"""Options by engine; an option that an engine does not know is refused."""
