"""What could be wrong with the recommendation: one rule per doubt, each read off the records, none guessed.

A risk is `serious` where it may overturn the choice or forbid it, `mind` where it limits what can be said, `note` where
one should merely know it. Nothing here computes a statistic: thresholds are held against what `results` derived.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Literal

from catalog.records import Record, VerdictValue
from results import numbers
from results.comparison import pair_of, shows_difference
from results.conclusions import stopped_early
from results.explanation import NEAR_WEIGHT, UNSTABLE, WIDE_INTERVAL
from results.limits import memory_bytes
from results.metric_words import difference, in_prose
from results.records import CandidateSummary
from runners.records import Validity
from workbench.lineage_words import ancestor_line, disagreement
from workbench.report.certainty import weight_sentence
from workbench.report.document import Badge, Cell, Column, Heading, Item, Items, Paragraph, Section, Table
from workbench.report.records import ReportContent
from workbench.report.text import listing

FEW_EXAMPLES = 100
"""Below this a test set is small whatever its interval."""
FEW_IN_SLICE = 30
"""Below this nothing should be said of a slice."""
NOISY_SPREAD = 0.15
"""A 95 % interval of the end-to-end median wider than this part of it: the machine was not at rest."""
BUSY_SHARE = 0.5
"""Load before the first run, as a part of the cores, above which something else was computing."""

Grade = Literal["serious", "mind", "note"]

_BADGES = {
    "serious": Badge(tone="bad", icon="!!", word="serious"),
    "mind": Badge(tone="caution", icon="!", word="mind"),
    "note": Badge(tone="unknown", icon="i", word="note"),
}
_ORDER: tuple[Grade, ...] = ("serious", "mind", "note")


class Risk(Record):
    """One doubt."""

    rule: str
    """Name of the rule that found it."""
    grade: Grade
    """How much it weighs."""
    text: str
    """What was seen, with its numbers."""
    advice: str
    """What to do about it."""


def find_risks(content: ReportContent) -> tuple[Risk, ...]:
    """Every risk, the gravest first, those of the winner before those of others."""
    summaries = {summary.candidate.name: summary for summary in content.comparison.candidates}
    ordered = [place.name for place in content.recommendation.ranked if place.name in summaries]
    names = [*ordered, *(name for name in summaries if name not in ordered)]
    found: list[Risk] = []
    winner = summaries.get(content.recommendation.winner or "")
    if winner is not None:
        found += [*_license(winner), *_sample(winner), *_stability(content), *_ties(content, winner)]
    found += _near_weight(content)
    for name in names:
        found += _of_candidate(summaries[name], is_winner=name == content.recommendation.winner)
    found += [*_test_set(content), *_machine(content), *_judges(content), *_slices(content)]
    found += [Risk(rule="other_version", grade="mind", text=note, advice=_AGAIN) for note in content.comparison.notes]
    return tuple(sorted(found, key=lambda risk: _ORDER.index(risk.grade)))


def risks_section(content: ReportContent) -> Section:
    """All of them in a table, and the winner's license conditions as boxes to tick."""
    found = find_risks(content)
    columns = (Column(heading="Risk"), Column(heading="What was seen"), Column(heading="What to do"))
    rows = tuple((Cell(badge=_BADGES[risk.grade]), Cell(text=risk.text), Cell(text=risk.advice)) for risk in found)
    table = Table(caption="What could be wrong", note="The gravest first.", columns=columns, rows=rows)
    nothing = Paragraph(text="No rule found a risk. That is no proof that there is none.")
    name = content.recommendation.winner
    winner = next((s for s in content.comparison.candidates if s.candidate.name == name), None)
    conditions = winner.verdict.conditions if winner is not None else ()
    checklist = (
        Heading(text=f"To do before {name} is used"),
        Items(items=tuple(Item(text=text) for text in conditions), checklist=True),
    )
    return Section(
        anchor="risks", title="Risks", blocks=(table if rows else nothing, *(checklist if conditions else ()))
    )


_AGAIN = "Measure again on one version of the test set."


def _license(winner: CandidateSummary) -> Iterator[Risk]:
    verdict, name = winner.verdict, winner.candidate.name
    license_id = verdict.license or "not declared"
    advice = "Meet the conditions listed under Licenses before it is used; ask a lawyer where it matters."
    match verdict.value:
        case VerdictValue.FORBIDDEN:
            text = f"The license of {name} ({license_id}) forbids the use."
            yield Risk(rule="license", grade="serious", text=text, advice="Choose another model, or get a license.")
        case VerdictValue.UNKNOWN:
            text = f"Whether the license of {name} ({license_id}) allows the use is not known."
            yield Risk(rule="license", grade="serious", text=text, advice="Read the license before anything else.")
        case VerdictValue.CONDITIONAL:
            conditions = numbers.things(len(verdict.conditions), "condition")
            text = f"The license of {name} ({license_id}) allows the use under {conditions}."
            yield Risk(rule="license", grade="mind", text=text, advice=advice)


