"""Step Choose: from the catalog to a shortlist of candidates.

Handlers take the service, the desk and plain values. The profile is the service's; filters, selection and shortlist lie
on the desk. What concerns the catalog as a whole is in catalog.py.
"""

from pathlib import Path
from typing import Any

import gradio as gr

from catalog.errors import ModelNotFound
from catalog.records import QuantizationOption, WeightsFile
from results import numbers
from workbench import sentences
from workbench.candidates import candidate_name
from workbench.csv_export import search_csv
from workbench.records import CandidateDefinition
from workbench.sentences import refusal
from workbench.service import Workbench
from workbench.shortlists import candidate_of_weights
from workbench.steps import render
from workbench.steps.choose import kept, model_view, place, view
from workbench.steps.choose.filters import (
    FilterValues,
    ProfileValues,
    more_summary,
    profile_summary,
    quantization_choice,
)
from workbench.steps.desk import Desk, Draft
from workbench.steps.wiring import clicked

EXPORTED = 5_000
"""Rows of its export."""
_UNCHANGED_MODEL = (gr.skip(),) * 4


def restore(workbench: Workbench, desk: Desk, request: gr.Request) -> tuple[Any, ...]:
    """Every control as the address asks, else as it was left, with its results.

    Profile, filters, summaries, results, model, shortlist, address.
    """
    asked, model_id = place.asked_query(request), request.query_params.get(place.MODEL)
    if asked is not None:
        desk.change(query=asked)
    if model_id:
        desk.change(model_id=str(model_id))
    profile, draft = workbench.models.profile(), desk.draft
    values = FilterValues.of(draft.query)._asdict() | {"quantization": quantization_choice(draft.query)}
    return (
        profile.commercial,
        profile.eu_based,
        profile.trains_on_outputs,
        profile.hosts_or_redistributes,
        profile.monthly_users,
        profile.annual_revenue_usd,
        *values.values(),
        gr.Accordion(label=profile_summary(profile)),
        gr.Accordion(label=more_summary(draft.query)),
        view.results_table(workbench.models.search(draft.query), draft.model_id),
        *_model(workbench, desk, draft.model_id),
        draft.shortlist_name,
        shortlist(workbench, desk),
        place.written(desk.draft),
    )


def search(workbench: Workbench, desk: Desk, *values: Any) -> tuple[Any, ...]:
    """Keep profile and filters, and search: both summaries, the engine's quantizations, results, address."""
    split = len(ProfileValues._fields)
    profile, query = ProfileValues(*values[:split]).profile(), FilterValues(*values[split:]).query()
    found = workbench.models.search(query, profile)
    if profile != workbench.models.profile():
        workbench.models.save_profile(profile)
    before = desk.draft.query
    desk.change(query=query)
    return (
        gr.Accordion(label=profile_summary(profile)),
        gr.Accordion(label=more_summary(query)),
        gr.skip() if before.engine == query.engine else quantization_choice(query),
        view.results_table(found, desk.draft.model_id),
        place.written(desk.draft),
    )


def found_again(workbench: Workbench, desk: Desk) -> tuple[Any, ...]:
    """Results and model once more, because the catalog or the weights on this machine have changed."""
    draft = desk.draft
    return (
        view.results_table(workbench.models.search(draft.query), draft.model_id),
        *_model(workbench, desk, draft.model_id),
    )


def export_results(workbench: Workbench, desk: Desk) -> str:
    """The table of results as CSV, longer than the page shows it."""
    query = desk.draft.query.model_copy(update={"limit": EXPORTED})
    return search_csv(workbench.models.search(query))


def press_in_results(workbench: Workbench, desk: Desk, event: gr.EventData) -> tuple[Any, ...]:
    """Open a model, or show what a rule excluded: excluded list, the model's part, the address."""
    action, value = clicked(event)
    if action == "open":
        return gr.skip(), *_model(workbench, desk, value), place.written(desk.draft)
    if action == "excluded":
        query = desk.draft.query
        counts = {entry.rule: entry.count for entry in workbench.models.search(query).excluded}
        page = workbench.models.excluded(query, value, limit=view.EXCLUDED_SHOWN)
        listed = view.excluded_list(page, value, counts.get(value, 0))
        return listed, *_UNCHANGED_MODEL, gr.skip()
    return (render.NOTHING if action == "close" else gr.skip()), *_UNCHANGED_MODEL, gr.skip()


def press_in_note(workbench: Workbench, desk: Desk, event: gr.EventData) -> tuple[Any, ...]:
    """Ask the Hub for the model, or start the download that was shown: the model's part, or the note alone."""
    action, value = clicked(event)
    if action == "refresh":
        workbench.models.refresh(value)
        return _model(workbench, desk, value)
    if action == "fetch" and desk.draft.download is not None:
        model_id, quantization = desk.draft.download
        workbench.models.download(workbench.models.plan_download(model_id, quantization))
        return gr.skip(), gr.skip(), gr.skip(), render.notice("info", sentences.DOWNLOAD_STARTED)
    return _UNCHANGED_MODEL


