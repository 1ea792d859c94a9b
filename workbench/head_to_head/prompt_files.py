"""Prompts as people bring them: pasted lines, a text file with one prompt a line, a CSV file with a column `prompt`."""

import csv
import io
from pathlib import Path

from runners.records import Message
from workbench.errors import CannotAsk
from workbench.head_to_head.records import ListedPrompt

_COLUMN = "prompt"
_MOST_BYTES = 20_000_000


def prompts_in_lines(text: str) -> list[ListedPrompt]:
    """One prompt a line; empty lines are passed over. Raises CannotAsk."""
    found = [_prompt(line) for line in text.splitlines() if line.strip()]
    if not found:
        raise CannotAsk("There is no prompt yet. Paste one a line.")
    return found


def prompts_in_file(path: Path) -> list[ListedPrompt]:
    """Of CSV the column `prompt`, or the only one; of any other file its lines. Raises CannotAsk."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise CannotAsk(f"{path.name} is larger than {_MOST_BYTES // 1_000_000} MB. Split it.")
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise CannotAsk(f"{path.name} is no text in UTF-8. Save it as UTF-8 and try again.") from error
    except OSError as error:
        raise CannotAsk(f"{path.name} cannot be read: {error.strerror}. Choose another file.") from error
    return _in_csv(path.name, text) if path.suffix.casefold() == ".csv" else prompts_in_lines(text)


def _in_csv(name: str, text: str) -> list[ListedPrompt]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    columns = [column for column in reader.fieldnames or () if column is not None]
    wanted = next((column for column in columns if column.strip().casefold() == _COLUMN), None)
    if wanted is None and len(columns) != 1:
        raise CannotAsk(f"{name} has no column {_COLUMN!r}. It has: {', '.join(columns) or 'none'}.")
    try:
        found = [_prompt(value) for row in reader if (value := row.get(wanted or columns[0]) or "").strip()]
    except csv.Error as error:
        raise CannotAsk(f"{name} is no CSV that can be read, at line {reader.line_num}: {error}.") from error
    if not found:
        raise CannotAsk(f"{name} holds no prompt.")
    return found


def _prompt(text: str) -> ListedPrompt:
    return ListedPrompt(messages=(Message(role="user", content=text),))
