"""What the step Choose shows: found models, what was left out, one model in full, the shortlist."""

from collections.abc import Sequence

from catalog.records import (
    Exclusion,
    Fit,
    FitValue,
    Model,
    RuleCount,
    SearchHit,
    SearchResult,
    VerdictValue,
    WeightsFile,
)
from results import numbers
from results.records import Shortlist
from workbench import sentences
from workbench.candidates import candidate_name
from workbench.records import CandidateDefinition
from workbench.report.text import file_name
from workbench.steps import render
from workbench.steps.render import Cell, Column, Content, Html, Row, tag

EXCLUDED_SHOWN = 200
_RULE_WORDS = {
    "verdict": "license verdict",
    "min_parameters": "too few parameters",
    "max_parameters": "too many parameters",
    "min_context": "context too short",
    "fits": "does not fit",
    "format": "format",
    "task": "task",
    "language": "language",
    "text": "name",
}
_COLUMNS = (
    Column("Model"),
    Column("License", hint="May it be used commercially under your profile?"),
    Column("Parameters", numeric=True),
    Column("Context", numeric=True, hint="Native context in tokens"),
    Column("Memory", numeric=True, hint="Predicted: weights, KV cache, compute and overhead, against what is free"),
    Column("Downloads", numeric=True, hint="In the 30 days before the snapshot"),
)


def results_table(result: SearchResult, selected: str | None) -> Html:
    """Found models, and always how many were left out by which rule."""
    if not result.hits:
        body = render.empty(
            "No model passes every filter", "Loosen the filter that excludes most; see the counts below."
        )
    else:
        table = render.table("Models that pass the filters", _COLUMNS, [_row(hit, selected) for hit in result.hits])
        body = tag("div", table, class_="scrolls")
    shown = f"{numbers.count(len(result.hits))} shown of " if len(result.hits) < result.matches else ""
    count = f"{shown}{numbers.count(result.matches)} that pass, of {numbers.count(result.considered)} in the catalog"
    return render.join(tag("p", count, class_="count"), body, excluded_line(result.excluded))


def excluded_line(counts: Sequence[RuleCount]) -> Html:
    """How many were left out, by rule; each rule can be opened."""
    if not counts:
        return tag("p", "Nothing was excluded: no filter is set.", class_="excluded")
    buttons = [
        render.action(
            f"{_RULE_WORDS.get(entry.rule, entry.rule)} {numbers.count(entry.count)}",
            "excluded",
            entry.rule,
            class_="chip",
        )
        for entry in counts
    ]
    return tag(
        "p",
        tag("b", f"{numbers.count(sum(entry.count for entry in counts))} excluded"),
        " by ",
        buttons,
        class_="excluded",
    )


def excluded_list(left_out: Sequence[Exclusion], rule: str, count: int) -> Html:
    """The first of the models that one rule left out, with the reason; `count` is how many there are."""
    rows = [
        Row([Cell(render.action(item.model_id, "open", item.model_id), item.model_id), Cell(item.reason, item.reason)])
        for item in left_out
    ]
    more = count - len(rows)
    note = f"{numbers.count(more)} more are not listed; narrow the name to see them." if more > 0 else None
    return tag(
        "div",
        render.heading(f"Excluded: {_RULE_WORDS.get(rule, rule)}", render.action("Close", "close")),
        render.table("Excluded models with reasons", (Column("Model"), Column("Reason")), rows),
        tag("p", note, class_="quiet") if note else None,
        class_="card",
    )


def model_card(hit: SearchHit, fits: Sequence[Fit]) -> Html:
    """One model: verdict with reasons and conditions, memory, facts with their sources."""
    model = hit.model
    name = render.outside_link(f"https://huggingface.co/{model.id}", model.id) if model.kind == "hub" else model.id
    return tag(
        "div",
        tag("div", tag("h2", name), render.verdict_badge(hit.verdict.value), class_="panel-head"),
        _license(hit),
        tag("h3", "Memory on this machine"),
        _memory(fits),
        render.bullets([render.join(note) for note in model.notes], class_="notes") if model.notes else None,
        tag("h3", "Facts and where they come from"),
        _facts(model),
        class_="card",
    )


