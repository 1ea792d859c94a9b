"""The results' records: measurements, estimates with intervals, paired comparisons.

Measurements come first: they are what the store's views derive from what happened, one RunMeasurements per run.
Everything after them is computed from these by summary and comparison. What is asked of candidates stands in
requirement_records.py, the decision in recommendation_records.py.
"""

from typing import Literal

from pydantic import Field

from catalog.records import Candidate, Machine, Record, Verdict
from results.ladder_records import LadderRung
from results.requirement_records import CandidateCost, Requirements
from results.shortlist_records import Funnel
from runners.engine_options import EngineOptions
from runners.records import EarlyStop, Failure, Loaded, Validity, Workload, WorkloadKind
from runners.scorer_options import PassOptions, ScorerOptions

RunStatus = Literal["finished", "failed", "cancelled", "stopped", "incomplete"]
"""How a run ended; stopped: it could no longer win; incomplete: the worker or its parent died. Both can be resumed."""


class Estimate(Record):
    """A number that was measured on a sample, with its uncertainty."""

    value: float
    """The estimate itself, in the unit that the field's name gives."""
    low: float | None = None
    """Lower end of the 95 % interval; None where n is too small for one."""
    high: float | None = None
    """Upper end of the 95 % interval."""
    n: int = Field(ge=0)
    """Observations it rests on."""
    method: str
    """How value and interval were made, such as `Wilson 95 %`."""


class Benchmark(Record):
    """Candidates × one test set × workloads, as stored."""

    name: str
    """Unique in the data directory."""
    created_at: str
    """ISO 8601 with offset."""
    test_set_name: str
    """The test set."""
    test_set_hash: str
    """Its content hash."""
    task: str
    """Its task."""
    labels: tuple[str, ...]
    """Its labels."""
    examples: int = Field(ge=0)
    """How many examples it has."""
    candidates: tuple[str, ...]
    """Names, in the order of the benchmark file."""
    workloads: tuple[Workload, ...]
    """What was asked."""
    seed: int
    """Seed of everything random."""
    requirements: Requirements
    """Hard limits and weights from the benchmark file."""
    source: str | None = None
    """Path of the benchmark file."""
    definition: str = ""
    """Text of the benchmark file, for repeating it."""
    machine: Machine | None = None
    """Machine that measured; None until measuring begins."""
    funnel: Funnel | None = None
    """How its candidates were chosen; None where they come from no kept shortlist."""


class RunInfo(Record):
    """One run as listed by `workbench runs`."""

    key: str
    """Key of the spec."""
    benchmark: str
    """Benchmark it belongs to."""
    candidate: str
    """Candidate's name."""
    status: RunStatus
    """How it ended."""
    started_at: str | None
    """ISO 8601 with offset."""
    completions: int = Field(ge=0)
    """Finished requests, all workloads."""
    failures: int = Field(ge=0)
    """What went wrong, counted."""


class BenchmarkFootprint(Record):
    """What belongs to a benchmark, before it is deleted."""

    name: str
    """The benchmark."""
    runs: int = Field(ge=0)
    """Stored runs."""
    completions: int = Field(ge=0)
    """Their answers."""
    judgings: int = Field(ge=0)
    """Reports of judges."""
    own_keys: tuple[str, ...]
    """Keys of runs that no other benchmark has."""
    shared_keys: tuple[str, ...]
    """Keys of runs that another benchmark has too: their files stay."""


class StoredFailures(Record):
    """What went wrong in one stored run."""

    candidate: str
    """The run's candidate."""
    count: int = Field(ge=0)
    """How many failures it has."""
    last: tuple[Failure, ...]
    """The last of them."""


