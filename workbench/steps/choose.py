"""Step Choose: from the catalog to a shortlist of candidates that can run here.

Handlers take the service, the desk and plain values. The profile is the service's; filters, selection and shortlist lie
on the desk.
"""

from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from catalog.errors import WorkbenchError
from catalog.records import ModelQuery, Profile, WeightsFile
from catalog.weights import known_quantizations
from results import numbers
from workbench.candidates import candidate_name
from workbench.records import CandidateDefinition
from workbench.sentences import refusal
from workbench.service import Workbench
from workbench.steps import choose_view, render
from workbench.steps.desk import Desk
from workbench.steps.wiring import clicked

ANY = "any"
"""Choice of a filter that does not filter."""
SHOWN = 50
"""Rows of the result table."""
_UNCHANGED_MODEL = (gr.skip(),) * 4
_COMMON_QUANTIZATIONS = ("Q4_K_M", "Q8_0", "F16")


class ProfileValues(NamedTuple):
    """Values of the profile's controls, in their order."""

    commercial: bool
    eu_based: bool
    trains_on_outputs: bool
    hosts_or_redistributes: bool
    monthly_users: float | None
    annual_revenue_usd: float | None

    def profile(self) -> Profile:
        """As the service keeps it; an empty number is 0."""
        return Profile(
            commercial=self.commercial,
            eu_based=self.eu_based,
            trains_on_outputs=self.trains_on_outputs,
            hosts_or_redistributes=self.hosts_or_redistributes,
            monthly_users=int(self.monthly_users or 0),
            annual_revenue_usd=int(self.annual_revenue_usd or 0),
        )


class FilterValues(NamedTuple):
    """Values of the filters' controls, in their order."""

    text: str
    verdicts: list[str]
    task: str
    format: str
    sort: str
    min_billions: float | None
    max_billions: float | None
    min_context: float | None
    fits: bool
    quantization: str
    context: float | None
    concurrency: float | None

    def query(self) -> ModelQuery:
        """As the service searches."""
        return ModelQuery.model_validate(
            {
                "text": self.text.strip() or None,
                "verdicts": tuple(self.verdicts) if 0 < len(self.verdicts) < len(choose_view.ALL_VERDICTS) else None,
                "task": None if self.task == ANY else self.task,
                "format": None if self.format == ANY else self.format,
                "sort": self.sort,
                "min_parameters": int(self.min_billions * 1e9) if self.min_billions else None,
                "max_parameters": int(self.max_billions * 1e9) if self.max_billions else None,
                "min_context_tokens": int(self.min_context) if self.min_context else None,
                "fits": self.fits,
                "quantization": self.quantization,
                "context_tokens": max(1, int(self.context or 4096)),
                "concurrency": max(1, int(self.concurrency or 1)),
                "limit": SHOWN,
            }
        )

    @classmethod
    def of(cls, query: ModelQuery) -> "FilterValues":
        """What the controls show for a query."""
        return cls(
            text=query.text or "",
            verdicts=[str(value) for value in query.verdicts or choose_view.ALL_VERDICTS],
            task=query.task or ANY,
            format=query.format or ANY,
            sort=query.sort,
            min_billions=_billions(query.min_parameters),
            max_billions=_billions(query.max_parameters),
            min_context=query.min_context_tokens,
            fits=query.fits,
            quantization=query.quantization,
            context=query.context_tokens,
            concurrency=query.concurrency,
        )


def restore(workbench: Workbench, desk: Desk) -> tuple[Any, ...]:
    """Every control as it was left, with its results: profile, filters, summary, results, model, shortlist."""
    profile, draft = workbench.models.profile(), desk.draft
    return (
        profile.commercial,
        profile.eu_based,
        profile.trains_on_outputs,
        profile.hosts_or_redistributes,
        profile.monthly_users,
        profile.annual_revenue_usd,
        *FilterValues.of(draft.query),
        gr.Accordion(label=profile_summary(profile)),
        choose_view.results_table(workbench.models.search(draft.query), draft.model_id),
        *_model(workbench, desk, draft.model_id),
        draft.shortlist_name,
        shortlist(workbench, desk),
    )


def search(workbench: Workbench, desk: Desk, *values: Any) -> tuple[Any, str]:
    """Keep profile and filters, and search: the profile's summary and the results."""
    split = len(ProfileValues._fields)
    profile, query = ProfileValues(*values[:split]).profile(), FilterValues(*values[split:]).query()
    if profile != workbench.models.profile():
        workbench.models.save_profile(profile)
    desk.change(query=query)
    return gr.Accordion(label=profile_summary(profile)), choose_view.results_table(
        workbench.models.search(query), desk.draft.model_id
    )


def press_in_results(workbench: Workbench, desk: Desk, event: gr.EventData) -> tuple[Any, ...]:
    """Open a model, or show what a rule excluded: excluded list, then the model's part."""
    action, value = clicked(event)
    if action == "open":
        return gr.skip(), *_model(workbench, desk, value)
    if action == "excluded":
        query = desk.draft.query
        counts = {entry.rule: entry.count for entry in workbench.models.search(query).excluded}
        page = workbench.models.excluded(query, value, limit=choose_view.EXCLUDED_SHOWN)
        listed = choose_view.excluded_list(page, value, counts.get(value, 0))
        return listed, *_UNCHANGED_MODEL
    return (render.NOTHING if action == "close" else gr.skip()), *_UNCHANGED_MODEL


