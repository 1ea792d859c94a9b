"""What the step Choose shows of one model: license and lineage, memory, speed, facts with their sources, files."""

from collections.abc import Sequence

from catalog.hub import DownloadPlan
from catalog.records import Model, QuantizationOption, Verdict, WeightsFile
from results import numbers
from workbench import sentences
from workbench.lineage_words import ancestor_line, disagreement
from workbench.records import ModelPage, PlannedMachine
from workbench.report.text import file_name
from workbench.steps import render
from workbench.steps.choose.view import movement
from workbench.steps.render import Cell, Column, Content, Html, Row, tag

_OPTIONS_SHOWN = 5
_FILES_SHOWN = 30


def no_model() -> Html:
    """Nothing is selected."""
    return tag("div", render.empty(sentences.PICK_A_MODEL_TITLE, sentences.PICK_A_MODEL_TEXT), class_="card")


def model_card(page: ModelPage, planned: Sequence[PlannedMachine]) -> Html:
    """One model: verdict with reasons, lineage and conditions, memory, speed, facts, files."""
    model = page.model
    name = render.outside_link(f"https://huggingface.co/{model.id}", model.id) if model.kind == "hub" else model.id
    return tag(
        "div",
        tag("div", tag("h2", name), render.verdict_badge(page.verdict.value), class_="panel-head"),
        _license(page.verdict),
        tag("h3", f"Memory under {page.fit.engine}"),
        _memory(page),
        _limits(page),
        _machines(planned),
        render.bullets([render.join(note) for note in model.notes], class_="notes") if model.notes else None,
        tag("h3", "Facts and where they come from"),
        _facts(page),
        _files(model.weights_files),
        class_="card",
    )


def weights_note(model: Model, here: Sequence[WeightsFile]) -> Html:
    """What is missing for this model, and what can be asked of the Hub."""
    if model.kind != "hub":
        return render.NOTHING
    ask = render.action("Ask the Hub for this model", "refresh", model.id, class_="button")
    if model.weights_files or here:
        return tag("p", ask, class_="quiet")
    return render.notice("info", sentences.NO_WEIGHTS, tag("p", ask))


def download_plan(plan: DownloadPlan) -> Html:
    """What a download would fetch, with the button that starts it."""
    size = f"{numbers.bytes_(plan.bytes_missing)} of {numbers.bytes_(plan.bytes_total)} are missing here"
    place = f"{numbers.bytes_(plan.bytes_free)} free in {plan.cache_folder}"
    what = f"{numbers.things(len(plan.files), 'file')} at {plan.revision[:12]}: {size}; {place}."
    start = render.action(
        f"Fetch {numbers.bytes_(plan.bytes_missing)} now", "fetch", plan.model_id, class_="button is-primary"
    )
    return render.notice(
        "info",
        tag("p", tag("b", plan.model_id), " ", plan.quantization or ""),
        tag("p", what),
        render.bullets(plan.notes) if plan.notes else None,
        tag("p", start),
    )


def _license(verdict: Verdict) -> Html:
    stricter = disagreement(verdict)
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
    lineage = render.join(tag("h3", "Made from"), render.bullets([ancestor_line(entry) for entry in verdict.lineage]))
    must = render.join(tag("h3", "To use it you must"), render.bullets(verdict.conditions, class_="checks"))
    mind = render.join(tag("h3", "Worth knowing"), render.bullets(verdict.advisories))
    return render.join(
        tag("p", "License: ", tag("b", verdict.license or "none declared"), class_="strong"),
        render.notice("warning", stricter) if stricter else None,
        render.bullets(reasons),
        lineage if verdict.lineage else None,
        must if verdict.conditions else None,
        mind if verdict.advisories else None,
        None if verdict.verified else tag("p", "The license text itself was not read.", class_="quiet"),
        tag("p", sentences.NOT_LEGAL_ADVICE, class_="quiet"),
    )


def _source(source: str, link: str | None) -> Html:
    return render.outside_link(link, source) if link else render.join(source)