class ExampleOutcome(Record):
    """What became of one example in one run, as its first scorer judged it."""

    example_id: str
    """The example."""
    target: str
    """The right answer."""
    slices: dict[str, str] = Field(default_factory=dict)
    """Its slices. A slice called `group` names examples that belong together and are resampled together."""
    validity: Validity
    """What happened; `skipped` where the run never came to it."""
    predicted: str | None = None
    """As understood; None where nothing was."""
    right: bool | None
    """Judgement: whether the value is 1; None where the example was not judged (failed, skipped)."""
    value: float | None = None
    """Value that the scorer gave, 0 for an answer that it could not judge; None as above."""
    weight: float = 1.0
    """How much the example counts."""
    probability: float | None = None
    """Probability of the chosen label among the labels, where answers were scored."""

    @property
    def group(self) -> str | None:
        """Name of the group that the example belongs to, if any."""
        return self.slices.get("group")


class ScorerOutcomes(Record):
    """What one scorer says of one run, as columns in the order of the run's outcomes."""

    scorer: str
    """Name of the scorer in its test set."""
    values: tuple[float | None, ...]
    """Per example; 0 for an answer that it could not judge, None where there was nothing to judge."""
    counts: dict[str, tuple[float | None, ...]] = Field(default_factory=dict)
    """What each example adds to the sums that metrics are made of; None where the scorer says nothing of it."""


class VariationOutcomes(Record):
    """What became of the examples under one variation of a robustness workload; only those that were judged."""

    variation: str
    """`original`, a perturbation, or `repeat-1`, `repeat-2` …"""
    outcomes: tuple[ExampleOutcome, ...]
    """In the order of the test set."""
    answers: tuple[str, ...]
    """Per outcome: the text that came back."""
    counts: dict[str, tuple[float | None, ...]] = Field(default_factory=dict)
    """As in ScorerOutcomes, of the first scorer."""


class RunStart(Record):
    """How the machine was when the first of a benchmark's runs began."""

    candidate: str
    """Whose run it was."""
    load_average: float = Field(ge=0)
    """Processes that wanted to compute, over the minute before."""


class RequestTiming(Record):
    """Timing of one request of a timed workload; None where the request gives no such number."""

    request_id: str
    """The request."""
    workload: WorkloadKind = "latency"
    """Its workload."""
    level: float | None = None
    """Level of it, as in LevelMeasurements."""
    prompt_tokens: int = Field(ge=0)
    """Tokens of the rendered prompt."""
    cached_tokens: int = Field(ge=0)
    """Prompt tokens that were not computed for it."""
    output_tokens: int = Field(ge=0)
    """Tokens generated."""
    ttft_seconds: float | None = None
    """Handed over to first text, thinking included."""
    ttfa_seconds: float | None = None
    """Handed over to first text of the answer, after any thinking."""
    queue_seconds: float | None = None
    """Ready to handed over; in an open loop a request is ready when it arrives."""
    gaps_seconds: tuple[float, ...] = ()
    """Between successive pieces of text; a piece of several tokens is one gap."""
    e2e_seconds: float | None = None
    """Handed over to last token."""
    tpot_seconds: float | None = None
    """Time per output token after the first."""
    prefill_tokens_per_second: float | None = None
    """Computed prompt tokens ÷ TTFT."""
    decode_tokens_per_second: float | None = None
    """1 ÷ TPOT."""


class LevelMeasurements(Record):
    """What a timed workload did in its measured windows, at one level of load."""

    workload: WorkloadKind
    """Which."""
    level: float | None = None
    """Load sweep: requests at once; arrivals: requests per second on average; None for latency, which has one."""
    window_seconds: float = Field(ge=0)
    """Length of its windows, warm-up left out."""
    requests: int = Field(ge=0)
    """Requests that were answered."""
    failed: int = Field(default=0, ge=0)
    """Requests that were not; in no other figure."""
    output_tokens: int = Field(ge=0)
    """Tokens of all answers."""
    requests_per_second: float | None = None
    """Answered requests ÷ window."""
    output_tokens_per_second: float | None = None
    """Output tokens ÷ window."""
    prompt_tokens_per_second: float | None = None
    """Prompt tokens ÷ window."""
    characters_per_second: float | None = None
    """Characters of the answers ÷ window, because tokens of different tokenizers are not comparable."""
    energy_joules: float | None = None
    """Energy of the machine in the windows; None where it could not be read."""
    energy_source: str | None = None
    """Which counters."""


