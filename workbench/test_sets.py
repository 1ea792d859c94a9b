"""Puts a test set together from a benchmark definition: files, labels, prompt; refuses what cannot be trusted."""

from collections import Counter
from pathlib import Path

from runners.errors import BadTestSet
from runners.prompts import example_request
from runners.records import Workload
from runners.test_set_records import PromptTemplate, TestSet
from runners.test_sets.files import TestSetFile, check_examples, read_test_set_file
from workbench.records import BenchmarkDefinition, PreparedBenchmark, TestSetCheck, TestSetDefinition
from workbench.remote import notes_on_leaving

_MOST_LABELS = 50
"""A label column with more values than this is text, not a label."""
_ERRORS_SHOWN = 5


def check_test_set(definition: TestSetDefinition, folder: Path, labels: tuple[str, ...] | None = None) -> TestSetCheck:
    """Read the examples and list every problem. Raises BadTestSet when the file cannot be read at all."""
    file = _read(definition, folder, definition.file)
    shots = _read(definition, folder, definition.few_shot) if definition.few_shot else None
    counts = Counter(example.target for example in file.examples)
    found = tuple(sorted(label for label in counts if label))
    problems = check_examples(file.examples, labels or found, shots.examples if shots is not None else ())
    broken = (*file.problems, *(shots.problems if shots is not None else ()))
    return TestSetCheck(
        file=file, labels=labels or found, problems=(*broken, *problems), label_counts=tuple(counts.most_common())
    )


def prepare_benchmark(
    definition: BenchmarkDefinition, folder: Path, *, source: str | None = None, text: str = ""
) -> PreparedBenchmark:
    """Read and check everything that needs no model. Raises BadTestSet or BadTemplate."""
    checked = check_test_set(definition.test_set, folder, definition.labels)
    if checked.errors:
        raise BadTestSet(_refusal(checked))
    if not checked.file.examples:
        raise BadTestSet(f"{checked.file.path} has a header and no examples. Add labelled rows.")
    if len(checked.labels) < 2 or len(checked.labels) > _MOST_LABELS:
        raise BadTestSet(
            f"{checked.file.path}: the column {checked.file.columns.target!r} has {len(checked.labels)} labels; "
            f"classification needs 2 to {_MOST_LABELS}. Is it the right column?"
        )
    shots = _read(definition.test_set, folder, definition.test_set.few_shot) if definition.test_set.few_shot else None
    test_set = TestSet(
        name=Path(definition.test_set.file).stem,
        labels=checked.labels,
        examples=checked.file.examples,
        few_shot=shots.examples[: definition.test_set.few_shot_count] if shots is not None else (),
        prompt=definition.prompt or default_prompt(checked.file.columns.text),
        source=checked.file.path,
    )
    example_request(test_set, test_set.examples[0], Workload(kind="accuracy"))
    _check_paraphrases(definition, test_set)
    return PreparedBenchmark(
        definition=definition,
        test_set=test_set,
        problems=checked.problems,
        notes=notes_on_leaving(definition, test_set),
        source=source,
        text=text,
    )


def _check_paraphrases(definition: BenchmarkDefinition, test_set: TestSet) -> None:
    """Raises BadTemplate for another wording that does not render."""
    for workload in definition.workloads:
        for prompt in workload.paraphrases:
            worded = test_set.model_copy(update={"prompt": prompt})
            example_request(worded, test_set.examples[0], workload)


def default_prompt(text_column: str) -> PromptTemplate:
    """A plain classification prompt over one column."""
    return PromptTemplate(
        system="Sort the text into one category. Answer with one of: {{ labels | join(', ') }}.",
        user="Text: {{ " + text_column + " }}\nCategory:",
    )


def _read(definition: TestSetDefinition, folder: Path, name: str) -> TestSetFile:
    path = Path(name).expanduser()
    columns = definition.columns
    return read_test_set_file(
        path if path.is_absolute() else folder / path,
        id_column=columns.id,
        text_column=columns.text,
        target_column=columns.label,
        slice_columns=columns.slices,
    )


def _refusal(checked: TestSetCheck) -> str:
    errors = [problem for problem in checked.problems if problem.severity == "error"]
    lines = [f"{checked.file.path} has {len(errors)} errors and is not measured until they are mended:"]
    lines += [f"  row {problem.row or '?'}: {problem.message}. {problem.fix}" for problem in errors[:_ERRORS_SHOWN]]
    if len(errors) > _ERRORS_SHOWN:
        lines.append(f"  … and {len(errors) - _ERRORS_SHOWN} more: workbench testset check {checked.file.path}")
    return "\n".join(lines)
