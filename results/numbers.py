"""The project's one formatter of numbers: app, command line, report and generated sentences all use it.

Numbers come in as records store them (shares 0 to 1, seconds, bytes) and go out as a person reads them, with three
significant digits where a unit is scaled. Unknown is a dash. Nothing here computes or judges.
"""

import math
from typing import Literal

from results.records import Estimate

UNKNOWN = "–"
"""Shown where a value is None."""

Unit = Literal["percent", "points", "seconds", "bytes", "rate", "count", "score"]
"""What an estimate's value is measured in."""

_SECONDS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))
_BYTES = ((2.0**40, "TiB"), (2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"), (1.0, "B"))
_PARAMETERS = ((1e12, " T"), (1e9, " B"), (1e6, " M"), (1e3, " K"), (1.0, ""))


def percent(value: float | None) -> str:
    """A share from 0 to 1 in per cent: 0.734 → `73.4 %`."""
    return UNKNOWN if value is None else f"{_fixed(value * 100, 1)} %"


def points(value: float | None, *, signed: bool = False) -> str:
    """A difference of two shares in percentage points: 0.074 → `7.4 points`, signed `+7.4 points`."""
    return UNKNOWN if value is None else f"{_fixed(value * 100, 1, signed=signed)} points"


def seconds(value: float | None) -> str:
    """A duration: 0.0123 → `12.3 ms`, 1.5 → `1.50 s`, 125 → `2 min 5 s`, 7380 → `2 h 3 min`."""
    if value is None:
        return UNKNOWN
    whole = round(value)
    if whole >= 3600:
        hours, minutes = divmod(round(value / 60), 60)
        return f"{hours} h {minutes} min"
    if whole >= 60:
        minutes, rest = divmod(whole, 60)
        return f"{minutes} min {rest} s"
    scale, name = _scale_of_seconds(value)
    return f"{_fixed(value / scale, _digits(value / scale))} {name}"


def time_range(low: float | None, high: float | None) -> str:
    """A rough duration from a shortest to a longest: `20–45 s`, `50 s to 2 min`, `3–12 min`, `1.5–4 h`."""
    if low is None or high is None:
        return UNKNOWN
    first, last = _rough_time(low), _rough_time(high)
    if first == last:
        return f"about {last}"
    number, _, unit = first.partition(" ")
    return f"{number}–{last}" if last.endswith(f" {unit}") else f"{first} to {last}"


def bytes_(value: float | None) -> str:
    """Memory in binary units: 1288490189 → `1.2 GiB`."""
    if value is None:
        return UNKNOWN
    scale, name = _scale_of_bytes(value)
    return f"{_fixed(value / scale, _digits_of_bytes(value, scale))} {name}"


def count(value: float | None) -> str:
    """A number of things: 12345 → `12,345`; a median between two keeps one digit."""
    if value is None:
        return UNKNOWN
    return _fixed(value, 0 if float(value).is_integer() else 1)


def things(value: int, one: str, many: str | None = None) -> str:
    """A number with its noun: `1 answer`, `3 answers`; many where the plural is not just an s."""
    return f"{count(value)} {one if value == 1 else many or one + 's'}"


def rate(value: float | None, unit: str = "tokens/s") -> str:
    """Things per second: 43.21 → `43.2 tokens/s`."""
    return UNKNOWN if value is None else f"{_fixed(value, _digits(value))} {unit}"


def score(value: float | None) -> str:
    """A metric that is no share: 0.7341 → `0.734`, 23.41 → `23.4`."""
    return UNKNOWN if value is None else _fixed(value, _digits_of_score(value))


def money(value: float | None, currency: str) -> str:
    """An amount with three significant digits: 0.01234 → `0.0123 EUR`, 12.5 → `12.50 EUR`."""
    if value is None:
        return UNKNOWN
    size = abs(value)
    digits = 2 if size >= 1 or size == 0 else min(8, 2 - math.floor(math.log10(size)))
    return f"{_fixed(value, digits)} {currency}"


def elo(value: float | None) -> str:
    """Strength by votes in points of chess: 123.4 → `+123`, -8 → `−8`."""
    return UNKNOWN if value is None else _fixed(value, 0, signed=True)


def joules(value: float | None) -> str:
    """Energy: 0.0123 → `0.01 J`, 43.21 → `43.2 J`, 12345 → `12.3 kJ`."""
    if value is None:
        return UNKNOWN
    scale, name = (1e3, "kJ") if value >= 1000 else (1.0, "J")
    return f"{_fixed(value / scale, _digits(value / scale))} {name}"


def parameters(value: float | None) -> str:
    """Number of weights: 135000000 → `135 M`, 1700000000 → `1.7 B`."""
    if value is None:
        return UNKNOWN
    for scale, name in _PARAMETERS:
        scaled = round(value / scale, 1)
        if scaled >= 1 or scale == 1.0:
            return f"{_fixed(scaled, 0 if scaled >= 100 or scaled.is_integer() else 1)}{name}"
    raise AssertionError("the last scale takes every value")


def ratio(value: float | None) -> str:
    """How many times as much: 1.234 → `1.23×`."""
    return UNKNOWN if value is None else f"{_fixed(value, _digits(value))}×"


def p_value(value: float | None) -> str:
    """A probability under the null hypothesis: 0.0414 → `p = 0.041`, 0.0002 → `p < 0.001`."""
    if value is None:
        return UNKNOWN
    if value < 0.001:
        return "p < 0.001"
    return f"p = {value:.3f}" if value < 0.1 else f"p = {value:.2f}"


def estimate(value: Estimate | None, unit: Unit) -> str:
    """An estimate with its 95 % interval in the same unit: `73.4 % (66.0–79.6)`; without one, the value alone."""
    if value is None:
        return UNKNOWN
    scale, digits, name = _unit(value.value, unit)
    signed = unit == "points"
    text = f"{_fixed(value.value / scale, digits, signed=signed)} {name}".rstrip()
    if value.low is None or value.high is None:
        return text
    between = " to " if signed or value.low < 0 else "–"
    low = _fixed(value.low / scale, digits, signed=signed)
    high = _fixed(value.high / scale, digits, signed=signed)
    return f"{text} ({low}{between}{high})"


def _unit(value: float, unit: Unit) -> tuple[float, int, str]:
    """Scale, digits after the point and name that suit a value, for itself and for its interval."""
    match unit:
        case "percent":
            return 0.01, 1, "%"
        case "points":
            return 0.01, 1, "points"
        case "seconds":
            scale, name = _scale_of_seconds(value)
            return scale, _digits(value / scale), name
        case "bytes":
            scale, name = _scale_of_bytes(value)
            return scale, _digits_of_bytes(value, scale), name
        case "rate":
            return 1.0, _digits(value), "tokens/s"
        case "score" | "count":
            whole = 0 if float(value).is_integer() else 1
            return 1.0, _digits_of_score(value) if unit == "score" else whole, ""


def _rough_time(value: float) -> str:
    """A duration as one speaks of it: two digits, one unit."""
    if value < 90:
        return f"{_fixed(value, 0) if value < 10 else _fixed(round(value / 5) * 5, 0)} s"
    if value < 5400:
        return f"{_fixed(value / 60, 0)} min"
    hours = round(value / 1800) / 2
    return f"{_fixed(hours, 0 if hours.is_integer() or hours >= 10 else 1)} h"


def _scale_of_seconds(value: float) -> tuple[float, str]:
    for scale, name in _SECONDS:
        if float(f"{abs(value):.3g}") >= scale:
            return scale, name
    return _SECONDS[0] if value == 0 else _SECONDS[-1]


def _scale_of_bytes(value: float) -> tuple[float, str]:
    for scale, name in _BYTES:
        if round(abs(value) / scale, 1) >= 1:
            return scale, name
    return _BYTES[-1]


def _digits_of_bytes(value: float, scale: float) -> int:
    return 0 if scale == 1.0 or round(abs(value) / scale, 1) >= 100 else 1


def _digits(value: float) -> int:
    """Digits after the point for three significant ones, at most two."""
    size = float(f"{abs(value):.3g}")
    if size >= 100 or size == 0:
        return 0
    return 1 if size >= 10 else 2


def _digits_of_score(value: float) -> int:
    """Digits after the point that keep a score from 0 to 1 as exact as one from 0 to 100."""
    return 3 if abs(value) <= 1 else _digits(value)


def _fixed(value: float, digits: int, *, signed: bool = False) -> str:
    """Fixed digits, commas between thousands, a true minus sign, and never a negative zero."""
    text = f"{abs(value):,.{digits}f}"
    is_zero = not text.strip("0.,")
    if is_zero:
        return text
    sign = "−" if value < 0 else "+" if signed else ""
    return sign + text
