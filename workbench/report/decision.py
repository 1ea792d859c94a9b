"""The first page, for a reader with one minute.

Which model in which form, how good, at what price, under which conditions; who comes next and when to take that one;
who is out and why; what could be wrong. It fits one printed A4 page: every list on it is cut to a number of points, and
says how many more there are.
"""

from collections.abc import Sequence

from catalog.records import VerdictValue
from results import numbers
from results.cost import cost_of
from results.limits import memory_bytes
from results.metric_words import quality_title, shown_estimate
from results.recommendation_records import ExcludedCandidate
from results.records import CandidateSummary
from workbench.report.asked import limit_name, limits_sentence
from workbench.report.document import (
    NOT_MEASURED,
    Block,
    Card,
    Cards,
    Cell,
    Column,
    Fact,
    Facts,
    Headline,
    Item,
    Paragraph,
    Prose,
    Section,
    Table,
    verdict_badge,
)
from workbench.report.funnel import funnel_sentence
from workbench.report.records import ReportContent
from workbench.report.risks import Risk, find_risks
from workbench.report.runner_up import runner_up_card
from workbench.report.text import capitalised, file_name, listing, one_line, shorten

MOST_POINTS = 4
"""Points of a card on the first page."""
MOST_RULED_OUT = 4
"""Candidates that are out on the first page; all of them stand in the section on the choice."""
MOST_NOTES = 300
"""Characters of the author's notes on the first page; longer ones have a page of their own."""
_MOST_CHARACTERS = 190
"""Of one point; what is longer is said in full on its own page."""
_MOST_IN_HEADLINE = 330
"""Of one line of the headline, which may name every candidate that is out."""
_DENSE = 3_600
"""Characters of the page as a record from which on it is set smaller; the tests hold the page to its size."""
_MOST_SEEN = 110
"""Of what was seen of a candidate that is out."""


def decision_section(content: ReportContent) -> Section:
    """The recommendation on one page."""
    made = content.recommendation
    summaries = {summary.candidate.name: summary for summary in content.comparison.candidates}
    blocks: list[Block] = [Headline(lines=tuple(_cut(line, _MOST_IN_HEADLINE) for line in made.headline))]
    winner = summaries.get(made.winner or "")
    if made.nearest_miss:
        blocks.append(Paragraph(text=made.nearest_miss, tone="warning"))
    if winner is not None:
        blocks.append(Facts(facts=_facts(winner, content)))
        cards = (_license_card(winner), runner_up_card(content, winner, MOST_POINTS))
        blocks.append(Cards(cards=cards))
    blocks += _ruled_out(content)
    risks = find_risks(content)
    if risks:
        blocks.append(Cards(cards=(_risk_card(risks),)))
    if content.edits.notes and len(content.edits.notes) <= MOST_NOTES:
        blocks.append(Prose(label=notes_label(content), text=content.edits.notes))
    blocks.append(Paragraph(text=limits_sentence(content), tone="muted"))
    whole = Section(anchor="decision", title="The decision", blocks=tuple(blocks))
    return whole.model_copy(update={"dense": len(whole.model_dump_json(exclude_defaults=True)) > _DENSE})


def author_section(content: ReportContent) -> Section | None:
    """The author's notes, where they are too long for the first page."""
    if len(content.edits.notes) <= MOST_NOTES:
        return None
    prose = Prose(label=notes_label(content), text=content.edits.notes)
    return Section(anchor="author", title="The author's notes", blocks=(prose,))


def notes_label(content: ReportContent) -> str:
    """Whose notes they are."""
    return f"Notes by {content.edits.author}" if content.edits.author else "Notes by the author"


def summary_facts(content: ReportContent) -> tuple[str, ...]:
    """What the report is about, for the line below its title."""
    benchmark = content.comparison.benchmark
    facts = (
        numbers.things(len(content.comparison.candidates), "candidate"),
        f"{numbers.things(benchmark.examples, 'example')} of {benchmark.test_set_name} ({benchmark.task})",
        benchmark.machine.cpu if benchmark.machine else "machine not recorded",
        f"measured {_day(benchmark.created_at)}",
        f"report made {_day(content.made_at)}",
    )
    return tuple(capitalised(fact) for fact in facts)


