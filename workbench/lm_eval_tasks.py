"""Reads tasks of lm-evaluation-harness whose data lies on this machine.

Followed are the fields of its task guide (docs/task_guide.md of EleutherAI/lm-evaluation-harness): data, doc_to_text,
doc_to_target, doc_to_choice, description, few-shot, generation_kwargs, metric_list, filter_list, include. Python that a
task names with !function is not run: a task that needs it for its examples is refused.
"""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from ruamel.yaml.comments import TaggedScalar

from runners.errors import BadTestSet
from runners.test_sets.cells import text_of
from runners.test_sets.records import FileOptions
from runners.test_sets.sources import open_table
from workbench.conversion import Converted, load_yaml
from workbench.lm_eval_scorers import scorers_of, targets_without

_LOADERS = {"json", "csv", "parquet", "text"}
"""Names of loaders that `dataset_path` may give instead of a data set."""
_NEEDED = ("doc_to_text", "doc_to_target", "doc_to_choice", "process_docs", "custom_dataset", "description")
_MOST_INCLUDES = 8
_NOT_CARRIED = {
    "repeats": "repeats",
    "should_decontaminate": "decontamination",
    "use_prompt": "promptsource prompts",
    "process_results": "process_results",
}

Doc = dict[str, Any]


class _Task(NamedTuple):
    """A task with everything that it includes."""

    tree: dict[str, Any]
    path: Path
    notes: list[str]

    def text(self, key: str, default: str = "") -> str:
        value = self.tree.get(key)
        return default if value is None else str(value)


def convert_lm_eval(tree: dict[str, Any], path: Path) -> Converted:
    """The examples and the benchmark of a task. Raises BadTestSet with what stands against it."""
    task = _Task(_with_includes(tree, path, 0), path, [])
    _refuse_what_needs_python(task)
    kind = task.text("output_type", "generate_until")
    if isinstance(task.tree.get("task"), list) or "doc_to_text" not in task.tree:
        raise BadTestSet(f"{path} has no doc_to_text: it names a group of tasks. Import each of them.")
    if kind not in {"multiple_choice", "generate_until"}:
        raise BadTestSet(
            f"{path} has the output_type {kind!r}; what can be imported is multiple_choice and generate_until."
        )
    split = next((task.tree[key] for key in ("test_split", "validation_split") if task.tree.get(key)), None)
    split = split or task.tree.get("training_split")
    if split is None:
        raise BadTestSet(f"{path} names no test_split and no validation_split. Say which part holds the examples.")
    examples = [_example(task, kind, doc, place) for place, doc in enumerate(_docs(task, str(split)), start=1)]
    _make_ids_unique(examples)
    shots = _few_shot(task, kind, str(split))
    choice = kind == "multiple_choice"
    ignored = targets_without(task.tree, examples, shots)
    scorers = scorers_of(task.tree, examples, task.notes, kind)
    columns: dict[str, Any] = {"id": "id", "text": "text", "label": "label", "slices": []}
    columns |= {"choices": "choices"} if choice else {"accepted": "accepted"}
    task.notes.extend([ignored] if ignored else [])
    for key, words in _NOT_CARRIED.items():
        if task.tree.get(key) not in {None, False, 1}:
            task.notes.append(f"Not carried over: {words}.")
    free = scorers and all(scorer["scorer"] in {"bleu", "chrf", "rouge"} for scorer in scorers)
    definition: dict[str, Any] = {
        "task": "multiple_choice" if choice else "free_text" if free else "short_answer",
        "test_set": {"columns": columns},
        "scorers": scorers,
        "prompt": _prompt(task, examples),
        "workloads": _workloads(task, choice=choice),
    }
    return Converted(task.text("task", path.stem), examples, shots, definition, task.notes)


def _with_includes(tree: dict[str, Any], path: Path, depth: int) -> dict[str, Any]:
    included = tree.get("include")
    if included is None:
        return tree
    if depth >= _MOST_INCLUDES:
        raise BadTestSet(f"{path}: `include` goes {_MOST_INCLUDES} files deep, or in a circle.")
    merged: dict[str, Any] = {}
    for name in [included] if isinstance(included, str) else included:
        base = path.parent / str(name)
        base = base if base.exists() else base.with_suffix(".yaml")
        merged |= _with_includes(load_yaml(base), base, depth + 1)
    return merged | {key: value for key, value in tree.items() if key != "include"}


