"""Makes scorers complete before they go into a test set: finds what they refer to, so that the hash covers it."""

import ast
import hashlib
import importlib.machinery
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path

from runners.errors import BadTestSet, ScoringFailed
from runners.scorer_options import JsonFieldsOptions, ScorerOptions
from runners.scorers.registry import open_scorer
from runners.text_scorer_options import JsonSchemaOptions, PythonOptions


def prepare_scorers(
    scorers: Iterable[ScorerOptions], folder: Path, json_schema: str | None = None
) -> tuple[ScorerOptions, ...]:
    """The scorers with the source of their functions, and with the workload's schema where they have none.

    `folder` is where relative paths start. Reads source files and runs nothing of them. Raises BadTestSet.
    """
    prepared = tuple(_prepared(options, folder, json_schema) for options in scorers)
    for options in prepared:
        try:
            open_scorer(options).close()
        except ScoringFailed as error:
            raise BadTestSet(f"The scorer {options.name!r} cannot be used. {error}") from error
    return prepared


def _prepared(options: ScorerOptions, folder: Path, json_schema: str | None) -> ScorerOptions:
    if isinstance(options, PythonOptions):
        path = Path(options.path) if options.path else _source_of(options.function, folder)
        return options.model_copy(update={"path": str(path), "sha256": _digest(path, options.function)})
    if isinstance(options, JsonFieldsOptions | JsonSchemaOptions) and options.json_schema is None:
        if json_schema is None and isinstance(options, JsonSchemaOptions):
            raise BadTestSet(
                "The scorer json_schema has no schema. Write json_schema into its options or into the workload."
            )
        return options.model_copy(update={"json_schema": json_schema})
    return options


def _source_of(function: str, folder: Path) -> Path:
    module = function.rpartition(":")[0]
    if module.endswith(".py"):
        path = Path(module).expanduser()
        return (path if path.is_absolute() else folder / path).resolve()
    search: Sequence[str] | None = None
    spec = None
    # Part by part, because the usual way would import (and so run) the packages around the module.
    parts = module.split(".")
    for count in range(1, len(parts) + 1):
        spec = importlib.machinery.PathFinder.find_spec(".".join(parts[:count]), search)
        if spec is None:
            break
        search = spec.submodule_search_locations
    if spec is None or spec.origin is None:
        raise BadTestSet(
            f"There is no module {module!r} for the scorer {function!r}. Install it, or name its file: "
            f"path/to/{parts[-1]}.py:{function.rpartition(':')[2]}."
        )
    return Path(spec.origin)


def _digest(path: Path, function: str) -> str:
    try:
        content = path.read_bytes()
        tree = ast.parse(content)
    except OSError as error:
        raise BadTestSet(f"The scorer's file {path} cannot be read: {error.strerror}. Check the path.") from error
    except (SyntaxError, ValueError) as error:
        raise BadTestSet(f"The scorer's file {path} is no valid Python: {error}.") from error
    name = function.rpartition(":")[2]
    names = _top_level(tree)
    if name not in names and "*" not in names:
        close = get_close_matches(name, names, n=1)
        hint = f"Did you mean {close[0]!r}?" if close else f"It has {', '.join(sorted(names)) or 'no names at all'}."
        raise BadTestSet(f"{path} has no function {name!r}. {hint}")
    return hashlib.sha256(content).hexdigest()


def _top_level(tree: ast.Module) -> set[str]:
    """Names that a module gives: functions, classes, what it imports and assigns."""
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names
