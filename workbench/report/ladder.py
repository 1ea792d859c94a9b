"""What quantizing lost, beside what the candidates got right: distance grows before quality moves."""

from results import numbers
from results.ladder_records import LadderRung
from results.metric_words import unit_of
from results.records import CandidateSummary
from runners.divergence_records import Mean
from workbench.report.document import Cell, Column, Section, Table, estimate_cell
from workbench.report.records import ReportContent

_COLUMNS = (
    Column(heading="Candidate"),
    Column(heading="Against"),
    Column(heading="Bits per weight", numeric=True),
    Column(heading="Size", numeric=True),
    Column(heading="Perplexity ÷ reference", numeric=True, term="perplexity"),
    Column(heading="Mean KLD, nats", numeric=True, term="kld"),
    Column(heading="Same top token", numeric=True, term="sametop"),
    Column(heading="Quality", numeric=True, term="quality"),
    Column(heading="Text"),
)


def ladder_section(content: ReportContent) -> Section | None:
    """Figures of the candidates' files; None where nobody measured any."""
    rungs = content.comparison.ladder
    if not rungs:
        return None
    note = (
        "Each file over a text, against a less quantized file of the same model. ± is one standard error. A small "
        "distance shows long before answers change; what it does to the answers is the quality beside it."
    )
    rows = tuple(_row(content, rung) for rung in rungs)
    return Section(
        anchor="ladder",
        title="Quantization ladder",
        blocks=(Table(caption="What quantizing lost", note=note, columns=_COLUMNS, rows=rows),),
    )


def _row(content: ReportContent, rung: LadderRung) -> tuple[Cell, ...]:
    loss, found = rung.loss, rung.loss.divergence
    summaries = {summary.candidate.name: summary for summary in content.comparison.candidates}
    summary = summaries.get(rung.candidate)
    bits = loss.bits_per_weight
    return (
        Cell(text=rung.candidate),
        Cell(text=loss.reference_quantization or "unknown quantization", detail="" if found else "is the reference"),
        Cell(text=numbers.UNKNOWN if bits is None else f"{bits:.2f}"),
        Cell(text=numbers.bytes_(loss.size_bytes)),
        _mean(found.perplexity_ratio if found else None, 4),
        _mean(found.mean_nats if found else None, 5),
        _mean(found.same_top_share if found else None, 2, percent=True),
        _quality(summary),
        Cell(text=loss.text, detail=f"{numbers.things(loss.loss.scored_tokens, 'token')} scored"),
    )


def _quality(summary: CandidateSummary | None) -> Cell:
    if summary is None or summary.quality is None:
        return Cell(text=numbers.UNKNOWN, absent=True)
    return estimate_cell(summary.quality.estimate, unit_of(summary.quality))


def _mean(mean: Mean | None, digits: int, *, percent: bool = False) -> Cell:
    if mean is None:
        return Cell(text=numbers.UNKNOWN, absent=True)
    scale, unit = (100, " %") if percent else (1, "")
    # A distance of -0.0000001 is rounding, not a sign.
    value = round(mean.value * scale, digits) + 0.0
    return Cell(text=f"{value:.{digits}f}{unit}", detail=f"± {mean.standard_error * scale:.{digits}f}")
