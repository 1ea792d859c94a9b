"""Lays out the step Recommend and binds its handlers."""

from typing import NamedTuple

import gradio as gr
from gradio.blocks import Block
from gradio.events import Dependency

from workbench.report.logo import MOST_LOGO_BYTES
from workbench.report.records import MOST_NOTES_CHARACTERS, MOST_TITLE_CHARACTERS
from workbench.steps import render
from workbench.steps.recommend import handlers, report_handlers
from workbench.steps.recommend.controls import Controls, build_controls
from workbench.steps.wiring import Event, Page, Refresh, Step, bind, cheap, edited, in_page, panel, read, slow

_FORMATS = (
    ("html", "Save HTML", "text/html"),
    ("pdf", "PDF", "application/pdf"),
    ("md", "Markdown", "text/markdown"),
    ("json", "JSON", "application/json"),
)
_KEEP_ADDRESS = "(asked) => window.workbench.address('requirements', asked)"


class ReportPart(NamedTuple):
    """What a person adds to the report, and its first page."""

    title: gr.Textbox
    author: gr.Textbox
    notes: gr.Textbox
    logo: gr.UploadButton
    no_logo: gr.Button
    preview: gr.HTML
    of: gr.Textbox
    """The benchmark whose texts stand in the fields. It travels with them, so that none is kept with another one."""

    @property
    def texts(self) -> list[Block]:
        """What is typed."""
        return [self.title, self.author, self.notes]

    @property
    def added(self) -> list[Block]:
        """All that changes with the benchmark."""
        return [self.of, *self.texts, self.no_logo]


def build_recommend(page: Page) -> Step:
    """The step with everything bound."""
    workbench = page.workbench
    with gr.Row(elem_classes="split"):
        with gr.Column(scale=2, min_width=270, elem_classes="requirements"):
            picker = gr.Dropdown(label="Benchmark", choices=[], elem_id="recommend-benchmark", visible=False)
            with gr.Column(visible=False) as shown:
                reports = _report_buttons()
                controls = build_controls()
        with gr.Column(scale=5, min_width=460), gr.Tabs(elem_id="recommend-views"):
            with gr.Tab("Ranking", id="ranking") as ranking_tab:
                ranking = panel("ranking", render.loading("Ranking the candidates …"))
                chart = panel("trade-off")
            with gr.Tab("Report", id="report") as report_tab:
                report = _report_part()
    address = gr.Textbox(visible=False)
    metrics, endpoints = controls.metrics, controls.endpoints
    of_benchmark = [page.benchmark, shown, *controls.values, metrics.metric, metrics.value]
    of_benchmark += [metrics.listed, endpoints.endpoint, endpoints.into, endpoints.out, endpoints.group]
    of_benchmark += [endpoints.listed, ranking, address]
    asked = [picker, *controls.values]
    opened = Refresh(bind(handlers.restore, workbench), [page.benchmark], [picker, *of_benchmark])
    picked = read(edited(picker), bind(handlers.pick, workbench), [picker], of_benchmark)
    back = read(controls.reset.click, bind(handlers.pick, workbench), [picker], of_benchmark)
    for done in (picked, back):
        in_page(done.success, _KEEP_ADDRESS, [address])
    in_page(picker.change, "(name) => { window.workbench.address('benchmark', name); return name; }", [picker], None)
    _bind_ranking(page, controls, asked, [ranking, address])
    in_sight = gr.State(False)
    cheap(ranking_tab.select, lambda: False, None, [in_sight])
    # The chart and the first page follow the ranking, so that it does not wait for them.
    drawn = [chart, report.preview, *report.added]
    read(ranking.change, bind(report_handlers.draw, workbench), [in_sight, report.of, *asked], drawn)
    read_report = bind(report_handlers.open_report, workbench)
    opened_report = read(report_tab.select, read_report, [picker], [in_sight, *report.added])
    _bind_report(page, report, opened_report, asked)
    _bind_files(page, reports, asked)
    return Step(opened=opened, results=Refresh(bind(handlers.rank_again, workbench), asked, [ranking, address]))


