"""Step Run: start, watch, cancel and resume benchmarks.

What is shown is read from jobs and the store, so closing or refreshing the page changes nothing.
"""

from pathlib import Path
from typing import Any

import gradio as gr

from catalog.errors import WorkbenchError
from runners.engine_options import EndpointOptions
from runners.records import Workload
from workbench.candidates import candidate_name
from workbench.records import JobStatus
from workbench.sentences import refusal
from workbench.service import Workbench
from workbench.steps import run_view
from workbench.steps.desk import Desk
from workbench.steps.draft_benchmark import benchmark_definition, candidates_at_hand
from workbench.steps.wiring import clicked


def restore(workbench: Workbench, desk: Desk) -> tuple[Any, ...]:
    """Candidates, test set, what leaves the machine, name, live table and stored runs as they are now."""
    names = [candidate_name(item) for item in candidates_at_hand(workbench, desk)]
    return (
        gr.CheckboxGroup(choices=names, value=names, info=_where_from(desk)),
        run_view.test_set_line(_test_set_words(desk)),
        notes(workbench, desk, names, True, True, None),
        free_name(workbench),
        live(workbench),
        stored(workbench),
    )


def start(workbench: Workbench, desk: Desk, *values: Any) -> tuple[str, str]:
    """Start a benchmark of the chosen candidates: live table, then a free name for the next one."""
    name, chosen, accuracy, latency, prompts = values
    candidates = tuple(item for item in candidates_at_hand(workbench, desk) if candidate_name(item) in chosen)
    if not candidates:
        raise refusal("Choose at least one candidate.")
    workloads = _workloads(workbench, accuracy, latency, prompts)
    if not workloads:
        raise refusal("Choose accuracy, latency or both.")
    if any(benchmark.name == name.strip() for benchmark in workbench.benchmarks()):
        raise refusal(f"There is a benchmark called {name.strip()} already. Give this one another name.")
    definition = benchmark_definition(workbench, desk, name.strip(), candidates)
    prepared = workbench.prepare(definition.model_copy(update={"workloads": workloads}), Path())
    workbench.start_benchmark(prepared)
    return live(workbench), free_name(workbench, name.strip())


def notes(workbench: Workbench, desk: Desk, *values: Any) -> str:
    """What leaves this machine if these candidates are measured so; nothing where all of them stay here."""
    chosen, accuracy, latency, prompts = values
    served = [
        item
        for item in candidates_at_hand(workbench, desk)
        if candidate_name(item) in chosen and isinstance(item.options, EndpointOptions)
    ]
    workloads = _workloads(workbench, accuracy, latency, prompts)
    if not served or not workloads:
        return run_view.leaving((), ())
    definition = benchmark_definition(workbench, desk, "notes", tuple(served))
    try:
        said = workbench.notes(definition.model_copy(update={"workloads": workloads}))
    except WorkbenchError as error:
        # A test set that cannot be read is refused at the start; here it only means that nothing can be counted.
        said = (str(error),)
    return run_view.leaving(
        said, [item.options.base_url for item in served if isinstance(item.options, EndpointOptions)]
    )


def press_in_runs(workbench: Workbench, event: gr.EventData) -> tuple[Any, Any, Any]:
    """Cancel or resume a benchmark, or go and compare it: live table, benchmark, tabs."""
    action, value = clicked(event)
    if action == "compare":
        return gr.skip(), value, gr.Tabs(selected="compare")
    if action == "cancel":
        workbench.jobs.cancel(value)
    elif action == "resume":
        workbench.start_benchmark(workbench.prepare_again(value), resume=True)
    return live(workbench), gr.skip(), gr.skip()


def live(workbench: Workbench) -> str:
    """The newest benchmark job, from memory alone."""
    return run_view.live_panel(_benchmark_jobs(workbench))


def stored(workbench: Workbench) -> str:
    """Every stored benchmark with its runs."""
    running = {job.benchmark for job in _benchmark_jobs(workbench) if not job.is_over}
    return run_view.stored_panel(workbench.benchmarks(), workbench.runs(), frozenset(filter(None, running)))


def free_name(workbench: Workbench, taken: str = "") -> str:
    """A name that no benchmark has."""
    names = {benchmark.name for benchmark in workbench.benchmarks()} | {taken}
    return next(name for number in range(1, 10_000) if (name := f"benchmark-{number}") not in names)


def _benchmark_jobs(workbench: Workbench) -> tuple[JobStatus, ...]:
    return tuple(job for job in workbench.jobs.all() if job.benchmark is not None)


def _workloads(workbench: Workbench, accuracy: bool, latency: bool, prompts: float | None) -> tuple[Workload, ...]:
    asked = (Workload(kind="accuracy"),) if accuracy else ()
    return (*asked, _latency(workbench, int(prompts or 30))) if latency else asked


def _latency(workbench: Workbench, prompts: int) -> Workload:
    """The demo's latency workload with another number of prompts."""
    demo, _ = workbench.demo_definition()
    usual = next((item for item in demo.workloads if item.kind == "latency"), Workload(kind="latency"))
    return usual.model_copy(update={"prompts": max(1, prompts)})


def _where_from(desk: Desk) -> str:
    return "From the shortlist." if desk.draft.candidates else "The demo's, because the shortlist is empty."


def _test_set_words(desk: Desk) -> tuple[str, str]:
    if desk.draft.test_set is None:
        return "the demo's", "because none was chosen in the step Test set"
    return desk.draft.test_set.shown_name, "chosen in the step Test set"
