"""Small changes to a text that leave its meaning alone: typos, case, white space, another wording, another order.

Pure functions of a text and a source of chance: the same chance gives the same text. What an answer hangs on (labels,
choices, right answers) is named as `kept` and never touched. The changes follow CheckList's invariance tests (Ribeiro
et al. 2020, arXiv:2005.04118) and TextFlint's transformations (Wang et al. 2021, arXiv:2103.11441); why order is one
of them: Zhao et al. 2021 (arXiv:2102.09690), Lu et al. 2022 (arXiv:2104.08786). Which of them a request gets is
variations.py's business.
"""

import random
import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import TypeVar

TYPO_RATE = 0.1
"""Share of the words that get a typo, unless the workload says otherwise."""
SPACE_RATE = 0.2
"""Share of the spaces that are made longer."""
_SHORTEST_WORD = 4
"""Letters of a word that can have a typo: in a shorter one it often makes another word."""

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEIGHBOURS = {
    letter: "".join(
        other
        for beside, others in enumerate(_ROWS)
        for place, other in enumerate(others)
        if abs(beside - row) + abs(place - column) == 1
    )
    for row, letters in enumerate(_ROWS)
    for column, letter in enumerate(letters)
}
"""Keys beside, above and below each key of a QWERTY keyboard."""

_WORDINGS: tuple[tuple[str, ...], ...] = (
    ("sort", "classify", "categorise"),
    ("answer with", "reply with", "respond with"),
    ("one of", "exactly one of"),
    ("into one category", "into a single category"),
    ("the text", "the following text"),
    ("choose", "pick", "select"),
    ("give", "provide"),
    ("find", "identify"),
    ("extract", "pull out"),
    ("summarise", "sum up"),
    ("summarize", "sum up"),
    ("do not", "don't"),
    ("is about", "concerns"),
    ("use only", "rely only on"),
    ("as short as possible", "as briefly as possible"),
    ("in one sentence", "in a single sentence"),
    ("question:", "the question:"),
    ("answer:", "your answer:"),
    ("category:", "the category:"),
    ("text:", "the text:"),
)
"""Phrases of instructions, in English, any of which can stand for the others of its row."""

_JINJA = re.compile(r"(\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\})", re.DOTALL)
_WORD = re.compile(r"\S+")
_T = TypeVar("_T")


def typos(text: str, chance: random.Random, kept: Sequence[str] = (), rate: float = TYPO_RATE) -> str:
    """Each word gets one typo with probability `rate`, and at least one word of the text does.

    A typo is one of: two letters swapped, a letter left out, a letter doubled, a neighbouring key. Only words of four
    Latin letters or more are changed, never their first letter; numbers, addresses and other scripts stay.
    """

    def with_some(piece: str, forced: int | None) -> str:
        places = iter(range(len(piece)))

        def change(match: re.Match[str]) -> str:
            word = match.group()
            if not _can_have_typo(word):
                return word
            return _typo(word, chance) if next(places) == forced or chance.random() < rate else word

        return _WORD.sub(change, piece)

    pieces = _split(text, kept)
    counts = [0 if is_kept else sum(map(_can_have_typo, _WORD.findall(piece))) for piece, is_kept in pieces]
    if not sum(counts):
        return text
    lucky = chance.randrange(sum(counts))
    changed = []
    for (piece, is_kept), count in zip(pieces, counts, strict=True):
        changed.append(piece if is_kept else with_some(piece, lucky if 0 <= lucky < count else None))
        lucky -= count
    return "".join(changed)


def other_case(text: str, chance: random.Random, kept: Sequence[str] = ()) -> str:
    """Everything in capitals, or nothing, whichever changes the text; by chance where both do."""

    def cased(change: Callable[[str], str]) -> str:
        return "".join(piece if is_kept else change(piece) for piece, is_kept in _split(text, kept))

    options = [changed for change in (str.upper, str.lower) if (changed := cased(change)) != text]
    return chance.choice(options) if options else text


