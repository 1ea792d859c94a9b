"""What a person adds to a report: title, author, notes in a part of Markdown, a logo; kept with the benchmark."""

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.report_samples import content
from workbench.report.errors import BadEdits, BadLogo
from workbench.report.logo import MOST_LOGO_BYTES, check_logo, read_logo
from workbench.report.prose import prose_html, prose_markdown
from workbench.report.records import Edits
from workbench.report.report import build_document, render_first_page, render_html, render_markdown
from workbench.report_edits import ReportEdits
from workbench.settings import Settings

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><rect width="40" height="20"/></svg>'
PLAIN_TAGS = {"p", "em", "strong", "code", "pre", "ul", "ol", "li", "blockquote", "h4", "a", "br", "hr"}


class Tags(HTMLParser):
    """Elements with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note it."""
        self.seen.append((tag, dict(attrs)))


def picture(kind: str, size: tuple[int, int] = (40, 20)) -> bytes:
    """A picture as its file."""
    file = io.BytesIO()
    Image.new("RGB", size, "teal").save(file, kind)
    return file.getvalue()


@pytest.fixture
def edits(tmp_path: Path) -> ReportEdits:
    return ReportEdits(Settings(home=tmp_path))


def test_what_was_added_is_kept_per_benchmark_and_none_leaves_it(edits: ReportEdits) -> None:
    edits.write("demo", " Which model? ", "Support team", "**Mind** the returns.")
    edits.write("demo", None, None, "Other notes.")
    edits.set_logo("demo", check_logo(picture("PNG"), "logo.png"))
    again = edits.read("demo")
    assert (again.title, again.author, again.notes) == ("Which model?", "Support team", "Other notes.")
    assert again.logo is not None
    assert edits.read("another") == Edits()
    assert edits.set_logo("demo", None).logo is None


def test_a_text_too_long_and_a_damaged_file_are_told_in_a_sentence(edits: ReportEdits, tmp_path: Path) -> None:
    with pytest.raises(BadEdits, match=r"The title has 121 characters; a report has room for 120\. Shorten it\."):
        edits.write("demo", "x" * 121, None, None)
    folder = tmp_path / "reports" / "demo"
    folder.mkdir(parents=True)
    (folder / "edits.json").write_text("{")
    with pytest.raises(BadEdits, match="Mend or delete the file"):
        edits.read("demo")
    with pytest.raises(BadEdits, match="There is no file"):
        edits.read_notes(tmp_path / "nowhere.md")


@pytest.mark.parametrize(("kind", "media_type"), [("PNG", "image/png"), ("JPEG", "image/jpeg")])
def test_a_logo_is_known_by_its_content_whatever_its_name(kind: str, media_type: str, tmp_path: Path) -> None:
    (tmp_path / "logo.txt").write_bytes(picture(kind))
    logo = read_logo(tmp_path / "logo.txt")
    assert logo.media_type == media_type
    assert base64.b64decode(logo.data_base64) == picture(kind)


def test_an_svg_stands_in_the_report_as_a_picture_and_never_as_markup() -> None:
    made = content(edits=Edits(logo=check_logo(SVG.encode(), "logo.svg")))
    page = render_html(made)
    assert SVG not in page
    sources = [attrs["src"] or "" for tag, attrs in Tags(page).seen if tag == "img"]
    assert sources == ["data:image/svg+xml;base64," + base64.b64encode(SVG.encode()).decode()]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"GIF89a" + b"0" * 40, "is no PNG, JPEG or SVG picture"),
        (picture("PNG")[:60], "is a damaged picture|is no PNG"),
        (b"", "is no PNG"),
        (picture("PNG", (4_001, 1)), "4,001 . 1 pixels; a logo has at most 4,000"),
        (b"x" * (MOST_LOGO_BYTES + 1), "a logo has at most 512 KiB"),
        (b"<p>no picture</p>", "no SVG that can be drawn"),
        (SVG.replace("<rect", "<script>alert(1)</script><rect").encode(), "holds <script"),
        (b'<!DOCTYPE svg [<!ENTITY a "b">]>' + SVG.encode(), "holds <!doctype"),
    ],
)
def test_what_is_no_logo_is_refused_with_what_to_do(data: bytes, sentence: str) -> None:
    with pytest.raises(BadLogo, match=sentence):
        check_logo(data, "logo.png")


def test_title_author_and_notes_stand_on_the_first_page_in_every_format() -> None:
    made = content(edits=Edits(title="Which model sorts our mail?", author="Support team", notes="Mind **returns**."))
    for text in (render_html(made), render_first_page(made)):
        assert "<h1>Which model sorts our mail?</h1>" in text
        assert "Support team" in text
        assert "Mind <strong>returns</strong>." in text
    text = render_markdown(made)
    assert text.startswith("# Which model sorts our mail?\n\nSupport team")
    assert "Mind **returns**." in text


def test_long_notes_have_a_page_of_their_own() -> None:
    sections = {section.anchor for section in build_document(content(edits=Edits(notes="word " * 200))).sections}
    assert "author" in sections
    assert "author" not in {section.anchor for section in build_document(content()).sections}


def test_notes_may_use_headings_lists_code_and_links_to_the_web() -> None:
    html = prose_html("# Why\n\n- *a*\n- `b`\n\n[there](https://example.org)\n\n> said")
    tags = [tag for tag, _ in Tags(html).seen]
    assert tags == ["h4", "ul", "li", "em", "li", "code", "p", "a", "blockquote", "p"]
    assert 'href="https://example.org"' in html


@pytest.mark.parametrize(
    "notes",
    [
        "<script>alert(1)</script>",
        "![x](https://example.org/x.png)",
        "[x](javascript:alert(1))",
        "[x](data:text/html,hi)",
        '[x](https://a"onclick=alert(1))',
        "<https://example.org>",
        "| a |\n|---|\n| <b> |",
    ],
)
def test_notes_can_do_no_harm(notes: str) -> None:
    for tag, attrs in Tags(prose_html(notes)).seen:
        assert tag in PLAIN_TAGS
        assert set(attrs) <= {"href", "rel"}
        assert re.match(r"https?://|mailto:", attrs.get("href") or "https://")
    plain = prose_markdown(notes)
    assert "<" not in plain
    assert not re.search(r"(?<!\\)!\[|\]\((?!https?://|mailto:)", plain)


@given(st.text(alphabet=st.sampled_from("<>[]()!#*_`&\"' \n-|:/ajhtps.")))
def test_whatever_is_written_gives_only_plain_elements(notes: str) -> None:
    for tag, attrs in Tags(prose_html(notes)).seen:
        assert tag in PLAIN_TAGS
        assert set(attrs) <= {"href", "rel", "start", "class"}
