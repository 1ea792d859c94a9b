"""The sidebar, the welcome and the tour as HTML: workspace, jobs, this machine, engines; visible on every step."""

from collections.abc import Collection
from pathlib import Path

from catalog.records import Machine
from results import numbers
from workbench import sentences
from workbench.engine_environments import OWN_ENVIRONMENT
from workbench.records import EngineStatus, JobStatus
from workbench.start_words import APP_NAME
from workbench.steps import render
from workbench.steps.render import Html, tag
from workbench.steps.shell.dialogs import TOUR

_JOBS_SHOWN = 6
_INTERESTING_SETS = 4
_MISSING = {"missing": "not installed", "unfinished": "was cut off", "installed": ""}


def machine_panel(machine: Machine) -> Html:
    """Processor, memory and GPUs."""
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
        class_="side-panel",
    )


def engines_panel(engines: tuple[EngineStatus, ...], installing: Collection[str] = ()) -> Html:
    """Engines, installed or not; apart from the machine, whose figures move while a button is about to be pressed."""
    return tag(
        "section",
        tag("h2", "Engines"),
        tag("ul", [_engine(engine, engine.name in installing) for engine in engines], class_="engines"),
        class_="side-panel",
    )


def jobs_panel(jobs: tuple[JobStatus, ...]) -> Html:
    """Jobs of this start of the app, running ones first."""
    ordered = sorted(jobs, key=lambda job: job.is_over)[:_JOBS_SHOWN]
    body = tag("ul", [_job(job) for job in ordered], class_="jobs") if ordered else tag("p", "None.", class_="quiet")
    return tag("section", tag("h2", "Jobs"), body, class_="side-panel")


def results_mark(jobs: tuple[JobStatus, ...]) -> Html:
    """How many jobs and runs are over since the start, unseen; its change tells the open step to read again."""
    over = {"finished", "failed", "cancelled"}
    count = sum(job.is_over + sum(item.state in over for item in job.candidates) for job in jobs)
    return tag("span", str(count), hidden=True)


def workspace_panel(name: str, folder: Path) -> Html:
    """Name of the workspace and the way to the others."""
    change = render.action("Switch", "workspaces", title="Rename, switch or make a workspace")
    return tag(
        "section",
        tag("div", tag("h2", "Workspace"), change, class_="side-head"),
        tag("p", name, class_="clipped", title=str(folder)),
        class_="side-panel",
    )


def foot(*, can_stop: bool) -> Html:
    """Theme, help and stop."""
    themes = [
        tag("button", word, type="button", data_theme_choice=word.lower(), aria_pressed="false")
        for word in ("Light", "Dark", "System")
    ]
    stop = render.action("Stop", "ask-stop", class_="button", title="Stop the app") if can_stop else None
    keys = tag("button", "Keys ?", type="button", class_="button", data_dialog="help", title="Keys and help")
    return tag(
        "section",
        tag("div", themes, class_="segments", role="group", aria_label="Theme"),
        tag("div", keys, stop, class_="side-buttons"),
        class_="side-panel",
    )


def skip_link() -> Html:
    """The first thing that the tabulator key reaches."""
    return tag("a", "Skip to the step", href="#main", class_="skip", data_skip="main")


def tour_bar(station: int) -> Html:
    """One of the tour's stations."""
    _, title, words = TOUR[station]
    last = station == len(TOUR) - 1
    return tag(
        "section",
        tag(
            "div",
            tag("span", f"Tour, {station + 1} of {len(TOUR)}", class_="quiet"),
            tag("h2", title),
            tag("p", words),
        ),
        tag(
            "div",
            render.action("Back", "tour", str(station - 1), class_="button") if station else None,
            render.action("Done" if last else "Next", "tour", str(station + 1), class_="button is-primary"),
            None if last else render.action("Skip for good", "tour", str(len(TOUR)), class_="button"),
            class_="tour-buttons",
        ),
        class_="tour",
        aria_label="Tour",
    )


def brand() -> Html:
    """The app's name."""
    return tag("div", tag("span", "", class_="mark", aria_hidden="true"), tag("strong", APP_NAME), class_="brand")


def welcome_panel() -> Html:
    """What the app is for; stands above the steps until something was measured."""
    return tag("div", tag("h1", sentences.WELCOME_TITLE), tag("p", sentences.WELCOME_TEXT))


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


def _engine(engine: EngineStatus, installing: bool) -> Html:
    if engine.version is not None:
        return tag(
            "li",
            tag("span", tag("b", "✓", aria_hidden="true"), f" {engine.name}", class_="is-ok", title=engine.can),
            tag("span", f" {engine.version}", class_="quiet"),
        )
    return tag(
        "li",
        tag("span", tag("b", "–", aria_hidden="true"), f" {engine.name}", class_="quiet", title=engine.can),
        tag("span", " is being installed" if installing else f" {_MISSING[engine.state]}", class_="quiet"),
        None if installing else _way_to_install(engine),
    )


def _way_to_install(engine: EngineStatus) -> Html:
    """A button where the app can do it, else the command."""
    if engine.name == OWN_ENVIRONMENT:
        hint = f"Install {engine.name}: {engine.can}. Several gigabytes are fetched."
        return tag("div", render.action("Install", "install", engine.name, class_="button", title=hint))
    copy = tag("button", "Copy", type="button", class_="link", data_copy=engine.install, title="Copy the command")
    return tag("div", tag("code", engine.install, class_="command"), copy)


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
        tag("div", tag("span", line, class_="quiet"), _job_action(job), class_="job-foot"),
        _job_words(job),
    )


def _job_action(job: JobStatus) -> Html | None:
    if not job.is_over:
        return render.action("Cancel", "cancel", job.id, title=f"Cancel {job.title}")
    if job.state != "finished" or job.step is None:
        return None
    place = {"benchmark": job.benchmark} if job.benchmark is not None else {}
    return render.view_link("Show", job.step, title=f"Show the result of {job.title}", **place)


def _job_words(job: JobStatus) -> Html | None:
    if job.state == "failed":
        return tag("details", tag("summary", "Why"), render.untrusted(job.message))
    return tag("p", job.message, class_="quiet clipped", title=job.message) if job.state == "queued" else None
