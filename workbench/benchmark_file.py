"""Benchmark files: YAML in, a BenchmarkDefinition out, every mistake with its line and the nearest valid name.

Reads no test set and touches no model.
"""

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from results.requirement_records import Limits, Prices, Requirements, TokenPrices, Weights
from runners.engine import ENGINE_NAMES
from runners.engine_options import EndpointOptions, LlamaCppOptions, ScriptedOptions, VllmOptions
from runners.records import Synthetic, Workload
from runners.scorer_options import ScorerOptions
from runners.test_set_records import PromptTemplate
from workbench.errors import BadBenchmarkFile
from workbench.judge_records import JudgeDefinition
from workbench.records import (
    BenchmarkDefinition,
    CandidateDefinition,
    ColumnsDefinition,
    EarlyStopping,
    NamedPrompt,
    TestSetDefinition,
)

_RECORD_OF_KEY: dict[str, type[BaseModel]] = {
    "test_set": TestSetDefinition,
    "columns": ColumnsDefinition,
    "prompt": PromptTemplate,
    "prompts": NamedPrompt,
    "candidates": CandidateDefinition,
    "judge": CandidateDefinition,
    "workloads": Workload,
    "synthetic": Synthetic,
    "paraphrases": PromptTemplate,
    "early_stopping": EarlyStopping,
    "requirements": Requirements,
    "limits": Limits,
    "weights": Weights,
    "prices": Prices,
    "endpoints": TokenPrices,
    "llama-cpp": LlamaCppOptions,
    "vllm": VllmOptions,
    "endpoint": EndpointOptions,
    "scripted": ScriptedOptions,
}
"""Which record stands below which key; options carry the name of their engine, and scorers their own."""
_SCORERS: dict[str, type[BaseModel]] = {
    record.model_fields["scorer"].default: record for record in get_args(get_args(ScorerOptions)[0])
}
"""Which record belongs to which scorer."""
_MOST_ERRORS = 10
_Definition = TypeVar("_Definition", bound=BaseModel)


def read_benchmark_file(path: Path) -> tuple[BenchmarkDefinition, str]:
    """The definition and the file's text. Raises BadBenchmarkFile."""
    text = _read_text(path, "benchmark file")
    return parse_benchmark(text, str(path)), text


def read_requirements_file(path: Path) -> Requirements:
    """Requirements in a YAML file with `limits` and `weights`. Raises BadBenchmarkFile."""
    tree = _load_yaml(_read_text(path, "requirements file"), str(path))
    if not isinstance(tree, Mapping):
        raise BadBenchmarkFile(f"{path}: requirements are `limits:` and `weights:`; this is {_kind(tree)}.")
    return _validate(Requirements, tree, str(path))


def read_judge_file(path: Path) -> JudgeDefinition:
    """A judge: who judges, by which rubric, on which scale (docs/judging.md). Raises BadBenchmarkFile."""
    tree = _load_yaml(_read_text(path, "judge file", "docs/judging.md"), str(path))
    if not isinstance(tree, Mapping):
        raise BadBenchmarkFile(f"{path}: a judge file has `judge:` and more keys; this is {_kind(tree)}.")
    return _validate(JudgeDefinition, tree, str(path))


def parse_benchmark(text: str, name: str) -> BenchmarkDefinition:
    """The definition in a YAML text; `name` stands in errors. Raises BadBenchmarkFile."""
    tree = _load_yaml(text, name)
    if not isinstance(tree, Mapping):
        raise BadBenchmarkFile(f"{name}: a benchmark file is a list of `key: value` lines; this is {_kind(tree)}.")
    return _validate(BenchmarkDefinition, tree, name)


def parse_definition(content: Mapping[str, object], name: str) -> BenchmarkDefinition:
    """The definition in plain values; `name` stands in errors. Raises BadBenchmarkFile."""
    return _validate(BenchmarkDefinition, content, name)


def render_benchmark(definition: BenchmarkDefinition) -> str:
    """A benchmark file with the same content, defaults left out."""
    document = definition.model_dump(mode="json", exclude_defaults=True)
    if definition.scorers is not None:
        # Which scorer it is is its record's default, and would be left out.
        document["scorers"] = [
            {"scorer": options.scorer, **options.model_dump(mode="json", exclude_defaults=True)}
            for options in definition.scorers
        ]
    for candidate in document["candidates"]:
        options = candidate.get("options", {})
        options.pop("engine", None)
        if not options:
            candidate.pop("options", None)
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.width = 110
    stream = io.StringIO()
    yaml.dump(document, stream)
    return stream.getvalue()


def _read_text(path: Path, what: str, document: str = "docs/benchmark-file.md") -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise BadBenchmarkFile(f"There is no {what} {path}. {document} shows one.") from error
    except UnicodeDecodeError as error:
        raise BadBenchmarkFile(f"{path} is not UTF-8 text (byte {error.start}). Save it as UTF-8.") from error
    except OSError as error:
        raise BadBenchmarkFile(f"{path} cannot be read: {error.strerror}. Name another file.") from error


