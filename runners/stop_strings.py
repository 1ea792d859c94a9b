"""Ends a text at the first stop string, even when it arrives in pieces. Does not decode tokens."""

from collections.abc import Sequence


class StopStrings:
    """Passes text on, holding back what could still become a stop string."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._held = ""
        self.reached = False

    def add(self, text: str) -> str:
        """Text that is certain to belong to the answer; sets `reached` at a stop string."""
        self._held += text
        found = [index for stop in self._stops if (index := self._held.find(stop)) >= 0]
        if found:
            self.reached = True
            return self._release(min(found), drop=True)
        return self._release(len(self._held) - longest_beginning(self._held, self._stops))

    def flush(self) -> str:
        """What was held back, at the end of the answer."""
        return self._release(len(self._held))

    def _release(self, length: int, *, drop: bool = False) -> str:
        text, self._held = self._held[:length], "" if drop else self._held[length:]
        return text


def longest_beginning(text: str, marks: Sequence[str]) -> int:
    """Length of the longest end of a text that is the beginning of one of the marks, and not all of it."""
    longest = max((len(mark) - 1 for mark in marks), default=0)
    for length in range(min(longest, len(text)), 0, -1):
        if any(mark.startswith(text[-length:]) for mark in marks):
            return length
    return 0
