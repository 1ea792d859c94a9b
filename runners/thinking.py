"""Tells a model's thinking from its answer, while the text arrives in pieces.

The marks are those of the chat templates collected in llama.cpp (models/templates). Does not know tokens.
"""

from collections.abc import Iterator
from typing import NamedTuple

from runners.stop_strings import longest_beginning


class Marks(NamedTuple):
    """What stands before and after the thinking, as a model writes it."""

    opening: str
    closing: str


_KNOWN = (
    Marks("<think>", "</think>"),
    Marks("[THINK]", "[/THINK]"),
    Marks("<seed:think>", "</seed:think>"),
    Marks("<mm:think>", "</mm:think>"),
    Marks("<|inner_prefix|>", "<|inner_suffix|>"),
    Marks("<|START_THINKING|>", "<|END_THINKING|>"),
    Marks("<|channel>thought\n", "<channel|>"),
    Marks("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
)
PLAIN_MARKS = _KNOWN[0]
"""What servers send as part of the answer where they do not tell thinking apart themselves."""
_FRAMES = ("<|START_RESPONSE|>", "<|END_RESPONSE|>", "<|START_TEXT|>", "<|END_TEXT|>", "<|channel|>final<|message|>")
"""Marks around the answer itself, which are no part of it."""


def marks_of(template: str | None) -> Marks | None:
    """The marks that a chat template names; None for a model that does not think."""
    if template is None:
        return None
    for marks in _KNOWN:
        # Some templates put a mark together from pieces; its first word is enough to know it by.
        if marks.opening.strip() in template or marks.closing in template:
            return marks
    return None


def frame_texts(marks: Marks | None) -> tuple[str, ...]:
    """Every mark that may stand in the output of such a model."""
    return () if marks is None else (*marks, *_FRAMES)


class ThinkingSplitter:
    """Splits one answer."""

    def __init__(self, marks: Marks | None, prompt: str) -> None:
        """A prompt that ends with the opening mark, as some templates make it, lets the answer begin with thinking."""
        self._marks = marks
        self._thinks = marks is not None and is_thinking(marks, prompt)
        self._may_open = marks is not None and not self._thinks
        self._held = ""
        self._starts_part = self._thinks

    def add(self, text: str) -> Iterator[tuple[str, bool]]:
        """Pieces of text with whether they are thinking; what may be the beginning of a mark is held back."""
        if self._marks is None:
            if text:
                yield text, False
            return
        self._held += text
        while True:
            found = self._next_mark()
            if found is None:
                break
            start, mark = found
            if mark != self._marks.opening:
                yield from self._give(self._held[:start])
            self._held = self._held[start + len(mark) :]
            self._pass(mark)
        held = longest_beginning(self._held, self._awaited())
        ready = self._held[: len(self._held) - held]
        if self._may_open and not ready.strip():
            # White space before thinking is no part of the answer, and whether thinking follows is not known yet.
            return
        self._held = self._held[len(ready) :]
        yield from self._give(ready)

    def is_outside_answer(self, text: str) -> bool:
        """Whether text that would come next is thinking, or (the beginning of) a mark, and so no part of the answer."""
        if self._marks is None or not text:
            return False
        coming = (self._held + text).lstrip() if self._may_open else self._held + text
        between = self._starts_part and not self._may_open and not text.strip()
        return self._thinks or between or any(coming and mark.startswith(coming) for mark in self._awaited())

    def flush(self) -> Iterator[tuple[str, bool]]:
        """What was held back, at the end of the answer."""
        rest, self._held = self._held, ""
        yield from self._give(rest)

    def _awaited(self) -> tuple[str, ...]:
        if self._marks is None:
            return ()
        if self._thinks:
            return (self._marks.closing,)
        # Only the beginning of an answer can be thinking: a mark further on is something that the model speaks about.
        return (*((self._marks.opening,) if self._may_open else ()), *_FRAMES)

    def _next_mark(self) -> tuple[int, str] | None:
        found = [(start, mark) for mark in self._awaited() if (start := self._held.find(mark)) >= 0]
        opening = self._marks.opening if self._marks is not None and not self._thinks else None
        return min(((at, mark) for at, mark in found if mark != opening or not self._held[:at].strip()), default=None)

    def _pass(self, mark: str) -> None:
        if self._marks is None:
            return
        if mark == self._marks.opening:
            self._thinks, self._may_open = True, False
        elif mark == self._marks.closing:
            self._thinks = False
        self._starts_part = True

    def _give(self, text: str) -> Iterator[tuple[str, bool]]:
        # The line ends between the marks and the words belong to neither.
        text = text.lstrip() if self._starts_part else text
        if not text:
            return
        self._starts_part = False
        if not self._thinks:
            self._may_open = False
        yield text, self._thinks


def closed(marks: Marks | None, prompt: str) -> str:
    """A prompt whose thinking, where its end opens it, is closed again, so that the answer itself can follow."""
    if marks is None or not is_thinking(marks, prompt):
        return prompt
    return f"{prompt.rstrip()}\n\n{marks.closing}\n\n"


def is_thinking(marks: Marks, prompt: str) -> bool:
    """Whether the answer to a prompt begins in the middle of thinking."""
    return prompt.rstrip().endswith(marks.opening.rstrip())
