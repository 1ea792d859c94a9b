"""The house's import rules, read from every module's source; each failure quotes the rule."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("catalog", "runners", "results", "workbench")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

ALLOWED = {
    "catalog": {"catalog"},
    "runners": {"runners", "catalog.records", "catalog.errors", "catalog.waits"},
    "results": {
        "results",
        *("catalog.records", "catalog.errors", "runners.records", "runners.engine_options", "runners.errors"),
        *("runners.test_set_records", "runners.test_sets.records", "runners.scorer_options"),
        "runners.divergence_records",
    },
    "workbench": set(PACKAGES),
}
"""Package → what of ours it may import."""

DOORS = {
    "huggingface_hub": {"catalog/hub/"},
    "duckdb": {"results/store_file.py", "catalog/database.py"},
    "pynvml": {"runners/gpu.py"},
    "httpx": {"runners/endpoint_client.py", "runners/vllm_client.py"},
    "llama_cpp": {"runners/llama_", "runners/quantize.py", "runners/divergence.py"},
    "psutil": {"runners/"},
    "subprocess": {"runners/"},
    "gradio": {"workbench/"},
    "typer": {"workbench/cli"},
    "scipy": {"results/"},
    "sklearn": {"results/"},
    "sacrebleu": {"runners/scorers/overlap.py"},
    "rouge_score": {"runners/scorers/overlap.py"},
    "jsonschema": {"runners/scorers/extraction.py"},
    "pickle": set(),
}
"""Outside world → the only modules (or folders) that import it."""


def imports_of(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_in_one_direction(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    ours = {name for name in imports_of(path) if name.split(".")[0] in PACKAGES}
    rules = ALLOWED[package]
    for name in ours:
        allowed = any(name == rule or name.startswith(f"{rule}.") or rule.startswith(f"{name}.") for rule in rules)
        assert allowed, (
            f"{path.name} imports {name}; launch → workbench → results → runners → catalog is one direction: "
            f"{package} may import {sorted(rules)}"
        )


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_outside_world_has_one_door(path: Path) -> None:
    place = str(path.relative_to(ROOT))
    for name in imports_of(path):
        doors = DOORS.get(name.split(".")[0])
        assert doors is None or any(place.startswith(door) for door in doors), (
            f"{place} imports {name}; its doors are {doors}"
        )


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_opens_with_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text())), f"{path} has no docstring"


def test_only_settings_reads_the_environment() -> None:
    readers = {
        str(path.relative_to(ROOT))
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
    }
    assert readers <= {"workbench/settings.py", "workbench/ui.py"}


def test_importing_the_command_line_does_not_load_the_heavy_libraries() -> None:
    heavy = ("gradio", "scipy", "pandas", "duckdb", "llama_cpp", "altair", "huggingface_hub", "sklearn", "numpy")
    code = f"import sys, workbench.cli; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_top_level_holds_exactly_the_agreed_entries() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    top = {entry.split("/")[0] for entry in listed}
    assert top == {
        *("pyproject.toml", "workbench", "catalog", "runners", "results", "tests", "launch.py", "constraints.txt"),
        *("README.md", "CHANGELOG.md", "LICENSE", "docs", "benchmarks", ".ci", ".gitignore"),
    }  # fmt: skip
