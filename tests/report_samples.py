"""Comparisons made by hand for the tests of charts and report: two candidates with numbers, one whose run failed."""

from collections.abc import Sequence

from catalog.records import (
    Candidate,
    Machine,
    Profile,
    Reason,
    Verdict,
    VerdictValue,
)
from results.recommendation_records import BrokenLimit, ExcludedCandidate, RankedCandidate, Recommendation, WeightChange
from results.records import (
    Answer,
    Benchmark,
    BenchmarkComparison,
    CandidateSummary,
    Comparison,
    Confusion,
    Estimate,
    ExampleResult,
    LabelQuality,
    LevelMeasurements,
    LevelSummary,
    LoadSweep,
    MetricEstimate,
    Percentiles,
    SliceQuality,
    ValidityCount,
)
from results.requirement_records import Limits, Requirements, Weights
from runners.engine_options import LlamaCppOptions
from runners.records import Failure, Loaded, Validity, Workload, WorkloadKind
from workbench.report.records import ReportContent

LABELS = ("delivery", "returns", "billing", "account", "product", "cancellation")
GEMMA, SMOL, BROKEN = "Gemma 3 270M Q4_K_M", "SmolLM2 135M Q4_1", "SmolLM2 135M Q4_0"
REQUIREMENTS = Requirements(
    limits=Limits(max_peak_memory_bytes=2_000_000_000, max_e2e_p95_seconds=10.0), weights=Weights()
)


def share(value: float, low: float, high: float, n: int = 180) -> Estimate:
    return Estimate(value=value, low=low, high=high, n=n, method="Wilson 95 %")


def slice_quality(column: str, value: str, right: Estimate) -> SliceQuality:
    return SliceQuality(column=column, value=value, accuracy=right, metrics=(accuracy(right),))


def accuracy(estimate: Estimate) -> MetricEstimate:
    return MetricEstimate(name="accuracy", title="Accuracy", scorer="label_match", unit="share", estimate=estimate)


def middle(value: float, spread: float = 0.04, n: int = 30) -> Estimate:
    method = "quantile 0.5; percentile bootstrap 95 %, 10,000 resamples"
    return Estimate(value=value, low=value * (1 - spread), high=value * (1 + spread), n=n, method=method)


def tail(value: float, n: int = 30) -> Estimate:
    return Estimate(value=value, n=n, method="quantile 0.95; no interval: that needs n ≥ 72")


def allowed(license_id: str = "apache-2.0") -> Verdict:
    reason = Reason(
        text="The license grants commercial use and asks for a notice.",
        source=f"{license_id}, sections 2 and 4",
        read_on="2026-11-01",
        link="https://www.apache.org/licenses/LICENSE-2.0",
    )
    return Verdict(
        value=VerdictValue.ALLOWED,
        license=license_id,
        reasons=(reason,),
        conditions=("Keep the copyright and license notices.",),
        verified=True,
    )


def conditional() -> Verdict:
    reasons = (
        Reason(
            text="Commercial use is granted under the Gemma terms.",
            source="Gemma Terms of Use, section 3.1",
            read_on="2026-11-02",
            link="https://ai.google.dev/gemma/terms",
        ),
        Reason(
            text="The terms may be changed, and use may be restricted remotely.", source="Gemma Terms of Use, section 4"
        ),
    )
    conditions = (
        "Pass the terms and the Notice file on with the weights.",
        "Follow the Prohibited Use Policy.",
        "A hosted service counts as distribution.",
    )
    advisories = ("Models distilled from outputs count as derivatives.",)
    return Verdict(
        value=VerdictValue.CONDITIONAL,
        license="gemma",
        reasons=reasons,
        conditions=conditions,
        advisories=advisories,
        verified=True,
    )


def candidate(name: str, **changes: object) -> Candidate:
    facts: dict[str, object] = {
        "name": name,
        "model_id": "HuggingFaceTB/SmolLM2-135M-Instruct",
        "revision": "12fd25f77366fa6b3b4b768ec3050bf629380bac",
        "weights_path": "/home/someone/models/smollm2-135m-instruct.Q4_1.gguf",
        "weights_sha256": "5f3c2a1e" * 8,
        "weights_bytes": 98_400_000,
        "quantization": "Q4_1",
        "engine": "llama-cpp",
        "license": "apache-2.0",
        "parameters": 134_515_008,
    }
    return Candidate.model_validate(facts | changes)


