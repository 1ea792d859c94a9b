"""The catalog as a whole, on the step Choose: its age, asking the Hub, what is rising, what is on this machine."""

from typing import Any

import gradio as gr

from catalog.records import TrendKey
from workbench import sentences
from workbench.hub_jobs import UpdateScope
from workbench.service import Workbench
from workbench.steps import render
from workbench.steps.choose import catalog_view
from workbench.steps.desk import Desk
from workbench.steps.wiring import clicked


def state(workbench: Workbench) -> Any:
    """The folded panel's title: how much the catalog holds and how old it is."""
    return gr.Accordion(label=catalog_view.state_line(workbench.models.state()))


def ask_hub(workbench: Workbench, desk: Desk) -> str:
    """Search the Hub with the filters that are set."""
    workbench.models.ask_hub(desk.draft.query)
    return render.notice("info", sentences.ASKED_HUB)


def update(workbench: Workbench, task: str, trending: float | None) -> str:
    """Pull a task's models, all or the most trending."""
    workbench.models.update(UpdateScope(task, int(trending) if trending else None))
    return render.notice("info", sentences.UPDATE_STARTED)


def rising(workbench: Workbench, by: TrendKey) -> str:
    """What moved up since the snapshot before."""
    return catalog_view.trends_table(workbench.models.trends(by=by, limit=50), by)


def local_models(workbench: Workbench) -> str:
    """Models in the folders of known tools."""
    return catalog_view.local_table(workbench.models.local_models())


def press(workbench: Workbench, event: gr.EventData) -> str:
    """Add a model of this machine to the catalog."""
    action, value = clicked(event)
    if action != "add":
        return render.NOTHING
    (added,) = workbench.models.add(value)
    return render.notice("info", f"{added.id} is in the catalog now.")
