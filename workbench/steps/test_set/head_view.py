"""The line above every part of the step: which test set is open, what waits to be kept, and which part is shown."""

from results import numbers
from workbench.steps import render
from workbench.steps.render import Html, tag
from workbench.steps.test_set.opened import Opened

PARTS = (
    ("overview", "Overview"),
    ("examples", "Examples"),
    ("prompt", "Prompt"),
    ("scoring", "Scoring"),
    ("versions", "Kept test sets"),
)
"""Parts of the step: address and title."""


def head(opened: Opened | None, part: str) -> Html:
    """Name, version, progress, edits that wait, and the parts."""
    chosen = part if part in dict(PARTS) else PARTS[0][0]
    parts = [
        tag(
            "button",
            title,
            type="button",
            class_="ts-part-button",
            data_part=name,
            aria_pressed="true" if name == chosen else "false",
        )
        for name, title in PARTS
    ]
    return tag(
        "div",
        _state(opened) if opened is not None else None,
        tag("nav", parts, aria_label="Parts of the test set", class_="ts-parts"),
        data_address=_address(opened),
        class_="ts-head",
    )


def _address(opened: Opened | None) -> str:
    """Test set and version for the address, parted by a space; a plain file has no address."""
    if opened is None or opened.kept is None:
        return ""
    return f"{opened.kept.name} {opened.definition.version or ''}".strip()


def _state(opened: Opened) -> Html:
    kept = opened.kept
    name = opened.definition.shown_name if kept is None else kept.name
    version = None if kept is None else f"version {kept.version}"
    if kept is not None and opened.newest != kept.version:
        version = f"{version} of {opened.newest}, to look at"
    total = len(opened.examples)
    done = opened.labelled
    return tag(
        "div",
        tag("strong", render.untrusted(name, name="span", limit=90)),
        tag("span", version or "a file that is not kept yet", class_="note"),
        tag(
            "span",
            tag("span", f"{done:,} of {total:,} labelled", role="status"),
            render.progress(done, total, f"{done:,} of {total:,} labelled"),
            class_="ts-progress",
        ),
        tag("span", class_="spacer"),
        *_doing(opened),
        class_="ts-state",
    )


def _doing(opened: Opened) -> list[Html]:
    """What waits, and what can be done with it."""
    kept = opened.kept
    if kept is None:
        return [render.action("Keep this test set", "keep", class_="button", title="Keep it in the data directory")]
    if not opened.editable:
        return [
            render.action("Open the newest", "open", kept.name, class_="button"),
            render.action("Make this the newest", "restore", f"{kept.name} {kept.version}", class_="button"),
        ]
    if not opened.edits:
        said = tag("span", f"Everything is kept. {kept.message}", class_="note")
        return [said, _only_labelled()] if opened.definition.only_labelled else [said]
    waiting = f"{numbers.things(opened.edits, 'edit')} since, written down: {opened.message}"
    return [
        tag("span", waiting, class_="note"),
        render.action("Undo", "undo", class_="button", title="Undo the last edit"),
        render.action(f"Keep as version {(opened.newest or 0) + 1}", "keep", class_="button is-primary"),
        *([_only_labelled()] if opened.definition.only_labelled else []),
    ]


def _only_labelled() -> Html:
    return render.action("Measured: only those with an answer ✕", "only-labelled", class_="chip")