def no_model() -> Html:
    """Nothing is selected."""
    return tag("div", render.empty(sentences.PICK_A_MODEL_TITLE, sentences.PICK_A_MODEL_TEXT), class_="card")


def weights_note(model_id: str, weights: Sequence[WeightsFile]) -> Html:
    """Whether the model can run here, and what is missing otherwise."""
    if weights:
        return render.NOTHING
    return render.notice(
        "info", sentences.NO_WEIGHTS, " ", tag("code", f"hf download {model_id} --include '*.gguf'"), "."
    )


def shortlist_panel(candidates: Sequence[CandidateDefinition], saved: Sequence[Shortlist]) -> Html:
    """Candidates on the shortlist, and the shortlists that were kept."""
    if candidates:
        body = tag("ul", [_candidate(candidate) for candidate in candidates], class_="chosen")
    else:
        body = tag("p", "Empty. Select a model and add it.", class_="quiet")
    kept = [
        tag(
            "li",
            render.action(f"{item.name} v{item.version}", "take", f"{item.name}\n{item.version}"),
            tag("span", f" {len(item.model_ids)} models, {len(item.exclusions):,} excluded", class_="quiet"),
            title=", ".join(item.model_ids),
        )
        for item in saved[:5]
    ]
    return render.join(
        render.heading("Shortlist", f"{len(candidates)} candidates" if candidates else None),
        body,
        render.join(tag("h3", "Kept"), tag("ul", kept, class_="plain")) if kept else None,
    )


def _row(hit: SearchHit, selected: str | None) -> Row:
    model, fit = hit.model, hit.fit
    return Row(
        [
            Cell(render.action(model.id, "open", model.id), model.id.casefold()),
            Cell(render.verdict_badge(hit.verdict.value), hit.verdict.value.strictness),
            Cell(numbers.parameters(model.parameters), model.parameters),
            Cell(numbers.count(model.context_native_tokens), model.context_native_tokens),
            Cell(_fit(fit), fit.total_bytes),
            Cell(numbers.count(model.downloads), model.downloads),
        ],
        class_="is-selected" if model.id == selected else "",
    )


def _fit(fit: Fit) -> Content:
    if fit.total_bytes is None:
        return tag("span", "unknown", title=fit.explanation, class_="quiet")
    label = f"{numbers.bytes_(fit.total_bytes)} of {numbers.bytes_(fit.available_bytes)} free: {fit.explanation}"
    sign = f"{render.FIT_SIGNS[fit.value]} " if fit.value in {FitValue.TIGHT, FitValue.NO} else ""
    return tag(
        "span",
        render.bar(fit.total_bytes / max(1, fit.available_bytes), label, class_=f"is-{fit.value}"),
        tag("span", sign + numbers.bytes_(fit.total_bytes), class_="amount"),
        class_=f"beside-bar is-{fit.value}",
        title=label,
    )


def _license(hit: SearchHit) -> Html:
    verdict = hit.verdict
    license_line = tag("p", "License: ", tag("b", verdict.license or "none declared"), class_="strong")
    reasons = [
        render.join(
            reason.text,
            " ",
            tag(
                "span",
                _source(reason.source, reason.link),
                f", read {reason.read_on}" if reason.read_on else None,
                class_="source",
            ),
        )
        for reason in verdict.reasons
    ]
    must = render.join(tag("h3", "To use it you must"), render.bullets(verdict.conditions, class_="checks"))
    mind = render.join(tag("h3", "Worth knowing"), render.bullets(verdict.advisories))
    unread = None if verdict.verified else tag("p", "The license text itself was not read.", class_="quiet")
    return render.join(
        license_line,
        render.bullets(reasons),
        must if verdict.conditions else None,
        mind if verdict.advisories else None,
        unread,
        tag("p", sentences.NOT_LEGAL_ADVICE, class_="quiet"),
    )


def _source(source: str, link: str | None) -> Html:
    return render.outside_link(link, source) if link else render.join(source)


_PARTS = (
    ("weights", "weights_bytes", "part-weights"),
    ("KV cache", "kv_cache_bytes", "part-cache"),
    ("compute", "compute_bytes", "part-compute"),
    ("overhead", "overhead_bytes", "part-overhead"),
)