def _facts(winner: CandidateSummary, content: ReportContent) -> tuple[Fact, ...]:
    """The winner as a type plate: what it is, then what it does."""
    candidate, loaded = winner.candidate, winner.loaded
    engine = f"{loaded.engine} {loaded.engine_version}" if loaded else f"{candidate.engine}, version not recorded"
    context = numbers.things(loaded.context_tokens, "token") if loaded and loaded.context_tokens else "not recorded"
    size = f"{file_name(candidate.weights_path)}, {numbers.bytes_(candidate.weights_bytes)}"
    return (
        Fact(name="Model", value=candidate.model_id, detail=f"revision {(candidate.revision or 'not recorded')[:12]}"),
        Fact(
            name="Form",
            value=candidate.quantization or "quantization not recorded",
            detail=size if candidate.weights_path else "",
        ),
        Fact(name="Engine", value=engine, detail=f"context {context}"),
        _machine_fact(winner, content),
        _quality_fact(winner, content),
        _latency_fact(winner),
        _memory_fact(winner),
        _cost_fact(winner, content),
    )


def _machine_fact(winner: CandidateSummary, content: ReportContent) -> Fact:
    machine = content.comparison.benchmark.machine
    if winner.candidate.engine == "endpoint":
        return Fact(name="Machine", value="an endpoint", detail="the machine behind it is not known")
    if machine is None:
        return Fact(name="Machine", value="not recorded")
    gpus = ", ".join(gpu.name for gpu in machine.gpus)
    cores = numbers.things(machine.physical_cores or machine.logical_cores, "core")
    detail = f"{cores}, {numbers.bytes_(machine.memory_total_bytes)} memory, {gpus or 'no GPU'}"
    return Fact(name="Machine", value=machine.cpu, detail=detail)


def _quality_fact(winner: CandidateSummary, content: ReportContent) -> Fact:
    metric, title = winner.quality, quality_title(content.comparison)
    if metric is None:
        return Fact(name=title, value=NOT_MEASURED, term="quality")
    value, _, interval = shown_estimate(metric).partition(" (")
    between = f"{interval.removesuffix(')')} (95 %), " if interval else ""
    detail = f"{between}n = {numbers.count(metric.estimate.n)}"
    return Fact(name=title, value=value, detail=detail, term="accuracy" if title == "Accuracy" else "quality")


def _latency_fact(winner: CandidateSummary) -> Fact:
    middle, tail, first = winner.e2e_p50_seconds, winner.e2e_p95_seconds, winner.ttft_p50_seconds
    if middle is None:
        return Fact(name="End to end, p50", value=NOT_MEASURED, term="e2e")
    value, _, interval = numbers.estimate(middle, "seconds").partition(" (")
    parts = [f"{interval.removesuffix(')')} (95 %)" if interval else ""]
    parts.append(f"p95 {numbers.seconds(tail.value)}" if tail else "p95 not measured")
    parts.append(f"first token {numbers.seconds(first.value)}" if first else "")
    return Fact(name="End to end, p50", value=value, detail=", ".join(filter(None, parts)), term="e2e")


def _memory_fact(winner: CandidateSummary) -> Fact:
    peak = memory_bytes(winner)
    if peak is None:
        return Fact(name="Peak memory", value=NOT_MEASURED, term="memory")
    predicted = winner.predicted_memory_bytes
    parts = [f"predicted {numbers.bytes_(predicted)}" if predicted is not None else "not predicted"]
    if winner.peak_gpu_bytes:
        parts.append(f"{numbers.bytes_(winner.peak_gpu_bytes)} of it GPU")
    return Fact(name="Peak memory", value=numbers.bytes_(peak), detail=", ".join(parts), term="memory")


