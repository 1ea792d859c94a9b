"""Extraction: JSON found in answers, fields compared by what they are, counts that equal scikit-learn's."""

import datetime
import json
import random

import jsonschema
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score

from runners.errors import ScoringFailed
from runners.records import Score, Validity
from runners.scorers.dates import read_date
from runners.scorers.json_answer import json_in
from tests.scoring import answered, example, judge_one, metrics_of, options_of

RECORD = '{"name": "Ada Lovelace", "born": "1815-12-10", "items": ["a", "b"], "total": 10.5}'


def counts(answer: object, target: object, **changes: object) -> tuple[float, float, float]:
    said = answer if isinstance(answer, str) else json.dumps(answer)
    score = judge_one(options_of("json_fields", **changes), said, example(json.dumps(target)))
    return score.counts["true"], score.counts["predicted"], score.counts["expected"]


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}',
        'Here it is: {"a": 1}. I hope it helps.',
        '```json\n{"a": 1}\n```',
        'An example is {}. The answer:\n```\n{"a": 1}\n```\nDone {now}.',
        '{"a": 1} {}',
        '{ {"a": 1}',
    ],
)
def test_json_is_found_in_prose_and_code_fences(text: str) -> None:
    assert json_in(text) == {"a": 1}


@pytest.mark.parametrize("text", ["", "no", '{"a": 1', "{'a': 1}", '{"a": NaN}', "{" * 5000, '"text"', "[" * 100_000])
def test_what_is_no_json_is_none(text: str) -> None:
    assert json_in(text) is None


@pytest.mark.parametrize(
    ("said", "right", "expected"),
    [
        ({"a": "x"}, {"a": "x"}, (1, 1, 1)),
        ({"a": " X "}, {"a": "x"}, (1, 1, 1)),
        ({"a": "y"}, {"a": "x"}, (0, 1, 1)),
        ({}, {"a": "x"}, (0, 0, 1)),
        ({"a": None}, {"a": "x"}, (0, 0, 1)),
        ({"a": ""}, {}, (0, 0, 0)),
        ({"b": 1}, {"a": None}, (0, 1, 0)),
        ({"a": "1,000.0"}, {"a": 1000}, (1, 1, 1)),
        ({"a": "$12"}, {"a": 12}, (1, 1, 1)),
        ({"a": 7}, {"a": "007"}, (0, 1, 1)),
        ({"a": "true"}, {"a": True}, (1, 1, 1)),
        ({"a": 1}, {"a": True}, (0, 1, 1)),
        ({"d": "March 5, 2024"}, {"d": "2024-03-05"}, (1, 1, 1)),
        ({"d": "05.03.2024"}, {"d": "2024-03-05"}, (1, 1, 1)),
        ({"d": "2024-03-05T10:00:00Z"}, {"d": "2024-03-05"}, (1, 1, 1)),
        ({"d": "2024-03-06"}, {"d": "2024-03-05"}, (0, 1, 1)),
        ({"t": ["b", "a"]}, {"t": ["a", "b"]}, (2, 2, 2)),
        ({"t": ["a", "a"]}, {"t": ["a"]}, (1, 2, 1)),
        ({"t": ["a"]}, {"t": ["a", "a"]}, (1, 1, 2)),
        ({"t": "a"}, {"t": ["a"]}, (0, 1, 1)),
        ({"p": {"x": 1, "y": 2}}, {"p": {"x": 1, "y": 3}}, (1, 2, 2)),
        ({"p": {"x": 1}}, {"p": 1}, (0, 1, 1)),
        (
            {"lines": [{"n": "tea", "q": 2}, {"n": "milk", "q": 1}]},
            {"lines": [{"n": "milk", "q": 1}, {"n": "tea", "q": 3}]},
            (3, 4, 4),
        ),
        ([{"a": 1}], [{"a": 1}, {"a": 2}], (1, 1, 2)),
    ],
)
def test_fields_are_counted_by_path_and_compared_by_type(
    said: object, right: object, expected: tuple[int, int, int]
) -> None:
    assert counts(said, right) == expected


def test_types_tolerance_and_the_order_of_dates_are_options() -> None:
    assert counts({"id": "AB"}, {"id": "ab"}, types={"id": "exact"}) == (0, 1, 1)
    assert counts({"n": "7"}, {"n": "007"}, types={"n": "number"}) == (1, 1, 1)
    assert counts({"n": 10.4}, {"n": 10}, absolute_tolerance=0.5) == (1, 1, 1)
    assert counts({"n": 10.4}, {"n": 10}, relative_tolerance=0.04) == (1, 1, 1)
    assert counts({"d": "03/04/2025"}, {"d": "2025-04-03"}) == (0, 1, 1)
    assert counts({"d": "03/04/2025"}, {"d": "2025-04-03"}, day_first=True) == (1, 1, 1)
    assert counts({"l": [{"p": "2.0"}]}, {"l": [{"p": "2"}]}, types={"l.p": "number"}) == (1, 1, 1)


@pytest.mark.parametrize(
    "text",
    [
        "2025-04-03",
        "2025/4/3",
        "2025.04.03",
        "3 April 2025",
        "3rd of April 2025",
        "3. April 2025",
        "April 3, 2025",
        "Apr. 3rd, 2025",
        "03-Apr-2025",
        "3.4.2025",
        "4/3/2025",
        "3 de abril de 2025",
        "3 avril 2025",
        "2025-04-03 17:30",
        "2025-04-03T17:30:00+02:00",
    ],
)
def test_a_date_is_read_in_its_usual_spellings(text: str) -> None:
    assert read_date(text) == datetime.date(2025, 4, 3)


