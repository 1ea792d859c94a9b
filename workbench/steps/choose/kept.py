"""Step Choose: the shortlists that were kept. Each is taken onto the desk, renamed, copied, put away, taken back."""

from typing import Any

import gradio as gr

from results.shortlist_records import Shortlist
from workbench.candidates import candidate_name
from workbench.sentences import refusal
from workbench.service import Workbench
from workbench.steps.choose import kept_view, view
from workbench.steps.desk import Desk
from workbench.steps.wiring import clicked

SEPARATOR = "\n"
"""Between the parts of what a button carries; no name holds one."""


def panel(workbench: Workbench, desk: Desk) -> str:
    """Candidates on the desk and the kept lists."""
    draft = desk.draft
    lists = (*workbench.shortlists.all(), *workbench.shortlists.all(archived=True))
    return view.shortlist_panel(draft.candidates, kept_view.kept_lists(lists, draft.kept))


def press(workbench: Workbench, desk: Desk, event: gr.EventData) -> tuple[Any, ...]:
    """A button of the panel: panel, name of the list, and the part that asks for a name (`_asking`)."""
    action, value = clicked(event)
    if action in {"rename", "copy"}:
        return gr.skip(), gr.skip(), *_asking(action, value)
    if action == "remove":
        desk.revise(
            lambda draft: {"candidates": tuple(each for each in draft.candidates if candidate_name(each) != value)}
        )
    elif action == "clear":
        desk.change(candidates=(), kept=None)
    elif action == "take":
        _take(workbench, desk, workbench.shortlists.find(value))
    elif action in {"archive", "restore"}:
        workbench.shortlists.archive(value, archived=action == "archive")
    return panel(workbench, desk), desk.draft.shortlist_name, *_asking("", "")


def give_name(workbench: Workbench, desk: Desk, asked: str, new_name: str) -> tuple[Any, ...]:
    """Rename or copy the list that was asked for: outputs as of `press`."""
    action, _, value = asked.partition(SEPARATOR)
    if not new_name.strip():
        raise refusal("Give the shortlist a name.")
    if action == "rename":
        renamed = workbench.shortlists.rename(value, new_name)
        before = (desk.draft.kept or "").rpartition("@")
        changes = {"kept": f"{renamed.name}@{before[2]}"} if before[0] == value else {}
        same = desk.draft.shortlist_name == value
        desk.change(**changes, **({"shortlist_name": renamed.name} if same else {}))
    elif action == "copy":
        workbench.shortlists.duplicate(value, new_name)
    return panel(workbench, desk), desk.draft.shortlist_name, *_asking("", "")


def cancel() -> tuple[Any, ...]:
    """No name is given after all: the part that asks for one."""
    return _asking("", "")


def keep(workbench: Workbench, desk: Desk, name: str) -> str:
    """Keep the candidates with the filters and everything they excluded."""
    if not desk.draft.candidates:
        raise refusal("The shortlist is empty. Select a model and add it first.")
    if not name.strip():
        raise refusal("Give the shortlist a name.")
    kept = workbench.shortlists.keep(name.strip(), desk.draft.candidates, desk.draft.query)
    desk.change(shortlist_name=kept.name, kept=kept.reference)
    return panel(workbench, desk)


def _take(workbench: Workbench, desk: Desk, kept: Shortlist) -> None:
    candidates = workbench.shortlists.candidates(kept)
    desk.change(shortlist_name=kept.name, candidates=candidates, kept=kept.reference)


def _asking(action: str, value: str) -> tuple[Any, ...]:
    """The row that asks for a name, its field, and what is asked for."""
    if not action:
        return gr.Column(visible=False), "", ""
    title = f"New name of {value}" if action == "rename" else f"Name of the copy of {value}"
    proposed = value if action == "rename" else f"{value.partition('@')[0]} copy"
    return gr.Column(visible=True), gr.Textbox(label=title, value=proposed), f"{action}{SEPARATOR}{value}"
