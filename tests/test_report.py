"""The report: its sentences follow the records, strangers' text stays text, the file is whole or not there."""

import json
import re
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path

import pytest

from catalog.errors import WorkbenchError
from catalog.records import Ancestor, ModelQuery, Profile, VerdictValue
from results.recommendation import recommend
from results.records import BenchmarkComparison, Estimate
from results.shortlist_records import Funnel
from tests.report_samples import (
    BROKEN,
    GEMMA,
    REQUIREMENTS,
    SMOL,
    accuracy,
    broken,
    comparison,
    content,
    example,
    gemma,
    level,
    nobody_qualifies,
    pair,
    recommendation,
    smol,
    sweep,
)
from workbench.report.definitions import DEFINITIONS
from workbench.report.document import Document, Table
from workbench.report.errors import ReportError, ReportNotWritten, UnknownFormat
from workbench.report.records import ReportContent
from workbench.report.report import build_document, render_html, render_json, render_markdown, write_report

HOSTILE = '"><img src=x onerror=alert(1)> <script>alert(1)</script> \u202egnp\x00 {{ 7*7 }}'


class Reader(HTMLParser):
    """Collects elements, and the text of each section."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.sections: dict[str, str] = {}
        self._section = ""
        self._skipped = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the element and its section."""
        self.elements.append((tag, dict(attrs)))
        if tag in {"style", "svg"}:
            self._skipped += 1
        if tag == "section":
            self._section = dict(attrs)["id"] or ""
            self.sections[self._section] = ""

    def handle_endtag(self, tag: str) -> None:
        """Leave what is no prose."""
        if tag in {"style", "svg"}:
            self._skipped -= 1

    def handle_data(self, data: str) -> None:
        """Gather prose."""
        if self._section and not self._skipped:
            self.sections[self._section] += data


def read(made: ReportContent) -> Reader:
    reader = Reader()
    reader.feed(render_html(made))
    reader.close()
    reader.sections = {anchor: " ".join(text.split()) for anchor, text in reader.sections.items()}
    return reader


def tables(document: Document) -> list[Table]:
    return [block for section in document.sections for block in section.blocks if isinstance(block, Table)]


def hostile_comparison(name: str, other: str) -> BenchmarkComparison:
    return comparison([smol(name), gemma(other), broken(f"{name} 3")], [pair(0.2, name, other)])


def test_a_load_sweep_is_shown_with_its_knee_and_every_level() -> None:
    swept = gemma().model_copy(update={"sweep": sweep(), "latency": level("latency", None, thinks=True)})
    text = read(content(comparison=comparison((swept, smol())))).sections["load"]
    assert f"{GEMMA}: the knee is at 2 requests at once. From 2 at once to 4 at once" in text
    assert f"{GEMMA} gains throughput up to 2 at once" in text
    assert "Not measured and left out" not in text.split("Percentiles, one request at a time")[1]
    for shown in ("1 at once", "4 at once", "TTFA", "closed loop", "40 → 16", "0.50 J", "too few"):
        assert shown in text, shown
    missing = read(content(comparison=comparison((swept, smol())))).sections["not-measured"]
    assert f"{SMOL}: " in missing
    assert "more than one request at a time" in missing


def test_answer_times_stand_apart_only_where_a_model_thinks() -> None:
    plain = gemma().model_copy(update={"latency": level("latency", None)})
    assert "TTFA stands here only" in (text := read(content(comparison=comparison((plain,)))).sections["load"])
    assert text.count("TTFA") == 1


def test_sections_come_in_the_order_in_which_one_decides() -> None:
    reader = read(content())
    assert list(reader.sections) == [
        "decision",
        "funnel",
        "side-by-side",
        "certainty",
        "good-at",
        "charts",
        "load",
        "pairs",
        "labels",
        "slices",
        "ledger",
        "examples",
        "risks",
        "licenses",
        "notes",
        "method",
        "repeat",
        "not-measured",
    ]


def test_the_decision_comes_first_with_its_three_lines_and_who_is_out() -> None:
    decision = read(content()).sections["decision"]
    places = [decision.index(line) for line in (*recommendation().headline, BROKEN, "Nothing was measured")]
    assert places == sorted(places)
    assert (
        "license verdict allowed or conditional; end to end, p95 at most 10.0 s; peak memory at most 1.9 GiB"
        in decision
    )


