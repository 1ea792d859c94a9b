"""docs/scoring.md is run: every row of its tables is scored, and every metric is computed from them."""

import re
from pathlib import Path
from typing import NamedTuple

import pytest
from ruamel.yaml import YAML

from results.metrics import METRICS
from runners.records import Score
from runners.scorer_options import ScorerOptions
from runners.scorers.preparing import prepare_scorers
from runners.scorers.registry import _SCORERS
from runners.test_set_records import Task
from tests.scoring import answered, example, judge_one, metrics_of, options_of

DOCUMENT = Path(__file__).parents[1] / "docs" / "scoring.md"
SECTIONS = dict(re.findall(r"^## `(\w+)`\n(.*?)(?=^## |\Z)", DOCUMENT.read_text(), re.DOTALL | re.MULTILINE))
ROWS = re.compile(r"^\|.*\|\n(?:\|.*\|\n)*", re.MULTILINE)


class Block(NamedTuple):
    """Options, the rows scored with them, and what the metrics of those rows are said to be."""

    options: ScorerOptions
    rows: list[dict[str, str]]
    metrics: dict[str, str]


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def blocks(section: str, folder: Path) -> list[Block]:
    for code in re.findall(r"```python\n(.*?)```", section, re.DOTALL):
        (folder / "grade.py").write_text(code)
    found = []
    for part in re.split(r"(?=```yaml)", section)[1:]:
        (text,) = re.findall(r"```yaml\n(.*?)```", part, re.DOTALL)
        (asked,) = YAML(typ="safe").load(text)["scorers"]
        named = options_of(asked) if isinstance(asked, str) else options_of(**asked)
        (options,) = prepare_scorers([named], folder)
        rows: list[dict[str, str]] = []
        metrics: dict[str, str] = {}
        for table in ROWS.findall(part):
            head, _, *body = table.splitlines()
            records = [dict(zip(cells(head), cells(line), strict=True)) for line in body]
            if "answer" in records[0]:
                rows += records
            else:
                metrics |= {record["metric"].strip("`"): record["of these rows"] for record in records}
        found.append(Block(options, rows, metrics))
    return found


def several(cell: str | None) -> list[str]:
    return [] if cell is None else [plain(part.strip()) for part in cell.split("¦")]


def plain(cell: str) -> str:
    return "" if cell == "∅" else cell.replace("⏎", "\n")


def scored(options: ScorerOptions, row: dict[str, str]) -> Score:
    right = several(row["right"])
    choices = several(row.get("choices"))
    logprobs = [float(number) for number in several(row.get("logprobs"))]
    task: Task = "context_question" if "passages" in row else "short_answer"
    asked = example(
        right[0],
        right[1:],
        choices=choices,
        passages=several(row.get("passages")),
        relevant=[int(number) for number in several(row.get("marked"))],
    )
    text = choices[logprobs.index(max(logprobs))] if logprobs else plain(row["answer"])
    completion = answered(
        text, finish=row.get("ends") or "stop", logprobs=list(zip(choices, logprobs, strict=True)) if logprobs else []
    )
    return judge_one(options, completion, asked, task=task, labels=several(row.get("labels")))


@pytest.mark.parametrize("name", sorted(SECTIONS))
def test_every_row_of_the_document_is_scored_as_it_says(name: str, tmp_path: Path) -> None:
    for block in blocks(SECTIONS[name], tmp_path):
        assert block.options.scorer == name
        assert block.rows
        scores = [scored(block.options, row) for row in block.rows]
        for row, score in zip(block.rows, scores, strict=True):
            assert score.validity.value == row["validity"], row
            assert score.value == pytest.approx(float(row["value"]), abs=places(row["value"])), row
            if "understood" in row:
                assert (score.predicted or "") == plain(row["understood"]), row
        if block.metrics:
            found = metrics_of(block.options, scores)
            assert set(found) == set(block.metrics)
            for metric, value in block.metrics.items():
                assert found[metric] == pytest.approx(float(value), abs=places(value)), metric


def places(number: str) -> float:
    """Half a unit of the last place that is given."""
    return 0.5 * 10.0 ** -len(number.partition(".")[2]) if "." in number else 1e-9


def test_every_scorer_has_a_section_with_its_options_and_its_metrics(tmp_path: Path) -> None:
    assert set(SECTIONS) == set(_SCORERS) <= set(METRICS)
    for name, section in SECTIONS.items():
        options = type(blocks(section, tmp_path)[0].options)
        for field in set(options.model_fields) - {"scorer", "name"}:
            assert re.search(rf"\b{field}\b", section), f"{field} of {name} is not in docs/scoring.md"
        for metric in METRICS[name]:
            assert f"`{metric.name}`" in section
            assert metric.definition
            assert metric.source