class RunMeasurements(Record):
    """What the store derives for one run; the input of `summarise` and `compare`. None: not measured."""

    candidate: Candidate
    """What was run."""
    options: EngineOptions
    """Its engine's options."""
    run_key: str
    """Key of its run."""
    status: RunStatus
    """How the run ended."""
    stopped: EarlyStop | None = None
    """Where it is `stopped`: why."""
    workloads: tuple[Workload, ...] = ()
    """What it was asked."""
    labels: tuple[str, ...]
    """The test set's labels, in its order."""
    scorers: tuple[ScorerOptions | PassOptions, ...] = ()
    """The test set's scorers, then those that judged the answers later."""
    scored: tuple[ScorerOutcomes, ...] = ()
    """What each of them says, in the same order."""
    outcomes: tuple[ExampleOutcome, ...] = ()
    """Every example of the test set in its order; empty where the run had no accuracy workload."""
    variations: tuple[VariationOutcomes, ...] = ()
    """Robustness: every way in which examples were asked; empty where there was no such workload."""
    timings: tuple[RequestTiming, ...] = ()
    """Requests of the timed workloads, in the order they were finished."""
    levels: tuple[LevelMeasurements, ...] = ()
    """Every workload's windows, level by level."""
    loaded: Loaded | None = None
    """What the engine said of the model, at the first load."""
    load_seconds: float | None = None
    """Engine start to ready, first load."""
    load_cached_share: float | None = None
    """Share of the weights that was in memory before that load."""
    cold_load_seconds: float | None = None
    """The same with at most 5 % of the weights in memory before."""
    warm_load_seconds: float | None = None
    """Median of loads again in the same process, with the weights in memory."""
    warm_loads: int = 0
    """How many those were."""
    first_request_ttft_seconds: float | None = None
    """TTFT of the first request after the first load, in no other figure."""
    first_request_e2e_seconds: float | None = None
    """E2E of that request."""
    accuracy_examples_per_second: float | None = None
    """Completions of the accuracy workload ÷ its measured windows."""
    peak_memory_bytes: int | None = None
    """Peak of the process tree: PSS where the kernel gave it, else RSS."""
    peak_memory_method: Literal["PSS", "RSS"] | None = None
    """Which of the two it is."""
    peak_mapped_file_bytes: int | None = None
    """Largest part of it that was mapped files."""
    high_water_bytes: int | None = None
    """The kernel's own high-water mark of resident memory, as a cross-check."""
    peak_gpu_bytes: int | None = None
    """Peak GPU memory of the process tree."""
    failures: tuple[Failure, ...] = ()
    """What went wrong."""


class Percentiles(Record):
    """Percentiles of one duration; None where there are too few values for one."""

    p50: Estimate | None = None
    """Median."""
    p90: Estimate | None = None
    """From 10 values on."""
    p95: Estimate | None = None
    """From 20 values on."""
    p99: Estimate | None = None
    """From 1,000 values on."""


class LevelSummary(Record):
    """Latency and throughput of a timed workload at one level of load, all times in seconds."""

    measured: LevelMeasurements
    """Counts, window, throughput, energy."""
    ttft: Percentiles = Percentiles()
    """Handed over to first text, thinking included."""
    ttfa: Percentiles = Percentiles()
    """Handed over to first text of the answer."""
    tpot: Percentiles = Percentiles()
    """Time per output token after the first, per request."""
    itl: Percentiles = Percentiles()
    """Gaps between successive pieces of text, of all requests together."""
    e2e: Percentiles = Percentiles()
    """Handed over to last token."""
    queue: Percentiles = Percentiles()
    """Ready to handed over."""
    arrival_ttft: Percentiles = Percentiles()
    """Arrivals: arrival to first text, queue time included."""
    arrival_e2e: Percentiles = Percentiles()
    """Arrivals: arrival to last token, queue time included."""
    prompt_tokens_median: float | None = None
    """Prompt tokens of its requests, median."""
    output_tokens_median: float | None = None
    """Output tokens of its requests, median."""
    cached_share: float | None = None
    """Prompt tokens that were not computed ÷ all prompt tokens."""
    joules_per_output_token: float | None = None
    """Energy ÷ output tokens."""