def test_where_nobody_qualifies_the_nearest_miss_is_named() -> None:
    reader = read(content(recommendation=nobody_qualifies()))
    assert "No candidate meets every limit." in reader.sections["decision"]
    assert f"{SMOL} misses max_e2e_p95_seconds by 103 %." in reader.sections["decision"]
    assert "End to end p95 is 341 ms, the limit 100 ms." in reader.sections["decision"]
    assert "No candidate qualifies, so none is ranked." in reader.sections["side-by-side"]
    assert "best first" not in reader.sections["side-by-side"]


def test_the_summary_shows_numbers_with_intervals_and_says_what_was_not_measured() -> None:
    table = next(table for table in tables(build_document(content())) if table.caption == "Every candidate, best first")
    rows = {row[0].text: row for row in table.rows}
    assert list(rows) == [GEMMA, SMOL, BROKEN]
    accuracy = rows[GEMMA][2]
    assert (accuracy.text, accuracy.detail) == ("73.3 %", "66.4–79.3")
    assert [cell.text for cell in rows[BROKEN][2:]].count("not measured") == 10
    assert rows[BROKEN][0].detail == "out, run failed"
    headings = [column.heading for column in table.columns]
    assert rows[SMOL][headings.index("Decode, tokens/s")].text == "141"
    assert rows[SMOL][headings.index("Peak memory")].detail == "94.0 MiB mapped"


def test_verdicts_are_shown_by_colour_icon_and_word() -> None:
    page = render_html(content())
    assert re.search(r'class="badge caution"><span aria-hidden="true">!</span> conditional', page)
    assert re.search(r'class="badge good"><span aria-hidden="true">✓</span> allowed', page)


def test_ties_are_named_as_ties() -> None:
    apart = read(content()).sections["side-by-side"]
    assert "Ties: none." in apart
    unclear = comparison(pairs=[pair(0.3)])
    tied = read(content(comparison=unclear, recommendation=recommend(unclear, REQUIREMENTS))).sections["side-by-side"]
    assert f"Tied in accuracy: {SMOL} and {GEMMA}; no difference is shown at n = 180." in tied
    assert "48.8–63.2 tied" in tied
    shared = read(content(recommendation=recommendation(tied=True))).sections["side-by-side"]
    assert f"Tied at rank 1: {GEMMA} and {SMOL}; the data cannot separate them, and {GEMMA} comes first" in shared


def test_changing_the_data_changes_the_sentences() -> None:
    half = Estimate(value=0.5, low=0.43, high=0.57, n=180, method="Wilson 95 %")
    other = gemma().model_copy(update={"accuracy": half, "metrics": (accuracy(half),)})
    before, after = read(content()), read(content(comparison=comparison([smol(), other, broken()])))
    assert f"{GEMMA} has higher accuracy than {SMOL}: 73.3 %" in before.sections["charts"]
    assert f"{SMOL} has the highest accuracy, 56.1 %" in after.sections["charts"]
    assert "73.3 %" not in after.sections["side-by-side"].split("The ranking")[0]


def test_pairs_show_discordant_counts_tests_and_conclusion() -> None:
    text = read(content()).sections["pairs"]
    assert "180 89 12 43 36 −17.2 points −25.0 to −9.4 p < 0.001 p < 0.001 10.1 points" in text
    assert pair().conclusion in text


def test_a_failed_run_is_told_with_what_to_do_and_without_its_log() -> None:
    reader = read(content())
    assert (
        "load: bad weights The weights end after 41 of 272 tensors. Download the file again"
        in reader.sections["ledger"]
    )
    assert f"{BROKEN}: accuracy, time to first token (p50)" in reader.sections["not-measured"]
    assert f"{BROKEN}: Requantized on this machine" in reader.sections["notes"]


@pytest.mark.parametrize("render", [render_html, render_markdown, render_json])
def test_no_path_of_the_machine_and_no_log_is_told(render: object) -> None:
    assert callable(render)
    commands = ("workbench bench /home/someone/benchmarks/demo.yaml",)
    funnel = Funnel(
        shortlist="mail",
        version=1,
        kept_at="2026-11-19T10:00:00+01:00",
        profile=Profile(),
        query=ModelQuery(),
        chosen=("/home/someone/models/own--Q4_0.gguf", "google/gemma-3-270m"),
    )
    found = comparison()
    benchmark = found.benchmark.model_copy(update={"funnel": funnel})
    text = render(content(commands=commands, comparison=found.model_copy(update={"benchmark": benchmark})))
    assert "/home/someone" not in text
    assert "llama_model_load" not in text
    assert "workbench bench demo.yaml" in text


