"""Step Run: stored benchmarks as things with names: open, rename, put away, edit as a new one, delete."""

from typing import Any

import gradio as gr

from workbench.service import Workbench
from workbench.steps import render
from workbench.steps.desk import Desk
from workbench.steps.run import handlers, view
from workbench.steps.run.asked import take_benchmark
from workbench.steps.wiring import clicked


def listed(workbench: Workbench, archived: bool = False) -> str:
    """Every stored benchmark with its runs; those that are put away only where they are asked for."""
    running = frozenset(job.benchmark for job in workbench.jobs.all() if job.benchmark and not job.is_over)
    return view.stored_panel(workbench.book.all(archived=archived), workbench.runs(), running)


def restore(workbench: Workbench, archived: bool, asked: str, request: gr.Request) -> tuple[Any, ...]:
    """The list, then the benchmark that is open: the one of this page, else the one that the address names."""
    name = workbench.book.current(asked or request.query_params.get("runs"))
    return listed(workbench, archived), *show(workbench, name)


def open_step(workbench: Workbench, desk: Desk, archived: bool, asked: str, request: gr.Request) -> tuple[Any, ...]:
    """The form and the live panels, then the list and the benchmark that is open."""
    return *handlers.restore(workbench, desk), *restore(workbench, archived, asked, request)


def show(workbench: Workbench, name: str | None) -> tuple[Any, ...]:
    """One benchmark: its name, whether it is shown, its panel, the fields of rename and delete."""
    if name is None:
        return "", gr.Column(visible=False), render.NOTHING, "", ""
    # Says so where another page has deleted or renamed it meanwhile.
    lines = workbench.book.plan_deletion(name).sentences
    item = next(each for each in workbench.book.all(archived=True) if each.benchmark.name == name)
    panel = view.opened_panel(item, workbench.runs(name), workbench.book.failures(name), lines)
    return name, gr.Column(visible=True), panel, name, ""


def press_in_list(workbench: Workbench, event: gr.EventData) -> tuple[Any, ...]:
    """Open a benchmark of the list; others of its buttons are heard elsewhere."""
    action, name = clicked(event)
    return show(workbench, name) if action == "open" else tuple(gr.skip() for _ in range(5))


def press_in_opened(workbench: Workbench, desk: Desk, archived: bool, event: gr.EventData) -> tuple[Any, ...]:
    """Put away, bring back, close or edit as a new one: the list, the open benchmark, then the form."""
    action, name = clicked(event)
    form: tuple[Any, ...] = tuple(gr.skip() for _ in range(handlers.FORM_LENGTH))
    if action == "archive":
        workbench.book.archive(name)
    elif action == "restore":
        workbench.book.restore(name)
    elif action == "duplicate":
        definition, folder = workbench.book.definition(name)
        copy = definition.model_copy(update={"name": workbench.book.free_name(f"{name}-copy")})
        note = take_benchmark(desk, copy, folder)
        form = handlers.form(workbench, desk)
        gr.Info(note or f"{name} lies in the form above as {copy.name}. Change what you like and press Start.")
    elif action != "close":
        return tuple(gr.skip() for _ in range(6 + handlers.FORM_LENGTH))
    is_gone = action == "close" or (action == "archive" and not archived)
    return listed(workbench, archived), *show(workbench, None if is_gone else name), *form


def rename(workbench: Workbench, name: str, to: str, archived: bool) -> tuple[Any, ...]:
    """Call the open benchmark otherwise: the list, then it."""
    if to.strip() != name:
        workbench.book.rename(name, to)
    return listed(workbench, archived), *show(workbench, to.strip())


def delete(workbench: Workbench, name: str, typed: str, archived: bool) -> tuple[Any, ...]:
    """Delete the open benchmark where its name was typed: the list, and nothing open."""
    workbench.book.delete(name, confirmed=typed)
    gr.Info(f"{name} is deleted.")
    return listed(workbench, archived), *show(workbench, None)
