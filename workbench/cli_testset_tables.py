"""Draws test sets, their versions and what is wrong with them for the terminal; holds no logic."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from results import numbers
from results.records import Estimate
from results.test_set_records import KeptTestSet, TestSetDiff
from runners.test_set_records import Example, Problem
from workbench.cli_marks import new_table
from workbench.records import TestSetCheck
from workbench.test_set_records import ConvertedBenchmark, ImportedTestSet, ShownTestSet

_MOST_PROBLEMS = 50
_MOST_LABELS = 50
_TEXT_SHOWN = 80
_CHANGE_MARKS = {"added": "[green]+[/]", "removed": "[red]-[/]", "changed": "[yellow]~[/]"}


def print_test_set(console: Console, checked: TestSetCheck) -> None:
    """How the file was read, labels, agreement and problems."""
    columns = checked.file.columns
    console.print(
        f"{len(checked.file.examples)} examples in {escape(checked.file.path)}: text in {columns.text!r}, "
        f"label in {columns.target!r}, slices: {', '.join(columns.slices) or 'none'}"
    )
    for note in _form_notes(checked.file.form):
        console.print(escape(note))
    if checked.labels:
        counts = checked.label_counts[:_MOST_LABELS]
        more = (
            f" … and {len(checked.label_counts) - len(counts)} more" if len(checked.label_counts) > len(counts) else ""
        )
        console.print("Labels: " + ", ".join(f"{escape(label)} {count}" for label, count in counts) + more)
    _print_agreement(console, checked)
    _print_problems(console, checked.problems)
    warnings = len(checked.problems) - checked.errors
    console.print(f"{numbers.things(checked.errors, 'error')}, {numbers.things(warnings, 'warning')}.")


def print_imported(console: Console, imported: ImportedTestSet) -> None:
    """What an import did."""
    kept = imported.kept
    what = f"{escape(kept.name)}, version {kept.version}: {numbers.things(kept.examples, 'example')}"
    console.print(f"Kept as {what}." if imported.is_new else f"Nothing changed: this is {what}.")
    console.print(f"Text in {escape(repr(kept.columns.text))}, label in {escape(repr(kept.columns.target))}.")
    for note in kept.form.notes:
        console.print(escape(note))
    _print_problems(console, imported.problems)
    if imported.changes is not None:
        print_diff(console, imported.changes)
    if imported.is_new:
        console.print(f"Next: workbench testset check {escape(kept.source)} --task {kept.task}")


def print_converted(console: Console, converted: Sequence[ConvertedBenchmark]) -> None:
    """What became of another tool's task."""
    for each in converted:
        console.print(f"{numbers.things(each.examples, 'example')}: {each.test_set}", markup=False, soft_wrap=True)
        console.print(f"Benchmark file: {each.benchmark}", markup=False, soft_wrap=True)
        for note in each.notes:
            console.print(f"  {note}", markup=False, soft_wrap=True)


def print_kept(console: Console, kept: Sequence[KeptTestSet]) -> None:
    """Test sets with their versions."""
    if not kept:
        console.print("No test set was imported yet. Start with: workbench testset import FILE --name NAME")
        return
    table = new_table("Name", ">Version", "Task", ">Examples", "Imported", "From", "Content")
    for each in kept:
        table.add_row(
            *(escape(each.name), str(each.version), each.task, numbers.count(each.examples), each.created_at),
            *(escape(each.source), each.content_hash[:8]),
        )
    console.print(table)


def print_shown(console: Console, shown: ShownTestSet) -> None:
    """One version."""
    kept = shown.kept
    console.print(
        f"{escape(kept.name)}, version {kept.version} of {kept.created_at}: {numbers.things(kept.examples, 'example')} "
        f"for {kept.task}, content {kept.content_hash}"
    )
    console.print(f"From {escape(kept.source)}: text in {kept.columns.text!r}, label in {kept.columns.target!r}")
    for note in _form_notes(kept.form):
        console.print(escape(note))
    if shown.label_counts:
        console.print("Labels: " + ", ".join(f"{escape(label)} {n}" for label, n in shown.label_counts[:_MOST_LABELS]))
    for example in shown.first:
        console.print(f"{escape(example.id)}: {escape(_short(example))} → {escape(example.target)}")


def print_diff(console: Console, changes: TestSetDiff) -> None:
    """What changed."""
    console.print(
        f"Version {changes.first} → {changes.second}: {changes.added} added, {changes.removed} removed, "
        f"{changes.changed} changed, {changes.unchanged} the same."
    )
    for change in changes.changes[:_MOST_PROBLEMS]:
        fields = f" ({', '.join(change.fields)})" if change.fields else ""
        console.print(f"{_CHANGE_MARKS[change.change]} {escape(change.id)}{fields}")
    more = changes.added + changes.removed + changes.changed - len(changes.changes[:_MOST_PROBLEMS])
    if more:
        console.print(f"… and {more} more")


def _print_agreement(console: Console, checked: TestSetCheck) -> None:
    found = checked.agreement
    if found is None:
        return
    kappa = f"Cohen's kappa {_kappa(found.kappa)}" if found.kappa else "kappa is not defined"
    console.print(f"Two labellers agree on {numbers.estimate(found.share, 'percent')}; {kappa}.")
    for each in checked.disagreements[:_MOST_PROBLEMS]:
        console.print(f"  row {each.row or '?'}: {escape(each.id)}: {escape(each.first)} / {escape(each.second)}")
    if len(checked.disagreements) > _MOST_PROBLEMS:
        console.print(f"  … and {len(checked.disagreements) - _MOST_PROBLEMS} more (all of them with --json)")


def _print_problems(console: Console, problems: Sequence[Problem]) -> None:
    for problem in problems[:_MOST_PROBLEMS]:
        mark = "[red]error[/]  " if problem.severity == "error" else "[yellow]warning[/]"
        where = f"row {problem.row}: " if problem.row else ""
        console.print(f"{mark} {where}{escape(problem.message)} → {escape(problem.fix)}")
    if len(problems) > _MOST_PROBLEMS:
        console.print(f"… and {len(problems) - _MOST_PROBLEMS} more (all of them with --json)")


def _form_notes(form: object) -> list[str]:
    said = [getattr(form, "format", "")]
    said += [f"{name} {value}" for name in ("encoding", "sheet", "split") if (value := getattr(form, name, None))]
    return [f"Read as {', '.join(said)}.", *getattr(form, "notes", ())]


def _kappa(kappa: Estimate) -> str:
    between = f" ({kappa.low:.2f} to {kappa.high:.2f})" if kappa.low is not None and kappa.high is not None else ""
    return f"{kappa.value:.2f}{between}"


def _short(example: Example) -> str:
    text = " ".join(next(iter(example.inputs.values()), "").split())
    return text if len(text) <= _TEXT_SHOWN else f"{text[:_TEXT_SHOWN]}…"
