"""Reads promptfoo configurations: prompts, tests with variables, and assertions that our scorers can stand for.

Followed are its documents on test cases and assertions (site/docs/configuration in promptfoo/promptfoo). A benchmark
has one way of scoring, and promptfoo one for each test: so tests are sorted by how they are judged, and each kind
becomes a benchmark of its own. JavaScript, Python and graders are not run; tests that have nothing else are left out,
and counted.
"""

import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from runners.errors import BadTestSet
from runners.test_sets.cells import text_of
from runners.test_sets.records import FileOptions
from runners.test_sets.sources import open_table
from workbench.conversion import Converted
from workbench.promptfoo_asserts import Assertion, Judged, from_cell, judge

_TABLES = {".csv", ".tsv", ".xlsx", ".xlsm"}
_ID, _LABEL, _ACCEPTED, _META = "test_id", "expected_answer", "accepted_answers", "meta_"
_MOST_COMBINATIONS = 10_000


class _Test(NamedTuple):
    """One test with its variables as texts."""

    variables: dict[str, str]
    assertions: list[Assertion]
    metadata: dict[str, str]


def convert_promptfoo(tree: dict[str, Any], path: Path) -> list[Converted]:
    """One benchmark for each way of judging that the tests use. Raises BadTestSet."""
    notes: list[str] = []
    prompts = _prompts(tree, path, notes)
    tests = list(_tests(tree, path, notes))
    for key in ("scenarios", "transform", "nunjucksFilters", "evaluateOptions"):
        if tree.get(key):
            notes.append(f"Not carried over: {key}.")
    if tree.get("providers"):
        notes.append("Not carried over: providers. Candidates are models on this machine, or endpoints.")
    kinds: dict[str, list[tuple[_Test, Judged]]] = {}
    left_out: Counter[str] = Counter()
    for test in tests:
        judged = judge(test.assertions)
        left_out.update(judged.left_out)
        if judged.kind is not None:
            kinds.setdefault(judged.kind, []).append((test, judged))
    notes += [
        f"Not carried over: {name}, which {count} of {len(tests)} tests assert."
        for name, count in sorted(left_out.items())
    ]
    missing = len(tests) - sum(map(len, kinds.values()))
    if missing:
        notes.append(f"{missing} of {len(tests)} tests have no assertion that could be carried over, and are left out.")
    base = re.sub(r"^promptfooconfig$", path.parent.name or "promptfoo", path.stem)
    return [
        _converted(base if place == 0 else f"{base}-{_word(kind)}", found, prompts, list(notes))
        for place, (kind, found) in enumerate(sorted(kinds.items(), key=lambda item: -len(item[1])))
    ] or [Converted(base, [], [], {}, notes)]


def _converted(
    name: str, found: list[tuple[_Test, Judged]], prompts: list[dict[str, Any]], notes: list[str]
) -> Converted:
    scorers, examples = found[0][1].scorers, []
    columns = list(dict.fromkeys(key for test, _ in found for key in test.variables))
    metadata = list(dict.fromkeys(key for test, _ in found for key in test.metadata))
    for place, (test, judged) in enumerate(found, start=1):
        row: dict[str, Any] = {_ID: f"test-{place}"}
        row |= {key: test.variables.get(key, "") for key in columns}
        row |= {_LABEL: judged.target, _ACCEPTED: list(judged.accepted)}
        examples.append(row | {_META + key: test.metadata.get(key, "") for key in metadata})
    if not found[0][1].compares:
        notes.append("No right answer is compared here, only rules are checked; the label is a placeholder.")
    free = scorers[0]["scorer"] in {"rouge", "bleu", "json_schema", "regex", "forbidden_words"}
    definition: dict[str, Any] = {
        "task": "free_text" if free else "short_answer",
        "test_set": {
            "columns": {
                "id": _ID,
                "text": columns[0],
                "label": _LABEL,
                "accepted": _ACCEPTED,
                "slices": [_META + key for key in metadata],
            }
        },
        "scorers": scorers,
    }
    definition |= {"prompts": prompts} if len(prompts) > 1 else {"prompt": _without_name(prompts[0])}
    return Converted(name, examples, [], definition, notes)


