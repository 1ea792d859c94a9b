"""Records of labelled examples: what is asked of a model, with which prompt, and how its answers are scored.

A test set is self-contained and named by its content: two that could give different results have different hashes.
Reading files is test_set_files.py's business, checking them the same; scorers stand in scorer_options.py.
"""

import hashlib
import json
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from catalog.records import Record
from runners.scorer_options import LabelMatchOptions, ScorerOptions, scorer_content

Task = Literal["classification", "extraction", "short_answer", "multiple_choice", "free_text", "context_question"]
"""What is asked of the model.

classification:   one of the test set's labels.
extraction:       a JSON object; targets are JSON.
short_answer:     a few words or a number.
multiple_choice:  one of the example's own choices; the target is the text of the right one.
free_text:        any text; targets are references.
context_question: an answer out of the example's passages; an empty target means that they hold none.
"""

CHOICE_TASKS: frozenset[Task] = frozenset({"classification", "multiple_choice"})
"""Tasks whose answers can be scored by log-probability instead of being generated."""


LETTERS: tuple[str, ...] = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
"""Names of choices, in their order."""


class Example(Record):
    """One labelled row of a test set."""

    ALWAYS_IN_HASH: ClassVar[frozenset[str]] = frozenset({"id", "inputs", "target", "slices", "row"})
    """Fields of the first release; see TestSet.content_hash."""

    id: str = Field(min_length=1)
    """Unique in its test set."""
    inputs: dict[str, str]
    """Columns that the prompt template may use, by name."""
    target: str
    """The right answer."""
    accepted: tuple[str, ...] = ()
    """Further answers that are as right as the target."""
    choices: tuple[str, ...] = ()
    """Multiple choice: the answers to choose from, in the order shown."""
    passages: tuple[str, ...] = ()
    """Question on a context: the passages shown, numbered from 1."""
    relevant: tuple[int, ...] = ()
    """Question on a context: numbers of the passages that hold the answer."""
    slices: dict[str, str] = Field(default_factory=dict)
    """Columns by which results are broken down, by name. One called `group` names examples that belong together."""
    weight: float = Field(default=1.0, gt=0)
    """How much the example counts in every metric, as against 1."""
    row: int | None = Field(default=None, ge=1)
    """Line in the file it was read from, counted as a spreadsheet does (the header is row 1)."""

    @property
    def targets(self) -> tuple[str, ...]:
        """Every right answer, the target first."""
        return (self.target, *self.accepted)


class PromptTemplate(Record):
    """How an example becomes a conversation. Templates are sandboxed Jinja over the columns of the example."""

    ALWAYS_IN_HASH: ClassVar[frozenset[str]] = frozenset({"system", "user", "answer_prefix"})
    """Fields of the first release; see TestSet.content_hash."""

    system: str = ""
    """System message; empty for none. May use the columns of the example that is asked, and `labels`."""
    user: str = "{{ text }}"
    """User message of every example and of every few-shot example. May use `labels`, and the example's `choices` and
    `passages`."""
    answer_prefix: str = ""
    """Text that the answer is made to begin with."""
    choices_as: Literal["text", "letters"] = "text"
    """Multiple choice: whether the answer is the text of a choice or its letter: A for the first, B …"""


class TestSet(Record):
    """Labelled examples with the task, the prompt template and the scorers."""

    __test__ = False

    name: str = Field(min_length=1)
    """Short name."""
    task: Task = "classification"
    """What is asked of the model."""
    labels: tuple[str, ...]
    """Classification: the allowed answers, in the order shown to the model; empty for other tasks."""
    examples: tuple[Example, ...]
    """Examples that are measured."""
    few_shot: tuple[Example, ...] = ()
    """Examples shown in the prompt; never measured."""
    prompt: PromptTemplate = Field(default_factory=PromptTemplate)
    """How examples become conversations."""
    scorers: tuple[ScorerOptions, ...] = (LabelMatchOptions(),)
    """How answers are scored; quality is the first metric of the first."""
    source: str | None = None
    """File it was read from."""

    @model_validator(mode="after")
    def _has_no_scorer_twice(self) -> "TestSet":
        names = [scorer.name for scorer in self.scorers]
        doubled = next((name for name in names if names.count(name) > 1), None)
        if doubled is not None:
            raise ValueError(f"two scorers are called {doubled!r}; give one of them another `name`")
        return self

    @property
    def content_hash(self) -> str:
        """Hex digest over everything that can change a result: examples, labels, prompt, scorers; not over names.

        Fields that came after the first release count only where they are set, so that old test sets keep their hash.
        """
        content = {
            "task": self.task,
            "labels": list(self.labels),
            "prompt": content_of(self.prompt, PromptTemplate.ALWAYS_IN_HASH),
            "examples": [content_of(example, Example.ALWAYS_IN_HASH) for example in self.examples],
            "few_shot": [content_of(example, Example.ALWAYS_IN_HASH) for example in self.few_shot],
            "scorers": [scorer_content(scorer) for scorer in self.scorers],
        }
        return digest(content)


class Problem(Record):
    """Something wrong with one row of a test set."""

    severity: Literal["error", "warning"]
    """An error keeps the test set from being measured; a warning does not."""
    rule: str
    """Name of the check: `empty_text`, `unknown_label` …"""
    row: int | None = Field(default=None, ge=1)
    """Line in the file; None where the whole file is meant."""
    message: str
    """What is wrong, with the value seen."""
    fix: str
    """What to do."""


def digest(value: object) -> str:
    """SHA-256 over canonical JSON (sorted keys, no spaces, UTF-8), first 32 hex digits."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def content_of(record: Record, always: frozenset[str], never: frozenset[str] = frozenset()) -> dict[str, object]:
    """What of a record goes into a hash or a key: of the fields that were added later only those that are set.

    Otherwise each new field would make all test sets and runs of the past other ones.
    """
    content = record.model_dump(mode="json", exclude=set(never))
    changed = record.model_dump(mode="json", exclude_defaults=True).keys()
    return {name: value for name, value in content.items() if name in always or name in changed}
