"""Step Run: choose what is measured, see what it will take, start, watch, cancel and resume.

What is shown is read from the desk and the jobs, so closing or refreshing the page changes nothing.
"""

from pathlib import Path
from typing import Any

import gradio as gr

from catalog.errors import WorkbenchError
from runners.engine_options import EndpointOptions
from workbench.benchmark_book import has_begun
from workbench.benchmark_file import render_benchmark
from workbench.candidates import candidate_name
from workbench.errors import BadBenchmarkFile
from workbench.records import JobStatus, NamedPrompt
from workbench.sentences import refusal
from workbench.service import Workbench
from workbench.steps import render
from workbench.steps.desk import Desk, Draft
from workbench.steps.draft_benchmark import benchmark_definition, candidates_at_hand, kept_shortlist
from workbench.steps.leaving import what_leaves
from workbench.steps.run import forecast_view, live_view, view
from workbench.steps.run.asked import asked_benchmark, chosen_candidates, read_upload, take_benchmark
from workbench.steps.run.choices import CONTROLS, offered_scorers, taken
from workbench.steps.wiring import clicked

FORM_LENGTH = len(CONTROLS) + 5
"""Outputs of `form`."""
_DRAFT = "draft"
_MOST_UPLOAD_BYTES = 1_000_000


def restore(workbench: Workbench, desk: Desk) -> tuple[Any, ...]:
    """The form as it was left with its prediction, then the live panels."""
    return *form(workbench, desk), *live(workbench)


def form(workbench: Workbench, desk: Desk) -> tuple[Any, ...]:
    """Name, candidates, test set, every control, prompts that are compared, prediction."""
    choices = desk.draft.run
    names = [candidate_name(item) for item in candidates_at_hand(workbench, desk)]
    chosen = [name for name in names if name not in choices.left_out]
    return (
        choices.name or free_name(workbench),
        gr.CheckboxGroup(choices=names, value=chosen, info=_where_from(desk)),
        view.test_set_line(_test_set_words(desk)),
        *(_control(desk, name) for name in CONTROLS),
        _prompts(desk),
        forecast(workbench, desk),
    )


def edit(workbench: Workbench, desk: Desk, *values: Any) -> str:
    """Keep what is chosen; the prediction for it."""
    _keep(workbench, desk, values)
    return forecast(workbench, desk)


def forecast(workbench: Workbench, desk: Desk) -> str:
    """What the benchmark as it is chosen now will take, or why it is none yet."""
    try:
        definition = asked_benchmark(workbench, desk, _DRAFT)
        found = workbench.forecasts.of(definition)
    except WorkbenchError as error:
        return forecast_view.cannot_predict(str(error))
    return forecast_view.forecast_panel(found, _leaving(workbench, desk))


def start(workbench: Workbench, desk: Desk, *values: Any) -> tuple[Any, ...]:
    """Start a benchmark of what is chosen: live panels, then a free name for the next one."""
    _keep(workbench, desk, values)
    name = desk.draft.run.name or free_name(workbench)
    if any(benchmark.name == name for benchmark in workbench.benchmarks(archived=True)) or _is_queued(workbench, name):
        raise refusal(f"There is a benchmark called {name} already. Give this one another name.")
    asked = asked_benchmark(workbench, desk, name)
    named = asked.model_copy(update={"shortlist": kept_shortlist(workbench, desk)})
    workbench.start_benchmark(workbench.prepare(named, Path()))
    desk.revise(lambda draft: {"run": draft.run.model_copy(update={"name": ""})})
    return *live(workbench), free_name(workbench, name)


def export(workbench: Workbench, desk: Desk, *values: Any) -> tuple[str, str]:
    """The benchmark as a file: its name and its text."""
    _keep(workbench, desk, values)
    name = desk.draft.run.name or free_name(workbench)
    return f"{name}.yaml", render_benchmark(asked_benchmark(workbench, desk, name))


def take_upload(workbench: Workbench, desk: Desk, upload: str | None) -> tuple[Any, ...]:
    """Fill the form from a benchmark file."""
    if upload is None:
        return tuple(gr.skip() for _ in range(FORM_LENGTH))
    path = Path(upload)
    if path.stat().st_size > _MOST_UPLOAD_BYTES:
        raise refusal(f"{path.name} is too large for a benchmark file, which is a page of text. Is it the right file?")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BadBenchmarkFile(f"{path.name} is not UTF-8 text (byte {error.start}). Save it as UTF-8.") from error
    note = take_benchmark(desk, read_upload(text, path.name), path.parent)
    if note:
        gr.Info(note)
    return form(workbench, desk)


def add_prompt(workbench: Workbench, desk: Desk, name: str) -> tuple[str, str, str]:
    """Compare the prompt of the step Test set too: name field, prompts, prediction."""
    name = name.strip()
    if not name:
        raise refusal("Give the prompt a short name, such as short; it stands behind each candidate's.")
    definition = benchmark_definition(workbench, desk, _DRAFT, candidates_at_hand(workbench, desk))
    prompt = workbench.prepare_unsaved(definition).test_set.prompt
    named = NamedPrompt(**{**{field: getattr(prompt, field) for field in type(prompt).model_fields}, "name": name})

    def with_it(draft: Draft) -> dict[str, Any]:
        prompts = draft.run.prompts
        if any(prompt.name == name for prompt in prompts):
            raise refusal(f"There is a prompt called {name} already. Give this one another name.")
        return {"run": draft.run.model_copy(update={"prompts": (*prompts, named)})}

    desk.revise(with_it)
    return "", _prompts(desk), forecast(workbench, desk)


