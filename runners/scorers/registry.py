"""Finds the scorer that belongs to options. Scorers are imported when they are asked for: some need large libraries."""

from importlib import import_module
from typing import Protocol

from runners.records import Completion, Score
from runners.scorer_options import ScorerOptions
from runners.scorers.judgement import Judgement
from runners.test_set_records import Example, TestSet


class Scorer(Protocol):
    """Judges one completion."""

    version: str
    """Changes whenever the same completion could get another score."""

    def __call__(self, completion: Completion, example: Example, test_set: TestSet, /) -> Judgement:
        """Judge one completion of one example."""
        ...

    def close(self) -> None:
        """Let go of what it holds; may be called more than once."""
        ...


_SCORERS = {
    "label_match": "runners.scorers.classification:LabelMatch",
    "choice_match": "runners.scorers.multiple_choice:ChoiceMatch",
    "exact_match": "runners.scorers.short_answer:ExactMatch",
    "token_f1": "runners.scorers.short_answer:TokenF1",
    "contains": "runners.scorers.patterns:Contains",
    "regex": "runners.scorers.patterns:Regex",
    "numeric": "runners.scorers.numeric:Numeric",
    "json_fields": "runners.scorers.extraction:JsonFields",
    "bleu": "runners.scorers.overlap:Bleu",
    "chrf": "runners.scorers.overlap:Chrf",
    "rouge": "runners.scorers.overlap:Rouge",
    "groundedness": "runners.scorers.grounding:Groundedness",
    "citations": "runners.scorers.grounding:Citations",
    "abstention": "runners.scorers.grounding:Abstention",
    "json_schema": "runners.scorers.extraction:JsonSchema",
    "length": "runners.scorers.rules:Length",
    "forbidden_words": "runners.scorers.rules:ForbiddenWords",
    "python": "runners.scorers.python_function:PythonFunction",
}
"""Scorer → where its class is."""


class OpenScorer:
    """A scorer under the name that its test set gives it."""

    def __init__(self, options: ScorerOptions) -> None:
        module, name = _SCORERS[options.scorer].split(":")
        self.options = options
        self._scorer: Scorer = getattr(import_module(module), name)(options)

    @property
    def version(self) -> str:
        """Version of the scorer."""
        return self._scorer.version

    def __call__(self, completion: Completion, example: Example, test_set: TestSet) -> Score:
        """Score one completion of one example."""
        judgement = self._scorer(completion, example, test_set)
        return Score(
            request_id=completion.request_id,
            example_id=example.id,
            scorer=self.options.name,
            version=self.version,
            validity=judgement.validity,
            value=judgement.value,
            predicted=judgement.predicted,
            counts=dict(judgement.counts),
        )

    def close(self) -> None:
        """Let go of what it holds."""
        self._scorer.close()


def open_scorer(options: ScorerOptions) -> OpenScorer:
    """The scorer for these options, ready."""
    return OpenScorer(options)


def scorer_versions(test_set: TestSet) -> dict[str, str]:
    """Version of every scorer of a test set, by name."""
    return {options.name: open_scorer(options).version for options in test_set.scorers}
