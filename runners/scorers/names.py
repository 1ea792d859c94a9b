"""Finds which of some names (labels, choices, words) a text speaks of.

Names are compared without case and without forms of the same character; a space, a hyphen and an underscore are the
same. Where one name holds another, the longer one is meant. A name stands alone: no letter or digit follows or
precedes it, except in scripts that put no spaces between words.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from runners.scorers.normalisation import fold

_NO_SPACES = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
"""Thai, Lao, Burmese, Khmer, Japanese, Chinese; Korean, whose particles are attached."""
_WITHOUT_SPACES = re.compile(f"[{_NO_SPACES}]")
_JOINTS = re.compile(r"[\s_-]+")


class Named(NamedTuple):
    """A name that was found in a text."""

    places: frozenset[int]
    """Which names it can be: several where they differ only in what does not matter."""
    start: int
    end: int


class Names:
    """Some names, ready to be looked for in folded text."""

    def __init__(self, names: Sequence[str]) -> None:
        self._exact = {name.strip(): place for place, name in reversed(list(enumerate(names)))}
        self._places: dict[str, frozenset[int]] = {}
        for place, name in enumerate(names):
            form = _form(name)
            self._places[form] = self._places.get(form, frozenset()) | {place}
        forms = sorted((form for form in self._places if form), key=len, reverse=True)
        self._pattern = re.compile("|".join(_pattern(form) for form in forms)) if forms else None

    def equal_to(self, text: str) -> int | None:
        """Place of the name that the text is, character by character or else in what matters."""
        if text.strip() in self._exact:
            return self._exact[text.strip()]
        places = self._places.get(_form(text), frozenset())
        return next(iter(places)) if len(places) == 1 else None

    def all_in(self, folded: str) -> Iterator[Named]:
        """Every name in a folded text, from the left, none inside another."""
        for match in self._pattern.finditer(folded) if self._pattern is not None else ():
            yield Named(self._places[_form(match.group())], match.start(), match.end())

    def only_one_in(self, folded: str) -> int | None:
        """Place of the name, where the text speaks of exactly one, however often."""
        places = frozenset[int]().union(*(found.places for found in self.all_in(folded)))
        return next(iter(places)) if len(places) == 1 else None


def occurs(name: str, text: str, *, whole_words: bool, ignore_case: bool) -> bool:
    """Whether a name occurs in a text."""
    name, text = (fold(name), fold(text)) if ignore_case else (name, text)
    if not whole_words:
        return name in text
    return re.search(_alone(re.escape(name), name), text) is not None


def _form(name: str) -> str:
    folded = fold(name)
    return _JOINTS.sub(" ", folded).strip() or folded


def _pattern(form: str) -> str:
    return _alone(r"[\s_-]+".join(re.escape(part) for part in form.split(" ")), form)


def _alone(pattern: str, name: str) -> str:
    """The pattern where it stands alone; a number is not alone inside a longer one such as 4.5."""
    first, last = name[0], name[-1]
    before = "" if _WITHOUT_SPACES.match(first) or not _is_word(first) else rf"(?<![^\W{_NO_SPACES}])"
    after = "" if _WITHOUT_SPACES.match(last) or not _is_word(last) else rf"(?![^\W{_NO_SPACES}])"
    before += r"(?<!\d[.,])" if first.isdigit() else ""
    after += r"(?![.,]\d)" if last.isdigit() else ""
    return before + pattern + after


def _is_word(character: str) -> bool:
    return re.match(r"\w", character) is not None
