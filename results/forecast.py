"""How long will it take? A range for each candidate, from what earlier runs on this machine took, else from bandwidth.

A token costs about the same whether it is read or written, as long as arithmetic is what a small machine waits for; so
time is counted in computed tokens (prompt tokens that are not cached, and output tokens). The range is wide on
purpose, and the wider the less is known:

- measured: the same model answered the same test set in the same way here. Seconds per request, −20 % to +30 %.
- same model: it was measured here with another test set. Seconds per token, −40 % to +70 %.
- other models: others were measured here on the same engine. Seconds per token and byte of weights, from the fastest
  to the slowest of them, and as much again as for the same model: between 135 and 270 million weights on two cores,
  quantizations alone differ by a factor of three.
- bandwidth: nothing was measured. Writing at the speed that catalog/speed.py predicts; reading a prompt no slower than
  writing it, and up to ten times as fast.

Left out: waiting for another benchmark, a rest between candidates, downloads, and what else the machine does meanwhile.
"""

from collections.abc import Sequence
from typing import NamedTuple

from catalog.records import Speed
from results import numbers
from results.forecast_records import AskedRun, AskedWork, PastWork, TimeBasis, TimeForecast

_MEASURED, _ESTIMATED = (0.8, 1.3), (0.6, 1.7)
_READING_GAIN = 10.0
_START_SECONDS = (1.0, 6.0)
"""Start of a worker, and trying which number of threads is fastest."""
_FIRST_LOAD_SECONDS = 0.2
_LOAD_BYTES_PER_SECOND = (1e8, 2e9)
"""From a slow disk, and from memory."""
_ORDER: tuple[TimeBasis, ...] = ("measured", "same model", "other models", "bandwidth", "unknown")


class _Range(NamedTuple):
    low: float
    high: float
    basis: TimeBasis


def forecast_time(run: AskedRun, past: Sequence[PastWork]) -> TimeForecast:
    """How long one candidate will take, start and load included. `past` is of this machine, newest first."""
    mine = [work for work in past if _is_same(work, run)]
    load = _load(run, mine)
    parts = [_work(run, asked, past, mine, load) for asked in run.workloads]
    if any(part is None for part in parts) or not parts:
        return TimeForecast(words=_why_unknown(run))
    known = [part for part in parts if part is not None]
    basis = max((part.basis for part in known), key=_ORDER.index)
    return TimeForecast(
        low_seconds=sum(part.low for part in known) + load.low + _START_SECONDS[0],
        high_seconds=sum(part.high for part in known) + load.high + _START_SECONDS[1],
        basis=basis,
        words=_words(basis, run, past, mine),
    )


def total_time(times: Sequence[TimeForecast]) -> tuple[float | None, float | None, int]:
    """Shortest and longest of all together, and how many are not known."""
    lows = [time.low_seconds for time in times if time.low_seconds is not None]
    highs = [time.high_seconds for time in times if time.high_seconds is not None]
    return (sum(lows) if lows else None, sum(highs) if highs else None, len(times) - len(lows))


def _is_same(work: PastWork, run: AskedRun) -> bool:
    is_named = run.quantization is None or work.quantization == run.quantization
    return work.model_id == run.model_id and is_named and work.engine == run.engine


def _work(
    run: AskedRun, asked: AskedWork, past: Sequence[PastWork], mine: Sequence[PastWork], load: _Range
) -> _Range | None:
    """One workload; None where nothing is known."""
    if asked.kind == "load":
        return _Range(load.low * asked.loads, load.high * asked.loads, load.basis)
    found = _by_requests(run, asked, mine) or _by_tokens(asked, mine) or _by_size(run, asked, past)
    found = found or _by_bandwidth(asked, run.speed)
    if found is None or asked.kind != "arrivals":
        return found
    return found._replace(low=asked.at_least_seconds * 0.8, high=max(found.high, asked.at_least_seconds * 1.3))


def _by_requests(run: AskedRun, asked: AskedWork, mine: Sequence[PastWork]) -> _Range | None:
    """The same test set in the same way."""
    for work in mine:
        if work.test_set_hash == run.test_set_hash and work.workload == asked.kind:
            each = work.seconds / work.requests
            low, high = _MEASURED
            return _Range(each * asked.requests_low * low, each * asked.requests_high * high, "measured")
    return None


def _by_tokens(asked: AskedWork, mine: Sequence[PastWork]) -> _Range | None:
    """The same model with other prompts."""
    rates = [work.seconds / work.computed_tokens for work in mine if work.computed_tokens]
    return _ranged(asked, min(rates), max(rates), "same model") if rates else None


def _by_size(run: AskedRun, asked: AskedWork, past: Sequence[PastWork]) -> _Range | None:
    """Other models on the same engine, by the bytes of their weights."""
    rates = [
        work.seconds / work.computed_tokens / work.weights_bytes
        for work in past
        if work.engine == run.engine and work.computed_tokens and work.weights_bytes
    ]
    if not rates or not run.weights_bytes:
        return None
    return _ranged(asked, min(rates) * run.weights_bytes, max(rates) * run.weights_bytes, "other models")


def _ranged(asked: AskedWork, fastest: float, slowest: float, basis: TimeBasis) -> _Range:
    low, high = _ESTIMATED
    least = asked.requests_low * (asked.prompt_tokens + asked.output_tokens_low)
    most = asked.requests_high * (asked.prompt_tokens + asked.output_tokens_high)
    return _Range(least * fastest * low, most * slowest * high, basis)


def _by_bandwidth(asked: AskedWork, speed: Speed | None) -> _Range | None:
    if speed is None:
        return None
    fast, slow = speed.high_tokens_per_second, speed.low_tokens_per_second
    least = asked.prompt_tokens / _READING_GAIN + asked.output_tokens_low
    most = asked.prompt_tokens + asked.output_tokens_high
    return _Range(asked.requests_low * least / fast, asked.requests_high * most / slow, "bandwidth")


def _load(run: AskedRun, mine: Sequence[PastWork]) -> _Range:
    seen = [work.load_seconds for work in mine if work.load_seconds is not None]
    if seen:
        return _Range(min(seen), max(seen) * 2, "measured")
    slow, fast = _LOAD_BYTES_PER_SECOND
    size = run.weights_bytes or 0
    return _Range(_FIRST_LOAD_SECONDS + size / fast, 1 + size / slow, "bandwidth")


def _words(basis: TimeBasis, run: AskedRun, past: Sequence[PastWork], mine: Sequence[PastWork]) -> str:
    if basis == "measured":
        same = next(work for work in mine if work.test_set_hash == run.test_set_hash)
        return f"As measured here in {same.benchmark}{_date(same)}."
    if basis == "same model":
        return f"From its speed here in {mine[0].benchmark}{_date(mine[0])}, for other requests."
    if basis == "other models":
        others = {(work.model_id, work.quantization) for work in past if work.engine == run.engine}
        return f"Rough: scaled by size from {numbers.things(len(others), 'model')} measured here."
    if run.speed is not None:
        return f"Rough: nothing was measured here yet; from memory bandwidth ({run.speed.source})."
    return "From the size of its weights."


def _why_unknown(run: AskedRun) -> str:
    if run.engine in {"endpoint", "scripted"}:
        return "Unknown: how fast this server answers was not measured yet."
    return "Unknown: neither a measurement nor the facts for a prediction are here."


def _date(work: PastWork) -> str:
    return f" on {work.measured_at[:10]}" if work.measured_at else ""
