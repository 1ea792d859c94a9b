"""Short answers: SQuAD's measures, what an answer contains, patterns, numbers. Tables of worked examples."""

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from runners.errors import ScoringFailed
from runners.records import Validity
from runners.scorers.abstaining import abstains
from runners.scorers.normalisation import squad
from runners.scorers.numbers import numbers_in
from runners.scorers.short_answer import token_f1
from tests.scoring import answered, example, judge_one, metrics_of, options_of


@pytest.mark.parametrize(
    ("text", "normalised"),
    [
        ("The Eiffel Tower!", "eiffel tower"),
        ("a  an THE\tanswer", "answer"),
        ("U.S.", "us"),
        ("can't", "cant"),
        ("theatre", "theatre"),
        ("¿Qué?", "¿qué"),
        ("the", ""),
    ],
)
def test_squad_normalisation_is_that_of_its_script(text: str, normalised: str) -> None:
    assert squad(text) == normalised


@pytest.mark.parametrize(
    ("answer", "targets", "exact", "f1"),
    [
        ("1976", ["1976"], 1, 1),
        ("Denver Broncos", ["Denver Broncos"], 1, 1),
        ("the Denver Broncos.", ["Denver Broncos"], 1, 1),
        ("Broncos", ["Denver Broncos", "The Denver Broncos"], 0, 2 / 3),
        ("the Denver team", ["Denver Broncos"], 0, 0.5),
        ("Santa Clara, California", ["Levi's Stadium", "Santa Clara"], 0, 0.8),
        ("gold", ["silver"], 0, 0),
        ("to to to", ["to be or not to be"], 0, 4 / 9),
        ("", [""], 1, 1),
        ("Paris", [""], 0, 0),
        ("the", ["a"], 1, 1),
        ("Paris", ["", "Paris"], 1, 1),
    ],
)
def test_exact_match_and_token_f1_are_squads(answer: str, targets: list[str], exact: float, f1: float) -> None:
    row = example(targets[0], targets[1:])
    assert judge_one(options_of("exact_match"), answer, row).value == exact
    assert judge_one(options_of("token_f1"), answer, row).value == pytest.approx(f1, abs=1e-12)


@given(st.lists(st.sampled_from("abcd"), max_size=8), st.lists(st.sampled_from("abcd"), max_size=8))
def test_token_f1_is_the_harmonic_mean_of_precision_and_recall_of_common_words(one: list[str], two: list[str]) -> None:
    left = list(two)
    common = 0
    for word in one:
        if word in left:
            left.remove(word)
            common += 1
    if not one or not two:
        expected = float(one == two)
    elif common == 0:
        expected = 0.0
    else:
        precision, recall = common / len(one), common / len(two)
        expected = 2 * precision * recall / (precision + recall)
    assert token_f1(one, two) == pytest.approx(expected, abs=1e-9)


def test_means_over_the_test_set_and_what_is_missing_counts_as_nothing() -> None:
    options = options_of("token_f1")
    scores = [
        judge_one(options, "Denver Broncos", example("Denver Broncos")),
        judge_one(options, "Broncos", example("Denver Broncos")),
        judge_one(options, "", example("Denver Broncos")),
    ]
    values = [score.model_copy(update={"value": score.value or 0.0}) for score in scores]
    assert metrics_of(options, values)["token_f1"] == pytest.approx((1 + 2 / 3 + 0) / 3)
    assert scores[2].validity is Validity.EMPTY


def test_characters_are_the_tokens_of_languages_without_spaces() -> None:
    row = example("北京大学")
    assert judge_one(options_of("token_f1"), "北京", row).value == 0
    assert judge_one(options_of("token_f1", tokens="characters"), "北京", row).value == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("how", "answer", "value"),
    [
        ("none", "Paris  Texas", 0),
        ("none", " Paris Texas", 1),
        ("whitespace", " Paris\n Texas", 1),
        ("whitespace", "paris texas", 0),
    ],
)
def test_less_normalisation_asks_for_more(how: str, answer: str, value: float) -> None:
    assert judge_one(options_of("exact_match", normalise=how), answer, example("Paris Texas")).value == value


