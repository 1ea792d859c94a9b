"""Lets every scorer of a test set judge an answer. One that fails leaves a Failure; the others' scores are kept."""

import sys
import traceback
from collections.abc import Sequence

from runners.errors import ScoringFailed
from runners.records import Completion, Failure, Score
from runners.scorers.registry import OpenScorer
from runners.test_set_records import Example, TestSet


def judge(
    scorers: Sequence[OpenScorer], completion: Completion, example: Example, test_set: TestSet
) -> tuple[tuple[Score, ...], tuple[Failure, ...]]:
    """Scores of one completion, and what went wrong."""
    scores: list[Score] = []
    failures: list[Failure] = []
    for scorer in scorers:
        try:
            scores.append(scorer(completion, example, test_set))
        except ScoringFailed as error:
            failures.append(_failure(scorer.options.name, str(error), completion, example))
        except Exception as error:  # noqa: BLE001  a fault of ours in one scorer must not cost answers of hours
            traceback.print_exc(file=sys.stderr)
            failures.append(_failure(scorer.options.name, f"{type(error).__name__}: {error}", completion, example))
    return tuple(scores), tuple(failures)


def _failure(scorer: str, message: str, completion: Completion, example: Example) -> Failure:
    return Failure(
        stage="score",
        kind="scorer",
        message=f"The scorer {scorer!r} could not judge the answer to {example.id!r}. {message}",
        hint="The answer is kept and counts as failed for this scorer. Mend what is said, then score the stored "
        "answers again; no model has to run for that.",
        example_id=example.id,
        request_id=completion.request_id,
    )
