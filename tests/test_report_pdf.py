"""The report as PDF: real pages, set by WeasyPrint and read back; and what is said where it cannot run."""

import io
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pypdf
import pytest

from tests.report_samples import content, example
from workbench.report.errors import PdfUnavailable
from workbench.report.pdf import render_pdf
from workbench.report.report import write_report

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture(scope="module", autouse=True)
def _needs_the_libraries() -> None:
    try:
        render_pdf("<p>x</p>")
    except PdfUnavailable as error:
        pytest.skip(str(error))


def pages(pdf: bytes) -> list[str]:
    return [" ".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


def test_the_pdf_has_the_decision_on_its_first_a4_page_and_text_of_models_as_text(tmp_path: Path) -> None:
    made = content(wrong_examples=(example(SCRIPT, "مرحبا بالعالم 🙂"),))
    path = write_report(made, tmp_path / "report.pdf")
    reader = pypdf.PdfReader(path)
    assert [round(float(side)) for side in reader.pages[0].mediabox[2:]] == [595, 842]
    texts = pages(path.read_bytes())
    assert made.recommendation.headline[0].split(":")[0] in texts[0]
    assert any(SCRIPT in text for text in texts)
    assert [item.title for item in reader.outline if not isinstance(item, list)], "no bookmarks"
    assert "/StructTreeRoot" in reader.root_object  # tagged, for screen readers


def test_setting_the_pages_asks_nobody_and_reads_no_file(tmp_path: Path) -> None:
    asked: list[str] = []

    class Witness(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

    server = HTTPServer(("127.0.0.1", 0), Witness)
    Thread(target=server.serve_forever, daemon=True).start()
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret")
    try:
        place = f"http://127.0.0.1:{server.server_port}/logo.png"
        pdf = render_pdf(f'<p>words</p><img src="{place}"><object data="{secret.as_uri()}"></object>')
    finally:
        server.shutdown()
        server.server_close()
    assert pages(pdf) == ["words"]
    assert asked == []


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        ("raise ModuleNotFoundError('No module named weasyprint')", "pip install 'open-model-workbench[pdf]'"),
        ("raise OSError(\"cannot load library 'libpango-1.0-0'\")", "apt install libpango-1.0-0"),
    ],
    ids=["not installed", "without its libraries"],
)
def test_without_weasyprint_one_sentence_says_what_to_do(trouble: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "weasyprint.py").write_text(f"print('its own advice')\n{trouble}\n")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from workbench.report.pdf import render_pdf\n"
        "try: render_pdf('<p>x</p>')\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("PdfUnavailable ")
    assert said in done.stdout
    assert "print it from a browser" in done.stdout
    assert len(done.stdout.splitlines()) == 1
