"""Tasks of lm-evaluation-harness and promptfoo configurations become examples and benchmark files that are accepted."""

import json
from pathlib import Path
from typing import Any

import pytest

from runners.errors import BadTestSet
from tests.test_cli import workbench as run_workbench
from workbench.benchmark_file import read_benchmark_file
from workbench.conversion import convert_file
from workbench.test_set_records import ConvertedBenchmark
from workbench.test_sets import prepare_benchmark

MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"

BOOLQ = """\
task: my_boolq
dataset_path: json
dataset_kwargs:
  data_files: {validation: boolq.jsonl, train: boolq_train.jsonl}
output_type: multiple_choice
training_split: train
validation_split: validation
doc_to_text: "{{passage}}\\nQuestion: {{question}}?\\nAnswer:"
doc_to_target: label
doc_to_choice: ["no", "yes"]
description: "Answer the question about the passage."
num_fewshot: 1
metric_list:
  - metric: acc
  - metric: acc_norm
  - metric: brier_score
metadata:
  version: 2.0
"""
SCIQ = """\
task: my_sciq
dataset_path: parquet
dataset_kwargs:
  data_files: sciq.parquet
output_type: multiple_choice
test_split: train
doc_to_text: "{{support.lstrip()}}\\nQuestion: {{question}}\\nAnswer:"
doc_to_target: 3
doc_to_choice: "{{[distractor1, distractor2, distractor3, correct_answer]}}"
metric_list:
  - metric: acc
    aggregation: mean
    higher_is_better: true
"""
GSM8K = """\
task: my_gsm8k
dataset_path: json
dataset_kwargs: {data_files: {test: "gsm*.jsonl"}}
output_type: generate_until
test_split: test
doc_to_text: "Question: {{question}}\\nAnswer:"
doc_to_target: "{{answer}}"
metric_list:
  - metric: exact_match
    aggregation: mean
    higher_is_better: true
    ignore_case: true
    ignore_punctuation: false
    regexes_to_ignore: [",", "\\\\$", "(?s).*#### "]
generation_kwargs:
  until: ["Question:", "</s>"]
  do_sample: false
  temperature: 0.0
  max_gen_toks: 300
repeats: 1
num_fewshot: 0
filter_list:
  - name: strict-match
    filter:
      - function: regex
        regex_pattern: "#### (\\\\-?[0-9\\\\.\\\\,]+)"
      - function: take_first
  - name: flexible-extract
    filter:
      - function: regex
        group_select: -1
        regex_pattern: "(-?[$0-9.,]{2,})|(-?[0-9]+)"
      - function: take_first
"""