def test_the_lineage_and_where_its_license_is_stricter_are_told() -> None:
    parent = Ancestor(
        model_id="meta-llama/Llama-2-7b-hf",
        relation="finetune",
        license="llama2",
        value=VerdictValue.CONDITIONAL,
        source=f"card of {SMOL}",
    )
    lost = Ancestor(model_id="someone/gone", relation="merge", source="card of meta-llama/Llama-2-7b-hf")
    summary = smol()
    changes = {
        "value": VerdictValue.CONDITIONAL,
        "declared_value": VerdictValue.ALLOWED,
        "lineage": (parent, lost),
    }
    stricter = summary.model_copy(update={"verdict": summary.verdict.model_copy(update=changes)})
    text = read(content(comparison=comparison([stricter, gemma()], [pair()]))).sections["licenses"]
    assert "The declared license alone would be allowed; what the model was made from makes it conditional." in text
    assert f"fine-tuned from meta-llama/Llama-2-7b-hf: llama2, conditional (card of {SMOL})" in text
    assert "merged from someone/gone: not in the catalog, so its license is not known" in text
    agreed = read(content()).sections["licenses"]
    assert "The declared license alone" not in agreed


def test_licenses_show_reasons_conditions_sources_and_that_it_is_no_advice() -> None:
    reader = read(content())
    text = reader.sections["licenses"]
    assert "not legal advice" in text
    assert "☐ Pass the terms and the Notice file on with the weights." in text
    assert "Source: Gemma Terms of Use, section 3.1, read on 2026-11-02" in text
    assert "Evaluated for: commercial use, based in the EU, 100,000 monthly users" in text
    assert ("a", {"href": "https://ai.google.dev/gemma/terms", "rel": "noopener noreferrer"}) in reader.elements


def test_what_is_needed_to_repeat_it_is_there() -> None:
    text = read(content()).sections["repeat"]
    for needed in (
        "workbench report support-intents --output report.html",
        "AMD EPYC 9654",
        "AVX2 = 1 | AVX512 = 1",
        "5f3c2a1e" * 8,
        "12fd25f77366fa6b3b4b768ec3050bf629380bac",
        "9e107d9d" * 8,
        "d41d8cd98f00b204e9800998ecf8427e",
        "llama-cpp-python 0.3.36",
        "task: classification seed: 7",
        '"context_tokens":2048',
    ):
        assert needed in text