def _refuse_what_needs_python(task: _Task) -> None:
    for key, value in task.tree.items():
        if isinstance(value, TaggedScalar):
            if key in _NEEDED:
                raise BadTestSet(
                    f"{task.path}: {key} is the Python function {value.value!r}, which is not run here. Write it as a "
                    "template, or prepare the data so that a column holds what it gives."
                )
            task.notes.append(f"Not carried over: {key}, which is the Python function {value.value}.")


def _docs(task: _Task, split: str) -> Iterator[Doc]:
    """The documents of a split, as they lie on this machine."""
    for path, options in _places(task, split):
        for row in open_table(path, options).rows():
            if row.problems:
                problem = row.problems[0]
                raise BadTestSet(f"{path}, row {row.number}: {problem.message}. {problem.fix}")
            yield dict(row.values)


def _places(task: _Task, split: str) -> list[tuple[Path, FileOptions]]:
    source = task.text("dataset_path")
    kwargs = task.tree.get("dataset_kwargs") or {}
    if source not in _LOADERS:
        folder = _found(task, source)
        if folder is None:
            raise BadTestSet(
                f"{task.path}: the data set {source!r} is not on this machine. Download it, for example with "
                f"`hf download {source or 'NAME'} --repo-type dataset --local-dir FOLDER`, as dataset_path."
            )
        named = folder / task.text("dataset_name") if task.tree.get("dataset_name") else folder
        return [(named if named.exists() else folder, FileOptions(split=split) if folder.is_dir() else FileOptions())]
    files = kwargs.get("data_files")
    if files is None and kwargs.get("data_dir"):
        folder = _found(task, str(kwargs["data_dir"]))
        return [(folder, FileOptions(split=split))] if folder is not None else []
    if isinstance(files, Mapping):
        if split not in files:
            raise BadTestSet(f"{task.path}: data_files has no {split!r}. It has: {', '.join(map(str, files))}.")
        files = files[split]
    options = FileOptions(split=str(kwargs["field"])) if kwargs.get("field") else FileOptions()
    found: list[tuple[Path, FileOptions]] = []
    for name in [files] if isinstance(files, str) else files or ():
        paths = _matching(task, str(name))
        if not paths:
            raise BadTestSet(f"{task.path}: there is no data file {str(name)!r}, seen from the task or from here.")
        found += [(path, options) for path in paths]
    if not found:
        raise BadTestSet(f"{task.path}: the loader {source!r} needs dataset_kwargs with data_files on this machine.")
    return found


def _found(task: _Task, name: str) -> Path | None:
    places = (task.path.parent / name, Path(name))
    return next((place for place in places if name and place.exists()), None)


def _matching(task: _Task, name: str) -> list[Path]:
    if not re.search(r"[*?\[]", name):
        found = _found(task, name)
        return [found] if found is not None else []
    return sorted(task.path.parent.glob(name)) if not Path(name).is_absolute() else []


def _few_shot(task: _Task, kind: str, measured: str) -> list[dict[str, Any]]:
    count = task.tree.get("num_fewshot") or 0
    samples = (task.tree.get("fewshot_config") or {}).get("samples")
    if isinstance(samples, TaggedScalar):
        task.notes.append("Not carried over: few-shot examples that are made by Python.")
        return []
    if not count:
        return []
    split = task.tree.get("fewshot_split") or task.tree.get("training_split") or task.tree.get("validation_split")
    if isinstance(samples, Sequence):
        docs: Iterator[Doc] = (dict(sample) for sample in samples)
    elif split is None or str(split) == measured:
        task.notes.append(f"num_fewshot is {count}, but no other part than the measured one is there: none are shown.")
        return []
    else:
        docs = _docs(task, str(split))
        task.notes.append(f"The first {count} of {split!r} are shown, the same to all; lm-eval draws them at random.")
    shots = [_example(task, kind, doc, place) for place, doc in enumerate(islice(docs, count), start=1)]
    for place, shot in enumerate(shots, start=1):
        shot["id"] = f"shot-{place}"
    return shots