def _without_name(prompt: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in prompt.items() if key != "name"}


# Prompts


def _prompts(tree: dict[str, Any], path: Path, notes: list[str]) -> list[dict[str, Any]]:
    """Prompts as a benchmark file has them; Nunjucks and Jinja write variables alike."""
    asked = tree.get("prompts") or []
    found: list[dict[str, Any]] = []
    for item in [asked] if isinstance(asked, str | Mapping) else asked:
        label = item.get("label") if isinstance(item, Mapping) else None
        text = str(item.get("raw") or item.get("id") or "") if isinstance(item, Mapping) else str(item)
        for each in _prompt_texts(text, path, notes):
            prompt = _prompt(each, notes)
            if prompt is not None:
                name = re.sub(r"\s+", " ", str(label))[:40] if label else f"prompt-{len(found) + 1}"
                found.append({"name": name, **prompt})
    if not found:
        raise BadTestSet(f"{path} has no prompt that can be carried over. {' '.join(notes)}")
    return found


def _prompt_texts(text: str, path: Path, notes: list[str]) -> list[str]:
    """The texts that a prompt stands for: itself, or those in its file, between lines of `---`."""
    named = text.removeprefix("file://")
    if named == text and not re.fullmatch(r"[\w./ -]+\.(txt|json|md|j2|yaml|yml|py|js|mjs|cjs|ts)", text):
        return [text]
    place = path.parent / named
    if place.suffix in {".py", ".js", ".mjs", ".cjs", ".ts"} or ":" in place.suffix:
        notes.append(f"Not carried over: the prompt {named}, which is a program.")
        return []
    try:
        content = place.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadTestSet(f"{path}: the prompt {named!r} cannot be read: {error}.") from error
    return [content] if place.suffix == ".json" else [part.strip() for part in re.split(r"(?m)^---\s*$", content)]


def _prompt(text: str, notes: list[str]) -> dict[str, Any] | None:
    """System and user message: a chat in JSON, or a plain text."""
    template = re.sub(r"\|\s*dump\b", "| tojson", text)
    if not text.lstrip().startswith("["):
        return {"user": template}
    try:
        messages = json.loads(text)
        roles = [str(message["role"]) for message in messages]
        contents = [message["content"] for message in messages]
    except (ValueError, KeyError, TypeError):
        return {"user": template}
    if roles not in (["user"], ["system", "user"]) or not all(isinstance(each, str) for each in contents):
        notes.append(
            f"Not carried over: a prompt with the messages {', '.join(roles)}; one system and one user can be."
        )
        return None
    return {"user": contents[-1]} | ({"system": contents[0]} if len(roles) == 2 else {})


# Tests


def _tests(tree: dict[str, Any], path: Path, notes: list[str]) -> Iterator[_Test]:
    default = tree.get("defaultTest") or {}
    if isinstance(default, str):
        raise BadTestSet(f"{path}: defaultTest is in a file of its own; copy it into the configuration.")
    for item in _listed(tree.get("tests"), path, notes):
        variables = {**(default.get("vars") or {}), **(item.get("vars") or {})}
        asserts = [*(default.get("assert") or ()), *(item.get("assert") or ())]
        metadata = {
            str(key): text_of(value)
            for key, value in (item.get("metadata") or {}).items()
            if not isinstance(value, list)
        }
        for one in _combinations({str(key): value for key, value in variables.items()}, path):
            if one:
                yield _Test(one, [_assertion(each, one) for each in asserts], metadata)
            else:
                notes.append("A test without variables is left out: there is nothing that it asks about.")


