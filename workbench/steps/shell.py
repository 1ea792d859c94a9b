"""The sidebar and the welcome: this machine, engines, jobs; visible on every step, read from memory alone."""

from typing import Any

import gradio as gr

from catalog.records import Machine
from results import numbers
from workbench import sentences
from workbench.records import EngineStatus, JobStatus
from workbench.service import Workbench
from workbench.steps import render
from workbench.steps.render import Html, tag
from workbench.steps.wiring import clicked

_JOBS_SHOWN = 6
_INTERESTING_SETS = 4


def machine_panel(machine: Machine, engines: tuple[EngineStatus, ...]) -> Html:
    """Machine and engines."""
    cores = f"{machine.physical_cores or machine.logical_cores} cores"
    if machine.physical_cores not in {None, machine.logical_cores}:
        cores += f", {machine.logical_cores} threads"
    return tag(
        "section",
        tag("h2", "This machine"),
        tag("p", machine.cpu, class_="strong"),
        render.facts(
            [
                ("Cores", cores),
                ("Sets", _instruction_sets(machine)),
                ("Memory", _memory(machine)),
                ("GPU", _gpus(machine)),
            ]
        ),
        tag("h2", "Engines"),
        tag("ul", [_engine(engine) for engine in engines], class_="engines"),
        class_="side-panel",
    )


def jobs_panel(jobs: tuple[JobStatus, ...]) -> Html:
    """Jobs of this start of the app, running ones first."""
    ordered = sorted(jobs, key=lambda job: job.is_over)[:_JOBS_SHOWN]
    body = tag("ul", [_job(job) for job in ordered], class_="jobs") if ordered else tag("p", "None.", class_="quiet")
    return tag("section", tag("h2", "Jobs"), body, class_="side-panel")


def watch(workbench: Workbench) -> tuple[str, str]:
    """Jobs as they stand, and the mark that moves when stored results have changed."""
    jobs = workbench.jobs.all()
    return jobs_panel(jobs), results_mark(jobs)


def results_mark(jobs: tuple[JobStatus, ...]) -> Html:
    """How many jobs and runs are over since the start, unseen; its change tells the open step to read again."""
    over = {"finished", "failed", "cancelled"}
    count = sum(job.is_over + sum(item.state in over for item in job.candidates) for job in jobs)
    return tag("span", str(count), hidden=True)


def press_in_jobs(workbench: Workbench, event: gr.EventData) -> str:
    """Cancel the job whose button was pressed."""
    action, job_id = clicked(event)
    if action == "cancel":
        workbench.jobs.cancel(job_id)
    return jobs_panel(workbench.jobs.all())


def look_at_machine(workbench: Workbench) -> str:
    """The machine as it is now."""
    return machine_panel(workbench.machine(), workbench.engines())


def brand() -> Html:
    """The app's name."""
    return tag(
        "div", tag("span", "", class_="mark", aria_hidden="true"), tag("strong", sentences.APP_NAME), class_="brand"
    )


def welcome_panel() -> Html:
    """What the app is for; stands above the steps until something was measured."""
    return tag("div", tag("h1", sentences.WELCOME_TITLE), tag("p", sentences.WELCOME_TEXT))


def welcome(workbench: Workbench) -> tuple[Any, Any]:
    """The welcome with the offer of the demo, where nothing was measured yet and nothing runs."""
    if workbench.benchmarks() or workbench.jobs.all():
        return gr.Row(visible=False), gr.skip()
    return gr.Row(visible=True), gr.Button(f"{sentences.DEMO_BUTTON}: {demo_offer(workbench)}")


def open_demo(workbench: Workbench) -> tuple[str, Any, Any]:
    """Start the demo; the page goes to the step Run."""
    definition, folder = workbench.demo_definition()
    workbench.start_benchmark(workbench.prepare(definition, folder))
    return jobs_panel(workbench.jobs.all()), gr.Tabs(selected="run"), gr.Row(visible=False)


def demo_offer(workbench: Workbench) -> str:
    """What the demo is, with its real size."""
    definition, folder = workbench.demo_definition()
    examples = len(workbench.check_test_set(definition.test_set, definition.labels, folder=folder).file.examples)
    return f"{len(definition.candidates)} candidates, {examples} labelled messages, about 2 minutes"


def open_step(request: gr.Request) -> Any:
    """Select the step that the address names."""
    names = [name for name, _ in sentences.STEPS]
    asked = request.query_params.get("step")
    return gr.Tabs(selected=asked) if asked in names else gr.skip()


def _instruction_sets(machine: Machine) -> Html:
    names = machine.instruction_sets
    shown = tag("span", ", ".join(names[:_INTERESTING_SETS]) or numbers.UNKNOWN)
    rest = names[_INTERESTING_SETS:]
    more = tag("span", f" +{len(rest)}", title=", ".join(rest), class_="quiet") if rest else None
    return render.join(shown, more)


def _memory(machine: Machine) -> Html:
    used = 1 - machine.memory_available_bytes / machine.memory_total_bytes
    words = f"{numbers.bytes_(machine.memory_available_bytes)} free of {numbers.bytes_(machine.memory_total_bytes)}"
    return render.join(words, render.bar(used, f"Memory: {words}"))


def _gpus(machine: Machine) -> Html:
    if not machine.gpus:
        return render.join("none")
    return render.bullets(
        [
            f"{gpu.name}, {numbers.bytes_(gpu.free_bytes)} free of {numbers.bytes_(gpu.total_bytes)}"
            for gpu in machine.gpus
        ],
        class_="plain",
    )


def _engine(engine: EngineStatus) -> Html:
    if engine.version is not None:
        return tag(
            "li",
            tag("span", tag("b", "✓", aria_hidden="true"), f" {engine.name}", class_="is-ok", title=engine.can),
            tag("span", f" {engine.version}", class_="quiet"),
        )
    return tag(
        "li",
        tag("span", tag("b", "–", aria_hidden="true"), f" {engine.name}", class_="quiet", title=engine.can),
        tag("span", " not installed", class_="quiet"),
        tag("code", engine.install, class_="command"),
    )


def _job(job: JobStatus) -> Html:
    left = numbers.seconds(job.remaining_seconds) if job.remaining_seconds is not None else ""
    line = sentences.job_line(job, left)
    signs = {"queued": "…", "running": "▶", "finished": "✓", "failed": "✕", "cancelled": "■"}
    return tag(
        "li",
        tag(
            "div",
            tag("b", signs[job.state], aria_hidden="true"),
            " ",
            tag("span", job.title, class_="job-title", title=job.title),
            class_=f"job-head is-{job.state}",
        ),
        render.progress(job.done, job.total, f"Progress of {job.title}") if not job.is_over else None,
        tag(
            "div",
            tag("span", line, class_="quiet"),
            None if job.is_over else render.action("Cancel", "cancel", job.id, title=f"Cancel {job.title}"),
            class_="job-foot",
        ),
        tag("p", job.message, class_="quiet clipped", title=job.message) if job.state in {"failed", "queued"} else None,
    )
