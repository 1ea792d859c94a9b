"""The report as one file: HTML that works offline and prints, PDF, Markdown, or JSON.

The sections are built once (decision, evidence, licenses, method) and set by a template per format. Everything that
comes from outside is escaped by the template engine; the only markup let through is SVG that our own charts drew.
"""

import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from workbench.chart_parts import Chart
from workbench.charts import to_svg
from workbench.report.certainty import certainty_section, good_at_section
from workbench.report.decision import author_section, decision_section, summary_facts
from workbench.report.document import Cell, Document, Section
from workbench.report.drawing import Theme
from workbench.report.errors import UnknownFormat
from workbench.report.evidence import (
    charts_section,
    labels_section,
    ledger_section,
    metrics_section,
    pairs_section,
    slices_section,
)
from workbench.report.examples import examples_section
from workbench.report.funnel import funnel_section
from workbench.report.head_to_head import head_to_head_section
from workbench.report.judging import judging_section
from workbench.report.ladder import ladder_section
from workbench.report.licenses import licenses_section
from workbench.report.load import load_section
from workbench.report.logo import logo_address
from workbench.report.method import method_section, not_measured_section, notes_section, repeat_section
from workbench.report.pdf import render_pdf
from workbench.report.prose import prose_html, prose_markdown
from workbench.report.records import ReportContent
from workbench.report.repeating import repeat_record
from workbench.report.risks import risks_section
from workbench.report.robustness import robustness_section
from workbench.report.sharing import for_sharing
from workbench.report.side_by_side import side_by_side_section
from workbench.report.text import clip, escape_markdown, visible
from workbench.report.writing import write_atomically

SCHEMA_VERSION = 1
"""Version of the JSON report; raised when a field changes its meaning or goes."""

_LONG_WORD = 40
_TEMPLATES = FileSystemLoader(Path(__file__).parent)


def build_document(content: ReportContent) -> Document:
    """All sections of a report in their order, without paths or logs of the machine it was made on."""
    shared = for_sharing(content)
    is_classification = bool(shared.comparison.benchmark.labels)
    sections = (
        decision_section(shared),
        author_section(shared),
        funnel_section(shared),
        side_by_side_section(shared),
        certainty_section(shared),
        good_at_section(shared),
        charts_section(shared),
        load_section(shared),
        pairs_section(shared),
        ladder_section(shared),
        metrics_section(shared),
        labels_section(shared) if is_classification else None,
        slices_section(shared),
        robustness_section(shared),
        judging_section(shared),
        head_to_head_section(shared),
        ledger_section(shared),
        examples_section(shared),
        risks_section(shared),
        licenses_section(shared),
        notes_section(shared),
        method_section(shared),
        repeat_section(shared),
        not_measured_section(shared),
    )
    return _document(shared, tuple(section for section in sections if section is not None))


def build_first_page(content: ReportContent) -> Document:
    """The page that decides, alone; draws no chart, so that it can follow what is typed."""
    shared = for_sharing(content)
    return _document(shared, (decision_section(shared),))


def _document(shared: ReportContent, sections: tuple[Section, ...]) -> Document:
    return Document(
        title=shared.edits.title or f"Recommendation: {shared.comparison.benchmark.name}",
        author=shared.edits.author,
        facts=summary_facts(shared),
        sections=sections,
    )


def render_html(content: ReportContent, charts: Theme = "page") -> str:
    """One HTML file: style and charts inline, no request to anywhere, light and dark, fit for printing.

    charts: "page" draws them in the page's own colours, which follow its scheme.
    """
    return _html(content, build_document(content), charts)


def render_first_page(content: ReportContent) -> str:
    """The first page alone, as the HTML report shows it."""
    return _html(content, build_first_page(content), "page")