def write_lines(path: Path, *rows: dict[str, Any]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def convert(path: Path, text: str) -> ConvertedBenchmark:
    path.write_text(text, encoding="utf-8")
    (converted,) = convert_file(path, path.parent / "out", None, (MODEL,))
    return converted


def test_a_multiple_choice_task_keeps_its_prompt_choices_and_metrics(tmp_path: Path) -> None:
    write_lines(
        tmp_path / "boolq.jsonl",
        {"question": "is ice cold", "passage": "Ice is frozen water.", "label": 1},
        {"question": "do cats bark", "passage": "Cats meow.", "label": 0},
    )
    write_lines(tmp_path / "boolq_train.jsonl", {"question": "is fire wet", "passage": "Fire burns.", "label": 0})
    converted = convert(tmp_path / "boolq.yaml", BOOLQ)
    definition, text = read_benchmark_file(Path(converted.benchmark))
    test_set = prepare_benchmark(definition, Path(converted.benchmark).parent).test_set
    assert [example.target for example in test_set.examples] == ["yes", "no"]
    assert test_set.examples[0].choices == ("no", "yes")
    assert test_set.examples[0].inputs["text"] == "Ice is frozen water.\nQuestion: is ice cold?\nAnswer:"
    assert [shot.target for shot in test_set.few_shot] == ["no"]
    assert test_set.prompt.system == "Answer the question about the passage."
    assert [(scorer.name, getattr(scorer, "decides", None)) for scorer in test_set.scorers] == [
        ("acc", "raw"),
        ("acc_norm", "normalised"),
    ]
    assert any("brier_score" in note for note in converted.notes)
    assert "# Not carried over: the metric brier_score." in text


def test_choices_may_be_a_template_and_the_target_a_fixed_place(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    row = {
        "question": "What do plants make?",
        "support": " Plants make sugar.",
        "distractor1": "salt",
        "distractor2": "iron",
        "distractor3": "oil",
        "correct_answer": "sugar",
    }
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "sciq.parquet")
    converted = convert(tmp_path / "sciq.yaml", SCIQ)
    definition, _ = read_benchmark_file(Path(converted.benchmark))
    (example,) = prepare_benchmark(definition, Path(converted.benchmark).parent).test_set.examples
    assert (example.target, example.choices) == ("sugar", ("salt", "iron", "oil", "sugar"))
    assert example.inputs["text"].startswith("Plants make sugar.\nQuestion:")


def test_a_generating_task_keeps_stop_strings_filters_and_what_is_ignored(tmp_path: Path) -> None:
    write_lines(
        tmp_path / "gsm8k.jsonl",
        {"question": "2 + 2?", "answer": "Two and two.\n#### 4"},
        {"question": "1,000 + 800?", "answer": "Add.\n#### 1,800"},
    )
    converted = convert(tmp_path / "gsm8k.yaml", GSM8K)
    definition, _ = read_benchmark_file(Path(converted.benchmark))
    prepared = prepare_benchmark(definition, Path(converted.benchmark).parent)
    assert [example.target for example in prepared.test_set.examples] == ["4", "1800"]
    assert [(scorer.scorer, scorer.name) for scorer in prepared.test_set.scorers] == [
        ("regex", "strict-match"),
        ("numeric", "flexible-extract"),
    ]
    accuracy = prepared.definition.workloads[0]
    assert (accuracy.stop, accuracy.max_output_tokens) == (("Question:", "</s>"), 300)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("doc_to_text: !function utils.text", "Python function 'utils.text', which is not run"),
        ("process_docs: !function utils.docs", "Python function 'utils.docs'"),
        ("output_type: loglikelihood_rolling", "output_type 'loglikelihood_rolling'"),
        ("doc_to_text: '{{ nothing }}'", "does not render"),
        ("doc_to_target: '7'", "target 7 of 2 choices"),
        ("dataset_path: allenai/sciq", "hf download allenai/sciq"),
        ("dataset_kwargs: {data_files: none.jsonl}", "no data file 'none.jsonl'"),
        ("doc_to_choice: question", "no list"),
        ("include: nowhere.yaml", "There is no file"),
        ("include: self.yaml", "in a circle"),
    ],
)
def test_what_cannot_be_carried_over_is_refused_with_a_sentence(tmp_path: Path, change: str, words: str) -> None:
    write_lines(tmp_path / "boolq.jsonl", {"question": "q", "passage": "p", "label": 1})
    key = change.partition(":")[0]
    lines = [line for line in BOOLQ.splitlines() if not line.startswith(f"{key}:") and "num_fewshot" not in line]
    if key == "dataset_kwargs":
        lines.remove("  data_files: {validation: boolq.jsonl, train: boolq_train.jsonl}")
    with pytest.raises(BadTestSet, match=words):
        convert(tmp_path / "self.yaml", "\n".join([*lines, change]))


def test_an_included_file_is_the_base_that_a_task_changes(tmp_path: Path) -> None:
    write_lines(tmp_path / "boolq.jsonl", {"question": "q", "passage": "p", "label": 1})
    (tmp_path / "base.yaml").write_text(BOOLQ.replace("num_fewshot: 1", "num_fewshot: 0"), encoding="utf-8")
    converted = convert(tmp_path / "task.yaml", 'include: base.yaml\ntask: changed\ndoc_to_text: "{{question}}!"\n')
    assert Path(converted.benchmark).name == "changed.yaml"
    assert json.loads(Path(converted.test_set).read_text())["text"] == "q!"


PROMPTFOO = """\
description: Capitals and sums
prompts:
  - 'Answer briefly: {{question}}'
  - file://chat.json
providers: [openai:gpt-4o-mini]
defaultTest:
  assert:
    - type: not-contains
      value: As an AI
tests:
  - vars: {question: 'What is the capital of France?'}
    assert: [{type: icontains, value: Paris}]
    metadata: {topic: geography}
  - vars: {question: 'Name a primary colour.'}
    assert: [{type: icontains-any, value: [red, blue, yellow]}]
  - vars: {question: ['What is 2 + 2?', 'What is 3 + 1?']}
    assert: [{type: equals, value: '4'}, {type: latency, threshold: 100}]
  - vars: {question: 'Tell a joke.'}
    assert: [{type: llm-rubric, value: is funny}]
  - file://more.csv
"""
MORE = """\
question,__expected1,__expected2,__metadata:topic
What is 5 * 6?,equals: 30,javascript: output.length < 10,sums
Who wrote Hamlet?,Shakespeare,,books
"""
CHAT = '[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "{{question}}"}]'


