"""Input → output of the one formatter of numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from results import numbers
from results.records import Estimate


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0.0, "0.0 %"), (0.734, "73.4 %"), (1.0, "100.0 %"), (-0.021, "−2.1 %"), (-0.00001, "0.0 %")],
)
def test_percent(value: float | None, text: str) -> None:
    assert numbers.percent(value) == text


@pytest.mark.parametrize(
    ("value", "signed", "text"),
    [
        (None, True, "–"),
        (0.074, False, "7.4 points"),
        (0.074, True, "+7.4 points"),
        (-0.074, True, "−7.4 points"),
        (0.0, True, "0.0 points"),
    ],
)
def test_points(value: float | None, signed: bool, text: str) -> None:
    assert numbers.points(value, signed=signed) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0 s"),
        (0.000012, "12.0 µs"),
        (0.00045, "450 µs"),
        (0.00123, "1.23 ms"),
        (0.0123, "12.3 ms"),
        (0.123, "123 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.00 s"),
        (1.5, "1.50 s"),
        (9.996, "10.0 s"),
        (59.4, "59.4 s"),
        (59.6, "1 min 0 s"),
        (125, "2 min 5 s"),
        (3599.6, "1 h 0 min"),
        (7380, "2 h 3 min"),
    ],
)
def test_seconds(value: float | None, text: str) -> None:
    assert numbers.seconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0 B"),
        (17, "17 B"),
        (2048, "2.0 KiB"),
        (512 * 2**20, "512 MiB"),
        (1_288_490_189, "1.2 GiB"),
        (int(1023.97 * 2**20), "1.0 GiB"),
        (int(99.96 * 2**30), "100 GiB"),
        (3 * 2**40, "3.0 TiB"),
    ],
)
def test_bytes(value: int | None, text: str) -> None:
    assert numbers.bytes_(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0, "0"), (12345, "12,345"), (12.0, "12"), (12.5, "12.5"), (-3, "−3")],
)
def test_count(value: float | None, text: str) -> None:
    assert numbers.count(value) == text


@pytest.mark.parametrize(("value", "text"), [(None, "–"), (0.2, "0"), (123.4, "+123"), (-1234.0, "−1,234")])
def test_elo(value: float | None, text: str) -> None:
    assert numbers.elo(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0 answers"), (1, "1 answer"), (1234, "1,234 answers")],
)
def test_things(value: int, text: str) -> None:
    assert numbers.things(value, "answer") == text
    assert numbers.things(2, "candidate is", "candidates are") == "2 candidates are"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0 tokens/s"),
        (0.5, "0.50 tokens/s"),
        (43.21, "43.2 tokens/s"),
        (99.96, "100 tokens/s"),
        (1234.5, "1,234 tokens/s"),
    ],
)
def test_rate(value: float | None, text: str) -> None:
    assert numbers.rate(value) == text
    assert numbers.rate(3.2, "examples/s") == "3.20 examples/s"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (12, "12"),
        (22_713_216, "22.7 M"),
        (135_000_000, "135 M"),
        (999_970_000, "1 B"),
        (1_700_000_000, "1.7 B"),
        (7_000_000_000, "7 B"),
        (671_000_000_000, "671 B"),
        (1_040_000_000_000, "1 T"),
    ],
)
def test_parameters(value: float | None, text: str) -> None:
    assert numbers.parameters(value) == text


@pytest.mark.parametrize(("value", "text"), [(None, "–"), (1.234, "1.23×"), (12.34, "12.3×"), (0.5, "0.50×")])
def test_ratio(value: float | None, text: str) -> None:
    assert numbers.ratio(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0.0, "p < 0.001"), (0.0414, "p = 0.041"), (0.2196, "p = 0.22"), (1.0, "p = 1.00")],
)
def test_p_value(value: float | None, text: str) -> None:
    assert numbers.p_value(value) == text


@pytest.mark.parametrize(
    ("value", "low", "high", "unit", "text"),
    [
        (0.734, 0.66, 0.796, "percent", "73.4 % (66.0–79.6)"),
        (0.734, None, None, "percent", "73.4 %"),
        (-0.067, -0.12, 0.004, "points", "−6.7 points (−12.0 to +0.4)"),
        (0.0123, 0.011, 0.0141, "seconds", "12.3 ms (11.0–14.1)"),
        (125.0, 120.0, 131.0, "seconds", "125 s (120–131)"),
        (43.21, 40.0, 45.55, "rate", "43.2 tokens/s (40.0–45.5)"),
        (1.2 * 2**30, 1.1 * 2**30, 1.3 * 2**30, "bytes", "1.2 GiB (1.1–1.3)"),
        (12.0, 10.0, 14.0, "count", "12 (10–14)"),
    ],
)
def test_estimate(value: float, low: float | None, high: float | None, unit: numbers.Unit, text: str) -> None:
    assert numbers.estimate(Estimate(value=value, low=low, high=high, n=10, method="made"), unit) == text


def test_an_unknown_estimate_is_a_dash() -> None:
    assert numbers.estimate(None, "percent") == "–"


@given(st.floats(min_value=0, max_value=1e15, allow_nan=False))
def test_every_size_has_a_text_without_exponent_or_negative_zero(value: float) -> None:
    for text in (numbers.seconds(value), numbers.bytes_(value), numbers.parameters(value), numbers.rate(value)):
        assert "e" not in text.split(" ")[0]
        assert not text.startswith("−0")