@pytest.mark.parametrize(
    ("changes", "text", "finish", "validity", "value"),
    [
        ({}, "Paris", "length", "truncated", 0),
        ({"part": "first_line"}, "Paris\nQuestion: where", "length", "scored", 1),
        ({"part": "first_line"}, "Paris", "length", "truncated", 0),
        ({"part": "first_line"}, "\n\nParis\nis the capital", "stop", "scored", 1),
        ({"part": "last_line"}, "Let me think.\nParis", "stop", "scored", 1),
        ({"after": "Answer:"}, "Rome? Answer: Rome. No. Answer: Paris", "stop", "scored", 1),
        ({"after": "Answer:"}, "Paris", "stop", "scored", 1),
        ({"after": "Answer:", "part": "first_line"}, "So. Answer: Paris\nBecause", "length", "scored", 1),
        ({}, "I'm sorry, but I can't help with that.", "stop", "refused", 0),
        ({}, "", "overflow", "overflow", 0),
    ],
)
def test_the_part_that_is_judged_and_answers_that_are_none(
    changes: dict[str, str], text: str, finish: str, validity: str, value: float
) -> None:
    score = judge_one(options_of("exact_match", **changes), answered(text, finish=finish), example("Paris"))
    assert (score.validity.value, score.value) == (validity, value)


@pytest.mark.parametrize(
    ("text", "target", "exact"),
    [("I don't know.", "", 1), ("I don't know.", "Paris", 0), ("Paris", "", 0), ("Paris", "Paris", 1)],
)
def test_abstaining_is_the_empty_answer_of_questions_on_a_context(text: str, target: str, exact: float) -> None:
    row = example(target, passages=("Rome is old.",))
    assert judge_one(options_of("exact_match"), text, row, task="context_question").value == exact
    assert judge_one(options_of("token_f1"), text, row, task="context_question").value == exact


def test_elsewhere_i_dont_know_is_an_answer_like_any_other() -> None:
    assert judge_one(options_of("exact_match"), "I don't know", example("")).value == 0


@pytest.mark.parametrize(
    "text",
    [
        "I don't know.",
        "I do not know the answer.",
        "The passages do not say.",
        "The provided context does not contain this information.",
        "The text doesn't mention it",
        "There is not enough information to answer.",
        "This cannot be determined from the passages.",
        "It is not mentioned in the text.",
        "Unanswerable",
        "unknown.",
        "N/A",
        "No answer",
        "The answer is not given in the passages.",
        "Das steht nicht im Text.",
        "Ich weiß es nicht.",
        "Je ne sais pas.",
        "No lo sé.",
        "文中没有提到。",
        "わかりません。",
        "  ",
    ],
)
def test_these_answers_abstain(text: str) -> None:
    assert abstains(text)


@pytest.mark.parametrize(
    "text",
    [
        "Paris",
        "The price is 5 EUR. The cost of delivery is not mentioned in the text.",
        "The unknown soldier",
        "No",
        "None of the three lived there",
        "He did not answer the letter.",
        "1945",
    ],
)
def test_these_do_not(text: str) -> None:
    assert not abstains(text)


def test_own_phrases_abstain_too() -> None:
    assert not abstains("ask a colleague")
    assert abstains("Please ASK a colleague.", ["ask a colleague"])


@pytest.mark.parametrize(
    ("changes", "answer", "targets", "value"),
    [
        ({}, "It was Paris, of course.", ["Paris"], 1),
        ({}, "it was PARIS", ["Paris"], 1),
        ({}, "Parisian", ["Paris"], 0),
        ({"whole_words": False}, "Parisian", ["Paris"], 1),
        ({"ignore_case": False}, "it was paris", ["Paris"], 0),
        ({}, "I know", ["no"], 0),
        ({}, "in 2012", ["12"], 0),
        ({}, "Rome", ["Paris", "Rome"], 1),
        ({"needed": "all"}, "Rome", ["Paris", "Rome"], 0),
        ({"needed": "all"}, "Paris and Rome", ["Paris", "Rome"], 1),
        ({}, "他住在北京市", ["北京"], 1),
        ({}, "It cannot be determined from the text.", [""], 1),
        ({}, "Paris", [""], 0),
    ],
)
def test_contains(changes: dict[str, object], answer: str, targets: list[str], value: float) -> None:
    assert judge_one(options_of("contains", **changes), answer, example(targets[0], targets[1:])).value == value


