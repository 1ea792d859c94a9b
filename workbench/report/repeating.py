"""What a program needs to repeat a benchmark and to hold the new numbers against these, under names that stay.

`workbench repeat REPORT.json` reads this part of the JSON report alone. A name or a unit that changes here raises the
report's SCHEMA_VERSION.
"""

from collections.abc import Iterator

from catalog.records import Record
from results.records import CandidateSummary, Estimate
from workbench.report.records import ReportContent
from workbench.report.text import file_name


class RepeatedCandidate(Record):
    """What was run, exactly. None: not recorded."""

    name: str
    """Candidate."""
    model_id: str
    """Model."""
    revision: str | None
    """Commit that pins it."""
    weights_file: str
    """Name of the weights file, without its folder; empty where there is none."""
    weights_sha256: str | None
    """Checksum of that file."""
    quantization: str | None
    """Quantization."""
    engine: str
    """Engine."""
    engine_version: str | None
    """Its version."""
    options_json: str
    """Its options, as the benchmark file writes them."""
    chat_template_sha256: str | None
    """Checksum of the chat template that was applied."""
    run_key: str
    """Key of the run."""
    run_status: str
    """How it ended."""


class RepeatedEstimate(Record):
    """One number to hold the new one against."""

    candidate: str
    """Whose number it is."""
    name: str
    """`metric.accuracy` … for metrics; else a field's name, such as `e2e_p50_seconds`, which ends in its unit."""
    estimate: Estimate
    """Value, 95 % interval where there is one, n and method."""


class Repeat(Record):
    """Everything that `workbench repeat` needs."""

    benchmark: str
    """Name of the benchmark."""
    definition: str
    """Whole text of the benchmark file; empty where answers were imported without one."""
    test_set_name: str
    """Name of the test set."""
    test_set_hash: str
    """Its content hash: another hash is another test set."""
    examples: int
    """How many examples it has."""
    seed: int
    """Seed of everything random."""
    workbench_version: str
    """Our own version then."""
    packages: dict[str, str]
    """Versions of packages that can change a number."""
    candidates: tuple[RepeatedCandidate, ...]
    """In the order of the benchmark file."""
    winner: str | None
    """Who was recommended."""
    estimates: tuple[RepeatedEstimate, ...]
    """All estimates, candidate by candidate."""


_ESTIMATES = (
    "ttft_p50_seconds",
    "ttft_p95_seconds",
    "e2e_p50_seconds",
    "e2e_p95_seconds",
    "tpot_p50_seconds",
    "prefill_tokens_per_second",
    "decode_tokens_per_second",
)
_SINGLE = ("load_seconds", "accuracy_examples_per_second", "peak_memory_bytes", "peak_gpu_bytes")
"""Figures that were measured once and have no interval."""


def repeat_record(content: ReportContent) -> Repeat:
    """What repeats the benchmark of a report."""
    benchmark = content.comparison.benchmark
    return Repeat(
        benchmark=benchmark.name,
        definition=benchmark.definition,
        test_set_name=benchmark.test_set_name,
        test_set_hash=benchmark.test_set_hash,
        examples=benchmark.examples,
        seed=benchmark.seed,
        workbench_version=content.workbench_version,
        packages=dict(content.packages),
        candidates=tuple(_candidate(summary) for summary in content.comparison.candidates),
        winner=content.recommendation.winner,
        estimates=tuple(row for summary in content.comparison.candidates for row in _estimates(summary)),
    )


def _candidate(summary: CandidateSummary) -> RepeatedCandidate:
    candidate, loaded = summary.candidate, summary.loaded
    return RepeatedCandidate(
        name=candidate.name,
        model_id=candidate.model_id,
        revision=candidate.revision,
        weights_file=file_name(candidate.weights_path) if candidate.weights_path else "",
        weights_sha256=candidate.weights_sha256,
        quantization=candidate.quantization,
        engine=candidate.engine,
        engine_version=loaded.engine_version if loaded else None,
        options_json=summary.options.model_dump_json(exclude={"engine"}),
        chat_template_sha256=loaded.chat_template_sha256 if loaded else None,
        run_key=summary.run_key,
        run_status=summary.status,
    )


def _estimates(summary: CandidateSummary) -> Iterator[RepeatedEstimate]:
    name = summary.candidate.name
    for metric in summary.metrics:
        yield RepeatedEstimate(candidate=name, name=f"metric.{metric.name}", estimate=metric.estimate)
    for field in _ESTIMATES:
        found = getattr(summary, field)
        if found is not None:
            yield RepeatedEstimate(candidate=name, name=field, estimate=found)
    for field in _SINGLE:
        value = getattr(summary, field)
        if value is not None:
            once = Estimate(value=value, n=1, method="measured once, no interval")
            yield RepeatedEstimate(candidate=name, name=field, estimate=once)
