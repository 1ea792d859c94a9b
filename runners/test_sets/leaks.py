"""Finds right answers that stand in the text they are asked of.

That a message about a delivery says "delivery" is harmless. It is a leak where the label was pasted into the text: then
most texts hold their own label's word and hardly any holds another's. Answers in free words are looked at one by one,
unless they are asked of a context, which has to hold them.
"""

import re
from collections.abc import Iterator, Sequence

from runners.test_set_records import Example, Problem, Task

_SHORTEST = 4
"""Characters; shorter answers, such as `yes` or `12`, occur in many texts by chance."""
_SHARE = 0.5
_OWN = 0.9
_FEWEST = 10
_MOST_LABELS = 500


def leak_problems(examples: Sequence[Example], labels: Sequence[str], task: Task) -> Iterator[Problem]:
    """Warnings about answers in texts."""
    if task == "classification":
        yield from _labels_in_texts(examples, labels)
    elif task in {"short_answer", "free_text", "extraction"}:
        yield from _answers_in_texts(examples)


def _labels_in_texts(examples: Sequence[Example], labels: Sequence[str]) -> Iterator[Problem]:
    words = {label.casefold(): label for label in labels if label}
    if not 2 <= len(words) <= _MOST_LABELS or len(examples) < _FEWEST:
        return
    longest_first = sorted(words, key=len, reverse=True)
    anyone = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")
    own = other = 0
    for example in examples:
        text = next(iter(example.inputs.values()), "").casefold()
        found = {words[word] for word in anyone.findall(text)}
        if found == {example.target}:
            own += 1
        elif found and example.target not in found:
            other += 1
    if own >= _FEWEST and own >= _SHARE * len(examples) and own >= _OWN * (own + other):
        yield Problem(
            severity="warning",
            rule="label_in_text",
            message=f"{own / len(examples):.0%} of the texts hold the word of their own label and no other, "
            f"{other / len(examples):.0%} that of another: the answer seems to stand in the text",
            fix="Look at a few texts; remove the label from them if it was pasted in.",
        )


def _answers_in_texts(examples: Sequence[Example]) -> Iterator[Problem]:
    for example in examples:
        target = example.target.strip().casefold()
        text = next(iter(example.inputs.values()), "").casefold()
        if len(target) >= _SHORTEST and re.search(rf"(?<!\w){re.escape(target)}(?!\w)", text):
            yield Problem(
                severity="warning",
                rule="answer_in_text",
                row=example.row,
                message=f"{example.id}: the right answer stands in the text, word for word",
                fix="Remove it from the text, or use the task context_question if it is to be found there.",
            )
