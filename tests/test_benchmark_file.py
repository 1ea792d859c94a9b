"""Benchmark files: every mistake is refused with its line, what was seen and the nearest valid name."""

from pathlib import Path

import pytest

from workbench.benchmark_file import parse_benchmark, read_benchmark_file, read_requirements_file, render_benchmark
from workbench.errors import BadBenchmarkFile

DEMO = Path(__file__).parents[1] / "workbench" / "demo" / "demo.yaml"
GOOD = """\
name: mine
test_set:
  file: messages.csv
  columns: {text: body}
candidates:
  - model: some/model
    quantization: Q4_K_M
    options:
      context_tokens: 4096
workloads:
  - kind: latency
    prompts: 40
"""


def test_the_demo_file_reads_and_survives_a_round_trip() -> None:
    definition, _ = read_benchmark_file(DEMO)
    assert [candidate.quantize_from for candidate in definition.candidates] == [None, None, "Q4_1"]
    assert parse_benchmark(render_benchmark(definition), "again") == definition


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("quantization:", "quantisation:", "line 7: unknown key 'quantisation'. Did you mean 'quantization'?"),
        ("kind: latency", "kind: latencies", "line 11: workloads.0.kind is 'latencies', which is not known"),
        ("prompts: 40", "prompts: many", "line 12: workloads.0.prompts is 'many'"),
        ("prompts: 40", "json_schema: '{'", "it is not JSON"),
        ("prompts: 40", "json_schema: {const: 2024-01-01}", "put dates in quotes"),
        ("prompts: 40", "json_schema: {type: object}\n    grammar: 'root ::= \"a\"'", "leave one out"),
        ("prompts: 40", "prompts: 0", "line 12: workloads.0.prompts is 0"),
        (
            "context_tokens: 4096",
            "context_token: 4096",
            "line 9: unknown key 'context_token'. Did you mean 'context_tokens'?",
        ),
        ("{text: body}", "{txt: body}", "line 4: unknown key 'txt'. Did you mean 'text'?"),
        ("name: mine", "name: two words", "line 1: name is 'two words'"),
        ("  file: messages.csv\n", "", "a test set is either a `file` or the `name`"),
        ("model: some/model", "model: some/model\n    engine: lama-cpp", "Did you mean 'llama-cpp'?"),
        ("workloads:", "workloads: [", "this is not YAML"),
        ("name: mine", "name: mine\nname: again", "this is not YAML"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_the_nearest_valid_name(old: str, new: str, words: str) -> None:
    with pytest.raises(BadBenchmarkFile) as caught:
        parse_benchmark(GOOD.replace(old, new), "mine.yaml")
    assert words in str(caught.value)


@pytest.mark.parametrize("text", ["", "just words", "- a\n- list\n"])
def test_what_is_no_benchmark_file_is_refused(text: str) -> None:
    with pytest.raises(BadBenchmarkFile, match="key: value"):
        parse_benchmark(text, "mine.yaml")


def test_several_mistakes_are_told_together() -> None:
    text = GOOD.replace("prompts: 40", "prompts: x").replace("quantization:", "quant:")
    with pytest.raises(BadBenchmarkFile) as caught:
        parse_benchmark(text, "mine.yaml")
    assert len(str(caught.value).splitlines()) == 2


def test_nothing_is_executed_by_reading_yaml() -> None:
    with pytest.raises(BadBenchmarkFile):
        parse_benchmark("name: !!python/object/apply:os.system ['exit 1']\n", "evil.yaml")


def test_requirements_are_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "requirements.yaml"
    path.write_text("limits: {min_accuracy: 0.8}\nweights: {quality: 1, latency: 0, memory: 0}\n")
    assert read_requirements_file(path).limits.min_quality == 0.8
    path.write_text("limits: {min_qality: 0.8}\n")
    with pytest.raises(BadBenchmarkFile, match="min_quality"):
        read_requirements_file(path)


@pytest.mark.parametrize(
    ("workloads", "said"),
    [
        ("[{kind: latency}, {kind: latency}]", "two workloads of kind 'latency': put one of them into a benchmark"),
        ("[{kind: arrivals}]", "line 5: workloads.0: an arrivals workload needs rates_per_second, such as"),
        ("[{kind: latency, rates_per_second: [1]}]", "only an arrivals workload has rates_per_second"),
        ("[{kind: arrivals, rates_per_second: [0]}]", "greater than or equal to 0.01"),
        ("[{kind: load_sweap}]", "Did you mean 'load_sweep'?"),
        (
            "[{kind: accuracy, synthetic: {input_tokens: 3, output_tokens: 1}}]",
            "synthetic prompts have no right answer",
        ),
        ("[{kind: latency, synthetic: {input_token: 3, output_tokens: 1}}]", "Did you mean 'input_tokens'?"),
        ("[{kind: load_sweep, synthetic: {input_tokens: 0, output_tokens: 1}}]", "greater than 0"),
    ],
)
def test_a_workload_that_makes_no_sense_is_refused_with_what_to_do(workloads: str, said: str) -> None:
    text = f"name: a\ntest_set: {{file: a.csv}}\ncandidates:\n - model: x\nworkloads: {workloads}\n"
    with pytest.raises(BadBenchmarkFile) as refused:
        parse_benchmark(text, "f.yaml")
    assert said in str(refused.value)
    assert "{'" not in str(refused.value)