def _html(content: ReportContent, document: Document, charts: Theme) -> str:
    environment = Environment(
        loader=_TEMPLATES,
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["svg"] = partial(_inline_svg, theme=charts)
    environment.filters["clip"] = clip
    environment.filters["whole"] = _whole
    environment.filters["prose"] = prose_html
    environment.filters["logo"] = logo_address
    environment.tests["unbroken"] = _is_unbroken
    environment.tests["web_address"] = _is_web_address
    template = environment.get_template("report.html")
    return template.render(document=document, content=content).strip() + "\n"


def render_markdown(content: ReportContent) -> str:
    """The same as Markdown; charts become their titles and text alternatives."""
    environment = Environment(
        loader=_TEMPLATES,
        autoescape=False,  # Markdown is not HTML: `finalize` escapes it for what it is
        finalize=_escaped_for_markdown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["fenced"] = _fenced
    environment.filters["prose"] = prose_markdown
    environment.filters["cell"] = _markdown_cell
    environment.filters["address"] = _markdown_address
    environment.filters["clip"] = clip
    environment.tests["web_address"] = _is_web_address
    text = environment.get_template("report.md").render(document=build_document(content), content=content)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def render_json(content: ReportContent) -> str:
    """What repeats it, the records behind the report, and the report's sections as they are shown."""
    shared = for_sharing(content)
    report = {
        "schema_version": SCHEMA_VERSION,
        "repeat": repeat_record(shared).model_dump(mode="json"),
        "content": shared.model_dump(mode="json"),
        "document": build_document(content).model_dump(mode="json"),
    }
    return json.dumps(report, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def _pdf(content: ReportContent) -> bytes:
    """Charts in colours of their own: what sets the pages knows no colour that follows the page."""
    return render_pdf(render_html(content, charts="light"))


def _utf8(render: Callable[[ReportContent], str]) -> Callable[[ReportContent], bytes]:
    return lambda content: render(content).encode("utf-8")


_FORMATS: dict[str, Callable[[ReportContent], bytes]] = {
    ".html": _utf8(render_html),
    ".pdf": _pdf,
    ".md": _utf8(render_markdown),
    ".json": _utf8(render_json),
}


def write_report(content: ReportContent, path: Path) -> Path:
    """Write the report in the format that the path's ending names, whole or not at all; returns the path.

    Raises UnknownFormat for another ending, PdfUnavailable, ReportNotWritten where the file cannot be written.
    """
    render = _FORMATS.get(path.suffix.lower())
    if render is None:
        seen = f"ends in {path.suffix!r}" if path.suffix else "has no ending"
        endings = ", ".join(_FORMATS)
        raise UnknownFormat(
            f"The report cannot be written to {path.name!r}, which {seen}. Name a file that ends in one of {endings}."
        )
    write_atomically(path, render(content))
    return path


def _shown(value: object) -> object:
    """Everything that is not our own markup with control characters made visible, and of bounded length."""
    return clip(visible(value)) if isinstance(value, str) and not isinstance(value, Markup) else value


def _escaped_for_markdown(value: object) -> object:
    return escape_markdown(clip(value)) if isinstance(value, str) and not isinstance(value, Markup) else value


def _whole(text: str) -> Markup:
    """Text of any length, escaped."""
    return escape(visible(text))


def _is_unbroken(text: str) -> bool:
    """Whether a word in the text is so long that it has to be broken to keep a table on its page."""
    return any(len(word) > _LONG_WORD for word in text.split())


def _inline_svg(chart: Chart, theme: Theme) -> Markup:
    """The chart without its title, which the caption states."""
    svg = to_svg(chart, theme, titled=False)
    return Markup(svg)  # drawn by vl-convert, which escapes the names in it; a test holds it to that


def _markdown_cell(cell: Cell) -> str:
    """A cell on one line; `finalize` escapes it."""
    badge = f"{cell.badge.icon} {cell.badge.word}" if cell.badge else ""
    detail = f"({cell.detail})" if cell.detail else ""
    return " ".join(part for part in (badge, cell.text, detail) if part)


def _markdown_address(address: str) -> Markup:
    """A web address as a link; `_is_web_address` lets no bracket or space through."""
    return Markup(f"<{address}>")


def _fenced(text: str) -> Markup:
    """A fenced code block whose fence is longer than any in the text."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return Markup(f"{fence}\n{visible(text).rstrip()}\n{fence}")  # not HTML; the fence holds it


def _is_web_address(text: str) -> bool:
    return re.match(r"https?://[!#-;=?-~]+\Z", text, re.IGNORECASE) is not None
