"""What the charts show, as one sentence each, generated from the records by plain rules.

A sentence says "more accurate than" only where the corrected paired test says so; otherwise it states the numbers as
measured. Nothing here computes a number: it compares and words what `results` derived.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from results import numbers
from results.comparison import pair_of, shows_difference
from results.limits import memory_bytes
from results.metric_words import in_prose, quality_metric, quality_of, quality_title, shown, signed
from results.recommendation_records import Recommendation
from results.records import (
    BenchmarkComparison,
    Calibration,
    CandidateSummary,
    Comparison,
    Confusion,
    Estimate,
    MetricEstimate,
)
from workbench.report.text import listing, shorten

NOT_UNDERSTOOD = "not understood"
"""Shown as the answer where none was understood."""

T = TypeVar("T")


def known(comparison: BenchmarkComparison, pick: Callable[[CandidateSummary], T | None]) -> list[tuple[str, T]]:
    """Name and value of every candidate that has the value, in the benchmark's order."""
    picked = ((summary.candidate.name, pick(summary)) for summary in comparison.candidates)
    return [(name, value) for name, value in picked if value is not None]


def unknown(comparison: BenchmarkComparison, shown: Sequence[str]) -> list[str]:
    """Names of the candidates that are not among those shown."""
    return [s.candidate.name for s in comparison.candidates if s.candidate.name not in shown]


def shown_better(pairs: Sequence[Comparison], first: str, second: str) -> bool:
    """Whether the corrected test shows the first to be more accurate than the second."""
    pair = pair_of(pairs, first, second)
    if pair is None or not shows_difference(pair):
        return False
    return (pair.difference.value > 0) == (pair.first == first)


def quality_finding(comparison: BenchmarkComparison) -> str:
    """Who has the best quality, and whether the test shows that to be more than chance."""
    metric, rows = quality_metric(comparison), known(comparison, quality_of)
    best = _best([estimate.value for _, estimate in rows], metric)
    leaders = [name for name, estimate in rows if estimate.value == best]
    share, title, most = shown(best, metric), in_prose(quality_title(comparison)), _most(metric)
    if len(rows) == 1:
        return f"{shorten(leaders[0])}: {title} {share}"
    if len(leaders) > 1:
        return f"{_names(leaders)} share the {most} {title}, {share}"
    leader = shorten(leaders[0])
    others = [name for name, _ in rows if name != leaders[0]]
    more = "higher" if most == "highest" else "lower"
    unclear = [name for name in others if not shown_better(comparison.pairs, leaders[0], name)]
    if not unclear:
        return f"{leader} has {more} {title} than {_names(others)}: {share}"
    return f"{leader} has the {most} {title}, {share}, but no difference to {_names(unclear)} is shown"


def sweep_finding(comparison: BenchmarkComparison) -> str:
    """Where each candidate's throughput stops gaining."""
    found = known(comparison, lambda summary: summary.sweep)
    parts = [
        f"{shorten(name)} gains throughput up to {numbers.count(sweep.knee)} at once"
        if sweep.knee is not None
        else f"{shorten(name)} shows no knee"
        for name, sweep in found
    ]
    return "; ".join(parts)


def trade_off_finding(comparison: BenchmarkComparison, recommendation: Recommendation | None) -> str:
    """Who has the best quality, who is fastest, and which candidates nobody beats in everything."""
    metric, quality = quality_metric(comparison), dict(known(comparison, quality_of))
    latency = dict(known(comparison, lambda summary: summary.e2e_p50_seconds))
    both = [name for name in quality if name in latency]
    value = _best([quality[name].value for name in both], metric)
    good = next(name for name in both if quality[name].value == value)
    fast = min(both, key=lambda name: latency[name].value)
    share, title, most = shown(value, metric), in_prose(quality_title(comparison)), _most(metric)
    time = numbers.seconds(latency[fast].value)
    if len(both) == 1:
        return f"{shorten(fast)}: {title} {share} at an end-to-end p50 of {time}"
    if good == fast:
        text = f"{shorten(fast)} has the {most} {title} ({share}) and the lowest end-to-end p50 ({time})"
    else:
        text = f"{shorten(good)} has the {most} {title} ({share}), {shorten(fast)} the lowest end-to-end p50 ({time})"
    front = [name for name in pareto_names(recommendation) if name in both]
    return f"{text}; Pareto: {_names(front)}" if front else text


