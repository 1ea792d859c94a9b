"""Puts a test set together from a benchmark definition: files, labels, prompt; refuses what cannot be trusted."""

from collections import Counter
from collections.abc import Hashable
from pathlib import Path

from results.agreement import agreement
from results.agreement_records import Agreement, Disagreement
from runners.errors import BadTestSet
from runners.few_shot import choose_few_shot
from runners.prompts import example_request
from runners.records import JUDGED_KINDS, Workload
from runners.scorers.preparing import prepare_scorers
from runners.test_set_records import CHOICE_TASKS, PromptTemplate, Task, TestSet
from runners.test_sets.checks import check_examples
from runners.test_sets.files import read_test_set_file
from runners.test_sets.records import TestSetFile
from workbench.errors import BadBenchmarkFile
from workbench.records import BenchmarkDefinition, PreparedBenchmark, TestSetCheck, TestSetDefinition
from workbench.remote import notes_on_leaving
from workbench.task_defaults import USUAL_SCORERS, usual_prompt, usual_workload
from workbench.test_set_book import TestSetBook
from workbench.test_set_checks import CheckKey

_MOST_LABELS = 50
"""A label column with more values than this is text, not a label."""
_ERRORS_SHOWN = 5


def check_test_set(
    definition: TestSetDefinition,
    folder: Path,
    labels: tuple[str, ...] | None = None,
    *,
    task: Task = "classification",
    kept: TestSetBook | None = None,
) -> TestSetCheck:
    """Read the examples and list every problem. Raises BadTestSet when the file cannot be read at all.

    `kept` holds the test sets that a definition may name instead of a file.
    """
    stamp = _stamp(definition, folder, kept)
    if kept is not None and stamp is not None:
        key = CheckKey(definition, labels, task, stamp)
        return kept.checks.get(key, lambda: _check(definition, folder, labels, task, kept))
    return _check(definition, folder, labels, task, kept)


def _check(
    definition: TestSetDefinition,
    folder: Path,
    labels: tuple[str, ...] | None,
    task: Task,
    kept: TestSetBook | None,
) -> TestSetCheck:
    file = _examples(definition, folder, task, kept)
    shots = _read(definition, folder, task, definition.few_shot) if definition.few_shot else None
    counts = Counter(example.target for example in file.examples) if task == "classification" else Counter[str]()
    found = tuple(sorted(label for label in counts if label))
    problems = check_examples(
        file.examples,
        labels or found,
        shots.examples if shots is not None else (),
        task=task,
        labels_found=not labels,
    )
    broken = (*file.problems, *(shots.problems if shots is not None else ()))
    agreed, different = _agreement(file)
    return TestSetCheck(
        file=file,
        labels=labels or found,
        problems=(*broken, *problems),
        label_counts=tuple(counts.most_common()),
        agreement=agreed,
        disagreements=different,
    )


def prepare_benchmark(
    definition: BenchmarkDefinition,
    folder: Path,
    *,
    source: str | None = None,
    text: str = "",
    kept: TestSetBook | None = None,
) -> PreparedBenchmark:
    """Read and check everything that needs no model. Raises BadTestSet or BadTemplate.

    `kept` holds the test sets that a definition may name instead of a file.
    """
    if kept is not None and definition.test_set.name is not None and definition.test_set.version is None:
        kept.keep_edits(definition.test_set.name)
    checked = check_test_set(definition.test_set, folder, definition.labels, task=definition.task, kept=kept)
    if checked.errors:
        raise BadTestSet(_refusal(checked))
    if not checked.file.examples:
        raise BadTestSet(f"{checked.file.path} has a header and no examples. Add labelled rows.")
    is_classification = definition.task == "classification"
    if is_classification and (len(checked.labels) < 2 or len(checked.labels) > _MOST_LABELS):
        raise BadTestSet(
            f"{checked.file.path}: the column {checked.file.columns.target!r} has {len(checked.labels)} labels; "
            f"classification needs 2 to {_MOST_LABELS}. Is it the right column?"
        )
    chosen = definition.test_set
    shots = _read(chosen, folder, definition.task, chosen.few_shot) if chosen.few_shot else None
    test_set = TestSet(
        name=chosen.title,
        task=definition.task,
        labels=checked.labels if is_classification else (),
        examples=checked.file.examples,
        few_shot=choose_few_shot(
            shots.examples if shots is not None else (), chosen.few_shot_count, chosen.few_shot_choice, definition.seed
        ),
        prompt=_first_prompt(definition)
        or usual_prompt(definition.task, checked.file.columns.text, checked.file.examples),
        scorers=prepare_scorers(
            definition.scorers or USUAL_SCORERS[definition.task],
            folder,
            next((workload.json_schema for workload in definition.workloads if workload.kind == "accuracy"), None),
        ),
        source=checked.file.path,
    )
    for prompt in definition.prompts or (test_set.prompt,):
        asked = test_set.model_copy(update={"prompt": prompt})
        example_request(asked, test_set.examples[0], Workload(kind="accuracy"))
    _check_paraphrases(definition, test_set)
    return PreparedBenchmark(
        definition=_with_usual_workloads(definition),
        test_set=test_set,
        problems=checked.problems,
        notes=notes_on_leaving(definition, test_set),
        source=source,
        text=text,
    )


