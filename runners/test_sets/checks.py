"""Finds what is wrong with labelled examples that could be read: errors keep them from being measured, warnings do not.

Each rule has a name, a row where one is meant, and a fix; docs/test-sets.md lists them all. Nothing is dropped here.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from typing import Literal, NamedTuple

from runners.test_set_records import Example, Problem, Task
from runners.test_sets.alike import MOST_TEXTS, nearly_same
from runners.test_sets.leaks import leak_problems

_MOST_LABELS = 500
"""More labels than this are texts, and are not compared with each other."""
RARE = 5
"""Below so many examples nothing can be said about a label."""


class _Asked(NamedTuple):
    """What is checked."""

    examples: Sequence[Example]
    labels: Sequence[str]
    few_shot: Sequence[Example]
    task: Task
    labels_found: bool
    """Whether the labels are those that the examples have, which hides misspelt ones."""


def check_examples(
    examples: Sequence[Example],
    labels: Sequence[str],
    few_shot: Sequence[Example] = (),
    *,
    task: Task = "classification",
    labels_found: bool = False,
) -> tuple[Problem, ...]:
    """Everything that makes examples untrustworthy: errors first, then warnings, each by row."""
    asked = _Asked(examples, labels, few_shot, task, labels_found)
    problems = [problem for rule in _RULES for problem in rule(asked)]
    order = {"error": 0, "warning": 1}
    return tuple(sorted(problems, key=lambda problem: (order[problem.severity], problem.row or 0)))


def text_of_example(example: Example) -> str:
    """The text that the example is about: its first column."""
    return next(iter(example.inputs.values()), "")


def _empty_texts(asked: _Asked) -> Iterator[Problem]:
    for example in (*asked.examples, *asked.few_shot):
        if not text_of_example(example).strip():
            yield _problem("error", "empty_text", example, "the text is empty", "Write the text or remove the row.")


def _targets(asked: _Asked) -> Iterator[Problem]:
    find = _TARGET_RULES[asked.task]
    for example in (*asked.examples, *asked.few_shot):
        if not example.target and asked.task != "context_question":
            yield _problem("error", "empty_label", example, "the label is empty", "Label the row or remove it.")
        else:
            yield from find(example, asked)


def _label(example: Example, asked: _Asked) -> Iterator[Problem]:
    for target in example.targets:
        if target not in asked.labels:
            close = get_close_matches(target, asked.labels, n=1)
            fix = f"Did you mean {close[0]!r}?" if close else f"Labels: {', '.join(asked.labels)}."
            yield _problem("error", "unknown_label", example, f"the label {target!r} is not in the set", fix)


def _json(example: Example, asked: _Asked) -> Iterator[Problem]:  # noqa: ARG001  one of a family
    for target in example.targets:
        try:
            found = json.loads(target)
        except (ValueError, RecursionError) as error:
            yield _problem(
                "error", "bad_json", example, f"the target is not JSON: {error}", "Write an object as JSON in one cell."
            )
            continue
        if not isinstance(found, dict):
            kind = "a list" if isinstance(found, list) else "a plain value"
            fix = 'Write an object such as {"name": "Ann"}.'
            yield _problem("error", "bad_json", example, f"the target is {kind}, not an object", fix)


def _choice(example: Example, asked: _Asked) -> Iterator[Problem]:  # noqa: ARG001  one of a family
    choices = example.choices
    if len(choices) < 2:
        yield _problem("error", "few_choices", example, f"{len(choices)} choices", "Give at least two choices.")
        return
    doubled = next((choice for choice in choices if choices.count(choice) > 1), None)
    if doubled is not None:
        yield _problem("error", "choice_twice", example, f"the choice {doubled!r} stands twice", "Keep one of the two.")
    for target in example.targets:
        if target not in choices:
            shown = ", ".join(choices)
            shown = shown if len(shown) < 200 else f"{shown[:200]}…"
            yield _problem(
                "error",
                "target_not_in_choices",
                example,
                f"the right answer {target!r} is none of the choices",
                f"Name it by its text, letter or position. Choices: {shown}.",
            )


def _on_context(example: Example, asked: _Asked) -> Iterator[Problem]:  # noqa: ARG001  one of a family
    count = len(example.passages)
    if not count:
        yield _problem("error", "no_passages", example, "there is no passage", "Give the text that is asked about.")
    beyond = next((number for number in example.relevant if number > count), None)
    if beyond is not None:
        message = f"passage {beyond} is marked as relevant, and there are {count}"
        yield _problem("error", "relevant_out_of_range", example, message, "Count passages from 1.")
    if not example.target and example.relevant:
        message = "passages are marked as relevant, but there is no answer"
        yield _problem("warning", "relevant_without_answer", example, message, "Write the answer, or mark none.")


def _nothing(example: Example, asked: _Asked) -> Iterator[Problem]:  # noqa: ARG001  one of a family
    yield from ()


_TARGET_RULES: dict[Task, Callable[[Example, _Asked], Iterator[Problem]]] = {
    "classification": _label,
    "extraction": _json,
    "multiple_choice": _choice,
    "context_question": _on_context,
    "short_answer": _nothing,
    "free_text": _nothing,
}


def _doubles(asked: _Asked) -> Iterator[Problem]:
    ids: dict[str, Example] = {}
    texts: dict[str, Example] = {}
    for example in asked.examples:
        first = ids.setdefault(example.id, example)
        if first is not example:
            message = f"the id {example.id!r} is also in row {first.row}"
            yield _problem("error", "duplicate_id", example, message, "Make ids unique.")
        text = _asked_of(example)
        same = texts.setdefault(text, example)
        if same is example or not text:
            continue
        where = f"the text is also in row {same.row}"
        if not {*same.targets} & {*example.targets}:
            message = f"{where}, labelled {same.target!r} there and {example.target!r} here"
            yield _problem("error", "contradictory_labels", example, message, "Keep one of the two.")
        else:
            yield _problem("warning", "duplicate_text", example, where, "Keep one of the two.")


def _shown_examples(asked: _Asked) -> Iterator[Problem]:
    shown = {_asked_of(shot): shot for shot in asked.few_shot}
    for example in asked.examples:
        text = _asked_of(example)
        shot = shown.get(text)
        if shot is not None and text:
            message = f"the text is also the few-shot example {shot.id!r}, whose answer the model is shown"
            yield _problem("error", "few_shot_in_test_set", example, message, "Remove it from one of the two.")


def _near(asked: _Asked) -> Iterator[Problem]:
    every = (*asked.few_shot, *asked.examples)
    if len(every) > MOST_TEXTS:
        yield Problem(
            severity="warning",
            rule="near_duplicates_not_searched",
            message=f"{len(every):,} texts are too many to search for texts that are nearly the same",
            fix=f"Check parts of at most {MOST_TEXTS:,}.",
        )
        return
    shots = len(asked.few_shot)
    nearest: dict[tuple[int, bool], tuple[int, float]] = {}
    for first, second, percent in nearly_same([_folded(text_of_example(example)) for example in every]):
        key = (second, first < shots)
        if second >= shots and percent > nearest.get(key, (0, 0.0))[1]:
            nearest[key] = (first, percent)
    for (second, of_shot), (first, percent) in sorted(nearest.items()):
        example, other = every[second], every[first]
        if of_shot:
            message = f"the text is nearly the few-shot example {other.id!r} ({percent:.0f} % the same)"
            yield _problem("warning", "few_shot_near_test_set", example, message, "Show another example.")
        else:
            labels = "" if other.target == example.target else f", labelled {other.target!r} there"
            message = f"the text is nearly that of row {other.row} ({percent:.0f} % the same){labels}"
            yield _problem("warning", "near_duplicate", example, message, "Keep one, or put both into one group.")


def _balance(asked: _Asked) -> Iterator[Problem]:
    if asked.task != "classification":
        return
    counts = Counter(example.target for example in asked.examples)
    for label in asked.labels:
        if counts[label] < RARE:
            yield _of_all(
                "rare_label",
                f"the label {label!r} has {counts[label]} examples",
                "Add examples: below 5 nothing can be said about a label.",
            )
    if len(asked.labels) < 2 or not asked.examples:
        return
    label, most = counts.most_common(1)[0]
    share = most / len(asked.examples)
    if share >= max(0.5, min(0.8, 2 / len(asked.labels))) and len(asked.examples) >= 4 * RARE:
        message = f"{share:.0%} of the examples are labelled {label!r}: a model that always says so looks good"
        yield _of_all("unbalanced_labels", message, "Add examples of other labels, and look at balanced accuracy.")


def _misspelt(asked: _Asked) -> Iterator[Problem]:
    """Labels that look like another one; only where nobody said which labels there are."""
    if asked.task != "classification" or not asked.labels_found:
        return
    counts = Counter(example.target for example in asked.examples)
    ordered = [label for label, _ in counts.most_common(_MOST_LABELS) if label]
    for place, label in enumerate(ordered):
        earlier = ordered[:place]
        folded = _folded(label)
        same = next((other for other in earlier if _folded(other) == folded), None)
        close = get_close_matches(label, earlier, n=1, cutoff=0.85) if counts[label] <= 2 else []
        common = (each for each in close if counts[each] >= max(RARE, 5 * counts[label]))
        other = same or next(common, None)
        if other is None:
            continue
        for example in asked.examples:
            if example.target == label:
                message = f"the label {label!r} looks like {other!r}, which {counts[other]} rows have"
                fix = f"Did you mean {other!r}? If both are meant, say which labels there are."
                yield _problem("error" if same else "warning", "misspelt_label", example, message, fix)


def _leaks(asked: _Asked) -> Iterator[Problem]:
    yield from leak_problems(asked.examples, asked.labels, asked.task)


_RULES: tuple[Callable[[_Asked], Iterator[Problem]], ...] = (
    *(_targets, _doubles, _empty_texts, _shown_examples, _near, _misspelt, _balance, _leaks),
)


def _asked_of(example: Example) -> str:
    """Text, choices and passages, so that case and white space do not matter."""
    return _folded(text_of_example(example), *sorted(example.choices), *example.passages)


def _folded(*parts: str) -> str:
    return " ".join(" ".join(parts).casefold().split())


def _problem(severity: Literal["error", "warning"], rule: str, example: Example, what: str, fix: str) -> Problem:
    return Problem(severity=severity, rule=rule, row=example.row, message=f"{example.id}: {what}", fix=fix)


def _of_all(rule: str, message: str, fix: str) -> Problem:
    return Problem(severity="warning", rule=rule, message=message, fix=fix)