def test_what_is_found_in_a_cut_answer_counts_and_what_is_not_may_have_come() -> None:
    found = judge_one(options_of("contains"), answered("Paris is", finish="length"), example("Paris"))
    missing = judge_one(options_of("contains"), answered("Rome is", finish="length"), example("Paris"))
    assert (found.validity, found.value) == (Validity.SCORED, 1)
    assert missing.validity is Validity.TRUNCATED


@pytest.mark.parametrize(
    ("changes", "answer", "validity", "value", "predicted"),
    [
        ({"pattern": r"\d{4}-\d{2}"}, "on 2025-04", "scored", 1, "2025-04"),
        ({"pattern": r"\d{4}-\d{2}"}, "never", "scored", 0, None),
        ({"pattern": r"\d{4}-\d{2}", "match": "full"}, "on 2025-04", "scored", 0, None),
        ({"pattern": r"\d{4}-\d{2}", "match": "full"}, " 2025-04 ", "scored", 1, "2025-04"),
        ({"pattern": r"code: (\w+)"}, "the code: AB1 or so", "scored", 1, "AB1"),
        ({"pattern": r"code: (\w+)"}, "the code: ab1", "scored", 0, "ab1"),
        ({"pattern": r"code: (\w+)", "ignore_case": True}, "the CODE: ab1", "scored", 1, "ab1"),
        ({"pattern": r"code: (\w+)"}, "none", "unparseable", 0, None),
        ({"pattern": r"(\w+)!|(\w+)\?"}, "AB1?", "scored", 1, "AB1"),
        ({"pattern": r"#(\w+)", "take": "last"}, "#XY #AB1", "scored", 1, "AB1"),
        ({"pattern": r"#(\w+)"}, "#XY #AB1", "scored", 0, "XY"),
    ],
)
def test_regex(changes: dict[str, object], answer: str, validity: str, value: float, predicted: str | None) -> None:
    score = judge_one(options_of("regex", **changes), answer, example("AB1"))
    assert (score.validity.value, score.value, score.predicted) == (validity, value, predicted)


def test_a_pattern_that_never_ends_is_a_failure_and_not_a_hang() -> None:
    with pytest.raises(ScoringFailed, match="did not come to an end"):
        judge_one(options_of("regex", pattern=r"(a|aa)+$"), "a" * 100 + "b", example("x"))


def test_a_wrong_pattern_is_refused_with_a_sentence() -> None:
    with pytest.raises(ValidationError, match="no regular expression"):
        options_of("regex", pattern="(")


NUMBERS = [
    ("72", "72"),
    ("1,234.50", "2469/2"),
    ("$1,234", "1234"),
    ("€ 3.50", "7/2"),
    ("-5", "-5"),
    ("(−5)", "-5"),
    ("-$5", "-5"),
    ("3/4", "3/4"),
    ("1 1/2", "3/2"),
    ("1½", "3/2"),
    ("45%", "45"),
    ("6.02e23", "602000000000000000000000"),
    ("6.02 × 10^23", "602000000000000000000000"),
    (r"\boxed{42}", "42"),
    (r"$\frac{3}{4}$", "3/4"),
    ("12 345", "12345"),
    ("1'234", "1234"),
    ("1{,}000", "1000"),
    (".5", "1/2"),
    ("1.", "1"),
    ("x=5", "5"),
    ("0.1", "1/10"),
]


@pytest.mark.parametrize(("text", "value"), NUMBERS)
def test_a_number_is_read_as_it_is_written(text: str, value: str) -> None:
    assert [number.value for number in numbers_in(text)] == [Fraction(value)]


