"""Marks in one text what another has not, word by word. Both are untrusted: all of it is escaped text.

What is marked carries words for screen readers too, and an underline besides its colour.
"""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from workbench.report.text import visible
from workbench.steps.render import Content, Html, tag

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
MOST_WORDS = 1_500
"""Words and marks of each text that are compared; of longer texts only the beginning is."""


def marked(text: str, other: str, note: str) -> list[Content]:
    """The text with everything marked that the other has not.

    note says to a screen reader where the marked words stand only, such as `only in A`.
    """
    mine, theirs = _WORDS.findall(text), _WORDS.findall(other)[:MOST_WORDS]
    compared, rest = mine[:MOST_WORDS], "".join(mine[MOST_WORDS:])
    parts: list[Content] = []
    for kind, _, _, start, end in SequenceMatcher(None, theirs, compared, autojunk=False).get_opcodes():
        piece = "".join(compared[start:end])
        if kind == "equal" or not piece.strip():
            parts.append(visible(piece))
        elif piece:
            parts.append(_mark(piece, note))
    return [*parts, visible(rest)] if rest else parts


def differs(texts: Sequence[str]) -> bool:
    """Whether texts differ in more than white space."""
    return len({" ".join(text.split()) for text in texts}) > 1


def _mark(piece: str, note: str) -> Html:
    return tag(
        "mark",
        tag("span", f"[{note}: ", class_="for-readers"),
        visible(piece),
        tag("span", "]", class_="for-readers"),
    )