def test_promptfoo_tests_are_sorted_by_how_they_are_judged(tmp_path: Path) -> None:
    for name, text in (("promptfooconfig.yaml", PROMPTFOO), ("more.csv", MORE), ("chat.json", CHAT)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    converted = convert_file(tmp_path / "promptfooconfig.yaml", tmp_path / "out", "capitals", (MODEL,))
    by_scorer = {}
    for each in converted:
        definition, _ = read_benchmark_file(Path(each.benchmark))
        prepared = prepare_benchmark(definition, Path(each.benchmark).parent)
        by_scorer[prepared.test_set.scorers[0].scorer] = prepared
        assert [prompt.name for prompt in definition.prompts] == ["prompt-1", "prompt-2"]
        assert definition.prompts[1].system == "Be brief."
        assert prepared.test_set.scorers[-1].scorer == "forbidden_words"
    equal, held = by_scorer["exact_match"].test_set, by_scorer["contains"].test_set
    assert [(e.inputs["question"], e.target) for e in equal.examples] == [
        ("What is 2 + 2?", "4"),
        ("What is 3 + 1?", "4"),
        ("What is 5 * 6?", "30"),
        ("Who wrote Hamlet?", "Shakespeare"),
    ]
    assert [e.targets for e in held.examples] == [("Paris",), ("red", "blue", "yellow")]
    assert held.examples[0].slices == {"meta_topic": "geography"}
    notes = " ".join(converted[0].notes)
    assert "latency, which 2 of 7 tests assert" in notes
    assert "javascript, which 1 of 7 tests assert" in notes
    assert "llm-rubric, which 1 of 7 tests assert" in notes
    assert [e.inputs["question"] for e in by_scorer["forbidden_words"].test_set.examples] == ["Tell a joke."]
    assert "providers" in notes


@pytest.mark.parametrize(
    ("cell", "name", "value"),
    [
        ("Paris", "equals", "Paris"),
        ("equals: 30", "equals", "30"),
        ("contains:Paris", "contains", "Paris"),
        ("contains-any: <b>,</span>", "contains-any", ["<b>", "</span>"]),
        ("similar(0.8):Hello there", "similar", "Hello there"),
        ("not-contains: sorry", "not-contains", "sorry"),
        ("is-json", "is-json", None),
        ("Note: this is text", "equals", "Note: this is text"),
        ("12:30", "equals", "12:30"),
        ("contains", "equals", "contains"),
    ],
)
def test_expected_cells_are_read_as_promptfoo_does(cell: str, name: str, value: object) -> None:
    from workbench.promptfoo_asserts import from_cell

    assert tuple(from_cell(cell)) == (name, value)


def test_rules_alone_make_a_benchmark_too(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    text = "prompts: ['JSON for {{x}}']\ntests:\n- vars: {x: a}\n  assert: [{type: is-json}]\n"
    path.write_text(text + "- vars: {x: b}\n  assert: [{type: is-json}]\n", encoding="utf-8")
    (converted,) = convert_file(path, tmp_path / "out", None, (MODEL,))
    definition, _ = read_benchmark_file(Path(converted.benchmark))
    assert definition.scorers is not None
    assert definition.scorers[0].scorer == "json_schema"
    assert any("placeholder" in note for note in converted.notes)


def test_nothing_is_overwritten_and_other_yaml_is_told_apart(tmp_path: Path) -> None:
    write_lines(tmp_path / "boolq.jsonl", {"question": "q", "passage": "p", "label": 1})
    text = BOOLQ.replace("num_fewshot: 1", "num_fewshot: 0")
    convert(tmp_path / "boolq.yaml", text)
    with pytest.raises(BadTestSet, match="exists already"):
        convert(tmp_path / "boolq.yaml", text)
    with pytest.raises(BadTestSet, match="is a benchmark file"):
        convert(tmp_path / "bench.yaml", "name: x\ncandidates: []\n")
    with pytest.raises(BadTestSet, match="is neither"):
        convert(tmp_path / "group.yaml", "group: g\ntask: [a, b]\n")


def test_the_command_writes_files_that_ask_for_candidates(tmp_path: Path) -> None:
    write_lines(tmp_path / "boolq.jsonl", {"question": "q", "passage": "p", "label": 1})
    (tmp_path / "b.yaml").write_text(BOOLQ.replace("num_fewshot: 1", "num_fewshot: 0"), encoding="utf-8")
    run_workbench(tmp_path / "home", "testset", "import", str(tmp_path / "b.yaml"), "--output", str(tmp_path))
    written = (tmp_path / "my_boolq.yaml").read_text(encoding="utf-8")
    assert "candidates: []  # fill in, such as:" in written
    refused = run_workbench(tmp_path / "home", "bench", str(tmp_path / "my_boolq.yaml"), code=1)
    assert "candidates" in refused.stderr
