"""Draws records as tables and lines for the terminal. Numbers through results/numbers.py; holds no logic."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from results import numbers
from results.conclusions import stopped_early
from results.metric_words import metric_named, metric_titles, quality_title, shown_estimate
from results.records import BenchmarkComparison, RunInfo
from workbench.cli_decision_tables import print_costs
from workbench.cli_load_tables import print_load
from workbench.cli_marks import VERDICT_MARKS, new_table
from workbench.cli_pass_tables import print_robustness
from workbench.records import Check, EngineStatus

_CHECK_MARKS = {"ok": "[green]✓[/]", "warning": "[yellow]![/]", "missing": "[red]✕[/]"}


def print_checks(console: Console, checks: Sequence[Check]) -> None:
    """What doctor found."""
    for check in checks:
        console.print(f"{_CHECK_MARKS[check.state]} [bold]{check.name}[/]: {escape(check.found)}")
        if check.fix:
            console.print(f"    → {escape(check.fix)}")


def print_engines(console: Console, engines: Sequence[EngineStatus]) -> None:
    """Engines, installed or not."""
    table = new_table("Engine", "Version", "Runs", "Install")
    for engine in engines:
        missing = "installation cut off" if engine.state == "unfinished" else "not installed"
        version = escape(f"{engine.version} ({engine.build})" if engine.build else engine.version or "")
        version = version or f"[red]{missing}[/]"
        table.add_row(engine.name, version, engine.can, "" if engine.version else engine.install)
    console.print(table)


def print_runs(console: Console, runs: Sequence[RunInfo]) -> None:
    """Stored runs."""
    if not runs:
        console.print("No runs yet. Start with: workbench demo")
        return
    table = new_table("Benchmark", "Candidate", "Status", "Started", ">Completions", ">Failures")
    for run in runs:
        table.add_row(
            escape(run.benchmark),
            escape(run.candidate),
            run.status,
            run.started_at or numbers.UNKNOWN,
            numbers.count(run.completions),
            numbers.count(run.failures),
        )
    console.print(table)


def print_comparison(console: Console, comparison: BenchmarkComparison) -> None:
    """Summary of every candidate, then every pair."""
    table = new_table(
        *(
            "Candidate",
            f">{quality_title(comparison)}",
            ">TTFT p50 / p95",
            ">End to end p50 / p95",
            ">Decode",
            ">Peak memory",
            ">Load",
        ),
        "Verdict",
    )
    for summary in comparison.candidates:
        rate = summary.decode_tokens_per_second
        table.add_row(
            escape(summary.candidate.name),
            shown_estimate(summary.quality),
            f"{_value(summary.ttft_p50_seconds)} / {_value(summary.ttft_p95_seconds)}",
            f"{_value(summary.e2e_p50_seconds)} / {_value(summary.e2e_p95_seconds)}",
            numbers.rate(rate.value if rate is not None else None),
            numbers.bytes_(summary.peak_memory_bytes),
            numbers.seconds(summary.load_seconds),
            VERDICT_MARKS[summary.verdict.value],
        )
    console.print(table)
    _print_metrics(console, comparison)
    print_costs(console, comparison.costs)
    print_load(console, comparison.candidates)
    _print_ladder(console, comparison)
    print_robustness(console, comparison.candidates)
    for note in comparison.notes:
        console.print(f"[yellow]![/] {escape(note)}")
    for pair in comparison.pairs:
        console.print(f"• {escape(pair.conclusion)}")
    for summary in comparison.candidates:
        if summary.stopped is not None:
            console.print(f"• {escape(stopped_early(summary.candidate.name, summary.stopped))}")
        for failure in summary.failures:
            console.print(
                f"[red]✕ {escape(summary.candidate.name)}[/]: {escape(failure.message)} {escape(failure.hint)}"
            )


def _print_metrics(console: Console, comparison: BenchmarkComparison) -> None:
    """Every metric of every candidate, where there is more than the one that stands for quality."""
    titles = metric_titles(comparison)
    if len(titles) < 2:
        return
    table = new_table("Metric", *(f">{escape(summary.candidate.name)}" for summary in comparison.candidates))
    for name, title in titles.items():
        table.add_row(title, *(shown_estimate(metric_named(summary, name)) for summary in comparison.candidates))
    console.print(table)


def _print_ladder(console: Console, comparison: BenchmarkComparison) -> None:
    """What quantizing lost on a text, where it was measured."""
    if not comparison.ladder:
        return
    table = new_table("Quantization ladder", "Against", "Text", ">÷ perplexity", ">Mean KLD, nats", ">Same top token")
    for rung in comparison.ladder:
        found, against = rung.loss.divergence, rung.loss.reference_quantization or numbers.UNKNOWN
        table.add_row(
            escape(rung.candidate),
            against if found else "is the reference",
            escape(rung.loss.text),
            f"{found.perplexity_ratio.value:.4f}" if found else numbers.UNKNOWN,
            f"{found.mean_nats.value:.5f}" if found else numbers.UNKNOWN,
            numbers.percent(found.same_top_share.value if found else None),
        )
    console.print(table)


def _value(estimate: object) -> str:
    return numbers.seconds(getattr(estimate, "value", None))
