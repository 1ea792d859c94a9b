"""May each candidate be used: verdicts with reasons, conditions as a checklist, and for whom they were evaluated."""

from catalog.records import Profile, Reason
from results import numbers
from results.records import CandidateSummary
from workbench.lineage_words import ancestor_line, disagreement
from workbench.report.document import Block, Heading, Item, Items, Paragraph, Section, verdict_badge
from workbench.report.records import ReportContent
from workbench.report.text import listing

NOT_LEGAL_ADVICE = (
    "This is not legal advice. Verdicts summarise what was read in the sources named; read the license itself, and ask"
    " a lawyer where it matters."
)


def licenses_section(content: ReportContent) -> Section:
    """Every candidate's verdict, reasons, conditions and sources."""
    blocks: list[Block] = [
        Paragraph(text=NOT_LEGAL_ADVICE, tone="warning"),
        Paragraph(text=_profile_sentence(content.profile)),
    ]
    for summary in content.comparison.candidates:
        blocks += _verdict_blocks(summary)
    return Section(anchor="licenses", title="Licenses", blocks=tuple(blocks))


def _verdict_blocks(summary: CandidateSummary) -> list[Block]:
    verdict = summary.verdict
    name = verdict.license or "no license declared"
    read = "the license text was read" if verdict.verified else "the license text was not read"
    blocks: list[Block] = [
        Heading(text=summary.candidate.name, badge=verdict_badge(verdict.value)),
        Paragraph(text=f"License: {name}; {read}.", tone="muted"),
        Items(items=tuple(_reason_item(reason) for reason in verdict.reasons)),
    ]
    stricter = disagreement(verdict)
    if stricter is not None:
        blocks.append(Paragraph(text=stricter, tone="warning"))
    if verdict.lineage:
        blocks.append(Paragraph(text="Lineage, nearest first:"))
        blocks.append(Items(items=tuple(Item(text=ancestor_line(ancestor)) for ancestor in verdict.lineage)))
    if verdict.conditions:
        blocks.append(Paragraph(text="Conditions to meet:"))
        blocks.append(Items(items=tuple(Item(text=text) for text in verdict.conditions), checklist=True))
    if verdict.advisories:
        blocks.append(Paragraph(text="Worth knowing:"))
        blocks.append(Items(items=tuple(Item(text=text) for text in verdict.advisories)))
    return blocks


def _reason_item(reason: Reason) -> Item:
    read = f", read on {reason.read_on}" if reason.read_on else ""
    return Item(text=reason.text, detail=f"Source: {reason.source}{read}", link=reason.link or "")


def _profile_sentence(profile: Profile) -> str:
    facts = [
        "commercial use" if profile.commercial else "no commercial use",
        "based in the EU" if profile.eu_based else "not based in the EU",
        f"{numbers.count(profile.monthly_users)} monthly users",
        f"{numbers.count(profile.annual_revenue_usd)} US dollars of annual revenue",
        "trains on outputs" if profile.trains_on_outputs else "does not train on outputs",
        "hosts or redistributes" if profile.hosts_or_redistributes else "does not host or redistribute",
    ]
    return f"Evaluated for: {listing(facts)}."
