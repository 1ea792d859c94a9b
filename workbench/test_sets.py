"""Puts a test set together from a benchmark definition: files, labels, prompt; refuses what cannot be trusted."""

from collections import Counter
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
    """The examples of a file, or of a version that is kept."""
    if definition.file is not None:
        return _read(definition, folder, task, definition.file)
    if kept is None or definition.name is None:
        raise BadTestSet(f"The test set {definition.name!r} is looked for in a data directory, and none is open here.")
    return kept.read(definition.name, definition.version, task)


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