def pareto_names(recommendation: Recommendation | None) -> list[str]:
    """Qualified candidates that no other qualified one beats in everything."""
    return [ranked.name for ranked in recommendation.ranked if ranked.pareto] if recommendation else []


def front_names(comparison: BenchmarkComparison) -> list[str]:
    """Candidates that nobody beats in both quality and end-to-end p50, fastest first; of equals all."""
    rows = [
        (summary.candidate.name, signed(summary.quality), summary.e2e_p50_seconds.value)
        for summary in comparison.candidates
        if summary.quality is not None and summary.e2e_p50_seconds is not None
    ]
    beaten = {
        name
        for name, quality, seconds in rows
        for _, other, its_seconds in rows
        if other >= quality and its_seconds <= seconds and (other > quality or its_seconds < seconds)
    }
    return [name for name, _, _ in sorted(rows, key=lambda row: row[2]) if name not in beaten]


def ladder_finding(comparison: BenchmarkComparison, rungs: Sequence[CandidateSummary]) -> str:
    """What the smallest of some quantizations of one model gives up against the largest, and gains."""
    large, small = max(rungs, key=_size), min(rungs, key=_size)
    names = [shorten(summary.candidate.name) for summary in (small, large)]
    share = numbers.percent(_size(small) / _size(large))
    text = f"{names[0]} takes {share} of the size of {names[1]}"
    pair = pair_of(comparison.pairs, small.candidate.name, large.candidate.name)
    if pair is not None:
        title = in_prose(quality_title(comparison))
        if not shows_difference(pair):
            text += f", and no difference in {title} is shown"
        elif shown_better(comparison.pairs, large.candidate.name, small.candidate.name):
            text += f", and has worse {title}"
        else:
            text += f", and has better {title}"
    slow, fast = large.decode_tokens_per_second, small.decode_tokens_per_second
    if slow is not None and fast is not None and slow.value > 0:
        text += f"; it decodes {numbers.ratio(fast.value / slow.value)} as fast"
    return text


def reliability_finding(name: str, found: Calibration) -> str:
    """Whether label probabilities can be taken at their word."""
    error, chance = numbers.percent(found.ece_10.value), numbers.percent(found.ece_by_chance)
    who = shorten(name)
    if found.ece_10.value <= found.ece_by_chance:
        return f"{who}: probabilities are off by {error} on average, no more than chance makes of {found.n:,} answers"
    right = sum(part.accuracy.value * part.n for part in found.bins) / found.n
    way = "too sure of itself" if found.confidence > right else "too unsure of itself"
    return f"{who} is {way}: probabilities are off by {error} on average, chance alone explains {chance}"


def latency_finding(comparison: BenchmarkComparison) -> str:
    """Who is fastest and who slowest."""
    for what, rows in (
        ("end-to-end p50", known(comparison, lambda summary: summary.e2e_p50_seconds)),
        ("time to first token (p50)", known(comparison, lambda summary: summary.ttft_p50_seconds)),
    ):
        if rows:
            return _lowest_and_highest(f"the lowest {what}", rows)
    return "Only tail latencies were measured"


