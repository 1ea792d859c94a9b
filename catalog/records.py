"""The catalog's records: models, where each fact comes from, license verdicts, machines and memory fit.

Optional means "not known": never 0, never NaN, never a default. Units stand in the names.
"""

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Record(BaseModel):
    """Base of every record in the project: immutable, no unknown fields, finite numbers only."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


Confidence = Literal["verified", "reported", "derived", "doubtful"]
"""verified: read in the primary source; reported: copied from a public list; derived: computed from other facts;
doubtful: sources disagree, or the source is known to be wrong at times."""


class Provenance(Record):
    """Where one fact of a model comes from."""

    field: str
    """Name of the field of Model (or of its architecture, as `architecture.layers`)."""
    source: str
    """A public document or file, specific enough to look the fact up again."""
    confidence: Confidence
    """How far the fact can be trusted."""


class WeightsFile(Record):
    """One file of weights of a model."""

    path: str
    """Path inside the repository, or absolute path of a local file."""
    size_bytes: int | None = Field(default=None, ge=0)
    """Exact size of the file."""
    format: Literal["gguf", "safetensors", "pickle", "other"]
    """Container format, from the file itself or its ending."""
    quantization: str | None = None
    """As llama.cpp or the repository names it: `Q4_K_M`, `Q8_0`, `F16`, `awq` …"""
    sha256: str | None = None
    """Lower-case hex digest of the whole file."""


LayerKind = Literal["full", "sliding", "chunked", "latent", "recurrent", "none"]
"""full: attends to everything; sliding, chunked: to a window; latent: to everything through one compressed vector
(MLA); recurrent: keeps a state of fixed size; none: keeps nothing, or shares the cache of another layer."""


class LayerGroup(Record):
    """Layers of a network that keep the same kind of cache.

    Per token a layer keeps kv_heads × (key_dim + value_dim) numbers (latent: one head, no values), up to its window.
    """

    kind: LayerKind
    """What the layers keep."""
    layers: int = Field(gt=0)
    """How many there are."""
    kv_heads: int | None = Field(default=None, gt=0)
    """Key and value heads; 1 for latent layers."""
    key_dim: int | None = Field(default=None, gt=0)
    """Size of one key head; kv_lora_rank + qk_rope_head_dim for latent layers."""
    value_dim: int | None = Field(default=None, ge=0)
    """Size of one value head; 0 for latent layers and where values are the keys."""
    indexer_dim: int | None = Field(default=None, gt=0)
    """Width of the keys that sparse attention keeps beside the cache to choose tokens by."""
    window_tokens: int | None = Field(default=None, gt=0)
    """Tokens that sliding and chunked layers look back on."""
    state_elements: int | None = Field(default=None, ge=0)
    """Numbers that one recurrent layer keeps for one sequence, convolution and state together."""


class Architecture(Record):
    """What the memory prediction needs to know about a network."""

    name: str | None = None
    """Architecture family as the config or the GGUF header names it (`llama`, `gemma3`, `deepseek_v3`)."""
    layers: int | None = Field(default=None, gt=0)
    """Number of transformer blocks."""
    hidden_size: int | None = Field(default=None, gt=0)
    """Width of the residual stream."""
    heads: int | None = Field(default=None, gt=0)
    """Query heads per layer."""
    kv_heads: int | None = Field(default=None, gt=0)
    """Key and value heads per layer; equals `heads` without grouping."""
    head_dim: int | None = Field(default=None, gt=0)
    """Size of one key head; often not hidden_size / heads, so never derived silently."""
    value_head_dim: int | None = Field(default=None, gt=0)
    """Size of one value head where it differs from head_dim."""
    intermediate_size: int | None = Field(default=None, gt=0)
    """Width of the feed-forward layer (of one expert's, in a mixture of experts)."""
    vocabulary_size: int | None = Field(default=None, gt=0)
    """Rows of the output matrix."""
    tied_embeddings: bool | None = None
    """Whether input and output share one vocabulary matrix."""
    layer_groups: tuple[LayerGroup, ...] = ()
    """Layers by what they cache, where they differ from each other; empty means that all of them attend to everything
    with `kv_heads` and `head_dim` (or, with `kv_lora_rank`, through a latent)."""
    kv_lora_rank: int | None = Field(default=None, gt=0)
    """Latent width of multi-head latent attention (MLA)."""
    qk_rope_head_dim: int | None = Field(default=None, gt=0)
    """Rotary part kept beside the MLA latent."""
    experts: int | None = Field(default=None, gt=0)
    """Routed experts of a mixture-of-experts network."""
    experts_per_token: int | None = Field(default=None, gt=0)
    """Routed experts active for one token."""


ContextExtension = Literal["none", "yarn_builtin", "yarn_opt_in", "longrope", "dynamic", "linear"]


class Model(Record):
    """A Hub repository, a local file or folder, or a served endpoint, with what is known about it."""

    id: str
    """`owner/name` on the Hub, absolute path of a local model, or URL of an endpoint."""
    kind: Literal["hub", "local", "endpoint"] = "hub"
    """Where the model lives."""
    revision: str | None = None
    """Commit that pins a Hub repository."""
    task: str | None = None
    """Pipeline tag as the Hub spells it, such as `text-generation`."""
    license: str | None = None
    """License id as the Hub spells it; None where the repository declares none."""
    license_name: str | None = None
    """Name given beside `license: other`."""
    license_link: str | None = None
    """Where the license text is."""
    base_models: tuple[str, ...] = ()
    """Declared parents, nearest first."""
    base_model_relation: Literal["adapter", "merge", "quantized", "finetune"] | None = None
    """How the model was made from its parents."""
    parameters: int | None = Field(default=None, gt=0)
    """Number of weights of the unquantized network."""
    active_parameters: int | None = Field(default=None, gt=0)
    """Weights used for one token, for mixtures of experts."""
    context_native_tokens: int | None = Field(default=None, gt=0)
    """Context the model is served with unless its configuration is changed."""
    context_extended_tokens: int | None = Field(default=None, gt=0)
    """Context reachable by the stated extension."""
    context_extension: ContextExtension | None = None
    """How the extended context is reached."""
    context_effective_tokens: int | None = Field(default=None, gt=0)
    """Tokens that attention really reaches back, where a window in every layer makes it less than the context."""
    multimodal: bool | None = None
    """Whether the model also takes images, audio or video."""
    architecture: Architecture | None = None
    """Figures for the memory prediction."""
    formats: tuple[str, ...] = ()
    """Weight formats that the repository offers: `safetensors`, `gguf` …"""
    weights_files: tuple[WeightsFile, ...] = ()
    """Known files with exact sizes."""
    weights_bytes: int | None = Field(default=None, gt=0)
    """Bytes of the weights as the repository holds them, from the safetensors headers."""
    quantization: str | None = None
    """Quantization of the repository as a whole (`awq`, `gptq`, `fp8`, `Q4_K_M`); None where unquantized or unknown."""
    library: str | None = None
    """Library that the repository is made for: `transformers`, `gguf`, `mlx` …"""
    datasets: tuple[str, ...] = ()
    """Training data that the card names."""
    languages: tuple[str, ...] = ()
    """Language codes from the model card."""
    gated: bool | None = None
    """Whether terms must be accepted on the Hub before download."""
    downloads: int | None = Field(default=None, ge=0)
    """Downloads in the last 30 days when the snapshot was made."""
    likes: int | None = Field(default=None, ge=0)
    """Likes when the snapshot was made."""
    trending_score: float | None = None
    """The Hub's trending score when the snapshot was made."""
    released: str | None = None
    """Release date or month, ISO 8601."""
    updated: str | None = None
    """Date of the last change in the repository, ISO 8601."""
    security: Literal["safe", "unsafe", "unscanned"] | None = None
    """What the Hub's scanners say of the files; None where nobody asked."""
    remote_code: bool | None = None
    """Whether loading it with transformers would run code from the repository."""
    notes: tuple[str, ...] = ()
    """Advice that belongs beside the model: known license conflicts, doubtful facts."""
    provenance: tuple[Provenance, ...] = ()
    """Source of every fact above."""


class VerdictValue(StrEnum):
    """May the model be used commercially? Ordered from the most to the least permissive by `strictness`."""

    ALLOWED = "allowed"
    CONDITIONAL = "conditional"
    UNKNOWN = "unknown"
    FORBIDDEN = "forbidden"

    @property
    def strictness(self) -> int:
        """Rank for 'the stricter wins': allowed 0, conditional 1, unknown 2, forbidden 3."""
        return list(VerdictValue).index(self)


class Reason(Record):
    """One sentence that supports a verdict, with its source."""

    text: str
    """Plain words, our own, for an engineer."""
    source: str
    """Where the clause or the fact was read."""
    read_on: str | None = None
    """ISO date on which the source was read; None where the license text itself was not read."""
    link: str | None = None
    """Address of the text, where known."""


class Ancestor(Record):
    """One model that another was made from, with what its license means for the same profile."""

    model_id: str
    """Hub id, or a family such as `Llama 3.1` where only the name tells."""
    relation: Literal["adapter", "merge", "quantized", "finetune", "family"] | None = None
    """How the child was made from it; `family` where the name of the child tells it."""
    license: str | None = None
    """License that it declares, or that its family is known to have."""
    value: VerdictValue | None = None
    """Verdict of that license under the profile; None where the parent is not in the catalog."""
    source: str
    """Where the relation was read: `card of X`, `name of X`."""
    guessed: bool = False
    """Whether only a name tells it, so that it can never forbid, only make unknown."""


class Verdict(Record):
    """May this be used commercially under the given profile. Not legal advice."""

    value: VerdictValue
    """The verdict."""
    license: str | None
    """License id or license name that decided."""
    reasons: tuple[Reason, ...]
    """Why; never empty."""
    conditions: tuple[str, ...] = ()
    """What must be done to use it, as a checklist."""
    advisories: tuple[str, ...] = ()
    """Worth knowing, but decides nothing."""
    verified: bool = False
    """Whether the license text itself was read."""
    declared_value: VerdictValue | None = None
    """Verdict of the declared license alone, where the lineage made it stricter."""
    lineage: tuple[Ancestor, ...] = ()
    """What the model was made from, nearest first, up to the root."""


class Profile(Record):
    """What the user intends, asked once; verdicts are evaluated against it."""

    commercial: bool = True
    """Used in a product or inside a company."""
    eu_based: bool = True
    """The user or their company is domiciled in the European Union."""
    monthly_users: int = Field(default=100_000, ge=0)
    """Monthly active users of all the company's products."""
    annual_revenue_usd: int = Field(default=10_000_000, ge=0)
    """Annual revenue including affiliates, in US dollars."""
    trains_on_outputs: bool = False
    """Outputs will be used to train or improve other models."""
    hosts_or_redistributes: bool = False
    """The model is offered to third parties as a service or as files."""


class GpuDevice(Record):
    """One accelerator."""

    name: str
    """As its driver names it."""
    total_bytes: int = Field(ge=0)
    """Memory of the device."""
    free_bytes: int = Field(ge=0)
    """Memory free when asked."""
    driver: str | None = None
    """Driver version."""
    bandwidth_bytes_per_second: float | None = Field(default=None, gt=0)
    """Memory bandwidth: a ceiling that the driver's figures or the data sheet give."""
    bandwidth_source: str | None = None
    """Where the bandwidth comes from."""


class Machine(Record):
    """What a candidate runs on."""

    name: str
    """Host name, or name of a machine profile."""
    cpu: str
    """CPU model as the system names it."""
    instruction_sets: tuple[str, ...] = ()
    """Vector instruction sets that matter to llama.cpp: `avx2`, `avx512f`, `amx_int8`, `neon` …"""
    physical_cores: int | None = Field(default=None, gt=0)
    """Cores without hyper-threads."""
    logical_cores: int = Field(gt=0)
    """Cores that this process may use."""
    memory_total_bytes: int = Field(gt=0)
    """Main memory, or the limit that a container sets."""
    memory_available_bytes: int = Field(ge=0)
    """Main memory that can be had without swapping."""
    bandwidth_bytes_per_second: float | None = Field(default=None, gt=0)
    """Bandwidth of main memory: measured on this machine, or from the data sheet."""
    bandwidth_source: str | None = None
    """Where that bandwidth comes from."""
    unified_memory: bool = False
    """Whether the GPU works in main memory, so that both are one budget."""
    gpus: tuple[GpuDevice, ...] = ()
    """Accelerators visible to this process."""
    operating_system: str = ""
    """Name and release of the system."""
    python: str = ""
    """Version of Python."""


class MachineProfile(Record):
    """A machine that is not this one: from the shipped list, or from a file of the user's."""

    name: str = Field(min_length=1)
    """Short name to type: `rtx-4090`, `h100-80gb-x2`."""
    title: str
    """Name for people."""
    machine: Machine
    """What it has, all of it free."""
    source: str
    """Data sheet or page where memory and bandwidth were read."""
    link: str | None = None
    """Address of the source."""
    read_on: str | None = None
    """ISO date of the reading; None where the figures are the user's own."""


class FitValue(StrEnum):
    """Whether it runs on the machine."""

    FITS = "fits"
    TIGHT = "tight"
    OFFLOAD = "offload"
    NO = "no"
    UNKNOWN = "unknown"


FitEngine = Literal["llama-cpp", "vllm"]
CacheType = Literal["f16", "bf16", "f32", "fp8", "q8_0", "q4_0"]


class FitSettings(Record):
    """How a model would be run, for the prediction of its memory."""

    quantization: str = "Q4_K_M"
    """Quantization of the weights."""
    context_tokens: int = Field(default=4096, gt=0)
    """Context per sequence."""
    concurrency: int = Field(default=1, gt=0)
    """Sequences held at once."""
    engine: FitEngine = "llama-cpp"
    """Engine whose way of keeping memory is assumed."""
    cache_type: CacheType = "f16"
    """Number format of the KV cache."""


class Fit(Record):
    """Predicted memory of one model run in one way, against one machine.

    total = weights + KV cache + recurrent state + compute + overhead. Each part is None where the facts for it are
    missing, and then the total and the verdict are unknown rather than guessed.
    """

    model_id: str
    """The model."""
    value: FitValue
    """`fits` leaves at least 10 % and 1 GiB of the free memory; `tight` less than that; `offload` needs main memory
    beside the GPU; `no` does not go in."""
    quantization: str | None
    """Quantization that was assumed."""
    context_tokens: int = Field(gt=0)
    """Context per sequence that was assumed."""
    concurrency: int = Field(gt=0)
    """Sequences held at once."""
    engine: FitEngine = "llama-cpp"
    """Engine that was assumed."""
    cache_type: CacheType = "f16"
    """Number format of the KV cache."""
    weights_bytes: int | None = Field(default=None, ge=0)
    """Weights, from exact file size where known, else parameters × measured bits per weight."""
    kv_cache_bytes: int | None = Field(default=None, ge=0)
    """KV cache, summed over the layers."""
    state_bytes: int | None = Field(default=None, ge=0)
    """Fixed state of recurrent layers; 0 where there are none."""
    compute_bytes: int | None = Field(default=None, ge=0)
    """Scratch buffers of the engine; an estimate."""
    overhead_bytes: int | None = Field(default=None, ge=0)
    """Process, libraries and tokenizer, and the copy of weights that a CPU reads faster; an estimate."""
    total_bytes: int | None = Field(default=None, ge=0)
    """Sum of the parts: what is expected, and what a run then measures."""
    reclaimable_bytes: int | None = Field(default=None, ge=0)
    """Part of the total that the system takes back when memory is short: pages of a file that was copied. The verdict
    leaves it out."""
    least_bytes: int | None = Field(default=None, ge=0)
    """What it takes at least, without scratch and without what is reclaimable."""
    safe_bytes: int | None = Field(default=None, ge=0)
    """What to plan with: what must stay in memory, what is rarely touched, and the error of the prediction."""
    available_bytes: int = Field(ge=0)
    """Memory of the machine that it is held against."""
    device: str
    """What it would run on: `cpu`, or the name of the GPU (`2 × name` for several)."""
    gpu_layers: int | None = Field(default=None, ge=0)
    """Layers that go on the GPUs, where not all of them do."""
    explanation: str
    """One sentence that says how the verdict came about, with the numbers."""


class Speed(Record):
    """A rough prediction from memory bandwidth: what decoding one sequence can reach at best, and what is usual."""

    low_tokens_per_second: float = Field(gt=0)
    """Lower end of the range: the context full, and the share of the bandwidth that engines reach at least."""
    high_tokens_per_second: float = Field(gt=0)
    """Bandwidth ÷ bytes of the active weights, with an empty context: never more."""
    bytes_per_token: int = Field(gt=0)
    """Active weights and, with the context full, KV cache and state read for one token."""
    bandwidth_bytes_per_second: float = Field(gt=0)
    """Bandwidth that was assumed: of all devices that read at the same time."""
    source: str
    """Where the bandwidth comes from (measured here, the driver, or a data sheet), and what the range leaves out."""


class QuantizationOption(Record):
    """One quantization that exists for a model, or could be made, with what it costs in quality."""

    quantization: str
    """Its name."""
    model_id: str
    """Repository that offers it: the model's own, or a quantized child."""
    path: str | None = None
    """File, where it is one file."""
    bits_per_weight: float | None = Field(default=None, gt=0)
    """Measured bits per weight."""
    expected_loss: float | None = Field(default=None, ge=0)
    """Expected mean KL divergence to the unquantized model, from llama.cpp's published tables."""
    loss_source: str | None = None
    """Model and table that the loss was measured on."""
    fit: Fit | None = None
    """Its predicted memory."""


class Limit(Record):
    """The most of something that still runs on a machine, and what keeps it from being more."""

    value: int = Field(gt=0)
    """Tokens of context, or sequences held at once."""
    limited_by: Literal["memory", "model", "engine"]
    """memory: one step more no longer goes in as well; model: its native context; engine: sequences it can hold."""
    fit: Fit
    """The prediction at that value: `fits` where anything does, else `tight`, else `offload`."""
    explanation: str
    """One sentence with the numbers."""


class Exclusion(Record):
    """One model left out of a result, with the rule that did it."""

    model_id: str
    """The model."""
    rule: str
    """Name of the filter: `verdict`, `max_parameters`, `min_context`, `fits` …"""
    reason: str
    """Plain words with the value seen and the limit."""


SortKey = Literal["downloads", "likes", "trending", "rising", "parameters", "context", "name", "released", "updated"]


class ModelQuery(Record):
    """Filters and order of a search. None means: no filter."""

    text: str | None = None
    """Words that must all occur in the id, case-insensitive."""
    author: str | None = None
    """Owner of the repository, whole, case-insensitive."""
    verdicts: tuple[VerdictValue, ...] | None = None
    """Verdicts to keep."""
    licenses: tuple[str, ...] | None = None
    """Declared license ids or names to keep."""
    min_parameters: int | None = Field(default=None, ge=0)
    """Smallest number of weights."""
    max_parameters: int | None = Field(default=None, ge=0)
    """Largest number of weights."""
    min_context_tokens: int | None = Field(default=None, ge=0)
    """Smallest context."""
    extended_context: bool = False
    """Whether a context that needs a stated extension counts as well as the native one."""
    fits: bool = False
    """Keep only models that run on the machine (`fits`, `tight` or `offload`)."""
    quantization: str = "Q4_K_M"
    """Quantization assumed for the fit."""
    context_tokens: int = Field(default=4096, gt=0)
    """Context assumed for the fit."""
    concurrency: int = Field(default=1, gt=0)
    """Sequences assumed for the fit."""
    engine: FitEngine = "llama-cpp"
    """Engine assumed for the fit."""
    cache_type: CacheType = "f16"
    """KV cache format assumed for the fit."""
    machine: str | None = None
    """Name of a machine profile; None means this machine."""
    format: str | None = None
    """Weight format that must be offered."""
    library: str | None = None
    """Library that the repository is made for."""
    task: str | None = None
    """Pipeline tag."""
    language: str | None = None
    """Language code that the card must list."""
    gated: bool | None = None
    """True keeps only gated models, False only open ones."""
    kind: Literal["hub", "local"] | None = None
    """Where the model lives."""
    updated_since: str | None = None
    """ISO date; older repositories are left out."""
    sort: SortKey = "downloads"
    """Order; unknown values come last."""
    limit: int = Field(default=20, gt=0)
    """Most rows returned; matches and exclusions are counted over all."""

    def fit_settings(self) -> FitSettings:
        """The part of the query that the memory prediction needs."""
        return FitSettings(
            quantization=self.quantization,
            context_tokens=self.context_tokens,
            concurrency=self.concurrency,
            engine=self.engine,
            cache_type=self.cache_type,
        )


TrendKey = Literal["model", "task", "family"]
"""What trends are told of. family: the root of the lineage, else the model itself."""


class Trend(Record):
    """How a model, a task or a family moved between two snapshots of the Hub."""

    name: str
    """Model id, task or family."""
    task: str | None = None
    """Task among which it is ranked."""
    since: str
    """ISO date of the earlier snapshot."""
    until: str
    """ISO date of the later one."""
    rank: int | None = Field(default=None, gt=0)
    """Rank by downloads in the later snapshot; 1 is the most."""
    rank_before: int | None = Field(default=None, gt=0)
    """Rank in the earlier one; None where it was not there."""
    downloads: int | None = Field(default=None, ge=0)
    """Downloads in 30 days, later."""
    downloads_before: int | None = Field(default=None, ge=0)
    """Downloads in 30 days, earlier."""
    trending_score: float | None = None
    """The Hub's own score, later."""
    models: int | None = Field(default=None, ge=0)
    """How many models a task or family has in the later snapshot."""


class SearchHit(Record):
    """One model of a search result, judged."""

    model: Model
    """The model; in lists only what lists show, in full from `show`."""
    verdict: Verdict
    """Its license verdict under the profile of the search."""
    fit: Fit
    """Its predicted memory on the machine of the search."""
    largest: QuantizationOption | None = None
    """The finest quantization that still fits the machine; None where none does or nothing is known."""
    trend: Trend | None = None
    """How it moved since the last snapshot; None where there is only one."""


class RuleCount(Record):
    """How many models one rule left out."""

    rule: str
    """Name of the rule."""
    count: int = Field(gt=0)
    """Models that it was the first to exclude."""


class SearchResult(Record):
    """What a search found, and how much it left out and by which rule."""

    hits: tuple[SearchHit, ...]
    """The first `limit` models in order."""
    matches: int = Field(ge=0)
    """How many models passed every filter."""
    considered: int = Field(ge=0)
    """How many models the catalog holds."""
    excluded: tuple[RuleCount, ...] = ()
    """Models left out, counted under the first rule that excluded each; most first."""


class Candidate(Record):
    """Model + revision + weights file or quantization + engine + engine options: what is compared.

    Engine options travel with the run (runners.records.EngineOptions), because engines own their meaning.
    """

    name: str = Field(min_length=1)
    """Short name, unique in a benchmark; shown everywhere."""
    model_id: str
    """Hub id, or a path for a local model."""
    revision: str | None = None
    """Pinned commit, for Hub models."""
    weights_path: str
    """Absolute path of the weights file or folder on this machine."""
    weights_sha256: str | None = None
    """Digest of the weights file."""
    weights_bytes: int = Field(ge=0)
    """Size of the weights file."""
    quantization: str | None = None
    """Quantization of the file."""
    engine: str
    """Name in the table of engines."""
    license: str | None = None
    """License id of the model, as declared."""
    license_name: str | None = None
    """Name beside `license: other`."""
    parameters: int | None = Field(default=None, gt=0)
    """Number of weights."""
    notes: tuple[str, ...] = ()
    """What a reader of the report must know, such as 'requantized from an already quantized file'."""