def _sample(winner: CandidateSummary) -> Iterator[Risk]:
    """Whether the test set is small for what it is to decide."""
    metric = winner.quality
    if metric is None:
        text = f"The quality of {winner.candidate.name} was not measured."
        yield Risk(rule="sample", grade="serious", text=text, advice="Measure it on labelled examples.")
        return
    estimate, advice = metric.estimate, "Label more examples; the step Test set says how many a difference needs."
    name, n = in_prose(metric.title), numbers.things(estimate.n, "example")
    if estimate.low is None or estimate.high is None:
        text = f"The {name} of {winner.candidate.name} has no interval at {n}."
        yield Risk(rule="sample", grade="serious", text=text, advice=advice)
        return
    width = estimate.high - estimate.low
    scale = 1 if metric.unit == "share" or estimate.high <= 1 else 100
    if estimate.n < FEW_EXAMPLES or width > WIDE_INTERVAL * scale:
        known = f"its 95 % interval spans {difference(width, metric)}"
        text = f"The {name} of {winner.candidate.name} rests on {n}: {known}."
        yield Risk(rule="sample", grade="mind", text=text, advice=advice)


def _stability(content: ReportContent) -> Iterator[Risk]:
    found, name = content.recommendation.stability, content.recommendation.winner
    if found is None:
        return
    share = next((win.share for win in found.shares if win.name == name), 0.0)
    if share < UNSTABLE:
        text = f"{name} wins in only {numbers.percent(share)} of {numbers.count(found.resamples)} resamples."
        advice = "Another draw of examples may well choose otherwise: label more, or take the cheaper one."
        yield Risk(rule="stability", grade="serious", text=text, advice=advice)


def _ties(content: ReportContent, winner: CandidateSummary) -> Iterator[Risk]:
    """Qualified candidates that the test cannot tell from the winner."""
    name = winner.candidate.name
    others = [place.name for place in content.recommendation.ranked if place.name != name]
    pairs = [(other, pair_of(content.comparison.pairs, name, other)) for other in others]
    tied = [other for other, pair in pairs if pair is not None and not shows_difference(pair)]
    if tied:
        metric = in_prose(winner.quality.title) if winner.quality else "quality"
        text = f"No difference in {metric} is shown between {name} and {listing(tied)}."
        advice = "The choice between them rests on time, memory and cost; more examples could tell them apart."
        yield Risk(rule="tie", grade="mind", text=text, advice=advice)


def _near_weight(content: ReportContent) -> Iterator[Risk]:
    for change in content.recommendation.sensitivity:
        if abs(change.needed - change.current) <= NEAR_WEIGHT:
            advice = "Agree on the weights with those who use it before you rely on the order."
            yield Risk(rule="near_weight", grade="mind", text=weight_sentence(change), advice=advice)


def _of_candidate(summary: CandidateSummary, *, is_winner: bool) -> Iterator[Risk]:
    name = summary.candidate.name
    if summary.stopped is not None:
        text = stopped_early(name, summary.stopped)
        advice = "Its figures rest on fewer examples than the others'; run it to the end to quote them."
        yield Risk(rule="early_stop", grade="mind", text=text, advice=advice)
    elif summary.status != "finished":
        grade: Grade = "serious" if is_winner else "mind"
        text = f"The run of {name} is {summary.status}."
        advice = "Resume it; what is finished is kept."
        yield Risk(rule="status", grade=grade, text=text, advice=advice)
    yield from _answers(summary, is_winner=is_winner)
    yield from _facts(summary)
    yield from _noise(summary)
    peak, predicted = memory_bytes(summary), summary.predicted_memory_bytes
    if peak is not None and predicted is not None and peak > predicted:
        text = f"{name} took {numbers.bytes_(peak)}, more than the {numbers.bytes_(predicted)} predicted."
        advice = "Plan machines by what was measured."
        yield Risk(rule="memory", grade="note", text=text, advice=advice)


def _answers(summary: CandidateSummary, *, is_winner: bool) -> Iterator[Risk]:
    """Answers that were cut off, and those that could not be judged."""
    name = summary.candidate.name
    counts = {line.validity: line.count for line in summary.validity}
    cut = counts.get(Validity.TRUNCATED, 0)
    if cut:
        text = f"{numbers.things(cut, 'answer')} of {name} {'was' if cut == 1 else 'were'} cut off by the token limit."
        advice = "They count as wrong. Raise max_output_tokens and measure again."
        yield Risk(rule="truncated", grade="mind", text=text, advice=advice)
    if summary.validity_warning is not None:
        text = f"{name}: {summary.validity_warning}"
        advice = "Look at these answers; another prompt or scorer may read them."
        yield Risk(rule="not_scored", grade="serious" if is_winner else "mind", text=text, advice=advice)


