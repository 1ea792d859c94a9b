"""Short answers: equal to a right one, or with words in common. Definitions are those of SQuAD's evaluation script."""

from collections import Counter
from collections.abc import Sequence

from runners.records import Completion, Validity
from runners.scorer_options import ExactMatchOptions, TokenF1Options
from runners.scorers.abstaining import abstains
from runners.scorers.judgement import Judgement, is_cut, trouble, unread
from runners.scorers.normalisation import judged_part, squad
from runners.scorers.refusal import refuses
from runners.test_set_records import Example, TestSet


class ExactMatch:
    """1 where the answer equals the target or an accepted answer after normalisation (Rajpurkar et al. 2016, SQuAD).

    Where the target is empty, the question has no answer, and an empty answer is right (Rajpurkar et al. 2018, SQuAD
    2.0). In questions on a context an answer that abstains counts as an empty one, because models do not fall silent.
    An answer that was cut off is truncated, unless `part` is its first line and that is complete.
    """

    version = "1"

    def __init__(self, options: ExactMatchOptions) -> None:
        self._options = options

    def __call__(self, completion: Completion, example: Example, test_set: TestSet) -> Judgement:
        """Judge one completion."""
        options = self._options
        right = [_normalised(target, options.normalise) for target in example.targets]
        answer = read_answer(completion, example, test_set, options)
        if isinstance(answer, Validity):
            return Judgement(answer)
        return Judgement(Validity.SCORED, float(_normalised(answer, options.normalise) in right), answer)

    def close(self) -> None:
        """Nothing is held."""


class TokenF1:
    """F1 of the words that the answer and a right answer have in common, the best over all right ones (SQuAD).

    Words are counted as often as they occur, after SQuAD's normalisation: precision = common ÷ words of the answer,
    recall = common ÷ words of the right one, F1 = 2·common ÷ (both together). Where one of the two has no words, it is
    1 if the other has none either, else 0 (SQuAD 2.0). Cut and abstaining answers as in exact_match.
    """

    version = "1"

    def __init__(self, options: TokenF1Options) -> None:
        self._options = options

    def __call__(self, completion: Completion, example: Example, test_set: TestSet) -> Judgement:
        """Judge one completion."""
        answer = read_answer(completion, example, test_set, self._options)
        if isinstance(answer, Validity):
            return Judgement(answer)
        said = self._tokens(answer)
        # As SQuAD 2.0's script: right answers without any words count only where all are.
        right = [tokens for tokens in map(self._tokens, example.targets) if tokens] or [[]]
        return Judgement(Validity.SCORED, max(token_f1(said, tokens) for tokens in right), answer)

    def _tokens(self, text: str) -> list[str]:
        normalised = squad(text)
        return normalised.split() if self._options.tokens == "words" else list(normalised.replace(" ", ""))

    def close(self) -> None:
        """Nothing is held."""


def token_f1(said: Sequence[str], right: Sequence[str]) -> float:
    """F1 of two bags of words."""
    if not said or not right:
        return float(not said and not right)
    common = sum((Counter(said) & Counter(right)).values())
    return 2 * common / (len(said) + len(right))


def read_answer(
    completion: Completion, example: Example, test_set: TestSet, options: ExactMatchOptions | TokenF1Options
) -> str | Validity:
    """The part of the answer that is judged, empty where the model abstains; else why there is none."""
    has_no_answer = not any(target.strip() for target in example.targets)
    found = trouble(completion)
    if found is Validity.EMPTY and has_no_answer:
        return ""
    if found is not None:
        return found
    part, is_complete = judged_part(completion.text, options.part, options.after)
    if test_set.task == "context_question" and abstains(part):
        return ""
    if is_cut(completion) and not is_complete:
        return unread(completion)
    if refuses(part) and not any(refuses(target) for target in example.targets):
        return Validity.REFUSED
    return part


def _normalised(text: str, how: str) -> str:
    if how == "none":
        return text.strip()
    return squad(text) if how == "squad" else " ".join(text.split())
