"""Draws records as tables and lines for the terminal. Numbers through results/numbers.py; holds no logic."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from catalog.records import Fit, FitValue, SearchHit, SearchResult, VerdictValue
from results import numbers
from results.records import BenchmarkComparison, Recommendation, RunInfo
from workbench.records import Check, EngineStatus, TestSetCheck

VERDICT_MARKS = {
    VerdictValue.ALLOWED: "[green]✓ allowed[/]",
    VerdictValue.CONDITIONAL: "[yellow]! conditional[/]",
    VerdictValue.UNKNOWN: "[dim]? unknown[/]",
    VerdictValue.FORBIDDEN: "[red]✕ forbidden[/]",
}
FIT_MARKS = {
    FitValue.FITS: "[green]✓ fits[/]",
    FitValue.TIGHT: "[yellow]! tight[/]",
    FitValue.OFFLOAD: "[yellow]! offload[/]",
    FitValue.NO: "[red]✕ no[/]",
    FitValue.UNKNOWN: "[dim]? unknown[/]",
}
_CHECK_MARKS = {"ok": "[green]✓[/]", "warning": "[yellow]![/]", "missing": "[red]✕[/]"}
_MOST_PROBLEMS = 50


def print_search(console: Console, result: SearchResult) -> None:
    """Models found, then how many were left out by which rule."""
    table = _table("Model", "License", "Verdict", ">Parameters", ">Context", ">Memory", "Fit", ">Downloads")
    for hit in result.hits:
        model = hit.model
        table.add_row(
            escape(model.id),
            escape(model.license_name or model.license or "none"),
            VERDICT_MARKS[hit.verdict.value],
            numbers.parameters(model.parameters),
            numbers.count(model.context_native_tokens),
            numbers.bytes_(hit.fit.total_bytes),
            FIT_MARKS[hit.fit.value],
            numbers.count(model.downloads),
        )
    console.print(table)
    console.print(f"{result.matches} of {result.considered} models match; {len(result.hits)} shown.")
    if result.excluded:
        console.print("Left out: " + ", ".join(f"{entry.count} by {entry.rule}" for entry in result.excluded))
    console.print("[dim]Verdicts are judged for your profile and are not legal advice.[/]")


def print_model(console: Console, hit: SearchHit) -> None:
    """One model: facts with their sources, verdict with reasons, memory."""
    model = hit.model
    console.print(f"[bold]{escape(model.id)}[/]")
    sources = {entry.field: f"{entry.source} ({entry.confidence})" for entry in model.provenance}
    table = _table("Fact", "Value", "Source")
    rows = (
        ("license", model.license_name or model.license),
        ("task", model.task),
        ("parameters", numbers.parameters(model.parameters)),
        ("context_native_tokens", numbers.count(model.context_native_tokens)),
        ("context_extended_tokens", numbers.count(model.context_extended_tokens)),
        ("formats", ", ".join(model.formats)),
        ("base_models", ", ".join(model.base_models)),
        ("downloads", numbers.count(model.downloads)),
    )
    for name, value in rows:
        if value and value != numbers.UNKNOWN:
            table.add_row(name, escape(value), escape(sources.get(name, "")))
    if model.architecture is not None:
        figures = model.architecture.model_dump(exclude_none=True)
        text = ", ".join(f"{name} {value}" for name, value in figures.items())
        table.add_row("architecture", escape(text), escape(sources.get("architecture", "")))
    console.print(table)
    console.print(f"Verdict: {VERDICT_MARKS[hit.verdict.value]}")
    for reason in hit.verdict.reasons:
        console.print(f"  {escape(reason.text)} [dim]({escape(reason.source)})[/]")
    for condition in hit.verdict.conditions:
        console.print(f"  ☐ {escape(condition)}")
    for note in (*hit.verdict.advisories, *model.notes):
        console.print(f"  [dim]note: {escape(note)}[/]")
    print_fit(console, hit.fit)
    console.print("[dim]Not legal advice.[/]")


def print_fit(console: Console, fit: Fit) -> None:
    """Predicted memory, part by part."""
    console.print(f"Memory: {FIT_MARKS[fit.value]}  {escape(fit.explanation)}")
    table = _table("Part", ">Predicted")
    for name, value in (
        ("weights", fit.weights_bytes),
        ("KV cache", fit.kv_cache_bytes),
        ("compute", fit.compute_bytes),
        ("overhead", fit.overhead_bytes),
        ("total", fit.total_bytes),
        (f"available ({escape(fit.device)})", fit.available_bytes),
    ):
        table.add_row(name, numbers.bytes_(value))
    console.print(table)


def print_checks(console: Console, checks: Sequence[Check]) -> None:
    """What doctor found."""
    for check in checks:
        console.print(f"{_CHECK_MARKS[check.state]} [bold]{check.name}[/]: {escape(check.found)}")
        if check.fix:
            console.print(f"    → {escape(check.fix)}")


def print_engines(console: Console, engines: Sequence[EngineStatus]) -> None:
    """Engines, installed or not."""
    table = _table("Engine", "Version", "Runs", "Install")
    for engine in engines:
        version = engine.version or "[red]not installed[/]"
        table.add_row(engine.name, version, engine.can, "" if engine.version else engine.install)
    console.print(table)


def print_test_set(console: Console, checked: TestSetCheck) -> None:
    """Columns, labels and problems."""
    columns = checked.file.columns
    console.print(
        f"{len(checked.file.examples)} examples in {escape(checked.file.path)}: text in {columns.text!r}, "
        f"label in {columns.target!r}, slices: {', '.join(columns.slices) or 'none'}"
    )
    console.print("Labels: " + ", ".join(f"{escape(label)} {count}" for label, count in checked.label_counts))
    for problem in checked.problems[:_MOST_PROBLEMS]:
        mark = "[red]error[/]  " if problem.severity == "error" else "[yellow]warning[/]"
        where = f"row {problem.row}: " if problem.row else ""
        console.print(f"{mark} {where}{escape(problem.message)} → {escape(problem.fix)}")
    if len(checked.problems) > _MOST_PROBLEMS:
        console.print(f"… and {len(checked.problems) - _MOST_PROBLEMS} more (all of them with --json)")
    warnings = len(checked.problems) - checked.errors
    console.print(f"{numbers.things(checked.errors, 'error')}, {numbers.things(warnings, 'warning')}.")


def print_runs(console: Console, runs: Sequence[RunInfo]) -> None:
    """Stored runs."""
    if not runs:
        console.print("No runs yet. Start with: workbench demo")
        return
    table = _table("Benchmark", "Candidate", "Status", "Started", ">Completions", ">Failures")
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
    table = _table(
        "Candidate", ">Accuracy", ">TTFT p50", ">End to end p50 / p95", ">Decode", ">Peak memory", ">Load", "Verdict"
    )
    for summary in comparison.candidates:
        e2e = f"{_value(summary.e2e_p50_seconds)} / {_value(summary.e2e_p95_seconds)}"
        rate = summary.decode_tokens_per_second
        table.add_row(
            escape(summary.candidate.name),
            numbers.estimate(summary.accuracy, "percent"),
            _value(summary.ttft_p50_seconds),
            e2e,
            numbers.rate(rate.value if rate is not None else None),
            numbers.bytes_(summary.peak_memory_bytes),
            numbers.seconds(summary.load_seconds),
            VERDICT_MARKS[summary.verdict.value],
        )
    console.print(table)
    for pair in comparison.pairs:
        console.print(f"• {escape(pair.conclusion)}")
    for summary in comparison.candidates:
        for failure in summary.failures:
            console.print(
                f"[red]✕ {escape(summary.candidate.name)}[/]: {escape(failure.message)} {escape(failure.hint)}"
            )


def print_recommendation(console: Console, recommendation: Recommendation) -> None:
    """Three lines, then the ranking and who is out."""
    for line in recommendation.headline:
        console.print(escape(line), style="bold" if line == recommendation.headline[0] else None)
    console.print()
    for ranked in recommendation.ranked:
        console.print(f"{ranked.rank}. {escape(ranked.name)}  {' '.join(map(escape, ranked.reasons))}")
    for excluded in recommendation.excluded:
        console.print(f"✕ {escape(excluded.name)}  {' '.join(escape(broken.message) for broken in excluded.broken)}")
    if recommendation.nearest_miss:
        console.print(escape(recommendation.nearest_miss))


def _value(estimate: object) -> str:
    return numbers.seconds(getattr(estimate, "value", None))


def _table(*columns: str) -> Table:
    """A table; a column that begins with > is right-aligned."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        right = column.startswith(">")
        table.add_column(column.removeprefix(">"), justify="right" if right else "left", overflow="fold")
    return table
