"""Writes docs/cli.md and docs/json.md from the code: `python -m tests.cli_reference`. A test holds them together."""

from pathlib import Path
from typing import Any

import typer.main
from pydantic import BaseModel

from catalog.records import Fit, MachineProfile, Model, SearchResult, Trend, Verdict
from results.head_to_head_records import Ballot, BatchSummary
from results.judge_records import JudgeReport
from results.parity_records import ParityReport
from results.recommendation_records import Recommendation
from results.records import BenchmarkComparison, RunInfo
from results.regression_records import Regression
from results.repetition_records import Repetition
from results.shortlist_records import Shortlist
from results.standing_records import HeadToHeadStanding
from results.test_set_records import KeptTestSet, TestSetDiff
from workbench.benchmark_book import ListedBenchmark
from workbench.cli import __doc__ as cli_text
from workbench.cli import app
from workbench.ladder_records import DivergenceReport, Ladder
from workbench.pass_records import PassReport
from workbench.records import (
    SCHEMA_VERSION,
    CatalogState,
    Check,
    EngineStatus,
    LocalModels,
    ModelPage,
    PlannedMachine,
    PromptPreview,
    TestSetCheck,
    WhyAnswer,
)
from workbench.stored_answers import Imported, Rescored
from workbench.test_set_records import ShownTestSet
from workbench.vote_records import BenchmarkVotes

DOCS = Path(__file__).parents[1] / "docs"

DATA: dict[str, tuple[type[BaseModel], bool]] = {
    "doctor": (Check, True),
    "engines": (EngineStatus, True),
    "engines install": (EngineStatus, False),
    "engines check": (EngineStatus, False),
    "catalog search": (SearchResult, False),
    "catalog show": (ModelPage, False),
    "catalog update": (CatalogState, False),
    "catalog trending": (Trend, True),
    "catalog add": (Model, True),
    "catalog local": (LocalModels, False),
    "catalog why": (WhyAnswer, False),
    "shortlist list": (Shortlist, True),
    "shortlist show": (Shortlist, False),
    "shortlist rename": (Shortlist, False),
    "shortlist copy": (Shortlist, False),
    "shortlist archive": (Shortlist, False),
    "fit": (Fit, False),
    "plan": (PlannedMachine, True),
    "machines": (MachineProfile, True),
    "license": (Verdict, False),
    "quantize": (Ladder, False),
    "divergence": (DivergenceReport, False),
    "parity": (ParityReport, False),
    "judge": (JudgeReport, False),
    "score": (PassReport, False),
    "testset check": (TestSetCheck, False),
    "testset list": (KeptTestSet, True),
    "testset show": (ShownTestSet, False),
    "testset diff": (TestSetDiff, False),
    "prompt": (PromptPreview, False),
    "rescore": (Rescored, False),
    "completions import": (Imported, False),
    "runs": (RunInfo, True),
    "benchmarks list": (ListedBenchmark, True),
    "compare": (BenchmarkComparison, False),
    "regression": (Regression, False),
    "repeat": (Repetition, False),
    "recommend": (Recommendation, False),
    "votes list": (Ballot, True),
    "votes batches": (BatchSummary, True),
    "votes standing": (HeadToHeadStanding, False),
    "votes benchmark": (BenchmarkVotes, False),
}
"""`kind` of a JSON document → record of its `data`, and whether it is a list of them."""

PLAIN = {
    "demo": "`recommendation` (as in `recommend`) and `report` (path of the report)",
    "download": "`plan` (what was fetched: files, revision, bytes) and `files` (paths of the weights on this machine)",
    "engines uninstall": "`engine` and `freed_bytes` (0 where it was not installed)",
    "testset import": "`imported` (`kept`: the version as in `testset list`, `is_new`, `changes` as in `testset diff`, "
    "`problems`), or `converted` (a list: `benchmark` and `test_set`, paths of what was written, `notes` …)",
    "testset export": "`file` (path of the file that was written)",
    "bench": "`benchmark` (its name) and `runs` (as in `runs`)",
    "export": "`file` (path of the file that was written) and `rows` (how many it has)",
    "votes export": "`file` (path of the file that was written) and `rows` (how many it has)",
    "report": "`report` (path of the file that was written)",
}
"""`kind` of the documents that are put together from others."""


BESIDE = {"regression": "of `compare A B`", "votes benchmark": "of `votes standing --benchmark NAME`"}
"""Kinds that are no command of their own: which command prints them."""


def cli_markdown() -> str:
    """The reference of all commands."""
    codes = (cli_text or "").partition("\n\n")[2].replace("\n", " ").strip()
    lines = [
        "# Commands",
        "",
        "`workbench COMMAND` inside the environment, `python3 launch.py COMMAND` from outside. "
        "Written by `python -m tests.cli_reference`.",
        "",
        codes,
        "",
    ]
    for name, command in _commands(typer.main.get_command(app)):
        arguments = " ".join(p.name.upper() for p in command.params if p.param_type_name == "argument")
        lines += [f"## workbench {name} {arguments}".rstrip(), "", command.help or "", ""]
        options = [p for p in command.params if p.param_type_name == "option" and p.name != "help"]
        lines += [f"- `{', '.join(option.opts)}` {option.help or ''}".rstrip() for option in options]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def json_markdown() -> str:
    """The reference of all JSON documents."""
    lines = [
        "# JSON output",
        "",
        f"Every command with `--json` prints one document: `schema_version` ({SCHEMA_VERSION}), `kind` (the command) "
        "and `data`. Unknown is `null`. Fields may be added within a version; none is renamed or removed. "
        "Written by `python -m tests.cli_reference`.",
        "",
    ]
    for kind, (record, many) in DATA.items():
        where = f" {BESIDE[kind]}" if kind in BESIDE else ""
        lines += [f"## {kind}", "", f"`data`{where} is {'a list of objects' if many else 'an object'} with:", ""]
        lines += [f"- `{name}`: {_sentence(field.description)}" for name, field in record.model_fields.items()]
        lines.append("")
    for kind, text in PLAIN.items():
        lines += [f"## {kind}", "", f"`data` is an object with {text}.", ""]
    return "\n".join(lines).rstrip() + "\n"


def _commands(group: Any, prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, command in group.commands.items():
        full = f"{prefix}{name}"
        is_group = hasattr(command, "commands")
        if not is_group or command.invoke_without_command:
            found.append((full, command))
        found += _commands(command, f"{full} ") if is_group else []
    return found


def _sentence(text: str | None) -> str:
    return " ".join((text or "").split())


if __name__ == "__main__":
    (DOCS / "cli.md").write_text(cli_markdown(), encoding="utf-8")
    (DOCS / "json.md").write_text(json_markdown(), encoding="utf-8")