def _listed(tests: Any, path: Path, notes: list[str]) -> Iterator[Mapping[str, Any]]:
    """Tests as mappings, wherever they are."""
    for item in [tests] if isinstance(tests, str | Mapping) else tests or ():
        if isinstance(item, Mapping) and "path" not in item:
            yield item
            continue
        name = str(item["path"] if isinstance(item, Mapping) else item).removeprefix("file://")
        name, _, sheet = name.partition("#")
        places = sorted(path.parent.glob(name)) if re.search(r"[*?]", name) else [path.parent / name]
        for place in places:
            yield from _from_file(place, sheet or None, path, notes)


def _from_file(place: Path, sheet: str | None, path: Path, notes: list[str]) -> Iterator[Mapping[str, Any]]:
    if place.suffix.casefold() in _TABLES:
        for row in open_table(place, FileOptions(sheet=sheet)).rows():
            if row.problems:
                raise BadTestSet(f"{place}, row {row.number}: {row.problems[0].message}. {row.problems[0].fix}")
            yield _from_row({name: text_of(value) for name, value in row.values.items()}, notes)
        return
    if place.suffix.casefold() not in {".yaml", ".yml", ".json", ".jsonl"}:
        raise BadTestSet(
            f"{path}: tests in {place.name!r} are not read. Tests may be in YAML, JSON, CSV or Excel files."
        )
    try:
        text = place.read_text(encoding="utf-8")
        lines = place.suffix.casefold() == ".jsonl"
        found = [json.loads(line) for line in text.splitlines() if line] if lines else YAML(typ="safe").load(text)
    except (OSError, UnicodeDecodeError, YAMLError, ValueError) as error:
        raise BadTestSet(f"{path}: tests in {place.name!r} cannot be read: {error}.") from error
    yield from _listed(found, place, notes)


def _from_row(row: dict[str, str], notes: list[str]) -> Mapping[str, Any]:
    """A row of a table: plain columns are variables, those that begin with `__` say the rest."""
    expected = [value for name, value in row.items() if re.fullmatch(r"__expected\d*", name) and value.strip()]
    metadata = {
        name.removeprefix("__metadata:"): value for name, value in row.items() if name.startswith("__metadata:")
    }
    unknown = [
        name
        for name, value in row.items()
        if name.startswith("__") and value and not re.match(r"__(expected\d*$|metadata:|description$|metric$)", name)
    ]
    for name in unknown:
        note = f"Not carried over: the column {name}."
        if note not in notes:
            notes.append(note)
    variables = {name: value for name, value in row.items() if not name.startswith("__")}
    return {"vars": variables, "assert": [from_cell(value) for value in expected], "metadata": metadata}


def _combinations(variables: dict[str, Any], path: Path) -> Iterator[dict[str, str]]:
    """A list of values stands for one test each; several lists for all combinations."""
    values = [
        [_text(each, path) for each in value] if isinstance(value, list) else [_text(value, path)]
        for value in variables.values()
    ]
    for combination in itertools.islice(itertools.product(*values), _MOST_COMBINATIONS):
        yield dict(zip(variables, combination, strict=True))


def _text(value: Any, path: Path) -> str:
    text = text_of(value)
    if not text.startswith("file://"):
        return text
    place = path.parent / text.removeprefix("file://")
    try:
        return place.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadTestSet(f"{path}: the variable in {place.name!r} cannot be read as text: {error}.") from error


def _assertion(item: Any, variables: dict[str, str]) -> Assertion:
    """One assertion with the test's variables put into its value."""
    if isinstance(item, Assertion):
        return item
    value = item.get("value")
    if isinstance(value, str):
        value = _filled(value, variables)
    elif isinstance(value, list):
        value = [_filled(text_of(each), variables) for each in value]
    return Assertion(str(item.get("type", "equals")), value)


def _filled(text: str, variables: dict[str, str]) -> str:
    return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda match: variables.get(match[1], match[0]), text)


def _word(kind: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", kind).strip("-")[:30]
