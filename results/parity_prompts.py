"""Were two runs asked the same? Compares rendered prompts as text and by their token counts; part of parity.

Texts are equal and counts differ where one engine puts a second start token before the text, for example.
"""

from collections.abc import Sequence
from difflib import unified_diff
from itertools import takewhile
from typing import Literal

from results import numbers
from results.parity_records import PromptCheck
from runners.records import RunResult

_CONTEXT_LINES = 1


class _Side:
    """Prompts of one run by example."""

    def __init__(self, run: RunResult) -> None:
        self.name = run.spec.candidate.name
        self.texts = {prompt.request_id: prompt.text for prompt in run.prompts}
        self.tokens = {
            event.completion.request_id: event.completion.prompt_tokens
            for event in run.completions
            # Where pieces of a stream were counted, nobody counted the prompt.
            if event.completion.workload == "accuracy" and event.completion.tokens_from != "chunks"
        }


def check_prompts(first: RunResult, second: RunResult) -> PromptCheck:
    """Hold the prompts of two runs over the same test set against each other."""
    ours, theirs = _Side(first), _Side(second)
    ids = [example.id for example in first.spec.test_set.examples]
    texts = [name for name in ids if name in ours.texts and name in theirs.texts]
    counts = [name for name in ids if name in ours.tokens and name in theirs.tokens]
    other_texts = [name for name in texts if ours.texts[name] != theirs.texts[name]]
    other_counts = [name for name in counts if ours.tokens[name] != theirs.tokens[name]]
    if other_texts or other_counts:
        shown = (other_texts or other_counts)[0]
        return _shown(ours, theirs, shown).model_copy(
            update={
                "texts": len(texts),
                "different_texts": len(other_texts),
                "counts": len(counts),
                "different_counts": len(other_counts),
                "sentence": _difference(ours, theirs, len(texts), other_texts, other_counts),
            }
        )
    state, sentence = _agreement(len(texts), len(counts), _unseen(ours, theirs))
    return PromptCheck(
        state=state, texts=len(texts), different_texts=0, counts=len(counts), different_counts=0, sentence=sentence
    )


def _shown(ours: _Side, theirs: _Side, name: str) -> PromptCheck:
    """The check with the first example whose prompts differ."""
    first, second = ours.texts.get(name), theirs.texts.get(name)
    known = first is not None and second is not None and first != second
    return PromptCheck(
        state="different",
        texts=0,
        different_texts=0,
        counts=0,
        different_counts=0,
        example_id=name,
        first_text=first,
        second_text=second,
        first_tokens=ours.tokens.get(name),
        second_tokens=theirs.tokens.get(name),
        differs_at=_common(first or "", second or "") if known else None,
        diff=_diff(ours, theirs, name) if known else (),
        sentence="",
    )


def _diff(ours: _Side, theirs: _Side, name: str) -> tuple[str, ...]:
    # Split at line feeds only, so that a missing last one is a difference that can be seen.
    first, second = (side.texts[name].split("\n") for side in (ours, theirs))
    return tuple(unified_diff(first, second, fromfile=ours.name, tofile=theirs.name, lineterm="", n=_CONTEXT_LINES))


def _common(first: str, second: str) -> int:
    """Characters that both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False)))


def _unseen(ours: _Side, theirs: _Side) -> str:
    """Whose prompts are made where nobody here sees them."""
    return " and ".join(side.name for side in (ours, theirs) if not side.texts)


def _difference(ours: _Side, theirs: _Side, texts: int, other_texts: Sequence[str], other_counts: Sequence[str]) -> str:
    if other_texts:
        of = numbers.things(texts, "example")
        return f"The prompts differ on {numbers.count(len(other_texts))} of {of}, first on {other_texts[0]}."
    name = other_counts[0]
    counts = f"{numbers.count(ours.tokens[name])} against {numbers.count(theirs.tokens[name])} tokens on {name}"
    if texts:
        return (
            f"The prompts are equal as text but not as tokens ({counts}): one side cuts the text otherwise, or puts a "
            "start token of its own before it."
        )
    return (
        f"The prompts differ in length ({counts}): {_unseen(ours, theirs)} puts a chat template around the "
        "conversation that is not the other's, or adds something to it."
    )


def _agreement(texts: int, counts: int, unseen: str) -> tuple[Literal["same", "same_length", "not_known"], str]:
    if texts:
        tokens = "text and tokens" if counts else "text; tokens are not known on both sides"
        return "same", f"The prompts are the same on all {numbers.things(texts, 'example')} ({tokens})."
    if counts:
        return "same_length", (
            f"The prompts have the same number of tokens on all {numbers.things(counts, 'example')}; their text cannot "
            f"be compared, because {unseen} puts it together unseen."
        )
    return "not_known", (
        f"The prompts cannot be compared: {unseen or 'one side'} puts them together unseen, and their tokens are not "
        "known on both sides."
    )
