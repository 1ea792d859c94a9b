"""How the numbers came about, what is needed to repeat them, and what was not measured."""

from catalog.records import Machine
from results import numbers
from results.metric_words import in_prose, quality_title
from results.records import CandidateSummary, Estimate
from runners.levels import levels_of, planned_requests, requests_at
from runners.records import Workload
from workbench.report.definitions import DEFINITIONS
from workbench.report.document import (
    Block,
    Code,
    Definitions,
    Heading,
    Item,
    Items,
    Paragraph,
    Section,
    facts_table,
)
from workbench.report.records import ReportContent
from workbench.report.text import file_name, listing

_UNKNOWN = "not recorded"

_NEVER_MEASURED = ("Anything that is not in the test set: other tasks, other languages, other prompts, safety.",)
"""What this version measures for no candidate."""


def notes_section(content: ReportContent) -> Section:
    """What a reader must know of the candidates and of the report."""
    items = [
        Item(text=f"{summary.candidate.name}: {note}")
        for summary in content.comparison.candidates
        for note in summary.candidate.notes
    ]
    items += [Item(text=note) for note in (*content.comparison.notes, *content.notes)]
    block: Block = Items(items=tuple(items)) if items else Paragraph(text="There is nothing to note.")
    return Section(anchor="notes", title="Notes", blocks=(block,))


def method_section(content: ReportContent) -> Section:
    """Workloads as they were run, definitions of every number, and how each interval was made."""
    comparison = content.comparison
    workloads = tuple(
        Item(text=_workload(workload, comparison.benchmark.examples)) for workload in comparison.benchmark.workloads
    )
    methods = dict.fromkeys(line for summary in comparison.candidates for line in _methods(summary))
    blocks: list[Block] = [Heading(text="What was asked")]
    blocks.append(Items(items=workloads) if workloads else Paragraph(text=f"Workloads: {_UNKNOWN}."))
    blocks += [Heading(text="Definitions"), Definitions(definitions=DEFINITIONS)]
    if methods:
        blocks += [Heading(text="How each estimate was made"), Items(items=tuple(Item(text=line) for line in methods))]
    return Section(anchor="method", title="Method and definitions", blocks=tuple(blocks))


def repeat_section(content: ReportContent) -> Section:
    """Machine, versions, digests, the benchmark file and the commands."""
    benchmark = content.comparison.benchmark
    blocks: list[Block] = []
    if content.commands:
        blocks.append(Code(label="Commands", text="\n".join(content.commands)))
    blocks.append(
        facts_table(
            "Benchmark",
            (
                ("Name", benchmark.name),
                ("Measured", benchmark.created_at),
                ("Benchmark file", file_name(benchmark.source) if benchmark.source else _UNKNOWN),
                ("Test set", f"{benchmark.test_set_name}, {numbers.things(benchmark.examples, 'example')}"),
                ("Test set hash", benchmark.test_set_hash),
                ("Labels", ", ".join(benchmark.labels) or _UNKNOWN),
                ("Seed", str(benchmark.seed)),
                ("Open Model Workbench", content.workbench_version),
            ),
        )
    )
    blocks.append(_machine_table(benchmark.machine))
    blocks += [
        facts_table(f"Candidate {summary.candidate.name}", _candidate_facts(summary))
        for summary in content.comparison.candidates
    ]
    if content.packages:
        blocks.append(facts_table("Package versions", content.packages))
    if benchmark.definition:
        blocks.append(Code(label="The benchmark file", text=benchmark.definition))
    return Section(anchor="repeat", title="What is needed to repeat it", blocks=tuple(blocks))


