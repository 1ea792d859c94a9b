"""Untrusted text: what is shown of it, and what Markdown makes of it."""

import pytest

from workbench.report.text import clip, distinct_labels, escape_markdown, file_name, listing, one_line, shorten, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("a\r\nb", "a\nb"),
        ("a\rb", "a⟨U+000D⟩b"),
        ("nul\x00", "nul⟨U+0000⟩"),
        ("esc\x1b[31m", "esc⟨U+001B⟩[31m"),
        ("invoice\u202egnp.exe", "invoice⟨U+202E⟩gnp.exe"),
        ("zero\u200bwidth", "zero⟨U+200B⟩width"),
        ("\ufeffmark", "⟨U+FEFF⟩mark"),
        ("\ud800", "⟨U+D800⟩"),
        ("مرحبا é 漢字 👩‍🔬", "مرحبا é 漢字 👩‍🔬"),
    ],
)
def test_control_characters_are_shown_and_other_text_is_left_alone(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("Q4_K_M of SmolLM2", "Q4_K_M of SmolLM2"),
        ("7.10 ms (6.8–7.4)", "7.10 ms (6.8–7.4)"),
        ("*bold* _italic_ `code`", "\\*bold\\* \\_italic\\_ \\`code\\`"),
        ("a | b", "a \\| b"),
        ("<script>", "&lt;script&gt;"),
        ("[text](http://example.org)", "\\[text\\](http:&#47;/example.org)"),
        ("# heading", "\\# heading"),
        ("- item", "\\- item"),
        ("12. item", "12\\. item"),
        ("two\n\nparagraphs", "two paragraphs"),
    ],
)
def test_markdown_renders_text_as_itself(text: str, escaped: str) -> None:
    assert escape_markdown(text) == escaped


def test_short_forms_say_that_something_is_missing() -> None:
    assert shorten("a" * 50, 10) == "aaaaa…aaaa"
    assert shorten("SmolLM2-135M-Instruct-finetuned-Q4_1", 20) == "SmolLM2-13…uned-Q4_1"
    assert shorten("short\nname") == "short name"
    assert one_line("a\n  b\x00") == "a b⟨U+0000⟩"
    assert clip("a" * 12, 10) == "aaaaaaaaaa… [2 more characters; the JSON report has them all]"
    assert clip("a" * 10, 10) == "a" * 10


def test_labels_that_would_look_alike_are_numbered() -> None:
    texts = ["a" * 40 + "1" + "a" * 40, "a" * 40 + "2" + "a" * 40, "b", "b"]
    labels = distinct_labels(texts)
    assert len(set(labels.values())) == 3
    assert all(len(label) <= 32 for label in labels.values())
    assert labels["b"] == "b"


def test_lists_read_as_prose() -> None:
    assert [listing(items) for items in ([], ["A"], ["A", "B"], ["A", "B", "C"])] == ["", "A", "A and B", "A, B and C"]
    assert listing(["A", "B"], "or") == "A or B"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/home/me/m.gguf", "m.gguf"),
        ("C:\\models\\m.gguf", "m.gguf"),
        ("m.gguf", "m.gguf"),
        ("/data/model/", "model"),
        ("/", "/"),
    ],
)
def test_file_names_of_any_system(path: str, name: str) -> None:
    assert file_name(path) == name
