"""Scorers named in a benchmark file, from answers to the metrics that are compared."""

import json
from pathlib import Path

import pytest

from runners.errors import BadTestSet
from tests.test_cli import printed, workbench
from workbench.benchmark_file import read_benchmark_file
from workbench.test_sets import prepare_benchmark

RIGHT = ('{"name": "Ada", "born": "1815-12-10"}', '{"name": "Alan", "born": "1912-06-23"}', '{"name": "Grace"}', "{}")
SAID = (
    'Here: {"born": "10 December 1815", "name": "ada"}',
    '{"name": "Alan", "born": 1912}',
    "I'm sorry, but I can't help with that.",
    '{"name": "nobody", "born": "unknown"}',
)
BENCHMARK = """\
name: people
task: extraction
test_set: {file: people.jsonl}
scorers:
  - json_fields
  - {scorer: python, function: "own.py:is_short"}
candidates:
  - {name: a, model: a, engine: scripted}
workloads:
  - kind: accuracy
    answers: free
    json_schema: {type: object, properties: {born: {type: string}}, required: [name]}
"""
FUNCTION = """\
def is_short(answer, example):
    if "nobody" in answer:
        raise ValueError("who is that?")
    return len(answer) < LIMIT
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [{"id": f"p{n}", "text": f"person {n}", "label": right} for n, right in enumerate(RIGHT)]
    (tmp_path / "people.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    answers = [{"id": f"p{n}", "model": "a", "text": said} for n, said in enumerate(SAID)]
    (tmp_path / "answers.jsonl").write_text("".join(json.dumps(answer) + "\n" for answer in answers))
    (tmp_path / "people.yaml").write_text(BENCHMARK)
    (tmp_path / "own.py").write_text(FUNCTION.replace("LIMIT", "35"))
    return tmp_path


def metrics(home: Path) -> dict[str, tuple[float, str]]:
    (summary,) = printed(workbench(home, "compare", "people", "--json"))["candidates"]
    return {each["name"]: (each["estimate"]["value"], each["estimate"]["method"]) for each in summary["metrics"]}


def test_extraction_is_measured_and_compared_by_fields_and_scored_again_by_another_function(folder: Path) -> None:
    home = folder / "home"
    workbench(home, "completions", "import", str(folder / "answers.jsonl"), "--testset", str(folder / "people.yaml"))
    found = metrics(home)
    # Three of the six fields that were said are right, of five that there are.
    assert next(iter(found)) == "field_f1"
    assert found["field_f1"][0] == pytest.approx(2 * 3 / (6 + 5))
    assert found["field_precision"][0] == pytest.approx(3 / 6)
    assert found["field_recall"][0] == pytest.approx(3 / 5)
    assert found["record_match"] == (0.25, "Wilson 95 %")
    assert found["schema_valid"] == (0.5, "Wilson 95 %")
    assert found["score"][0] == pytest.approx(1 / 3)
    (summary,) = printed(workbench(home, "compare", "people", "--json"))["candidates"]
    assert {row["validity"]: row["count"] for row in summary["validity"] if row["count"]} == {"scored": 3, "refused": 1}
    assert ["who is that?" in failure["message"] for failure in summary["failures"]] == [True]
    (folder / "own.py").write_text(FUNCTION.replace("LIMIT", "500"))
    workbench(home, "rescore", str(folder / "people.yaml"))
    again = metrics(home)
    assert again["score"][0] == pytest.approx(1)
    assert again["field_f1"] == found["field_f1"]


def test_a_function_that_is_not_there_stops_the_benchmark_before_a_model_is_loaded(folder: Path) -> None:
    (folder / "own.py").write_text("def is_shorter(answer, example): return 1\n")
    definition, _ = read_benchmark_file(folder / "people.yaml")
    with pytest.raises(BadTestSet, match=r"no function 'is_short'\. Did you mean 'is_shorter'"):
        prepare_benchmark(definition, folder)


def test_a_wrong_schema_stops_it_too(folder: Path) -> None:
    text = (folder / "people.yaml").read_text().replace("{type: object, properties", "{type: nothing, properties")
    (folder / "people.yaml").write_text(text)
    definition, _ = read_benchmark_file(folder / "people.yaml")
    with pytest.raises(BadTestSet, match=r"'json_fields' cannot be used\. The JSON schema of a scorer is not valid"):
        prepare_benchmark(definition, folder)