def add_to_shortlist(workbench: Workbench, desk: Desk, chosen: str | None) -> str:
    """Put the selected model with the chosen weights on the shortlist."""
    model_id = desk.draft.model_id
    if model_id is None or not chosen:
        raise refusal("Select a model that has weights on this machine first.")
    weights = {_weights_key(file): file for file in workbench.models.local_weights(model_id)}
    if chosen not in weights:
        raise refusal("These weights are no longer on this machine. Select the model again.")
    return _add(workbench, desk, _candidate(model_id, weights[chosen]))


def add_path(workbench: Workbench, desk: Desk, path: str) -> tuple[Any, ...]:
    """Put a local GGUF file on the shortlist and open it: the field, the model's part, the shortlist."""
    name = path.strip().strip("\"'")
    if not name:
        raise refusal("Give the path of a .gguf file on this machine.")
    local = str(Path(name).expanduser().absolute())
    shown = _model(workbench, desk, local)
    return "", *shown, _add(workbench, desk, CandidateDefinition(model=local))


def press_in_shortlist(workbench: Workbench, desk: Desk, event: gr.EventData) -> str:
    """Remove a candidate, or take a kept shortlist."""
    action, value = clicked(event)
    if action == "remove":
        left = tuple(item for item in desk.draft.candidates if candidate_name(item) != value)
        desk.change(candidates=left)
    elif action == "take":
        name, _, version = value.partition("\n")
        for kept in workbench.models.shortlists():
            if kept.name == name and str(kept.version) == version:
                desk.change(shortlist_name=name, candidates=_runnable(workbench, kept.model_ids))
    return shortlist(workbench, desk)


def save_shortlist(workbench: Workbench, desk: Desk, name: str) -> str:
    """Keep the shortlist with the filters and everything they excluded."""
    if not desk.draft.candidates:
        raise refusal("The shortlist is empty. Select a model and add it first.")
    if not name.strip():
        raise refusal("Give the shortlist a name.")
    desk.change(shortlist_name=name.strip())
    model_ids = tuple(dict.fromkeys(candidate.model for candidate in desk.draft.candidates))
    workbench.models.save_shortlist(name.strip(), model_ids, desk.draft.query)
    return shortlist(workbench, desk)


def shortlist(workbench: Workbench, desk: Desk) -> str:
    """The shortlist's panel."""
    return choose_view.shortlist_panel(desk.draft.candidates, workbench.models.shortlists())


def profile_summary(profile: Profile) -> str:
    """The profile in one line."""
    parts = [
        "commercial" if profile.commercial else "not commercial",
        "EU-based" if profile.eu_based else "not EU-based",
        f"{profile.monthly_users:,} users a month",
        f"${profile.annual_revenue_usd:,} a year",
    ]
    parts += ["trains on outputs"] if profile.trains_on_outputs else []
    parts += ["hosts or redistributes"] if profile.hosts_or_redistributes else []
    return "Profile: " + " · ".join(parts)


def _model(workbench: Workbench, desk: Desk, model_id: str | None) -> tuple[Any, ...]:
    """The selected model's part: card, whether it can run, weights to choose from, remark."""
    if model_id is None:
        return choose_view.no_model(), gr.Row(visible=False), gr.skip(), render.NOTHING
    hit = workbench.models.show(model_id)
    query = desk.change(model_id=model_id).query
    quantizations = (
        dict.fromkeys((query.quantization, *_COMMON_QUANTIZATIONS))
        if hit.model.kind == "hub"
        else (hit.fit.quantization,)
    )
    fits = [
        workbench.models.fit(model_id, query.fit_settings().model_copy(update={"quantization": name}))
        for name in quantizations
    ]
    weights = workbench.models.local_weights(model_id)
    choices = [(_weights_label(file), _weights_key(file)) for file in weights]
    picker = gr.Dropdown(choices=choices, value=choices[0][1] if choices else None)
    card, note = choose_view.model_card(hit, fits), choose_view.weights_note(model_id, weights)
    return card, gr.Row(visible=bool(choices)), picker, note


def _add(workbench: Workbench, desk: Desk, candidate: CandidateDefinition) -> str:
    names = [candidate_name(item) for item in desk.draft.candidates]
    if candidate_name(candidate) in names:
        raise refusal(f"{candidate_name(candidate)} is on the shortlist already.")
    desk.change(candidates=(*desk.draft.candidates, candidate))
    return shortlist(workbench, desk)


def _candidate(model_id: str, weights: WeightsFile) -> CandidateDefinition:
    """A candidate that resolves to exactly these weights."""
    made_here = Path(weights.path).is_absolute() and f"--{weights.quantization}.gguf" in weights.path
    if made_here:
        short = model_id.rpartition("/")[2]
        return CandidateDefinition(name=f"{short} {weights.quantization}", model=weights.path)
    return CandidateDefinition(model=model_id, quantization=weights.quantization)


def _runnable(workbench: Workbench, model_ids: tuple[str, ...]) -> tuple[CandidateDefinition, ...]:
    """The first weights of each model that has some here."""
    found = []
    for model_id in model_ids:
        try:
            weights = workbench.models.local_weights(model_id)
        except WorkbenchError:
            continue
        if weights:
            found.append(_candidate(model_id, weights[0]))
    return tuple(found)


def _weights_label(file: WeightsFile) -> str:
    name = file.quantization or Path(file.path).name
    return name if file.size_bytes is None else f"{name} ({numbers.bytes_(file.size_bytes)})"


def _weights_key(file: WeightsFile) -> str:
    return f"{file.path}|{file.quantization}"


def _billions(value: int | None) -> float | None:
    return None if value is None else value / 1e9


QUANTIZATIONS = tuple(reversed(known_quantizations()))
"""Choices of the quantization that is assumed."""
