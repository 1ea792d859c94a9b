"""Which of our scorers correspond to the metrics and filters of an lm-evaluation-harness task."""

import re
from typing import Any

from ruamel.yaml.comments import TaggedScalar

_TEXT_METRICS = {
    "bleu": "bleu",
    "chrf": "chrf",
    **dict.fromkeys(("rouge", "rouge1", "rouge2", "rougeL", "rougeLsum"), "rouge"),
}
_NUMBER = re.compile(r"[-+]?\$?[\d.,]*\d%?")


def targets_without(tree: dict[str, Any], *groups: list[dict[str, Any]]) -> str:
    """Remove from targets what exact_match is told to ignore, as lm-eval does; a note where that was done."""
    ignored = [str(pattern) for metric in _metrics(tree) for pattern in metric.get("regexes_to_ignore") or ()]
    if not ignored:
        return ""
    for example in (example for group in groups for example in group):
        for pattern in ignored:
            try:
                example["label"] = re.sub(pattern, "", example["label"])
            except re.error:
                return f"The pattern {pattern!r} of regexes_to_ignore is none; it was not applied."
        example["label"] = example["label"].strip()
    return f"Removed from right answers, not from those of models: {', '.join(map(repr, ignored))} (regexes_to_ignore)."


def scorers_of(
    tree: dict[str, Any], examples: list[dict[str, Any]], notes: list[str], kind: str
) -> list[dict[str, Any]]:
    """Scorers as a benchmark file names them; what has no counterpart becomes a note."""
    found = _choice_scorers(tree, notes) if kind == "multiple_choice" else _text_scorers(tree, examples, notes)
    usual = "choice_match" if kind == "multiple_choice" else "exact_match"
    unique = {scorer.get("name", scorer["scorer"]): scorer for scorer in found}
    return list(unique.values()) or [{"scorer": usual}]


def _choice_scorers(tree: dict[str, Any], notes: list[str]) -> list[dict[str, Any]]:
    scorers: list[dict[str, Any]] = []
    for metric in _metrics(tree):
        name = _name(metric)
        if name == "acc":
            scorers.append({"scorer": "choice_match", "name": "acc"})
        elif name == "acc_norm":
            scorers.append({"scorer": "choice_match", "name": "acc_norm", "decides": "normalised"})
            notes.append("acc_norm: lm-eval divides by characters, here it is UTF-8 bytes; the same for ASCII.")
        else:
            notes.append(f"Not carried over: the metric {name}.")
    return scorers


def _text_scorers(tree: dict[str, Any], examples: list[dict[str, Any]], notes: list[str]) -> list[dict[str, Any]]:
    filters = _filter_scorers(tree, examples, notes)
    scorers: list[dict[str, Any]] = []
    for metric in _metrics(tree):
        name = _name(metric)
        if name in {"exact_match", "em"}:
            scorers += filters or [_exact_match(metric, notes)]
        elif name in _TEXT_METRICS:
            scorers.append({"scorer": _TEXT_METRICS[name]})
        else:
            notes.append(f"Not carried over: the metric {name}.")
    return scorers or filters


def _exact_match(metric: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    folds = bool(metric.get("ignore_case") or metric.get("ignore_punctuation"))
    if folds:
        notes.append("exact_match ignores case, punctuation, articles and white space together (SQuAD's rule).")
    else:
        notes.append("exact_match leaves white space out of account, which lm-eval does not.")
    return {"scorer": "exact_match", "normalise": "squad" if folds else "whitespace"}


def _filter_scorers(tree: dict[str, Any], examples: list[dict[str, Any]], notes: list[str]) -> list[dict[str, Any]]:
    """A regex filter says what is read out of an answer before it is compared."""
    scorers: list[dict[str, Any]] = []
    numbers = bool(examples) and all(_NUMBER.fullmatch(example["label"]) for example in examples)
    for each in tree.get("filter_list") or ():
        steps = {str(step.get("function")): step for step in each.get("filter") or ()}
        name = str(each.get("name", "regex"))
        step = steps.get("regex")
        others = set(steps) - {"regex", "take_first", "remove_whitespace"}
        if step is None or others:
            unknown = ", ".join(sorted(others))
            notes.append(f"Not carried over: the filter {name!r}{f' ({unknown})' if unknown else ''}.")
            continue
        last = step.get("group_select", 0) == -1
        if last and numbers:
            scorers.append({"scorer": "numeric", "name": name, "take": "last"})
            notes.append(f"The filter {name!r} takes the last number; here a scorer does that by its own rules.")
            continue
        taken = "last" if last else "first"
        scorers.append({"scorer": "regex", "name": name, "pattern": str(step.get("regex_pattern")), "take": taken})
    return scorers


def _metrics(tree: dict[str, Any]) -> list[dict[str, Any]]:
    return [dict(metric) for metric in tree.get("metric_list") or ()]


def _name(metric: dict[str, Any]) -> str:
    value = metric.get("metric")
    return f"!function {value.value}" if isinstance(value, TaggedScalar) else str(value)