def remove_prompt(workbench: Workbench, desk: Desk, event: gr.EventData) -> tuple[str, str]:
    """Compare one prompt less: prompts, prediction."""
    _, name = clicked(event)

    def without_it(draft: Draft) -> dict[str, Any]:
        left = tuple(prompt for prompt in draft.run.prompts if prompt.name != name)
        return {"run": draft.run.model_copy(update={"prompts": left})}

    desk.revise(without_it)
    return _prompts(desk), forecast(workbench, desk)


def press_in_runs(workbench: Workbench, event: gr.EventData) -> tuple[str, str, str]:
    """Cancel, resume or bring forward a benchmark: live panels.

    What never began is measured anew: an equal run of another benchmark may lie where a resumed one would look.
    """
    action, value = clicked(event)
    if action == "cancel":
        workbench.jobs.cancel(value)
    elif action == "sooner":
        workbench.jobs.advance(value)
    elif action == "resume" and not _is_queued(workbench, value):
        prepared = workbench.prepare_again(value)
        (stored,) = (each for each in workbench.benchmarks(archived=True) if each.name == value)
        workbench.start_benchmark(prepared, resume=has_begun(stored, workbench.runs(value)))
    return live(workbench)


def live(workbench: Workbench) -> tuple[str, str, str]:
    """The job that runs, else the newest, from memory alone: head with the queue, figures, failures."""
    jobs = _benchmark_jobs(workbench)
    job = next((job for job in reversed(jobs) if job.state == "running"), next(iter(jobs), None))
    return live_view.head(job, workbench.jobs.waiting()), live_view.ticking(job), live_view.failures(job)


def free_name(workbench: Workbench, taken: str = "") -> str:
    """A name that no benchmark has."""
    names = {benchmark.name for benchmark in workbench.benchmarks(archived=True)} | {taken}
    return next(
        name
        for number in range(1, 10_000)
        if (name := f"benchmark-{number}") not in names and not _is_queued(workbench, name)
    )


def _keep(workbench: Workbench, desk: Desk, values: tuple[Any, ...]) -> None:
    name, chosen, *rest = values
    names = [candidate_name(item) for item in candidates_at_hand(workbench, desk)]
    told = {"name": (name or "").strip(), "left_out": tuple(each for each in names if each not in (chosen or ()))}
    desk.revise(lambda draft: {"run": taken(draft.run, rest).model_copy(update=told)})


def _control(desk: Desk, name: str) -> Any:
    """A control's value, and where it depends on the desk its choices or whether it is shown."""
    choices, task = desk.draft.run, desk.draft.task
    value = getattr(choices, name)
    if name == "scorers":
        offered = offered_scorers(task, choices)
        return gr.Dropdown(choices=list(offered), value=[each for each in value if each in offered])
    if name in {"answers", "calibrate"}:
        is_choice = task in {"classification", "multiple_choice"}
        is_list = name == "answers"
        return gr.Dropdown(value=value, visible=is_choice) if is_list else gr.Checkbox(value=value, visible=is_choice)
    if name in {"endpoint_prices", "endpoint_requests"}:
        shown = _has_endpoints(desk)
        is_text = name == "endpoint_prices"
        return gr.Textbox(value=value, visible=shown) if is_text else gr.Number(value=value, visible=shown)
    return list(value) if isinstance(value, tuple) else value


def _has_endpoints(desk: Desk) -> bool:
    return any(isinstance(item.options, EndpointOptions) for item in desk.draft.candidates)


def _prompts(desk: Desk) -> str:
    draft = desk.draft
    return view.prompts(draft.run.prompts, draft.prompts if draft.test_set is not None else ())


def _leaving(workbench: Workbench, desk: Desk) -> render.Html:
    """What leaves this machine if the chosen candidates are measured so; nothing where all of them stay here."""
    served = tuple(item for item in chosen_candidates(workbench, desk) if isinstance(item.options, EndpointOptions))
    if not served:
        return render.NOTHING
    definition = asked_benchmark(workbench, desk, _DRAFT).model_copy(update={"candidates": served})
    servers = [item.options for item in served if isinstance(item.options, EndpointOptions)]
    return what_leaves(workbench.notes(definition), servers, "example")


def _is_queued(workbench: Workbench, name: str) -> bool:
    return any(job.benchmark == name for job in _benchmark_jobs(workbench) if not job.is_over)


def _benchmark_jobs(workbench: Workbench) -> tuple[JobStatus, ...]:
    return tuple(job for job in workbench.jobs.all() if job.benchmark is not None)


def _where_from(desk: Desk) -> str:
    return "From the shortlist." if desk.draft.candidates else "The demo's, because the shortlist is empty."


def _test_set_words(desk: Desk) -> tuple[str, str]:
    if desk.draft.test_set is None:
        return "the demo's", "because none was chosen in the step Test set"
    return desk.draft.test_set.shown_name, "chosen in the step Test set"