def not_measured_section(content: ReportContent) -> Section:
    """What no number here speaks of, by candidate and for all."""
    machine = content.comparison.benchmark.machine
    has_gpu = machine is None or bool(machine.gpus)
    quality = in_prose(quality_title(content.comparison))
    items = []
    for summary in content.comparison.candidates:
        missing = [
            what for what, value in _measures(summary, quality) if value is None and (has_gpu or "GPU" not in what)
        ]
        if missing:
            items.append(Item(text=f"{summary.candidate.name}: {listing(missing)}."))
    if not content.recommendation.costs:
        items.append(Item(text="Cost: no price was given."))
    items += [Item(text=text) for text in _NEVER_MEASURED]
    return Section(anchor="not-measured", title="What was not measured", blocks=(Items(items=tuple(items)),))


def _workload(workload: Workload, examples: int) -> str:
    limits = _decoding(workload)
    warmup = numbers.things(workload.warmup_prompts, "warm-up prompt")
    match workload.kind:
        case "accuracy":
            asked = f"all {numbers.things(examples, 'example')}, batched, prefix cache on"
            return f"Accuracy: {asked}; {limits}. It gives no latency figure."
        case "latency":
            count = planned_requests(workload, examples)
            asked = numbers.things(count, "request" if workload.synthetic else "example")
            return (
                f"Latency: {asked} one after the other at concurrency 1, prefix cache off;"
                f" {warmup} before, sent and left out; {limits}."
            )
        case "load_sweep":
            least = numbers.things(requests_at(workload, 1), "request")
            return (
                f"Load sweep: 1, 2, 4 … up to {workload.max_concurrency} requests at once, at least {least} and"
                f" {workload.rounds} for each place at every level, until a level gains less than"
                f" {numbers.percent(workload.min_gain)} throughput or breaks a limit; {warmup} before each level,"
                f" sent and left out; {limits}."
            )
        case "arrivals":
            rates = listing([f"{rate:g}" for rate in levels_of(workload)])
            sent = numbers.things(requests_at(workload, 1), "request")
            return (
                f"Arrivals: {sent} at random moments (Poisson, seeded) at {rates} per second on average, sent whether"
                f" or not earlier ones are answered; {warmup} before, sent and left out; {limits}."
            )
        case "load":
            return (
                "Load: once after the system was asked to forget the weights file, then again"
                f" {numbers.things(workload.repeats, 'time')} with it in memory."
            )
        case "robustness" | "prompts":
            return _asked_freely(workload, examples, limits)


def _asked_freely(workload: Workload, examples: int, limits: str) -> str:
    if workload.kind == "prompts":
        return f"Free prompts: {numbers.things(len(workload.conversations), 'conversation')}; {limits}."
    drawn = numbers.things(min(workload.examples or examples, examples), "example")
    ways = [f"with {listing(list(workload.perturbations))}"] if workload.perturbations else []
    if workload.temperature:
        ways.append(f"{numbers.things(workload.repeats, 'time')} again at temperature {workload.temperature:g}")
    greedy = workload.model_copy(update={"temperature": 0.0})
    return f"Robustness: {drawn} as they are, and {listing(ways)}; {_decoding(greedy)} where nothing else is said."


def _decoding(workload: Workload) -> str:
    """What is sent and how long answers may be."""
    if workload.synthetic is not None:
        return (
            f"made prompts of {numbers.things(workload.synthetic.input_tokens, 'token')}, each different, answered with"
            f" exactly {numbers.things(workload.synthetic.output_tokens, 'token')}, temperature"
            f" {workload.temperature:g}"
        )
    limits = (
        f"at most {numbers.things(workload.max_output_tokens, 'output token')}, temperature {workload.temperature:g}"
    )
    if workload.stop:
        limits += f", ending at {listing([repr(stop) for stop in workload.stop], 'or')}"
    return limits


