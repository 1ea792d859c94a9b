"""Reads dates in the spellings that people and models use. What is not clearly a date is none."""

import datetime
import re

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar jänner janvier enero ene gennaio janeiro",
            "february feb februar février fév febrero febbraio fevereiro",
            "march mar märz mrz mär mars marzo março",
            "april apr avril abril aprile abr",
            "may mai mayo maggio maio",
            "june jun juni juin junio giugno junho",
            "july jul juli juillet julio luglio julho",
            "august aug août agosto ago",
            "september sep sept septembre septiembre settembre setembro",
            "october oct oktober okt octobre octubre ottobre outubro",
            "november nov novembre noviembre novembro",
            "december dec dezember dez décembre déc diciembre dicembre dezembro",
        ),
        start=1,
    )
    for name in names.split()
}
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_NUMERIC = re.compile(r"(\d{1,2})([-/.])\s?(\d{1,2})\2\s?(\d{4})")
_DAY_MONTH = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th|\.|º|er)?(?:\s+of|\s+de)?[\s-]+([^\W\d_]+)\.?,?(?:\s+de)?[\s-]+(\d{4})"
)
_MONTH_DAY = re.compile(r"([^\W\d_]+)\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})")
_TIME = re.compile(r"(?:[t\s,]\s*\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s*(?:z|utc|gmt|[ap]m|[+-]\d{2}:?\d{2})?)?$")


def read_date(text: str, *, day_first: bool = False) -> datetime.date | None:
    """The day that a text names; None where it is no date. A time of day beside it is passed over.

    2025-04-03, 2025/4/3; 3 April 2025, April 3rd, 2025, 3. April 2025, 3 de abril de 2025; 3.4.2025 has the day
    first, 4/3/2025 and 4-3-2025 the month, unless `day_first` says otherwise or there is only one way to read it.
    Years have four digits.
    """
    folded = " ".join(text.casefold().split())
    for pattern, read in ((_ISO, _iso), (_DAY_MONTH, _day_month), (_MONTH_DAY, _month_day)):
        match = pattern.match(folded)
        if match is not None and _TIME.match(folded, match.end()):
            return _day(*read(match))
    match = _NUMERIC.match(folded)
    if match is None or not _TIME.match(folded, match.end()):
        return None
    first, second, year = int(match[1]), int(match[3]), int(match[4])
    as_day_first, as_month_first = _day(year, second, first), _day(year, first, second)
    if match[2] == "." or day_first:
        return as_day_first or as_month_first
    return as_month_first or as_day_first


def _iso(match: re.Match[str]) -> tuple[int, int, int]:
    return int(match[1]), int(match[2]), int(match[3])


def _day_month(match: re.Match[str]) -> tuple[int, int, int]:
    return int(match[3]), _MONTHS.get(match[2], 0), int(match[1])


def _month_day(match: re.Match[str]) -> tuple[int, int, int]:
    return int(match[3]), _MONTHS.get(match[1], 0), int(match[2])


def _day(year: int, month: int, day: int) -> datetime.date | None:
    try:
        return datetime.date(year, month, day)
    except ValueError:
        return None
