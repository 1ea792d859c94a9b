"""What small changes of the prompt do to the answers, and how far a candidate agrees with itself."""

from results import numbers
from results.records import CandidateSummary, Estimate, Robustness
from results.robustness import change_text
from workbench.report.document import Block, Cell, Column, Item, Items, Section, Table, estimate_cell, number_cell
from workbench.report.records import ReportContent

_COLUMNS = (
    Column(heading="Candidate"),
    Column(heading="Perturbation", term="perturbation"),
    Column(heading="Examples", numeric=True),
    Column(heading="As they are", numeric=True),
    Column(heading="Perturbed", numeric=True),
    Column(heading="Change", numeric=True, term="perturbation"),
    Column(heading="Same answer", numeric=True, term="perturbation"),
    Column(heading="Broken / mended", numeric=True),
)
_REPEAT_COLUMNS = (
    Column(heading="Candidate"),
    Column(heading="Answers to each"),
    Column(heading="Examples", numeric=True),
    Column(heading="Quality", numeric=True),
    Column(heading="All the same", numeric=True, term="selfagreement"),
    Column(heading="Pairs the same", numeric=True, term="selfagreement"),
    Column(heading="Fleiss' kappa", numeric=True, term="selfagreement"),
)


def robustness_section(content: ReportContent) -> Section | None:
    """One table per question; None where nobody asked."""
    measured = [(s, s.robustness) for s in content.comparison.candidates if s.robustness is not None]
    if not measured:
        return None
    rows = tuple(row for summary, found in measured for row in _rows(summary, found))
    repeats = tuple(row for summary, found in measured for row in _repeat_rows(summary, found))
    note = (
        f"{measured[0][1].metric} on the same examples, as they are and with a change that leaves the right answer "
        "alone; only examples that the change did change. Differences are paired."
    )
    blocks: list[Block] = []
    if rows:
        blocks.append(Table(caption="Answers under small changes", note=note, columns=_COLUMNS, rows=rows))
        blocks.append(Items(items=tuple(_items(measured))))
    if repeats:
        blocks.append(Table(caption="The same question again, at a temperature", columns=_REPEAT_COLUMNS, rows=repeats))
    return Section(anchor="robustness", title="Robustness", blocks=tuple(blocks)) if blocks else None


def _rows(summary: CandidateSummary, found: Robustness) -> list[tuple[Cell, ...]]:
    return [
        (
            Cell(text=summary.candidate.name),
            Cell(text=result.perturbation),
            number_cell(numbers.count(result.n)),
            _quality(result.unperturbed, found.unit),
            _quality(result.perturbed, found.unit),
            Cell(text=change_text(result.difference, found.unit)),
            estimate_cell(result.same_answer, "percent"),
            Cell(text=f"{numbers.count(result.broken)} / {numbers.count(result.mended)}"),
        )
        for result in found.results
    ]


def _items(measured: list[tuple[CandidateSummary, Robustness]]) -> list[Item]:
    items = []
    for summary, found in measured:
        items += [Item(text=f"{summary.candidate.name}: {result.conclusion}") for result in found.results]
        if found.without_effect:
            items.append(Item(text=f"{summary.candidate.name}: {', '.join(found.without_effect)} changed no prompt."))
    return items


def _repeat_rows(summary: CandidateSummary, found: Robustness) -> list[tuple[Cell, ...]]:
    again = found.repeats
    if again is None:
        return []
    kappa = again.kappa
    return [
        (
            Cell(text=summary.candidate.name),
            Cell(text=f"{numbers.count(again.repeats)} at temperature {again.temperature:g}"),
            number_cell(numbers.count(again.n)),
            _quality(again.quality, found.unit),
            estimate_cell(again.identical, "percent"),
            estimate_cell(again.pairwise, "percent"),
            number_cell(numbers.UNKNOWN if kappa is None else f"{kappa.value:.2f}", unknown="not defined"),
        )
    ]


def _quality(found: Estimate, unit: str) -> Cell:
    return estimate_cell(found, "percent") if unit == "share" else Cell(text=f"{found.value:.3f}")