def _load_yaml(text: str, name: str) -> Any:
    yaml = YAML(typ="rt", pure=True)
    try:
        return yaml.load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else "?"
        raise BadBenchmarkFile(f"{name}, line {line}: this is not YAML: {error.problem}.") from error
    except (YAMLError, ValueError) as error:
        raise BadBenchmarkFile(f"{name}: this is not YAML: {error}.") from error


def _validate(record: type[_Definition], tree: Mapping[str, Any], name: str) -> _Definition:
    try:
        return record.model_validate(_with_engines(_plain(tree)))
    except ValidationError as error:
        details = _causes(error.errors(include_url=False))
        lines = [_describe(record, tree, detail, name) for detail in details[:_MOST_ERRORS]]
        if len(details) > _MOST_ERRORS:
            lines.append(f"… and {len(details) - _MOST_ERRORS} more.")
        raise BadBenchmarkFile("\n".join(lines)) from error


def _causes(details: list[ErrorDetails]) -> list[ErrorDetails]:
    """Without errors that only follow from another: a list left short, options of an engine that is not known."""
    kinds = {"too_short", "union_tag_not_found", "union_tag_invalid"}
    return [detail for detail in details if detail["type"] not in kinds] or details


def _plain(value: Any) -> Any:
    """The YAML library's containers as ordinary ones, which records accept."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value


def _with_engines(tree: dict[str, Any]) -> dict[str, Any]:
    """Tell each candidate's options which engine they are for, so that people need not write it twice."""
    candidates = tree.get("candidates")
    for candidate in [*(candidates if isinstance(candidates, list) else ()), tree.get("judge")]:
        if isinstance(candidate, dict) and isinstance(candidate.get("options", {}), dict):
            engine = candidate.get("engine", "llama-cpp")
            if engine in ENGINE_NAMES:
                candidate["options"] = {"engine": engine, **candidate.get("options", {})}
    return tree


def _describe(record: type[BaseModel], tree: Mapping[str, Any], detail: ErrorDetails, name: str) -> str:
    place = [part for part in detail["loc"] if part not in ENGINE_NAMES and part not in _SCORERS]
    where = f"{name}, line {_line(tree, place)}"
    key = ".".join(str(part) for part in place)
    kind, value = detail["type"], detail["input"]
    if kind == "extra_forbidden":
        owner = _owner(record, detail["loc"][:-1])
        return f"{where}: unknown key {str(place[-1])!r}. {_nearest(str(place[-1]), owner.model_fields, 'Known keys')}"
    if kind == "missing":
        return f"{where}: {key!r} is missing. {_field_help(record, detail['loc'])}"
    if kind in {"literal_error", "enum"}:
        expected = re.findall(r"'([^']+)'", str(detail.get("ctx", {}).get("expected", "")))
        return f"{where}: {key} is {value!r}, which is not known. {_nearest(str(value), expected, 'Known values')}"
    if kind == "union_tag_invalid" and "scorers" in place:
        tag = str(detail["ctx"]["tag"])
        return f"{where}: the scorer {tag!r} is not known. {_nearest(tag, _SCORERS, 'Known scorers')}"
    reason = detail["msg"].removeprefix("Value error, ")
    if isinstance(value, Mapping):
        return f"{where}: {f'{key}: ' if key else ''}{reason}."
    return f"{where}: {key} is {value!r}: {reason}. {_field_help(record, detail['loc'])}"


def _nearest(seen: str, known: Iterable[str], title: str) -> str:
    names = list(known)
    close = get_close_matches(seen, names, n=1, cutoff=0.5)
    return f"Did you mean {close[0]!r}?" if close else f"{title}: {', '.join(names)}."


def _owner(record: type[BaseModel], place: Sequence[int | str]) -> type[BaseModel]:
    """The record that the last key of a place belongs to."""
    known = _RECORD_OF_KEY | _SCORERS
    return next((known[part] for part in reversed(place) if isinstance(part, str) and part in known), record)


def _field_help(record: type[BaseModel], place: Sequence[int | str]) -> str:
    field = _owner(record, place[:-1]).model_fields.get(str(place[-1])) if place else None
    return (field.description or "") if field is not None else ""


def _line(tree: Any, place: Sequence[int | str]) -> int:
    """Line of the innermost part of a place that stands in the file."""
    line = 1
    for part in place:
        if isinstance(tree, CommentedMap) and part in tree:
            line = tree.lc.key(part)[0] + 1
        elif isinstance(tree, CommentedSeq) and isinstance(part, int) and part < len(tree):
            line = tree.lc.item(part)[0] + 1
        else:
            break
        tree = tree[part]
    return line


def _kind(value: Any) -> str:
    names: dict[type, str] = {CommentedSeq: "a list", str: "a text", type(None): "empty"}
    return names.get(type(value), f"a {type(value).__name__}")
