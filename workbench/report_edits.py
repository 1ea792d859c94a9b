"""What a person adds to reports: title, author, notes and logo, kept per benchmark in the data directory.

One JSON file per benchmark, `reports/<benchmark>/edits.json`, replaced whole. Draws and checks nothing.
"""

import threading
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from workbench.report.errors import BadEdits
from workbench.report.records import MOST_NOTES_CHARACTERS, MOST_TITLE_CHARACTERS, Edits, Logo
from workbench.report.writing import write_atomically
from workbench.settings import Settings

_FILE = "edits.json"


class ReportEdits:
    """The edits of all reports in a data directory."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        """Held while a file is changed: texts and a logo that come at once are both kept."""

    def read(self, benchmark: str) -> Edits:
        """What was added to a benchmark's report; empty where nothing was. Raises BadEdits for a damaged file."""
        path = self._path(benchmark)
        try:
            return Edits.model_validate_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return Edits()
        except (OSError, ValidationError, UnicodeDecodeError) as error:
            raise BadEdits(
                f"What was added to the report on {benchmark} cannot be read from {path}. Mend or delete the file."
            ) from error

    def save(self, benchmark: str, edits: Edits) -> None:
        """Keep all of them. Raises ReportNotWritten."""
        path = self._path(benchmark)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, f"{edits.model_dump_json(indent=2)}\n".encode())

    def write(self, benchmark: str, title: str | None, author: str | None, notes: str | None) -> Edits:
        """Change texts and keep them; None leaves one as it is. Raises BadEdits for one that is too long."""
        given = {"title": title, "author": author, "notes": notes}
        changes = {name: text.strip() for name, text in given.items() if text is not None}
        for name, text in changes.items():
            most = MOST_NOTES_CHARACTERS if name == "notes" else MOST_TITLE_CHARACTERS
            if len(text) > most:
                raise BadEdits(f"The {name} has {len(text):,} characters; a report has room for {most:,}. Shorten it.")
        return self._change(benchmark, changes)

    def set_logo(self, benchmark: str, logo: Logo | None) -> Edits:
        """Put the logo, or none, on the first page and keep it."""
        return self._change(benchmark, {"logo": logo})

    def read_notes(self, path: Path) -> str:
        """Notes in a text file. Raises BadEdits."""
        try:
            return path.read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise BadEdits(f"There is no file {path} with notes. Name a Markdown or text file.") from error
        except UnicodeDecodeError as error:
            raise BadEdits(f"{path} is not UTF-8 text (byte {error.start}). Save it as UTF-8.") from error
        except OSError as error:
            raise BadEdits(f"{path} cannot be read: {error.strerror}. Choose another file.") from error

    def _change(self, benchmark: str, changes: dict[str, Any]) -> Edits:
        with self._lock:
            changed = self.read(benchmark).model_copy(update=changes)
            self.save(benchmark, changed)
            return changed

    def _path(self, benchmark: str) -> Path:
        return self._settings.reports_folder / benchmark / _FILE
