"""Picks the examples that show a candidate best: a typical right answer, a typical wrong one, and where it differs.

Plain rules without chance, so that the same data show the same examples; each rule is said beside what it picked.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from results import numbers
from results.records import Answer, ExampleResult
from workbench.report.findings import NOT_UNDERSTOOD
from workbench.report.records import ShownExample
from workbench.report.text import shorten


def choose_examples(examples: Sequence[ExampleResult], candidates: Iterable[str]) -> tuple[ShownExample, ...]:
    """Up to three examples of every candidate, in the order of the candidates."""
    shown: list[ShownExample] = []
    for name in candidates:
        judged = [each for each in examples if (answer := each.answers.get(name)) and answer.right is not None]
        for picked in (_typical_right(name, judged), _typical_wrong(name, judged)):
            if picked is not None:
                shown.append(picked)
        taken = {each.example.example_id for each in shown}
        other = _disagreement(name, judged, taken)
        if other is not None:
            shown.append(other)
    return tuple(shown)


def _typical_right(name: str, judged: Sequence[ExampleResult]) -> ShownExample | None:
    right = [each for each in judged if each.answers[name].right]
    if not right:
        return None
    why = f"A typical right answer: of middle length among the {numbers.things(len(right), 'example')} it got right."
    return ShownExample(candidate=name, kind="right", why=why, example=_middle(right))


def _typical_wrong(name: str, judged: Sequence[ExampleResult]) -> ShownExample | None:
    """Out of the most frequent mistake, where one is made more than once."""
    wrong = [each for each in judged if not each.answers[name].right]
    if not wrong:
        return None
    mistakes = Counter((each.target, _read(each.answers[name])) for each in wrong)
    (target, read), count = mistakes.most_common(1)[0]
    of_all = numbers.things(len(wrong), "example")
    if count == 1:
        why = f"A typical wrong answer: of middle length among the {of_all} it got wrong."
        return ShownExample(candidate=name, kind="wrong", why=why, example=_middle(wrong))
    same = [each for each in wrong if (each.target, _read(each.answers[name])) == (target, read)]
    taken = f"“{shorten(target)}” answered “{shorten(read)}”" if read != NOT_UNDERSTOOD else "no answer understood"
    why = (
        f"A typical wrong answer: its most frequent mistake, {taken} ({numbers.count(count)} of {of_all} it got wrong)."
    )
    return ShownExample(candidate=name, kind="wrong", why=why, example=_middle(same))


def _disagreement(name: str, judged: Sequence[ExampleResult], taken: set[str]) -> ShownExample | None:
    """Where most others were judged otherwise; of these the one whose wrong answers were the surest."""
    otherwise = [(each, _judged_otherwise(name, each)) for each in judged]
    apart = [(each, others) for each, others in otherwise if others]
    if not apart:
        return None
    most = max(len(others) for _, others in apart)
    ranked = sorted(
        (each for each, others in apart if len(others) == most),
        key=lambda each: (each.example_id in taken, -_sureness(each)),
    )
    example = ranked[0]
    others = numbers.things(most, "other was", "others were")
    verdicts = ("right", "wrong") if example.answers[name].right else ("wrong", "right")
    why = f"The most telling disagreement: it is {verdicts[0]} where {others} {verdicts[1]}."
    return ShownExample(candidate=name, kind="disagreement", why=why, example=example)


def _judged_otherwise(name: str, example: ExampleResult) -> list[str]:
    own = example.answers[name].right
    return [other for other, answer in example.answers.items() if answer.right is not None and answer.right is not own]


def _sureness(example: ExampleResult) -> float:
    """Highest probability of a wrong answer; 0 where none has one."""
    return max((answer.probability or 0.0 for answer in example.answers.values() if not answer.right), default=0.0)


def _middle(examples: Sequence[ExampleResult]) -> ExampleResult:
    """The one of middle length; of an even number the shorter of the two."""
    ordered = sorted(examples, key=_length)
    return ordered[(len(ordered) - 1) // 2]


def _length(example: ExampleResult) -> int:
    return sum(len(text) for text in example.inputs.values())


def _read(answer: Answer) -> str:
    return answer.predicted or NOT_UNDERSTOOD
