"""The dialogs of the frame: the list of keys, the workspaces, the question before the app stops. HTML only.

Each is a `<dialog>`, which the browser keeps the focus in and closes with Escape; assets/shell.js opens it.
"""

from collections.abc import Sequence
from pathlib import Path

from results import numbers
from workbench.records import JobStatus
from workbench.steps import render
from workbench.steps.render import Content, Html, tag
from workbench.steps.shell.shortcuts import grouped, shown_key
from workbench.workspaces import MOST_LETTERS, KnownWorkspace

TOUR = (
    (
        "choose",
        "Choose",
        "Say what you intend, filter by license and by what fits this machine, and add two to four models to the "
        "shortlist. Every exclusion has its reason.",
    ),
    (
        "test-set",
        "Measure",
        "Bring your own labelled examples, or take the demo's, then press Start in the step Run. Every candidate runs "
        "in a process of its own; closing the page changes nothing.",
    ),
    (
        "compare",
        "Decide",
        "Compare quality with its interval, speed and memory, look into single examples, then set limits and weights "
        "in the step Recommend and export the report.",
    ),
)
"""Step, title and words of the three stations of the tour."""


def help_dialog() -> Html:
    """Every key, the switch for them, and where else help is."""
    columns = [
        tag(
            "section",
            tag("h3", title),
            tag(
                "dl", [(tag("dt", tag("kbd", shown_key(item))), tag("dd", item.what)) for item in items], class_="keys"
            ),
        )
        for title, items in grouped()
    ]
    switch = tag(
        "label",
        tag("input", type="checkbox", data_switch="shortcuts", checked=True),
        " Keys of one letter work when nothing is typed",
        class_="switch",
    )
    return _dialog(
        "help",
        "Keys",
        tag("div", columns, class_="key-columns"),
        switch,
        foot=[tag("button", "Take the tour again", type="button", class_="button", data_action="tour")],
    )


def stop_dialog(jobs: Sequence[JobStatus], command: str) -> Html:
    """What stopping means now."""
    if jobs:
        said = render.join(
            tag("p", f"{numbers.things(len(jobs), 'job')} would be cancelled, with everything finished so far kept:"),
            render.bullets([f"{job.title}{_how_far(job)}" for job in jobs]),
            tag("p", "After the next start a benchmark goes on from there with Resume in the step Run."),
            tag("p", "One that waits is listed there, too, and begins with Start."),
        )
    else:
        said = tag("p", "No job runs. Nothing is lost: what you chose is there again at the next start.")
    stop = tag(
        "button",
        "Stop the app",
        type="button",
        class_="button is-danger",
        data_action="stop",
        data_stopping=True,
        data_command=command,
    )
    return _dialog("stop", f"Stop the app{' and its jobs' if jobs else ''}?", said, foot=[stop])


def workspaces_dialog(known: Sequence[KnownWorkspace], current: Path, name: str, trouble: str | None = None) -> Html:
    """The name of this workspace, the others, and a form for a new one."""
    others = [item for item in known if item.folder != current]
    return _dialog(
        "workspaces",
        "Workspaces",
        render.notice("failure", tag("p", trouble)) if trouble else None,
        tag(
            "p",
            "A workspace keeps all its data in a folder of its own: test sets, results, reports.",
            class_="quiet",
        ),
        _form("rename", [_field("Name of this workspace", "name", name)], "Rename"),
        tag("p", tag("code", str(current)), class_="path"),
        tag("h3", "Open another"),
        tag("ul", [_known(item) for item in others], class_="plain known")
        if others
        else tag("p", "No other is known on this machine yet.", class_="quiet"),
        tag("h3", "Make a new one"),
        _form(
            "make",
            [_field("Name", "name", ""), _field("Folder, if it shall lie elsewhere", "folder", "", required=False)],
            "Make and open",
            busy="Starting …",
        ),
        tag("p", "The app of this workspace goes on running until it is stopped.", class_="quiet"),
    )


def _known(item: KnownWorkspace) -> Html:
    button = tag(
        "button",
        "Open",
        type="button",
        class_="button",
        data_action="open",
        data_value=str(item.folder),
        data_busy="Starting …",
        aria_label=f"Open {item.name}",
    )
    return tag("li", tag("div", tag("b", item.name), tag("code", str(item.folder))), button)


def _form(action: str, fields: Sequence[Html], label: str, busy: str | None = None) -> Html:
    button = tag("button", label, type="submit", class_="button", data_busy=busy)
    return tag("form", fields, button, data_action=action)


def _field(label: str, name: str, value: str, *, required: bool = True) -> Html:
    limit = MOST_LETTERS if name == "name" else None
    box = tag("input", type="text", name=name, value=value, required=required, maxlength=limit, autocomplete="off")
    return tag("label", tag("span", label), box)


def _how_far(job: JobStatus) -> str:
    return f", {numbers.percent(job.done / job.total)} done" if job.total else ""


def _dialog(name: str, title: str, *content: Content, foot: Sequence[Html] = ()) -> Html:
    close = tag("button", "Close", type="button", class_="button", data_close=True)
    return tag(
        "dialog",
        tag("h2", title, id=f"dialog-{name}-title"),
        *content,
        tag("div", *foot, close, class_="dialog-foot"),
        id=f"dialog-{name}",
        class_="dialog",
        aria_labelledby=f"dialog-{name}-title",
    )