def loaded(description: str) -> Loaded:
    return Loaded(
        engine="llama-cpp",
        engine_version="0.3.36",
        build="AVX2 = 1 | AVX512 = 1 | OPENMP = 1 | REPACK = 1",
        model_description=description,
        context_tokens=2048,
        trained_context_tokens=8192,
        threads=8,
        chat_template_sha256="9e107d9d" * 8,
        weights_bytes=97_000_000,
    )


def confusion(right: Sequence[int], mistakes: Sequence[tuple[str, str, int]]) -> tuple[Confusion, ...]:
    cells = [Confusion(target=t, predicted=t, count=n) for t, n in zip(LABELS, right, strict=True) if n]
    return (*cells, *(Confusion(target=t, predicted=p, count=n) for t, p, n in mistakes))


def label_qualities(recalls: Sequence[float]) -> tuple[LabelQuality, ...]:
    return tuple(
        LabelQuality(label=label, support=30, precision=min(1.0, recall + 0.05), recall=recall, f1=recall + 0.02)
        for label, recall in zip(LABELS, recalls, strict=True)
    )


def slice_qualities(shift: float) -> tuple[SliceQuality, ...]:
    rows = (
        ("channel", "email", 0.70, 60),
        ("channel", "chat", 0.66, 57),
        ("channel", "phone_transcript", 0.47, 36),
        ("difficulty", "easy", 0.79, 99),
        ("difficulty", "hard", 0.48, 54),
    )
    return tuple(
        slice_quality(column, value, share(mid + shift, mid + shift - 0.12, mid + shift + 0.11, n))
        for column, value, mid, n in rows
    )


def level(workload: WorkloadKind, number: float | None, *, rate: float = 50.0, thinks: bool = False) -> LevelSummary:
    """A level of load with twenty requests."""
    ttft = Percentiles(p50=middle(0.1, n=20), p90=tail(0.2, n=20), p95=tail(0.3, n=20))
    return LevelSummary(
        measured=LevelMeasurements(
            workload=workload,
            level=number,
            window_seconds=10,
            requests=20,
            failed=1,
            output_tokens=320,
            output_tokens_per_second=rate,
            prompt_tokens_per_second=80.0,
            characters_per_second=200.0,
            energy_joules=160.0,
            energy_source="RAPL package-0",
        ),
        ttft=ttft,
        ttfa=Percentiles(p50=middle(0.9, n=20)) if thinks else ttft,
        tpot=Percentiles(p50=middle(0.02, n=20)),
        itl=Percentiles(p50=middle(0.02, n=300)),
        prompt_tokens_median=40,
        output_tokens_median=16,
        cached_share=0.0,
        joules_per_output_token=0.5,
    )


def sweep() -> LoadSweep:
    """Three levels, the last of which gains nothing."""
    levels = tuple(level("load_sweep", number, rate=rate) for number, rate in ((1.0, 50.0), (2.0, 90.0), (4.0, 91.0)))
    return LoadSweep(levels=levels, knee=2.0, ended_because="From 2 at once to 4 at once throughput changed little.")


def gemma(name: str = GEMMA) -> CandidateSummary:
    return CandidateSummary(
        candidate=candidate(
            name,
            model_id="google/gemma-3-270m",
            weights_path="/home/someone/models/gemma-3-270m.Q4_K_M.gguf",
            quantization="Q4_K_M",
            weights_bytes=253_000_000,
            license="gemma",
            parameters=268_098_176,
        ),
        options=LlamaCppOptions(),
        run_key="a1b2c3d4" * 4,
        status="finished",
        verdict=conditional(),
        loaded=loaded("gemma3 270M Q4_K - Medium"),
        metrics=(accuracy(share(0.7333, 0.664, 0.793)),),
        accuracy=share(0.7333, 0.664, 0.793),
        balanced_accuracy=share(0.7333, 0.667, 0.794),
        macro_f1=share(0.729, 0.661, 0.79),
        labels=label_qualities((0.83, 0.7, 0.77, 0.63, 0.73, 0.73)),
        slices=slice_qualities(0.08),
        confusion=confusion(
            (25, 21, 23, 19, 22, 22),
            (
                ("delivery", "cancellation", 4),
                ("delivery", "", 1),
                ("returns", "product", 6),
                ("returns", "delivery", 3),
                ("billing", "account", 7),
                ("account", "billing", 9),
                ("account", "product", 2),
                ("product", "returns", 8),
                ("cancellation", "delivery", 5),
                ("cancellation", "returns", 3),
            ),
        ),
        validity=(
            ValidityCount(validity=Validity.SCORED, count=179),
            ValidityCount(validity=Validity.UNPARSEABLE, count=1),
        ),
        load_seconds=0.42,
        ttft_p50_seconds=middle(0.212),
        ttft_p95_seconds=tail(0.264),
        e2e_p50_seconds=middle(0.268),
        e2e_p95_seconds=tail(0.341),
        tpot_p50_seconds=middle(0.0118),
        prefill_tokens_per_second=middle(702.0),
        decode_tokens_per_second=middle(84.7),
        prompt_tokens_median=149.0,
        output_tokens_median=3.0,
        accuracy_examples_per_second=6.4,
        peak_memory_bytes=512 * 2**20,
        peak_memory_method="PSS",
        peak_mapped_file_bytes=241 * 2**20,
        predicted_memory_bytes=498 * 2**20,
    )


