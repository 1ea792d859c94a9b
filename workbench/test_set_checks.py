"""Remembers what was found of test sets that were looked at a moment ago: a large one takes seconds to check."""

import threading
from collections.abc import Callable, Hashable
from typing import NamedTuple

from runners.test_set_records import Task
from workbench.records import TestSetCheck, TestSetDefinition

_MOST = 6


class CheckKey(NamedTuple):
    """What was checked, as what, and in which state."""

    definition: TestSetDefinition
    labels: tuple[str, ...] | None
    task: Task
    stamp: Hashable


class CheckCache:
    """The last few checks of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[str, tuple[Hashable, TestSetCheck]] = {}

    def get(self, key: CheckKey, check: Callable[[], TestSetCheck]) -> TestSetCheck:
        """What was found before, else what is found now. Raises what the check raises, and remembers no error."""
        known = self._found.get(_name(key))
        if known is not None and known[0] == key.stamp:
            return known[1]
        found = check()
        with self._lock:
            self._found.pop(_name(key), None)
            while len(self._found) >= _MOST:
                del self._found[next(iter(self._found))]
            self._found[_name(key)] = (key.stamp, found)
        return found

    def replace(self, found: TestSetCheck, more: TestSetCheck) -> None:
        """Remember more of a test set than was found before, until its examples change."""
        with self._lock:
            for name, (stamp, check) in self._found.items():
                if check is found:
                    self._found[name] = (stamp, more)
                    return

    def before(self, key: CheckKey) -> TestSetCheck | None:
        """What was found last of the same test set in whatever state; None where it was not looked at."""
        known = self._found.get(_name(key))
        return known[1] if known is not None else None


def _name(key: CheckKey) -> str:
    """Definitions hold lists and cannot be hashed themselves."""
    return f"{key.definition.model_dump_json(exclude_defaults=True)}|{key.labels}|{key.task}"
