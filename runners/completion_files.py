"""Reads answers that were made elsewhere: JSON lines with `id`, `model` and `text`. Judges nothing."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import get_args

from pydantic import Field

from catalog.records import Record
from runners.errors import BadCompletions
from runners.records import Completion, FinishReason

_NEEDED = ("id", "model", "text")
_KNOWN = frozenset({*_NEEDED, "finish_reason", "prompt_tokens", "output_tokens"})
_MOST_ERRORS = 5


class ImportedAnswer(Record):
    """One line."""

    id: str = Field(min_length=1)
    """The example."""
    model: str = Field(min_length=1)
    """Who answered."""
    text: str
    """The answer."""
    finish_reason: FinishReason = "stop"
    """How it ended."""
    prompt_tokens: int = Field(default=0, ge=0)
    """Tokens of the prompt; 0 where they were not counted."""
    output_tokens: int = Field(default=0, ge=0)
    """Tokens of the answer."""

    def completion(self) -> Completion:
        """The same as a completion of the accuracy workload."""
        return Completion(
            request_id=self.id,
            workload="accuracy",
            example_id=self.id,
            text=self.text,
            finish_reason=self.finish_reason,
            method="generated",
            prompt_tokens=self.prompt_tokens,
            output_tokens=self.output_tokens,
            tokens_from="usage",
        )


class CompletionFile(Record):
    """What a file holds."""

    path: str
    """Where it is."""
    sha256: str
    """Digest of its content."""
    answers: dict[str, tuple[ImportedAnswer, ...]]
    """By model, in the order of the file."""
    ignored: tuple[str, ...] = ()
    """Fields that mean nothing here."""


def read_completion_file(path: Path) -> CompletionFile:
    """Read a file of answers. Raises BadCompletions with the lines that cannot be used."""
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig")
    except FileNotFoundError as error:
        raise BadCompletions(f"There is no file {path}. Check the path.") from error
    except UnicodeDecodeError as error:
        raise BadCompletions(f"{path} is not UTF-8 text (byte {error.start}). Save it as UTF-8.") from error
    except OSError as error:
        raise BadCompletions(f"{path} cannot be read: {error.strerror}.") from error
    answers: dict[str, dict[str, ImportedAnswer]] = {}
    ignored: set[str] = set()
    wrong: list[str] = []
    for number, line in _lines(text):
        found = _answer(line)
        if isinstance(found, str):
            wrong.append(f"line {number}: {found}")
            continue
        answer, others = found
        ignored |= others
        if answer.id in answers.setdefault(answer.model, {}):
            wrong.append(f"line {number}: a second answer of {answer.model!r} to {answer.id!r}. Keep one of the two.")
        else:
            answers[answer.model][answer.id] = answer
    _refuse(path, wrong)
    if not answers:
        raise BadCompletions(
            f'{path} holds no answer. Each line is an object such as {{"id": …, "model": …, "text": …}}.'
        )
    return CompletionFile(
        path=str(path),
        sha256=hashlib.sha256(data).hexdigest(),
        answers={model: tuple(found.values()) for model, found in answers.items()},
        ignored=tuple(sorted(ignored)),
    )


def check_ids(file: CompletionFile, example_ids: Sequence[str]) -> None:
    """Raises BadCompletions where an answer belongs to no example."""
    known = set(example_ids)
    wrong = []
    for model, answers in file.answers.items():
        for answer in answers:
            if answer.id not in known:
                close = get_close_matches(answer.id, example_ids, n=1)
                hint = f"Did you mean {close[0]!r}?" if close else "Ids must be those of the test set."
                wrong.append(f"{model}: the test set has no example {answer.id!r}. {hint}")
    _refuse(Path(file.path), wrong)


def _refuse(path: Path, wrong: Sequence[str]) -> None:
    if wrong:
        more = f"\n  … and {len(wrong) - _MOST_ERRORS} more." if len(wrong) > _MOST_ERRORS else ""
        listed = "\n".join(f"  {each}" for each in wrong[:_MOST_ERRORS])
        raise BadCompletions(f"{path}: {len(wrong)} answers cannot be used, and nothing was imported:\n{listed}{more}")


def _lines(text: str) -> Iterator[tuple[int, str]]:
    # splitlines() would also split at separators that may stand inside a JSON string.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, line


def _answer(line: str) -> tuple[ImportedAnswer, set[str]] | str:
    """The answer with the fields that were passed over, or why there is none."""
    try:
        value = json.loads(line)
    except ValueError as error:
        return f"this is not JSON ({error})."
    if not isinstance(value, dict):
        return "an object with id, model and text is needed."
    missing = [name for name in _NEEDED if not isinstance(value.get(name), str | int) or value.get(name) == ""]
    missing = [name for name in missing if name != "text" or not isinstance(value.get("text"), str)]
    if missing:
        return f"{missing[0]!r} is missing or no text (found {value.get(missing[0])!r})."
    reason = value.get("finish_reason") or "stop"
    if reason not in get_args(FinishReason):
        return f"finish_reason is {reason!r}; known: {', '.join(get_args(FinishReason))}."
    counts = {}
    for name in ("prompt_tokens", "output_tokens"):
        count = value.get(name) or 0
        if not isinstance(count, int) or count < 0:
            return f"{name} is {count!r}; a number of tokens is needed."
        counts[name] = count
    texts = {name: str(value[name]) for name in _NEEDED}
    answer = ImportedAnswer.model_validate({**texts, **counts, "finish_reason": reason})
    return answer, set(value) - _KNOWN
