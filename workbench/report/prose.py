"""The author's notes: a part of Markdown as HTML, or as Markdown that can do no more than that part.

Paragraphs, emphasis, code, lists, quotes, links to web addresses and headings, which stand below the report's own. No
HTML, no pictures, no tables: whatever else is written stays text.
"""

import re

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from workbench.report.text import visible

_RULES = ("heading", "list", "blockquote", "fence", "emphasis", "backticks", "link", "escape", "newline", "entity")
_WEB_ADDRESS = re.compile(r"https?://|mailto:", re.IGNORECASE)
_HEADING = re.compile(r"^ {0,3}#{1,6}(?=\s)", re.MULTILINE)
_OTHER_LINK = re.compile(r"\]\((?!\s*<?(?:https?://|mailto:))", re.IGNORECASE)


def _parser() -> MarkdownIt:
    parser = MarkdownIt("zero", {"html": False, "breaks": True}).enable(list(_RULES))
    parser.validateLink = lambda url: _WEB_ADDRESS.match(url) is not None  # type: ignore[method-assign]
    return parser


_PARSER = _parser()


def prose_html(text: str) -> Markup:
    """The notes as HTML; safe, because the parser escapes everything that is not one of its marks."""
    tokens = _PARSER.parse(visible(text))
    for token in tokens:
        _adapt(token)
    rendered = _PARSER.renderer.render(tokens, _PARSER.options, {})
    return Markup(rendered)  # nothing in it but the parser's own tags; a test holds it to that


def prose_markdown(text: str) -> Markup:
    """The notes as Markdown for the Markdown report: no HTML, no pictures, links to web addresses only."""
    plain = visible(text).replace("<", "&lt;").replace("![", "!\\[")
    plain = _HEADING.sub("####", _OTHER_LINK.sub(r"]\\(", plain))
    return Markup(plain)  # not HTML; what could become markup in another program was just taken out


def _adapt(token: Token) -> None:
    """Headings below those of the report, links that tell nobody where they come from."""
    if token.type in {"heading_open", "heading_close"}:
        token.tag = "h4"
    for child in token.children or ():
        if child.type == "link_open":
            child.attrSet("rel", "noopener noreferrer")
