"""Whatever a model writes, every scorer gives a score within bounds, in time, and the same one again."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runners.records import Validity
from runners.scorer_options import ScorerOptions
from runners.scorers.registry import _SCORERS
from tests.scoring import answered, example, judge_one, metrics_of, options_of

NEEDS: dict[str, dict[str, object]] = {
    "regex": {"pattern": r"(\w+)"},
    "json_schema": {"json_schema": {"type": "object"}},
    "length": {"max_words": 3},
    "forbidden_words": {"words": ["never"]},
}
ALL: list[ScorerOptions] = [options_of(name, **NEEDS.get(name, {})) for name in _SCORERS if name != "python"]
ROWS = {
    "numeric": example("7", ["1,000"]),
    "json_fields": example('{"a": [1, {"b": "2024-01-01"}], "c": "x"}'),
    "choice_match": example("Paris", choices=("Paris", "Rome", "7")),
    "groundedness": example("x", passages=("Paris is old.", "")),
    "citations": example("x", passages=("one", "two"), relevant=(1,)),
}
PIECES = [
    *(
        "Paris",
        "7",
        "-",
        "1,000.5e3",
        "%",
        "[1]",
        "[2-9]",
        "{",
        "}",
        '"a":',
        ":",
        "[",
        "```json\n",
        "```",
        "A)",
        "Answer:",
    ),
    *(
        " ",
        "\n",
        "I'm sorry, but I can't help",
        "I don't know",
        ".",
        "½",
        "答案",
        "\ud800",
        "\0",
        "é",
        "e\u0301",
        "ﬁ",
        "İ",
    ),
    *("\u202e", "٣"),
]
HARD = [
    "[" * 20_000,
    '{"a":' * 5_000,
    "{" * 20_000,
    "1" * 20_000,
    "1," * 5_000,
    "1 " * 5_000,
    "." * 20_000,
    " \n" * 10_000,
    "a" * 20_000,
    "I'm sorry, " * 2_000,
    "Answer: " * 3_000,
    "(A) " * 3_000,
    "[1] " * 3_000,
    "the label is " * 2_000,
    "does not " * 3_000,
    "Paris. " * 2_000,
]


def judged(options: ScorerOptions, text: str, finish: str = "stop") -> None:
    row = ROWS.get(options.scorer, example("Paris", ["the capital"]))
    first, again = (
        judge_one(options, answered(text, finish=finish), row, labels=("Paris", "Rome", "a b")) for _ in range(2)
    )
    assert first == again
    assert first.value is not None
    assert 0 <= first.value <= 1
    assert first.validity is Validity.SCORED or first.value == 0
    assert all(math.isfinite(count) for count in first.counts.values())
    assert all(math.isfinite(value) for value in metrics_of(options, [first]).values())


@pytest.mark.parametrize("options", ALL, ids=lambda options: str(options.scorer))
@settings(max_examples=40, deadline=None)
@given(text=st.lists(st.sampled_from(PIECES), max_size=8).map("".join) | st.text(st.characters(), max_size=30))
def test_any_answer_gets_a_score(options: ScorerOptions, text: str) -> None:
    for finish in ("stop", "length"):
        judged(options, text, finish)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("options", ALL, ids=lambda options: str(options.scorer))
def test_no_answer_keeps_a_scorer_for_long(options: ScorerOptions) -> None:
    for text in HARD:
        judged(options, text)