def _bind_ranking(page: Page, controls: Controls, asked: list[Block], outputs: list[Block]) -> None:
    """The ranking follows every control at once; what is asked stands in the address."""
    workbench, metrics, endpoints = page.workbench, controls.metrics, controls.endpoints
    picker, metric_state, endpoint_state = asked[0], controls.values[-2], controls.values[-1]
    rank, currency = bind(handlers.rank, workbench), controls.values[-3]

    def follow(event: Event) -> None:
        in_page(read(event, rank, asked, outputs).success, _KEEP_ADDRESS, [outputs[1]])

    follow(edited(*(value for value in controls.values if not isinstance(value, gr.State | gr.Textbox))))
    # What a handler writes into a text box counts as an edit there, and would rank before the page is set.
    follow(currency.input)  # type: ignore[attr-defined]
    limit = bind(handlers.limit_metric, workbench)
    more = [metric_state, metrics.listed, metrics.value]
    follow(read(metrics.add.click, limit, [picker, metric_state, metrics.metric, metrics.value], more).success)
    drop = bind(handlers.drop_metric, workbench)
    follow(read(metrics.listed.click, drop, [picker, metric_state], [metric_state, metrics.listed]).success)
    prices = [endpoint_state, currency]
    priced = [*prices, endpoints.endpoint, endpoints.into, endpoints.out]
    listed: list[Block] = [endpoint_state, endpoints.listed]
    follow(read(endpoints.add.click, bind(handlers.price_endpoint), priced, listed).success)
    follow(read(endpoints.listed.click, bind(handlers.drop_price), prices, listed).success)
    kept = slow(controls.keep, bind(handlers.keep, workbench), asked, [controls.note, outputs[1]])
    in_page(kept.success, _KEEP_ADDRESS, [outputs[1]])


def _report_part() -> ReportPart:
    """Title, author, notes and logo beside the first page."""
    with gr.Row(elem_classes="split"):
        with gr.Column(scale=2, min_width=220, elem_classes="card tight"):
            panel("report-edits-head", render.heading("Yours", "kept with the benchmark"))
            title = gr.Textbox(label="Title", max_length=MOST_TITLE_CHARACTERS, elem_id="report-title")
            author = gr.Textbox(label="Author or team", max_length=MOST_TITLE_CHARACTERS, elem_id="report-author")
            notes = gr.Textbox(
                label="Notes, in Markdown", lines=6, max_length=MOST_NOTES_CHARACTERS, elem_id="report-notes"
            )
            most = MOST_LOGO_BYTES // 1024
            panel("report-logo-head", render.tag("p", f"Logo: PNG, JPEG or SVG, at most {most} KiB.", class_="note"))
            with gr.Row(elem_classes="inline"):
                logo = gr.UploadButton("Choose a logo", elem_id="report-logo", size="sm", min_width=80)
                no_logo = gr.Button("Remove", elem_id="report-no-logo", size="sm", min_width=60, visible=False)
        with gr.Column(scale=5, min_width=300):
            preview = panel("first-page", render.loading("Setting the first page …"))
    return ReportPart(title, author, notes, logo, no_logo, preview, gr.Textbox(visible=False))


def _bind_report(page: Page, report: ReportPart, opened: Dependency, asked: list[Block]) -> None:
    """What is typed is kept at once, and the first page follows."""
    workbench, picker = page.workbench, asked[0]
    preview = bind(report_handlers.preview, workbench)

    def follow(event: Event) -> None:
        # What is typed while a page is set is on the next one.
        read(event, preview, asked, [report.preview], trigger_mode="always_last")

    follow(opened.success)
    follow(read(edited(*report.texts), bind(report_handlers.edit, workbench), [report.of, *report.texts]).success)
    chosen = read(
        report.logo.upload,
        bind(report_handlers.set_logo, workbench),
        [picker, report.logo],
        [report.logo, report.no_logo],
    )
    follow(chosen.success)
    follow(read(report.no_logo.click, bind(report_handlers.drop_logo, workbench), [picker], [report.no_logo]).success)


def _report_buttons() -> list[tuple[gr.Button, str, str, str]]:
    """A button for every format, and one that opens the HTML report."""
    with gr.Column(elem_classes="card tight"):
        panel("report-head", render.heading("Report", "under these requirements"))
        opener = gr.Button("Open the report", variant="primary", elem_id="report-open", size="md")
        made = []
        for row in (_FORMATS[:1], _FORMATS[1:]):
            with gr.Row(elem_classes="inline"):
                made += [
                    (gr.Button(label, elem_id=f"report-{ending}", min_width=50, size="sm"), ending, mime, "save")
                    for ending, label, mime in row
                ]
    return [(opener, "html", "text/html", "open"), *made]


def _bind_files(page: Page, reports: list[tuple[gr.Button, str, str, str]], asked: list[Block]) -> None:
    """Every button writes the report of what is on screen, and the page opens or saves it."""
    text, file_name = gr.Textbox(visible=False), gr.Textbox(visible=False)
    for button, ending, mime, verb in reports:
        write = bind(report_handlers.write_report, page.workbench, ending)
        written = slow(button, write, asked, [text, file_name])
        call = f"window.workbench.download(name, '{mime}', text)"
        if verb == "open":
            call = f"window.workbench.show('{mime}', text)"
        elif ending == "pdf":
            call = f"window.workbench.downloadBase64(name, '{mime}', text)"
        in_page(written.success, f"(text, name) => {call}", [text, file_name])