_PARTS = (
    ("weights", "weights_bytes", "part-weights"),
    ("KV cache", "kv_cache_bytes", "part-cache"),
    ("state", "state_bytes", "part-state"),
    ("compute", "compute_bytes", "part-compute"),
    ("overhead", "overhead_bytes", "part-overhead"),
)


def _memory(page: ModelPage) -> Html:
    fit = page.fit
    setting = (
        f"Predicted for {numbers.count(fit.context_tokens)} tokens of context, {fit.concurrency} at once, "
        f"{fit.cache_type} cache, against {numbers.bytes_(fit.available_bytes)} free on {fit.device}."
    )
    shown = [option for option in page.options if option.fit is not None and option.fit.total_bytes is not None]
    largest = max((_total(option) for option in shown[:_OPTIONS_SHOWN]), default=0)
    scale = max(largest, fit.available_bytes)
    rest = shown[_OPTIONS_SHOWN:]
    source = next((option.loss_source for option in shown if option.expected_loss), None)
    return render.join(
        tag("p", setting, class_="quiet"),
        [_option(option, scale) for option in shown[:_OPTIONS_SHOWN]],
        _folded(f"{len(rest)} coarser quantizations", [_option(option, scale) for option in rest]) if rest else None,
        tag(
            "p",
            f"Loss: mean KL divergence to the original, in nats per token ({source}).",
            class_="quiet",
        )
        if source
        else None,
        tag("p", fit.explanation, class_="quiet"),
    )


def _total(option: QuantizationOption) -> int:
    return option.fit.total_bytes or 0 if option.fit is not None else 0


def _option(option: QuantizationOption, scale: int) -> Html:
    """One quantization: verdict, total, loss, and what the total is made of."""
    fit = option.fit
    if fit is None:
        return render.NOTHING
    known = [(name, value, class_) for name, field, class_ in _PARTS if (value := getattr(fit, field))]
    legend = [
        tag("span", tag("i", class_=class_, aria_hidden="true"), f"{name} {numbers.bytes_(value)}")
        for name, value, class_ in known
    ]
    widths = [
        tag("span", class_=class_, style=f"width:{value / max(1, scale) * 100:.2f}%") for _, value, class_ in known
    ]
    safe = f"at least {numbers.bytes_(fit.least_bytes)}, plan with {numbers.bytes_(fit.safe_bytes)}"
    loss = "" if option.expected_loss is None else f"loss {option.expected_loss:.3f}"
    return tag(
        "div",
        tag(
            "div",
            tag("b", option.quantization, title=option.path or option.model_id),
            render.fit_badge(fit.value),
            tag("span", loss, class_="quiet"),
            tag("span", numbers.bytes_(fit.total_bytes), class_="amount", title=safe),
            class_="fit-head",
        ),
        tag("div", widths, class_="parts", aria_hidden="true"),
        tag("div", legend, tag("span", safe), class_="legend"),
        class_="fit",
    )


def _limits(page: ModelPage) -> Html:
    lines: list[Content] = [
        limit.explanation for limit in (page.longest_context, page.most_sequences) if limit is not None
    ]
    if page.speed is not None:
        speed = f"{numbers.rate(page.speed.low_tokens_per_second)} to {numbers.rate(page.speed.high_tokens_per_second)}"
        lines.append(
            render.join(
                f"Writes {speed}, roughly: ",
                tag("span", f"memory bandwidth ÷ bytes read per token ({page.speed.source})", class_="quiet"),
            )
        )
    return render.bullets(lines) if lines else render.NOTHING


def _machines(planned: Sequence[PlannedMachine]) -> Html:
    """The smallest machines that would do, folded."""
    if not planned:
        return render.NOTHING
    rows = [
        Row(
            [
                Cell(entry.profile.title, entry.profile.title),
                Cell(render.fit_badge(entry.fit.value)),
                Cell(numbers.bytes_(entry.fit.total_bytes), entry.fit.total_bytes),
            ]
        )
        for entry in planned
    ]
    columns = (Column("Machine"), Column("Fit"), Column("Needed", numeric=True))
    return _folded("The smallest machines that would do", render.table("Smallest machines", columns, rows))