def _methods(summary: CandidateSummary) -> list[str]:
    """How each of a candidate's estimates was made, with its n."""
    estimates: tuple[tuple[str, Estimate | None], ...] = (
        *((metric.title, metric.estimate) for metric in summary.metrics),
        ("TTFT p50", summary.ttft_p50_seconds),
        ("TTFT p95", summary.ttft_p95_seconds),
        ("E2E p50", summary.e2e_p50_seconds),
        ("E2E p95", summary.e2e_p95_seconds),
        ("TPOT p50", summary.tpot_p50_seconds),
        ("Prefill speed", summary.prefill_tokens_per_second),
        ("Decode speed", summary.decode_tokens_per_second),
    )
    return [f"{what}: n = {numbers.count(e.n)}, {e.method}." for what, e in estimates if e is not None]


def _measures(summary: CandidateSummary, quality: str) -> tuple[tuple[str, object], ...]:
    return (
        (quality, summary.quality),
        ("time to first token (p50)", summary.ttft_p50_seconds),
        ("time to first token (p95)", summary.ttft_p95_seconds),
        ("end to end (p50)", summary.e2e_p50_seconds),
        ("end to end (p95)", summary.e2e_p95_seconds),
        ("decode speed", summary.decode_tokens_per_second),
        ("prefill speed", summary.prefill_tokens_per_second),
        ("peak memory", summary.peak_memory_bytes),
        ("GPU memory", summary.peak_gpu_bytes),
        ("load time", summary.load_seconds),
        (
            "more than one request at a time (no load sweep, no arrivals at a rate)",
            summary.sweep or summary.arrivals or None,
        ),
        ("energy", summary.energy_source),
    )


def _machine_table(machine: Machine | None) -> Block:
    if machine is None:
        return Paragraph(text=f"Machine: {_UNKNOWN}.")
    gpus = [f"{gpu.name}, {numbers.bytes_(gpu.total_bytes)}, driver {gpu.driver or _UNKNOWN}" for gpu in machine.gpus]
    cores = f"{_count(machine.physical_cores)} physical, {numbers.count(machine.logical_cores)} usable logical"
    available, total = numbers.bytes_(machine.memory_available_bytes), numbers.bytes_(machine.memory_total_bytes)
    return facts_table(
        "Machine",
        (
            ("Name", machine.name),
            ("CPU", machine.cpu),
            ("Cores", cores),
            ("Instruction sets", ", ".join(machine.instruction_sets) or _UNKNOWN),
            ("Memory", f"{total}, {available} available"),
            ("GPU", "; ".join(gpus) or "none visible"),
            ("Operating system", machine.operating_system or _UNKNOWN),
            ("Python", machine.python or _UNKNOWN),
        ),
    )


def _candidate_facts(summary: CandidateSummary) -> tuple[tuple[str, str], ...]:
    candidate, loaded = summary.candidate, summary.loaded
    engine = f"{loaded.engine} {loaded.engine_version}" if loaded else f"{candidate.engine}, version {_UNKNOWN}"
    template = loaded.chat_template_sha256 or "none: prompts are plain text" if loaded else _UNKNOWN
    return (
        ("Model", candidate.model_id),
        ("Revision", candidate.revision or _UNKNOWN),
        ("Weights file", f"{file_name(candidate.weights_path)}, {numbers.bytes_(candidate.weights_bytes)}"),
        ("SHA-256 of the weights", candidate.weights_sha256 or _UNKNOWN),
        ("Quantization", candidate.quantization or _UNKNOWN),
        ("Parameters", _UNKNOWN if candidate.parameters is None else numbers.parameters(candidate.parameters)),
        ("Engine", engine),
        ("Engine build", loaded.build if loaded else _UNKNOWN),
        ("Engine options", summary.options.model_dump_json(exclude={"engine"})),
        ("Model as loaded", loaded.model_description if loaded else _UNKNOWN),
        ("Context", numbers.things(loaded.context_tokens, "token") if loaded and loaded.context_tokens else _UNKNOWN),
        ("Threads", _count(loaded.threads) if loaded else _UNKNOWN),
        ("SHA-256 of the chat template", template),
        ("Run", f"{summary.run_key}, {summary.status}"),
    )


def _count(value: int | None) -> str:
    return _UNKNOWN if value is None else numbers.count(value)
