"""Short answer: a number in the answer is the right one."""

from runners.errors import ScoringFailed
from runners.records import Completion, Validity
from runners.scorer_options import NumericOptions
from runners.scorers.judgement import Judgement, is_cut, trouble, unread
from runners.scorers.numbers import Number, agree, numbers_in, plain
from runners.test_set_records import Example, TestSet


class Numeric:
    """1 where the number taken out of the answer equals a right one within the tolerance.

    The last number of the text, as GSM8K's answers are read where no form was asked for (`flexible-extract` of
    lm-evaluation-harness), or the first; with `after` the first number behind a marker such as `####` (GSM8K's own
    form, Cobbe et al. 2021; `strict-match`). Equal: |answer - right| ≤ max(absolute, relative · |right|). No number:
    the answer is unparseable. A number that the token limit may have cut off is truncated.
    """

    version = "1"

    def __init__(self, options: NumericOptions) -> None:
        self._options = options

    def __call__(self, completion: Completion, example: Example, _test_set: TestSet) -> Judgement:
        """Judge one completion."""
        right = [self._right(target, example) for target in example.targets]
        found = trouble(completion)
        if found is not None:
            return Judgement(found)
        number = self._taken(completion)
        if number is None:
            return Judgement(unread(completion))
        options = self._options
        is_right = any(agree(number, each, options.absolute_tolerance, options.relative_tolerance) for each in right)
        return Judgement(Validity.SCORED, float(is_right), _shown(number))

    def _taken(self, completion: Completion) -> Number | None:
        """The number that is the answer, unless the cut may have changed it."""
        options = self._options
        text = plain(completion.text)
        if options.after is not None:
            _, marker, text = text.rpartition(plain(options.after))
            if not marker:
                return None
        found = list(numbers_in(text, options.decimal))
        if not found:
            return None
        first = options.take == "first" or options.after is not None
        number = found[0] if first else found[-1]
        may_be_cut = is_cut(completion) and (not first or number.end == len(text))
        return None if may_be_cut else number

    def _right(self, target: str, example: Example) -> Number:
        found = list(numbers_in(target, self._options.decimal))
        if not found:
            raise ScoringFailed(
                f"The target {target!r} of the example {example.id!r} holds no number. Write one, or use exact_match."
            )
        return found[-1]

    def close(self) -> None:
        """Nothing is held."""


def _shown(number: Number) -> str:
    value = number.value
    text = str(value.numerator) if value.denominator == 1 else f"{float(value):.12g}"
    return f"{text} %" if number.is_percent else text
