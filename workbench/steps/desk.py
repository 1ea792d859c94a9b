"""What lies on the desk: choices that are not a benchmark yet.

Kept in the process, so that refreshing the page or opening a second one loses nothing; gone when the app stops. What is
worth keeping longer is in the store.
"""

import threading
from typing import Any

from catalog.records import ModelQuery, Record
from runners.test_set_records import PromptTemplate, Task
from workbench.records import CandidateDefinition, TestSetDefinition


class HeadToHead(Record):
    """The prompt that is being answered."""

    job_id: str
    """Job that asks."""
    order: tuple[str, ...]
    """Candidates from left to right; shuffled where names are hidden."""
    blind: bool
    """Whether names are hidden until the vote."""
    voted: bool = False
    """Whether it was judged."""


class Draft(Record):
    """Everything on the desk."""

    query: ModelQuery = ModelQuery(limit=50)
    """Filters of the last search."""
    model_id: str | None = None
    """Model that is looked at."""
    shortlist_name: str = "shortlist"
    """Name that the shortlist will be saved under."""
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
    head_to_head: HeadToHead | None = None
    """The prompt that is being answered, if any."""


class Desk:
    """Holds the draft; one for the whole app."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._draft = Draft()

    @property
    def draft(self) -> Draft:
        """What lies there now."""
        return self._draft

    def change(self, **changes: Any) -> Draft:
        """Change fields of the draft."""
        with self._lock:
            self._draft = self._draft.model_copy(update=changes)
            return self._draft