def smol(name: str = SMOL) -> CandidateSummary:
    return CandidateSummary(
        candidate=candidate(name),
        options=LlamaCppOptions(),
        run_key="b2c3d4e5" * 4,
        status="finished",
        verdict=allowed(),
        loaded=loaded("llama 135M Q4_1"),
        metrics=(accuracy(share(0.5611, 0.488, 0.632)),),
        accuracy=share(0.5611, 0.488, 0.632),
        balanced_accuracy=share(0.5611, 0.487, 0.633),
        macro_f1=share(0.548, 0.474, 0.619),
        labels=label_qualities((0.67, 0.5, 0.6, 0.43, 0.57, 0.6)),
        slices=slice_qualities(-0.08),
        confusion=confusion(
            (20, 15, 18, 13, 17, 18),
            (
                ("delivery", "product", 10),
                ("returns", "delivery", 15),
                ("billing", "product", 12),
                ("account", "product", 12),
                ("account", "", 5),
                ("product", "delivery", 13),
                ("cancellation", "delivery", 12),
            ),
        ),
        validity=(
            ValidityCount(validity=Validity.SCORED, count=175),
            ValidityCount(validity=Validity.UNPARSEABLE, count=4),
            ValidityCount(validity=Validity.TRUNCATED, count=1),
        ),
        validity_warning="5 of 180 examples (2.8 %) were not scored: 4 unparseable, 1 truncated.",
        load_seconds=0.21,
        ttft_p50_seconds=middle(0.131),
        ttft_p95_seconds=tail(0.166),
        e2e_p50_seconds=middle(0.158),
        e2e_p95_seconds=tail(0.203),
        tpot_p50_seconds=middle(0.0071),
        prefill_tokens_per_second=middle(1240.0),
        decode_tokens_per_second=middle(141.0),
        prompt_tokens_median=162.0,
        output_tokens_median=3.0,
        accuracy_examples_per_second=11.2,
        peak_memory_bytes=236 * 2**20,
        peak_memory_method="PSS",
        peak_mapped_file_bytes=94 * 2**20,
        predicted_memory_bytes=262 * 2**20,
    )


def broken(name: str = BROKEN) -> CandidateSummary:
    failure = Failure(
        stage="load",
        kind="bad_weights",
        message="The weights end after 41 of 272 tensors.",
        hint="Download the file again and compare its SHA-256.",
        log_path="/home/someone/logs/run.log",
        log_tail="llama_model_load: error loading model /home/someone/models/x.gguf",
    )
    note = "Requantized on this machine from the already quantized file Q4_1, not from the original weights."
    return CandidateSummary(
        candidate=candidate(name, quantization="Q4_0", notes=(note,)),
        options=LlamaCppOptions(),
        run_key="c3d4e5f6" * 4,
        status="failed",
        verdict=allowed(),
        predicted_memory_bytes=255 * 2**20,
        failures=(failure,),
    )


def pair(p_adjusted: float = 0.0004, first: str = SMOL, second: str = GEMMA) -> Comparison:
    better = p_adjusted < 0.05
    conclusion = (
        f"{second} is more accurate than {first} by 17.2 points."
        if better
        else f"No difference shown between {first} and {second} at n = 180; 10.1 points could have been."
    )
    return Comparison(
        first=first,
        second=second,
        n=180,
        both_right=89,
        only_first_right=12,
        only_second_right=43,
        both_wrong=36,
        difference=Estimate(value=-0.1722, low=-0.25, high=-0.094, n=180, method="paired BCa bootstrap 95 %"),
        p_value=p_adjusted,
        p_adjusted=p_adjusted,
        smallest_detectable_difference=0.101,
        conclusion=conclusion,
    )


def machine() -> Machine:
    return Machine(
        name="bench-01",
        cpu="AMD EPYC 9654 96-Core Processor",
        instruction_sets=("avx2", "avx512f"),
        physical_cores=8,
        logical_cores=16,
        memory_total_bytes=64 * 2**30,
        memory_available_bytes=58 * 2**30,
        operating_system="Debian GNU/Linux 13, kernel 6.12",
        python="3.11.9",
    )


