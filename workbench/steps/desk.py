"""What lies on the desk: choices that are not a benchmark yet.

Kept in the process and in the data directory, so that neither a refresh nor a restart loses anything (kept_file.py says
how). Any field of the draft is kept so; what has a name and a history is in the store.
"""

import contextlib
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from catalog.records import ModelQuery, Record
from results.head_to_head_records import RoundSource
from runners.records import Message
from runners.scorer_options import ScorerOptions
from runners.test_set_records import PromptTemplate, Task
from workbench.kept_file import Found, NotKept, read_kept, write_kept
from workbench.records import CandidateDefinition, NamedPrompt, TestSetDefinition
from workbench.steps.run.choices import RunChoices


class PickedExample(Record):
    """An example of the test set as the next prompt of a head-to-head."""

    messages: tuple[Message, ...]
    """As the benchmark would ask it, without the system prompt."""
    source: RoundSource
    """Where it comes from."""


class HeadToHead(Record):
    """What is set up in the step Head-to-head."""

    form: tuple[Any, ...] = ()
    """Values of its controls, in their order on the page."""
    picked: PickedExample | None = None
    """The example that the prompt was filled with."""
    round_id: str | None = None
    """The round that was looked at last."""


class Draft(Record):
    """Everything on the desk.

    What only means something while this process lives, such as the id of a job, has `Field(exclude=True)`.
    """

    query: ModelQuery = ModelQuery(limit=50)
    """Filters of the last search."""
    model_id: str | None = None
    """Model that is looked at."""
    shortlist_name: str = "shortlist"
    """Name that the shortlist will be saved under."""
    kept: str | None = None
    """NAME@VERSION of the kept shortlist that was taken or made last."""
    download: tuple[str, str | None] | None = None
    """Model and quantization of the download that was shown and not started yet."""
    candidates: tuple[CandidateDefinition, ...] = ()
    """The shortlist, as candidates that can run."""
    test_set: TestSetDefinition | None = None
    """Test set with absolute paths; None until one was chosen."""
    task: Task = "classification"
    """What is asked of the model."""
    labels: tuple[str, ...] | None = None
    """Labels in the order shown to the model; None takes those of the file."""
    prompt: PromptTemplate | None = None
    """Prompt; None takes the plain one."""
    prompts: tuple[NamedPrompt, ...] = ()
    """Several prompts that are compared, in place of the one; empty where there is one."""
    scorers: tuple[ScorerOptions, ...] | None = None
    """How answers are scored, the first standing for quality; None takes what is usual for the task."""
    run: RunChoices = RunChoices()
    """How the benchmark of the step Run is asked."""
    head_to_head: HeadToHead = HeadToHead()
    """The next prompt of a head-to-head."""


class Desk:
    """Holds the draft; one for the whole app. Without a path it is gone when the app stops."""

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.Lock()
        found = read_kept(path, Draft) if path is not None else Found(Draft())
        self._draft = found.record
        self._path = path if found.may_write else None
        self.trouble = found.trouble
        """A sentence where not all of what was kept could be brought back."""
        if self._path is not None and self.trouble:
            # The copy holds the rest; the next start need not say so again.
            with contextlib.suppress(NotKept):
                write_kept(self._path, self._draft)

    @property
    def draft(self) -> Draft:
        """What lies there now."""
        return self._draft

    def change(self, **changes: Any) -> Draft:
        """Change fields of the draft. Raises NotKept, with the change made all the same."""
        return self.revise(lambda _: changes)

    def revise(self, changes: Callable[[Draft], Mapping[str, Any]]) -> Draft:
        """Change fields by what they hold: nothing that another page changes meanwhile is lost. Raises NotKept."""
        with self._lock:
            before = self._draft
            self._draft = before.model_copy(update=dict(changes(before)))
            if self._path is not None and self._draft != before:
                write_kept(self._path, self._draft)
            return self._draft