def memory_finding(comparison: BenchmarkComparison) -> str:
    """Who needs the least memory, that of GPUs included, and whether the predictions held."""
    measured = known(comparison, memory_bytes)
    predicted = dict(known(comparison, lambda summary: summary.predicted_memory_bytes))
    if not measured:
        name, value = min(predicted.items(), key=lambda row: row[1])
        least = f"{shorten(name)} is predicted to need the least, {numbers.bytes_(value)}"
        return f"Memory was predicted, not measured; {least}"
    name, value = min(measured, key=lambda row: row[1])
    text = f"{shorten(name)} peaks at {numbers.bytes_(value)}"
    if len(measured) > 1:
        text = f"{shorten(name)} needs the least memory, {numbers.bytes_(value)} at its peak"
    compared = [(name, value) for name, value in measured if name in predicted]
    above = [name for name, value in compared if value > predicted[name]]
    if above:
        return f"{text}; {_names(above)} exceeded the prediction"
    if not compared:
        return text
    kept = "the prediction" if len(compared) == 1 else "each prediction"
    return f"{text}; {kept} was not exceeded"


def confusion_finding(summary: CandidateSummary) -> str:
    """A candidate's most frequent mistake."""
    name = shorten(summary.candidate.name)
    mistakes = [cell for cell in summary.confusion if cell.target != cell.predicted]
    if not mistakes:
        return f"{name} makes no mistake on {numbers.things(sum(cell.count for cell in summary.confusion), 'example')}"
    worst = max(mistakes, key=lambda cell: cell.count)
    support = sum(cell.count for cell in summary.confusion if cell.target == worst.target)
    as_frequent = sum(cell.count == worst.count for cell in mistakes) - 1
    others = (
        f" ({numbers.things(as_frequent, 'other mistake is', 'other mistakes are')} as frequent)" if as_frequent else ""
    )
    return f"{name} {_mistake(worst)}: {worst.count:,} of {support:,}{others}"


def slices_finding(comparison: BenchmarkComparison) -> str:
    """Where quality is worst."""
    rows = [
        (signed(found.quality), summary.candidate.name, found, found.quality)
        for summary in comparison.candidates
        for found in summary.slices
        if found.quality is not None
    ]
    _, name, place, quality = min(rows, key=lambda row: row[0])
    where = f"{shorten(place.column, 24)} = {shorten(place.value, 24)}"
    value, n = shown(quality.estimate.value, quality), numbers.things(quality.estimate.n, "example")
    return f"{quality.title} is worst for {shorten(name)} on {where}: {value} of {n}"


def _size(summary: CandidateSummary) -> int:
    return summary.candidate.weights_bytes


def _most(metric: MetricEstimate | None) -> str:
    return "highest" if metric is None or metric.higher_is_better else "lowest"


def _best(values: Sequence[float], metric: MetricEstimate | None) -> float:
    return max(values) if metric is None or metric.higher_is_better else min(values)


def _mistake(cell: Confusion) -> str:
    target = shorten(cell.target, 24)
    if not cell.predicted:
        return f"most often gives no answer that is understood to “{target}”"
    return f"most often takes “{target}” for “{shorten(cell.predicted, 24)}”"


def _lowest_and_highest(what: str, rows: Sequence[tuple[str, Estimate]]) -> str:
    fastest, low = min(rows, key=lambda row: row[1].value)
    slowest, high = max(rows, key=lambda row: row[1].value)
    if len(rows) == 1:
        return f"{shorten(fastest)}: {what.removeprefix('the lowest ')} {numbers.seconds(low.value)}"
    if low.value == high.value:
        return f"All candidates have the same {what.removeprefix('the lowest ')}, {numbers.seconds(low.value)}"
    rest = f"{shorten(slowest)} the highest, {numbers.seconds(high.value)}"
    return f"{shorten(fastest)} has {what}, {numbers.seconds(low.value)}; {rest}"


def _names(names: Sequence[str]) -> str:
    """Names in prose; of more than three the first two, and how many others."""
    if len(names) > 3:
        names = [*names[:2], f"{len(names) - 2} others"]
    return listing([shorten(name) for name in names])