def test_every_number_is_defined_and_every_column_that_refers_to_a_definition_finds_it() -> None:
    anchors = {definition.anchor for definition in DEFINITIONS}
    assert len(anchors) == len(DEFINITIONS)
    used = {column.term for table in tables(build_document(content())) for column in table.columns if column.term}
    assert used <= anchors
    reader = read(content())
    ids = [attrs["id"] for _, attrs in reader.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    targets = {attrs["href"] for tag, attrs in reader.elements if tag == "a" and (attrs["href"] or "").startswith("#")}
    assert {target[1:] for target in targets if target} <= set(ids)


def test_the_method_says_what_was_left_out_and_when_the_cache_was_on() -> None:
    text = read(content()).sections["method"]
    assert "Accuracy: all 180 examples, batched, prefix cache on" in text
    assert (
        "Latency: 30 examples one after the other at concurrency 1, prefix cache off; 3 warm-up prompts before" in text
    )
    assert "E2E p95: n = 30, quantile 0.95; no interval: that needs n ≥ 72." in text


def test_tables_are_tables_with_captions_and_scopes() -> None:
    reader = read(content())
    count = [tag for tag, _ in reader.elements]
    assert count.count("table") == count.count("caption") == count.count("thead") > 10
    assert all(attrs.get("scope") in {"row", "col"} for tag, attrs in reader.elements if tag == "th")


@pytest.mark.parametrize("name", [HOSTILE, "x" * 10_000, "نموذج عربي"])
def test_strangers_text_stays_text(name: str) -> None:
    other = f"{name} 2"
    found = hostile_comparison(name, other)
    made = content(
        comparison=found,
        recommendation=recommend(found, REQUIREMENTS),
        wrong_examples=(example(HOSTILE, HOSTILE), example("y" * 10_000, "z" * 10_000), example("مرحبا", "أين طلبي؟")),
        notes=(HOSTILE,),
        commands=(HOSTILE,),
    )
    reader = read(made)
    tags = {tag for tag, _ in reader.elements}
    assert not tags & {
        "script",
        "img",
        "iframe",
        "object",
        "embed",
        "link",
        "base",
        "form",
        "image",
        "use",
        "foreignobject",
    }
    for tag, attrs in reader.elements:
        assert not [key for key in attrs if key.startswith("on")]
        assert not {"src", "srcset", "action", "data", "poster", "xlink:href"} & set(attrs)
        assert "href" not in attrs or (tag == "a" and re.match(r"https://|#", attrs["href"] or ""))
    text = reader.sections["examples"]
    assert '"><img src=x onerror=alert(1)> <script>alert(1)</script> ⟨U+202E⟩gnp⟨U+0000⟩ {{ 7*7 }}' in text
    assert "y" * 2_000 + "… [8,000 more characters; the JSON report has them all]" in text
    assert "أين طلبي؟" in text
    page = render_html(made)
    assert "\x00" not in page
    assert "\u202e" not in page
    assert not re.search(r"@import|url\((?!data:)", page)


def test_only_web_addresses_become_links() -> None:
    bad = smol()
    reason = bad.verdict.reasons[0].model_copy(update={"link": "javascript:alert(1)"})
    verdict = bad.verdict.model_copy(update={"reasons": (reason,)})
    made = content(comparison=comparison([bad.model_copy(update={"verdict": verdict})], []))
    assert "javascript:" not in render_html(made)
    assert "javascript:" not in render_markdown(made)


def test_markdown_has_the_same_tables_and_keeps_strangers_text_as_text() -> None:
    text = render_markdown(content(wrong_examples=(example("```\n# not a heading", "a | b\n<b>"),)))
    assert f"| {GEMMA} (rank 1) | ! conditional | 73.3 % (66.4–79.3) |" in text
    assert "a \\| b &lt;b&gt;" in text
    assert "````\n```\n# not a heading\n````" in text
    assert "<https://ai.google.dev/gemma/terms>" in text
    assert "p &lt; 0.001" in text
    columns = [line.count(" |") for line in text.splitlines() if line.startswith("| ")]
    assert min(columns) >= 2


def test_json_holds_the_records_and_everything_that_is_shown() -> None:
    made = content(wrong_examples=(example("y" * 10_000),))
    report = json.loads(render_json(made))
    assert report["schema_version"] == 1
    again = ReportContent.model_validate(report["content"])
    assert again.comparison.pairs == made.comparison.pairs
    assert again.recommendation == made.recommendation
    assert again.wrong_examples == made.wrong_examples
    assert Document.model_validate(report["document"]) == build_document(made)


def test_a_benchmark_in_which_nothing_was_measured_still_gives_a_report() -> None:
    found = comparison([broken()], [])
    empty = found.model_copy(
        update={"benchmark": found.benchmark.model_copy(update={"machine": None, "workloads": ()})}
    )
    made = content(
        comparison=empty, recommendation=recommend(empty, REQUIREMENTS), wrong_examples=(), packages=(), commands=()
    )
    reader = read(made)
    assert "No two candidates answered the same examples." in reader.sections["pairs"]
    assert "No label was scored." in reader.sections["labels"]
    assert "Machine: not recorded." in reader.sections["repeat"]
    assert "nan" not in render_html(made).lower().split()
    assert render_markdown(made)


@pytest.mark.parametrize("ending", [".html", ".md", ".json", ".HTML"])
def test_the_ending_chooses_the_format(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"report{ending}"
    assert write_report(content(), path) == path
    text = path.read_text(encoding="utf-8")
    assert text.startswith({".html": "<!DOCTYPE html>", ".md": "# Recommendation", ".json": "{"}[ending.lower()])
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(("name", "seen"), [("report.docx", "ends in '.docx'"), ("report", "has no ending")])
def test_an_unknown_ending_names_the_known_ones(name: str, seen: str, tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat, match=re.escape(seen)) as caught:
        write_report(content(), tmp_path / name)
    assert ".html, .pdf, .md, .json" in str(caught.value)
    assert isinstance(caught.value, ReportError)
    assert isinstance(caught.value, WorkbenchError)


def test_a_missing_folder_and_a_folder_in_the_way_are_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ReportNotWritten, match="does not exist"):
        write_report(content(), tmp_path / "nowhere" / "report.md")
    (tmp_path / "report.md").mkdir()
    with pytest.raises(ReportNotWritten, match="is a folder"):
        write_report(content(), tmp_path / "report.md")
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportNotWritten, match="is not a folder"):
        write_report(content(), tmp_path / "file" / "report.md")


@contextmanager
def no_room_beyond(size_bytes: int) -> Iterator[None]:
    """Files of this process cannot grow beyond the size; the kernel refuses, as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_without_room_the_old_report_stays_and_nothing_is_left_behind(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("the old report")
    made = content()
    with no_room_beyond(4_096), pytest.raises(ReportNotWritten, match="no room"):
        write_report(made, path)
    assert path.read_text() == "the old report"
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]
