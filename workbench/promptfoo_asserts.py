"""Which of our scorers stand for promptfoo's assertions, and what an example's right answer is under them."""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from runners.test_sets.cells import text_of

_PLACEHOLDER = "-"
"""Label of examples that are judged by rules alone."""
_COMPARING: dict[str, dict[str, Any]] = {
    "equals": {"scorer": "exact_match", "normalise": "none"},
    "contains": {"scorer": "contains", "needed": "any", "whole_words": False, "ignore_case": False},
    "icontains": {"scorer": "contains", "needed": "any", "whole_words": False, "ignore_case": True},
    "contains-any": {"scorer": "contains", "needed": "any", "whole_words": False, "ignore_case": False},
    "icontains-any": {"scorer": "contains", "needed": "any", "whole_words": False, "ignore_case": True},
    "contains-all": {"scorer": "contains", "needed": "all", "whole_words": False, "ignore_case": False},
    "icontains-all": {"scorer": "contains", "needed": "all", "whole_words": False, "ignore_case": True},
    "rouge-n": {"scorer": "rouge"},
    "bleu": {"scorer": "bleu"},
}
"""Assertions that compare an answer with a value of the test."""
_RULES = ("is-json", "contains-json", "regex", "not-contains", "not-icontains", "not-contains-any", "not-icontains-any")
"""Assertions that hold an answer to a rule, which a scorer can state only once for all examples."""


class Assertion(NamedTuple):
    """One assertion of a test."""

    type: str
    value: Any


class Judged(NamedTuple):
    """How a test is judged."""

    kind: str | None
    """Tests of one kind can share a benchmark; None where nothing could be carried over."""
    scorers: list[dict[str, Any]]
    target: str
    accepted: tuple[str, ...]
    compares: bool
    left_out: tuple[str, ...]
    """Types of assertions that were not carried over."""


def from_cell(cell: str) -> Assertion:
    """An assertion as a table has it: `type: value`, `type(threshold): value`, or the value alone for equals."""
    match = re.match(r"^\s*(not-)?([a-z]+(?:-[a-z0-9]+)*)(?:\(([\d.]+)\))?\s*(?::\s*(.*))?$", cell, re.DOTALL)
    known = {*_COMPARING, *_RULES, *_NOT_RUN}
    name = f"{match[1] or ''}{match[2]}" if match else ""
    if match is None or (name not in known and match[2] not in known):
        return Assertion("equals", cell.strip())
    value: Any = match[4]
    if value is None and name not in {"is-json", "contains-json", "is-refusal", "not-is-refusal", "is-sql", "is-xml"}:
        return Assertion("equals", cell.strip())
    if name.endswith(("-any", "-all")):
        value = [part.strip() for part in str(value).split(",")]
    return Assertion(name, value)


def judge(assertions: list[Assertion]) -> Judged:
    """The first comparison is what a test is about; rules are checked beside it."""
    comparing = next((each for each in assertions if each.type in _COMPARING and each.value not in (None, "")), None)
    scorers: list[dict[str, Any]] = [dict(_COMPARING[comparing.type])] if comparing is not None else []
    left_out: list[str] = []
    for each in assertions:
        if each is comparing:
            continue
        rule = _rule(each)
        if rule is None or any(rule["scorer"] == other["scorer"] for other in scorers):
            left_out.append(each.type)
        else:
            scorers.append(rule)
    if not scorers:
        return Judged(None, [], "", (), compares=False, left_out=tuple(left_out))
    right = _values(comparing.value) if comparing is not None else [_PLACEHOLDER]
    # Whether one right answer is given or several makes no difference to how they are looked for.
    first = comparing.type.removesuffix("-any") if comparing is not None else "rules"
    kind = " ".join([first, *map(_key, scorers[comparing is not None :])])
    return Judged(kind, scorers, right[0], tuple(right[1:]), comparing is not None, tuple(left_out))


def _rule(assertion: Assertion) -> dict[str, Any] | None:
    name, value = assertion
    if name in {"is-json", "contains-json"}:
        schema = _schema(value)
        return (
            None if schema is None else {"scorer": "json_schema", "json_schema": schema, "only_json": name == "is-json"}
        )
    if name == "regex":
        # A pattern with a group would have what it captured compared with the label, which is none here.
        return {"scorer": "regex", "pattern": str(value)} if _plain_pattern(str(value)) else None
    if name in _RULES and value not in (None, ""):
        words = {"scorer": "forbidden_words", "words": _values(value), "whole_words": False}
        return words | {"ignore_case": "icontains" in name}
    return None


def _schema(value: Any) -> dict[str, Any] | None:
    if value in (None, "", {}):
        return {}
    if isinstance(value, Mapping):
        return json.loads(json.dumps(value, default=str))  # type: ignore[no-any-return]
    try:
        found = json.loads(str(value))
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _plain_pattern(pattern: str) -> bool:
    try:
        return re.compile(pattern).groups == 0
    except re.error:
        return False


def _values(value: Any) -> list[str]:
    found = [text_of(each) for each in (value if isinstance(value, list) else [value])]
    return [each for each in found if each] or [_PLACEHOLDER]


def _key(scorer: dict[str, Any]) -> str:
    return json.dumps(scorer, sort_keys=True, ensure_ascii=False)


_NOT_RUN = {
    *(
        "llm-rubric",
        "factuality",
        "similar",
        "javascript",
        "python",
        "ruby",
        "webhook",
        "latency",
        "cost",
        "levenshtein",
    ),
    *("starts-with", "is-sql", "contains-sql", "is-xml", "contains-xml", "is-html", "contains-html", "is-refusal"),
    *("perplexity", "perplexity-score", "answer-relevance", "context-recall", "context-relevance", "g-eval", "gleu"),
    *("context-faithfulness", "model-graded-closedqa", "classifier", "moderation", "meteor", "select-best", "pi"),
    *("is-valid-openai-function-call", "is-valid-openai-tools-call", "is-valid-function-call", "guardrails", "grade"),
}
"""Assertions that are known and not carried over."""
