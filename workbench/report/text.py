"""Untrusted text made fit to be shown, and small rules of prose that every generated sentence follows.

Candidate names, test-set columns and completions come from strangers. Nothing here escapes HTML: Jinja's autoescape
does that; this module makes visible what a browser would hide or obey.
"""

import re
import unicodedata
from collections.abc import Sequence

_KEPT = {"\n", "\t"}
_MARKDOWN = re.compile(r"[\\`*{}\[\]#|~$<>&]|(?<!\w)_|_(?!\w)|^[-+=](?=\s)|^\d+(?=[.)]\s)|(?<=:)//")
_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;", "//": "&#47;/"}


def visible(text: str) -> str:
    """The text with its control characters shown, NUL as `⟨U+0000⟩`; newlines and tabs stay.

    Directional overrides are shown too, because they let a text look like another.
    """
    if text.isascii() and text.isprintable():
        return text
    text = text.replace("\r\n", "\n")
    return "".join(character if character in _KEPT else _shown(character) for character in text)


def one_line(text: str) -> str:
    """The text on one line with its control characters shown."""
    return " ".join(visible(text).split())


def shorten(text: str, limit: int = 48) -> str:
    """One line of at most `limit` characters, cut in the middle, because names of models differ at their ends."""
    line = one_line(text)
    if len(line) <= limit:
        return line
    end = (limit - 1) // 2
    return f"{line[: limit - 1 - end].rstrip()}…{line[-end:].lstrip()}"


def distinct_labels(texts: Sequence[str], limit: int = 32) -> dict[str, str]:
    """A short label for every text, no two alike."""
    labels: dict[str, str] = {}
    for place, text in enumerate(dict.fromkeys(texts), start=1):
        label = shorten(text, limit)
        labels[text] = f"{shorten(text, limit - 5)} #{place}" if label in labels.values() else label
    return labels


def clip(text: str, limit: int = 2_000) -> str:
    """Text of at most `limit` characters, with a note of how many more there are."""
    rest = len(text) - limit
    return text if rest <= 0 else f"{text[:limit]}… [{rest:,} more characters; the JSON report has them all]"


def listing(items: Sequence[str], last: str = "and") -> str:
    """`A`, `A and B`, `A, B and C`."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def capitalised(text: str) -> str:
    """The text with a capital first letter, the rest untouched."""
    return text[:1].upper() + text[1:]


def file_name(path: str) -> str:
    """The last part of a path of any system: a report does not tell where its writer keeps files."""
    return re.split(r"[/\\]", path.rstrip("/\\"))[-1] or path


def escape_markdown(text: str) -> str:
    """The text as Markdown that renders as itself: no markup, link, table border or HTML comes of it."""
    return _MARKDOWN.sub(_escaped, one_line(text))


def _escaped(match: re.Match[str]) -> str:
    found = match[0]
    return f"{found}\\" if found.isdigit() else _ENTITIES.get(found, f"\\{found}")


def _shown(character: str) -> str:
    category = unicodedata.category(character)
    code = ord(character)
    if category in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") and code not in (0x200C, 0x200D):
        return f"⟨U+{code:04X}⟩"
    return character