@pytest.mark.parametrize(
    ("text", "values"),
    [("5-3", [5, 3]), ("10 1,000", [10, 1000]), ("2024-01-05", [2024, 1, 5]), ("v2", []), ("A1 and 1/0", []), ("", [])],
)
def test_signs_dates_and_names_are_not_taken_for_numbers(text: str, values: list[int]) -> None:
    assert [number.value for number in numbers_in(text)] == values


def test_the_decimal_comma_is_an_option() -> None:
    assert [number.value for number in numbers_in("1.234,56 und 0,5", ",")] == [Fraction(123456, 100), Fraction(1, 2)]


@given(st.integers(-(10**12), 10**12), st.integers(0, 6))
def test_any_number_is_read_with_thousands_and_decimals(whole: int, places: int) -> None:
    value = Fraction(whole, 10**places)
    text = f"The total is {whole / 10**places:,.{places}f} in all." if abs(whole) < 10**14 else str(whole)
    assert [number.value for number in numbers_in(text)] == [value]


@pytest.mark.parametrize(
    ("changes", "answer", "target", "value"),
    [
        ({}, "She has 3 + 4 = 7 apples.", "7", 1),
        ({}, "7 apples, as 3 + 4", "7", 0),
        ({"take": "first"}, "7 apples, as 3 + 4", "7", 1),
        ({}, "The answer is $1,000.00", "1000", 1),
        ({"after": "####"}, "10 + 62\n#### 72 dollars of 100", "#### 72", 1),
        ({}, "72.4", "72", 0),
        ({"absolute_tolerance": 0.5}, "72.4", "72", 1),
        ({"relative_tolerance": 0.01}, "101", "100", 1),
        ({"relative_tolerance": 0.01}, "101.1", "100", 0),
        ({}, "45%", "0.45", 1),
        ({}, "45 percent", "45", 1),
        ({}, "0.45", "45%", 1),
        ({}, "3/4", "0.75", 1),
        ({}, "0.30000000000000004", "0.3", 0),
        ({"decimal": ","}, "1.000,5 Euro", "1000,5", 1),
    ],
)
def test_numeric(changes: dict[str, object], answer: str, target: str, value: float) -> None:
    assert judge_one(options_of("numeric", **changes), answer, example(target)).value == value


@pytest.mark.parametrize(
    ("changes", "text", "finish", "validity"),
    [
        ({}, "no number", "stop", "unparseable"),
        ({"after": "####"}, "It is 72", "stop", "unparseable"),
        ({}, "I'm sorry, I can't help with that.", "stop", "refused"),
        ({}, "the total is 72", "length", "truncated"),
        ({"after": "####"}, "#### 72", "length", "truncated"),
        ({"after": "####"}, "#### 72\nQuestion:", "length", "scored"),
        ({"take": "first"}, "72 apples and", "length", "scored"),
    ],
)
def test_a_number_that_is_missing_or_may_be_cut_is_not_wrong(
    changes: dict[str, object], text: str, finish: str, validity: str
) -> None:
    score = judge_one(options_of("numeric", **changes), answered(text, finish=finish), example("72"))
    assert score.validity.value == validity


def test_a_target_without_a_number_is_a_failure_that_names_the_example() -> None:
    with pytest.raises(ScoringFailed, match="'many' of the example 'q7'"):
        judge_one(options_of("numeric"), "7", example("many", identity="q7"))


def test_gsm8k_extraction_is_that_of_the_harness() -> None:
    # lm-evaluation-harness, gsm8k.yaml: flexible-extract takes the last match of its pattern, commas and $ left out.
    pattern = re.compile(r"(-?[$0-9.,]{2,})|(-?[0-9]+)")
    for text in ("Natalia sold 48/2 = 24 clips in May, so 48+24 = 72.", "It costs $1,200 in all", "12 then -5"):
        last = max(pattern.findall(text)[-1], key=len)
        value = Fraction(re.sub(r"[,$]|\.$", "", last))
        assert list(numbers_in(text))[-1].value == value