class LoadSweep(Record):
    """Levels of a load sweep, and where more requests at once stop to pay."""

    levels: tuple[LevelSummary, ...]
    """By requests at once."""
    knee: float | None
    """Most requests at once that still paid; None where the sweep ended before that was known."""
    ended_because: str
    """Why it ended, as a sentence with the numbers."""


class MetricEstimate(Record):
    """One metric of one candidate (definitions: results/metrics.py)."""

    name: str
    """Name of the metric, such as `accuracy`; with the scorer's name before it where that is not the usual one."""
    title: str
    """As people read it."""
    scorer: str
    """Name of the scorer whose scores it sums up."""
    unit: Literal["share", "score"]
    """share: of examples or of things counted, shown in percent; score: a number from 0 to 1 or 0 to 100."""
    estimate: Estimate
    """Value and interval."""
    higher_is_better: bool = True
    """Whether more is better."""


class LabelQuality(Record):
    """Quality on one label."""

    label: str
    """The label."""
    support: int = Field(ge=0)
    """Examples with this target."""
    precision: float | None
    """Right among those predicted as this label; None where it was never predicted."""
    recall: float | None
    """Found among those with this target; None without support."""
    f1: float | None
    """Harmonic mean."""


class SliceQuality(Record):
    """Quality on one value of one slice column."""

    column: str
    """Slice column."""
    value: str
    """Its value."""
    accuracy: Estimate
    """Share of right answers."""
    metrics: tuple[MetricEstimate, ...] = ()
    """Every metric on these examples, the test set's quality first."""

    @property
    def quality(self) -> MetricEstimate | None:
        """The metric that stands for quality, on these examples."""
        return self.metrics[0] if self.metrics else None


class ReliabilityBin(Record):
    """Answers whose probability lies in one part of the range, and how often they were right."""

    low: float = Field(ge=0, le=1)
    """Probabilities above this (the first bin has 0 too) …"""
    high: float = Field(ge=0, le=1)
    """… up to this."""
    n: int = Field(ge=1)
    """Answers in it."""
    probability: float = Field(ge=0, le=1)
    """Their mean probability."""
    accuracy: Estimate
    """Share of them that was right."""


class Calibration(Record):
    """Whether label probabilities mean what they say: of answers given with 80 %, 80 % should be right."""

    n: int = Field(ge=1)
    """Judged answers that have a probability."""
    confidence: float = Field(ge=0, le=1)
    """Mean probability of the chosen label; above the accuracy, the model is too sure of itself."""
    ece_10: Estimate
    """Expected calibration error over 10 bins of equal width."""
    ece_15: Estimate
    """The same over 15 bins."""
    ece_by_chance: float = Field(ge=0)
    """Error over 10 bins that chance alone exceeds in 5 % of test sets like this: below it, none is shown."""
    brier: Estimate
    """Brier score of the chosen label: mean square of its probability minus 1 where right, minus 0 where wrong."""
    bins: tuple[ReliabilityBin, ...]
    """Reliability over 10 bins of equal width, only those that hold answers."""


class Confusion(Record):
    """How often each target was answered with each label."""

    target: str
    """True label."""
    predicted: str
    """Answer; empty where none was understood."""
    count: int = Field(ge=1)
    """Examples."""


class ValidityCount(Record):
    """One line of the validity ledger."""

    validity: Validity
    """What happened."""
    count: int = Field(ge=0)
    """To how many examples."""


