"""Thinking is told from the answer, in whatever pieces the text arrives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.thinking import Marks, ThinkingSplitter, closed, marks_of

QWEN = "{% if enable_thinking %}<think>{% endif %}"
HARMONY = "<|channel|>analysis<|message|>"


def split(text: str, size: int, marks: Marks | None, prompt: str = "") -> tuple[str, str]:
    """(thinking, answer) of a text that arrives in pieces of a size."""
    splitter = ThinkingSplitter(marks, prompt)
    parts = [part for start in range(0, len(text), size) for part in splitter.add(text[start : start + size])]
    parts += splitter.flush()
    return tuple("".join(text for text, thinks in parts if thinks is wanted) for wanted in (True, False))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("template", "prompt", "text", "thinking", "answer"),
    [
        (QWEN, "", "<think>\nhm\n</think>\n\nbilling", "hm\n", "billing"),
        (QWEN, "", "\n<think>hm</think>billing", "hm", "billing"),
        (QWEN, "", "billing", "", "billing"),
        (QWEN, "", "\n\nbilling <think> is a mark", "", "\n\nbilling <think> is a mark"),
        (QWEN, "<|assistant|><think>\n", "hm</think>billing", "hm", "billing"),
        (QWEN, "<think>\n\n</think>\n\n", "billing", "", "billing"),
        (QWEN, "<think>", "hm, it never ends", "hm, it never ends", ""),
        (QWEN, "", "a < b", "", "a < b"),
        ("[THINK]", "", "[THINK]hm[/THINK]billing", "hm", "billing"),
        (HARMONY, "", f"{HARMONY}hm<|end|><|start|>assistant<|channel|>final<|message|>billing", "hm", "billing"),
        (HARMONY, "", "<|channel|>final<|message|>billing", "", "billing"),
        (
            "<|START_THINKING|>",
            "",
            "<|START_THINKING|>hm<|END_THINKING|><|START_RESPONSE|>yes<|END_RESPONSE|>",
            "hm",
            "yes",
        ),
        ("'<|channel>thought\n'", "", "<|channel>thought\nhm\n<channel|>billing", "hm\n", "billing"),
        ("no marks here", "", "<think>hm</think>billing", "", "<think>hm</think>billing"),
        (None, "", "<think>hm</think>", "", "<think>hm</think>"),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_thinking_and_answer(
    template: str | None, prompt: str, text: str, thinking: str, answer: str, size: int
) -> None:
    assert split(text, size, marks_of(template), prompt) == (thinking, answer)


@pytest.mark.parametrize(
    ("prompt", "ready"),
    [
        ("<|assistant|><think>\n", "<|assistant|><think>\n\n</think>\n\n"),
        ("<|assistant|>", "<|assistant|>"),
        ("<think>\n\n</think>\n\n", "<think>\n\n</think>\n\n"),
    ],
)
def test_thinking_that_a_template_opens_is_closed_before_answers_are_scored(prompt: str, ready: str) -> None:
    assert closed(Marks("<think>", "</think>"), prompt) == ready
    assert closed(None, prompt) == prompt


@given(st.text(alphabet="<think>/ a\n", max_size=60), st.integers(1, 9))
def test_the_size_of_the_pieces_changes_nothing(text: str, size: int) -> None:
    marks = Marks("<think>", "</think>")
    assert split(text, size, marks) == split(text, 1, marks)


@pytest.mark.parametrize(
    ("before", "coming", "outside"),
    [
        ("", "<think>", True),
        ("", "<th", True),
        ("", "billing", False),
        ("\n", "<think>", True),
        ("\n", "billing", False),
        ("<think>", "hm", True),
        ("<think>hm</think>", "\n\n", True),
        ("<think>hm</think>", "billing", False),
        ("<think>hm</think>billing", "\n", False),
    ],
)
def test_a_grammar_knows_what_it_does_not_hold(before: str, coming: str, outside: bool) -> None:
    splitter = ThinkingSplitter(Marks("<think>", "</think>"), "")
    list(splitter.add(before))
    assert splitter.is_outside_answer(coming) is outside
