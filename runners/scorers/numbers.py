"""Reads numbers as people and models write them: thousands, currency, percent, fractions, scientific notation.

Exact: numbers are fractions, so that 0.1 + 0.2 is 0.3. Number words (`three`, `2 million`) are not read.
"""

import re
import unicodedata
from collections.abc import Iterator
from fractions import Fraction
from typing import Literal, NamedTuple

Decimal = Literal[".", ","]

_SIGNS = str.maketrans("−–﹣－⁄\u00a0\u202f\u2009", "----/   ")
_MOST_DIGITS = 300
"""Longer runs of digits are no numbers that anybody meant."""


class Number(NamedTuple):
    """A number that a text holds."""

    value: Fraction
    is_percent: bool
    start: int
    end: int


def numbers_in(text: str, decimal: Decimal = ".") -> Iterator[Number]:
    """Every number of a text, from the left; places are those in `plain(text)`."""
    grouping = "," if decimal == "." else "."
    for match in _PATTERNS[decimal].finditer(plain(text)):
        whole, bottom = match["whole"], match["bottom"]
        digits = re.sub(rf"[{re.escape(grouping)} '_]", "", match["number"]).replace(decimal, ".")
        if len(digits) > _MOST_DIGITS or (bottom is not None and not int(bottom)):
            continue
        value = Fraction(digits) if bottom is None else Fraction(digits) / int(bottom)
        value += int(whole or 0)
        if match["exponent"]:
            value *= Fraction(10) ** int(match["exponent"])
        yield Number(-value if match["sign"] == "-" else value, match["percent"] is not None, *match.span())


def number_of(text: str, decimal: Decimal = ".") -> Number | None:
    """The number that a text is, with nothing beside it but a currency or a unit without digits; else None."""
    found = list(numbers_in(text, decimal))
    if len(found) != 1:
        return None
    around = plain(text)[: found[0].start] + plain(text)[found[0].end :]
    return found[0] if re.fullmatch(r"[^\d]{0,12}", around) else None


def agree(said: Number, right: Number, absolute: float, relative: float) -> bool:
    """Whether two numbers are equal within the larger tolerance.

    A percent sign that only one of them carries is read both ways: 45 % is 45 and 0.45.
    """
    values = {said.value}
    if said.is_percent != right.is_percent:
        values.add(said.value / 100 if said.is_percent else said.value * 100)
    allowed = max(Fraction(absolute), Fraction(relative) * abs(right.value))
    return any(abs(value - right.value) <= allowed for value in values)


def plain(text: str) -> str:
    """The text with one kind of minus, space and fraction bar, LaTeX fractions and ½ written out."""
    text = re.sub(r"\\[dt]?frac\{(\d+)\}\{(\d+)\}", r" \1/\2", text).replace("{,}", ",").replace("\\%", "%")
    return "".join(_written_out(character) for character in text).translate(_SIGNS)


def _written_out(character: str) -> str:
    if unicodedata.category(character) == "No" and "FRACTION" in unicodedata.name(character, ""):
        return " " + unicodedata.normalize("NFKC", character)
    return unicodedata.normalize("NFKC", character) if character in "０１２３４５６７８９．，％" else character


def _pattern(decimal: Decimal) -> re.Pattern[str]:
    grouping = re.escape("," if decimal == "." else ".")
    point = re.escape(decimal)
    grouped = rf"\d{{1,3}}(?P<gap>[{grouping} '_])\d{{3}}(?:(?P=gap)\d{{3}})*(?!\d)"
    return re.compile(
        rf"""(?<![\w{point}])(?<!\d/)(?:(?<![\w)\]%.,/])(?<!\d\s)(?P<sign>[-+])\s?)?
        (?:(?:[$€£¥₹]|USD|EUR|GBP|CHF)\s?)?
        (?:(?P<whole>\d{{1,9}})\s(?=\d{{1,9}}/\d))?
        (?P<number>(?:{grouped}|\d+)(?:{point}\d+)?|{point}\d+)
        (?:/(?P<bottom>\d{{1,9}})(?![\d/]))?
        (?:(?:[eE]|\s?(?:[x×·*]|\\times|\\cdot)\s?10\^\{{?)(?P<exponent>[-+]?\d{{1,3}})\}}?(?!\d))?
        (?:\s?(?P<percent>%|percent\b|per\scent\b|Prozent\b))?
        """,
        re.VERBOSE,
    )


_PATTERNS: dict[Decimal, re.Pattern[str]] = {".": _pattern("."), ",": _pattern(",")}