def _folded(title: str, content: Content) -> Html:
    return tag("details", tag("summary", title), content)


def _facts(page: ModelPage) -> Html:
    model, architecture = page.model, page.model.architecture
    yes_no = {True: "yes", False: "no", None: numbers.UNKNOWN}
    extended = _tokens(model.context_extended_tokens)
    if model.context_extended_tokens is not None and model.context_extension:
        extended += f" by {model.context_extension}"
    values: list[tuple[str, str, str]] = [
        ("Parameters", numbers.parameters(model.parameters), "parameters"),
        ("Active parameters", numbers.parameters(model.active_parameters), "active_parameters"),
        ("Native context", _tokens(model.context_native_tokens), "context_native_tokens"),
        ("Extended context", extended, "context_extended_tokens"),
        ("Attention reaches", _tokens(model.context_effective_tokens), "context_effective_tokens"),
        ("License as declared", model.license_name or model.license or numbers.UNKNOWN, "license"),
        ("Base models", ", ".join(model.base_models) or numbers.UNKNOWN, "base_models"),
        ("Training data", ", ".join(model.datasets[:8]) or numbers.UNKNOWN, "datasets"),
        ("Task", model.task or numbers.UNKNOWN, "task"),
        ("Formats", ", ".join(model.formats) or numbers.UNKNOWN, "formats"),
        ("Languages", ", ".join(model.languages[:12]) or numbers.UNKNOWN, "languages"),
        ("Architecture", (architecture.name if architecture else None) or numbers.UNKNOWN, "architecture"),
        ("Gated", yes_no[model.gated], "gated"),
        ("Scanned", model.security or numbers.UNKNOWN, "security"),
        ("Needs remote code", yes_no[model.remote_code], "remote_code"),
        ("Updated", model.updated or numbers.UNKNOWN, "updated"),
        ("Released", model.released or numbers.UNKNOWN, "released"),
        ("Revision", model.revision or numbers.UNKNOWN, "revision"),
    ]
    rows = [
        Row([Cell(name), Cell(tag("div", value, tag("div", _provenance(model, field), class_="source")))])
        for name, value, field in values
        if value != numbers.UNKNOWN
    ]
    if model.kind == "hub":
        unasked = [name for name, value, _ in values if name in {"Scanned", "Revision"} and value == numbers.UNKNOWN]
        rows += [Row([Cell(name), Cell(tag("span", sentences.NOT_ASKED_YET, class_="quiet"))]) for name in unasked]
    if page.trend is not None:
        rows.append(Row([Cell("Trend"), Cell(movement(page.trend))]))
    return render.table("Facts", (Column("Fact"), Column("Value and source")), rows, sortable=False)


def _provenance(model: Model, field: str) -> Content:
    found = [item for item in model.provenance if item.field == field or item.field.startswith(f"{field}.")]
    return f"{found[0].confidence}: {found[0].source}" if found else "source not recorded"


def _tokens(value: int | None) -> str:
    return numbers.UNKNOWN if value is None else f"{numbers.count(value)} tokens"


def _files(files: Sequence[WeightsFile]) -> Html:
    """Files of weights with format, quantization and size, folded."""
    if not files:
        return render.NOTHING
    rows = [
        Row(
            [
                Cell(tag("span", file_name(file.path), title=file.path)),
                Cell(file.format),
                Cell(file.quantization or numbers.UNKNOWN),
                Cell(numbers.bytes_(file.size_bytes), file.size_bytes),
            ]
        )
        for file in files[:_FILES_SHOWN]
    ]
    columns = (Column("File"), Column("Format"), Column("Quantization"), Column("Size", numeric=True))
    more = f", the first {_FILES_SHOWN} shown" if len(files) > _FILES_SHOWN else ""
    return _folded(f"{numbers.things(len(files), 'file')}{more}", render.table("Files", columns, rows))
