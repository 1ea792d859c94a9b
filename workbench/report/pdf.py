"""The report as PDF, set from the same HTML by WeasyPrint. Only this module imports it.

WeasyPrint is an extra because it draws text with libraries of the system (Pango), which pip cannot install. Nothing is
fetched while it sets the pages: the HTML carries all it needs.
"""

import contextlib
import io
import logging
from importlib import import_module
from typing import Any

from workbench.report.errors import PdfUnavailable

_INSTALL = "pip install 'open-model-workbench[pdf]'"
_LIBRARIES = (
    "Debian, Ubuntu: apt install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0; Fedora: dnf install pango; "
    "macOS: brew install pango; Windows: install MSYS2 and run pacman -S mingw-w64-ucrt-x86_64-pango"
)
_INSTEAD = "Or write the report as .html and print it from a browser."


def render_pdf(html: str) -> bytes:
    """A4 pages of an HTML document, tagged for screen readers. Raises PdfUnavailable where WeasyPrint cannot run."""
    weasyprint = _weasyprint()
    logging.getLogger("weasyprint").setLevel(logging.ERROR)  # it warns of every rule that is meant for screens
    only_inside = weasyprint.urls.URLFetcher(allowed_protocols=("data",))
    document = weasyprint.HTML(string=html, url_fetcher=only_inside)
    pdf: bytes = document.write_pdf(pdf_tags=True)
    return pdf


def _weasyprint() -> Any:
    """The library. Its import prints advice of its own where the system's libraries are missing."""
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            return import_module("weasyprint")
    except ImportError as error:
        message = f"A PDF needs WeasyPrint, which is not installed: {_INSTALL}. {_INSTEAD}"
        raise PdfUnavailable(message) from error
    except OSError as error:
        lines = str(error).splitlines() or ["no reason given"]
        message = (
            f"WeasyPrint is installed, but libraries of the system that it draws text with are missing "
            f"({lines[0]}). {_LIBRARIES}. {_INSTEAD}"
        )
        raise PdfUnavailable(message) from error
