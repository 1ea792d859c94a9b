"""Finds out which column is what, by what was said and by usual names; what each task needs differs."""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from runners.errors import BadTestSet
from runners.test_set_records import Task
from runners.test_sets.records import AskedColumns, Columns

UNLABELLED = ""
"""What stands for the label's column where examples are still to be labelled."""
_ID_NAMES = ("id", "example_id", "key", "nr", "no")
_TEXT_NAMES = (
    *("text", "message", "input", "question", "prompt", "sentence", "content"),
    *("query", "instruction", "utterance", "review", "document", "article", "body", "comment", "ticket", "problem"),
    *("ctx", "stem", "source", "dialogue"),
)
_QUESTION_NAMES = ("question", "query", "problem", "stem", "ctx", *_TEXT_NAMES)
_LABEL_NAMES = (
    *("label", "target", "intent", "category", "class", "answer", "expected"),
    *("label_text", "gold", "ground_truth", "output", "sentiment", "topic"),
)
_ANSWER_NAMES = (
    *("answer", "target", "expected", "label", "answers", "gold", "ground_truth", "correct_answer", "solution"),
    *("ideal", "output", "response", "completion"),
)
_TARGET_NAMES: dict[Task, tuple[str, ...]] = {
    "classification": _LABEL_NAMES,
    "extraction": ("target", "json", "expected", "output", "answer", "label", "entities", "gold", "completion"),
    "short_answer": _ANSWER_NAMES,
    "multiple_choice": (
        *("answer", "answerkey", "answer_key", "correct", "correct_answer", "correct_option", "answer_index"),
        *("answer_idx", "target", "label", "gold", "cop", "expected"),
    ),
    "free_text": (
        *("reference", "references", "target", "expected", "output", "summary", "highlights", "response"),
        *("answer", "answers", "completion", "translation", "label", "ideal"),
    ),
    "context_question": _ANSWER_NAMES,
}
_ACCEPTED_NAMES = ("accepted", "answers", "references", "aliases", "accepted_answers", "alternatives")
_CHOICES_NAMES = ("choices", "options", "endings", "candidates", "answer_choices")
_PASSAGE_NAMES = (
    *("passages", "contexts", "context", "passage", "documents", "ctxs", "paragraphs", "paragraph", "background"),
)
_RELEVANT_NAMES = ("relevant", "relevant_passages", "gold_passages", "supporting")
_GROUP_NAMES = ("group",)
_WEIGHT_NAMES = ("weight",)
_SECOND_NAMES = ("second_label", "label_2", "label2", "label_b", "annotator_2", "annotator2")
_CHOICE_COLUMN = re.compile(r"^(?:(?:choice|option|answer|opt|ending)[ _-]?([a-j]|\d{1,2})|op([a-j])|([a-j]))$")


def map_columns(path: Path, header: tuple[str, ...], asked: AskedColumns, task: Task) -> Columns:
    """The columns that are used, without slices and without how targets name choices. Raises BadTestSet."""
    text = _named(path, header, asked.text) or _usual(header, _names_of_text(task))
    if text is None:
        raise _not_found(path, header, "text", _names_of_text(task), task)
    choices = _several(path, header, asked.choices) if task == "multiple_choice" or asked.choices else ()
    if task == "multiple_choice" and asked.choices is None:
        choices = _guessed_choices(header)
    if task == "multiple_choice" and not choices:
        raise _not_found(path, header, "choices", (*_CHOICES_NAMES, "A, B, C …", "choice_1, choice_2 …"), task)
    taken = {text, *choices}
    if asked.label == UNLABELLED:
        target: str | None = next((name for name in ("label", "answer") if name not in header), "label by hand")
    else:
        target = _named(path, header, asked.label) or _usual(header, _TARGET_NAMES[task], taken)
    if target is None:
        raise _not_found(path, header, "label", _TARGET_NAMES[task], task)
    taken.add(target)
    identity = _named(path, header, asked.id) or _usual(header, _ID_NAMES, taken)
    on_context, labelled = task == "context_question", task == "classification"
    passages = _several(path, header, asked.passages)
    if asked.passages is None and on_context:
        found = _usual(header, _PASSAGE_NAMES, taken)
        passages = (found,) if found else ()
    if on_context and not passages:
        raise _not_found(path, header, "passages", _PASSAGE_NAMES, task)
    taken |= {*passages}
    return Columns(
        id=identity,
        text=text,
        target=target,
        accepted=_named(path, header, asked.accepted)
        or (_usual(header, _ACCEPTED_NAMES, taken) if not labelled and task != "multiple_choice" else None),
        choices=choices,
        passages=passages,
        relevant=_named(path, header, asked.relevant)
        or (_usual(header, _RELEVANT_NAMES, taken) if on_context else None),
        group=_named(path, header, asked.group) or _usual(header, _GROUP_NAMES, taken),
        slices=_several(path, header, asked.slices),
        weight=_named(path, header, asked.weight) or _usual(header, _WEIGHT_NAMES, taken),
        second_label=_named(path, header, asked.second_label) or _usual(header, _SECOND_NAMES, taken),
    )


def choice_names(columns: Sequence[str]) -> tuple[str, ...]:
    """What targets may call choices that stand in columns of their own: the ends of the columns' names, such as `A`."""
    found = [_CHOICE_COLUMN.match(name.casefold()) for name in columns]
    return tuple(
        next(group for group in match.groups() if group is not None) if match else name.casefold()
        for match, name in zip(found, columns, strict=True)
    )


def _names_of_text(task: Task) -> tuple[str, ...]:
    return _QUESTION_NAMES if task in {"multiple_choice", "context_question"} else _TEXT_NAMES


def _guessed_choices(header: tuple[str, ...]) -> tuple[str, ...]:
    """A column with a list, or a family of columns such as A, B, C or choice_1, choice_2."""
    one = _usual(header, _CHOICES_NAMES)
    if one is not None:
        return (one,)
    families: dict[str, list[str]] = {}
    for name in header:
        match = _CHOICE_COLUMN.match(name.casefold())
        if match is not None:
            end = next(group for group in match.groups() if group is not None)
            families.setdefault(name.casefold().removesuffix(end), []).append(name)
    return next((tuple(names) for names in families.values() if len(names) > 1), ())


def _usual(header: Sequence[str], names: Sequence[str], taken: set[str] | None = None) -> str | None:
    free = [name for name in header if name not in (taken or ())]
    return next((name for wanted in names for name in free if name.casefold() == wanted), None)


def _named(path: Path, header: tuple[str, ...], asked: str | None) -> str | None:
    if asked is None or asked in header:
        return asked
    close = get_close_matches(asked, header, n=1)
    suggestion = f"Did you mean {close[0]!r}?" if close else f"Columns: {', '.join(header)}."
    raise BadTestSet(f"{path} has no column {asked!r}. {suggestion}")


def _several(path: Path, header: tuple[str, ...], asked: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(name for name in (_named(path, header, each) for each in asked or ()) if name is not None)


def _not_found(path: Path, header: tuple[str, ...], what: str, names: Sequence[str], task: Task) -> BadTestSet:
    return BadTestSet(
        f"{path}: no column looks like the {what} (looked for {', '.join(dict.fromkeys(names))}). "
        f"Columns: {', '.join(header)}. Name it under `columns:`"
        + (", or choose another task." if task != "classification" else ".")
    )
