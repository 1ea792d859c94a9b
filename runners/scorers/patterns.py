"""Short answers: right answers that occur in the answer, and regular expressions."""

import regex

from runners.errors import ScoringFailed
from runners.records import Completion, Validity
from runners.scorer_options import ContainsOptions
from runners.scorers.abstaining import abstains
from runners.scorers.judgement import Judgement, is_cut, trouble, unread
from runners.scorers.names import occurs
from runners.scorers.normalisation import fold
from runners.scorers.refusal import refuses
from runners.test_set_records import Example, TestSet
from runners.text_scorer_options import RegexOptions

_LONGEST_MATCH_SECONDS = 2.0
"""Patterns with nested repetition can take longer than anybody lives."""


class Contains:
    """1 where a right answer occurs in the answer (with `needed: all`: where each of them does).

    Where the target is empty, the question has no answer, and an answer that abstains is right. What was found in an
    answer that was cut off counts; what was not found there is truncated.
    """

    version = "1"

    def __init__(self, options: ContainsOptions) -> None:
        self._options = options

    def __call__(self, completion: Completion, example: Example, _test_set: TestSet) -> Judgement:
        """Judge one completion."""
        found = trouble(completion)
        wanted = [target for target in example.targets if target.strip()]
        if not wanted:
            if found is None or found is Validity.EMPTY:
                return Judgement(Validity.SCORED, float(abstains(completion.text)), completion.text.strip())
            return Judgement(found)
        if found is not None:
            return Judgement(found)
        options = self._options
        there = [
            target
            for target in wanted
            if occurs(target, completion.text, whole_words=options.whole_words, ignore_case=options.ignore_case)
        ]
        if len(there) == len(wanted) or (there and options.needed == "any"):
            return Judgement(Validity.SCORED, 1.0, ", ".join(there))
        if is_cut(completion) or refuses(completion.text):
            return Judgement(unread(completion))
        return Judgement(Validity.SCORED, 0.0, ", ".join(there) or None)

    def close(self) -> None:
        """Nothing is held."""


class Regex:
    """1 where the pattern matches; where it has a group, 1 where what was captured equals a right answer.

    Syntax and meaning are those of Python's `re`. Captured text and right answers are compared without white space at
    the ends, and with `ignore_case` without case and forms of the same character. A pattern with a group that does not
    match leaves the answer unparseable; one without a group is a rule, and an answer that breaks it is wrong.
    """

    version = "1"

    def __init__(self, options: RegexOptions) -> None:
        self._options = options
        self._pattern = regex.compile(options.pattern, regex.IGNORECASE if options.ignore_case else 0)

    def __call__(self, completion: Completion, example: Example, _test_set: TestSet) -> Judgement:
        """Judge one completion."""
        found = trouble(completion)
        if found is not None:
            return Judgement(found)
        cut_matters = is_cut(completion) and (self._options.match == "full" or self._options.take == "last")
        match = None if cut_matters else self._match(completion.text, example)
        if match is None:
            if self._pattern.groups or is_cut(completion) or refuses(completion.text):
                return Judgement(unread(completion))
            return Judgement(Validity.SCORED, 0.0)
        captured = next((group for group in match.groups() if group is not None), None)
        if not self._pattern.groups:
            return Judgement(Validity.SCORED, 1.0, match.group())
        if captured is None:
            return Judgement(unread(completion))
        right = self._comparable(captured) in map(self._comparable, example.targets)
        return Judgement(Validity.SCORED, float(right), captured.strip())

    def _match(self, text: str, example: Example) -> "regex.Match[str] | None":
        try:
            if self._options.match == "full":
                return self._pattern.fullmatch(text.strip(), timeout=_LONGEST_MATCH_SECONDS)
            if self._options.take == "first":
                return self._pattern.search(text, timeout=_LONGEST_MATCH_SECONDS)
            found = list(self._pattern.finditer(text, timeout=_LONGEST_MATCH_SECONDS))
        except TimeoutError as error:
            raise ScoringFailed(
                f"The pattern {self._options.pattern!r} did not come to an end within {_LONGEST_MATCH_SECONDS:g} s on "
                f"the answer to {example.id!r}. Avoid repetition inside repetition, such as (a+)+."
            ) from error
        return found[-1] if found else None

    def _comparable(self, text: str) -> str:
        return fold(text) if self._options.ignore_case else text.strip()

    def close(self) -> None:
        """Nothing is held."""