class RobustnessResult(Record):
    """What one perturbation did to one candidate, on the examples that were answered both ways."""

    perturbation: str
    """Which; see Perturbation."""
    n: int = Field(ge=1)
    """Examples that it changed and that were judged both ways."""
    unperturbed: Estimate
    """Quality on these examples as they are."""
    perturbed: Estimate
    """Quality on the same examples, perturbed."""
    difference: Estimate
    """Perturbed minus unperturbed, paired."""
    same_answer: Estimate
    """Share of the examples that were answered the same both ways, right or wrong."""
    broken: int = Field(ge=0)
    """Examples that were right as they are and are not when perturbed."""
    mended: int = Field(ge=0)
    """Examples that are right when perturbed only."""
    p_adjusted: float | None = Field(default=None, ge=0, le=1)
    """McNemar's exact test after Holm's correction over the perturbations; None where quality is no share of
    independent examples."""
    conclusion: str
    """One sentence, generated from the numbers."""


class SelfAgreement(Record):
    """How far a candidate agrees with itself when it is asked the same again at a temperature."""

    temperature: float
    """At which."""
    repeats: int = Field(ge=1)
    """Answers to each example."""
    n: int = Field(ge=1)
    """Examples with all of these answers."""
    quality: Estimate
    """Quality over all these answers; examples are resampled with all their answers."""
    identical: Estimate
    """Share of the examples whose answers are all the same."""
    pairwise: Estimate | None = None
    """Mean over the examples of the share of pairs of answers that are the same; None with one answer each."""
    kappa: Estimate | None = None
    """Fleiss' kappa: the same beyond chance; None with one answer each, where all answers are the same, or where
    answers are not of a few kinds."""


class Robustness(Record):
    """What small changes do to a candidate's answers, and chance does."""

    metric: str
    """Title of the metric that stands for quality."""
    unit: Literal["share", "score"]
    """Its unit, as in MetricEstimate."""
    results: tuple[RobustnessResult, ...] = ()
    """One per perturbation that changed anything, in the order asked."""
    without_effect: tuple[str, ...] = ()
    """Perturbations that changed no prompt that was answered, such as another order of labels where there are none."""
    repeats: SelfAgreement | None = None
    """Answers at a temperature; None where none were asked for."""


class ScoreSummary(Record):
    """What one scorer says of one run in a line, summed up by the results file itself."""

    benchmark: str
    """Benchmark."""
    candidate: str
    """Candidate."""
    scorer: str
    """Name of the scorer in its test set."""
    n: int = Field(ge=0)
    """Examples that it judged."""
    mean: float | None
    """Weighted mean of its values; None where it judged nothing."""
    validity: tuple[ValidityCount, ...]
    """What happened to the examples that it was shown."""