def _first_prompt(definition: BenchmarkDefinition) -> PromptTemplate | None:
    """The prompt that stands for the test set: the only one, or the first of those that are compared."""
    return definition.prompts[0].template if definition.prompts else definition.prompt


def _check_paraphrases(definition: BenchmarkDefinition, test_set: TestSet) -> None:
    """Raises BadTemplate for another wording that does not render."""
    for workload in definition.workloads:
        for prompt in workload.paraphrases:
            worded = test_set.model_copy(update={"prompt": prompt})
            example_request(worded, test_set.examples[0], workload)


def _with_usual_workloads(definition: BenchmarkDefinition) -> BenchmarkDefinition:
    """The definition with room for the task's answers. Raises BadBenchmarkFile for answers held to two things."""
    for workload in definition.workloads:
        held = "json_schema" if workload.json_schema else "grammar" if workload.grammar else None
        if held and workload.kind in JUDGED_KINDS and definition.task in CHOICE_TASKS and workload.answers != "free":
            raise BadBenchmarkFile(
                f"{held} holds free answers, and the {workload.kind} workload's answers are {workload.answers!r}. "
                f"Set answers: free, or leave {held} out."
            )
    workloads = tuple(usual_workload(workload, definition.task) for workload in definition.workloads)
    return definition.model_copy(update={"workloads": workloads})


def _examples(definition: TestSetDefinition, folder: Path, task: Task, kept: TestSetBook | None) -> TestSetFile:
    """The examples of a file, or of a version that is kept; of the newest, with edits that are in no version yet."""
    if definition.file is not None:
        file = _read(definition, folder, task, definition.file)
    elif kept is None or definition.name is None:
        raise BadTestSet(f"The test set {definition.name!r} is looked for in a data directory, and none is open here.")
    elif definition.version is None:
        file = kept.working(definition.name, task).file
    else:
        file = kept.read(definition.name, definition.version, task)
    return _labelled_only(file) if definition.only_labelled else file


def _labelled_only(file: TestSetFile) -> TestSetFile:
    seconds = file.second_labels or ("",) * len(file.examples)
    both = [(e, second) for e, second in zip(file.examples, seconds, strict=True) if e.target]
    left_out = len(file.examples) - len(both)
    if not left_out:
        return file
    note = f"{left_out:,} of {len(file.examples):,} examples have no right answer and are left out."
    return file.model_copy(
        update={
            "examples": tuple(example for example, _ in both),
            "second_labels": tuple(second for _, second in both) if file.second_labels else (),
            "form": file.form.model_copy(update={"notes": (*file.form.notes, note)}),
        }
    )


def _stamp(definition: TestSetDefinition, folder: Path, kept: TestSetBook | None) -> Hashable | None:
    """What changes when the examples do; None where that cannot be told, as for a folder of files."""
    stamps: list[Hashable] = []
    if definition.name is not None and kept is not None:
        stamps.append(kept.stamp(definition.name, definition.version))
    for name in (definition.file, definition.few_shot):
        if name is not None:
            path = folder / Path(name).expanduser()
            if not path.is_file():
                return None
            state = path.stat()
            stamps.append((str(path), state.st_mtime_ns, state.st_size))
    return tuple(stamps)


def _read(definition: TestSetDefinition, folder: Path, task: Task, name: str) -> TestSetFile:
    path = Path(name).expanduser()
    return read_test_set_file(
        path if path.is_absolute() else folder / path, task, definition.columns, definition.options
    )


def _agreement(file: TestSetFile) -> tuple[Agreement | None, tuple[Disagreement, ...]]:
    """How far the two labels of a file agree, where both are given, and the examples where they do not."""
    both = [(e, second) for e, second in zip(file.examples, file.second_labels, strict=False) if e.target and second]
    different = tuple(
        Disagreement(row=example.row, id=example.id, first=example.target, second=second)
        for example, second in both
        if example.target != second
    )
    return agreement([example.target for example, _ in both], [second for _, second in both]), different


def _refusal(checked: TestSetCheck) -> str:
    errors = [problem for problem in checked.problems if problem.severity == "error"]
    lines = [f"{checked.file.path} has {len(errors)} errors and is not measured until they are mended:"]
    lines += [f"  row {problem.row or '?'}: {problem.message}. {problem.fix}" for problem in errors[:_ERRORS_SHOWN]]
    if len(errors) > _ERRORS_SHOWN:
        lines.append(f"  … and {len(errors) - _ERRORS_SHOWN} more: workbench testset check {checked.file.path}")
    return "\n".join(lines)
