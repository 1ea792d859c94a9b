"""The commands on labelled examples: check files, keep versions, see what changed, take over other tools' tasks."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from runners.test_set_records import Task
from workbench.cli_parts import Home, Json, console, leave, open_workbench, print_json
from workbench.records import ColumnsDefinition, TestSetDefinition

if TYPE_CHECKING:
    pass

testset_app = typer.Typer(help="Look after labelled examples.", no_args_is_help=True)

_TASKS = get_args(Task)
_COLUMN_KEYS = tuple(ColumnsDefinition.model_fields)
_LISTS = {"choices", "passages", "slices"}

Column = Annotated[
    list[str] | None,
    typer.Option(help="KEY=NAME: which column is what, as under `columns:` of a benchmark file; repeat for each."),
]
TaskOption = Annotated[str | None, typer.Option(help=f"What is asked: {', '.join(_TASKS)}. Default: classification.")]
Encoding = Annotated[str | None, typer.Option(help="Encoding of a text file; default: found out.")]
Sheet = Annotated[str | None, typer.Option(help="Sheet of an Excel workbook; default: the first.")]
Split = Annotated[
    str | None, typer.Option(help="Part of a dataset folder; default: test, else validation, else train.")
]
Version = Annotated[int | None, typer.Option(min=1, help="Which version; default: the newest.")]


@testset_app.command("check")
def check_testset(  # noqa: PLR0913, PLR0917  one option per choice
    file: Annotated[Path, typer.Argument(help="File or dataset folder with labelled examples, or a benchmark file.")],
    task: TaskOption = None,
    column: Column = None,
    label: Annotated[list[str] | None, typer.Option(help="An allowed label; repeat for each.")] = None,
    few_shot: Annotated[Path | None, typer.Option(help="Examples that are shown in the prompt.")] = None,
    encoding: Encoding = None,
    sheet: Sheet = None,
    split: Split = None,
    model: Annotated[
        str | None, typer.Option(help="Also say which prompts are too long for this model (a candidate, id or path).")
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """List every problem of labelled examples, and how far two labellers agree where there are two."""
    from workbench.cli_testset_tables import print_test_set

    workbench = open_workbench(home)
    if file.suffix.casefold() in {".yaml", ".yml"}:
        checked = workbench.check_benchmark_file(file, model=model)
    else:
        definition = TestSetDefinition(
            file=str(file.absolute()),
            few_shot=str(few_shot.absolute()) if few_shot else None,
            columns=_columns(column),
            encoding=encoding,
            sheet=sheet,
            split=split,
        )
        labels = tuple(label) if label else None
        checked = workbench.check_test_set(definition, labels, task=_task(task) or "classification", model=model)
    if as_json:
        print_json("testset check", checked)
    else:
        print_test_set(console(), checked)
    leave(checked.errors == 0)


@testset_app.command("import")
def import_testset(  # noqa: PLR0913, PLR0917  one option per choice
    file: Annotated[
        Path,
        typer.Argument(help="File or dataset folder; or a task of lm-evaluation-harness or a promptfoo configuration."),
    ],
    name: Annotated[str | None, typer.Option(help="What it is called; default: the file's name.")] = None,
    task: TaskOption = None,
    column: Column = None,
    encoding: Encoding = None,
    sheet: Sheet = None,
    split: Split = None,
    output: Annotated[
        Path | None, typer.Option(help="Tasks of other tools: folder to write to; default: where the file is.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(help="Tasks of other tools: a candidate to write down; repeat for each.")
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Keep labelled examples as the next version of a test set; a task of another tool becomes a benchmark file."""
    from workbench.cli_testset_tables import print_converted, print_imported

    workbench = open_workbench(home)
    if file.suffix.casefold() in {".yaml", ".yml"}:
        converted = workbench.test_sets.convert(file, folder=output, name=name, models=tuple(model or ()))
        if as_json:
            print_json("testset import", {"converted": [each.model_dump(mode="json") for each in converted]})
        else:
            print_converted(console(), converted)
        return
    definition = TestSetDefinition(
        file=str(file.absolute()), columns=_columns(column), encoding=encoding, sheet=sheet, split=split
    )
    imported = workbench.test_sets.import_file(definition, Path.cwd(), name=name, task=_task(task))
    if as_json:
        print_json("testset import", {"imported": imported.model_dump(mode="json")})
    else:
        print_imported(console(), imported)


@testset_app.command("list")
def list_testsets(home: Home = None, as_json: Json = False) -> None:
    """List the test sets that are kept, with all versions."""
    from workbench.cli_testset_tables import print_kept

    kept = open_workbench(home).test_sets.all()
    if as_json:
        print_json("testset list", kept)
    else:
        print_kept(console(), kept)


@testset_app.command("show")
def show_testset(name: str, version: Version = None, home: Home = None, as_json: Json = False) -> None:
    """Show one version: how it was read, its labels, its first examples."""
    from workbench.cli_testset_tables import print_shown

    shown = open_workbench(home).test_sets.show(name, version)
    if as_json:
        print_json("testset show", shown)
    else:
        print_shown(console(), shown)


@testset_app.command("diff")
def diff_testset(name: str, first: int, second: int, home: Home = None, as_json: Json = False) -> None:
    """Say what changed from one version to another."""
    from workbench.cli_testset_tables import print_diff

    changes = open_workbench(home).test_sets.diff(name, first, second)
    if as_json:
        print_json("testset diff", changes)
    else:
        print_diff(console(), changes)


@testset_app.command("export")
def export_testset(
    name: str,
    output: Annotated[Path, typer.Option(help="File to write; .csv, .tsv, .jsonl or .parquet.")],
    version: Version = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Write one version as a file."""
    path = open_workbench(home).test_sets.export(name, version, output.expanduser().absolute())
    if as_json:
        print_json("testset export", {"file": str(path)})
    else:
        console().print(f"Written: {path}", markup=False, soft_wrap=True)


def _task(name: str | None) -> Task | None:
    found: Task | None = next((task for task in _TASKS if task == name), None)
    if name is not None and found is None:
        raise typer.BadParameter(f"{name!r} is not among: {', '.join(_TASKS)}.", param_hint="--task")
    return found


def _columns(options: list[str] | None) -> ColumnsDefinition:
    """KEY=NAME pairs; lists with commas."""
    found: dict[str, object] = {}
    for option in options or ():
        key, equals, name = option.partition("=")
        if not equals or key not in _COLUMN_KEYS or not name:
            raise typer.BadParameter(
                f"{option!r} is no KEY=NAME with a key among: {', '.join(_COLUMN_KEYS)}.", param_hint="--column"
            )
        found[key] = [part.strip() for part in name.split(",")] if key in _LISTS else name
    return ColumnsDefinition.model_validate(found)


def testset_commands(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(testset_app, name="testset")
