"""How texts are made comparable before they are compared: spelling, white space, and SQuAD's way."""

import re
import string
import unicodedata
from typing import Literal

Part = Literal["all", "first_line", "last_line"]

_QUOTES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"'})
_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = frozenset(string.punctuation)


def fold(text: str) -> str:
    """The text without case, forms of quotes, kinds of white space and ways to write the same character.

    Unicode compatibility composition (NFKC) and case folding, again composed, as folding can take a character apart.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(folded.translate(_QUOTES).split())


def squad(text: str) -> str:
    """SQuAD's normalisation (Rajpurkar et al. 2016): lower case, no ASCII punctuation, no articles, single spaces."""
    kept = "".join(character for character in text.lower() if character not in _PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", kept).split())


def judged_part(text: str, part: Part, after: str | None) -> tuple[str, bool]:
    """The part of an answer that is judged, and whether something follows it, so that a cut cannot have hit it.

    With `after`, only what stands after its last occurrence; the whole text where it does not occur.
    """
    if after is not None and after in text:
        text = text.rpartition(after)[2]
    if part == "all":
        return text.strip(), False
    lines = [line for line in text.split("\n") if line.strip()]
    if not lines:
        return "", False
    if part == "last_line":
        return lines[-1].strip(), False
    return lines[0].strip(), "\n" in text.lstrip()
