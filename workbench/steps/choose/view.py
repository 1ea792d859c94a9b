"""What the step Choose shows of many models: those found, those left out, the shortlist."""

from collections.abc import Sequence

from catalog.records import Exclusion, FitValue, Model, RuleCount, SearchHit, SearchResult, Trend, VerdictValue
from results import numbers
from workbench.candidates import candidate_name
from workbench.lineage_words import disagreement
from workbench.records import CandidateDefinition, WhyAnswer
from workbench.rule_words import RULE_WORDS
from workbench.steps import render
from workbench.steps.render import Cell, Column, Content, Html, Row, tag

EXCLUDED_SHOWN = 200
_TREND = "Trend"
_COLUMNS = (
    Column("Model"),
    Column("License", hint="May it be used commercially under your profile?"),
    Column("Parameters", numeric=True),
    Column("Context", numeric=True, hint="Native context in tokens"),
    Column(
        "Finest that fits", numeric=True, hint="Predicted memory of the finest usual quantization, against what is free"
    ),
    Column("Downloads", numeric=True, hint="In 30 days"),
    Column(_TREND, numeric=True, hint="Places in the order of downloads since the snapshot before"),
    Column("Updated", hint="Last change of the repository, or its release"),
)


def results_table(result: SearchResult, selected: str | None) -> Html:
    """Found models, and always how many were left out by which rule."""
    if not result.hits:
        body = render.empty(
            "No model passes every filter", "Loosen the filter that excludes most; see the counts below."
        )
    else:
        # A column of dashes would only push the others out of sight.
        moves = any(_places(hit.trend) is not None for hit in result.hits)
        columns = [column for column in _COLUMNS if moves or column.title != _TREND]
        rows = [_row(hit, selected, with_trend=moves) for hit in result.hits]
        table = render.table("Models that pass the filters", columns, rows)
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
            f"{RULE_WORDS.get(entry.rule, entry.rule)} {numbers.count(entry.count)}",
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
        Row(
            [
                Cell(_open(item.model_id), item.model_id),
                Cell(item.reason, item.reason),
            ]
        )
        for item in left_out
    ]
    more = count - len(rows)
    note = f"{numbers.count(more)} more are not listed; narrow the name to see them." if more > 0 else None
    return tag(
        "div",
        render.heading(f"Excluded: {RULE_WORDS.get(rule, rule)}", render.action("Close", "close")),
        render.table("Excluded models with reasons", (Column("Model"), Column("Reason")), rows),
        tag("p", note, class_="quiet") if note else None,
        class_="card",
    )


def shortlist_panel(candidates: Sequence[CandidateDefinition], kept: Html) -> Html:
    """Candidates on the shortlist, and the shortlists that were kept."""
    if candidates:
        body = tag("ul", [_candidate(candidate) for candidate in candidates], class_="chosen")
        clear = tag("div", render.action("Remove all", "clear"), class_="row-actions")
    else:
        body, clear = tag("p", "Empty. Select a model and add it.", class_="quiet"), None
    count = numbers.things(len(candidates), "candidate") if candidates else None
    return render.join(render.heading("Shortlist", count), body, clear, kept)


def why_answer(answer: WhyAnswer) -> Html:
    """Why a model is on a kept shortlist, or is not."""
    rule = f" (rule: {RULE_WORDS.get(answer.rule, answer.rule)})" if answer.rule else ""
    return render.notice("info", answer.reason, rule)


def movement(trend: Trend | None) -> Html:
    """Places and downloads gained or lost since the snapshot before."""
    if trend is None or trend.rank is None or trend.rank_before is None:
        return tag("span", "–", title="One snapshot only, or new: nothing to compare", class_="quiet")
    places = trend.rank_before - trend.rank
    sign = "=" if places == 0 else f"{'▲' if places > 0 else '▼'} {numbers.count(abs(places))}"
    downloads = f"{numbers.count(trend.downloads_before)} → {numbers.count(trend.downloads)} downloads"
    rank = f"Rank {numbers.count(trend.rank_before)} → {numbers.count(trend.rank)} among {trend.task}"
    title = f"{rank}; {downloads}, since {trend.since[:10]}"
    return tag("span", sign, title=title)


def _row(hit: SearchHit, selected: str | None, *, with_trend: bool) -> Row:
    model = hit.model
    return Row(
        [
            Cell(_open(model.id), model.id.casefold()),
            Cell(_verdict(hit), hit.verdict.value.strictness),
            Cell(numbers.parameters(model.parameters), model.parameters),
            Cell(numbers.count(model.context_native_tokens), model.context_native_tokens),
            Cell(_finest(hit), _needed(hit)),
            Cell(_short(model.downloads), model.downloads),
            *([Cell(movement(hit.trend), _places(hit.trend))] if with_trend else []),
            Cell(_changed(model), model.updated or model.released),
        ],
        class_="is-selected" if model.id == selected else "",
    )


def _open(model_id: str) -> Html:
    return render.action(model_id, "open", model_id, address="model")


def _short(value: int | None) -> Html:
    return tag("span", numbers.parameters(value), title=numbers.count(value))


def _changed(model: Model) -> Html:
    date = model.updated or model.released or numbers.UNKNOWN
    return tag("span", date[:7], title=date, class_="nowrap")


def _verdict(hit: SearchHit) -> Html:
    """The badge, marked where the lineage is stricter than what is declared."""
    stricter = disagreement(hit.verdict)
    mark = tag("span", " ⚠", title=stricter, role="img", aria_label=stricter) if stricter else None
    return tag("span", render.verdict_badge(hit.verdict.value), mark, class_="nowrap")


def _finest(hit: SearchHit) -> Content:
    """The finest usual quantization that fits, with a bar of what it needs against what is free."""
    fit = hit.largest.fit if hit.largest is not None else None
    if hit.largest is None or fit is None or fit.total_bytes is None:
        words = "does not fit" if hit.fit.value is FitValue.NO else str(hit.fit.value)
        sign = render.FIT_SIGNS[hit.fit.value]
        return tag("span", f"{sign} {words}", title=hit.fit.explanation, class_=f"amount is-{hit.fit.value}")
    needed = fit.total_bytes - (fit.reclaimable_bytes or 0)
    label = f"{hit.largest.quantization}: {fit.explanation}"
    sign = f"{render.FIT_SIGNS[fit.value]} " if fit.value is not FitValue.FITS else ""
    return tag(
        "span",
        render.bar(needed / max(1, fit.available_bytes), label, class_=f"is-{fit.value}"),
        tag("span", f"{sign}{hit.largest.quantization} {numbers.bytes_(needed)}", class_="amount"),
        class_=f"beside-bar is-{fit.value}",
        title=label,
    )


def _needed(hit: SearchHit) -> int | None:
    fit = hit.largest.fit if hit.largest is not None else None
    return fit.total_bytes if fit is not None else None


def _places(trend: Trend | None) -> int | None:
    if trend is None or trend.rank is None or trend.rank_before is None:
        return None
    return trend.rank_before - trend.rank


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