class CandidateSummary(Record):
    """Everything measured about one candidate in one benchmark. None: not measured."""

    candidate: Candidate
    """What was run."""
    options: EngineOptions
    """Its engine's options."""
    run_key: str
    """Key of its run."""
    status: RunStatus
    """How the run ended."""
    stopped: EarlyStop | None = None
    """Where it is `stopped`: why. Its figures rest on the examples that it was asked."""
    verdict: Verdict
    """License verdict under the profile that asked."""
    loaded: Loaded | None = None
    """What the engine said of the model."""
    metrics: tuple[MetricEstimate, ...] = ()
    """Every metric of every scorer, the test set's quality first; empty where nothing was judged."""
    accuracy: Estimate | None = None
    """Classification: share of examples answered right, of all examples that were asked."""
    balanced_accuracy: Estimate | None = None
    """Mean recall over the labels."""
    macro_f1: Estimate | None = None
    """Mean F1 over the labels."""
    labels: tuple[LabelQuality, ...] = ()
    """Per label."""
    slices: tuple[SliceQuality, ...] = ()
    """Per slice."""
    confusion: tuple[Confusion, ...] = ()
    """Confusion matrix, only cells that occur."""
    calibration: Calibration | None = None
    """Where answers were scored, so that labels have probabilities."""
    validity: tuple[ValidityCount, ...] = ()
    """What happened to every example."""
    validity_warning: str | None = None
    """Set where more than 2 % of the examples were not scored."""
    robustness: Robustness | None = None
    """The robustness workload."""
    load_seconds: float | None = None
    """Engine start to ready, first load."""
    ttft_p50_seconds: Estimate | None = None
    """Time to first token, median."""
    ttft_p95_seconds: Estimate | None = None
    """Time to first token, 95th percentile."""
    e2e_p50_seconds: Estimate | None = None
    """Request handed over to last token, median."""
    e2e_p95_seconds: Estimate | None = None
    """The same, 95th percentile."""
    tpot_p50_seconds: Estimate | None = None
    """Time per output token after the first, median."""
    prefill_tokens_per_second: Estimate | None = None
    """Computed prompt tokens (cached ones not counted) ÷ time to first token, median over requests."""
    decode_tokens_per_second: Estimate | None = None
    """1 ÷ TPOT, median over requests, at concurrency 1."""
    prompt_tokens_median: float | None = None
    """Prompt tokens of the latency requests, median."""
    output_tokens_median: float | None = None
    """Output tokens of the latency requests, median."""
    latency: LevelSummary | None = None
    """Everything of the latency workload; the figures above are taken from it."""
    sweep: LoadSweep | None = None
    """The load sweep."""
    arrivals: tuple[LevelSummary, ...] = ()
    """Open-loop arrivals, by rate."""
    load_cached_share: float | None = None
    """Share of the weights that was in memory before the first load."""
    cold_load_seconds: float | None = None
    """First load with at most 5 % of the weights in memory before."""
    warm_load_seconds: float | None = None
    """Median of loads again in the same process, with the weights in memory."""
    warm_loads: int = 0
    """How many those were."""
    first_request_ttft_seconds: float | None = None
    """TTFT of the first request after the first load, in no other figure."""
    accuracy_joules_per_1000_examples: float | None = None
    """Energy of the accuracy workload for 1,000 of its examples; None where it could not be read."""
    energy_source: str | None = None
    """Which counters gave the energy, of the whole machine."""
    accuracy_examples_per_second: float | None = None
    """Examples per second of the accuracy workload; batched, not a latency."""
    accuracy_prompt_tokens: float | None = None
    """Prompt tokens of an example of the accuracy workload, mean."""
    accuracy_output_tokens: float | None = None
    """Output tokens of it, mean; 0 where answers were scored."""
    peak_memory_bytes: int | None = None
    """Peak over load and generation, of the process tree; PSS where the kernel gives it, else RSS."""
    peak_memory_method: Literal["PSS", "RSS"] | None = None
    """Which of the two it is."""
    peak_mapped_file_bytes: int | None = None
    """Largest part of it that was mapped files, such as weights used in place."""
    high_water_bytes: int | None = None
    """The kernel's own high-water mark of resident memory, as a cross-check."""
    peak_gpu_bytes: int | None = None
    """Peak GPU memory of the process tree."""
    predicted_memory_bytes: int | None = None
    """What the catalog predicted for the same context."""
    failures: tuple[Failure, ...] = ()
    """What went wrong."""

    @property
    def quality(self) -> MetricEstimate | None:
        """The metric that stands for quality: the first of the test set's first scorer."""
        return self.metrics[0] if self.metrics else None


class NotWorse(Record):
    """Whether one of two candidates is at most a margin worse, as the benchmark asked before it was run."""

    candidate: str
    """The one of the two with the lower quality."""
    than: str
    """The other."""
    margin: float = Field(gt=0)
    """How much worse was agreed to be fine, in the metric's unit."""
    bound: float | None = None
    """How far behind the other it may be: the worse end of the difference's 95 % interval, worse is negative."""
    p_value: float = Field(ge=0, le=1)
    """One-sided, of being worse by the margin or more."""
    p_adjusted: float = Field(ge=0, le=1)
    """The same after Holm's correction over all pairs."""
    shown: bool
    """Whether it is shown to be not worse by more than the margin."""