def _memory(fits: Sequence[Fit]) -> Html:
    first = fits[0]
    setting = (
        f"Predicted for {numbers.count(first.context_tokens)} tokens of context, {first.concurrency} at once, "
        f"against {numbers.bytes_(first.available_bytes)} free on {first.device}."
    )
    largest = max((fit.total_bytes or 0 for fit in fits), default=0)
    return render.join(
        tag("p", setting, class_="quiet"),
        [_one_fit(fit, max(largest, fit.available_bytes)) for fit in fits],
        tag("p", first.explanation, class_="quiet"),
    )


def _one_fit(fit: Fit, scale: int) -> Html:
    """Total and verdict, and what the total is made of."""
    known = [(name, getattr(fit, field), class_) for name, field, class_ in _PARTS if getattr(fit, field) is not None]
    legend = [
        tag("span", tag("i", class_=class_, aria_hidden="true"), f"{name} {numbers.bytes_(value)}")
        for name, value, class_ in known
    ]
    widths = [
        tag("span", class_=class_, style=f"width:{value / max(1, scale) * 100:.2f}%") for _, value, class_ in known
    ]
    return tag(
        "div",
        tag(
            "div",
            tag("b", fit.quantization or numbers.UNKNOWN),
            render.fit_badge(fit.value),
            tag("span", numbers.bytes_(fit.total_bytes), class_="amount"),
            class_="fit-head",
        ),
        tag("div", widths, class_="parts", aria_hidden="true") if fit.total_bytes else None,
        tag("div", legend, class_="legend"),
        class_="fit",
    )


def _facts(model: Model) -> Html:
    architecture = model.architecture
    values: list[tuple[str, str, str]] = [
        ("Parameters", numbers.parameters(model.parameters), "parameters"),
        ("Active parameters", numbers.parameters(model.active_parameters), "active_parameters"),
        ("Native context", _tokens(model.context_native_tokens), "context_native_tokens"),
        ("Extended context", _tokens(model.context_extended_tokens), "context_extended_tokens"),
        ("License as declared", model.license_name or model.license or numbers.UNKNOWN, "license"),
        ("Base models", ", ".join(model.base_models) or numbers.UNKNOWN, "base_models"),
        ("Task", model.task or numbers.UNKNOWN, "task"),
        ("Formats", ", ".join(model.formats) or numbers.UNKNOWN, "formats"),
        ("Languages", ", ".join(model.languages[:12]) or numbers.UNKNOWN, "languages"),
        ("Architecture", (architecture.name if architecture else None) or numbers.UNKNOWN, "architecture"),
        ("Gated", {True: "yes", False: "no", None: numbers.UNKNOWN}[model.gated], "gated"),
        ("Released", model.released or numbers.UNKNOWN, "released"),
        ("Revision", model.revision or numbers.UNKNOWN, "revision"),
        (
            "Files",
            ", ".join(file_name(file.path) for file in model.weights_files[:4]) or numbers.UNKNOWN,
            "weights_files",
        ),
    ]
    rows = [
        Row([Cell(name), Cell(tag("div", value, tag("div", _provenance(model, field), class_="source")))])
        for name, value, field in values
        if value != numbers.UNKNOWN
    ]
    return render.table("Facts", (Column("Fact"), Column("Value and source")), rows, sortable=False)


def _provenance(model: Model, field: str) -> Content:
    found = [item for item in model.provenance if item.field == field or item.field.startswith(f"{field}.")]
    return f"{found[0].confidence}: {found[0].source}" if found else "source not recorded"


def _tokens(value: int | None) -> str:
    return numbers.UNKNOWN if value is None else f"{numbers.count(value)} tokens"


def _candidate(candidate: CandidateDefinition) -> Html:
    name = candidate_name(candidate)
    return tag(
        "li",
        tag(
            "span",
            tag("b", name),
            tag("span", f" {candidate.model}", class_="quiet"),
            class_="clipped",
            title=candidate.model,
        ),
        render.action("Remove", "remove", name, title=f"Remove {name}"),
    )


ALL_VERDICTS = tuple(str(value) for value in VerdictValue)
"""Choices of the verdict filter."""