def _example(task: _Task, kind: str, doc: Doc, place: int) -> dict[str, Any]:
    choices = _choices(task, doc) if kind == "multiple_choice" or task.tree.get("doc_to_choice") else []
    text = _value(task, "doc_to_text", doc)
    if isinstance(text, list | int):
        raise BadTestSet(f"{task.path}: doc_to_text gives {type(text).__name__}s, not texts; that is not carried over.")
    right = _targets(task, doc, choices, place)
    identity = doc.get("id")
    row: dict[str, Any] = {
        "id": str(identity) if isinstance(identity, str | int) and str(identity) else f"doc-{place}",
        "text": text_of(text),
        "label": right[0] if right else "",
    }
    if kind == "multiple_choice":
        return row | {"choices": choices}
    return row | {"accepted": right[1:]}


def _choices(task: _Task, doc: Doc) -> list[str]:
    asked = task.tree.get("doc_to_choice")
    found: Any = asked
    if isinstance(asked, Mapping):
        found = list(asked.values())
    elif isinstance(asked, str):
        found = doc[asked] if asked in doc else _literal(_render(task, asked, doc))
    if not isinstance(found, Sequence) or isinstance(found, str) or not found:
        raise BadTestSet(f"{task.path}: doc_to_choice gives no list but {found!r}.")
    return [text_of(each) for each in found]


def _targets(task: _Task, doc: Doc, choices: list[str], place: int) -> list[str]:
    value = _value(task, "doc_to_target", doc)
    if isinstance(value, str) and value.isdigit() and choices and value not in choices:
        value = int(value)
    many = list(value) if isinstance(value, list | tuple) else [value]
    right = []
    for each in many:
        if isinstance(each, int) and not isinstance(each, bool) and choices:
            if not 0 <= each < len(choices):
                raise BadTestSet(f"{task.path}: document {place} has the target {each} of {len(choices)} choices.")
            right.append(choices[each])
        else:
            right.append(text_of(each).strip())
    return right


def _value(task: _Task, key: str, doc: Doc) -> Any:
    """What a field gives for a document: a column's value, a rendered template, or itself."""
    asked = task.tree.get(key)
    if asked is None:
        raise BadTestSet(f"{task.path} has no {key}.")
    if not isinstance(asked, str):
        return asked
    if asked in doc:
        return doc[asked]
    text = _render(task, asked, doc)
    if key == "doc_to_target" and len(text) >= 2 and text[0] == "[" and text[-1] == "]":
        found = _literal(text)
        return text if found is None else found
    return text


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def _regex_replace(text: str, pattern: str, repl: str, count: int = 0) -> str:
    return re.sub(pattern, repl, text, count=count)


_ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)
_ENVIRONMENT.filters["regex_replace"] = _regex_replace


def _render(task: _Task, template: str, doc: Doc) -> str:
    try:
        return _ENVIRONMENT.from_string(template).render(**doc)
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, re.error) as error:
        raise BadTestSet(f"{task.path}: the template {template!r} does not render: {error}.") from error


def _prompt(task: _Task, examples: list[dict[str, Any]]) -> dict[str, Any]:
    """The description as system message, the rendered text as user message."""
    description = task.text("description")
    prompt: dict[str, Any] = {"user": "{{ text }}"}
    if description and "{{" not in description and "{%" not in description:
        prompt["system"] = description.strip()
    elif description:
        task.notes.append("Not carried over: the description, because it is a template over each document.")
    if task.tree.get("gen_prefix"):
        prompt["answer_prefix"] = task.text("gen_prefix")
    if examples and "choices" in examples[0]:
        prompt["choices_as"] = "text"
    return prompt


def _workloads(task: _Task, *, choice: bool) -> list[dict[str, Any]]:
    kwargs = task.tree.get("generation_kwargs") or {}
    until = kwargs.get("until") or []
    asked: dict[str, Any] = {}
    if not choice:
        asked["stop"] = [until] if isinstance(until, str) else [str(each) for each in until if each]
        tokens = kwargs.get("max_gen_toks", kwargs.get("max_new_tokens", kwargs.get("max_tokens")))
        asked["max_output_tokens"] = int(tokens) if tokens else 256
        if kwargs.get("do_sample") and kwargs.get("temperature"):
            asked["temperature"] = float(kwargs["temperature"])
    return [{"kind": "accuracy", **asked}, {"kind": "latency", "prompts": 30, **asked}]


def _make_ids_unique(examples: list[dict[str, Any]]) -> None:
    if len({example["id"] for example in examples}) < len(examples):
        for place, example in enumerate(examples, start=1):
            example["id"] = f"doc-{place}"
