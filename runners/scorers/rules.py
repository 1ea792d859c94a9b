"""Rules that an answer keeps to or breaks: length, forbidden words. That of JSON schemas is in extraction.py."""

from runners.records import Completion, Validity
from runners.scorers.judgement import Judgement, is_cut, trouble
from runners.scorers.names import occurs
from runners.scorers.sentences import sentences_of
from runners.test_set_records import Example, TestSet
from runners.text_scorer_options import ForbiddenWordsOptions, LengthOptions


class Length:
    """1 where the answer keeps to every bound that is set, ends included.

    Characters are Unicode code points without white space at the ends, words pieces between white space. An answer
    that was cut off is too long where it already is, else truncated.
    """

    version = "1"

    def __init__(self, options: LengthOptions) -> None:
        self._options = options

    def __call__(self, completion: Completion, _example: Example, _test_set: TestSet) -> Judgement:
        """Judge one completion."""
        found = trouble(completion)
        if found is not None:
            return Judgement(found)
        options, text = self._options, completion.text.strip()
        sizes = (
            ("characters", len(text), options.min_characters, options.max_characters),
            ("words", len(text.split()), options.min_words, options.max_words),
            ("sentences", len(sentences_of(text)), options.min_sentences, options.max_sentences),
        )
        said = ", ".join(f"{size} {unit}" for unit, size, low, high in sizes if (low, high) != (None, None))
        is_long = any(high is not None and size > high for _, size, _, high in sizes)
        if is_cut(completion) and not is_long:
            return Judgement(Validity.TRUNCATED)
        is_short = any(low is not None and size < low for _, size, low, _ in sizes)
        return Judgement(Validity.SCORED, float(not is_long and not is_short), said)

    def close(self) -> None:
        """Nothing is held."""


class ForbiddenWords:
    """1 where none of the words or phrases occurs in the answer.

    A word that occurs in an answer that was cut off is wrong all the same; without one, such an answer is truncated.
    """

    version = "1"

    def __init__(self, options: ForbiddenWordsOptions) -> None:
        self._options = options

    def __call__(self, completion: Completion, _example: Example, _test_set: TestSet) -> Judgement:
        """Judge one completion."""
        found = trouble(completion)
        if found is not None:
            return Judgement(found)
        options = self._options
        there = [
            word
            for word in options.words
            if occurs(word, completion.text, whole_words=options.whole_words, ignore_case=options.ignore_case)
        ]
        if is_cut(completion) and not there:
            return Judgement(Validity.TRUNCATED)
        return Judgement(Validity.SCORED, float(not there), ", ".join(there) or None)

    def close(self) -> None:
        """Nothing is held."""