@pytest.mark.parametrize(
    "text", ["", "2025", "April 2025", "3/4", "1.2.3", "2025-13-40", "30 February 2025", "12345678"]
)
def test_what_is_not_clearly_a_date_is_none(text: str) -> None:
    assert read_date(text) is None


def test_a_day_that_can_only_be_one_is_read_so_whatever_the_order() -> None:
    assert read_date("25/12/2024") == read_date("12/25/2024", day_first=True) == datetime.date(2024, 12, 25)


@pytest.mark.parametrize(
    ("text", "finish", "validity"),
    [
        ("I cannot find any.", "stop", "unparseable"),
        ('{"name": "Ada', "stop", "unparseable"),
        ('{"name": "Ada', "length", "truncated"),
        (RECORD + " and then", "length", "scored"),
        ("I'm sorry, but I can't help with that.", "stop", "refused"),
        ("[1, 2]", "stop", "unparseable"),
        ("", "stop", "empty"),
    ],
)
def test_an_answer_without_json_misses_every_field(text: str, finish: str, validity: str) -> None:
    score = judge_one(options_of("json_fields"), answered(text, finish=finish), example(RECORD))
    assert score.validity.value == validity
    if validity != "scored":
        assert score.counts == {"true": 0, "predicted": 0, "expected": 5, "record": 0}


def test_the_value_is_one_exactly_where_the_whole_record_is_right() -> None:
    whole = judge_one(options_of("json_fields"), RECORD, example(RECORD))
    more = judge_one(options_of("json_fields"), RECORD[:-1] + ', "more": 1}', example(RECORD))
    assert (whole.value, whole.counts["record"]) == (1, 1)
    assert more.value == pytest.approx(10 / 11)
    assert more.counts["record"] == 0


def test_of_several_right_records_the_closest_counts() -> None:
    row = example('{"a": 1, "b": 2}', accepted=['{"a": 3}'])
    assert judge_one(options_of("json_fields"), '{"a": 3}', row).value == 1


def test_a_target_that_is_no_json_is_a_failure_that_names_the_example() -> None:
    with pytest.raises(ScoringFailed, match="'q3'"):
        judge_one(options_of("json_fields"), "{}", example("Ada", identity="q3"))


def test_micro_precision_recall_and_f1_equal_scikit_learn() -> None:
    rng = random.Random(7)
    options = options_of("json_fields")
    names, values = "abcd", "xyz"
    scores: list[Score] = []
    said_rows: list[list[int]] = []
    right_rows: list[list[int]] = []
    for _ in range(200):
        said, right = ({name: rng.choice(values) for name in names if rng.random() < 0.7} for _ in range(2))
        scores.append(judge_one(options, json.dumps(said), example(json.dumps(right))))
        for rows, record in ((said_rows, said), (right_rows, right)):
            rows.append([int(record.get(name) == value) for name in names for value in values])
    found = metrics_of(options, scores)
    assert found["field_f1"] == pytest.approx(f1_score(right_rows, said_rows, average="micro"), abs=1e-9)
    assert found["field_precision"] == pytest.approx(precision_score(right_rows, said_rows, average="micro"), abs=1e-9)
    assert found["field_recall"] == pytest.approx(recall_score(right_rows, said_rows, average="micro"), abs=1e-9)
    assert found["record_match"] == pytest.approx(
        sum(said == right for said, right in zip(said_rows, right_rows, strict=True)) / 200
    )


SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "integer", "minimum": 0}, "b": {"enum": ["x", "y"]}},
    "required": ["a"],
    "additionalProperties": False,
}


def test_validity_under_a_schema_is_that_of_jsonschema() -> None:
    rng = random.Random(3)
    rule, fields = options_of("json_schema", json_schema=SCHEMA), options_of("json_fields", json_schema=SCHEMA)
    scores = []
    valid = 0
    for _ in range(200):
        said = {name: rng.choice([0, 1, 2, "x", "y", None]) for name in "ab" if rng.random() < 0.8}
        said |= {"c": 1} if rng.random() < 0.1 else {}
        is_valid = jsonschema.Draft202012Validator(SCHEMA).is_valid(said)
        valid += is_valid
        assert judge_one(rule, json.dumps(said), example()).value == is_valid
        scores.append(judge_one(fields, json.dumps(said), example('{"a": 1}')))
    assert metrics_of(fields, scores)["schema_valid"] == pytest.approx(valid / 200)
    assert 10 < valid < 190


def test_only_json_refuses_prose_and_what_is_wrong_is_said() -> None:
    options = options_of("json_schema", json_schema=SCHEMA, only_json=True)
    assert judge_one(options, 'It is {"a": 1}', example()).validity is Validity.UNPARSEABLE
    assert judge_one(options, '{"a": 1}', example()).value == 1
    assert judge_one(options, '{"a": -1}', example()).predicted == "-1 is less than the minimum of 0"


def test_a_schema_that_is_none_is_refused() -> None:
    with pytest.raises(ScoringFailed, match="not valid"):
        judge_one(options_of("json_schema", json_schema={"type": "nothing"}), "{}", example())


def test_a_schema_fetches_nothing_from_the_network() -> None:
    options = options_of("json_schema", json_schema={"$ref": "http://127.0.0.1:9/schema.json"})
    with pytest.raises(Exception, match="Unresolvable"):
        judge_one(options, "{}", example())