def white_space(text: str, chance: random.Random, kept: Sequence[str] = ()) -> str:
    """Some spaces doubled or followed by a tab, and a blank line break or spaces at both ends."""

    def longer(match: re.Match[str]) -> str:
        return match.group() + chance.choice((" ", "  ", "\t")) if chance.random() < SPACE_RATE else match.group()

    pieces = (piece if is_kept else re.sub(" +", longer, piece) for piece, is_kept in _split(text, kept))
    return chance.choice(("  ", "\n")) + "".join(pieces) + chance.choice(("  ", " \n", "\n\n"))


def reword(template: str, chance: random.Random, kept: Sequence[str] = ()) -> str:
    """A prompt template with every phrase that has another wording replaced by it; Jinja in it stays as it is.

    Without a phrase that is known, which are English ones, the template itself.
    """
    parts = []
    for part in _JINJA.split(template):
        pieces = [(part, True)] if _JINJA.fullmatch(part) else _split(part, kept)
        parts += [piece if is_kept else _reworded(piece, chance) for piece, is_kept in pieces]
    return "".join(parts)


def reordered(items: Sequence[_T], chance: random.Random) -> tuple[_T, ...]:
    """Another order of the items, wherever there is one."""
    order = list(items)
    if all(item == items[0] for item in items):
        return tuple(items)
    while order == list(items):
        chance.shuffle(order)
    return tuple(order)


def _reworded(text: str, chance: random.Random) -> str:
    phrases = {phrase: row for row in _WORDINGS for phrase in row}
    # Longest first, so that `exactly one of` is not taken for `one of`.
    pattern = "|".join(re.escape(phrase) for phrase in sorted(phrases, key=len, reverse=True))

    def other(match: re.Match[str]) -> str:
        found = match.group()
        row = phrases[found.lower()]
        wording = chance.choice([phrase for phrase in row if phrase != found.lower()])
        return wording[0].upper() + wording[1:] if found[0].isupper() else wording

    return re.sub(rf"(?<!\w)(?:{pattern})(?!\w)", other, text, flags=re.IGNORECASE)


def _split(text: str, kept: Sequence[str]) -> list[tuple[str, bool]]:
    """Pieces of a text, each with whether it is one of the phrases that stay; together they are the text."""
    phrases = sorted({phrase.strip() for phrase in kept if phrase.strip()}, key=len, reverse=True)
    if not phrases:
        return [(text, False)]
    pattern = "|".join(re.escape(phrase) for phrase in phrases)
    pieces = re.split(rf"(?<!\w)({pattern})(?!\w)", text, flags=re.IGNORECASE)
    return [(piece, bool(place % 2)) for place, piece in enumerate(pieces) if piece]


def _can_have_typo(word: str) -> bool:
    return len(_letters(word)) >= _SHORTEST_WORD


def _letters(word: str) -> str:
    """The word without punctuation at its ends; empty where it is not made of Latin letters alone."""
    inner = word.strip(".,;:!?\"'()[]{}«»„“”‘’…-–")
    is_latin = all(letter.isalpha() and unicodedata.name(letter, "").startswith("LATIN ") for letter in inner)
    return inner if is_latin else ""


def _typo(word: str, chance: random.Random) -> str:
    inner = _letters(word)
    start = word.index(inner)
    changed = inner
    # Swapping equal letters changes nothing: try again.
    while changed == inner:
        place = chance.randrange(1, len(inner) - 1)
        before, letter, after = inner[:place], inner[place], inner[place + 1 :]
        match chance.choice(("swap", "drop", "double", "neighbour")):
            case "swap":
                changed = before + after[0] + letter + after[1:]
            case "drop":
                changed = before + after
            case "double":
                changed = before + letter * 2 + after
            case _:
                changed = before + _beside(letter, chance) + after
    return word[:start] + changed + word[start + len(inner) :]


def _beside(letter: str, chance: random.Random) -> str:
    keys = _NEIGHBOURS.get(letter.lower())
    if keys is None:
        return letter
    key = chance.choice(keys)
    return key.upper() if letter.isupper() else key