def _facts(summary: CandidateSummary) -> Iterator[Risk]:
    """What is not verified about the model itself."""
    candidate, verdict = summary.candidate, summary.verdict
    stricter = disagreement(verdict)
    if stricter is not None:
        advice = "Follow the stricter one, and look at the parents under Licenses."
        text = f"{candidate.name}: {stricter}"
        yield Risk(rule="lineage", grade="serious", text=text, advice=advice)
    for ancestor in verdict.lineage:
        if ancestor.value is None:
            text = f"{candidate.name}: {ancestor_line(ancestor)}."
            advice = "Look the parent up; its license binds too."
            yield Risk(rule="lineage_unknown", grade="mind", text=text, advice=advice)
    if not verdict.verified:
        text = f"The license text of {candidate.name} was not read; the verdict rests on what is declared."
        yield Risk(rule="unread_license", grade="note", text=text, advice="Read the license in the model's repository.")
    if candidate.engine == "endpoint":
        text = f"{candidate.name} is an endpoint: whoever runs it can change the model behind it."
        yield Risk(rule="endpoint", grade="mind", text=text, advice="Measure again before you rely on it later.")
        return
    missing = [
        what
        for what, value in (("revision", candidate.revision), ("SHA-256 of its weights", candidate.weights_sha256))
        if not value
    ]
    if missing:
        text = f"{candidate.name}: {listing(missing)} not recorded."
        advice = "Keep the weights file itself; nothing else pins what was measured."
        yield Risk(rule="unpinned", grade="note" if len(missing) == 1 else "mind", text=text, advice=advice)


def _noise(summary: CandidateSummary) -> Iterator[Risk]:
    """Whether repetitions of one request spread more than a machine at rest lets them."""
    middle = summary.e2e_p50_seconds
    if middle is None or middle.low is None or middle.high is None or middle.value <= 0:
        return
    spread = (middle.high - middle.low) / middle.value
    if spread > NOISY_SPREAD:
        shown = numbers.estimate(middle, "seconds")
        text = f"The end-to-end times of {summary.candidate.name} spread widely: median {shown}."
        advice = "Measure again with nothing else running, or ask more requests, before you promise a time."
        yield Risk(rule="noise", grade="mind", text=text, advice=advice)


def _machine(content: ReportContent) -> Iterator[Risk]:
    start, machine = content.first_start, content.comparison.benchmark.machine
    if start is None or machine is None:
        return
    cores = machine.physical_cores or machine.logical_cores
    if start.load_average > BUSY_SHARE * cores:
        busy = f"{start.load_average:.1f} processes on {numbers.things(cores, 'core')}"
        text = f"The machine was busy in the minute before {start.candidate} was measured: {busy}."
        advice = "Latency may be worse than on a machine at rest. Measure again with nothing else running."
        yield Risk(rule="busy", grade="mind", text=text, advice=advice)


def _test_set(content: ReportContent) -> Iterator[Risk]:
    """What the checks of the test set say: near-duplicates, answers that stand in the question, odd labels."""
    if content.test_set_problems is None:
        text = "The test set was not checked again: its examples could not be read where they were."
        yield Risk(rule="test_set_gone", grade="note", text=text, advice="Keep the file, or keep it as a version.")
        return
    ordered = sorted(content.test_set_problems, key=lambda problem: problem.rule)
    for rule, group in groupby(ordered, key=lambda problem: problem.rule):
        found = list(group)
        rows = f"{numbers.things(len(found), 'finding')}, such as " if len(found) > 1 else ""
        text = f"Test set, {rule.replace('_', ' ')}: {rows}{found[0].message.rstrip('.')}."
        yield Risk(rule=f"test_set_{rule}", grade="mind", text=text, advice=found[0].fix)


def _judges(content: ReportContent) -> Iterator[Risk]:
    for report in content.judgings:
        if report.warning is not None:
            text = f"The judge {report.judge}: {report.warning}"
            advice = "Do not decide by its grades; label some answers yourself and hold it against them."
            yield Risk(rule="judge", grade="mind", text=text, advice=advice)


def _slices(content: ReportContent) -> Iterator[Risk]:
    """Slices with so few examples that nothing should be said of them."""
    small = dict(_small_slices(content.comparison.candidates))
    if small:
        named = [f"{place} ({numbers.count(n)})" for place, n in small.items()]
        text = f"Few examples in {listing(named)}."
        advice = f"Say nothing of a slice with fewer than {FEW_IN_SLICE} examples."
        yield Risk(rule="small_slices", grade="note", text=text, advice=advice)


def _small_slices(candidates: Iterable[CandidateSummary]) -> Iterator[tuple[str, int]]:
    for summary in candidates:
        for part in summary.slices:
            if part.quality is not None and part.quality.estimate.n < FEW_IN_SLICE:
                yield f"{part.column} = {part.value}", part.quality.estimate.n