def comparison(
    candidates: Sequence[CandidateSummary] | None = None, pairs: Sequence[Comparison] | None = None
) -> BenchmarkComparison:
    summaries = tuple(candidates if candidates is not None else (smol(), gemma(), broken()))
    benchmark = Benchmark(
        name="support-intents",
        created_at="2026-11-20T10:15:00+01:00",
        test_set_name="support_messages.csv",
        test_set_hash="d41d8cd98f00b204e9800998ecf8427e",
        task="classification",
        labels=LABELS,
        examples=180,
        candidates=tuple(summary.candidate.name for summary in summaries),
        workloads=(Workload(kind="accuracy"), Workload(kind="latency", prompts=30, max_output_tokens=8)),
        seed=7,
        requirements=REQUIREMENTS,
        source="/home/someone/benchmarks/demo.yaml",
        definition="name: support-intents\ntask: classification\nseed: 7\n",
        machine=machine(),
    )
    return BenchmarkComparison(
        benchmark=benchmark, candidates=summaries, pairs=tuple(pairs if pairs is not None else (pair(),))
    )


def recommendation(tied: bool = False) -> Recommendation:
    return Recommendation(
        benchmark="support-intents",
        requirements=REQUIREMENTS,
        winner=GEMMA,
        ranked=(
            RankedCandidate(
                name=GEMMA,
                rank=1,
                utility=0.812,
                pareto=True,
                reasons=(
                    "Highest accuracy, 73.3 % (66.4–79.3).",
                    "Slower than SmolLM2 135M Q4_1: 268 ms against 158 ms.",
                ),
            ),
            RankedCandidate(
                name=SMOL,
                rank=1 if tied else 2,
                utility=0.4,
                pareto=True,
                reasons=("Fastest and smallest.", "17.2 points less accurate than Gemma 3 270M Q4_K_M."),
            ),
        ),
        excluded=(
            ExcludedCandidate(
                name=BROKEN,
                broken=(BrokenLimit(limit="measured", message="Nothing was measured: the run failed while loading."),),
            ),
        ),
        sensitivity=(WeightChange(weight="quality", current=0.6, needed=0.38, new_winner=SMOL),),
        headline=(
            f"Use {GEMMA}.",
            "It is more accurate than the other candidate that qualifies, by 17.2 points, and answers in 268 ms.",
            "Its license has conditions: the terms and a notice must be passed on.",
        ),
    )


def nobody_qualifies() -> Recommendation:
    out = tuple(
        ExcludedCandidate(
            name=name,
            broken=(
                BrokenLimit(
                    limit="max_e2e_p95_seconds", message=f"End to end p95 is {value}, the limit 100 ms.", missed_by=by
                ),
            ),
        )
        for name, value, by in ((SMOL, "203 ms", 1.03), (GEMMA, "341 ms", 2.41), (BROKEN, "not measured", None))
    )
    return Recommendation(
        benchmark="support-intents",
        requirements=REQUIREMENTS,
        winner=None,
        ranked=(),
        excluded=out,
        headline=(
            "No candidate meets every limit.",
            f"{SMOL} came closest.",
            "Relax the limit, or measure other candidates.",
        ),
        nearest_miss=f"{SMOL} misses max_e2e_p95_seconds by 103 %.",
    )


def example(
    text: str = "So the refund's, no, hang on, you've not even sent it.", answer: str = "returns"
) -> ExampleResult:
    return ExampleResult(
        example_id="m001",
        inputs={"text": text},
        target="cancellation",
        slices={"channel": "phone_transcript"},
        answers={
            SMOL: Answer(text=answer, predicted="returns", validity=Validity.SCORED, right=False, probability=0.41),
            GEMMA: Answer(text="cancel it", predicted=None, validity=Validity.UNPARSEABLE, right=False),
        },
    )


def content(**changes: object) -> ReportContent:
    facts: dict[str, object] = {
        "comparison": comparison(),
        "recommendation": recommendation(),
        "wrong_examples": (example(),),
        "profile": Profile(),
        "made_at": "2026-11-21T09:30:00+01:00",
        "workbench_version": "0.1.0",
        "packages": (("duckdb", "2.0.1"), ("llama-cpp-python", "0.3.36"), ("scikit-learn", "1.9.0")),
        "commands": ("workbench run demo.yaml", "workbench report support-intents --output report.html"),
        "notes": (),
    }
    return ReportContent.model_validate(facts | changes)
