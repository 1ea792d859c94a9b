"""Every key of the app, in one table: the page acts on it, the help shows it, docs/keyboard.md lists it.

A key presses the first visible and usable element that its selector finds, or goes into it where it is a field; keys
without a selector are acted on by the page or the step itself. Keys of a step work only there, and none works while
something is typed. To add one, add a line.
"""

import json
from typing import NamedTuple

from workbench import sentences


class Shortcut(NamedTuple):
    """One key."""

    key: str
    """As the browser calls it (KeyboardEvent.key)."""
    what: str
    """What it does, for people."""
    selector: str
    """CSS selector of what is pressed, or several, the first usable one counts: `A | B`; empty: the page acts."""
    step: str | None = None
    """The step it works in; None means everywhere."""


SHORTCUTS = (
    *(
        Shortcut(str(number), f"Go to {title}", f"#step-{name}-button")
        for number, (name, title) in enumerate(sentences.STEPS, start=1)
    ),
    Shortcut("?", "Show or hide this list", ""),
    Shortcut("Escape", "Close what is open", ""),
    Shortcut("/", "Go to the search for models", "#filter-text textarea, #filter-text input", "choose"),
    Shortcut("1…9", "In Examples: give the answer with this number", "", "test-set"),
    Shortcut("0", "In Examples: take the answer away", "", "test-set"),
    Shortcut("n", "In Examples: next one without an answer", "", "test-set"),
    Shortcut("j", "In Examples: next one", "", "test-set"),
    Shortcut("k", "In Examples: the one before", "", "test-set"),
    Shortcut("s", "Start the benchmark", "#run-start", "run"),
    Shortcut(
        "j", "Next example, or the next ones of the list", "#example-next | #examples [data-action=next]", "compare"
    ),
    Shortcut(
        "k",
        "Example before, or those before in the list",
        "#example-previous | #examples [data-action=previous]",
        "compare",
    ),
    Shortcut("x", "Close the example", "#example-close", "compare"),
    Shortcut("ArrowLeft", "Vote: left is better", "#vote-left", "head-to-head"),
    Shortcut("ArrowRight", "Vote: right is better", "#vote-right", "head-to-head"),
    Shortcut("ArrowUp", "Vote: a tie", "#vote-tie", "head-to-head"),
    Shortcut("ArrowDown", "Vote: both are bad", "#vote-both-bad", "head-to-head"),
    Shortcut("s", "In a list: skip, to the next prompt", "#vote-skip", "head-to-head"),
    Shortcut("b", "In a list: back to the prompt before", "#vote-back", "head-to-head"),
)

_SHOWN = {"ArrowLeft": "←", "ArrowRight": "→", "ArrowUp": "↑", "ArrowDown": "↓", "Escape": "Esc"}


def shown_key(shortcut: Shortcut) -> str:
    """The key as it stands on a keyboard."""
    return _SHOWN.get(shortcut.key, shortcut.key)


def grouped() -> list[tuple[str, list[Shortcut]]]:
    """Title of a group and its keys: those that work everywhere, then step by step."""
    groups = [("Everywhere", [item for item in SHORTCUTS if item.step is None])]
    for name, title in sentences.STEPS:
        own = [item for item in SHORTCUTS if item.step == name]
        if own:
            groups.append((title, own))
    return groups


def script() -> str:
    """The table as the page reads it."""
    table = [{"key": item.key, "selector": item.selector, "step": item.step} for item in SHORTCUTS if item.selector]
    return f"window.workbenchShortcuts = {json.dumps(table)};"


def markdown() -> str:
    """The table of docs/keyboard.md."""
    lines = []
    for title, items in grouped():
        lines += [f"## {title}", "", "| Key | What it does |", "|---|---|"]
        lines += [f"| `{shown_key(item)}` | {item.what} |" for item in items]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"