def _cost_fact(winner: CandidateSummary, content: ReportContent) -> Fact:
    costs = content.recommendation.costs
    found = cost_of(costs, winner.candidate.name)
    if found is None or found.per_1000_examples is None:
        detail = found.basis if found is not None else "no price was given"
        return Fact(name="1,000 examples cost", value="not known", detail=_cut(detail), term="cost")
    prices = content.recommendation.requirements.prices
    hourly = f"at {numbers.money(prices.machine_per_hour, prices.currency)} an hour of this machine"
    by_token = winner.candidate.name in prices.endpoints
    return Fact(
        name="1,000 examples cost",
        value=numbers.money(found.per_1000_examples, found.currency),
        detail="at the endpoint's prices for tokens" if by_token else hourly,
        term="cost",
    )


def _license_card(winner: CandidateSummary) -> Card:
    """May it be used, and what must be done for that."""
    verdict = winner.verdict
    name = verdict.license or "not declared"
    words = {
        VerdictValue.ALLOWED: "The use is allowed.",
        VerdictValue.CONDITIONAL: "The use is allowed under conditions.",
        VerdictValue.FORBIDDEN: "The license forbids the use.",
        VerdictValue.UNKNOWN: "Whether the use is allowed is not known.",
    }
    unread = "" if verdict.verified else " The license text was not read."
    return Card(
        title=f"License: {name}",
        badge=verdict_badge(verdict.value),
        text=words[verdict.value] + unread + (" To do before use:" if verdict.conditions else ""),
        items=_points([Item(text=text) for text in verdict.conditions], MOST_POINTS, "condition"),
        checklist=True,
        link="licenses",
    )


def _ruled_out(content: ReportContent) -> list[Block]:
    """Who is out, by which limit and by how much."""
    excluded = content.recommendation.excluded
    funnel = content.comparison.benchmark.funnel
    came = [Paragraph(text=funnel_sentence(funnel), tone="muted")] if funnel is not None else []
    if not excluded:
        return [*came, Paragraph(text="No candidate is out: all meet every limit.")]
    rows = tuple(_out_row(out) for out in excluded[:MOST_RULED_OUT])
    rest = len(excluded) - len(rows)
    more = numbers.things(rest, "more candidate is out", "more candidates are out")
    note = f"{more}; all limits are in “How it came to this choice”." if rest else ""
    columns = (Column(heading="Candidate"), Column(heading="Limit"), Column(heading="What was seen"))
    return [*came, Table(caption="Who is out, and by which limit", note=note, columns=columns, rows=rows)]


def _out_row(out: ExcludedCandidate) -> tuple[Cell, ...]:
    """One candidate with every limit it broke, and what was seen of the first ones."""
    names = listing([limit_name(limit.limit) for limit in out.broken])
    seen = " ".join(limit.message for limit in out.broken)
    return Cell(text=shorten(out.name)), Cell(text=names), Cell(text=_cut(seen, _MOST_SEEN))


def _risk_card(risks: Sequence[Risk]) -> Card:
    points = [Item(text=_cut(risk.text)) for risk in risks if risk.grade != "note"]
    notes = len(risks) - len(points)
    text = "" if points else f"Nothing serious; {numbers.things(notes, 'note')} in the section Risks."
    shown = _points(points, MOST_POINTS, "risk")
    return Card(title="What could be wrong", text=text, items=shown, link="risks")


def _points(items: Sequence[Item], most: int, what: str) -> tuple[Item, ...]:
    """At most so many points; the last one says how many are left out."""
    if len(items) <= most:
        return tuple(item.model_copy(update={"text": _cut(item.text)}) for item in items)
    rest = numbers.things(len(items) - most + 1, f"more {what}")
    kept = [item.model_copy(update={"text": _cut(item.text)}) for item in items[: most - 1]]
    return (*kept, Item(text=f"… and {rest}."))


def _cut(text: str, most: int = _MOST_CHARACTERS) -> str:
    """One point, short enough for the first page; cut between words."""
    line = one_line(text)
    return line if len(line) <= most else f"{line[:most].rsplit(' ', 1)[0].rstrip(' ,;')} …"


def _day(moment: str) -> str:
    return moment[:16].replace("T", " ")
