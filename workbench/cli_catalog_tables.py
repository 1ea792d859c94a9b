"""Draws what the commands on models found. Numbers through results/numbers.py; holds no logic."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from catalog.hub import DownloadPlan
from catalog.records import (
    Fit,
    MachineProfile,
    QuantizationOption,
    SearchHit,
    SearchResult,
    Speed,
    Trend,
    Verdict,
)
from results import numbers
from workbench.cli_marks import FIT_MARKS, VERDICT_MARKS, new_table
from workbench.lineage_words import ancestor_line, disagreement
from workbench.records import LocalModels, ModelPage, PlannedMachine


def print_search(console: Console, result: SearchResult) -> None:
    """Models found, then how many were left out by which rule."""
    table = new_table(
        "Model",
        "License",
        "Verdict",
        ">Parameters",
        ">Context",
        ">Memory",
        "Fit",
        "Finest that fits",
        ">Downloads",
        "Trend",
    )
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
            hit.largest.quantization if hit.largest is not None else numbers.UNKNOWN,
            numbers.count(model.downloads),
            _movement(hit.trend),
        )
    console.print(table)
    console.print(
        f"{numbers.count(result.matches)} of {numbers.count(result.considered)} models match; {len(result.hits)} shown."
    )
    if result.excluded:
        listed = ", ".join(f"{numbers.count(entry.count)} by {entry.rule}" for entry in result.excluded)
        console.print(f"Left out: {listed}")
    console.print("[dim]Verdicts are judged for your profile and are not legal advice.[/]")


def print_model(console: Console, page: ModelPage) -> None:
    """One model: facts with their sources, verdict with reasons and lineage, memory by quantization, speed."""
    console.print(f"[bold]{escape(page.model.id)}[/]")
    _print_facts(console, page)
    print_verdict(console, page.verdict)
    for note in page.model.notes:
        console.print(f"  [dim]note: {escape(note)}[/]")
    if page.options:
        _print_options(console, page.options)
    print_fit(console, page.fit)
    for limit in (page.longest_context, page.most_sequences):
        if limit is not None:
            console.print(escape(limit.explanation))
    if page.speed is not None:
        console.print(f"Speed, roughly, from memory bandwidth: {speed_range(page.speed)} ({escape(page.speed.source)})")


def print_verdict(console: Console, verdict: Verdict) -> None:
    """May it be used: reasons, lineage, conditions as a checklist, advice."""
    console.print(f"Verdict: {VERDICT_MARKS[verdict.value]}  {escape(verdict.license or 'no license declared')}")
    stricter = disagreement(verdict)
    if stricter is not None:
        console.print(f"  [yellow]{stricter}[/]")
    for reason in verdict.reasons:
        link = f" {escape(reason.link)}" if reason.link else ""
        console.print(f"  {escape(reason.text)} [dim]({escape(reason.source)}){link}[/]")
    for ancestor in verdict.lineage:
        console.print(f"  ↳ {escape(ancestor_line(ancestor))}")
    for condition in verdict.conditions:
        console.print(f"  ☐ {escape(condition)}")
    for note in verdict.advisories:
        console.print(f"  [dim]note: {escape(note)}[/]")
    console.print("[dim]Not legal advice.[/]")


def print_fit(console: Console, fit: Fit) -> None:
    """Predicted memory, part by part."""
    console.print(f"Memory: {FIT_MARKS[fit.value]}  {escape(fit.explanation)}")
    title = f"{fit.quantization} under {fit.engine}, {numbers.count(fit.context_tokens)} tokens × {fit.concurrency}"
    table = new_table(escape(title), ">Predicted")
    for name, value in (
        ("weights", fit.weights_bytes),
        (f"KV cache ({fit.cache_type})", fit.kv_cache_bytes),
        ("recurrent state", fit.state_bytes or None),
        ("compute", fit.compute_bytes),
        ("overhead", fit.overhead_bytes),
        ("expected peak", fit.total_bytes),
        ("of it given back when memory is short", fit.reclaimable_bytes or None),
        ("at least", fit.least_bytes),
        ("to plan with", fit.safe_bytes),
        (f"available ({escape(fit.device)})", fit.available_bytes),
    ):
        if value is not None:
            table.add_row(name, numbers.bytes_(value))
    console.print(table)


def print_plan(console: Console, planned: Sequence[PlannedMachine]) -> None:
    """The smallest machines, by kind."""
    if not planned:
        console.print("No machine of the list would do. Try a smaller quantization, context or concurrency.")
        return
    table = new_table("Machine", "Name", "Fit", ">Needed", ">Free", ">Tokens/s, roughly")
    for entry in planned:
        table.add_row(
            escape(entry.profile.title),
            entry.profile.name,
            FIT_MARKS[entry.fit.value],
            numbers.bytes_(entry.fit.total_bytes),
            numbers.bytes_(entry.fit.available_bytes),
            speed_range(entry.speed),
        )
    console.print(table)
    console.print("[dim]The smallest of each kind, by memory; prices are not known here.[/]")


def print_machines(console: Console, machines: Sequence[MachineProfile]) -> None:
    """Machines to plan for."""
    table = new_table("Name", "Machine", ">GPU memory", ">Main memory", "Source")
    for entry in machines:
        gpus = sum(gpu.total_bytes for gpu in entry.machine.gpus) or None
        table.add_row(
            entry.name,
            escape(entry.title),
            numbers.bytes_(gpus),
            numbers.bytes_(entry.machine.memory_total_bytes),
            escape(entry.source),
        )
    console.print(table)


def print_trends(console: Console, found: Sequence[Trend]) -> None:
    """What is rising."""
    if not found:
        console.print("Nothing to compare.")
        return
    table = new_table("Name", "Task", ">Rank", ">Before", ">Downloads in 30 days", ">Before", ">Models")
    for trend in found:
        table.add_row(
            escape(trend.name),
            escape(trend.task or ""),
            numbers.count(trend.rank),
            numbers.count(trend.rank_before),
            numbers.count(trend.downloads),
            numbers.count(trend.downloads_before),
            numbers.count(trend.models),
        )
    console.print(table)
    console.print(f"[dim]From {found[0].since} to {found[0].until}.[/]")


def print_local(console: Console, found: LocalModels) -> None:
    """Models on this machine, then what could not be read."""
    table = new_table("Model", "License", ">Parameters", ">Context", "Files")
    for model in found.models:
        files = ", ".join(
            f"{file.quantization or file.format} {numbers.bytes_(file.size_bytes)}" for file in model.weights_files
        )
        table.add_row(
            escape(model.id),
            escape(model.license_name or model.license or "none"),
            numbers.parameters(model.parameters),
            numbers.count(model.context_native_tokens),
            escape(files),
        )
    if found.models:
        console.print(table)
    places = ", ".join(found.places) or "no folder of a known tool exists"
    console.print(f"{len(found.models)} models in: {escape(places)}", soft_wrap=True)
    for problem in found.problems:
        console.print(f"[yellow]![/] {escape(problem)}", soft_wrap=True)


def print_download(console: Console, plan: DownloadPlan) -> None:
    """What will be fetched."""
    console.print(
        f"{escape(plan.model_id)} at {plan.revision[:12]}: {numbers.things(len(plan.files), 'file')}, "
        f"{numbers.bytes_(plan.bytes_total)}, of which {numbers.bytes_(plan.bytes_missing)} are missing; "
        f"{numbers.bytes_(plan.bytes_free)} free in {escape(plan.cache_folder)}",
        soft_wrap=True,
    )
    for note in plan.notes:
        console.print(f"[yellow]![/] {escape(note)}", soft_wrap=True)


def speed_range(speed: Speed | None) -> str:
    """`12.3 to 45.6 tokens/s`."""
    if speed is None:
        return numbers.UNKNOWN
    return f"{numbers.rate(speed.low_tokens_per_second)} to {numbers.rate(speed.high_tokens_per_second)}"


def _print_facts(console: Console, hit: SearchHit) -> None:
    model = hit.model
    sources = {entry.field: f"{entry.source} ({entry.confidence})" for entry in model.provenance}
    table = new_table("Fact", "Value", "Source")
    rows = (
        ("license", model.license_name or model.license),
        ("task", model.task),
        ("parameters", numbers.parameters(model.parameters)),
        ("active_parameters", numbers.parameters(model.active_parameters)),
        ("context_native_tokens", numbers.count(model.context_native_tokens)),
        ("context_extended_tokens", numbers.count(model.context_extended_tokens)),
        ("context_effective_tokens", numbers.count(model.context_effective_tokens)),
        ("formats", ", ".join(model.formats)),
        ("base_models", ", ".join(model.base_models)),
        ("downloads", numbers.count(model.downloads)),
        ("revision", model.revision),
        ("security", model.security),
    )
    for name, value in rows:
        if value and value != numbers.UNKNOWN:
            table.add_row(name, escape(value), escape(sources.get(name, "")))
    if model.architecture is not None:
        figures = model.architecture.model_dump(exclude_none=True, exclude={"layer_groups"})
        text = ", ".join(f"{name} {value}" for name, value in figures.items())
        table.add_row("architecture", escape(text), escape(sources.get("architecture", "")))
        for group in model.architecture.layer_groups:
            parts = ", ".join(f"{name} {value}" for name, value in group.model_dump(exclude_none=True).items())
            table.add_row("  layers", escape(parts), "")
    console.print(table)


def _print_options(console: Console, options: Sequence[QuantizationOption]) -> None:
    table = new_table("Quantization", "Where", ">Weights", ">Expected memory", "Fit", ">Expected loss")
    for option in options:
        fit = option.fit
        table.add_row(
            option.quantization,
            escape(option.path or option.model_id),
            numbers.bytes_(fit.weights_bytes if fit else None),
            numbers.bytes_(fit.total_bytes if fit else None),
            FIT_MARKS[fit.value] if fit else "",
            numbers.UNKNOWN if option.expected_loss is None else f"{option.expected_loss:.4f}",
        )
    console.print(table)
    source = next((option.loss_source for option in options if option.expected_loss), None)
    if source is not None:
        console.print(f"[dim]Expected loss: mean KL divergence to the original, in nats per token; {escape(source)}[/]")


def _movement(trend: Trend | None) -> str:
    """`▲ 3` or `▼ 12` places since the snapshot before; a dash where there is nothing to compare."""
    if trend is None or trend.rank is None or trend.rank_before is None:
        return numbers.UNKNOWN
    places = trend.rank_before - trend.rank
    return "=" if places == 0 else f"{'▲' if places > 0 else '▼'} {abs(places)}"
