"""Multiple choice: the choice with the highest likelihood, or the one that a generated answer names."""

import re
from collections.abc import Sequence

from runners.errors import ScoringFailed
from runners.records import ChoiceScore, Completion, Validity
from runners.scorer_options import ChoiceMatchOptions
from runners.scorers.judgement import Judgement, trouble, unread
from runners.scorers.names import Names
from runners.scorers.normalisation import fold
from runners.test_set_records import Example, TestSet

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_OPEN = r"[\s\"'`*_(\[]*"
_CLOSE = r"[\s\"'`*_)\].:,;]*"
_ALONE = re.compile(rf"{_OPEN}(?:option |choice )?([a-z]|\d{{1,2}}){_CLOSE}$")
_BEGINS = re.compile(rf"{_OPEN}(?:option |choice )?([a-z]|\d{{1,2}})(?:[)\]:]|\.(?!\d)|\*\*|\n)\s*(.*)", re.DOTALL)
_MARKED = re.compile(
    rf"\b(?:answer|choice|option|antwort|réponse|respuesta)\b(?: is| ist| est| es|\s*[:=])+{_OPEN}"
    r"(?:option |choice )?([a-z]|\d{1,2})(?![\w'])(?!\.\d)"
)
_MORE = re.compile(rf"(?:(?:or|and|nor|oder|und|ou|et|,|/|&){_OPEN}(?:[a-z]|\d{{1,2}})(?![\w'])|{_OPEN}[a-z]{_CLOSE}$)")
_LETTER_ONLY = re.compile(r"(?<![\w'])(?!(?:A|I) (?!or\b|and\b|nor\b)\w)([A-Z])(?![\w'])")
"""A letter that stands alone; `A` and `I` before a word are an article and a pronoun."""


class ChoiceMatch:
    """1 where the answer is the right one of the example's choices.

    Scored choices: `raw` takes the one with the highest sum of the log-probabilities of its tokens, `normalised` the
    one with the highest sum per UTF-8 byte of its text (acc and acc_norm of lm-evaluation-harness, Gao et al. 2021;
    per byte, so that tokenizers make no difference); both are counted, the option `decides` says which is the value.
    Generated text: the answer is a choice, or the letter or number of one, alone, at the beginning (`B.`, `(B)`) or
    after `Answer:`, or the only choice or letter that it names. A letter beside the text of another choice, several
    choices, and none are unparseable.
    """

    version = "1"

    def __init__(self, options: ChoiceMatchOptions) -> None:
        self._decides = options.decides

    def __call__(self, completion: Completion, example: Example, _test_set: TestSet) -> Judgement:
        """Judge one completion."""
        if not example.choices:
            raise ScoringFailed(f"The example {example.id!r} has no choices; choice_match needs some.")
        found = trouble(completion)
        if found is not None:
            return Judgement(found, counts=_missed(completion))
        right = {place for place, choice in enumerate(example.choices) if choice in example.targets}
        if completion.method == "scored_choices":
            return self._judge_scores(completion.choice_scores, example, right)
        place = choice_in(completion.text, example.choices)
        if place is None:
            return Judgement(unread(completion))
        return Judgement(Validity.SCORED, float(place in right), example.choices[place])

    def _judge_scores(self, scores: Sequence[ChoiceScore], example: Example, right: set[int]) -> Judgement:
        places = [_place_of(number, score, example) for number, score in enumerate(scores)]
        lengths = [max(len(score.choice.encode()), 1) for score in scores]
        best = {
            "raw": max(range(len(scores)), key=lambda i: scores[i].evidence),
            "normalised": max(range(len(scores)), key=lambda i: scores[i].evidence / lengths[i]),
        }
        counts = {rule: float(places[number] in right) for rule, number in best.items()}
        predicted = example.choices[places[best[self._decides]]]
        return Judgement(Validity.SCORED, counts[self._decides], predicted, counts)

    def close(self) -> None:
        """Nothing is held."""


def choice_in(text: str, choices: Sequence[str]) -> int | None:
    """Place of the choice that a generated answer names; None where it names none or several."""
    names = Names(choices)
    whole = names.equal_to(text)
    if whole is None:
        whole = names.equal_to(text.strip("\"'`*.,:;! \n"))
    if whole is not None:
        return whole
    folded = "\n".join(fold(line) for line in text.strip().splitlines())
    begins = _BEGINS.match(folded)
    if begins is not None and (place := _numbered(begins.group(1), len(choices))) is not None:
        line = begins.group(2).partition("\n")[0]
        written = names.equal_to(line.strip("\"'`*.,:;!() "))
        names_more = written is None and _MORE.match(line) is not None
        return place if written in {None, place} and not names_more else None
    alone, marked = _ALONE.match(folded), _MARKED.findall(folded)
    for letter in [alone.group(1)] if alone is not None else marked[-1:]:
        if (place := _numbered(letter, len(choices))) is not None:
            return place
    if any(names.all_in(folded)):
        return names.only_one_in(folded)
    return _only_letter(text, len(choices))


def _numbered(mark: str, count: int) -> int | None:
    place = int(mark) - 1 if mark.isdigit() else _LETTERS.index(mark)
    return place if 0 <= place < count else None


def _only_letter(text: str, count: int) -> int | None:
    """The choice whose letter is the only one that stands alone in the text."""
    bracketed = set(re.findall(r"[(\[]([A-Z])[)\]]", text))
    letters = bracketed or set(_LETTER_ONLY.findall(text))
    return _numbered(letters.pop().lower(), count) if len(letters) == 1 else None


def _place_of(number: int, score: ChoiceScore, example: Example) -> int:
    """Which choice was scored: found by its text, else by its letter, as prompts that list the choices ask for it."""
    if score.choice in example.choices:
        return example.choices.index(score.choice)
    letter = score.choice.strip().casefold()
    place = _numbered(letter, len(example.choices)) if letter.isdigit() or letter in set(_LETTERS) else number
    if place is None or place >= len(example.choices):
        raise ScoringFailed(f"{score.choice!r} was scored for the example {example.id!r}, which has no such choice.")
    return place


def _missed(completion: Completion) -> dict[str, float]:
    """An answer that is missing is right by neither rule, where choices were to be scored."""
    return {"raw": 0.0, "normalised": 0.0} if completion.method == "scored_choices" else {}