def show_download(workbench: Workbench, desk: Desk, chosen: str | None) -> str:
    """What fetching the chosen weights would mean, with the button that starts it."""
    model_id, quantization, here = _split_key(chosen)
    if here:
        raise refusal("These weights are on this machine already.")
    plan = workbench.models.plan_download(model_id, quantization)
    desk.change(download=(model_id, quantization))
    return model_view.download_plan(plan)


def add_to_shortlist(workbench: Workbench, desk: Desk, chosen: str | None) -> str:
    """Put the selected model with the chosen weights on the shortlist; what is not here is fetched when it runs."""
    if desk.draft.model_id is None:
        raise refusal("Select a model first.")
    model_id, quantization, here = _split_key(chosen)
    weights = {_weights_key(model_id, file): file for file in workbench.models.local_weights(model_id)}
    if here and chosen not in weights:
        raise refusal("These weights are no longer on this machine. Select the model again.")
    if here:
        return add_candidate(workbench, desk, candidate_of_weights(model_id, weights[str(chosen)]))
    revision = workbench.models.find(model_id).revision
    return add_candidate(
        workbench, desk, CandidateDefinition(model=model_id, quantization=quantization, revision=revision)
    )


def add_named(workbench: Workbench, desk: Desk, named: str) -> tuple[Any, ...]:
    """Add what was named to the catalog and open it: field, results, the model's part, shortlist, address.

    A GGUF file is put on the shortlist as well, because there is nothing to choose.
    """
    name = named.strip().strip("\"'")
    if not name:
        raise refusal("Give the path of a model on this machine, or a Hub id or address.")
    path = Path(name).expanduser()
    added = workbench.models.add(str(path.absolute()) if path.exists() or name.endswith(".gguf") else name)
    shown = added[0]
    listed = shortlist(workbench, desk)
    if shown.kind == "local" and shown.id.endswith(".gguf"):
        listed = add_candidate(workbench, desk, CandidateDefinition(model=shown.id))
    desk.change(model_id=shown.id)
    return "", *found_again(workbench, desk), listed, place.written(desk.draft)


def why(workbench: Workbench, desk: Desk, asked: str) -> str:
    """Why a model is not on the kept shortlist whose name stands in the field."""
    if not asked.strip():
        raise refusal("Give the id of a model, such as owner/name.")
    return view.why_answer(workbench.shortlists.why(asked.strip(), desk.draft.shortlist_name))


def shortlist(workbench: Workbench, desk: Desk) -> str:
    """The shortlist's panel."""
    return kept.panel(workbench, desk)


def add_candidate(workbench: Workbench, desk: Desk, candidate: CandidateDefinition) -> str:
    """Put a candidate on the shortlist: its panel."""

    def with_it(draft: Draft) -> dict[str, Any]:
        if candidate_name(candidate) in [candidate_name(item) for item in draft.candidates]:
            raise refusal(f"{candidate_name(candidate)} is on the shortlist already.")
        return {"candidates": (*draft.candidates, candidate)}

    desk.revise(with_it)
    return shortlist(workbench, desk)


def _model(workbench: Workbench, desk: Desk, model_id: str | None) -> tuple[Any, ...]:
    """The selected model's part: card, whether there is anything to add, weights to choose from, remark."""
    if model_id is None:
        return model_view.no_model(), gr.Column(visible=False), gr.skip(), render.NOTHING
    try:
        page = workbench.models.page(model_id, desk.draft.query)
    except ModelNotFound:
        desk.change(model_id=None)
        return model_view.no_model(), gr.Column(visible=False), gr.skip(), render.NOTHING
    query = desk.change(model_id=model_id).query
    planned = workbench.models.plan(model_id, workbench.models.own_settings(model_id, query.fit_settings()))
    choices = [(_weights_label(file), _weights_key(model_id, file)) for file in page.here]
    listed = {file.quantization for file in page.here}
    choices += [
        (f"{option.quantization} ({numbers.bytes_(_weights_bytes(option))}, to download)", _remote_key(option))
        for option in page.options
        if option.path is not None and option.quantization not in listed and page.model.kind == "hub"
    ]
    best = next((key for _, key in choices if page.largest is not None and key == _remote_key(page.largest)), None)
    value = choices[0][1] if page.here else best or (choices[0][1] if choices else None)
    picker = gr.Dropdown(choices=choices, value=value)
    card = model_view.model_card(page, planned)
    return card, gr.Column(visible=bool(choices)), picker, model_view.weights_note(page.model, page.here)


def _weights_label(file: WeightsFile) -> str:
    name = file.quantization or Path(file.path).name
    size = "" if file.size_bytes is None else f"{numbers.bytes_(file.size_bytes)}, "
    return f"{name} ({size}on this machine)"


def _weights_bytes(option: QuantizationOption) -> int | None:
    return option.fit.weights_bytes if option.fit is not None else None


def _weights_key(model_id: str, file: WeightsFile) -> str:
    return "\n".join((model_id, file.quantization or "", file.path))


def _remote_key(option: QuantizationOption) -> str:
    return "\n".join((option.model_id, option.quantization, ""))


def _split_key(chosen: str | None) -> tuple[str, str | None, bool]:
    """Model, quantization, and whether its weights are on this machine."""
    if not chosen:
        raise refusal("Select a model that has weights first.")
    model_id, quantization, path = chosen.split("\n")
    return model_id, quantization or None, bool(path)
