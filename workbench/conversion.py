"""Turns tasks of other tools into a file of examples and a benchmark file beside it.

lm_eval_tasks.py and promptfoo_configs.py read them; here the results are written, and read back, so that what was
written is known to be accepted. What cannot be carried over becomes a note, in the benchmark file too.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from runners.errors import BadTestSet
from runners.test_sets.files import read_test_set_file
from workbench.benchmark_file import parse_definition, render_benchmark
from workbench.test_set_records import ConvertedBenchmark

_FILL_IN = "fill-in"
_EXAMPLE_CANDIDATE = "HuggingFaceTB/SmolLM2-135M-Instruct"


class Converted(NamedTuple):
    """One task as it will be written."""

    name: str
    examples: list[dict[str, Any]]
    few_shot: list[dict[str, Any]]
    definition: dict[str, Any]
    """Keys of a benchmark file, without name, candidates and the paths of examples."""
    notes: list[str]


def load_yaml(path: Path) -> dict[str, Any]:
    """A YAML file of another tool; tags stay on their values. Raises BadTestSet."""
    try:
        tree = YAML(typ="rt", pure=True).load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadTestSet(f"There is no file {path}.") from error
    except (OSError, UnicodeDecodeError, YAMLError, ValueError) as error:
        raise BadTestSet(f"{path} cannot be read as YAML: {error}") from error
    if not isinstance(tree, Mapping):
        raise BadTestSet(f"{path} is no task and no configuration: it holds no `key: value` lines.")
    return {str(key): value for key, value in tree.items()}


def convert_file(path: Path, folder: Path, name: str | None, models: Sequence[str]) -> tuple[ConvertedBenchmark, ...]:
    """Convert a task of lm-evaluation-harness, or a promptfoo configuration. Raises BadTestSet."""
    from workbench.lm_eval_tasks import convert_lm_eval
    from workbench.promptfoo_configs import convert_promptfoo

    tree = load_yaml(path)
    if {"tests", "prompts", "providers", "defaultTest"} & tree.keys():
        converted = convert_promptfoo(tree, path)
    elif {"doc_to_text", "dataset_path", "include", "output_type"} & tree.keys():
        converted = [convert_lm_eval(tree, path)]
    else:
        hint = "is a benchmark file: run it with workbench bench" if "candidates" in tree else "is neither"
        raise BadTestSet(
            f"{path} {hint}. What can be imported is a task of lm-evaluation-harness (doc_to_text …) or a "
            "promptfoo configuration (prompts, tests)."
        )
    names = [_clean(each.name if name is None else name + each.name[len(converted[0].name) :]) for each in converted]
    return tuple(_write(each, path, folder, own, models) for each, own in zip(converted, names, strict=True))


def _clean(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")[:80] or "imported"


def _write(converted: Converted, source: Path, folder: Path, name: str, models: Sequence[str]) -> ConvertedBenchmark:
    if not converted.examples:
        raise BadTestSet(f"{source} gives no example that can be carried over. {' '.join(converted.notes)}")
    test_set = folder / f"{name}.jsonl"
    shots = folder / f"{name}-few-shot.jsonl" if converted.few_shot else None
    benchmark = folder / f"{name}.yaml"
    taken = next((path for path in (test_set, shots, benchmark) if path is not None and path.exists()), None)
    if taken is not None:
        raise BadTestSet(f"{taken} exists already, and nothing was written. Choose another --name or --output.")
    definition = parse_definition(_with_files(converted, name, test_set, shots, models), source.name)
    said = (f"Made from {source.name} by workbench testset import.", *converted.notes)
    text = "".join(f"# {line}\n" for line in said)
    text += render_benchmark(definition)
    if not models:
        filled = f"candidates: []  # fill in, such as: [{{model: {_EXAMPLE_CANDIDATE}}}]\n"
        text = re.sub(rf"candidates:\n- +model: {_FILL_IN}\n", filled, text)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write_lines(test_set, converted.examples)
        if shots is not None:
            _write_lines(shots, converted.few_shot)
        benchmark.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadTestSet(f"{error.filename} cannot be written: {error.strerror}.") from error
    read = read_test_set_file(test_set, definition.task, definition.test_set.columns)
    return ConvertedBenchmark(
        source=str(source),
        benchmark=str(benchmark),
        test_set=str(test_set),
        few_shot=str(shots) if shots is not None else None,
        examples=len(read.examples),
        notes=tuple(converted.notes),
    )


def _with_files(
    converted: Converted, name: str, test_set: Path, shots: Path | None, models: Sequence[str]
) -> dict[str, Any]:
    files: dict[str, Any] = {"file": test_set.name}
    if shots is not None:
        files["few_shot"] = shots.name
    definition = dict(converted.definition)
    return {
        "name": name,
        **definition,
        "test_set": files | definition["test_set"],
        "candidates": [{"model": model} for model in models or (_FILL_IN,)],
    }


def _write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