class Comparison(Record):
    """Two candidates on the same examples in one metric, paired."""

    metric: str = "accuracy"
    """Name of the metric, as in MetricEstimate."""
    title: str = "Accuracy"
    """As people read it."""
    unit: Literal["share", "score"] = "share"
    """As in MetricEstimate."""
    higher_is_better: bool = True
    """Whether more is better."""
    first: str
    """Name of the first candidate."""
    second: str
    """Name of the second candidate."""
    n: int = Field(ge=0)
    """Examples that both were asked."""
    first_value: float | None = None
    """The first candidate's metric on these examples; None where earlier versions compared."""
    second_value: float | None = None
    """The second candidate's."""
    both_right: int | None = Field(default=None, ge=0)
    """Both right; this and the next three are None where the metric is no share of examples."""
    only_first_right: int | None = Field(default=None, ge=0)
    """Discordant in favour of the first."""
    only_second_right: int | None = Field(default=None, ge=0)
    """Discordant in favour of the second."""
    both_wrong: int | None = Field(default=None, ge=0)
    """Both wrong."""
    difference: Estimate
    """Metric of the first minus that of the second, paired bootstrap."""
    grouped: bool = False
    """Whether examples belong together in groups, so that they are not independent."""
    test: Literal["mcnemar", "paired_bootstrap", "none"] = "mcnemar"
    """mcnemar: exact, of independent examples that count the same; none: too few independent examples for any."""
    p_value: float = Field(ge=0, le=1)
    """Of that test, two-sided; 1 without a test."""
    p_adjusted: float = Field(ge=0, le=1)
    """The same after Holm's correction over all pairs in this metric."""
    smallest_detectable_difference: float | None = Field(default=None, ge=0)
    """Difference that this n could have shown with 80 % power at 5 %, given the spread seen."""
    not_worse: NotWorse | None = None
    """Where the benchmark sets a margin and the metric is its quality."""
    conclusion: str
    """One sentence, or two with a margin, generated from the numbers."""


class SliceComparison(Record):
    """Two candidates on one value of one slice column, in quality."""

    column: str
    """Slice column."""
    value: str
    """Its value."""
    pair: Comparison
    """The comparison; adjusted over all pairs on all slices."""


class BenchmarkComparison(Record):
    """All of a benchmark's candidates and all their pairs."""

    benchmark: Benchmark
    """What was compared."""
    candidates: tuple[CandidateSummary, ...]
    """Every candidate, in the order of the benchmark file."""
    pairs: tuple[Comparison, ...]
    """Every pair that has common examples, in the metric that stands for quality."""
    metric_pairs: tuple[Comparison, ...] = ()
    """The same in every further metric."""
    slice_pairs: tuple[SliceComparison, ...] = ()
    """The same in quality, on every slice with enough examples."""
    ladder: tuple[LadderRung, ...] = ()
    """What quantizing lost, as far as it was measured of the candidates' files."""
    notes: tuple[str, ...] = ()
    """What a reader should know of the comparison as a whole, such as runs on another version of the test set."""
    costs: tuple[CandidateCost, ...] = ()
    """What each candidate costs under the benchmark's prices; empty where there are none."""


class Vote(Record):
    """One judgement of a head-to-head."""

    id: str
    """Unique."""
    created_at: str
    """ISO 8601 with offset."""
    prompt: str
    """What was asked."""
    left: str
    """Candidate shown left."""
    right: str
    """Candidate shown right."""
    outcome: Literal["left", "right", "tie", "both_bad"]
    """The judgement."""
    blind: bool
    """Whether names were hidden."""
    left_text: str
    """Answer shown left."""
    right_text: str
    """Answer shown right."""


class ExampleResult(Record):
    """One example and what every candidate made of it, for the example browser."""

    example_id: str
    """The example."""
    inputs: dict[str, str]
    """Its columns."""
    target: str
    """The right answer."""
    slices: dict[str, str]
    """Its slices."""
    answers: dict[str, "Answer"]
    """By candidate name."""


class Answer(Record):
    """One candidate's answer to one example."""

    text: str
    """What the model wrote or chose; untrusted."""
    predicted: str | None
    """As understood."""
    validity: Validity
    """What happened."""
    right: bool | None
    """Judgement; None where it was not judged."""
    probability: float | None = Field(default=None, ge=0, le=1)
    """Probability of the chosen label among the labels, where answers were scored."""
