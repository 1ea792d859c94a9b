"""How files and examples are taken into test sets that are kept: columns, ids, what is refused. Keeps nothing."""

from collections.abc import Collection

from results.test_set_staging import Labelled
from runners.errors import BadTestSet
from runners.test_set_records import Example, Problem, Task
from runners.test_sets.checks import check_examples, text_of_example
from runners.test_sets.edits import GROUP, readable
from runners.test_sets.records import Columns, TestSetFile
from workbench.test_set_edits import WorkingCopy, free_id
from workbench.test_set_records import NewExample

_ERRORS_SHOWN = 5


def empty_columns(task: Task) -> Columns:
    """Columns of a test set that is labelled by hand from its first example on."""
    target = {"classification": "label", "extraction": "json", "free_text": "reference"}.get(task, "answer")
    return Columns(
        id="id",
        text="question" if task in {"multiple_choice", "context_question", "short_answer"} else "text",
        target=target,
        accepted="accepted" if task in {"short_answer", "free_text", "context_question"} else None,
        choices=("choices",) if task == "multiple_choice" else (),
        passages=("passages",) if task == "context_question" else (),
        relevant="relevant" if task == "context_question" else None,
    )


def unique_ids(file: TestSetFile) -> tuple[list[Labelled], str]:
    """The examples of a file with ids that stand once, and what was done to get there in a sentence."""
    seconds = file.second_labels or ("",) * len(file.examples)
    with_second = file.columns.second_label is not None
    taken: set[str] = set()
    labelled, renamed = [], 0
    for example, second in zip(file.examples, seconds, strict=True):
        identity = free_id(example.id, taken)
        taken.add(identity)
        renamed += identity != example.id
        unique = example if identity == example.id else example.model_copy(update={"id": identity})
        labelled.append(Labelled(unique, second if with_second else None))
    rows = {problem.row for problem in _unreadable(file)}
    said = [f"{len(rows):,} rows that cannot be read left out"] if rows else []
    said += [f"{renamed:,} ids that stood twice made unique"] if renamed else []
    return labelled, f"{', '.join(said)}." if said else ""


def refuse_unreadable(file: TestSetFile) -> None:
    """Raises BadTestSet where rows of a file cannot be read."""
    broken = _unreadable(file)
    if broken:
        lines = [f"{file.path} has {len(broken)} rows that cannot be read, and nothing was added:"]
        lines += [f"  row {problem.row or '?'}: {problem.message}. {problem.fix}" for problem in broken[:_ERRORS_SHOWN]]
        raise BadTestSet("\n".join(lines))


def added_example(new: NewExample, copy: WorkingCopy, labels: Collection[str]) -> Example:
    """The example as the test set holds it. Raises BadTestSet where it is no good example of it."""
    like = next((each.example for each in copy.examples.values()), None)
    columns = copy.kept.columns
    inputs = dict.fromkeys(like.inputs if like is not None else (columns.text,), "")
    unknown = [name for name in (*new.inputs, *new.slices) if name not in inputs and name not in columns.slices]
    if unknown:
        raise BadTestSet(
            f"The test set {copy.kept.name!r} has no column {unknown[0]!r}. Columns: "
            f"{', '.join(dict.fromkeys((*inputs, *columns.slices)))}."
        )
    slices = dict.fromkeys(columns.slices, "") | ({GROUP: ""} if columns.group else {}) | new.slices
    inputs |= {name: value for name, value in slices.items() if name in inputs}
    inputs |= new.inputs | {columns.text: readable(new.text)}
    example = Example(
        id=free_id(new.id.strip(), copy.examples) if new.id.strip() else _numbered(new.source, copy),
        inputs=inputs,
        target=readable(new.target).strip(),
        accepted=tuple(each for each in new.accepted if each != new.target),
        choices=new.choices,
        passages=new.passages,
        slices=slices,
    )
    _refuse_double(example, copy)
    task = copy.kept.task
    known = tuple(labels) or tuple(dict.fromkeys(e.example.target for e in copy.examples.values() if e.example.target))
    found = check_examples([example], known or (example.target,), task=task)
    for problem in found:
        if problem.severity == "error":
            said = problem.message.removeprefix(f"{example.id}: ")
            raise BadTestSet(f"The example is not added: {said}. {problem.fix}")
    return example


def _numbered(source: str, copy: WorkingCopy) -> str:
    """`head-to-head-1` and so on, the first that is free."""
    number = 1
    while f"{source}-{number}" in copy.examples:
        number += 1
    return f"{source}-{number}"


def _refuse_double(example: Example, copy: WorkingCopy) -> None:
    asked = _asked_of(example)
    for each in copy.examples.values():
        if asked and _asked_of(each.example) == asked:
            answer = each.example.target or "without an answer"
            raise BadTestSet(
                f"The example is not added: the test set {copy.kept.name!r} has this text already, as "
                f"{each.example.id!r} ({answer}). Edit that example instead."
            )


def _asked_of(example: Example) -> str:
    parts = (text_of_example(example), *sorted(example.choices), *example.passages)
    return " ".join(" ".join(parts).casefold().split())


def _unreadable(file: TestSetFile) -> list[Problem]:
    return [problem for problem in file.problems if problem.severity == "error"]
