"""Cuts text into sentences and words, for any script, without a language's rules."""

import re

_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]*[^\Wa-z_])|(?<=[。！？])|\n+")
_ABBREVIATED = re.compile(
    r"^\s*\d{1,3}\.$|(?:^|[\s(])(?:[A-Za-z]|e\.g|i\.e|etc|mr|mrs|ms|dr|prof|st|vs|no|fig|approx|inc|ltd|co|z\.b|d\.h|bzw|ca|nr|art)\.$",
    re.IGNORECASE,
)
_LIST_MARK = re.compile(r"^(?:[-*•]|\d{1,3}[.)])\s+")
_WORDS = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]|[^\W_]+(?:[.,]\d+)*(?:['’][^\W_]+)?")


def sentences_of(text: str) -> tuple[str, ...]:
    """Sentences of a text that hold a word: cut at lines and behind . ! ? before a capital letter or a digit.

    Abbreviations and the numbers of a list end no sentence.
    """
    found: list[str] = []
    start = 0
    for end in _END.finditer(text):
        if _ABBREVIATED.search(text[start : end.start()]) and "\n" not in end.group():
            continue
        found.append(text[start : end.start()])
        start = end.end()
    found.append(text[start:])
    bare = (_LIST_MARK.sub("", sentence.strip()) for sentence in found)
    return tuple(sentence for sentence in bare if words_of(sentence))


def words_of(text: str) -> list[str]:
    """Words of a text; in scripts without spaces every character is one."""
    return _WORDS.findall(text)
