"""What the documents promise, the code does."""

import re
import shlex
from pathlib import Path

import pytest

from results.requirement_records import Limits, Prices, TokenPrices, Weights
from runners.engine_options import LlamaCppOptions
from runners.records import Workload
from runners.test_set_records import PromptTemplate
from tests.cli_reference import BESIDE, DATA, PLAIN, cli_markdown, json_markdown
from tests.test_cli import printed, workbench
from workbench.benchmark_file import parse_benchmark
from workbench.records import BenchmarkDefinition, CandidateDefinition, ColumnsDefinition, TestSetDefinition

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_the_command_reference_is_the_one_the_code_gives() -> None:
    assert (ROOT / "docs" / "cli.md").read_text() == cli_markdown(), "run: python -m tests.cli_reference"


def test_the_json_reference_is_the_one_the_code_gives() -> None:
    assert (ROOT / "docs" / "json.md").read_text() == json_markdown(), "run: python -m tests.cli_reference"


def test_every_command_with_json_is_in_the_json_reference() -> None:
    commands = re.findall(r"## workbench ([a-z ]+?)(?: [A-Z]|\n)[^#]*`--json`", cli_markdown())
    assert set(commands) == {*DATA, *PLAIN} - {*BESIDE}


def test_commands_named_in_the_documents_exist() -> None:
    known = re.findall(r"^## workbench ([a-z ]+?)(?: [A-Z_]+)*$", cli_markdown(), re.MULTILINE)
    launcher = {"test", "repair", "--no-browser", "COMMAND"}
    for document in DOCUMENTS:
        for line in re.findall(r"`?python3 launch\.py +([^`#\s][^`#\n]*)", document.read_text()):
            words = shlex.split(line)
            assert words[0] in launcher or any(" ".join(words).startswith(name) for name in known), line


def test_commands_named_without_the_launcher_exist_too() -> None:
    known = re.findall(r"^## workbench ([a-z ]+?)(?: [A-Z_]+)*$", cli_markdown(), re.MULTILINE)
    groups = {name.split()[0] for name in known if " " in name}
    for document in (*DOCUMENTS, ROOT / "CHANGELOG.md"):
        for line in re.findall(r"(?:`|^ *)workbench +([a-z][^`#\n]*)", document.read_text(), re.MULTILINE):
            named = line.strip()
            is_known = named in groups or any(re.match(rf"{name}(?![a-z-])", named) for name in known)
            assert is_known, f"{document.name} names the command: workbench {named}"


def test_the_example_benchmark_file_is_valid_and_names_every_key() -> None:
    text = (ROOT / "docs" / "benchmark-file.md").read_text()
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    parse_benchmark(example, "docs/benchmark-file.md")
    hidden = {"engine", "conversations"}
    for record in (
        *(BenchmarkDefinition, TestSetDefinition, ColumnsDefinition, PromptTemplate, CandidateDefinition),
        *(LlamaCppOptions, Workload, Limits, Weights, Prices, TokenPrices),
    ):
        for name in set(record.model_fields) - hidden:
            assert re.search(rf"\b{name}\b", example), f"{name} of {record.__name__} is not in the example"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_and_images_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", document.read_text()):
        if not target.startswith("http"):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_printed_json_has_the_documented_fields(tmp_path: Path) -> None:
    for arguments in (("doctor",), ("engines",), ("catalog", "search"), ("catalog", "show", "microsoft/phi-4")):
        data = printed(workbench(tmp_path, *arguments, "--json", code=None))
        record, many = DATA[" ".join(arguments[:2]) if arguments[0] == "catalog" else arguments[0]]
        first = data[0] if many else data
        assert set(first) == set(record.model_fields)
